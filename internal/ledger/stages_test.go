package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sendconnector/internal/notification"
)

// Damage: a step that the state table forbids (a POST after DISCARDED, ACCEPTED put
// back to SUBMITTED by a late worker) goes through.
func TestStateTable(t *testing.T) {
	all := []State{Ready, Uploaded, Intent, Submitted, Accepted, Refused, RefusedAtOnce, Cancelled, Discarded}
	allowed := map[State]string{
		Ready:         "UPLOADED REFUSED_AT_ONCE DISCARDED",
		Uploaded:      "READY INTENT REFUSED_AT_ONCE DISCARDED",
		Intent:        "UPLOADED SUBMITTED ACCEPTED REFUSED REFUSED_AT_ONCE CANCELLED",
		Submitted:     "ACCEPTED REFUSED CANCELLED",
		Accepted:      "CANCELLED",
		Refused:       "SUBMITTED ACCEPTED CANCELLED",
		RefusedAtOnce: "SUBMITTED ACCEPTED REFUSED CANCELLED",
		Cancelled:     "ACCEPTED",
		Discarded:     "",
	}
	for _, from := range all {
		for _, to := range all {
			n := Notification{ID: 1, State: from, Attempt: 1}
			next := n
			next.State = to
			err := checkStep(&hot{Notification: n}, &next)
			want := from == to || slices.Contains(strings.Fields(allowed[from]), string(to))
			if (err == nil) != want {
				t.Errorf("%s to %s: %v", from, to, err)
			}
		}
	}
	half := Notification{ID: 1, State: Uploaded, Attempt: 1, Documents: []Document{{Key: "k"}}}
	if err := checkStep(&hot{Notification: Notification{ID: 1, State: Ready, Attempt: 1}}, &half); err == nil {
		t.Error("UPLOADED with half its documents")
	}
}

// Damage: two workers send the same notification; or work that a worker dropped is
// lost until the next start.
func TestWorkIsTakenOnce(t *testing.T) {
	w := newWorld(t)
	w.drop(tari(1), tari(2), tari(3))
	a, err := w.l.DueToSend(bg, "comune", 2)
	w.ok(err)
	b, err := w.l.DueToSend(bg, "comune", 10)
	w.ok(err)
	if len(a) != 2 || len(b) != 1 || b[0].ID == a[0].ID || b[0].ID == a[1].ID {
		t.Fatalf("%d and %d taken", len(a), len(b))
	}
	w.step(a[0].ID, Uploaded) // a commit in between does not give it back
	if c, err := w.l.DueToSend(bg, "comune", 10); err != nil || len(c) != 0 {
		t.Fatalf("%d taken twice, %v", len(c), err)
	}
	w.l.Done(a[0].ID, a[1].ID)
	if c := w.due(); len(c) != 2 {
		t.Fatalf("given back: %v", c)
	}
	w.restart()
	if c := w.due(); len(c) != 3 {
		t.Fatalf("after a crash: %v", c)
	}
	if c, err := w.l.DueToSend(bg, "altro", 10); err != nil || len(c) != 0 {
		t.Fatalf("another sender's work: %v %v", c, err)
	}
}

// Damage: a retry is due before its time, or never.
func TestRetriesComeBackInTime(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1), tari(2))
	at := w.now.Add(10 * time.Minute)
	w.step(v[0].ID, Ready, func(n *Notification) {
		n.Tries, n.NextAttempt = 1, at
		n.LastError = &notification.Problem{Severity: notification.Warning, Code: "C-SEND-UNREACHABLE", Message: "x"}
	})
	equal(t, "now", w.due(), []ID{v[1].ID})
	if next, err := w.l.NextDue(bg); err != nil || !next.Equal(at) {
		t.Fatal(next, err)
	}
	w.now = at
	equal(t, "then", w.due(), []ID{v[0].ID, v[1].ID})
	w.send(v[1].ID)
	ask := func() int {
		found, err := w.l.DueToAsk(bg, "comune", 10, 30*24*time.Hour)
		w.ok(err)
		for _, n := range found {
			w.l.Done(n.ID)
		}
		return len(found)
	}
	if ask() != 0 {
		t.Fatal("asked before acceptance.lookup_after")
	}
	w.now = w.now.Add(24 * time.Hour)
	if ask() != 1 {
		t.Fatal("not asked after 24 h")
	}
}

