package simulator

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

const notice1, notice2 = "301000000001234519", "301000000001234620"

const (
	dupControl = "Duplicated notification for senderPaId##paProtocolNumber##idempotenceToken"
	dupNotice  = "Duplicated notification for creditorTaxId##noticeCode"
)

// Damage prevented: every double notification comes from a judge, or a client,
// that gets one of these rows wrong.
func TestUniqueness(t *testing.T) {
	for _, tc := range []struct {
		name     string
		second   func(w *world, b body)
		status   int
		elements string // in this order
	}{
		{"identical", func(_ *world, b body) {}, 409, dupControl + "," + dupNotice},
		{"other content, same key", func(_ *world, b body) {
			b["subject"] = "Altro"
			b.recipient(0)["payments"] = []any{}
		}, 409, dupControl},
		{"other token, same notice", func(_ *world, b body) { b["idempotenceToken"] = "t2" }, 409, dupNotice},
		{"other token, no notice: a second notification", func(_ *world, b body) {
			b["idempotenceToken"] = "t2"
			delete(b.recipient(0), "payments")
		}, 202, ""},
		{"token in capitals is another token", func(_ *world, b body) {
			b["idempotenceToken"] = "T1"
			delete(b.recipient(0), "payments")
		}, 202, ""},
		{"same key of another sender, notice taken platform-wide", func(w *world, b body) {
			w.key, b["senderTaxId"] = "key-b", otherTax
		}, 409, dupNotice},
		{"same key of another sender", func(w *world, b body) {
			w.key, b["senderTaxId"] = "key-b", otherTax
			delete(b.recipient(0), "payments")
		}, 202, ""},
		{"faulty duplicate: validation comes first", func(_ *world, b body) {
			b.recipient(0)["taxId"] = "FRMTTR76M06B715A"
		}, 400, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.create(w.body("2026/1").pay(notice1, false))
			b := w.body("2026/1").pay(notice1, false)
			tc.second(w, b)
			a := w.do("POST", requests, b)
			var elements []string
			for _, line := range strings.Split(a.details(), "\n") {
				if e, _, _ := strings.Cut(line, "|"); e != "" {
					elements = append(elements, e)
				}
			}
			if a.status != tc.status || strings.Join(elements, ",") != tc.elements {
				t.Errorf("%d %s, want %d %s", a.status, a.details(), tc.status, tc.elements)
			}
		})
	}
}

// Damage prevented: without the null-token rule a client that forgets its token
// believes that protocol numbers may be repeated.
func TestAbsentTokenIsTheWordNull(t *testing.T) {
	w := newWorld(t, nil)
	b := w.body("2026/1")
	delete(b, "idempotenceToken")
	a := w.want(w.do("POST", requests, b), 202, "")
	if _, has := a.json(t)["idempotenceToken"]; has {
		t.Error("a token came back that was never sent")
	}
	w.want(w.do("POST", requests, b), 409, codeDuplicated)
	spelt := w.body("2026/1")
	spelt["idempotenceToken"] = "null"
	w.want(w.do("POST", requests, spelt), 409, codeDuplicated)
	w.want(w.do("GET", requests+"?paProtocolNumber=2026/1&idempotenceToken=null", nil), 200, "")
	w.want(w.do("GET", requests+"?paProtocolNumber=2026/1", nil), 400, codeRequired)
	w.want(w.do("GET", requests+"?idempotenceToken=null", nil), 400, codeRequired)
	w.want(w.do("GET", requests, nil), 400, codeRequired)
}

