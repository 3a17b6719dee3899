package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shape is the part of a JSON schema that the gateway checks.
type shape struct {
	kind     string // object, array, string, integer, boolean
	required []string
	props    map[string]*shape
	closed   bool // additionalProperties: false
	minProps int
	items    *shape
	minItems int
	maxItems int // 0 = no limit
	minLen   int
	maxLen   int // 0 = no limit
	pattern  *regexp.Regexp
	text     string // the pattern as the contract spells it
	enum     []string
	low      *int64
	high     *int64
}

// check returns the faults of a body, worded as the gateway words them.
func (sh *shape) check(body []byte) []string {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return []string{"Unable to parse JSON"}
	}
	if _, err := dec.Token(); err != io.EOF { //nolint:errorlint // Token returns io.EOF itself
		return []string{"Unable to parse JSON"}
	}
	var found []string
	sh.walk("", v, &found)
	return found
}

func (sh *shape) walk(at string, v any, found *[]string) {
	add := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if at != "" {
			text = "[Path '" + at + "'] " + text
		}
		*found = append(*found, text)
	}
	if k := jsonKind(v); k != sh.kind {
		add(`instance type (%s) does not match any allowed primitive type (allowed: ["%s"])`, k, sh.kind)
		return
	}
	switch x := v.(type) {
	case map[string]any:
		sh.walkObject(at, x, add, found)
	case []any:
		if len(x) < sh.minItems {
			add("array is too short: must have at least %d elements but instance has %d elements", sh.minItems, len(x))
		}
		if sh.maxItems > 0 && len(x) > sh.maxItems {
			add("array is too long: must have at most %d elements but instance has %d elements", sh.maxItems, len(x))
		}
		for i, item := range x {
			sh.items.walk(at+"/"+strconv.Itoa(i), item, found)
		}
	case string:
		sh.walkString(x, add)
	case json.Number:
		sh.walkNumber(x, add)
	}
}

func (sh *shape) walkObject(at string, x map[string]any, add func(string, ...any), found *[]string) {
	var missing, unknown []string
	for _, name := range sh.required {
		if _, ok := x[name]; !ok {
			missing = append(missing, strconv.Quote(name))
		}
	}
	if len(missing) > 0 {
		add("object has missing required properties ([%s])", strings.Join(missing, ","))
	}
	if len(x) < sh.minProps {
		add("object has too few properties (found %d but schema requires at least %d)", len(x), sh.minProps)
	}
	names := make([]string, 0, len(x))
	for name := range x {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		inner, known := sh.props[name]
		switch {
		case known:
			inner.walk(at+"/"+name, x[name], found)
		case sh.closed:
			unknown = append(unknown, strconv.Quote(name))
		}
	}
	if len(unknown) > 0 {
		add("object instance has properties which are not allowed by the schema: [%s]", strings.Join(unknown, ","))
	}
}

func (sh *shape) walkString(x string, add func(string, ...any)) {
	n := utf8.RuneCountInString(x)
	if sh.maxLen > 0 && n > sh.maxLen {
		add("string %q is too long (length: %d, maximum allowed: %d)", clip(x, 60), n, sh.maxLen)
	}
	if n < sh.minLen {
		add("string %q is too short (length: %d, required minimum: %d)", x, n, sh.minLen)
	}
	if sh.pattern != nil && !sh.pattern.MatchString(x) {
		add("ECMA 262 regex %q does not match input string %q", clip(sh.text, 120), clip(x, 60))
	}
	if len(sh.enum) > 0 && !slices.Contains(sh.enum, x) {
		add(`instance value (%q) not found in enum (possible values: ["%s"])`, clip(x, 60), strings.Join(sh.enum, `","`))
	}
}

func (sh *shape) walkNumber(x json.Number, add func(string, ...any)) {
	n, err := x.Int64()
	if err != nil {
		add("numeric instance is out of range")
		return
	}
	if sh.low != nil && n < *sh.low {
		add("numeric instance is lower than the required minimum (minimum: %d, found: %d)", *sh.low, n)
	}
	if sh.high != nil && n > *sh.high {
		add("numeric instance is greater than the required maximum (maximum: %d, found: %d)", *sh.high, n)
	}
}

func jsonKind(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case json.Number:
		if _, err := x.Int64(); err != nil && strings.ContainsAny(x.String(), ".eE") {
			return "number"
		}
		return "integer"
	}
	return "unknown"
}
