package mapping

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

func itoa(i int) string { return strconv.Itoa(i) }

// maxCents is the largest amount SEND takes: its field is a 32-bit integer.
const maxCents = 1<<31 - 1

// errAmount says that a text is no amount in the notation named; errAmbiguous that it
// reads differently in the two notations and the file does not tell which is meant.
var (
	errAmount    = errors.New("not an amount")
	errAmbiguous = errors.New("ambiguous amount")
)

// currency is what people write around an amount. It is read-only.
var currency = strings.NewReplacer("€", "", "EUR", "", "Eur", "", "eur", "", "\u00a0", " ", "\u202f", " ")

// amountToCents reads an amount. notation is it (1.234,50), en (1,234.50) or cents
// (an integer). Thousands separators must stand where they belong, so that an amount
// in the other notation is refused and never taken for a hundred times itself;
// negative amounts are refused too.
func amountToCents(text, notation string) (int, error) {
	s := text
	if n := len(s); n == 0 || s[0] < '0' || s[0] > '9' || s[n-1] < '0' || s[n-1] > '9' {
		s = strings.TrimPrefix(strings.TrimSpace(currency.Replace(s)), "+")
	}
	switch notation {
	case "cents":
		return centsOf(s, "")
	case "en":
		return decimalToCents(s, '.', ',')
	default:
		return decimalToCents(s, ',', '.')
	}
}

func decimalToCents(s string, point, thousands byte) (int, error) {
	whole, fraction, hasFraction := strings.Cut(s, string(rune(point)))
	if hasFraction && (len(fraction) == 0 || len(fraction) > 2 || !digits(fraction)) {
		return 0, errAmount
	}
	if strings.IndexByte(whole, thousands) >= 0 {
		groups := strings.Split(whole, string(rune(thousands)))
		for i, g := range groups {
			if i > 0 && len(g) != 3 || i == 0 && (len(g) < 1 || len(g) > 3 || g == "0") {
				return 0, errAmount
			}
		}
		whole = strings.Join(groups, "")
	}
	return centsOf(whole, (fraction + "00")[:2])
}

func centsOf(whole, fraction string) (int, error) {
	if whole == "" || !digits(whole) {
		return 0, errAmount
	}
	n, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil || n > maxCents {
		return 0, errAmount
	}
	return int(n), nil
}

// numberToCents reads a number that a typed file gives: always with a decimal point.
// More than two decimals are accepted only where they are zeros: 12.5 and 12.500 are
// money, 12.345 is not.
func numberToCents(text, notation string) (int, error) {
	if notation == "cents" {
		return centsOf(text, "")
	}
	if whole, fraction, ok := strings.Cut(text, "."); ok {
		if fraction = strings.TrimRight(fraction, "0"); fraction == "" {
			text = whole
		} else {
			text = whole + "." + fraction
		}
	}
	return decimalToCents(text, '.', ',')
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// datePattern is a parsed pattern: fields and the text between them.
type datePattern struct {
	parts []datePart
	text  string
}

type datePart struct {
	kind  byte // 'd', 'm', 'y', or 0 for literal text
	width int
	text  string
}

// parseDatePattern reads patterns such as gg/mm/aaaa, aaaammgg, d-m-yy: Italian g/m/a
// or English d/m/y, one or two letters for day and month, two or four for the year.
func parseDatePattern(pattern string) (datePattern, error) {
	p := datePattern{text: pattern}
	letters := map[byte]byte{'g': 'd', 'd': 'd', 'm': 'm', 'a': 'y', 'y': 'y', 'G': 'd', 'D': 'd', 'M': 'm', 'A': 'y', 'Y': 'y'}
	seen := map[byte]bool{}
	for i := 0; i < len(pattern); {
		kind := letters[pattern[i]]
		n := 1
		for i+n < len(pattern) && letters[pattern[i+n]] == kind {
			n++
		}
		part := datePart{kind: kind, width: n, text: pattern[i : i+n]}
		if kind != 0 {
			if seen[kind] || kind == 'y' && n != 2 && n != 4 || kind != 'y' && n > 2 {
				return p, fmt.Errorf("not a date pattern: %q; write for instance gg/mm/aaaa, aaaammgg or gg-mm-aa", pattern)
			}
			seen[kind] = true
		}
		p.parts = append(p.parts, part)
		i += n
	}
	if len(seen) != 3 {
		return p, fmt.Errorf("not a date pattern: %q; day, month and year must be in it, for instance gg/mm/aaaa", pattern)
	}
	return p, p.adjacent()
}

// adjacent refuses one-letter fields that touch the next: 1112026 has two readings.
func (p datePattern) adjacent() error {
	for i := 0; i+1 < len(p.parts); i++ {
		if p.parts[i].kind != 0 && p.parts[i+1].kind != 0 && (p.parts[i].width == 1 || p.parts[i+1].width == 1) {
			return fmt.Errorf("date pattern %q: fields that touch need two letters", p.text)
		}
	}
	return nil
}

var errDate = errors.New("not a date of this pattern")

// parse reads a date of the pattern into 2006-01-02. Days must exist. A time of day
// of zeros after the date is let pass, since programs add it to dates. Two-digit
// years are of this century.
func (p datePattern) parse(text string) (string, error) {
	rest := text
	var day, month, year int
	for _, part := range p.parts {
		if part.kind == 0 {
			if !strings.HasPrefix(rest, part.text) {
				return "", errDate
			}
			rest = rest[len(part.text):]
			continue
		}
		n := part.digitsOf(rest)
		if n == 0 {
			return "", errDate
		}
		value, _ := strconv.Atoi(rest[:n])
		rest = rest[n:]
		switch part.kind {
		case 'd':
			day = value
		case 'm':
			month = value
		default:
			if year = value; part.width == 2 {
				year += 2000
			}
		}
	}
	if !midnight(rest) || year < 1900 || year > 2200 {
		return "", errDate
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if date.Day() != day || int(date.Month()) != month {
		return "", errDate
	}
	return date.Format(time.DateOnly), nil
}

// digitsOf is how many digits of text the field takes, 0 if they do not fit.
func (d datePart) digitsOf(text string) int {
	n := 0
	limit := max(d.width, 2)
	for n < len(text) && n < limit && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	if n == 0 || d.width >= 2 && n != d.width {
		return 0
	}
	return n
}

// midnight reports whether what follows a date is nothing or a time of zeros.
func midnight(rest string) bool {
	rest = strings.TrimLeft(rest, " T")
	return strings.Trim(rest, "0:.") == "" && len(rest) <= 12
}

// isoDate is the pattern of dates without one.
var isoDate = datePattern{text: "aaaa-mm-gg", parts: []datePart{{'y', 4, ""}, {0, 1, "-"}, {'m', 2, ""}, {0, 1, "-"}, {'d', 2, ""}}}

// truth reads yes and no as clerks and programs write them.
func truth(text string) (value, ok bool) {
	switch strings.ToUpper(text) {
	case "SI", "SÌ", "S", "VERO", "TRUE", "YES", "Y", "1", "X":
		return true, true
	case "NO", "N", "FALSO", "FALSE", "0":
		return false, true
	}
	return false, false
}
