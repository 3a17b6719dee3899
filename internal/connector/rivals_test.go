package connector

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

// asRead are the columns that a repeated row has as they were when it was read.
var asRead = []string{"send_stato", "send_stato_il", "send_perfezionata_il", "send_costo_cent", "send_costo_definitivo", "send_documenti"}

// columns gives an outcome file without what tells when we looked.
func (w *world) columns(pattern string) []string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, filepath.FromSlash(pattern)))
	if err != nil || len(found) != 1 {
		w.t.Fatalf("%s: %v %v", pattern, found, err)
	}
	heading, rows := w.table(found[0])
	var all []string
	for _, row := range rows {
		for i, name := range heading {
			repeated := row[slices.Index(heading, "send_esito")] == string(ledger.GiaPresente)
			if name != "send_aggiornata_il" && !(repeated && slices.Contains(asRead, name)) {
				all = append(all, name+"="+row[i])
			}
		}
	}
	return all
}

// sameCells compares outcome files with what they were, column by column.
func (w *world) sameCells(before map[string][]string) {
	w.t.Helper()
	for pattern, want := range before {
		got := w.columns(pattern)
		if len(got) != len(want) {
			w.t.Errorf("%s: %d cells, were %d", pattern, len(got), len(want))
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				w.t.Errorf("%s: %s, was %s", pattern, got[i], want[i])
			}
		}
	}
}

// Damage: after a rebuilding a row that had been rejected counts as the notification
// that its corrected row became, and the clerk reads that the correction was not sent.
func TestRebuiltRejectedRowStaysRejected(t *testing.T) {
	right := groupedRow("E/1", galileo, "Galileo Galilei", noticeOf(1), "e1.pdf", "", "")
	for name, wrong := range map[string]string{
		"province":                    strings.Replace(right, ";MI;", ";;", 1),
		"zip":                         strings.Replace(right, ";20123;", ";;", 1),
		"zip, outcome dropped again":  strings.Replace(right, ";20123;", ";;", 1),
		"street too, in another case": strings.Replace(strings.Replace(right, ";MI;", ";;", 1), "ROMA", "VERDI", 1),
		"document":                    right,
		"document of another content": right,
		"first the right one":         "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStill(t)
			drop := func(file, text string) {
				w.write("drop/in/"+file, text)
				w.sim.Advance(2 * time.Second)
			}
			batches, want := 2, "SCARTATA"
			if wrong == "" { // only a wrong row that comes later, of a number that is taken
				batches, wrong, want = 3, strings.Replace(right, ";MI;", ";;", 1), "GIA_PRESENTE"
				w.write("drop/in/e1.pdf", string(pdfOf("e1.pdf", 1500)))
				drop("prima.csv", groupedHeading+right)
				w.untilClosed(1)
			}
			if !strings.HasPrefix(name, "document") {
				w.write("drop/in/e1.pdf", string(pdfOf("e1.pdf", 1500)))
			} else if name != "document" {
				w.write("drop/in/e1.pdf", "no pdf")
			}
			drop("errata.csv", groupedHeading+wrong)
			w.untilClosed(batches - 1)
			w.write("drop/in/e1.pdf", string(pdfOf("e1.pdf", 1500)))
			if strings.Contains(name, "dropped again") {
				text := w.read("drop/out/errata.*.esito.csv")
				drop("giusta.csv", strings.Replace(text, "VIA ROMA 1;;", "VIA ROMA 1;20123;", 1))
			} else {
				drop("giusta.csv", groupedHeading+right)
			}
			w.untilClosed(batches)
			before := map[string][]string{"drop/out/errata.*.esito.csv": nil, "drop/out/giusta.*.esito.csv": nil}
			if batches == 3 {
				before["drop/out/prima.*.esito.csv"] = nil
			}
			for pattern := range before {
				before[pattern] = w.columns(pattern)
			}
			if got := w.outcomes("drop/out/errata.*.esito.csv")["E/1"]; !strings.HasPrefix(got, want) {
				t.Fatalf("errata: %s", got)
			}
			w.loseData()
			found := 1
			if name == "zip" { // dies between the two, and knows all the same what the first left
				w.rebuildKilledAt("ingest.archived:after")
			} else if batches == 3 {
				w.rebuildKilledAt("ingest.archived:after")
				found = 0 // the first run found it
			}
			if r := w.rebuild(); r.Found != found || r.Unknown != 0 {
				t.Errorf("%+v", r)
			}
			w.untilClosed(batches)
			w.sameCells(before)
			w.onceAtSEND("E/1")
		})
	}
}

