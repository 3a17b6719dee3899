package mapping

import (
	"slices"
	"strconv"

	"sendconnector/internal/notification"
)

// finish turns what was collected into the request.
func (b *builder) finish() {
	b.own()
	r := &notification.Request{}
	b.settings(r)
	b.d.payments = make([][]partOrigin, len(b.people))
	r.Recipients = make([]notification.Recipient, len(b.people))
	b.d.recipients = make([]partOrigin, len(b.people))
	for i := range b.people {
		p := &b.people[i]
		b.costs(p, r.NotificationFeePolicy)
		b.d.recipients[i] = p.from
		r.Recipients[i] = p.recipient()
		if len(p.payments) == 0 {
			continue
		}
		r.Recipients[i].Payments = make([]notification.Payment, len(p.payments))
		b.d.payments[i] = make([]partOrigin, len(p.payments))
		for j, pay := range p.payments {
			r.Recipients[i].Payments[j], b.d.payments[i][j] = pay.part, pay.from
		}
	}
	b.documents(r)
	b.d.Request = r
}

// own gives payments of rows without a recipient to the only one there is; with
// several, guessing would show a citizen somebody else's debt.
func (b *builder) own() {
	for _, p := range b.loose {
		if len(b.people) == 1 {
			b.addPayment(&b.people[0], p)
			continue
		}
		label := ""
		if v := b.m.recipients[min(b.m.payments[p.from.section].of, len(b.m.recipients)-1)].taxID; v != nil {
			label = v.label
		}
		b.problem(p.from.row, "C-PAYMENT-OWNER", label)
	}
}

// problem reports something about a row after it was read.
func (b *builder) problem(row int, code, field string, args ...string) {
	b.d.Rows[row].Problems = append(b.d.Rows[row].Problems, notification.New(b.m.d.Lang, code, field, args...))
}

// settings fills in the notification's own fields: the row, else the profile's default,
// else the sender's.
func (b *builder) settings(r *notification.Request) {
	p, d := &b.m.p.Defaults, &b.m.d
	r.PaProtocolNumber, r.Subject = b.head[headProtocol], b.head[headSubject]
	r.Abstract = first(b.head[headAbstract], p.Abstract)
	r.NotificationFeePolicy = first(b.head[headFeePolicy], p.FeePolicy, d.FeePolicy, notification.FeeDeliveryMode)
	r.CancelledIun = b.head[headCancelled]
	r.PhysicalCommunicationType = paperName(first(b.head[headPaper], p.Paper, d.Paper))
	r.SenderDenomination = first(b.head[headSender], d.SenderDenomination)
	r.SenderTaxID = d.SenderTaxID
	r.Group = first(b.head[headGroup], p.Group, d.Group)
	r.Amount = b.integer(headAmount, nil)
	r.PaymentExpirationDate = b.head[headDue]
	r.TaxonomyCode = first(b.head[headTaxonomy], p.Taxonomy, d.Taxonomy)
	r.PagoPaIntMode = first(b.head[headMode], p.PagoPaMode, d.PagoPaMode)
	r.PhysicalCommunicationPriority = b.integer(headPriority, nil)
	if r.PaFee = b.integer(headPaFee, p.PaFee); r.PaFee == nil {
		r.PaFee = copied(d.PaFee)
	}
	if r.Vat = b.integer(headVat, p.Vat); r.Vat == nil {
		r.Vat = copied(d.Vat)
	}
	languages := p.Languages
	if len(languages) == 0 {
		languages = d.Languages
	}
	r.AdditionalLanguages = slices.Clone(languages)
	if l := b.head[headLanguage]; l != "" {
		r.AdditionalLanguages = []string{l}
	}
}

func copied(i *int) *int {
	if i == nil {
		return nil
	}
	n := *i
	return &n
}

func (b *builder) integer(i int, fallback *int) *int {
	text := b.head[i]
	if text == "" {
		return copied(fallback)
	}
	n, err := strconv.Atoi(text)
	if err != nil || !digits(text) {
		b.problem(b.from[i], "C-INTEGER-FORM", b.m.head[i].label, "value", clip(text))
		return nil
	}
	return &n
}

