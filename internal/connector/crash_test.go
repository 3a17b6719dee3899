package connector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/ledger"
	"sendconnector/internal/simulator"
)

var errKilled = errors.New("killed")

// anyStep counts the steps of all names together.
const anyStep = "*"

// killer stops a connector at one occurrence of a step as the end of its process
// would: from then on no effect on the outside succeeds. Without a step it only
// counts.
type killer struct {
	mu     sync.Mutex
	at     string
	nth    int
	seen   map[string]int
	order  []string
	calls  int
	dead   bool
	cancel context.CancelFunc
}

func (k *killer) Step(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dead {
		return errKilled
	}
	if k.seen == nil {
		k.seen = map[string]int{}
	}
	if k.seen[name]++; k.seen[name] == 1 {
		k.order = append(k.order, name)
	}
	k.calls++
	if k.at == anyStep && k.calls != k.nth || k.at != anyStep && (name != k.at || k.seen[name] != k.nth) {
		return nil
	}
	k.dead = true
	k.cancel()
	return errKilled
}

// RoundTrip is the network of the process: a dead one says nothing.
func (k *killer) RoundTrip(r *http.Request) (*http.Response, error) {
	k.mu.Lock()
	dead := k.dead
	k.mu.Unlock()
	if dead {
		return nil, errKilled
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (k *killer) died() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dead
}

const (
	ettore  = "FRMTTR76M06B715E"
	galileo = "GLLGLL64B15G702I"
	unknown = "LNALNI80A01H501T" // well formed, but SEND's register does not know it

	refusedNotice = 999 // SEND finds no debt behind it
)

// groupedProfile has everything that a drop can ask of the pipeline: groups, several
// documents of a notification, a payment form.
var groupedProfile = strings.NewReplacer(
	"notification:\n", "group_by: ATTO\nnotification:\n",
	"  vat: 22\n", "  vat: 22\n  pagopa_mode: ASYNC\n",
	`    apply_cost: {value: "true"}`, `    attachment: AVVISO_PDF`,
	"    title: {value: Avviso}\n", "    title: {value: Avviso}\n    act: true\n  - file: ALLEGATO\n    title: {value: Allegato}\n",
).Replace(profileText)

// newStill is newWorld with a platform whose clock only moves when the connector
// waits, and with a key that wants no voucher: a life of months takes as long as its
// work.
func newStill(t testing.TB, change ...func(string) string) *world {
	t.Helper()
	o := simulator.DemoOptions()
	o.Start, o.ManualClock, o.Timings = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), true, simulator.RealTimings().Scale(0.01)
	o.Mix, o.StreamRetryAfter, o.UnknownTaxIDs = simulator.Mix{}, time.Minute, []string{unknown}
	o.Debts = func(_, notice string) bool { return notice != noticeOf(refusedNotice) }
	return newStillOn(t, o, change...)
}

func newStillOn(t testing.TB, o simulator.Options, change ...func(string) string) *world {
	t.Helper()
	w := &world{t: t, dir: foldertest.TempDir(t), sim: simulator.New(o)}
	server := httptest.NewServer(w.sim)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.write("keys/api", o.Keys[0].Value)
	w.write("profile.yaml", groupedProfile)
	text := fmt.Sprintf(`version: 1
installation: prova
ledger: {keep: 0}
senders:
  comune:
    tax_id: "%s"
    denomination: Comune di Borgo Esempio
    environment: simulator
    base_url: %s
    api_key: ${file:keys/api}
    limits: {per_second: 100000, burst: 100000, per_day: 100000000}
flows:
  tari:
    sender: comune
    profile: profile.yaml
    source: {root: drop, settle: 0s, poll: 100ms}
    documents: {deadline: 0s}
`, simulator.DemoTaxID, w.url)
	for _, f := range change {
		text = f(text)
	}
	w.configure("config.yaml", text)
	w.opts.Clock = w.sim.Now
	w.opts.Wait = func(ctx context.Context, d time.Duration, wake <-chan struct{}) {
		select {
		case <-wake:
		case <-ctx.Done():
		default:
			w.sim.Advance(d)
		}
	}
	level := slog.LevelError + 1
	if os.Getenv("CRASH_LOG") != "" {
		level = slog.LevelInfo
	}
	w.opts.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: level}))
	return w
}

func (w *world) configure(name, text string) {
	w.t.Helper()
	w.write(name, text)
	var err error
	if w.cfg, err = config.Load(filepath.Join(w.dir, name)); err != nil {
		w.t.Fatal(err)
	}
}

