package submit

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// earlier puts a request into SEND as an earlier life of this connector, whose
// ledger was lost, would have left it.
func (w *world) earlier(protocol string, attempt int, status string, change func(*notification.Request)) *stored {
	w.t.Helper()
	n := w.draft(protocol)
	for i := range n.Documents {
		n.Documents[i].Key, n.Documents[i].Version = "PN_NOTIFICATION_ATTACHMENTS-old"+itoa(i)+".pdf", "v"
	}
	n.Token = notification.Token(senderTaxID, protocol, attempt)
	r := wire(n)
	if change != nil {
		change(r)
	}
	w.send.mu.Lock()
	defer w.send.mu.Unlock()
	return w.send.put(r, status)
}

func otherAct(r *notification.Request) {
	r.Documents[0].Digests = &notification.Digests{SHA256: notification.DigestOf("00")}
}

// Rule 14 and 15 (a): after a 409 what SEND has is adopted only if it is the same
// notification; another citizen's under our number is never shown as done.
func TestRule14AdoptionAfter409(t *testing.T) {
	const p = "TARI-2026-00001"
	for _, c := range []struct {
		name    string
		status  string
		change  func(*notification.Request)
		want    ledger.State
		code    string // refusal
		warning string
	}{
		{"the same, accepted", send.Accepted, nil, ledger.Accepted, "", ""},
		{"the same, waiting", send.Waiting, nil, ledger.Submitted, "", ""},
		{"other documents", send.Accepted, otherAct, ledger.Accepted, "", "C-ADOPTED-DOCUMENTS"},
		{"other citizen", send.Accepted, func(r *notification.Request) { r.Recipients[0].TaxID = other }, ledger.RefusedAtOnce, "C-PROTOCOL-REUSED", ""},
		{"other subject", send.Accepted, func(r *notification.Request) { r.Subject = "Sollecito" }, ledger.RefusedAtOnce, "C-PROTOCOL-REUSED", ""},
		{"other notice", send.Accepted, func(r *notification.Request) {
			r.Recipients[0].Payments[0].PagoPa.NoticeCode = "302000100000099999"
		}, ledger.RefusedAtOnce, "C-PROTOCOL-REUSED", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			id := w.one()
			s := w.earlier(p, 1, c.status, c.change)
			w.pass()
			n := w.want(id, c.want)
			if c.code != "" {
				if len(n.Refusals) != 1 || n.Refusals[0].Code != c.code {
					t.Errorf("%+v", n.Refusals)
				}
				return
			}
			if n.RequestID != s.id || n.IUN != s.iun || !n.SubmittedAt.IsZero() || n.NextAttempt.After(w.clock.Now()) {
				t.Errorf("%+v: must be read once by progress", n)
			}
			if c.warning != "" && (len(n.Warnings) != 1 || n.Warnings[0].Code != c.warning) {
				t.Errorf("warnings %+v", n.Warnings)
			}
			if w.send.accepted(p) != 1 {
				t.Error("twice at SEND")
			}
		})
	}
}

// Rule 14: after an intent of our own with an unknown outcome the documents must
// match too: what is found otherwise is not what we sent.
func TestRule14StrictAfterOwnIntent(t *testing.T) {
	w := newWorld(t)
	id := w.one()
	w.send.before = failing("create", 1, &send.Error{Op: "create", Class: send.Unknown})
	w.pass()
	w.earlier("TARI-2026-00001", 1, send.Accepted, otherAct)
	w.clock.add(time.Minute)
	w.pass()
	n := w.want(id, ledger.RefusedAtOnce)
	if n.Refusals[0].Code != "C-PROTOCOL-REUSED" {
		t.Errorf("%+v", n.Refusals)
	}
}

// What a look-up is worth after a 409 must survive a look-up that fails at first.
func TestRule14ConflictThenLookupFails(t *testing.T) {
	w := newWorld(t)
	id := w.one()
	w.earlier("TARI-2026-00001", 1, send.Accepted, otherAct)
	w.send.before = failing("lookup", 1, &send.Error{Op: "status", Class: send.Transient})
	w.pass()
	w.want(id, ledger.Intent)
	w.clock.add(time.Minute)
	w.pass()
	w.want(id, ledger.Accepted)
}

