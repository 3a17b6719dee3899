package send

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func problemJSON(code, element string) string {
	return `{"type":"GENERIC_ERROR","status":400,"title":"Handled error","detail":"See logs for details in PN-DELIVERY","traceId":"Root=1-x","errors":[{"code":"` + code + `","element":"` + element + `","detail":"none"}]}`
}

const (
	gatewayBad   = `{"status":400,"title":"VALIDATION ERROR","traceId":"t","errors":[{"code":"PN_INVALID_BODY","detail":"Validation errors: [x]"}]}`
	gatewayDeny  = `{"Message":"User is not authorized to access this resource with an explicit deny"}`
	expressHTML  = `<!DOCTYPE html><html><body><pre>Cannot POST /x</pre></body></html>`
	bodyAccepted = `{"notificationRequestId":"RFBEQS1MVlpNLUpSRUwtMjAyNTAxLU4tMQ==","paProtocolNumber":"P1","idempotenceToken":"t"}`
)

// Damage prevented: a wrong class either sends twice (Unknown taken for a passing
// failure), loses a row (a platform's fault taken for the row's) or stops a flow.
func TestClassesOfCreate(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		class  Class
		reason string
	}{
		{"schema", 400, gatewayBad, Rejected, ""},
		{"rule", 400, problemJSON("PN_GENERIC_INVALIDPARAMETER", ""), Rejected, ""},
		{"taxonomy", 400, problemJSON(codeTaxonomy, "010101X"), Rejected, ""},
		{"emulator: detail is a list, status a string", 400, `{"status":"400","detail":["taxId is wrong"]}`, Rejected, ""},
		{"old adapter", 400, `{"resultCode":"400.00","resultDescription":"Validation error","errorList":["x"]}`, Rejected, ""},
		{"disabled", 400, problemJSON(codeDisabled, ""), Held, HeldSenderDisabled},
		{"quota", 400, problemJSON(codeQuota, ""), Held, HeldQuota},
		{"group", 400, problemJSON(codeGroup, ""), Held, HeldGroup},
		{"sender tax id", 403, problemJSON(codeSenderTaxID, ""), Held, HeldSenderTaxID},
		{"other 403 of SEND never blames the row", 403, problemJSON("PN_DELIVERY_SOMETHING", ""), Held, HeldAPIKey},
		{"no key", 401, `{"message":"Unauthorized"}`, Held, HeldAPIKey},
		{"denied", 403, gatewayDeny, Held, HeldAPIKey},
		{"forbidden", 403, `{"message":"Forbidden"}`, Held, HeldAPIKey},
		{"waf", 403, `<html>Request blocked</html>`, Held, HeldAPIKey},
		{"wrong path", 403, `{"message":"Missing Authentication Token"}`, Fatal, ""},
		{"wrong path, html", 404, expressHTML, Fatal, ""},
		{"wrong method", 405, ``, Fatal, ""},
		{"conflict", 409, problemJSON("PN_GENERIC_INVALIDPARAMETER_DUPLICATED", "Duplicated notification for iun"), Conflict, ""},
		{"conflict without a body", 409, ``, Conflict, ""},
		{"too large", 413, expressHTML, Rejected, ""},
		{"throttled", 429, `{"message":"Too Many Requests"}`, Transient, ""},
		{"usage plan", 429, `{"message":"Limit Exceeded"}`, Held, HeldQuota},
		{"400 without a reason", 400, `<html>Bad Request</html>`, Unknown, ""},
		{"400 of a gateway", 400, `{"message":"Bad Request"}`, Unknown, ""},
		{"time-out", 408, ``, Unknown, ""},
		{"redirect", 307, ``, Unknown, ""},
		{"500", 500, problemJSON(codeGeneric, ""), Unknown, ""},
		{"500 that names a disabled sender", 500, problemJSON(codeDisabled, ""), Unknown, ""},
		{"502", 502, `<html>`, Unknown, ""},
		{"503", 503, ``, Unknown, ""},
		{"504", 504, `{"message":"Endpoint request timed out"}`, Unknown, ""},
		{"tax registry down, nothing stored", 503, problemJSON(codeTaxRegistry, ""), Transient, ""},
		{"500 with the code of the tax registry", 500, problemJSON(codeTaxRegistry, ""), Unknown, ""},
		{"accepted, empty", 202, ``, Unknown, ""},
		{"accepted, cut", 202, bodyAccepted[:40], Unknown, ""},
		{"accepted, no id", 202, `{"paProtocolNumber":"P1"}`, Unknown, ""},
		{"accepted, html", 200, `<html>login</html>`, Unknown, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var posts atomic.Int32
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				posts.Add(1)
				answerWith(tt.status, tt.body, "Location", "/elsewhere")(w, r)
			})
			_, err := c.CreateRaw(t.Context(), []byte(`{}`))
			e := wantClass(t, err, tt.class)
			if e.Reason != tt.reason {
				t.Errorf("reason %q, want %q", e.Reason, tt.reason)
			}
			if e.Status != tt.status {
				t.Errorf("status %d", e.Status)
			}
			if n := posts.Load(); n != 1 {
				t.Errorf("posted %d times: a create is never repeated", n)
			}
		})
	}
}

