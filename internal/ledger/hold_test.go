package ledger

import (
	"testing"
	"time"
)

// Damage: a quota that is used up, or a flow that a person holds, keeps the documents
// and look-ups of what has been sent from coming, and proofs of delivery are missing
// for weeks. A key that does not work stops these too, or they knock for nothing.
func TestRule13OnlySendingWaits(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1), tari(2))
	w.send(v[0].ID)
	w.update(func(tx *Tx) error {
		return tx.PutArtifact(&Artifact{ID: v[0].ID, Key: "PN_LEGAL_FACTS-1", Category: "SENDER_ACK", Recipient: -1, State: Wanted})
	})
	w.now = w.now.Add(25 * time.Hour)
	heard := func() (asked, fetched int) {
		t.Helper()
		found, err := w.l.DueToAsk(bg, "comune", 10, 30*24*time.Hour)
		w.ok(err)
		for _, n := range found {
			w.l.Done(n.ID)
		}
		artifacts, err := w.l.DueArtifacts(bg, "comune", 10)
		w.ok(err)
		w.l.DoneArtifacts(artifacts...)
		return len(found), len(artifacts)
	}
	hold := func(h Hold) { t.Helper(); w.update(func(tx *Tx) error { return tx.ExtendHold(h) }) }
	for name, h := range map[string]Hold{
		"quota":    {Scope: HoldSender, Name: "comune", Reason: "quota", Until: w.now.Add(time.Hour)},
		"operator": {Scope: HoldFlow, Name: "tari", Reason: "operator"},
	} {
		hold(h)
		if asked, fetched := heard(); asked != 1 || fetched != 1 {
			t.Errorf("%s: %d asked, %d fetched; want 1 and 1", name, asked, fetched)
		}
		if due := w.due(); len(due) != 0 {
			t.Errorf("%s: sends %v", name, due)
		}
	}
	// The key fails although the quota lasts longer: nothing is asked any more.
	hold(Hold{Scope: HoldSender, Name: "comune", Reason: "api-key", Until: w.now.Add(time.Minute), Deaf: true})
	if asked, fetched := heard(); asked != 0 || fetched != 0 {
		t.Errorf("with a denied key: %d asked, %d fetched; want none", asked, fetched)
	}
}

// Damage: a denied key is shown as a network that does not answer, and nobody mends it;
// a hold put by one loop is lost because another saw an older one end.
func TestHoldGivesWayAndStays(t *testing.T) {
	w := newWorld(t)
	stored := func() Hold {
		t.Helper()
		var all []Hold
		w.update(func(tx *Tx) (err error) { all, err = tx.Holds(); return err })
		if len(all) != 1 {
			t.Fatalf("holds: %+v", all)
		}
		return all[0]
	}
	hold := func(reason string, lasts time.Duration) {
		t.Helper()
		w.update(func(tx *Tx) error {
			return tx.ExtendHold(Hold{Scope: HoldSender, Name: "comune", Reason: reason, Until: w.now.Add(lasts), Deaf: true})
		})
	}
	hold("unreachable", 15*time.Minute)
	seen := stored()
	hold("api-key", 65*time.Second)
	if h := stored(); h.Reason != "api-key" {
		t.Errorf("held for %s, want the denied key", h.Reason)
	}
	w.update(func(tx *Tx) error { return tx.DropHoldSeen(seen) })
	now := stored()
	w.update(func(tx *Tx) error { return tx.DropHoldSeen(now) })
	w.update(func(tx *Tx) error {
		all, err := tx.Holds()
		if len(all) != 0 {
			t.Errorf("stays: %+v", all)
		}
		return err
	})
}

// Damage: a lot whose delay is over, or a flow whose hold has run out, is shown as
// SOSPESA in its outcome file until something else happens to it.
func TestWhatTimeAloneEndsIsPublished(t *testing.T) {
	w := newWorld(t)
	b := w.batch()
	w.read(b, tari(1).item(2))
	at := w.now.Add(2 * time.Hour)
	_, err := w.l.Seal(bg, b.ID, Sealing{MaxNotifications: -1, Release: DelayedRelease, ReleaseAt: at})
	w.ok(err)
	shown := func() string { t.Helper(); return string(w.allLines(b.ID)[0].Outcome) }
	version := func() (v uint64, release Release) {
		t.Helper()
		w.update(func(tx *Tx) error {
			got, err := tx.Batch(b.ID)
			v, release = got.Version, got.Release
			return err
		})
		return v, release
	}
	if shown() != string(Sospesa) {
		t.Fatalf("while it waits: %s", shown())
	}
	before, _ := version()
	if next, err := w.l.EndHolds(bg); err != nil || !next.Equal(at) {
		t.Fatalf("comes back at %v, %v; want %v", next, err, at)
	}
	w.now = at
	_, err = w.l.EndHolds(bg)
	w.ok(err)
	if v, release := version(); v <= before || release != Released || shown() != string(InCoda) {
		t.Errorf("after the delay: version %d of %d, %s, %s", v, before, release, shown())
	}

	hold := Hold{Scope: HoldFlow, Name: "tari", Reason: "C-FOLDER-AWAY", Until: w.now.Add(time.Hour)}
	w.update(func(tx *Tx) error { return tx.PutHold(hold) })
	held, _ := version()
	if shown() != string(Sospesa) {
		t.Errorf("held: %s", shown())
	}
	w.now = w.now.Add(time.Hour + trial)
	_, err = w.l.EndHolds(bg)
	w.ok(err)
	if v, _ := version(); v <= held || shown() != string(InCoda) {
		t.Errorf("after the hold: version %d of %d, %s", v, held, shown())
	}
}
