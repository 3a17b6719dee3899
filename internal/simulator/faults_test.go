package simulator

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Damage prevented: faults that do not do what they say prove nothing. Each row
// creates one notification under a fault and looks at answer and effect.
func TestFaults(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fault  Fault
		status int // 0 = the connection broke
		stored int
	}{
		{"status before", Fault{Kind: FaultStatus, Status: 500}, 500, 0},
		{"status after", Fault{Kind: FaultStatusAfter, Status: 504}, 504, 1},
		{"reset before", Fault{Kind: FaultReset}, 0, 0},
		{"reset after", Fault{Kind: FaultResetAfter}, 0, 1},
		{"throttled", Fault{Kind: FaultTooManyRequests, RetryAfter: "7"}, 429, 0},
		{"HTML", Fault{Kind: FaultHTML}, 502, 0},
		{"truncated", Fault{Kind: FaultTruncated}, 0, 1},
		{"XML", Fault{Kind: FaultXML}, 503, 0},
		{"XML with a status", Fault{Kind: FaultXML, Status: 500}, 500, 0},
		{"empty", Fault{Kind: FaultEmpty}, 200, 0},
		{"empty after", Fault{Kind: FaultEmptyAfter}, 202, 1},
		{"unavailable for a time", Fault{Kind: FaultStatus, RetryAfter: "30"}, 503, 0},
		{"contention", Fault{Kind: FaultContention}, 409, 0},
		{"registry down", Fault{Kind: FaultRegistryDown}, 503, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			srv := newWorld(t, nil)
			b := srv.body("2026/1")
			// Broken answers are no matter for the contract check in between.
			plain := newPlainServer(t, srv)
			tc.fault.Operation, tc.fault.Count = "create", 1
			plain.sim.Faults().Add(tc.fault)
			a := plain.do("POST", requests, b)
			if got := a.status; a.err != nil && tc.status != 0 || a.err == nil && got != tc.status {
				t.Errorf("%d %v %s", got, a.err, a.body)
			}
			if tc.fault.RetryAfter != a.header.Get("Retry-After") {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
			if got := len(plain.sim.Accepted()); got != tc.stored {
				t.Errorf("%d stored, want %d", got, tc.stored)
			}
			if fired := plain.sim.Faults().Fired()["create/"+string(tc.fault.Kind)]; fired != 1 {
				t.Errorf("fired %d times", fired)
			}
			want := 202
			if tc.stored == 1 {
				want = 409
			}
			if a := plain.do("POST", requests, b); a.status != want {
				t.Errorf("the second call: %d %s", a.status, a.body)
			}
			if look := plain.do("GET", requests+"?paProtocolNumber=2026/1&idempotenceToken=t1", nil); look.status != 200 {
				t.Errorf("look-up: %d", look.status)
			}
		})
	}
}

func newPlainServer(t *testing.T, w *world) *world {
	t.Helper()
	x := *w
	x.srv = newServer(t, w.sim)
	return &x
}

func TestFaultRules(t *testing.T) {
	strikes := func(f Fault, n int) string {
		fs := newFaults(newDice(1, 2))
		f.Operation, f.Kind = "x", FaultStatus
		fs.Add(f)
		var out strings.Builder
		for range n {
			hit, _ := fs.pick("x")
			out.WriteString(map[bool]string{true: "!", false: "."}[hit != nil])
		}
		if other, _ := fs.pick("y"); other != nil {
			t.Error("struck another operation")
		}
		return out.String()
	}
	for want, f := range map[string]Fault{
		"!!!!!!": {}, "!!....": {Count: 2}, "..!...": {Nth: 3}, ".!.!.!": {Every: 2}, ".!.!..": {Every: 2, Count: 2},
	} {
		if got := strikes(f, 6); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	}
	if n := strings.Count(strikes(Fault{Probability: 0.3}, 1000), "!"); n < 230 || n > 370 {
		t.Errorf("probability 0.3 struck %d times in 1000", n)
	}
	once, again := strikes(Fault{Probability: 0.3}, 100), strikes(Fault{Probability: 0.3}, 100)
	if once != again {
		t.Error("the same seed draws differently")
	}
}

