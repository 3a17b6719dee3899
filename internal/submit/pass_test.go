package submit

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

func (w *world) want(id ledger.ID, state ledger.State) *ledger.Notification {
	w.t.Helper()
	n := w.get(id)
	if n.State != state {
		w.t.Fatalf("notification %d is %s, want %s (error: %+v)", id, n.State, state, n.LastError)
	}
	return n
}

// one adds a single notification and gives its id.
func (w *world) one() ledger.ID {
	w.t.Helper()
	n := w.draft("TARI-2026-00001")
	w.add(n)
	return n.ID
}

// calls fails the n-th call of an operation before it has an effect.
func failing(op string, nth int, err error) func(string, int) error {
	return func(o string, call int) error {
		if o == op && (nth == 0 || call == nth) {
			return err
		}
		return nil
	}
}

// A lot of 300 with two documents each must not use up a day's calls: 1 request and
// 2/15 of a preload each.
func TestLotOf300(t *testing.T) {
	w := newWorld(t)
	var all []*ledger.Notification
	for _, p := range protocols(300) {
		all = append(all, w.draft(p))
	}
	w.add(all...)
	s := New(Options{Ledger: w.ledger, Client: w.send, Sender: sender, Data: w.data, Clock: w.clock.Now})
	r, err := s.Pass(context.Background())
	if err != nil || r.Submitted != 300 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, n := range all {
		got := w.want(n.ID, ledger.Submitted)
		if got.RequestID == "" || got.SubmittedAt.IsZero() || !got.NextAttempt.Equal(w.clock.Now().Add(24*time.Hour)) {
			t.Fatalf("%+v", got)
		}
	}
	calls := w.send.count("create") + w.send.count("preload") + w.send.count("lookup")
	if calls > 300*120/100 {
		t.Errorf("%d calls for 300 notifications (preloads of %v)", calls, w.send.sizes)
	}
	if again := w.pass(); again.Submitted != 0 || w.send.count("create") != 300 {
		t.Errorf("a second pass sent again: %+v", again)
	}
}

// One bad notification must not stop the others, nor be sent without its document.
func TestOneBadNotificationStopsNobody(t *testing.T) {
	w := newWorld(t)
	missing, corrupt, sound := w.draft("TARI-2026-00001"), w.draft("TARI-2026-00002"), w.draft("TARI-2026-00003")
	w.add(missing, corrupt, sound)
	if err := os.Remove(filepath.Join(w.data, missing.Documents[0].Spool)); err != nil {
		t.Fatal(err)
	}
	bad := []byte("%PDF-1.7 ATTO DI TARI-2026-00002") // same length, other bytes
	if err := os.WriteFile(filepath.Join(w.data, corrupt.Documents[0].Spool), bad, 0o600); err != nil {
		t.Fatal(err)
	}
	w.pass()
	w.want(sound.ID, ledger.Submitted)
	for id, code := range map[ledger.ID]string{missing.ID: "C-SPOOL-MISSING", corrupt.ID: "C-SPOOL-CORRUPT"} {
		n := w.want(id, ledger.Ready)
		if n.LastError == nil || n.LastError.Code != code {
			t.Errorf("notification %d: %+v, want %s", id, n.LastError, code)
		}
		w.update(func(tx *ledger.Tx) error {
			hold, err := tx.HeldBy(n)
			if hold == nil || hold.Scope != ledger.HoldNotification {
				t.Errorf("notification %d is not held: %+v", id, hold)
			}
			return err
		})
	}
	// Rule 18: the copy mended, the digest of admission serves as it was.
	w.draft("TARI-2026-00001")
	w.clock.add(2 * time.Hour)
	w.pass()
	w.want(missing.ID, ledger.Submitted)
	w.want(corrupt.ID, ledger.Ready)
}