// Damage: a document is never fetched or never published, or counted twice.
func TestArtifacts(t *testing.T) {
	w := newWorld(t)
	b, v := w.drop(tari(1))
	w.send(v[0].ID)
	w.accept(v[0].ID)
	_, mark := w.news(1)
	put := func(a *Artifact) { w.t.Helper(); w.update(func(tx *Tx) error { return tx.PutArtifact(a) }) }
	ack := &Artifact{ID: v[0].ID, Key: "PN_LEGAL_FACTS-1", Category: "SENDER_ACK", Recipient: -1, State: Wanted}
	put(ack)
	put(ack)
	if l := w.allLines(b.ID)[0]; l.Expected != 1 || l.Got != 0 {
		t.Fatalf("%d of %d", l.Got, l.Expected)
	}
	take := func(place bool) int {
		w.t.Helper()
		f, name := w.l.DueArtifacts, "comune"
		if place {
			f, name = w.l.ArtifactsToPlace, "tari"
		}
		found, err := f(bg, name, 10)
		w.ok(err)
		return len(found)
	}
	if take(false) != 1 || take(false) != 0 || take(true) != 0 {
		t.Fatal("not taken exactly once")
	}
	ack.State = Fetched
	put(ack)
	if take(false) != 0 || take(true) != 1 {
		t.Fatal("a fetched document is not for the outbox")
	}
	ack.State = Placed
	put(ack)
	if take(true) != 0 {
		t.Fatal("placed twice")
	}
	if l := w.allLines(b.ID)[0]; l.Expected != 1 || l.Got != 1 {
		t.Fatalf("%d of %d", l.Got, l.Expected)
	}
	late := &Artifact{ID: v[0].ID, Key: "K2", Recipient: 0, State: Wanted, NextAttempt: w.now.Add(time.Hour)}
	put(late)
	if take(false) != 0 {
		t.Fatal("due before its time")
	}
	late.State = Gone
	put(late)
	if l := w.allLines(b.ID)[0]; l.Expected != 1 {
		t.Fatalf("a document that will not come is expected: %d", l.Expected)
	}
	told, _ := w.news(mark + 1)
	if len(told) != 4 {
		t.Fatalf("told %v", told)
	}
	n := 0
	w.ok(w.l.View(bg, func(tx *Tx) error {
		return tx.ArtifactsOfBatch(b.ID, func(*Notification, *Artifact) bool { n++; return true })
	}))
	if n != 2 {
		t.Fatalf("%d artifacts of the batch", n)
	}
}

