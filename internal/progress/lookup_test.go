package progress

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// sentOf makes a notification as SEND shows it, from events.
func sentOf(t *testing.T, number int, status string, events ...[]byte) *send.Sent {
	t.Helper()
	s := &send.Sent{IUN: iunNumber(number), SentAt: at(60), Status: status}
	if number == 1 {
		s.IUN = iun
	}
	for _, raw := range events {
		var e send.Event
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		s.Timeline = append(s.Timeline, e.Element)
		s.History = append(s.History, send.StatusChange{Status: e.NewStatus, ActiveFrom: e.Element.EventTime, Elements: []string{e.Element.ID}})
	}
	return s
}

// Rule 23: without an event the acceptance is looked up a day after the 202, then
// hourly with an alarm; never earlier, for every call counts.
func TestRule23Acceptance(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	id := w.submitted(1)
	w.lookups()
	w.clock.add(23 * time.Hour)
	w.lookups()
	if w.send.count("status") != 0 {
		t.Fatal("asked before its time")
	}
	w.send.status["request-1"] = send.RequestStatus{RequestID: "request-1", Status: send.Waiting, RetryAfter: 10}
	w.clock.add(2 * time.Hour)
	if r := w.lookups(); r.Late != 1 {
		t.Errorf("no alarm: %+v", r)
	}
	w.lookups()
	if w.send.count("status") != 1 {
		t.Errorf("%d look-ups at once", w.send.count("status"))
	}
	n := w.want(id, ledger.Submitted)
	if len(n.Warnings) != 1 || n.Warnings[0].Code != "C-ACCEPTANCE-LATE" {
		t.Errorf("%+v", n.Warnings)
	}
	w.clock.add(time.Hour)
	w.lookups()
	if n = w.get(id); len(n.Warnings) != 1 || w.send.count("status") != 2 {
		t.Errorf("%d look-ups, %+v", w.send.count("status"), n.Warnings)
	}
	w.send.status["request-1"] = send.RequestStatus{RequestID: "request-1", Status: send.Accepted, IUN: iun}
	w.send.sent[iun] = sentOf(t, 1, "VIEWED", event(catAccepted, -1, 61, "ACCEPTED", ""), event(catViewed, 0, 90, "VIEWED", ""))
	w.clock.add(time.Hour)
	w.lookups()
	n = w.want(id, ledger.Accepted)
	if n.IUN != iun || n.SENDStatus != "VIEWED" || n.Recipients[0].PerfectedAt.IsZero() {
		t.Errorf("%+v", n)
	}
	calls := w.send.count("status") + w.send.count("sent")
	w.clock.add(30 * 24 * time.Hour)
	if w.lookups(); w.send.count("status")+w.send.count("sent") != calls {
		t.Error("a final notification was asked for")
	}
}

// A poor stream is made good by look-ups at a shorter pace.
func TestRule23ShortPace(t *testing.T) {
	w := newWorld(t)
	w.o = func(o *Options) { o.LookupAfter = 10 * time.Second }
	w.ensure()
	w.submitted(1, func(n *ledger.Notification) { n.NextAttempt = w.clock.Now().Add(10 * time.Second) })
	w.send.status["request-1"] = send.RequestStatus{RequestID: "request-1", Status: send.Waiting}
	for range 3 {
		w.clock.add(10 * time.Second)
		w.lookups()
	}
	if w.send.count("status") != 3 {
		t.Errorf("%d look-ups", w.send.count("status"))
	}
}

func TestRule23Refused(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	id := w.submitted(1)
	w.send.status["request-1"] = send.RequestStatus{RequestID: "request-1", Status: send.Refused, Errors: []send.Refusal{{Code: "TAXID_NOT_VALID"}}}
	w.clock.add(25 * time.Hour)
	w.lookups()
	if n := w.want(id, ledger.Refused); len(n.Refusals) != 1 || n.Refusals[0].Code != "TAXID_NOT_VALID" {
		t.Errorf("%+v", n)
	}
}

