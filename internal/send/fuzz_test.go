package send

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Damage prevented: an answer of PDND that crashes the connector, lives for ever, or
// whose token breaks the header it goes into.
func FuzzVoucher(f *testing.F) {
	f.Add(`{"access_token":"abc","token_type":"Bearer","expires_in":600}`)
	f.Add(`{"access_token":"abc","expires_in":"1e999999999"}`)
	f.Add(`{"access_token":"a\r\nX: y","expires_in":1e-400}`)
	asked := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body string) {
		v, err := readVoucher([]byte(body), asked)
		if err != nil {
			return
		}
		if v.token == "" || strings.ContainsAny(string(v.token), "\r\n\x00") || v.expires.Before(asked) {
			t.Fatalf("%q until %s", string(v.token), v.expires)
		}
	})
}

// Damage prevented: a header that makes the connector wait for ever or not at all.
func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "", false)
	f.Add("-1", "", true)
	f.Add("Mon, 02 Mar 2026 10:00:00 GMT", "Mon, 02 Mar 2026 09:00:00 GMT", false)
	f.Add("99999999999999999999", "x", true)
	f.Fuzz(func(t *testing.T, value, date string, stream bool) {
		h := http.Header{"Retry-After": {value}, "Date": {date}}
		if d := retryAfter(&call{stream: stream}, h); d < 0 || d > longestRetry {
			t.Fatalf("%q: %s", value, d)
		}
	})
}

// Damage prevented: a page of the stream or an answer about a request that crashes the
// connector and is met again at every start.
func FuzzAnswers(f *testing.F) {
	f.Add(`{"eventId":"1","timestamp":"2026-03-02T10:00:00Z","newStatus":"ACCEPTED","element":{"elementId":"x"}}`)
	f.Add(`{"notificationRequestId":"x","notificationRequestStatus":"REFUSED","errors":[{"code":"A","detail":"b"}]}`)
	f.Add(`[[[[`)
	f.Add(`{"element":` + strings.Repeat(`{"a":`, 200) + `1` + strings.Repeat(`}`, 200) + `}`)
	f.Fuzz(func(_ *testing.T, body string) {
		for _, out := range []any{new(Event), new(RequestStatus), new(Sent), new(Download), new(Price), new(Slot), new(Stream), new(Created), new(Cancelled)} {
			_ = json.Unmarshal([]byte(body), out) // an error is as good as a value
		}
		_ = readProblem([]byte(body))
	})
}
