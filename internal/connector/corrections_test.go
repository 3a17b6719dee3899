package connector

import (
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

// A correction by SEND takes an outcome back, also of a notification that was closed:
// a municipality must not count on a date that no longer holds.
func TestCorrectionTakesTheOutcomeBack(t *testing.T) {
	w := gapWorld(t)
	w.dropFor("drop", "C/1", 1)
	w.passes(2*time.Hour, 30*time.Minute)
	w.passes(30*24*time.Hour, 48*time.Hour)
	const file = "drop/out/C-1.*.esito.csv"
	w.wantOutcomes(file, map[string]string{"C/1": string(ledger.Perfezionata)})
	if !w.sim.Rework(w.sim.Accepted()[0].IUN, 0, "RECRN002C:M02", "OK") { // deceased
		t.Fatal("nothing to correct")
	}
	w.passes(4*24*time.Hour, 12*time.Hour)
	w.wantOutcomes(file, map[string]string{"C/1": string(ledger.Restituita)})
	if date := w.cell(file, "send_perfezionata_il"); date != "" {
		t.Errorf("still said to be effective from %s", date)
	}
	w.result(nil) // outcome, updates, documents and index agree
}
