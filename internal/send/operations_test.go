package send

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sendconnector/internal/notification"
)

func items(n int) []PreloadItem {
	var l []PreloadItem
	for i := range n {
		l = append(l, PreloadItem{Index: fmt.Sprint("i", i), SHA256: strings.Repeat("A", 43) + "=", ContentType: "application/pdf"})
	}
	return l
}

func slotJSON(idx string) string {
	return fmt.Sprintf(`{"preloadIdx":%q,"secret":"s-%s","httpMethod":"PUT","url":"https://s/%s","key":"k-%s"}`, idx, idx, idx, idx)
}

// Damage prevented: one citizen's document in another's notification.
func TestPreloadMatchesByIndex(t *testing.T) {
	var sent []PreloadItem
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || r.Method != "POST" || r.URL.Path != "/delivery/attachments/preload" {
			t.Errorf("%s %s %v", r.Method, r.URL, err)
		}
		answerWith(200, `[`+slotJSON("i2")+`,`+slotJSON("i0")+`,`+slotJSON("i1")+`]`)(w, r)
	})
	slots, err := c.Preload(t.Context(), items(3))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range slots {
		if s.Key != fmt.Sprint("k-i", i) || s.Index != fmt.Sprint("i", i) || s.Secret == "" || s.Method != "PUT" {
			t.Errorf("slot %d: %+v", i, s)
		}
	}
	if len(sent) != 3 || sent[0] != items(1)[0] {
		t.Errorf("asked %+v", sent)
	}
}

func TestPreloadGuessesNothing(t *testing.T) {
	for name, body := range map[string]string{
		"one missing":  `[` + slotJSON("i0") + `]`,
		"one twice":    `[` + slotJSON("i0") + `,` + slotJSON("i0") + `,` + slotJSON("i1") + `]`,
		"no index":     `[{"secret":"s","httpMethod":"PUT","url":"u","key":"k"},{"secret":"s","httpMethod":"PUT","url":"u","key":"k"}]`,
		"another":      `[` + slotJSON("i0") + `,` + slotJSON("i9") + `]`,
		"without key":  `[` + slotJSON("i0") + `,{"preloadIdx":"i1","secret":"s","httpMethod":"PUT","url":"u"}]`,
		"without data": `[]`,
	} {
		c := serve(t, answerWith(200, body))
		_, err := c.Preload(t.Context(), items(2))
		if e := asError(err); e.Class != Fatal {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := serve(t, answerWith(500, ``))
	twice := items(2)
	twice[1].Index = "i0"
	bad := items(1)
	bad[0].ContentType = ""
	for _, in := range [][]PreloadItem{nil, items(16), twice, bad, {{SHA256: "x", ContentType: "y"}}} {
		if _, err := c.Preload(t.Context(), in); asError(err).Class != Fatal {
			t.Errorf("%d items: %v", len(in), err)
		}
	}
	if used, _ := c.Budget(); used != 0 {
		t.Error("a call was spent on what cannot succeed")
	}
}

func TestPreloadIsRepeated(t *testing.T) {
	var calls atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < 3 {
			answerWith(503, ``)(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if len(body) == 0 {
			t.Error("repeated without its body")
		}
		answerWith(200, `[`+slotJSON("i0")+`]`)(w, r)
	})
	if _, err := c.Preload(t.Context(), items(1)); err != nil {
		t.Error(err)
	}
}

func TestCreate(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var got notification.Request
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || got.PaProtocolNumber != "P1" {
			t.Errorf("%+v %v", got, err)
		}
		if r.URL.Path != "/base/delivery/v2.6/requests" || r.Header.Get("Content-Type") != "application/json" ||
			r.Header.Get("Accept") != "application/json" || r.ContentLength <= 0 || r.Header.Get("User-Agent") != "test/1" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		answerWith(202, bodyAccepted)(w, r)
	}, func(cfg *Config) { cfg.BaseURL += "/base/"; cfg.UserAgent = "test/1"; cfg.APIKey = testKey + "\n" })
	created, err := c.Create(t.Context(), &notification.Request{PaProtocolNumber: "P1"})
	if err != nil || created != (Created{"RFBEQS1MVlpNLUpSRUwtMjAyNTAxLU4tMQ==", "P1", "t"}) {
		t.Errorf("%+v %v", created, err)
	}
}