// Rule 23: ten days of silence, and the notification is read; what it says counts as
// hearing of it.
func TestRule23Silence(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	id := w.submitted(1)
	w.happen(event(catAccepted, -1, 61, "ACCEPTED", ""))
	w.read()
	w.send.sent[iun] = sentOf(t, 1, "DELIVERING", event(catAccepted, -1, 61, "ACCEPTED", ""), event(catSendAnalog, 0, 70, "DELIVERING", ""))
	w.clock.add(9 * 24 * time.Hour)
	w.lookups()
	if w.send.count("sent") != 0 {
		t.Fatal("asked too early")
	}
	w.clock.add(24 * time.Hour)
	w.lookups()
	if n := w.get(id); n.SENDStatus != "DELIVERING" || w.send.count("sent") != 1 {
		t.Errorf("%s after %d reads", n.SENDStatus, w.send.count("sent"))
	}
	w.prices()
	w.clock.add(5 * 24 * time.Hour)
	if w.lookups(); w.send.count("sent") != 1 {
		t.Error("asked again within the silence")
	}
}

// Rule 22: every adoption is followed by one read, since events may have been missed
// before the ledger knew of the notification.
func TestRule22AdoptedIsReadOnce(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	id := w.submitted(1, func(n *ledger.Notification) {
		n.State, n.IUN, n.SubmittedAt, n.NextAttempt = ledger.Accepted, iun, time.Time{}, w.clock.Now()
	})
	w.send.sent[iun] = sentOf(t, 1, "VIEWED", event(catAccepted, -1, 61, "ACCEPTED", ""), event(catViewed, 0, 90, "VIEWED", ""))
	w.lookups()
	w.lookups()
	n := w.get(id)
	if w.send.count("sent") != 1 || n.SENDStatus != "VIEWED" || !n.SubmittedAt.Equal(at(60)) {
		t.Errorf("%d reads, %+v", w.send.count("sent"), n)
	}
}

// Rules 21 and 23: after a gap longer than SEND keeps events everything open is
// looked up once, what is newer is not, and a restart goes on where it was.
func TestRule23SweepAfterAGap(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	w.read()
	w.lookups()
	for i := 1; i <= 250; i++ {
		w.submitted(i, func(n *ledger.Notification) { n.NextAttempt = w.clock.Now().Add(250 * time.Hour) })
		w.send.status[w.get(ledger.ID(i)).RequestID] = send.RequestStatus{Status: send.Waiting}
	}
	w.clock.add(8 * 24 * time.Hour)
	w.read()
	if s := w.stream(); !s.Sweep {
		t.Fatalf("%+v", s)
	}
	w.clock.add(time.Minute)
	w.submitted(251)
	w.o = func(o *Options) { o.PerCall = 100 }
	if r := w.lookups(); !r.More || w.send.count("status") != 100 {
		t.Errorf("%+v after %d", r, w.send.count("status"))
	}
	w.restart()
	w.lookups()
	w.lookups()
	w.lookups()
	if w.send.count("status") != 250 || w.stream().Sweep {
		t.Errorf("%d look-ups, %+v", w.send.count("status"), w.stream())
	}
}

