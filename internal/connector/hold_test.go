package connector

import (
	"context"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/simulator"
)

// A key that SEND denies must leave everything queued, say so in the status file and
// the exit code, and go on by itself when the cause is gone.
func TestDeniedKeyHoldsAndGoesOn(t *testing.T) {
	w := newWorld(t)
	w.pdf("drop/in/a1.pdf", "uno")
	w.write("drop/in/tari.csv", heading+row("A/1", "FRMTTR76M06B715E", "Ettore Fieramosca", "301000000001234519", "a1.pdf"))
	deny := w.sim.Faults().Add(simulator.Fault{Operation: "*", Kind: simulator.FaultStatus, Status: 403})
	s := w.once("")
	if s.Exit != ExitHeld {
		t.Errorf("exit code %d, want %d: %+v", s.Exit, ExitHeld, s)
	}
	if status := w.read("drop/out/stato.csv"); !strings.Contains(status, "SOSPES") {
		t.Errorf("stato.csv does not say that it is held:\n%s", status)
	}
	if n := len(w.sim.Accepted()); n != 0 {
		t.Errorf("%d requests stored", n)
	}
	w.sim.Faults().Remove(deny)
	w.opts.Clock = func() time.Time { return time.Now().Add(time.Hour) }
	if s := w.once(UntilAccepted); s.Exit != ExitOK {
		t.Errorf("after the cause is gone: %+v", s)
	}
}

// A batch over max_notifications waits for a person; sending it by itself would send
// thousands of irrevocable notifications of a wrong file (rule 19).
func TestRule19LargeDropAwaitsRelease(t *testing.T) {
	w := newWorld(t, func(s string) string {
		return strings.Replace(s, "documents:", "release: {max_notifications: 1}\n    documents:", 1)
	})
	w.pdf("drop/in/a1.pdf", "uno")
	w.pdf("drop/in/a2.pdf", "due")
	w.write("drop/in/tari.csv", heading+
		row("A/1", "FRMTTR76M06B715E", "Ettore Fieramosca", "301000000001234519", "a1.pdf")+
		row("A/2", "GLLGLL64B15G702I", "Galileo Galilei", "301000000001234620", "a2.pdf"))
	s := w.once(UntilSubmitted)
	if s.Exit != ExitHeld || len(s.Awaiting) != 1 || len(w.sim.Accepted()) != 0 {
		t.Fatalf("summary %+v, %d stored", s, len(w.sim.Accepted()))
	}
	var done Done
	if err := Do(context.Background(), w.cfg, w.opts, "release", BatchArgs{s.Batches[0]}, &done); err != nil {
		t.Fatal(err)
	}
	c := w.open()
	if _, err := c.Once(context.Background(), OnceOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := len(w.sim.Accepted()); n != 2 {
		t.Errorf("%d requests stored after release, want 2", n)
	}
}

// Dropping the same file again must send nothing and say for every row that it is
// known (rule 7); a rejected row that was mended goes alone.
func TestDropAgain(t *testing.T) {
	w := newWorld(t)
	good := row("A/1", "FRMTTR76M06B715E", "Ettore Fieramosca", "301000000001234519", "a1.pdf")
	w.pdf("drop/in/a1.pdf", "uno")
	w.pdf("drop/in/a2.pdf", "due")
	w.write("drop/in/tari.csv", heading+good+row("A/2", "GLLGLL64B15G702X", "Galileo Galilei", "301000000001234620", "a2.pdf"))
	first := w.once(UntilAccepted)
	// a1.pdf is not there again: what is known needs no document
	w.pdf("drop/in/a2.pdf", "due")
	w.write("drop/in/tari.csv", heading+good+row("A/2", "GLLGLL64B15G702I", "Galileo Galilei", "301000000001234620", "a2.pdf"))
	second := w.once(UntilAccepted)
	if first.Rejected != 1 || second.Rejected != 0 {
		t.Errorf("rejected %d then %d, want 1 then 0", first.Rejected, second.Rejected)
	}
	if n := len(w.sim.Accepted()); n != 2 {
		t.Errorf("%d requests stored, want 2", n)
	}
	if d := w.sim.Duplicates(); len(d) > 0 {
		t.Errorf("notified twice: %v", d)
	}
	outcome := w.read("drop/out/tari." + second.Batches[0] + ".esito.csv")
	if !strings.Contains(outcome, string(ledger.GiaPresente)) || strings.Contains(outcome, "C-DOCUMENT-MISSING") {
		t.Errorf("the known row is not told:\n%s", outcome)
	}
}

// Commands must work alike beside a running service and without one, and two
// processes must never share the ledger.
func TestServiceAnswersCommands(t *testing.T) {
	w := newWorld(t)
	c := w.open()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if status := w.read("drop/out/stato.csv"); !strings.Contains(status, "FERMO") {
			t.Errorf("after the stop stato.csv does not say so:\n%s", status)
		}
	})
	w.pdf("drop/in/a1.pdf", "uno")
	w.write("drop/in/tari.csv", heading+row("A/1", "FRMTTR76M06B715E", "Ettore Fieramosca", "301000000001234519", "a1.pdf"))
	eventually(t, "the notification is accepted", func() bool {
		var s Status
		err := Do(context.Background(), w.cfg, w.opts, "status", StatusQuery{Protocol: "A/1"}, &s)
		return err == nil && len(s.Notifications) == 1 && s.Notifications[0].State == string(ledger.Accepted)
	})
	var why Why
	if err := Do(context.Background(), w.cfg, w.opts, "why", WhyQuery{"tari.csv"}, &why); err != nil || len(why.Findings) == 0 {
		t.Errorf("why tari.csv: %+v, %v", why, err)
	}
	_, err := Open(context.Background(), w.cfg, w.opts)
	if Exit(err) != ExitBusy {
		t.Errorf("a second owner: %v, want exit code %d", err, ExitBusy)
	}
	err = Do(context.Background(), w.cfg, w.opts, "status", StatusQuery{Batch: "none"}, &Status{})
	if Exit(err) != ExitUsage {
		t.Errorf("unknown batch through the endpoint: %v, want exit code %d", err, ExitUsage)
	}
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("not within 30 s: ", what)
		}
	}
}
