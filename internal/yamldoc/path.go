package yamldoc

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// At is the position of the value at path ("flows[0].source.settle"); for a value
// that is not there, of the nearest thing around it that is. Keys that hold dots or
// brackets are written in quotes: tables."a.b".
func (d *Document) At(path string) Position {
	node, _ := d.find(path)
	if node == nil {
		return Position{}
	}
	return Position{node.Line, node.Column}
}

// Has reports whether the document itself gives a value at path.
func (d *Document) Has(path string) bool {
	_, whole := d.find(path)
	return whole
}

// Errorf is a mistake at the value at path.
func (d *Document) Errorf(path, format string, args ...any) *Error {
	return d.errorAt(d.At(path), path, format, args...)
}

// ErrorInside is a mistake offset characters into the scalar at path, for a text
// that has a syntax of its own such as an expression. Where the text is folded or
// escaped, so that characters cannot be counted, it points at its beginning.
func (d *Document) ErrorInside(path string, offset int, format string, args ...any) *Error {
	pos := d.At(path)
	node, whole := d.find(path)
	if whole && node != nil && node.Kind == yaml.ScalarNode && pos.Line > 0 {
		line := []rune(d.line(pos.Line))
		rest := string(line[min(pos.Column-1, len(line)):])
		if quote := strings.IndexAny(rest, `"'`); quote == 0 {
			rest = rest[1:]
			pos.Column++
		}
		if strings.HasPrefix(rest, node.Value) && offset <= utf8.RuneCountInString(node.Value) {
			pos.Column += offset
		} else {
			pos = d.At(path)
		}
	}
	return d.errorAt(pos, path, format, args...)
}

// find walks down path; whole tells whether it reached the end.
func (d *Document) find(path string) (node *yaml.Node, whole bool) {
	node = resolve(d.root)
	if node == nil {
		return nil, path == ""
	}
	for _, step := range steps(path) {
		next, key := child(node, step)
		if next == nil {
			return node, false
		}
		node = resolve(next)
		if node.Kind == yaml.ScalarNode && node.Value == "" && key != nil && node.Line == 0 {
			node = key
		}
	}
	return node, true
}

func child(node *yaml.Node, step string) (value, key *yaml.Node) {
	switch node.Kind {
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i], nil
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1], node.Content[i]
			}
		}
	}
	return nil, nil
}

// steps cuts a path into keys and indexes.
func steps(path string) []string {
	var out []string
	for path != "" {
		switch path[0] {
		case '.':
			path = path[1:]
		case '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return append(out, path)
			}
			out, path = append(out, path[1:end]), path[end+1:]
		case '"':
			text, err := strconv.QuotedPrefix(path)
			if err != nil {
				return append(out, path)
			}
			step, _ := strconv.Unquote(text)
			out, path = append(out, step), path[len(text):]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			out, path = append(out, path[:end]), path[end:]
		}
	}
	return out
}

// join appends a key to a path, quoted where it would be misread.
func join(path, key string) string {
	if key == "" || strings.ContainsAny(key, `.[]" `) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// resolve follows aliases; the library has already made sure that they lead
// somewhere.
func resolve(n *yaml.Node) *yaml.Node {
	for i := 0; n != nil && n.Kind == yaml.AliasNode && i < 100; i++ {
		n = n.Alias
	}
	return n
}
