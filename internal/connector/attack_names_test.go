package connector

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// outcomeCells gives the cells of the one outcome file that matches, by column name.
func (w *world) outcomeCells(pattern string) []map[string]string {
	w.t.Helper()
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.read(pattern), "\ufeff")))
	r.Comma = ';'
	all, err := r.ReadAll()
	if err != nil || len(all) == 0 {
		w.t.Fatal(err)
	}
	var rows []map[string]string
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// Damage prevented: a name in an export sends a file of the machine, of another office
// or of another row to a citizen. Every such row is rejected alone, naming row, column
// and remedy; sound rows go; nothing outside the drop is read, moved or archived.
func TestHostileDocumentNames(t *testing.T) {
	w := newStill(t)
	secret := filepath.Join(w.dir, "segreto.pdf")
	w.write("segreto.pdf", string(pdfOf("segreto", 1500)))
	w.write("drop/archive/2025/01/altri/atto.pdf", string(pdfOf("altri", 1500)))
	w.write("drop/in/buono.pdf", string(pdfOf("buono", 1500)))
	names := []string{
		"../../segreto.pdf", "../archive/2025/01/altri/atto.pdf", secret, `C:\segreto.pdf`, `C:segreto.pdf`, `\\srv\x\a.pdf`, "//srv/x/a.pdf",
		`\\?\C:\segreto.pdf`, `..\..\segreto.pdf`, `sotto\..\..\..\segreto.pdf`, "CON", "NUL.pdf", "COM1", "lpt9.pdf", "aux.", "buono.pdf.",
		"a.pdf:flusso", "buono.pdf::$DATA", "sotto/../../segreto.pdf", "a?.pdf", "a|b.pdf", "CONIN$", "%00.pdf/../../../segreto.pdf",
	}
	links := map[string]string{"legame.pdf": secret, "cartella": w.dir, "dentro.pdf": "../archive/2025/01/altri/atto.pdf", "dentro": "../archive/2025"}
	for link, target := range links {
		if err := os.Symlink(target, filepath.Join(w.dir, "drop", "in", link)); err != nil {
			t.Logf("no links here: %v", err) // Windows without the right to make them
			links = nil
			break
		}
	}
	if links != nil {
		names = append(names, "legame.pdf", "cartella/segreto.pdf", "dentro.pdf", "dentro/01/altri/atto.pdf")
	}
	text := groupedHeading + groupedRow("N/0", ettore, "Ettore Fieramosca", noticeOf(0), "buono.pdf", "", "")
	for i, name := range names {
		text += groupedRow(fmt.Sprintf("N/%d", i+1), ettore, "Ettore Fieramosca", noticeOf(i+1), name, "", "")
	}
	w.write("drop/in/nomi.csv", text)
	w.untilClosed(1)
	w.onceAtSEND("N/0")
	if n := len(w.sim.Accepted()); n != 1 {
		t.Errorf("%d notifications at SEND, want 1", n)
	}
	rows := w.outcomeCells("drop/out/nomi.*.esito.csv")
	if len(rows) != len(names)+1 {
		t.Fatalf("%d rows, want %d", len(rows), len(names)+1)
	}
	codes := []string{"C-FILE-PATH", "C-DOCUMENT-OUTSIDE", "C-DOCUMENT-MISSING"}
	for i, name := range names {
		row := rows[i+1]
		if row["send_esito"] != "SCARTATA" || !slices.Contains(codes, row["send_codice"]) || row["send_campo"] != "PDF" || row["send_messaggio"] == "" || row["send_riga"] != fmt.Sprint(i+3) {
			t.Errorf("%q: %v %v in %v: %v", name, row["send_esito"], row["send_codice"], row["send_campo"], row["send_messaggio"])
		}
		if got := row["PDF"]; got != name {
			t.Errorf("the outcome shows %q for %q", got, name)
		}
	}
	for _, left := range []string{"segreto.pdf", "drop/archive/2025/01/altri/atto.pdf"} {
		if _, err := os.Stat(filepath.Join(w.dir, left)); err != nil {
			t.Error(err)
		}
	}
	// Nothing but the sound row's document and the export is in the archive.
	var archived []string
	err := filepath.WalkDir(filepath.Join(w.dir, "drop", "archive", "2026"), func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			archived = append(archived, d.Name())
		}
		return err
	})
	if err != nil || !slices.Equal(archived, []string{".manifest.json", "buono.pdf", "nomi.csv"}) {
		t.Errorf("archived %v %v", archived, err)
	}
}

// Damage prevented: the same file under two spellings is thought missing, or one of
// two files that a person cannot tell apart is sent at random. The name that stands
// there exactly is the one that is meant.
func TestNamesInOtherForms(t *testing.T) {
	w := newStill(t)
	const nfc, nfd = "citt\u00e0.pdf", "citta\u0300.pdf"
	w.write("drop/in/"+nfd, string(pdfOf("nfd", 1500)))
	w.write("drop/in/Atto.PDF", string(pdfOf("case", 1500)))
	text := groupedHeading +
		groupedRow("F/1", ettore, "Ettore Fieramosca", noticeOf(1), nfc, "", "") +
		groupedRow("F/2", ettore, "Ettore Fieramosca", noticeOf(2), "atto.pdf", "", "")
	want := []string{"F/1", "F/2"}
	w.write("drop/in/due.pdf", string(pdfOf("due", 1500)))
	if _, err := os.Stat(filepath.Join(w.dir, "drop/in/DUE.pdf")); err != nil { // a file system that tells case
		w.write("drop/in/DUE.pdf", string(pdfOf("DUE", 1500)))
		text += groupedRow("F/3", ettore, "Ettore Fieramosca", noticeOf(3), "due.pdf", "", "") +
			groupedRow("F/4", ettore, "Ettore Fieramosca", noticeOf(4), "DUE.pdf", "", "") +
			groupedRow("F/5", ettore, "Ettore Fieramosca", noticeOf(5), "Due.pdf", "", "")
		want = append(want, "F/3", "F/4")
	}
	w.write("drop/in/forme.csv", text)
	w.untilClosed(1)
	w.onceAtSEND(want...)
	rows := w.outcomeCells("drop/out/forme.*.esito.csv")
	if len(rows) == 5 && (rows[4]["send_esito"] != "SCARTATA" || rows[4]["send_codice"] != "C-DOCUMENT-AMBIGUOUS") {
		t.Errorf("either of two files: %v %v", rows[4]["send_esito"], rows[4]["send_codice"])
	}
	if len(rows) == 5 {
		documents := map[string]string{}
		for _, n := range w.sim.Accepted() {
			documents[n.Protocol] = n.Documents[0]
		}
		if documents["F/3"] == documents["F/4"] {
			t.Error("two files that differ in case only were sent as one")
		}
	}
}
