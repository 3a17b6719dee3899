package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sendconnector/internal/notification"
)

const year = 365 * 24 * time.Hour

// perfect ends a notification well.
func (w *world) perfect(id ID) {
	w.t.Helper()
	w.send(id)
	w.accept(id)
	w.step(id, Accepted, func(n *Notification) {
		n.SENDStatus, n.LastEventAt = StatusEffectiveDate, w.now
		for i := range n.Recipients {
			n.Recipients[i].PerfectedAt = w.now
		}
	})
	w.update(func(tx *Tx) error {
		_, err := tx.AddEvent(&Event{ID: id, ElementID: fmt.Sprint("E", id), Category: "REFINEMENT", At: w.now, Raw: []byte(`{}`)})
		return errors.Join(err, tx.PutArtifact(&Artifact{ID: id, Key: fmt.Sprint("A", id), Recipient: -1, State: Placed, Path: "documenti/x"}))
	})
}

// publishAll does what outbox does: every outcome file, and one file of updates with
// everything that is new.
func (w *world) publishAll() {
	w.t.Helper()
	w.update(func(tx *Tx) error {
		behind, err := tx.BatchesToPublish("tari")
		if err != nil {
			return err
		}
		for _, b := range behind {
			if err := tx.PutPublication(&Publication{Outbox: "tari", Kind: "esito", Name: b.ID, Hash: "aa", Version: b.Version}); err != nil {
				return err
			}
		}
		var last Publication
		if err := tx.Publications("tari", "aggiornamenti", func(p *Publication) bool {
			last = *p
			return true
		}); err != nil {
			return err
		}
		end := tx.LastChange("tari")
		if end == last.To {
			return nil
		}
		number := 1
		if last.Name != "" {
			_, _ = fmt.Sscan(last.Name, &number)
			number++
		}
		return tx.PutPublication(&Publication{Outbox: "tari", Kind: "aggiornamenti", Name: fmt.Sprintf("%08d", number), From: last.To + 1, To: end, Hash: "bb"})
	})
}

// archive says of every batch that it is archived and its private copies are freed.
func (w *world) archive() {
	w.t.Helper()
	w.update(func(tx *Tx) error {
		var all []*Batch
		if err := tx.Batches(func(b *Batch) bool {
			all = append(all, b)
			return true
		}); err != nil {
			return err
		}
		for _, b := range all {
			b.Archive, b.SpoolFreed = "archive/"+b.ID, true
			if err := tx.PutBatch(b); err != nil {
				return err
			}
		}
		return nil
	})
	w.publishAll()
}

func (w *world) plan(dry bool) PurgePlan {
	before := w.now.Add(-year)
	return PurgePlan{Batches: map[string]time.Time{"tari": before}, Logs: map[string]time.Time{"tari": before}, DryRun: dry}
}

func (w *world) purge() Purged {
	w.t.Helper()
	would, err := w.l.Purge(bg, w.plan(true))
	w.ok(err)
	done, err := w.l.Purge(bg, w.plan(false))
	w.ok(err)
	if would.Files != done.Files || !slices.Equal(would.Batches, done.Batches) || would.Rows != done.Rows || would.Notifications != done.Notifications {
		w.t.Errorf("said %+v, did %+v", would, done)
	}
	w.verify()
	return done
}

// later lets time pass in which something else is told, so that the latest file of
// updates is a young one.
func (w *world) later(d time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(d)
	w.drop(thing{subject: "x", taxIDs: []string{"NESSUNO"}})
	w.archive()
}

