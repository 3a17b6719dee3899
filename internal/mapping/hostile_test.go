package mapping_test

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"sendconnector/internal/mapping"
	"sendconnector/internal/table"
)

// Damage prevented: a short expression, or a long cell under a sound one, takes all
// memory or never ends, and no other file is read. What is possible is counted: an
// expression is refused when the profile is loaded against the file, or its row is
// rejected.
func TestHostileExpressions(t *testing.T) { //nolint:paralleltest // memory is measured
	doubling := "let a0 = A + A; "
	for i := range 60 {
		doubling += "let a" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + " = A + A; "
	}
	nested := "A"
	for range 100 {
		nested = "replace(" + nested + ", 'x', A)"
	}
	long := strings.Repeat("x", 60_000)
	for _, c := range []struct {
		name, expr, cell string
		refused          bool // when the profile is compiled
		sound            bool
	}{
		{"sound", "replace(A, 'x', 'y') + join(split(B, '/'), '-')", "x/x", false, true},
		{"doubling by variables", doubling + "A", "x", true, false},
		{"range", "string(1..1000000000)", "x", true, false},
		{"loop", "string(map(1..1000000, A))", "x", true, false},
		{"repeat", "repeat(A, 1000000000)", "x", true, false},
		{"too many nodes", strings.Repeat("A + ", 600) + "A", "x", true, false},
		{"deeply nested", strings.Repeat("(", 20_000) + "A" + strings.Repeat(")", 20_000), "x", true, false},
		{"regular expression that multiplies", "A matches '((x{100}){100}){100}' ? 'a' : 'b'", long, true, false},
		{"large regular expression", "A matches '(x?){900}(y?){900}' ? 'a' : 'b'", long, true, false},
		{"regular expression of the row", "A matches B ? 'a' : 'b'", long, true, false},
		{"replaced by itself a hundred times", nested, "xxxxxxxxxx", false, false},
		{"joined until it is long", "join([A, A, A, A])", long, false, false},
		{"added until it is long", "A + A + A", long, false, false},
		{"a cell of a megabyte", "upper(A)", strings.Repeat("x", 1<<20), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			profile := strings.Replace(fines, `subject: "Verbale n. {VERBALE}"`, "subject: {expr: '"+strings.ReplaceAll(c.expr, "'", "''")+"'}", 1)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p, err := mapping.Parse("p.yaml", []byte(profile), os.ReadFile)
			if err != nil {
				t.Fatal(err)
			}
			names := append(strings.Split(strings.TrimSpace(finesHeading), ";"), "A", "B")
			m, err := p.Compile(table.Heading{Names: names, Row: 1}, sender())
			if (err != nil) != c.refused {
				t.Fatalf("compiled: %v", err)
			}
			if c.refused {
				return
			}
			rows := func(yield func(table.Row, error) bool) {
				yield(table.Row{Number: 2, Cells: append(strings.Split(strings.TrimSpace(fineRow), ";"), c.cell, c.cell)}, nil)
			}
			for d, err := range m.Drafts(rows, nil) {
				if err != nil {
					t.Fatal(err)
				}
				rejected := false
				for _, problem := range d.RowProblems(0) {
					rejected = rejected || problem.Code == "C-EXPRESSION"
				}
				if rejected == c.sound {
					t.Errorf("rejected %v: %v", rejected, d.RowProblems(0))
				}
			}
			runtime.ReadMemStats(&after)
			if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 64 {
				t.Errorf("took %d MB", took)
			}
		})
	}
}
