package folder_test

import (
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
)

// hold opens a file as Excel does: others may read it, nobody may replace it.
func hold(t *testing.T, path string) (release func()) {
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
	return func() { _ = windows.CloseHandle(h) }
}

// Damage prevented: an outcome file open in Excel stops the connector, or its
// update is lost, or an older update replaces a newer one when Excel is closed.
func TestTargetHeldOpen(t *testing.T) {
	f, root := open(t)
	foldertest.Put(t, f, "stato.csv", "first")
	release := hold(t, filepath.Join(root, "stato.csv"))
	if !f.Locked(t.Context(), "stato.csv") {
		t.Error("a held file is not seen as locked")
	}
	for _, text := range []string{"second", "third"} {
		p := foldertest.Put(t, f, "stato.csv", text)
		if !p.Beside || p.Name != "stato.nuovo.csv" || foldertest.Get(t, f, p.Name) != text {
			t.Errorf("%q: published %+v", text, p)
		}
	}
	if settled, err := f.Settle(t.Context(), "stato.csv"); err != nil || settled {
		t.Errorf("settle while held: %v, %v", settled, err)
	}
	if err := f.Rename(t.Context(), "stato.csv", "b.csv"); !errors.Is(err, folder.ErrBusy) {
		t.Errorf("rename while held: %v, want ErrBusy", err)
	}
	release()
	if settled, err := f.Settle(t.Context(), "stato.csv"); err != nil || !settled {
		t.Errorf("settle: %v, %v", settled, err)
	}
	if got := foldertest.Get(t, f, "stato.csv"); got != "third" {
		t.Errorf("got %q", got)
	}
	if names := foldertest.Names(t, f, "."); len(names) != 1 {
		t.Errorf("left: %v", names)
	}
}
