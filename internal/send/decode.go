package send

import (
	"encoding/json"
	"slices"
)

// The UnmarshalJSON methods below never fail for a member of an odd type or an
// unknown value: it is left zero and stays readable in Raw. They fail only for
// what is no JSON object at all.

// UnmarshalJSON reads an element of SEND's timeline, and the flat event of the
// first stream version (PnValidator still sends it) as if it were one. Raw keeps
// the bytes.
func (e *Element) UnmarshalJSON(raw []byte) error {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	*e = Element{
		ID:        f.text("elementId"),
		Category:  f.text("category", "timelineEventCategory"),
		EventTime: f.time("eventTimestamp"),
		Ingested:  f.time("ingestionTimestamp"),
		Timestamp: f.time("timestamp"),
		Raw:       slices.Clone(raw),
	}
	for _, one := range f.list("legalFactsIds", "legalfactIds", "legalFactIds") {
		if id := readLegalFactID(one); id.Key != "" {
			e.LegalFacts = append(e.LegalFacts, id)
		}
	}
	if d := f.object("details"); d != nil {
		e.Details.read(d)
	}
	if e.Details.RecIndex == nil {
		e.Details.RecIndex = f.number("recipientIndex", "recIndex")
	}
	if e.Details.AnalogCost == nil {
		e.Details.AnalogCost = f.number("analogCost")
	}
	return nil
}

// readLegalFactID reads {key, category}, or the bare key of old events.
func readLegalFactID(raw json.RawMessage) LegalFactID {
	var f fields
	if json.Unmarshal(raw, &f) == nil && f != nil {
		return LegalFactID{Key: f.text("key"), Category: f.text("category")}
	}
	return LegalFactID{Key: text(raw)}
}

// UnmarshalJSON reads the members that the connector knows.
func (d *Details) UnmarshalJSON(raw []byte) error {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	d.read(f)
	return nil
}

func (d *Details) read(f fields) {
	*d = Details{
		RecIndex:         f.number("recIndex"),
		RequestID:        f.text("notificationRequestId"),
		Protocol:         f.text("paProtocolNumber"),
		Token:            f.text("idempotenceToken"),
		AARURL:           f.text("generatedAarUrl"),
		EventTime:        f.time("eventTimestamp"),
		NotificationDate: f.time("notificationDate"),
		ResponseStatus:   f.text("responseStatus"),
		DeliveryCode:     f.text("deliveryDetailCode"),
		FailureCause:     f.text("deliveryFailureCause"),
		AnalogCost:       f.number("analogCost"),
		NotificationCost: f.number("notificationCost"),
		SchedulingDate:   f.time("schedulingDate"),
		RegisteredLetter: f.text("registeredLetterCode"),
	}
	for _, one := range f.list("refusalReasons") {
		var r fields
		if json.Unmarshal(one, &r) == nil {
			d.RefusalReasons = append(d.RefusalReasons, RefusalRow{
				Code: r.text("errorCode", "code"), Detail: r.text("detail"), RecIndex: r.number("recIndex"),
			})
		}
	}
	for _, one := range f.list("invalidatedTimelineAndStatusHistory") {
		var v fields
		if json.Unmarshal(one, &v) == nil {
			d.Invalidated = append(d.Invalidated, Invalid{
				Status: v.text("status"), Elements: v.elementIDs("relatedTimelineElements"),
			})
		}
	}
}

// elementIDs reads a list of elements of which each is named by its id or given whole,
// as a correction gives those that it declares void.
func (f fields) elementIDs(name string) []string {
	ids := f.texts(name)
	for _, raw := range f.list(name) {
		var e fields
		if json.Unmarshal(raw, &e) == nil && e.text("elementId") != "" {
			ids = append(ids, e.text("elementId"))
		}
	}
	return ids
}

// UnmarshalJSON reads an event of a stream of any version. Raw keeps the bytes;
// those of a flat event are its element's, too.
func (e *Event) UnmarshalJSON(raw []byte) error {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	*e = Event{
		ID:        f.text("eventId"),
		RequestID: f.text("notificationRequestId"),
		IUN:       f.text("iun"),
		NewStatus: f.text("newStatus"),
		Raw:       slices.Clone(raw),
	}
	element := f.raw("element")
	if element == nil {
		element = raw
	}
	_ = e.Element.UnmarshalJSON(element) // an odd element stays in the event's Raw
	return nil
}

// UnmarshalJSON reads the answer to a request for a request's state.
func (s *RequestStatus) UnmarshalJSON(raw []byte) error {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	*s = RequestStatus{
		RequestID:  f.text("notificationRequestId"),
		Status:     f.text("notificationRequestStatus"),
		RetryAfter: f.integer("retryAfter"),
		IUN:        f.text("iun"),
		Protocol:   f.text("paProtocolNumber"),
		Token:      f.text("idempotenceToken"),
		Body:       slices.Clone(raw),
	}
	for _, one := range f.list("errors") {
		var r fields
		if json.Unmarshal(one, &r) == nil {
			s.Errors = append(s.Errors, Refusal{
				Code: r.text("code", "errorCode"), Element: r.text("element"),
				Detail: r.text("detail"), RecIndex: r.number("recIndex"),
			})
		}
	}
	return nil
}

// UnmarshalJSON reads a notification with its timeline; one odd element does not
// lose the others.
func (s *Sent) UnmarshalJSON(raw []byte) error {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	*s = Sent{
		IUN:       f.text("iun"),
		SentAt:    f.time("sentAt"),
		Status:    f.text("notificationStatus"),
		Protocol:  f.text("paProtocolNumber"),
		Token:     f.text("idempotenceToken"),
		Available: f.truth("documentsAvailable"),
		Body:      slices.Clone(raw),
	}
	for _, one := range f.list("notificationStatusHistory") {
		var h fields
		if json.Unmarshal(one, &h) == nil {
			s.History = append(s.History, StatusChange{
				Status: h.text("status"), ActiveFrom: h.time("activeFrom"),
				Elements: h.texts("relatedTimelineElements"),
			})
		}
	}
	for _, one := range f.list("timeline") {
		var e Element
		if e.UnmarshalJSON(one) != nil {
			e = Element{Raw: slices.Clone(one)}
		}
		s.Timeline = append(s.Timeline, e)
	}
	return nil
}

// UnmarshalJSON reads the metadata of a stream.
func (s *Stream) UnmarshalJSON(raw []byte) error {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	*s = Stream{
		ID:              f.text("streamId"),
		Title:           f.text("title"),
		EventType:       f.text("eventType"),
		Groups:          f.texts("groups"),
		Filter:          f.texts("filterValues"),
		WaitForAccepted: f.truth("waitForAccepted"),
		Activated:       f.time("activationDate"),
		Disabled:        f.time("disabledDate"),
		Version:         f.text("version"),
	}
	return nil
}

// UnmarshalJSON reads a price; PnValidator spells paFee in its own way.
func (p *Price) UnmarshalJSON(raw []byte) error {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	*p = Price{
		IUN:            f.text("iun"),
		PartialPrice:   f.integer("partialPrice"),
		TotalPrice:     f.integer("totalPrice"),
		SendFee:        f.integer("sendFee"),
		AnalogCost:     f.integer("analogCost"),
		Vat:            f.integer("vat"),
		PaFee:          f.integer("paFee", "pafee"),
		RefinementDate: f.time("refinementDate"),
		ViewDate:       f.time("notificationViewDate"),
	}
	return nil
}
