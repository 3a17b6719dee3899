package simulator

import "encoding/json"

// request is NewNotificationRequestV26, as far as the platform looks into it.
// The raw body is what answers repeat.
type request struct {
	IdempotenceToken          *string        `json:"idempotenceToken"`
	PaProtocolNumber          string         `json:"paProtocolNumber"`
	Subject                   string         `json:"subject"`
	Recipients                []reqRecipient `json:"recipients"`
	Documents                 []reqDocument  `json:"documents"`
	NotificationFeePolicy     string         `json:"notificationFeePolicy"`
	PhysicalCommunicationType string         `json:"physicalCommunicationType"`
	SenderDenomination        string         `json:"senderDenomination"`
	SenderTaxID               string         `json:"senderTaxId"`
	Group                     string         `json:"group"`
	TaxonomyCode              string         `json:"taxonomyCode"`
	PaFee                     *int           `json:"paFee"`
	Vat                       *int           `json:"vat"`
	PagoPaIntMode             string         `json:"pagoPaIntMode"`
	AdditionalLanguages       []string       `json:"additionalLanguages"`
}

type reqRecipient struct {
	RecipientType   string       `json:"recipientType"`
	TaxID           string       `json:"taxId"`
	Denomination    string       `json:"denomination"`
	DigitalDomicile *reqDomicile `json:"digitalDomicile"`
	PhysicalAddress *address     `json:"physicalAddress"`
	Payments        []reqPayment `json:"payments"`
}

type reqDomicile struct {
	Type    string `json:"type"`
	Address string `json:"address"`
}

// address is a physical address, of a request and of timeline details alike.
type address struct {
	At                  string `json:"at,omitempty"`
	Address             string `json:"address"`
	AddressDetails      string `json:"addressDetails,omitempty"`
	Zip                 string `json:"zip,omitempty"`
	Municipality        string `json:"municipality"`
	MunicipalityDetails string `json:"municipalityDetails,omitempty"`
	Province            string `json:"province,omitempty"`
	ForeignState        string `json:"foreignState,omitempty"`
}

type reqPayment struct {
	PagoPa *reqPagoPa `json:"pagoPa"`
	F24    *reqF24    `json:"f24"`
}

type reqPagoPa struct {
	NoticeCode    string         `json:"noticeCode"`
	CreditorTaxID string         `json:"creditorTaxId"`
	ApplyCost     bool           `json:"applyCost"`
	Attachment    *reqAttachment `json:"attachment"`
}

type reqF24 struct {
	Title              string        `json:"title"`
	ApplyCost          bool          `json:"applyCost"`
	MetadataAttachment reqAttachment `json:"metadataAttachment"`
}

type reqAttachment struct {
	Digests struct {
		SHA256 string `json:"sha256"`
	} `json:"digests"`
	ContentType string `json:"contentType"`
	Ref         struct {
		Key          string `json:"key"`
		VersionToken string `json:"versionToken"`
	} `json:"ref"`
}

type reqDocument struct {
	reqAttachment
	Title string `json:"title"`
}

// parseRequest decodes a body that has passed the gateway's schema.
func parseRequest(raw []byte) (*request, error) {
	req := &request{}
	return req, json.Unmarshal(raw, req)
}

func (p *reqPagoPa) pair() string { return p.CreditorTaxID + "##" + p.NoticeCode }

// attachments are the files of one payment.
func (p *reqPayment) attachments() []*reqAttachment {
	var found []*reqAttachment
	if p.PagoPa != nil && p.PagoPa.Attachment != nil {
		found = append(found, p.PagoPa.Attachment)
	}
	if p.F24 != nil {
		found = append(found, &p.F24.MetadataAttachment)
	}
	return found
}

func (r *request) hasPayments() bool {
	for i := range r.Recipients {
		if len(r.Recipients[i].Payments) > 0 {
			return true
		}
	}
	return false
}

// italian says whether an address lies in Italy by the rule of the province:
// no state, or one that starts like ITALIA.
func (a *address) italian() bool {
	state := upper(a.ForeignState)
	return state == "" || len(state) >= 4 && state[:4] == "ITAL"
}
