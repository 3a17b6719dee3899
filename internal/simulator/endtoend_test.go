package simulator

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Damage prevented: a judge that cannot play the whole game would let a client
// pass that fails at the first real voucher, upload, event or download.
func TestEndToEnd(t *testing.T) {
	w := newWorld(t, nil)
	id, err := w.sim.NewIdentity("Comune di Prova", "")
	if err != nil {
		t.Fatal(err)
	}
	a := w.tokenForm(tokenFormOf(id, assertion(t, id, w.now, nil)))
	if a.status != 200 {
		t.Fatalf("token: %d %s", a.status, a.body)
	}
	w.key = id.APIKey
	w.hdr.Set("Authorization", "Bearer "+a.json(t)["access_token"].(string))

	stream := w.stream(body{"waitForAccepted": true})
	b := w.body("2026/1").pay("301000000001234519", true).delivery()
	b.recipient(0)["digitalDomicile"] = map[string]any{"type": "PEC", "address": testPEC}
	iun := w.accepted(b)
	w.hdr.Set("Authorization", "Bearer "+w.tokenForm(tokenFormOf(id, assertion(t, id, w.now, nil))).json(t)["access_token"].(string))
	w.pass(9 * time.Minute)

	var seen []string
	var fact string
	for _, e := range w.drain(stream) {
		seen = append(seen, e.Element.Category)
		for _, f := range e.Element.LegalFactsIDs {
			if f.Category == "SENDER_ACK" {
				fact = f.Key
			}
		}
	}
	for _, c := range []string{"REQUEST_ACCEPTED", "AAR_GENERATION", "SEND_DIGITAL_FEEDBACK", "DIGITAL_SUCCESS_WORKFLOW", "REFINEMENT"} {
		if !strings.Contains(strings.Join(seen, " "), c) {
			t.Errorf("no %s among %v", c, seen)
		}
	}
	v := w.want(w.do("GET", "/delivery-push/"+iun+"/download/legal-facts/"+strings.TrimPrefix(fact, storagePrefix), nil), 200, "").json(t)
	req, _ := http.NewRequest(http.MethodGet, v["url"].(string), nil)
	got := send(req)
	if got.status != 200 || !bytes.HasPrefix(got.body, []byte("%PDF-")) || float64(len(got.body)) != v["contentLength"] {
		t.Fatalf("download: %d, %d bytes, announced %v", got.status, len(got.body), v["contentLength"])
	}
	if n, _ := w.sim.Notification(iun); n.Status != statusEffectiveDate {
		t.Errorf("status %s", n.Status)
	}
	if d := w.sim.Duplicates(); len(d) != 0 {
		t.Errorf("duplicates: %v", d)
	}
}
