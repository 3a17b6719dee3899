package table

import "testing"

// Damage prevented: a cell read from beyond a short row, a fault lost or kept in a
// column that is no part of the table.
func TestRow(t *testing.T) {
	r := Row{Cells: []string{" ", "\t"}, Kinds: []Kind{Date}, Faults: []Fault{{Column: 0}, {Column: 3}, {Column: WholeRow}}}
	if !r.Blank() || (Row{Cells: []string{"", "x"}}).Blank() {
		t.Error("Blank")
	}
	if r.KindOf(0) != Date || r.KindOf(1) != Text || r.KindOf(-1) != Text {
		t.Error("KindOf")
	}
	wide := r.Fit(3)
	if len(wide.Cells) != 3 || len(wide.Faults) != 2 {
		t.Errorf("%+v", wide)
	}
	if cut := wide.Fit(1); len(cut.Cells) != 1 || len(cut.Faults) != 2 {
		t.Errorf("%+v", cut)
	}
	if same := wide.Fit(0); len(same.Cells) != 3 {
		t.Errorf("%+v", same)
	}
}
