package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/notification"
)

// Damage: work of a half-read file is sent; or reading it again gives other verdicts
// than reading it once.
func TestRule10(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(9))
	w.send(v[0].ID)
	w.refuse(v[0].ID, "TAXID_NOT_VALID")
	rejected := tari(8).item(2)
	rejected.Problems = []notification.Problem{{Severity: notification.Error, Code: "C-X", Message: "x"}}
	w.dropItems(rejected)
	b := w.batch()
	fixed := tari(9).with(func(g *thing) { g.zip = "1" })
	all := items(tari(1), tari(1), fixed, tari(8), tari(2))
	bad := all[4]
	bad.Problems = rejected.Problems
	all[4] = bad
	_, mark := w.news(1)
	first := w.read(b, all...)
	equal(t, "nothing due before SEALED", w.due(), nil)
	w.restart()
	w.verify()
	equal(t, "nor after a restart", w.due(), nil)
	second := w.read(b, all...)
	for i := range first {
		if fmt.Sprint(first[i].Outcome, first[i].Attempt, first[i].New, first[i].Problems) != fmt.Sprint(second[i].Outcome, second[i].Attempt, second[i].New, second[i].Problems) {
			t.Fatalf("item %d: %+v, then %+v", i, first[i], second[i])
		}
	}
	if told, _ := w.news(mark + 1); len(told) != 0 {
		t.Fatalf("told before SEALED: %v", told)
	}
	sealed, err := w.l.Seal(bg, b.ID, Sealing{MaxNotifications: -1})
	w.ok(err)
	if sealed.Admitted != 3 || sealed.Rows != 5 {
		t.Fatalf("%+v", sealed)
	}
	if got := len(w.due()); got != 3 {
		t.Fatalf("%d due", got)
	}
	if err := w.l.Begin(bg, b); !errors.Is(err, ErrSealed) {
		t.Fatalf("a sealed batch could be read again: %v", err)
	}
	if _, err := w.l.Admit(bg, b.ID, all); !errors.Is(err, ErrSealed) {
		t.Fatalf("rows after SEALED: %v", err)
	}
}

// Damage: the same event is told under two files, or under the wrong one; a clerk
// waits for an update of a row that another drop has taken over.
func TestRule11(t *testing.T) {
	w := newWorld(t)
	bad := tari(2).item(3)
	bad.Problems = []notification.Problem{{Severity: notification.Error, Code: "C-X", Message: "x"}}
	b1, v := w.dropItems(tari(1).item(2), bad)
	told, mark := w.news(1)
	equal(t, "SCARTATA once", told, []string{b1.File + " 3 SCARTATA C-X"})
	b2, v2 := w.drop(tari(1), tari(2))
	told, mark2 := w.news(mark + 1)
	equal(t, "GIA_PRESENTE never; the superseded row once more", told, []string{b1.File + " 3 SCARTATA C-X"})
	w.send(v[0].ID)
	w.send(v2[1].ID)
	w.now = w.now.Add(time.Hour)
	w.accept(v[0].ID)
	told, _ = w.news(mark2 + 1)
	equal(t, "the owner alone", told, []string{b1.File + " 2 INVIATA", b2.File + " 3 INVIATA", b1.File + " 2 ACCETTATA"})
	snap := w.allLines(b2.ID)[0]
	if snap.Outcome != GiaPresente || snap.Batch != b1.ID || snap.IUN != "" {
		t.Fatalf("snapshot moved: %+v", snap)
	}
	if l := w.allLines(b1.ID)[1]; l.Batch != b1.ID || !strings.Contains(l.Warnings, b2.ID) {
		t.Fatalf("superseded row: %+v", l)
	}
	// An automatic attempt keeps the owner.
	_, v3 := w.drop(tari(3))
	w.send(v3[0].ID)
	w.refuse(v3[0].ID, "FILE_GONE")
	owner := w.note(v3[0].ID).OwnerBatch
	w.ok(w.prove(v3[0].ID))
	if got := w.note(v3[0].ID).OwnerBatch; got != owner {
		t.Fatalf("owner %s, was %s", got, owner)
	}
}