// Damage: after a purge the same export is sent once more, or a refused row pays its
// fee again, or a notice is given to two acts.
func TestRule30PurgeLeavesEveryKeyAsTaken(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1), tari(2), tari(3), tari(4))
	w.perfect(v[0].ID)
	w.send(v[1].ID)
	w.refuse(v[1].ID, "TAXID_NOT_VALID")
	w.step(v[2].ID, Uploaded)
	w.step(v[2].ID, Intent)
	w.step(v[2].ID, RefusedAtOnce, refusal("PN_GENERIC_INVALIDPARAMETER"))
	w.ok(w.l.DiscardNotification(bg, v[3].ID))
	w.archive()
	w.later(year + time.Hour)
	p := w.purge()
	if len(p.Batches) != 1 || p.Notifications != 4 || p.Rows != 4 || p.Files == 0 {
		t.Errorf("%+v", p)
	}
	_, v = w.drop(tari(1), tari(2), tari(3), tari(4))
	outcome(t, v[0], RowKnown)
	outcome(t, v[1], RowRefused)
	outcome(t, v[2], RowRefused)
	outcome(t, v[3], RowLinked) // given up here: it may go
	equal(t, "due", w.due(), []ID{v[3].ID})
	_, v = w.drop(
		tari(1).with(func(g *thing) { g.subject = "altro" }),
		tari(5).with(func(g *thing) { g.notices = tari(1).notices }),
		tari(6).with(func(g *thing) { g.act, g.taxIDs = tari(1).act, tari(1).taxIDs }),
		tari(2).with(func(g *thing) { g.zip = "00185" }))
	outcome(t, v[0], RowRejected, "C-KNOWN-DIFFERENT")
	outcome(t, v[1], RowRejected, "C-NOTICE-TAKEN")
	outcome(t, v[2], RowRejected, "C-ACT-TAKEN")
	if v[3].Outcome != RowLinked || v[3].Attempt != 2 {
		t.Errorf("mended after a refusal: %+v", v[3])
	}
}

// Damage: a citizen's data stay in the ledger for ever.
func TestPurgeRemovesPersonalData(t *testing.T) {
	w := newWorld(t)
	wrong := tari(2).item(9)
	wrong.Rows[0].Problems = append(wrong.Rows[0].Problems, notification.Problem{Severity: notification.Error, Code: "C-TEST", Message: "no"})
	_, v := w.dropItems(tari(1).item(2), wrong)
	w.perfect(v[0].ID)
	w.archive()
	w.later(year + time.Hour)
	w.purge()
	var out bytes.Buffer
	w.ok(w.l.Export(bg, &out))
	for _, secret := range []string{tari(1).taxIDs[0], tari(2).taxIDs[0], tari(1).protocol, tari(2).protocol, tari(1).notices[0], "Mario Rossi"} {
		if bytes.Contains(out.Bytes(), []byte(secret)) {
			t.Errorf("%s is still there", secret)
		}
	}
	if !bytes.Contains(out.Bytes(), []byte(testEnv)) {
		t.Error("no tombstone in the export")
	}
}

