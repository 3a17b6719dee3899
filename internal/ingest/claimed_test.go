package ingest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

// Damage prevented: a document that is replaced between the claim and its private
// copy is read half written, or its row is sent without it.
func TestRule25DocumentChangedAfterTheClaim(t *testing.T) {
	for _, vanished := range []bool{false, true} {
		r := newRig(t)
		r.drop("in/a.csv", "p\nP1;a.pdf\nP2;b.pdf\n")
		r.drop("in/a.pdf", "atto")
		r.drop("in/b.pdf", "atto b")
		r.pass(0)
		r.step = func(name string) error {
			if name == StepClaim+After {
				if vanished {
					return os.Remove(r.path("in/a.pdf"))
				}
				r.drop("in/a.pdf", "atto nuovo, ancora in copia")
			}
			return nil
		}
		report := r.pass(10 * time.Second)
		r.step = nil
		if vanished {
			r.wantVerdicts(r.one().ID, "2 P1 REJECTED C-DOCUMENT-MISSING", "3 P2 LINKED")
			continue
		}
		if len(report.Waiting) != 1 || report.Waiting[0].Code != "C-DOCUMENTS-SETTLING" || report.Waiting[0].Batch == "" || report.Settling != 1 {
			t.Errorf("report %+v", report)
		}
		r.restart() // a new process counts from its own first sight
		r.pass(5 * time.Second)
		if len(r.batches()) != 0 {
			t.Error("read before the document had settled")
		}
		r.pass(10 * time.Second)
		b := r.one()
		r.wantVerdicts(b.ID, "2 P1 LINKED", "3 P2 LINKED")
		text, err := os.ReadFile(r.path(b.Archive + "/a.pdf"))
		if err != nil || string(text) != "atto nuovo, ancora in copia" {
			t.Errorf("archived %q, %v", text, err)
		}
	}
}

// Damage prevented: an export that is put back overwrites another of the same name
// that was dropped meanwhile.
func TestRule25PutBackNeverOverwrites(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	r.step = func(name string) error {
		if name != StepClaim+After {
			return nil
		}
		found, err := filepath.Glob(r.path("work/*/a.csv"))
		if err != nil || len(found) != 1 {
			t.Errorf("claimed %v, %v", found, err)
		}
		for _, f := range found {
			if err := os.WriteFile(f, []byte("p\nP1;\nP2;\n"), 0o600); err != nil {
				return err
			}
		}
		r.drop("in/a.csv", "p\nP3;\n")
		return nil
	}
	r.pass(10 * time.Second)
	r.step = nil
	if got := r.files(); len(got) != 2 || got[1] != "in/a.csv" {
		t.Errorf("files %q", got)
	}
	r.settled()
	var rows []string
	for _, b := range r.batches() {
		rows = append(rows, r.verdicts(b.ID)...)
	}
	slices.Sort(rows)
	if !slices.Equal(rows, []string{"2 P1 LINKED", "2 P3 LINKED", "3 P2 LINKED"}) {
		t.Errorf("rows %q", rows)
	}
}

// Damage prevented: the copies of a document are freed with their own batch while a
// notification of another batch still has to send them.
func TestRule24CopiesOfAnotherBatchInUse(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;a.pdf\n")
	r.drop("in/a.pdf", "atto")
	r.settled()
	first := r.one()
	r.drop("in/b.csv", "p\n")
	r.settled()
	second := r.batches()[1]
	// P1 now sends what lies among the copies of the second batch.
	err := r.ledger.Update(context.Background(), func(tx *ledger.Tx) error {
		n, err := tx.ByKey(ledger.Key{Environment: testEnv, SenderTaxID: testSender, Protocol: "P1"})
		if err != nil {
			return err
		}
		n.Documents[0].Spool = spoolName(second.ID, 1, "a.pdf")
		return tx.PutNotification(n)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.ingest.FreeSpool(context.Background()); n != 0 || err != nil {
		t.Errorf("freed %d, %v", n, err)
	}
	if got := r.ingest.Waiting(r.flow.Name); len(got) != 0 {
		t.Errorf("waiting %+v", got)
	}
	if len(first.Spool) != 2 {
		t.Errorf("spool %+v", first.Spool)
	}
}
