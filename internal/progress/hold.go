package progress

import (
	"context"
	"errors"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// failuresToRest is how many calls in a row must fail before the sender rests.
const failuresToRest = 5

// rests are how long, from the first to the last.
func restFor(n int) time.Duration {
	steps := []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute}
	return steps[min(n, len(steps)-1)]
}

// reached notes that SEND answered.
func (p *Progress) reached() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures, p.rests = 0, 0
}

// failed counts a call without a useful answer and reports whether it is time to
// stop calling; the sender then rests.
func (p *Progress) failed(ctx context.Context, e *send.Error) (stop bool) {
	p.mu.Lock()
	p.failures++
	stop = p.failures >= failuresToRest
	rests := p.rests
	if stop {
		p.failures = 0
		p.rests++
	}
	p.mu.Unlock()
	if !stop {
		return false
	}
	now := p.o.Clock()
	detail := notification.New(p.o.Language, "C-SEND-UNREACHABLE", "", "detail", e.Brief()).Message
	err := p.putHold(ctx, ledger.Hold{
		Scope: ledger.HoldSender, Name: p.o.Sender, Reason: send.HeldUnreachable, Detail: detail,
		Since: now, Until: now.Add(max(restFor(rests), e.RetryAfter)), Deaf: true,
	})
	if err != nil {
		// The ledger shows itself again at the next commit, which ends the call.
		p.o.Log.Error("a hold could not be stored", "sender", p.o.Sender, "error", err)
	}
	return true
}

// held stores a Held error as a hold of the sender and gives the error on.
func (p *Progress) held(ctx context.Context, err error) error {
	var e *send.Error
	if errors.As(err, &e) && e.Class == send.Held {
		return errors.Join(err, p.hold(ctx, e))
	}
	return err
}

// hold stores what the sender or the platform must change.
func (p *Progress) hold(ctx context.Context, e *send.Error) error {
	now := p.o.Clock()
	again := e.RetryAfter
	if again <= 0 {
		again = 30 * time.Minute
	}
	p.o.Log.Info("SEND holds the sender", "sender", p.o.Sender, "reason", e.Reason, "op", e.Op, "trace", e.TraceID)
	return p.putHold(ctx, ledger.Hold{
		Scope: ledger.HoldSender, Name: p.o.Sender, Reason: e.Reason,
		Detail: notification.Held(p.o.Language, e.Reason, e.Skew).Message,
		Since:  now, Until: now.Add(again), Deaf: e.Deaf(),
	})
}

// putHold holds the sender, unless it is held longer already.
func (p *Progress) putHold(ctx context.Context, h ledger.Hold) error {
	return p.o.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error { return tx.ExtendHold(h) })
}

// deaf gives until when no call makes sense, by the hold in force; zero if calls do. A
// sender held for anything else still hears.
func (p *Progress) deaf(ctx context.Context) (until time.Time, err error) {
	h, err := p.deafHold(ctx)
	if h == nil {
		return time.Time{}, err
	}
	return h.Until, err
}

// streamDeaf is deaf for the stream: it has its own share of the day's calls, and its
// reader is who finds out that SEND answers again.
func (p *Progress) streamDeaf(ctx context.Context) (until time.Time, err error) {
	h, err := p.deafHold(ctx)
	if h == nil || h.Reason == send.HeldBudget || h.Reason == send.HeldUnreachable {
		return time.Time{}, err
	}
	return h.Until, err
}

func (p *Progress) deafHold(ctx context.Context) (deaf *ledger.Hold, err error) {
	now := p.o.Clock()
	err = p.o.Ledger.View(ctx, func(tx *ledger.Tx) error {
		holds, err := tx.Holds()
		for _, h := range holds {
			if h.Scope == ledger.HoldSender && h.Name == p.o.Sender && h.Deaf && !h.Until.IsZero() && h.InForce(now) {
				deaf = &h
			}
		}
		return err
	})
	return deaf, err
}
