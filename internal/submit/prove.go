package submit

import (
	"context"
	"errors"
	"strings"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// maxProbes bounds the search for attempts of a key that the ledger does not know.
const maxProbes = 100

// probe looks for attempts after the present one, which was found at SEND though the
// ledger did not know it, and gives the highest (rule 16).
func (w *work) probe(ctx context.Context, first send.RequestStatus) (send.RequestStatus, int, error) {
	found, attempt := first, w.n.Attempt
	for attempt < maxProbes {
		next, err := w.lookup(ctx, notification.Token(w.n.Key.SenderTaxID, w.n.Key.Protocol, attempt+1))
		if send.ClassOf(err) == send.NotFound {
			return found, attempt, nil
		}
		if err != nil {
			return found, attempt, err
		}
		found = next
		attempt++
	}
	return found, attempt, &send.Error{Op: "status", Class: send.Fatal, Err: errors.New("no end of attempts")}
}

func (w *work) probeFailed(ctx context.Context, err error) error {
	var step *stepError
	if errors.As(err, &step) || ctx.Err() != nil {
		return ignoreContext(err, step)
	}
	return w.stillOpen(ctx, err)
}

// sameAsRefused reports whether our request is the one that SEND refused, in the
// sense of rule 5: equal, or differing only in document bytes, which count only
// where SEND found fault with a file.
func sameAsRefused(like likeness, found send.RequestStatus) bool {
	if !like.bodies {
		return false
	}
	if like.digests {
		return true
	}
	for _, e := range found.Errors {
		if strings.HasPrefix(e.Code, "FILE_") {
			return false
		}
	}
	return true
}

// nextAfter: the highest attempt that SEND holds was refused and ours is another
// request, so it waits behind it for its own proof (rules 4, 5 and 16).
func (w *work) nextAfter(ctx context.Context, found send.RequestStatus, attempt int) (bool, error) {
	err := w.commit(context.WithoutCancel(ctx), func(tx *ledger.Tx, n *ledger.Notification) error {
		progress(n)
		if err := adoptAttempt(tx, n, attempt); err != nil {
			return err
		}
		n.State, n.RequestID, n.Refusals = ledger.Refused, found.RequestID, w.refused(found.Errors)
		n.CostOfRefusal(0, w.s.o.RefusalFee)
		if err := tx.PutNotification(n); err != nil {
			return err
		}
		return tx.Wait(n)
	})
	return err == nil, err
}

// adoptAttempt makes the attempt found at SEND the notification's own: a ledger that
// was lost learns how far the key had got.
func adoptAttempt(tx *ledger.Tx, n *ledger.Notification, attempt int) error {
	if attempt == n.Attempt {
		return nil
	}
	return tx.AdoptAttempt(n, attempt)
}

// prove makes the look-up that a new attempt needs: of the present attempt, freshly
// answering REFUSED, or, for a person's resubmit, CANCELLED (rule 4).
func (w *work) prove(ctx context.Context) (bool, error) {
	look := w.lookRefused
	if w.n.State == ledger.Cancelled {
		look = w.lookCancelled
	}
	proof, lives, err := look(ctx)
	switch {
	case send.ClassOf(err) == send.NotFound:
		return false, w.holdNotification(ctx, reasonNotVisible, w.problem("C-NOT-VISIBLE", ""), nil, notVisibleAgain)
	case err != nil:
		return false, w.failed(ctx, err, nil)
	}
	w.run.reached()
	if lives != nil {
		w.s.o.Log.Warn("SEND does not confirm the end of an attempt", "notification", w.n.ID, "answer", proof.Status)
		return false, w.commit(context.WithoutCancel(ctx), func(tx *ledger.Tx, n *ledger.Notification) error {
			progress(n)
			lives(n)
			return tx.RefutePending(n, ledger.Cause{Event: "LOOKUP", EventAt: proof.At, Detail: proof.Status})
		})
	}
	err = w.commit(context.WithoutCancel(ctx), func(tx *ledger.Tx, n *ledger.Notification) error {
		return tx.NextAttempt(n, proof)
	})
	var taken *ledger.TakenError
	if errors.As(err, &taken) {
		why := w.problem("C-TAKEN-MEANWHILE", "", "batch", taken.Batch, "row", itoa(taken.Row))
		return false, w.holdNotification(ctx, "taken", why, nil, notVisibleAgain)
	}
	return err == nil, err
}

// lookRefused looks the present attempt up. lives is what it is where SEND did not
// refuse it after all.
func (w *work) lookRefused(ctx context.Context) (proof ledger.Proof, lives func(*ledger.Notification), err error) {
	found, err := w.lookup(ctx, w.n.Token)
	if err != nil {
		return proof, nil, err
	}
	now := w.s.o.Clock()
	proof = ledger.Proof{At: now, Token: w.n.Token, Status: found.Status}
	if found.Status == send.Refused {
		return proof, nil, nil
	}
	return proof, func(n *ledger.Notification) {
		n.State, n.RequestID, n.Refusals, n.NextAttempt = ledger.Submitted, found.RequestID, nil, now
		if found.Status == send.Accepted {
			n.State, n.IUN, n.AcceptedAt = ledger.Accepted, found.IUN, now
			n.LastEventAt = time.Time{} // progress reads it once
		}
	}, nil
}

// lookCancelled reads a notification that we hold for cancelled.
func (w *work) lookCancelled(ctx context.Context) (proof ledger.Proof, lives func(*ledger.Notification), err error) {
	if err := w.s.o.Step(BeforeLookup); err != nil {
		return proof, nil, &stepError{err}
	}
	sent, err := w.s.o.Client.Sent(ctx, w.n.IUN)
	if stop := w.s.o.Step(AfterLookup); stop != nil {
		return proof, nil, &stepError{stop}
	}
	if err != nil {
		return proof, nil, err
	}
	now := w.s.o.Clock()
	proof = ledger.Proof{At: now, Token: w.n.Token, Status: sent.Status}
	if sent.Status == ledger.StatusCancelled {
		return proof, nil, nil
	}
	return proof, func(n *ledger.Notification) {
		n.State, n.NextAttempt, n.LastEventAt = ledger.Accepted, now, time.Time{}
	}, nil
}
