//go:build !windows

package ledger

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// renamesOpenFiles: another file can take the place of one that is open.
const renamesOpenFiles = true

// syncDir makes a rename in dir durable. Some file systems cannot sync a folder and
// say so; there the rename is as durable as it gets.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}