func TestClassesOfReads(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		class  Class
		calls  int32
	}{
		{"unknown request", 404, problemJSON("PN_DELIVERY_NOTIFICATIONNOTFOUND", ""), NotFound, 1},
		{"unknown request, emulator", 404, ``, NotFound, 1},
		// Taken for NotFound, a proxy's page would have the request posted again.
		{"html", 404, expressHTML, Fatal, 1},
		{"gateway", 404, `{"message":"Not Found"}`, Fatal, 1},
		{"bad", 400, problemJSON("PN_GENERIC_INVALIDPARAMETER_REQUIRED", "x"), Rejected, 1},
		{"not ours", 403, problemJSON("PN_SOMETHING", ""), Rejected, 1},
		{"denied", 403, gatewayDeny, Held, 1},
		{"throttled", 429, `{"message":"Too Many Requests"}`, Transient, 3},
		{"500", 500, problemJSON(codeGeneric, ""), Transient, 3},
		{"500, html", 500, `<html>`, Transient, 3},
		{"200, cut", 200, `{"notificationRequestId":"x"`, Transient, 1},
		{"200, something else", 200, `{"hello":1}`, Fatal, 1},
		{"redirect", 302, ``, Fatal, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var calls atomic.Int32
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				answerWith(tt.status, tt.body, "Location", "/elsewhere")(w, r)
			})
			_, err := c.StatusByToken(t.Context(), "P1", "tok")
			wantClass(t, err, tt.class)
			if n := calls.Load(); n != tt.calls {
				t.Errorf("%d calls, want %d", n, tt.calls)
			}
		})
	}
}

// Damage prevented: a file that SEND has deleted would be asked for for ever, or
// one that is not ready yet would be given up.
func TestClassesOfDocuments(t *testing.T) {
	tests := []struct {
		name, code string
		status     int
		class      Class
	}{
		{"gone", codeFileGone, 500, Rejected},
		{"no such attachment", codeNoAttachment, 500, Rejected},
		{"storage's 404", codeNoFileInfo, 400, NotFound},
		{"plain 404", codeNoFileInfo, 404, NotFound},
		{"other 400", "PN_GENERIC_INVALIDPARAMETER", 400, Rejected},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := serve(t, answerWith(tt.status, problemJSON(tt.code, "")))
			_, err := c.LegalFact(t.Context(), "IUN", "k")
			wantClass(t, err, tt.class)
		})
	}
}

// Rule 15: what a 409 is over decides between waiting, rejecting and adopting.
func TestRule15Conflicts(t *testing.T) {
	const dup = "PN_GENERIC_INVALIDPARAMETER_DUPLICATED"
	tests := []struct {
		name    string
		details []Detail
		want    ConflictKind
	}{
		{"token", []Detail{{Code: dup, Element: "Duplicated notification for senderPaId##paProtocolNumber##idempotenceToken"}}, ConflictToken},
		{"notice", []Detail{{Code: dup, Element: "Duplicated notification for creditorTaxId##noticeCode"}}, ConflictNotice},
		{"iun", []Detail{{Code: dup, Element: "Duplicated notification for iun"}}, ConflictIUN},
		{"both", []Detail{
			{Code: dup, Element: "Duplicated notification for creditorTaxId##noticeCode"},
			{Code: dup, Element: "Duplicated notification for senderPaId##paProtocolNumber##idempotenceToken"},
		}, ConflictToken | ConflictNotice},
		{"in the detail only", []Detail{{Code: dup, Detail: "Duplicated notification for creditorTaxId##noticeCode=77777777777##302000100000019421"}}, ConflictNotice},
		{"a protocol number that reads like another element", []Detail{{Code: dup, Detail: "Duplicated notification for senderPaId##paProtocolNumber##idempotenceToken=x##creditorTaxId##noticeCode"}}, ConflictToken},
		{"generic", []Detail{{Code: codeGeneric}}, ConflictGeneric},
		{"nothing readable", nil, ConflictGeneric},
	}
	for _, tt := range tests {
		if got := conflicts(tt.details); got != tt.want {
			t.Errorf("%s: %b, want %b", tt.name, got, tt.want)
		}
	}
}