// recipient is the person in SEND's words.
func (p *person) recipient() notification.Recipient {
	f := &p.fields
	r := notification.Recipient{RecipientType: f[personType], TaxID: f[personTaxID], Denomination: f[personName]}
	if r.RecipientType == "" {
		r.RecipientType = typeOf(r.TaxID)
	}
	if f[personPEC] != "" {
		r.DigitalDomicile = &notification.DigitalDomicile{Type: "PEC", Address: f[personPEC]}
	}
	a := f[personAddress:]
	// A state alone, perhaps a default, is no address.
	if slices.ContainsFunc(a[:partState], func(s string) bool { return s != "" }) {
		r.PhysicalAddress = &notification.PhysicalAddress{
			At: a[partAt], Address: a[partAddress], AddressDetails: a[partDetails], Zip: a[partZip],
			Municipality: a[partMunicipality], MunicipalityDetails: a[partMunicipalityDetails],
			Province: a[partProvince], ForeignState: a[partState],
		}
	}
	return r
}

// typeOf tells natural from legal persons by the form of the tax code, for profiles
// that do not map the type.
func typeOf(taxID string) string {
	if len(taxID) == 11 && digits(taxID) {
		return notification.LegalPerson
	}
	return notification.NaturalPerson
}

// costs decides applyCost where the profile leaves it to the rule: never with
// FLAT_RATE; otherwise on single payments and on the first instalment of the
// recipient, for notices and F24 forms apart. Without any word on instalments the
// first payment is taken. Source: send-api.md 2.5.1.
func (b *builder) costs(p *person, policy string) {
	b.costsOf(p, policy, func(pay *payment) (*bool, *bool) {
		if pay.part.PagoPa == nil {
			return nil, nil
		}
		return &pay.part.PagoPa.ApplyCost, pay.noticeCost
	})
	b.costsOf(p, policy, func(pay *payment) (*bool, *bool) {
		if pay.part.F24 == nil {
			return nil, nil
		}
		return &pay.part.F24.ApplyCost, pay.f24Cost
	})
}

func (b *builder) costsOf(p *person, policy string, part func(*payment) (target, explicit *bool)) {
	firstInstalment, anyExplicit, anyInstalment := 0, false, false
	for i := range p.payments {
		target, explicit := part(&p.payments[i])
		if target == nil {
			continue
		}
		anyExplicit = anyExplicit || explicit != nil && *explicit
		if pay := &p.payments[i]; pay.instalmentGiven {
			anyInstalment = true
			if firstInstalment == 0 || pay.instalment < firstInstalment {
				firstInstalment = pay.instalment
			}
		}
	}
	taken := anyExplicit
	for i := range p.payments {
		pay := &p.payments[i]
		target, explicit := part(pay)
		switch {
		case target == nil:
		case explicit != nil:
			*target = *explicit
		case policy != notification.FeeDeliveryMode:
		case anyInstalment:
			*target = !pay.instalmentGiven || pay.instalment == firstInstalment
		default:
			*target, taken = !taken, true
		}
	}
}

// documents puts the act first. Where the section that gives the act gave nothing, the
// next document must not become the act by moving up.
func (b *builder) documents(r *notification.Request) {
	section := 0
	for i, v := range b.m.documents {
		if v.act {
			section = i
		}
	}
	act := slices.IndexFunc(b.files, func(d document) bool { return d.act })
	if act < 0 {
		act = slices.IndexFunc(b.files, func(d document) bool { return d.from.section == section })
	}
	if act < 0 && len(b.files) > 0 {
		b.d.Problems = append(b.d.Problems, notification.New(b.m.d.Lang, "C-ACT-MISSING", b.m.documents[section].file.label))
	}
	order := b.files
	if act > 0 {
		order = append([]document{b.files[act]}, slices.Delete(slices.Clone(b.files), act, act+1)...)
	}
	r.Documents = make([]notification.Document, len(order))
	b.d.documents = make([]partOrigin, len(order))
	for i, f := range order {
		r.Documents[i] = notification.Document{Title: f.title, Attachment: notification.Attachment{File: f.file, ContentType: notification.ContentPDF}}
		b.d.documents[i] = f.from
	}
}
