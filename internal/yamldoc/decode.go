package yamldoc

import (
	"encoding"
	"reflect"
	"sort"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// maxVisits bounds the nodes visited while decoding, aliases expanded: a document
// written by hand has thousands, an alias bomb billions.
const maxVisits = 200_000

// maxDepth bounds nesting, cycles of aliases included.
const maxDepth = 100

// Decoder is implemented by types that choose their own shape (a text or a
// mapping, for instance). DecodeYAML reports mistakes through v, never by panic.
type Decoder interface {
	DecodeYAML(v *Value)
}

// decoding is one pass over a document.
type decoding struct {
	doc    *Document
	errs   Errors
	visits int
	depth  int
	burst  bool // the limit was reported
}

func (v *decoding) errorf(n *yaml.Node, path, format string, args ...any) {
	v.errs.Add(v.doc.errorAt(Position{n.Line, n.Column}, path, format, args...))
}

// decode fills out, a pointer, from n.
func (v *decoding) decode(n *yaml.Node, path string, out any) {
	target := reflect.ValueOf(out)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		v.errorf(n, path, "internal: cannot decode into %T", out)
		return
	}
	v.value(n, path, target.Elem())
}

// value decodes n into target, which can be set.
func (v *decoding) value(n *yaml.Node, path string, target reflect.Value) {
	at := n
	n = resolve(n)
	v.visits++
	v.depth++
	defer func() { v.depth-- }()
	if v.burst {
		return
	}
	if v.visits > maxVisits || v.depth > maxDepth {
		v.burst = true
		v.errorf(at, path, "aliases or nesting expand without end; write the values out")
		return
	}
	if n == nil || isNull(n) || !v.plainTag(n, path) {
		return
	}
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem()))
		target = target.Elem()
	}
	if v.custom(n, path, target) {
		return
	}
	switch target.Kind() {
	case reflect.Struct:
		v.structure(n, path, target)
	case reflect.Map:
		v.mapping(n, path, target)
	case reflect.Slice:
		v.sequence(n, path, target)
	case reflect.Interface:
		target.Set(reflect.ValueOf(v.any(n, path)))
	default:
		v.scalar(n, path, target)
	}
}

// custom handles types that decode themselves.
func (v *decoding) custom(n *yaml.Node, path string, target reflect.Value) bool {
	if !target.CanAddr() {
		return false
	}
	switch t := target.Addr().Interface().(type) {
	case Decoder:
		t.DecodeYAML(&Value{dec: v, node: n, path: path})
		return true
	case *time.Duration:
		v.duration(n, path, t)
		return true
	case encoding.TextUnmarshaler:
		if text, ok := v.text(n, path, "a text"); ok {
			if err := t.UnmarshalText([]byte(text)); err != nil {
				v.errorf(n, path, "%s", err)
			}
		}
		return true
	}
	return false
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
}

// plainTag refuses tags such as !!binary or !custom: they would decode into
// something else than what is written.
func (v *decoding) plainTag(n *yaml.Node, path string) bool {
	if n.Style&yaml.TaggedStyle == 0 || n.ShortTag() == "!!str" {
		return true
	}
	v.errorf(n, path, "tags such as %s are not allowed", n.Tag)
	return false
}

// pair is a key of a mapping and its value.
type pair struct{ key, value *yaml.Node }

// pairs are the keys of a mapping, merges (<<) included, each key once; keys given
// twice are reported.
func (v *decoding) pairs(n *yaml.Node, path string) []pair {
	var out, merged []pair
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if resolve(key).Kind != yaml.ScalarNode {
			v.errorf(key, path, "a key must be a text")
			continue
		}
		name := resolve(key).Value
		if key.ShortTag() == "!!merge" {
			merged = append(merged, v.merge(value, path)...)
			continue
		}
		if before := first[name]; before != nil {
			v.errorf(key, join(path, name), "the key %q is given twice; first in line %d", name, before.Line)
			continue
		}
		first[name] = key
		out = append(out, pair{key, value})
	}
	for _, p := range merged {
		if name := resolve(p.key).Value; first[name] == nil {
			first[name] = p.key
			out = append(out, p)
		}
	}
	return out
}

