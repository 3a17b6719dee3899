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

// reachable ends that hold when SEND has answered the first calls of this process.
func (c *Connector) reachable(ctx context.Context, s *sender) error {
	holds, err := c.holdsNow(ctx)
	if err != nil {
		return err
	}
	if h := s.heldBy(holds); h == nil || h.Reason != send.HeldUnreachable {
		return nil
	}
	return c.ledger.Update(ctx, func(tx *ledger.Tx) error { return tx.DropHold(ledger.HoldSender, s.name) })
}
