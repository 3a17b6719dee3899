package notification

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// Fingerprint holds the digests by which a request is compared with one seen
// before, also when only a tombstone of that one is left. They are part of the
// ledger's stored form: a golden test freezes them.
//
// Source: rules.md, rules 5, 6, 8, 14 and 30.
type Fingerprint struct {
	Identity [32]byte // recipients' tax codes, (creditor, notice) pairs, subject; order-free
	Body     [32]byte // whole normalised request without token, ref, file names and document bytes; recipients and payments sorted
	Whole    [32]byte // Body plus the SHA-256 of every attachment, "not known" included
	Act      [32]byte // SHA-256 of the first document; zero when not known
	TaxIDs   [32]byte // the set of the recipients' tax codes
}

// FingerprintOf computes the digests of r. Digests of documents are taken from
// r's attachments: before they are known Whole and Act cannot be compared.
func FingerprintOf(r *Request) Fingerprint {
	body := bodyBytes(r)
	f := Fingerprint{
		Identity: sha256.Sum256(identityBytes(r)),
		Body:     sha256.Sum256(body),
		TaxIDs:   sha256.Sum256(taxIDBytes(r)),
	}
	f.Whole = sha256.Sum256(appendDocumentDigests(body, r))
	if len(r.Documents) > 0 {
		f.Act, _ = r.Documents[0].digest()
	}
	return f
}

// digest is the SHA-256 of the attachment's bytes, if it is known and well formed.
func (a *Attachment) digest() ([32]byte, bool) {
	var sum [32]byte
	if a == nil || a.Digests == nil {
		return sum, false
	}
	raw, err := base64.StdEncoding.DecodeString(a.Digests.SHA256)
	if err != nil || len(raw) != len(sum) {
		return sum, false
	}
	copy(sum[:], raw)
	return sum, true
}

// record is a list of named values, each with its length before it, so that no two
// requests give the same bytes. A blank value leaves no trace: a field that SEND
// adds some day does not change the digests of requests that lack it.
type record []byte

