package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// refusalNow is a synchronous refusal: an HTTP status and its errors.
type refusalNow struct {
	status int
	errs   []problemError
}

func refuse(status int, code, element, detail string) *refusalNow {
	return &refusalNow{status: status, errs: []problemError{{Code: code, Element: element, Detail: detail}}}
}

// syncCheck runs the microservice's checks that come before uniqueness, in its
// order. The caller holds the lock. nil means that the request may be stored.
func (s *Simulator) syncCheck(id identity, req *request) *refusalNow {
	const bad = http.StatusBadRequest
	if !s.opt.NoTaxonomyCheck && !knownTaxonomy(req.TaxonomyCode) {
		return refuse(bad, codeInvalid+"_TAXONOMYCODE", req.TaxonomyCode, "Invalid taxonomy code")
	}
	switch {
	case id.sender.Disabled:
		return refuse(bad, "PN_DELIVERY_SEND_IS_DISABLED", "", "Sending is disabled for this sender")
	case len(req.Documents) > s.opt.Limits.Documents:
		return refuse(bad, codeInvalid, "", "Max attachment count reached")
	case len(req.Recipients) > s.opt.Limits.Recipients:
		return refuse(bad, codeInvalid, "", "Max recipient count reached")
	}
	if texts := s.rowFaults(id, req); len(texts) > 0 {
		r := &refusalNow{status: bad}
		for _, t := range texts {
			r.errs = append(r.errs, problemError{Code: codeInvalid, Detail: t})
		}
		return r
	}
	if id.sender.MVP && len(req.Recipients) > 1 {
		return refuse(bad, codeInvalid, "", "Max one recipient")
	}
	if id.sender.MVP && len(req.Recipients[0].Payments) == 0 {
		return refuse(bad, codeInvalid, "", "No recipient payment")
	}
	return s.lateChecks(id, req)
}

// lateChecks are languages, sender, group and quota: each answers alone.
func (s *Simulator) lateChecks(id identity, req *request) *refusalNow {
	const bad = http.StatusBadRequest
	if len(req.AdditionalLanguages) > 1 {
		return refuse(bad, "PN_DELIVERY_REQUIREDADDITIONALLANG", "", "Only one additional language is allowed")
	}
	for _, l := range req.AdditionalLanguages {
		if !slices.Contains([]string{"DE", "FR", "SL"}, l) {
			return refuse(bad, "PN_DELIVERY_INVALIDADDITIONALLANGS", l, "Language not supported")
		}
	}
	if req.SenderTaxID != id.sender.TaxID {
		return refuse(http.StatusForbidden, "PN_DELIVERY_INVALID_SENDER_TAX_ID", "", "senderTaxId does not match the sender of the API key")
	}
	if !groupAllowed(id, req.Group) {
		return refuse(bad, "PN_DELIVERY_INVALIDPARAMETER_GROUP", req.Group, "Group not allowed")
	}
	if q := id.sender.Quota; q > 0 && id.sender.used >= q {
		return refuse(bad, "PN_DELIVERY_NOTIFICATION_LIMIT_EXCEEDED", "", "Notification limit exceeded")
	}
	return nil
}

func groupAllowed(id identity, group string) bool {
	if group == "" {
		return len(id.groups) == 0
	}
	active := slices.ContainsFunc(id.sender.Groups, func(g Group) bool { return g.ID == group && !g.Inactive })
	return active && (len(id.groups) == 0 || slices.Contains(id.groups, group))
}

// rowFaults are the accumulating checks, each text once.
func (s *Simulator) rowFaults(id identity, req *request) []string {
	var found []string
	add := func(text string) {
		if text != "" && !slices.Contains(found, text) {
			found = append(found, text)
		}
	}
	delivery := req.NotificationFeePolicy == "DELIVERY_MODE"
	if delivery && (req.PaFee == nil || req.Vat == nil) {
		add("paFee or vat field not filled in for notification with notificationFeePolicy DELIVERY_MODE")
	}
	taxIDs, pairs := map[string]bool{}, map[string]bool{}
	for i := range req.Recipients {
		r, index := &req.Recipients[i], strconv.Itoa(i)
		add(s.taxIDFault(r, index))
		if taxIDs[r.TaxID] {
			add("Duplicated recipient taxId")
		}
		taxIDs[r.TaxID] = true
		costFaults(r, delivery, add)
		for j := range r.Payments {
			paymentFaults(&r.Payments[j], index, strconv.Itoa(j), pairs, add)
		}
		s.addressFaults(id, r, index, add)
		s.nameFaults(r, index, add)
	}
	attachmentFaults(req, add)
	return found
}

