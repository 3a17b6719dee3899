package send

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const eventV29 = `{"eventId":"00000000000000000000000000000000000042","notificationRequestId":"RFBE","iun":"DPDA-LVZM-JREL-202501-N-1","newStatus":"DELIVERING",
 "element":{"elementId":"SEND_ANALOG_DOMICILE.IUN_X.RECINDEX_1.ATTEMPT_0","timestamp":"2026-01-02T03:04:05.123456789Z","ingestionTimestamp":"2026-01-02T03:04:06Z",
 "eventTimestamp":"2026-01-02T04:04:04.1+01:00","legalFactsIds":[{"key":"safestorage://PN_LEGAL_FACTS-a.pdf","category":"ANALOG_DELIVERY"}],"category":"SEND_ANALOG_DOMICILE",
 "details":{"recIndex":1,"analogCost":550,"schedulingDate":"2026-02-01T00:00:00Z","deliveryDetailCode":"CON080","unknown":{"a":1}}}}`

// Source: the flat event of reference/pn-validator.md §2.
const eventFlat = `{"eventId":"0","timestamp":"2026-01-02T03:04:05.123Z","notificationRequestId":"RFBE","channel":"PEC","analogCost":325,"iun":"IUN1",
 "newStatus":"VIEWED","timelineEventCategory":"DIGITAL_SUCCESS_WORKFLOW","legalfactIds":["PN_LEGAL_FACTS-b.pdf"],"recipientIndex":2}`

func TestEventOfTheCurrentVersion(t *testing.T) {
	var e Event
	if err := json.Unmarshal([]byte(eventV29), &e); err != nil {
		t.Fatal(err)
	}
	el := e.Element
	if e.ID != "00000000000000000000000000000000000042" || e.RequestID != "RFBE" || e.IUN != "DPDA-LVZM-JREL-202501-N-1" || e.NewStatus != "DELIVERING" {
		t.Errorf("%+v", e)
	}
	if el.ID == "" || el.Category != "SEND_ANALOG_DOMICILE" || *el.Details.RecIndex != 1 || *el.Details.AnalogCost != 550 || el.Details.DeliveryCode != "CON080" {
		t.Errorf("%+v", el)
	}
	if !el.When().Equal(time.Date(2026, 1, 2, 3, 4, 4, 1e8, time.UTC)) || el.Timestamp.Nanosecond() != 123456789 || el.Ingested.IsZero() {
		t.Errorf("times %v %v %v", el.EventTime, el.Timestamp, el.Ingested)
	}
	if len(el.LegalFacts) != 1 || el.LegalFacts[0] != (LegalFactID{"safestorage://PN_LEGAL_FACTS-a.pdf", "ANALOG_DELIVERY"}) {
		t.Errorf("%v", el.LegalFacts)
	}
	if string(e.Raw) != eventV29 || !strings.Contains(string(el.Raw), `"unknown"`) {
		t.Error("the bytes as they came are lost")
	}
}

func TestFlatEvent(t *testing.T) {
	var e Event
	if err := json.Unmarshal([]byte(eventFlat), &e); err != nil {
		t.Fatal(err)
	}
	check := func(el Element) {
		t.Helper()
		if el.Category != "DIGITAL_SUCCESS_WORKFLOW" || *el.Details.RecIndex != 2 || *el.Details.AnalogCost != 325 ||
			len(el.LegalFacts) != 1 || el.LegalFacts[0].Key != "PN_LEGAL_FACTS-b.pdf" || el.When().IsZero() {
			t.Errorf("%+v", el)
		}
	}
	check(e.Element)
	// What a ledger keeps is Raw: reading it again must give the same.
	var again Element
	if err := json.Unmarshal(e.Element.Raw, &again); err != nil || !reflect.DeepEqual(again, e.Element) {
		t.Errorf("%v: %+v", err, again)
	}
}

// Damage prevented: one odd event stops the stream for ever, or takes the other
// forty-nine of its page with it when the next call acknowledges them.
func TestOddEventsDoNotLoseThePage(t *testing.T) {
	page := `[` + strings.Join([]string{
		eventV29,
		`5`, `null`, `"x"`, `[]`,
		`{"eventId":7,"element":"text"}`,
		`{"eventId":"8","iun":{"a":1},"element":{"category":["x"],"eventTimestamp":"in March","legalFactsIds":{"key":"k"},"details":[1]}}`,
		`{"eventId":"9","element":{"category":"REQUEST_REFUSED","eventTimestamp":1767323045123,"legalFactsIds":null,"details":{"recIndex":"3","refusalReasons":[{"errorCode":"FILE_NOTFOUND","recIndex":0},null,4]}}}`,
		`{"eventId":"10","element":{"category":"NOTIFICATION_TIMELINE_REWORKED","details":{"invalidatedTimelineAndStatusHistory":[{"status":"DELIVERED","relatedTimelineElements":["a","b"]}]}}}`,
		eventFlat,
	}, ",") + `]`
	c := serve(t, answerWith(200, page, "retry-after", "0"))
	got, err := c.Events(t.Context(), "s", "")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Events) != 10 {
		t.Fatalf("%d events of 10", len(got.Events))
	}
	for i, e := range got.Events {
		if len(e.Raw) == 0 || !json.Valid(e.Raw) {
			t.Errorf("event %d has lost its bytes: %q", i, e.Raw)
		}
	}
	if e := got.Events[5]; e.ID != "7" {
		t.Errorf("a number as id: %q", e.ID)
	}
	if e := got.Events[6]; e.ID != "8" || e.IUN != "" {
		t.Errorf("%+v", e)
	}
	e := got.Events[7].Element
	if e.Category != "REQUEST_REFUSED" || *e.Details.RecIndex != 3 || len(e.Details.RefusalReasons) < 1 ||
		e.Details.RefusalReasons[0].Code != "FILE_NOTFOUND" || *e.Details.RefusalReasons[0].RecIndex != 0 || e.EventTime.Year() != 2026 {
		t.Errorf("%+v", e)
	}
	if inv := got.Events[8].Element.Details.Invalidated; len(inv) != 1 || inv[0].Status != "DELIVERED" || len(inv[0].Elements) != 2 {
		t.Errorf("%+v", inv)
	}
}

