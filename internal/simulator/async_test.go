package simulator

import (
	"strings"
	"testing"
	"time"
)

// Damage prevented: a validation that does not look at the real bytes would let
// a client send the wrong file, or none.
func TestRefusalsByRealBytes(t *testing.T) {
	pdf := "application/pdf"
	for _, tc := range []struct {
		name  string
		build func(w *world, b body)
		want  string
	}{
		{"never uploaded", func(w *world, b body) {
			s := w.slotFor([]byte("%PDF-1"), pdf)
			b["documents"] = []any{ref(s, []byte("%PDF-1"), pdf, "v")}
		}, "FILE_NOTFOUND"},
		{"wrong version token", func(w *world, b body) {
			f := w.pdf()
			f["ref"].(map[string]any)["versionToken"] = "other"
			b["documents"] = []any{f}
		}, "FILE_NOTFOUND"},
		{"digest of another file", func(w *world, b body) {
			f := w.pdf()
			f["digests"] = map[string]any{"sha256": sha([]byte("x"))}
			b["documents"] = []any{f}
		}, "FILE_SHA_ERROR"},
		{"not a PDF", func(w *world, b body) {
			b["documents"] = []any{w.uploadAs([]byte("\ufeff%PDF-1.7"), pdf)}
		}, "FILE_PDF_INVALID_ERROR"},
		{"too big", func(w *world, b body) {
			w.sim.opt.Limits.FileBytes = 100
			b["documents"] = []any{w.uploadAs([]byte("%PDF-"+strings.Repeat("x", 100)), pdf)}
		}, "FILE_PDF_TOOBIG_ERROR"},
		{"payment form missing", func(w *world, b body) {
			b.pay(notice1, false)
			s := w.slotFor([]byte("%PDF-1"), pdf)
			b.recipient(0)["payments"].([]any)[0].(map[string]any)["pagoPa"].(map[string]any)["attachment"] = ref(s, []byte("%PDF-1"), pdf, "v")
		}, "FILE_NOTFOUND"},
		{"uploaded too long ago", func(w *world, b body) {
			b["documents"] = []any{w.pdf()}
			w.pass(8 * 24 * time.Hour)
		}, "FILE_NOTFOUND"},
		{"no CAP", func(_ *world, b body) {
			delete(b.recipient(0)["physicalAddress"].(map[string]any), "zip")
		}, "NOT_VALID_ADDRESS"},
		{"CAP 00000", func(_ *world, b body) {
			b.recipient(0)["physicalAddress"].(map[string]any)["zip"] = "00000"
		}, "NOT_VALID_ADDRESS"},
		{"unknown province", func(_ *world, b body) {
			b.recipient(0)["physicalAddress"].(map[string]any)["province"] = "XX"
		}, "NOT_VALID_ADDRESS"},
		{"mail address for a town", func(_ *world, b body) {
			b.recipient(0)["physicalAddress"].(map[string]any)["municipality"] = "a@b"
		}, "NOT_VALID_ADDRESS"},
		{"ASYNC without payments", func(_ *world, b body) {
			b.delivery()["pagoPaIntMode"] = "ASYNC"
		}, "PAYMENT_NOT_VALID"},
		{"ASYNC, notice unknown", func(w *world, b body) {
			w.sim.opt.Debts = func(_, notice string) bool { return notice == notice2 }
			b.delivery().pay(notice1, true)["pagoPaIntMode"] = "ASYNC"
		}, "PAYMENT_NOT_VALID"},
		{"heavy for a limited sender", func(w *world, b body) {
			w.sim.SetSender("pa-a", func(s *Sender) { s.LimitedTo20Grams = true })
			b["documents"] = []any{w.pdf(nil, nil, nil), w.pdf()}
		}, "SENDER_DISABLED_MORE_THAN_20_GRAMS"},
		{"F24 broken", func(w *world, b body) { f24(w, b, "{", false) }, "F24_METADATA_NOT_VALID"},
		{"F24 of two kinds", func(w *world, b body) { f24(w, b, `{"f24Elid":{},"f24Excise":{}}`, false) }, "F24_METADATA_NOT_VALID"},
		{"F24 whose cost is on no record", func(w *world, b body) {
			b.delivery()
			f24(w, b, `{"f24Simplified":{"payments":{"records":[{"applyCost":false}]}}}`, true)
		}, "F24_METADATA_NOT_VALID"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, nil)
			b := w.body("2026/1")
			tc.build(w, b)
			if got := w.refused(b); got != tc.want {
				t.Errorf("refused with %s, want %s", got, tc.want)
			}
			n, _ := w.sim.Notification(w.sim.Accepted()[0].IUN)
			w.want(w.do("GET", "/delivery/v2.9/notifications/sent/"+n.IUN, nil), 404, codeNotFound)
		})
	}
}

