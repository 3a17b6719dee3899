package simulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Damage prevented: a path that ends in the wrong status, repeats an element id
// or names a document that cannot be downloaded would make the connector write
// a wrong outcome. Every path the platform knows is walked to its end, read by
// stream and by look-up, both checked against the contract.
func TestEveryPath(t *testing.T) {
	for name := range newPaths() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			stream := w.stream(body{"waitForAccepted": true})
			iun := w.accepted(bodyFor(w, name))
			w.pass(3 * time.Hour)
			n, _ := w.sim.Notification(iun)
			if want := finalStatus(name); n.Status != want {
				t.Errorf("status %s, want %s: %v", n.Status, want, n.Categories)
			}
			events := w.drain(stream)
			if got, want := categories(events), strings.Join(n.Categories, " "); got != want {
				t.Errorf("stream and timeline differ:\n%s\n%s", got, want)
			}
			seen := map[string]bool{}
			for _, e := range events {
				if seen[e.Element.ElementID] {
					t.Errorf("element id %s twice", e.Element.ElementID)
				}
				seen[e.Element.ElementID] = true
			}
			sent := w.want(w.do("GET", "/delivery/v2.9/notifications/sent/"+iun, nil), 200, "").json(t)
			if sent["notificationStatus"] != n.Status {
				t.Errorf("look-up says %v", sent["notificationStatus"])
			}
			checkHistory(t, sent, n.ElementIDs)
			w.downloadAll(iun, n.LegalFacts)
		})
	}
}

func bodyFor(w *world, name string) body {
	b := w.body("2026/1")
	r := b.recipient(0)
	a := r["physicalAddress"].(map[string]any)
	if simple, isPEC := strings.CutPrefix(name, "pec_fail_"); isPEC {
		r["digitalDomicile"] = map[string]any{"type": "PEC", "address": "prova@fail.it"}
		a["address"] = "VIA @" + strings.ToUpper(simple)
		name = simple
	} else if name == "pec_ok" {
		r["digitalDomicile"] = map[string]any{"type": "PEC", "address": testPEC}
	} else {
		a["address"] = "Via@" + name
	}
	if strings.HasSuffix(name, "_ar") {
		b["physicalCommunicationType"] = "AR_REGISTERED_LETTER"
	}
	if strings.HasSuffix(name, "_rir") || strings.HasSuffix(name, "_ris") {
		a["foreignState"], a["municipality"], a["zip"] = "FRANCIA", "PARIS", "75001"
		delete(a, "province")
	}
	return b
}

func finalStatus(name string) string {
	if name == "fail_ar" || name == "fail_890" {
		return statusReturned
	}
	return statusEffectiveDate
}

func checkHistory(t *testing.T, sent map[string]any, want []string) {
	t.Helper()
	var history []struct {
		Status                  string
		ActiveFrom              time.Time
		RelatedTimelineElements []string
	}
	if err := json.Unmarshal(mustJSON(sent["notificationStatusHistory"]), &history); err != nil {
		t.Fatal(err)
	}
	var related []string
	for i, h := range history {
		related = append(related, h.RelatedTimelineElements...)
		if i > 0 && !h.ActiveFrom.After(history[i-1].ActiveFrom) {
			t.Errorf("status %s does not follow in time", h.Status)
		}
	}
	if strings.Join(related, " ") != strings.Join(want, " ") {
		t.Errorf("the history tells of %d elements, the timeline of %d", len(related), len(want))
	}
	if history[0].Status != statusInValidation || history[len(history)-1].Status != sent["notificationStatus"] {
		t.Errorf("history from %s to %s", history[0].Status, history[len(history)-1].Status)
	}
}

