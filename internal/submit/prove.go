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

// probe looks for later attempts of a key whose first one was found at SEND though
// the ledger did not know it, and gives the highest (rule 16).
func (w *work) probe(ctx context.Context, first send.RequestStatus) (send.RequestStatus, int, error) {
	found, attempt := first, 1
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
// request, so it goes as the attempt after it (rules 4, 5 and 16).
func (w *work) nextAfter(ctx context.Context, found send.RequestStatus, attempt int) (bool, error) {
	err := w.commit(context.WithoutCancel(ctx), func(tx *ledger.Tx, n *ledger.Notification) error {
		progress(n)
		setAttempt(n, attempt)
		n.State, n.RequestID, n.Refusals = ledger.Refused, found.RequestID, w.refused(found.Errors)
		if err := tx.PutNotification(n); err != nil {
			return err
		}
		return w.next(tx, n)
	})
	return err == nil, err
}

// prove makes the look-up that a new attempt needs: of the present attempt, freshly
// answering REFUSED, or, for a person's resubmit, CANCELLED (rule 4).
func (w *work) prove(ctx context.Context) (bool, error) {
	var proof, odd string
	var err error
	if w.n.State == ledger.Cancelled {
		proof, odd, err = w.proveCancelled(ctx)
	} else {
		proof, odd, err = w.proveRefused(ctx)
	}
	switch {
	case err != nil && send.ClassOf(err) == send.NotFound:
		return false, w.holdNotification(ctx, reasonNotVisible, w.problem("C-NOT-VISIBLE", ""), nil, notVisibleAgain)
	case err != nil:
		return false, w.failed(ctx, err, nil)
	case proof == "":
		w.s.o.Log.Error("SEND does not confirm the end of an attempt", "notification", w.n.ID, "answer", odd)
		return false, w.later(ctx, waitTransient, time.Hour, w.problem("C-NOT-CONFIRMED", "", "answer", odd), nil)
	}
	w.s.reached()
	err = w.commit(context.WithoutCancel(ctx), func(tx *ledger.Tx, n *ledger.Notification) error {
		return w.next(tx, n)
	})
	return err == nil, err
}

func (w *work) proveRefused(ctx context.Context) (proof, odd string, err error) {
	found, err := w.lookup(ctx, w.n.Token)
	if err != nil {
		return "", "", err
	}
	if found.Status != send.Refused {
		return "", found.Status, nil
	}
	return send.Refused, "", nil
}

func (w *work) proveCancelled(ctx context.Context) (proof, odd string, err error) {
	if err := w.s.o.Step(BeforeLookup); err != nil {
		return "", "", &stepError{err}
	}
	sent, err := w.s.o.Client.Sent(ctx, w.n.IUN)
	if stop := w.s.o.Step(AfterLookup); stop != nil {
		return "", "", &stepError{stop}
	}
	if err != nil {
		return "", "", err
	}
	if sent.Status != ledger.StatusCancelled {
		return "", sent.Status, nil
	}
	return ledger.StatusCancelled, "", nil
}
