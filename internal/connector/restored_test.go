package connector

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/simulator"
)

// leavingLot is more than goes at a time.
const leavingLot = 28

// leaving is a lot that dies in the middle of leaving: some of it at SEND, some UPLOADED,
// and some in INTENT of which SEND has nothing. A copy of the ledger is taken of that.
func leaving(t *testing.T) (w *world, batch, copied string, protocols []string) {
	t.Helper()
	w = newStill(t)
	protocols = w.lot(leavingLot)
	w.killOnce("submit.create:after", 3)
	data, err := os.ReadFile(filepath.Join(w.dir, "data", "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	copied = filepath.Join(w.dir, "copy.db")
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := len(w.sim.Accepted()); n == 0 || n >= leavingLot {
		t.Fatalf("%d sent, want some", n)
	}
	w.do(func(c *Connector) error {
		s, err := c.Status(context.Background(), StatusQuery{})
		if err == nil {
			batch = s.Batches[0].ID
		}
		return err
	})
	return w, batch, copied, protocols
}

// restore puts the copy over the newer ledger.
func (w *world) restore(copied string) {
	w.t.Helper()
	data, err := os.ReadFile(copied)
	if err == nil {
		err = os.WriteFile(filepath.Join(w.dir, "data", "ledger.db"), data, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) discardBatch(batch string) {
	w.t.Helper()
	w.do(func(c *Connector) error {
		_, err := c.Discard(context.Background(), BatchArgs{Batch: batch})
		return err
	})
}

// What a person discarded, of a batch that was leaving already, is notified to citizens
// because an older copy of the ledger is put back. Wherever the restored connector dies
// on its way, nothing of it goes before a person says so, and then each of it once.
func TestRestoredLedgerSendsNothingWithoutAPersonsWord(t *testing.T) {
	for _, step := range []string{
		"", "ledger.open:after", "ledger.generation:before", "ledger.commit:before", "ledger.commit:after",
		"submit.lookup:before", "submit.lookup:after",
	} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w, batch, copied, protocols := leaving(t)
			w.discardBatch(batch)
			w.onceEvery(1, time.Hour)
			atSEND := len(w.sim.Accepted())
			w.restore(copied)
			if step != "" {
				for _, nth := range []int{1, 2} {
					w.killOnce(step, nth)
				}
			}
			w.onceEvery(3, time.Hour)
			if n := len(w.sim.Accepted()); n != atSEND {
				t.Fatalf("%d discarded notifications were sent after a restore", n-atSEND)
			}
			waits := 0
			for _, outcome := range w.outcomes("drop/out/lotto.*.esito.csv") {
				if outcome == "SOSPESA C-RELEASE-REBUILT" {
					waits++
				}
			}
			if waits != leavingLot-atSEND {
				t.Errorf("%d wait, want %d: %v", waits, leavingLot-atSEND, w.outcomes("drop/out/lotto.*.esito.csv"))
			}
			w.release([]string{batch})
			w.untilClosed(1)
			w.onceAtSEND(protocols...)
			w.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
		})
	}
}

// The same batch given up again, with those in INTENT: everything of it that SEND does
// not have can be given up, and its rows say so.
func TestRestoredBatchCanBeDiscarded(t *testing.T) {
	t.Parallel()
	w, batch, copied, _ := leaving(t)
	w.onceEvery(1, 10*time.Minute)
	w.restore(copied)
	w.sim.Faults().Add(simulator.Fault{Operation: "create", Kind: simulator.FaultStatus, Status: 503})
	w.onceEvery(1, 10*time.Minute)
	if got := w.sim.Faults().Fired(); len(got) > 0 {
		t.Errorf("tried to send: %v", got)
	}
	w.wantReleased(batch) // all had been sent in the meantime: nobody is asked
	w.sim.Faults().Clear()

	w, batch, copied, _ = leaving(t)
	atSEND := len(w.sim.Accepted())
	w.restore(copied)
	w.restoredNow()
	w.onceEvery(2, time.Hour)
	w.discardBatch(batch)
	w.untilClosed(1)
	outcomes := slices.Collect(maps.Values(w.outcomes("drop/out/lotto.*.esito.csv")))
	given := slices.DeleteFunc(outcomes, func(o string) bool { return o != "SCARTATA C-DISCARDED" })
	if n := len(w.sim.Accepted()); n != atSEND || len(given) != leavingLot-atSEND {
		t.Errorf("%d sent, %d given up; %d had been sent before", n, len(given), atSEND)
	}
}

// restoredNow makes the ledger, which was copied a moment ago, older than its number.
func (w *world) restoredNow() {
	w.t.Helper()
	w.write("data/ledger.db.generation", "1000")
}

func (w *world) wantReleased(batch string) {
	w.t.Helper()
	w.do(func(c *Connector) error {
		s, err := c.Status(context.Background(), StatusQuery{})
		for _, b := range s.Batches {
			if b.ID == batch && b.Release != "RELEASED" {
				w.t.Errorf("%s is %s", batch, b.Release)
			}
		}
		return err
	})
}

// SEND is away when the ledger is restored, so that it cannot be asked; a person releases
// the batch. It must stay released however often the connector starts, and whatever is
// found out later.
func TestReleasedAfterTheRestoreStaysReleased(t *testing.T) {
	t.Parallel()
	w, batch, copied, protocols := leaving(t)
	w.onceEvery(1, time.Minute)
	w.restore(copied)
	w.sim.Faults().Add(simulator.Fault{Operation: "*", Kind: simulator.FaultStatus, Status: 503})
	w.onceEvery(1, 10*time.Minute)
	w.release([]string{batch})
	for range 3 {
		w.onceEvery(1, 10*time.Minute)
		w.wantReleased(batch)
	}
	w.sim.Faults().Clear()
	w.untilClosed(1)
	w.wantReleased(batch)
	w.onceAtSEND(protocols...)
	w.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
}

// A notification was over when the copy was made, and was cancelled after it. The event
// was acknowledged and does not come again: if nobody asked, the office would read that
// it was served, beside a legal document that says the opposite.
func TestRestoredLedgerHearsWhatBecameOfTheClosed(t *testing.T) {
	t.Parallel()
	w := newStill(t)
	w.deposit("a.csv", alone("A/1", ettore, 1), alone("A/2", galileo, 2))
	w.untilClosed(1)
	copied := filepath.Join(w.dir, "copy.db")
	w.do(func(c *Connector) error { _, err := c.ledger.BackupFile(context.Background(), copied); return err })
	w.command("cancel", CancelArgs{Protocol: "A/1"})
	w.lives(2)
	want := map[string]string{"A/1": string(ledger.Annullata), "A/2": string(ledger.Perfezionata)}
	w.wantOutcomes("drop/out/a.*.esito.csv", want)

	w.restore(copied)
	since := w.sim.Now()
	w.steps(6)
	w.wantOutcomes("drop/out/a.*.esito.csv", want)
	w.result([]string{"a.csv"})
	asked := w.callsSince(since, "sent")
	for path, n := range asked {
		if n != 1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
	if len(asked) != 2 {
		t.Errorf("asked for %v, want each of the two that were over", asked)
	}
	w.do(func(c *Connector) error {
		return c.ledger.View(context.Background(), func(tx *ledger.Tx) error {
			over, err := tx.OverFrom(0, 10)
			for _, n := range over {
				if n.Key.Protocol == "A/1" && n.SENDStatus != ledger.StatusCancelled {
					t.Errorf("the ledger says %s of what was cancelled", n.SENDStatus)
				}
			}
			if len(over) != 2 {
				t.Errorf("%d are over, want 2", len(over))
			}
			return err
		})
	})
	w.lives(2)
	w.wantOutcomes("drop/out/a.*.esito.csv", want)
}
