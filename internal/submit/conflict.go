package submit

import (
	"context"
	"errors"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// conflict handles a 409: a look-up first, whatever it says (rule 15).
func (w *work) conflict(ctx context.Context, e *send.Error) (bool, error) {
	found, err := w.lookup(ctx, w.n.Token)
	if err == nil {
		return w.adopt(ctx, found, !w.first)
	}
	var step *stepError
	if errors.As(err, &step) || ctx.Err() != nil {
		return false, ignoreContext(err, step)
	}
	if send.ClassOf(err) != send.NotFound {
		return false, w.stillOpen(ctx, err)
	}
	switch {
	case e.Conflicts&send.ConflictToken != 0:
		return false, w.holdNotification(ctx, reasonNotVisible, w.problem("C-NOT-VISIBLE", ""), nil, notVisibleAgain)
	case e.Conflicts&send.ConflictNotice != 0:
		return false, w.noticeTaken(ctx)
	default: // an IUN drawn twice, or nothing said: the same token later
		return false, w.later(ctx, waitConflict, e.RetryAfter, w.problem("C-SEND-LATER", "", "detail", e.Brief()), nil)
	}
}

// ignoreContext passes a Step's stop on and drops the end of a context.
func ignoreContext(err error, step *stepError) error {
	if step != nil {
		return err
	}
	return nil
}

// stillOpen stores that the look-up which a 409 asks for could not be made. What
// kind of look-up it is survives, for it decides what an answer is worth.
func (w *work) stillOpen(ctx context.Context, err error) error {
	var e *send.Error
	if !errors.As(err, &e) || e.Class == send.Held || e.Class == send.Fatal {
		return w.failed(ctx, err, nil)
	}
	w.run.failure(ctx, e)
	code := "C-SEND-UNKNOWN"
	if w.first || w.lastWas(codeConflict) {
		code = codeConflict
	}
	return w.later(ctx, waitConflict, e.RetryAfter, w.problem(code, "", "detail", e.Brief()), nil)
}

// noticeTaken: only the notice was named and SEND has nothing under our token.
// After a refusal or cancellation of whatever notification of ours held it, SEND frees
// notices by and by (c); otherwise somebody else holds it (d): the ledger would not
// have admitted the row if one of ours still did. A later attempt comes from a refusal
// or cancellation, too, even where a lost ledger has forgotten it.
func (w *work) noticeTaken(ctx context.Context) error {
	freed, err := w.lastFreed(ctx)
	if err != nil {
		return err
	}
	waiting := w.lastWas(codeNoticeBusy)
	ours := waiting || w.n.Attempt > 1 || freed != nil && w.s.o.Clock().Sub(freed.At) < noticePatience
	if ours && !(waiting && noticeTimeUp(w.n.Tries+1)) {
		return w.later(ctx, waitNotice, 0, w.problem(codeNoticeBusy, "noticeCode"), nil)
	}
	why := w.problem("C-NOTICE-TAKEN-AT-SEND", "noticeCode")
	if ours && freed != nil {
		why = w.problem("C-NOTICE-NOT-FREED", "noticeCode", "protocol", freed.Protocol, "batch", freed.Batch, "row", itoa(freed.Row))
	}
	return w.rejected(ctx, []notification.Problem{why})
}

// lastFreed is who of ours has let go of this notification's notices, if anybody did.
func (w *work) lastFreed(ctx context.Context) (freed *ledger.Freed, err error) {
	err = w.s.o.Ledger.View(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
		freed, err = tx.LastFreed(w.n)
		return err
	})
	return freed, err
}

// adopt takes a request found at SEND under our token as ours, if it is (rule 14).
// strict says that the request may be the one we posted, so that it must carry our
// very documents.
func (w *work) adopt(ctx context.Context, found send.RequestStatus, strict bool) (bool, error) {
	w.run.reached()
	like, err := compare(w.n, found)
	if err != nil {
		return false, w.holdNotification(ctx, "contract", w.problem("C-SEND-CONTRACT", "", "detail", "status"), nil, notVisibleAgain)
	}
	attempt := w.n.Attempt
	if !like.refs {
		// A key that the ledger did not know, or a ledger that is older than what was sent
		// with it (rules 16 and 23): SEND may hold later attempts.
		if found, attempt, err = w.probe(ctx, found); err != nil {
			return false, w.probeFailed(ctx, err)
		}
		if like, err = compare(w.n, found); err != nil {
			return false, w.holdNotification(ctx, "contract", w.problem("C-SEND-CONTRACT", "", "detail", "status"), nil, notVisibleAgain)
		}
	}
	switch {
	case found.Status == send.Refused && !like.refs && !sameAsRefused(like, found):
		return w.nextAfter(ctx, found, attempt)
	case !like.identity():
		return false, w.rejected(ctx, []notification.Problem{w.problem("C-PROTOCOL-REUSED", "paProtocolNumber",
			"difference", notification.Describe(w.s.o.Language, like.differences))})
	case strict && !like.digests && attempt == w.n.Attempt && found.Status != send.Refused:
		return false, w.rejected(ctx, []notification.Problem{w.problem("C-PROTOCOL-REUSED", "paProtocolNumber",
			"difference", w.problem("C-OTHER-DOCUMENTS", "").Message)})
	}
	return false, w.adopted(ctx, found, attempt, like)
}

// adopted records what was found. SubmittedAt stays zero until progress has read
// the notification once and knows when SEND took it (rule 22: every adoption is
// followed by one read).
func (w *work) adopted(ctx context.Context, found send.RequestStatus, attempt int, like likeness) error {
	w.run.count(func(r *Report) {
		if r.Adopted++; found.Status == send.Refused {
			r.Adopted--
			r.Refused++
		}
	})
	return w.learn(ctx, func(tx *ledger.Tx, n *ledger.Notification) error {
		if err := adoptAttempt(tx, n, attempt); err != nil {
			return err
		}
		w.take(n, found, like)
		return nil
	})
}

// refused are the reasons of a refusal by SEND's validation.
func (w *work) refused(errs []send.Refusal) []notification.Problem {
	var all []notification.Problem
	for _, e := range errs {
		all = append(all, notification.Refused(w.s.o.Language, e.Code, e.Element, e.Detail))
	}
	return all
}
