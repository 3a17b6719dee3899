package connector

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/simulator"
)

// twoDocuments is the profile of the tests with a second document: the payment form.
var twoDocuments = strings.Replace(profileText, `    apply_cost: {value: "true"}`, `    attachment: AVVISO_PDF
    apply_cost: {value: "true"}`, 1)

// dropTwo drops an export of n rows, each with two documents of about size bytes.
func (w *world) dropTwo(n, size int) {
	w.t.Helper()
	w.write("profile.yaml", twoDocuments)
	var b strings.Builder
	b.WriteString(strings.Replace(heading, "PDF", "PDF;AVVISO_PDF", 1))
	for i := range n {
		act, form := fmt.Sprintf("atto-%06d.pdf", i), fmt.Sprintf("avviso-%06d.pdf", i)
		line := row(fmt.Sprintf("A/%06d", i), "FRMTTR76M06B715E", "Ettore Fieramosca", noticeOf(i), act)
		b.WriteString(strings.TrimSuffix(line, "\r\n") + ";" + form + "\r\n")
		for _, name := range []string{act, form} {
			w.write("drop/in/"+name, string(pdfOf(name, size)))
		}
	}
	w.write("drop/in/tari.csv", b.String())
}

// noticeOf makes the i-th notice code with its check digits.
func noticeOf(i int) string {
	base := 3010000000000000 + i
	return fmt.Sprintf("%d%02d", base, base%93)
}

// pdfOf is a sound PDF of one page that is size bytes long: what fills it is a
// stream that no page shows.
func pdfOf(text string, size int) []byte {
	head, tail := pdfAround(text, size)
	return slices.Concat(head, bytes.Repeat([]byte{'x'}, size-len(head)-len(tail)), tail)
}

// pdfAround is what stands before and after the filling of a PDF of size bytes.
func pdfAround(text string, size int) (head, tail []byte) {
	content := "BT /F1 12 Tf 50 700 Td (" + text + ") Tj ET"
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(content), content),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	}
	b := []byte("%PDF-1.7\n")
	var at []int
	for i, o := range objects {
		at = append(at, len(b))
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at = append(at, len(b))
	const closing = "\nendstream\nendobj\n"
	// The lengths stand in ten digits, so that the size does not depend on them.
	fill := size - len(b) - len("6 0 obj\n<</Length 0000000000>>\nstream\n") - len(closing) - 20*(len(at)+1) - len("xref\n0 7\n") -
		len("trailer\n<</Size 7/Root 1 0 R>>\nstartxref\n0000000000\n%%EOF\n")
	b = fmt.Appendf(b, "6 0 obj\n<</Length %010d>>\nstream\n", fill)
	xref := len(b) + fill + len(closing)
	end := fmt.Appendf([]byte(closing), "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		end = fmt.Appendf(end, "%010d 00000 n \n", offset)
	}
	return b, fmt.Appendf(end, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%010d\n%%%%EOF\n", len(at)+1, xref)
}

// noLimits lets a sender call as fast as it can.
func noLimits(config string) string {
	return strings.Replace(config, "    tax_id:", "    limits: {per_second: 100000, burst: 100000, per_day: 100000000}\n    tax_id:", 1)
}

// standing is a platform whose clock only moves when the connector waits: a month
// passes in seconds, and every wait costs the calls that it costs in real life.
func standing(b *testing.B, timings simulator.Timings, change ...func(string) string) *world {
	o := simulator.DemoOptions()
	o.Start, o.ManualClock, o.Timings = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), true, timings
	o.StreamRetryAfter, o.RequestRetryAfter, o.F24Delay = time.Minute, 10, 3*time.Second
	w := newWorldOn(b, o, change...)
	w.opts.Clock = w.sim.Now
	w.opts.Wait = func(ctx context.Context, d time.Duration, wake <-chan struct{}) {
		select {
		case <-wake:
		case <-ctx.Done():
		default:
			w.sim.Advance(d)
		}
	}
	return w
}

// apiCalls are the calls that count against the key: not vouchers, not what goes to
// the object store.
func (w *world) apiCalls() map[string]int {
	calls := w.sim.Calls()
	maps.DeleteFunc(calls, func(op string, _ int) bool { return op == "token" || op == "upload" || op == "download" })
	return calls
}

func total(calls map[string]int) (n int) {
	for _, c := range calls {
		n += c
	}
	return n
}

// BenchmarkAPICalls counts the calls for each of 300 notifications with two
// documents: until accepted (target 1.25; the first legal fact, which the same pass
// fetches, is counted apart) and over a whole life with its events, legal facts and
// prices. In the latter the terms are a hundredth of the real ones; the stream is
// asked as often as SEND says, once a minute, whatever the volume, and all its reads
// are counted.
func BenchmarkAPICalls(b *testing.B) {
	for _, life := range []struct {
		until   string
		timings simulator.Timings
	}{
		{UntilAccepted, simulator.RealTimings()},
		{UntilFinal, simulator.RealTimings().Scale(0.01)},
	} {
		b.Run("until="+life.until, func(b *testing.B) {
			for b.Loop() {
				countCalls(b, life.until, life.timings)
			}
		})
	}
}

func countCalls(b *testing.B, until string, timings simulator.Timings) {
	const n = 300
	w := standing(b, timings, noLimits)
	w.dropTwo(n, 50_000)
	start := w.sim.Now()
	s := w.once(until)
	if accepted := len(w.sim.Accepted()); accepted != n || s.Rejected > 0 || s.TimedOut {
		b.Fatalf("%d accepted, summary %+v", accepted, s)
	}
	calls := w.apiCalls()
	b.Logf("%s of platform time, calls %v", w.sim.Now().Sub(start), calls)
	b.ReportMetric(float64(total(calls)-calls["legalFact"]-calls["price"])/n, "calls/notification")
	b.ReportMetric(float64(calls["legalFact"])/n, "legal-facts/notification")
	b.ReportMetric(float64(calls["price"])/n, "prices/notification")
	b.ReportMetric(float64(calls["streamEvents"])/n, "stream-reads/notification")
}

// BenchmarkSendLimited sends under the platform's own limit of 50 requests a second
// and bursts of 100, which the simulator enforces as the gateway does (targets: 95 %
// of it used while work is due, no 429 seen).
func BenchmarkSendLimited(b *testing.B) {
	const n, rate, burst = 700, 50, 100
	for b.Loop() {
		o := simulator.DemoOptions()
		o.Speed, o.Limits = 1, simulator.Limits{RatePerSecond: rate, RateBurst: burst}
		w := newWorldOn(b, o)
		w.dropTwo(n, 50_000)
		c := w.open()
		ctx := context.Background()
		if _, err := c.take(ctx, c.flows["tari"]); err != nil {
			b.Fatal(err)
		}
		if _, err := c.hear(ctx, c.senders["comune"]); err != nil { // makes the stream
			b.Fatal(err)
		}
		before, start := total(w.apiCalls()), time.Now()
		if _, err := c.send(ctx, c.senders["comune"]); err != nil {
			b.Fatal(err)
		}
		took, calls := time.Since(start).Seconds(), total(w.apiCalls())-before
		if sent := w.sim.Statuses("create")[202]; sent != n {
			b.Fatalf("%d of %d sent", sent, n)
		}
		refused := 0
		for op := range w.apiCalls() {
			refused += w.sim.Statuses(op)[429]
		}
		b.ReportMetric(100*float64(calls)/(burst+rate*took), "%-of-limit")
		b.ReportMetric(float64(refused), "429s")
	}
}
