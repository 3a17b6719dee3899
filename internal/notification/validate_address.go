package notification

import (
	"strings"
)

// addressPart is one field of an address with what is asked of it.
type addressPart struct {
	leaf, value string
	least, most int
	what        label
}

func (c *checker) address(at spot, p *Recipient) {
	a := p.PhysicalAddress
	parts := [...]addressPart{
		{"at", a.At, 0, maxAt, labelAt},
		{"address", a.Address, 2, maxAddress, labelStreet},
		{"addressDetails", a.AddressDetails, 0, maxAddress, labelDetails},
		{"zip", a.Zip, 0, maxZip, labelZip},
		{"municipality", a.Municipality, 2, maxPlace, labelTown},
		{"municipalityDetails", a.MunicipalityDetails, 0, maxPlace, labelTownDetails},
		{"province", a.Province, 0, maxPlace, labelProvince},
		{"foreignState", a.ForeignState, 0, maxPlace, labelState},
	}
	before := len(c.problems)
	for i := range parts {
		c.addressPart(at, &parts[i])
	}
	if !every(a.At, isDenominationRune) && !hasLineBreak(a.At) {
		c.latinOnly(at, "at", a.At, labelAt)
	}
	if !isZipForm(a.Zip) {
		c.add("C-ZIP-CHARS", at.field("zip"), "value", a.Zip)
	}
	if isItaly(a.ForeignState) {
		c.italian(at, a)
	} else if !IsKnownState(a.ForeignState) {
		c.add("C-STATE-UNKNOWN", at.field("foreignState"), "value", a.ForeignState)
	}
	c.street(at, a)
	if Errors(c.problems[before:]) {
		return // the envelope is worth a look only when the parts are sound
	}
	c.strictChars(at, parts[:])
	c.envelope(at, p)
}

func (c *checker) addressPart(at spot, part *addressPart) {
	if part.least > 0 {
		if !c.required(at, part.leaf, part.value, part.what) {
			return
		}
		if len(part.value) < 2*part.least && javaLength(part.value) < part.least {
			c.add("C-TOO-SHORT", at.field(part.leaf), "what", part.what.in(c.rules.Lang), "value", part.value, "min", itoa(part.least))
		}
	}
	c.line(at, part.leaf, part.value, part.most, part.what)
}

// isZipForm is SEND's pattern: letters, digits, underscore, blank, hyphen.
func isZipForm(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '_' && c != ' ' && c != '-' {
			return false
		}
	}
	return true
}

// isItaly is SEND's reading of the state (blank, or beginning with ITAL), and the
// two abbreviations that a person would take for it.
func isItaly(state string) bool {
	state = strings.TrimSpace(state)
	return state == "" || hasPrefixFold(state, "ITAL") || strings.EqualFold(state, "ITA") || strings.EqualFold(state, "IT")
}

func (c *checker) italian(at spot, a *PhysicalAddress) {
	if s := strings.TrimSpace(a.ForeignState); s != "" && !strings.EqualFold(s, "ITALIA") && !strings.EqualFold(s, "ITALY") {
		c.add("C-STATE-ITALY", at.field("foreignState"), "value", a.ForeignState)
	}
	if state := enclave(a); state != "" {
		c.add("C-STATE-ENCLAVE", at.field("foreignState"), "state", state)
		if strings.TrimSpace(a.Province) == "" {
			c.add("C-PROVINCE-MISSING", at.field("province"))
		}
		return
	}
	zip := strings.TrimSpace(a.Zip)
	switch {
	case zip == "":
		c.add("C-CAP-MISSING", at.field("zip"))
	case !isCAP(a.Zip) || zip == "00000":
		c.add("C-CAP", at.field("zip"), "value", a.Zip)
	case isGenericCAP(zip):
		c.add("C-CAP-GENERIC", at.field("zip"), "value", zip, "town", a.Municipality)
	}
	if strings.Contains(a.Municipality, "@") {
		c.add("C-TOWN-AT", at.field("municipality"), "value", a.Municipality)
	}
	code := c.province(at, a.Province)
	if c.rules.Places != nil && isCAP(a.Zip) && code != "" && !isGenericCAP(zip) {
		c.plausible(at, a, code)
	}
}

// enclave names the state whose address was given as an Italian one: San Marino
// and the Vatican have Italian postal codes but are states of their own.
func enclave(a *PhysicalAddress) string {
	switch {
	case strings.HasPrefix(a.Zip, "4789") && len(a.Zip) == 5, strings.EqualFold(strings.TrimSpace(a.Province), "RSM"):
		return "SAN MARINO"
	case a.Zip == "00120":
		return "CITTA' DEL VATICANO"
	}
	return ""
}

// province judges the province of an Italian address and gives its code, "" when
// there is none to compare with.
func (c *checker) province(at spot, province string) string {
	value := strings.TrimSpace(province)
	if value == "" {
		c.add("C-PROVINCE-MISSING", at.field("province"))
		return ""
	}
	if IsProvince(value) {
		return value
	}
	if code := ProvinceOfName(value); code != "" {
		c.add("C-PROVINCE-NAME", at.field("province"), "value", value, "suggestion", code)
		return code
	}
	if len(value) == 2 {
		// The official suite leaves a two-letter code that does not exist to the
		// normaliser, which mends some (abolished provinces) and refuses others.
		c.add("C-PROVINCE-UNKNOWN", at.field("province"), "value", value)
	} else {
		c.add("C-PROVINCE", at.field("province"), "value", value)
	}
	return ""
}

func (c *checker) plausible(at spot, a *PhysicalAddress, province string) {
	places := c.rules.Places
	if places.Has(a.Zip, a.Municipality, province) ||
		(a.MunicipalityDetails != "" && places.Has(a.Zip, a.MunicipalityDetails, province)) {
		return
	}
	hint := places.Hint(c.rules.Lang, a.Zip, a.Municipality, province)
	if hint == "" {
		hint = word(c.rules.Lang, "la tabella non conosce né il CAP né il comune", "the table knows neither the postal code nor the town")
	}
	c.add("C-PLACE", at.field("municipality"), "zip", a.Zip, "town", a.Municipality, "province", province, "hint", hint)
}

func (c *checker) street(at spot, a *PhysicalAddress) {
	street := strings.TrimSpace(a.Address)
	if street == "" {
		return
	}
	if a.Municipality != "" && foldsTo(street, a.Municipality) {
		c.add("C-ADDRESS-TOWN", at.field("address"), "value", street)
		return
	}
	if !hasHouseNumber(street) && !hasHouseNumber(a.AddressDetails) && isItaly(a.ForeignState) && !strings.Contains(street, "@") {
		c.add("C-HOUSE-NUMBER", at.field("address"), "value", street)
	}
}

// foldsTo compares two place names, cheaply where their first letters differ.
func foldsTo(a, b string) bool {
	if a[0] < 0x80 && b[0] < 0x80 && !strings.EqualFold(a[:1], b[:1]) {
		return false
	}
	return foldPlace(a) == foldPlace(b)
}

// hasHouseNumber accepts a digit, "senza numero civico" and a distance in km; an
// address with an at sign is one of the test environment's keywords.
func hasHouseNumber(s string) bool {
	if strings.ContainsAny(s, "0123456789") {
		return true
	}
	s = strings.ToUpper(s)
	for _, sign := range [...]string{"SNC", "S.N.C", "S.N.", "S/N", "SENZA NUMERO", "KM"} {
		if strings.Contains(s, sign) {
			return true
		}
	}
	return false
}