// Rule 15 (b): our token is taken and SEND shows nothing: held, never a new attempt.
func TestRule15bNotVisible(t *testing.T) {
	w := newWorld(t)
	id := w.one()
	w.earlier("TARI-2026-00001", 1, send.Accepted, nil)
	w.send.invisible = true
	r := w.pass()
	n := w.want(id, ledger.Intent)
	if n.Attempt != 1 || len(r.Holds) != 1 || r.Holds[0].Reason != reasonNotVisible || r.Holds[0].Scope != ledger.HoldNotification {
		t.Errorf("attempt %d, holds %+v", n.Attempt, r.Holds)
	}
	if w.pass(); w.send.count("create") != 1 {
		t.Error("posted again while held")
	}
	w.send.invisible = false
	w.clock.add(25 * time.Hour)
	r = w.pass()
	w.want(id, ledger.Accepted)
	if len(r.Holds) != 0 {
		t.Errorf("the hold stayed: %+v", r.Holds)
	}
}

// Rule 15 (c): after our own refusal SEND lets go of the notice by and by; it is
// waited for, but not for ever.
func TestRule15cNoticeFreedLate(t *testing.T) {
	for _, freed := range []bool{true, false} {
		w := newWorld(t)
		id := w.one()
		w.pass()
		n := w.get(id)
		w.refuse(n, "FILE_NOTFOUND")
		pair := notification.Notices(n.Request)[0]
		w.send.notices[pair.Creditor+"##"+pair.Notice] = n.Key.Protocol // not let go yet
		w.update(func(tx *ledger.Tx) error {
			n, err := tx.Notification(id)
			if err != nil {
				return err
			}
			n.State, n.Refusals, n.NextAttempt = ledger.Refused, []notification.Problem{{Code: "FILE_NOTFOUND"}}, time.Time{}
			return tx.PutNotification(n)
		})
		w.pass()
		if n = w.want(id, ledger.Intent); n.Attempt != 2 || n.LastError == nil || n.LastError.Code != codeNoticeBusy {
			t.Fatalf("attempt %d, %+v", n.Attempt, n.LastError)
		}
		if freed {
			w.clock.add(5 * time.Minute)
			delete(w.send.notices, pair.Creditor+"##"+pair.Notice)
			w.pass()
			w.want(id, ledger.Submitted)
			continue
		}
		start := w.clock.Now()
		for range 100 {
			if w.get(id).State != ledger.Intent {
				break
			}
			w.clock.add(time.Hour)
			w.pass()
		}
		w.want(id, ledger.RefusedAtOnce)
		if took := w.clock.Now().Sub(start); took < 20*time.Hour || took > 40*time.Hour {
			t.Errorf("given up after %v", took)
		}
	}
}

// Rule 15 (c): a clerk cancels a notification (or SEND refuses it) and drops the notice
// anew under another number. SEND lets go of the notice after a while: a rejection in
// between would be wrong, and the row lost to whoever does not read it.
func TestRule15cNoticeOfAnotherKeyFreedLate(t *testing.T) {
	for _, end := range []ledger.State{ledger.Cancelled, ledger.Refused} {
		for _, freed := range []bool{true, false} {
			t.Run(string(end)+" "+strconv.FormatBool(freed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				a := w.one()
				w.pass()
				pair := notification.Notices(w.want(a, ledger.Submitted).Request)[0]
				w.end(a, end)
				w.clock.add(time.Hour) // the clerk takes her time
				draft := w.draft("TARI-2026-00002")
				draft.Request.Recipients[0].Payments[0].PagoPa.NoticeCode = pair.Notice
				draft.Print = notification.FingerprintOf(draft.Request)
				w.add(draft)
				b := draft.ID
				w.pass()
				if n := w.want(b, ledger.Intent); n.Attempt != 1 || n.LastError == nil || n.LastError.Code != codeNoticeBusy {
					t.Fatalf("attempt %d, %+v", n.Attempt, n.LastError)
				}
				w.restart()
				start := w.clock.Now()
				for range 15 {
					w.clock.add(time.Hour)
					w.pass()
				}
				w.want(b, ledger.Intent) // 15 hours later it still waits
				if freed {
					delete(w.send.notices, pair.Creditor+"##"+pair.Notice)
					w.clock.add(2 * time.Hour)
					w.pass()
					w.want(b, ledger.Submitted)
					return
				}
				for w.get(b).State == ledger.Intent && w.clock.Now().Sub(start) < 100*time.Hour {
					w.clock.add(time.Hour)
					w.pass()
				}
				n := w.want(b, ledger.RefusedAtOnce)
				if took := w.clock.Now().Sub(start); took < 20*time.Hour || took > 40*time.Hour {
					t.Errorf("given up after %v", took)
				}
				if p := n.Refusals[0]; p.Code != "C-NOTICE-NOT-FREED" || !strings.Contains(p.Message, "TARI-2026-00001") || !strings.Contains(p.Message, batchID) {
					t.Errorf("the holder is not named: %+v", p)
				}
			})
		}
	}
}

