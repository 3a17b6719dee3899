package notification

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Decode reads one line of SEND's own JSON as software houses drop it: the body of
// a new notification request in which attachments name a "file" instead of digests
// and ref. It is strict and gives all problems at once: unknown and repeated
// properties, wrong types, missing required ones (booleans too), and what only the
// connector may give (token, digests, ref). Explicit nulls are dropped with a
// warning. The request holds what could be read; it is nil only where the line is no
// JSON object or has more parts than any notification. What the values mean is
// Validate's business. However long the line, the problems are few: see maxDecodeProblems.
//
// Source: interface.md "jsonl"; OpenAPI bundle, NewNotificationRequestV26.
func Decode(line []byte, lang Lang) (*Request, []Problem) {
	return decode(line, decoder{lang: lang})
}

// DecodeWire reads a request as it goes to SEND or comes back: token, digests and
// ref belong to it, "file" does not, and an explicit null is refused as SEND refuses
// it. Properties that SEND's schema would let pass are ignored with a warning.
func DecodeWire(line []byte, lang Lang) (*Request, []Problem) {
	return decode(line, decoder{lang: lang, wire: true})
}

func decode(line []byte, d decoder) (*Request, []Problem) {
	line = bytes.TrimPrefix(bytes.TrimRight(line, "\r\n"), []byte("\uFEFF"))
	if !d.wellFormed(line) {
		return nil, d.problems
	}
	d.tokens = tokens{line: line}
	r := new(Request)
	if !d.object("", d.requestFields(r)) {
		return nil, d.problems
	}
	if d.elements > maxElements {
		return nil, []Problem{New(d.lang, "C-JSON-ELEMENTS", "", "max", itoa(maxElements))}
	}
	return r, d.told()
}

// decoder walks the tokens of one line along SEND's schema. The line is known to
// be well formed by then, so that token errors cannot occur.
type decoder struct {
	lang     Lang
	wire     bool
	tokens   tokens
	elements int // of all lists
	tally
}

func (d *decoder) add(code, field string, args ...string) {
	d.tally.add(d.lang, maxDecodeProblems, code, field, args...)
}

func (d *decoder) told() []Problem { return d.tally.told(d.lang) }

// wellFormed looks for syntax errors and for bytes that are no UTF-8, which
// encoding/json would replace without a word.
func (d *decoder) wellFormed(line []byte) bool {
	if !utf8.Valid(line) {
		at := 0
		for rest := line; ; {
			r, size := utf8.DecodeRune(rest)
			if r == utf8.RuneError && size <= 1 {
				break
			}
			at, rest = at+size, rest[size:]
		}
		d.syntax(line, at, word(d.lang, "ci sono byte che non sono UTF-8", "there are bytes that are not UTF-8"))
		return false
	}
	if json.Valid(line) {
		return true
	}
	var whole json.RawMessage
	err := json.Unmarshal(line, &whole)
	at := len(line)
	if fault := (*json.SyntaxError)(nil); errors.As(err, &fault) {
		at = min(max(0, int(fault.Offset)-1), len(line))
	}
	// What a stream makes of it tells what is wrong without reading error texts, which
	// are English.
	err = json.NewDecoder(bytes.NewReader(line)).Decode(&whole)
	switch {
	case err == nil:
		d.syntax(line, at, word(d.lang, "dopo la fine dell'oggetto c'è altro testo", "there is more after the end of the object"))
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		d.syntax(line, len(line), word(d.lang, "la riga finisce a metà", "the line ends half way"))
	default:
		found, _ := utf8.DecodeRune(line[at:])
		d.syntax(line, at, fmt.Sprintf(word(d.lang, "il carattere %q non può stare qui", "the character %q cannot stand here"), found))
	}
	return false
}

// syntax reports a fault at a byte offset; the column counts characters from 1.
func (d *decoder) syntax(line []byte, at int, reason string) {
	column := utf8.RuneCount(line[:min(at, len(line))]) + 1
	d.add("C-JSON-SYNTAX", "", "column", strconv.Itoa(column), "reason", reason)
}

// property is one property of an object of the schema.
type property struct {
	name     string
	required bool
	// read takes the value whose first token is given; path is its request field.
	read func(path string, first json.Token)
	// refused marks what the schema knows and a line of this kind may not have.
	refused string // code of the problem, "" for none
}

// object reads an object whose opening token has not been read yet.
func (d *decoder) object(path string, properties []property) bool {
	first := d.tokens.next()
	return d.objectFrom(path, first, properties)
}

func (d *decoder) objectFrom(path string, first json.Token, properties []property) bool {
	if first != json.Delim('{') {
		d.wrongType(path, word(d.lang, "un oggetto", "an object"), first)
		return false
	}
	var seen uint64 // by index in properties; no object of the schema has 64
	var extra map[string]bool
	for d.tokens.more() {
		name, _ := d.tokens.next().(string)
		at := within(path, name)
		i := indexOf(properties, name)
		if i < 0 {
			d.unknown(at, path, name, extra[name])
			if extra == nil {
				extra = map[string]bool{}
			}
			extra[name] = true
			d.skip()
			continue
		}
		if seen&(1<<i) != 0 {
			d.add("C-JSON-TWICE", at, "name", name)
			d.skip()
			continue
		}
		seen |= 1 << i
		if !d.property(at, &properties[i]) {
			seen &^= 1 << i
		}
	}
	d.tokens.next() // the closing brace
	for i := range properties {
		if p := &properties[i]; p.required && seen&(1<<i) == 0 && !d.saidNull(within(path, p.name)) {
			d.add("C-JSON-MISSING", within(path, p.name), "name", p.name)
		}
	}
	return true
}

// property reads the value of a known property and reports whether it is there: a
// dropped null is not.
func (d *decoder) property(at string, p *property) bool {
	first := d.tokens.next()
	if first == nil {
		d.null(at, p.name)
		return false
	}
	if p.refused != "" {
		d.add(p.refused, at, "name", p.name)
		d.skipFrom(first)
		return true
	}
	p.read(at, first)
	return true
}

func (d *decoder) null(at, name string) {
	if d.wire {
		d.add("C-JSON-NULL-REFUSED", at, "name", name)
		return
	}
	d.add("C-JSON-NULL", at, "name", name)
}

// saidNull reports whether the property is missing because its null was refused.
func (d *decoder) saidNull(at string) bool {
	for _, p := range d.problems {
		if p.Field == at && p.Code == "C-JSON-NULL-REFUSED" {
			return true
		}
	}
	return false
}

// unknown judges a property that the schema does not have. SEND itself refuses
// unknown ones in recipients and payments only; in a drop every one is an error,
// since it is most likely a mistyped name.
func (d *decoder) unknown(at, path, name string, again bool) {
	switch {
	case again:
		d.add("C-JSON-TWICE", at, "name", name)
	case d.wire && !strings.HasSuffix(path, "]"), d.wire && strings.HasPrefix(path, "documents["):
		d.add("C-JSON-EXTRA", at, "name", name)
	default:
		d.add("C-JSON-UNKNOWN", at, "name", name)
	}
}

func within(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func indexOf(properties []property, name string) int {
	return slices.IndexFunc(properties, func(p property) bool { return p.name == name })
}
