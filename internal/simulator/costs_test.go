package simulator

import (
	"strings"
	"testing"
	"time"
)

// Damage prevented: a citizen who pays a wrong amount. The figures are those of
// the reference: 550 of paper, 22 % VAT, fee 100 make 650 and 871.
func TestPrice(t *testing.T) {
	w := newWorld(t, nil)
	path := "/delivery/v2.3/price/" + testTax + "/"
	w.want(w.do("GET", path+notice1, nil), 404, "PN_DELIVERY_NOTIFICATIONCOSTNOTFOUND")
	w.want(w.do("GET", path+"12", nil), 400, "PN_INVALID_PARAMETERS")
	b := w.body("2026/1").delivery().pay(notice1, true).pay(notice2, false)
	b["physicalCommunicationType"] = "AR_REGISTERED_LETTER"
	w.create(b)
	w.want(w.do("GET", path+notice1, nil), 404, "PN_DELIVERY_PUSH_NOTIFICATION_NOT_ACCEPTED")
	w.pass(31 * time.Second)
	ask := func(notice string) map[string]any {
		return w.want(w.do("GET", path+notice, nil), 200, "").json(t)
	}
	if v := ask(notice1); v["partialPrice"] != 100.0 || v["totalPrice"] != 200.0 || v["refinementDate"] != nil {
		t.Errorf("before the letter: %v", v)
	}
	w.pass(3 * time.Minute)
	v := ask(notice1)
	if v["partialPrice"] != 650.0 || v["totalPrice"] != 871.0 || v["analogCost"] != 550.0 || v["sendFee"] != 100.0 {
		t.Errorf("after the letter: %v", v)
	}
	if at, _ := v["refinementDate"].(string); !strings.HasSuffix(at, "T23:59:59.999999999+01:00") {
		t.Errorf("planned refinement: %v", v["refinementDate"])
	}
	if v := ask(notice2); v["partialPrice"] != 0.0 || v["totalPrice"] != 0.0 || v["analogCost"] != 550.0 {
		t.Errorf("no applyCost: %v", v)
	}
	w.key = "key-b" // no ownership check
	ask(notice1)
}

// Damage prevented: a payment that the sender reports must stop the letter, and
// a batch with one unknown notice must change nothing.
func TestPaymentEvents(t *testing.T) {
	w := newWorld(t, nil)
	iun := w.accepted(w.body("2026/1").pay(notice1, false))
	event := func(notice string) map[string]any {
		return map[string]any{"noticeCode": notice, "creditorTaxId": testTax, "paymentDate": "2026-03-02T09:01:00Z", "amount": 1000}
	}
	post := func(events ...any) answer {
		return w.do("POST", "/delivery/events/payment/pagopa", map[string]any{"events": events})
	}
	w.want(post(event(notice1), event(notice2)), 404, "PN_DELIVERY_NOTIFICATIONCOSTNOTFOUND")
	w.want(post(map[string]any{"noticeCode": notice1}), 400, "PN_INVALID_BODY")
	if n, _ := w.sim.Notification(iun); strings.Contains(strings.Join(n.Categories, " "), "PAYMENT") {
		t.Error("a rejected batch left a payment")
	}
	w.want(post(event(notice1)), 204, "")
	w.pass(time.Hour)
	n, _ := w.sim.Notification(iun)
	if got := strings.Join(n.Categories, " "); !strings.Contains(got, "PAYMENT") || strings.Contains(got, "SEND_ANALOG_DOMICILE") {
		t.Errorf("timeline: %s", got)
	}
	w.want(w.do("GET", "/delivery/v2.9/notifications/sent/"+iun, nil), 200, "")
}

