package connector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/simulator"
)

// storm is all that the platform and the network can do, on every operation, each with
// probability p. Stalls last as long as the client bears, in real time, so that there
// are few of them.
func storm(p float64) []simulator.Fault {
	// SEND may repeat events and mix them up, but does not lose any within a week: one
	// that never came, of a notification that is closed since, could not be missed.
	all := slices.DeleteFunc(everyFault(p), func(f simulator.Fault) bool { return f.Kind == simulator.FaultDrop })
	for _, retry := range []string{"2", "in 45s", "in -30s", "99999999999999999999", "86400", "-5", "soon"} {
		all = append(all, simulator.Fault{Operation: "*", Kind: simulator.FaultTooManyRequests, RetryAfter: retry, Probability: p / 4})
	}
	for _, status := range []int{500, 503} {
		all = append(all, simulator.Fault{Operation: "*", Kind: simulator.FaultXML, Status: status, Probability: p},
			simulator.Fault{Operation: "*", Kind: simulator.FaultEmpty, Status: status, Probability: p / 2})
	}
	for _, kind := range []simulator.FaultKind{simulator.FaultEmpty, simulator.FaultEmptyAfter} {
		all = append(all, simulator.Fault{Operation: "*", Kind: kind, Probability: p / 2})
	}
	for _, op := range []string{"token", "preload", "upload", "create", "requestStatus", "sent", "streamEvents", "legalFact", "download", "price"} {
		for _, kind := range []simulator.FaultKind{simulator.FaultStall, simulator.FaultStallAfter, simulator.FaultStallBody} {
			all = append(all, simulator.Fault{Operation: op, Kind: kind, Probability: p, Count: 1})
		}
	}
	return append(all,
		simulator.Fault{Operation: "*", Kind: simulator.FaultDenied, Probability: p / 20},
		simulator.Fault{Operation: "token", Kind: simulator.FaultShortVoucher, Probability: 5 * p},
		simulator.Fault{Operation: "streamEvents", Kind: simulator.FaultShufflePage, Probability: p},
		simulator.Fault{Operation: "legalFact", Kind: simulator.FaultWrongSize, Probability: p},
		simulator.Fault{Operation: "download", Kind: simulator.FaultShort, Probability: p},
		simulator.Fault{Operation: "download", Kind: simulator.FaultHTML, Status: 200, Probability: p})
}

// stormTimeout bounds a stall; they only have to be longer than what a slow machine
// takes for an answer, and a call that they end wrongly is one fault more.
const stormTimeout = 2 * time.Second

// felt counts what of the network failed on our side, the time-outs among it.
type felt struct {
	http.RoundTripper
	broken atomic.Int64
}

func (f *felt) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := f.RoundTripper.RoundTrip(r)
	if errors.Is(err, context.DeadlineExceeded) {
		f.broken.Add(1)
	}
	return a, err
}

// stormWorld has a key that wants vouchers, and legal facts that take a minute.
func stormWorld(t testing.TB, seed uint64) *world {
	o := stillOptions(seed)
	o.LegalFactDelay, o.StreamRetryAfter, o.HistorySize = time.Minute, 5*time.Minute, 1<<20
	o.VoucherLifespan = 20 * time.Minute
	refused := map[string]bool{}
	for i := 9; i < 10_000; i += 50 {
		refused[noticeOf(1000+i)] = true
	}
	o.Debts = func(_, notice string) bool { return !refused[notice] }
	w := newStillOn(t, o)
	id, err := w.sim.NewIdentity("Comune di Borgo Esempio", simulator.DemoTaxID)
	if err != nil {
		t.Fatal(err)
	}
	w.write("keys/api", id.APIKey)
	w.write("keys/pdnd.pem", string(id.PrivateKey))
	pdnd := fmt.Sprintf("    pdnd: {client_id: %s, purpose_id: %s, key_file: keys/pdnd.pem, token_url: \"%s/token.oauth2\"}\n", id.ClientID, id.PurposeID, w.url)
	text := strings.Replace(w.read("config.yaml"), "    api_key: ${file:keys/api}\n", "    api_key: ${file:keys/api}\n"+pdnd, 1)
	w.configure("config.yaml", strings.Replace(text, "    documents:", "    release: {max_notifications: 100000}\n    documents:", 1))
	return w
}

