package connector

import (
	"crypto/sha256"
	"encoding/hex"
	"os"

	"sendconnector/internal/config"
)

// Edition tells one edition of the settings from another: the configuration and the
// profiles that it names, as they lie on the disk now. They are read at the start only,
// so a running connector whose edition differs works by older ones.
func Edition(cfg *config.Config) string {
	h := sha256.New()
	whole := cfg.Digest()
	h.Write(whole[:])
	for _, name := range names(cfg.Flows) {
		one := [sha256.Size]byte{}
		if path := cfg.Flows[name].Profile; path != "" {
			if data, err := os.ReadFile(path); err == nil { // one that cannot be read counts as empty
				one = sha256.Sum256(data)
			}
		}
		h.Write(one[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Outdated reports whether the connector that answered works by another edition of the
// settings than the one on the disk.
func (s *Status) Outdated(cfg *config.Config) bool { return s.Edition != Edition(cfg) }
