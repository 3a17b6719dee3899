package send

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/notification"
)

// emulator answers as PagoPA's PnValidator does, from the facts of
// reference/pn-validator.md: other versions, flat events, an HTML page for every
// path it does not know, HTTP 500 for a refusal, milliseconds on streams.
type emulator struct {
	t     *testing.T
	base  string
	polls int
	put   map[string]string
	zip   string
}

const (
	emuKey = "TSAQ-NVUA-SEVW-412640-Y-7"
	emuIUN = "ABCD-EFGH-ILMN-202601-X-1"
	emuID  = "VGhpcyBpcyBhIHJlcXVlc3QgaWQgb2YgMzY="
)

func (e *emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("x-api-key")
	s3 := strings.HasPrefix(r.URL.Path, "/uploadS3/") || strings.HasPrefix(r.URL.Path, "/download/")
	switch {
	case s3 && key != "", r.Header.Get("Authorization") != "":
		e.t.Errorf("credentials on %s", r.URL.Path)
	case !s3 && key != "key-value":
		answerWith(403, `{"status":"403","message":"Forbidden"}`)(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	route := r.Method + " " + r.URL.Path
	if h, ok := e.routes()[route]; ok {
		h(w, r, body)
		return
	}
	answerWith(404, `<!DOCTYPE html><pre>Cannot `+route+`</pre>`, "Content-Type", "text/html")(w, r)
}

type emulated func(w http.ResponseWriter, r *http.Request, body []byte)

func fixed(body string, headers ...string) emulated {
	return func(w http.ResponseWriter, r *http.Request, _ []byte) { answerWith(200, body, headers...)(w, r) }
}

func (e *emulator) routes() map[string]emulated {
	query := "?X-Amz-Algorithm=AWS4&X-Amz-SignedHeaders=content-type%3Bhost&X-Amz-Security-Token=a%2F%2Fb"
	stream := `{"streamId":"s1","title":"T","eventType":"TIMELINE","filterValues":[],"groups":[],"activationDate":"2026-01-01T00:00:00.000Z"}`
	sent := "/delivery/notifications/sent/" + emuIUN + "/attachments"
	return map[string]emulated{
		"POST /delivery/attachments/preload": fixed(fmt.Sprintf(
			`[{"preloadIdx":"i0","secret":"%s","httpMethod":"PUT","key":"%s","url":"%s/uploadS3/%s%s"}]`, emuKey, emuKey, e.base, emuKey, query)),
		"PUT /uploadS3/" + emuKey: func(w http.ResponseWriter, r *http.Request, body []byte) {
			if r.URL.RawQuery != query[1:] {
				e.t.Errorf("query %s", r.URL.RawQuery)
			}
			e.put[emuKey] = string(body)
			answerWith(200, ``, "x-amz-version-id", "1767323045123")(w, r)
		},
		"POST /delivery/v2.3/requests": func(w http.ResponseWriter, r *http.Request, body []byte) {
			var req notification.Request
			if err := json.Unmarshal(body, &req); err != nil || len(req.TaxonomyCode) != 7 {
				answerWith(400, `{"status":"400","title":"Bad Request","detail":["taxonomyCode: does not match"]}`)(w, r)
				return
			}
			e.zip = req.Recipients[0].PhysicalAddress.Zip
			answerWith(202, `{"idempotenceToken":"abc","paProtocolNumber":"P1","notificationRequestId":"`+emuID+`"}`)(w, r)
		},
		"GET /delivery/v2.3/requests":                                e.status,
		"GET /delivery/v2.4/notifications/sent/" + emuIUN:            fixed(`{"iun":"` + emuIUN + `","sentAt":"2026-01-01T00:00:00.000Z","notificationStatus":"DELIVERED","timeline":[{"elementId":"x","category":"AAR_GENERATION"}]}`),
		"POST /delivery-progresses/v2.4/streams":                     fixed(stream),
		"GET /delivery-progresses/v2.4/streams/s1":                   fixed(stream),
		"PUT /delivery-progresses/2.4/streams/s1":                    fixed(stream),
		"DELETE /delivery-progresses/v2.4/streams/s1":                fixed(``),
		"GET /delivery-progresses/2.4/streams":                       fixed(`[{"title":"T","streamId":"s1"}]`),
		"GET /delivery-progresses/v2.4/streams/s1/events":            fixed(`[`+eventFlat+`]`, "retry-after", "1000"),
		"GET " + sent + "/documents/0":                               fixed(`{"filename":"k","contentType":"application/pdf","contentLength":0,"sha256":"x","url":"` + e.base + `/download/sample.pdf?correlation-id=1"}`),
		"GET " + sent + "/payment/0/PAGOPA":                          fixed(`{"filename":"k","contentType":"application/pdf","contentLength":0,"sha256":"x","url":"` + e.base + `/download/sample.pdf"}`),
		"GET /delivery-push/" + emuIUN + "/download/legal-facts/LF1": fixed(`{"filename":"dummy-filename","contentLength":10,"url":"` + e.base + `/download/sample.pdf"}`),
		"GET /download/sample.pdf":                                   fixed(doc, "Content-Type", "application/pdf"),
		"GET /delivery/v2.3/price/77777777777/302000100000019421":    fixed(`{"iun":"X","partialPrice":100,"totalPrice":300,"vat":22,"pafee":100,"sendFee":100,"analogCost":200,"refinementDate":"2026-01-01T00:00:00.000Z"}`),
	}
}

func (e *emulator) status(w http.ResponseWriter, r *http.Request, _ []byte) {
	q := r.URL.Query()
	if q.Get("notificationRequestId") != emuID && (q.Get("paProtocolNumber") != "P1" || q.Get("idempotenceToken") != "abc") {
		w.WriteHeader(404)
		return
	}
	e.polls++
	head := `{"paProtocolNumber":"P1","idempotenceToken":"abc","notificationRequestId":"` + emuID + `","retryAfter":1,`
	switch {
	case e.zip == "99999":
		answerWith(500, head+`"notificationRequestStatus":"REFUSED","errors":[{"code":"NOT_VALID_ADDRESS"}]}`)(w, r)
	case e.polls > 2:
		answerWith(200, head+`"notificationRequestStatus":"ACCEPTED","iun":"`+emuIUN+`"}`)(w, r)
	default:
		answerWith(200, head+`"notificationRequestStatus":"WAITING"}`)(w, r)
	}
}

func startEmulator(t *testing.T) (*emulator, *Client) {
	e := &emulator{t: t, put: map[string]string{}}
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	e.base = srv.URL
	return e, newClient(t, srv.URL, func(cfg *Config) { cfg.APIKey, cfg.Paths = "key-value", ValidatorPaths() })
}

// Damage prevented: no certification, hence no production. The client runs
// against PnValidator by configuration alone (reference/pn-validator.md §3).
func TestPnValidatorByConfiguration(t *testing.T) {
	e, c := startEmulator(t)
	ctx := t.Context()
	slots, err := c.Preload(ctx, items(1))
	if err != nil {
		t.Fatal(err)
	}
	version, err := c.Upload(ctx, slots[0], "application/pdf", items(1)[0].SHA256, int64(len(doc)), opener(doc))
	if err != nil || version != "1767323045123" || e.put[emuKey] != doc {
		t.Fatal(version, err)
	}
	created, err := c.Create(ctx, fullRequest())
	if err != nil || created.RequestID != emuID {
		t.Fatal(created, err)
	}
	var st RequestStatus
	for range 3 {
		if st, err = c.StatusByID(ctx, emuID); err != nil {
			t.Fatal(err)
		}
	}
	if st.Status != Accepted || st.IUN != emuIUN {
		t.Fatalf("%+v", st)
	}
	_, err = c.StatusByToken(ctx, "P1", "other")
	wantClass(t, err, NotFound)
	if s, err := c.Sent(ctx, emuIUN); err != nil || s.Status != "DELIVERED" {
		t.Error(err)
	}
	if p, err := c.Price(ctx, "77777777777", "302000100000019421"); err != nil || p.PaFee != 100 || p.TotalPrice != 300 {
		t.Error(p, err)
	}
	for name, get := range map[string]func() (Download, error){
		"legal fact": func() (Download, error) { return c.LegalFact(ctx, emuIUN, "safestorage://LF1") },
		"document":   func() (Download, error) { return c.Document(ctx, emuIUN, 0) },
		"payment":    func() (Download, error) { return c.PaymentAttachment(ctx, emuIUN, 0, AttachmentPagoPA, 0) },
	} {
		d, err := get()
		var buf bytes.Buffer
		if _, ct, ferr := c.Fetch(ctx, d.URL, &buf, 1<<20); err != nil || ferr != nil || buf.String() != doc || ct != "application/pdf" {
			t.Errorf("%s: %v %v", name, err, ferr)
		}
	}
}

func TestPnValidatorStreams(t *testing.T) {
	_, c := startEmulator(t)
	ctx := t.Context()
	s, err := c.CreateStream(ctx, NewStream{Title: "T", EventType: "TIMELINE"})
	if err != nil || s.ID != "s1" {
		t.Fatal(err)
	}
	if l, err := c.ListStreams(ctx); err != nil || len(l) != 1 {
		t.Error(l, err)
	}
	if _, err := c.Stream(ctx, "s1"); err != nil {
		t.Error(err)
	}
	if _, err := c.UpdateStream(ctx, "s1", NewStream{Title: "U", EventType: "TIMELINE"}); err != nil {
		t.Error(err)
	}
	p, err := c.Events(ctx, "s1", "0")
	if err != nil || len(p.Events) != 1 || p.Events[0].Element.Category == "" || p.RetryAfter != time.Second {
		t.Errorf("%+v %v", p, err)
	}
	if err := c.DeleteStream(ctx, "s1"); err != nil {
		t.Error(err)
	}
	// Not emulated: an HTML page, which must not be taken for "no such stream".
	_, err = c.DisableStream(ctx, "s1")
	wantClass(t, err, Fatal)
	wantClass(t, c.PlatformStatus(ctx), Fatal)
}

func TestPnValidatorRefusals(t *testing.T) {
	e, c := startEmulator(t)
	ctx := t.Context()
	e.zip = "99999"
	st, err := c.StatusByID(ctx, emuID)
	if err != nil || st.Status != Refused || st.Errors[0].Code != "NOT_VALID_ADDRESS" {
		t.Error(st, err)
	}
	bad := fullRequest()
	bad.TaxonomyCode = "1"
	_, err = c.Create(ctx, bad)
	wantClass(t, err, Rejected)
	stranger := newClient(t, e.base, func(cfg *Config) { cfg.Paths = ValidatorPaths() })
	_, err = stranger.Create(ctx, fullRequest())
	if e := wantClass(t, err, Held); e.Reason != HeldAPIKey {
		t.Error(e.Reason)
	}
	// Production's paths are not there: a wrong configuration, not a lost request.
	modern := newClient(t, e.base, func(cfg *Config) { cfg.APIKey = "key-value" })
	_, err = modern.StatusByToken(ctx, "P1", "abc")
	wantClass(t, err, Fatal)
}