// stormLot drops n rows in exports of 100, every fifth with a payment form, one in
// fifty refused by SEND.
func (w *world) stormLot(n int) (protocols []string) {
	w.t.Helper()
	var b strings.Builder
	flush := func(i int) {
		w.write(fmt.Sprintf("drop/in/lotto%03d.csv", i/100), groupedHeading+b.String())
		b.Reset()
	}
	for i := range n {
		protocol, act := fmt.Sprintf("S/%d", i+1), fmt.Sprintf("s%05d.pdf", i+1)
		w.write("drop/in/"+act, string(pdfOf(act, 1200)))
		form := ""
		if i%5 == 0 {
			form = "f-" + act
			w.write("drop/in/"+form, string(pdfOf(form, 1200)))
		}
		b.WriteString(groupedRow(protocol, []string{ettore, galileo}[i%2], []string{"Ettore Fieramosca", "Galileo Galilei"}[i%2], noticeOf(1000+i), act, form, ""))
		if (i+1)%100 == 0 || i == n-1 {
			flush(i)
		}
		protocols = append(protocols, protocol)
	}
	return protocols
}

// weather is what a run of the lot came to.
type weather struct {
	outcomes  map[string][]string // by export, the columns that do not tell times
	facts     int                 // documents on disk
	calls     map[string]int      // by operation
	faults    int
	kinds     map[string]int
	protocols []string
}

