package notification

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxPlacesLine and maxPlaces bound a table of places that is no such table.
const (
	maxPlacesLine = 4 << 10
	maxPlaces     = 500_000
)

// ErrPlaces is given by LoadPlaces for a file that is not a table of places.
var ErrPlaces = errors.New("not a table of places (CAP;locality;province)")

// Places is a table of (CAP, locality, province) for judging how plausible an
// Italian address is. It is read-only after LoadPlaces and safe for concurrent use.
type Places struct {
	known map[string]struct{} // key of placeKey
	byCAP map[string][]string // "LOCALITY (PR)", in the order of the table
	byLoc map[string][]string // folded locality and province -> CAPs
}

// LoadPlaces reads a CSV table with the columns CAP;locality;province, UTF-8, with
// or without heading and byte order mark; blank lines are skipped. An error wraps
// ErrPlaces and names the line, except for those of reading itself.
func LoadPlaces(r io.Reader) (*Places, error) {
	p := &Places{known: map[string]struct{}{}, byCAP: map[string][]string{}, byLoc: map[string][]string{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxPlacesLine), maxPlacesLine)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\uFEFF"))
		if line == "" {
			continue
		}
		cells := strings.Split(line, ";")
		if len(cells) < 3 {
			return nil, fmt.Errorf("line %d: %w", n, ErrPlaces)
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), `"`)
		}
		if !isCAP(cells[0]) {
			if n == 1 {
				continue // the heading
			}
			return nil, fmt.Errorf("line %d: %w: no CAP in the first column", n, ErrPlaces)
		}
		if len(p.known) >= maxPlaces {
			return nil, fmt.Errorf("line %d: %w: too many lines", n, ErrPlaces)
		}
		p.add(cells[0], cells[1], cells[2])
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	if len(p.known) == 0 {
		return nil, fmt.Errorf("%w: no lines", ErrPlaces)
	}
	return p, nil
}

func (p *Places) add(zip, locality, province string) {
	loc, prov := foldPlace(locality), strings.ToUpper(province)
	key := zip + ";" + loc + ";" + prov
	if _, ok := p.known[key]; ok {
		return
	}
	p.known[key] = struct{}{}
	p.byCAP[zip] = append(p.byCAP[zip], locality+" ("+prov+")")
	p.byLoc[loc+";"+prov] = append(p.byLoc[loc+";"+prov], zip)
}

// Len is the number of different places.
func (p *Places) Len() int { return len(p.known) }

// Has reports whether the table holds the three together. Case, accents,
// apostrophes and punctuation do not count; of a bilingual or compound name one
// part is enough.
func (p *Places) Has(zip, locality, province string) bool {
	province = strings.ToUpper(strings.TrimSpace(province))
	if _, ok := p.known[zip+";"+foldPlace(locality)+";"+province]; ok {
		return true
	}
	for _, part := range strings.FieldsFunc(locality, func(r rune) bool { return strings.ContainsRune("./-(),", r) }) {
		if _, ok := p.known[zip+";"+foldPlace(part)+";"+province]; ok {
			return true
		}
	}
	return false
}

// Hint names what the table has instead, for a message: places of that CAP, CAPs
// of that town; "" when it knows neither.
func (p *Places) Hint(lang Lang, zip, locality, province string) string {
	const most = 3
	var hints []string
	if here := p.byCAP[zip]; len(here) > 0 {
		hints = append(hints, word(lang, "il CAP ", "CAP ")+zip+word(lang, " è di ", " belongs to ")+some(here, most))
	}
	if zips := p.byLoc[foldPlace(locality)+";"+strings.ToUpper(strings.TrimSpace(province))]; len(zips) > 0 {
		hints = append(hints, locality+word(lang, " ha CAP ", " has CAP ")+some(zips, most))
	}
	return strings.Join(hints, "; ")
}

func some(all []string, most int) string {
	if len(all) > most {
		return strings.Join(all[:most], ", ") + "…"
	}
	return strings.Join(all, ", ")
}

func word(lang Lang, it, en string) string {
	if lang == English {
		return en
	}
	return it
}

// foldPlace makes spellings of a place name comparable: upper case, no accents, no
// apostrophes, every other run of punctuation and blanks one blank.
func foldPlace(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == '`', r == '´':
			// "Forlì", "FORLI'" and "Forli" are one place.
		case unicode.IsLetter(r), unicode.IsDigit(r):
			out = append(out, unicode.ToUpper(r))
		case len(out) > 0 && out[len(out)-1] != ' ':
			out = append(out, ' ')
		}
	}
	if n := len(out); n > 0 && out[n-1] == ' ' {
		out = out[:n-1]
	}
	return string(out)
}

// isCAP reports whether s has the form of an Italian postal code.
func isCAP(s string) bool { return len(s) == italianCAPLength && allDigits(s) }

// genericCAPs are the former city-wide codes of towns that are divided into postal
// zones; the normaliser refuses or replaces them. Source: public postal practice;
// send-validation.md, 2 "generic CAP".
var genericCAPs = []string{
	"00100", "06100", "09100", "10100", "15100", "16100", "19100", "20100", "24100", "25100", "29100",
	"30100", "34100", "35100", "37100", "38100", "40100", "41100", "42100", "43100", "44100", "47100", "47900", "48100",
	"50100", "56100", "57100", "60100", "61100", "65100", "70100", "71100", "74100", "80100", "84100", "89100",
	"90100", "95100", "98100",
}

func isGenericCAP(zip string) bool {
	_, found := slices.BinarySearch(genericCAPs, zip)
	return found
}
