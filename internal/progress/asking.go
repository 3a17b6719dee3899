package progress

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// asking is one call of LookUps or Prices: what its workers share.
type asking struct {
	p *Progress

	mu     sync.Mutex
	report Report
	stop   bool
}

func (a *asking) count(change func(*Report)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.report)
}

func (a *asking) stopped() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stop
}

// askLimit is how many due notifications are taken at a time, and askMost how many
// are looked at in one call.
const (
	askLimit = 200
	askMost  = 5000
)

// due takes the due notifications, works on those that mine accepts and gives all
// back at the end: what is due for another reason stays due for it.
func (a *asking) due(ctx context.Context, mine func(*ledger.Notification) bool, do func(context.Context, *asking, *ledger.Notification) error) error {
	var taken []ledger.ID
	defer func() { a.p.o.Ledger.Done(taken...) }()
	for len(taken) < askMost && ctx.Err() == nil && !a.stopped() {
		list, err := a.p.o.Ledger.DueToAsk(ctx, a.p.o.Sender, askLimit, a.p.longestWait())
		if err != nil || len(list) == 0 {
			return err
		}
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(a.p.o.Lookups)
		for _, n := range list {
			taken = append(taken, n.ID)
			switch {
			case a.stopped():
			case mine(n):
				g.Go(func() error { return do(gctx, a, n) })
			case !a.p.mustLook(n) && !costInDoubt(n):
				g.Go(func() error { return a.p.nothingToAsk(gctx, n) })
			}
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// longestWait is the longest that a notification can be left alone.
func (p *Progress) longestWait() time.Duration {
	return max(p.o.Silence, p.o.LookupAfter) + ledger.LongestWait
}

// nothingToAsk gives a notification that is due for no reason (any more) its right
// time, so that it is not taken up again and again.
func (p *Progress) nothingToAsk(ctx context.Context, n *ledger.Notification) error {
	return p.change(ctx, n.ID, func(_ *ledger.Tx, n *ledger.Notification) error {
		switch n.State {
		case ledger.Accepted, ledger.Cancelled:
			n.NextAttempt = p.nextAsk(n, p.o.Clock())
		case ledger.Refused:
			n.NextAttempt = time.Time{}
		}
		return nil
	})
}

// change applies a change to the present record of a notification and stores it.
func (p *Progress) change(ctx context.Context, id ledger.ID, change func(tx *ledger.Tx, n *ledger.Notification) error) error {
	return p.o.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
		n, err := tx.Notification(id)
		if err != nil {
			return err
		}
		if err := change(tx, n); err != nil {
			return err
		}
		return tx.PutNotification(n)
	})
}

// notAnswered stores a look-up for later and stops the call when the sender is held
// or nothing answers.
func (p *Progress) notAnswered(ctx context.Context, a *asking, n *ledger.Notification, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // told to stop: it is asked again
	}
	var e *send.Error
	if !errors.As(err, &e) {
		return err
	}
	stop := false
	switch e.Class {
	case send.Held:
		stop = true
		if err := p.hold(ctx, e); err != nil {
			return err
		}
	case send.NotFound, send.Rejected, send.Fatal: // an answer, though not the one we need
		p.o.Log.Warn("SEND does not show what it took", "notification", n.ID, "op", e.Op, "status", e.Status, "trace", e.TraceID)
	default:
		stop = p.failed(ctx, e)
	}
	a.mu.Lock()
	a.stop = a.stop || stop
	a.report.Later++
	a.mu.Unlock()
	return p.change(ctx, n.ID, func(_ *ledger.Tx, n *ledger.Notification) error {
		n.Tries++
		why := notification.New(p.o.Language, "C-SEND-LOOKUP", "", "detail", e.Brief())
		n.LastError = &why
		n.NextAttempt = p.o.Clock().Add(lookAgain(n.Tries, e.RetryAfter, p.o.Jitter()))
		return nil
	})
}

// lookAgain is the delay after the given number of look-ups in vain.
func lookAgain(tries int, asked time.Duration, jitter float64) time.Duration {
	steps := []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}
	d := max(steps[min(max(tries, 1), len(steps))-1], asked)
	return d + time.Duration(jitter*float64(d)/5)
}
