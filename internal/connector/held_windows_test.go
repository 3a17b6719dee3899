package connector

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/ledger"
)

// newDrive is newStill as Windows has it: a configuration and a profile with CRLF,
// folders with a drive letter and back-slashes.
func newDrive(t *testing.T, folders string) *world {
	t.Helper()
	w := newStill(t)
	root := filepath.Join(w.dir, folders)
	if !strings.HasPrefix(root[1:], `:\`) {
		t.Fatalf("%s has no drive letter", root)
	}
	crlf := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	w.write("profile.yaml", crlf(groupedProfile))
	w.configure("config.yaml", crlf(strings.Replace(w.read("config.yaml"), "root: drop", "root: '"+root+"'", 1)))
	return w
}

// Programs of Windows write back-slashes into their exports, drive letters into the
// configuration and CRLF everywhere, and do not care about case: a drop that is whole
// must not wait for documents that lie there, and names of devices must do no harm.
func TestWindowsDrop(t *testing.T) {
	w := newDrive(t, "drop")
	w.write("drop/in/pdf/avviso.pdf", string(pdfOf("avviso", 1500)))
	w.write("drop/in/pdf/Secondo.PDF", string(pdfOf("secondo", 1500)))
	w.write("drop/in/w.csv", groupedHeading+
		groupedRow("W/1", ettore, "Ettore Fieramosca", noticeOf(1), `pdf\avviso.pdf`, "", "")+
		groupedRow("W/2", galileo, "Galileo Galilei", noticeOf(2), `PDF\secondo.pdf`, "", "")+
		groupedRow("W/3", ettore, "Ettore Fieramosca", noticeOf(3), `NUL.pdf`, "", "")+
		groupedRow("W/4", ettore, "Ettore Fieramosca", noticeOf(4), `C:\Windows\win.ini`, "", "")+
		groupedRow("CON", galileo, "Galileo Galilei", noticeOf(5), `.\pdf\avviso.pdf`, "", ""))
	w.untilClosed(1)
	w.onceAtSEND("W/1", "W/2", "CON")
	w.wantOutcomes("drop/out/w.*.esito.csv", map[string]string{
		"W/1": "PERFEZIONATA", "W/2": "PERFEZIONATA", "CON": "PERFEZIONATA",
		"W/3": "SCARTATA C-FILE-PATH", "W/4": "SCARTATA C-FILE-PATH",
	})
	w.result([]string{"w.csv", "avviso.pdf", "Secondo.PDF"})
}

// A clerk has the outcome file and stato.csv open in Excel for an afternoon: the work
// goes on, the news lies beside, and takes its place once Excel is closed, the newest
// and no older one.
func TestOutcomeHeldOpen(t *testing.T) {
	w := newDrive(t, "drop")
	w.write("drop/in/h.pdf", string(pdfOf("h", 1500)))
	w.write("drop/in/h.csv", groupedHeading+groupedRow("H/1", ettore, "Ettore Fieramosca", noticeOf(1), "h.pdf", "", ""))
	w.steps(1)
	found, err := filepath.Glob(filepath.Join(w.dir, "drop", "out", "h.*.esito.csv"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	old := w.read("drop/out/h.*.esito.csv")
	release, releaseStatus := foldertest.Hold(t, found[0]), foldertest.Hold(t, filepath.Join(w.dir, "drop", "out", "stato.csv"))
	for range 6 {
		w.lives(1)
		if beside, _ := filepath.Glob(filepath.Join(w.dir, "drop", "out", "h.*.nuovo.csv")); len(beside) == 1 &&
			strings.Contains(w.read("drop/out/h.*.nuovo.csv"), string(ledger.Perfezionata)) {
			break
		}
	}
	if got := w.read("drop/out/h.*.esito.csv"); got != old {
		t.Error("the held file changed")
	}
	if got := w.read("drop/out/h.*.esito.nuovo.csv"); !strings.Contains(got, string(ledger.Perfezionata)) {
		t.Errorf("beside the held file:\n%s", got)
	}
	if got := w.read("drop/out/stato.nuovo.csv"); !strings.Contains(got, "(connettore)") {
		t.Errorf("beside stato.csv:\n%s", got)
	}
	w.onceAtSEND("H/1")
	release()
	releaseStatus()
	w.lives(1)
	w.wantOutcomes("drop/out/h.*.esito.csv", map[string]string{"H/1": string(ledger.Perfezionata)})
	w.read("drop/out/stato*.csv") // one file, none beside
	w.result([]string{"h.csv", "h.pdf"})
}

// An export that is still open in the program that writes it is not taken, a document
// that somebody reads is sent and removed later, and a file of a claimed batch that a
// scanner holds when it is to be archived keeps the batch, not the others. None of it
// sends anything twice.
func TestDropHeldOpen(t *testing.T) {
	w := newDrive(t, "drop")
	at := func(name string) string { return filepath.Join(w.dir, "drop", filepath.FromSlash(name)) }
	w.write("drop/in/e.pdf", string(pdfOf("e", 1500)))
	w.write("drop/in/e.csv", groupedHeading+groupedRow("E/1", ettore, "Ettore Fieramosca", noticeOf(1), "e.pdf", "", ""))
	export := foldertest.Hold(t, at("in/e.csv"))
	w.steps(2)
	if len(w.sim.Accepted()) > 0 {
		t.Error("an export that is being written was sent")
	}
	if got := w.read("drop/out/stato.csv"); !strings.Contains(got, "e.csv") {
		t.Errorf("stato.csv does not name the file that waits:\n%s", got)
	}
	export()
	document := foldertest.Hold(t, at("in/e.pdf"))
	w.steps(3)
	w.onceAtSEND("E/1")
	document()
	w.steps(2)
	if _, err := os.Stat(at("in/e.pdf")); err == nil {
		t.Error("the document still lies in the drop")
	}

	w.write("drop/in/f.pdf", string(pdfOf("f", 1500)))
	w.write("drop/in/f.csv", groupedHeading+groupedRow("F/1", galileo, "Galileo Galilei", noticeOf(2), "f.pdf", "", ""))
	w.killOnce("ingest.archive:before", 1)
	found, err := filepath.Glob(at("work/*/f.csv"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	scanner := foldertest.Hold(t, found[0])
	w.write("drop/in/g.pdf", string(pdfOf("g", 1500)))
	w.write("drop/in/g.csv", groupedHeading+groupedRow("G/1", ettore, "Ettore Fieramosca", noticeOf(3), "g.pdf", "", ""))
	for range 3 {
		_ = w.pass(context.Background(), nil) // the batch that is held may be told as a failure
		w.sim.Advance(2 * time.Minute)
	}
	w.onceAtSEND("E/1", "F/1", "G/1")
	scanner()
	w.untilClosed(3)
	w.onceAtSEND("E/1", "F/1", "G/1")
	w.result([]string{"e.csv", "e.pdf", "f.csv", "f.pdf", "g.csv", "g.pdf"})
}

// Windows ends names at 260 characters for programs that do not ask for more: a drop
// deep in a share must work as any other.
func TestDeepDrop(t *testing.T) {
	deep := strings.Repeat(`ufficio tributi del comune di borgo esempio\`, 6) + "drop"
	w := newDrive(t, deep)
	under := filepath.ToSlash(deep)
	w.write(under+"/in/d.pdf", string(pdfOf("d", 1500)))
	w.write(under+"/in/d.csv", groupedHeading+groupedRow("D/1", ettore, "Ettore Fieramosca", noticeOf(1), "d.pdf", "", ""))
	w.untilClosed(1)
	w.onceAtSEND("D/1")
	w.wantOutcomes(under+"/out/d.*.esito.csv", map[string]string{"D/1": string(ledger.Perfezionata)})
}
