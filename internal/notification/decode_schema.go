package notification

import "encoding/json"

// The objects of SEND's schema, NewNotificationRequestV26 and what it refers to.

// reserved is the code for what a dropped line may not hold.
func (d *decoder) reserved() string {
	if d.wire {
		return ""
	}
	return "C-JSON-RESERVED"
}

func (d *decoder) requestFields(r *Request) []property {
	return []property{
		{name: "idempotenceToken", read: d.text(&r.IdempotenceToken), refused: d.reserved()},
		{name: "paProtocolNumber", required: true, read: d.text(&r.PaProtocolNumber)},
		{name: "subject", required: true, read: d.text(&r.Subject)},
		{name: "abstract", read: d.text(&r.Abstract)},
		{name: "recipients", required: true, read: d.list(func(at string, first json.Token) {
			r.Recipients = append(r.Recipients, Recipient{})
			d.objectFrom(at, first, d.recipientFields(&r.Recipients[len(r.Recipients)-1]))
		})},
		{name: "documents", required: true, read: d.list(func(at string, first json.Token) {
			r.Documents = append(r.Documents, Document{})
			d.objectFrom(at, first, d.documentFields(&r.Documents[len(r.Documents)-1]))
		})},
		{name: "notificationFeePolicy", required: true, read: d.text(&r.NotificationFeePolicy)},
		{name: "cancelledIun", read: d.text(&r.CancelledIun)},
		{name: "physicalCommunicationType", required: true, read: d.text(&r.PhysicalCommunicationType)},
		{name: "senderDenomination", required: true, read: d.text(&r.SenderDenomination)},
		{name: "senderTaxId", required: true, read: d.text(&r.SenderTaxID)},
		{name: "group", read: d.text(&r.Group)},
		{name: "amount", read: d.whole(&r.Amount)},
		{name: "paymentExpirationDate", read: d.text(&r.PaymentExpirationDate)},
		{name: "taxonomyCode", required: true, read: d.text(&r.TaxonomyCode)},
		{name: "paFee", read: d.whole(&r.PaFee)},
		{name: "vat", read: d.whole(&r.Vat)},
		{name: "pagoPaIntMode", read: d.text(&r.PagoPaIntMode)},
		{name: "additionalLanguages", read: d.list(func(at string, first json.Token) {
			r.AdditionalLanguages = append(r.AdditionalLanguages, "")
			d.text(&r.AdditionalLanguages[len(r.AdditionalLanguages)-1])(at, first)
		})},
		{name: "physicalCommunicationPriority", read: d.whole(&r.PhysicalCommunicationPriority)},
	}
}

func (d *decoder) recipientFields(p *Recipient) []property {
	return []property{
		{name: "recipientType", required: true, read: d.text(&p.RecipientType)},
		{name: "taxId", required: true, read: d.text(&p.TaxID)},
		{name: "denomination", required: true, read: d.text(&p.Denomination)},
		{name: "digitalDomicile", read: func(at string, first json.Token) {
			v := new(DigitalDomicile)
			if d.objectFrom(at, first, []property{
				{name: "type", required: true, read: d.text(&v.Type)},
				{name: "address", required: true, read: d.text(&v.Address)},
			}) {
				p.DigitalDomicile = v
			}
		}},
		{name: "physicalAddress", read: func(at string, first json.Token) {
			v := new(PhysicalAddress)
			if d.objectFrom(at, first, d.addressFields(v)) {
				p.PhysicalAddress = v
			}
		}},
		{name: "payments", read: d.list(func(at string, first json.Token) {
			p.Payments = append(p.Payments, Payment{})
			d.objectFrom(at, first, d.paymentFields(&p.Payments[len(p.Payments)-1]))
		})},
	}
}

func (d *decoder) addressFields(a *PhysicalAddress) []property {
	return []property{
		{name: "at", read: d.text(&a.At)},
		{name: "address", required: true, read: d.text(&a.Address)},
		{name: "addressDetails", read: d.text(&a.AddressDetails)},
		{name: "zip", read: d.text(&a.Zip)},
		{name: "municipality", required: true, read: d.text(&a.Municipality)},
		{name: "municipalityDetails", read: d.text(&a.MunicipalityDetails)},
		{name: "province", read: d.text(&a.Province)},
		{name: "foreignState", read: d.text(&a.ForeignState)},
	}
}

func (d *decoder) paymentFields(p *Payment) []property {
	return []property{
		{name: "pagoPa", read: func(at string, first json.Token) {
			v := new(PagoPa)
			if d.objectFrom(at, first, []property{
				{name: "noticeCode", required: true, read: d.text(&v.NoticeCode)},
				{name: "creditorTaxId", required: true, read: d.text(&v.CreditorTaxID)},
				{name: "applyCost", required: true, read: d.flag(&v.ApplyCost)},
				{name: "attachment", read: d.attachment(&v.Attachment)},
			}) {
				p.PagoPa = v
			}
		}},
		{name: "f24", read: func(at string, first json.Token) {
			v := new(F24)
			if d.objectFrom(at, first, []property{
				{name: "title", required: true, read: d.text(&v.Title)},
				{name: "applyCost", required: true, read: d.flag(&v.ApplyCost)},
				{name: "metadataAttachment", required: true, read: d.attachment(&v.MetadataAttachment)},
			}) {
				p.F24 = v
			}
		}},
	}
}

func (d *decoder) attachment(to **Attachment) func(string, json.Token) {
	return func(at string, first json.Token) {
		v := new(Attachment)
		if d.objectFrom(at, first, d.attachmentFields(v)) {
			*to = v
		}
	}
}

func (d *decoder) documentFields(v *Document) []property {
	return append([]property{
		{name: "title", read: d.text(&v.Title)},
		{name: "docIdx", read: d.text(&v.DocIdx)},
	}, d.attachmentFields(&v.Attachment)...)
}

func (d *decoder) attachmentFields(a *Attachment) []property {
	fields := []property{
		{name: "contentType", required: true, read: d.text(&a.ContentType)},
		{name: "digests", required: d.wire, refused: d.reserved(), read: d.digests(a)},
		{name: "ref", required: d.wire, refused: d.reserved(), read: d.ref(a)},
	}
	if !d.wire {
		fields = append(fields, property{name: "file", required: true, read: d.text(&a.File)})
	}
	return fields
}

func (d *decoder) digests(a *Attachment) func(string, json.Token) {
	return func(at string, first json.Token) {
		v := new(Digests)
		if d.objectFrom(at, first, []property{{name: "sha256", required: true, read: d.text(&v.SHA256)}}) {
			a.Digests = v
		}
	}
}

func (d *decoder) ref(a *Attachment) func(string, json.Token) {
	return func(at string, first json.Token) {
		v := new(Ref)
		if d.objectFrom(at, first, []property{
			{name: "key", required: true, read: d.text(&v.Key)},
			{name: "versionToken", required: true, read: d.text(&v.VersionToken)},
		}) {
			a.Ref = v
		}
	}
}
