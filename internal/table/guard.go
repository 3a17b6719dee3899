package table

import (
	"regexp"
	"strings"
	"unicode"
)

// plainNumber is what a spreadsheet may show as the signed number it is: Italian or
// English notation, thousands separators or none.
var plainNumber = regexp.MustCompile(`^[+-](\d+([.,]\d+)?|\d{1,3}(\.\d{3})+(,\d+)?|\d{1,3}(,\d{3})+(\.\d+)?)$`)

// Guard gives the cell as it is published: with a leading apostrophe where a
// spreadsheet would take the text for a formula, else as it is. Names and addresses
// come from outside, so a cell like =HYPERLINK(…) must not run on a clerk's desk.
// Plain signed numbers are left alone. Unguard takes it back exactly.
func Guard(cell string) string {
	if !StartsFormula(cell) || plainNumber.MatchString(cell) {
		return cell
	}
	return "'" + cell
}

// Unguard takes back what Guard did and nothing else: an apostrophe that Guard would
// not have written ('ndrina, '00123) stays.
func Unguard(cell string) string {
	if strings.HasPrefix(cell, "'") && StartsFormula(cell) {
		return cell[1:]
	}
	return cell
}

// StartsFormula says whether the text begins a formula once the apostrophes, blanks
// and invisible characters before it are gone: spreadsheets drop some of them, people
// and programs the others. Counting apostrophes in keeps Guard reversible for a cell
// that already looked guarded.
func StartsFormula(cell string) bool {
	for _, r := range cell {
		switch r {
		case '=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−':
			return true
		case '\t', '\r':
			return true
		}
		if r != '\'' && !unicode.IsSpace(r) && !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) {
			return false
		}
	}
	return false
}
