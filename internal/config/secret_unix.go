//go:build !windows

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// openPrivate does not wait for a writer where a pipe lies in the place of the file.
func openPrivate(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func readableByOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }

// SharedWith is always empty: a file that others may read is refused.
func SharedWith(string) ([]string, error) { return nil, nil }
