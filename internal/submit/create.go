package submit

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Codes that decide something when they are found again in LastError.
const (
	codeNoticeBusy = "C-NOTICE-BUSY"   // rule 15 (c) under way
	codeDoubt      = "C-SEND-DOUBT"    // the one repetition of a doubtful 400 is due
	codeConflict   = "C-SEND-CONFLICT" // the first POST was answered 409, the look-up is still to come
)

// create commits the intent and posts the request. The place for the POST is taken
// first, so that few intents are open when the process dies.
func (w *work) create(ctx context.Context) (bool, error) {
	if !uploaded(w.n.Documents, w.s.o.Clock()) {
		if ok, err := w.renew(ctx); !ok {
			return false, err
		}
	}
	if err := acquire(ctx, w.s.creates); err != nil {
		return false, nil
	}
	defer release(w.s.creates)
	err := w.commit(ctx, func(tx *ledger.Tx, n *ledger.Notification) error {
		if hold, err := tx.HeldBy(n); hold != nil || err != nil {
			return errors.Join(err, errMoved)
		}
		n.State = ledger.Intent
		progress(n)
		return tx.PutNotification(n)
	})
	if err != nil {
		if ctx.Err() != nil {
			return false, nil
		}
		return false, err
	}
	w.first = true
	return w.post(ctx)
}

// post sends the request of an INTENT. The caller holds a place for it.
func (w *work) post(ctx context.Context) (bool, error) {
	w.s.forgetAbsent(w.n.ID)
	if err := w.s.o.Step(BeforeCreate); err != nil {
		return false, &stepError{err}
	}
	created, err := w.s.o.Client.Create(ctx, wire(w.n))
	if stop := w.s.o.Step(AfterCreate); stop != nil {
		return false, &stepError{stop}
	}
	if err != nil {
		return w.notCreated(ctx, err)
	}
	w.run.reached()
	w.run.count(func(r *Report) { r.Submitted++ })
	return false, w.submitted(ctx, created.RequestID)
}

// submitted records SEND's 202.
func (w *work) submitted(ctx context.Context, requestID string) error {
	now := w.s.o.Clock()
	return w.learn(ctx, func(_ *ledger.Tx, n *ledger.Notification) error {
		n.State, n.RequestID, n.SubmittedAt = ledger.Submitted, requestID, now
		progress(n)
		n.NextAttempt = now.Add(w.s.o.LookupAfter)
		return nil
	})
}

// learn is put for a change that tells the request id: events kept for it are
// applied in the same transaction.
func (w *work) learn(ctx context.Context, change func(tx *ledger.Tx, n *ledger.Notification) error) error {
	return w.commit(context.WithoutCancel(ctx), func(tx *ledger.Tx, n *ledger.Notification) error {
		if err := store(tx, n, change); err != nil || w.s.o.Learnt == nil {
			return err
		}
		return w.s.o.Learnt(tx, n)
	})
}

// wire is the request as it goes over the wire: token, digests and references
// filled in, names of files left out.
func wire(n *ledger.Notification) *notification.Request {
	r := *n.Request
	r.IdempotenceToken = n.Token
	r.Documents = slices.Clone(r.Documents)
	r.Recipients = slices.Clone(r.Recipients)
	for i := range r.Recipients {
		r.Recipients[i].Payments = clonePayments(r.Recipients[i].Payments)
	}
	byField := make(map[string]*ledger.Document, len(n.Documents))
	for i := range n.Documents {
		byField[n.Documents[i].Field] = &n.Documents[i]
	}
	r.Attachments(func(path string, a *notification.Attachment) {
		d := byField[path]
		if d == nil {
			return // SEND refuses an attachment without digest: nothing false is sent
		}
		a.File = ""
		a.ContentType = d.ContentType
		a.Digests = &notification.Digests{SHA256: notification.DigestOf(d.Hash)}
		a.Ref = &notification.Ref{Key: d.Key, VersionToken: d.Version}
	})
	return &r
}

// clonePayments copies as deep as wire writes.
func clonePayments(payments []notification.Payment) []notification.Payment {
	all := slices.Clone(payments)
	for i := range all {
		if p := all[i].PagoPa; p != nil {
			copied := *p
			if p.Attachment != nil {
				a := *p.Attachment
				copied.Attachment = &a
			}
			all[i].PagoPa = &copied
		}
		if f := all[i].F24; f != nil {
			copied := *f
			if f.MetadataAttachment != nil {
				a := *f.MetadataAttachment
				copied.MetadataAttachment = &a
			}
			all[i].F24 = &copied
		}
	}
	return all
}

