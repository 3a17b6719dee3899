package connector

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/simulator"
)

// seeds are those that the faults of a test are drawn from. FAULT_SEED=n repeats one,
// FAULT_SEEDS=n tries n random ones.
func seeds(t *testing.T) []uint64 {
	t.Helper()
	if one, err := strconv.ParseUint(os.Getenv("FAULT_SEED"), 10, 64); err == nil {
		return []uint64{one}
	}
	all := []uint64{2, 3}
	if testing.Short() {
		all = all[:1]
	}
	if n, err := strconv.Atoi(os.Getenv("FAULT_SEEDS")); err == nil {
		all = nil
		for range n {
			all = append(all, rand.Uint64())
		}
	}
	return all
}

// stillOptions is the platform of newStill with a seed for its dice.
func stillOptions(seed uint64) simulator.Options {
	o := simulator.DemoOptions()
	o.Start, o.ManualClock, o.Timings = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), true, simulator.RealTimings().Scale(0.01)
	o.Mix, o.StreamRetryAfter, o.UnknownTaxIDs = simulator.Mix{}, time.Minute, []string{unknown}
	o.Debts = func(_, notice string) bool { return notice != noticeOf(refusedNotice) }
	o.Seed = seed
	return o
}

// lot drops n rows, with a payment form for every second and an annex for every
// third; the tenth is refused by SEND.
func (w *world) lot(n int) (protocols []string) {
	w.t.Helper()
	var b strings.Builder
	b.WriteString(groupedHeading)
	for i := range n {
		protocol, act := fmt.Sprintf("L/%d", i+1), fmt.Sprintf("l%03d.pdf", i+1)
		w.write("drop/in/"+act, string(pdfOf(act, 1500)))
		form, annex, notice := "", "", noticeOf(i+1)
		if i%2 == 0 {
			form = "f-" + act
			w.write("drop/in/"+form, string(pdfOf(form, 1500)))
		}
		if i%3 == 0 {
			annex = "x-" + act
			w.write("drop/in/"+annex, string(pdfOf(annex, 1500)))
		}
		if i == 9 {
			notice = noticeOf(refusedNotice)
		}
		b.WriteString(groupedRow(protocol, []string{ettore, galileo}[i%2], []string{"Ettore Fieramosca", "Galileo Galilei"}[i%2], notice, act, form, annex))
		protocols = append(protocols, protocol)
	}
	w.write("drop/in/lotto.csv", b.String())
	return protocols
}

// outcomes gives send_esito of every row of the one outcome file that matches.
func (w *world) outcomes(pattern string) map[string]string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, filepath.FromSlash(pattern)))
	if err != nil || len(found) != 1 {
		w.t.Fatalf("%s: %v %v, want one file", pattern, found, err)
	}
	heading, rows := w.table(found[0])
	result := map[string]string{}
	for _, row := range rows {
		text := row[slices.Index(heading, "send_esito")]
		if code := row[slices.Index(heading, "send_codice")]; code != "" {
			text += " " + code
		}
		result[row[slices.Index(heading, "ATTO")]] = text
	}
	return result
}

// finalLot says what must have become of a lot.
func finalLot(protocols []string) map[string]string {
	want := map[string]string{}
	for i, p := range protocols {
		want[p] = string(ledger.Perfezionata)
		if i == 9 {
			want[p] = string(ledger.Rifiutata) + " PAYMENT_NOT_VALID"
		}
	}
	return want
}

func (w *world) wantOutcomes(pattern string, want map[string]string) {
	w.t.Helper()
	if got := w.outcomes(pattern); !maps.Equal(got, want) {
		for _, p := range slices.Sorted(maps.Keys(want)) {
			if got[p] != want[p] {
				w.t.Errorf("%s is %q, want %q", p, got[p], want[p])
			}
		}
		w.t.Errorf("%d rows with an outcome, want %d", len(got), len(want))
	}
}