// Damage: an event read again counts twice, or one that came too early is lost.
func TestEventsAndOrphans(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	add := func(e Event) (isNew bool) {
		w.update(func(tx *Tx) (err error) {
			isNew, err = tx.AddEvent(&e)
			return err
		})
		return isNew
	}
	var want []string
	for i := range 40 {
		e := Event{ID: v[0].ID, ElementID: fmt.Sprintf("E%02d", 39-i), Category: "SEND_ANALOG_PROGRESS", At: w.now.Add(time.Duration(39-i) * time.Hour), Raw: []byte(`{"a":1}`)}
		if !add(e) || add(e) {
			t.Fatalf("event %d: new is wrong", i)
		}
		want = append(want, fmt.Sprintf("E%02d", i))
	}
	w.update(func(tx *Tx) error {
		return errors.Join(tx.VoidEvent(v[0].ID, "E05"), tx.VoidEvent(v[0].ID, "never came"))
	})
	if add(Event{ID: v[0].ID, ElementID: "E05", Category: "SEND_ANALOG_PROGRESS", At: w.now.Add(5 * time.Hour), Raw: []byte(`{"a":1}`)}) {
		t.Fatal("a void event came back as new")
	}
	var got []string
	w.ok(w.l.View(bg, func(tx *Tx) error {
		return tx.Events(v[0].ID, func(e *Event) bool {
			got = append(got, e.ElementID)
			if e.Void != (e.ElementID == "E05") || string(e.Raw) != `{"a":1}` {
				t.Errorf("%+v", e)
			}
			return true
		})
	}))
	equal(t, "by time", got, want)

	o := &Orphan{RequestID: "req", Protocol: "P", Token: "tok", ElementID: "E1", Got: w.now}
	w.update(func(tx *Tx) error { return errors.Join(tx.AddOrphan(o), tx.AddOrphan(o)) })
	count := func(requestID, protocol, token string) int {
		n := 0
		w.ok(w.l.View(bg, func(tx *Tx) error {
			found, err := tx.OrphansFor(requestID, protocol, token)
			n = len(found)
			return err
		}))
		return n
	}
	if count("req", "", "") != 1 || count("", "P", "tok") != 1 || count("", "Q", "tok") != 0 || count("", "", "") != 0 {
		t.Fatal("orphans are matched wrongly")
	}
	w.now = w.now.Add(9 * 24 * time.Hour)
	w.update(func(tx *Tx) error { return tx.DropOrphans(time.Time{}) })
	if count("req", "", "") != 0 {
		t.Fatal("another system's data kept for more than eight days")
	}
}

// Damage: an event of an old attempt, or of another sender's token, is applied to
// the present one.
func TestLookupsFindThePresentAttemptOnly(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	w.send(v[0].ID)
	first := w.note(v[0].ID)
	w.refuse(v[0].ID, "SERVICE_UNAVAILABLE")
	w.ok(w.prove(v[0].ID))
	w.ok(w.l.View(bg, func(tx *Tx) error {
		if _, err := tx.ByRequestID(first.RequestID); !errors.Is(err, ErrNotFound) {
			t.Errorf("request id of attempt 1: %v", err)
		}
		if _, err := tx.ByToken(testSender, first.Key.Protocol, first.Token); !errors.Is(err, ErrNotFound) {
			t.Errorf("token of attempt 1: %v", err)
		}
		if n, err := tx.ByToken(testSender, first.Key.Protocol, notification.Token(testSender, first.Key.Protocol, 2)); err != nil || n.ID != first.ID {
			t.Errorf("token of attempt 2: %v", err)
		}
		return nil
	}))
}

// Damage: a crash in the middle of telling a big file's rejections repeats or loses
// some of them in aggiornamenti.
func TestChoresSurviveACrash(t *testing.T) {
	w := newWorld(t)
	const n = 2*chunk + 300
	b := w.batch()
	w.ok(w.l.Begin(bg, b))
	var all []Item
	for i := range n {
		it := tari(i).with(func(g *thing) { g.act = "" }).item(i + 2)
		it.Problems = []notification.Problem{{Severity: notification.Error, Code: "C-X", Message: "x"}}
		all = append(all, it)
	}
	_, err := w.l.Admit(bg, b.ID, all)
	w.ok(err)
	// Sealed, and the first chunk told; then the machine stops.
	w.update(func(tx *Tx) error {
		h, err := tx.head(b.ID)
		if err != nil {
			return err
		}
		return tx.seal(h, Sealing{})
	})
	w.update(func(tx *Tx) error {
		h, err := tx.head(b.ID)
		if err != nil {
			return err
		}
		return tx.chore(joined([]byte{choreTell}, u64(h.No)), 0)
	})
	if told, _ := w.news(1); len(told) != chunk {
		t.Fatalf("%d told before the crash", len(told))
	}
	w.restart()
	told, last := w.news(1)
	if len(told) != n || last != n {
		t.Fatalf("%d told, last %d, want %d", len(told), last, n)
	}
	slices.Sort(told)
	if len(slices.Compact(told)) != n {
		t.Fatal("a row was told twice")
	}
}

