package config

import (
	"os"
	"path/filepath"
)

func systemFile() string {
	return filepath.Join(os.Getenv("ProgramData"), "connector", "config.yaml")
}