// Damage: what somebody still waits for is removed.
func TestPurgeKeepsWhatIsNotOver(t *testing.T) {
	for name, spoil := range map[string]func(w *world, b Batch, id ID){
		"open": func(w *world, _ Batch, id ID) {
			w.step(id, Accepted, func(n *Notification) { n.Recipients[0].PerfectedAt = time.Time{} })
		},
		"heard lately": func(w *world, _ Batch, id ID) {
			w.step(id, Accepted, func(n *Notification) { n.LastEventAt = w.now.Add(year) })
		},
		"document to come": func(w *world, _ Batch, id ID) {
			w.update(func(tx *Tx) error {
				return tx.PutArtifact(&Artifact{ID: id, Key: "late", Recipient: -1, State: Wanted})
			})
		},
		"not archived": func(w *world, b Batch, _ ID) {
			w.update(func(tx *Tx) error {
				x, err := tx.Batch(b.ID)
				if err != nil {
					return err
				}
				x.Archive = ""
				return tx.PutBatch(x)
			})
		},
		"not published": func(w *world, b Batch, _ ID) {
			w.update(func(tx *Tx) error { return tx.DropPublication("tari", "esito", b.ID) })
		},
		"told lately": func(w *world, b Batch, id ID) {
			w.now = w.now.Add(year)
			w.step(id, Accepted, func(n *Notification) { n.SENDStatus = StatusViewed })
			w.now = w.now.Add(-year)
			w.update(func(tx *Tx) error { // as if nothing of it were remembered but the log
				x, err := tx.loadHot(id)
				if err != nil {
					return err
				}
				x.ChangedAt = w.now
				return tx.writeHot(x)
			})
			w.publishAll()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b, v := w.drop(tari(1))
			w.perfect(v[0].ID)
			w.archive()
			spoil(w, b, v[0].ID)
			w.now = w.now.Add(year + time.Hour)
			if p := w.purge(); len(p.Batches) > 0 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// Damage: the process dies while it purges, and half a batch stays, without its
// tombstones or with rows that lead nowhere.
func TestPurgeKilledAnywhere(t *testing.T) {
	for nth := 1; nth <= 7; nth++ {
		t.Run(fmt.Sprint(nth), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var many []thing
			for i := range chunk + 3 {
				many = append(many, tari(i).with(func(g *thing) { g.notices, g.act = nil, "" }))
			}
			many[0] = tari(0)
			b, v := w.drop(many...)
			w.perfect(v[0].ID)
			w.ok(w.l.DiscardBatch(bg, b.ID))
			w.archive()
			w.later(year + time.Hour)
			commits := 0
			died := errors.New("killed")
			w.ok(w.l.Close())
			o := opts(w)
			o.Step = func(name string) error {
				if name == StepCommit+":before" {
					if commits++; commits >= nth {
						return died
					}
				}
				return nil
			}
			l, err := Open(w.path, o)
			w.ok(err)
			_, err = l.Purge(bg, w.plan(false))
			if err != nil && !errors.Is(err, died) {
				t.Fatal(err)
			}
			_ = l.Close()
			w.open()
			w.verify()
			w.purge()
			_, v = w.drop(tari(0))
			outcome(t, v[0], RowKnown)
		})
	}
}

// Damage: a number of aggiornamenti is given twice, or a file within the retained
// ranges cannot be written anew.
func TestPurgeCutsTheLogInWholeFiles(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	w.perfect(v[0].ID)
	w.archive()
	_, before := w.news(1)
	w.later(year / 2)
	_, v = w.drop(tari(2))
	w.perfect(v[0].ID)
	w.archive()
	_, end := w.news(1)
	w.now = w.now.Add(year/2 + time.Hour)
	p := w.purge()
	if p.Files != 1 || len(p.Batches) != 1 {
		t.Errorf("%+v", p)
	}
	news, last := w.news(before + 1)
	if last != end || len(news) != int(end-before) {
		t.Errorf("the log goes from %d to %d, holds %d", before+1, last, len(news))
	}
	if gone, _ := w.news(1); len(gone) != len(news) {
		t.Errorf("%d entries left, want %d", len(gone), len(news))
	}
	w.drop(thing{subject: "x", taxIDs: []string{"NESSUNO"}})
	if _, next := w.news(1); next != end+1 {
		t.Errorf("the next number is %d after %d", next, end)
	}
}

// Damage: the drop that mended a row is purged, and the drop whose row it mended can
// be neither read nor verified any more, or the other way round.
func TestPurgeOfOneOfTwoDropsOfAKey(t *testing.T) {
	for _, firstGoes := range []bool{true, false} {
		t.Run(fmt.Sprint(firstGoes), func(t *testing.T) {
			w := newWorld(t)
			first, v := w.drop(tari(1), tari(7))
			w.send(v[0].ID)
			w.refuse(v[0].ID, "ADDRESS_NOT_VALID")
			other := v[1].ID
			if firstGoes {
				w.perfect(other)
			}
			second, v := w.drop(tari(1).with(func(g *thing) { g.zip = "00185" }), tari(8))
			w.ok(w.prove(v[0].ID))
			w.perfect(v[0].ID)
			if !firstGoes {
				w.perfect(v[1].ID)
			}
			w.archive()
			w.later(year + time.Hour)
			want, stays := first.ID, second.ID
			if !firstGoes {
				want, stays = second.ID, first.ID
			}
			if p := w.purge(); !slices.Equal(p.Batches, []string{want}) {
				t.Fatalf("%+v", p)
			}
			if got := w.lines(stays); len(got) != 2 {
				t.Errorf("lines of the other: %v", got)
			}
			w.ok(w.l.View(bg, func(tx *Tx) error { return tx.Notifications(stays, func(*Notification) bool { return true }) }))
			_, v = w.drop(tari(1).with(func(g *thing) { g.zip = "00185" }))
			outcome(t, v[0], RowKnown)
		})
	}
}

// Damage: a process that dies while it reads the corrected row of a purged, refused
// number leaves half a notification behind, and the row, read again, waits for ever or
// is sent under the wrong attempt.
func TestRule10ReadingAgainAfterATombstoneWasRevived(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(2))
	w.send(v[0].ID)
	w.refuse(v[0].ID, "TAXID_NOT_VALID")
	w.archive()
	w.later(year + time.Hour)
	w.purge()
	b := w.batch()
	it := tari(2).with(func(g *thing) { g.zip = "00185" }).item(2)
	first := w.read(b, it)[0]
	w.restart() // killed before Seal
	again := w.read(b, it)[0]
	if again.Outcome != RowLinked || again.Attempt != 2 || !again.New || first.Attempt != again.Attempt {
		t.Errorf("read first as %+v, then as %+v", first, again)
	}
	s, err := w.l.Seal(bg, b.ID, Sealing{MaxNotifications: -1})
	w.ok(err)
	if s.Admitted != 1 {
		t.Errorf("%d admitted", s.Admitted)
	}
	w.verify()
}

// Damage: a batch that was purged comes to life again with the same id, and what a
// person discarded of it is sent.
func TestRule30PurgedBatchIsNeverBegunAgain(t *testing.T) {
	w := newWorld(t)
	b, v := w.drop(tari(2))
	w.send(v[0].ID)
	w.refuse(v[0].ID, "TAXID_NOT_VALID")
	w.archive()
	w.later(year + time.Hour)
	w.purge()
	if err := w.l.Begin(bg, b); !errors.Is(err, ErrSealed) {
		t.Errorf("begun again: %v", err)
	}
}

// Damage: a purge that runs between the sealing of a batch and the last word to the
// rows it replaces leaves a ledger that can never be opened again.
func TestRule30PurgeBetweenSealAndItsChores(t *testing.T) {
	w := newWorld(t)
	first, v := w.drop(tari(3))
	w.step(v[0].ID, Uploaded)
	w.step(v[0].ID, Intent)
	w.step(v[0].ID, RefusedAtOnce, refusal("PN_GENERIC_INVALIDPARAMETER"))
	w.archive()
	w.later(year + time.Hour)
	b := w.batch()
	w.read(b, tari(3).with(func(g *thing) { g.zip = "00185" }).item(2))
	plan := w.plan(false)
	var done Purged
	for _, q := range []logOf{changesLog, costsLog} {
		_, err := w.l.purgeLog(bg, q, "tari", plan.Logs["tari"], false, &done)
		w.ok(err)
	}
	w.update(func(tx *Tx) error { // Seal's transaction, and no chore of it yet
		h, err := tx.head(b.ID)
		if err != nil {
			return err
		}
		return tx.seal(h, Sealing{MaxNotifications: -1})
	})
	w.ok(w.l.purgeBatch(bg, plan, first.ID, nil, &done))
	if len(done.Batches) != 0 {
		t.Errorf("purged before its rows had their last word: %v", done.Batches)
	}
	w.restart()
	w.verify()
	w.ok(w.l.View(bg, func(tx *Tx) error {
		return tx.Rows(first.ID, func(r *Row) bool {
			if !r.Superseded {
				t.Errorf("row %+v", r)
			}
			return true
		})
	}))
}