// Damage: the outcome file is not written again after a change, or for ever.
func TestPublications(t *testing.T) {
	w := newWorld(t)
	b, v := w.drop(tari(1))
	behind := func() int {
		found, err := w.l.BatchesToPublish(bg, "tari")
		w.ok(err)
		return len(found)
	}
	publish := func(hash string) {
		w.update(func(tx *Tx) error {
			now, err := tx.Batch(b.ID)
			if err != nil {
				return err
			}
			return tx.PutPublication(&Publication{Outbox: "tari", Kind: "esito", Name: b.ID, Version: now.Version, Hash: hash})
		})
	}
	if behind() != 1 {
		t.Fatal("a sealed batch has nothing to publish")
	}
	publish("")
	if behind() != 1 {
		t.Fatal("an intent counts as published")
	}
	publish("00")
	if behind() != 0 {
		t.Fatal("published, yet behind")
	}
	w.step(v[0].ID, Uploaded) // nothing that a clerk sees
	if behind() != 0 {
		t.Fatal("written again without a change")
	}
	w.step(v[0].ID, Intent)
	wake := w.l.Wake()
	w.step(v[0].ID, Submitted)
	if behind() != 1 {
		t.Fatal("a change is not published")
	}
	select {
	case <-wake:
	default:
		t.Fatal("nobody was woken")
	}
	w.update(func(tx *Tx) error { return tx.AppendCost(CostChange{Outbox: "tari", Notice: "1", Total: 100}) })
	w.ok(w.l.View(bg, func(tx *Tx) error {
		costs, err := tx.CostChanges("tari", 1, 10)
		if len(costs) != 1 || costs[0].Seq != 1 || tx.LastCost("tari") != 1 {
			t.Errorf("%+v", costs)
		}
		return err
	}))
}

// Damage: a hold that is renewed at every try makes the outbox write every outcome
// file anew each time, or moves the hour since when a body has been waiting.
func TestRenewedHoldIsNoNews(t *testing.T) {
	w := newWorld(t)
	b, _ := w.drop(tari(1))
	since := w.now
	versions := func() (v uint64) {
		w.ok(w.l.View(bg, func(tx *Tx) error {
			now, err := tx.Batch(b.ID)
			if err == nil {
				v = now.Version
			}
			return err
		}))
		return v
	}
	hold := func(reason string) {
		w.now = w.now.Add(time.Minute)
		w.update(func(tx *Tx) error {
			return tx.PutHold(Hold{Scope: HoldSender, Name: "comune", Reason: reason, Since: w.now, Until: w.now.Add(time.Hour)})
		})
	}
	before := versions()
	hold("api-key")
	first := versions()
	hold("api-key")
	if first == before || versions() != first {
		t.Fatalf("versions %d, %d, %d", before, first, versions())
	}
	w.ok(w.l.View(bg, func(tx *Tx) error {
		all, err := tx.Holds()
		if len(all) != 1 || !all[0].Since.Equal(since.Add(time.Minute)) || !all[0].Until.Equal(w.now.Add(time.Hour)) {
			t.Errorf("%+v", all)
		}
		return err
	}))
	hold("quota")
	if versions() == first {
		t.Fatal("another reason is not shown")
	}
}

