package mapping

import (
	"errors"
	"strings"

	"sendconnector/internal/notification"
	"sendconnector/internal/table"
)

// sourceKind is where a value comes from.
type sourceKind int

const (
	literal sourceKind = iota
	column
	template
	expression
)

// value is a compiled field.
type value struct {
	field         *Field // nil only for a bare literal
	path          string
	request       string // SEND's name of the field, relative to its object
	kind          sourceKind
	target        target
	text          string // literal
	columns       []int
	labels        []string
	label         string // the columns by name, for messages
	segments      []segment
	program       *program
	date          datePattern
	table         map[string]string
	code          bool // upper case, no blanks within
	innerBlanks   bool // a code that may have blanks within
	digits        bool // a number as text: blanks within are dropped
	exact         bool // protocol: nothing but blanks around and guards is touched
	transliterate bool
	glob          bool // a file pattern: what cells put into it must not be pattern characters
}

func (v *value) asCode() *value {
	if v != nil {
		v.code = true
	}
	return v
}

func (v *value) asDigits() *value {
	if v != nil {
		v.digits = true
	}
	return v
}

// rowReader reads values from one row, collecting what is wrong with it.
type rowReader struct {
	m        *Mapper
	row      *table.Row
	problems []notification.Problem
	told     map[string]bool // code and column already reported for this row
}

func (r *rowReader) add(code, field string, args ...string) {
	key := code + "\x00" + field
	for i := 0; i+1 < len(args); i += 2 {
		key += "\x00" + args[i+1]
	}
	if r.told[key] {
		return
	}
	if r.told == nil {
		r.told = map[string]bool{}
	}
	r.told[key] = true
	r.problems = append(r.problems, notification.New(r.m.d.Lang, code, field, args...))
}

// cell is a cell, cleaned. A fault of the cell is reported when the cell is wanted.
func (r *rowReader) cell(i int, exact bool) string {
	raw := r.row.Cells[i]
	for _, f := range r.row.Faults {
		if f.Column == i {
			r.add(f.Code, r.m.title(i), "value", f.Detail)
			return ""
		}
	}
	clean, repairs := notification.Clean(raw)
	if len(repairs) == 0 {
		return raw
	}
	if exact {
		return exactly(raw, clean, repairs)
	}
	r.repaired(r.m.title(i), raw, clean, repairs)
	return clean
}

// exactly keeps a protocol number as it is but for blanks around it and a guard.
func exactly(raw, clean string, repairs []notification.Repair) string {
	for _, repair := range repairs {
		if repair.Visible() {
			return strings.TrimSpace(raw)
		}
	}
	return clean
}

func (r *rowReader) repaired(label, before, after string, repairs []notification.Repair) {
	for _, repair := range repairs {
		if repair.Visible() {
			r.add("C-TEXT-REPAIRED", label, "before", clip(before), "after", clip(after))
			return
		}
	}
}

func (m *Mapper) title(i int) string {
	if i < len(m.heading.Names) && m.heading.Names[i] != "" {
		return m.heading.Names[i]
	}
	return itoa(i + 1)
}

// get is the value for the row, "" where there is none or where a problem, now
// reported, forbids it.
func (r *rowReader) get(v *value) string {
	if v == nil {
		return ""
	}
	text, typed := r.source(v)
	if v.field == nil {
		return text
	}
	failed := len(r.problems)
	text = r.convert(v, text, typed)
	if text != "" {
		return text
	}
	if v.field.Default != nil {
		return *v.field.Default
	}
	if v.field.Required && failed == len(r.problems) {
		r.add("C-VALUE-MISSING", v.label)
	}
	return ""
}

// source is the text before conversions, and the kind a typed file gives it.
func (r *rowReader) source(v *value) (string, table.Kind) {
	switch v.kind {
	case column:
		i := v.columns[0]
		return r.cell(i, v.exact), r.row.KindOf(i)
	case template:
		return r.template(v), table.Text
	case expression:
		out, err := v.program.run(r.m.eval, func(i int) string { return r.cell(i, v.exact) })
		if err != nil {
			r.add("C-EXPRESSION", v.label, "path", v.path)
			return "", table.Text
		}
		text, _ := out.(string)
		if v.exact {
			return strings.TrimSpace(text), table.Text
		}
		clean, _ := notification.Clean(text)
		return clean, table.Text
	}
	return v.text, table.Text
}

// template fills in the columns. Where one of them is blank the whole is blank: half
// a sentence or half a file name is worse than none.
func (r *rowReader) template(v *value) string {
	out := r.m.scratch[:0]
	for _, s := range v.segments {
		if s.column < 0 {
			out = append(out, s.text...)
			continue
		}
		text := r.cell(s.column, v.exact)
		if text == "" {
			return ""
		}
		if v.glob && strings.ContainsAny(text, "*?[") {
			r.add("C-PATTERN-CELL", r.m.title(s.column), "value", clip(text))
			return ""
		}
		out = append(out, text...)
	}
	r.m.scratch = out
	return string(out)
}

