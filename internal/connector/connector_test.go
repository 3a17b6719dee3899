package connector

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"sendconnector/internal/config"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/simulator"
)

// world is a connector with its folders and the SEND it talks to.
type world struct {
	t    testing.TB
	dir  string
	sim  *simulator.Simulator
	url  string
	cfg  *config.Config
	opts Options

	identity simulator.Identity // of the body that is held
	shift    *atomic.Int64      // of this machine's clock, nanoseconds
}

const profileText = `version: 1
name: prova
format: {kind: csv, delimiter: ";"}
defaults:
  taxonomy: 010201P
  fee_policy: DELIVERY_MODE
  paper: AR_REGISTERED_LETTER
  pa_fee: 100
  vat: 22
notification:
  protocol: ATTO
  subject: OGGETTO
recipient:
  type: TIPO
  tax_id: CF
  denomination: NOME
  address: VIA
  zip: CAP
  municipality: CITTA
  province: PROV
payments:
  - notice: AVVISO
    creditor: CREDITORE
    apply_cost: {value: "true"}
documents:
  - file: PDF
    title: {value: Avviso}
`

// newWorld makes a flow "tari" in a temporary folder and a platform whose lives last
// seconds.
func newWorld(t testing.TB, change ...func(string) string) *world {
	t.Helper()
	o := simulator.DemoOptions()
	o.Speed, o.Timings = 1, simulator.RealTimings().Scale(0.000002)
	o.Mix = simulator.Mix{}
	o.StreamRetryAfter = 100 * time.Millisecond
	return newWorldOn(t, o, change...)
}

// newWorldOn is newWorld with a platform of the caller's choice.
func newWorldOn(t testing.TB, o simulator.Options, change ...func(string) string) *world {
	t.Helper()
	o.Keys = nil
	w := &world{t: t, dir: foldertest.TempDir(t), sim: simulator.New(o)}
	server := httptest.NewServer(w.sim)
	t.Cleanup(server.Close)
	w.url = server.URL
	id, err := w.sim.NewIdentity("Comune di Borgo Esempio", simulator.DemoTaxID)
	if err != nil {
		t.Fatal(err)
	}
	w.write("keys/api", id.APIKey)
	w.write("keys/pdnd.pem", string(id.PrivateKey))
	w.write("profile.yaml", profileText)
	text := fmt.Sprintf(`version: 1
installation: prova
senders:
  comune:
    tax_id: "%s"
    denomination: Comune di Borgo Esempio
    environment: simulator
    base_url: %s
    api_key: ${file:keys/api}
    pdnd: {client_id: %s, purpose_id: %s, key_file: keys/pdnd.pem, token_url: "%s/token.oauth2"}
flows:
  tari:
    sender: comune
    profile: profile.yaml
    source: {root: drop, settle: 0s, poll: 100ms}
    documents: {deadline: 0s}
`, id.Sender.TaxID, w.url, id.ClientID, id.PurposeID, w.url)
	for _, f := range change {
		text = f(text)
	}
	w.write("config.yaml", text)
	w.cfg, err = config.Load(filepath.Join(w.dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	level := slog.LevelWarn
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	w.opts.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: level}))
	return w
}

func (w *world) write(name, content string) {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) pdf(name, text string) {
	w.t.Helper()
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetFont("Helvetica", "", 12)
	doc.AddPage()
	doc.Cell(0, 10, text)
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := doc.OutputFileAndClose(path); err != nil {
		w.t.Fatal(err)
	}
}

// open opens the connector; it is closed with the test.
func (w *world) open() *Connector {
	w.t.Helper()
	c, err := Open(context.Background(), w.cfg, w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return c
}

// once runs one pass with a fresh connector, as a scheduler would.
func (w *world) once(until string) Summary {
	w.t.Helper()
	c, err := Open(context.Background(), w.cfg, w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := c.Once(context.Background(), OnceOptions{Until: until, Timeout: time.Minute})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range c.ledger.Verify() {
		w.t.Error("ledger:", p)
	}
	if err := c.Close(); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// read gives the one file that matches a pattern below the world's folder.
func (w *world) read(pattern string) string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, filepath.FromSlash(pattern)))
	if err != nil || len(found) != 1 {
		w.t.Fatalf("%s: %v %v, want one file", pattern, found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

const heading = "ATTO;OGGETTO;TIPO;CF;NOME;VIA;CAP;CITTA;PROV;AVVISO;CREDITORE;PDF\r\n"

func row(protocol, taxID, name, notice, file string) string {
	return strings.Join([]string{protocol, "Avviso TARI", "PF", taxID, name, "VIA ROMA 1", "20123", "MILANO", "MI", notice, simulator.DemoTaxID, file}, ";") + "\r\n"
}

// The main job: a drop becomes notifications, a bad row stays here, and outcome and
// documents come back. If this breaks, nothing else matters.
func TestOneDropEndToEnd(t *testing.T) {
	w := newWorld(t)
	w.pdf("drop/in/a1.pdf", "uno")
	w.pdf("drop/in/a2.pdf", "due")
	w.write("drop/in/tari.csv", heading+
		row("A/1", "FRMTTR76M06B715E", "Ettore Fieramosca", "301000000001234519", "a1.pdf")+
		row("A/2", "GLLGLL64B15G702I", "Galileo Galilei", "301000000001234620", "a2.pdf")+
		row("A/3", "GLLGLL64B15G702X", "Galileo Galilei", "", "a2.pdf"))
	s := w.once(UntilFinal)
	if s.Exit != ExitRejected || s.Rejected != 1 || len(s.Batches) != 1 {
		t.Errorf("summary %+v", s)
	}
	if len(s.Files) > 0 {
		t.Fatal(w.read("drop/rejected/*/*.motivo.txt"))
	}
	outcome := w.read("drop/out/tari.*.esito.csv")
	for _, want := range []string{"PERFEZIONATA", "SCARTATA", "C-TAXID-CHECK"} {
		if !strings.Contains(outcome, want) {
			t.Errorf("outcome lacks %s:\n%s", want, outcome)
		}
	}
	if n := len(w.sim.Accepted()); n != 2 {
		t.Errorf("%d requests stored at SEND, want 2", n)
	}
	t.Log(outcome)
	files := []string{}
	_ = filepath.Walk(w.dir, func(p string, i os.FileInfo, _ error) error {
		if i != nil && !i.IsDir() {
			files = append(files, p)
		}
		return nil
	})
	t.Log(strings.Join(files, "\n"))
}
