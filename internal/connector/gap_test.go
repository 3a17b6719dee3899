package connector

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/simulator"
)

// gapWorld has lives of real length, so that ten days are ten days.
func gapWorld(t *testing.T, change ...func(string) string) *world {
	t.Helper()
	o := stillOptions(1)
	o.Timings, o.HistorySize, o.StreamRetryAfter = simulator.RealTimings(), 1<<20, 15*time.Minute
	return newStillOn(t, o, change...)
}

// passes runs a scheduler's passes for d.
func (w *world) passes(d, every time.Duration) {
	w.t.Helper()
	for end := w.sim.Now().Add(d); w.sim.Now().Before(end); w.sim.Advance(every) {
		if err := w.pass(context.Background(), nil); err != nil {
			w.t.Fatal(err)
		}
	}
}

// callsSince counts the calls of an operation.
func (w *world) callsSince(since time.Time, operation string) map[string]int {
	found := map[string]int{}
	for _, c := range w.sim.History() {
		if c.Operation == operation && !c.At.Before(since) {
			found[c.Path]++
		}
	}
	return found
}

// A connector that was off for ten days comes back to a stream whose events have
// expired: it must catch up by look-ups, each open notification once and none that it
// knows to be over, and miss neither a date nor a document (rules 21 and 23). Whatever
// became of the stream meanwhile; "longer than silence" leaves to the stream only the
// events of the end, which must not hide the documents of those that have expired.
func TestRule23GapOfTenDays(t *testing.T) {
	for name, meanwhile := range map[string]func(*world){
		"stream as it was":    func(*world) {},
		"stream disabled":     func(w *world) { w.streamCall("POST", "/action/disable") },
		"stream gone":         func(w *world) { w.streamCall("DELETE", "") },
		"longer than silence": func(w *world) { w.sim.Advance(5 * 24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := gapWorld(t)
			closed := w.lot(2) // the first lot is over before the gap
			w.passes(2*time.Hour, 20*time.Minute)
			w.passes(30*24*time.Hour, 24*time.Hour)
			w.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(closed))
			var all []string
			for i := range 4 {
				all = append(all, fmt.Sprintf("M/%d", i))
				w.dropFor("drop", fmt.Sprintf("M/%d", i), 100+i)
			}
			w.passes(3*time.Hour, 30*time.Minute)
			w.sim.Advance(5 * 24 * time.Hour)
			meanwhile(w)
			w.sim.Advance(5 * 24 * time.Hour)
			back := w.sim.Now()
			w.passes(2*time.Hour, 20*time.Minute)
			w.callsAfterAGap(back)
			asked := w.callsSince(back, "sent")
			if len(asked) != 4 {
				t.Errorf("%d notifications looked up, want the 4 open ones", len(asked))
			}
			for path, n := range asked {
				if n != 1 {
					t.Errorf("%s looked up %d times", path, n)
				}
			}
			w.passes(30*24*time.Hour, 24*time.Hour)
			documents := map[string]bool{}
			for i := range 4 {
				name := fmt.Sprintf("drop/out/M-%d.*.esito.csv", i)
				w.wantOutcomes(name, map[string]string{fmt.Sprintf("M/%d", i): string(ledger.Perfezionata)})
				documents[w.cell(name, "send_documenti")] = true
				if w.cell(name, "send_perfezionata_il") == "" {
					t.Error(name, " has no date")
				}
			}
			if !documents["4/4"] || len(documents) != 1 { // all had the same life
				t.Errorf("documents retrieved and expected: %v", documents)
			}
			w.documentsAreIndexed()
			w.onceAtSEND(append(closed, all...)...)
		})
	}
}

// callsAfterAGap checks that nothing is uploaded, sent or asked for by its token after a
// gap: all that is known. Only the stream, look-ups of what is open, and documents are.
func (w *world) callsAfterAGap(since time.Time) {
	w.t.Helper()
	for _, op := range []string{"preload", "upload", "create", "requestStatus", "cancel"} {
		if calls := w.callsSince(since, op); len(calls) > 0 {
			w.t.Errorf("%s after the gap: %v", op, calls)
		}
	}
}

// The process dies after SEND has taken a request, before it heard the answer, and is off
// for ten days: the look-up of its start adopts it, all that expired is fetched, and
// nothing is sent again.
func TestRule22IntentOverAGap(t *testing.T) {
	t.Parallel()
	w := gapWorld(t)
	w.dropFor("drop", "I/1", 1)
	w.killOnce("submit.create:after", 1)
	if n := len(w.sim.Accepted()); n != 1 {
		t.Fatalf("%d at SEND", n)
	}
	w.sim.Advance(10 * 24 * time.Hour)
	back := w.sim.Now()
	w.passes(2*time.Hour, 20*time.Minute)
	for _, op := range []string{"preload", "upload", "create"} {
		if calls := w.callsSince(back, op); len(calls) > 0 {
			t.Errorf("%s after the gap: %v", op, calls)
		}
	}
	w.passes(30*24*time.Hour, 24*time.Hour)
	w.onceAtSEND("I/1")
	const file = "drop/out/I-1.*.esito.csv"
	w.wantOutcomes(file, map[string]string{"I/1": string(ledger.Perfezionata)})
	if got := w.cell(file, "send_documenti"); got != "4/4" {
		t.Errorf("documents %s", got)
	}
	w.documentsAreIndexed()
}

// streamCall does to the stream what somebody else may.
func (w *world) streamCall(method, action string) {
	w.t.Helper()
	call := func(method, path string) (body []byte) {
		r, err := http.NewRequest(method, w.url+"/delivery-progresses/v2.9/streams"+path, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		r.Header.Set("X-Api-Key", "demo-key")
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			w.t.Fatal(err)
		}
		defer a.Body.Close()
		if body, err = io.ReadAll(a.Body); err != nil || a.StatusCode > 299 {
			w.t.Fatal(method, path, a.StatusCode, err)
		}
		return body
	}
	var streams []struct{ StreamID string }
	if err := json.Unmarshal(call(http.MethodGet, ""), &streams); err != nil || len(streams) != 1 {
		w.t.Fatal(streams, err)
	}
	call(method, "/"+streams[0].StreamID+action)
}

// cell gives a column of the only line of a file.
func (w *world) cell(pattern, column string) string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, filepath.FromSlash(pattern)))
	if err != nil || len(found) != 1 {
		w.t.Fatal(found, err)
	}
	heading, rows := w.table(found[0])
	if len(rows) != 1 {
		w.t.Fatalf("%d lines", len(rows))
	}
	return rows[0][slices.Index(heading, column)]
}
