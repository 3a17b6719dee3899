package connector

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// A clerk filters the sheet, sees ten rows, saves and drops it: all rows go. That is so
// with every program, but the outcome must tell which rows nobody saw.
func TestHiddenRowsAreTold(t *testing.T) {
	w := newStill(t)
	w.write("profile.yaml", strings.Replace(groupedProfile, `{kind: csv, delimiter: ";"}`, "{kind: xlsx}", 1))
	f := excelize.NewFile()
	defer f.Close()
	for i, line := range []string{groupedHeading, alone("H/1", ettore, 1), alone("H/2", galileo, 2), alone("H/3", ettore, 3)} {
		for col, cell := range strings.Split(strings.TrimRight(line, "\r\n"), ";") {
			at, err := excelize.CoordinatesToCellName(col+1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.SetCellStr("Sheet1", at, cell); err != nil {
				t.Fatal(err)
			}
		}
		w.write(fmt.Sprintf("drop/in/act-%d.pdf", i), string(pdfOf(fmt.Sprintf("act-%d.pdf", i), 1500)))
	}
	if err := f.SetRowVisible("Sheet1", 3, false); err != nil { // as a filter does
		t.Fatal(err)
	}
	if err := f.SaveAs(filepath.Join(w.dir, "drop", "in", "h.xlsx")); err != nil {
		t.Fatal(err)
	}
	w.steps(2)
	w.onceAtSEND("H/1", "H/2", "H/3")
	for p, warnings := range w.cells("drop/out/h.*.esito.csv", "send_avvisi") {
		if told := strings.Contains(warnings, "nascosta"); told != (p == "H/2") {
			t.Errorf("%s: warnings %q", p, warnings)
		}
	}
}
