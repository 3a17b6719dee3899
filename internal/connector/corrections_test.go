package connector

import (
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

const correctedFile = "drop/out/C-1.*.esito.csv"

// rework is a correction that SEND makes of the only notification's paper outcome.
func (w *world) rework(code string) {
	w.t.Helper()
	if !w.sim.Rework(w.sim.Accepted()[0].IUN, 0, code, "OK") {
		w.t.Fatal("nothing to correct")
	}
}

// A correction by SEND takes an outcome back, also of a notification that was closed:
// a municipality must not count on a date that no longer holds. A second one takes the
// first one back: nobody is told to have died who has not.
func TestCorrectionTakesTheOutcomeBack(t *testing.T) {
	t.Parallel()
	w := gapWorld(t)
	w.dropFor("drop", "C/1", 1)
	w.passes(2*time.Hour, 30*time.Minute)
	w.passes(30*24*time.Hour, 48*time.Hour)
	w.wantOutcomes(correctedFile, map[string]string{"C/1": string(ledger.Perfezionata)})
	before := w.cell(correctedFile, "send_perfezionata_il")
	w.rework("RECRN002C:M02") // deceased
	w.passes(4*24*time.Hour, 12*time.Hour)
	w.wantOutcomes(correctedFile, map[string]string{"C/1": string(ledger.Restituita)})
	if date := w.cell(correctedFile, "send_perfezionata_il"); date != "" {
		t.Errorf("still said to be effective from %s", date)
	}
	w.result(nil) // outcome, updates, documents and index agree

	w.rework("RECRN001C") // delivered after all
	w.passes(30*24*time.Hour, 48*time.Hour)
	w.wantOutcomes(correctedFile, map[string]string{"C/1": string(ledger.Perfezionata)})
	if date := w.cell(correctedFile, "send_perfezionata_il"); date <= before {
		t.Errorf("effective from %s, as before the corrections (%s)", date, before)
	}
	w.result(nil)
}

// A correction that came and expired while the connector was off: of a notification that
// was open it is found by the look-up, with what it took back.
func TestCorrectionDuringAGap(t *testing.T) {
	t.Parallel()
	w := gapWorld(t)
	w.dropFor("drop", "C/1", 1)
	w.passes(2*time.Hour, 30*time.Minute)
	for range 60 {
		if w.outcomes(correctedFile)["C/1"] == string(ledger.Consegna) && w.delivered() {
			break
		}
		w.passes(6*time.Hour, 6*time.Hour)
	}
	w.wantOutcomes(correctedFile, map[string]string{"C/1": string(ledger.Consegna)})
	w.rework("RECRN002C:M02")
	w.sim.Advance(12 * 24 * time.Hour)
	back := w.sim.Now()
	w.passes(2*time.Hour, 20*time.Minute)
	w.wantOutcomes(correctedFile, map[string]string{"C/1": string(ledger.Restituita)})
	if date := w.cell(correctedFile, "send_perfezionata_il"); date != "" {
		t.Errorf("said to be effective from %s", date)
	}
	if asked := w.callsSince(back, "sent"); len(asked) != 1 {
		t.Errorf("looked up: %v", asked)
	}
	w.result(nil)
}

// delivered tells whether the only notification has a paper outcome at SEND.
func (w *world) delivered() bool {
	w.t.Helper()
	n, ok := w.sim.Notification(w.sim.Accepted()[0].IUN)
	return ok && n.Status == ledger.StatusDelivered
}
