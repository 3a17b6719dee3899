package submit

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// stopAt runs a pass that is killed at a step.
func (w *world) stopAt(step string) {
	w.t.Helper()
	w.step = func(name string) error {
		if name == step {
			return errStop
		}
		return nil
	}
	if _, err := w.submitter().Pass(context.Background()); !errors.Is(err, errStop) {
		w.t.Fatalf("the pass was not stopped at %s: %v", step, err)
	}
	w.step = nil
}

// Every kill point: wherever the process dies, a restart sends each notification
// exactly once, and no attempt is counted.
func TestKillPoints(t *testing.T) {
	for _, step := range []string{BeforePreload, AfterPreload, BeforeUpload, AfterUpload, BeforeCreate, AfterCreate} {
		t.Run(step, func(t *testing.T) {
			w := newWorld(t)
			var ids []ledger.ID
			for _, p := range protocols(3) {
				n := w.draft(p)
				w.add(n)
				ids = append(ids, n.ID)
			}
			w.stopAt(step)
			w.restart()
			if _, err := w.submitter().Resolve(context.Background()); err != nil {
				t.Fatal(err)
			}
			w.pass()
			for i, id := range ids {
				n := w.want(id, ledger.Submitted)
				if n.Attempt != 1 {
					t.Errorf("attempt %d", n.Attempt)
				}
				if got := w.send.accepted(protocols(3)[i]); got != 1 {
					t.Errorf("%d notifications at SEND", got)
				}
			}
		})
	}
	for _, step := range []string{BeforeLookup, AfterLookup} {
		t.Run(step, func(t *testing.T) {
			w := newWorld(t)
			id := w.one()
			w.stopAt(AfterCreate)
			w.restart()
			w.stopAt(step)
			w.restart()
			w.pass()
			w.want(id, ledger.Submitted)
			if w.send.count("create") != 1 {
				t.Errorf("%d requests", w.send.count("create"))
			}
		})
	}
}

// A lost answer: the request landed, or not; either way it is there once.
func TestUnknownOutcome(t *testing.T) {
	unknown := &send.Error{Op: "create", Class: send.Unknown}
	for _, landed := range []bool{true, false} {
		t.Run(fmt.Sprintf("landed=%v", landed), func(t *testing.T) {
			w := newWorld(t)
			id := w.one()
			if landed {
				w.send.after = failing("create", 1, unknown)
			} else {
				w.send.before = failing("create", 1, unknown)
			}
			r := w.pass()
			w.want(id, ledger.Intent)
			if r.Next.IsZero() || r.Next.Sub(w.clock.Now()) > 10*time.Second {
				t.Errorf("next at %v", r.Next)
			}
			if w.send.count("lookup") != 0 {
				t.Error("looked up before SEND could know")
			}
			w.clock.add(10 * time.Second)
			w.pass()
			n := w.want(id, ledger.Submitted)
			if w.send.accepted(n.Key.Protocol) != 1 || n.Attempt != 1 || len(n.Warnings) != 0 {
				t.Errorf("%d at SEND, %+v", w.send.accepted(n.Key.Protocol), n)
			}
			// A second request would be refused as a conflict if the first one landed: the
			// platform would forgive what must not be done.
			posts := map[bool]int{true: 1, false: 2}[landed]
			if w.send.count("create") != posts || w.send.count("lookup") == 0 {
				t.Errorf("%d requests and %d look-ups, want %d and at least one", w.send.count("create"), w.send.count("lookup"), posts)
			}
		})
	}
}

// Rule 22: at start every intent is looked up once, before anything is posted, and
// what is absent is not asked for twice.
func TestRule22Resolve(t *testing.T) {
	w := newWorld(t)
	landed, lost := w.draft("TARI-2026-00001"), w.draft("TARI-2026-00002")
	w.add(landed)
	w.stopAt(AfterCreate)
	w.add(lost)
	w.restart()
	w.stopAt(BeforeCreate)
	w.restart()
	s := w.submitter()
	creates := w.send.count("create")
	before := w.send.count("lookup")
	r, err := s.Resolve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	n := w.want(landed.ID, ledger.Submitted)
	if r.Adopted > 1 || !n.SubmittedAt.IsZero() && r.Adopted == 1 {
		t.Errorf("%+v; an adopted notification is still to be read: %v", r, n.SubmittedAt)
	}
	w.want(lost.ID, ledger.Intent)
	if w.send.count("create") != creates {
		t.Error("Resolve posted")
	}
	if _, err := s.Pass(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.want(lost.ID, ledger.Submitted)
	if got := w.send.count("lookup") - before; got > 2 {
		t.Errorf("%d look-ups for two intents", got)
	}
}

// A service that is stopped drains: nothing is blamed for it, and the next start goes
// on.
func TestStoppedByItsContext(t *testing.T) {
	for _, step := range []string{BeforePreload, BeforeUpload, AfterUpload, BeforeCreate, AfterCreate} {
		w := newWorld(t)
		var ids []ledger.ID
		for _, p := range protocols(20) {
			n := w.draft(p)
			w.add(n)
			ids = append(ids, n.ID)
		}
		ctx, cancel := context.WithCancel(context.Background())
		w.step = func(name string) error {
			if name == step {
				cancel()
			}
			return nil
		}
		if _, err := w.submitter().Pass(ctx); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		cancel()
		for _, id := range ids {
			if n := w.get(id); n.LastError != nil || n.Tries != 0 {
				t.Errorf("stopped at %s: %d blames %+v", step, id, n.LastError)
			}
		}
		w.step = nil
		w.restart()
		w.pass()
		for i, id := range ids {
			w.want(id, ledger.Submitted)
			if got := w.send.accepted(protocols(20)[i]); got != 1 {
				t.Errorf("stopped at %s: %d at SEND", step, got)
			}
		}
	}
}