// Damage: an outcome that is not what rules.md says: a citizen counts as notified,
// or a clerk is told a wrong state.
func TestOutcomes(t *testing.T) {
	day := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	recipient := func(s RecipientState) *RecipientState { return &s }
	for _, c := range []struct {
		n    Notification
		r    *RecipientState
		want Outcome
	}{
		{Notification{State: Ready}, nil, InCoda},
		{Notification{State: Uploaded}, nil, InCoda},
		{Notification{State: Intent}, nil, InCoda},
		{Notification{State: Submitted}, nil, Inviata},
		{Notification{State: Refused}, nil, Rifiutata},
		{Notification{State: RefusedAtOnce}, nil, Rifiutata},
		{Notification{State: Discarded}, nil, Scartata},
		{Notification{State: Accepted}, recipient(RecipientState{}), Accettata},
		{Notification{State: Accepted}, recipient(RecipientState{Dispatched: true}), Consegna},
		{Notification{State: Accepted}, recipient(RecipientState{Dispatched: true, Unreachable: true}), Irreperibile},
		{Notification{State: Accepted}, recipient(RecipientState{Dispatched: true, Unreachable: true, Returned: true}), Restituita},
		{Notification{State: Accepted}, recipient(RecipientState{Unreachable: true, Returned: true, PerfectedAt: day}), Perfezionata},
		{Notification{State: Cancelled}, recipient(RecipientState{PerfectedAt: day}), Annullata},
		{Notification{State: Accepted, SENDStatus: StatusCancelled}, recipient(RecipientState{PerfectedAt: day}), Annullata},
	} {
		if got := outcomeOf(&c.n, c.r); got != c.want {
			t.Errorf("%s %+v: %s, want %s", c.n.State, c.r, got, c.want)
		}
	}
	two := &Notification{State: Accepted, Recipients: []RecipientState{{PerfectedAt: day}, {Dispatched: true}}}
	if got := outcomeOfAll(two); got != Consegna {
		t.Errorf("a row without recipient is %s while one of two waits", got)
	}
}

// Damage: Verify sees nothing when an index lies, so that the tests above prove
// nothing.
func TestVerifyFindsLies(t *testing.T) {
	for name, lie := range map[string]func(tx *Tx, id ID) error{
		"notice freed":   func(tx *Tx, _ ID) error { return tx.dropWhile(bPair, nil, func([]byte) bool { return true }) },
		"act freed":      func(tx *Tx, _ ID) error { return tx.dropWhile(bAct, nil, func([]byte) bool { return true }) },
		"key freed":      func(tx *Tx, _ ID) error { return tx.dropWhile(bKey, nil, func([]byte) bool { return true }) },
		"not due":        func(tx *Tx, _ ID) error { return tx.dropWhile(bDue, nil, func([]byte) bool { return true }) },
		"no range":       func(tx *Tx, _ ID) error { return tx.dropWhile(bFresh, nil, func([]byte) bool { return true }) },
		"no request":     func(tx *Tx, id ID) error { return tx.drop(bCold, id.key()) },
		"change lost":    func(tx *Tx, _ ID) error { return tx.drop(bChange, logKey("tari", 2)) },
		"row lost":       func(tx *Tx, _ ID) error { return tx.drop(bRow, rowKey(1, 2)) },
		"stranger holds": func(tx *Tx, _ ID) error { return tx.put(bPair, joined([]byte("xxxx"), ID(99).key()), nil) },
		"orphan hidden": func(tx *Tx, _ ID) error {
			o := &Orphan{RequestID: "r", ElementID: "E"}
			return errors.Join(tx.AddOrphan(o), tx.drop(bOrphanOf, joined(o.handles()[0], o.name())))
		},
		"orphan feigned": func(tx *Tx, _ ID) error { return tx.put(bOrphanOf, []byte("0123456789abcdef"), u64(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, v := w.drop(tari(1), tari(2), tari(3))
			w.send(v[0].ID)
			w.send(v[1].ID)
			w.accept(v[0].ID)
			b, err := w.l.db.Begin(true)
			w.ok(err)
			tx := &Tx{txn: w.l.newTxn(b), ctx: context.Background()}
			w.ok(lie(tx, v[0].ID))
			w.ok(b.Commit())
			if len(w.l.Verify()) == 0 {
				t.Error("not found")
			}
			w.ok(w.l.db.Update(func(b *bbolt.Tx) error { return clear(b) })) // so that the check at the end has nothing to find
		})
	}
}

func clear(b *bbolt.Tx) error {
	for _, name := range bucketNames[1:] {
		if err := errors.Join(b.DeleteBucket([]byte(name))); err != nil {
			return err
		}
		if _, err := b.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	return nil
}
