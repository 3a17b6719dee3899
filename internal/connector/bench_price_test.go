package connector

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"sendconnector/internal/simulator"
)

// BenchmarkPrices has 50 callers ask the running service for a price at the same
// moment, through its control endpoint, while the platform takes 300 ms to answer and
// its limit is 50 requests a second (targets: every answer within 2 s, the 99th
// percentile within 1.2 times the platform's time). With nothing to send the limit
// recovers between the waves; while a lot is being sent it is used up, and the last
// of 50 callers can have no answer before 1.3 s.
func BenchmarkPrices(b *testing.B) {
	for _, lot := range []int{0, 600} {
		b.Run(fmt.Sprintf("sending=%d", lot), func(b *testing.B) {
			for b.Loop() {
				prices(b, lot)
			}
		})
	}
}

func prices(b *testing.B, lot int) {
	const callers, waves, platform = 50, 4, 300 * time.Millisecond
	o := simulator.DemoOptions()
	o.Speed, o.Timings = 1, simulator.RealTimings().Scale(0.000002)
	o.Limits = simulator.Limits{RatePerSecond: 50, RateBurst: 100}
	w := newWorldOn(b, o)
	w.dropTwo(1, 5_000)
	w.once(UntilAccepted)
	w.sim.Faults().Add(simulator.Fault{Operation: "price", Kind: simulator.FaultDelay, Delay: platform})
	if lot > 0 {
		w.sim.SetAcceptance(time.Hour) // the events of the lot are not the matter here
		w.dropTwo(lot, 5_000)
	}
	w.serve(b)
	for w.sim.Calls()["create"] < 1+lot/5 { // the burst is used up
		<-time.After(50 * time.Millisecond)
	}
	var all []time.Duration
	for range waves {
		<-time.After(2 * time.Second)
		all = append(all, w.wave(b, callers)...)
	}
	if lot > 0 && w.sim.Calls()["create"] >= lot {
		b.Log("the lot was gone before the last wave")
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)-1].Milliseconds()), "slowest-ms")
	b.ReportMetric(float64(all[len(all)*99/100])/float64(platform), "p99-x-platform")
}

// serve runs the service until the benchmark ends, and waits until it answers.
func (w *world) serve(b *testing.B) {
	c := w.open()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	for Ask(ctx, w.cfg.Data, "status", StatusQuery{}, io.Discard) != nil {
		<-time.After(10 * time.Millisecond)
	}
}

// wave asks for a price by so many callers at once and gives how long each waited.
func (w *world) wave(b *testing.B, callers int) []time.Duration {
	took := make([]time.Duration, callers)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			start := time.Now()
			if err := Ask(context.Background(), w.cfg.Data, "price", PriceArgs{Creditor: simulator.DemoTaxID, Notice: noticeOf(0)}, io.Discard); err != nil {
				b.Error(err)
			}
			took[i] = time.Since(start)
		})
	}
	group.Wait()
	return took
}