func TestTimes(t *testing.T) {
	same := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, s := range []string{
		"2026-03-04T05:06:07Z", "2026-03-04T06:06:07+01:00", "2026-03-04T06:06:07+0100", "2026-03-04T06:06:07+01",
		"2026-03-04T05:06:07.000000000Z", "2026-03-04T05:06:07", "2026-03-04 05:06:07", " 2026-03-04T05:06:07Z ",
		"2026-03-04T06:06:07+01:00[Europe/Rome]", "1772600767", "1772600767000", "1772600767.000",
	} {
		if got := parseTime(s); !got.Equal(same) {
			t.Errorf("%q: %v", s, got)
		}
	}
	if got := parseTime("2026-03-04T05:06:07.123456789Z"); got.Nanosecond() != 123456789 {
		t.Error(got)
	}
	if got := parseTime("2026-03-04T05:06Z"); got.Minute() != 6 {
		t.Error(got)
	}
	for _, s := range []string{"", "soon", "2026-13-01", "0", "12", "NaN", "1e300", "-5"} {
		if got := parseTime(s); !got.IsZero() {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// Whatever SEND may come to send, reading it neither fails nor panics for what is
// an object, and reading what was kept gives the same element again.
func FuzzElement(f *testing.F) {
	f.Add([]byte(eventV29))
	f.Add([]byte(eventFlat))
	f.Add([]byte(`{"details":{"recIndex":1e99},"legalFactsIds":[1,null,{}],"timestamp":-1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var f fields
		object := json.Unmarshal(raw, &f) == nil
		var e Event
		if err := json.Unmarshal(raw, &e); object && err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if !object || f == nil {
			return
		}
		var el, again Element
		if err := json.Unmarshal(raw, &el); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(el.Raw, &again); err != nil || !reflect.DeepEqual(el, again) {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}

func FuzzProblem(f *testing.F) {
	for _, s := range []string{gatewayBad, gatewayDeny, expressHTML, "", `{"errors":5,"detail":["a"]}`, `{"errors":[{"code":"a b"}]}`, "<Error><Code>x</Code></Error>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := readProblem(raw)
		text := (&Error{Op: "x", Status: 400, Details: p.details}).Error()
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x00<>") {
			t.Fatalf("an answer writes into the log: %q", text)
		}
	})
}

// What another room keeps as JSON of ours reads back the same.
func TestRoundTrip(t *testing.T) {
	var e Event
	if err := json.Unmarshal([]byte(eventV29), &e); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(e.Element)
	if err != nil {
		t.Fatal(err)
	}
	var el Element
	if err := json.Unmarshal(raw, &el); err != nil {
		t.Fatal(err)
	}
	el.Raw = e.Element.Raw
	if !reflect.DeepEqual(el, e.Element) {
		t.Errorf("%+v\n%+v", el, e.Element)
	}
	raw, err = json.Marshal(e.Element.Details)
	if err != nil {
		t.Fatal(err)
	}
	var d Details
	if err := json.Unmarshal(raw, &d); err != nil || !reflect.DeepEqual(d, e.Element.Details) {
		t.Errorf("%v %+v", err, d)
	}
	for _, v := range []any{&d, &el, &e, &Sent{}, &RequestStatus{}, &Stream{}, &Price{}} {
		if err := json.Unmarshal([]byte(`[1]`), v); err == nil {
			t.Errorf("%T: a list is no object", v)
		}
	}
}

func TestWhen(t *testing.T) {
	a, b, c := time.Unix(1e9, 0), time.Unix(2e9, 0), time.Unix(3e9, 0)
	for want, e := range map[time.Time]Element{
		a:  {EventTime: a, Timestamp: b, Ingested: c},
		b:  {Timestamp: b, Ingested: c},
		c:  {Ingested: c},
		{}: {},
	} {
		if got := e.When(); !got.Equal(want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
