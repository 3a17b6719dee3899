package mapping

import (
	"strings"

	"sendconnector/internal/yamldoc"
)

// Field says where a value comes from and how it is converted. In a profile it is
// either a short text:
//
//	TAX_CODE                  a column of the export
//	"Verbale {NUMBER}"        a text with columns in braces
//	"= upper(A) + '/' + B"    an expression, as in a spreadsheet
//
// or a mapping with exactly one of column, text, expr, value, and conversions.
type Field struct {
	Column *string `yaml:"column"`
	Text   *string `yaml:"text"`
	Expr   *string `yaml:"expr"`
	Value  *string `yaml:"value"`

	// Conversions, applied in this order.
	Trim          *trimming  `yaml:"trim"`
	Split         *splitting `yaml:"split"`
	Upper         bool       `yaml:"upper"`
	Lookup        *lookingUp `yaml:"lookup"`
	Pad           *padding   `yaml:"pad"`
	Amount        string     `yaml:"amount"` // it, en, cents
	Date          string     `yaml:"date"`   // pattern such as gg/mm/aaaa
	Transliterate bool       `yaml:"transliterate"`
	Default       *string    `yaml:"default"`
	Required      bool       `yaml:"required"`

	path  string // where it stands in the profile
	inner string // where its expression or text stands
	shift int    // characters of the scalar before the expression
}

// DecodeYAML reads both forms.
func (f *Field) DecodeYAML(v *yamldoc.Value) {
	f.path, f.inner = v.Path(), v.Path()
	switch v.Kind() {
	case yamldoc.Scalar:
		f.short(v)
	case yamldoc.Mapping:
		type plain Field
		v.Decode((*plain)(f))
		f.oneSource(v)
	default:
		v.Errorf("expected a column, a text or keys such as column, value, expr; found a list")
	}
}

func (f *Field) short(v *yamldoc.Value) {
	text := v.Text()
	switch {
	case strings.TrimSpace(text) == "":
		v.Errorf("blank; leave the key out")
	case strings.HasPrefix(text, "="):
		expr := text[1:]
		f.Expr, f.shift = &expr, 1
	case strings.ContainsAny(text, "{}"):
		f.Text = &text
	default:
		f.Column = &text
	}
}

func (f *Field) oneSource(v *yamldoc.Value) {
	count := 0
	for key, given := range map[string]*string{"column": f.Column, "text": f.Text, "expr": f.Expr, "value": f.Value} {
		if given != nil {
			count++
			f.inner = f.path + "." + key
		}
	}
	if count != 1 {
		v.Errorf("give exactly one of column, text, expr, value (found %d)", count)
	}
	if f.Expr != nil && strings.HasPrefix(*f.Expr, "=") {
		expr := (*f.Expr)[1:]
		f.Expr, f.shift = &expr, 1
	}
}

// fieldList is one field or a list of them.
type fieldList []*Field

// DecodeYAML reads a single field or a list.
func (l *fieldList) DecodeYAML(v *yamldoc.Value) {
	if v.Kind() == yamldoc.Sequence {
		v.Decode((*[]*Field)(l))
		return
	}
	f := &Field{}
	f.DecodeYAML(v)
	*l = fieldList{f}
}

// fileField is a file by name or, as a mapping, by pattern.
type fileField struct {
	Field
	glob bool
}

// DecodeYAML reads a field; {pattern: …} makes it a glob.
func (f *fileField) DecodeYAML(v *yamldoc.Value) {
	if v.Kind() != yamldoc.Mapping {
		f.Field.DecodeYAML(v)
		return
	}
	type plain Field
	shape := struct {
		Pattern *Field `yaml:"pattern"`
		plain   `yaml:",inline"`
	}{}
	v.Decode(&shape)
	if shape.Pattern != nil {
		f.Field, f.glob = *shape.Pattern, true
		return
	}
	f.Field = Field(shape.plain)
	f.path, f.inner = v.Path(), v.Path()
	f.oneSource(v)
}

// trimming is true (blanks, which are trimmed anyway) or the characters to trim.
type trimming struct{ characters string }

func (t *trimming) DecodeYAML(v *yamldoc.Value) {
	if v.Kind() != yamldoc.Scalar {
		v.Errorf("expected the characters to trim")
		return
	}
	if t.characters = v.Text(); t.characters == "true" {
		t.characters = " "
	}
}

// splitting cuts a text and keeps some of the parts: {at: "/", take: [2, 1]}.
type splitting struct {
	At   string `yaml:"at"`
	Take []int  `yaml:"take"`
}

// padding fills up on the left: pad: 5, or {to: 5, with: "0"}.
type padding struct {
	To   int    `yaml:"to"`
	With string `yaml:"with"`
}

func (p *padding) DecodeYAML(v *yamldoc.Value) {
	type plain padding
	if v.Kind() == yamldoc.Mapping {
		v.Decode((*plain)(p))
	} else {
		v.Decode(&p.To)
	}
	if p.With == "" {
		p.With = "0"
	}
	if p.To < 1 || p.To > 100 || len([]rune(p.With)) != 1 {
		v.Errorf("expected a width from 1 to 100 and one character to fill with")
	}
}

// lookingUp names a table: lookup: towns, or {table: towns, else: "X"}.
type lookingUp struct {
	Table string  `yaml:"table"`
	Else  *string `yaml:"else"`
}

func (l *lookingUp) DecodeYAML(v *yamldoc.Value) {
	type plain lookingUp
	if v.Kind() == yamldoc.Mapping {
		v.Decode((*plain)(l))
		return
	}
	v.Decode(&l.Table)
}