// costFaults applies the table of applyCost to one recipient.
func costFaults(r *reqRecipient, delivery bool, add func(string)) {
	var pagoPa, f24, pagoPaOn, f24On int
	for _, p := range r.Payments {
		if p.PagoPa != nil {
			pagoPa++
			pagoPaOn += count(p.PagoPa.ApplyCost)
		}
		if p.F24 != nil {
			f24++
			f24On += count(p.F24.ApplyCost)
			if strings.TrimSpace(p.F24.Title) == "" {
				add("F24 description is mandatory")
			}
		}
	}
	for _, x := range []struct {
		name   string
		n, set int
	}{{"PagoPA", pagoPa, pagoPaOn}, {"F24", f24, f24On}} {
		switch {
		case delivery && x.n > 0 && x.set == 0:
			add(x.name + " applyCostFlg must be valorized for at least one payment")
		case !delivery && x.set > 0:
			add(x.name + " applyCostFlg must not be valorized for any payment")
		}
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// paymentFaults checks one payment: its notice is new in the request, its files
// have keys of their kind. Of an item with both parts only the F24 is checked.
func paymentFaults(p *reqPayment, recipient, payment string, pairs map[string]bool, add func(string)) {
	if p.PagoPa != nil {
		iuv := p.PagoPa.CreditorTaxID + p.PagoPa.NoticeCode
		if pairs[iuv] {
			add("Duplicated iuv { " + iuv + " } on recipient with index " + recipient + " in payment with index " + payment)
		}
		pairs[iuv] = true
	}
	if p.F24 != nil {
		key := p.F24.MetadataAttachment.Ref.Key
		if !strings.Contains(key, f24Prefix) || strings.HasSuffix(key, ".pdf") {
			add("Key: " + key + " does not conform to the expected content type: application/json")
		}
		return
	}
	if p.PagoPa != nil && p.PagoPa.Attachment != nil {
		key := p.PagoPa.Attachment.Ref.Key
		if !strings.Contains(key, attachmentPrefix) || strings.HasSuffix(key, ".json") {
			add("Key: " + key + " does not conform to the expected content type: application/pdf")
		}
	}
}

// addressFaults checks presence, province and, under the strict profile,
// characters and printed rows.
func (s *Simulator) addressFaults(id identity, r *reqRecipient, index string, add func(string)) {
	a := r.PhysicalAddress
	if a == nil {
		if !id.sender.AddressLookup {
			add("PhysicalAddress cannot be null")
		}
		return
	}
	if a.italian() && strings.TrimSpace(a.Province) == "" {
		add("No province provided in physical address")
	}
	if !s.opt.StrictAddress {
		return
	}
	for _, f := range []struct{ name, v string }{
		{"address", a.Address},
		{"addressDetails", a.AddressDetails},
		{"province", a.Province},
		{"foreignState", a.ForeignState},
		{"at", a.At},
		{"zip", a.Zip},
		{"municipality", a.Municipality},
		{"municipalityDetails", a.MunicipalityDetails},
	} {
		if !strictCharacters(f.v) {
			add("Field " + f.name + " in recipient " + index + " contains invalid characters.")
		}
	}
	for _, row := range []struct {
		name  string
		parts []string
	}{
		{"at and municipalityDetails", []string{a.At, a.MunicipalityDetails}},
		{"addressDetails", []string{a.AddressDetails}},
		{"address", []string{a.Address}},
		{"zip, municipality and Province", []string{a.Zip, a.Municipality, a.Province}},
		{"foreignState", []string{a.ForeignState}},
	} {
		parts := slices.DeleteFunc(row.parts, func(p string) bool { return p == "" })
		if utf8.RuneCountInString(strings.TrimSpace(strings.Join(parts, " "))) > 44 {
			add("Field " + row.name + " in recipient " + index + " exceed max length of 44 chars")
		}
	}
}

func strictCharacters(v string) bool {
	for _, c := range v {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', strings.ContainsRune("@_./ '-", c):
		default:
			return false
		}
	}
	return true
}

// nameFaults checks denomination and at: length and ISO Latin-1 without the bar.
func (s *Simulator) nameFaults(r *reqRecipient, index string, add func(string)) {
	fields := []struct{ name, v string }{{"denomination", r.Denomination}}
	if r.PhysicalAddress != nil {
		fields = append(fields, struct{ name, v string }{"at", r.PhysicalAddress.At})
	}
	limit := s.opt.Limits.Denomination
	for _, f := range fields {
		if utf8.RuneCountInString(strings.TrimSpace(f.v)) > limit {
			add("Field " + f.name + " in recipient " + index + " exceed max length of " + strconv.Itoa(limit) + " chars")
		}
		bad := func(c rune) bool { return c < ' ' || c > '~' && c < 0xA0 || c > 0xFF || c == '|' }
		if strings.ContainsFunc(f.v, bad) {
			add("Field " + f.name + " in recipient " + index + " contains invalid characters.")
		}
	}
}

// attachmentFaults looks for a file used twice where it may not be. Different
// recipients may share a payment file.
func attachmentFaults(req *request, add func(string)) {
	const repeated = "Same attachment compares more then once in the same request"
	documents := map[string]bool{}
	for i := range req.Documents {
		d := &req.Documents[i]
		k := d.Ref.Key + "\x00" + d.Digests.SHA256
		if documents[k] {
			add(repeated)
		}
		documents[k] = true
		if !strings.Contains(d.Ref.Key, attachmentPrefix) {
			add("Document Attachments key " + d.Ref.Key + " does not contain the expected value: " + attachmentPrefix)
		}
	}
	for i := range req.Recipients {
		own := map[string]bool{}
		for j := range req.Recipients[i].Payments {
			p := req.Recipients[i].Payments[j].PagoPa
			if p == nil || p.Attachment == nil {
				continue
			}
			k := p.Attachment.Ref.Key + "\x00" + p.Attachment.Digests.SHA256
			if own[k] || documents[k] {
				add(repeated)
			}
			own[k] = true
		}
	}
}