// What is left of the events after a gap may end a notification whose expired events were
// never read: the stream waits for the sweep, also where it was replaced meanwhile, but
// for two days at most, or the events that wait expire too.
func TestStreamWaitsForItsSweep(t *testing.T) {
	for name, meanwhile := range map[string]func(*world){
		"as it was":          func(*world) {},
		"gone":               func(w *world) { w.send.streams = nil },
		"of another version": func(w *world) { w.send.versions[w.stream().StreamID] = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.ensure()
			w.read()
			w.lookups()
			for i := 1; i <= 50; i++ { // enough for a door that is taken to be closed
				id := w.submitted(i, func(n *ledger.Notification) { n.NextAttempt = w.clock.Now().Add(1000 * time.Hour) })
				w.send.status[w.get(id).RequestID] = send.RequestStatus{Status: send.Waiting}
			}
			w.clock.add(8 * 24 * time.Hour)
			meanwhile(w)
			w.restart()
			w.ensure()
			w.send.fault = func(op string, _ int) error {
				if op == "status" {
					return &send.Error{Op: op, Class: send.Transient, Status: 503}
				}
				return nil
			}
			read := w.send.count("events")
			for range 47 {
				if w.read(); w.send.count("events") != read {
					t.Fatal("read before its sweep")
				}
				w.lookups()
				w.clock.add(time.Hour)
			}
			w.clock.add(90 * time.Minute)
			if w.read(); w.send.count("events") == read {
				t.Error("after two days it still waits")
			}
			if s := w.stream(); !s.Sweep {
				t.Error("the sweep was given up")
			}
			w.send.fault = nil
			w.clock.add(time.Hour)
			asked := w.send.count("status")
			w.lookups()
			if n := w.send.count("status") - asked; n < 50 || w.stream().Sweep {
				t.Errorf("%d look-ups, %+v", n, w.stream())
			}
		})
	}
}

// When nothing answers, the queue of look-ups is not tried one by one.
func TestLookupsStop(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	for i := 1; i <= 100; i++ {
		w.submitted(i)
	}
	w.clock.add(25 * time.Hour)
	w.send.fault = func(op string, _ int) error { return &send.Error{Op: op, Class: send.Transient} }
	w.lookups()
	if n := w.send.count("status"); n > 20 {
		t.Errorf("%d calls at a closed door", n)
	}
}

// accepted gives a notification with one document promised.
func (w *world) withDocument(filename, body string) ledger.ID {
	w.t.Helper()
	w.ensure()
	id := w.submitted(1)
	w.happen(event(catAccepted, -1, 61, "ACCEPTED", "", `"legalFactsIds":[{"key":"safestorage://PN_LEGAL_FACTS-1.pdf","category":"SENDER_ACK"}]`))
	w.read()
	w.send.facts[iun+" PN_LEGAL_FACTS-1.pdf"] = send.Download{Filename: filename, ContentLength: int64(len(body)), URL: "https://store/1"}
	w.send.bodies["https://store/1"] = body
	return id
}

func (w *world) artifact(id ledger.ID) *ledger.Artifact {
	w.t.Helper()
	var a *ledger.Artifact
	w.view(func(tx *ledger.Tx) error {
		all, err := tx.Artifacts(id)
		if len(all) != 1 {
			w.t.Fatalf("%d documents", len(all))
		}
		a = all[0]
		return err
	})
	return a
}

