package notification

import "slices"

// Bounds of what is told, and of what is looked at, so that a line or file made by a
// broken program costs neither minutes nor an outcome file of megabytes. A clerk mends
// the first few and sees how many are left.
const (
	// maxElements are the elements of all lists of one line of JSON together. SEND takes
	// 15 recipients and 15 documents; it names no bound for payments, of which 15
	// recipients with 60 instalments each have 900.
	maxElements = 1000
	// maxDecodeProblems are told of one line by Decode, fewer than of a row, so that how
	// many there are more is told too.
	maxDecodeProblems = 50
	maxF24Problems    = 20
	maxRowProblems    = 100
)

// tally collects the first problems and counts the others.
type tally struct {
	problems []Problem
	left     int
	severe   bool // one of those that are only counted is an error
}

// add keeps the problem if fewer than most are kept already.
func (t *tally) add(lang Lang, most int, code, field string, args ...string) {
	if len(t.problems) < most {
		t.problems = append(t.problems, New(lang, code, field, args...))
		return
	}
	t.left++
	e, known := lookup(code)
	t.severe = t.severe || !known || e.severity == Error
}

// told is what was kept, with one more problem for those that were only counted; it is
// an error if one of them is: nothing is let through for want of room.
func (t *tally) told(lang Lang) []Problem {
	if t.left == 0 {
		return t.problems
	}
	return append(t.problems, more(lang, t.left, t.severe))
}

func more(lang Lang, left int, severe bool) Problem {
	p := New(lang, "C-PROBLEMS-MORE", "", "count", itoa(left))
	if severe {
		p.Severity = Error
	}
	return p
}

// Few shortens the problems of one row to what an outcome file can hold. Errors must
// come first; what is left out is counted, as an error if one of it is.
func Few(lang Lang, problems []Problem) []Problem {
	if len(problems) <= maxRowProblems {
		return problems
	}
	rest := problems[maxRowProblems:]
	return append(slices.Clone(problems[:maxRowProblems]), more(lang, len(rest), Errors(rest)))
}