// Rule 3 and 4: a 400 that blames the request ends it without an attempt; a doubtful
// one is repeated once; 401, quota and the like hold and leave the intent.
func TestRule03And04SynchronousAnswers(t *testing.T) {
	const taxonomy = "PN_GENERIC_INVALIDPARAMETER_TAXONOMYCODE"
	rejected := func(code string) error {
		return &send.Error{Op: "create", Class: send.Rejected, Status: 400, Details: []send.Detail{{Code: code, Element: "x"}}}
	}
	t.Run("blamed", func(t *testing.T) {
		w := newWorld(t)
		id := w.one()
		w.send.before = failing("create", 0, rejected("PN_INVALID_BODY"))
		w.pass()
		n := w.want(id, ledger.RefusedAtOnce)
		if n.Attempt != 1 || len(n.Refusals) != 1 || n.Refusals[0].Code != "PN_INVALID_BODY" {
			t.Errorf("%+v", n)
		}
		w.send.before = nil
		w.clock.add(48 * time.Hour)
		w.pass()
		if w.send.count("create") != 1 {
			t.Error("a refused request was sent again")
		}
	})
	t.Run("doubtful once", func(t *testing.T) {
		w := newWorld(t)
		id := w.one()
		w.send.before = failing("create", 1, rejected(taxonomy))
		w.pass()
		w.want(id, ledger.Intent)
		w.clock.add(time.Minute)
		w.pass()
		w.want(id, ledger.Submitted)
	})
	t.Run("doubtful twice", func(t *testing.T) {
		w := newWorld(t)
		id := w.one()
		w.send.before = failing("create", 0, rejected(taxonomy))
		w.pass()
		w.clock.add(time.Minute)
		w.pass()
		w.want(id, ledger.RefusedAtOnce)
		if w.send.count("create") != 2 {
			t.Errorf("%d requests", w.send.count("create"))
		}
	})
}

// Rule 13: a hold stands beside the state. An expired key must not lose an intent,
// reject rows, or be hammered at.
func TestRule13HoldsKeepTheState(t *testing.T) {
	w := newWorld(t)
	var ids []ledger.ID
	for _, p := range protocols(40) {
		n := w.draft(p)
		w.add(n)
		ids = append(ids, n.ID)
	}
	w.send.before = failing("create", 0, &send.Error{Op: "create", Class: send.Held, Reason: send.HeldAPIKey, Status: 403})
	r := w.pass()
	if len(r.Holds) != 1 || r.Holds[0].Reason != send.HeldAPIKey || r.Holds[0].Until.IsZero() {
		t.Fatalf("holds: %+v", r.Holds)
	}
	if got := w.send.count("create"); got > 8 {
		t.Errorf("%d requests with a dead key", got)
	}
	intents := 0
	for _, id := range ids {
		switch n := w.get(id); n.State {
		case ledger.Intent:
			intents++
		case ledger.Ready, ledger.Uploaded:
		default:
			t.Errorf("%d became %s", id, n.State)
		}
	}
	if intents == 0 {
		t.Error("no intent was kept")
	}
	before := w.send.count("create")
	if w.pass(); w.send.count("create") != before || w.send.count("lookup") != 0 {
		t.Error("a held sender was tried again")
	}
	w.send.before = nil
	w.clock.add(time.Hour)
	w.pass()
	for _, id := range ids {
		w.want(id, ledger.Submitted)
	}
	if r := w.pass(); len(r.Holds) != 0 {
		t.Errorf("the hold stayed: %+v", r.Holds)
	}
}

// A hold that a person gives while uploads are under way must be obeyed before the
// intent.
func TestRule13HoldBeforeIntent(t *testing.T) {
	w := newWorld(t)
	id := w.one()
	w.step = func(name string) error {
		if name == AfterUpload {
			w.update(func(tx *ledger.Tx) error {
				return tx.PutHold(ledger.Hold{Scope: ledger.HoldFlow, Name: "tari", Reason: "operator"})
			})
		}
		return nil
	}
	w.pass()
	if w.send.count("create") != 0 {
		t.Error("sent in spite of the hold")
	}
	w.want(id, ledger.Uploaded)
}

// A closed door: after some failures in a row the sender rests, and the queue is not
// tried one by one.
func TestUnreachableRests(t *testing.T) {
	w := newWorld(t)
	for _, p := range protocols(100) {
		w.add(w.draft(p))
	}
	w.send.before = func(string, int) error { return &send.Error{Op: "x", Class: send.Transient} }
	r := w.pass()
	if len(r.Holds) != 1 || r.Holds[0].Reason != send.HeldUnreachable {
		t.Fatalf("%+v", r.Holds)
	}
	if n := w.send.count("preload"); n > 20 {
		t.Errorf("%d calls at a closed door", n)
	}
	w.send.before = nil
	w.clock.add(time.Hour)
	if r = w.pass(); r.Submitted != 100 {
		t.Errorf("%+v", r)
	}
}