// Rule 29 and promise 5: what is committed as fetched lies whole in the spool.
func TestRule29Fetch(t *testing.T) {
	const body = "%PDF-1.7 presa in carico"
	check := func(t *testing.T, w *world, id ledger.ID) {
		t.Helper()
		a := w.artifact(id)
		content, err := os.ReadFile(filepath.Join(w.data, filepath.FromSlash(a.Spool)))
		if a.State != ledger.Fetched || err != nil || string(content) != body || a.Size != int64(len(body)) || len(a.Hash) != 64 {
			t.Errorf("%+v, %q, %v", a, content, err)
		}
		left, _ := filepath.Glob(filepath.Join(w.data, "spool", "fetched", "*", "*.tmp"))
		if len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	t.Run("at once", func(t *testing.T) {
		w := newWorld(t)
		id := w.withDocument("fatto.pdf", body)
		if r := w.fetch(); r.Fetched != 1 {
			t.Errorf("%+v", r)
		}
		check(t, w, id)
		if w.fetch(); w.send.count("fetch") != 1 {
			t.Error("fetched twice")
		}
	})
	t.Run("from cold storage", func(t *testing.T) {
		w := newWorld(t)
		id := w.withDocument("fatto.pdf", body)
		d := w.send.facts[iun+" PN_LEGAL_FACTS-1.pdf"]
		w.send.facts[iun+" PN_LEGAL_FACTS-1.pdf"] = send.Download{Filename: "fatto.pdf", RetryAfter: 5 * time.Hour}
		w.fetch()
		w.fetch()
		if w.send.count("fact") != 1 {
			t.Errorf("asked %d times", w.send.count("fact"))
		}
		w.send.facts[iun+" PN_LEGAL_FACTS-1.pdf"] = d
		w.clock.add(5 * time.Hour)
		w.fetch()
		check(t, w, id)
	})
	t.Run("killed", func(t *testing.T) {
		for _, step := range []string{BeforeDownload, AfterDownload} {
			w := newWorld(t)
			id := w.withDocument("fatto.pdf", body)
			w.step = func(name string) error {
				if name == step {
					return errStop
				}
				return nil
			}
			if _, err := w.progress().Fetch(t.Context()); !errors.Is(err, errStop) {
				t.Fatal(err)
			}
			w.step = nil
			w.restart()
			w.fetch()
			check(t, w, id)
		}
	})
	for name, serve := range map[string]string{"half": body[:10], "empty": "", "an error page": "<html>nothing here :-("} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			id := w.withDocument("fatto.pdf", body)
			w.send.bodies["https://store/1"] = serve
			w.fetch()
			if a := w.artifact(id); a.State != ledger.Wanted || a.Tries != 1 || a.LastError == "" {
				t.Errorf("%+v", a)
			}
			w.send.bodies["https://store/1"] = body
			w.clock.add(time.Hour)
			w.fetch()
			check(t, w, id)
		})
	}
	t.Run("a receipt is no PDF", func(t *testing.T) {
		w := newWorld(t)
		id := w.withDocument("ricevuta.eml", "From: pec")
		w.fetch()
		if a := w.artifact(id); a.State != ledger.Fetched || filepath.Ext(a.Spool) != ".eml" {
			t.Errorf("%+v", a)
		}
	})
	t.Run("gone for ever", func(t *testing.T) {
		w := newWorld(t)
		id := w.withDocument("fatto.pdf", body)
		w.send.fault = func(op string, _ int) error {
			if op == "fact" {
				return &send.Error{Op: op, Class: send.Rejected, Status: 500, Details: []send.Detail{{Code: "PN_DELIVERYPUSH_FILE_GONE"}}}
			}
			return nil
		}
		w.fetch()
		if a := w.artifact(id); a.State != ledger.Gone || a.LastError == "" {
			t.Errorf("%+v", a)
		}
	})
	t.Run("not there yet", func(t *testing.T) {
		w := newWorld(t)
		id := w.withDocument("fatto.pdf", body)
		d := w.send.facts[iun+" PN_LEGAL_FACTS-1.pdf"]
		delete(w.send.facts, iun+" PN_LEGAL_FACTS-1.pdf")
		w.fetch()
		w.send.facts[iun+" PN_LEGAL_FACTS-1.pdf"] = d
		w.clock.add(10 * time.Second)
		w.fetch()
		check(t, w, id)
	})
}

