package notification

import (
	"strings"
)

func (c *checker) recipient(r *Request, i int) {
	p := &r.Recipients[i]
	at := atRecipient(i)
	c.enum(at, "recipientType", p.RecipientType, labelKind, NaturalPerson, LegalPerson)
	c.taxID(at, p)
	for j := range i {
		if p.TaxID != "" && r.Recipients[j].TaxID == p.TaxID {
			c.add("C-TAXID-DUPLICATE", at.field("taxId"), "value", p.TaxID, "other", itoa(j+1), "this", itoa(i+1))
			break
		}
	}
	c.denomination(at, p)
	if d := p.DigitalDomicile; d != nil {
		c.domicile(at.in("digitalDomicile."), d)
	}
	switch {
	case p.PhysicalAddress != nil:
		c.address(at.in("physicalAddress."), p)
	case !c.rules.AddressLookup:
		c.add("C-ADDRESS-MISSING", at.field("physicalAddress"))
	}
	c.payments(r, i)
}

func (c *checker) taxID(at spot, p *Recipient) {
	id := p.TaxID
	if !c.required(at, "taxId", id, labelTaxID) {
		return
	}
	field := func() string { return at.field("taxId") }
	numeric := allDigits(id)
	switch {
	case !numeric && !personalForm(id), numeric && len(id) != numericTaxIDLength:
		c.taxIDForm(field(), p)
	case p.RecipientType == NaturalPerson && numeric:
		c.add("C-TAXID-PF-NUMERIC", field(), "value", id)
	case p.RecipientType == LegalPerson && !numeric:
		c.add("C-TAXID-PG-PERSONAL", field(), "value", id)
	case c.allowed(id): // its check character does not count
	case numeric:
		switch CheckNumericTaxID(id) {
		case TaxIDZero:
			c.add("C-TAXID-ZERO", field())
		case TaxIDCheck:
			c.add("C-TAXID-CHECK", field(), "value", id, "expected", string(numericCheckDigit(id)), "found", id[10:])
		}
	default:
		switch CheckPersonalTaxID(id) {
		case TaxIDMonth:
			c.add("C-TAXID-MONTH", field(), "value", id, "letter", id[8:9])
		case TaxIDCheck:
			c.add("C-TAXID-CHECK", field(), "value", id, "expected", string(personalCheckLetter(id)), "found", id[15:])
		case TaxIDDay:
			c.add("C-TAXID-DAY", field(), "value", id)
		}
	}
}

// taxIDForm names the likeliest reason why a code has not the form of one: a lost
// leading zero and blanks or small letters are what spreadsheets and typing do.
func (c *checker) taxIDForm(field string, p *Recipient) {
	id := p.TaxID
	if tidy := strings.ToUpper(strings.Join(strings.Fields(id), "")); tidy != id && (personalForm(tidy) || (allDigits(tidy) && len(tidy) == numericTaxIDLength)) {
		c.add("C-TAXID-SPELLING", field, "value", id, "suggestion", tidy)
		return
	}
	if allDigits(id) && len(id) < numericTaxIDLength && len(id) >= 7 {
		padded := strings.Repeat("0", numericTaxIDLength-len(id)) + id
		if CheckNumericTaxID(padded) == TaxIDSound {
			c.add("C-TAXID-ZEROS-LOST", field, "value", id, "suggestion", padded)
			return
		}
	}
	c.add("C-TAXID-FORM", field, "value", id, "length", itoa(javaLength(id)))
}

func (c *checker) denomination(at spot, p *Recipient) {
	name := p.Denomination
	if !c.required(at, "denomination", name, labelName) {
		return
	}
	c.line(at, "denomination", name, maxDenomination, labelName)
	if hasLineBreak(name) || isBroken(name) {
		return // said already
	}
	c.latinOnly(at, "denomination", name, labelName)
}

func (c *checker) latinOnly(at spot, leaf, value string, what label) {
	if every(value, isDenominationRune) {
		return
	}
	c.add("C-CHARS", at.field(leaf), "what", what.in(c.rules.Lang), "chars", outside(value, isDenominationRune),
		"suggestion", keepLatin(value))
}

// keepLatin replaces only what the name set does not hold, so that the rest of a
// name stays as it is written.
func keepLatin(s string) string {
	var b strings.Builder
	for _, r := range s {
		if isDenominationRune(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(latin(r))
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (c *checker) domicile(at spot, d *DigitalDomicile) {
	c.enum(at, "type", d.Type, labelPECType, "PEC")
	if !c.required(at, "address", d.Address, labelPEC) {
		return
	}
	if tooLong(d.Address, maxPEC) {
		c.line(at, "address", d.Address, maxPEC, labelPEC)
		return
	}
	switch {
	case !isEmail(d.Address):
		c.add("C-PEC", at.field("address"), "value", d.Address)
	case isOrdinaryMailbox(d.Address):
		c.add("C-PEC-ORDINARY", at.field("address"), "value", d.Address)
	}
}