func (v *decoding) merge(value *yaml.Node, path string) []pair {
	v.visits++
	v.depth++
	defer func() { v.depth-- }()
	if v.visits > maxVisits || v.depth > maxDepth {
		if !v.burst {
			v.burst = true
			v.errorf(value, path, "aliases or nesting expand without end; write the values out")
		}
		return nil
	}
	target := resolve(value)
	switch target.Kind {
	case yaml.MappingNode:
		return v.pairs(target, path)
	case yaml.SequenceNode:
		var out []pair
		for _, item := range target.Content {
			out = append(out, v.merge(item, path)...)
		}
		return out
	}
	v.errorf(value, path, "<< takes a mapping")
	return nil
}

func (v *decoding) structure(n *yaml.Node, path string, target reflect.Value) {
	if n.Kind != yaml.MappingNode {
		v.errorf(n, path, "expected keys and values, found %s", kindName(n))
		return
	}
	fields := fieldsOf(target.Type())
	for _, p := range v.pairs(n, path) {
		name := resolve(p.key).Value
		at, known := fields[name]
		if !known {
			v.errorf(p.key, join(path, name), "unknown key %q%s", name, suggestion(name, fields))
			continue
		}
		field := target
		for _, i := range at {
			field = field.Field(i)
		}
		v.value(p.value, join(path, name), field)
	}
}

func (v *decoding) mapping(n *yaml.Node, path string, target reflect.Value) {
	if n.Kind != yaml.MappingNode {
		v.errorf(n, path, "expected keys and values, found %s", kindName(n))
		return
	}
	kind := target.Type()
	if kind.Key().Kind() != reflect.String {
		v.errorf(n, path, "internal: maps must have text keys")
		return
	}
	out := reflect.MakeMap(kind)
	for _, p := range v.pairs(n, path) {
		item := reflect.New(kind.Elem()).Elem()
		name := resolve(p.key).Value
		v.value(p.value, join(path, name), item)
		out.SetMapIndex(reflect.ValueOf(name).Convert(kind.Key()), item)
	}
	target.Set(out)
}

func (v *decoding) sequence(n *yaml.Node, path string, target reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		v.errorf(n, path, "expected a list, found %s", kindName(n))
		return
	}
	out := reflect.MakeSlice(target.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		v.value(item, index(path, i), out.Index(i))
	}
	target.Set(out)
}

// any decodes into plain Go values: text, []any, map[string]any.
func (v *decoding) any(n *yaml.Node, path string) any {
	switch n.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		v.value(n, path, reflect.ValueOf(&out).Elem())
		return out
	case yaml.SequenceNode:
		out := []any{}
		v.value(n, path, reflect.ValueOf(&out).Elem())
		return out
	}
	return n.Value
}

// fieldsOf maps the keys of a struct to its fields; embedded structs and
// `yaml:",inline"` fields count as part of it.
func fieldsOf(t reflect.Type) map[string][]int {
	out := map[string][]int{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if strings.Contains(options, "inline") || f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			for inner, at := range fieldsOf(f.Type) {
				out[inner] = append([]int{i}, at...)
			}
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		out[name] = []int{i}
	}
	return out
}

// suggestion names the known key nearest to a mistyped one.
func suggestion(name string, fields map[string][]int) string {
	names := make([]string, 0, len(fields))
	for known := range fields {
		names = append(names, known)
	}
	sort.Strings(names)
	if near := Nearest(name, names); near != "" {
		return "; did you mean " + near + "?"
	}
	if len(names) > 0 && len(names) <= 20 {
		return "; known here: " + strings.Join(names, ", ")
	}
	return ""
}