const groupedHeading = "ATTO;OGGETTO;TIPO;CF;NOME;VIA;CAP;CITTA;PROV;AVVISO;CREDITORE;PDF;AVVISO_PDF;ALLEGATO\r\n"

func groupedRow(protocol, taxID, name, notice, act, form, more string) string {
	return strings.TrimSuffix(row(protocol, taxID, name, notice, act), "\r\n") + ";" + form + ";" + more + "\r\n"
}

// mixedDrop is two exports with every kind of row: alone, in a group that shares its
// payment form, with three documents, rejected here, without its document, refused
// by SEND, and known.
func (w *world) mixedDrop() (files []string) {
	w.t.Helper()
	for _, name := range []string{"b1.pdf", "f1.pdf", "x1.pdf", "b2.pdf", "f2.pdf", "b3.pdf", "b5.pdf", "b6.pdf", "b7.pdf"} {
		w.write("drop/in/"+name, string(pdfOf(name, 1500)))
		files = append(files, name)
	}
	first := groupedRow("B/1", ettore, "Ettore Fieramosca", noticeOf(1), "b1.pdf", "f1.pdf", "x1.pdf")
	w.write("drop/in/a.csv", groupedHeading+first+
		groupedRow("B/2", ettore, "Ettore Fieramosca", noticeOf(2), "b2.pdf", "f2.pdf", "")+
		groupedRow("B/3", "GLLGLL64B15G702X", "Galileo Galilei", noticeOf(3), "b3.pdf", "", "")+
		groupedRow("B/2", galileo, "Galileo Galilei", noticeOf(52), "b2.pdf", "f2.pdf", "")+
		groupedRow("B/4", galileo, "Galileo Galilei", noticeOf(4), "manca.pdf", "", "")+
		groupedRow("B/5", unknown, "Alina Ion", noticeOf(5), "b5.pdf", "", "")+
		groupedRow("B/7", galileo, "Galileo Galilei", noticeOf(refusedNotice), "b7.pdf", "", ""))
	w.write("drop/in/b.csv", groupedHeading+first+
		groupedRow("B/6", galileo, "Galileo Galilei", noticeOf(6), "b6.pdf", "", ""))
	return append(files, "a.csv", "b.csv")
}

// pass runs one pass of a fresh connector, as a scheduler would, and gives its error.
func (w *world) pass(ctx context.Context, look func(*Connector)) error {
	w.t.Helper()
	c, err := Open(ctx, w.cfg, w.opts)
	if err != nil {
		return err
	}
	_, err = c.Once(ctx, OnceOptions{})
	if look != nil {
		look(c)
	}
	return errors.Join(err, c.Close())
}

// untilClosed passes until every notification is closed, half an hour of the
// platform's time between two passes.
func (w *world) untilClosed(batches int) {
	w.t.Helper()
	w.untilClosedEvery(batches, 30*time.Minute)
}

