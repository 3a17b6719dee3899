package notification

import "strings"

// strictChars says which parts of an address hold characters that the strict
// profile refuses and the printer replaces, with a spelling that is safe.
func (c *checker) strictChars(at spot, parts []addressPart) {
	code := "C-ADDRESS-CHARS"
	if c.rules.StrictAddress {
		code = "C-ADDRESS-STRICT"
	}
	for i := range parts {
		if p := &parts[i]; !every(p.value, isStrictAddressRune) {
			c.add(code, at.field(p.leaf), "what", p.what.in(c.rules.Lang),
				"chars", outside(p.value, isStrictAddressRune), "suggestion", Transliterate(p.value))
		}
	}
}

// envelope says what is cut from the rows that are printed. Each has 44 characters:
// name; rest of the name and "presso"; address details and municipality details;
// address; CAP, municipality and province; state. With StrictAddress the rows of
// the strict profile, which SEND refuses when they are too long, are judged instead.
//
// Source: send-validation.md, 1.3.
func (c *checker) envelope(at spot, p *Recipient) {
	a := p.PhysicalAddress
	if c.rules.StrictAddress {
		for _, row := range [...]struct{ leaf, text string }{
			{"municipalityDetails", join(a.At, a.MunicipalityDetails)},
			{"addressDetails", strings.TrimSpace(a.AddressDetails)},
			{"address", strings.TrimSpace(a.Address)},
			{"municipality", join(a.Zip, a.Municipality, a.Province)},
			{"foreignState", strings.TrimSpace(a.ForeignState)},
		} {
			c.row("C-ROW-STRICT", at, row.leaf, row.text)
		}
		return
	}
	first, rest := cutAfter(strings.TrimSpace(p.Denomination), printedRow)
	if rest != "" {
		c.add("C-NAME-SPLIT", atRecipient(at.recipient).field("denomination"), "first", first, "rest", rest)
	}
	for _, row := range [...]struct{ leaf, text string }{
		{"at", join(rest, a.At)},
		{"addressDetails", join(a.AddressDetails, a.MunicipalityDetails)},
		{"address", strings.TrimSpace(a.Address)},
		{"municipality", join(a.Zip, a.Municipality, a.Province)},
		{"foreignState", strings.TrimSpace(a.ForeignState)},
	} {
		c.row("C-ROW-CUT", at, row.leaf, row.text)
	}
}

func (c *checker) row(code string, at spot, leaf, text string) {
	if len(text) <= printedRow { // bytes bound characters from above
		return
	}
	if printed, lost := cutAfter(text, printedRow); lost != "" {
		c.add(code, at.field(leaf), "row", text, "printed", strings.TrimSpace(printed), "lost", strings.TrimSpace(lost), "length", itoa(javaLength(text)), "max", itoa(printedRow))
	}
}

// join puts the parts that are there side by side with one blank between them.
// Where together they cannot fill a row there is nothing to judge, and no text is
// made.
func join(parts ...string) string {
	total, filled := 0, 0
	for _, p := range parts {
		if p != "" {
			total += len(p) + 1
			filled++
		}
	}
	if total <= printedRow || filled == 0 {
		return ""
	}
	var b strings.Builder
	for _, p := range parts {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p)
	}
	return b.String()
}