// Damage prevented: a look-up that misses what SEND has, since + and blank are
// read as each other; it would lead to a second post.
func TestStatusAsksForExactlyThis(t *testing.T) {
	const protocol, tok = "a+b c/d=è&x%2B", "t+/="
	var query string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.RawQuery
		q := r.URL.Query()
		if q.Get("paProtocolNumber") != protocol || q.Get("idempotenceToken") != tok || len(q) != 2 {
			t.Errorf("asked %v", q)
		}
		body, _ := json.Marshal(map[string]any{
			"notificationRequestId": "id1", "notificationRequestStatus": "WAITING", "retryAfter": 10,
			"paProtocolNumber": protocol, "idempotenceToken": tok, "subject": "s",
		})
		answerWith(200, string(body))(w, r)
	})
	st, err := c.StatusByToken(t.Context(), protocol, tok)
	if err != nil || st.RequestID != "id1" || st.Status != Waiting || st.RetryAfter != 10 || st.IUN != "" {
		t.Errorf("%+v %v", st, err)
	}
	if strings.Contains(query, "+") {
		t.Errorf("a bare plus sign in %s", query)
	}
	var req notification.Request
	if err := json.Unmarshal(st.Body, &req); err != nil || req.Subject != "s" || req.PaProtocolNumber != protocol {
		t.Errorf("the request as SEND keeps it cannot be compared: %+v %v", req, err)
	}
}

func TestStatusAboutAnotherRequest(t *testing.T) {
	c := serve(t, answerWith(200, `{"notificationRequestId":"other","notificationRequestStatus":"ACCEPTED","paProtocolNumber":"P2","idempotenceToken":"t2"}`))
	_, err := c.StatusByToken(t.Context(), "P1", "t1")
	wantClass(t, err, Fatal)
	_, err = c.StatusByID(t.Context(), "id1")
	wantClass(t, err, Fatal)
	for _, pair := range [][2]string{{"", "t"}, {"p", ""}, {" ", "t"}} {
		_, err = c.StatusByToken(t.Context(), pair[0], pair[1])
		wantClass(t, err, Fatal)
	}
}

// PnValidator reports a refusal with HTTP 500: taken for a failure it would be
// asked for for ever. Any other 500 stays one.
func TestStatusRefusedWith500(t *testing.T) {
	var calls atomic.Int32
	body := `{"notificationRequestId":"id1","notificationRequestStatus":"REFUSED","retryAfter":1,"errors":[{"code":"NOT_VALID_ADDRESS","detail":"d","recIndex":1},{"code":"FILE_NOTFOUND"}]}`
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if r.URL.Query().Get("notificationRequestId") != "id1" {
			t.Error(r.URL)
		}
		answerWith(500, body)(w, r)
	})
	st, err := c.StatusByID(t.Context(), "id1")
	if err != nil || st.Status != Refused || len(st.Errors) != 2 || st.Errors[0].Code != "NOT_VALID_ADDRESS" || *st.Errors[0].RecIndex != 1 || st.Errors[1].RecIndex != nil {
		t.Errorf("%+v %v", st, err)
	}
	if calls.Load() != 1 {
		t.Errorf("%d calls", calls.Load())
	}
	body = `{"notificationRequestId":"id1","notificationRequestStatus":"ACCEPTED"}`
	_, err = c.StatusByID(t.Context(), "id1")
	wantClass(t, err, Transient)
}

func TestSent(t *testing.T) {
	body := `{"iun":"IUN1","sentAt":"2026-01-02T03:04:05.123456789Z","notificationStatus":"VIEWED","paProtocolNumber":"P","documentsAvailable":true,
	"notificationStatusHistory":[{"status":"ACCEPTED","activeFrom":"2026-01-02T03:04:05Z","relatedTimelineElements":["a","b"]},5],
	"timeline":[{"elementId":"a","category":"REQUEST_ACCEPTED"},7,{"elementId":"c","category":"NEW_CATEGORY","details":{"recIndex":0}}]}`
	c := serve(t, answerWith(200, body))
	s, err := c.Sent(t.Context(), "IUN1")
	if err != nil {
		t.Fatal(err)
	}
	if s.Status != "VIEWED" || !s.Available || s.SentAt.Year() != 2026 || len(s.History) != 1 || len(s.History[0].Elements) != 2 ||
		len(s.Timeline) != 3 || s.Timeline[2].Category != "NEW_CATEGORY" || string(s.Timeline[1].Raw) != "7" || string(s.Body) != body {
		t.Errorf("%+v", s)
	}
	_, err = c.Sent(t.Context(), "IUN2")
	wantClass(t, err, Fatal)
}