// everyFault is all that a platform and the way to it can do to a call.
func everyFault(p float64) []simulator.Fault {
	all := []simulator.Fault{
		{Operation: "*", Kind: simulator.FaultTooManyRequests, Probability: p},
		{Operation: "*", Kind: simulator.FaultTooManyRequests, RetryAfter: "90", Probability: p},
		{Operation: "*", Kind: simulator.FaultHTML, Probability: p},
		{Operation: "*", Kind: simulator.FaultHTML, Status: 200, Probability: p / 4},
		{Operation: "*", Kind: simulator.FaultReset, Probability: p},
		{Operation: "*", Kind: simulator.FaultResetAfter, Probability: p},
		{Operation: "*", Kind: simulator.FaultTruncated, Probability: p},
		{Operation: "upload", Kind: simulator.FaultExpiredURL, Probability: p},
		{Operation: "download", Kind: simulator.FaultExpiredURL, Probability: p},
		{Operation: "upload", Kind: simulator.FaultNoVersionID, Probability: p},
		{Operation: "streamEvents", Kind: simulator.FaultEmptyPage, Probability: p},
		{Operation: "streamEvents", Kind: simulator.FaultRepeatPage, Probability: p},
		{Operation: "publish", Kind: simulator.FaultDuplicate, Probability: p},
		{Operation: "publish", Kind: simulator.FaultReorder, Probability: p},
		{Operation: "publish", Kind: simulator.FaultDrop, Probability: p / 4},
		{Operation: "legalFact", Kind: simulator.FaultNotReady, Probability: 5 * p},
		{Operation: "legalFact", Kind: simulator.FaultMissing, Probability: p},
		{Operation: "create", Kind: simulator.FaultContention, Probability: p},
		{Operation: "create", Kind: simulator.FaultRegistryDown, Probability: p},
	}
	for _, status := range []int{500, 502, 503, 504} {
		all = append(all, simulator.Fault{Operation: "*", Kind: simulator.FaultStatus, Status: status, Probability: p},
			simulator.Fault{Operation: "*", Kind: simulator.FaultStatusAfter, Status: status, Probability: p})
	}
	return all
}

// A platform at its worst must cost time only: every notification comes to its right
// end, none twice, none lost, whatever answers were lost, late, repeated or nonsense.
func TestEveryFault(t *testing.T) {
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			w := newStillOn(t, stillOptions(seed))
			for _, f := range everyFault(0.02) {
				w.sim.Faults().Add(f)
			}
			protocols := w.lot(60)
			w.untilClosed(1)
			w.onceAtSEND(protocols...)
			w.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
			w.result(nil)
			for _, v := range w.sim.Violations() {
				// Where the answer with the pause was lost nobody can have kept to it.
				if !strings.HasPrefix(v, "stream ") {
					t.Error("never to be done: ", v)
				}
			}
			struck := w.sim.Faults().Fired()
			t.Logf("FAULT_SEED=%d struck %d kinds %d times in %d calls", seed, len(struck), total(struck), total(w.sim.Calls()))
			if len(struck) < 20 || total(struck) < 40 {
				t.Errorf("too little struck to show anything: %v", struck)
			}
		})
	}
}

// One kind of fault at a time, often: a kind that never ends the same way would hide
// among the others.
func TestOneFaultOften(t *testing.T) {
	for i, f := range append(everyFault(0.3), simulator.Fault{Operation: "requestStatus", Kind: simulator.FaultMissing, Probability: 0.3}) {
		if testing.Short() && i%4 != 0 {
			continue
		}
		t.Run(fmt.Sprintf("%s/%s-%d%s", strings.ReplaceAll(f.Operation, "*", "any"), f.Kind, f.Status, f.RetryAfter), func(t *testing.T) {
			t.Parallel()
			f.Probability = 0.3
			w := newStillOn(t, stillOptions(7))
			w.sim.Faults().Add(f)
			if f.Kind == simulator.FaultMissing { // look-ups happen only after lost answers
				w.sim.Faults().Add(simulator.Fault{Operation: "create", Kind: simulator.FaultResetAfter, Probability: 0.5})
			}
			protocols := w.lot(12)
			w.untilClosed(1)
			w.onceAtSEND(protocols...)
			w.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
			if struck := w.sim.Faults().Fired(); total(struck) == 0 {
				t.Error("it never struck")
			}
		})
	}
}

// Everything at once: a service that is killed again and again in the middle of
// whatever it does, beside a platform that fails, with the same export dropped again
// meanwhile. A rule that holds against each alone may not hold against all.
func TestDeathsAndFaults(t *testing.T) {
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(seed, 0))
			w := newStillOn(t, stillOptions(seed))
			for _, f := range everyFault(0.01) {
				w.sim.Faults().Add(f)
			}
			protocols := w.lot(30)
			deaths := 0
			for life := range 12 {
				if life == 5 || life == 10 {
					w.lot(30)
				}
				if w.live(1+dice.IntN(1500), life%2 == 0) {
					deaths++
				}
				w.sim.Advance(time.Duration(dice.IntN(3600)) * time.Second)
			}
			struck := w.sim.Faults().Fired()
			t.Logf("FAULT_SEED=%d, %d deaths, %d faults", seed, deaths, total(struck))
			if deaths < 5 || total(struck) < 40 {
				t.Errorf("%d deaths and %d faults are too few to show anything", deaths, total(struck))
			}
			w.untilClosed(1)
			w.onceAtSEND(protocols...)
			w.places(nil)
			w.everyRowOnce(protocols)
		})
	}
}

