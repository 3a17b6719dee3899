package submit

import (
	"context"
	"errors"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// What a rebuilding asks. The ledger that knew what was sent is gone; SEND knows it,
// under the tokens that follow from the protocol number alone (rules 2 and 16).

// Chain is what SEND holds of a key: attempt 1 first, none where it never had one.
type Chain []send.RequestStatus

// Chain asks SEND for every attempt of a protocol number, 1, 2, … until it knows
// none. It reads only. Errors are those of the client.
func (s *Submitter) Chain(ctx context.Context, protocol, senderTaxID string) (Chain, error) {
	var chain Chain
	for len(chain) < maxProbes {
		if err := s.o.Step(BeforeLookup); err != nil {
			return nil, &stepError{err}
		}
		found, err := s.o.Client.StatusByToken(ctx, protocol, notification.Token(senderTaxID, protocol, len(chain)+1))
		if stop := s.o.Step(AfterLookup); stop != nil {
			return nil, &stepError{stop}
		}
		if send.ClassOf(err) == send.NotFound {
			return chain, nil
		}
		if err != nil {
			return nil, err
		}
		chain = append(chain, found)
	}
	return nil, &send.Error{Op: "status", Class: send.Fatal, Err: errors.New("no end of attempts")}
}

// Holds gives the attempt of the chain that is the request of n, 0 for none: then it was
// sound when it was sent, whatever today's rules say.
func (c Chain) Holds(n *ledger.Notification) (attempt int) {
	attempt, _ = c.pick(n)
	return attempt
}

// pick gives the attempt that n is: the highest with the very request and documents,
// else with the request, else the highest at all if it agrees in tax codes, notices and
// subject (rule 14). 0 = none is.
func (c Chain) pick(n *ledger.Notification) (attempt int, how likeness) {
	var bodies, last likeness
	bodiesAt := 0
	for at := len(c); at >= max(1, n.Attempt); at-- {
		like, err := compare(n, c[at-1])
		if err != nil {
			continue // an answer that cannot be read is no likeness
		}
		if like.bodies && like.digests {
			return at, like
		}
		if like.bodies && bodiesAt == 0 {
			bodiesAt, bodies = at, like
		}
		if at == len(c) {
			last = like
		}
	}
	if bodiesAt > 0 {
		return bodiesAt, bodies
	}
	if len(c) >= max(1, n.Attempt) && c[len(c)-1].Status != send.Refused && last.identity() {
		return len(c), last
	}
	return 0, last
}

// Recall brings a notification without an answer, which a rebuilding has just read or a
// restored ledger was going to send, to where SEND has it; nothing is sent. One that SEND
// does not know stays as it is. Where SEND has
// another request under the key, ours waits behind it if that was refused (rule 16),
// and is refused here otherwise (rule 14). A notification that is further already is
// left alone, so that it may be repeated.
func (s *Submitter) Recall(ctx context.Context, id ledger.ID, chain Chain) error {
	return s.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		n, err := tx.Notification(id)
		if err != nil || !n.State.Unanswered() || len(chain) < n.Attempt {
			return err
		}
		at, like := chain.pick(n)
		if n.State == ledger.Intent && (at == 0 || !like.digests) {
			return nil // rule 14 is stricter after an intent: its own look-up decides
		}
		last := chain[len(chain)-1]
		w := &work{s: s, n: n}
		switch {
		case at > 0:
			w.take(n, chain[at-1], like)
			if n.State == ledger.Refused && at > 1 {
				n.Automatic = true // nobody knows any more whether it has been used
			}
		case last.Status == send.Refused:
			at = len(chain)
			w.take(n, last, likeness{digests: true})
		default:
			at = n.Attempt
			n.State = ledger.RefusedAtOnce
			n.Refusals = []notification.Problem{w.problem("C-PROTOCOL-REUSED", "paProtocolNumber",
				"difference", notification.Describe(s.o.Language, like.differences))}
		}
		another := n.State == ledger.Refused && at == len(chain) && !sameAsRefused(like, last)
		if err := tx.AdoptFound(n, at); err != nil {
			return err
		}
		if another {
			if err := tx.Wait(n); err != nil {
				return err
			}
		}
		if s.o.Learnt == nil || n.RequestID == "" {
			return nil
		}
		return s.o.Learnt(tx, n)
	})
}

// RecallWaiting proves the end of a refused attempt that a rebuilt batch's new request
// waits behind, where SEND is known to have gone on from there: the request becomes the
// next attempt, READY, for Recall to find.
func (s *Submitter) RecallWaiting(ctx context.Context, id ledger.ID) error {
	var n *ledger.Notification
	err := s.o.Ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		n, err = tx.Notification(id)
		return err
	})
	if err != nil || n.Pending == nil || n.State != ledger.Refused {
		return err
	}
	w := &work{s: s, n: n}
	proof, lives, err := w.lookRefused(ctx)
	if err != nil {
		return err
	}
	return s.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		n, err := tx.Notification(id)
		if err != nil || n.Pending == nil || n.State != ledger.Refused {
			return err
		}
		if lives != nil {
			lives(n)
			return tx.RefutePending(n, ledger.Cause{Event: "LOOKUP", EventAt: proof.At, Detail: proof.Status})
		}
		return tx.NextAttempt(n, proof)
	})
}

// take writes what a look-up found into n, whose attempt it is.
func (w *work) take(n *ledger.Notification, found send.RequestStatus, like likeness) {
	now := w.s.o.Clock()
	progress(n)
	n.RequestID, n.NextAttempt = found.RequestID, now
	if !like.digests {
		n.Warnings = append(n.Warnings, w.problem("C-ADOPTED-DOCUMENTS", ""))
	}
	switch found.Status {
	case send.Refused:
		n.State, n.Refusals, n.NextAttempt = ledger.Refused, w.refused(found.Errors), time.Time{}
		n.CostOfRefusal(0, w.s.o.RefusalFee)
	case send.Accepted:
		n.State, n.IUN, n.AcceptedAt = ledger.Accepted, found.IUN, now
	default:
		n.State = ledger.Submitted
	}
}
