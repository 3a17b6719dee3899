package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"codeberg.org/go-pdf/fpdf"
	"github.com/rogpeppe/go-internal/testscript"

	"sendconnector/internal/simulator"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"connector": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
			stop()
			os.Exit(code)
		},
	})
}

// The commands, each as a person or a scheduler calls it. A script begins with the
// damage it prevents.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sim":  startSimulator,
			"deny": denyKey,
			"pdf":  writePDFs,
			"exit": execExit,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[simKey{}] = new(*simulator.Simulator)
			return nil
		},
	})
}

type simKey struct{}

// startSimulator ("sim") starts a SEND whose lives last seconds and writes
// config.yaml with its body and the flow tari; arguments are lines to add below the
// flow.
func startSimulator(ts *testscript.TestScript, _ bool, args []string) {
	sim := simulator.New(demoPlatform(0.000002))
	server := httptest.NewServer(sim)
	ts.Defer(server.Close)
	*ts.Value(simKey{}).(**simulator.Simulator) = sim
	id, err := sim.NewIdentity("Comune di Borgo Esempio", simulator.DemoTaxID)
	ts.Check(err)
	ts.Check(writeIdentity(ts.MkAbs("keys"), id))
	config := fmt.Sprintf(`version: 1
installation: prova
log: {level: error}
senders:
  comune:
    tax_id: "%s"
    denomination: %s
    environment: simulator
    base_url: %s
    api_key: ${file:keys/api-key}
    pdnd: {client_id: %s, purpose_id: %s, key_file: keys/pdnd.pem, token_url: "%s/token.oauth2"}
flows:
  tari:
    sender: comune
    profile: profile.yaml
    source: {root: drop, settle: 0s, poll: 100ms}
    documents: {deadline: 0s}
`, id.Sender.TaxID, id.Sender.Name, server.URL, id.ClientID, id.PurposeID, server.URL)
	for _, line := range args {
		config += "    " + line + "\n"
	}
	ts.Check(os.WriteFile(ts.MkAbs("config.yaml"), []byte(config), 0o600))
}

// denyKey ("deny") makes SEND answer 403 to everything.
func denyKey(ts *testscript.TestScript, _ bool, _ []string) {
	(*ts.Value(simKey{}).(**simulator.Simulator)).Faults().Add(simulator.Fault{Operation: "*", Kind: simulator.FaultStatus, Status: 403})
}

// writePDFs ("pdf a.pdf …") writes small real PDFs.
func writePDFs(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		doc := fpdf.New("P", "mm", "A4", "")
		doc.SetFont("Helvetica", "", 12)
		doc.AddPage()
		doc.Cell(0, 10, "Avviso "+filepath.Base(name))
		path := ts.MkAbs(name)
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
		ts.Check(doc.OutputFileAndClose(path))
	}
}

// execExit ("exit 3 connector …") runs a command and wants that exit code.
func execExit(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	want := "exit status " + args[0]
	if args[0] == "0" && err == nil {
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		ts.Fatalf("%s: %v, want %s", strings.Join(args[1:], " "), err, want)
	}
}
