package samples_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/connector"
	"sendconnector/internal/simulator"
	"sendconnector/samples"
)

// town is a connector with one flow for each sample, and the SEND it talks to.
type town struct {
	t   *testing.T
	dir string
	cfg *config.Config
	sim *simulator.Simulator
}

func newTown(t *testing.T) *town {
	t.Helper()
	o := simulator.DemoOptions()
	o.Speed, o.Timings = 1, simulator.RealTimings().Scale(0.000002)
	o.Keys, o.Mix, o.F24Delay = nil, simulator.Mix{}, -1
	o.StreamRetryAfter = 100 * time.Millisecond
	sim := simulator.New(o)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	id, err := sim.NewIdentity(senderName, simulator.DemoTaxID)
	if err != nil {
		t.Fatal(err)
	}
	w := &town{t: t, dir: t.TempDir(), sim: sim}
	w.write("keys/api", []byte(id.APIKey))
	w.write("keys/pdnd.pem", id.PrivateKey)
	var text strings.Builder
	fmt.Fprintf(&text, `version: 1
installation: prova
senders:
  comune:
    tax_id: "%s"
    denomination: %s
    environment: simulator
    base_url: %s
    api_key: ${file:keys/api}
    pdnd: {client_id: %s, purpose_id: %s, key_file: keys/pdnd.pem, token_url: "%s/token.oauth2"}
flows:
`, id.Sender.TaxID, senderName, server.URL, id.ClientID, id.PurposeID, server.URL)
	for _, s := range samples.Services() {
		fmt.Fprintf(&text, "  %s:\n    sender: comune\n    source: {root: %s, settle: 0s, poll: 100ms}\n    documents: {deadline: 0s}\n", s.Name, s.Name)
		if s.Profile == "" {
			continue
		}
		fmt.Fprintf(&text, "    profile: profili/%s.yaml\n", s.Name)
		profile, err := fs.ReadFile(samples.FS(), s.Profile)
		if err != nil {
			t.Fatal(err)
		}
		w.write("profili/"+s.Name+".yaml", profile)
	}
	w.write("config.yaml", []byte(text.String()))
	if w.cfg, err = config.Load(filepath.Join(w.dir, "config.yaml")); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *town) write(name string, data []byte) {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// drop drops every sample.
func (w *town) drop() {
	w.t.Helper()
	for _, s := range samples.Services() {
		if err := s.CopyDrop(filepath.Join(w.dir, s.Name, "in")); err != nil {
			w.t.Fatal(err)
		}
	}
}

// pass takes what lies there and follows it to the end.
func (w *town) pass() {
	w.t.Helper()
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	c, err := connector.Open(ctx, w.cfg, connector.Options{Log: log})
	if err != nil {
		w.t.Fatal(err)
	}
	summary, err := c.Once(ctx, connector.OnceOptions{Until: connector.UntilFinal, Timeout: 2 * time.Minute})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		w.t.Fatal(err)
	}
	if len(summary.Batches) != len(samples.Services()) || summary.TimedOut {
		w.t.Fatalf("summary %+v", summary)
	}
}

// outcome reads the newest outcome file of a sample, by the columns of the contract.
func (w *town) outcome(s samples.Service) []samples.Expected {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, s.Name, "out", "*.esito.csv"))
	if err != nil || len(found) == 0 {
		w.t.Fatalf("%s: outcome files %v, %v", s.Name, found, err)
	}
	slices.Sort(found)
	data, err := os.ReadFile(found[len(found)-1])
	if err != nil {
		w.t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	var all []samples.Expected
	for _, c := range rows[1:] {
		get := func(name string) string { return c[slices.Index(rows[0], name)] }
		e := samples.Expected{Recipient: get("send_destinatario"), Outcome: get("send_esito"), Code: get("send_codice"), Unreachable: get("send_irreperibile") == "si"}
		if e.Row, err = strconv.Atoi(get("send_riga")); err != nil {
			w.t.Fatal(err)
		}
		if e.Outcome != "SCARTATA" && e.Outcome != "RIFIUTATA" {
			e.Code = ""
		}
		w.t.Log(e, get("send_stato"), get("send_documenti"), get("send_messaggio"), "|", get("send_avvisi"))
		all = append(all, e)
	}
	return all
}

// compare holds every outcome against its expectation, as it is after change.
func (w *town) compare(change func(*samples.Expected)) {
	w.t.Helper()
	for _, s := range samples.Services() {
		want, err := s.Expect()
		if err != nil {
			w.t.Fatal(err)
		}
		got := w.outcome(s)
		for i := range max(len(want), len(got)) {
			if i < len(want) {
				want[i].Note = ""
				change(&want[i])
			}
			switch {
			case i >= len(got):
				w.t.Errorf("%s: missing %+v", s.Name, want[i])
			case i >= len(want):
				w.t.Errorf("%s: too many: %+v", s.Name, got[i])
			case got[i] != want[i]:
				w.t.Errorf("%s: got %+v, want %+v", s.Name, got[i], want[i])
			}
		}
	}
}

// Every row leads the life that its author expects, from the drop to the end: what
// is rejected is never sent, what is sent ends as SEND's rules say. And when the
// whole drop comes again, as nightly exports do, nobody is notified twice.
func TestWholeLives(t *testing.T) {
	w := newTown(t)
	w.drop()
	w.pass()
	w.compare(func(*samples.Expected) {})
	sent := len(w.sim.Accepted())

	w.drop()
	w.pass()
	w.compare(func(e *samples.Expected) {
		if e.Outcome != "SCARTATA" && e.Outcome != "RIFIUTATA" {
			e.Outcome = "GIA_PRESENTE"
		}
	})
	if again := len(w.sim.Accepted()); again != sent || sent == 0 {
		t.Errorf("SEND had %d requests after the first drop and %d after the second", sent, again)
	}
}
