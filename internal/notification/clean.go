package notification

import (
	"strings"
	"unicode"
)

// Repair is one thing that Clean or CleanCode changed in a cell.
type Repair string

// The repairs. Only those for which Visible is true change what a person reads.
const (
	RepairTrim       Repair = "trim"       // blanks and invisible characters around the text
	RepairGuard      Repair = "guard"      // '00123 or ="00123"
	RepairApostrophe Repair = "apostrophe" // ’ to '
	RepairUpper      Repair = "upper"      // small letters of a code
	RepairBlanks     Repair = "blanks"     // blanks within a code
)

// Visible reports whether the repair changes what a person reads, so that it must
// be told: blanks at the ends and text guards of a spreadsheet are not read.
func (r Repair) Visible() bool {
	switch r {
	case RepairTrim, RepairGuard:
		return false
	}
	return true
}

// Clean undoes what spreadsheets and word processors do to a text cell: blanks
// around it (non-breaking and invisible ones too), a text guard ('00123, ="00123"),
// typographic apostrophes. It names each kind of repair once, in the order of the
// constants, and does nothing to what is already clean. A protocol number must not
// go through it except for the blanks around it.
//
// Source: interface.md, "Profiles".
func Clean(s string) (string, []Repair) {
	if isClean(s) {
		return s, nil
	}
	var trimmed, unguarded bool
	for {
		t := strings.TrimFunc(s, isInvisible)
		trimmed = trimmed || t != s
		u, ok := unguard(t)
		if s = u; !ok {
			break
		}
		unguarded = true
	}
	straight := apostrophes.Replace(s)
	var repairs []Repair
	if trimmed {
		repairs = append(repairs, RepairTrim)
	}
	if unguarded {
		repairs = append(repairs, RepairGuard)
	}
	if straight != s {
		repairs = append(repairs, RepairApostrophe)
		// A guard may have been typed with a typographic apostrophe.
		again, more := Clean(straight)
		for _, r := range more {
			if (r == RepairTrim && !trimmed) || (r == RepairGuard && !unguarded) {
				repairs = append(repairs, r)
			}
		}
		straight = again
	}
	return straight, repairs
}

// CleanCode is Clean for tax codes, provinces, states' codes and taxonomy codes:
// upper case and, unless innerBlanks (names of states have them), without blanks within.
func CleanCode(s string, innerBlanks bool) (string, []Repair) {
	s, repairs := Clean(s)
	if upper := strings.ToUpper(s); upper != s {
		s = upper
		repairs = append(repairs, RepairUpper)
	}
	if !innerBlanks {
		if dense := strings.Map(withoutInvisible, s); dense != s {
			s = dense
			repairs = append(repairs, RepairBlanks)
		}
	}
	return s, repairs
}

// isClean is the quick answer for nearly every cell of a million rows.
func isClean(s string) bool {
	if s == "" {
		return true
	}
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return s[0] > ' ' && s[0] != '\'' && s[0] != '=' && s[len(s)-1] > ' ' && s[len(s)-1] != 0x7F
}

var apostrophes = strings.NewReplacer("’", "'", "‘", "'", "ʼ", "'", "‛", "'", "´", "'")

func isInvisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

func withoutInvisible(r rune) rune {
	if isInvisible(r) {
		return -1
	}
	return r
}

// unguard takes off one text guard. A leading apostrophe is one only before what a
// spreadsheet would otherwise take for a number or a formula: 'Ndrangheta stays.
func unguard(s string) (string, bool) {
	if len(s) >= 2 && s[0] == '\'' && (isDigit(s[1]) || strings.IndexByte("=+-@", s[1]) >= 0) {
		return s[1:], true
	}
	if len(s) >= 3 && strings.HasPrefix(s, `="`) && s[len(s)-1] == '"' {
		inner := s[2 : len(s)-1]
		if bare := strings.ReplaceAll(inner, `""`, ""); !strings.Contains(bare, `"`) {
			return strings.ReplaceAll(inner, `""`, `"`), true
		}
	}
	return s, false
}