// Damage prevented: a client that resends after a refusal must find the notice
// free and the key taken, as at the platform.
func TestRefusalFreesNoticesAndKeepsTheKey(t *testing.T) {
	w := newWorld(t, nil)
	b := w.body("2026/1").pay(notice1, false)
	w.sim.Faults().Add(Fault{Operation: "acceptance", Kind: FaultRefuse, Code: "SERVICE_UNAVAILABLE", Count: 1})
	if got := w.refused(b); got != "SERVICE_UNAVAILABLE" {
		t.Fatal(got)
	}
	w.want(w.do("POST", requests, b), 409, codeDuplicated)
	b["idempotenceToken"] = "t2"
	w.accepted(b)
	w.want(w.do("GET", "/delivery/v2.3/price/"+testTax+"/"+notice1, nil), 200, "")
	if got := w.sim.Duplicates(); len(got) != 0 {
		t.Errorf("one live notification counted as %v", got)
	}
	if got := w.sim.Refused(); got["SERVICE_UNAVAILABLE"] != 1 {
		t.Errorf("refused: %v", got)
	}
}

// Damage prevented: a very fast resend meets the notice still taken; a judge
// that frees it at once never shows that.
func TestNoticesAreFreedLater(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Timings = UATTimings()
		o.Timings.NoticeRelease = time.Hour
	})
	b := w.body("2026/1").pay(notice1, false)
	w.sim.Faults().Add(Fault{Operation: "acceptance", Kind: FaultRefuse, Code: "FILE_GONE", Count: 1})
	w.refused(b)
	b["idempotenceToken"] = "t2"
	w.want(w.do("POST", requests, b), 409, codeDuplicated)
	w.pass(time.Hour)
	w.create(b)
}

// Damage prevented: the judge's own count of double notifications must work, or
// no test of the connector proves anything.
func TestJudgeCountsDuplicates(t *testing.T) {
	w := newWorld(t, nil)
	b := w.body("2026/7")
	first := w.accepted(b)
	b["idempotenceToken"] = "t2"
	w.create(b)
	got := w.sim.Duplicates()
	if len(got) != 1 || got[0].Protocol != "2026/7" || len(got[0].IUNs) != 2 {
		t.Fatalf("duplicates: %+v", got)
	}
	w.want(w.do("PUT", "/delivery-push/v2.0/notifications/cancel/"+first, nil), 202, "")
	w.pass(time.Minute)
	if got := w.sim.Duplicates(); len(got) != 1 || len(got[0].IUNs) != 2 {
		t.Errorf("after cancelling one the judge has forgotten: %+v", got)
	}
	if acc := w.sim.Accepted(); len(acc) != 2 || acc[0].Token != "t1" || acc[0].TaxIDs[0] != person {
		t.Errorf("accepted: %+v", acc)
	}
	if calls := w.sim.Calls(); calls["create"] != 2 || w.sim.Statuses("create")[202] != 2 {
		t.Errorf("calls: %v", calls)
	}
}