// rebuildKilledAt dies at the first of a step.
func (w *world) rebuildKilledAt(step string) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k := &killer{at: step, nth: 1, cancel: cancel}
	opts := w.opts
	opts.Step, opts.Transport = k.Step, k
	if _, err := Rebuild(ctx, w.cfg, opts, RebuildOptions{}); err == nil || !k.died() {
		w.t.Fatalf("not killed: %v", err)
	}
}

// Damage: the same where a backup from before both batches is restored.
func TestRestoredRejectedRowStaysRejected(t *testing.T) {
	t.Parallel()
	w := newStill(t)
	copied := filepath.Join(w.dir, "copy.db")
	w.do(func(c *Connector) error {
		_, err := c.LedgerBackup(context.Background(), BackupArgs{File: copied})
		return err
	})
	right := groupedRow("E/1", galileo, "Galileo Galilei", noticeOf(1), "e1.pdf", "", "")
	before := map[string][]string{}
	for n, text := range []string{strings.Replace(right, ";MI;", ";;", 1), right} {
		name := []string{"errata", "giusta"}[n]
		w.write("drop/in/e1.pdf", string(pdfOf("e1.pdf", 1500)))
		w.write("drop/in/"+name+".csv", groupedHeading+text)
		w.sim.Advance(2 * time.Second)
		w.untilClosed(n + 1)
		before["drop/out/"+name+".*.esito.csv"] = nil
	}
	for pattern := range before {
		before[pattern] = w.columns(pattern)
	}
	if err := os.Rename(copied, filepath.Join(w.dir, "data", "ledger.db")); err != nil {
		t.Fatal(err)
	}
	w.untilClosed(2)
	w.sameCells(before)
	w.onceAtSEND("E/1")
}

// Damage: of two sound requests with one number the discarded one passes for what was
// sent, and the clerk reads that the other one's address was not.
func TestRebuiltSoundRowThatWasNotSent(t *testing.T) {
	t.Parallel()
	w := newStill(t, func(text string) string {
		return strings.Replace(text, "    profile:", "    release: {mode: command}\n    profile:", 1)
	})
	right := groupedRow("E/1", galileo, "Galileo Galilei", noticeOf(1), "e1.pdf", "", "")
	for _, file := range []string{"prima.csv", "giusta.csv"} {
		text := right
		if file == "prima.csv" {
			text = strings.Replace(right, "ROMA", "VERDI", 1)
		}
		w.write("drop/in/e1.pdf", string(pdfOf("e1.pdf", 1500)))
		w.write("drop/in/"+file, groupedHeading+text)
		w.sim.Advance(2 * time.Second)
		if err := w.pass(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		w.do(func(c *Connector) error {
			s, err := c.Status(context.Background(), StatusQuery{})
			if err != nil {
				return err
			}
			at := slices.IndexFunc(s.Batches, func(b BatchStatus) bool { return b.File == file })
			act := c.Release
			if file == "prima.csv" {
				act = c.Discard
			}
			_, err = act(context.Background(), BatchArgs{Batch: s.Batches[at].ID})
			return err
		})
	}
	w.untilClosed(2)
	before := map[string][]string{"drop/out/giusta.*.esito.csv": w.columns("drop/out/giusta.*.esito.csv")}
	w.loseData()
	if r := w.rebuild(); r.Found != 1 || r.Unknown != 0 {
		t.Errorf("%+v", r)
	}
	w.untilClosed(2)
	w.sameCells(before)
	if got := w.outcomes("drop/out/prima.*.esito.csv")["E/1"]; got != "SCARTATA C-PROTOCOL-REUSED" {
		t.Errorf("the discarded one: %s", got)
	}
	w.onceAtSEND("E/1")
}
