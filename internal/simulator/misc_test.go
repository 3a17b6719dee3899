package simulator

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// Damage prevented: who reads the courtesy message in time spares the citizen
// the cost of the letter; a simulator that posts at once cannot show it.
func TestCourtesyMessageHoldsTheLetter(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Mix.Courtesy = 1
		o.Timings = RealTimings()
	})
	id := w.create(w.body("2026/1"))
	w.pass(5 * 24 * time.Hour)
	n, _ := w.sim.Notification(id)
	got := strings.Join(n.Categories, " ")
	if !strings.Contains(got, "SEND_COURTESY_MESSAGE PROBABLE_SCHEDULING_ANALOG_DATE") || strings.Contains(got, "PREPARE_ANALOG_DOMICILE") {
		t.Errorf("after five days: %s", got)
	}
	w.pass(2 * 24 * time.Hour)
	if n, _ := w.sim.Notification(id); !strings.Contains(strings.Join(n.Categories, " "), "SEND_ANALOG_DOMICILE") {
		t.Errorf("after seven days: %v", n.Categories)
	}
	w.want(w.do("GET", "/delivery/v2.9/notifications/sent/"+n.IUN, nil), 200, "")
}

// Damage prevented: temporary folders that stay behind after every demo.
func TestCloseRemovesTheSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	cs := newContentStore("", 10)
	k, err := cs.keep(bytes.NewReader(make([]byte, 2<<20)), 1<<20)
	if err != nil || k.size != 2<<20 {
		t.Fatalf("%d bytes counted, %v", k.size, err)
	}
	small, err := cs.keep(strings.NewReader("more than ten bytes"), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	r, err := cs.open(small.ref)
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	dir := cs.dir
	if err := cs.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
	if err := cs.close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

// Damage prevented: addresses of another host would send a client to nowhere.
func TestBaseOfAddresses(t *testing.T) {
	w := newWorld(t, nil)
	w.sim.SetBaseURL("")
	if s := w.slotFor([]byte("%PDF-"), "application/pdf"); !strings.HasPrefix(s.URL, w.srv.URL+"/uploadS3/") {
		t.Errorf("from the request: %s", s.URL)
	}
	w.sim.SetBaseURL("https://store.example/")
	if s := w.slotFor([]byte("%PDF-"), "application/pdf"); !strings.HasPrefix(s.URL, "https://store.example/uploadS3/") {
		t.Errorf("as set: %s", s.URL)
	}
}

func TestPDNDSideEndpoints(t *testing.T) {
	w := newWorld(t, nil)
	if a := w.do("GET", "/.well-known/jwks.json", nil); a.status != 200 || !strings.Contains(string(a.body), `"kty":"RSA"`) {
		t.Errorf("jwks: %d %s", a.status, a.body)
	}
	if a := w.do("GET", "/authorization-server/status", nil); a.status != 200 {
		t.Errorf("status: %d", a.status)
	}
}

// Damage prevented: a stream that repeats old news must not confuse a client.
func TestPublishAgain(t *testing.T) {
	w := newWorld(t, nil)
	id := w.stream(nil)
	iun := w.accepted(w.body("2026/1"))
	before := w.drain(id)
	w.sim.Publish(iun)
	again := w.drain(id)
	if len(again) != 1 || again[0].Element.ElementID != before[len(before)-1].Element.ElementID {
		t.Errorf("%d events: %s", len(again), categories(again))
	}
}

// Damage prevented: an empty filter at an update must not silently widen a
// stream, and a replaced stream must be one's own.
func TestStreamUpdateAndReplace(t *testing.T) {
	w := newWorld(t, nil)
	id := w.stream(body{"filterValues": []any{"REFINEMENT"}})
	w.pass(time.Hour)
	v := w.want(w.do("PUT", streams+"/"+id, body{"title": "nuovo", "eventType": "TIMELINE", "groups": []any{}, "waitForAccepted": true}), 200, "").json(t)
	if v["title"] != "nuovo" || v["filterValues"].([]any)[0] != "REFINEMENT" || v["waitForAccepted"] != false || v["activationDate"] != stamp(w.now) {
		t.Errorf("updated: %v", v)
	}
	full := func(replaced string) body {
		return body{"title": "x", "eventType": "TIMELINE", "groups": []any{}, "replacedStreamId": replaced}
	}
	w.want(w.do("POST", streams, full("00000000-0000-4000-a000-000000000000")), 404, "PN_WEBHOOK_NOT_FOUND")
	w.want(w.do("POST", streams, full(id)), 200, "")
	w.want(w.do("POST", streams, full(id)), 403, codeStreamForbidden)
}

// Damage prevented: a PDF that readers refuse. The pages of the simulator's own
// documents are counted by its own rule, and the cross-reference table points
// at the objects.
func TestSimplePDF(t *testing.T) {
	b := simplePDF([][]string{{"Città (di) prova \\ €"}, {"due"}})
	if pages := len(pagePattern.FindAll(b, -1)); pages != 2 {
		t.Errorf("%d pages", pages)
	}
	text := string(b)
	xref := strings.Index(text, "xref\n")
	for i, line := range strings.Split(text[xref:], "\n")[3:10] {
		var offset int
		for _, c := range line[:10] {
			offset = offset*10 + int(c-'0')
		}
		want := string(rune('1'+i)) + " 0 obj"
		if !strings.HasPrefix(text[offset:], want) {
			t.Errorf("object %d is not at %d", i+1, offset)
		}
	}
	if !strings.Contains(text, `(Citt`+"\xe0"+` \(di\) prova \\ ?)`) {
		t.Error("text not escaped")
	}
	if !bytes.Equal(b, simplePDF([][]string{{"Città (di) prova \\ €"}, {"due"}})) {
		t.Error("not the same twice")
	}
}
