package connector

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

func keeping(retention string) func(string) string {
	return func(text string) string {
		return strings.Replace(text, "    profile:", "    retention: "+retention+"\n    profile:", 1)
	}
}

func (w *world) batches() []string {
	w.t.Helper()
	var all []string
	w.do(func(c *Connector) error {
		for _, p := range c.ledger.Verify() {
			w.t.Error("ledger: ", p)
		}
		return c.ledger.View(context.Background(), func(tx *ledger.Tx) error {
			return tx.Batches(func(b *ledger.Batch) bool {
				all = append(all, b.ID)
				return true
			})
		})
	})
	return all
}

// outFiles are the bytes of all that lies in out/, stato.csv aside.
func (w *world) outFiles() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	root := filepath.Join(w.dir, "drop/out")
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "stato.csv" {
			return err
		}
		data, err := os.ReadFile(name)
		all[strings.TrimPrefix(name, root)] = string(data)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// Damage: a purge opens the way to a second notification, empties a clerk's outcome
// file, or makes an event that comes late stop everybody.
func TestRule30PurgedByItself(t *testing.T) {
	w := newStill(t, keeping("{ledger: 30d, archive: 40d}"))
	protocols := w.lot(12)
	w.write("drop/in/brutto.csv", "\x00\x01 no csv")
	w.untilClosed(2)
	if len(w.batches()) != 2 {
		t.Fatal("not two batches")
	}
	w.sim.Advance(28 * 24 * time.Hour)
	w.write("drop/in/n.pdf", string(pdfOf("n.pdf", 1500)))
	w.write("drop/in/n.csv", groupedHeading+groupedRow("N/1", galileo, "Galileo Galilei", noticeOf(500), "n.pdf", "", ""))
	w.untilClosed(3)
	for len(w.batches()) > 1 {
		w.sim.Advance(24 * time.Hour)
		if w.sim.Now().After(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) {
			t.Fatal("nothing is purged")
		}
		before := w.outFiles()
		if err := w.pass(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		if after := w.outFiles(); !maps.Equal(before, after) {
			t.Errorf("the purge changed something in out/")
		}
	}
	iun := ""
	for _, a := range w.sim.Accepted() {
		if n, ok := w.sim.Notification(a.RequestID); ok && a.Protocol == "L/1" {
			iun = n.IUN
		}
	}
	if !w.sim.Rework(iun, 0, "RECRN001C", "") {
		t.Fatal("no late event")
	}
	for range 3 {
		w.sim.Advance(time.Hour)
		if err := w.pass(context.Background(), nil); err != nil {
			t.Fatal("after a late event: ", err)
		}
	}
	again := w.lot(12)
	w.sim.Advance(2 * time.Second)
	w.untilClosed(2)
	want := map[string]string{}
	for i, p := range again {
		want[p] = "GIA_PRESENTE"
		if i == 9 {
			want[p] = "RIFIUTATA PAYMENT_NOT_VALID"
		}
	}
	w.wantOutcomes(w.newestOutcome(), want)
	w.onceAtSEND(append(protocols, "N/1")...)
}

// Damage: the acts are removed from the archive while the ledger still needs them, or
// never.
func TestPurgedArchive(t *testing.T) {
	w := newStill(t, keeping("{ledger: 30d, archive: 90d}"))
	w.lot(2)
	w.write("drop/in/brutto.csv", "\x00\x01 no csv")
	w.untilClosed(2)
	closed := w.sim.Now()
	folders := func() int {
		a, _ := filepath.Glob(filepath.Join(w.dir, "drop/archive/*/*/*"))
		b, _ := filepath.Glob(filepath.Join(w.dir, "drop/rejected/*"))
		return len(a) + len(b)
	}
	for w.sim.Now().Sub(closed) < 85*24*time.Hour {
		// something to tell now and then, so that old files of updates are not the latest
		name := "n" + w.sim.Now().Format("0102")
		w.write("drop/in/"+name+".csv", groupedHeading+groupedRow(name, galileo, "Galileo Galilei", noticeOf(600), "manca.pdf", "", ""))
		w.sim.Advance(10 * 24 * time.Hour)
		if err := w.pass(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
	}
	was := folders()
	if left := w.batches(); len(left) >= was {
		t.Errorf("%d batches in the ledger, %d folders", len(left), was)
	}
	w.do(func(c *Connector) error {
		dry, err := c.Purge(context.Background(), PurgeArgs{DryRun: true})
		if err != nil || len(dry.Folders) > 0 || folders() != was {
			t.Errorf("too early: %+v %v", dry, err)
		}
		return err
	})
	w.sim.Advance(25 * 24 * time.Hour)
	w.do(func(c *Connector) error {
		done, err := c.Purge(context.Background(), PurgeArgs{})
		if len(done.Folders) < 2 || folders() != was-len(done.Folders) {
			t.Errorf("%+v, %d folders left of %d", done, folders(), was)
		}
		return err
	})
}

// Damage: the process dies while it removes an old batch from the archive, and half of
// it stays for ever.
func TestKilledWhileTheArchiveExpires(t *testing.T) {
	for _, side := range []string{":before", ":after"} {
		t.Run(side, func(t *testing.T) {
			t.Parallel()
			w := newStill(t, keeping("{ledger: 30d, archive: 30d}"))
			w.lot(1)
			w.untilClosed(1)
			w.sim.Advance(20 * 24 * time.Hour)
			w.write("drop/in/n.csv", groupedHeading+groupedRow("N/1", galileo, "Galileo Galilei", noticeOf(600), "manca.pdf", "", ""))
			if err := w.pass(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
			w.sim.Advance(15 * 24 * time.Hour)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			k := &killer{at: "ingest.expire" + side, nth: 1, cancel: cancel}
			w.opts.Step, w.opts.Transport = k.Step, k
			if err := w.pass(ctx, nil); !k.died() {
				t.Fatalf("not killed: %v", err)
			}
			w.opts.Step, w.opts.Transport = nil, nil
			w.sim.Advance(24 * time.Hour)
			if err := w.pass(context.Background(), nil); err != nil {
				t.Fatal(err)
			}
			if left, _ := filepath.Glob(filepath.Join(w.dir, "drop/archive/*/*/*")); len(left) != 1 {
				t.Errorf("left: %v", left)
			}
			if len(w.batches()) != 1 {
				t.Error("not one batch left in the ledger")
			}
		})
	}
}