// Damage: a hold that stands in place of INTENT makes a restart forget that a POST
// may have left.
func TestRule13(t *testing.T) {
	w := newWorld(t)
	b, v := w.drop(tari(1), tari(2), tari(3))
	w.step(v[0].ID, Uploaded)
	w.step(v[0].ID, Intent)
	w.step(v[1].ID, Uploaded)
	holds := []Hold{
		{Scope: HoldSender, Name: "comune", Reason: "api-key"},
		{Scope: HoldFlow, Name: "tari", Reason: "operator"},
		{Scope: HoldNotification, Name: fmt.Sprint(uint64(v[0].ID)), Reason: "not-visible"},
	}
	w.update(func(tx *Tx) error {
		return errors.Join(tx.PutHold(holds[2]), tx.PutHold(holds[1]), tx.PutHold(holds[0]))
	})
	equal(t, "lines", w.lines(b.ID), []string{"2 SOSPESA C-HELD", "3 SOSPESA C-HELD", "4 SOSPESA C-HELD"})
	for i, want := range []State{Intent, Uploaded, Ready} {
		if got := w.note(v[i].ID).State; got != want {
			t.Fatalf("state %s became %s", want, got)
		}
	}
	for _, want := range []string{"api-key", "operator", "not-visible"} {
		w.ok(w.l.View(bg, func(tx *Tx) error {
			n, err := tx.Notification(v[0].ID)
			if err != nil {
				return err
			}
			h, err := tx.HeldBy(n)
			if h == nil || h.Reason != want {
				t.Errorf("held by %+v, want %s", h, want)
			}
			return err
		}))
		if want != "not-visible" {
			equal(t, "due", w.due(), nil)
		}
		asked, err := w.l.DueToResolve(bg, "comune", 10)
		w.ok(err)
		if len(asked) != 0 {
			t.Fatalf("held INTENT was given out")
		}
		w.update(func(tx *Tx) error {
			h := holds[0]
			holds = holds[1:]
			if len(holds) == 0 {
				h.Until = w.now.Add(time.Minute)
				return tx.PutHold(h)
			}
			return tx.DropHold(h.Scope, h.Name)
		})
		if len(holds) == 0 {
			break
		}
	}
	equal(t, "others are free", w.due(), []ID{v[1].ID, v[2].ID})
	next, err := w.l.NextDue(bg)
	w.ok(err)
	if !next.Equal(w.now.Add(time.Minute)) {
		t.Fatalf("next due %v", next)
	}
	w.now = next
	intent, err := w.l.DueToResolve(bg, "comune", 10)
	w.ok(err)
	if len(intent) != 1 || intent[0].ID != v[0].ID {
		t.Fatalf("a hold that has ended still keeps %v", intent)
	}
}

// Damage: a key that the lost ledger knew as refused twice is sent with attempt 1,
// or a third attempt follows a living second one.
func TestRule16(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	id := v[0].ID
	adopt := func(attempt int, s State) error {
		return w.l.Update(bg, func(tx *Tx) error {
			n, err := tx.Notification(id)
			if err != nil {
				return err
			}
			if err := tx.AdoptAttempt(n, attempt); err != nil {
				return err
			}
			n.State, n.RequestID = s, "req"
			if s == Refused {
				refusal("TAXID_NOT_VALID")(n)
				return tx.Wait(n)
			}
			return tx.PutNotification(n)
		})
	}
	if te := (*TransitionError)(nil); !errors.As(adopt(2, Accepted), &te) {
		t.Fatal("an attempt was adopted before anything was asked")
	}
	w.step(id, Uploaded)
	w.step(id, Intent)
	w.ok(adopt(2, Refused))
	n := w.note(id)
	if n.Attempt != 2 || n.Token != notification.Token(testSender, n.Key.Protocol, 2) || n.State != Refused {
		t.Fatalf("%+v", n)
	}
	equal(t, "our request waits for its proof", w.due(), []ID{id})
	w.ok(w.prove(id))
	if n := w.note(id); n.Attempt != 3 || n.State != Ready {
		t.Fatalf("attempt %d %s", n.Attempt, n.State)
	}
}