func f24(w *world, b body, metadata string, apply bool) {
	b.recipient(0)["payments"] = []any{map[string]any{"f24": map[string]any{
		"title": "F24 prova", "applyCost": apply, "metadataAttachment": w.uploadAs([]byte(metadata), "application/json"),
	}}}
}

// Damage prevented: an address found by the platform must be shown as such, and
// the two ways of not finding it told apart and by recipient.
func TestAddressLookup(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Senders[0].AddressLookup = true
		o.Addresses = func(tax string) (found, failed bool) { return tax != company, tax == "DVNLRD52D15M059P" }
	})
	build := func(protocol, tax string) body {
		b := w.body(protocol)
		second := recipientOf(tax, "VIA TORINO 1")
		delete(second, "physicalAddress")
		b["recipients"] = []any{recipientOf("KJWMFE88C50E205S", "VIA TORINO 15"), second}
		return b
	}
	iun := w.accepted(build("p/1", person))
	v := w.want(w.do("GET", "/delivery/v2.9/notifications/sent/"+iun, nil), 200, "").json(t)
	if v["usedServices"].(map[string]any)["physicalAddressLookup"] != true || !strings.Contains(string(mustJSON(v["timeline"])), `"registry":"ANPR"`) {
		t.Errorf("look-up not shown: %v", v["usedServices"])
	}
	for tax, code := range map[string]string{company: "ADDRESS_NOT_FOUND", "DVNLRD52D15M059P": "ADDRESS_SEARCH_FAILED"} {
		w.refused(build("p/"+tax, tax))
		a := w.want(w.do("GET", requests+"?paProtocolNumber=p/"+tax+"&idempotenceToken=t1", nil), 200, "")
		e := a.json(t)["errors"].([]any)[0].(map[string]any)
		if e["code"] != code || e["recIndex"] != 1.0 {
			t.Errorf("%s: %v", tax, e)
		}
	}
	b := build("p/9", person)
	w.sim.SetSender("pa-a", func(s *Sender) { s.AddressLookup = false })
	a := w.want(w.do("POST", requests, b), 400, codeInvalid)
	if !strings.Contains(a.details(), "PhysicalAddress cannot be null") {
		t.Error(a.details())
	}
}

// Damage prevented: an F24 that is rendered on demand answers "wait" first.
func TestF24IsRenderedOnDemand(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.F24Delay = 5 * time.Second })
	b := w.body("2026/1")
	b.pay(notice1, false)
	f := w.uploadAs([]byte(`{"f24Simplified":{"payments":{"records":[{"applyCost":false}]}}}`), "application/json")
	b.recipient(0)["payments"] = append(b.recipient(0)["payments"].([]any), map[string]any{"f24": map[string]any{
		"title": "F24 prova", "applyCost": false, "metadataAttachment": f,
	}})
	iun := w.accepted(b)
	base := "/delivery/notifications/sent/" + iun + "/attachments/payment/0/"
	v := w.want(w.do("GET", base+"F24?attachmentIdx=1", nil), 200, "").json(t)
	if v["retryAfter"] != 5.0 || v["url"] != nil || v["sha256"] != "" {
		t.Errorf("first answer: %v", v)
	}
	w.pass(5 * time.Second)
	v = w.want(w.do("GET", base+"F24?attachmentIdx=1", nil), 200, "").json(t)
	got := w.fetch(v["url"].(string))
	if sha(got.body) != v["sha256"] || !strings.HasPrefix(string(got.body), "%PDF-") {
		t.Errorf("form: %d %s", got.status, v["sha256"])
	}
	w.want(w.do("GET", base+"PAGOPA", nil), 404, "PN_DELIVERY_FILEINFONOTFOUND") // notice without form
	w.want(w.do("GET", base+"PAGOPA?attachmentIdx=9", nil), 500, "PN_DELIVERY_NOTIFICATIONWITHOUTPAYMENTATTACHMENT")
	w.want(w.do("GET", base+"RAV", nil), 400, "PN_INVALID_PARAMETERS")
}
