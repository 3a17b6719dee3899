package connector

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/simulator"
)

// The same act under another spelling of its number would be a second notification,
// and next year's number 1 is another act than this year's (rule 1).
func TestRule01SpellingsAndTheNewYear(t *testing.T) {
	w := newStill(t)
	w.deposit("a.csv", alone("2026/1", ettore, 1))
	w.steps(2)
	w.deposit("b.csv", alone("2026/0001", ettore, 1), alone("2027/1", galileo, 2))
	w.steps(2)
	w.lives(2)
	w.onceAtSEND("2026/1", "2027/1")
	w.wantOutcomes("drop/out/b.*.esito.csv", map[string]string{"2026/0001": "SCARTATA C-PROTOCOL-SPELLING", "2027/1": "PERFEZIONATA"})
	w.wantMentions("drop/out/b.*.esito.csv", "2026/0001", "2026/1")
}

// A token that depended on the installation, the file or the time would not find again
// what a lost ledger has sent (rule 2).
func TestRule02TokenOfEveryInstallation(t *testing.T) {
	w := newStill(t)
	w.deposit("a.csv", alone("A/1", ettore, 1))
	w.lives(1)
	if got := w.storedTokens("A/1"); len(got) != 1 || got[0] != frozenToken("A/1", 1) {
		t.Errorf("stored under %v, want %s", got, frozenToken("A/1", 1))
	}
	w.loseData()
	other := w.second()
	other.write("altra/in/act-1.pdf", string(pdfOf("act-1.pdf", 1500)))
	other.write("altra/in/altro nome.csv", groupedHeading+alone("A/1", ettore, 1))
	other.lives(2)
	w.onceAtSEND("A/1")
	w.wantOutcomes("altra/out/altro nome.*.esito.csv", map[string]string{"A/1": "PERFEZIONATA"})
}