func TestStreams(t *testing.T) {
	var last, body string
	answer := `{"streamId":"s1","title":"T","eventType":"TIMELINE","groups":["g"],"filterValues":["A"],"waitForAccepted":true,"activationDate":"2026-01-01T00:00:00Z","version":"v29"}`
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		last, body = r.Method+" "+r.RequestURI, string(b)
		if r.Method == http.MethodDelete {
			w.WriteHeader(204)
			return
		}
		answerWith(200, answer)(w, r)
	})
	const root = "/delivery-progresses/v2.9/streams"
	check := func(err error, wantCall, wantBody string) {
		t.Helper()
		if err != nil || last != wantCall || body != wantBody {
			t.Errorf("%v\n%s %s\nwant %s %s", err, last, body, wantCall, wantBody)
		}
	}
	s, err := c.CreateStream(t.Context(), NewStream{Title: "T", EventType: "TIMELINE", WaitForAccepted: true, Replaces: "old"})
	// null is refused by SEND, and to PnValidator an absent filter means nothing.
	check(err, "POST "+root, `{"title":"T","eventType":"TIMELINE","groups":[],"filterValues":[],"waitForAccepted":true,"replacedStreamId":"old"}`)
	if s.ID != "s1" || s.Version != "v29" || !s.WaitForAccepted || len(s.Groups) != 1 || len(s.Filter) != 1 || s.Activated.IsZero() || !s.Disabled.IsZero() {
		t.Errorf("%+v", s)
	}
	_, err = c.Stream(t.Context(), "s/1")
	check(err, "GET "+root+"/s%2F1", "")
	_, err = c.UpdateStream(t.Context(), "s1", NewStream{Title: "U", EventType: "STATUS", Groups: []string{"g"}, Replaces: "x"})
	check(err, "PUT "+root+"/s1", `{"title":"U","eventType":"STATUS","groups":["g"],"filterValues":[],"waitForAccepted":false}`)
	_, err = c.DisableStream(t.Context(), "s1")
	check(err, "POST "+root+"/s1/action/disable", "")
	check(c.DeleteStream(t.Context(), "s1"), "DELETE "+root+"/s1", "")
	answer = `[{"streamId":"a","title":"A"},{"streamId":"b","title":"B"}]`
	list, err := c.ListStreams(t.Context())
	check(err, "GET "+root, "")
	if len(list) != 2 || list[1].ID != "b" || list[1].Title != "B" {
		t.Errorf("%+v", list)
	}
}

func TestClassesOfStreams(t *testing.T) {
	tests := []struct {
		status int
		body   string
		class  Class
		reason string
	}{
		{409, problemJSON(codeMaxStreams, ""), Held, HeldStream},
		{403, problemJSON(codeForbidden, ""), Held, HeldStream},
		{404, problemJSON("PN_WEBHOOK_NOT_FOUND", ""), NotFound, ""},
		{500, problemJSON(codeGeneric, ""), Unknown, ""},
	}
	for _, tt := range tests {
		c := serve(t, answerWith(tt.status, tt.body))
		_, err := c.DisableStream(t.Context(), "s")
		if e := wantClass(t, err, tt.class); e.Reason != tt.reason {
			t.Errorf("%d: reason %q", tt.status, e.Reason)
		}
	}
	c := serve(t, answerWith(409, problemJSON(codeMaxStreams, "")))
	_, err := c.CreateStream(t.Context(), NewStream{})
	wantClass(t, err, Held)
	c = serve(t, answerWith(404, problemJSON("PN_STREAM_STREAMNOTFOUND", "")))
	_, err = c.Events(t.Context(), "s", "")
	wantClass(t, err, NotFound)
}

// Damage prevented: milliseconds read as seconds (17 minutes instead of one
// second), or a busy loop on an empty stream.
func TestEventsPause(t *testing.T) {
	id := "0" + strings.Repeat("0", 35) + "42"
	tests := []struct {
		page, header string
		want         time.Duration
	}{
		{`[]`, "900000", 15 * time.Minute},
		{`[` + eventV29 + `]`, "0", 0},
		{`[` + eventV29 + `]`, "1000", time.Second},
		{`[` + eventV29 + `]`, "", 0},
		{`[` + eventV29 + `]`, "soon", 0},
		{`[]`, "", time.Minute},
		{`[]`, "0", time.Second},
		{`[]`, "-4", time.Second},
		{`[]`, "99999999999999999", time.Hour},
	}
	for _, tt := range tests {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery != "lastEventId="+id {
				t.Error(r.URL)
			}
			if tt.header != "" {
				w.Header().Set("retry-after", tt.header)
			}
			answerWith(200, tt.page)(w, r)
		})
		p, err := c.Events(t.Context(), "s", id)
		if err != nil || p.RetryAfter != tt.want {
			t.Errorf("%s %q: %v %v", tt.page, tt.header, p.RetryAfter, err)
		}
	}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			t.Error("the first read acknowledges something: " + r.URL.RawQuery)
		}
		answerWith(200, `[{"eventId":"1"`)(w, r)
	})
	_, err := c.Events(t.Context(), "s", "")
	wantClass(t, err, Transient)
}

