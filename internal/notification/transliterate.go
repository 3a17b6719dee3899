package notification

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Transliterate writes s with the characters that SEND prints on an envelope
// without doubt (letters, digits, blank and @ _ . / ' -): an accent at the end of an
// Italian word becomes an apostrophe (NOVÀ -> NOVA'), other accents fall away,
// letters of other alphabets with a usual Latin spelling get it, a comma or a
// semicolon becomes a blank, "N°" becomes "N.", anything else is left out. Runs of
// blanks become one. The result never has more characters than a person can check
// at a glance; it is a suggestion, not a silent repair.
//
// Source: send-validation.md, 1.3 "strict address profile".
func Transliterate(s string) string {
	rs := []rune(norm.NFC.String(s))
	var b strings.Builder
	for i, r := range rs {
		switch {
		case r < unicode.MaxASCII && isStrictAddressRune(r):
			b.WriteRune(r)
		case isItalianAccent(r) && wordEndsAfter(rs, i):
			b.WriteString(base(r) + "'")
		default:
			b.WriteString(latin(r))
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// isItalianAccent tells the vowels that Italian accents at the end of a word.
func isItalianAccent(r rune) bool { return strings.ContainsRune("àèéìòùÀÈÉÌÒÙ", r) }

func wordEndsAfter(rs []rune, i int) bool {
	if i+1 == len(rs) {
		return true
	}
	next := rs[i+1]
	return !unicode.IsLetter(next) && !unicode.IsDigit(next) && next != '\''
}

// base is r without its diacritics, if what is left is ASCII.
func base(r rune) string {
	var b strings.Builder
	for _, c := range norm.NFKD.String(string(r)) {
		if c < unicode.MaxASCII && !unicode.IsControl(c) {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// latin is the usual ASCII spelling of a character that has no place in the
// strict set, "" for one without.
func latin(r rune) string {
	switch r {
	case ',', ';', ':', '\t', '\n', '\r', '(', ')', '"', '«', '»', '“', '”', '|', '\\', '+', '*', '=':
		return " "
	case '°', 'º':
		return "."
	case 'ª':
		return "a"
	case '’', '‘', '`', '´', 'ʼ':
		return "'"
	case '–', '—', '‐', '‑', '−':
		return "-"
	case '&':
		return "e"
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'Æ':
		return "AE"
	case 'œ':
		return "oe"
	case 'Œ':
		return "OE"
	case 'ø':
		return "o"
	case 'Ø':
		return "O"
	case 'đ', 'ð':
		return "d"
	case 'Đ', 'Ð':
		return "D"
	case 'ł':
		return "l"
	case 'Ł':
		return "L"
	case 'ı':
		return "i"
	case 'þ':
		return "th"
	case 'Þ':
		return "TH"
	case 'ħ':
		return "h"
	case 'Ħ':
		return "H"
	}
	if unicode.IsSpace(r) {
		return " "
	}
	var b strings.Builder
	for _, c := range base(r) {
		if isStrictAddressRune(c) {
			b.WriteRune(c)
		}
	}
	return b.String()
}
