package notification

import (
	"encoding/json"
	"math"
	"strconv"
)

// skip passes over a value whose first token has not been read yet.
func (d *decoder) skip() { d.skipFrom(d.tokens.next()) }

func (d *decoder) skipFrom(first json.Token) {
	for depth := depthOf(first); depth > 0 && d.tokens.peek() != 0; {
		depth += depthOf(d.tokens.next())
	}
}

func depthOf(token json.Token) int {
	switch token {
	case json.Delim('{'), json.Delim('['):
		return 1
	case json.Delim('}'), json.Delim(']'):
		return -1
	}
	return 0
}

func (d *decoder) wrongType(at, expected string, first json.Token) {
	d.add("C-JSON-TYPE", at, "expected", expected, "found", d.kind(first))
	d.skipFrom(first)
}

func (d *decoder) kind(token json.Token) string {
	switch t := token.(type) {
	case nil:
		return "null"
	case bool:
		return word(d.lang, "un valore vero/falso", "a boolean")
	case string:
		return word(d.lang, "un testo", "a string")
	case json.Number:
		return word(d.lang, "il numero ", "the number ") + t.String()
	case json.Delim:
		if t == '[' {
			return word(d.lang, "un elenco", "a list")
		}
	}
	return word(d.lang, "un oggetto", "an object")
}

func (d *decoder) text(to *string) func(string, json.Token) {
	return func(at string, first json.Token) {
		s, ok := first.(string)
		if !ok {
			d.wrongType(at, word(d.lang, "un testo tra virgolette", "a string"), first)
			return
		}
		*to = s
	}
}

func (d *decoder) flag(to *bool) func(string, json.Token) {
	return func(at string, first json.Token) {
		b, ok := first.(bool)
		if !ok {
			d.wrongType(at, word(d.lang, "true o false", "true or false"), first)
			return
		}
		*to = b
	}
}

// whole reads an int32 as SEND's schema has it. A number with a fraction that is
// zero is not accepted either: programs that write 10.0 may write 10.5 tomorrow.
func (d *decoder) whole(to **int) func(string, json.Token) {
	return func(at string, first json.Token) {
		number, ok := first.(json.Number)
		n, err := strconv.ParseInt(string(number), 10, 64)
		if !ok || err != nil || n > math.MaxInt32 || n < math.MinInt32 {
			d.wrongType(at, word(d.lang, "un numero intero", "a whole number"), first)
			return
		}
		value := int(n)
		*to = &value
	}
}

// list reads a list, calling element for the first token of each element. A null
// among the elements is a wrong type and never dropped: one recipient less is not
// what a program meant.
func (d *decoder) list(element func(path string, first json.Token)) func(string, json.Token) {
	return func(at string, first json.Token) {
		if first != json.Delim('[') {
			d.wrongType(at, word(d.lang, "un elenco", "a list"), first)
			return
		}
		for i := 0; d.tokens.more(); i++ {
			token := d.tokens.next()
			if d.elements++; d.elements > maxElements {
				d.skipFrom(token) // the line is refused as a whole
				continue
			}
			element(at+"["+strconv.Itoa(i)+"]", token)
		}
		d.tokens.next() // the closing bracket
	}
}
