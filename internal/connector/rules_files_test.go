package connector

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A clerk opens the export in Excel, saves it and drops it again. Whatever Excel did
// to it, nothing goes twice, no row passes for another, and where digits are lost the
// message says what to do (rules 1, 8 and 12).
func TestRule12ExportSavedInExcel(t *testing.T) {
	rome := func(r string) string { return strings.NewReplacer("20123", "00184", "MILANO;MI", "ROMA;RM").Replace(r) }
	rows := []string{
		rome(alone("2026/00012", ettore, 1)),
		rome(strings.Replace(alone("0000345", galileo, 2), "Galileo Galilei", "Niccolò D’Aragona", 1)),
	}
	original := groupedHeading + strings.Join(rows, "")
	known := map[string]string{"2026/00012": "GIA_PRESENTE", "0000345": "GIA_PRESENTE"}
	for name, x := range map[string]struct {
		text string
		want map[string]string // nil: SCARTATA, all of them
		word string            // what every message must say
	}{
		"mark":             {"\ufeff" + original, known, ""},
		"windows-1252":     {excelSaves(original, false), known, ""},
		"trailing columns": {strings.ReplaceAll(original, "\r\n", ";;;\r\n"), known, ""},
		"quotes":           {quoted(original), known, ""},
		"empty rows":       {original + strings.Repeat(";", 13) + "\r\n" + strings.Repeat(";", 13) + "\r\n", known, ""},
		"numbers eaten":    {excelSaves(original, true), nil, "Dati > Da testo/CSV"},
		"zeros lost":       {strings.NewReplacer("0000345", "345", "2026/00012", "2026/12").Replace(original), nil, "lotto"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStill(t)
			w.deposit("a.csv", rows...)
			w.steps(2)
			w.write("drop/in/b.csv", x.text)
			w.steps(2)
			w.onceAtSEND("2026/00012", "0000345")
			if rejected, _ := filepath.Glob(filepath.Join(w.dir, "drop/rejected/*/*.motivo.txt")); len(rejected) > 0 {
				t.Fatal(w.read("drop/rejected/*/*.motivo.txt"))
			}
			if x.want != nil {
				w.wantOutcomes("drop/out/b.*.esito.csv", x.want)
				return
			}
			got := w.outcomes("drop/out/b.*.esito.csv")
			for p, outcome := range got {
				if !strings.HasPrefix(outcome, "SCARTATA ") {
					t.Errorf("%s is %q", p, outcome)
				}
				w.wantMentions("drop/out/b.*.esito.csv", p, x.word)
			}
			if len(got) != len(rows) {
				t.Errorf("%d rows have an outcome", len(got))
			}
		})
	}
}

func quoted(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimRight(line, "\r\n"), ";")
		for i := range cells {
			cells[i] = `"` + cells[i] + `"`
		}
		b.WriteString(strings.Join(cells, ";") + "\r\n")
	}
	return b.String()
}

// Two exports name one annex: the first must not take it away from the second, and
// each archive holds what its batch sent (rule 26).
func TestRule26OneAnnexForTwoExports(t *testing.T) {
	w := newStill(t)
	row := func(protocol string, n int) string {
		return groupedRow(protocol, ettore, "Ettore Fieramosca", noticeOf(n), fmt.Sprintf("act-%d.pdf", n), "", "informativa.pdf")
	}
	w.deposit("a.csv", row("A/1", 1))
	w.deposit("b.csv", row("B/1", 2))
	w.lives(2)
	w.onceAtSEND("A/1", "B/1")
	for _, batch := range []string{"a", "b"} {
		export, err := filepath.Glob(filepath.Join(w.dir, "drop/archive/*/*/*", batch+".csv"))
		if err != nil || len(export) != 1 {
			t.Fatal(export, err)
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(export[0]), "informativa.pdf")); err != nil {
			t.Errorf("%s.csv was archived without its annex", batch)
		}
	}
}

