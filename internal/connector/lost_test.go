package connector

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func (w *world) loseData() {
	w.t.Helper()
	if err := os.RemoveAll(filepath.Join(w.dir, "data")); err != nil {
		w.t.Fatal(err)
	}
}

// The ledger is lost in the middle of a lot, and the clerk drops the same file again:
// what SEND has is found by its frozen token and followed, the rest goes (rules 2, 14
// to 16).
func TestRule16LedgerLostInTheMiddle(t *testing.T) {
	for _, at := range []string{"submit.preload:after", "submit.create:before", "submit.create:after", "progress.events:after"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w := newStill(t)
			protocols := w.lot(20)
			w.killOnce(at, map[bool]int{true: 9, false: 1}[strings.Contains(at, "create")])
			w.loseData()
			w.lot(20)
			w.untilClosed(1)
			w.onceAtSEND(protocols...)
			newest := w.newestOutcome()
			w.wantOutcomes(newest, finalLot(protocols))
		})
	}
}

// newestOutcome is the outcome file of the batch that was taken last.
func (w *world) newestOutcome() string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "drop/out/*.esito.csv"))
	if err != nil || len(found) == 0 {
		w.t.Fatal("no outcome file ", err)
	}
	slices.SortFunc(found, func(a, b string) int { return strings.Compare(batchID.FindString(a), batchID.FindString(b)) })
	return "drop/out/" + filepath.Base(found[len(found)-1])
}

// The same, with every PDF made anew by the program: SEND has the old bytes, so they
// are what was notified; sending the new ones would notify twice (rule 14).
func TestRule14LedgerLostAndDocumentsMadeAnew(t *testing.T) {
	w := newStill(t)
	protocols := w.lot(12)
	w.untilClosed(1)
	w.loseData()
	w.lot(12)
	for i := range 12 {
		act := fmt.Sprintf("l%03d.pdf", i+1)
		w.write("drop/in/"+act, string(pdfOf(act+" again", 1700)))
	}
	w.untilClosed(1)
	w.onceAtSEND(protocols...)
	w.wantOutcomes(w.newestOutcome(), finalLot(protocols))
}

// The ledger is lost after a refusal was mended by a second attempt. Whatever is
// dropped then, the second attempt stays the only one that lives, and the first row,
// which SEND refused, never passes for done.
func TestRule16LedgerLostAfterSecondAttempt(t *testing.T) {
	refused := groupedRow("R/1", galileo, "Galileo Galilei", noticeOf(refusedNotice), "r1.pdf", "", "")
	mended := groupedRow("R/1", galileo, "Galileo Galilei", noticeOf(1), "r1.pdf", "", "")
	drop := func(w *world, row string) {
		w.write("drop/in/r1.pdf", string(pdfOf("r1.pdf", 1500)))
		w.write("drop/in/r.csv", groupedHeading+row)
		w.sim.Advance(2 * time.Second)
	}
	for name, again := range map[string]struct{ row, outcome string }{
		"mended":  {mended, "PERFEZIONATA"},
		"refused": {refused, "RIFIUTATA C-PROTOCOL-REUSED"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newStill(t)
			drop(w, refused)
			w.untilClosed(1)
			drop(w, mended)
			w.untilClosed(2)
			w.wantOutcomes(w.newestOutcome(), map[string]string{"R/1": "PERFEZIONATA"})
			w.loseData()
			drop(w, again.row)
			w.untilClosed(1)
			if got := w.sim.Accepted(); len(got) != 2 || len(w.sim.Duplicates()) > 0 {
				t.Errorf("%d requests stored, want the refused and the mended one: %+v", len(got), got)
			}
			w.wantOutcomes(w.newestOutcome(), map[string]string{"R/1": again.outcome})
		})
	}
}

func ownOutbox(dir string) func(string) string {
	return func(text string) string {
		return strings.Replace(text, "    sender: comune\n", "    sender: comune\n    outbox: fuori\n", 1) +
			"outboxes:\n  fuori: {path: drop/" + dir + "}\n"
	}
}

// excelSaves is what Excel in Italian makes of a CSV that was opened by a double click
// and saved: windows-1252 without mark, leading zeros gone, and every long number
// turned into powers of ten unless somebody formatted the column as text.
func excelSaves(text string, numbers bool) string {
	text = strings.TrimPrefix(text, "\ufeff")
	var out bytes.Buffer
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimRight(line, "\r\n"), ";")
		for i, c := range cells {
			if _, err := strconv.ParseUint(c, 10, 64); err == nil && numbers {
				if len(c) > 11 {
					cells[i] = c[:1] + "," + c[1:3] + "E+" + strconv.Itoa(len(c)-1)
				} else {
					cells[i] = strings.TrimLeft(c[:len(c)-1], "0") + c[len(c)-1:]
				}
			}
		}
		out.WriteString(strings.Join(cells, ";") + "\r\n")
	}
	latin := make([]byte, 0, out.Len())
	for _, r := range out.String() {
		switch {
		case r < 256:
			latin = append(latin, byte(r))
		case r == '’':
			latin = append(latin, 0x92)
		default:
			latin = append(latin, '?')
		}
	}
	return string(latin)
}