func (w *world) untilClosedEvery(batches int, pause time.Duration) {
	w.t.Helper()
	done := false
	for range 2000 {
		if err := w.pass(context.Background(), func(c *Connector) { done = w.allClosed(c, batches) }); err != nil {
			w.t.Fatal(err)
		}
		if done {
			break
		}
		w.sim.Advance(pause)
	}
	if !done {
		w.t.Fatal("not every notification came to its end")
	}
	w.sim.Advance(30 * time.Minute)
	if err := w.pass(context.Background(), func(c *Connector) {
		for _, p := range c.ledger.Verify() {
			w.t.Error("ledger:", p)
		}
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) allClosed(c *Connector, batches int) bool {
	closed, sealed := true, 0
	err := c.ledger.View(context.Background(), func(tx *ledger.Tx) error {
		closed, sealed = true, 0
		if err := tx.Batches(func(b *ledger.Batch) bool {
			if b.State != ledger.Reading {
				sealed++
			}
			return true
		}); err != nil {
			return err
		}
		return tx.Open(0, func(n *ledger.Notification) bool {
			closed = closed && n.Closed
			return closed
		})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return closed && sealed >= batches
}

// undisturbed is what becomes of the mixed drop when nothing happens to it.
func undisturbed(t testing.TB) result {
	t.Helper()
	w := newStill(t)
	files := w.mixedDrop()
	w.untilClosed(2)
	w.onceAtSEND("B/1", "B/2", "B/6", "B/7")
	return w.result(files)
}

// A look-up only happens after another death: who dies in it, too, still posts nothing
// twice (rule 22).
func TestKillPointsOfLookUp(t *testing.T) {
	for _, first := range []string{"submit.create:before", "submit.create:after"} {
		for _, second := range []string{"submit.lookup:before", "submit.lookup:after", "submit.create:after"} {
			if first == "submit.create:after" && second == first {
				continue // nothing is posted again
			}
			t.Run(first+","+second, func(t *testing.T) {
				t.Parallel()
				w := newStill(t)
				files := w.mixedDrop()
				w.killOnce(first, 2)
				w.killOnce(second, 1)
				w.untilClosed(2)
				w.onceAtSEND("B/1", "B/2", "B/6", "B/7")
				if posted := w.sim.Calls()["create"]; posted > 7 {
					t.Errorf("%d requests posted", posted)
				}
				w.result(files)
			})
		}
	}
}

func compareResults(t *testing.T, want, got result) {
	t.Helper()
	for export, lines := range want.outcomes {
		if !slices.Equal(lines, got.outcomes[export]) {
			t.Errorf("outcome of %s:\n%s\nwithout the crash:\n%s", export, strings.Join(got.outcomes[export], "\n"), strings.Join(lines, "\n"))
		}
	}
	if !maps.EqualFunc(want.places, got.places, slices.Equal) {
		t.Errorf("the files lie in %v\nwithout the crash in %v", got.places, want.places)
	}
}

// A batch that was being read when the process died, and whose copy is damaged then,
// must not make the same row of another flow pass for known: nobody would ever send
// it (rule 10).
func TestRule10HalfReadBatchHidesNoRow(t *testing.T) {
	w := newStill(t, func(text string) string {
		at := strings.Index(text, "  tari:\n")
		return text + strings.NewReplacer("  tari:", "  altra:", "root: drop", "root: altra").Replace(text[at:])
	})
	rows := groupedHeading + groupedRow("H/1", ettore, "Ettore Fieramosca", noticeOf(1), "h.pdf", "", "")
	w.write("drop/in/h.pdf", string(pdfOf("h", 1500)))
	w.write("drop/in/h.csv", rows)
	w.killOnce("ingest.seal:before", 1)
	spooled, err := filepath.Glob(filepath.Join(w.dir, "data", "spool", "*", "*"))
	claimed, _ := filepath.Glob(filepath.Join(w.dir, "drop", "work", "*", "*"))
	if err != nil || len(spooled) == 0 || len(claimed) == 0 {
		t.Fatalf("%v, %v, %v", spooled, claimed, err)
	}
	for _, name := range append(spooled, claimed...) {
		if folder.Temporary(filepath.Base(name)) {
			continue // the manifest
		}
		if err := os.WriteFile(name, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.write("altra/in/h.pdf", string(pdfOf("h", 1500)))
	w.write("altra/in/h.csv", rows)
	w.sim.Advance(time.Minute)
	w.untilClosed(2)
	w.onceAtSEND("H/1")
	w.wantOutcomes("altra/out/h.*.esito.csv", map[string]string{"H/1": string(ledger.Perfezionata)})
}

// What is wrong with one batch of one flow must not stop the others, nor for ever
// itself: a damaged manifest is made anew from the ledger, and one of a batch that
// nobody knows is told at every pass (promise 6).
func TestDamagedManifestStopsNobody(t *testing.T) {
	w := newStill(t)
	w.write("drop/in/m.pdf", string(pdfOf("m", 1500)))
	w.write("drop/in/m.csv", groupedHeading+groupedRow("M/1", ettore, "Ettore Fieramosca", noticeOf(1), "m.pdf", "", ""))
	w.killOnce("ingest.archive:before", 1)
	manifests, err := filepath.Glob(filepath.Join(w.dir, "drop", "work", "*", ".manifest.json"))
	if err != nil || len(manifests) != 1 {
		t.Fatal(manifests, err)
	}
	if err := os.Truncate(manifests[0], 10); err != nil {
		t.Fatal(err)
	}
	w.sim.Advance(time.Minute)
	w.write("drop/in/n.pdf", string(pdfOf("n", 1500)))
	w.write("drop/in/n.csv", groupedHeading+groupedRow("N/1", ettore, "Ettore Fieramosca", noticeOf(2), "n.pdf", "", ""))
	w.write("drop/work/20260301T000000-00000000/.manifest.json", "{")
	if err := w.pass(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(w.dir, "drop", "work", "20260301T000000-00000000")); err != nil {
		t.Fatal(err)
	}
	w.untilClosed(2)
	w.onceAtSEND("M/1", "N/1")
	w.result([]string{"m.csv", "n.csv", "n.pdf"})
}
