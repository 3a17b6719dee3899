package send

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func testLimiter(l Limits) *limiter { return newLimiter(l.withDefaults(), time.Now, time.Now, wait) }

// takeAll runs n calls at once and gives the time of each, by
// virtual clock.
func takeAll(t *testing.T, l *limiter, n int) []time.Time {
	t.Helper()
	var mu sync.Mutex
	var at []time.Time
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := l.take(t.Context(), PriorityCreate); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Now())
		})
	}
	wg.Wait()
	return at
}

// Damage prevented: SEND throttling the whole usage plan. In no window of any
// length do more calls pass than burst + rate * length.
func TestLimiterNeverExceedsTheRate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rate := float64(rapid.IntRange(1, 60).Draw(rt, "rate"))
		burst := rapid.IntRange(1, 20).Draw(rt, "burst")
		n := rapid.IntRange(1, 120).Draw(rt, "calls")
		pause := time.Duration(rapid.IntRange(0, 3000).Draw(rt, "pause")) * time.Millisecond
		var at []time.Time
		synctest.Test(t, func(t *testing.T) {
			l := testLimiter(Limits{PerSecond: rate, Burst: burst})
			at = takeAll(t, l, n)
			time.Sleep(pause)
			at = append(at, takeAll(t, l, n)...)
		})
		for i := range at {
			for j := i; j < len(at); j++ {
				allowed := float64(burst) + rate*at[j].Sub(at[i]).Seconds() + 1e-3
				if got := float64(j - i + 1); got > allowed {
					rt.Fatalf("%v calls within %v, %v allowed", got, at[j].Sub(at[i]), allowed)
				}
			}
		}
	})
}

// Damage prevented: half the rate lost to a 429 that only the network's uneven
// delays caused. A gateway that counts calls as they arrive, each up to 0.4 s late,
// refuses none.
func TestLimiterBearsUnevenDelays(t *testing.T) {
	var at []time.Time
	synctest.Test(t, func(t *testing.T) { at = takeAll(t, testLimiter(Limits{}), 400) })
	rapid.Check(t, func(rt *rapid.T) {
		delay := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		calm := rapid.IntRange(1, len(at)).Draw(rt, "late calls") // those after them are quick
		arrives := make([]time.Time, len(at))
		for i, left := range at {
			arrives[i] = left
			if i < calm {
				arrives[i] = left.Add(time.Duration(delay.Int64N(int64(400 * time.Millisecond))))
			}
		}
		slices.SortFunc(arrives, time.Time.Compare)
		tokens, last := 100.0, arrives[0]
		for i, now := range arrives {
			tokens = min(100, tokens+50*now.Sub(last).Seconds())
			last = now
			if tokens < 1 {
				rt.Fatalf("call %d is refused after %v", i, now.Sub(arrives[0]))
			}
			tokens--
		}
	})
}

// The other side of the same coin: the limit that SEND gives is used, or a large
// body's day is too short.
func TestLimiterUsesTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter(Limits{})
		start := time.Now()
		takeAll(t, l, 1100)
		// 100 at once, 1,000 at 50 a second.
		if took := time.Since(start); took > 22*time.Second {
			t.Errorf("1,100 calls took %v, 20 s were possible", took)
		}
	})
}

func TestLimiterPriorities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter(Limits{PerSecond: 1, Burst: 1})
		takeAll(t, l, 1)
		var mu sync.Mutex
		var order []Priority
		var wg sync.WaitGroup
		for _, p := range []Priority{PriorityPrice, PriorityDocuments, PriorityCreate, PriorityLookup, PriorityStream} {
			for range 2 {
				wg.Go(func() {
					if err := l.take(t.Context(), p); err != nil {
						t.Error(err)
					}
					mu.Lock()
					defer mu.Unlock()
					order = append(order, p)
				})
			}
			synctest.Wait()
		}
		wg.Wait()
		for i := 1; i < len(order); i++ {
			if order[i] < order[i-1] {
				t.Fatalf("out of order: %v", order)
			}
		}
	})
}

func TestLimiterGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter(Limits{PerSecond: 0.1, Burst: 1})
		takeAll(t, l, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.take(ctx, PriorityStream); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if len(l.queue) != 0 {
			t.Error("a call that gave up still holds its place")
		}
		if used, _ := l.today(); used != 1 {
			t.Errorf("%d calls counted", used)
		}
	})
}

func TestLimiterSlowsDownAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testLimiter(Limits{PerSecond: 50, Burst: 100})
		count := func(d time.Duration) int {
			n, end := 0, time.Now().Add(d)
			for {
				ctx, cancel := context.WithDeadline(t.Context(), end)
				err := l.take(ctx, PriorityCreate)
				cancel()
				if err != nil {
					return n
				}
				n++
			}
		}
		sent := time.Now()
		time.Sleep(time.Second)
		for range 40 { // all of one burst: one reason, not forty
			l.slow(sent)
		}
		if n := count(5 * time.Second); n < 120 || n > 130 {
			t.Errorf("after a 429 %d calls in 5 s, want 125", n)
		}
		for range 20 {
			time.Sleep(time.Millisecond)
			l.slow(time.Now())
			time.Sleep(time.Millisecond)
		}
		if n := count(5 * time.Second); n < 4 || n > 6 {
			t.Errorf("at its slowest %d calls in 5 s, want 5", n)
		}
		time.Sleep(2 * time.Minute)
		count(2 * time.Second) // the burst that has gathered
		if n := count(5 * time.Second); n < 249 || n > 251 {
			t.Errorf("recovered, %d calls in 5 s, want 250", n)
		}
	})
}

// Rule 20: 5 % of the day is the stream's alone, and whoever comes later in the
// order gives way earlier.
func TestRule20DailyBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(6 * time.Hour)
		l := testLimiter(Limits{PerSecond: 1e6, Burst: 2000, PerDay: 1000})
		spend := func(p Priority) int {
			n := 0
			for l.take(t.Context(), p) == nil {
				n++
			}
			return n
		}
		var got []int
		for _, p := range []Priority{PriorityPrice, PriorityDocuments, PriorityCreate, PriorityLookup, PriorityStream} {
			got = append(got, spend(p))
		}
		want := []int{900, 20, 20, 10, 50}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("calls by priority from price to stream: %v, want %v", got, want)
			}
		}
		e := wantHeld(t, l.take(t.Context(), PriorityStream))
		if e.RetryAfter != 18*time.Hour {
			t.Errorf("free again after %v, want midnight UTC", e.RetryAfter)
		}
		if used, left := l.today(); used != 1000 || left != 0 {
			t.Errorf("used %d, left %d", used, left)
		}
		time.Sleep(e.RetryAfter)
		if err := l.take(t.Context(), PriorityPrice); err != nil {
			t.Errorf("the next day: %v", err)
		}
		if used, left := l.today(); used != 1 || left != 999 {
			t.Errorf("the next day: used %d, left %d", used, left)
		}
	})
}

func wantHeld(t *testing.T, err error) *Error {
	t.Helper()
	e := asError(err)
	if e.Class != Held || e.Reason != HeldBudget {
		t.Fatalf("want the day's budget, got %v", err)
	}
	return e
}

