// Package yamldoc reads one strict YAML document into a Go value and remembers
// where everything stood, so that a mistake in a configuration or a profile is
// shown with file, line, column, the line itself and a caret, and all mistakes at
// once.
//
// Start with [Load]; checks that come later (a value out of range, a column that an
// export does not have) point into the same document with [Document.Errorf].
//
// Strict means: unknown keys, keys given twice, values of the wrong kind, a second
// document, custom tags and expanding aliases are errors. Scalars go into strings
// exactly as written, so a CAP 0123 stays 0123, and into integers only in plain
// decimal notation, never as octal.
//
// It keeps no state and writes nothing, so a crash needs no repair.
package yamldoc

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxBytes bounds a document: configurations and profiles are written by hand.
const MaxBytes = 4 << 20

// Document is a document that was read, with the position of every node.
type Document struct {
	file  string
	lines []string
	root  *yaml.Node // nil for an empty document
}

// Load reads data, the content of file (a name used in messages only), into out, a
// pointer to a struct with `yaml:"name"` tags. Every mistake found is in the
// returned [Errors]; the document is returned also then, unless it is no YAML at
// all, so that the caller may add what it finds itself.
func Load(file string, data []byte, out any) (*Document, error) {
	d := &Document{file: file}
	if len(data) > MaxBytes {
		return d, Errors{d.errorAt(Position{}, "", "the document is larger than %d MB", MaxBytes>>20)}
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	d.lines = strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if !utf8.ValidString(text) {
		return d, Errors{d.badEncoding()}
	}
	if errs := d.parse(text); len(errs) > 0 {
		return d, errs
	}
	v := &decoding{doc: d}
	if d.root != nil {
		v.decode(d.root, "", out)
	}
	return d, v.errs.sorted().OrNil()
}

// Parsed reports whether there is a document at all: what is no YAML, or blank, lacks
// every key, and to say so of each would hide the one mistake there is.
func (d *Document) Parsed() bool { return d.root != nil }

// parse builds the node tree and insists on a single document.
func (d *Document) parse(text string) Errors {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	loader, err := yaml.NewLoader(strings.NewReader(text))
	if err != nil {
		return Errors{d.syntaxError(err)}
	}
	var doc yaml.Node
	if err := loader.Load(&doc); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return Errors{d.syntaxError(err)}
	}
	if doc.Kind == yaml.DocumentNode && len(doc.Content) > 0 {
		d.root = doc.Content[0]
	} else if doc.Kind != yaml.DocumentNode && doc.Kind != 0 {
		d.root = &doc
	}
	var second yaml.Node
	if err := loader.Load(&second); err == nil {
		return Errors{d.errorAt(Position{second.Line, second.Column}, "", "a second document begins here; only one is allowed")}
	} else if !errors.Is(err, io.EOF) {
		return Errors{d.syntaxError(err)}
	}
	return nil
}

func (d *Document) syntaxError(err error) *Error {
	var many *yaml.LoadErrors
	if errors.As(err, &many) && len(many.Errors) > 0 {
		err = many.Errors[0]
	}
	var one *yaml.LoadError
	if !errors.As(err, &one) {
		return d.errorAt(Position{}, "", "%s", err)
	}
	pos := Position{one.Mark.Line, one.Mark.Column}
	if pos.Line == 0 {
		pos = Position{one.ContextMark.Line, one.ContextMark.Column}
	}
	message := one.Message
	if one.ContextMsg != "" {
		message = one.ContextMsg + ": " + message
	}
	if strings.Contains(d.line(pos.Line), "\t") {
		message += " (YAML does not allow tabs for indentation)"
	}
	return d.errorAt(pos, "", "%s", message)
}

func (d *Document) badEncoding() *Error {
	for i, line := range d.lines {
		if !utf8.ValidString(line) {
			valid := 0
			for rest := line; rest != ""; valid++ {
				r, size := utf8.DecodeRuneInString(rest)
				if r == utf8.RuneError && size == 1 {
					break
				}
				rest = rest[size:]
			}
			return d.errorAt(Position{i + 1, valid + 1}, "", "this character is not UTF-8; save the file as UTF-8")
		}
	}
	return d.errorAt(Position{}, "", "the file is not UTF-8; save it as UTF-8")
}

func (d *Document) line(n int) string {
	if n < 1 || n > len(d.lines) {
		return ""
	}
	return d.lines[n-1]
}
