package connector

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// times counts the lines that were said and hold a text.
func (s *said) times(text string) (n int) {
	for _, line := range s.all() {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// Damage: the data folder is lost, or another one is configured, and nobody is told
// that what was sent is followed no longer. A new installation is not frightened.
func TestEmptyLedgerBesideFullFoldersIsTold(t *testing.T) {
	t.Parallel()
	w, log := newStill(t), &said{}
	w.opts.Log = slog.New(log)
	w.deposit("a.csv", alone("V/1", ettore, 1))
	w.steps(2)
	if n := log.times("C-LEDGER-EMPTY"); n != 0 {
		t.Errorf("told %d times although nothing is lost: %q", n, log.all())
	}
	w.loseData()
	w.steps(1)
	if n := log.times("C-LEDGER-EMPTY"); n != 1 || log.times("flow=tari") == 0 || log.times("ledger rebuild") == 0 {
		t.Errorf("told %d times, want once, with flow and remedy: %q", n, log.all())
	}
}

// Damage: a clock that is fast stops nothing, so that nobody notices that every date in
// the outcome files is wrong. It is said once, and once that it is right again.
func TestFastClockIsNamed(t *testing.T) {
	t.Parallel()
	w, log := newStill(t), &said{}
	fast := 10 * time.Minute
	w.opts.Log = slog.New(log)
	w.opts.Clock = func() time.Time { return w.sim.Now().Add(fast) }
	c := w.open()
	once := func() {
		t.Helper()
		if _, err := c.Once(context.Background(), OnceOptions{}); err != nil {
			t.Fatal(err)
		}
		w.sim.Advance(5 * time.Minute)
	}
	for range 3 {
		once()
	}
	if n := log.times("the clock is wrong"); n != 1 || log.times("differisce di 10 min") == 0 {
		t.Errorf("said %d times, want once with the difference: %q", n, log.all())
	}
	fast = 0
	for range 3 {
		once()
	}
	if n := log.times("the clock is wrong"); n != 1 {
		t.Errorf("said %d times after the clock was mended: %q", n, log.all())
	}
}
