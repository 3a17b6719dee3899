package simulator

import (
	"regexp"
	"slices"
	"strings"
)

var personPattern = regexp.MustCompile(`^[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$`)

// oddValues are the weights of the characters in odd places: the value of a
// digit d or of the letter in place d is the position of the character in the
// alphabet.
const oddValues = "BAFHJNPRTVCESULDGIMOQKWZYX"

// validPerson checks the form and the check letter of a personal tax code.
func validPerson(code string) bool {
	if !personPattern.MatchString(code) {
		return false
	}
	sum := 0
	for i := range 15 {
		v := int(code[i] - '0')
		if code[i] >= 'A' {
			v = int(code[i] - 'A')
		}
		if i%2 == 0 {
			v = int(oddValues[v] - 'A')
		}
		sum += v
	}
	return code[15] == byte('A'+sum%26)
}

// validElevenDigits checks the check digit of a company's or body's tax code.
func validElevenDigits(code string) bool {
	if len(code) != 11 {
		return false
	}
	sum := 0
	for i := range 11 {
		v := int(code[i] - '0')
		if v < 0 || v > 9 {
			return false
		}
		if i%2 == 1 {
			v *= 2
			if v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// taxIDFault is the text for a recipient's tax id, "" if it is good.
func (s *Simulator) taxIDFault(r *reqRecipient, index string) string {
	if r.RecipientType == "PG" && !allDigits(r.TaxID) {
		return "SEND accepts only numerical taxId for PG recipient " + index
	}
	invalid := "Invalid taxId for recipient " + index
	if slices.Contains(s.opt.BlackList, r.TaxID) || slices.Contains(s.opt.UnknownTaxIDs, r.TaxID) {
		return invalid
	}
	if slices.Contains(s.opt.WhiteList, r.TaxID) ||
		r.RecipientType == "PF" && validPerson(r.TaxID) ||
		r.RecipientType == "PG" && validElevenDigits(r.TaxID) {
		return ""
	}
	return invalid
}

func upper(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }
