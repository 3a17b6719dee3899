package ledger

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
)

// fat is a ledger with much that was removed from it.
func fat(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	for i := range 40 {
		w.drop(tari(2*i), tari(2*i+1))
	}
	b := w.batch()
	var many []thing
	for i := range 900 {
		many = append(many, tari(1000+i).with(func(g *thing) { g.notices, g.act = nil, "" }))
	}
	w.read(b, items(many...)...)
	w.ok(w.l.Begin(bg, b)) // takes it all back
	_, err := w.l.Seal(bg, b.ID, Sealing{})
	w.ok(err)
	w.ok(w.l.Close())
	return w
}

// Damage: compacting loses a record, makes the ledger look like a restored one, or
// lets somebody write into the file that it replaces.
func TestCompactFile(t *testing.T) {
	w := fat(t)
	before, after, err := CompactFile(bg, w.path, opts(w))
	w.ok(err)
	if after >= before {
		t.Errorf("%d bytes, were %d", after, before)
	}
	if got, _ := sizeOf(w.path); got != after {
		t.Errorf("%d bytes there, want %d", got, after)
	}
	w.open()
	if w.l.Stale() {
		t.Error("taken for an older ledger")
	}
	w.verify()
	if got := len(w.due()); got != 80 {
		t.Errorf("%d due, want 80", got)
	}
	_, _, err = CompactFile(bg, w.path, opts(w))
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Errorf("while it is in use: %v", err)
	}
	_, v := w.drop(tari(3))
	outcome(t, v[0], RowKnown)
}

// Damage: the process dies while it compacts and leaves no ledger, half of one, or
// a copy that fills the disk for ever.
func TestCompactKilledAnywhere(t *testing.T) {
	w := fat(t)
	var steps []string
	o := opts(w)
	o.Step = func(name string) error { steps = append(steps, name); return nil }
	_, _, err := CompactFile(bg, w.path, o)
	w.ok(err)
	w.open()
	if !slices.Contains(steps, StepCompact+":before") || !slices.Contains(steps, StepCompact+":after") {
		t.Fatalf("steps %v", steps)
	}
	for nth := range steps {
		t.Run(fmt.Sprintf("%d %s", nth, steps[nth]), func(t *testing.T) {
			t.Parallel()
			w := fat(t)
			seen := 0
			o := opts(w)
			o.Step = func(string) error {
				if seen++; seen > nth {
					return errors.New("killed")
				}
				return nil
			}
			if _, _, err := CompactFile(bg, w.path, o); err == nil {
				t.Fatal("not killed")
			}
			w.ok(os.WriteFile(compactPath(w.path), []byte("half a copy"), 0o600))
			w.open()
			w.verify()
			if exists(compactPath(w.path)) {
				t.Error("the copy is left")
			}
			if got := len(w.due()); got != 80 {
				t.Errorf("%d due, want 80", got)
			}
		})
	}
}

// Damage: a process that waited for the lock goes on in the file that the compact copy
// has replaced, and all that it commits is lost.
func TestOpenNoticesThatTheFileWasReplaced(t *testing.T) {
	w := fat(t)
	f, err := os.Open(w.path)
	w.ok(err)
	if !stillThere(w.path, f) {
		t.Error("its own file is not known")
	}
	other := w.path + ".other"
	w.ok(os.WriteFile(other, []byte("x"), 0o600))
	if stillThere(other, f) {
		t.Error("another file passes for it")
	}
	if stillThere(w.path+".none", f) {
		t.Error("a missing file passes for it")
	}
	w.ok(f.Close())
	w.open()
}