// Damage prevented: a restart that forgets the calls already made.
func TestBudgetOverRestart(t *testing.T) {
	c := serve(t, answerWith(200, `[]`), func(cfg *Config) { cfg.Limits = Limits{PerDay: 10} })
	c.Recall(900, c.cfg.Clock().AddDate(0, 0, -1)) // yesterday's
	c.Recall(9, c.cfg.Clock())
	if _, err := c.ListStreams(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := c.ListStreams(t.Context())
	if e := wantHeld(t, err); e.Op != "list streams" {
		t.Errorf("%+v", e)
	}
}

// A 429 of the gateway slows the key; one of a stream read too early does not,
// and a call that was never made is not counted.
func TestWhatTheLimiterLearns(t *testing.T) {
	body := `{"message":"Too Many Requests"}`
	var calls atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		answerWith(429, body, "Retry-After", "1500")(w, r)
	})
	_, err := c.CreateRaw(t.Context(), []byte(`{}`))
	wantClass(t, err, Transient)
	if c.limiter.now != 25 {
		t.Errorf("rate %v after a 429, want half", c.limiter.now)
	}
	body = problemJSON(codeStreamRetry, "")
	_, err = c.Events(t.Context(), "s", "")
	e := wantClass(t, err, Transient)
	if e.RetryAfter != 1500*time.Millisecond {
		t.Errorf("a stream's Retry-After is in milliseconds, got %v", e.RetryAfter)
	}
	if c.limiter.now != 25 {
		t.Errorf("rate %v after reading a stream too early", c.limiter.now)
	}
	if calls.Load() != 2 {
		t.Errorf("%d calls, none of the two may be repeated at once", calls.Load())
	}
	c2 := serve(t, answerWith(429, body))
	_, err = c2.Events(t.Context(), "s", "")
	if e := wantClass(t, err, Transient); e.RetryAfter != time.Minute {
		t.Errorf("no pause named: %v", e.RetryAfter)
	}
	c, _ = both(t, answerWith(200, `[]`), answerWith(400, ``))
	if _, err := c.ListStreams(t.Context()); err == nil {
		t.Fatal("no voucher, no call")
	}
	if used, _ := c.Budget(); used != 0 {
		t.Errorf("%d calls counted, none was made", used)
	}
}

func TestPriorityOfTheCaller(t *testing.T) {
	ctx := WithPriority(t.Context(), PriorityLookup)
	if priorityOf(ctx, PriorityPrice) != PriorityLookup || priorityOf(t.Context(), PriorityPrice) != PriorityPrice {
		t.Error("WithPriority")
	}
	if priorityOf(WithPriority(t.Context(), 99), PriorityPrice) != PriorityPrice {
		t.Error("an unknown priority counts")
	}
}

func TestCountSeesEveryCall(t *testing.T) {
	var mu sync.Mutex
	var ops []string
	c := serve(t, answerWith(500, ``), func(cfg *Config) {
		cfg.Count = func(op string) { mu.Lock(); defer mu.Unlock(); ops = append(ops, op) }
	})
	_, err := c.Sent(t.Context(), "X")
	wantClass(t, err, Transient)
	if len(ops) != 3 || ops[0] != "sent" {
		t.Errorf("counted %v", ops)
	}
	if used, _ := c.Budget(); used != 3 {
		t.Errorf("budget counts %d", used)
	}
}

// Damage prevented: a connector whose clock a test (or a simulator) holds still
// would wait for ever for its next call.
func TestFrozenClockDoesNotStopTheLimiter(t *testing.T) {
	at := newHands().now()
	c := serve(t, answerWith(200, `[]`), func(cfg *Config) {
		cfg.Clock, cfg.Wait = func() time.Time { return at }, nil
		cfg.Limits = Limits{PerSecond: 2000, Burst: 1}
	})
	for range 20 {
		if _, err := c.ListStreams(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoDailyBound(t *testing.T) {
	c := serve(t, answerWith(200, `[]`), func(cfg *Config) { cfg.Limits = Limits{PerDay: -1} })
	c.Recall(1<<40, c.cfg.Clock())
	if _, err := c.ListStreams(t.Context()); err != nil {
		t.Error(err)
	}
	if used, left := c.Budget(); used != 1<<40+1 || left < 1<<30 {
		t.Errorf("used %d, left %d", used, left)
	}
}

// The day is the gateway's, also when nothing has been called since midnight.
func TestBudgetOfANewDay(t *testing.T) {
	c := serve(t, answerWith(200, `[]`))
	if _, err := c.ListStreams(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := c.cfg.Clock()
	c.limiter.clock = func() time.Time { return at.Add(14 * time.Hour) }
	if used, left := c.Budget(); used != 0 || left != 100_000 {
		t.Errorf("used %d, left %d", used, left)
	}
	if utcDay(time.Unix(-1, 0)) != -1 || utcDay(time.Unix(86399, 0)) != 0 || utcDay(time.Unix(86400, 0)) != 1 {
		t.Error("utcDay")
	}
}
