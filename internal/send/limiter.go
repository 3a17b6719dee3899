package send

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Priority orders the calls of one key (rule 20); smaller goes first.
type Priority int

// Priorities of rule 20. Every operation has its own; WithPriority overrides it.
const (
	PriorityStream    Priority = iota + 1 // events and streams
	PriorityLookup                        // unknown outcomes, what a person asked for
	PriorityCreate                        // preload and create
	PriorityDocuments                     // legal facts, notifications read
	PriorityPrice                         // costs
)

type priorityKey struct{}

// WithPriority gives the calls made with the context another priority than
// their operation's own, e.g. a price asked for at a payment desk.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

func priorityOf(ctx context.Context, own Priority) Priority {
	if p, ok := ctx.Value(priorityKey{}).(Priority); ok && p >= PriorityStream && p <= PriorityPrice {
		return p
	}
	return own
}

// kept is the share of the day's calls, in hundredths, that a priority leaves to
// those before it: the stream has the last 5 % alone (rule 20), and the others
// give way one after the other, so that a flood of prices cannot end the day for
// creations.
func (p Priority) kept() int {
	switch p {
	case PriorityStream:
		return 0
	case PriorityLookup:
		return 5
	case PriorityCreate:
		return 6
	case PriorityDocuments:
		return 8
	}
	return 10
}

const (
	recoverEvery = 10 * time.Second // without a 429, the rate grows …
	recoverStep  = 0.1              // … by this share of the full rate
	slowest      = 0.02             // share of the full rate below which it never falls
	longestNap   = time.Second      // a queued call looks again at least so often

	// reserve is the share of the burst that is left alone. The gateway counts calls
	// when they arrive: a first call that takes long (a connection to be made) and
	// quick ones after it come closer together than they left, and with the whole
	// burst in use that is a 429, which costs half the rate for a while. A fifth of
	// 100 bears 400 ms of such difference and costs nothing but the first 20 calls.
	reserve = 0.2
)

// limiter is the one gate through which every API call of a key passes: a token
// bucket that halves its rate on a 429 and recovers step by step, a queue by
// priority and then by arrival, and the day's budget. It owns no goroutine: those
// who wait look again by themselves.
type limiter struct {
	clock func() time.Time // for the day
	pace  func() time.Time // for the rate
	wait  func(context.Context, time.Duration) error
	full  Limits

	mu      sync.Mutex
	bucket  *rate.Limiter
	now     float64   // present rate, calls a second
	changed time.Time // last slow-down or recovery
	day     int64     // UTC day number of used
	used    int
	seq     uint64
	queue   []*ticket // ordered
}

type ticket struct {
	priority Priority
	seq      uint64
}

func newLimiter(l Limits, clock, pace func() time.Time, wait func(context.Context, time.Duration) error) *limiter {
	x := &limiter{
		clock: clock, pace: pace, wait: wait, full: l,
		now:     l.PerSecond,
		changed: pace(),
		day:     utcDay(clock()),
	}
	x.bucket = rate.NewLimiter(rate.Limit(x.now), x.burst())
	return x
}

func utcDay(t time.Time) int64 {
	const day = 24 * 60 * 60
	s := t.Unix()
	if s < 0 {
		s -= day - 1
	}
	return s / day
}

// take waits for a call's turn and counts it. It fails with a Held error when
// the day's budget for the priority is used up, or with the context's error.
func (l *limiter) take(ctx context.Context, p Priority) error {
	t := l.enter(p)
	defer l.leave(t)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		nap, err := l.try(t)
		if err != nil || nap == 0 {
			return err
		}
		if err := l.wait(ctx, nap); err != nil {
			return err
		}
	}
}

func (l *limiter) enter(p Priority) *ticket {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	t := &ticket{priority: p, seq: l.seq}
	at, _ := slices.BinarySearchFunc(l.queue, t, func(a, b *ticket) int {
		if a.priority != b.priority {
			return int(a.priority - b.priority)
		}
		return int(int64(a.seq) - int64(b.seq))
	})
	l.queue = slices.Insert(l.queue, at, t)
	return t
}

func (l *limiter) leave(t *ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, t); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	}
}

// try takes a token if there is one for the ticket beyond those due to the
// tickets before it; otherwise it says how long to wait before trying again.
func (l *limiter) try(t *ticket) (nap time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.budget(l.clock(), t.priority); err != nil {
		return 0, err
	}
	now := l.pace()
	l.recover(now)
	ahead := slices.Index(l.queue, t)
	missing := float64(ahead+1) - l.bucket.TokensAt(now)
	if missing <= 0 && l.bucket.AllowN(now, 1) {
		l.used++
		l.queue = slices.Delete(l.queue, ahead, ahead+1)
		return 0, nil
	}
	nap = time.Duration(missing / l.now * float64(time.Second))
	return min(max(nap, time.Millisecond), longestNap), nil
}

func (l *limiter) budget(now time.Time, p Priority) error {
	if d := utcDay(now); d != l.day {
		l.day, l.used = d, 0
	}
	if l.full.PerDay < 0 {
		return nil
	}
	if l.used < l.full.PerDay-l.full.PerDay*p.kept()/100 {
		return nil
	}
	midnight := time.Unix((l.day+1)*24*60*60, 0)
	return &Error{Class: Held, Reason: HeldBudget, RetryAfter: midnight.Sub(now), Err: errBudget}
}

// refund gives back a call that was counted and then not made.
func (l *limiter) refund() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = max(0, l.used-1)
}

// slow halves the rate and empties the bucket, as the gateway's own is empty.
// since is when the refused call went out, by the pace clock: calls that were under way at the last
// slow-down say nothing new.
func (l *limiter) slow(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !since.After(l.changed) && l.now < l.full.PerSecond {
		return
	}
	now := l.pace()
	l.setRate(max(l.now/2, l.full.PerSecond*slowest), now)
	l.bucket = rate.NewLimiter(rate.Limit(l.now), l.burst())
	l.bucket.AllowN(now, l.burst())
}

func (l *limiter) recover(now time.Time) {
	steps := int(now.Sub(l.changed) / recoverEvery)
	if l.now >= l.full.PerSecond || steps < 1 {
		return
	}
	l.setRate(min(l.full.PerSecond, l.now+float64(steps)*recoverStep*l.full.PerSecond), now)
	l.bucket.SetLimitAt(now, rate.Limit(l.now))
	l.bucket.SetBurstAt(now, l.burst())
}

func (l *limiter) setRate(r float64, now time.Time) { l.now, l.changed = r, now }

// burst is what may go at once; it shrinks with the rate.
func (l *limiter) burst() int {
	return max(1, int((1-reserve)*float64(l.full.Burst)*l.now/l.full.PerSecond))
}

func (l *limiter) recall(used int, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if today := utcDay(l.clock()); utcDay(at) == today {
		if l.day != today {
			l.day, l.used = today, 0
		}
		l.used += used
	}
}

func (l *limiter) today() (used, left int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := utcDay(l.clock()); d != l.day {
		l.day, l.used = d, 0
	}
	if l.full.PerDay < 0 {
		return l.used, int(^uint(0) >> 1)
	}
	return l.used, max(0, l.full.PerDay-l.used)
}
