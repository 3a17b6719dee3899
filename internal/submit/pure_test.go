package submit

import (
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// A wait that is too short knocks at a closed door; one that never ends loses a
// notification silently.
func TestDelay(t *testing.T) {
	for _, c := range []struct {
		name     string
		kind     wait
		failures int
		asked    time.Duration
		jitter   float64
		want     time.Duration
	}{
		{"first transient", waitTransient, 1, 0, 0, 5 * time.Second},
		{"third transient", waitTransient, 3, 0, 0, 2 * time.Minute},
		{"never longer than an hour", waitTransient, 1000, 0, 0, time.Hour},
		{"no failure counts as one", waitTransient, 0, 0, 0, 5 * time.Second},
		{"what SEND asks for wins", waitTransient, 1, 40 * time.Second, 0, 40 * time.Second},
		{"unless ours is longer", waitTransient, 6, 40 * time.Second, 0, time.Hour},
		{"jitter only adds", waitTransient, 1, 0, 0.5, 5*time.Second + 500*time.Millisecond},
		{"unknown outcome is looked up soon", waitUnknown, 1, 0, 0, 3 * time.Second},
		{"a doubtful 400 once", waitDoubt, 1, 0, 0, 30 * time.Second},
	} {
		if got := delay(c.kind, c.failures, c.asked, c.jitter); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Rule 15 (c): SEND is given up to 24 hours to free a notice, no more, whatever the
// number of restarts.
func TestRule15cPatience(t *testing.T) {
	var waited time.Duration
	tries := 0
	for !noticeTimeUp(tries + 1) {
		tries++
		waited += delay(waitNotice, tries, 0, 0)
		if tries > 200 {
			t.Fatal("never ends")
		}
	}
	if waited < 24*time.Hour || waited > 25*time.Hour {
		t.Errorf("gave up after %v in %d tries", waited, tries)
	}
}

func TestHeldFor(t *testing.T) {
	if got := heldFor(&send.Error{Reason: send.HeldBudget, RetryAfter: 5 * time.Hour}); got != 5*time.Hour {
		t.Errorf("what was asked for: %v", got)
	}
	if got := heldFor(&send.Error{Reason: send.HeldAPIKey}); got != 30*time.Minute {
		t.Errorf("key: %v", got)
	}
}

func form(recipient, payment int) string {
	return "recipients[" + itoa(recipient) + "].payments[" + itoa(payment) + "].pagoPa.attachment"
}

// Rule 17: sharing too much makes SEND refuse the request (the same attachment
// twice), sharing nothing costs uploads.
func TestRule17Objects(t *testing.T) {
	doc := func(field, hash string) ledger.Document {
		return ledger.Document{Field: field, Hash: hash, ContentType: "application/pdf"}
	}
	for _, c := range []struct {
		name string
		docs []ledger.Document
		want [][]int
	}{
		{"act and form of equal bytes go twice", []ledger.Document{doc("documents[0]", "a"), doc(form(0, 0), "a")}, [][]int{{0}, {1}}},
		{"two equal documents go twice", []ledger.Document{doc("documents[0]", "a"), doc("documents[1]", "a")}, [][]int{{0}, {1}}},
		{"a form of two recipients goes once", []ledger.Document{doc(form(0, 0), "f"), doc(form(1, 0), "f")}, [][]int{{0, 1}}},
		{"other bytes are other objects", []ledger.Document{doc(form(0, 0), "f"), doc(form(1, 0), "g")}, [][]int{{0}, {1}}},
		{
			"the same form twice of each of two recipients",
			[]ledger.Document{doc(form(0, 0), "f"), doc(form(0, 1), "f"), doc(form(1, 0), "f"), doc(form(1, 1), "f")},
			[][]int{{0, 2}, {1, 3}},
		},
		{
			"F24 metadata is not shared",
			[]ledger.Document{doc("recipients[0].payments[0].f24.metadataAttachment", "m"), doc("recipients[1].payments[0].f24.metadataAttachment", "m")},
			[][]int{{0}, {1}},
		},
	} {
		var got [][]int
		for _, o := range objects(c.docs) {
			got = append(got, o.documents)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// Rule 17: an upload older than six days is not named in a request any more.
func TestRule17Fresh(t *testing.T) {
	now := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	d := ledger.Document{Key: "k", Version: "v"}
	for age, want := range map[time.Duration]bool{0: true, 6*24*time.Hour - time.Second: true, 6 * 24 * time.Hour: false} {
		d.UploadedAt = now.Add(-age)
		if fresh(&d, now) != want {
			t.Errorf("age %v: %v", age, !want)
		}
	}
	d.UploadedAt, d.Version = now, ""
	if fresh(&d, now) {
		t.Error("an upload without version token cannot be named")
	}
}

// Rule 14: what is adopted must be the same notification; a change of spelling,
// order or documents is told apart from another citizen's notification.
func TestRule14Compare(t *testing.T) {
	w := newWorld(t)
	n := w.draft("TARI-2026-00001")
	for i := range n.Documents {
		n.Documents[i].Key, n.Documents[i].Version = "key"+itoa(i), "v"
	}
	for _, c := range []struct {
		name                           string
		change                         func(n *ledger.Notification)
		identity, bodies, digest, refs bool
	}{
		{"the same", func(*ledger.Notification) {}, true, true, true, true},
		{"other object, same bytes", func(n *ledger.Notification) { n.Documents[0].Key = "x" }, true, true, true, false},
		{"other bytes", func(n *ledger.Notification) { n.Documents[0] = w.spool("documents[0]", "new") }, true, true, false, false},
		{"other abstract", func(n *ledger.Notification) { n.Request.Abstract = "x" }, true, false, true, true},
		{"other citizen", func(n *ledger.Notification) { n.Request.Recipients[0].TaxID = other }, false, false, true, false},
		{"other notice", func(n *ledger.Notification) {
			n.Request.Recipients[0].Payments[0].PagoPa.NoticeCode = "302000100000099999"
		}, false, false, true, false},
		{"other subject", func(n *ledger.Notification) { n.Request.Subject = "Sollecito" }, false, false, true, false},
	} {
		theirs := *n
		theirs.Documents = append([]ledger.Document(nil), n.Documents...)
		theirs.Request = wire(n)
		theirs.Request.IdempotenceToken = ""
		c.change(&theirs)
		body, err := json.Marshal(wire(&theirs))
		if err != nil {
			t.Fatal(err)
		}
		l, err := compare(n, send.RequestStatus{Body: body})
		if err != nil {
			t.Fatal(err)
		}
		if l.identity() != c.identity || l.bodies != c.bodies || l.digests != c.digest || l.refs != c.refs {
			t.Errorf("%s: identity %v, bodies %v, digests %v, refs %v", c.name, l.identity(), l.bodies, l.digests, l.refs)
		}
	}
	if _, err := compare(n, send.RequestStatus{Body: []byte("<html>")}); err == nil {
		t.Error("a page that is no request was compared")
	}
}

// Rule 17: a call waits for company 200 ms at most, and never once it is full.
func TestRule17PreloadWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sizes []int
		var at []time.Duration
		start := time.Now()
		p := &preloader{wait: maxPreloadWait, ask: func(items []send.PreloadItem) ([]send.Slot, error) {
			mu.Lock()
			defer mu.Unlock()
			sizes, at = append(sizes, len(items)), append(at, time.Since(start))
			var slots []send.Slot
			for _, it := range items {
				slots = append(slots, send.Slot{Index: it.Index, URL: "u", Key: "k" + it.Index})
			}
			return slots, nil
		}}
		many := make([]object, 20)
		for i := range many {
			many[i].hash = "00"
		}
		slots, err := p.slots(t.Context(), many)
		p.close()
		if err != nil || len(slots) != 20 {
			t.Fatal(len(slots), err)
		}
		if d := cmp.Diff([]int{15, 5}, sizes); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]time.Duration{0, 200 * time.Millisecond}, at); d != "" {
			t.Error(d)
		}
	})
}

// One document that SEND will not give a slot for must not stop fourteen others.
func TestPreloadRefusedAsAWhole(t *testing.T) {
	f := newFakeSEND()
	p := &preloader{wait: time.Millisecond, ask: func(items []send.PreloadItem) ([]send.Slot, error) {
		return f.Preload(t.Context(), items)
	}}
	bad := make(chan error, 1)
	go func() {
		_, err := p.slots(t.Context(), []object{{hash: "not hex"}})
		bad <- err
	}()
	good := make([]object, 14)
	for i := range good {
		good[i].hash = "00"
	}
	slots, err := p.slots(t.Context(), good)
	if err != nil || len(slots) != 14 {
		t.Errorf("the sound ones: %d slots, %v", len(slots), err)
	}
	if err := <-bad; send.ClassOf(err) != send.Rejected {
		t.Errorf("the bad one: %v", err)
	}
	p.close()
}