// The clerk corrects a row in the outcome file, saves it in Excel and drops it: the
// corrected row goes, the others are known, none goes twice. Where Excel has eaten
// the digits of the notices nothing goes, and no row passes for something else.
func TestRule12OutcomeFileDroppedAgainFromExcel(t *testing.T) {
	for _, numbers := range []bool{false, true} {
		t.Run(fmt.Sprint("numbers eaten=", numbers), func(t *testing.T) {
			w := newStill(t)
			w.write("drop/in/e1.pdf", string(pdfOf("e1", 1500)))
			w.write("drop/in/e2.pdf", string(pdfOf("e2", 1500)))
			w.write("drop/in/e3.pdf", string(pdfOf("e3", 1500)))
			w.write("drop/in/e.csv", groupedHeading+
				groupedRow("E/1", ettore, "Niccolò dell'Abate", noticeOf(1), "e1.pdf", "", "")+
				groupedRow("E/2", "GLLGLL64B15G702X", "Galileo Galilei", noticeOf(2), "e2.pdf", "", "")+
				groupedRow("E/3", ettore, "Niccolò dell'Abate", noticeOf(3), "e3.pdf", "", "")+
				groupedRow("E/3", galileo, "Galileo Galilei", noticeOf(4), "e3.pdf", "", ""))
			w.untilClosed(1)
			text := w.read("drop/out/e.*.esito.csv")
			heading, _, _ := strings.Cut(strings.TrimPrefix(text, "\ufeff"), "\r\n")
			column := slices.Index(strings.Split(heading, ";"), "CF")
			lines := strings.Split(text, "\r\n")
			cells := strings.Split(lines[2], ";")
			cells[column] = galileo
			lines[2] = strings.Join(cells, ";")
			w.sim.Advance(2 * time.Second)
			w.write("drop/in/e.corretto.esito.csv", excelSaves(strings.Join(lines, "\r\n"), numbers))
			w.untilClosed(2)
			got := w.outcomes("drop/out/e.corretto*.esito.csv")
			if !numbers {
				w.onceAtSEND("E/1", "E/2", "E/3")
				if want := map[string]string{"E/1": "GIA_PRESENTE", "E/2": "PERFEZIONATA", "E/3": "GIA_PRESENTE"}; !maps.Equal(got, want) {
					t.Errorf("outcomes %v, want %v", got, want)
				}
				return
			}
			w.onceAtSEND("E/1", "E/3")
			for protocol, outcome := range got {
				if !strings.HasPrefix(outcome, "SCARTATA ") {
					t.Errorf("%s: %s", protocol, outcome)
				}
			}
		})
	}
}

// A register that begins anew in January gives last year's number to another act. It
// must not pass for the old notification, and the clerk must read what differs (rule
// 8).
func TestRule08RegisterRestartsInJanuary(t *testing.T) {
	w := newStill(t)
	w.write("drop/in/g1.pdf", string(pdfOf("anno 2026", 1500)))
	w.write("drop/in/g.csv", groupedHeading+groupedRow("1", ettore, "Ettore Fieramosca", noticeOf(1), "g1.pdf", "", ""))
	w.untilClosed(1)
	w.sim.Advance(300 * 24 * time.Hour)
	for name, row := range map[string]string{
		"citizen": groupedRow("1", galileo, "Galileo Galilei", noticeOf(1), "g1.pdf", "", ""),
		"notice":  groupedRow("1", ettore, "Ettore Fieramosca", noticeOf(2), "g1.pdf", "", ""),
		"subject": strings.Replace(groupedRow("1", ettore, "Ettore Fieramosca", noticeOf(1), "g1.pdf", "", ""), "Avviso TARI", "Avviso TARI 2027", 1),
	} {
		w.write("drop/in/g1.pdf", string(pdfOf("anno 2027", 1500)))
		w.write("drop/in/g-"+name+".csv", groupedHeading+row)
		w.sim.Advance(time.Minute)
		if err := w.pass(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		text := w.read("drop/out/g-" + name + ".*.esito.csv")
		difference := map[string]string{"citizen": galileo, "notice": noticeOf(2), "subject": "Avviso TARI 2027"}[name]
		_, message, _ := strings.Cut(text, "C-KNOWN-DIFFERENT")
		if !strings.Contains(text, "SCARTATA;C-KNOWN-DIFFERENT") || !strings.Contains(message, difference) {
			t.Errorf("%s: not told what differs:\n%s", name, text)
		}
	}
	w.onceAtSEND("1")
}