// Damage prevented: checks in another order let a client blame the wrong field.
func TestSynchronousOrder(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Senders[0].Groups = []Group{{ID: "g1"}, {ID: "g2"}, {ID: "old", Inactive: true}}
		o.Keys = append(o.Keys, APIKey{Value: "key-g1", Sender: "pa-a", Groups: []string{"g1"}})
	})
	all := func(b body) {
		b["taxonomyCode"] = "999999Z"
		b["additionalLanguages"] = []any{"SI"}
		b["senderTaxId"] = otherTax
		b["group"] = "old"
		b.recipient(0)["taxId"] = "FRMTTR76M06B715A"
		delete(b.recipient(0)["physicalAddress"].(map[string]any), "province")
	}
	b := w.body("2026/1")
	all(b)
	for _, tc := range []struct {
		mend   func()
		status int
		codes  string
		detail string
	}{
		{nil, 400, "PN_GENERIC_INVALIDPARAMETER_TAXONOMYCODE", "999999Z"},
		{func() { b["taxonomyCode"] = testTaxon }, 400, codeInvalid + "," + codeInvalid, "Invalid taxId for recipient 0"},
		{func() { b.recipient(0)["taxId"] = person }, 400, codeInvalid, "No province provided in physical address"},
		{func() { b.recipient(0)["physicalAddress"].(map[string]any)["province"] = "MI" }, 400, "PN_DELIVERY_INVALIDADDITIONALLANGS", ""},
		{func() { b["additionalLanguages"] = []any{"SL"} }, 403, "PN_DELIVERY_INVALID_SENDER_TAX_ID", ""},
		{func() { b["senderTaxId"] = testTax }, 400, "PN_DELIVERY_INVALIDPARAMETER_GROUP", "old"},
		{func() { b["group"] = "g2" }, 202, "", ""},
	} {
		if tc.mend != nil {
			tc.mend()
		}
		a := w.want(w.do("POST", requests, b), tc.status, tc.codes)
		if !strings.Contains(a.details(), tc.detail) {
			t.Errorf("%s: no %q in %s", tc.codes, tc.detail, a.details())
		}
	}
	w.key = "key-g1"
	b["idempotenceToken"] = "t2"
	w.want(w.do("POST", requests, b), 400, "PN_DELIVERY_INVALIDPARAMETER_GROUP")
	delete(b, "group")
	w.want(w.do("POST", requests, b), 400, "PN_DELIVERY_INVALIDPARAMETER_GROUP")
	b["group"] = "g1"
	w.create(b)
	w.want(w.do("GET", requests+"?paProtocolNumber=2026/1&idempotenceToken=t1", nil), 404, codeNotFound) // group g2
	w.want(w.do("GET", requests+"?paProtocolNumber=2026/1&idempotenceToken=t2", nil), 200, "")
}

func TestMVPSender(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Senders[0].MVP = true })
	b := w.body("2026/1")
	for _, want := range []string{"No recipient payment", "Max one recipient"} {
		a := w.want(w.do("POST", requests, b), 400, codeInvalid)
		if !strings.Contains(a.details(), want) {
			t.Errorf("no %q in %s", want, a.details())
		}
		b["recipients"] = append(b["recipients"].([]any), recipientOf(company, "VIA TORINO 1"))
	}
	w.create(w.body("2026/2").pay(notice1, false))
}

func TestQuota(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Senders[0].Quota = 1 })
	b := w.body("2026/1")
	w.create(b)
	w.want(w.do("POST", requests, w.body("2026/2")), 400, "PN_DELIVERY_NOTIFICATION_LIMIT_EXCEEDED")
	w.sim.Faults().Add(Fault{Operation: "acceptance", Kind: FaultRefuse, Code: "FILE_GONE"})
	w.pass(time.Minute)
	w.create(w.body("2026/2")) // the refused one gave its unit back
}

// Damage prevented: a look-up that answers by other senders' data, or shows the
// IUN of what is not accepted.
func TestRequestStatus(t *testing.T) {
	w := newWorld(t, nil)
	b := w.body("2026/à+1").pay(notice1, false)
	id := w.create(b)
	byPair := requests + "?paProtocolNumber=" + url.QueryEscape("2026/à+1") + "&idempotenceToken=t1"
	v := w.want(w.do("GET", byPair, nil), 200, "").json(t)
	if v["notificationRequestStatus"] != "WAITING" || v["retryAfter"] != 10.0 || v["iun"] != nil || v["notificationRequestId"] != id || v["subject"] != b["subject"] {
		t.Errorf("waiting: %v", v)
	}
	n, _ := w.sim.Notification(id)
	w.want(w.do("GET", "/delivery/v2.9/notifications/sent/"+n.IUN, nil), 404, codeNotFound)
	w.key = "key-b"
	w.want(w.do("GET", byPair, nil), 404, codeNotFound)
	w.want(w.do("GET", requests+"?notificationRequestId="+url.QueryEscape(id), nil), 404, codeNotFound)
	w.key = testKey
	w.want(w.do("GET", requests+"?notificationRequestId=zz", nil), 400, "PN_INVALID_PARAMETERS")
	w.pass(time.Minute)
	v = w.want(w.do("GET", byPair, nil), 200, "").json(t)
	if v["notificationRequestStatus"] != "ACCEPTED" || v["iun"] != n.IUN || v["retryAfter"] != nil {
		t.Errorf("accepted: %v", v)
	}
	if requestID(n.IUN) != id {
		t.Errorf("request id %s of %s", id, n.IUN)
	}
}