// Documents come after their export, over a slow line: the export waits for them, and
// at its deadline the sound rows go and the others are told, not sent without (rule 27).
func TestRule27DocumentsThatComeLate(t *testing.T) {
	w := newStill(t, func(s string) string {
		return strings.Replace(s, "documents: {deadline: 0s}", "documents: {deadline: 2h}", 1)
	})
	rows := []string{alone("A/1", ettore, 1), alone("A/2", galileo, 2), alone("A/3", ettore, 3)}
	w.deposit("a.csv", rows...)
	late := []string{"act-2.pdf", "act-3.pdf"}
	for _, name := range late {
		if err := os.Remove(filepath.Join(w.dir, "drop/in", name)); err != nil {
			t.Fatal(err)
		}
	}
	w.steps(2)
	w.onceAtSEND()
	if status := w.read("drop/out/stato.csv"); !strings.Contains(status, "a.csv") || !strings.Contains(status, "act-2.pdf") {
		t.Errorf("stato.csv does not say what is missing:\n%s", status)
	}
	w.write("drop/in/act-2.pdf", string(pdfOf("act-2.pdf", 1500)))
	w.sim.Advance(3 * time.Hour)
	w.steps(2)
	w.lives(2)
	w.onceAtSEND("A/1", "A/2")
	w.wantOutcomes("drop/out/a.*.esito.csv", map[string]string{
		"A/1": "PERFEZIONATA", "A/2": "PERFEZIONATA", "A/3": "SCARTATA C-DOCUMENT-MISSING",
	})
	w.deposit("b.csv", rows...) // with the document now: that row alone goes
	w.lives(2)
	w.onceAtSEND("A/1", "A/2", "A/3")
	w.wantOutcomes("drop/out/b.*.esito.csv", map[string]string{"A/1": "GIA_PRESENTE", "A/2": "GIA_PRESENTE", "A/3": "PERFEZIONATA"})
}

// The program that reads the updates takes each file away when it is done: what comes
// next has the next number, and nothing comes again under another (rule 28).
func TestRule28UpdatesTakenAway(t *testing.T) {
	w := newStill(t)
	seen := map[string]string{}
	told := map[string]int{}
	for round, p := range []string{"A/1", "A/2", "A/3"} {
		w.deposit(fmt.Sprintf("r%d.csv", round), alone(p, ettore, round+1))
		w.steps(2)
		w.lives(2)
		found, err := filepath.Glob(filepath.Join(w.dir, "drop/out/aggiornamenti/*.csv"))
		if err != nil || len(found) == 0 {
			t.Fatal(found, err)
		}
		for _, name := range found {
			if seen[filepath.Base(name)] != "" {
				t.Errorf("%s came again", filepath.Base(name))
			}
			seen[filepath.Base(name)] = w.read("drop/out/aggiornamenti/" + filepath.Base(name))
			heading, rows := w.table(name)
			for _, row := range rows {
				if row[slices.Index(heading, "send_esito")] == "PERFEZIONATA" {
					told[row[slices.Index(heading, "send_protocollo")]]++
				}
			}
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := range len(seen) {
		if seen[fmt.Sprintf("%08d.csv", n+1)] == "" {
			t.Errorf("there never was a number %d among %d", n+1, len(seen))
		}
	}
	for _, p := range []string{"A/1", "A/2", "A/3"} {
		if told[p] == 0 {
			t.Errorf("no update says that %s has taken effect", p)
		}
	}
}

// Protocol numbers become names of folders: none may leave the outbox, hide another's
// proofs, or be a name that Windows refuses (rule 29).
func TestRule29ProtocolNumbersAsFolders(t *testing.T) {
	w := newStill(t)
	protocols := []string{"../../fuori", "CON", `A\1`, "A:2", "A|3", "A*3", "è 4", strings.Repeat("lungo", 50)[:200]}
	var rows []string
	for i, p := range protocols {
		rows = append(rows, alone(p, []string{ettore, galileo}[i%2], i+1))
	}
	w.deposit("a.csv", rows...)
	w.steps(2)
	w.lives(2)
	w.onceAtSEND(protocols...)
	folders, err := filepath.Glob(filepath.Join(w.dir, "drop/out/documenti/*/*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) != len(protocols)+1 { // the index beside them
		t.Errorf("%d notifications have the folders %v", len(protocols), folders)
	}
	w.documentsAreIndexed()
	w.places(nil)
}
