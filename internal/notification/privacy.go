package notification

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// personalData warns where subject or abstract hold what must not stand there: they
// travel in courtesy messages. A tax code is known by its pattern, a person by all
// the words of the name standing in the text.
func (c *checker) personalData(r *Request) {
	c.personalText(r, "subject", r.Subject)
	c.personalText(r, "abstract", r.Abstract)
}

func (c *checker) personalText(r *Request, field, text string) {
	if text == "" {
		return
	}
	if code := findTaxID(text); code != "" {
		c.add("C-PERSONAL-TAXID", field, "value", code)
	}
	var folded string
	for i := range r.Recipients {
		p := &r.Recipients[i]
		if p.RecipientType != NaturalPerson || !mayHold(text, p.Denomination) {
			continue
		}
		if folded == "" {
			folded = " " + foldPlace(text) + " "
		}
		if holdsName(folded, p.Denomination) {
			c.add("C-PERSONAL-NAME", field, "value", p.Denomination)
		}
	}
}

// findTaxID gives the first personal tax code that stands in text as a word.
func findTaxID(text string) string {
	start := -1
	for i := 0; i <= len(text); i++ {
		if i < len(text) && (isAlphanumeric(text[i]) || text[i] >= utf8.RuneSelf) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 && i-start == personalTaxIDLength {
			if word := strings.ToUpper(text[start:i]); personalForm(word) {
				return text[start:i]
			}
		}
		start = -1
	}
	return ""
}

// mayHold is a cheap look before texts are folded: the first letters of the name's
// longest word, if they are ASCII, must occur in text.
func mayHold(text, name string) bool {
	longest := ""
	for w := range strings.FieldsSeq(name) {
		if len(w) > len(longest) {
			longest = w
		}
	}
	if len(longest) < 3 {
		return longest != ""
	}
	a, b := longest[0], longest[1]
	if a >= utf8.RuneSelf || b >= utf8.RuneSelf {
		return true
	}
	for i := 0; i+1 < len(text); i++ {
		if text[i]|0x20 == a|0x20 && (text[i+1]|0x20 == b|0x20 || text[i+1] >= utf8.RuneSelf) {
			return true
		}
	}
	return false
}

// holdsName reports whether every word of a name of at least two words stands in
// the folded text, which has a blank at both ends. One word alone ("ROSSI") says
// too little: it may be a street or a colour.
func holdsName(folded, name string) bool {
	words := strings.FieldsFunc(foldPlace(name), unicode.IsSpace)
	if len(words) < 2 {
		return false
	}
	for _, w := range words {
		if !strings.Contains(folded, " "+w+" ") {
			return false
		}
	}
	return true
}
