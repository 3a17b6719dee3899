package ledger

import (
	"errors"
	"testing"
)

// Damage: a row passes for known because of a batch that is still being read; that
// batch goes away, and the citizen is never notified though two clerks read that all
// is well.
func TestRule10NothingIsKnownBySomethingUnsealed(t *testing.T) {
	w := newWorld(t)
	reading, other := w.batch(), w.batch()
	w.read(reading, items(tari(1))...)
	w.ok(w.l.Begin(bg, other))
	_, err := w.l.Admit(bg, other.ID, items(tari(2), tari(1)))
	var unsealed *ReadingError
	if !errors.As(err, &unsealed) || unsealed.Batch != reading.ID {
		t.Fatalf("admitted beside a batch that is being read: %v", err)
	}
	if v, err := w.l.Judge(bg, other, items(tari(1))); err != nil || v[0].Outcome != RowKnown {
		t.Fatalf("a preview must not wait: %+v, %v", v, err)
	}
	w.ok(w.l.Begin(bg, reading)) // it could not be read to its end
	v := w.read(other, items(tari(2), tari(1))...)
	for i := range v {
		if !v[i].New {
			t.Errorf("item %d: %+v", i, v[i])
		}
	}
	_, err = w.l.Seal(bg, other.ID, Sealing{})
	w.ok(err)
	if v := w.read(reading, items(tari(1))...); v[0].Outcome != RowKnown {
		t.Errorf("read again: %+v", v[0])
	}
}
