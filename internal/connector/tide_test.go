package connector

import (
	"context"
	"sync"
	"time"
)

// tide is the clock of a service under test: it moves only when every loop waits, and
// then to the first time that one of them waits for. Months pass as fast as the work
// that they bring, and no work is ever overtaken by the clock.
type tide struct {
	w     *world
	loops int
	turn  func(now time.Time) // called before every move; may be nil
	stop  func()

	mu      sync.Mutex
	waiting map[*waiter]struct{}
}

type waiter struct {
	until time.Time
	wake  <-chan struct{}
	come  chan struct{}
}

// Wait is the WaitFunc.
func (t *tide) Wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	x := &waiter{until: t.w.sim.Now().Add(d), wake: wake, come: make(chan struct{})}
	t.enter(x)
	select {
	case <-x.come:
	case <-wake:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiting, x)
}

func (t *tide) enter(x *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting[x] = struct{}{}
	whole := false
	defer func() {
		if !whole { // a check ended this goroutine, and with it one of the loops
			t.stop()
		}
	}()
	t.move()
	whole = true
}

// move lets time pass if nobody has anything to do.
func (t *tide) move() {
	if len(t.waiting) < t.loops {
		return
	}
	var first time.Time
	for x := range t.waiting {
		if len(x.wake) > 0 {
			return // about to go
		}
		first = earliest(first, x.until)
	}
	now := t.w.sim.Now()
	if t.turn != nil {
		t.turn(now)
	}
	if first.After(now) {
		t.w.sim.Advance(first.Sub(now))
		now = first
	}
	for x := range t.waiting {
		if !x.until.After(now) {
			delete(t.waiting, x)
			close(x.come)
		}
	}
}

// tideOver runs a service until turn calls stop. It is closed when it returns.
func (w *world) tideOver(turn func(now time.Time, stop func())) {
	w.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	clock := &tide{w: w, stop: stop, waiting: map[*waiter]struct{}{}, turn: func(now time.Time) { turn(now, stop) }}
	w.opts.Wait, w.opts.longest = clock.Wait, 15*time.Minute
	clock.loops = 1 << 30 // nothing moves before it is known how many there are
	c, err := Open(ctx, w.cfg, w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	clock.loops = len(c.loops())
	if err := c.Run(ctx); err != nil {
		w.t.Error(err)
	}
	for _, p := range c.ledger.Verify() {
		w.t.Error("ledger:", p)
	}
	if err := c.Close(); err != nil {
		w.t.Error(err)
	}
}