// notCreated decides what a failed POST means. The state stays INTENT unless SEND
// blamed the request.
func (w *work) notCreated(ctx context.Context, err error) (bool, error) {
	var e *send.Error
	if !errors.As(err, &e) {
		e = &send.Error{Op: "create", Class: send.Unknown, Err: err}
	}
	if noAnswer := e.Class == send.Unknown || e.Class == send.Transient; noAnswer && ctx.Err() != nil {
		return false, nil //nolint:nilerr // told to stop: the next start looks the intent up
	}
	switch e.Class {
	case send.Rejected:
		if e.Doubtful() && !w.lastWas(codeDoubt) {
			return false, w.later(ctx, waitDoubt, e.RetryAfter, w.problem(codeDoubt, "taxonomyCode"), nil)
		}
		return false, w.rejected(ctx, w.refusals(e.Details))
	case send.Conflict:
		w.run.reached()
		return w.conflict(ctx, e)
	case send.Unknown:
		w.run.failure(ctx, e)
		return false, w.later(ctx, waitUnknown, e.RetryAfter, w.problem("C-SEND-UNKNOWN", "", "detail", e.Brief()), nil)
	default:
		return false, w.failed(ctx, e, nil)
	}
}

func (w *work) lastWas(code string) bool {
	return w.n.LastError != nil && w.n.LastError.Code == code
}

// rejected ends the attempt without consuming it (rules 3 and 4).
func (w *work) rejected(ctx context.Context, why []notification.Problem) error {
	w.run.reached()
	w.run.count(func(r *Report) { r.Rejected++ })
	return w.put(ctx, func(n *ledger.Notification) {
		n.State, n.Refusals = ledger.RefusedAtOnce, why
		progress(n)
	})
}

// refusals are SEND's reasons as problems, its codes as they are.
func (w *work) refusals(details []send.Detail) []notification.Problem {
	var all []notification.Problem
	for _, d := range details {
		all = append(all, notification.Problem{
			Severity: notification.Error, Code: d.Code, Field: d.Element,
			Message: w.problem("C-SEND-REJECTED", "", "code", d.Code, "detail", d.Detail).Message,
		})
	}
	if len(all) == 0 {
		all = append(all, w.problem("C-SEND-REJECTED", "", "code", "HTTP 400", "detail", "-"))
	}
	return all
}

// resolve looks an INTENT up before anything else, and posts it if SEND proves to
// have nothing.
func (w *work) resolve(ctx context.Context) (bool, error) {
	if !w.s.provedAbsent(w.n.ID) {
		found, err := w.lookup(ctx, w.n.Token)
		switch {
		case err == nil:
			return w.adopt(ctx, found, !w.lastWas(codeConflict))
		case send.ClassOf(err) != send.NotFound && w.lastWas(codeConflict):
			return false, w.stillOpen(ctx, err)
		case send.ClassOf(err) != send.NotFound:
			return false, w.failed(ctx, err, nil)
		case w.run.lookOnly:
			w.s.noteAbsent(w.n.ID)
			return false, nil
		}
		w.run.reached()
	}
	if waits, err := w.awaitsRelease(ctx); waits || err != nil {
		return false, err
	}
	if !uploaded(w.n.Documents, w.s.o.Clock()) {
		if ok, err := w.renew(ctx); !ok {
			return false, err
		}
	}
	if err := acquire(ctx, w.s.creates); err != nil {
		return false, nil
	}
	defer release(w.s.creates)
	if w.heldNow(ctx) {
		return false, nil
	}
	return w.post(ctx)
}

// awaitsRelease takes back an intent that SEND proves to have nothing of, where the gate
// of its batch has been shut since: the ledger was restored, and somebody may have given
// the batch up after the backup. It is UPLOADED again and waits like the rest.
func (w *work) awaitsRelease(ctx context.Context) (bool, error) {
	waits := false
	err := w.s.o.Ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		waits, err = tx.AwaitsRelease(w.n.OwnerBatch)
		return err
	})
	if err != nil || !waits {
		return false, err
	}
	return true, w.put(ctx, func(n *ledger.Notification) {
		n.State = ledger.Uploaded
		progress(n)
	})
}

// heldNow reports whether a hold came while this notification was on its way.
func (w *work) heldNow(ctx context.Context) bool {
	var held bool
	err := w.s.o.Ledger.View(ctx, func(tx *ledger.Tx) error {
		hold, err := tx.HeldBy(w.n)
		held = hold != nil
		return err
	})
	return held || err != nil
}

// lookup asks SEND for the request of a token.
func (w *work) lookup(ctx context.Context, token string) (send.RequestStatus, error) {
	if err := w.s.o.Step(BeforeLookup); err != nil {
		return send.RequestStatus{}, &stepError{err}
	}
	found, err := w.s.o.Client.StatusByToken(ctx, w.n.Key.Protocol, token)
	if stop := w.s.o.Step(AfterLookup); stop != nil {
		return send.RequestStatus{}, &stepError{stop}
	}
	return found, err
}

// absentFor is how long a proof that SEND has no such request is good without a
// POST since.
const absentFor = 10 * time.Minute

func (s *Submitter) noteAbsent(id ledger.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.absent[id] = s.o.Clock()
}

func (s *Submitter) forgetAbsent(id ledger.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.absent, id)
}

func (s *Submitter) provedAbsent(id ledger.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.absent[id]
	return ok && s.o.Clock().Sub(at) < absentFor
}
