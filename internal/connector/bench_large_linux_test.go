package connector

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sendconnector/internal/simulator"
)

const large = 200_000_000 // bytes; SEND takes 200 MiB

// BenchmarkLargeDocument takes a drop with a PDF of 200 MB to SEND, and brings a
// legal fact of the same size back into the outbox, by the way that every document
// goes (target: 80 MB of memory at the peak of each). The peak is the resident size
// of the process as the kernel keeps it, the simulator being part of it.
func BenchmarkLargeDocument(b *testing.B) {
	for b.Loop() {
		o := simulator.DemoOptions()
		o.Start, o.ManualClock, o.Timings = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), true, simulator.RealTimings()
		w := newWorldOn(b, o, func(config string) string {
			return strings.Replace(config, "    tax_id:", "    loose_download: true\n    tax_id:", 1)
		})
		w.opts.Clock, w.opts.Transport = w.sim.Now, &enlarged{RoundTripper: http.DefaultTransport}
		w.dropLarge()
		c := w.open()
		resetPeak(b)
		round(b, c)
		if sent := len(w.sim.Accepted()); sent != 1 {
			b.Fatalf("%d sent", sent)
		}
		b.ReportMetric(peakMB(b), "upload-peak-MB")
		resetPeak(b)
		for placed := false; !placed; placed = w.holdsLarge() {
			if w.sim.Advance(time.Hour); w.sim.Now().Sub(o.Start) > 60*24*time.Hour {
				b.Fatal("the document has not come")
			}
			round(b, c)
		}
		b.ReportMetric(peakMB(b), "download-peak-MB")
	}
}

func round(b *testing.B, c *Connector) {
	b.Helper()
	s, err := c.Once(context.Background(), OnceOptions{})
	if err != nil || len(s.Failures) > 0 || s.Rejected > 0 {
		b.Fatalf("%v %+v", err, s)
	}
}

// dropLarge drops an export of one row with one document of 200 MB.
func (w *world) dropLarge() {
	head, tail := pdfAround("grande", large)
	w.write("drop/in/grande.pdf", string(head))
	f, err := os.OpenFile(filepath.Join(w.dir, "drop", "in", "grande.pdf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.Copy(f, io.MultiReader(endless(large-len(head)-len(tail)), strings.NewReader(string(tail)))); err != nil {
		w.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.write("drop/in/tari.csv", heading+row("A/1", "FRMTTR76M06B715E", "Ettore Fieramosca", noticeOf(1), "grande.pdf"))
}

// endless is a filling of n bytes that nobody keeps in memory.
func endless(n int) io.Reader { return io.LimitReader(filling{}, int64(n)) }

type filling struct{}

func (filling) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// holdsLarge tells whether the outbox has a document of 200 MB.
func (w *world) holdsLarge() (found bool) {
	err := filepath.Walk(filepath.Join(w.dir, "drop", "out"), func(_ string, info os.FileInfo, err error) error {
		found = found || err == nil && info.Size() == large
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// enlarged makes the first legal fact that is downloaded 200 MB long.
type enlarged struct {
	http.RoundTripper
	done atomic.Bool
}

func (e *enlarged) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := e.RoundTripper.RoundTrip(r)
	if err != nil || r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/download/") || e.done.Swap(true) {
		return resp, err
	}
	head, tail := pdfAround("grande", large)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(string(head)), endless(large-len(head)-len(tail)), strings.NewReader(string(tail))))
	resp.ContentLength = large
	resp.Header.Set("Content-Length", strconv.Itoa(large))
	return resp, nil
}