// Damage prevented: 202 means three different things; only the code tells.
func TestCancellation(t *testing.T) {
	w := newWorld(t, nil)
	stream := w.stream(nil)
	b := w.body("2026/1").pay(notice1, false)
	iun := w.accepted(b)
	path := "/delivery-push/v2.0/notifications/cancel/"
	code := func(iun string) string {
		v := w.want(w.do("PUT", path+iun, nil), 202, "").json(t)
		return v["details"].([]any)[0].(map[string]any)["code"].(string)
	}
	w.key = "key-b"
	w.want(w.do("PUT", path+iun, nil), 404, codePushAbsent)
	w.key = testKey
	if got := code(iun); got != "NOTIFICATION_CANCELLATION_ACCEPTED" {
		t.Error(got)
	}
	if n, _ := w.sim.Notification(iun); n.Status == statusCancelled {
		t.Error("cancelled at once")
	}
	w.pass(time.Minute)
	n, _ := w.sim.Notification(iun)
	if n.Status != statusCancelled {
		t.Error(n.Status)
	}
	if got := code(iun); got != "NOTIFICATION_ALREADY_CANCELLED" {
		t.Error(got)
	}
	before := len(n.Categories)
	w.pass(24 * time.Hour)
	if n, _ := w.sim.Notification(iun); len(n.Categories) != before {
		t.Errorf("life after death: %v", n.Categories)
	}
	w.downloadAll(iun, n.LegalFacts)
	events := w.drain(stream)
	if last := events[len(events)-1]; last.NewStatus != statusCancelled || last.Element.LegalFactsIDs[0].Category != "NOTIFICATION_CANCELLED" {
		t.Errorf("last event %+v", last)
	}
	b["idempotenceToken"], b["documents"] = "t2", []any{w.pdf()}
	w.accepted(b) // the notice is free again
	w.sim.Faults().Add(Fault{Operation: "acceptance", Kind: FaultRefuse, Code: "FILE_GONE"})
	w.refused(w.body("2026/2"))
	if got := code(w.sim.Accepted()[2].IUN); got != "NOTIFICATION_REFUSED" {
		t.Error(got)
	}
	early := w.create(w.body("2026/3"))
	x, _ := w.sim.Notification(early)
	w.sim.SetAcceptance(time.Hour)
	if got := code(x.IUN); got != "NOTIFICATION_CANCELLATION_ACCEPTED" {
		t.Error(got)
	}
	w.pass(time.Hour) // cancelled while in validation: never accepted
	if n, _ := w.sim.Notification(x.IUN); n.Status != statusCancelled || strings.Contains(strings.Join(n.Categories, " "), "REQUEST_ACCEPTED") {
		t.Errorf("%s: %v", n.Status, n.Categories)
	}
}

// Damage prevented: legal facts that are not there yet, or in cold storage,
// answer with a time to wait; the list must name the person concerned.
func TestLegalFacts(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.LegalFactDelay = 30 * time.Second })
	iun := w.accepted(w.body("2026/1"))
	w.pass(time.Hour)
	n, _ := w.sim.Notification(iun)
	a := w.want(w.do("GET", "/delivery-push/v2.0/"+iun+"/legal-facts", nil), 200, "")
	if got := string(a.body); !strings.Contains(got, "SENDER_ACK") || !strings.Contains(got, "ANALOG_DELIVERY") || !strings.Contains(got, person) || strings.Contains(got, "PN_AAR") {
		t.Errorf("list: %s", got)
	}
	var aar string
	for _, k := range n.LegalFacts {
		if strings.Contains(k, "PN_AAR") {
			aar = k
		}
	}
	path := "/delivery-push/" + iun + "/download/legal-facts/" + strings.TrimPrefix(aar, storagePrefix)
	for _, want := range []float64{30, 20} {
		if v := w.want(w.do("GET", path, nil), 200, "").json(t); v["retryAfter"] != want || v["url"] != nil || v["contentLength"] != 0.0 {
			t.Errorf("cold: %v, want %v", v, want)
		}
		w.pass(10 * time.Second)
	}
	w.pass(10 * time.Second)
	v := w.want(w.do("GET", path, nil), 200, "").json(t)
	got := w.fetch(v["url"].(string))
	again := w.fetch(v["url"].(string))
	if got.status != 200 || string(got.body) != string(again.body) {
		t.Error("a document that changes between two downloads")
	}
	w.want(w.do("GET", strings.Replace(path, "PN_AAR-", "PN_AAR-0", 1), nil), 404, "PN_DELIVERYPUSH_FILE_NOT_FOUND")
	w.key = "key-b"
	w.want(w.do("GET", path, nil), 404, codePushAbsent)
	w.want(w.do("GET", "/delivery/v2.9/notifications/sent/"+iun, nil), 404, codeNotFound)
}

// Damage prevented: after 120 days the documents are gone; who did not fetch
// them must see it, not an empty file.
func TestDocumentsExpire(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Timings = UATTimings()
		o.Timings.DocumentsKept = 24 * time.Hour
	})
	iun := w.accepted(w.body("2026/1"))
	doc := "/delivery/notifications/sent/" + iun + "/attachments/documents/0"
	w.pass(20 * time.Hour)
	w.want(w.do("GET", doc, nil), 200, "")
	w.pass(10 * time.Hour)
	w.want(w.do("GET", doc, nil), 400, "PN_DELIVERY_FILEINFONOTFOUND")
}
