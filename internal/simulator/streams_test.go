package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func categories(events []progressElement) string {
	var found []string
	for _, e := range events {
		found = append(found, e.Element.Category)
	}
	return strings.Join(found, " ")
}

// Damage prevented: a client that acknowledges before it has stored a page, or
// stops at a short page, loses events for ever.
func TestStreamPagesAndAcknowledgement(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.PageSize = 3; o.StreamRetryAfter = 90 * time.Second })
	id := w.stream(nil)
	w.accepted(w.body("2026/1"))
	w.pass(20 * time.Minute)

	first, a := w.page(id, "")
	if len(first) != 3 || a.header.Get("Retry-After") != "0" {
		t.Fatalf("%d events, retry-after %s", len(first), a.header.Get("Retry-After"))
	}
	again, _ := w.page(id, "")
	if again[0].EventID != first[0].EventID {
		t.Error("nothing acknowledged, yet another page came")
	}
	last := first[2].EventID
	second, _ := w.page(id, last)
	repeat, _ := w.page(id, last)
	if second[0].EventID <= last || repeat[0].EventID != second[0].EventID {
		t.Error("the same lastEventId must bring the same following page")
	}
	lost, _ := w.page(id, first[0].EventID)
	if lost[0].EventID != second[0].EventID {
		t.Errorf("an acknowledged event came back: %s", lost[0].EventID)
	}
	w.drain(id)
	_, a = w.page(id, "")
	if a.header.Get("Retry-After") != "90000" {
		t.Errorf("drained: retry-after %s, want milliseconds", a.header.Get("Retry-After"))
	}
	for _, bad := range []string{"1", strings.Repeat("x", 38), "1" + strings.Repeat("0", 37)} {
		w.want(w.do("GET", streams+"/"+id+"/events?lastEventId="+bad, nil), 400, "PN_INVALID_PARAMETERS")
	}
}

// Damage prevented: ids that are not 38 digits or do not grow, and an IUN shown
// before it exists.
func TestStreamEventShape(t *testing.T) {
	w := newWorld(t, nil)
	id := w.stream(nil)
	requestID := w.create(w.body("2026/1"))
	w.sim.Faults().Add(Fault{Operation: "acceptance", Kind: FaultRefuse, Code: "FILE_GONE", Nth: 2})
	w.pass(time.Minute)
	w.refused(w.body("2026/2"))
	w.pass(20 * time.Minute)
	before := ""
	events := w.drain(id)
	for _, e := range events {
		if len(e.EventID) != 38 || e.EventID <= before {
			t.Fatalf("id %s after %s", e.EventID, before)
		}
		before = e.EventID
		shown := e.IUN != ""
		if want := e.NewStatus != statusInValidation && e.NewStatus != statusRefused; shown != want {
			t.Errorf("%s in %s: IUN %q", e.Element.Category, e.NewStatus, e.IUN)
		}
	}
	if events[0].NotificationRequestID != requestID {
		t.Error("no request id")
	}
	for _, e := range events {
		if e.Element.Category == "REQUEST_REFUSED" {
			d := e.Element.Details.(map[string]any)
			if d["paProtocolNumber"] != "2026/2" || d["idempotenceToken"] != "t1" || !strings.Contains(string(mustJSON(d)), `"errorCode":"FILE_GONE"`) {
				t.Errorf("details: %v", d)
			}
			return
		}
	}
	t.Error("no REQUEST_REFUSED")
}

// Damage prevented: filters that let everything through hide a client that
// forgot to ask for a category.
func TestStreamFilters(t *testing.T) {
	w := newWorld(t, nil)
	all := w.stream(nil)
	def := w.stream(body{"filterValues": []any{"DEFAULT", "AAR_GENERATION", "NOT_OF_THIS_WORLD"}})
	one := w.stream(body{"filterValues": []any{"REFINEMENT"}})
	status := w.stream(body{"eventType": "STATUS"})
	waiting := w.stream(body{"eventType": "STATUS", "waitForAccepted": true})
	some := w.stream(body{"eventType": "STATUS", "filterValues": []any{"ACCEPTED", "EFFECTIVE_DATE"}})
	w.accepted(w.body("2026/1"))
	w.pass(time.Hour)
	late := w.stream(nil)
	if got := categories(w.drain(all)); !strings.Contains(got, "NORMALIZED_ADDRESS") || !strings.Contains(got, "GET_ADDRESS") {
		t.Errorf("no filter: %s", got)
	}
	got := categories(w.drain(def))
	if !strings.Contains(got, "AAR_GENERATION") || !strings.Contains(got, "SEND_ANALOG_PROGRESS") || strings.Contains(got, "GET_ADDRESS") {
		t.Errorf("DEFAULT: %s", got)
	}
	if got := categories(w.drain(one)); got != "REFINEMENT" {
		t.Errorf("one category: %s", got)
	}
	var statuses []string
	for _, e := range w.drain(status) {
		statuses = append(statuses, e.NewStatus)
	}
	if got := strings.Join(statuses, " "); got != "IN_VALIDATION ACCEPTED DELIVERING DELIVERED EFFECTIVE_DATE" {
		t.Errorf("statuses: %s", got)
	}
	if got := w.drain(waiting); got[0].NewStatus != statusAccepted || len(got) != 4 {
		t.Errorf("waiting for acceptance: first %s, %d events", got[0].NewStatus, len(got))
	}
	if got := w.drain(some); len(got) != 2 || got[1].NewStatus != statusEffectiveDate {
		t.Errorf("filtered statuses: %v", got)
	}
	if got := w.drain(late); len(got) != 0 {
		t.Errorf("a stream sees only what comes after it: %s", categories(got))
	}
}

