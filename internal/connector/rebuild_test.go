package connector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

// ways in which a ledger goes.
var ways = map[string]func(w *world){
	"whole data folder": (*world).loseData,
	"ledger deleted":    func(w *world) { w.remove("data/ledger.db") },
	"ledger torn": func(w *world) {
		if err := os.Truncate(filepath.Join(w.dir, "data/ledger.db"), 12_000); err != nil {
			w.t.Fatal(err)
		}
	},
}

func (w *world) remove(name string) {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.dir, filepath.FromSlash(name))); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rebuild() *RebuildReport {
	w.t.Helper()
	r, err := Rebuild(context.Background(), w.cfg, w.opts, RebuildOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range r.Problems {
		w.t.Error("rebuild: ", p)
	}
	return r
}

func (w *world) release(batches []string) {
	w.t.Helper()
	for _, b := range batches {
		w.do(func(c *Connector) error {
			_, err := c.Release(context.Background(), BatchArgs{Batch: b})
			return err
		})
	}
}

// do carries out one act on the connector.
func (w *world) do(act func(c *Connector) error) {
	w.t.Helper()
	c, err := Open(context.Background(), w.cfg, w.opts)
	if err == nil {
		err = errors.Join(act(c), c.Close())
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// Damage: the ledger is gone in the middle of a lot, the new one does not know what was
// sent, and sends it again, or forgets the rest. What SEND does not know goes only
// when a person says so.
func TestRule16RebuiltInTheMiddle(t *testing.T) {
	for way, lose := range ways {
		for at, nth := range map[string]int{"submit.preload:after": 1, "submit.create:before": 9, "submit.create:after": 9, "progress.events:after": 1} {
			if way != "whole data folder" && at != "submit.create:after" {
				continue // how it went makes no difference from where it was
			}
			t.Run(way+","+at, func(t *testing.T) {
				t.Parallel()
				w := newStill(t)
				protocols := w.lot(20)
				w.killOnce(at, nth)
				sent := len(w.sim.Accepted())
				lose(w)
				r := w.rebuild()
				if r.Batches != 1 || r.Found != sent || r.Unknown != 20-sent || len(r.Awaiting) != min(1, 20-sent) {
					t.Errorf("SEND has %d, rebuilt: %+v", sent, r)
				}
				for range 3 {
					w.sim.Advance(time.Hour)
					if err := w.pass(context.Background(), nil); err != nil {
						t.Fatal(err)
					}
				}
				if got := len(w.sim.Accepted()); got != sent {
					t.Errorf("%d sent without anybody's word", got-sent)
				}
				w.release(r.Awaiting)
				w.untilClosed(1)
				w.onceAtSEND(protocols...)
				w.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
				w.result([]string{"lotto.csv"})
			})
		}
	}
}

// Damage: a rebuilt ledger says something else of the batches than the lost one did,
// or gives their numbers to other files.
func TestRebuiltLedgerSaysTheSame(t *testing.T) {
	w := newStill(t)
	files := w.mixedDrop()
	w.write("drop/in/brutto.csv", "\x00\x01 no csv")
	w.untilClosed(3)
	before := w.result(files)
	updates, _ := filepath.Glob(filepath.Join(w.dir, "drop/out/aggiornamenti/*.csv"))
	w.loseData()
	r := w.rebuild()
	if r.Batches != 2 || r.Unreadable != 1 || r.Found != 4 || r.Unknown != 1 {
		t.Errorf("%+v", r) // the one that SEND refused at once, of which it keeps nothing
	}
	w.release(r.Awaiting)
	w.untilClosed(3)
	w.onceAtSEND("B/1", "B/2", "B/6", "B/7")
	after := w.outcomeFiles()
	if !maps.EqualFunc(before.outcomes, after, slices.Equal) {
		for name := range before.outcomes {
			t.Errorf("%s before:\n%s\nafter:\n%s", name, strings.Join(before.outcomes[name], "\n"), strings.Join(after[name], "\n"))
		}
	}
	if now, _ := filepath.Glob(filepath.Join(w.dir, "drop/out/aggiornamenti/*.csv")); len(now) <= len(updates) {
		t.Errorf("%d update files, were %d", len(now), len(updates))
	}
	w.documentsAreIndexed()
}

// outcomeFiles are the lines of every outcome file, by export.
func (w *world) outcomeFiles() map[string][]string {
	w.t.Helper()
	all := map[string][]string{}
	found, err := filepath.Glob(filepath.Join(w.dir, "drop", "out", "*.esito.csv"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range found {
		all[batchID.ReplaceAllString(filepath.Base(name), "<batch>")] = w.outcomeLines(name)
	}
	return all
}

// Damage: the rebuilding dies half way, and a start takes what there is for the whole
// ledger.
func TestRebuildKilledInTheMiddle(t *testing.T) {
	drop := func(t *testing.T) (*world, []string, int) {
		w := newStill(t)
		protocols := w.lot(6)
		w.killOnce("submit.create:after", 3)
		sent := len(w.sim.Accepted())
		w.loseData()
		return w, protocols, sent
	}
	w, _, _ := drop(t)
	counted := &killer{cancel: func() {}}
	w.opts.Step, w.opts.Transport = counted.Step, counted
	w.rebuild()
	if counted.calls < 20 {
		t.Fatalf("only %d steps", counted.calls)
	}
	most := counted.calls * 3 / 4 // how many were sent, and so looked up, differs a little
	for nth := 1; nth <= most; nth += max(1, most/8) {
		t.Run(fmt.Sprint(nth), func(t *testing.T) {
			t.Parallel()
			w, protocols, sent := drop(t)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			k := &killer{at: anyStep, nth: nth, cancel: cancel}
			w.opts.Step, w.opts.Transport = k.Step, k
			_, err := Rebuild(ctx, w.cfg, w.opts, RebuildOptions{})
			if err == nil || !k.died() {
				t.Fatalf("not killed: %v", err)
			}
			w.opts.Step, w.opts.Transport = nil, nil
			var e *ExitError
			if err := w.pass(context.Background(), nil); !errors.As(err, &e) || e.Code != "C-LEDGER-DAMAGED" {
				t.Errorf("a start on a half-built ledger: %v", err)
			}
			r := w.rebuild()
			if got := len(w.sim.Accepted()); got != sent {
				t.Errorf("the rebuilding sent %d", got-sent)
			}
			w.release(r.Awaiting)
			w.untilClosed(1)
			w.onceAtSEND(protocols...)
			w.result([]string{"lotto.csv"})
		})
	}
}

// Damage: a row that was mended after a refusal comes back as refused, or the refused
// one as valid, or either is sent once more.
func TestRule16RebuiltAfterSecondAttempt(t *testing.T) {
	w := newStill(t)
	for i, notice := range []string{noticeOf(refusedNotice), noticeOf(1), noticeOf(refusedNotice)} {
		w.write("drop/in/r1.pdf", string(pdfOf("r1.pdf", 1500)))
		w.write(fmt.Sprintf("drop/in/r%d.csv", i), groupedHeading+groupedRow("R/1", galileo, "Galileo Galilei", notice, "r1.pdf", "", ""))
		w.sim.Advance(2 * time.Second)
		w.untilClosed(i + 1)
	}
	want := map[string]string{"r0": "RIFIUTATA", "r1": "PERFEZIONATA", "r2": "SCARTATA"}
	say := func() {
		for name, outcome := range want {
			if got := w.outcomes("drop/out/" + name + ".*.esito.csv")["R/1"]; !strings.HasPrefix(got, outcome) {
				t.Errorf("%s: %s, want %s", name, got, outcome)
			}
		}
	}
	say()
	w.loseData()
	if r := w.rebuild(); r.Found != 2 || r.Unknown != 0 {
		t.Errorf("%+v", r)
	}
	w.untilClosed(3)
	say()
	if got := w.sim.Accepted(); len(got) != 2 || len(w.sim.Duplicates()) > 0 {
		t.Errorf("stored at SEND: %+v", got)
	}
}

// Damage: what a person had discarded goes out after a rebuilding.
func TestRebuiltDiscardedBatchWaits(t *testing.T) {
	w := newStill(t, func(text string) string {
		return strings.Replace(text, "    profile:", "    release: {mode: command}\n    profile:", 1)
	})
	w.lot(3)
	if err := w.pass(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	batch := ""
	w.do(func(c *Connector) error {
		s, err := c.Status(context.Background(), StatusQuery{})
		if err != nil {
			return err
		}
		batch = s.Batches[0].ID
		_, err = c.Discard(context.Background(), BatchArgs{Batch: batch})
		return err
	})
	w.loseData()
	if r := w.rebuild(); !slices.Equal(r.Awaiting, []string{batch}) || r.Unknown != 3 {
		t.Errorf("%+v", r)
	}
	w.sim.Advance(time.Hour)
	if err := w.pass(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if got := w.outcomes("drop/out/lotto.*.esito.csv")["L/1"]; got != "SOSPESA C-RELEASE-REBUILT" {
		t.Errorf("L/1: %s", got)
	}
	if len(w.sim.Accepted()) > 0 {
		t.Error("sent")
	}
	w.do(func(c *Connector) error {
		_, err := c.Discard(context.Background(), BatchArgs{Batch: batch})
		return err
	})
	w.untilClosed(1)
}

// Damage: a good ledger is thrown away for one that knows less.
func TestRebuildRefusesAReadableLedger(t *testing.T) {
	w := newStill(t)
	protocols := w.lot(3)
	w.untilClosed(1)
	_, err := Rebuild(context.Background(), w.cfg, w.opts, RebuildOptions{})
	if Exit(err) != ExitUsage || !strings.Contains(err.Error(), "--move-aside") {
		t.Fatalf("got %v", err)
	}
	w.do(func(*Connector) error {
		_, err := Rebuild(context.Background(), w.cfg, w.opts, RebuildOptions{MoveAside: true})
		if Exit(err) != ExitBusy {
			t.Errorf("while it is in use: %v", err)
		}
		return nil
	})
	r, err := Rebuild(context.Background(), w.cfg, w.opts, RebuildOptions{MoveAside: true})
	if err != nil || r.Found != 3 {
		t.Fatalf("%+v %v", r, err)
	}
	if err := ledger.CheckFile(r.MovedAside); err != nil {
		t.Errorf("the old one: %v", err)
	}
	w.untilClosed(1)
	w.onceAtSEND(protocols...)
}

// Damage: an archive from which a document or an export was taken away makes a key
// free again that SEND has.
func TestRebuiltFromAnIncompleteArchive(t *testing.T) {
	w := newStill(t)
	protocols := w.lot(6)
	w.untilClosed(1)
	w.loseData()
	dir, _ := filepath.Glob(filepath.Join(w.dir, "drop/archive/*/*/*"))
	if err := os.RemoveAll(filepath.Join(dir[0], "documents")); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir[0], "*.pdf"))
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if r := w.rebuild(); r.Found != 6 || r.Unknown != 0 {
		t.Errorf("%+v", r)
	}
	w.lot(6)
	w.untilClosed(2)
	w.onceAtSEND(protocols...)
}

// Damage: a backup is put back over a newer ledger in the middle of a lot. What was
// sent since is sent again, or a batch that came since is followed by nobody; the
// numbers of aggiornamenti are given twice.
func TestRule23BackupRestoredOverANewerLedger(t *testing.T) {
	for _, again := range []bool{false, true} {
		t.Run(fmt.Sprint("dropped again=", again), func(t *testing.T) {
			t.Parallel()
			w := newStill(t)
			copied := filepath.Join(w.dir, "copy.db")
			protocols := w.lot(12)
			w.killOnce("submit.create:after", 4)
			w.do(func(c *Connector) error {
				_, err := c.LedgerBackup(context.Background(), BackupArgs{File: copied})
				return err
			})
			if err := w.pass(context.Background(), nil); err != nil { // the rest of the lot
				t.Fatal(err)
			}
			late := func() {
				w.write("drop/in/s.pdf", string(pdfOf("s.pdf", 1500)))
				w.write("drop/in/s.csv", groupedHeading+groupedRow("S/1", galileo, "Galileo Galilei", noticeOf(700), "s.pdf", "", "")+
					groupedRow("S/2", "GLLGLL64B15G702X", "Galileo Galilei", noticeOf(701), "s.pdf", "", ""))
				w.sim.Advance(2 * time.Second)
			}
			late()
			for range 3 {
				w.sim.Advance(20 * time.Minute)
				if err := w.pass(context.Background(), nil); err != nil {
					t.Fatal(err)
				}
			}
			updates, _ := filepath.Glob(filepath.Join(w.dir, "drop/out/aggiornamenti/*.csv"))
			before := map[string]string{}
			for _, name := range updates {
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				before[name] = string(data)
			}
			if err := os.Rename(copied, filepath.Join(w.dir, "data/ledger.db")); err != nil {
				t.Fatal(err)
			}
			if again {
				late()
			}
			w.untilClosed(2)
			w.onceAtSEND(append(protocols, "S/1")...)
			w.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
			first, _ := filepath.Glob(filepath.Join(w.dir, "drop/out/s.*.esito.csv"))
			slices.Sort(first)
			w.wantOutcomes("drop/out/"+filepath.Base(first[0]), map[string]string{"S/1": "PERFEZIONATA", "S/2": "SCARTATA C-TAXID-CHECK"})
			for name, data := range before {
				if now, err := os.ReadFile(name); err != nil || string(now) != data {
					t.Errorf("%s has other bytes now (%v)", filepath.Base(name), err)
				}
			}
			if now, _ := filepath.Glob(filepath.Join(w.dir, "drop/out/aggiornamenti/*.csv")); len(now) <= len(updates) {
				t.Errorf("the numbers do not go on: %d, were %d", len(now), len(updates))
			}
			w.documentsAreIndexed()
		})
	}
}

// Damage prevented: a batch that was sent and could never be archived is rebuilt with its
// private copies taken away, and blocks its flow for ever.
func TestRebuildOfABatchThatWasNeverArchived(t *testing.T) {
	t.Parallel()
	w := newStill(t, func(text string) string {
		return strings.Replace(text, "{deadline: 0s}", "{deadline: 0s, mode: copy}", 1)
	})
	w.lot(2)
	w.write("drop/archive/2026", "a file where the folder should be")
	w.onceEvery(2, time.Hour)
	w.remove("drop/archive/2026")
	w.loseData()
	if r := w.rebuild(); r.Found != 2 {
		t.Errorf("%+v", r)
	}
	w.onceEvery(2, time.Hour)
	if work, _ := filepath.Glob(filepath.Join(w.dir, "drop/work/*/*")); len(work) > 0 {
		t.Errorf("still claimed: %v", work)
	}
	if n := len(w.sim.Accepted()); n != 2 {
		t.Errorf("%d sent", n)
	}
}

// onceEvery is n runs of "once", each later by step; what they could not do is not asked.
func (w *world) onceEvery(n int, step time.Duration) {
	w.t.Helper()
	for range n {
		w.sim.Advance(step)
		w.do(func(c *Connector) error {
			_, err := c.Once(context.Background(), OnceOptions{Until: UntilSubmitted})
			return err
		})
	}
}

// A batch that was to leave later and was discarded after the backup must not leave when
// the backup is restored: a person is asked again.
func TestRestoredLedgerAsksAgainBeforeWhatWasDelayed(t *testing.T) {
	t.Parallel()
	w := newStill(t, func(text string) string {
		return strings.Replace(text, "    profile:", "    release: {mode: auto, delay: 24h}\n    profile:", 1)
	})
	w.lot(3)
	if err := w.pass(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(w.dir, "copy.db")
	batch := ""
	w.do(func(c *Connector) error {
		if _, err := c.LedgerBackup(context.Background(), BackupArgs{File: copied}); err != nil {
			return err
		}
		s, err := c.Status(context.Background(), StatusQuery{})
		if err != nil {
			return err
		}
		batch = s.Batches[0].ID
		_, err = c.Discard(context.Background(), BatchArgs{Batch: batch})
		return err
	})
	data, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "data", "ledger.db"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	w.onceEvery(3, 25*time.Hour)
	if n := len(w.sim.Accepted()); n > 0 {
		t.Errorf("%d discarded notifications were sent after a restore", n)
	}
	w.do(func(c *Connector) error {
		_, err := c.Release(context.Background(), BatchArgs{Batch: batch})
		return err
	})
	w.onceEvery(2, time.Hour)
	if n := len(w.sim.Accepted()); n != 3 {
		t.Errorf("%d sent after a person released them, want 3", n)
	}
}

// A scheduled pass that uses the old ledger while a new one is being built knows of
// things that the new one does not: it must not be replaced.
func TestRebuildNoticesThatTheOldLedgerWasUsed(t *testing.T) {
	t.Parallel()
	w := newStill(t)
	w.lot(2)
	if err := w.pass(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(w.dir, "data", "ledger.db")
	opts := w.opts
	opts.Step = func(string) error { return os.Chtimes(old, time.Time{}, time.Unix(1, 0)) }
	_, err := Rebuild(context.Background(), w.cfg, opts, RebuildOptions{MoveAside: true})
	if Exit(err) != ExitBusy {
		t.Errorf("got %v, want exit %d", err, ExitBusy)
	}
	if aside, _ := filepath.Glob(old + ".*moved*"); len(aside) > 0 {
		t.Errorf("moved aside: %v", aside)
	}
	if _, err := os.Stat(old); err != nil {
		t.Error(err)
	}
}
