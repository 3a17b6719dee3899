package connector

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// archiveMonth is the part of an archive's path that tells when the drop was taken.
var archiveMonth = regexp.MustCompile(`archive/\d{4}/\d{2}/`)

var batchID = regexp.MustCompile(`\d{8}T\d{6}-[0-9a-f]{8}(-\d+)?`)

// result is what must be the same however often the process died.
type result struct {
	outcomes map[string][]string // by export: the lines of its newest outcome file
	places   map[string][]string // by file dropped: the folders where it lies now
	accepted []string
}

func (w *world) result(files []string) result {
	w.t.Helper()
	r := w.resultOf("drop", files)
	w.spoolIsEmpty()
	return r
}

// resultOf checks one flow's folders.
func (w *world) resultOf(root string, files []string) result {
	w.t.Helper()
	r := result{outcomes: map[string][]string{}, places: map[string][]string{}}
	found, err := filepath.Glob(filepath.Join(w.dir, root, "out", "*.esito.csv"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range found {
		export := batchID.ReplaceAllString(filepath.Base(name), "<batch>")
		if r.outcomes[export] != nil {
			w.t.Errorf("two outcome files %s", export)
		}
		r.outcomes[export] = w.outcomeLines(name)
	}
	w.updatesTellTheOutcomeIn(root, found)
	w.documentsAreIndexedIn(root)
	r.places = w.placesIn(root, files)
	for name, at := range r.places {
		// Each batch archives its own copy (rule 26); a row found to be known has no
		// need of one.
		r.places[name] = slices.Compact(at)
	}
	for _, a := range w.sim.Accepted() {
		r.accepted = append(r.accepted, a.Protocol)
	}
	slices.Sort(r.accepted)
	return r
}

// updatesTellTheOutcome checks the files for programs: numbered without a gap, and
// the last word on every row and recipient is what its outcome file says. What was
// rejected is said once, what is known never (rules 11 and 28).
func (w *world) updatesTellTheOutcome(outcomes []string) {
	w.t.Helper()
	w.updatesTellTheOutcomeIn("drop", outcomes)
}

func (w *world) updatesTellTheOutcomeIn(root string, outcomes []string) {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, root, "out", "aggiornamenti", "*.csv"))
	if err != nil {
		w.t.Fatal(err)
	}
	last, said := map[string]string{}, map[string]int{}
	for i, name := range found {
		if want := fmt.Sprintf("%08d.csv", i+1); filepath.Base(name) != want {
			w.t.Errorf("update file %s where %s should be", filepath.Base(name), want)
		}
		heading, rows := w.table(name)
		for _, row := range rows {
			key, outcome := lineKey(heading, row)
			if outcome == string(ledger.GiaPresente) {
				w.t.Errorf("%s: told to be known", key)
			}
			last[key] = outcome
			said[saidKey(heading, row)]++
		}
	}
	for _, name := range outcomes {
		heading, rows := w.table(name)
		for _, row := range rows {
			key, outcome := lineKey(heading, row)
			switch {
			case outcome == string(ledger.GiaPresente):
			case last[key] != outcome:
				w.t.Errorf("the last update of %s is %q, its outcome %s", key, last[key], outcome)
			case outcome == string(ledger.Scartata) && said[saidKey(heading, row)] != 1:
				w.t.Errorf("%s rejected %d times", key, said[saidKey(heading, row)])
			}
		}
	}
}

// saidKey tells what was said of a row: one that was superseded is told once more,
// with its successor.
func saidKey(heading, row []string) string {
	key, outcome := lineKey(heading, row)
	return strings.Join([]string{key, outcome, row[slices.Index(heading, "send_messaggio")], row[slices.Index(heading, "send_avvisi")]}, " ")
}

// lineKey is batch, row and recipient of a line, and its outcome.
func lineKey(heading, row []string) (key, outcome string) {
	cell := func(name string) string { return row[slices.Index(heading, name)] }
	return cell("send_lotto") + "/" + cell("send_riga") + "/" + cell("send_destinatario"), cell("send_esito")
}

// documentsAreIndexed checks that every proof lies where the index says, with the hash
// that it says, and that there is no other (promise 5).
func (w *world) documentsAreIndexed() {
	w.t.Helper()
	w.documentsAreIndexedIn("drop")
}