func TestStreamLifecycle(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.MaxStreams = 2 })
	title := func(x string) body {
		return body{"title": x, "eventType": "TIMELINE", "groups": []any{}}
	}
	w.want(w.do("POST", streams, body{"title": "x", "eventType": "OTHER", "groups": []any{}}), 400, "PN_INVALID_BODY")
	w.want(w.do("POST", streams, body{"title": "x", "eventType": "STATUS"}), 400, "PN_INVALID_BODY")
	a, b := w.stream(nil), w.stream(nil)
	w.want(w.do("POST", streams, title("third")), 409, "PN_WEBHOOK_MAXSTREAMSCOUNTREACHED")
	v := w.want(w.do("GET", streams+"/"+a, nil), 200, "").json(t)
	if v["version"] != "v29" || v["disabledDate"] != nil || v["activationDate"] == nil {
		t.Errorf("metadata: %v", v)
	}
	old := "/delivery-progresses/v2.8/streams/"
	w.want(w.do("GET", old+a, nil), 403, codeStreamForbidden)
	w.want(w.do("GET", old+a+"/events", nil), 403, codeStreamForbidden)
	unknown := "00000000-0000-4000-a000-000000000000"
	w.want(w.do("GET", streams+"/"+unknown, nil), 404, "PN_WEBHOOK_NOT_FOUND")
	w.want(w.do("GET", streams+"/"+unknown+"/events", nil), 404, "PN_STREAM_STREAMNOTFOUND")
	w.want(w.do("GET", streams+"/abc/events", nil), 400, "PN_INVALID_PARAMETERS")

	w.accepted(w.body("2026/1"))
	first, _ := w.page(a, "")
	replace := title("new")
	replace["replacedStreamId"] = a
	c := w.want(w.do("POST", streams, replace), 200, "").json(t)["streamId"].(string)
	w.pass(10 * time.Minute)
	next, _ := w.page(c, "")
	var was, is uint64
	if _, err := fmt.Sscan(strings.TrimLeft(first[len(first)-1].EventID, "0"), &was); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(strings.TrimLeft(next[0].EventID, "0"), &is); err != nil {
		t.Fatal(err)
	}
	if is <= was+replacedGap || is > was+replacedGap+10 {
		t.Errorf("new stream starts at %d after %d", is, was)
	}
	if left := w.drain(a); len(left) != len(first) {
		t.Errorf("the replaced stream holds %d events, want its %d old ones", len(left), len(first))
	}
	w.want(w.do("PUT", streams+"/"+a, title("x")), 403, codeStreamForbidden)
	w.want(w.do("POST", streams+"/"+a+"/action/disable", nil), 403, codeStreamForbidden)

	w.want(w.do("POST", streams+"/"+b+"/action/disable", nil), 200, "")
	w.stream(nil) // a disabled one does not count
	if n := strings.Count(string(w.want(w.do("GET", streams, nil), 200, "").body), "streamId"); n != 4 {
		t.Errorf("%d streams listed, the disabled ones included", n)
	}
	w.pass(14 * 24 * time.Hour)
	if n := strings.Count(string(w.want(w.do("GET", streams, nil), 200, "").body), "streamId"); n != 2 {
		t.Errorf("%d streams after the disabled ones expired", n)
	}
	w.want(w.do("DELETE", streams+"/"+c, nil), 204, "")
	w.want(w.do("GET", streams+"/"+c+"/events", nil), 404, "PN_STREAM_STREAMNOTFOUND")
	w.key = "key-b"
	if got := w.want(w.do("GET", streams, nil), 200, ""); string(got.body) != "[]" {
		t.Errorf("another sender's streams: %s", got.body)
	}
}

