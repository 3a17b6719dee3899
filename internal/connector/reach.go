package connector

import (
	"context"
	"errors"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// unreachableFor is how long the hold stands if nobody looks again. The loop of the
// stream does, much sooner, and drops it when SEND answers.
const unreachableFor = 15 * time.Minute

// unreachable says to everybody that SEND does not answer this sender: status,
// stato.csv, outcome files and the exit code, and not the log alone. Errors of other
// kinds have said so themselves.
func (c *Connector) unreachable(ctx context.Context, s *sender, err error) error {
	e, ok := errors.AsType[*send.Error](err)
	if !ok || e.Class != send.Transient && e.Class != send.Unknown || ctx.Err() != nil {
		return nil
	}
	now := c.opts.Clock()
	detail := notification.New(c.lang, "C-SEND-UNREACHABLE", "", "detail", e.Op).Message
	return c.ledger.Update(ctx, func(tx *ledger.Tx) error {
		return tx.ExtendHold(ledger.Hold{
			Scope: ledger.HoldSender, Name: s.name, Reason: send.HeldUnreachable, Detail: detail,
			Since: now, Until: now.Add(unreachableFor), Deaf: true,
		})
	})
}

// reachable ends a hold that SEND's answer to the first calls of this process proves
// to be over: key, voucher, network and stream are good.
func (c *Connector) reachable(ctx context.Context, s *sender) error {
	holds, err := c.holdsNow(ctx)
	if err != nil {
		return err
	}
	h := s.heldBy(holds)
	if h == nil || !h.Deaf && h.Reason != send.HeldStream || h.Reason == send.HeldBudget {
		return nil
	}
	return c.ledger.Update(ctx, func(tx *ledger.Tx) error { return tx.DropHoldSeen(*h) })
}

// begin makes a sender ready, once. Until it is, again says when to try next: at once
// in a new process, for a person may have mended meanwhile what holds the sender;
// later no sooner than the hold says, and ever more rarely where SEND does not answer.
func (c *Connector) begin(ctx context.Context, s *sender) (again time.Time, err error) {
	if s.ready.Load() {
		return time.Time{}, nil
	}
	now := c.opts.Clock()
	if s.tried {
		holds, err := c.holdsNow(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if h := s.heldBy(holds); h != nil && h.Deaf && h.Reason != send.HeldUnreachable {
			return h.Until, nil
		}
		if s.again.After(now) && s.again.Before(now.Add(ledger.LongestWait)) {
			return s.again, nil
		}
	}
	s.tried = true
	if err := s.prepare(ctx); err != nil {
		if send.ClassOf(err) == send.Held {
			return c.heldAgain(ctx, s, now, err)
		}
		s.again = now.Add(min(errorPause<<min(s.fails, 8), slowestBegin))
		s.fails++
		return s.again, errors.Join(err, c.unreachable(ctx, s, err))
	}
	s.fails = 0
	if err := c.reachable(ctx, s); err != nil {
		return time.Time{}, err
	}
	c.bells.ring() // what was due before may be sent from now on
	return time.Time{}, nil
}

// heldAgain says when a sender that SEND held at its first calls is tried next: when
// its hold ends, whatever it keeps from.
func (c *Connector) heldAgain(ctx context.Context, s *sender, now time.Time, held error) (time.Time, error) {
	s.again = now.Add(slowestBegin)
	holds, err := c.holdsNow(ctx)
	if h := s.heldBy(holds); h != nil && !h.Until.IsZero() {
		s.again = h.Until
	}
	return s.again, errors.Join(held, err)
}

// withoutStream goes on asking for every open notification by itself where SEND gives
// the sender no stream; nothing is sent meanwhile. again and cause are begin's.
func (c *Connector) withoutStream(ctx context.Context, s *sender, again time.Time, cause error) (time.Time, error) {
	holds, err := c.holdsNow(ctx)
	if h := s.heldBy(holds); err != nil || h == nil || h.Reason != send.HeldStream || !s.resolved.Load() {
		return again, errors.Join(cause, err)
	}
	lookups, err := s.progress.LookUps(ctx)
	return earliest(again, lookups.Next), errors.Join(cause, err)
}

// slowestBegin is how often a service asks whether SEND answers again, at most.
const slowestBegin = 5 * time.Minute
