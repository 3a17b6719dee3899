package connector

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"sendconnector/internal/config"
)

// secretFiles are the files that hold the secrets of the configuration.
func (c *Connector) secretFiles() []string {
	var files []string
	add := func(path string) {
		if path != "" {
			files = append(files, path)
		}
	}
	dir := c.cfg.Dir()
	for _, name := range names(c.cfg.Senders) {
		s := c.cfg.Senders[name]
		add(s.APIKey.File(dir))
		if s.PDND != nil {
			add(s.PDND.KeyFile)
		}
	}
	for _, name := range names(c.cfg.Remotes) {
		r := c.cfg.Remotes[name]
		add(r.Password.File(dir))
		add(r.Passphrase.File(dir))
		add(r.KeyFile)
	}
	return files
}

// openness says which secrets and folders more people can read than should: those that
// the system does not let us refuse (Windows), and a data folder that was there before.
func (c *Connector) openness() (warnings []string) {
	for _, file := range c.secretFiles() {
		shared, err := config.SharedWith(file)
		if err == nil && len(shared) > 0 {
			warnings = append(warnings, fmt.Sprintf("the secret file %s can be read by %s: in its properties, Security, leave only the user of the service, SYSTEM and Administrators", file, strings.Join(shared, ", ")))
		}
	}
	info, err := os.Stat(c.cfg.Data)
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o027 != 0 {
		warnings = append(warnings, fmt.Sprintf("the data folder %s can be entered by other users of this machine (mode %04o): it holds personal data; set its mode to 0700", c.cfg.Data, info.Mode().Perm()))
	}
	return warnings
}