// A cost is asked for when an event says that it changed, for notices that carry it,
// and logged once for each change.
func TestPrices(t *testing.T) {
	w := newWorld(t)
	w.ensure()
	id := w.submitted(1)
	flat := w.submitted(2, func(n *ledger.Notification) { n.Request.NotificationFeePolicy = "FLAT_RATE" })
	price := func(total int) {
		w.send.prices[senderTaxID+" 302000100000000001"] = send.Price{PartialPrice: total - 100, TotalPrice: total}
	}
	price(200)
	w.happen(event(catAccepted, -1, 61, "ACCEPTED", ""), of(2, event(catAccepted, -1, 61, "ACCEPTED", "")))
	w.read()
	w.prices()
	if w.send.count("price") != 0 {
		t.Fatal("asked although nothing was sent yet")
	}
	w.happen(event(catSendDigital, 0, 62, "DELIVERING", ""), of(2, event(catSendAnalog, 0, 62, "DELIVERING", "")))
	w.clock.add(time.Minute)
	w.read()
	w.prices()
	w.prices()
	n := w.get(id)
	if n.Recipients[0].CostCent == nil || *n.Recipients[0].CostCent != 200 || n.Recipients[0].CostFinal || w.send.count("price") != 1 {
		t.Fatalf("%+v after %d calls", n.Recipients[0], w.send.count("price"))
	}
	if w.get(flat).Recipients[0].CostCent != nil {
		t.Error("a flat rate has no cost")
	}
	price(871)
	w.happen(event(catSendAnalog, 0, 70, "DELIVERING", ""))
	w.clock.add(time.Minute)
	w.read()
	w.restart() // the doubt is in the ledger, not in memory
	w.prices()
	w.happen(event(catRefinement, 0, 80, "EFFECTIVE_DATE", ""))
	w.clock.add(time.Minute)
	w.read()
	w.prices()
	if n = w.get(id); *n.Recipients[0].CostCent != 871 || !n.Recipients[0].CostFinal {
		t.Errorf("%+v", n.Recipients[0])
	}
	w.view(func(tx *ledger.Tx) error {
		log, err := tx.CostChanges("out", 1, 100)
		if len(log) != 3 || log[0].Total != 200 || log[1].Total != 871 || log[1].Final || !log[2].Final || !log[0].ToUpdate {
			t.Errorf("%+v", log)
		}
		return err
	})
}

func TestAskPrice(t *testing.T) {
	w := newWorld(t)
	w.send.prices[senderTaxID+" 302000100000000001"] = send.Price{TotalPrice: 300}
	got, err := w.progress().AskPrice(t.Context(), senderTaxID, "302000100000000001")
	if err != nil || got.TotalPrice != 300 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := w.progress().AskPrice(t.Context(), senderTaxID, "302000100000000002"); send.ClassOf(err) != send.NotFound {
		t.Errorf("%v", err)
	}
}

// Rule 23: what was heard, or put off, while the clock was years ahead says nothing
// about silence nor about gaps: the notification would be asked for, and the gap noticed,
// when that time really comes.
func TestRule23HeardUnderAFalseClock(t *testing.T) {
	const years = 6 * 365 * 24 * time.Hour
	w := newWorld(t)
	w.clock.add(years)
	w.ensure()
	id := w.submitted(1)
	w.happen(event(catAccepted, -1, 61, "ACCEPTED", ""))
	w.read()
	w.lookups()
	w.prices()
	w.send.sent[iun] = sentOf(t, 1, "DELIVERING", event(catAccepted, -1, 61, "ACCEPTED", ""), event(catSendAnalog, 0, 70, "DELIVERING", ""))
	if n := w.get(id); n.State != ledger.Accepted || w.send.count("sent") != 0 {
		t.Fatalf("%s after %d reads", n.State, w.send.count("sent"))
	}
	w.clock.add(-years)
	reads := func(what string, want int) {
		t.Helper()
		w.lookups()
		w.prices()
		if w.lookups(); w.send.count("sent") != want {
			t.Errorf("%s: %d reads, want %d", what, w.send.count("sent"), want)
		}
	}
	reads("the clock was mended", 1)
	if n := w.get(id); n.SENDStatus != "DELIVERING" {
		t.Errorf("still %s", n.SENDStatus)
	}
	w.clock.add(9 * 24 * time.Hour)
	reads("within the silence", 1)
	w.clock.add(24 * time.Hour)
	reads("after the silence", 2)

	w.read() // last read in the future: a gap of unknown length
	if s := w.stream(); !s.Sweep || s.LastRead.After(w.clock.Now()) {
		t.Errorf("no sweep: %+v", s)
	}
	reads("swept", 3)
	if s := w.stream(); s.Sweep {
		t.Errorf("the sweep has no end: %+v", s)
	}
}