// Damage prevented: a delay that ignores a client's own time-out would hold the
// server up, and one that is not asked for would make tests sleep.
func TestDelayAndSpecialFaults(t *testing.T) {
	var waited time.Duration
	w := newWorld(t, func(o *Options) {
		o.Sleep = func(_ context.Context, d time.Duration) { waited += d }
	})
	id := w.sim.Faults().Add(Fault{Operation: "status", Kind: FaultDelay, Delay: 3 * time.Second})
	w.want(w.do("GET", "/status", nil), 200, "")
	w.sim.Faults().Remove(id)
	w.want(w.do("GET", "/status", nil), 200, "")
	if waited != 3*time.Second {
		t.Errorf("waited %s", waited)
	}
	add := func(op string, k FaultKind) {
		w.sim.Faults().Add(Fault{Operation: op, Kind: k, Count: 1})
	}
	content := []byte("%PDF-1")
	s := w.slotFor(content, "application/pdf")
	add("upload", FaultExpiredURL)
	if a := w.put(s, content, "application/pdf", nil); a.status != 403 {
		t.Errorf("expired upload: %d", a.status)
	}
	add("upload", FaultNoVersionID)
	if a := w.put(s, content, "application/pdf", nil); a.status != 200 || a.header.Get("x-amz-version-id") != "" {
		t.Errorf("no version id: %d %v", a.status, a.header)
	}
	iun := w.accepted(w.body("2026/1"))
	n, _ := w.sim.Notification(iun)
	fact := "/delivery-push/" + iun + "/download/legal-facts/" + strings.TrimPrefix(n.LegalFacts[0], storagePrefix)
	add("legalFact", FaultMissing)
	w.want(w.do("GET", fact, nil), 404, "PN_DELIVERYPUSH_FILE_NOT_FOUND")
	add("legalFact", FaultNotReady)
	if v := w.want(w.do("GET", fact, nil), 200, "").json(t); v["retryAfter"] != 1.0 || v["url"] != nil {
		t.Errorf("not ready: %v", v)
	}
	v := w.want(w.do("GET", fact, nil), 200, "").json(t)
	add("download", FaultExpiredURL)
	if a := w.fetch(v["url"].(string)); a.status != 403 {
		t.Errorf("expired download: %d", a.status)
	}
	add("download", FaultTruncated)
	if a := w.fetch(v["url"].(string)); a.err == nil {
		t.Errorf("a cut download ended well: %d bytes", len(a.body))
	}
	doc := "/delivery/notifications/sent/" + iun + "/attachments/documents/0"
	add("document", FaultNotReady)
	if v := w.want(w.do("GET", doc, nil), 200, "").json(t); v["retryAfter"] == nil || v["url"] != nil {
		t.Errorf("document not ready: %v", v)
	}
	w.want(w.do("GET", strings.TrimSuffix(doc, "0")+"7", nil), 404, "PN_DELIVERY_FILEINFONOTFOUND")
	add("requestStatus", FaultMissing)
	w.want(w.do("GET", requests+"?paProtocolNumber=2026/1&idempotenceToken=t1", nil), 404, codeNotFound)
}

// Damage prevented: the judge's history must survive and tell faults apart from
// the platform's own answers.
func TestHistory(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.HistorySize = 3 })
	w.sim.Faults().Add(Fault{Operation: "status", Kind: FaultStatus, Count: 1})
	for range 4 {
		w.do("GET", "/status", nil)
	}
	w.do("GET", requests, nil)
	h := w.sim.History()
	if len(h) != 3 || h[2].Operation != "requestStatus" || h[2].Status != 400 || h[2].Codes[0] != codeRequired || h[2].Key != testKey {
		t.Errorf("history %+v", h)
	}
	if s := w.sim.Statuses("status"); s[503] != 1 || s[200] != 3 {
		t.Errorf("statuses %v", s)
	}
}

// Damage prevented: slow acceptance is normal, up to a day; a client must wait.
func TestSlowAcceptance(t *testing.T) {
	w := newWorld(t, nil)
	w.sim.Faults().Add(Fault{Operation: "acceptance-delay", Kind: FaultDelay, Delay: 20 * time.Hour})
	w.create(w.body("2026/1"))
	w.pass(19 * time.Hour)
	n, _ := w.sim.Notification(w.sim.Accepted()[0].IUN)
	w.pass(2 * time.Hour)
	m, _ := w.sim.Notification(w.sim.Accepted()[0].IUN)
	if n.Status != statusInValidation || m.Status == statusInValidation {
		t.Errorf("%s, then %s", n.Status, m.Status)
	}
}

func TestStatusEndpoint(t *testing.T) {
	w := newWorld(t, nil)
	w.sim.SetIncident("NOTIFICATION_CREATE", true)
	a := w.do("GET", "/status", nil)
	var v struct{ OpenIncidents []map[string]any }
	if err := json.Unmarshal(a.body, &v); err != nil || a.status != http.StatusInternalServerError || len(v.OpenIncidents) != 1 {
		t.Errorf("%d %v %s", a.status, err, a.body)
	}
	w.sim.SetIncident("NOTIFICATION_CREATE", false)
	w.want(w.do("GET", "/status", nil), 200, "")
}