// Damage prevented: a key with groups that could open everybody's stream.
func TestStreamGroups(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Senders[0].Groups = []Group{{ID: "g1"}, {ID: "g2"}}
		o.Keys = append(o.Keys, APIKey{Value: "key-g1", Sender: "pa-a", Groups: []string{"g1"}})
	})
	of := func(groups ...any) body {
		return body{"title": "x", "eventType": "TIMELINE", "groups": append([]any{}, groups...)}
	}
	master := w.stream(nil)
	both := w.stream(of("g1", "g2"))
	w.key = "key-g1"
	w.want(w.do("POST", streams, of()), 403, codeStreamForbidden)
	w.want(w.do("POST", streams, of("g2")), 403, codeStreamForbidden)
	own := w.stream(of("g1"))
	for _, id := range []string{master, both} {
		w.want(w.do("GET", streams+"/"+id+"/events", nil), 403, codeStreamForbidden)
	}
	w.key = testKey
	w.want(w.do("PUT", streams+"/"+own, of("g1", "g2")), 200, "")
	w.want(w.do("PUT", streams+"/"+own, of("g2")), 403, codeStreamForbidden)
	w.want(w.do("PUT", streams+"/"+master, of("g1")), 403, codeStreamForbidden)
	for i, g := range []string{"", "g1"} {
		b := w.body(fmt.Sprint("2026/", i))
		if g != "" {
			b["group"] = g
		}
		w.accepted(b)
	}
	if all, some := w.drain(master), w.drain(both); len(some) == 0 || len(all) <= len(some) {
		t.Errorf("master %d events, grouped %d", len(all), len(some))
	}
}

// Damage prevented: seven days are all that a stopped connector has.
func TestStreamRetention(t *testing.T) {
	w := newWorld(t, nil)
	id := w.stream(nil)
	w.accepted(w.body("2026/1"))
	w.pass(7*24*time.Hour - 2*time.Minute)
	if events, _ := w.page(id, ""); len(events) == 0 {
		t.Fatal("gone too early")
	}
	w.pass(2 * time.Minute)
	events, _ := w.page(id, "")
	if strings.Contains(categories(events), "REQUEST_ACCEPTED") {
		t.Error("older than seven days and still there")
	}
}

func TestStreamRetryAfterSwitch(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.StreamRetryStrict = true; o.StreamRetryAfter = 10 * time.Second })
	id := w.stream(nil)
	w.page(id, "")
	w.pass(4 * time.Second)
	a := w.want(w.do("GET", streams+"/"+id+"/events", nil), 429, "PN_STREAM_RETRY_AFTER_ERROR")
	if a.header.Get("Retry-After") != "6000" {
		t.Errorf("retry-after %s", a.header.Get("Retry-After"))
	}
	w.pass(6 * time.Second)
	w.page(id, "")
	lenient := newWorld(t, nil)
	id = lenient.stream(nil)
	lenient.page(id, "")
	lenient.page(id, "")
	if v := lenient.sim.Violations(); len(v) != 1 {
		t.Errorf("an impatient reader went unnoticed: %v", v)
	}
}

// Damage prevented: a client keyed by IUN must never meet an event of a
// notification before its acceptance, however the platform shuffles.
func TestWaitForAccepted(t *testing.T) {
	w := newWorld(t, nil)
	waiting, plain := w.stream(body{"waitForAccepted": true}), w.stream(nil)
	// The acceptance is overtaken by the AAR: on the plain stream it shows.
	w.sim.Faults().Add(Fault{Operation: "publish", Kind: FaultReorder, Nth: 7})
	w.sim.Faults().Add(Fault{Operation: "publish", Kind: FaultReorder, Nth: 8})
	w.accepted(w.body("2026/1"))
	w.pass(time.Hour)
	for _, tc := range []struct {
		id    string
		first bool
	}{{waiting, true}, {plain, false}} {
		got := categories(w.drain(tc.id))
		accepted, aar := strings.Index(got, "REQUEST_ACCEPTED"), strings.Index(got, "AAR_CREATION_REQUEST")
		if accepted < 0 || aar < 0 || (accepted < aar) != tc.first {
			t.Errorf("waiting=%v: %s", tc.first, got)
		}
	}
}

func TestPublishFaults(t *testing.T) {
	w := newWorld(t, nil)
	id := w.stream(body{"filterValues": []any{"REQUEST_ACCEPTED", "AAR_GENERATION"}})
	w.sim.Faults().Add(Fault{Operation: "publish", Kind: FaultDuplicate, Nth: 1})
	w.sim.Faults().Add(Fault{Operation: "publish", Kind: FaultDrop, Nth: 2})
	w.accepted(w.body("2026/1"))
	w.pass(time.Minute)
	events := w.drain(id)
	if got := categories(events); got != "REQUEST_ACCEPTED REQUEST_ACCEPTED" {
		t.Fatalf("events: %s", got)
	}
	if events[0].Element.ElementID != events[1].Element.ElementID || events[0].EventID == events[1].EventID {
		t.Error("a duplicate has the same element under another number")
	}
	w.accepted(w.body("2026/2"))
	w.sim.Faults().Add(Fault{Operation: "streamEvents", Kind: FaultEmptyPage, Count: 1})
	if page, _ := w.page(id, ""); len(page) != 0 {
		t.Error("page not empty")
	}
	w.sim.Faults().Add(Fault{Operation: "streamEvents", Kind: FaultRepeatPage, Count: 1})
	page, a := w.page(id, "")
	var raw []json.RawMessage
	if err := json.Unmarshal(a.body, &raw); err != nil || len(page) < 2 || len(page)%2 != 0 {
		t.Errorf("repeated page: %d %v", len(page), err)
	}
}
