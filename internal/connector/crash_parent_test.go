package connector

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sendconnector/internal/folder/foldertest/sshtest"
	"sendconnector/internal/ledger"
)

// house is where children live: the judge, the clerks and the folders stay when a
// child dies.
type house struct {
	*world
	control string

	ready     chan int // the pid of a child that stays
	mu        sync.Mutex
	death     string // the kind at which the child that runs is dying
	lived     *lived
	acts      map[string]bool // what the clerks have done
	calm      int             // looks around in a row at which nothing was left to do
	strangers bool            // other processes than those of the mixed batch: no clerks
	dayOff    bool            // a day has passed in which nothing was left to do
}

// crashConfig is the second flow of the mixed batch: a release gate, done files, costs.
const crashConfig = `  mora:
    sender: comune
    profile: costs.yaml
    source: {root: mora, settle: 0s, poll: 100ms, done_file: .ok}
    documents: {deadline: 0s, mode: take}
    release: {mode: file}
`

// Where the flow tari of a house lies.
const (
	onDisk = "local"
	onSFTP = "sftp" // its folder is linked to drop/, so that what looks there looks on the server
)

// newHouse has the mixed batch of all that a drop can ask, ready to be taken.
func newHouse(t testing.TB, where string) *house {
	t.Helper()
	h := &house{acts: map[string]bool{}, ready: make(chan int, 1)}
	var server *sshtest.Server
	if where == onSFTP {
		server = sshtest.Start(t, sshtest.Options{})
	}
	h.world = newStill(t, func(text string) string {
		text = strings.NewReplacer("{keep: 0}", "{keep: 1}",
			"    limits: {", "    progress: {silence: 1h}\n    limits: {").Replace(text) + crashConfig
		if server != nil {
			text = onServer(text, server, server.HostKey)
		}
		return text
	})
	if server != nil {
		h.write("keys/sftp", server.Password)
		if err := os.Symlink(server.Root, filepath.Join(h.dir, "drop")); err != nil {
			t.Fatal(err)
		}
	}
	h.listen()
	h.mixedDrop()
	h.write("drop/in/vuoto.csv", "") // waits until a clerk removes it
	h.write("drop/in/guasto.csv", "questo non e' un elenco\r\n")
	h.write("costs.yaml", strings.Replace(profileText, "  vat: 22\n", "  vat: 22\n  pagopa_mode: ASYNC\n", 1))
	for _, name := range []string{"c1.pdf", "c2.pdf"} {
		h.write("mora/in/"+name, string(pdfOf(name, 1500)))
	}
	h.write("mora/in/c.csv", heading+
		row("C/1", ettore, "Ettore Fieramosca", noticeOf(11), "c1.pdf")+
		row("C/2", galileo, "Galileo Galilei", noticeOf(12), "c2.pdf"))
	h.write("mora/in/c.csv.ok", "")
	return h
}

// listen lets children talk to the parent.
func (h *house) listen() {
	control := httptest.NewServer(http.HandlerFunc(h.hear))
	h.t.Cleanup(control.Close)
	h.control = control.URL
}

// hear is the other end of child.tell.
func (h *house) hear(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var a heard
	var err error
	body := json.NewDecoder(r.Body)
	switch strings.TrimPrefix(r.URL.Path, "/crash/") {
	case "now":
	case "advance":
		var d time.Duration
		err = body.Decode(&d)
		h.sim.Advance(d)
	case "dying":
		err = body.Decode(&h.death)
	case "ready":
		var pid int
		err = body.Decode(&pid)
		h.ready <- pid
	case "lived":
		err = body.Decode(&h.lived)
	case "done":
		var order string
		err = body.Decode(&order)
		h.acts[order] = true
	case "between":
		var closed bool
		err = body.Decode(&closed)
		a = h.between(closed)
	default:
		err = fmt.Errorf("%s?", r.URL.Path)
	}
	if err != nil {
		h.t.Error("control:", err)
	}
	a.Now = h.sim.Now()
	_ = json.NewEncoder(w).Encode(a) // a child that died meanwhile does not listen
}

// between lets the clerks look, and then some time pass.
func (h *house) between(closed bool) (a heard) {
	pause := 90 * time.Minute
	if h.strangers {
		return a
	}
	defer func() { h.sim.Advance(pause) }()
	if h.clerks(&a) {
		pause = 5 * time.Minute
		closed = false
	}
	if !closed {
		h.calm = 0
		return a
	}
	if h.calm++; h.calm < 2 {
		return a
	}
	if !h.dayOff { // so that the daily copies rotate
		h.dayOff, h.calm = true, 0
		h.sim.Advance(25 * time.Hour)
		return a
	}
	a.End = true
	return a
}

// clerks do what people do when they see the outcome files, each thing once, and
// repeat a command that nobody has confirmed. It tells whether something was done or
// is still to come.
func (h *house) clerks(a *heard) (busy bool) {
	first, gated := h.esito("drop/out", "a.csv"), h.esito("mora/out", "c.csv")
	told := func(name, protocol string, outcomes ...string) bool {
		if name == "" {
			return false
		}
		heading, rows := h.table(name)
		return slices.ContainsFunc(rows, func(row []string) bool {
			return row[slices.Index(heading, "ATTO")] == protocol && slices.Contains(outcomes, row[slices.Index(heading, "send_esito")])
		})
	}
	once := func(act string, ready bool, do func()) {
		if h.acts[act] {
			return
		}
		busy = true
		if ready {
			h.acts[act] = true
			do()
		}
	}
	order := func(command string, ready bool) {
		if h.acts[command] {
			return
		}
		busy = true
		if ready {
			a.Orders = append(a.Orders, command)
		}
	}
	once("release", told(gated, "C/1", "SOSPESA"), func() { h.write("mora/in/c.csv.invia", "") })
	once("mend", told(first, "B/3", "SCARTATA") && told(first, "B/1", "ACCETTATA", "CONSEGNA", "PERFEZIONATA") && told(first, "B/7", "RIFIUTATA"), func() { h.mend(first) })
	if told(gated, "C/2", "ANNULLATA") { // the command was obeyed, and died before it said so
		h.acts["cancel C/2"] = true
	}
	order("cancel C/2", told(gated, "C/2", "ACCETTATA", "CONSEGNA", "PERFEZIONATA"))
	order("backup "+filepath.Join(h.dir, "copia.db"), h.acts["mend"])
	return busy
}

