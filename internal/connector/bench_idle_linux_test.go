package connector

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sendconnector/internal/simulator"
)

// BenchmarkIdle runs the service for a minute over 10,000 files that wait in a folder
// (5,000 exports whose document is missing, 5,000 documents that nobody names), with
// nothing due (targets: 1 % of a core, nothing written but the heartbeat). All is as
// by default: a scan every 15 s, the stream read once a minute. The simulator that
// answers it is part of the process.
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		o := simulator.DemoOptions()
		o.Speed, o.StreamRetryAfter = 1, time.Minute
		w := newWorldOn(b, o, func(config string) string {
			return strings.NewReplacer("poll: 100ms", "poll: 15s", "deadline: 0s", "deadline: 24h").Replace(config)
		})
		for i := range 5000 {
			w.write(fmt.Sprintf("drop/in/a%04d.csv", i), heading+row(fmt.Sprintf("A/%d", i), "FRMTTR76M06B715E", "Ettore Fieramosca", "", fmt.Sprintf("manca%04d.pdf", i)))
			w.write(fmt.Sprintf("drop/in/sub/doc%04d.pdf", i), "%PDF-1.7\n")
		}
		idle(b, w)
	}
}

func idle(b *testing.B, w *world) {
	const window = time.Minute
	looked := make(chan struct{}, 1000)
	w.opts.Wait = func(ctx context.Context, d time.Duration, wake <-chan struct{}) {
		select {
		case looked <- struct{}{}:
		default:
		}
		waitTimer(ctx, d, wake)
	}
	c := w.open()
	for range 2 { // the first pass examines, the second finds all as it was
		if report, err := c.take(context.Background(), c.flows["tari"]); err != nil || len(report.Waiting) < 5000 {
			b.Fatalf("%d wait, %v", len(report.Waiting), err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var service sync.WaitGroup
	service.Go(func() {
		if err := c.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	for range 2 * len(c.loops()) { // what the start itself does is over
		<-looked
	}
	cpu, bytes, commits, start := cpuTime(b), written(b), c.ledger.Commits(), time.Now()
	<-time.After(window)
	took := time.Since(start)
	b.ReportMetric(100*(cpuTime(b)-cpu).Seconds()/took.Seconds(), "%-of-a-core")
	b.ReportMetric(float64(written(b)-bytes), "bytes-written")
	b.ReportMetric(float64(c.ledger.Commits()-commits), "commits")
	stop()
	service.Wait()
}
