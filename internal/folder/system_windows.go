package folder

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"
)

// renameFile renames without overwriting and returns once the disk has it, which is
// what Windows offers instead of a sync of the folder.
func renameFile(_ *os.Root, base, from, to string) error {
	return moveFile(filepath.Join(base, from), filepath.Join(base, to), windows.MOVEFILE_WRITE_THROUGH)
}

// removeFile uses the plain call of Windows after a look through the root: older
// systems, network shares and Wine do not know the one that os.Root uses.
func removeFile(root *os.Root, name string) error {
	if _, err := root.Lstat(name); err != nil {
		return err
	}
	return os.Remove(long(filepath.Join(root.Name(), name)))
}

// replaceFile looks through the root first, so that no link on the way leads out.
func replaceFile(root *os.Root, from, to string) error {
	if _, err := root.Lstat(from); err != nil {
		return err
	}
	base := root.Name()
	return moveFile(filepath.Join(base, from), filepath.Join(base, to),
		windows.MOVEFILE_WRITE_THROUGH|windows.MOVEFILE_REPLACE_EXISTING)
}

func moveFile(from, to string, flags uint32) error {
	old, err := windows.UTF16PtrFromString(long(from))
	if err != nil {
		return err
	}
	target, err := windows.UTF16PtrFromString(long(to))
	if err != nil {
		return err
	}
	if err := windows.MoveFileEx(old, target, flags); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// long is the form of an absolute path that may exceed 260 characters.
func long(path string) string {
	switch {
	case strings.HasPrefix(path, `\\?\`) || strings.HasPrefix(path, `\\.\`):
		return path
	case strings.HasPrefix(path, `\\`):
		return `\\?\UNC\` + path[2:]
	}
	return `\\?\` + path
}

// inherit has nothing to do: Windows gives new files the rights of their folder.
func inherit(*os.Root, string, string, os.FileMode) {}

// syncDir has nothing to do: renames are written through.
func syncDir(*os.Root, string) error { return nil }

func syncFile(f *os.File) error { return fsync(f) }

// locked tries to open the file for itself alone.
func locked(path string) bool {
	name, err := windows.UTF16PtrFromString(long(path))
	if err != nil {
		return false
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, 0, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return kindOf(err) == ErrBusy
	}
	_ = windows.CloseHandle(h)
	return false
}

func free(dir string) (uint64, bool) {
	name, err := windows.UTF16PtrFromString(long(dir))
	if err != nil {
		return 0, false
	}
	var available uint64
	if err := windows.GetDiskFreeSpaceEx(name, &available, nil, nil); err != nil {
		return 0, false
	}
	return available, true
}
