package table

import (
	"testing"

	"pgregory.net/rapid"
)

// Damage prevented: a name such as =HYPERLINK(…) from a drop runs on a clerk's desk.
func TestGuard(t *testing.T) {
	for _, c := range []struct{ cell, want string }{
		{"", ""},
		{"ROSSI MARIO", "ROSSI MARIO"},
		{"=1+1", "'=1+1"},
		{"+39 06 1234", "'+39 06 1234"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"-2+3", "'-2+3"},
		{"\t=1", "'\t=1"},
		{"\r=1", "'\r=1"},
		{"＝1+1", "'＝1+1"},
		{"＋1", "'＋1"},
		{"－1", "'－1"},
		{"＠A", "'＠A"},
		{"  =1", "'  =1"},
		{"\u00a0=1", "'\u00a0=1"},
		{"\u200b=1", "'\u200b=1"},
		{"-", "'-"},
		{"'=1", "''=1"},
		// Left alone: plain signed numbers, and apostrophes that guard nothing.
		{"-12", "-12"},
		{"+12,50", "+12,50"},
		{"-1.234,56", "-1.234,56"},
		{"-1,234.56", "-1,234.56"},
		{"'00123", "'00123"},
		{"'Ndrangheta", "'Ndrangheta"},
		{"00123", "00123"},
		{"a=b", "a=b"},
	} {
		if got := Guard(c.cell); got != c.want {
			t.Errorf("Guard(%q) = %q, want %q", c.cell, got, c.want)
		}
		if got := Unguard(Guard(c.cell)); got != c.cell {
			t.Errorf("Unguard(Guard(%q)) = %q", c.cell, got)
		}
	}
}

// Damage prevented: a cell starts a formula after all, or does not come back as it was
// when the outcome file is dropped again (rule 12).
func TestGuardIsReversible(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`['=+\-@ \t\r\n＝＋0-9.,a]{0,12}`))
	rapid.Check(t, func(t *rapid.T) {
		cell := text.Draw(t, "cell")
		guarded := Guard(cell)
		if Unguard(guarded) != cell {
			t.Errorf("%q became %q and came back as %q", cell, guarded, Unguard(guarded))
		}
		if StartsFormula(guarded) && guarded[0] != '\'' && !plainNumber.MatchString(guarded) {
			t.Errorf("%q starts a formula", guarded)
		}
	})
}
