package connector

import (
	"context"
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
// percentile within 1.2 times the platform's time). Between the waves the limit
// recovers.
func BenchmarkPrices(b *testing.B) {
	const callers, waves, platform = 50, 4, 300 * time.Millisecond
	for b.Loop() {
		o := simulator.DemoOptions()
		o.Speed, o.Timings = 1, simulator.RealTimings().Scale(0.000002)
		o.Limits = simulator.Limits{RatePerSecond: 50, RateBurst: 100}
		w := newWorldOn(b, o)
		w.pdf("drop/in/a1.pdf", "uno")
		w.write("drop/in/tari.csv", heading+row("A/1", "FRMTTR76M06B715E", "Ettore Fieramosca", noticeOf(1), "a1.pdf"))
		w.once(UntilAccepted)
		w.serve(b)
		w.sim.Faults().Add(simulator.Fault{Operation: "price", Kind: simulator.FaultDelay, Delay: platform})
		var all []time.Duration
		for range waves {
			<-time.After(2 * time.Second)
			all = append(all, w.wave(b, callers)...)
		}
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)-1].Milliseconds()), "slowest-ms")
		b.ReportMetric(float64(all[len(all)*99/100])/float64(platform), "p99-x-platform")
	}
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
			if err := Ask(context.Background(), w.cfg.Data, "price", PriceArgs{Creditor: simulator.DemoTaxID, Notice: noticeOf(1)}, io.Discard); err != nil {
				b.Error(err)
			}
			took[i] = time.Since(start)
		})
	}
	group.Wait()
	return took
}
