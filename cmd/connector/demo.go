package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/connector"
	"sendconnector/internal/simulator"
	"sendconnector/samples"
)

type demoCmd struct {
	Dir     string        `default:"./connector-demo" placeholder:"DIR" help:"Folder to work in; a second run there sends nothing twice."`
	Timeout time.Duration `default:"3m" hidden:""`
}

// demoScale makes lives of weeks last about ten seconds.
const demoScale = 1.0 / 200_000

var errDemo = errors.New("the demo did not end as expected")

// demo is one run of the demo.
type demo struct {
	a       *app
	dir     string
	again   bool // the folder has been used before
	sim     *simulator.Simulator
	cfg     *config.Config
	summary connector.Summary
	calls   atomic.Int64
}

// Run shows the whole thing: drops the samples, runs them to their end against the
// built-in SEND, and compares every row of the outbound files with what the samples
// say must come of it.
func (cmd *demoCmd) Run(a *app) error {
	dir, err := filepath.Abs(cmd.Dir)
	if err != nil {
		return err
	}
	d := &demo{a: a, dir: dir}
	started := time.Now()
	if err := d.prepare(); err != nil {
		return err
	}
	if err := d.run(cmd.Timeout); err != nil {
		return err
	}
	wrong, err := d.report()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\n%d API calls, %s\n", d.calls.Load(), time.Since(started).Round(100*time.Millisecond))
	if wrong > 0 {
		return fmt.Errorf("%w: %d rows", errDemo, wrong)
	}
	return nil
}

// prepare makes the platform, the configuration and the drops.
func (d *demo) prepare() error {
	_, err := os.Stat(filepath.Join(d.dir, "config.yaml"))
	d.again = err == nil
	platform := demoPlatform(demoScale)
	platform.Mix = simulator.Mix{} // what the samples expect depends on nothing but them
	d.sim = simulator.New(platform)
	id, err := d.sim.NewIdentity("Comune di Borgo Esempio", simulator.DemoTaxID)
	if err != nil {
		return err
	}
	if err := writeIdentity(filepath.Join(d.dir, "keys"), id); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(d.dir, "config.yaml"), demoConfig(id), 0o600); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(d.dir, "profili"), 0o755); err != nil {
		return err
	}
	for _, s := range samples.Services() {
		if err := d.drop(s); err != nil {
			return err
		}
	}
	d.cfg, err = config.Load(filepath.Join(d.dir, "config.yaml"))
	return err
}

// demoConfig is a configuration like any other, so that every command works on the
// folder afterwards.
func demoConfig(id simulator.Identity) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Written by "connector demo". Try: connector -c THIS_FILE status
version: 1
installation: demo
log: {level: warn}
senders:
  comune:
    tax_id: "%s"
    denomination: %s
    environment: simulator
    api_key: ${file:keys/api-key}
    pdnd: {client_id: %s, purpose_id: %s, key_file: keys/pdnd.pem}
flows:
`, id.Sender.TaxID, id.Sender.Name, id.ClientID, id.PurposeID)
	for _, s := range samples.Services() {
		fmt.Fprintf(&b, "  %s:\n    sender: comune\n", s.Name)
		if s.Profile != "" {
			fmt.Fprintf(&b, "    profile: profili/%s.yaml\n", s.Name)
		}
		fmt.Fprintf(&b, "    source: {root: drop/%s, settle: 500ms, poll: 200ms}\n    documents: {deadline: 0s}\n", s.Name)
	}
	return b.Bytes()
}

// drop puts the files of a service where a program would, and its profile beside the
// configuration.
func (d *demo) drop(s samples.Service) error {
	if err := s.CopyDrop(filepath.Join(d.dir, "drop", s.Name, "in")); err != nil {
		return err
	}
	if s.Profile == "" {
		return nil
	}
	data, err := fs.ReadFile(samples.FS(), s.Profile)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.dir, "profili", s.Name+".yaml"), data, 0o644)
}

// run takes the drops to their end.
func (d *demo) run(timeout time.Duration) error {
	server := serveInside(d.sim)
	defer server.stop()
	line := newProgress(d.a.screen)
	if line.bar == nil {
		d.cfg.Log.Level = "info" // no bar to look at: one line for each step
	}
	log, closeLog := d.a.logger(d.cfg)
	transport := server.transport()
	defer transport.CloseIdleConnections()
	c, err := connector.Open(d.a.ctx, d.cfg, connector.Options{
		Log: log, UserAgent: userAgent(), Transport: transport, Count: func(string, string) { d.calls.Add(1) },
	})
	if err != nil {
		return errors.Join(err, closeLog())
	}
	d.summary, err = c.Once(d.a.ctx, connector.OnceOptions{Until: connector.UntilFinal, Timeout: timeout, Progress: line.show})
	line.end()
	return errors.Join(err, c.Close(), closeLog())
}

// report prints what became of every service and every row that did not end as the
// samples say, and gives their number.
func (d *demo) report() (wrong int, err error) {
	w := tabwriter.NewWriter(d.a.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tFILE\tLINES\tOUTCOMES")
	var mistakes []string
	for _, s := range samples.Services() {
		result, err := d.compare(s)
		if err != nil {
			return 0, err
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", s.Name, s.Export, result.lines, connector.Outcomes(result.outcomes))
		mistakes = append(mistakes, result.mistakes...)
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	for _, m := range mistakes {
		fmt.Fprintln(d.a.stdout, "NOT AS EXPECTED:", m)
	}
	sent := len(d.sim.Accepted())
	for _, double := range d.sim.Duplicates() {
		mistakes = append(mistakes, fmt.Sprintf("notified twice: %s", double.Protocol))
	}
	fmt.Fprintf(d.a.stdout, "\nnotifications stored by SEND in this run: %d", sent)
	if d.again {
		fmt.Fprint(d.a.stdout, " (the folder had been used before: what was known was not sent again)")
		if sent > 0 {
			mistakes = append(mistakes, "a second run sent something")
		}
	}
	fmt.Fprintf(d.a.stdout, `

Look at
  %s
      *.esito.csv     your rows, and beside them what became of each
      stato.csv       what a clerk looks at when nothing seems to happen
      documenti/      every document with legal value, with its index
      aggiornamenti/  what changed, for programs
  %s
      the exports and their documents as they came
`, filepath.Join(d.dir, "drop", "*", "out"), filepath.Join(d.dir, "drop", "*", "archive"))
	return len(mistakes), nil
}