func TestDoubtful(t *testing.T) {
	yes := &Error{Class: Rejected, Details: []Detail{{Code: codeTaxonomy}}}
	no := []*Error{
		{Class: Rejected},
		{Class: Rejected, Details: []Detail{{Code: codeTaxonomy}, {Code: "PN_OTHER"}}},
		{Class: Held, Details: []Detail{{Code: codeTaxonomy}}},
	}
	if !yes.Doubtful() {
		t.Error("a taxonomy refusal may be SEND's own fault")
	}
	for _, e := range no {
		if e.Doubtful() {
			t.Errorf("%+v is not doubtful", e)
		}
	}
}

// Damage prevented: a second notification after an answer was lost. Whatever
// breaks once the request may have left is Unknown; what never left is Transient.
func TestCreateBrokenOnTheWay(t *testing.T) {
	t.Run("connection reset after reading", func(t *testing.T) {
		var posts atomic.Int32
		c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			posts.Add(1)
			_, _ = io.ReadAll(r.Body)
			panic(http.ErrAbortHandler)
		})
		_, err := c.CreateRaw(t.Context(), []byte(`{}`))
		wantClass(t, err, Unknown)
		if posts.Load() != 1 {
			t.Errorf("posted %d times", posts.Load())
		}
	})
	t.Run("answer cut short", func(t *testing.T) {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			w.WriteHeader(http.StatusAccepted)
			_, _ = w.Write([]byte(bodyAccepted))
		})
		_, err := c.CreateRaw(t.Context(), []byte(`{}`))
		wantClass(t, err, Unknown)
	})
	t.Run("no answer in time", func(t *testing.T) {
		release := make(chan struct{})
		c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			<-release
		}, func(cfg *Config) { cfg.Timeout = 50 * time.Millisecond })
		_, err := c.CreateRaw(t.Context(), []byte(`{}`))
		close(release)
		e := wantClass(t, err, Unknown)
		if !errors.Is(&e, errNoAnswer) {
			t.Errorf("does not say that time ran out: %v", e)
		}
	})
	t.Run("given up by the caller", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			cancel()
			<-release
		})
		_, err := c.CreateRaw(ctx, []byte(`{}`))
		close(release)
		e := wantClass(t, err, Unknown)
		if !errors.Is(&e, context.Canceled) {
			t.Errorf("does not say that it was cancelled: %v", e)
		}
	})
	t.Run("given up before it left", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c := serve(t, answerWith(202, bodyAccepted))
		_, err := c.CreateRaw(ctx, []byte(`{}`))
		wantClass(t, err, Transient)
	})
	t.Run("refused connection", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		base := "http://" + l.Addr().String()
		l.Close()
		c := newClient(t, base)
		_, err = c.CreateRaw(t.Context(), []byte(`{}`))
		e := wantClass(t, err, Transient)
		if e.Status != 0 {
			t.Errorf("status %d without an answer", e.Status)
		}
	})
	t.Run("closed in the middle", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan int)
		go func() {
			n := 0
			for {
				conn, err := l.Accept()
				if err != nil {
					break
				}
				n++
				_, _ = conn.Read(make([]byte, 100))
				conn.Close()
			}
			done <- n
		}()
		c := newClient(t, "http://"+l.Addr().String())
		_, err = c.CreateRaw(t.Context(), []byte(strings.Repeat("x", 1<<16)))
		l.Close()
		wantClass(t, err, Unknown)
		if n := <-done; n != 1 {
			t.Errorf("%d connections for one create", n)
		}
	})
}

// An idle connection that the server closes is where net/http repeats requests
// by itself; a create must not be among them.
func TestCreateIsNotRepeatedByTheTransport(t *testing.T) {
	var posts atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			answerWith(200, `{"openIncidents":[]}`)(w, r)
			return
		}
		posts.Add(1)
		_, _ = io.ReadAll(r.Body)
		panic(http.ErrAbortHandler)
	})
	if err := c.PlatformStatus(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := c.CreateRaw(t.Context(), []byte(`{}`))
	wantClass(t, err, Unknown)
	if posts.Load() != 1 {
		t.Errorf("posted %d times", posts.Load())
	}
}

