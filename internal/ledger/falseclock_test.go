package ledger

import (
	"testing"
	"time"
)

// Damage: the machine's clock is years ahead for an hour, as after an empty battery.
// What was held or put off meanwhile by machine would stay so until that time really
// comes, long after the clock was mended: nothing would be sent, asked or fetched.
func TestWaitsOfAFalseClockAreOver(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1), tari(2), tari(3))
	w.send(v[1].ID)
	w.send(v[2].ID)
	w.update(func(tx *Tx) error {
		return tx.PutArtifact(&Artifact{ID: v[1].ID, Key: "PN_LEGAL_FACTS-1", Category: "SENDER_ACK", Recipient: -1, State: Wanted})
	})
	right := w.now
	w.now = right.AddDate(6, 0, 0)
	w.step(v[0].ID, Ready, func(n *Notification) { n.Tries, n.NextAttempt = 1, w.now.Add(time.Minute) })
	w.step(v[2].ID, Submitted, func(n *Notification) { n.NextAttempt = w.now.Add(time.Hour) })
	w.update(func(tx *Tx) error {
		for _, h := range []Hold{
			{Scope: HoldSender, Name: "comune", Reason: "api-key", Until: w.now.Add(time.Hour), Deaf: true},
			{Scope: HoldFlow, Name: "tari", Reason: "C-FOLDER-AWAY", Until: w.now.Add(time.Hour)},
			{Scope: HoldNotification, Name: "1", Reason: "taken", Until: w.now.Add(time.Hour)},
		} {
			if err := tx.ExtendHold(h); err != nil {
				return err
			}
		}
		a := &Artifact{ID: v[1].ID, Key: "PN_LEGAL_FACTS-1", Category: "SENDER_ACK", Recipient: -1, State: Wanted, NextAttempt: w.now.Add(time.Hour)}
		return tx.PutArtifact(a)
	})
	if due := w.due(); len(due) != 0 {
		t.Fatalf("while the clock is wrong: %v is due", due)
	}

	w.now = right.Add(time.Minute)
	equal(t, "sent", w.due(), []ID{v[0].ID})
	asked, err := w.l.DueToAsk(bg, "comune", 10, 10*24*time.Hour)
	w.ok(err)
	if len(asked) != 1 || asked[0].ID != v[2].ID { // the other's time is in a day, as set
		t.Errorf("asked %d", len(asked))
	}
	fetched, err := w.l.DueArtifacts(bg, "comune", 10)
	w.ok(err)
	if len(fetched) != 1 {
		t.Errorf("fetched %d documents", len(fetched))
	}
	// A new reason is not hidden behind a hold that is over.
	w.update(func(tx *Tx) error {
		return tx.ExtendHold(Hold{Scope: HoldSender, Name: "comune", Reason: "quota", Until: w.now.Add(time.Hour)})
	})
	_, err = w.l.EndHolds(bg)
	w.ok(err)
	w.update(func(tx *Tx) error {
		holds, err := tx.Holds()
		if len(holds) != 1 || holds[0].Reason != "quota" {
			t.Errorf("shown on: %+v", holds)
		}
		return err
	})
}

// Damage: a mended clock takes away what a person held, lets a lot go before the time
// that its flow asks for, or a wait as long as the connector sets them.
func TestWaitsOfARightClockStand(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	b := w.batch()
	w.read(b, tari(2).item(2))
	_, err := w.l.Seal(bg, b.ID, Sealing{MaxNotifications: -1, Release: DelayedRelease, ReleaseAt: w.now.Add(30 * 24 * time.Hour)})
	w.ok(err)
	w.step(v[0].ID, Ready, func(n *Notification) { n.Tries, n.NextAttempt = 1, w.now.Add(29*time.Hour) })
	if due := w.due(); len(due) != 0 {
		t.Errorf("%v goes before its time", due)
	}
	w.update(func(tx *Tx) error {
		if err := tx.PutHold(Hold{Scope: HoldFlow, Name: "tari", Reason: "operator"}); err != nil {
			return err
		}
		return tx.PutHold(Hold{Scope: HoldSender, Name: "comune", Reason: "budget", Until: w.now.Add(25 * time.Hour)})
	})
	w.now = w.now.AddDate(-1, 0, 0)
	_, err = w.l.EndHolds(bg)
	w.ok(err)
	w.now = w.now.AddDate(1, 0, 40)
	equal(t, "held by a person", w.due(), []ID(nil))
	w.update(func(tx *Tx) error { return tx.DropHold(HoldFlow, "tari") })
	if due := w.due(); len(due) != 2 {
		t.Errorf("in the end %v", due)
	}
}