// Rule 4: attempt n+1 exists only after a fresh look-up of attempt n said REFUSED.
func TestRule04NextAttempt(t *testing.T) {
	w := newWorld(t)
	id := w.one()
	w.pass()
	first := w.want(id, ledger.Submitted)
	w.refuse(first, "NOT_VALID_ADDRESS")
	corrected := w.draft(first.Key.Protocol)
	corrected.Request.Recipients[0].PhysicalAddress = &notification.PhysicalAddress{Address: "Via Roma 1", Municipality: "Milano"}
	w.update(func(tx *ledger.Tx) error {
		n, err := tx.Notification(id)
		if err != nil {
			return err
		}
		n.State, n.Refusals = ledger.Refused, []notification.Problem{{Code: "NOT_VALID_ADDRESS"}}
		n.NextAttempt = time.Time{}
		n.Pending = &ledger.Pending{
			Request: corrected.Request, Print: notification.FingerprintOf(corrected.Request),
			Documents: corrected.Documents, Batch: batchID, Row: 2, Resubmit: true, Since: w.clock.Now(),
		}
		return tx.PutNotification(n)
	})
	w.clock.add(time.Second)
	w.pass()
	n := w.want(id, ledger.Submitted)
	if n.Attempt != 2 || n.Token != notification.Token(senderTaxID, n.Key.Protocol, 2) || n.RequestID == first.RequestID {
		t.Errorf("%+v", n)
	}
	if w.send.count("lookup") != 1 || w.send.accepted(n.Key.Protocol) != 1 {
		t.Errorf("%d look-ups, %d live at SEND", w.send.count("lookup"), w.send.accepted(n.Key.Protocol))
	}
}

// refuse makes SEND refuse what it took.
func (w *world) refuse(n *ledger.Notification, code string) {
	w.send.mu.Lock()
	defer w.send.mu.Unlock()
	s := w.send.requests[key(n.Key.Protocol, n.Token)]
	s.status, s.errors = send.Refused, []send.Refusal{{Code: code}}
	for _, p := range notification.Notices(&s.request) {
		delete(w.send.notices, p.Creditor+"##"+p.Notice)
	}
}

// Rule 4: a refusal that the look-up does not confirm gives no new attempt: the
// notification lives, and a second one would be a double.
func TestRule04NotConfirmed(t *testing.T) {
	w := newWorld(t)
	id := w.one()
	w.pass()
	w.update(func(tx *ledger.Tx) error {
		n, err := tx.Notification(id)
		if err != nil {
			return err
		}
		n.State, n.Refusals = ledger.Refused, []notification.Problem{{Code: "FILE_NOTFOUND"}}
		n.NextAttempt = time.Time{}
		return tx.PutNotification(n)
	})
	w.pass()
	n := w.want(id, ledger.Submitted)
	if n.Attempt != 1 || w.send.count("create") != 1 {
		t.Errorf("attempt %d, %d requests", n.Attempt, w.send.count("create"))
	}
}

// Rule 5: one automatic attempt for a refusal that can pass by itself, and no second
// one: each refusal is paid for.
func TestRule05AutomaticOnce(t *testing.T) {
	w := newWorld(t)
	id := w.one()
	w.pass()
	fall := func() {
		w.refuse(w.get(id), "FILE_NOTFOUND")
		w.update(func(tx *ledger.Tx) error {
			n, err := tx.Notification(id)
			if err != nil {
				return err
			}
			n.State, n.Refusals, n.NextAttempt = ledger.Refused, []notification.Problem{{Code: "FILE_NOTFOUND"}}, time.Time{}
			return tx.PutNotification(n)
		})
	}
	fall()
	w.pass()
	if n := w.want(id, ledger.Submitted); n.Attempt != 2 || !n.Automatic {
		t.Fatalf("attempt %d", n.Attempt)
	}
	if w.send.count("upload") != 4 {
		t.Errorf("%d uploads: the new attempt must not name the old objects", w.send.count("upload"))
	}
	fall()
	w.clock.add(48 * time.Hour)
	w.pass()
	if n := w.want(id, ledger.Refused); n.Attempt != 2 || w.send.count("create") != 2 {
		t.Errorf("attempt %d, %d requests", n.Attempt, w.send.count("create"))
	}
}

