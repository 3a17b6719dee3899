package connector

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"sendconnector/internal/simulator"
)

// ear hears what the connector says to SEND, PDND and the object store, and notes
// every secret that passes.
type ear struct {
	mu      sync.Mutex
	secrets map[string]string // secret → what it is
}

var (
	tokenIn  = regexp.MustCompile(`"access_token"\s*:\s*"([^"]+)"`)
	secretIn = regexp.MustCompile(`"secret"\s*:\s*"([^"]+)"`)
	urlIn    = regexp.MustCompile(`"url"\s*:\s*"[^"?]*\?([^"]+)"`)
)

func (e *ear) RoundTrip(r *http.Request) (*http.Response, error) {
	e.note("voucher", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if r.Body != nil && strings.HasSuffix(r.URL.Path, "/token.oauth2") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if _, assertion, ok := strings.Cut(string(body), "client_assertion="); ok {
			assertion, _, _ = strings.Cut(assertion, "&")
			e.note("client assertion", assertion)
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(resp.Header.Get("Content-Type"), "json") {
		return resp, nil
	}
	body, broken := io.ReadAll(resp.Body)
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	text := strings.ReplaceAll(string(body), `\u0026`, "&")
	for kind, form := range map[string]*regexp.Regexp{"voucher": tokenIn, "upload secret": secretIn, "signed address": urlIn} {
		for _, m := range form.FindAllStringSubmatch(text, -1) {
			e.note(kind, m[1])
		}
	}
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), iotest.ErrReader(cmp.Or(broken, io.EOF))))
	return resp, nil
}

func (e *ear) note(kind, secret string) {
	if len(secret) < 8 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.secrets == nil {
		e.secrets = map[string]string{}
	}
	e.secrets[secret] = kind
}

