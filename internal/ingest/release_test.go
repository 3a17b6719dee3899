package ingest

import (
	"context"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// Damage prevented: a wrong file sends thousands of notifications because a release
// was left from another time, came too early, or named two batches.
func TestRule19ReleaseByFile(t *testing.T) {
	r := newRig(t)
	r.flow.Release.Mode = GateFile
	r.drop("in/a.csv", "p\nP1;\n")
	r.drop("in/a.csv.invia", "")
	r.wantWaiting(r.pass(0), "a.csv C-FILE-SETTLING", "a.csv.invia C-RELEASE-EARLY")
	r.wantWaiting(r.pass(10*time.Second), "a.csv.invia C-RELEASE-EARLY")
	r.restart()
	r.wantWaiting(r.pass(10*time.Second), "a.csv.invia C-RELEASE-EARLY")
	b := r.one()
	if b.Release != ledger.AwaitsRelease {
		t.Fatalf("released by a file that came before the outcome: %s", b.Release)
	}
	r.remove("in/a.csv.invia")
	r.pass(time.Second)
	r.now = r.now.Add(time.Second)
	r.drop("in/A.CSV.INVIA", "")
	report := r.pass(0)
	r.wantWaiting(report)
	if b = r.one(); b.Release != ledger.Released || len(report.Released) != 1 {
		t.Errorf("release %s, report %v", b.Release, report.Released)
	}
	r.wantFiles(b.Archive+"/A.CSV.INVIA", b.Archive+"/a.csv")
	r.drop("in/a.csv.invia", "")
	r.wantWaiting(r.pass(time.Second), "a.csv.invia C-RELEASE-NOTHING")
}

func TestRule19AmbiguousRelease(t *testing.T) {
	r := newRig(t)
	r.flow.Release.Mode = GateCommand
	for _, text := range []string{"p\nP1;\n", "p\nP2;\n"} {
		r.drop("in/a.csv", text)
		r.settled()
	}
	r.now = r.now.Add(time.Minute)
	r.drop("in/a.csv.invia", "")
	r.wantWaiting(r.pass(0), "a.csv.invia C-RELEASE-AMBIGUOUS")
	for _, b := range r.batches() {
		if b.Release != ledger.AwaitsRelease {
			t.Errorf("%s is %s", b.ID, b.Release)
		}
	}
}

// Damage prevented: a crash while a batch is released releases another one later, or
// forgets the release.
func TestRule19ReleaseKilled(t *testing.T) {
	for _, step := range []string{StepRelease + Before, StepRelease + After, StepMarker + Before, StepMarker + After} {
		r := newRig(t)
		r.flow.Release.Mode = GateFile
		r.drop("in/sub/a.csv", "p\nP1;\n")
		r.settled()
		r.now = r.now.Add(time.Minute)
		r.drop("in/a.csv.invia", "")
		r.dyingAt(step, func() { r.pass(0) })
		r.restart()
		report := r.pass(time.Second)
		b := r.one()
		if b.Release != ledger.Released {
			t.Errorf("%s: %s", step, b.Release)
		}
		r.wantWaiting(report)
		r.wantFiles(b.Archive+"/a.csv.invia", b.Archive+"/sub/a.csv")
		// The marker that was filed releases nothing that comes later.
		r.drop("in/a.csv", "p\nP2;\n")
		r.settled()
		r.pass(time.Hour)
		for _, b := range r.batches() {
			if later := b.File == "a.csv"; later != (b.Release == ledger.AwaitsRelease) {
				t.Errorf("%s: %s is %s", step, b.File, b.Release)
			}
		}
	}
}

func TestRule19Gate(t *testing.T) {
	tests := []struct {
		name string
		gate GateConfig
		want ledger.Release
	}{
		{"auto", GateConfig{}, ledger.Released},
		{"delay", GateConfig{Mode: GateAuto, Delay: time.Hour}, ledger.DelayedRelease},
		{"more than max", GateConfig{Max: 1}, ledger.AwaitsRelease},
		{"any number", GateConfig{Max: -1}, ledger.Released},
		{"file", GateConfig{Mode: GateFile}, ledger.AwaitsRelease},
		{"command with delay", GateConfig{Mode: GateCommand, Delay: time.Hour}, ledger.AwaitsRelease},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			r.flow.Release = test.gate
			r.drop("in/a.csv", "p\nP1;\nP2;\n")
			r.settled()
			b := r.one()
			if b.Release != test.want {
				t.Errorf("%s, want %s", b.Release, test.want)
			}
			if test.want == ledger.DelayedRelease && !b.ReleaseAt.Equal(r.now.Add(time.Hour)) {
				t.Errorf("released at %v", b.ReleaseAt)
			}
		})
	}
}

// steps brings the only notification through states.
func (r *rig) steps(protocol string, states ...ledger.State) {
	r.t.Helper()
	for _, s := range states {
		err := r.ledger.Update(context.Background(), func(tx *ledger.Tx) error {
			n, err := tx.ByKey(ledger.Key{Environment: testEnv, SenderTaxID: testSender, Protocol: protocol})
			if err != nil {
				return err
			}
			n.State = s
			switch s {
			case ledger.Submitted:
				n.RequestID = "req-" + protocol
			case ledger.Accepted:
				n.IUN = "IUN-" + protocol
			case ledger.Refused:
				n.Refusals = []notification.Problem{{Severity: notification.Error, Code: "ADDRESS_SEARCH_FAILED", Message: "x"}}
			}
			return tx.PutNotification(n)
		})
		if err != nil {
			r.t.Fatalf("%s to %s: %v", protocol, s, err)
		}
	}
}

// Damage prevented: the bytes of a notification that may still be sent are deleted;
// or the disk fills with copies that nobody needs.
func TestRule24FreeSpool(t *testing.T) {
	r := newRig(t)
	free := func(want int) {
		t.Helper()
		n, err := r.ingest.FreeSpool(context.Background())
		if err != nil || n != want {
			t.Errorf("freed %d, %v; want %d", n, err, want)
		}
	}
	r.drop("in/a.csv", "p\nP1;\nP2;\n")
	r.settled()
	free(0)
	sent := []ledger.State{ledger.Uploaded, ledger.Intent, ledger.Submitted}
	r.steps("P1", append(sent, ledger.Accepted)...)
	free(0)
	r.steps("P2", append(sent, ledger.Refused)...)
	free(0) // its automatic attempt is due
	err := r.ledger.Update(context.Background(), func(tx *ledger.Tx) error {
		n, err := tx.ByKey(ledger.Key{Environment: testEnv, SenderTaxID: testSender, Protocol: "P2"})
		if err != nil {
			return err
		}
		n.Automatic = true
		return tx.PutNotification(n)
	})
	if err != nil {
		t.Fatal(err)
	}
	r.dyingAt(StepFreed+After, func() { free(1) })
	if len(r.spool()) == 0 {
		t.Fatal("the copies went before the ledger knew")
	}
	r.restart()
	if left := r.spool(); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	free(0)
	if b := r.one(); !b.SpoolFreed {
		t.Error("not marked as freed")
	}
}

// A batch whose rows are all rejected needs its copies no longer than the archive.
func TestRule24NothingToSend(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "BAD\n")
	r.drop("in/b.csv", "p\n")
	r.settled()
	if n, err := r.ingest.FreeSpool(context.Background()); n != 2 || err != nil || len(r.spool()) != 0 {
		t.Errorf("freed %d, %v, left %v", n, err, r.spool())
	}
}
