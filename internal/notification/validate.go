package notification

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Validate judges r by every rule of SEND that can be known without asking it, and
// by what experience says will go wrong on paper. It gives all problems at once, in
// the order of SEND's fields; an error is something SEND would refuse (or bill and
// then refuse), a warning is left to the sender. Rules.Wire chooses between the form
// before upload and the one on the wire. r is not changed.
//
// Source: send-validation.md, whole; send-api.md, 3.
func Validate(r *Request, rules Rules) []Problem {
	c := checker{rules: &rules}
	c.head(r)
	c.fees(r)
	c.lists(r)
	c.personalData(r)
	for i := range r.Recipients {
		c.recipient(r, i)
	}
	c.noticesOnce(r)
	c.documents(r)
	return c.problems
}

// checker collects the problems of one request.
type checker struct {
	rules    *Rules
	problems []Problem
}

func (c *checker) add(code, field string, args ...string) {
	p := New(c.rules.Lang, code, field, args...)
	if p.Severity == Warning && slices.Contains(c.rules.Promote, code) {
		p.Severity = Error
	}
	c.problems = append(c.problems, p)
}

// required reports whether value is there, and says so when it is not.
func (c *checker) required(at spot, leaf, value string, what label) bool {
	if value == "" || ((value[0] <= ' ' || value[0] >= 0x80) && strings.TrimFunc(value, isInvisible) == "") {
		c.add("C-REQUIRED", at.field(leaf), "what", what.in(c.rules.Lang))
		return false
	}
	return true
}

// line judges what SEND asks of every text: one line, so many characters, readable.
func (c *checker) line(at spot, leaf, value string, most int, what label) {
	if value == "" {
		return
	}
	if isBroken(value) {
		c.add("C-TEXT-BROKEN", at.field(leaf), "what", what.in(c.rules.Lang))
	}
	if hasLineBreak(value) {
		c.add("C-LINE-BREAK", at.field(leaf), "what", what.in(c.rules.Lang))
	}
	if tooLong(value, most) {
		c.add("C-TOO-LONG", at.field(leaf), "what", what.in(c.rules.Lang),
			"length", itoa(javaLength(value)), "max", itoa(most))
	}
}

func (c *checker) enum(at spot, leaf, value string, what label, allowed ...string) {
	if value == "" {
		c.add("C-REQUIRED", at.field(leaf), "what", what.in(c.rules.Lang))
		return
	}
	if !slices.Contains(allowed, value) {
		c.add("C-ENUM", at.field(leaf), "what", what.in(c.rules.Lang), "value", value, "allowed", strings.Join(allowed, ", "))
	}
}

func (c *checker) head(r *Request) {
	at := root()
	if c.required(at, "paProtocolNumber", r.PaProtocolNumber, labelProtocol) {
		c.line(at, "paProtocolNumber", r.PaProtocolNumber, maxProtocol, labelProtocol)
		if edge := r.PaProtocolNumber; strings.TrimSpace(edge) != edge {
			c.add("C-PROTOCOL-BLANK", "paProtocolNumber", "value", edge)
		}
	}
	c.token(r)
	if c.required(at, "subject", r.Subject, labelSubject) {
		c.line(at, "subject", r.Subject, maxSubject, labelSubject)
	}
	c.line(at, "abstract", r.Abstract, maxAbstract, labelAbstract)
	c.sender(r)
	c.taxonomy(r)
	c.enum(at, "notificationFeePolicy", r.NotificationFeePolicy, labelPolicy, FeeFlatRate, FeeDeliveryMode)
	c.enum(at, "physicalCommunicationType", r.PhysicalCommunicationType, labelPaper, PaperAR, Paper890)
	if r.PagoPaIntMode != "" {
		c.enum(at, "pagoPaIntMode", r.PagoPaIntMode, labelMode, PagoPaNone, PagoPaSync, PagoPaAsync)
	}
	c.date(r)
	if r.CancelledIun != "" && !isIUN(r.CancelledIun) {
		c.add("C-IUN", "cancelledIun", "value", r.CancelledIun)
	}
	c.group(r)
	c.languages(r)
	if r.Amount != nil && (*r.Amount < 0 || *r.Amount > 1<<31-1) {
		c.add("C-AMOUNT", "amount", "value", strconv.Itoa(*r.Amount))
	}
	c.percent("physicalCommunicationPriority", r.PhysicalCommunicationPriority, labelPriority)
}

