package yamldoc

import (
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// scalar decodes a single value into a text, number or truth value.
func (v *decoding) scalar(n *yaml.Node, path string, target reflect.Value) {
	switch target.Kind() {
	case reflect.String:
		if text, ok := v.text(n, path, "a text"); ok {
			target.SetString(text)
		}
	case reflect.Bool:
		v.boolean(n, path, target)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.integer(n, path, target)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.integer(n, path, target)
	case reflect.Float32, reflect.Float64:
		text, ok := v.text(n, path, "a number")
		if !ok {
			return
		}
		f, err := strconv.ParseFloat(text, target.Type().Bits())
		if err != nil {
			v.errorf(n, path, "%q is not a number", text)
			return
		}
		target.SetFloat(f)
	default:
		v.errorf(n, path, "internal: cannot decode into %s", target.Type())
	}
}

// text is the scalar as written; what is the kind expected, for the message.
func (v *decoding) text(n *yaml.Node, path, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		v.errorf(n, path, "expected %s, found %s", what, kindName(n))
		return "", false
	}
	return n.Value, true
}

func (v *decoding) boolean(n *yaml.Node, path string, target reflect.Value) {
	text, ok := v.text(n, path, "true or false")
	if !ok {
		return
	}
	switch strings.ToLower(text) {
	case "true", "yes", "on", "si", "sì":
		target.SetBool(true)
	case "false", "no", "off":
		target.SetBool(false)
	default:
		v.errorf(n, path, "expected true or false, found %q", text)
	}
}

var decimal = regexp.MustCompile(`^[+-]?(0|[1-9][0-9]*)$`)

func (v *decoding) integer(n *yaml.Node, path string, target reflect.Value) {
	text, ok := v.text(n, path, "a whole number")
	if !ok {
		return
	}
	text = strings.ReplaceAll(text, "_", "")
	if !decimal.MatchString(text) {
		v.errorf(n, path, "expected a whole number in plain decimal notation, found %q", text)
		return
	}
	var err error
	if target.CanInt() {
		var i int64
		if i, err = strconv.ParseInt(text, 10, target.Type().Bits()); err == nil {
			target.SetInt(i)
		}
	} else {
		var u uint64
		if u, err = strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, target.Type().Bits()); err == nil {
			target.SetUint(u)
		}
	}
	if err != nil {
		v.errorf(n, path, "%s is out of range", text)
	}
}

func (v *decoding) duration(n *yaml.Node, path string, target *time.Duration) {
	text, ok := v.text(n, path, "a duration such as 30s, 15m or 24h")
	if !ok {
		return
	}
	whole := text
	var days time.Duration
	if head, rest, found := strings.Cut(text, "d"); found { // Go has no days; people do
		count, err := strconv.ParseInt(head, 10, 16)
		if err != nil || count < 0 {
			v.errorf(n, path, "expected a duration such as 30s, 15m, 24h or 7d, found %q", whole)
			return
		}
		days, text = time.Duration(count)*24*time.Hour, rest
	}
	var d time.Duration
	if text != "" || days == 0 && whole == "" {
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			v.errorf(n, path, "expected a duration such as 30s, 15m, 24h or 7d, found %q", whole)
			return
		}
	}
	*target = days + d
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Value == "" {
		return "nothing"
	}
	return strconv.Quote(shorten(n.Value))
}

func shorten(text string) string {
	if r := []rune(text); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return text
}
