package config

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"sendconnector/internal/yamldoc"
)

// Load reads, completes and checks a configuration file. On mistakes the error is a
// yamldoc.Errors with all of them; a file that cannot be read gives the system's
// error. Relative paths start from the file's folder and come back absolute.
// Secrets are named, not read: see Secret.Resolve.
func Load(path string) (*Config, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	c := &Config{path: path, digest: sha256.Sum256(data)}
	doc, err := yamldoc.Load(path, data, c)
	var problems yamldoc.Errors
	if err != nil {
		found, ok := err.(yamldoc.Errors) //nolint:errorlint // Load promises the list itself, complete
		if !ok || !doc.Parsed() {         // one mistake, not a list of all that is lacking
			return nil, unseen(err, c)
		}
		problems = found
	}
	c.doc = doc
	c.setDefaults()
	c.absolutePaths()
	check := checker{c: c, doc: doc, problems: problems}
	check.all()
	return c, unseen(check.problems.OrNil(), c)
}

// Find gives the configuration file to use when none is named: config.yaml in the
// working folder, else the system's place. It does not say that the file exists.
func Find() string {
	if _, err := os.Stat("config.yaml"); err == nil {
		return "config.yaml"
	}
	return systemFile()
}
