package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// RebuildPath is where a ledger is built anew beside the one it is to replace. While
// it is there and the other is not, Open refuses.
func RebuildPath(path string) string { return path + ".rebuild" }

// Install puts the finished ledger at RebuildPath in the place of the one at path,
// which is moved aside under a name of its own; it gives that name, "" if there was
// none. Nobody may have either open. A crash in between leaves the rebuilt one where
// Open and the next Install find it.
func Install(path string, now time.Time) (aside string, err error) {
	built := RebuildPath(path)
	if err := CheckFile(built); err != nil {
		return "", err
	}
	if exists(path) {
		aside = path + ".old-" + now.UTC().Format("20060102T150405Z")
		if exists(aside) {
			return "", fmt.Errorf("ledger: %s: %w", aside, fs.ErrExist)
		}
		if err := os.Rename(path, aside); err != nil {
			return "", fmt.Errorf("ledger: %w", err)
		}
	}
	// The number beside the old ledger stays: it is what makes the new one sweep.
	if err := os.Rename(built, path); err != nil {
		return aside, fmt.Errorf("ledger: %w", err)
	}
	err = syncDir(filepath.Dir(path))
	for _, left := range []string{generationFile(built), ownerFile(built), ownerFile(path)} {
		if e := os.Remove(left); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return aside, err
}