func (w *world) documentsAreIndexedIn(flow string) {
	w.t.Helper()
	root := filepath.Join(w.dir, flow, "out", "documenti")
	listed := map[string]bool{}
	indexes, err := filepath.Glob(filepath.Join(root, "*", "indice.csv"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, index := range indexes {
		heading, rows := w.table(index)
		for _, row := range rows {
			name := filepath.Join(filepath.Dir(index), filepath.FromSlash(row[slices.Index(heading, "file")]))
			data, err := os.ReadFile(name)
			if err != nil {
				w.t.Error("indexed, but not there: ", err)
			}
			if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != row[slices.Index(heading, "sha256")] {
				w.t.Errorf("%s: not the bytes that the index lists", filepath.Base(name))
			}
			if listed[name] {
				w.t.Errorf("%s is listed twice", filepath.Base(name))
			}
			listed[name] = true
		}
	}
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "indice.csv" && !listed[name] {
			w.t.Errorf("not in an index: %s", d.Name())
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
}

// timely are columns that tell when, or under which name at SEND: other in every run.
var timely = []string{"send_ambiente", "send_id_richiesta", "send_iun", "send_stato", "send_stato_il", "send_perfezionata_il", "send_aggiornata_il", "send_messaggio"}

// ofLife are columns that tell how far a notification had come when it was cancelled.
var ofLife = map[string]bool{"send_costo_cent": true, "send_costo_definitivo": true, "send_documenti": true}

// table reads a file that we published.
func (w *world) table(name string) (heading []string, rows [][]string) {
	w.t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		w.t.Fatal(err)
	}
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff")))
	reader.Comma = ';'
	all, err := reader.ReadAll()
	if err != nil || len(all) == 0 {
		w.t.Fatalf("%s: %v", name, err)
	}
	return all[0], all[1:]
}

func (w *world) outcomeLines(name string) []string {
	w.t.Helper()
	heading, rows := w.table(name)
	var lines []string
	seen := map[string]bool{}
	for _, row := range rows {
		key := row[slices.Index(heading, "send_riga")] + "/" + row[slices.Index(heading, "send_destinatario")]
		if seen[key] {
			w.t.Errorf("%s: two outcomes of row and recipient %s", filepath.Base(name), key)
		}
		seen[key] = true
		var cells []string
		for i, h := range heading {
			known := row[slices.Index(heading, "send_esito")] == string(ledger.GiaPresente)                // a snapshot at reading time
			cancelled := row[slices.Index(heading, "send_esito")] == string(ledger.Annullata) && ofLife[h] // as far as it had come
			if !slices.Contains(timely, h) && !cancelled && (!known || !strings.HasPrefix(h, "send_") || h == "send_esito" || h == "send_riga") {
				cells = append(cells, batchID.ReplaceAllString(row[i], "<batch>"))
			}
		}
		lines = append(lines, strings.Join(cells, ";"))
	}
	return lines
}

// places tells where the files dropped lie, with the folders' batch names blanked,
// and complains about leftovers anywhere.
func (w *world) places(files []string) map[string][]string {
	w.t.Helper()
	defer w.spoolIsEmpty()
	return w.placesIn("drop", files)
}

func (w *world) placesIn(flow string, files []string) map[string][]string {
	w.t.Helper()
	found := map[string][]string{}
	root, err := filepath.EvalSymlinks(filepath.Join(w.dir, flow))
	if err != nil {
		w.t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		base := path.Base(rel)
		if slices.Contains(files, base) && !strings.HasPrefix(rel, "out/") {
			found[base] = append(found[base], batchID.ReplaceAllString(archiveMonth.ReplaceAllString(path.Dir(rel), "archive/<month>/"), "<batch>"))
			return nil
		}
		if folder.Temporary(base) && base != ".manifest.json" && base != ".sequenza" {
			w.t.Errorf("left over: %s", rel)
		}
		if strings.HasPrefix(rel, "work/") {
			w.t.Errorf("left in work: %s", rel)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// spoolIsEmpty is so when nothing can be sent or placed any more.
func (w *world) spoolIsEmpty() {
	w.t.Helper()
	for _, dir := range []string{"data/spool", "data/tmp"} {
		left, err := os.ReadDir(filepath.Join(w.dir, dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.t.Fatal(err)
		}
		for _, e := range left {
			w.t.Errorf("left in %s: %s", dir, e.Name())
		}
	}
}

// onceAtSEND is the promise: at most one live notification for each business key, and
// no request stored twice.
func (w *world) onceAtSEND(want ...string) {
	w.t.Helper()
	if d := w.sim.Duplicates(); len(d) > 0 {
		w.t.Errorf("notified twice: %v", d)
	}
	stored := map[string]int{}
	for _, a := range w.sim.Accepted() {
		stored[a.Protocol]++
	}
	for _, p := range want {
		if stored[p] != 1 {
			w.t.Errorf("%s stored %d times at SEND, want once; refused in all: %v", p, stored[p], w.sim.Refused())
		}
		delete(stored, p)
	}
	if len(stored) > 0 {
		w.t.Errorf("stored at SEND, but never to be sent: %v", stored)
	}
}
