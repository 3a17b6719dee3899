package progress

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

func replaceAll(s string, pairs map[string]string) string {
	for from, to := range pairs {
		s = strings.ReplaceAll(s, from, to)
	}
	return s
}

// Rule 21: the stream is there before the first send, with every category asked for
// by name, and is found again by its title; a second one would share the events of
// neither.
func TestRule21Ensure(t *testing.T) {
	t.Run("created once", func(t *testing.T) {
		w := newWorld(t)
		w.ensure()
		w.ensure()
		if len(w.send.streams) != 1 {
			t.Fatalf("%d streams", len(w.send.streams))
		}
		s := w.send.streams[0]
		if s.Title != "sendconnector/prova" || s.EventType != "TIMELINE" || !s.WaitForAccepted || len(s.Filter) < 25 {
			t.Errorf("%+v", s)
		}
		if !strings.Contains(strings.Join(s.Filter, " "), catTimelineReworked) || w.stream().StreamID != s.ID {
			t.Errorf("%+v", s.Filter)
		}
	})
	t.Run("killed between creation and record", func(t *testing.T) {
		w := newWorld(t)
		n := 0
		w.step = func(name string) error {
			if name == AfterEnsure {
				if n++; n == 2 { // the first is the list
					return errStop
				}
			}
			return nil
		}
		if err := w.progress().Ensure(context.Background()); !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		w.step = nil
		w.restart()
		w.ensure()
		if len(w.send.streams) != 1 {
			t.Errorf("%d streams", len(w.send.streams))
		}
	})
	t.Run("gone", func(t *testing.T) {
		w := newWorld(t)
		w.ensure()
		w.send.streams = nil
		w.ensure()
		if len(w.send.streams) != 1 || !w.stream().Sweep {
			t.Errorf("%d streams, %+v", len(w.send.streams), w.stream())
		}
	})
	t.Run("disabled", func(t *testing.T) {
		w := newWorld(t)
		w.ensure()
		w.send.streams[0].Disabled = w.clock.Now()
		w.ensure()
		if len(w.send.streams) != 2 || w.stream().StreamID != "stream-2" || !w.stream().Sweep {
			t.Errorf("%+v", w.stream())
		}
	})
	t.Run("of another version", func(t *testing.T) {
		w := newWorld(t)
		w.ensure()
		w.send.versions["stream-1"] = true
		w.ensure()
		if len(w.send.streams) != 2 || w.send.streams[1].Version != "stream-1" || w.stream().StreamID != "stream-2" {
			t.Errorf("not replaced: %+v", w.send.streams)
		}
	})
	t.Run("too many", func(t *testing.T) {
		w := newWorld(t)
		w.send.fault = func(op string, _ int) error {
			if op == "create stream" {
				return &send.Error{Op: op, Class: send.Held, Reason: send.HeldStream, Status: 409}
			}
			return nil
		}
		if err := w.progress().Ensure(context.Background()); err == nil {
			t.Fatal("no error")
		}
		w.view(func(tx *ledger.Tx) error {
			holds, err := tx.Holds()
			if len(holds) != 1 || holds[0].Reason != send.HeldStream {
				t.Errorf("%+v", holds)
			}
			return err
		})
	})
	t.Run("disabled under a process that runs for long", func(t *testing.T) {
		w := newWorld(t)
		p := w.progress()
		if err := p.Ensure(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.send.streams[0].Disabled = w.clock.Now()
		for range 2 {
			w.clock.add(13 * time.Hour)
			if _, err := p.ReadStream(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if w.stream().StreamID != "stream-2" || w.send.count("stream") != 1 {
			t.Errorf("%+v after %d questions", w.stream(), w.send.count("stream"))
		}
	})
	t.Run("gone while reading", func(t *testing.T) {
		w := newWorld(t)
		w.ensure()
		w.send.streams[0].ID = "somebody deleted it"
		w.send.streams[0].Title = "x"
		w.read()
		if w.stream().StreamID != "stream-2" {
			t.Errorf("%+v", w.stream())
		}
	})
}

// A whole life, heard by the stream alone.
func TestReadStream(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	id := w.submitted(1)
	w.happen(
		event(catAccepted, -1, 61, "ACCEPTED", "", `"legalFactsIds":[{"key":"safestorage://PN_LEGAL_FACTS-1.pdf","category":"SENDER_ACK"}]`),
		event(catSendDigital, 0, 70, "DELIVERING", ""),
	)
	r := w.read()
	n := w.want(id, ledger.Accepted)
	if r.Events != 2 || n.IUN != iun || n.SENDStatus != "DELIVERING" || !n.Recipients[0].Dispatched || !n.AcceptedAt.Equal(at(61)) {
		t.Errorf("%+v, %+v", r, n)
	}
	if !n.Recipients[0].CostStale || n.NextAttempt.After(w.clock.Now()) {
		t.Error("the cost is not asked for")
	}
	if n.Recipients[0].Expected != 1 {
		t.Errorf("%d documents expected", n.Recipients[0].Expected)
	}
	w.happen(event(catViewed, 0, 90, "VIEWED", ""))
	w.clock.add(time.Minute)
	w.read()
	if n = w.get(id); n.SENDStatus != "VIEWED" || !n.Recipients[0].PerfectedAt.Equal(at(90)) {
		t.Errorf("%+v", n)
	}
}

// SEND's waiting time is an order: reading earlier is answered 429 and fails the
// certification; and it is the ledger that remembers it.
func TestReadStreamObeysRetryAfter(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	w.send.pause = 10 * time.Minute
	w.read()
	calls := w.send.count("events")
	w.restart()
	if r := w.read(); !r.Next.Equal(w.clock.Now().Add(10*time.Minute)) || w.send.count("events") != calls {
		t.Errorf("next %v after %d calls", r.Next, w.send.count("events"))
	}
	w.clock.add(10 * time.Minute)
	w.read()
	if w.send.count("events") != calls+1 || w.send.early != 0 {
		t.Errorf("%d calls, %d too early", w.send.count("events"), w.send.early)
	}
}

// A failing stream must not be read in a loop, nor forgotten.
func TestReadStreamFails(t *testing.T) {
	for _, e := range []*send.Error{
		{Class: send.Transient},
		{Class: send.Transient, Status: 429, RetryAfter: 5 * time.Second},
		{Class: send.Held, Reason: send.HeldAPIKey},
		{Class: send.Held, Reason: send.HeldBudget, RetryAfter: time.Hour},
		{Class: send.Fatal},
	} {
		w := newWorld(t)
		w.ensure()
		id := w.submitted(1)
		w.happen(event(catAccepted, -1, 61, "ACCEPTED", ""))
		w.send.fault = func(op string, _ int) error {
			if op == "events" {
				return e
			}
			return nil
		}
		w.read()
		if w.read(); w.send.count("events") != 1 {
			t.Errorf("%+v: %d reads", e, w.send.count("events"))
		}
		w.send.fault = nil
		w.clock.add(2 * time.Hour)
		w.read()
		w.want(id, ledger.Accepted)
	}
}

// Damage: the daily check of the stream fails, and events that wait are not read until
// SEND has thrown them away.
func TestDailyCheckFails(t *testing.T) {
	for _, e := range []*send.Error{{Class: send.Transient, Status: 503}, {Class: send.Fatal}, {Class: send.Held, Reason: send.HeldStream}} {
		w := newWorld(t)
		p := w.progress()
		if err := p.Ensure(context.Background()); err != nil {
			t.Fatal(err)
		}
		id := w.submitted(1)
		w.happen(event(catAccepted, -1, 61, "ACCEPTED", ""))
		before := w.send.count("stream")
		w.send.fault = func(op string, _ int) error {
			if op == "stream" || op == "list" || op == "create" {
				return e
			}
			return nil
		}
		w.clock.add(25 * time.Hour)
		for range 150 {
			r, err := p.ReadStream(context.Background())
			if err != nil || !r.Next.After(w.clock.Now()) {
				t.Fatalf("%v: next at %v, %v", e, r.Next, err)
			}
			w.clock.add(time.Minute)
		}
		w.want(id, ledger.Accepted)
		if n := w.send.count("stream") - before; n < 2 || n > 3 {
			t.Errorf("%v: checked %d times in two and a half hours, want once an hour", e, n)
		}
	}
}

// Rule 22: a page is acknowledged only after its commit. Killed anywhere, no event
// is lost and none counts twice.
func TestRule22PageKilled(t *testing.T) {
	for _, step := range []string{BeforeEvents, AfterEvents} {
		for nth := 1; nth <= 4; nth++ {
			w := newWorld(t)
			w.ensure()
			var ids []ledger.ID
			for i := 1; i <= 60; i++ { // two pages
				ids = append(ids, w.submitted(i))
				w.happen(of(i, event(catAccepted, -1, 61, "ACCEPTED", "")))
			}
			seen := 0
			w.step = func(name string) error {
				if name == step {
					if seen++; seen == nth {
						return errStop
					}
				}
				return nil
			}
			_, err := w.progress().ReadStream(context.Background())
			if err != nil && !errors.Is(err, errStop) {
				t.Fatal(err)
			}
			w.step = nil
			w.restart()
			w.clock.add(time.Minute)
			w.read()
			for i, id := range ids {
				if n := w.want(id, ledger.Accepted); n.IUN != iunNumber(i+1) {
					t.Fatalf("%d has %s", i+1, n.IUN)
				}
			}
		}
	}
}

// Rule 22: what matches by protocol and token is ours; an intent is not adopted by
// an event alone, and its event is not lost.
func TestRule22MatchByToken(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	id := w.submitted(1, func(n *ledger.Notification) {
		n.State, n.RequestID, n.SubmittedAt, n.NextAttempt = ledger.Intent, "", time.Time{}, w.clock.Now().Add(time.Hour)
	})
	n := w.get(id)
	w.happen(event(catAccepted, -1, 61, "ACCEPTED", fmt.Sprintf(`"paProtocolNumber":%q,"idempotenceToken":%q`, n.Key.Protocol, n.Token)))
	if r := w.read(); r.Orphans != 0 {
		t.Errorf("%+v", r)
	}
	n = w.want(id, ledger.Intent)
	if !n.NextAttempt.IsZero() {
		t.Error("its look-up is not due at once")
	}
	// The look-up of package submit learns the request id and has the events applied.
	p := w.progress()
	w.update(func(tx *ledger.Tx) error {
		n, err := tx.Notification(id)
		if err != nil {
			return err
		}
		n.State, n.RequestID, n.SubmittedAt = ledger.Submitted, "request-1", w.clock.Now()
		if err := tx.PutNotification(n); err != nil {
			return err
		}
		return p.Settle(tx, n)
	})
	if n = w.want(id, ledger.Accepted); n.IUN != iun {
		t.Errorf("%+v", n)
	}
}

// Rule 22: events that match nothing wait eight days for their request id, then they
// go: they may be another system's personal data.
func TestRule22Orphans(t *testing.T) {
	orphans := func(w *world) int {
		n := 0
		w.view(func(tx *ledger.Tx) error {
			found, err := tx.OrphansFor("request-1", "", "")
			n = len(found)
			return err
		})
		return n
	}
	t.Run("applied", func(t *testing.T) {
		w := newWorld(t)
		w.ensure()
		w.happen(event(catAccepted, -1, 61, "ACCEPTED", ""), event(catSendDigital, 0, 62, "DELIVERING", ""))
		if r := w.read(); r.Orphans != 2 || orphans(w) != 2 {
			t.Fatalf("%+v, %d kept", r, orphans(w))
		}
		id := w.submitted(1)
		p := w.progress()
		w.update(func(tx *ledger.Tx) error {
			n, err := tx.Notification(id)
			if err != nil {
				return err
			}
			return p.Settle(tx, n)
		})
		if n := w.want(id, ledger.Accepted); n.SENDStatus != "DELIVERING" || orphans(w) != 0 {
			t.Errorf("%+v, %d left", n, orphans(w))
		}
	})
	t.Run("with the next event", func(t *testing.T) {
		w := newWorld(t)
		w.ensure()
		w.happen(event(catAccepted, -1, 61, "ACCEPTED", ""))
		w.read()
		id := w.submitted(1)
		w.happen(event(catSendDigital, 0, 62, "DELIVERING", ""))
		w.clock.add(time.Minute)
		w.read()
		if n := w.want(id, ledger.Accepted); !n.AcceptedAt.Equal(at(61)) || orphans(w) != 0 {
			t.Errorf("%+v, %d left", n, orphans(w))
		}
	})
	t.Run("forgotten", func(t *testing.T) {
		w := newWorld(t)
		w.ensure()
		w.happen(event(catAccepted, -1, 61, "ACCEPTED", ""))
		w.read()
		for range 9 {
			w.clock.add(24 * time.Hour)
			w.read()
		}
		if orphans(w) != 0 {
			t.Error("another system's data is still here")
		}
	})
}

// The events of a refused attempt stay in the ledger; they must not refuse the next.
func TestEventsOfEarlierAttempts(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	id := w.submitted(1)
	w.happen(event(catRefused, -1, 61, "REFUSED", `"refusalReasons":[{"errorCode":"FILE_NOTFOUND"}],"notificationCost":100`))
	w.read()
	n := w.want(id, ledger.Refused)
	if len(n.Refusals) != 1 || n.Refusals[0].Code != "FILE_NOTFOUND" || n.RefusalCent != 100 {
		t.Fatalf("%+v", n)
	}
	w.update(func(tx *ledger.Tx) error {
		n, err := tx.Notification(id)
		if err != nil {
			return err
		}
		return tx.NextAttempt(n, ledger.Proof{At: w.clock.Now(), Token: n.Token, Status: send.Refused})
	})
	w.update(func(tx *ledger.Tx) error {
		n, err := tx.Notification(id)
		if err != nil {
			return err
		}
		for _, s := range []ledger.State{ledger.Uploaded, ledger.Intent, ledger.Submitted} {
			n.State, n.RequestID = s, "request-2"
			for i := range n.Documents {
				n.Documents[i].Key, n.Documents[i].Version = "k", "v"
			}
			if err := tx.PutNotification(n); err != nil {
				return err
			}
		}
		return nil
	})
	w.happen(of(2, event(catAccepted, -1, 80, "ACCEPTED", "")))
	w.clock.add(time.Minute)
	w.read()
	if n = w.want(id, ledger.Accepted); n.IUN != iunNumber(2) {
		t.Errorf("%+v", n)
	}
}

// One event that nobody understands must not hold up the stream, nor be lost.
func TestPoisonedEvents(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	id := w.submitted(1)
	w.happen(
		[]byte(`{"notificationRequestId":"request-1","element":"what is this"}`),
		[]byte(`[1,2,3]`),
		[]byte(`{"notificationRequestId":"request-1","iun":"`+iun+`","newStatus":"TELEPORTED","element":{"elementId":"NEW.IUN_x","category":"NEW_THING","details":[]}}`),
		event(catAccepted, -1, 61, "ACCEPTED", ""),
	)
	w.read()
	w.want(id, ledger.Accepted)
	w.view(func(tx *ledger.Tx) error {
		kept := 0
		err := tx.Events(id, func(*ledger.Event) bool { kept++; return true })
		if kept != 2 {
			t.Errorf("%d events kept", kept)
		}
		return err
	})
	if s := w.stream(); s.LastEventID == "" || len(w.send.events["stream-1"]) > 4 {
		t.Errorf("%+v", s)
	}
}

// A correction takes back what was told, in the ledger too, and the notification is
// read once, since the stream's account of a correction is terse.
func TestRework(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	id := w.submitted(1)
	refinement := event(catRefinement, 0, 70, "EFFECTIVE_DATE", "")
	w.happen(event(catAccepted, -1, 61, "ACCEPTED", ""), event(catSendAnalog, 0, 62, "DELIVERING", ""), refinement)
	w.read()
	if n := w.get(id); n.Recipients[0].PerfectedAt.IsZero() {
		t.Fatal("not perfected")
	}
	w.happen(event(catTimelineReworked, 0, 80, "DELIVERING",
		`"invalidatedTimelineAndStatusHistory":[{"status":"EFFECTIVE_DATE","relatedTimelineElements":["REFINEMENT.IUN_`+iun+`.RECINDEX_0"]}]`))
	w.clock.add(time.Minute)
	w.read()
	n := w.get(id)
	if !n.Recipients[0].PerfectedAt.IsZero() || n.SENDStatus != "DELIVERING" {
		t.Errorf("still %s, %+v", n.SENDStatus, n.Recipients[0])
	}
	w.send.sent[iun] = sentOf(t, 1, "DELIVERING", event(catAccepted, -1, 61, "ACCEPTED", ""))
	if r := w.lookups(); r.Asked != 1 {
		t.Errorf("read %d times", r.Asked)
	}
	if r := w.lookups(); r.Asked != 0 {
		t.Error("read again and again")
	}
}

// A page of which one notification cannot be written must not be lost, nor hold up
// the others: its event is kept raw and the stream goes on.
func TestPageWithOneThatCannotBeApplied(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	sound := w.submitted(1)
	stuck := w.submitted(2, func(n *ledger.Notification) { n.State, n.ReplacedBy = ledger.Submitted, sound })
	w.happen(of(2, event(catAccepted, -1, 61, "ACCEPTED", "")), event(catAccepted, -1, 61, "ACCEPTED", ""))
	w.read()
	w.want(sound, ledger.Accepted)
	w.want(stuck, ledger.Submitted)
	w.view(func(tx *ledger.Tx) error {
		kept := 0
		err := tx.Events(stuck, func(*ledger.Event) bool { kept++; return true })
		if kept != 1 {
			t.Errorf("%d events kept", kept)
		}
		return err
	})
	if w.stream().LastEventID == "" {
		t.Error("the page is not acknowledged")
	}
	w.update(func(tx *ledger.Tx) error { // what only the test could make is taken away again
		n, err := tx.Notification(stuck)
		if err != nil {
			return err
		}
		n.ReplacedBy = 0
		return tx.PutNotification(n)
	})
}
