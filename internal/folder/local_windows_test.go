package folder_test

import (
	"errors"
	"path/filepath"
	"testing"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
)

// Damage prevented: an outcome file open in Excel stops the connector, or its
// update is lost, or an older update replaces a newer one when Excel is closed.
func TestTargetHeldOpen(t *testing.T) {
	f, root := open(t)
	foldertest.Put(t, f, "stato.csv", "first")
	release := foldertest.Hold(t, filepath.Join(root, "stato.csv"))
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
