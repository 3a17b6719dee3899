package notification

// TaxIDFault says what is wrong with a tax code; "" is none.
type TaxIDFault string

// The faults of tax codes. TaxIDDay is only worth a warning: SEND does not look at
// the day of birth.
const (
	TaxIDSound TaxIDFault = ""
	TaxIDForm  TaxIDFault = "form"  // not the characters or the length
	TaxIDMonth TaxIDFault = "month" // ninth character is no month letter
	TaxIDCheck TaxIDFault = "check" // check character does not fit
	TaxIDZero  TaxIDFault = "zero"  // eleven zeros, which pass the arithmetic
	TaxIDDay   TaxIDFault = "day"   // day outside 1-31 and 41-71
)

// Values of characters at odd positions (1-based) of a personal tax code, by
// digit or by letter.
const (
	oddDigits  = "\x01\x00\x05\x07\x09\x0d\x0f\x11\x13\x15"
	oddLetters = "\x01\x00\x05\x07\x09\x0d\x0f\x11\x13\x15\x02\x04\x12\x14\x0b\x03\x06\x08\x0c\x0e\x10\x0a\x16\x19\x18\x17"
)

// CheckPersonalTaxID judges a tax code of a natural person, 16 upper-case
// characters, omocodes included: any of the seven digits may be written as its
// letter, and the check letter counts the characters as written. Neither the place
// code nor agreement with a name is judged.
//
// Source: send-validation.md, 4.1.
func CheckPersonalTaxID(code string) TaxIDFault {
	if !personalForm(code) {
		return TaxIDForm
	}
	if !isMonthLetter(code[8]) {
		return TaxIDMonth
	}
	if personalCheckLetter(code) != code[15] {
		return TaxIDCheck
	}
	if day := int(omocodeDigit(code[9]))*10 + int(omocodeDigit(code[10])); day < 1 || day > 71 || (day > 31 && day < 41) {
		return TaxIDDay
	}
	return TaxIDSound
}

// personalForm is the gateway's own pattern, which accepts any letter as month.
func personalForm(code string) bool {
	if len(code) != personalTaxIDLength {
		return false
	}
	for i := range len(code) {
		switch i {
		case 6, 7, 9, 10, 12, 13, 14:
			if omocodeDigit(code[i]) > 9 {
				return false
			}
		default:
			if !isUpper(code[i]) {
				return false
			}
		}
	}
	return true
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

func isMonthLetter(c byte) bool {
	switch c {
	case 'A', 'B', 'C', 'D', 'E', 'H', 'L', 'M', 'P', 'R', 'S', 'T':
		return true
	}
	return false
}

// omocodeDigit is the digit that a character of a digit position stands for, or
// 255 for a character that may not stand there.
func omocodeDigit(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case c >= 'L' && c <= 'N':
		return c - 'L'
	case c >= 'P' && c <= 'V':
		return c - 'P' + 3
	}
	return 255
}

// personalCheckLetter computes the 16th character from the first 15, which must
// be digits and upper-case letters.
func personalCheckLetter(code string) byte {
	sum := 0
	for i := range personalTaxIDLength - 1 {
		c := code[i]
		switch odd := i%2 == 0; { // positions are counted from 1
		case odd && isDigit(c):
			sum += int(oddDigits[c-'0'])
		case odd:
			sum += int(oddLetters[c-'A'])
		case isDigit(c):
			sum += int(c - '0')
		default:
			sum += int(c - 'A')
		}
	}
	return byte('A' + sum%26)
}

// CheckNumericTaxID judges an 11-digit code: partita IVA, numeric tax code of a
// body, provisional code of a person; the arithmetic is the same.
//
// Source: send-validation.md, 4.2.
func CheckNumericTaxID(code string) TaxIDFault {
	if len(code) != numericTaxIDLength || !allDigits(code) {
		return TaxIDForm
	}
	if code == "00000000000" {
		return TaxIDZero
	}
	if numericCheckDigit(code) != code[10] {
		return TaxIDCheck
	}
	return TaxIDSound
}

// numericCheckDigit computes the 11th digit from the first ten.
func numericCheckDigit(code string) byte {
	total := 0
	for i := range numericTaxIDLength - 1 {
		d := int(code[i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		total += d
	}
	return byte('0' + (10-total%10)%10)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
