package reader

import (
	"io"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// sampleWords bounds the words with accents that are weighed.
const sampleWords = 4000

// evidence is what the accented words of a file say about one encoding.
type evidence struct {
	good, bad int
	example   string // the first word that speaks against it
}

func (e evidence) net() int { return e.good - e.bad }

// accentedWords collects the words around bytes above 0x7f.
func accentedWords(r io.Reader) ([][]byte, error) {
	var words [][]byte
	buf := make([]byte, 64<<10)
	var word []byte
	accented := false
	for {
		n, err := r.Read(buf)
		for _, b := range buf[:n] {
			if b >= utf8.RuneSelf || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' {
				if len(word) < 64 {
					word = append(word, b)
				}
				accented = accented || b >= utf8.RuneSelf
				continue
			}
			if accented {
				words = append(words, append([]byte(nil), word...))
			}
			word, accented = word[:0], false
		}
		if err == io.EOF || len(words) >= sampleWords {
			if accented {
				words = append(words, append([]byte(nil), word...))
			}
			return words, nil
		}
		if err != nil {
			return words, err
		}
	}
}

// weigh reads the words in an encoding and counts what a text of Italian names and
// streets would hold (accents where they belong) and what it would not (drawing
// characters inside words, capitals after small letters, holes of the encoding).
func weigh(words [][]byte, cm *charmap.Charmap) evidence {
	var e evidence
	var text []rune
	for _, w := range words {
		text = text[:0]
		for _, b := range w {
			text = append(text, runeOf(cm, b))
		}
		bad := e.bad
		for i, r := range text {
			if r >= utf8.RuneSelf {
				e.add(text, i, r)
			}
		}
		if e.bad > bad && e.example == "" {
			e.example = string(text)
		}
	}
	return e
}

func (e *evidence) add(text []rune, i int, r rune) {
	var before, after rune
	if i > 0 {
		before = text[i-1]
	}
	if i+1 < len(text) {
		after = text[i+1]
	}
	switch {
	case r == utf8.RuneError || unicode.IsControl(r):
		e.bad += 3
	case unicode.IsLetter(r) && r != 'ª' && r != 'º':
		e.letter(r, before, after)
	case r == '°' || r == 'ª' || r == 'º' || r == '€' || r == '’' || r == '‘':
		e.good++
	case r == '\u00a0' || r == '“' || r == '”' || r == '«' || r == '»' || r == '§':
	case unicode.IsLetter(before): // a sign glued to a word: citt…, Ges—, Niccol•
		e.bad++
	case r == '…' || r == '–' || r == '—' || r == '•':
	default:
		e.bad++
	}
}

// letter weighs an accented letter by its neighbours.
func (e *evidence) letter(r, before, after rune) {
	capitalInside := unicode.IsUpper(r) && unicode.IsLower(before)
	smallInside := unicode.IsLower(r) && unicode.IsUpper(before) && (unicode.IsUpper(after) || after == 0) && r != 'ß'
	switch {
	case capitalInside || smallInside:
		e.bad += 2
	case containsRune("àèéìòùÀÈÉÌÒÙ", r):
		e.good += 2
	case containsRune("äöüßÄÖÜçÇâêîôûÂÊÎÔÛëïËÏñÑáíóúÁÍÓÚšžŠŽčćđČĆĐ", r):
		e.good++
	default:
		e.bad++
	}
}

func containsRune(set string, r rune) bool {
	for _, s := range set {
		if s == r {
			return true
		}
	}
	return false
}

// mostlyUTF8 reports whether the accented words are UTF-8 with few exceptions.
func mostlyUTF8(words [][]byte) bool {
	valid := 0
	for _, w := range words {
		if utf8.Valid(w) {
			valid++
		}
	}
	return valid > 0 && valid*2 > len(words)
}

// likelier returns the encoding that fits the words clearly better than the chosen
// one, "" if the chosen one may stand. Only words that speak against the chosen
// encoding can overturn it.
func likelier(words [][]byte, chosen string) (name, example string) {
	now := weigh(words, charmapOf(chosen))
	if now.bad <= now.good {
		return "", ""
	}
	best := now.net()
	if best < 0 {
		best = 0
	}
	for _, candidate := range []string{"windows-1252", "cp850", "cp437", "iso-8859-15"} {
		if candidate == chosen {
			continue
		}
		if e := weigh(words, charmapOf(candidate)); e.net() > best {
			name, best = candidate, e.net()
		}
	}
	return name, now.example
}