// convert applies the conversions of the field, in their documented order.
func (r *rowReader) convert(v *value, text string, kind table.Kind) string {
	f := v.field
	if text == "" {
		return ""
	}
	if f.Trim != nil {
		text = strings.TrimSpace(strings.Trim(text, f.Trim.characters))
	}
	if f.Split != nil {
		text = f.Split.apply(text)
	}
	if f.Upper {
		text = strings.ToUpper(text)
	}
	if f.Lookup != nil {
		text = r.lookup(v, text)
	}
	if f.Pad != nil && text != "" {
		text = padLeft(text, f.Pad.To, f.Pad.With)
	}
	if text == "" {
		return ""
	}
	switch {
	case f.Amount != "":
		text = r.amount(v, text, kind)
	case f.Date != "" || v.target == forDate:
		text = r.dateOf(v, text, kind)
	}
	if v.code {
		text = r.asCode(v, text)
	}
	if v.digits {
		text = r.dense(v, text)
	}
	if v.transliterate {
		text = r.latin(v, text)
	}
	return text
}

func (s *splitting) apply(text string) string {
	parts := strings.Split(text, s.At)
	var out []string
	for _, n := range s.Take {
		if n <= len(parts) {
			if part := strings.TrimSpace(parts[n-1]); part != "" {
				out = append(out, part)
			}
		}
	}
	return strings.Join(out, " ")
}

func padLeft(text string, width int, with string) string {
	if missing := width - len([]rune(text)); missing > 0 && text != "" {
		return strings.Repeat(with, missing) + text
	}
	return text
}

func (r *rowReader) lookup(v *value, text string) string {
	found, ok := v.table[lookupKey(text)]
	if ok {
		return found
	}
	if v.field.Lookup.Else != nil {
		return *v.field.Lookup.Else
	}
	r.add("C-LOOKUP", v.label, "value", clip(text), "table", v.field.Lookup.Table)
	return ""
}

func (r *rowReader) amount(v *value, text string, kind table.Kind) string {
	cents, err := 0, error(nil)
	switch {
	case kind == table.Number:
		cents, err = numberToCents(text, v.field.Amount)
	case (r.m.typed || r.row.Kinds != nil) && v.kind != column && looksEither(text):
		// An expression over a typed file: 1.234 may be a number with a decimal point
		// or a text with a thousands separator.
		err = errAmbiguous
	default:
		cents, err = amountToCents(text, v.field.Amount)
	}
	switch {
	case errors.Is(err, errAmbiguous):
		r.add("C-AMOUNT-AMBIGUOUS", v.label, "value", clip(text))
		return ""
	case err != nil:
		r.add("C-AMOUNT-FORM", v.label, "value", clip(text), "notation", notationName(r.m.d.Lang, v.field.Amount))
		return ""
	}
	return itoa(cents)
}

// looksEither reports a single separator followed by three digits.
func looksEither(text string) bool {
	i := strings.LastIndexAny(text, ".,")
	return i > 0 && len(text)-i == 4 && strings.IndexAny(text, ".,") == i
}

func notationName(lang notification.Lang, notation string) string {
	switch {
	case notation == "it":
		return "1.234,50"
	case notation == "en":
		return "1,234.50"
	case lang == notification.English:
		return "123450 (cents)"
	}
	return "123450 (centesimi)"
}

func (r *rowReader) dateOf(v *value, text string, kind table.Kind) string {
	pattern := v.date
	if kind == table.Date {
		pattern = isoDate
	}
	date, err := pattern.parse(text)
	if err != nil {
		r.add("C-DATE-FORM", v.label, "value", clip(text), "pattern", pattern.text)
		return ""
	}
	return date
}

// asCode upper-cases tax codes, provinces, states and taxonomy codes; that changes what
// is read, so it is told, unless the profile asked for it.
func (r *rowReader) asCode(v *value, text string) string {
	code, repairs := notification.CleanCode(text, v.innerBlanks)
	if len(repairs) > 0 && v.kind != literal && !v.field.Upper {
		r.repaired(v.label, text, code, repairs)
	}
	return code
}

// dense drops the blanks that people put into long numbers.
func (r *rowReader) dense(v *value, text string) string {
	if strings.IndexByte(text, ' ') < 0 {
		return text
	}
	out := strings.ReplaceAll(text, " ", "")
	r.add("C-TEXT-REPAIRED", v.label, "before", clip(text), "after", clip(out))
	return out
}

func (r *rowReader) latin(v *value, text string) string {
	for i := range len(text) {
		if text[i] >= 0x80 || strings.IndexByte(",;:&()\"#*+!?=%<>[]{}|\\^~`$", text[i]) >= 0 {
			out := notification.Transliterate(text)
			if out != text {
				r.add("C-TEXT-LATIN", v.label, "before", clip(text), "after", clip(out))
			}
			return out
		}
	}
	return text
}

// when is the condition of a section, true without one.
func (r *rowReader) when(v *value) bool {
	if v == nil {
		return true
	}
	out, err := v.program.run(r.m.eval, func(i int) string { return r.cell(i, false) })
	if err != nil {
		r.add("C-EXPRESSION", v.label, "path", v.path)
		return false
	}
	yes, _ := out.(bool)
	return yes
}

// clip shortens a value shown in a message.
func clip(s string) string {
	if len(s) > 60 {
		if r := []rune(s); len(r) > 60 {
			return string(r[:60]) + "…"
		}
	}
	return s
}
