package progress

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sendconnector/internal/ledger"
)

const iun = "ABCD-EFGH-JKLM-202601-N-1"

// at is an instant of the story told by the tests, minutes after its beginning.
func at(minutes int) time.Time {
	return time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

// event makes an event as a stream of today's version sends it. extra are members of
// the element beside the usual ones, as JSON.
func event(category string, recipient, minute int, status, details string, extra ...string) []byte {
	id := category + ".IUN_" + iun
	if recipient >= 0 {
		id += fmt.Sprintf(".RECINDEX_%d", recipient)
		details = fmt.Sprintf(`"recIndex":%d`, recipient) + comma(details) + details
	}
	return element(id, category, minute, status, details, extra...)
}

func comma(s string) string {
	if s == "" {
		return ""
	}
	return ","
}

func element(id, category string, minute int, status, details string, extra ...string) []byte {
	more := strings.Join(extra, ",")
	return []byte(fmt.Sprintf(
		`{"eventId":"%038d","notificationRequestId":"request-1","iun":%q,"newStatus":%q,"element":{"elementId":%q,"category":%q,"eventTimestamp":%q,"ingestionTimestamp":%q,"details":{%s}%s%s}}`,
		minute, iun, status, id, category, at(minute).Format(time.RFC3339), at(minute+1).Format(time.RFC3339), details, comma(more), more))
}

func story(t *testing.T, raws ...[]byte) []seen {
	t.Helper()
	var all []seen
	for _, raw := range raws {
		if !json.Valid(raw) {
			t.Fatalf("the test made no JSON: %s", raw)
		}
		s, ok := read(raw)
		if !ok {
			t.Fatalf("not read: %s", raw)
		}
		all = append(all, s)
	}
	return all
}

// What a clerk files as the date of effect decides terms for appeals and payments:
// it must be the earlier of the two events, of this recipient, by the time in the
// details.
func TestDerivePerfection(t *testing.T) {
	refined := event(catRefinement, 0, 50, "EFFECTIVE_DATE", `"eventTimestamp":"`+at(40).Format(time.RFC3339)+`"`)
	viewed := event(catViewed, 0, 30, "VIEWED", `"eventTimestamp":"`+at(29).Format(time.RFC3339)+`"`)
	for _, c := range []struct {
		name   string
		events [][]byte
		want   time.Time
	}{
		{"refined", [][]byte{refined}, at(40)},
		{"viewed first", [][]byte{refined, viewed}, at(29)},
		{"without details the element's time", [][]byte{event(catViewed, 0, 31, "VIEWED", "")}, at(31)},
		{"another recipient's", [][]byte{event(catViewed, 1, 30, "VIEWED", "")}, time.Time{}},
		{"neither", [][]byte{event(catSendDigital, 0, 5, "DELIVERING", "")}, time.Time{}},
	} {
		f := derive(2, story(t, c.events...))
		if !f.recipients[0].PerfectedAt.Equal(c.want) {
			t.Errorf("%s: %v, want %v", c.name, f.recipients[0].PerfectedAt, c.want)
		}
	}
}

func TestDeriveRecipients(t *testing.T) {
	f := derive(3, story(
		t,
		event(catAccepted, -1, 0, "ACCEPTED", ""),
		event(catSendAnalog, 0, 10, "DELIVERING", `"analogCost":550`),
		event(catAnalogFeedback, 0, 20, "DELIVERING", `"responseStatus":"OK","deliveryDetailCode":"RECRN002C","deliveryFailureCause":"M02"`),
		event(catDeceased, 0, 21, "DELIVERING", ""),
		event(catSendAnalog, 1, 10, "DELIVERING", ""),
		event(catUnreachable, 1, 22, "UNREACHABLE", ""),
		event("SEND_COURTESY_MESSAGE", 2, 5, "DELIVERING", ""),
	))
	r := f.recipients
	if !r[0].Returned || !r[0].Dispatched || r[0].Unreachable {
		t.Errorf("deceased: %+v", r[0])
	}
	if !r[1].Unreachable || r[1].Returned {
		t.Errorf("unreachable: %+v", r[1])
	}
	if r[2].Dispatched {
		t.Error("a courtesy message is no dispatch")
	}
	if r[1].LastEvent != catUnreachable || !r[1].LastEventAt.Equal(at(22)) {
		t.Errorf("last event: %+v", r[1])
	}
	if got := derive(1, story(t, event(catAnalogFeedback, 0, 1, "DELIVERING", `"responseStatus":"KO","deliveryDetailCode":"RECRN002F","deliveryFailureCause":"M01"`))).recipients[0].Detail; got != "KO RECRN002F M01" {
		t.Errorf("detail %q", got)
	}
}

// Events come late and out of order: the status must not move back because of it.
func TestDeriveStatus(t *testing.T) {
	for _, c := range []struct {
		name   string
		events [][]byte
		want   string
	}{
		{"nothing yet", [][]byte{event("VALIDATE_NORMALIZE_ADDRESSES_REQUEST", -1, 0, "IN_VALIDATION", "")}, ""},
		{"accepted", [][]byte{event(catAccepted, -1, 1, "ACCEPTED", "")}, "ACCEPTED"},
		{"a late report does not undo the viewing", [][]byte{
			event(catViewed, 0, 30, "VIEWED", ""), event(catAnalogFeedback, 0, 40, "DELIVERED", ""),
		}, "VIEWED"},
		{"unreachable then effective", [][]byte{
			event(catUnreachable, 0, 30, "UNREACHABLE", ""), event(catRefinement, 0, 40, "EFFECTIVE_DATE", ""),
		}, "EFFECTIVE_DATE"},
		{"cancelled", [][]byte{event(catViewed, 0, 30, "VIEWED", ""), event(catCancelled, -1, 40, "CANCELLED", "")}, "CANCELLED"},
		{"implied: all reached", [][]byte{
			event(catAccepted, -1, 1, "", ""), event(catSendDigital, 0, 2, "", ""), event(catDigitalSuccess, 0, 3, "", ""),
		}, "DELIVERED"},
		{"implied: deceased", [][]byte{event(catAccepted, -1, 1, "", ""), event(catDeceased, 0, 3, "", "")}, "RETURNED_TO_SENDER"},
		{"implied: unreachable", [][]byte{event(catAccepted, -1, 1, "", ""), event(catUnreachable, 0, 3, "", "")}, "UNREACHABLE"},
		{"implied: on its way", [][]byte{event(catAccepted, -1, 1, "", ""), event(catSendAnalog, 0, 3, "", "")}, "DELIVERING"},
		{"implied: viewed", [][]byte{event(catViewed, 0, 3, "", "")}, "VIEWED"},
		{"refused", [][]byte{event(catRefused, -1, 3, "REFUSED", "")}, ""},
		{"a word of tomorrow", [][]byte{event(catAccepted, -1, 1, "ACCEPTED", ""), event("NEW_THING", 0, 3, "TELEPORTED", "")}, "ACCEPTED"},
	} {
		if got := derive(1, story(t, c.events...)).status; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Losing the event of acceptance must not leave a notification "sent" for ever.
func TestDeriveMissedAcceptance(t *testing.T) {
	f := derive(1, story(t, event(catSendDigital, 0, 10, "DELIVERING", "")))
	if !f.accepted || f.iun != iun {
		t.Errorf("%+v", f)
	}
}

func TestDeriveRefusal(t *testing.T) {
	f := derive(1, story(t, event(catRefused, -1, 10, "REFUSED",
		`"refusalReasons":[{"errorCode":"NOT_VALID_ADDRESS","detail":"x","recIndex":0}],"notificationCost":100`)))
	if !f.refused || f.accepted || len(f.reasons) != 1 || f.reasons[0].Code != "NOT_VALID_ADDRESS" || f.refusalCent != 100 {
		t.Errorf("%+v", f)
	}
}

// A correction by SEND takes back what it names: a recipient shown as having got the
// letter on a false report must not stay so.
func TestDeriveRework(t *testing.T) {
	feedback := "SEND_ANALOG_FEEDBACK.IUN_" + iun + ".RECINDEX_0.ATTEMPT_0"
	refinement := "REFINEMENT.IUN_" + iun + ".RECINDEX_0"
	before := [][]byte{
		event(catAccepted, -1, 1, "ACCEPTED", ""),
		event(catSendAnalog, 0, 5, "DELIVERING", ""),
		element(feedback, catAnalogFeedback, 10, "DELIVERED", `"recIndex":0,"responseStatus":"OK"`),
		element(refinement, catRefinement, 20, "EFFECTIVE_DATE", `"recIndex":0`),
	}
	rework := event(catTimelineReworked, 0, 30, "DELIVERING", fmt.Sprintf(
		`"invalidatedTimelineAndStatusHistory":[{"status":"DELIVERED","relatedTimelineElements":[%q]},{"status":"EFFECTIVE_DATE","relatedTimelineElements":[%q]}]`,
		feedback, refinement))
	f := derive(1, story(t, append(before, rework)...))
	if !f.recipients[0].PerfectedAt.IsZero() || f.status != "DELIVERING" || !f.reworked {
		t.Errorf("after the correction: %+v, status %s", f.recipients[0], f.status)
	}
	anew := element(feedback+".REWORK_0", catAnalogFeedback, 31, "UNREACHABLE", `"recIndex":0,"responseStatus":"KO"`)
	f = derive(1, story(t, append(before, rework, anew)...))
	if f.status != "UNREACHABLE" {
		t.Errorf("after the new report: %s", f.status)
	}
	// Also where the list does not name the element that was written anew.
	f = derive(1, story(t, before[2], anew))
	if f.recipients[0].LastEventAt != at(31) || f.status != "UNREACHABLE" {
		t.Errorf("written anew: %+v, %s", f.recipients[0], f.status)
	}
}

// Every document with legal value that an event names is wanted once, under a key
// that a path can carry.
func TestDeriveDocuments(t *testing.T) {
	facts := `"legalFactsIds":[{"key":"safestorage://PN_LEGAL_FACTS-1.pdf","category":"SENDER_ACK"}]`
	f := derive(1, story(
		t,
		event(catAccepted, -1, 1, "ACCEPTED", "", facts),
		event(catAAR, 0, 2, "ACCEPTED", `"generatedAarUrl":"safestorage://PN_AAR-2.pdf"`),
		event(catAnalogFailure, 0, 3, "DELIVERING", `"generatedAarUrl":"safestorage://PN_AAR-2.pdf"`),
		event(catAnalogProgress, 0, 4, "DELIVERING", "", facts),
	))
	var got []string
	for _, p := range f.promises {
		got = append(got, fmt.Sprintf("%s %s %d", p.key, p.category, p.recipient))
	}
	if d := cmp.Diff([]string{"PN_LEGAL_FACTS-1.pdf SENDER_ACK -1", "PN_AAR-2.pdf AAR 0"}, got); d != "" {
		t.Error(d)
	}
}

// PnValidator speaks the first version of events: flat, without element ids.
func TestReadFlatEvents(t *testing.T) {
	raw := []byte(`{"eventId":"3","timestamp":"2026-01-10T08:00:00Z","notificationRequestId":"r","iun":"` + iun + `","newStatus":"VIEWED","timelineEventCategory":"NOTIFICATION_VIEWED","legalFactsIds":["PN_LEGAL_FACTS-7.pdf"],"recipientIndex":1}`)
	s, ok := read(raw)
	if !ok || s.category != catViewed || s.recipient != 1 || s.id != "NOTIFICATION_VIEWED#1" || s.requestID != "r" {
		t.Fatalf("%+v", s)
	}
	f := derive(2, []seen{s})
	if f.recipients[1].PerfectedAt.IsZero() || f.status != ledger.StatusViewed || len(f.promises) != 1 {
		t.Errorf("%+v", f)
	}
	if _, ok := read([]byte(`{"eventId":"0","notificationRequestId":"r"}`)); ok {
		t.Error("an event without an element was kept")
	}
	if _, ok := read([]byte(`["no event"]`)); ok {
		t.Error("no event at all was kept")
	}
}

// The order in which events come, and their coming twice, must not matter.
func TestDeriveDoesNotDependOnOrder(t *testing.T) {
	raws := [][]byte{
		event(catAccepted, -1, 1, "ACCEPTED", "", `"legalFactsIds":[{"key":"a","category":"SENDER_ACK"}]`),
		event(catAAR, 0, 2, "ACCEPTED", `"generatedAarUrl":"aar"`),
		event(catSendDigital, 0, 3, "DELIVERING", ""),
		event(catSendAnalog, 1, 4, "DELIVERING", ""),
		event(catDigitalSuccess, 0, 5, "DELIVERING", ""),
		event(catUnreachable, 1, 6, "DELIVERED", ""),
		event(catRefinement, 1, 7, "EFFECTIVE_DATE", ""),
		event(catTimelineReworked, 1, 8, "DELIVERED", `"invalidatedTimelineAndStatusHistory":[{"status":"EFFECTIVE_DATE","relatedTimelineElements":["REFINEMENT.IUN_`+iun+`.RECINDEX_1"]}]`),
		event(catViewed, 0, 9, "VIEWED", ""),
	}
	want := derive(2, story(t, raws...))
	rapid.Check(t, func(rt *rapid.T) {
		shuffled := rapid.Permutation(raws).Draw(rt, "order")
		got := derive(2, story(t, shuffled...))
		if d := cmp.Diff(want.recipients, got.recipients); d != "" {
			rt.Fatal(d)
		}
		if want.status != got.status || !want.statusAt.Equal(got.statusAt) || len(want.promises) != len(got.promises) {
			rt.Fatalf("%s at %v, %s at %v", want.status, want.statusAt, got.status, got.statusAt)
		}
	})
}

// Whatever SEND sends must be kept or refused, never crash the reader.
func FuzzRead(f *testing.F) {
	f.Add(event(catAccepted, -1, 1, "ACCEPTED", ""))
	f.Add([]byte(`{"element":{"elementId":5,"category":null,"details":[]},"eventId":{}}`))
	f.Add([]byte(`{"element":{"elementId":"X.REWORK_99999999999999999999","category":"Y"}}`))
	f.Add([]byte(`{"element":{"elementId":"X.REWORK_7","category":"Y","details":{"recIndex":-4}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, ok := read(raw); ok {
			derive(1, []seen{s})
		}
	})
}