// downloadAll fetches every document and looks at its bytes.
func (w *world) downloadAll(iun string, keys []string) {
	w.t.Helper()
	if len(keys) < 3 {
		w.t.Errorf("only %d documents", len(keys))
	}
	marks := map[string]string{".pdf": "%PDF-1.4", ".xml": "<?xml", ".eml": "From:"}
	for _, key := range keys {
		short := strings.TrimPrefix(key, storagePrefix)
		v := w.want(w.do("GET", "/delivery-push/"+iun+"/download/legal-facts/"+short, nil), 200, "").json(w.t)
		got := w.fetch(v["url"].(string))
		ext := short[len(short)-4:]
		if got.status != http.StatusOK || !bytes.HasPrefix(got.body, []byte(marks[ext])) || float64(len(got.body)) != v["contentLength"] {
			w.t.Errorf("%s: %d, %d bytes of %v", key, got.status, len(got.body), v["contentLength"])
		}
		if !strings.HasSuffix(v["filename"].(string), ext) {
			w.t.Errorf("%s is called %v", key, v["filename"])
		}
	}
}

// Damage prevented: the summary status must not hide that recipients fare
// differently; legal effect is per recipient.
func TestSeveralRecipients(t *testing.T) {
	people := []string{person, "DVNLRD52D15M059P", "GLLGLL64B15G702I"}
	for _, tc := range []struct {
		streets string
		mid     string // status after the letters, before the terms
		end     string
	}{
		{"VIA @OK_890,VIA @FAIL-Irreperibile_890", statusDelivered, statusEffectiveDate},
		{"VIA @FAIL-Irreperibile_890,VIA @FAIL-Irreperibile_890", statusUnreachable, statusEffectiveDate},
		{"VIA @FAIL_890,VIA @FAIL_890", statusReturned, statusReturned},
		{"VIA @FAIL_890,VIA @OK_890", statusDelivered, statusEffectiveDate},
		{"VIA @FAIL_890,VIA @FAIL-Irreperibile_890,VIA TORINO 1", statusDelivered, statusEffectiveDate},
	} {
		w := newWorld(t, nil)
		b := w.body("2026/1")
		var list []any
		for i, street := range strings.Split(tc.streets, ",") {
			list = append(list, recipientOf(people[i], street))
		}
		b["recipients"] = list
		iun := w.accepted(b)
		w.pass(4 * time.Minute)
		if n, _ := w.sim.Notification(iun); n.Status != tc.mid {
			t.Errorf("%s: %s, want %s", tc.streets, n.Status, tc.mid)
		}
		w.pass(time.Hour)
		n, _ := w.sim.Notification(iun)
		if n.Status != tc.end {
			t.Errorf("%s: %s at the end, want %s", tc.streets, n.Status, tc.end)
		}
	}
}

// Damage prevented: opening the notification has effect at once, stops the
// paper, and is proven by its own document.
func TestView(t *testing.T) {
	w := newWorld(t, nil)
	iun := w.accepted(w.body("2026/1"))
	if w.sim.View("nobody", 0) || w.sim.View(iun, 5) {
		t.Error("somebody viewed what is not there")
	}
	for range 2 { // the second access changes nothing
		if !w.sim.View(iun, 0) {
			t.Fatal("not viewed")
		}
	}
	w.pass(3 * time.Hour)
	n, _ := w.sim.Notification(iun)
	got := strings.Join(n.Categories, " ")
	if n.Status != statusViewed || strings.Count(got, "NOTIFICATION_VIEWED ")+count(strings.HasSuffix(got, "NOTIFICATION_VIEWED")) != 1 ||
		strings.Contains(got, "SEND_ANALOG_DOMICILE") || strings.Contains(got, "REFINEMENT") {
		t.Errorf("%s: %s", n.Status, got)
	}
	w.downloadAll(iun, n.LegalFacts)

	late := w.accepted(w.body("2026/2"))
	if !w.sim.RetrieveAtDesk(late, 0) || w.sim.RetrieveAtDesk(late, 1) {
		t.Error("desk")
	}
	w.want(w.do("GET", "/delivery/v2.9/notifications/sent/"+late, nil), 200, "")
	w.pass(3 * time.Hour)
	w.sim.View(late, 0)
	if n, _ := w.sim.Notification(late); n.Status != statusViewed || !strings.Contains(strings.Join(n.Categories, " "), "REFINEMENT") {
		t.Errorf("viewed after the term: %s %v", n.Status, n.Categories)
	}
}