func (c *checker) token(r *Request) {
	switch {
	case r.IdempotenceToken == "":
		if c.rules.Wire {
			c.add("C-REQUIRED", "idempotenceToken", "what", labelToken.in(c.rules.Lang))
		}
	case !isPrintableASCII(r.IdempotenceToken):
		c.add("C-NOT-ASCII", "idempotenceToken", "what", labelToken.in(c.rules.Lang))
	default:
		c.line(root(), "idempotenceToken", r.IdempotenceToken, maxToken, labelToken)
	}
}

func (c *checker) sender(r *Request) {
	if c.required(root(), "senderDenomination", r.SenderDenomination, labelSenderName) {
		c.line(root(), "senderDenomination", r.SenderDenomination, maxDenomination, labelSenderName)
	}
	if !c.required(root(), "senderTaxId", r.SenderTaxID, labelSenderTaxID) {
		return
	}
	switch fault := CheckNumericTaxID(r.SenderTaxID); {
	case fault == TaxIDForm || fault == TaxIDZero:
		c.add("C-SENDER-TAXID", "senderTaxId", "value", r.SenderTaxID)
	case c.rules.SenderTaxID != "" && r.SenderTaxID != c.rules.SenderTaxID:
		c.add("C-SENDER-OTHER", "senderTaxId", "value", r.SenderTaxID, "expected", c.rules.SenderTaxID)
	case fault == TaxIDCheck && c.rules.SenderTaxID == "" && !c.allowed(r.SenderTaxID):
		c.add("C-SENDER-CHECK", "senderTaxId", "value", r.SenderTaxID)
	}
}

func (c *checker) allowed(taxID string) bool { return slices.Contains(c.rules.AllowTaxIDs, taxID) }

func (c *checker) taxonomy(r *Request) {
	code := r.TaxonomyCode
	if !c.required(root(), "taxonomyCode", code, labelTaxonomy) {
		return
	}
	if !isTaxonomyForm(code) {
		c.add("C-TAXONOMY-FORM", "taxonomyCode", "value", code)
		return
	}
	if !isTaxonomy(code) && !slices.Contains(c.rules.Taxonomies, code) {
		c.add("C-TAXONOMY-UNKNOWN", "taxonomyCode", "value", code, "date", TaxonomyDate)
		return
	}
	if len(c.rules.EntityTypes) > 0 && !slices.Contains(c.rules.EntityTypes, code[:2]) {
		c.add("C-TAXONOMY-ENTITY", "taxonomyCode", "value", code, "type", code[:2],
			"expected", strings.Join(c.rules.EntityTypes, ", "))
	}
	switch paid := hasPayments(r); {
	case code[6] == 'P' && !paid:
		c.add("C-TAXONOMY-UNPAID", "taxonomyCode", "value", code)
	case code[6] == 'N' && paid:
		c.add("C-TAXONOMY-PAID", "taxonomyCode", "value", code)
	}
}

func hasPayments(r *Request) bool {
	for i := range r.Recipients {
		if len(r.Recipients[i].Payments) > 0 {
			return true
		}
	}
	return false
}

func (c *checker) date(r *Request) {
	d := r.PaymentExpirationDate
	if d == "" {
		return
	}
	if !isDateForm(d) {
		c.add("C-DATE", "paymentExpirationDate", "value", d)
		return
	}
	if _, err := time.Parse(time.DateOnly, d); err != nil {
		c.add("C-DATE-CALENDAR", "paymentExpirationDate", "value", d)
		return
	}
	if !c.rules.Today.IsZero() && d < c.rules.Today.Format(time.DateOnly) {
		c.add("C-DATE-PAST", "paymentExpirationDate", "value", d)
	}
}