// Rule 17: uploads are done again at six days, in INTENT only after the look-up.
func TestRule17Renewed(t *testing.T) {
	t.Run("uploaded", func(t *testing.T) {
		w := newWorld(t)
		id := w.one()
		w.stopAt(BeforeCreate)
		n := w.want(id, ledger.Intent)
		old := n.Documents[0].Key
		w.restart()
		w.clock.add(6 * 24 * time.Hour)
		order := []string{}
		w.send.before = func(op string, _ int) error { order = append(order, op); return nil }
		w.pass()
		n = w.want(id, ledger.Submitted)
		if n.Documents[0].Key == old {
			t.Error("an upload of six days ago was named")
		}
		if len(order) == 0 || order[0] != "lookup" {
			t.Errorf("renewed before the look-up: %v", order)
		}
	})
	t.Run("address expired", func(t *testing.T) {
		w := newWorld(t)
		id := w.one()
		w.send.before = failing("upload", 1, &send.Error{Op: "upload", Class: send.Expired, Status: 403})
		w.pass()
		w.want(id, ledger.Submitted)
	})
}

// Rule 13: a group that SEND does not know is a matter of the notification that names
// it; the others go on.
func TestRule13GroupHoldsOne(t *testing.T) {
	w := newWorld(t)
	bad, good := w.draft("TARI-2026-00001"), w.draft("TARI-2026-00002")
	bad.Request.Group = "unknown"
	w.add(bad, good)
	w.send.judge = func(r *notification.Request) error {
		if r.Group != "" {
			return &send.Error{Op: "create", Class: send.Held, Reason: send.HeldGroup, Status: 400}
		}
		return nil
	}
	r := w.pass()
	w.want(good.ID, ledger.Submitted)
	w.want(bad.ID, ledger.Intent)
	if len(r.Holds) != 1 || r.Holds[0].Scope != ledger.HoldNotification || r.Holds[0].Reason != send.HeldGroup {
		t.Errorf("%+v", r.Holds)
	}
}

// Rule 17: the form that two recipients share is uploaded once and named by both; the
// act is an upload of its own even where the bytes are the same.
func TestRule17SharedForm(t *testing.T) {
	w := newWorld(t)
	n := w.draft("TARI-2026-00001")
	second := n.Request.Recipients[0]
	second.TaxID = other
	pay := *second.Payments[0].PagoPa
	pay.NoticeCode = "302000100000077777"
	second.Payments = []notification.Payment{{PagoPa: &pay}}
	n.Request.Recipients = append(n.Request.Recipients, second)
	n.Recipients = make([]ledger.RecipientState, 2)
	n.Documents = []ledger.Document{
		w.spool("documents[0]", "%PDF-1.7 the same"), w.spool(form(0, 0), "%PDF-1.7 the same"), w.spool(form(1, 0), "%PDF-1.7 the same"),
	}
	w.add(n)
	w.pass()
	got := w.want(n.ID, ledger.Submitted)
	if w.send.count("upload") != 2 {
		t.Errorf("%d uploads", w.send.count("upload"))
	}
	if got.Documents[1].Key != got.Documents[2].Key || got.Documents[0].Key == got.Documents[1].Key {
		t.Errorf("%+v", got.Documents)
	}
}

// SEND fills in defaults where a request says nothing. Taking that for a change of
// ours would pay the refusal of a request a second time after the loss of a ledger.
func TestRule16DefaultsAreNoChange(t *testing.T) {
	w := newWorld(t)
	id := w.one()
	fee, vat := 100, 22
	w.earlier("TARI-2026-00001", 1, send.Refused, func(r *notification.Request) {
		r.PaFee, r.Vat, r.PagoPaIntMode = &fee, &vat, notification.PagoPaSync
		r.Documents[0].DocIdx = "0"
	})
	w.pass()
	if n := w.want(id, ledger.Refused); n.Attempt != 1 || w.send.count("create") != 1 {
		t.Errorf("attempt %d after %d requests", n.Attempt, w.send.count("create"))
	}
}
