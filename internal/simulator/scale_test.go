package simulator

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// direct calls the handler without a network.
func direct(s *Simulator, method, path string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Header.Set("x-api-key", testKey)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func loaded(t testing.TB, n int) (s *Simulator, now *time.Time, stream string) {
	t.Helper()
	at := testStart
	now = &at
	s = New(Options{
		Clock: func() time.Time { return *now }, Seed: 3,
		Senders: []Sender{{ID: "pa-a", TaxID: testTax}}, Keys: []APIKey{{Value: testKey, Sender: "pa-a"}},
	})
	s.objects["PN_NOTIFICATION_ATTACHMENTS-1.pdf"] = &object{
		key: "PN_NOTIFICATION_ATTACHMENTS-1.pdf", uploaded: at, version: "v", announced: sha([]byte("x")), size: 10, head: []byte("%PDF-1.4"), attached: true,
	}
	w := direct(s, "POST", streams, mustJSON(m{"title": "x", "eventType": "TIMELINE", "groups": []any{}, "filterValues": []any{"REQUEST_ACCEPTED", "SEND_ANALOG_FEEDBACK", "REFINEMENT"}}))
	stream = strings.Split(strings.Split(w.Body.String(), `"streamId":"`)[1], `"`)[0]
	for i := range n {
		if w := direct(s, "POST", requests, loadBody(i)); w.Code != http.StatusAccepted {
			t.Fatalf("create %d: %d %s", i, w.Code, w.Body)
		}
	}
	return s, now, stream
}

func loadBody(i int) []byte {
	return mustJSON(m{
		"paProtocolNumber": fmt.Sprintf("2026/%d", i), "idempotenceToken": "t", "subject": "Avviso", "senderDenomination": "Comune",
		"senderTaxId": testTax, "taxonomyCode": testTaxon, "notificationFeePolicy": "FLAT_RATE", "physicalCommunicationType": "AR_REGISTERED_LETTER",
		"documents":  []any{ref(slot{Key: "PN_NOTIFICATION_ATTACHMENTS-1.pdf"}, []byte("x"), "application/pdf", "v")},
		"recipients": []any{recipientOf(person, "VIA TORINO 15")},
	})
}

// Damage prevented: a simulator that slows down with its load measures itself
// instead of the connector. A hundred thousand lives are lived to the end and
// read from the stream; the cost of a call may not grow with what is stored.
func TestHundredThousandNotifications(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 3_000
	}
	s, now, stream := loaded(t, n)
	lookup := func() time.Duration {
		begin := time.Now()
		for i := range 200 {
			if w := direct(s, "GET", fmt.Sprintf("%s?paProtocolNumber=2026/%d&idempotenceToken=t", requests, i*n/200), nil); w.Code != 200 {
				t.Fatalf("look-up: %d", w.Code)
			}
		}
		return time.Since(begin) / 200
	}
	*now = now.Add(10 * time.Minute)
	s.Advance(0)
	perCall := lookup()
	*now = now.Add(24 * time.Hour)
	s.Advance(0)
	events, last := 0, ""
	for {
		path := streams + "/" + stream + "/events"
		if last != "" {
			path += "?lastEventId=" + last
		}
		w := direct(s, "GET", path, nil)
		ids := strings.Split(w.Body.String(), `{"eventId":"`)[1:]
		if len(ids) == 0 {
			break
		}
		events += len(ids)
		last = ids[len(ids)-1][:38]
	}
	if want := n * 3; events != want {
		t.Errorf("%d events, want %d", events, want)
	}
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	t.Logf("%d notifications, %d events, %s per look-up, %d MiB", n, events, perCall, mem.HeapAlloc>>20)
	if perCall > 5*time.Millisecond {
		t.Errorf("a look-up takes %s with %d notifications stored", perCall, n)
	}
	if mem.HeapAlloc > 1<<30 {
		t.Errorf("%d MiB for %d notifications", mem.HeapAlloc>>20, n)
	}
	runtime.KeepAlive(s)
}

func BenchmarkCreate(b *testing.B) {
	s, _, _ := loaded(b, 0)
	bodies := make([][]byte, b.N)
	for i := range bodies {
		bodies[i] = loadBody(i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if w := direct(s, "POST", requests, bodies[i]); w.Code != http.StatusAccepted {
			b.Fatal(w.Code)
		}
	}
}

// Damage prevented: data races between uploads, creates, readers and the clock.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.ManualClock, o.Speed = false, 600 })
	stream := w.stream(nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 5 {
				if a := w.do("POST", requests, w.body(fmt.Sprint(i, "/", j))); a.status != 202 {
					t.Errorf("create: %d %s", a.status, a.body)
				}
				w.do("GET", streams+"/"+stream+"/events", nil)
				w.sim.Duplicates()
				w.sim.History()
				w.sim.Faults().Fired()
			}
		})
	}
	wg.Wait()
	if got := len(w.sim.Accepted()); got != 40 {
		t.Errorf("%d accepted", got)
	}
}