func (w *world) weather(t *testing.T, n int, faults []simulator.Fault) weather {
	t.Helper()
	f := &felt{RoundTripper: http.DefaultTransport}
	w.opts.Transport, w.opts.timeout = f, stormTimeout
	for _, x := range faults {
		w.sim.Faults().Add(x)
	}
	protocols := w.stormLot(n)
	for range 24 { // the first hours at the pace of a scheduler, then days
		if err := w.pass(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		w.sim.Advance(10 * time.Minute)
	}
	w.untilClosedEvery((n+99)/100, 6*time.Hour)
	w.untilCostsAreKnown()
	w.onceAtSEND(protocols...)
	r := weather{outcomes: map[string][]string{}, calls: w.sim.Calls(), kinds: w.sim.Faults().Fired(), protocols: protocols}
	for kind, n := range r.kinds {
		if !strings.HasPrefix(kind, "publish/") {
			r.faults += n
		}
	}
	r.faults += int(f.broken.Load())
	found, err := filepath.Glob(filepath.Join(w.dir, "drop", "out", "*.esito.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		r.outcomes[batchID.ReplaceAllString(filepath.Base(name), "<batch>")] = w.outcomeLines(name)
	}
	w.updatesTellTheOutcome(found)
	w.documentsAreIndexed()
	documents, err := filepath.Glob(filepath.Join(w.dir, "drop", "out", "documenti", "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	r.facts = len(documents)
	return r
}

// untilCostsAreKnown passes until no cost is in doubt: a notification is closed with
// its documents, and SEND's "come back tomorrow" to the question for the price of its
// last event may outlast that.
func (w *world) untilCostsAreKnown() {
	w.t.Helper()
	for range 40 {
		doubts := 0
		if err := w.pass(context.Background(), func(c *Connector) { doubts = w.costsInDoubt(c) }); err != nil {
			w.t.Fatal(err)
		}
		if doubts == 0 {
			return
		}
		w.sim.Advance(6 * time.Hour)
	}
	w.t.Error("costs are in doubt for ever")
}

func (w *world) costsInDoubt(c *Connector) (doubts int) {
	w.t.Helper()
	err := c.ledger.View(context.Background(), func(tx *ledger.Tx) error {
		doubts = 0
		var failed error
		err := tx.Batches(func(b *ledger.Batch) bool {
			failed = tx.Notifications(b.ID, func(n *ledger.Notification) bool {
				for _, r := range n.Recipients {
					if r.CostStale {
						doubts++
					}
				}
				return true
			})
			return failed == nil
		})
		return errors.Join(err, failed)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return doubts
}

// wasted reports by operation what a storm cost, and holds it to a bound: every fault
// may cost a few calls more (the repetition, the look-up that must come first, another
// slot for a document), and nothing may be asked in vain.
func wasted(t *testing.T, calm, storm weather) {
	t.Helper()
	extra := 0
	for _, op := range slices.Sorted(maps.Keys(storm.calls)) {
		more := storm.calls[op] - calm.calls[op]
		if more != 0 {
			t.Logf("%-14s %6d calls, %6d in calm weather", op, storm.calls[op], calm.calls[op])
		}
		if !slices.Contains([]string{"streamEvents", "streamGet", "token"}, op) { // by time and by process: a longer life has more of them
			extra += max(0, more)
		}
	}
	t.Logf("%d faults, %d calls more than in calm weather: %.2f for each fault", storm.faults, extra, float64(extra)/float64(max(1, storm.faults)))
	const perFault = 2
	if extra > perFault*storm.faults {
		t.Errorf("%d calls wasted on %d faults, want at most %d each", extra, storm.faults, perFault)
	}
}

// A platform and a network at their worst may cost time and calls, never a
// notification: the lot ends as in calm weather, column by column where time does not
// matter, each notification once, each legal fact on disk as the index says, and the
// calls wasted stay in proportion to what struck. STORM=2000 makes it the large one;
// FAULT_SEED repeats one.
func TestStorm(t *testing.T) {
	n := 80
	if testing.Short() {
		n = 20
	}
	if large, err := strconv.Atoi(os.Getenv("STORM")); err == nil {
		n = large
	}
	all := seeds(t)
	runs := make([]weather, len(all)+1)
	t.Run("runs", func(t *testing.T) {
		for i := range runs {
			seed, name, faults := uint64(1), "calm", []simulator.Fault(nil)
			if i > 0 {
				seed, name, faults = all[i-1], fmt.Sprint("seed=", all[i-1]), storm(0.01)
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := stormWorld(t, seed)
				runs[i] = w.weather(t, n, faults)
				for _, v := range w.sim.Violations() {
					if !strings.HasPrefix(v, "stream ") { // where the answer with the pause was lost nobody can keep to it
						t.Error("never to be done: ", v)
					}
				}
			})
		}
	})
	calm := runs[0]
	if len(calm.protocols) != n || calm.facts < 2*n {
		t.Fatalf("calm weather: %d notifications, %d documents", len(calm.protocols), calm.facts)
	}
	for i, got := range runs[1:] {
		t.Run(fmt.Sprint("seed=", all[i]), func(t *testing.T) {
			t.Logf("FAULT_SEED=%d", all[i])
			asInCalmWeather(t, calm, got)
			wasted(t, calm, got)
		})
	}
}

// asInCalmWeather compares the outcome files line by line, and the documents.
func asInCalmWeather(t *testing.T, calm, got weather) {
	t.Helper()
	other := 0
	for export, lines := range calm.outcomes {
		for i, line := range lines {
			if i < len(got.outcomes[export]) && got.outcomes[export][i] == line {
				continue
			}
			if other++; other <= 10 {
				t.Errorf("%s, line %d is not as in calm weather:\n%v\n%q", export, i, got.outcomes[export][min(i, len(got.outcomes[export])):min(i+1, len(got.outcomes[export]))], line)
			}
		}
	}
	if other > 0 {
		t.Errorf("%d lines are not as in calm weather", other)
	}
	if len(got.outcomes) != len(calm.outcomes) || got.facts != calm.facts {
		t.Errorf("%d outcome files, %d documents; in calm weather %d and %d", len(got.outcomes), got.facts, len(calm.outcomes), calm.facts)
	}
}
