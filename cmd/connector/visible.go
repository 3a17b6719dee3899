package main

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// File names, cells and SEND's texts come from outside. Printed as they are they could
// move the cursor, colour or hide what stands before them, turn the direction of
// writing, or begin a line that we never wrote.

// visible writes characters that act instead of being seen as \u and their number: in
// JSON that is the same text. Line ends and tabs pass.
type visible struct {
	w io.Writer

	mu   sync.Mutex // the log and a command may share the writer
	rest []byte     // of a character that the next piece ends
}

// Write implements io.Writer.
func (v *visible) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	b := append(v.rest, p...)
	v.rest = nil
	var out strings.Builder
	for len(b) > 0 {
		if !utf8.FullRune(b) {
			v.rest = append(v.rest, b...)
			break
		}
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\u%04x`, b[0])
		case acting(r):
			escape(&out, r)
		default:
			out.Write(b[:size])
		}
		b = b[size:]
	}
	if _, err := io.WriteString(v.w, out.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

func acting(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}

func escape(out *strings.Builder, r rune) {
	if r > 0xffff { // JSON knows pairs only
		r -= 0x10000
		fmt.Fprintf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		return
	}
	fmt.Fprintf(out, `\u%04x`, r)
}

// oneLine writes line ends and tabs within the texts of v as \n and \t, so that a text
// of outside stays in its line and column. v is a pointer.
func oneLine(v any) { straighten(reflect.ValueOf(v)) }

var straight = strings.NewReplacer("\r\n", `\n`, "\n", `\n`, "\r", `\n`, "\t", `\t`)

func straighten(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			straighten(v.Elem())
		}
	case reflect.String:
		if v.CanSet() && strings.ContainsAny(v.String(), "\r\n\t") {
			v.SetString(straight.Replace(v.String()))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			straighten(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			straighten(v.Field(i))
		}
	case reflect.Map: // counts by names of ours
	default:
	}
}
