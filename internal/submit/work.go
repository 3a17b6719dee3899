package submit

import (
	"context"
	"errors"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// work is one notification on its way, owned by one goroutine.
type work struct {
	s   *Submitter
	run *run
	n   *ledger.Notification
	// first: the coming POST is the first that can have left for this request, so
	// that what a look-up finds was there before us (rules 14 and 16).
	first bool
}

// errMoved says that the notification is no longer where this work left it:
// somebody discarded, held or changed it. It is left alone.
var errMoved = errors.New("submit: the notification moved on by another hand")

// do brings the notification as far as it gets now. Whatever SEND answers ends in
// the ledger; the error is only for what stops the whole pass (the ledger, a Step).
func (w *work) do(ctx context.Context) error {
	for {
		var again bool
		var err error
		switch w.n.State {
		case ledger.Ready:
			again, err = w.upload(ctx)
		case ledger.Uploaded:
			again, err = w.create(ctx)
		case ledger.Intent:
			again, err = w.resolve(ctx)
		case ledger.Refused, ledger.Cancelled:
			again, err = w.prove(ctx)
		default:
			return nil
		}
		if errors.Is(err, errMoved) {
			return nil
		}
		if err != nil || !again || ctx.Err() != nil || w.run.held.Load() {
			return err
		}
	}
}

// commit writes a change of the notification, made to the ledger's present record
// (the reader of events may have written since it was taken), provided that it
// still is in the state that the change starts from.
func (w *work) commit(ctx context.Context, change func(tx *ledger.Tx, n *ledger.Notification) error) error {
	if w.run.dead() {
		return errMoved
	}
	from := w.n.State
	var after *ledger.Notification
	err := w.s.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		n, err := tx.Notification(w.n.ID)
		if err != nil {
			return err
		}
		if n.State != from {
			return errMoved
		}
		after = n
		return change(tx, n)
	})
	if err == nil {
		w.n = after
	}
	return err
}

// put is commit for a change that cannot fail. What SEND said is written even when
// the pass is being stopped.
func (w *work) put(ctx context.Context, change func(n *ledger.Notification)) error {
	return w.commit(context.WithoutCancel(ctx), func(tx *ledger.Tx, n *ledger.Notification) error {
		return store(tx, n, func(_ *ledger.Tx, n *ledger.Notification) error {
			change(n)
			return nil
		})
	})
}

// store applies a change and ends the notification's own hold, if it had one that
// has run out, when the change gets it further.
func store(tx *ledger.Tx, n *ledger.Notification, change func(*ledger.Tx, *ledger.Notification) error) error {
	stuck := n.LastError != nil
	if err := change(tx, n); err != nil {
		return err
	}
	if stuck && n.LastError == nil {
		if err := tx.DropHold(ledger.HoldNotification, holdName(n.ID)); err != nil {
			return err
		}
	}
	return tx.PutNotification(n)
}

// progress clears what the failed tries of a step left behind.
func progress(n *ledger.Notification) {
	n.Tries, n.NextAttempt, n.LastError = 0, time.Time{}, nil
}

// upload brings READY to UPLOADED.
func (w *work) upload(ctx context.Context) (bool, error) {
	docs, err := w.uploadMissing(ctx)
	if err != nil {
		return false, w.failed(ctx, err, docs)
	}
	w.run.reached()
	return true, w.put(ctx, func(n *ledger.Notification) {
		n.Documents, n.State = docs, ledger.Uploaded
		progress(n)
	})
}

// renew does uploads again that SEND may have forgotten, without a change of state:
// an INTENT stays one (rule 17).
func (w *work) renew(ctx context.Context) (bool, error) {
	docs, err := w.uploadMissing(ctx)
	if err != nil {
		return false, w.failed(ctx, err, docs)
	}
	err = w.put(ctx, func(n *ledger.Notification) { n.Documents = docs })
	return err == nil, err
}

// failed stores what stopped the notification: a hold where somebody must act, a
// later try otherwise. docs, if not nil, are the documents with the uploads that
// succeeded. A pass being stopped leaves no trace.
func (w *work) failed(ctx context.Context, err error, docs []ledger.Document) error {
	var step *stepError
	if errors.As(err, &step) {
		return err
	}
	if ctx.Err() != nil || w.run.dead() {
		return nil //nolint:nilerr // told to stop: the record says how to go on
	}
	var copyFault *spoolError
	if errors.As(err, &copyFault) {
		return w.holdNotification(ctx, copyFault.code, w.problem(copyFault.code, copyFault.file, "file", copyFault.file), docs, time.Hour)
	}
	var e *send.Error
	if !errors.As(err, &e) {
		e = &send.Error{Op: "preload", Class: send.Transient, Err: err}
	}
	switch e.Class {
	case send.Held:
		return w.held(ctx, e, docs)
	case send.Rejected, send.Fatal:
		w.s.o.Log.Error("SEND contract broken", "op", e.Op, "notification", w.n.ID, "status", e.Status, "trace", e.TraceID)
		return w.holdNotification(ctx, "contract", w.problem("C-SEND-CONTRACT", "", "detail", e.Brief()), docs, time.Hour)
	default:
		w.run.failure(ctx, e)
		return w.later(ctx, waitTransient, e.RetryAfter, w.problem("C-SEND-UNREACHABLE", "", "detail", e.Brief()), docs)
	}
}

// later stores when the present step is tried again and why it has to be.
func (w *work) later(ctx context.Context, kind wait, asked time.Duration, why notification.Problem, docs []ledger.Document) error {
	w.run.count(func(r *Report) { r.Later++ })
	now := w.s.o.Clock()
	return w.put(ctx, func(n *ledger.Notification) {
		if docs != nil {
			n.Documents = docs
		}
		waitLater(n, kind, asked, why, now, w.s.o.Jitter())
	})
}

// waitLater is the bookkeeping of a failed try. While SEND is given time to free a
// notice, other failures neither count nor hide that (rule 15, c).
func waitLater(n *ledger.Notification, kind wait, asked time.Duration, why notification.Problem, now time.Time, jitter float64) {
	freeing := n.LastError != nil && n.LastError.Code == codeNoticeBusy
	switch {
	case freeing && kind != waitNotice:
		n.NextAttempt = now.Add(delay(kind, 1, asked, jitter))
		return
	case !freeing && kind == waitNotice:
		n.Tries = 0
	}
	n.Tries++
	n.LastError = &why
	n.NextAttempt = now.Add(delay(kind, n.Tries, asked, jitter))
}

func (w *work) problem(code, field string, args ...string) notification.Problem {
	return notification.New(w.s.o.Language, code, field, args...)
}
