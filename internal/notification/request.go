package notification

import (
	"encoding/base64"
	"encoding/hex"
)

// Request is the body of SEND's "new notification request" v2.6, in SEND's own
// words. It is both what mapping produces (attachments name a File, digests and
// references still missing) and what goes over the wire (File blank, Digests and
// Ref filled in by submit). Absent optional fields are omitted: SEND refuses an
// explicit null.
//
// Source: OpenAPI bundle, NewNotificationRequestV26; reference/send-api.md §3.
type Request struct {
	IdempotenceToken              string      `json:"idempotenceToken,omitempty"`
	PaProtocolNumber              string      `json:"paProtocolNumber"`
	Subject                       string      `json:"subject"`
	Abstract                      string      `json:"abstract,omitempty"`
	Recipients                    []Recipient `json:"recipients"`
	Documents                     []Document  `json:"documents"`
	NotificationFeePolicy         string      `json:"notificationFeePolicy"`
	CancelledIun                  string      `json:"cancelledIun,omitempty"`
	PhysicalCommunicationType     string      `json:"physicalCommunicationType"`
	SenderDenomination            string      `json:"senderDenomination"`
	SenderTaxID                   string      `json:"senderTaxId"`
	Group                         string      `json:"group,omitempty"`
	Amount                        *int        `json:"amount,omitempty"`                // eurocents, informative
	PaymentExpirationDate         string      `json:"paymentExpirationDate,omitempty"` // YYYY-MM-DD
	TaxonomyCode                  string      `json:"taxonomyCode"`
	PaFee                         *int        `json:"paFee,omitempty"` // eurocents 0..100
	Vat                           *int        `json:"vat,omitempty"`   // percent 0..100
	PagoPaIntMode                 string      `json:"pagoPaIntMode,omitempty"`
	AdditionalLanguages           []string    `json:"additionalLanguages,omitempty"`
	PhysicalCommunicationPriority *int        `json:"physicalCommunicationPriority,omitempty"`
}

// Fee policies, paper services and pagoPA modes as SEND spells them.
const (
	FeeFlatRate     = "FLAT_RATE"
	FeeDeliveryMode = "DELIVERY_MODE"

	PaperAR  = "AR_REGISTERED_LETTER"
	Paper890 = "REGISTERED_LETTER_890"

	PagoPaNone  = "NONE"
	PagoPaSync  = "SYNC"
	PagoPaAsync = "ASYNC"

	NaturalPerson = "PF"
	LegalPerson   = "PG"

	ContentPDF  = "application/pdf"
	ContentJSON = "application/json"
)

// Recipient is one addressee (NotificationRecipientV24).
type Recipient struct {
	RecipientType   string           `json:"recipientType"` // PF or PG
	TaxID           string           `json:"taxId"`
	Denomination    string           `json:"denomination"`
	DigitalDomicile *DigitalDomicile `json:"digitalDomicile,omitempty"`
	PhysicalAddress *PhysicalAddress `json:"physicalAddress,omitempty"`
	Payments        []Payment        `json:"payments,omitempty"`
}

// DigitalDomicile is the "special" digital domicile of a recipient; Type is PEC.
type DigitalDomicile struct {
	Type    string `json:"type"`
	Address string `json:"address"`
}

// PhysicalAddress is a postal address in SEND's parts.
type PhysicalAddress struct {
	At                  string `json:"at,omitempty"`
	Address             string `json:"address"`
	AddressDetails      string `json:"addressDetails,omitempty"`
	Zip                 string `json:"zip,omitempty"`
	Municipality        string `json:"municipality"`
	MunicipalityDetails string `json:"municipalityDetails,omitempty"`
	Province            string `json:"province,omitempty"`
	ForeignState        string `json:"foreignState,omitempty"`
}

// Payment is one way or instalment of paying; at least one of its parts is set.
type Payment struct {
	PagoPa *PagoPa `json:"pagoPa,omitempty"`
	F24    *F24    `json:"f24,omitempty"`
}

// PagoPa is a pagoPA notice.
type PagoPa struct {
	NoticeCode    string      `json:"noticeCode"`    // 18 digits
	CreditorTaxID string      `json:"creditorTaxId"` // 11 digits
	ApplyCost     bool        `json:"applyCost"`
	Attachment    *Attachment `json:"attachment,omitempty"`
}

// F24 is an F24 form, given as a metadata file.
type F24 struct {
	Title              string      `json:"title"`
	ApplyCost          bool        `json:"applyCost"`
	MetadataAttachment *Attachment `json:"metadataAttachment,omitempty"`
}

// Document is an attachment of the notification itself; the first is the act.
type Document struct {
	Title  string `json:"title,omitempty"`
	DocIdx string `json:"docIdx,omitempty"`
	Attachment
}

// Attachment is a file. Before upload it has File, a path relative to the drop
// with forward slashes; on the wire it has Digests and Ref and no File.
type Attachment struct {
	File        string   `json:"file,omitempty"`
	Digests     *Digests `json:"digests,omitempty"`
	ContentType string   `json:"contentType"`
	Ref         *Ref     `json:"ref,omitempty"`
}

// Digests holds the base64 SHA-256 of the bytes of a file.
type Digests struct {
	SHA256 string `json:"sha256"`
}

// DigestOf turns a hex SHA-256, as files and folders have it, into SEND's base64 form;
// "" for what is no hex.
func DigestOf(hexDigest string) string {
	raw, err := hex.DecodeString(hexDigest)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// Ref names an uploaded object: the key of its preload slot and the version the
// upload returned.
type Ref struct {
	Key          string `json:"key"`
	VersionToken string `json:"versionToken"`
}

// Attachments calls visit for every attachment of r in SEND's order: documents,
// then each recipient's payments (pagoPA form, then F24 metadata). path is the
// request field, e.g. "documents[0]" or
// "recipients[1].payments[0].pagoPa.attachment".
func (r *Request) Attachments(visit func(path string, a *Attachment)) {
	for i := range r.Documents {
		visit("documents["+itoa(i)+"]", &r.Documents[i].Attachment)
	}
	for i := range r.Recipients {
		for j := range r.Recipients[i].Payments {
			p := &r.Recipients[i].Payments[j]
			at := "recipients[" + itoa(i) + "].payments[" + itoa(j) + "]."
			if p.PagoPa != nil && p.PagoPa.Attachment != nil {
				visit(at+"pagoPa.attachment", p.PagoPa.Attachment)
			}
			if p.F24 != nil && p.F24.MetadataAttachment != nil {
				visit(at+"f24.metadataAttachment", p.F24.MetadataAttachment)
			}
		}
	}
}
