package notification

import "strconv"

func itoa(i int) string { return strconv.Itoa(i) }

// Severity tells whether a problem stops the row.
type Severity string

// An error stops the row; a warning travels with it.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Problem is one thing wrong with a row or a request: a stable code, where, and
// a sentence that says what is wrong and what to do. Problems are collected, never
// reported one at a time.
type Problem struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`            // C-… ours, or SEND's code as it is
	Field    string   `json:"field,omitempty"` // column of the export, or request field
	Message  string   `json:"message"`         // in the language of the flow
}

// Errors reports whether any of the problems stops the row.
func Errors(problems []Problem) bool {
	for _, p := range problems {
		if p.Severity == Error {
			return true
		}
	}
	return false
}
