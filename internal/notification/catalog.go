package notification

import (
	"strings"
	"unicode"
)

// Lang is the language of texts for people.
type Lang string

// Italian is the default; English is for partners and tests.
const (
	Italian Lang = "it"
	English Lang = "en"
)

// entry is one problem code: its severity, what it says and where its rule is
// written. Texts hold {names} that New fills in; each says what is wrong and what
// to do about it.
type entry struct {
	severity Severity
	it, en   string
	source   string
}

// catalogues are the problem codes, one table per room that finds them. A code is
// part of the outside contract: it is never renamed and never used again for
// something else.
func catalogues() []map[string]entry {
	return []map[string]entry{requestCatalogue, attachmentCatalogue, tableCatalogue, dropCatalogue, sendingCatalogue, refusalCatalogue, connectorCatalogue}
}

func lookup(code string) (entry, bool) {
	for _, c := range catalogues() {
		if e, ok := c[code]; ok {
			return e, true
		}
	}
	return entry{}, false
}

// New makes the problem of a code of the catalogue, with severity and text taken
// from there. field is the column or request field at fault ("" where there is
// none); args are pairs of a {name} in the text and its value. A code that is not
// in the catalogue is an error that shows the bare code (a test keeps that from
// happening).
func New(lang Lang, code, field string, args ...string) Problem {
	pairs := make([]string, 0, len(args)+2)
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, "{"+args[i]+"}", shown(args[i+1]))
	}
	return fill(lang, code, field, pairs)
}

// NewList makes a problem whose text names several mistakes at {name}: each is
// shortened by itself, so that none of them hides another.
func NewList(lang Lang, code, field, name string, mistakes []string) Problem {
	var list []string
	for i, m := range mistakes {
		if i == maxListed {
			list = append(list, "…")
			break
		}
		list = append(list, shown(m))
	}
	return fill(lang, code, field, []string{"{" + name + "}", strings.Join(list, "; ")})
}

// maxListed is how many mistakes one message lists.
const maxListed = 100

func fill(lang Lang, code, field string, pairs []string) Problem {
	e, ok := lookup(code)
	if !ok {
		return Problem{Severity: Error, Code: code, Field: field, Message: code}
	}
	text := e.it
	if lang == English {
		text = e.en
	}
	if strings.Contains(text, "{") {
		text = strings.NewReplacer(append(pairs, "{field}", field)...).Replace(text)
	}
	return Problem{Severity: e.severity, Code: code, Field: field, Message: text}
}

// maxShown is how much of a value a message repeats, in UTF-16 units.
const maxShown = 300

// shown is a value as a message may hold it: one line, and not the megabyte that a
// broken export may have in one cell.
func shown(value string) string {
	if len(value) > maxShown {
		if head, tail := cutAfter(value, maxShown); tail != "" {
			value = head + "…"
		}
	}
	for i := range len(value) {
		if value[i] < ' ' || value[i] >= 0x7F {
			return strings.Map(func(r rune) rune {
				if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
					return ' '
				}
				return r
			}, value)
		}
	}
	return value
}
