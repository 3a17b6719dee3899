package connector

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Two installations watch one folder by mistake, each with a ledger of its own: each
// export belongs to whoever renamed it, and a file that comes twice is found at SEND
// by the other one.
func TestTwoInstallationsOneFolder(t *testing.T) {
	w := newStill(t, ownOutbox("out-a"))
	h := &house{world: w, acts: map[string]bool{}, strangers: true}
	h.listen()
	other := *w
	text := w.read("config.yaml")
	text = strings.NewReplacer("installation: prova", "installation: altra\ndata: data-b", "out-a", "out-b").Replace(text)
	other.configure("altra.yaml", text)
	both := []*world{w, &other}
	var protocols []string
	for round := range 3 {
		for i := range 6 {
			p := fmt.Sprintf("T%d/%d", i, round)
			protocols = append(protocols, p)
			act := fmt.Sprintf("t%d-%d.pdf", i, round)
			w.write("drop/in/"+act, string(pdfOf(act, 1500)))
			w.write(fmt.Sprintf("drop/in/t%d-%d.csv", i, round), groupedHeading+groupedRow(p, ettore, "Ettore Fieramosca", noticeOf(100*round+i), act, "", ""))
		}
		h.raceOnce("config.yaml", "altra.yaml")
	}
	for i := range 6 { // all again, to whoever comes first
		act := fmt.Sprintf("t%d-0.pdf", i)
		w.write("drop/in/"+act, string(pdfOf(act, 1500)))
		w.write(fmt.Sprintf("drop/in/t%d-0.csv", i), groupedHeading+groupedRow(fmt.Sprintf("T%d/0", i), ettore, "Ettore Fieramosca", noticeOf(i), act, "", ""))
	}
	h.raceOnce("config.yaml", "altra.yaml")
	for _, x := range both {
		x.untilClosed(0)
	}
	w.onceAtSEND(protocols...)
	outcomes := map[string]int{}
	for _, dir := range []string{"out-a", "out-b"} {
		found, _ := filepath.Glob(filepath.Join(w.dir, "drop", dir, "*.esito.csv"))
		for _, name := range found {
			for row, outcome := range w.outcomes("drop/" + dir + "/" + filepath.Base(name)) {
				if outcome != "PERFEZIONATA" && outcome != "GIA_PRESENTE" {
					t.Errorf("%s in %s: %s", row, filepath.Base(name), outcome)
				}
				outcomes[row]++
			}
		}
	}
	for _, p := range protocols {
		want := 1
		if strings.HasSuffix(p, "/0") {
			want = 2 // dropped twice
		}
		if outcomes[p] != want {
			t.Errorf("%s has %d outcomes, want %d", p, outcomes[p], want)
		}
	}
}

// raceOnce lets two processes pass at the same time.
func (h *house) raceOnce(configs ...string) {
	h.t.Helper()
	var all []*exec.Cmd
	for _, config := range configs {
		cmd, said := h.child(config, life{Passes: 2})
		if err := cmd.Start(); err != nil {
			h.t.Fatal(err)
		}
		all = append(all, cmd)
		defer func() {
			if h.t.Failed() {
				h.t.Log(said.String())
			}
		}()
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			h.t.Error(err)
		}
	}
}

// stays starts a service that stays, and gives it with its pid once it can be reached.
func (h *house) stays() (*exec.Cmd, int) {
	h.t.Helper()
	cmd, said := h.child("config.yaml", life{Stays: true})
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	gone := make(chan error, 1)
	ended := make(chan struct{})
	go func() { defer close(ended); gone <- cmd.Wait() }()
	h.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be dead
		<-ended
	})
	select {
	case pid := <-h.ready:
		return cmd, pid
	case err := <-gone:
		h.t.Fatalf("the service ended: %v\n%s", err, said.String())
		return nil, 0
	}
}

// A scheduled pass beside a service, or a second service, would do everything twice.
// The second process is told who holds the ledger, whatever a file of an earlier
// holder says, and does nothing; commands reach the first one; and when that one is
// killed the ledger is free at once.
func TestOneLedgerOneProcess(t *testing.T) {
	h := newHouse(t, onDisk)
	h.write("data/ledger.db.owner", `{"pid":1,"host":"altrove","since":"2020-01-01T00:00:00Z"}`) // of one who died long ago
	h.write("data/ledger.db.generation", "0\n")
	service, pid := h.stays()
	_, err := Open(t.Context(), h.cfg, h.opts)
	busy, ok := errors.AsType[*ExitError](err)
	if !ok || busy.Exit != ExitBusy || busy.Code != "C-LEDGER-BUSY" {
		t.Fatalf("a second process: %v, want exit code %d", err, ExitBusy)
	}
	host, _ := os.Hostname()
	for _, want := range []string{fmt.Sprintf("process %d ", pid), host, "since 2026-"} {
		if !strings.Contains(busy.Message, want) {
			t.Errorf("%q does not say %q", busy.Message, want)
		}
	}
	var status Status
	if err := Do(t.Context(), h.cfg, h.opts, "status", StatusQuery{}, &status); err != nil || len(status.Flows) != 2 {
		t.Errorf("status of the service: %+v, %v", status, err)
	}
	var done Done
	if err := Do(t.Context(), h.cfg, h.opts, "hold", HoldArgs{Flow: "tari"}, &done); err != nil {
		t.Error("hold: ", err)
	}
	h.write("data/ledger.db.owner", `{"pid":1,"host":"altrove","since":"2020-01-01T00:00:00Z"}`) // a lie opens nothing
	if _, err := Open(t.Context(), h.cfg, h.opts); Exit(err) != ExitBusy {
		t.Errorf("with a lying owner file: %v", err)
	}
	if err := service.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The lock goes with the process: as soon as it has ended, and that is awaited by
	// Open itself.
	c, err := Open(t.Context(), h.cfg, h.opts)
	if err != nil {
		t.Fatal("after the holder was killed: ", err)
	}
	holds, err := c.holdsNow(t.Context())
	if err = errors.Join(err, c.Close()); err != nil || len(holds) == 0 {
		t.Errorf("the command to the killed service is lost: %v, %v", holds, err)
	}
	if err := Do(t.Context(), h.cfg, h.opts, "resume", ResumeArgs{Flow: "tari"}, &done); err != nil {
		t.Error("resume without a service: ", err)
	}
	if at := h.live(life{}); at != "" {
		t.Fatal(at)
	}
	h.judged()
}