// live runs a connector, as a service or for some passes, that dies at its n-th step.
// It tells whether that came.
func (w *world) live(nth int, service bool) bool {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k := &killer{at: anyStep, nth: nth, cancel: cancel}
	w.opts.Step, w.opts.Transport = k.Step, k
	defer func() { w.opts.Step, w.opts.Transport = nil, nil }()
	if !service {
		for range 20 {
			if err := w.pass(ctx, nil); err != nil && !k.died() {
				w.t.Fatal(err)
			} else if k.died() {
				return true
			}
			w.sim.Advance(time.Minute)
		}
		return false
	}
	c, err := Open(ctx, w.cfg, w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	until := w.sim.Now().Add(8 * time.Hour)
	c.opts.Wait = (&together{now: w.sim.Now, loops: len(c.loops()), advance: func(d time.Duration) {
		if w.sim.Advance(d); w.sim.Now().After(until) {
			cancel()
		}
	}}).wait
	if err := c.Run(ctx); err != nil && !k.died() {
		w.t.Error(err)
	}
	if err := c.Close(); err != nil && !k.died() { // it may die in the closing, too
		w.t.Error(err)
	}
	return k.died()
}

// together lets the platform's time pass for a service only when all its loops wait. If
// each moved the clock when it waits, two days would be over before a file is read.
type together struct {
	now     func() time.Time
	advance func(time.Duration)
	loops   int

	mu      sync.Mutex
	waiting map[chan struct{}]time.Time
}

func (g *together) wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	over := make(chan struct{})
	g.mu.Lock()
	if g.waiting == nil {
		g.waiting = map[chan struct{}]time.Time{}
	}
	g.waiting[over] = g.now().Add(d)
	if len(g.waiting) >= g.loops {
		g.pass()
	}
	g.mu.Unlock()
	select {
	case <-over:
		return
	case <-wake:
	case <-ctx.Done():
	}
	g.mu.Lock()
	delete(g.waiting, over)
	g.mu.Unlock()
}

// pass lets time pass until the first of those that wait goes on.
func (g *together) pass() {
	first := slices.MinFunc(slices.Collect(maps.Values(g.waiting)), time.Time.Compare)
	if d := first.Sub(g.now()); d > 0 {
		g.advance(d)
	}
	for over, end := range g.waiting {
		if !end.After(g.now()) {
			close(over)
			delete(g.waiting, over)
		}
	}
}

// everyRowOnce checks that over all drops of a lot each row was owned once and told
// to be known otherwise, and that the owner's outcome is the right one.
func (w *world) everyRowOnce(protocols []string) {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "drop/out/lotto.*.esito.csv"))
	if err != nil || len(found) == 0 {
		w.t.Fatal("no outcome file ", err)
	}
	w.updatesTellTheOutcome(found)
	w.documentsAreIndexed()
	want, owned := finalLot(protocols), map[string]int{}
	for _, name := range found {
		got := w.outcomes("drop/out/" + filepath.Base(name))
		if len(got) != len(protocols) {
			w.t.Errorf("%s has %d rows", filepath.Base(name), len(got))
		}
		for p, outcome := range got {
			switch {
			case outcome == want[p] && strings.HasPrefix(outcome, "RIFIUTATA"): // repeated by rule 5
				owned[p] = 1
			case outcome == want[p]:
				owned[p]++
			case !strings.HasPrefix(outcome, string(ledger.GiaPresente)): // with what kept it at reading time
				w.t.Errorf("%s: %s is %s", filepath.Base(name), p, outcome)
			}
		}
	}
	for _, p := range protocols {
		if owned[p] != 1 {
			w.t.Errorf("%s is owned by %d drops", p, owned[p])
		}
	}
}

// killOnce runs passes until the process dies at the n-th occurrence of a step.
func (w *world) killOnce(step string, nth int) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k := &killer{at: step, nth: nth, cancel: cancel}
	w.opts.Step, w.opts.Transport = k.Step, k
	for range 500 {
		if err := w.pass(ctx, nil); k.died() {
			w.opts.Step, w.opts.Transport = nil, nil
			return
		} else if err != nil {
			w.t.Fatal(err)
		}
		w.sim.Advance(time.Minute)
	}
	w.t.Fatalf("%s never came %d times", step, nth)
}