// Rule 15 (c) and (d): a notice that was let go of more than a day ago, or that only a
// notification had which never reached SEND, is held by somebody else now.
func TestRule15cNoticeFreedLongAgo(t *testing.T) {
	w := newWorld(t)
	a := w.one()
	w.pass()
	pair := notification.Notices(w.get(a).Request)[0]
	w.end(a, ledger.Cancelled)
	w.clock.add(25 * time.Hour)
	b := w.draft("TARI-2026-00002")
	b.Request.Recipients[0].Payments[0].PagoPa.NoticeCode = pair.Notice
	b.Print = notification.FingerprintOf(b.Request)
	w.add(b)
	w.pass()
	if n := w.want(b.ID, ledger.RefusedAtOnce); n.Refusals[0].Code != "C-NOTICE-TAKEN-AT-SEND" {
		t.Errorf("%+v", n.Refusals)
	}
	// That one has ended without ever having been there.
	c := w.draft("TARI-2026-00003")
	c.Request.Recipients[0].Payments[0].PagoPa.NoticeCode = pair.Notice
	c.Print = notification.FingerprintOf(c.Request)
	w.add(c)
	w.pass()
	if n := w.want(c.ID, ledger.RefusedAtOnce); n.Refusals[0].Code != "C-NOTICE-TAKEN-AT-SEND" {
		t.Errorf("%+v", n.Refusals)
	}
}

// end makes a notification that SEND took end there, as progress records it.
func (w *world) end(id ledger.ID, s ledger.State) {
	w.t.Helper()
	w.update(func(tx *ledger.Tx) error {
		n, err := tx.Notification(id)
		if err != nil {
			return err
		}
		if s == ledger.Cancelled {
			n.State, n.IUN = ledger.Accepted, "ABCD-EFGH-IJKL-202601-A-1"
			if err := tx.PutNotification(n); err != nil {
				return err
			}
		} else {
			n.Refusals = []notification.Problem{{Code: "TAXID_NOT_VALID"}}
		}
		n.State, n.NextAttempt = s, time.Time{}
		return tx.PutNotification(n)
	})
}

// Rule 15 (d): a notice that somebody else holds is the row's fault.
func TestRule15dNoticeOfAnother(t *testing.T) {
	w := newWorld(t)
	id := w.one()
	pair := notification.Notices(w.get(id).Request)[0]
	w.send.notices[pair.Creditor+"##"+pair.Notice] = "of another body"
	w.pass()
	n := w.want(id, ledger.RefusedAtOnce)
	if n.Refusals[0].Code != "C-NOTICE-TAKEN-AT-SEND" || w.send.count("lookup") != 1 {
		t.Errorf("%+v after %d look-ups", n.Refusals, w.send.count("lookup"))
	}
}

// Rule 15 (e): a 409 that says nothing proves nothing: the same token later.
func TestRule15eGeneric(t *testing.T) {
	for _, kind := range []send.ConflictKind{send.ConflictGeneric, send.ConflictIUN} {
		w := newWorld(t)
		id := w.one()
		w.send.before = failing("create", 1, &send.Error{Op: "create", Class: send.Conflict, Status: 409, Conflicts: kind})
		w.pass()
		token := w.want(id, ledger.Intent).Token
		w.clock.add(time.Minute)
		w.pass()
		if n := w.want(id, ledger.Submitted); n.Token != token || n.Attempt != 1 {
			t.Errorf("attempt %d", n.Attempt)
		}
	}
}

