package connector

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// CRASH_MATRIX=full tries everything below; without it a spread that takes seconds.
func fullMatrix() bool { return os.Getenv("CRASH_MATRIX") == "full" }

// mostAlike is how many occurrences of one kind of step are tried where it repeats,
// spread over all: the tenth notification is no other than the ninth.
const mostAlike = 3

// everywhere repeats a test for a flow on this machine and one on a server.
func everywhere(t *testing.T, test func(t *testing.T, where string)) {
	for _, where := range []string{onDisk, onSFTP} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			test(t, where)
		})
	}
}

// calmLife is the mixed batch without a death: what every other life must come to.
func calmLife(t *testing.T, where string, refined bool) (result, *lived) {
	t.Helper()
	h := newHouse(t, where)
	if at := h.live(life{Refined: refined}); at != "" {
		t.Fatalf("died at %s", at)
	}
	clean := h.judged()
	if len(clean.outcomes) != 4 || len(clean.accepted) != len(stored) {
		t.Fatalf("clean run: %+v", clean)
	}
	for _, name := range h.dropped() {
		if at := clean.places[name]; len(at) != 1 || !strings.Contains(at[0], "/archive/<month>/") && !strings.Contains(at[0], "/rejected/") {
			t.Errorf("clean run: %s lies in %v", name, at)
		}
	}
	return clean, h.lived
}

// Wherever the process is killed, before or after any effect, the next start goes on:
// nothing is sent twice, nothing is lost, every row has its one outcome and every file
// its one place, all as if the process had lived.
func TestKilledOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, where string) {
		clean, calm := calmLife(t, where, true)
		tried := 0
		died := countDeaths(t)
		for n, kind := range calm.Order {
			for i, nth := range occurrencesOf(calm.Seen[kind]) {
				if !fullMatrix() && (i != 0 || n%120 != 17) {
					continue
				}
				tried++
				t.Run(fmt.Sprintf("%s/%d", kind, nth), func(t *testing.T) {
					t.Parallel()
					h := newHouse(t, where)
					if at := h.live(life{At: kind, Nth: nth, Refined: true}); at != kind {
						t.Logf("another order of goroutines: it never came to %s, occurrence %d", kind, nth)
						compareResults(t, clean, h.judged())
						died(false)
						return
					}
					died(true)
					h.goesOn(clean)
				})
			}
		}
		t.Logf("%d of %d steps of %d kinds", tried, calm.Seen[anyStep], len(calm.Order))
	})
}

// countDeaths tells at the end of a test how many of the deaths that it wanted came: what
// never came to its step shows nothing, however well it ends. Of the full matrix nine in
// ten must come.
func countDeaths(t *testing.T) (died func(bool)) {
	var wanted, came atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d of %d deaths came", came.Load(), wanted.Load())
		if fullMatrix() && came.Load()*10 < wanted.Load()*9 {
			t.Error("too few to show anything")
		}
	})
	return func(did bool) {
		if wanted.Add(1); did {
			came.Add(1)
		}
	}
}

func occurrencesOf(n int) []int {
	var some []int
	for i := range min(n, mostAlike) {
		some = append(some, 1+i*n/min(n, mostAlike))
	}
	return some
}

// goesOn starts a process that lives to the end and compares what it leaves.
func (h *house) goesOn(clean result) {
	h.t.Helper()
	if at := h.live(life{}); at != "" {
		h.t.Fatalf("died at %s", at)
	}
	compareResults(h.t.(*testing.T), clean, h.judged())
}

// diesOnce lets one child after the other die at a kind of step at which none has
// died, so that all but the first die in what the death before left, until one does
// not. It gives the kinds.
func (h *house) diesOnce(l life) []string {
	h.t.Helper()
	l.At = newKind
	for {
		at := h.live(l)
		if at == "" {
			return l.Spare
		}
		l.Spare = append(l.Spare, at)
	}
}

// One process after the other is killed, at every kind of step once, so that each but
// the first dies while it puts right what the one before left.
func TestKilledAtEveryKindOfStep(t *testing.T) {
	everywhere(t, func(t *testing.T, where string) {
		if where == onSFTP && !fullMatrix() {
			return
		}
		clean, calm := calmLife(t, where, fullMatrix())
		var all [2][]string
		t.Run("deaths", func(t *testing.T) {
			for i, side := range []string{"before", "after"} {
				t.Run(side, func(t *testing.T) {
					t.Parallel()
					h := newHouse(t, where)
					all[i] = h.diesOnce(life{Side: side, Refined: fullMatrix()})
					compareResults(t, clean, h.judged())
					t.Logf("%d deaths", len(all[i]))
				})
			}
		})
		died := slices.Concat(all[0], all[1])
		for _, kind := range calm.Order {
			if !fullMatrix() && !slices.Contains(died, kind) {
				t.Errorf("nobody died at %s", kind)
			}
		}
		seen := maps.Clone(calm.Seen)
		for _, kind := range died {
			seen[kind]++
		}
		everyStepIsSeen(t, seen)
	})
}

// A second death, while the first is put right: after a death at each kind of step,
// deaths at all kinds that a start comes to, and deaths at single steps of a start.
func TestKilledTwice(t *testing.T) {
	everywhere(t, func(t *testing.T, where string) {
		clean, calm := calmLife(t, where, false)
		died := countDeaths(t)
		for n, kind := range calm.Order {
			if !fullMatrix() && n != 30 {
				continue
			}
			nth := max(1, calm.Seen[kind]/2)
			t.Run(kind, func(t *testing.T) {
				if !fullMatrix() {
					return
				}
				t.Parallel()
				h := newHouse(t, where)
				h.live(life{At: kind, Nth: nth})
				deaths := h.diesOnce(life{Early: true})
				compareResults(t, clean, h.judged())
				t.Logf("%d more deaths", len(deaths))
			})
			for _, second := range []int{4, 17, 60} {
				if !fullMatrix() && second != 17 {
					continue
				}
				t.Run(fmt.Sprintf("%s,%d", kind, second), func(t *testing.T) {
					t.Parallel()
					h := newHouse(t, where)
					first := h.live(life{At: kind, Nth: nth})
					died(first != "" && h.live(life{At: anyStep, Nth: second}) != "")
					h.goesOn(clean)
				})
			}
		}
	})
}

// The service does everything at the same time. It too may die anywhere.
func TestServiceKilled(t *testing.T) {
	everywhere(t, func(t *testing.T, where string) {
		if where == onSFTP && !fullMatrix() {
			return
		}
		clean, _ := calmLife(t, where, false)
		h := newHouse(t, where)
		deaths := 0
		for nth := 40; nth < 1200; nth += 97 {
			if !fullMatrix() {
				nth += 300
			}
			if h.live(life{Service: true, At: anyStep, Nth: nth}) == "" {
				break
			}
			deaths++
		}
		if h.live(life{Service: true, At: "connector.control:after", Nth: 1}) == "" {
			t.Error("the service never came to its control endpoint")
		}
		h.goesOn(clean)
		t.Logf("%d deaths", deaths+1)
	})
}
