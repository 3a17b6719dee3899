package notification

import (
	"slices"
	"strings"
)

// Part names what two requests of one protocol number can differ in.
type Part string

// The parts, in the order in which Differences gives them. The first three stop a
// row whose key is taken; PartOther is only a warning (rules.md, rule 8).
const (
	PartTaxIDs  Part = "taxIds"
	PartNotices Part = "notices"
	PartSubject Part = "subject"
	PartOther   Part = "other"
)

// Difference is one part in which two requests are not equal: what only the old
// one has and what only the new one has, sorted. For PartOther Fields names the
// request fields instead, without the number of the recipient.
type Difference struct {
	Part    Part
	Missing []string // in old, not in new
	Added   []string // in new, not in old
	Fields  []string
}

// Differences compares two requests of the same key as rules 8, 9 and 14 do:
// recipients' tax codes, notices, subject, and whether anything else of the
// normalised request differs. Token, references, file names, document bytes and
// the order of recipients and payments do not count.
func Differences(old, new *Request) []Difference {
	var ds []Difference
	add := func(part Part, was, is []string) {
		if missing, added := without(was, is), without(is, was); len(missing)+len(added) > 0 {
			ds = append(ds, Difference{Part: part, Missing: missing, Added: added})
		}
	}
	add(PartTaxIDs, taxIDs(old), taxIDs(new))
	add(PartNotices, noticeTexts(old), noticeTexts(new))
	add(PartSubject, []string{old.Subject}, []string{new.Subject})
	if fields := otherFields(old, new); len(fields) > 0 {
		ds = append(ds, Difference{Part: PartOther, Fields: fields})
	} else if len(ds) == 0 && FingerprintOf(old).Body != FingerprintOf(new).Body {
		ds = append(ds, Difference{Part: PartOther})
	}
	return ds
}

// field is one named piece of a request in comparable form.
type field struct {
	name  string
	value string
	what  label
}

// otherFields names the fields, apart from tax codes, notices and subject, in which
// two requests differ; recipients are compared by tax code.
func otherFields(old, new *Request) []string {
	names := differing(headFields(old), headFields(new))
	for i := range old.Recipients {
		for j := range new.Recipients {
			if old.Recipients[i].TaxID != new.Recipients[j].TaxID {
				continue
			}
			for _, n := range differing(recipientFields(&old.Recipients[i]), recipientFields(&new.Recipients[j])) {
				if !slices.Contains(names, n) {
					names = append(names, n)
				}
			}
			break
		}
	}
	return names
}

func differing(a, b []field) []string {
	var names []string
	for i := range a {
		if a[i].value != b[i].value {
			names = append(names, a[i].name)
		}
	}
	return names
}

func headFields(r *Request) []field {
	n := func(p *int) string { return string(record{}.number("n", p)) }
	documents := record{}
	for i := range r.Documents {
		documents = documents.text("document", r.Documents[i].Title+"\x00"+r.Documents[i].DocIdx+"\x00"+r.Documents[i].ContentType+"\x00")
	}
	return []field{
		{"abstract", r.Abstract, labelAbstract},
		{"notificationFeePolicy", r.NotificationFeePolicy, labelPolicy},
		{"physicalCommunicationType", r.PhysicalCommunicationType, labelPaper},
		{"senderDenomination", r.SenderDenomination, labelSenderName},
		{"group", r.Group, labelGroup},
		{"amount", n(r.Amount), labelAmount},
		{"paymentExpirationDate", r.PaymentExpirationDate, labelDate},
		{"taxonomyCode", r.TaxonomyCode, labelTaxonomy},
		{"paFee", n(r.PaFee), labelPaFee},
		{"vat", n(r.Vat), labelVat},
		{"pagoPaIntMode", r.PagoPaIntMode, labelMode},
		{"documents", string(documents), labelDocuments},
	}
}

func recipientFields(p *Recipient) []field {
	only := func(keep Recipient) string { return string(recipientBytes(&keep)) }
	payments := slices.Clone(p.Payments)
	for i := range payments { // the notices themselves are another part
		if n := payments[i].PagoPa; n != nil {
			plain := *n
			plain.NoticeCode, plain.CreditorTaxID = "", ""
			payments[i].PagoPa = &plain
		}
	}
	return []field{
		{"recipients.denomination", p.Denomination, labelName},
		{"recipients.digitalDomicile", only(Recipient{DigitalDomicile: p.DigitalDomicile}), labelPEC},
		{"recipients.physicalAddress", only(Recipient{PhysicalAddress: p.PhysicalAddress}), labelAddress},
		{"recipients.payments", only(Recipient{Payments: payments}), labelPayments},
	}
}

// fieldLabel is what a clerk calls a field that Differences names.
func fieldLabel(lang Lang, name string) string {
	for _, f := range append(headFields(&Request{}), recipientFields(&Recipient{})...) {
		if f.name == name {
			return f.what.in(lang)
		}
	}
	return name
}

func noticeTexts(r *Request) []string {
	pairs := sortedNotices(r)
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = p.Notice + " (" + p.Creditor + ")"
	}
	return texts
}

// without gives the elements of a that b lacks, keeping their order.
func without(a, b []string) []string {
	var rest []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

// Describe says differences in one phrase for a message, such as "codici fiscali
// (prima: …; ora: …), oggetto (…)". "" for none.
func Describe(lang Lang, ds []Difference) string {
	words := map[Part][2]string{
		PartTaxIDs:  {"codici fiscali dei destinatari", "tax codes of the recipients"},
		PartNotices: {"avvisi pagoPA", "pagoPA notices"},
		PartSubject: {"oggetto", "subject"},
		PartOther:   {"altri dati della richiesta", "other data of the request"},
	}
	was, is := "solo prima: ", "solo ora: "
	if lang == English {
		was, is = "only before: ", "only now: "
	}
	var phrases []string
	for _, d := range ds {
		phrase := words[d.Part][0]
		if lang == English {
			phrase = words[d.Part][1]
		}
		var sides []string
		for _, name := range d.Fields {
			sides = append(sides, fieldLabel(lang, name))
		}
		if len(d.Missing) > 0 {
			sides = append(sides, was+strings.Join(d.Missing, ", "))
		}
		if len(d.Added) > 0 {
			sides = append(sides, is+strings.Join(d.Added, ", "))
		}
		if len(sides) > 0 {
			phrase += " (" + strings.Join(sides, "; ") + ")"
		}
		phrases = append(phrases, phrase)
	}
	return strings.Join(phrases, ", ")
}