func (e *ear) kinds() (all []string) {
	for _, kind := range e.secrets {
		if !slices.Contains(all, kind) {
			all = append(all, kind)
		}
	}
	slices.Sort(all)
	return all
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// marked are personal data as they stand in the drop, each in a form that nothing
// else has.
var marked = []string{
	ettore, galileo, unknown, "Fieramosca", "Galilei", "ZANZARAMARCATA", "marcato.segreto@pec.example", "VIALE MARCATO",
	noticeOf(1), noticeOf(2), noticeOf(52), noticeOf(4), noticeOf(refusedNotice), "GLLGLL64B15G702X",
}

// Damage prevented: a key, a voucher or a signed address lies in a log, a backup or a
// file that more people read than may send in the body's name; or a log that goes to a
// supplier tells who was fined.
func TestSecretsAndPersonalDataStayWhereTheyBelong(t *testing.T) {
	heard := &ear{}
	w := newWorld(t)
	w.write("profile.yaml", strings.Replace(groupedProfile, "  province: PROV\n", "  province: PROV\n  at: PRESSO\n  pec: PEC\n", 1))
	w.opts.Transport = heard
	log := &lockedBuffer{}
	w.opts.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, f := range everyFault(0.03) {
		w.sim.Faults().Add(f)
	}
	w.sim.Faults().Add(simulator.Fault{Operation: "upload", Kind: simulator.FaultExpiredURL, Nth: 2})
	w.sim.Faults().Add(simulator.Fault{Operation: "legalFact", Kind: simulator.FaultExpiredURL, Nth: 1})
	w.mixedDrop()
	more := func(line string) string {
		return strings.TrimSuffix(strings.Replace(line, "VIA ROMA 1", "VIALE MARCATO 7", 1), "\r\n") + ";ZANZARAMARCATA;marcato.segreto@pec.example\r\n"
	}
	for _, name := range []string{"a.csv", "b.csv"} {
		lines := strings.SplitAfter(w.read("drop/in/"+name), "\r\n")
		for i, line := range lines {
			switch {
			case i == 0:
				lines[i] = strings.TrimSuffix(line, "\r\n") + ";PRESSO;PEC\r\n"
			case line != "":
				lines[i] = more(line)
			}
		}
		w.write("drop/in/"+name, strings.Join(lines, ""))
	}
	// A file that is rejected whole, and one whose line is broken.
	w.write("drop/in/rotto.csv", "ATTO;CF\r\n\"X/1;"+ettore+"\r\n")
	w.write("drop/in/corto.csv", groupedHeading+"Z/1;"+ettore+";Fieramosca\r\n")

	var said bytes.Buffer // errors, summaries, answers
	for range 6 {
		c, err := Open(t.Context(), w.cfg, w.opts)
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.Once(t.Context(), OnceOptions{Until: UntilFinal, Timeout: 2 * time.Second})
		fmt.Fprintf(&said, "%v\n", err)
		summary, _ := json.Marshal(s)
		said.Write(summary)
		w.say(t, c, &said)
		if err := c.Close(); err != nil {
			fmt.Fprintln(&said, err)
		}
	}
	w.note(t, heard)
	c := w.open()
	control := w.serveAndAsk(t, c, heard)

	if got, want := strings.Join(heard.kinds(), ", "), "API key, client assertion, control token, private key, signed address, upload secret, voucher"; got != want {
		t.Fatalf("secrets heard of: %s; want %s", got, want)
	}
	if struck := w.sim.Faults().Fired(); total(struck) < 10 || log.b.Len() < 1000 || said.Len() < 1000 {
		t.Fatalf("too little was said to show anything: %d faults, %d bytes of log, %d of answers", total(struck), log.b.Len(), said.Len())
	}
	for place, text := range map[string]string{"log": log.b.String(), "errors and answers": said.String(), "control answers": control} {
		w.wantNone(t, place, text, heard.secrets)
	}
	w.wantNonePersonal(t, "log", log.b.String())
	w.wantNonePersonal(t, "errors, summaries, status", said.String())
	w.wantNonePersonal(t, "stato.csv", w.read("drop/out/stato.csv"))
	w.searchFiles(t, heard.secrets)
	var export bytes.Buffer
	if err := c.ledger.Export(t.Context(), &export); err != nil || !strings.Contains(export.String(), ettore) {
		t.Fatalf("export: %d bytes, %v", export.Len(), err)
	}
	w.wantNone(t, "ledger export", export.String(), heard.secrets)
}

// say asks for what a person or a supervision asks for.
func (w *world) say(t *testing.T, c *Connector, out io.Writer) {
	t.Helper()
	for _, command := range []string{"status"} {
		if err := c.dispatch(t.Context(), command, []byte("{}"), out); err != nil {
			fmt.Fprintln(out, err)
		}
	}
}

// note tells the ear the secrets that lie on disk.
func (w *world) note(t *testing.T, heard *ear) {
	t.Helper()
	heard.note("API key", w.read("keys/api"))
	block, _ := pem.Decode([]byte(w.read("keys/pdnd.pem")))
	if block == nil {
		t.Fatal("no key")
	}
	for _, line := range strings.Split(strings.TrimSpace(w.read("keys/pdnd.pem")), "\n") {
		if len(line) > 40 && !strings.HasPrefix(line, "-----") {
			heard.note("private key", line)
		}
	}
}

// serveAndAsk runs the control endpoint and asks it, and gives the answers.
func (w *world) serveAndAsk(t *testing.T, c *Connector, heard *ear) string {
	t.Helper()
	ctl, err := c.serveControl(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer ctl.close()
	ep, err := readEndpoint(w.cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	heard.note("control token", ep.Token)
	var out bytes.Buffer
	for command, args := range map[string]any{
		"status": StatusQuery{}, "why": WhyQuery{Name: "B/1"}, "nothing": nil, "release": BatchArgs{Batch: "x"},
	} {
		if err := Ask(context.Background(), w.cfg.Data, command, args, &out); err != nil {
			fmt.Fprintln(&out, err)
		}
	}
	return out.String()
}

func (w *world) wantNone(t *testing.T, place, text string, secrets map[string]string) {
	t.Helper()
	for secret, kind := range secrets {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("%s: a secret (%s): …%.300s…", place, kind, text[max(0, i-150):])
		}
	}
}

func (w *world) wantNonePersonal(t *testing.T, place, text string) {
	t.Helper()
	lower := strings.ToLower(text)
	for _, data := range marked {
		if i := strings.Index(lower, strings.ToLower(data)); i >= 0 {
			t.Errorf("%s: personal data (%s): …%.300s…", place, data, text[max(0, i-150):])
		}
	}
}

// searchFiles looks through everything that was written, names and content.
func (w *world) searchFiles(t *testing.T, secrets map[string]string) {
	t.Helper()
	looked := 0
	err := filepath.WalkDir(w.dir, func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(w.dir, name)
		rel = filepath.ToSlash(rel)
		if err != nil || strings.HasPrefix(rel, "keys") {
			return err
		}
		w.wantNonePersonal(t, "file names", rel)
		if d.IsDir() {
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		looked++
		if filepath.Base(name) == endpointFile {
			return nil // its purpose; only the owner can read it
		}
		w.wantNone(t, rel, string(content), secrets)
		return nil
	})
	if err != nil || looked < 20 {
		t.Errorf("%d files, %v", looked, err)
	}
}
