package connector

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

// withOther adds a second flow in a folder of its own.
func withOther(text string) string {
	at := strings.Index(text, "  tari:\n")
	return text + strings.NewReplacer("  tari:", "  altra:", "root: drop", "root: altra").Replace(text[at:])
}

// A share that is away, at the start or later, must hold its flow alone and be said
// everywhere a person looks; nothing may be made in its place, where it would be hidden
// once the share is back; and the flow goes on without a restart (promise 6).
func TestFolderAwayHoldsItsFlowAlone(t *testing.T) {
	w := newStill(t, withOther)
	drop, away := filepath.Join(w.dir, "drop"), filepath.Join(w.dir, "away")
	w.write("drop/in/a.pdf", string(pdfOf("a", 1500)))
	w.write("drop/in/a.csv", groupedHeading+groupedRow("A/1", ettore, "Ettore Fieramosca", noticeOf(1), "a.pdf", "", ""))
	if err := w.pass(context.Background(), nil); err != nil { // the flow has a history now
		t.Fatal(err)
	}
	if err := os.Rename(drop, away); err != nil {
		t.Fatal(err)
	}
	w.write("altra/in/b.pdf", string(pdfOf("b", 1500)))
	w.write("altra/in/b.csv", groupedHeading+groupedRow("B/1", ettore, "Ettore Fieramosca", noticeOf(2), "b.pdf", "", ""))

	c, err := Open(context.Background(), w.cfg, w.opts)
	if err != nil {
		t.Fatalf("start with a share away: %v", err)
	}
	defer c.Close()
	s, err := c.Once(context.Background(), OnceOptions{})
	if err != nil || s.Exit != ExitHeld {
		t.Errorf("exit %d (%v), want %d: %+v", s.Exit, err, ExitHeld, s)
	}
	if _, err := os.Stat(drop); err == nil {
		t.Error("a folder was made in the place of the share")
	}
	w.onceAtSEND("A/1", "B/1")
	status, err := c.Status(context.Background(), StatusQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range status.Flows {
		if held := f.Away != nil; held != (f.Name == "tari") {
			t.Errorf("flow %s: away %+v", f.Name, f.Away)
		} else if held && (f.Away.Reason != "C-FOLDER-AWAY" || !strings.Contains(f.Away.Detail, drop)) {
			t.Errorf("away: %+v", f.Away)
		}
	}
	for _, o := range status.Outboxes {
		if away := o.Away != nil; away != (o.Name == "tari") {
			t.Errorf("outbox %s: away %+v", o.Name, o.Away)
		}
	}

	if err := os.Rename(away, drop); err != nil {
		t.Fatal(err)
	}
	w.write("drop/in/c.pdf", string(pdfOf("c", 1500)))
	w.write("drop/in/c.csv", groupedHeading+groupedRow("C/1", ettore, "Ettore Fieramosca", noticeOf(3), "c.pdf", "", ""))
	w.sim.Advance(10 * time.Minute)
	if s, err = c.Once(context.Background(), OnceOptions{}); err != nil || s.Exit != ExitOK || len(s.Holds) > 0 {
		t.Errorf("with the share back: %v %+v", err, s)
	}
	w.onceAtSEND("A/1", "B/1", "C/1")
}

// What cannot be used is written to the ledger once and renewed now and then, not at
// every try of a loop that tries every few seconds for a night.
func TestFolderHoldIsNotWrittenAtEveryTry(t *testing.T) {
	w := newStill(t)
	w.write("drop/in/a.pdf", string(pdfOf("a", 1500)))
	w.write("drop/in/a.csv", groupedHeading+groupedRow("A/1", ettore, "Ettore Fieramosca", noticeOf(1), "a.pdf", "", ""))
	if err := w.pass(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	c, err := Open(context.Background(), w.cfg, w.opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := os.RemoveAll(filepath.Join(w.dir, "drop")); err != nil {
		t.Fatal(err)
	}
	commits := 0
	for range 100 {
		wake := c.ledger.Wake()
		_, _ = c.take(context.Background(), c.flows["tari"])
		select {
		case <-wake:
			commits++
		default:
		}
		w.sim.Advance(errorPause)
	}
	holds, err := c.holdsNow(context.Background())
	if err != nil || len(holds) != 1 || holds[0].Scope != ledger.HoldSource {
		t.Errorf("holds %+v, %v", holds, err)
	}
	if commits < 1 || commits > 2 {
		t.Errorf("%d commits woke the others in 500 s, want 1 and a renewal", commits)
	}
}

// Rows that a process left in data/tmp when it died are of no use to anybody and hold
// personal data: the next start removes them, and one that dies in doing so leaves the
// rest to the next.
func TestRowsLeftInTempAreRemoved(t *testing.T) {
	w := newStill(t)
	w.write("data/tmp/rows-1", "FRMTTR76M06B715E")
	w.killOnce(stepTemp+":before", 1)
	if err := w.pass(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(w.dir, "data", "tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in tmp: %v, %v", left, err)
	}
}