// Which ends leave a key free and which do not: a discarded batch may be dropped again
// and is sent, a cancelled notification stays taken for ever (rule 3).
func TestRule03WhatFreesAKey(t *testing.T) {
	w := newStill(t, func(s string) string {
		return strings.Replace(s, "documents:", "release: {max_notifications: 1}\n    documents:", 1)
	})
	w.deposit("a.csv", alone("A/1", ettore, 1), alone("A/2", galileo, 2))
	w.steps(1)
	found, err := filepath.Glob(filepath.Join(w.dir, "drop/out/a.*.esito.csv"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	w.command("discard", BatchArgs{batchID.FindString(found[0])})
	w.steps(1)
	w.wantOutcomes("drop/out/a.*.esito.csv", map[string]string{"A/1": "SCARTATA C-DISCARDED", "A/2": "SCARTATA C-DISCARDED"})
	w.onceAtSEND()
	w.deposit("b.csv", alone("A/1", ettore, 1))
	w.steps(3)
	w.sim.Advance(2 * time.Hour)
	w.steps(2)
	w.onceAtSEND("A/1")
	w.command("cancel", CancelArgs{Protocol: "A/1"})
	w.lives(2)
	w.wantOutcomes("drop/out/b.*.esito.csv", map[string]string{"A/1": "ANNULLATA"})
	w.deposit("c.csv", alone("A/1", ettore, 1))
	w.lives(2)
	w.onceAtSEND("A/1")
	w.wantOutcomes("drop/out/c.*.esito.csv", map[string]string{"A/1": "GIA_PRESENTE"})
}

// A 400 that blames the request has created nothing: a new attempt for the corrected
// row would open the way to two (rule 4).
func TestRule04CorrectedAfterA400(t *testing.T) {
	w := newStill(t)
	w.sim.Faults().Add(simulator.Fault{
		Operation: "create", Kind: simulator.FaultStatus, Status: 400, Count: 1,
		Body: `{"type":"GENERIC_ERROR","status":400,"title":"Bad request","errors":[{"code":"PN_GENERIC_INVALIDPARAMETER","element":"recipients[0].physicalAddress","detail":"No province provided in physical address"}]}`,
	})
	w.deposit("a.csv", alone("A/1", ettore, 1))
	w.steps(3)
	got := w.outcomes("drop/out/a.*.esito.csv")["A/1"]
	if !strings.HasPrefix(got, "RIFIUTATA ") {
		t.Fatalf("outcome %q", got)
	}
	w.deposit("b.csv", alone("A/1", ettore, 1)) // unchanged: not sent, told again
	w.steps(3)
	w.onceAtSEND()
	if again := w.outcomes("drop/out/b.*.esito.csv")["A/1"]; again != got {
		t.Errorf("told again as %q, first as %q", again, got)
	}
	w.deposit("c.csv", strings.Replace(alone("A/1", ettore, 1), "VIA ROMA 1", "VIA ROMA 2", 1))
	w.steps(1)
	w.lives(2)
	w.onceAtSEND("A/1")
	if got := w.storedTokens("A/1"); got[0] != frozenToken("A/1", 1) {
		t.Errorf("the corrected row went under another attempt: %v", got)
	}
}

// A nightly export brings the refused row again every night: each time sent would cost
// the refusal fee. Only a corrected one makes attempt 2, and only one (rule 5).
func TestRule05NightlyExportOfARefusal(t *testing.T) {
	w := newStill(t)
	for _, night := range []string{"a", "b", "c"} {
		w.deposit(night+".csv", alone("R/1", ettore, refusedNotice))
		w.steps(2)
		w.lives(1)
		w.wantOutcomes("drop/out/"+night+".*.esito.csv", map[string]string{"R/1": "RIFIUTATA PAYMENT_NOT_VALID"})
	}
	w.onceAtSEND("R/1")
	for _, night := range []string{"d", "e"} {
		w.deposit(night+".csv", alone("R/1", ettore, 1))
		w.steps(2)
		w.lives(1)
	}
	if got, want := w.storedTokens("R/1"), []string{frozenToken("R/1", 1), frozenToken("R/1", 2)}; !slices.Equal(got, want) {
		t.Errorf("stored under %v, want %v", got, want)
	}
	w.wantOutcomes("drop/out/d.*.esito.csv", map[string]string{"R/1": "PERFEZIONATA"})
	w.wantOutcomes("drop/out/e.*.esito.csv", map[string]string{"R/1": "GIA_PRESENTE"})
	if d := w.sim.Duplicates(); len(d) > 0 {
		t.Errorf("notified twice: %v", d)
	}
}

// A second protocol number for the same notice or the same act is a second
// notification to the citizen, by another door (rule 6).
func TestRule06SameNoticeOrActUnderAnotherNumber(t *testing.T) {
	w := newStill(t)
	w.deposit("a.csv", alone("A/1", ettore, 1))
	w.steps(1)
	w.write("drop/in/act-2.pdf", string(pdfOf("act-2.pdf", 1500)))
	row := func(protocol, taxID string, notice int, act string) string {
		return strings.Replace(alone(protocol, taxID, notice), "act-"+[]string{"0", "1", "2", "3", "4"}[notice], act, 1)
	}
	w.deposit("b.csv",
		row("A/2", galileo, 1, "act-2"), // the notice of A/1
		row("A/3", ettore, 3, "act-1"),  // the act of A/1, the same person
		row("A/4", galileo, 4, "act-1")) // the act of A/1, another person: told, not stopped
	w.steps(1)
	w.lives(2)
	w.onceAtSEND("A/1", "A/4")
	w.wantOutcomes("drop/out/b.*.esito.csv", map[string]string{
		"A/2": "SCARTATA C-NOTICE-TAKEN", "A/3": "SCARTATA C-ACT-TAKEN", "A/4": "PERFEZIONATA",
	})
	for _, p := range []string{"A/2", "A/3", "A/4"} {
		w.wantMentions("drop/out/b.*.esito.csv", p, "A/1")
	}
}

// The same bytes are not the same verdict: the PDF that was missing is there now. A
// file known as a whole would hide a row that was never sent (rule 7).
func TestRule07SameBytesOtherVerdict(t *testing.T) {
	w := newStill(t)
	rows := []string{alone("A/1", ettore, 1), alone("A/2", galileo, 2)}
	w.deposit("a.csv", rows...)
	if err := os.Remove(filepath.Join(w.dir, "drop/in/act-2.pdf")); err != nil {
		t.Fatal(err)
	}
	w.steps(2)
	w.onceAtSEND("A/1")
	w.wantOutcomes("drop/out/a.*.esito.csv", map[string]string{"A/1": "ACCETTATA", "A/2": "SCARTATA C-DOCUMENT-MISSING"})
	w.deposit("b.csv", rows...)
	w.steps(2)
	w.onceAtSEND("A/1", "A/2")
	w.deposit("c.csv", rows...)
	w.lives(2)
	w.onceAtSEND("A/1", "A/2")
	w.wantOutcomes("drop/out/b.*.esito.csv", map[string]string{"A/1": "GIA_PRESENTE", "A/2": "PERFEZIONATA"})
	w.wantOutcomes("drop/out/c.*.esito.csv", map[string]string{"A/1": "GIA_PRESENTE", "A/2": "GIA_PRESENTE"})
}

// What a program makes anew at every export is no other act, and is said (rule 8).
func TestRule08KnownWithAnotherAddress(t *testing.T) {
	w := newStill(t)
	w.deposit("a.csv", alone("A/1", ettore, 1), alone("A/2", galileo, 2))
	w.steps(1)
	w.deposit("b.csv", strings.Replace(alone("A/1", ettore, 1), "VIA ROMA 1", "VIA TORINO 9", 1), alone("A/2", galileo, 2))
	w.write("drop/in/act-2.pdf", string(pdfOf("made anew", 1700)))
	w.lives(2)
	w.onceAtSEND("A/1", "A/2")
	got := w.outcomes("drop/out/b.*.esito.csv")
	for _, p := range []string{"A/1", "A/2"} {
		if !strings.HasPrefix(got[p], "GIA_PRESENTE") {
			t.Errorf("%s is %q", p, got[p])
		}
	}
	if w.cells("drop/out/b.*.esito.csv", "send_avvisi")["A/1"] == "" {
		t.Error("nobody is told that the new address was not used")
	}
}

// The clerk mends the one row at fault and drops it alone, or leaves out the owner who
// was wrong: the others would never be notified, or not he (rule 9).
func TestRule09GroupDroppedAgainWithoutOneOwner(t *testing.T) {
	group := func(wrong string) []string {
		return []string{
			groupedRow("G/1", ettore, "Ettore Fieramosca", noticeOf(1), "g.pdf", "", ""),
			groupedRow("G/1", wrong, "Galileo Galilei", noticeOf(2), "g.pdf", "", ""),
		}
	}
	const shrink = "allow_shrink: true\nnotification:\n"
	for name, profile := range map[string]string{"guarded": groupedProfile, "allowed": strings.Replace(groupedProfile, "notification:\n", shrink, 1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStill(t)
			w.write("profile.yaml", profile)
			w.deposit("a.csv", group("GLLGLL64B15G702X")...)
			w.steps(1)
			w.onceAtSEND()
			w.deposit("b.csv", without(group(galileo), galileo)...)
			w.steps(2)
			if name == "allowed" {
				w.onceAtSEND("G/1")
				return
			}
			w.onceAtSEND()
			w.wantOutcomes("drop/out/b.*.esito.csv", map[string]string{"G/1": "SCARTATA C-GROUP-INCOMPLETE"})
			w.wantMentions("drop/out/b.*.esito.csv", "G/1", "GLLGLL64B15G702X")
			w.deposit("c.csv", group(galileo)...)
			w.lives(2)
			w.onceAtSEND("G/1")
			if a := w.sim.Accepted(); len(a) != 1 || len(a[0].TaxIDs) != 2 {
				t.Errorf("notified without one owner: %+v", a)
			}
		})
	}
}

// Three drops of one row: the outcome file of the drop that owns it goes to the end,
// the others say whose it is and stay as they were (rule 11).
func TestRule11OwnerOfTheRow(t *testing.T) {
	w := newStill(t)
	w.deposit("a.csv", alone("R/1", ettore, refusedNotice))
	w.steps(2)
	w.lives(1)
	w.deposit("b.csv", alone("R/1", ettore, 1))
	w.steps(2)
	w.deposit("c.csv", alone("R/1", ettore, 1))
	w.steps(1)
	w.lives(2)
	w.wantOutcomes("drop/out/a.*.esito.csv", map[string]string{"R/1": "RIFIUTATA PAYMENT_NOT_VALID"})
	w.wantOutcomes("drop/out/b.*.esito.csv", map[string]string{"R/1": "PERFEZIONATA"})
	w.wantOutcomes("drop/out/c.*.esito.csv", map[string]string{"R/1": "GIA_PRESENTE"})
	owner := w.cells("drop/out/b.*.esito.csv", "send_lotto")["R/1"]
	if got := w.cells("drop/out/c.*.esito.csv", "send_lotto")["R/1"]; got != owner || owner == "" {
		t.Errorf("the known row names %q, its owner is %q", got, owner)
	}
	found, err := filepath.Glob(filepath.Join(w.dir, "drop/out/*.esito.csv"))
	if err != nil {
		t.Fatal(err)
	}
	w.updatesTellTheOutcome(found)
}