// esito is the outcome file of an export, "" if there is none yet.
func (h *house) esito(dir, export string) string {
	found, _ := filepath.Glob(filepath.Join(h.dir, filepath.FromSlash(dir), "*.esito.csv"))
	for _, name := range found {
		if batchID.ReplaceAllString(filepath.Base(name), "<batch>") == strings.TrimSuffix(export, ".csv")+".<batch>.esito.csv" {
			return name
		}
	}
	return ""
}

// mend drops the outcome file again, with the tax code of B/3 put right (rule 12).
func (h *house) mend(outcome string) {
	data, err := os.ReadFile(outcome)
	if err != nil {
		h.t.Error(err)
		return
	}
	if err := os.Remove(filepath.Join(h.dir, "drop", "in", "vuoto.csv")); err != nil {
		h.t.Error(err)
	}
	h.write("tmp/corretto.csv", strings.Replace(string(data), "GLLGLL64B15G702X", galileo, 1))
	if err := os.Rename(filepath.Join(h.dir, "tmp", "corretto.csv"), filepath.Join(h.dir, "drop", "in", "corretto.csv")); err != nil {
		h.t.Error(err)
	}
}

// live runs a child to its death or its natural end, and gives the kind of step at
// which it died, "" if it did not.
func (h *house) live(l life) string {
	h.t.Helper()
	h.mu.Lock() // the last child's words may still be on their way
	h.death, h.lived = "", nil
	h.mu.Unlock()
	cmd, said := h.child("config.yaml", l)
	err := cmd.Run()
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.death != "" && err != nil:
	case h.death == "" && h.lived != nil && err == nil:
	default:
		h.t.Fatalf("the child ended with %v, dying at %q, acts %v\n%s%s", err, h.death, h.acts, said.String(), h.open())
	}
	if os.Getenv("CRASH_LOG") != "" {
		h.t.Logf("%+v died at %q\n%s", l, h.death, said.String())
	}
	return h.death
}

// open tells what is not closed, for a life that did not end.
func (h *house) open() string {
	l, err := ledger.Open(filepath.Join(h.dir, "data", "ledger.db"), ledger.Options{Clock: h.sim.Now, ReadOnly: true})
	if err != nil {
		return err.Error()
	}
	defer l.Close() //nolint:errcheck // only read
	var b strings.Builder
	_ = l.View(context.Background(), func(tx *ledger.Tx) error {
		_ = tx.Batches(func(x *ledger.Batch) bool {
			fmt.Fprintf(&b, "%s %s %s %s %s\n", x.ID, x.File, x.State, x.Release, x.ReleaseWhy)
			return true
		})
		return tx.Open(0, func(n *ledger.Notification) bool {
			if !n.Closed {
				fmt.Fprintf(&b, "%+v\n", n)
			}
			return true
		})
	})
	_ = filepath.WalkDir(h.dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Fprintln(&b, strings.TrimPrefix(name, h.dir))
		}
		return nil
	})
	return b.String()
}

// child makes a child, and what it will have said.
func (h *house) child(config string, l life) (*exec.Cmd, *bytes.Buffer) {
	h.t.Helper()
	l.Config, l.Control = filepath.Join(h.dir, config), h.control
	text, err := json.Marshal(l)
	if err != nil {
		h.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command(self) //nolint:noctx // it ends itself; a hang is the test's time-out
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	said := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = said, said
	return cmd, said
}

// stored are the protocol numbers of the mixed batch that SEND stores, each once.
var stored = []string{"B/1", "B/2", "B/3", "B/6", "B/7", "C/1", "C/2"}

// judged checks, when all children are gone, what they left: in the folders, in the
// ledger's file and at the judge's. Nothing comes from a child's memory.
func (h *house) judged() result {
	h.t.Helper()
	h.onceAtSEND(stored...)
	h.ledgerIsWhole()
	h.dataHoldsNothingElse()
	all := result{outcomes: map[string][]string{}, places: map[string][]string{}}
	for _, root := range []string{"drop", "mora"} {
		r := h.resultOf(root, h.dropped())
		maps.Copy(all.outcomes, r.outcomes)
		for name, at := range r.places {
			for _, place := range at {
				all.places[name] = append(all.places[name], root+"/"+place)
			}
		}
		all.accepted = r.accepted
	}
	return all
}

// dropped are all files that were handed over.
func (h *house) dropped() []string {
	names := []string{
		"a.csv", "b.csv", "b1.pdf", "f1.pdf", "x1.pdf", "b2.pdf", "f2.pdf", "b3.pdf", "b5.pdf", "b6.pdf", "b7.pdf",
		"guasto.csv", "c.csv", "c.csv.ok", "c.csv.invia", "c1.pdf", "c2.pdf", "corretto.csv",
	}
	return names
}