func TestErrorKeepsWhatSupportNeeds(t *testing.T) {
	c := serve(t, answerWith(400, gatewayBad, "x-amzn-RequestId", "rid"))
	_, err := c.CreateRaw(t.Context(), []byte(`{}`))
	e := wantClass(t, err, Rejected)
	if e.TraceID != "t" || len(e.Details) != 1 || e.Details[0].Code != "PN_INVALID_BODY" {
		t.Errorf("%+v", e)
	}
	c = serve(t, answerWith(500, ``, "x-amzn-RequestId", "rid"))
	_, err = c.CreateRaw(t.Context(), []byte(`{}`))
	if e := wantClass(t, err, Unknown); e.TraceID != "rid" {
		t.Errorf("trace id %q", e.TraceID)
	}
}

// Damage prevented: a tax code or a name from SEND's texts, or an address with
// the protocol number, in a log.
func TestErrorTextsArePrivate(t *testing.T) {
	c := serve(t, answerWith(400, `{"errors":[{"code":"PN_GENERIC_INVALIDPARAMETER","detail":"Invalid taxId RSSMRA80A01H501U"}]}`))
	_, err := c.StatusByToken(t.Context(), "PROT-77", "tok-77")
	for _, secret := range []string{"RSSMRA", "PROT-77", "tok-77", testKey} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q shows %s", err, secret)
		}
	}
	if ClassOf(err) != Rejected || ClassOf(errors.New("x")) != 0 {
		t.Error("ClassOf")
	}
}

// canned answers without a socket and counts.
type canned struct {
	status int
	body   string
	calls  int
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls++
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

// Damage prevented: an answer that nobody thought of leads to a second post. For
// every status and body: posted once; "try again" only where SEND has stored
// nothing for certain; blame only from a 4xx that may blame.
func TestEveryAnswerToACreate(t *testing.T) {
	bodies := []string{
		"", "null", "{}", "[]", "x", expressHTML, gatewayBad, gatewayDeny, bodyAccepted, bodyAccepted[:50],
		`{"message":"Limit Exceeded"}`, `{"message":"Missing Authentication Token"}`, `{"notificationRequestId":""}`,
		`{"notificationRequestId":5}`, `{"errors":[{"code":null}]}`, `{"errors":"x"}`,
	}
	for _, code := range []string{
		codeTaxonomy, codeGeneric, codeDisabled, codeQuota, codeGroup, codeSenderTaxID, codeTaxRegistry, codeNoFileInfo,
		codeNoAttachment, codeFileGone, codeStreamRetry, codeForbidden, codeMaxStreams, "PN_NEW",
	} {
		bodies = append(bodies, problemJSON(code, ""))
	}
	rt := &canned{}
	c := newClient(t, "https://api.example.it", func(cfg *Config) { cfg.Transport, cfg.Limits.PerDay = rt, -1 })
	for status := 200; status < 600; status++ {
		for _, body := range bodies {
			rt.status, rt.body, rt.calls = status, body, 0
			_, err := c.CreateRaw(t.Context(), []byte(`{}`))
			if bad := impossible(status, body, err); bad != "" || rt.calls != 1 {
				t.Fatalf("%d %q: %v (%v): %s; %d posts", status, body, ClassOf(err), err, bad, rt.calls)
			}
		}
	}
}

func impossible(status int, body string, err error) string {
	class := ClassOf(err)
	registry := status == 503 && strings.Contains(body, codeTaxRegistry)
	switch {
	case err == nil && (status > 299 || !strings.HasPrefix(body, bodyAccepted)):
		return "taken for a success"
	case err == nil:
		return ""
	case status < 400 && class != Unknown:
		return "something may have been stored"
	case status >= 500 && !registry && class != Unknown:
		return "something may have been stored"
	case class == Transient && status != 429 && !registry:
		return "tried again without looking"
	case class == Rejected && (status == 401 || status == 403 || status == 429 || status == 409):
		return "the row is not to blame"
	case class == NotFound, class == Expired, class == 0:
		return "no class of a create"
	}
	return ""
}

func TestRetryAfter(t *testing.T) {
	date := "Mon, 02 Mar 2026 10:00:00 GMT"
	tests := []struct {
		stream bool
		header string
		want   time.Duration
	}{
		{false, "7", 7 * time.Second},
		{true, "7", 7 * time.Millisecond},
		{false, "Mon, 02 Mar 2026 10:01:30 GMT", 90 * time.Second},
		{false, "Mon, 02 Mar 2026 09:00:00 GMT", 0},
		{false, "", 0},
		{false, "-1", 0},
		{false, "tomorrow", 0},
		{false, "999999999", time.Hour},
	}
	for _, tt := range tests {
		h := http.Header{"Retry-After": {tt.header}, "Date": {date}}
		if got := retryAfter(&call{stream: tt.stream}, h); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.header, got, tt.want)
		}
	}
}