// Rule 16: a ledger that lost a key finds its highest attempt, and adopts only that
// one; a refused one is not sent again, another request goes after it.
func TestRule16Probe(t *testing.T) {
	const p = "TARI-2026-00001"
	t.Run("highest is accepted", func(t *testing.T) {
		w := newWorld(t)
		id := w.one()
		w.earlier(p, 1, send.Refused, nil)
		w.earlier(p, 2, send.Refused, nil)
		s := w.earlier(p, 3, send.Accepted, nil)
		w.pass()
		n := w.want(id, ledger.Accepted)
		if n.Attempt != 3 || n.RequestID != s.id || n.Token != notification.Token(senderTaxID, p, 3) {
			t.Errorf("attempt %d, %s", n.Attempt, n.RequestID)
		}
		if w.send.accepted(p) != 1 {
			t.Error("twice at SEND")
		}
	})
	t.Run("highest is refused, same request", func(t *testing.T) {
		w := newWorld(t)
		id := w.one()
		w.earlier(p, 1, send.Refused, nil).errors = []send.Refusal{{Code: "NOT_VALID_ADDRESS"}}
		w.pass()
		n := w.want(id, ledger.Refused)
		if n.Attempt != 1 || len(n.Refusals) != 1 || n.Refusals[0].Code != "NOT_VALID_ADDRESS" {
			t.Errorf("%+v", n)
		}
		if w.pass(); w.send.count("create") != 1 {
			t.Error("a refusal was paid for again")
		}
	})
	t.Run("highest is refused, corrected request", func(t *testing.T) {
		w := newWorld(t)
		id := w.one()
		w.earlier(p, 1, send.Refused, nil)
		w.earlier(p, 2, send.Refused, func(r *notification.Request) { r.Recipients[0].TaxID = other })
		w.pass()
		n := w.want(id, ledger.Submitted)
		if n.Attempt != 3 || w.send.accepted(p) != 1 {
			t.Errorf("attempt %d, %d at SEND", n.Attempt, w.send.accepted(p))
		}
	})
	t.Run("an older ledger knows the first only", func(t *testing.T) {
		w := newWorld(t)
		id := w.one()
		w.earlier(p, 1, send.Refused, nil).errors = []send.Refusal{{Code: "NOT_VALID_ADDRESS"}}
		w.pass()
		n := w.want(id, ledger.Refused)
		w.earlier(p, 2, send.Refused, nil).errors = []send.Refusal{{Code: "NOT_VALID_ADDRESS"}}
		s := w.earlier(p, 3, send.Accepted, nil)
		if err := w.ledger.Resubmit(t.Context(), n.Key, false); err != nil {
			t.Fatal(err)
		}
		w.pass()
		n = w.want(id, ledger.Accepted)
		if n.Attempt != 3 || n.RequestID != s.id || w.send.accepted(p) != 1 {
			t.Errorf("attempt %d, %s, %d at SEND", n.Attempt, n.RequestID, w.send.accepted(p))
		}
	})
	t.Run("killed anywhere", func(t *testing.T) {
		for _, step := range []string{BeforeLookup, AfterLookup} {
			for nth := 1; nth <= 4; nth++ {
				w := newWorld(t)
				id := w.one()
				w.earlier(p, 1, send.Refused, nil)
				w.earlier(p, 2, send.Accepted, nil)
				seen := 0
				w.step = func(name string) error {
					if name == step {
						if seen++; seen == nth {
							return errStop
						}
					}
					return nil
				}
				_, _ = w.submitter().Pass(context.Background())
				w.step = nil
				w.restart()
				w.pass()
				if n := w.want(id, ledger.Accepted); n.Attempt != 2 || w.send.accepted(p) != 1 {
					t.Errorf("killed at %s %d: attempt %d, %d at SEND", step, nth, n.Attempt, w.send.accepted(p))
				}
			}
		}
	})
}

// A cancellation must say what came of it: before the intent nothing has left,
// between it and the acceptance SEND cannot be asked.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	id := w.one()
	s := w.submitter()
	if what, err := s.Cancel(context.Background(), id); err != nil || what != CancelDiscarded {
		t.Fatalf("%v, %v", what, err)
	}
	w.want(id, ledger.Discarded)

	n := w.draft("TARI-2026-00002")
	w.add(n)
	w.pass()
	if _, err := s.Cancel(context.Background(), n.ID); !errors.Is(err, ErrNotYet) {
		t.Fatalf("%v", err)
	}
	w.update(func(tx *ledger.Tx) error {
		cur, err := tx.Notification(n.ID)
		if err != nil {
			return err
		}
		cur.State, cur.IUN = ledger.Accepted, "ABCD-EFGH-IJKL-202601-A-1"
		return tx.PutNotification(cur)
	})
	if what, err := s.Cancel(context.Background(), n.ID); err != nil || what != CancelAsked {
		t.Fatalf("%v, %v", what, err)
	}
	if got := w.want(n.ID, ledger.Accepted); got.CancelAsked.IsZero() {
		t.Error("the request is not noted")
	}
}