func TestDownloads(t *testing.T) {
	var path, body string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { path = r.RequestURI; answerWith(200, body)(w, r) })
	body = `{"filename":"a.pdf","contentLength":10,"url":"https://s/x"}`
	d, err := c.LegalFact(t.Context(), "IUN1", "safestorage://PN_LEGAL_FACTS-a.pdf")
	if err != nil || path != "/delivery-push/IUN1/download/legal-facts/PN_LEGAL_FACTS-a.pdf" ||
		d != (Download{Filename: "a.pdf", ContentLength: 10, URL: "https://s/x"}) {
		t.Errorf("%s %+v %v", path, d, err)
	}
	body = `{"filename":"a.pdf","contentType":"application/pdf","contentLength":10.0,"sha256":"x=","url":"https://s/x","numberOfPages":3}`
	d, err = c.Document(t.Context(), "IUN1", 2)
	if err != nil || path != "/delivery/notifications/sent/IUN1/attachments/documents/2" || d.SHA256 != "x=" || d.ContentLength != 10 {
		t.Errorf("%s %+v %v", path, d, err)
	}
	body = `{"filename":"f24.pdf","contentLength":0,"sha256":"","retryAfter":18000}`
	d, err = c.PaymentAttachment(t.Context(), "IUN1", 1, AttachmentF24, 3)
	if err != nil || path != "/delivery/notifications/sent/IUN1/attachments/payment/1/F24?attachmentIdx=3" || d.RetryAfter != 5*time.Hour || d.URL != "" {
		t.Errorf("%s %+v %v", path, d, err)
	}
	body = `{"filename":"f24.pdf","contentLength":0}`
	_, err = c.Document(t.Context(), "IUN1", 0)
	wantClass(t, err, Transient)
}

func TestPrice(t *testing.T) {
	body := `{"iun":"I","partialPrice":650,"totalPrice":871,"sendFee":100,"analogCost":550,"vat":22,"pafee":100,"refinementDate":"2026-03-01T23:59:59.999999999+01:00"}`
	var path string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { path = r.RequestURI; answerWith(200, body)(w, r) })
	p, err := c.Price(t.Context(), "77777777777", "302000100000019421")
	if err != nil || path != "/delivery/v2.3/price/77777777777/302000100000019421" || p.TotalPrice != 871 || p.PartialPrice != 650 ||
		p.PaFee != 100 || p.Vat != 22 || p.AnalogCost != 550 || p.SendFee != 100 || p.RefinementDate.IsZero() || !p.ViewDate.IsZero() {
		t.Errorf("%s %+v %v", path, p, err)
	}
	// Damage prevented: an answer without a price taken for "nothing to pay".
	body = `{"iun":"I"}`
	_, err = c.Price(t.Context(), "77777777777", "302000100000019421")
	wantClass(t, err, Fatal)
}

func TestCancel(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut || r.URL.Path != "/delivery-push/v2.0/notifications/cancel/IUN1" || r.ContentLength != 0 {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		answerWith(202, `{"status":"OK","details":[{"code":"NOTIFICATION_ALREADY_CANCELLED","level":"WARN","detail":"x"}]}`)(w, r)
	})
	done, err := c.Cancel(t.Context(), "IUN1")
	if err != nil || len(done.Details) != 1 || done.Details[0].Code != CancelAlready {
		t.Errorf("%+v %v", done, err)
	}
}

func TestPlatformStatus(t *testing.T) {
	incident := `{"functionalities":["NOTIFICATION_CREATE"],"openIncidents":[{"functionality":"NOTIFICATION_CREATE","status":"KO"},{"functionality":"X","status":"OK"}]}`
	if err := serve(t, answerWith(200, `{"openIncidents":[]}`)).PlatformStatus(t.Context()); err != nil {
		t.Error(err)
	}
	for _, status := range []int{200, 500} {
		err := serve(t, answerWith(status, incident)).PlatformStatus(t.Context())
		e := wantClass(t, err, Transient)
		if len(e.Details) != 1 || e.Details[0].Element != "NOTIFICATION_CREATE" {
			t.Errorf("%+v", e.Details)
		}
	}
	wantClass(t, serve(t, answerWith(404, expressHTML)).PlatformStatus(t.Context()), Fatal)
	wantClass(t, serve(t, answerWith(500, problemJSON(codeGeneric, ""))).PlatformStatus(t.Context()), Transient)
}

func TestAnswerTooLong(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		for range 100 {
			_, _ = w.Write([]byte(strings.Repeat("x", 64<<10)))
		}
	})
	_, err := c.CreateRaw(t.Context(), []byte(`{}`))
	wantClass(t, err, Unknown)
}

// Damage prevented: memory without bound, or half an answer taken for a whole one.
func TestGoodAnswerTooLong(t *testing.T) {
	c := serve(t, answerWith(202, bodyAccepted))
	c.longest = int64(len(bodyAccepted)) - 1
	_, err := c.CreateRaw(t.Context(), []byte(`{}`))
	wantClass(t, err, Unknown)
	c.longest++
	if _, err := c.CreateRaw(t.Context(), []byte(`{}`)); err != nil {
		t.Error(err)
	}
}
