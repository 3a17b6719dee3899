package connector

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

// A name or a path at the limit of the system must not lose a document, a row or a
// file: what is made from a name (a batch's folder, an outcome file, a reason) finds
// its place, or the clerk is told to choose a shorter one, and the file stays.
func TestNamesAtTheLimitOfTheSystem(t *testing.T) {
	deep := strings.Repeat(strings.Repeat("ufficio tributi ", 14)+"/", 12)
	w := newStill(t, func(text string) string {
		return strings.Replace(text, "root: drop", "root: \""+deep+"drop\"", 1)
	})
	const most = 255
	act := strings.Repeat("avviso di accertamento ", 11)[:most-4] + ".pdf"
	inside := strings.Repeat("è", 100) + "/" + strings.Repeat("à", (most-4)/2) + ".pdf"
	export := strings.Repeat("elenco ", 40)[:most-4] + ".csv"
	broken := strings.Repeat("guasto ", 40)[:most-4] + ".csv"
	fits := strings.Repeat("elenco ", 40)[:150] + ".csv"

	in := deep + "drop/in/"
	w.write(in+act, string(pdfOf("act", 1500)))
	w.write(in+inside, string(pdfOf("inside", 1500)))
	w.write(in+export, groupedHeading+groupedRow("L/1", ettore, "Ettore Fieramosca", noticeOf(1), act, "", ""))
	w.write(in+broken, "questo non e' un elenco\r\n")
	w.write(in+fits, groupedHeading+
		groupedRow("L/1", ettore, "Ettore Fieramosca", noticeOf(1), act, "", "")+
		groupedRow("L/2", galileo, "Galileo Galilei", noticeOf(2), inside, "", ""))
	w.untilClosed(1)
	w.onceAtSEND("L/1", "L/2")

	outcomes, err := filepath.Glob(filepath.Join(w.dir, deep, "drop", "out", "*.esito.csv"))
	if err != nil || len(outcomes) != 1 {
		t.Fatalf("%v %v", outcomes, err)
	}
	for path, want := range map[string]bool{in + export: true, in + broken: true, in + fits: false} {
		if _, err := os.Lstat(filepath.Join(w.dir, path)); (err == nil) != want {
			t.Errorf("%s: stays %v, want %v", filepath.Base(path), err == nil, want)
		}
	}
	status := w.read(deep + "drop/out/stato.csv")
	if n := strings.Count(status, "rinominarlo"); n != 2 {
		t.Errorf("%d files whose name is told, want 2:\n%s", n, status)
	}
}

// A clerk who tidies up removes in/ with all that lies in it, or a program sets a
// file's time years ahead: neither may stop the flow, nor keep a file for ever.
func TestDropRemovedAndTimesAhead(t *testing.T) {
	w := newStill(t, func(text string) string { return strings.Replace(text, "settle: 0s", "settle: 30s", 1) })
	drop := func(name, protocol string, notice int) {
		w.write("drop/in/"+name+".pdf", string(pdfOf(name, 1500)))
		w.write("drop/in/"+name+".csv", groupedHeading+groupedRow(protocol, ettore, "Ettore Fieramosca", noticeOf(notice), name+".pdf", "", ""))
		ahead := w.sim.Now().AddDate(12, 0, 0)
		for _, ext := range []string{".pdf", ".csv"} {
			if err := os.Chtimes(filepath.Join(w.dir, "drop", "in", name+ext), ahead, ahead); err != nil {
				t.Fatal(err)
			}
		}
	}
	c, err := Open(context.Background(), w.cfg, w.opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	steps := func() (s Summary) {
		for range 3 {
			var err error
			if s, err = c.Once(context.Background(), OnceOptions{}); err != nil {
				t.Fatal(err)
			}
			w.sim.Advance(time.Minute)
		}
		return s
	}
	drop("a", "F/1", 1)
	steps()
	w.onceAtSEND("F/1")
	if err := os.RemoveAll(filepath.Join(w.dir, "drop", "in")); err != nil {
		t.Fatal(err)
	}
	steps()
	drop("b", "F/2", 2)
	w.sim.Advance(20 * time.Minute)
	if s := steps(); s.Exit != ExitOK {
		t.Errorf("exit %d: %+v", s.Exit, s)
	}
	w.onceAtSEND("F/1", "F/2")
	for range 60 {
		steps()
		w.sim.Advance(6 * time.Hour)
	}
	for _, name := range []string{"a", "b"} {
		w.wantOutcomes("drop/out/"+name+".*.esito.csv", map[string]string{map[string]string{"a": "F/1", "b": "F/2"}[name]: string(ledger.Perfezionata)})
	}
}
