package folder

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// renameFile renames without overwriting, which the kernel does atomically where
// the file system can. Network file systems often cannot: there a look comes
// before the rename, and only another program creating the very same name in
// between could be overwritten.
func renameFile(root *os.Root, _, from, to string) error {
	source, err := root.Open(filepath.Dir(from))
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := root.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer target.Close()
	err = unix.Renameat2(int(source.Fd()), filepath.Base(from), int(target.Fd()), filepath.Base(to), unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP) {
		return lookAndRename(root, from, to)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
