package connector

import (
	"context"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"sendconnector/internal/ledger"
)

// ledgerIsWhole opens the ledger that the dead left, checks it as `ledger check` does,
// and compares every cell of every outcome file with it.
func (h *house) ledgerIsWhole() {
	h.t.Helper()
	l, err := ledger.Open(filepath.Join(h.dir, "data", "ledger.db"), ledger.Options{Clock: h.sim.Now, ReadOnly: true})
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			h.t.Error(err)
		}
	}()
	for _, p := range l.Verify() {
		h.t.Error("ledger:", p)
	}
	err = l.View(context.Background(), func(tx *ledger.Tx) error {
		return tx.Batches(func(b *ledger.Batch) bool {
			if b.State == ledger.Unreadable {
				return true
			}
			full, err := tx.Batch(b.ID)
			if err == nil {
				err = h.outcomeIs(tx, full)
			}
			if err != nil {
				h.t.Error(err)
			}
			return true
		})
	})
	if err != nil {
		h.t.Error(err)
	}
	if err := ledger.CheckFile(filepath.Join(h.dir, "copia.db")); err != nil {
		h.t.Error("the copy:", err)
	}
}

// outcomeIs compares the outcome file of a batch with what the ledger says of it now.
func (h *house) outcomeIs(tx *ledger.Tx, b *ledger.Batch) error {
	dir := map[string]string{"tari": "drop/out", "mora": "mora/out"}[b.Flow]
	found, err := filepath.Glob(filepath.Join(h.dir, filepath.FromSlash(dir), "*."+b.ID+".esito.csv"))
	if err != nil || len(found) != 1 {
		h.t.Errorf("outcome files of %s: %v %v", b.ID, found, err)
		return err
	}
	heading, got := h.table(found[0])
	var want [][]string
	var failed error
	err = tx.Rows(b.ID, func(r *ledger.Row) bool {
		lines, err := tx.Lines(r)
		failed = err
		for i := range lines {
			want = append(want, append(slices.Clone(r.Cells), cellsOf(&lines[i])...))
		}
		return err == nil
	})
	if len(got) != len(want) {
		h.t.Errorf("%s has %d lines, the ledger %d", filepath.Base(found[0]), len(got), len(want))
		return err
	}
	for i := range want {
		for k := range heading {
			if got[i][k] != want[i][k] {
				h.t.Errorf("%s line %d, %s: %q, in the ledger %q", filepath.Base(found[0]), i+1, heading[k], got[i][k], want[i][k])
			}
		}
	}
	if err != nil {
		return err
	}
	return failed
}

// cellsOf writes a line as interface.md says that it is written.
func cellsOf(l *ledger.Line) []string {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic(err)
	}
	at := func(t time.Time, layout string) string {
		if t.IsZero() {
			return ""
		}
		return t.In(rome).Format(layout)
	}
	const instant = "2006-01-02T15:04:05-07:00"
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	cent := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	yes := func(b, say bool) string {
		switch {
		case !say:
			return ""
		case b:
			return "si"
		}
		return "no"
	}
	documents := ""
	if l.Got+l.Expected > 0 {
		documents = strconv.Itoa(l.Got) + "/" + strconv.Itoa(l.Expected)
	}
	return []string{
		number(l.Row), string(l.Outcome), l.Code, l.Field, l.Message, l.Warnings, l.Environment, l.Batch,
		l.Protocol, number(l.Attempt), l.RequestID, l.IUN, l.Status, at(l.StatusAt, instant),
		number(l.Recipient + 1), at(l.PerfectedAt, "2006-01-02"), yes(l.Unreachable, l.Recipient >= 0 && l.Outcome != ledger.Scartata),
		cent(l.CostCent), yes(l.CostFinal, l.CostCent != nil), cent(l.RefusalCent), documents, at(l.UpdatedAt, instant),
	}
}

// dataFile are the files that a data folder holds when everything is done. How to
// reach a service that was killed stays until the next service; nobody answers there.
var dataFile = regexp.MustCompile(`^(ledger\.db|ledger\.db\.generation|backups/ledger-\w+\.db|control\.(json|sock))$`)

// dataHoldsNothingElse finds what the dead left behind in the data folder.
func (h *house) dataHoldsNothingElse() {
	h.t.Helper()
	root := filepath.Join(h.dir, "data")
	copies := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if !dataFile.MatchString(rel) {
			h.t.Errorf("left in the data folder: %s", rel)
		}
		if filepath.Dir(rel) == "backups" {
			copies++
		}
		return nil
	})
	// One that died before it removed the older copy leaves that to the next copy.
	if err != nil || copies < 1 || copies > 2 {
		h.t.Errorf("%d daily copies kept, want 1 or, after a death, 2; %v", copies, err)
	}
	h.spoolIsEmpty()
}