// Damage prevented: numbers that a client's check of the IUN would refuse. The
// example is a published one.
func TestIUN(t *testing.T) {
	if got := iunControl("DPDA-LVZM-JREL", "202501"); got != 'N' {
		t.Errorf("control letter %c, want N", got)
	}
	if got := requestID("DPDA-LVZM-JREL-202501-N-1"); got != "RFBEQS1MVlpNLUpSRUwtMjAyNTAxLU4tMQ==" {
		t.Errorf("request id %s", got)
	}
	s := New(Options{})
	shape := newShapes().iun
	for range 2000 {
		if iun := s.newIUN(testStart); !shape.MatchString(iun) || !iunGroupsAllowed(iun[:14]) {
			t.Fatalf("IUN %s", iun)
		}
	}
}

// Damage prevented: a schema check that lets a null, a number or an unknown
// field through hides what the gateway refuses.
func TestGatewayBodies(t *testing.T) {
	w := newWorld(t, nil)
	for _, tc := range []struct {
		name   string
		change func(b body)
		words  string
	}{
		{"null", func(b body) { b["abstract"] = nil }, "instance type (null)"},
		{"number for text", func(b body) { b["subject"] = 5 }, "instance type (integer)"},
		{"text for number", func(b body) { b["amount"] = "5" }, "instance type (string)"},
		{"fraction", func(b body) { b["amount"] = 1.5 }, "instance type (number)"},
		{"missing", func(b body) { delete(b, "documents"); delete(b, "subject") }, `missing required properties (["subject","documents"])`},
		{"line separator", func(b body) { b["subject"] = "a\u2028b" }, "ECMA 262 regex"},
		{"empty payment", func(b body) { b.recipient(0)["payments"] = []any{map[string]any{}} }, "too few properties"},
		{"unknown in recipient", func(b body) { b.recipient(0)["x"] = 1 }, "not allowed by the schema"},
		{"priority", func(b body) { b["physicalCommunicationPriority"] = 101 }, "greater than the required maximum"},
	} {
		b := w.body("2026/1")
		tc.change(b)
		a := w.want(w.do("POST", requests, b), 400, "PN_INVALID_BODY")
		if !strings.Contains(a.details(), tc.words) || !strings.Contains(string(a.body), `"title":"VALIDATION ERROR"`) {
			t.Errorf("%s: %s", tc.name, a.body)
		}
	}
	w.want(w.do("POST", requests, "{"), 400, "PN_INVALID_BODY")
	w.want(w.do("POST", requests, "[]"), 400, "PN_INVALID_BODY")
	extra := w.body("2026/2")
	extra["unknownAtRoot"] = true // the root is open
	w.create(extra)
}

// Damage prevented: the strict profile of some environments must refuse accents
// and long rows, and must be off where it is off.
func TestStrictAddress(t *testing.T) {
	for _, strict := range []bool{false, true} {
		w := newWorld(t, func(o *Options) { o.StrictAddress = strict })
		b := w.body("2026/1")
		a := b.recipient(0)["physicalAddress"].(map[string]any)
		a["address"], a["municipality"] = "VIA DE NOVÀ, 1", "MILANO"+strings.Repeat("X", 30)
		got := w.do("POST", requests, b)
		if !strict {
			w.want(got, 202, "")
			continue
		}
		w.want(got, 400, codeInvalid+","+codeInvalid)
		for _, words := range []string{"Field address in recipient 0 contains invalid characters.", "Field zip, municipality and Province in recipient 0 exceed max length of 44 chars"} {
			if !strings.Contains(got.details(), words) {
				t.Errorf("no %q in %s", words, got.details())
			}
		}
	}
}