// Damage: a wrong file sends thousands of irrevocable notifications in minutes.
func TestRule19(t *testing.T) {
	seal := func(w *world, s Sealing, things ...thing) (Batch, []Verdict) {
		b := w.batch()
		v := w.read(b, items(things...)...)
		sealed, err := w.l.Seal(bg, b.ID, s)
		w.ok(err)
		return *sealed, v
	}
	t.Run("too many", func(t *testing.T) {
		w := newWorld(t)
		w.drop(tari(1), tari(2))
		bad := tari(5).item(9)
		bad.Problems = []notification.Problem{{Severity: notification.Error, Code: "C-X", Message: "x"}}
		b := w.batch()
		w.read(b, append(items(tari(1), tari(2), tari(3), tari(4)), bad)...)
		sealed, err := w.l.Seal(bg, b.ID, Sealing{MaxNotifications: 2})
		w.ok(err)
		if sealed.Release != Released {
			t.Fatalf("known rows counted: %+v", sealed)
		}
		_, mark := w.news(1)
		b3, _ := seal(w, Sealing{MaxNotifications: 2}, tari(6), tari(7), tari(8))
		if b3.Release != AwaitsRelease || b3.ReleaseWhy != "C-RELEASE-MAX" {
			t.Fatalf("%+v", b3)
		}
		if got := len(w.due()); got != 4 {
			t.Fatalf("%d due behind the gate", got)
		}
		equal(t, "lines", w.lines(b3.ID), []string{"2 SOSPESA C-RELEASE-MAX", "3 SOSPESA C-RELEASE-MAX", "4 SOSPESA C-RELEASE-MAX"})
		if told, _ := w.news(mark + 1); len(told) != 0 {
			t.Fatalf("told %v", told)
		}
		w.ok(w.l.Release(bg, b3.ID))
		w.ok(w.l.Release(bg, b3.ID))
		if got := len(w.due()); got != 7 {
			t.Fatalf("%d due after release", got)
		}
	})
	t.Run("default limit", func(t *testing.T) {
		w := newWorld(t)
		var many []thing
		for i := range defaultMax + 1 {
			many = append(many, tari(i).with(func(g *thing) { g.act = "" }))
		}
		if b, _ := seal(w, Sealing{}, many[:defaultMax]...); b.Release != Released {
			t.Fatalf("%s at the limit", b.Release)
		}
	})
	t.Run("delay", func(t *testing.T) {
		w := newWorld(t)
		at := w.now.Add(2 * time.Hour)
		b, v := seal(w, Sealing{Release: DelayedRelease, ReleaseAt: at}, tari(1))
		equal(t, "due", w.due(), nil)
		equal(t, "lines", w.lines(b.ID), []string{"2 SOSPESA C-RELEASE-DELAY"})
		if next, err := w.l.NextDue(bg); err != nil || !next.Equal(at) {
			t.Fatal(next, err)
		}
		w.now = at
		equal(t, "due", w.due(), []ID{v[0].ID})
	})
	t.Run("discard", func(t *testing.T) {
		w := newWorld(t)
		_, v0 := w.drop(tari(9))
		w.send(v0[0].ID)
		w.refuse(v0[0].ID, "X")
		b, _ := seal(w, Sealing{Release: AwaitsRelease}, tari(1), tari(2), tari(9).with(func(g *thing) { g.zip = "2" }))
		w.ok(w.l.DiscardBatch(bg, b.ID))
		equal(t, "lines", w.lines(b.ID), []string{"2 SCARTATA C-DISCARDED", "3 SCARTATA C-DISCARDED", "4 SCARTATA C-DISCARDED"})
		equal(t, "due", w.due(), nil)
		if err := w.l.Release(bg, b.ID); err == nil {
			t.Fatal("a discarded batch was released")
		}
		_, v := w.drop(tari(1))
		outcome(t, v[0], RowLinked)
	})
	t.Run("discard stops before INTENT only", func(t *testing.T) {
		w := newWorld(t)
		b, v := w.drop(tari(1), tari(2))
		w.step(v[0].ID, Uploaded)
		w.step(v[0].ID, Intent)
		w.ok(w.l.DiscardBatch(bg, b.ID))
		equal(t, "lines", w.lines(b.ID), []string{"2 SOSPESA C-RELEASE-WAIT", "3 SCARTATA C-DISCARDED"})
	})
}

// Damage: after a purge the same export is sent once more.
func TestRule30(t *testing.T) {
	w := newWorld(t)
	var tomb *Tombstone
	bury := func(id ID) {
		n := w.note(id)
		tomb = TombstoneOf(n)
	}
	_, v := w.drop(tari(1))
	w.send(v[0].ID)
	w.accept(v[0].ID)
	bury(v[0].ID)

	w2 := newWorld(t) // the purge itself: the key is known by its tombstone alone
	w2.update(func(tx *Tx) error { return tx.PutTombstone(tomb) })
	_, v = w2.drop(tari(1))
	outcome(t, v[0], RowKnown)
	_, v = w2.drop(tari(1).with(func(g *thing) { g.subject = "x" }))
	outcome(t, v[0], RowRejected, "C-KNOWN-DIFFERENT")
	_, v = w2.drop(tari(1).with(func(g *thing) { g.protocol = "tari-2026-1"; g.notices, g.act = nil, "" }))
	outcome(t, v[0], RowRejected, "C-PROTOCOL-SPELLING")
	_, v = w2.drop(tari(2).with(func(g *thing) { g.notices = tari(1).notices }))
	outcome(t, v[0], RowRejected, "C-NOTICE-TAKEN")
	_, v = w2.drop(tari(3).with(func(g *thing) { g.act, g.taxIDs = tari(1).act, tari(1).taxIDs }))
	outcome(t, v[0], RowRejected, "C-ACT-TAKEN")
	if got := len(w2.due()); got != 0 {
		t.Fatalf("%d sent after a purge", got)
	}
}

// Damage: a refused key that was purged is sent again as attempt 1, whose token SEND
// has for ever.
func TestRule30RefusedTombstone(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	w.send(v[0].ID)
	w.refuse(v[0].ID, "TAXID_NOT_VALID")
	tomb := TombstoneOf(w.note(v[0].ID))
	w2 := newWorld(t)
	w2.update(func(tx *Tx) error { return tx.PutTombstone(tomb) })
	_, v = w2.drop(tari(1))
	outcome(t, v[0], RowRefused)
	_, v = w2.drop(tari(1).with(func(g *thing) { g.zip = "9" }))
	outcome(t, v[0], RowLinked)
	if v[0].Attempt != 2 {
		t.Fatalf("attempt %d", v[0].Attempt)
	}
	equal(t, "due", w2.due(), []ID{v[0].ID})
	w2.ok(w2.prove(v[0].ID))
	if n := w2.note(v[0].ID); n.Attempt != 2 || n.State != Ready {
		t.Fatalf("%+v", n)
	}
}