// isDateForm is SEND's pattern, which knows no calendar.
func isDateForm(s string) bool {
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' || !allDigits(s[:4]) || !allDigits(s[5:7]) || !allDigits(s[8:]) {
		return false
	}
	return s[5:7] >= "01" && s[5:7] <= "12" && s[8:] >= "01" && s[8:] <= "31"
}

// isIUN is SEND's pattern of a notification's number, AAAA-AAAA-AAAA-999999-A-9.
func isIUN(s string) bool {
	const form = "AAAA-AAAA-AAAA-999999-A-9"
	if len(s) != iunLength {
		return false
	}
	for i := range len(s) {
		switch form[i] {
		case 'A':
			if !isUpper(s[i]) {
				return false
			}
		case '9':
			if !isDigit(s[i]) {
				return false
			}
		default:
			if s[i] != form[i] {
				return false
			}
		}
	}
	return true
}

func (c *checker) group(r *Request) {
	switch {
	case r.Group == "":
		if c.rules.GroupRequired {
			c.add("C-GROUP-REQUIRED", "group")
		}
	case !isPrintableASCII(r.Group):
		c.add("C-NOT-ASCII", "group", "what", labelGroup.in(c.rules.Lang))
	case tooLong(r.Group, maxGroup):
		c.line(root(), "group", r.Group, maxGroup, labelGroup)
	case len(c.rules.Groups) > 0 && !slices.Contains(c.rules.Groups, r.Group):
		c.add("C-GROUP-UNKNOWN", "group", "value", r.Group, "allowed", strings.Join(c.rules.Groups, ", "))
	}
}

func (c *checker) languages(r *Request) {
	if len(r.AdditionalLanguages) > 1 {
		c.add("C-LANGUAGE-MANY", "additionalLanguages", "value", strings.Join(r.AdditionalLanguages, ", "))
	}
	for i, l := range r.AdditionalLanguages {
		switch l {
		case "DE", "FR", "SL":
		default:
			c.add("C-LANGUAGE", "additionalLanguages["+itoa(i)+"]", "value", l)
		}
	}
}

// percent judges the three whole numbers that go from 0 to 100.
func (c *checker) percent(field string, value *int, what label) {
	if value != nil && (*value < 0 || *value > maxPercent) {
		c.add("C-RANGE", field, "what", what.in(c.rules.Lang), "value", strconv.Itoa(*value), "max", itoa(maxPercent))
	}
}

func (c *checker) fees(r *Request) {
	c.percent("paFee", r.PaFee, labelPaFee)
	c.percent("vat", r.Vat, labelVat)
	switch r.NotificationFeePolicy {
	case FeeDeliveryMode:
		if r.PaFee == nil {
			c.add("C-FEE-MISSING", "paFee", "what", labelPaFee.in(c.rules.Lang))
		}
		if r.Vat == nil {
			c.add("C-FEE-MISSING", "vat", "what", labelVat.in(c.rules.Lang))
		}
	case FeeFlatRate:
		if r.PagoPaIntMode == PagoPaSync || r.PagoPaIntMode == PagoPaAsync {
			c.add("C-MODE-FLAT", "pagoPaIntMode", "value", r.PagoPaIntMode)
		}
	}
}

func (c *checker) lists(r *Request) {
	if len(r.Recipients) == 0 {
		c.add("C-REQUIRED", "recipients", "what", labelRecipients.in(c.rules.Lang))
	}
	if n, most := len(r.Recipients), c.rules.MaxRecipients; most > 0 && n > most {
		c.add("C-RECIPIENTS-MANY", "recipients", "count", itoa(n), "max", itoa(most))
	}
	if c.rules.SingleRecipient && (len(r.Recipients) > 1 || !hasPayments(r)) {
		c.add("C-SINGLE-RECIPIENT", "recipients")
	}
	if len(r.Documents) == 0 {
		c.add("C-REQUIRED", "documents", "what", labelDocuments.in(c.rules.Lang))
	}
	if n, most := len(r.Documents), c.rules.MaxDocuments; most > 0 && n > most {
		c.add("C-DOCUMENTS-MANY", "documents", "count", itoa(n), "max", itoa(most))
	}
}
