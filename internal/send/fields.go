package send

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// fields reads a JSON object member by member, so that a member of an unexpected
// type costs that member and not the whole. Each reader takes several names: the
// versions of SEND's events spell some differently.
type fields map[string]json.RawMessage

func (f fields) raw(names ...string) json.RawMessage {
	for _, n := range names {
		if v, ok := f[n]; ok && len(v) > 0 && !bytes.Equal(v, []byte("null")) {
			return v
		}
	}
	return nil
}

// text reads a string, or a number as it is written.
func (f fields) text(names ...string) string { return text(f.raw(names...)) }

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// number reads an integer, also one written as a string or with a fraction of
// zero; nil if there is none.
func (f fields) number(names ...string) *int {
	s := strings.TrimSpace(f.text(names...))
	if n, err := strconv.Atoi(s); err == nil {
		return &n
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil && x == float64(int(x)) {
		n := int(x)
		return &n
	}
	return nil
}

func (f fields) integer(names ...string) int {
	if n := f.number(names...); n != nil {
		return *n
	}
	return 0
}

func (f fields) truth(names ...string) bool {
	b, err := strconv.ParseBool(strings.TrimSpace(f.word(names...)))
	return err == nil && b
}

// word is text, or a bare true or false.
func (f fields) word(names ...string) string {
	raw := f.raw(names...)
	if s := text(raw); s != "" {
		return s
	}
	return string(raw)
}

func (f fields) list(names ...string) []json.RawMessage {
	var l []json.RawMessage
	if json.Unmarshal(f.raw(names...), &l) != nil {
		return nil
	}
	return l
}

func (f fields) texts(names ...string) []string {
	var all []string
	for _, raw := range f.list(names...) {
		if s := text(raw); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func (f fields) object(names ...string) fields {
	var o fields
	if json.Unmarshal(f.raw(names...), &o) != nil {
		return nil
	}
	return o
}

func (f fields) time(names ...string) time.Time { return parseTime(f.text(names...)) }

// layouts of times seen in SEND's answers and in those of its older versions. Go
// reads any number of fraction digits after seconds by itself.
var layouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04:05", // without a zone: UTC, as SEND's times are
	"2006-01-02T15:04",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05",
	"2006-01-02",
}

// parseTime reads a time as tolerantly as can be done without guessing; the zero
// time if it cannot.
func parseTime(s string) time.Time {
	s = strings.TrimSpace(s)
	// Java's ZonedDateTime: 2026-01-02T03:04:05+01:00[Europe/Rome].
	s, _, _ = strings.Cut(s, "[")
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	// Seconds (with a fraction) or milliseconds since 1970.
	if x, err := strconv.ParseFloat(s, 64); err == nil && x > 1e8 && x < 1e14 {
		if x > 1e11 {
			return time.UnixMilli(int64(x)).UTC()
		}
		return time.UnixMilli(int64(x * 1000)).UTC()
	}
	return time.Time{}
}
