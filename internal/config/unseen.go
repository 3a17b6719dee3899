package config

import (
	"errors"
	"regexp"
	"strings"

	"sendconnector/internal/yamldoc"
)

// secretLine is a line that writes out what a key of a secret, also one misspelt, should
// only name.
var secretLine = regexp.MustCompile(`(?i)(pass|secret|api_?k)[a-z_]*["']?\s*:\s*["']?[^\s"'$]`)

// unseen takes from mistakes the line at fault where it holds a secret: what is printed
// ends in logs and in mails to whoever helps. c may be half read.
func unseen(err error, c *Config) error {
	list, ok := errors.AsType[yamldoc.Errors](err)
	if one, single := errors.AsType[*yamldoc.Error](err); !ok && single {
		list = yamldoc.Errors{one}
	}
	written := c.written()
	for _, e := range list {
		hide := secretLine.MatchString(e.Excerpt)
		for _, text := range written {
			hide = hide || strings.Contains(e.Excerpt, text)
		}
		if hide {
			e.Excerpt, e.Caret = "", ""
		}
	}
	return err
}

// written lists the lines of the secrets that are written into the file.
func (c *Config) written() []string {
	var all []string
	add := func(s Secret) {
		if _, _, err := s.reference(); err == nil {
			return
		}
		for line := range strings.Lines(string(s)) {
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, line)
			}
		}
	}
	for _, s := range c.Senders {
		if s != nil {
			add(s.APIKey)
		}
	}
	for _, r := range c.Remotes {
		if r != nil {
			add(r.Password)
			add(r.Passphrase)
		}
	}
	return all
}
