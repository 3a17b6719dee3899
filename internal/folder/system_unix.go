//go:build unix

package folder

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

func lookAndRename(root *os.Root, from, to string) error {
	if _, err := root.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return root.Rename(from, to)
}

func removeFile(root *os.Root, name string) error { return root.Remove(name) }

func replaceFile(root *os.Root, from, to string) error { return root.Rename(from, to) }

// inherit gives a new file or folder the rights of the folder it lies in, as far as
// most allows: the group keeps what it has there, strangers get nothing. Shares
// mounted without rights of their own refuse; then the mount's rules hold.
func inherit(root *os.Root, parent, name string, most os.FileMode) {
	above, err := root.Stat(parent)
	if err != nil {
		return
	}
	own, err := root.Stat(name)
	if err != nil {
		return
	}
	mode := above.Mode().Perm()&most | most&0o700
	_ = root.Chmod(name, mode|own.Mode()&os.ModeSetgid)
}

// syncDir makes renames in a folder durable. File systems that cannot sync a folder
// are left to their own ways.
func syncDir(root *os.Root, dir string) error {
	f, err := root.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return syncFile(f)
}

func syncFile(f *os.File) error {
	err := fsync(f)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOTTY) {
		return nil
	}
	return err
}

// locked is never true: nothing on Unix keeps a reader from a file being written.
func locked(string) bool { return false }

func free(dir string) (uint64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true //nolint:unconvert // other systems have other types
}
