package connector

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
	"sendconnector/internal/simulator"
)

// A key that is denied between the intent and the answer must not make the intent
// forgotten: what was perhaps sent is looked up when the key is good again, never
// posted on trust (rule 13).
func TestRule13DeniedInTheMiddleOfAnIntent(t *testing.T) {
	w := newStill(t)
	w.deposit("a.csv", alone("A/1", ettore, 1), alone("A/2", galileo, 2))
	w.killOnce("submit.create:after", 1) // SEND has it, the answer is lost
	denied := w.sim.Faults().Add(simulator.Fault{Operation: "*", Kind: simulator.FaultStatus, Status: 403})
	w.steps(3)
	state := map[ledger.State]int{}
	if err := w.pass(context.Background(), func(c *Connector) {
		err := c.ledger.View(context.Background(), func(tx *ledger.Tx) error {
			return tx.Open(0, func(n *ledger.Notification) bool { state[n.State]++; return true })
		})
		if err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if state[ledger.Intent] == 0 {
		t.Errorf("held, the states are %v: the intent is lost", state)
	}
	for p, outcome := range w.outcomes("drop/out/a.*.esito.csv") {
		if !strings.HasPrefix(outcome, "SOSPESA") {
			t.Errorf("%s is %q while the key is denied", p, outcome)
		}
	}
	w.sim.Faults().Remove(denied)
	w.sim.Advance(time.Hour)
	w.steps(3)
	w.lives(2)
	w.onceAtSEND("A/1", "A/2")
	if posted := w.sim.Calls()["create"]; posted != 2 {
		t.Logf("%d requests posted", posted) // denied ones count too
	}
	w.wantOutcomes("drop/out/a.*.esito.csv", map[string]string{"A/1": "PERFEZIONATA", "A/2": "PERFEZIONATA"})
}

// Two installations of one sender with one key, two drops, two ledgers that know
// nothing of each other. The same row in both is one notification that both follow;
// the same number for another act, and the same notice under another number, are
// stopped and said, never shown as done (rules 14 and 15).
func TestRule14And15TwoInstallationsOneSender(t *testing.T) {
	w := newStill(t)
	other := w.second()
	w.deposit("a.csv", alone("S/1", ettore, 1), alone("S/2", ettore, 2), alone("S/3", ettore, 3))
	w.steps(2)
	for i := range 5 {
		w.write(fmt.Sprintf("altra/in/act-%d.pdf", i), string(pdfOf(fmt.Sprintf("act-%d.pdf", i), 1500)))
	}
	w.write("altra/in/b.csv", groupedHeading+alone("S/1", ettore, 1)+alone("S/2", galileo, 4)+
		strings.Replace(alone("S/9", galileo, 3), "act-3", "act-0", 1))
	for range 3 {
		other.steps(2)
		w.steps(1)
		w.sim.Advance(25 * time.Hour)
	}
	for range 2 {
		w.lives(1)
		other.lives(1)
	}
	w.onceAtSEND("S/1", "S/2", "S/3")
	w.wantOutcomes("drop/out/a.*.esito.csv", map[string]string{"S/1": "PERFEZIONATA", "S/2": "PERFEZIONATA", "S/3": "PERFEZIONATA"})
	w.wantOutcomes("altra/out/b.*.esito.csv", map[string]string{
		"S/1": "PERFEZIONATA", "S/2": "RIFIUTATA C-PROTOCOL-REUSED", "S/9": "RIFIUTATA C-NOTICE-TAKEN-AT-SEND",
	})
}

// What was uploaded before a long halt is gone at SEND: a request that named it would
// be refused, and the refusal cost its fee (rule 17).
func TestRule17UploadsOlderThanSixDays(t *testing.T) {
	w := newStill(t)
	w.deposit("a.csv", groupedRow("A/1", ettore, "Ettore Fieramosca", noticeOf(1), "a.pdf", "f.pdf", "x.pdf"))
	w.killOnce("submit.create:before", 1)
	before := w.sim.Calls()["upload"]
	w.sim.Advance(8 * 24 * time.Hour)
	w.steps(2)
	w.lives(2)
	w.onceAtSEND("A/1")
	if again := w.sim.Calls()["upload"] - before; before != 3 || again != 3 {
		t.Errorf("%d uploads before the halt, %d after it; want 3 and 3", before, again)
	}
	w.wantOutcomes("drop/out/a.*.esito.csv", map[string]string{"A/1": "PERFEZIONATA"})
}

// The calls of a day are a budget: a lot that is too large for it takes days, with no
// call beyond it, and the stream is read all the while (rule 20).
func TestRule20LotLargerThanTheDay(t *testing.T) {
	const perDay = 60
	w := newStill(t, func(s string) string {
		return strings.Replace(s, "per_day: 100000000", fmt.Sprint("per_day: ", perDay), 1)
	})
	var mu sync.Mutex // calls are made side by side
	calls, heard := map[string]int{}, map[string]bool{}
	w.opts.Count = func(_, op string) {
		mu.Lock()
		defer mu.Unlock()
		day := w.sim.Now().In(time.UTC).Format(time.DateOnly)
		calls[day]++
		if strings.Contains(strings.ToLower(op), "event") {
			heard[day] = true
		}
	}
	protocols := w.lot(30)
	for range 60 {
		if err := w.pass(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		w.sim.Advance(6 * time.Hour)
	}
	w.onceAtSEND(protocols...)
	w.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
	for day, n := range calls {
		// Days are those of the limiter, which need not begin at midnight of this count.
		if n > 2*perDay {
			t.Errorf("%d calls on %s", n, day)
		}
		if !heard[day] {
			t.Errorf("the stream was not read on %s", day)
		}
	}
	if len(calls) < 4 {
		t.Errorf("all was done in %d days: the budget did not bind", len(calls))
	}
}

// A backup that is restored over a newer ledger has forgotten what was sent since: the
// clerk drops it again, and it must be found at SEND; what was under way is asked for
// at once, not after days of silence (rule 23).
func TestRule23StaleLedger(t *testing.T) {
	for _, again := range []bool{false, true} {
		t.Run(fmt.Sprint("dropped again=", again), func(t *testing.T) {
			t.Parallel()
			w := newStill(t)
			file := filepath.Join(w.dir, "data", "ledger.db")
			w.deposit("a.csv", alone("A/1", ettore, 1))
			w.steps(1)
			backup, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w.steps(2)
			w.deposit("b.csv", alone("B/1", galileo, 2), alone("B/2", ettore, 3))
			w.steps(2)
			w.lives(1)
			if err := os.WriteFile(file, backup, 0o600); err != nil {
				t.Fatal(err)
			}
			if again {
				w.deposit("c.csv", alone("B/1", galileo, 2), alone("B/2", ettore, 3), alone("A/1", ettore, 1))
			}
			w.steps(3)
			w.wantOutcomes("drop/out/a.*.esito.csv", map[string]string{"A/1": "PERFEZIONATA"}) // the sweep
			w.lives(2)
			w.onceAtSEND("A/1", "B/1", "B/2")
			w.wantOutcomes("drop/out/b.*.esito.csv", map[string]string{"B/1": "PERFEZIONATA", "B/2": "PERFEZIONATA"})
			if again { // b.csv was read again from the archive before
				w.wantOutcomes("drop/out/c.*.esito.csv", map[string]string{"A/1": "GIA_PRESENTE", "B/1": "GIA_PRESENTE", "B/2": "GIA_PRESENTE"})
			}
		})
	}
}

// A stream that somebody deleted takes its events with it: it is made anew, and what
// it would have told is looked up (rule 21).
func TestRule21StreamDeleted(t *testing.T) {
	w := newStill(t)
	w.deposit("a.csv", alone("A/1", ettore, 1), alone("A/2", galileo, 2))
	w.steps(2)
	w.deleteStreams()
	w.lives(3)
	w.onceAtSEND("A/1", "A/2")
	w.wantOutcomes("drop/out/a.*.esito.csv", map[string]string{"A/1": "PERFEZIONATA", "A/2": "PERFEZIONATA"})
}

// deleteStreams is what another administrator of the sender may do at any time.
func (w *world) deleteStreams() {
	w.t.Helper()
	ask := func(method, path string) []byte {
		r, err := http.NewRequestWithContext(context.Background(), method, w.url+path, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		r.Header.Set("X-Api-Key", w.read("keys/api"))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			w.t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode >= 300 {
			w.t.Fatal(method, path, answer.Status, string(body), err)
		}
		return body
	}
	paths := send.DefaultPaths()
	var streams []struct {
		ID string `json:"streamId"`
	}
	if err := json.Unmarshal(ask(http.MethodGet, paths.ListStreams), &streams); err != nil || len(streams) != 1 {
		w.t.Fatal(streams, err)
	}
	ask(http.MethodDelete, strings.NewReplacer("{streamId}", streams[0].ID, "{id}", streams[0].ID).Replace(paths.DeleteStream))
}
