package foldertest

import (
	"testing"

	"golang.org/x/sys/windows"
)

// Hold opens a file as Excel does: others may read it, nobody may rename, replace or
// remove it. Releasing twice does nothing.
func Hold(t testing.TB, path string) (release func()) {
	t.Helper()
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, windows.FILE_SHARE_READ, nil,
		windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		t.Fatal(err)
	}
	held := true
	release = func() {
		if held {
			_ = windows.CloseHandle(h)
			held = false
		}
	}
	t.Cleanup(release)
	return release
}
