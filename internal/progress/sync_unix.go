//go:build !windows

package progress

import "os"

// syncFolder makes a rename in the folder last.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return withoutPath(err)
	}
	defer d.Close()
	return withoutPath(d.Sync())
}
