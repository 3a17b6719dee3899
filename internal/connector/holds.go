package connector

import (
	"context"
	"strings"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// keep does what time alone asks for: it ends holds and delays that are over, says
// once what is held and once that it goes on, and keeps the count of the day's calls.
func (c *Connector) keep(ctx context.Context) (time.Time, error) {
	next, err := c.ledger.EndHolds(ctx)
	if err == nil {
		err = c.sayHolds(ctx)
	}
	if err == nil {
		err = c.keepCalls(ctx)
	}
	return next, err
}

// sayHolds is the one place that logs a hold of a sender or flow: with the sentence
// that status, stato.csv and the outcome files show, and never twice for one cause.
// The keeper alone calls it.
func (c *Connector) sayHolds(ctx context.Context) error {
	holds, err := c.holdsShown(ctx)
	if err != nil {
		return err
	}
	is := map[string]string{}
	for _, h := range holds {
		if h.Scope != ledger.HoldSender && h.Scope != ledger.HoldFlow {
			continue // said by the stage that met it, or by the loop that needs the folder
		}
		part := string(h.Scope) + " " + h.Name
		if is[part] = h.Reason; c.held[part] != h.Reason {
			c.opts.Log.Error("held", string(h.Scope), h.Name, "reason", h.Reason, "message", h.Detail, "next_try", h.Until)
		}
	}
	for _, part := range names(c.held) {
		if is[part] == "" {
			c.opts.Log.Info("goes on", "part", part)
		}
	}
	c.held = is
	return nil
}

// holdsShown lists the holds as people see them: those in force, and those on trial.
func (c *Connector) holdsShown(ctx context.Context) (holds []ledger.Hold, err error) {
	err = c.ledger.View(ctx, func(tx *ledger.Tx) error {
		holds, err = tx.Holds()
		return err
	})
	return holds, err
}

// spoken reports whether an error of a part speaks for itself as a hold of its sender:
// of class Held always, of a failing SEND only where such a hold stands. An error
// joined to another is spoken only if both are: one of the ledger is never hidden.
func (c *Connector) spoken(part string, err error) bool {
	switch e := err.(type) { //nolint:errorlint // joins are looked at part by part
	case *send.Error:
		return e.Class == send.Held || (e.Class == send.Transient || e.Class == send.Unknown) && c.heldPart(part)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			if !c.spoken(part, one) {
				return false
			}
		}
		return true
	case interface{ Unwrap() error }:
		return c.spoken(part, e.Unwrap())
	}
	return false
}

// heldPart reports whether the sender of a part, the last word of its name, is held.
func (c *Connector) heldPart(part string) bool {
	holds, err := c.holdsNow(context.Background())
	for _, h := range holds {
		if err == nil && h.Scope == ledger.HoldSender && strings.HasSuffix(part, " "+h.Name) {
			return true
		}
	}
	return false
}

// keepCalls stores how many calls of the day are used up: a scheduler starts a new
// process every few minutes, and the gateway counts them together (rule 20).
func (c *Connector) keepCalls(ctx context.Context) error {
	now := c.opts.Clock()
	for _, name := range names(c.senders) {
		s := c.senders[name]
		used, _ := s.client.Budget()
		if int64(used) == s.kept.Load() {
			continue
		}
		if err := c.ledger.PutCalls(ctx, name, used, now); err != nil {
			return err
		}
		s.kept.Store(int64(used))
	}
	return nil
}

// recallCalls gives every client the calls that earlier processes made today.
func (c *Connector) recallCalls(ctx context.Context) error {
	for _, name := range names(c.senders) {
		used, at, err := c.ledger.Calls(ctx, name)
		if err != nil {
			return err
		}
		s := c.senders[name]
		s.client.Recall(used, at)
		used, _ = s.client.Budget()
		s.kept.Store(int64(used))
	}
	return nil
}