// Damage prevented: a timeline that SEND corrects must move back, and its new
// elements must not carry the old ids.
func TestRework(t *testing.T) {
	w := newWorld(t, nil)
	stream := w.stream(nil)
	old := w.want(w.do("POST", "/delivery-progresses/v2.8/streams", body{"title": "x", "eventType": "TIMELINE", "groups": []any{}}), 200, "").json(t)["streamId"].(string)
	b := w.body("2026/1")
	b.recipient(0)["physicalAddress"].(map[string]any)["address"] = "VIA @FAIL-Irreperibile_890"
	iun := w.accepted(b)
	w.pass(time.Hour)
	before, _ := w.sim.Notification(iun)
	if w.sim.Rework("nobody", 0, "RECAG001C", "OK") || !w.sim.Rework(iun, 0, "RECAG001C", "OK") {
		t.Fatal("rework")
	}
	w.pass(time.Second)
	mid, _ := w.sim.Notification(iun)
	if before.Status != statusEffectiveDate || mid.Status != statusDelivered {
		t.Errorf("status %s, then %s", before.Status, mid.Status)
	}
	got := strings.Join(mid.Categories, " ")
	if strings.Contains(got, "COMPLETELY_UNREACHABLE") || !strings.Contains(got, "NOTIFICATION_TIMELINE_REWORKED SEND_ANALOG_FEEDBACK ANALOG_SUCCESS_WORKFLOW") {
		t.Errorf("timeline %s", got)
	}
	ids := strings.Join(mid.ElementIDs, " ")
	if !strings.Contains(ids, "SEND_ANALOG_FEEDBACK.IUN_"+iun+".RECINDEX_0.ATTEMPT_0.REWORK_1") {
		t.Errorf("ids %s", ids)
	}
	w.pass(time.Hour)
	if n, _ := w.sim.Notification(iun); n.Status != statusEffectiveDate {
		t.Errorf("after the new term: %s", n.Status)
	}
	events := w.drain(stream)
	seen := map[string]bool{}
	reworked := false
	for _, e := range events {
		if seen[e.Element.ElementID] {
			t.Errorf("id %s twice", e.Element.ElementID)
		}
		seen[e.Element.ElementID] = true
		if e.Element.Category == "NOTIFICATION_TIMELINE_REWORKED" {
			reworked = true
			void := string(mustJSON(e.Element.Details))
			for _, x := range []string{"UNREACHABLE", "EFFECTIVE_DATE", "COMPLETELY_UNREACHABLE.IUN_" + iun, "RECAG003F"} {
				if !strings.Contains(void, x) {
					t.Errorf("void part lacks %s", x)
				}
			}
		}
	}
	if a := w.do("GET", "/delivery-progresses/v2.8/streams/"+old+"/events", nil); a.status != 200 || strings.Contains(string(a.body), "REWORKED") {
		t.Errorf("a stream of the older version: %d", a.status)
	}
	if !reworked {
		t.Error("no NOTIFICATION_TIMELINE_REWORKED in the stream")
	}
	w.want(w.do("GET", "/delivery/v2.9/notifications/sent/"+iun, nil), 200, "")
}

// Damage prevented: a demo where everybody fares alike shows nothing.
func TestMix(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Mix = Mix{Viewed: 1, Courtesy: 1}
		o.Timings = UATTimings()
		o.Timings.View = 2 * time.Hour
	})
	iun := w.accepted(w.body("2026/1"))
	w.pass(3 * time.Hour)
	n, _ := w.sim.Notification(iun)
	if got := strings.Join(n.Categories, " "); n.Status != statusViewed || !strings.Contains(got, "SEND_COURTESY_MESSAGE") {
		t.Errorf("%s: %s", n.Status, got)
	}
	s := New(Options{Mix: Mix{Unreachable: 0.2, Deceased: 0.2, Depot: 0.2}})
	seen := map[string]int{}
	for i := range 500 {
		x := &notification{registered890: true, recipients: make([]recipient, 1)}
		seen[s.mixed(x, string(rune('A'+i%26))+string(rune('A'+i/26)), 0)]++
	}
	for _, p := range []string{"ok_890", "fail-irreperibile_890", "fail_890", "ok-giacenza-lte10_890"} {
		if seen[p] < 50 || seen[p] > 300 {
			t.Errorf("%s drawn %d times in 500: %v", p, seen[p], seen)
		}
	}
}
