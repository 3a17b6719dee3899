package yamldoc

import (
	"fmt"
	"sort"
	"strings"
)

// Position is a place in a document, both counted from 1, columns in characters.
// The zero Position is "the document as a whole".
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Error is one mistake in a document.
type Error struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"` // e.g. flows[0].source.settle
	Message string `json:"message"`
	Excerpt string `json:"excerpt,omitempty"` // the line at fault
	Caret   string `json:"caret,omitempty"`   // blanks and a ^ under the column
}

// Error prints file:line:column, the message, the line and a caret under it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": ")
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Message)
	if e.Excerpt != "" {
		b.WriteString("\n    " + e.Excerpt + "\n    " + e.Caret)
	}
	return b.String()
}

// Errors is every mistake found in a document, in the order of its lines. It
// marshals to a JSON array.
type Errors []*Error

// maxPrinted is how many mistakes are printed; nobody mends more at once, and a file
// that is something else altogether has one a line.
const maxPrinted = 200

// Error prints them, one below the other.
func (e Errors) Error() string {
	parts := make([]string, 0, min(len(e), maxPrinted)+1)
	for i, one := range e {
		if i == maxPrinted {
			parts = append(parts, fmt.Sprintf("… %d more mistakes", len(e)-i))
			break
		}
		parts = append(parts, one.Error())
	}
	return strings.Join(parts, "\n")
}

// Unwrap lets errors.As reach a single *Error.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// Add appends err.
func (e *Errors) Add(err *Error) { *e = append(*e, err) }

// OrNil is e as an error, or nil if there is none in it.
func (e Errors) OrNil() error {
	if len(e) == 0 {
		return nil
	}
	return e.sorted()
}

func (e Errors) sorted() Errors {
	sort.SliceStable(e, func(i, j int) bool {
		if e[i].Line != e[j].Line {
			return e[i].Line < e[j].Line
		}
		return e[i].Column < e[j].Column
	})
	return e
}

// excerptWidth keeps an excerpt within a terminal; maxMessage keeps a message that
// repeats a key or a value of the document readable.
const (
	excerptWidth = 110
	maxMessage   = 2000
)

// clipped is text cut to maxMessage bytes, at a character.
func clipped(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	return strings.ToValidUTF8(text[:maxMessage], "") + "…"
}

func (d *Document) errorAt(pos Position, path, format string, args ...any) *Error {
	e := &Error{File: d.file, Line: pos.Line, Column: pos.Column, Path: clipped(path), Message: clipped(fmt.Sprintf(format, args...))}
	line := []rune(strings.TrimRight(d.line(pos.Line), "\r \t"))
	if len(line) == 0 {
		return e
	}
	column := min(max(pos.Column, 1), len(line)+1)
	if from := column - 1 - excerptWidth/2; from > 0 && len(line) > excerptWidth {
		line, column = append([]rune("…"), line[from:]...), column-from+1
	}
	if len(line) > excerptWidth {
		line = append(line[:excerptWidth:excerptWidth], '…')
	}
	var caret strings.Builder
	for _, r := range line[:min(column-1, len(line))] {
		if r == '\t' { // a tab under a tab keeps the caret in its place
			caret.WriteByte('\t')
		} else {
			caret.WriteByte(' ')
		}
	}
	caret.WriteByte('^')
	e.Excerpt, e.Caret = string(line), caret.String()
	return e
}
