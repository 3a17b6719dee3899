package submit

import (
	"context"
	"errors"
	"fmt"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// Outcomes of Cancel that are no failure of the way to SEND.
var (
	// ErrNotYet: SEND has not accepted the request yet, or its answer is still to be
	// looked up; ask again later.
	ErrNotYet = errors.New("submit: not accepted by SEND yet, cancel it later")
	// ErrNothingToCancel: the notification is not at SEND, or at its end.
	ErrNothingToCancel = errors.New("submit: there is nothing to cancel")
)

// Cancelling says what Cancel brought about.
type Cancelling int

const (
	// CancelDiscarded: it had not left; it is DISCARDED, its key free (rule 3).
	CancelDiscarded Cancelling = iota + 1
	// CancelAsked: SEND took the cancellation; CANCELLED comes as an event.
	CancelAsked
	// CancelAskedBefore: SEND had it already.
	CancelAskedBefore
)

// Cancel cancels a notification: before its intent by discarding it here, after its
// acceptance by asking SEND. Repeating it is harmless. Letters that are printed
// already still go out, and are paid for.
func (s *Submitter) Cancel(ctx context.Context, id ledger.ID) (Cancelling, error) {
	var n *ledger.Notification
	if err := s.o.Ledger.View(ctx, func(tx *ledger.Tx) error {
		var err error
		n, err = tx.Notification(id)
		return err
	}); err != nil {
		return 0, err
	}
	switch n.State {
	case ledger.Ready, ledger.Uploaded:
		err := s.o.Ledger.DiscardNotification(ctx, id)
		if errors.Is(err, ledger.ErrTooLate) {
			return 0, ErrNotYet
		}
		return CancelDiscarded, err
	case ledger.Intent, ledger.Submitted:
		return 0, ErrNotYet
	case ledger.Accepted:
		return s.cancelAtSEND(ctx, n)
	}
	return 0, fmt.Errorf("%w (%s)", ErrNothingToCancel, n.State)
}

func (s *Submitter) cancelAtSEND(ctx context.Context, n *ledger.Notification) (Cancelling, error) {
	if n.IUN == "" {
		return 0, ErrNotYet
	}
	if err := s.o.Step(BeforeCancel); err != nil {
		return 0, err
	}
	answer, err := s.o.Client.Cancel(ctx, n.IUN)
	if stop := s.o.Step(AfterCancel); stop != nil {
		return 0, stop
	}
	if err != nil {
		return 0, err
	}
	what, err := cancelled(answer)
	if err != nil {
		return 0, err
	}
	return what, s.o.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
		cur, err := tx.Notification(n.ID)
		if err != nil {
			return err
		}
		if cur.CancelAsked.IsZero() {
			cur.CancelAsked = s.o.Clock()
		}
		return tx.PutNotificationBecause(cur, ledger.Cause{Event: "CANCELLATION_ASKED", EventAt: s.o.Clock()})
	})
}

// cancelled reads SEND's answer, which is a 202 whatever it means.
func cancelled(answer send.Cancelled) (Cancelling, error) {
	for _, d := range answer.Details {
		switch d.Code {
		case send.CancelAccepted:
			return CancelAsked, nil
		case send.CancelAlready:
			return CancelAskedBefore, nil
		case send.CancelRefused:
			return 0, ErrNothingToCancel
		}
	}
	return 0, &send.Error{Op: "cancel", Class: send.Fatal, Status: 202, Err: errors.New("the answer says nothing of the cancellation")}
}
