package notification

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// javaLength counts a string as SEND does: UTF-16 units, so that a character
// outside the basic plane counts twice.
func javaLength(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// tooLong reports whether s has more than most UTF-16 units, without counting
// where the number of bytes already answers.
func tooLong(s string, most int) bool {
	return len(s) > most && javaLength(s) > most
}

// cutAfter splits s after at most n UTF-16 units.
func cutAfter(s string, n int) (head, tail string) {
	units := 0
	for i, r := range s {
		units++
		if r > 0xFFFF {
			units++
		}
		if units > n {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// hasLineBreak reports whether s holds a character at which SEND's patterns end a
// line: \n, \r, U+0085, U+2028, U+2029.
func hasLineBreak(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case '\n', '\r':
			return true
		case 0xC2: // U+0085 is C2 85
			if i+1 < len(s) && s[i+1] == 0x85 {
				return true
			}
		case 0xE2: // U+2028 and U+2029 are E2 80 A8 and E2 80 A9
			if i+2 < len(s) && s[i+1] == 0x80 && (s[i+2] == 0xA8 || s[i+2] == 0xA9) {
				return true
			}
		}
	}
	return false
}

// isBroken reports whether s holds the character that decoders put in place of
// what they cannot read, or bytes that are no text at all.
func isBroken(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.ContainsRune(s, utf8.RuneError) || !utf8.ValidString(s)
		}
	}
	return false
}

// isPrintableASCII is SEND's pattern for tokens and groups.
func isPrintableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// outside collects the characters of s that ok refuses, each once, ready to be
// shown: visible ones between quotation marks, others by number. "" when there is
// none.
func outside(s string, ok func(rune) bool) string {
	var found []rune
	for _, r := range s {
		if !ok(r) && !strings.ContainsRune(string(found), r) {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return ""
	}
	shown := make([]string, len(found))
	for i, r := range found {
		shown[i] = showRune(r)
	}
	return strings.Join(shown, " ")
}

func showRune(r rune) string {
	if r <= ' ' || (r >= 0x7F && r <= 0xA0) || r == 0xAD || (r >= 0x2000 && r <= 0x200F) || (r >= 0x2028 && r <= 0x202F) {
		return fmt.Sprintf("U+%04X", r)
	}
	return "«" + string(r) + "»"
}

// isDenominationRune is SEND's set for names and "presso": ISO-Latin-1 without
// control characters, and without the vertical bar.
func isDenominationRune(r rune) bool {
	return (r >= 0x20 && r <= 0x7E && r != '|') || (r >= 0xA0 && r <= 0xFF)
}

// isStrictAddressRune is the set of SEND's strict address profile.
func isStrictAddressRune(r rune) bool {
	switch {
	case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z':
		return true
	}
	return strings.ContainsRune("@_./ '-", r)
}

// every reports whether ok accepts every character of s; ASCII-only text costs no
// decoding.
func every(s string, ok func(rune) bool) bool {
	for _, r := range s {
		if !ok(r) {
			return false
		}
	}
	return true
}

// hasPrefixFold is strings.HasPrefix without regard to case.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
