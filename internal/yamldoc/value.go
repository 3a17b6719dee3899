package yamldoc

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// Kind is the shape of a value.
type Kind int

// The shapes a value has; a null value never reaches a [Decoder].
const (
	Scalar Kind = iota
	Mapping
	Sequence
)

// Value is a value handed to a [Decoder].
type Value struct {
	dec  *decoding
	node *yaml.Node
	path string
}

// Kind is the shape of the value.
func (v *Value) Kind() Kind {
	switch v.node.Kind {
	case yaml.MappingNode:
		return Mapping
	case yaml.SequenceNode:
		return Sequence
	}
	return Scalar
}

// Text is a scalar as written, "" for anything else.
func (v *Value) Text() string {
	if v.node.Kind != yaml.ScalarNode {
		return ""
	}
	return v.node.Value
}

// Path is where the value stands, e.g. "recipient.tax_id", for [Document.Errorf].
func (v *Value) Path() string { return v.path }

// Decode decodes the value into out, a pointer, under the same strict rules;
// mistakes are collected with all others. To reach the fields of a type that is
// itself a Decoder, convert it to a type without methods first.
func (v *Value) Decode(out any) { v.dec.decode(v.node, v.path, out) }

// Errorf reports a mistake at the value.
func (v *Value) Errorf(format string, args ...any) {
	v.dec.errorf(v.node, v.path, format, args...)
}

// Nearest is the candidate that name most likely mistypes, "" if none is near:
// case apart, at most one change and one more for every four letters.
func Nearest(name string, candidates []string) string {
	best, distance := "", len([]rune(name))/4+2
	for _, c := range candidates {
		if d := edits(strings.ToLower(name), strings.ToLower(c)); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two words.
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(y)]
}