func (b record) text(name, value string) record {
	if value == "" {
		return b
	}
	b = append(b, name...)
	b = append(b, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
	return append(b, value...)
}

func (b record) number(name string, value *int) record {
	if value == nil {
		return b
	}
	return b.text(name, strconv.Itoa(*value))
}

func (b record) flag(name string, value bool) record {
	if value {
		return b.text(name, "true")
	}
	return b.text(name, "false")
}

// sorted appends parts in the order of their bytes.
func (b record) sorted(name string, parts []record) record {
	slices.SortFunc(parts, func(x, y record) int { return bytes.Compare(x, y) })
	for _, p := range parts {
		b = b.text(name, string(p))
	}
	return b
}

func taxIDs(r *Request) []string {
	ids := make([]string, len(r.Recipients))
	for i := range r.Recipients {
		ids[i] = r.Recipients[i].TaxID
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func sortedNotices(r *Request) []NoticePair {
	pairs := Notices(r)
	slices.SortFunc(pairs, comparePairs)
	return slices.Compact(pairs)
}

func comparePairs(a, b NoticePair) int {
	if c := strings.Compare(a.Creditor, b.Creditor); c != 0 {
		return c
	}
	return strings.Compare(a.Notice, b.Notice)
}

func taxIDBytes(r *Request) []byte {
	b := record("sendconnector-taxids-1\x00")
	for _, id := range taxIDs(r) {
		b = b.text("taxId", id)
	}
	return b
}

func identityBytes(r *Request) []byte {
	b := record("sendconnector-identity-1\x00")
	for _, id := range taxIDs(r) {
		b = b.text("taxId", id)
	}
	for _, p := range sortedNotices(r) {
		b = b.text("creditor", p.Creditor).text("notice", p.Notice)
	}
	return b.text("subject", r.Subject)
}

func bodyBytes(r *Request) record {
	b := make(record, 0, 1024)
	b = append(b, "sendconnector-body-1\x00"...)
	b = b.text("paProtocolNumber", r.PaProtocolNumber).
		text("subject", r.Subject).
		text("abstract", r.Abstract).
		text("notificationFeePolicy", r.NotificationFeePolicy).
		text("cancelledIun", r.CancelledIun).
		text("physicalCommunicationType", r.PhysicalCommunicationType).
		text("senderDenomination", r.SenderDenomination).
		text("senderTaxId", r.SenderTaxID).
		text("group", r.Group).
		number("amount", r.Amount).
		text("paymentExpirationDate", r.PaymentExpirationDate).
		text("taxonomyCode", r.TaxonomyCode).
		number("paFee", r.PaFee).
		number("vat", r.Vat).
		text("pagoPaIntMode", r.PagoPaIntMode).
		number("physicalCommunicationPriority", r.PhysicalCommunicationPriority)
	for _, l := range r.AdditionalLanguages {
		b = b.text("additionalLanguage", l)
	}
	recipients := make([]record, len(r.Recipients))
	for i := range r.Recipients {
		recipients[i] = recipientBytes(&r.Recipients[i])
	}
	b = b.sorted("recipient", recipients)
	// Documents keep their order: the first one is the act.
	for i := range r.Documents {
		d := &r.Documents[i]
		b = b.text("document", string(record{}.text("title", d.Title).text("docIdx", d.DocIdx).
			text("contentType", d.ContentType).flag("present", true)))
	}
	return b
}

func recipientBytes(p *Recipient) record {
	b := record{}.text("taxId", p.TaxID).
		text("recipientType", p.RecipientType).
		text("denomination", p.Denomination)
	if d := p.DigitalDomicile; d != nil {
		b = b.text("digitalDomicile", string(record{}.text("type", d.Type).text("address", d.Address)))
	}
	if a := p.PhysicalAddress; a != nil {
		b = b.text("physicalAddress", string(record{}.text("at", a.At).
			text("address", a.Address).
			text("addressDetails", a.AddressDetails).
			text("zip", a.Zip).
			text("municipality", a.Municipality).
			text("municipalityDetails", a.MunicipalityDetails).
			text("province", a.Province).
			text("foreignState", a.ForeignState)))
	}
	payments := make([]record, len(p.Payments))
	for i := range p.Payments {
		payments[i] = paymentBytes(&p.Payments[i])
	}
	return b.sorted("payment", payments)
}

func paymentBytes(p *Payment) record {
	b := record{}
	if n := p.PagoPa; n != nil {
		b = b.text("pagoPa", string(record{}.text("creditorTaxId", n.CreditorTaxID).
			text("noticeCode", n.NoticeCode).
			flag("applyCost", n.ApplyCost).
			attachment("attachment", n.Attachment)))
	}
	if f := p.F24; f != nil {
		b = b.text("f24", string(record{}.text("title", f.Title).
			flag("applyCost", f.ApplyCost).
			attachment("metadataAttachment", f.MetadataAttachment)))
	}
	return b
}

func (b record) attachment(name string, a *Attachment) record {
	if a == nil {
		return b
	}
	return b.text(name, string(record{}.text("contentType", a.ContentType).flag("present", true)))
}

// appendDocumentDigests adds the digest of every attachment to the bytes of the
// body: documents in their order, payment attachments under their payment, sorted.
func appendDocumentDigests(body record, r *Request) record {
	b := body.text("part", "digests")
	for i := range r.Documents {
		b = b.text("document", digestText(&r.Documents[i].Attachment))
	}
	var parts []record
	for i := range r.Recipients {
		p := &r.Recipients[i]
		for j := range p.Payments {
			part := record{}.text("taxId", p.TaxID)
			if n := p.Payments[j].PagoPa; n != nil && n.Attachment != nil {
				part = part.text("creditorTaxId", n.CreditorTaxID).text("noticeCode", n.NoticeCode).
					text("pagoPa", digestText(n.Attachment))
			}
			if f := p.Payments[j].F24; f != nil && f.MetadataAttachment != nil {
				part = part.text("f24", f.Title).text("metadata", digestText(f.MetadataAttachment))
			}
			parts = append(parts, part)
		}
	}
	return b.sorted("payment", parts)
}

// digestText is the digest as it is written in the request, or a word that says
// that it is not known yet.
func digestText(a *Attachment) string {
	if a.Digests == nil || a.Digests.SHA256 == "" {
		return "unknown"
	}
	return a.Digests.SHA256
}
