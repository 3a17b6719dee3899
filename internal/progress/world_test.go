package progress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sender      = "comune"
	senderTaxID = "00000000018"
	batchID     = "20260110T090000-abcdef01"
)

var errStop = errors.New("stopped by the test")

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a ledger with a sealed batch, and a SEND.
type world struct {
	t      *testing.T
	clock  *clock
	data   string
	path   string
	ledger *ledger.Ledger
	send   *fakeSEND
	step   func(string) error
	o      func(*Options)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: at(60)}, data: t.TempDir(), send: newFakeSEND()}
	w.send.clock = w.clock
	w.path = filepath.Join(w.data, "ledger.db")
	w.open()
	t.Cleanup(func() {
		for _, err := range w.ledger.Verify() {
			t.Errorf("ledger: %v", err)
		}
		if err := w.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	w.update(func(tx *ledger.Tx) error {
		return tx.PutBatch(&ledger.Batch{
			ID: batchID, Flow: "tari", Sender: sender, SenderTaxID: senderTaxID, Environment: "test",
			Outbox: "out", File: "tari.csv", State: ledger.Sealed, Release: ledger.Released, ClaimedAt: w.clock.Now(),
		})
	})
	return w
}

func (w *world) open() {
	w.t.Helper()
	l, err := ledger.Open(w.path, ledger.Options{Clock: w.clock.Now, NoSync: true, GroupDelay: -1})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ledger = l
}

func (w *world) restart() {
	w.t.Helper()
	if err := w.ledger.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

func (w *world) update(fn func(*ledger.Tx) error) {
	w.t.Helper()
	if err := w.ledger.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) progress() *Progress {
	o := Options{
		Ledger: w.ledger, Client: w.send, Sender: sender, SenderTaxID: senderTaxID, Installation: "prova",
		Data: w.data, Clock: w.clock.Now, Step: w.step, Jitter: func() float64 { return 0 },
	}
	if w.o != nil {
		w.o(&o)
	}
	return New(o)
}

// do runs one method that must not fail.
func (w *world) do(what func(*Progress, context.Context) (Report, error)) Report {
	w.t.Helper()
	r, err := what(w.progress(), context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) ensure() {
	w.t.Helper()
	if err := w.progress().Ensure(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read() Report    { w.t.Helper(); return w.do((*Progress).ReadStream) }
func (w *world) lookups() Report { w.t.Helper(); return w.do((*Progress).LookUps) }
func (w *world) fetch() Report   { w.t.Helper(); return w.do((*Progress).Fetch) }
func (w *world) prices() Report  { w.t.Helper(); return w.do((*Progress).Prices) }

func (w *world) get(id ledger.ID) *ledger.Notification {
	w.t.Helper()
	var n *ledger.Notification
	w.view(func(tx *ledger.Tx) error {
		var err error
		n, err = tx.Notification(id)
		return err
	})
	return n
}

func (w *world) view(fn func(*ledger.Tx) error) {
	w.t.Helper()
	if err := w.ledger.View(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) want(id ledger.ID, state ledger.State) *ledger.Notification {
	w.t.Helper()
	n := w.get(id)
	if n.State != state {
		w.t.Fatalf("notification %d is %s, want %s (%+v)", id, n.State, state, n.LastError)
	}
	return n
}

func (w *world) stream() *ledger.Stream {
	w.t.Helper()
	var s *ledger.Stream
	w.view(func(tx *ledger.Tx) error {
		var err error
		s, err = tx.Stream(sender)
		return err
	})
	return s
}

// submitted stores a notification that SEND answered 202 for.
func (w *world) submitted(number int, change ...func(*ledger.Notification)) ledger.ID {
	w.t.Helper()
	protocol := fmt.Sprintf("TARI-2026-%05d", number)
	r := &notification.Request{
		PaProtocolNumber: protocol, Subject: "Avviso TARI", SenderTaxID: senderTaxID,
		Recipients: []notification.Recipient{{
			RecipientType: notification.NaturalPerson, TaxID: "RSSMRA80A01H501U", Denomination: "Mario Rossi",
			Payments: []notification.Payment{{PagoPa: &notification.PagoPa{
				NoticeCode: fmt.Sprintf("3020001000000%05d", number), CreditorTaxID: senderTaxID, ApplyCost: true,
			}}},
		}},
		Documents:             []notification.Document{{Attachment: notification.Attachment{File: "atto.pdf", ContentType: notification.ContentPDF}}},
		NotificationFeePolicy: notification.FeeDeliveryMode,
	}
	n := &ledger.Notification{
		Key:    ledger.Key{Environment: "test", SenderTaxID: senderTaxID, Protocol: protocol},
		Sender: sender, Flow: "tari", Outbox: "out", Attempt: 1, State: ledger.Submitted,
		Request: r, Print: notification.FingerprintOf(r), Token: notification.Token(senderTaxID, protocol, 1),
		OwnerBatch: batchID, OwnerRow: number, RequestID: fmt.Sprintf("request-%d", number),
		SubmittedAt: w.clock.Now(), NextAttempt: w.clock.Now().Add(24 * time.Hour),
		Recipients: make([]ledger.RecipientState, 1),
		Documents: []ledger.Document{{
			Field: "documents[0]", File: "atto.pdf", Spool: "spool/atto.pdf", ContentType: notification.ContentPDF,
			Hash: fmt.Sprintf("%064x", number), Key: "k", Version: "v", UploadedAt: w.clock.Now(),
		}},
	}
	for _, c := range change {
		c(n)
	}
	w.update(func(tx *ledger.Tx) error {
		n.ID = 0
		return tx.PutNotification(n)
	})
	return n.ID
}

// fakeSEND is SEND as far as progress sees it.
type fakeSEND struct {
	mu       sync.Mutex
	clock    *clock
	streams  []send.Stream
	versions map[string]bool // streams of another version of the API
	events   map[string][]send.Event
	acked    map[string]string
	early    int // reads before the time that SEND asked for
	until    map[string]time.Time
	pause    time.Duration
	status   map[string]send.RequestStatus
	sent     map[string]*send.Sent
	facts    map[string]send.Download
	bodies   map[string]string
	prices   map[string]send.Price
	calls    map[string]int
	fault    func(op string, call int) error
}

func newFakeSEND() *fakeSEND {
	return &fakeSEND{
		versions: map[string]bool{}, events: map[string][]send.Event{}, acked: map[string]string{}, until: map[string]time.Time{},
		pause: time.Minute, status: map[string]send.RequestStatus{}, sent: map[string]*send.Sent{},
		facts: map[string]send.Download{}, bodies: map[string]string{}, prices: map[string]send.Price{}, calls: map[string]int{},
	}
}

func (f *fakeSEND) enter(op string) error {
	f.calls[op]++
	if f.fault != nil {
		return f.fault(op, f.calls[op])
	}
	return nil
}

func notFound(op string) error { return &send.Error{Op: op, Class: send.NotFound, Status: 404} }

func (f *fakeSEND) ListStreams(context.Context) ([]send.Stream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("list"); err != nil {
		return nil, err
	}
	var list []send.Stream
	for _, s := range f.streams {
		list = append(list, send.Stream{ID: s.ID, Title: s.Title})
	}
	return list, nil
}

func (f *fakeSEND) Stream(_ context.Context, id string) (send.Stream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("stream"); err != nil {
		return send.Stream{}, err
	}
	if f.versions[id] {
		return send.Stream{}, &send.Error{Op: "stream", Class: send.Held, Reason: send.HeldStream, Status: 403}
	}
	for _, s := range f.streams {
		if s.ID == id {
			return s, nil
		}
	}
	return send.Stream{}, notFound("stream")
}

func (f *fakeSEND) CreateStream(_ context.Context, n send.NewStream) (send.Stream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("create stream"); err != nil {
		return send.Stream{}, err
	}
	for i := range f.streams {
		if f.streams[i].ID == n.Replaces {
			f.streams[i].Disabled = f.clock.Now()
		}
	}
	s := send.Stream{
		ID: fmt.Sprintf("stream-%d", len(f.streams)+1), Title: n.Title, EventType: n.EventType,
		Filter: n.Filter, Groups: n.Groups, WaitForAccepted: n.WaitForAccepted, Version: n.Replaces,
	}
	f.streams = append(f.streams, s)
	return s, nil
}

// Events is destructive as SEND's is: what is acknowledged is gone.
func (f *fakeSEND) Events(_ context.Context, id, last string) (send.Page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("events"); err != nil {
		return send.Page{}, err
	}
	found := false
	for _, s := range f.streams {
		found = found || s.ID == id
	}
	if !found {
		return send.Page{}, notFound("events")
	}
	if f.clock.Now().Before(f.until[id]) {
		f.early++
	}
	var rest []send.Event
	for _, e := range f.events[id] {
		if e.ID > last {
			rest = append(rest, e)
		}
	}
	f.events[id], f.acked[id] = rest, last
	page := send.Page{Events: rest[:min(len(rest), 50)]}
	if len(rest) == 0 {
		page.RetryAfter = f.pause
		f.until[id] = f.clock.Now().Add(f.pause)
	}
	return page, nil
}

// happen puts raw events into the first stream that is not disabled.
func (w *world) happen(raws ...[]byte) {
	w.t.Helper()
	f := w.send
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.streams {
		if !s.Disabled.IsZero() {
			continue
		}
		for _, raw := range raws {
			var e send.Event
			if err := e.UnmarshalJSON(raw); err != nil {
				e = send.Event{Raw: raw}
			}
			e.ID = fmt.Sprintf("%038d", 1000+f.calls["serial"])
			f.calls["serial"]++
			f.events[s.ID] = append(f.events[s.ID], e)
		}
		return
	}
}

func (f *fakeSEND) StatusByID(_ context.Context, id string) (send.RequestStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("status"); err != nil {
		return send.RequestStatus{}, err
	}
	if s, ok := f.status[id]; ok {
		return s, nil
	}
	return send.RequestStatus{}, notFound("status")
}

func (f *fakeSEND) Sent(_ context.Context, iun string) (*send.Sent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("sent"); err != nil {
		return nil, err
	}
	if s := f.sent[iun]; s != nil {
		return s, nil
	}
	return nil, notFound("sent")
}

func (f *fakeSEND) LegalFact(_ context.Context, iun, key string) (send.Download, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("fact"); err != nil {
		return send.Download{}, err
	}
	if d, ok := f.facts[iun+" "+key]; ok {
		return d, nil
	}
	return send.Download{}, notFound("legal fact")
}

func (f *fakeSEND) Fetch(_ context.Context, url string, to io.Writer, _ int64) (int64, string, error) {
	f.mu.Lock()
	body := f.bodies[url]
	err := f.enter("fetch")
	f.mu.Unlock()
	if err != nil {
		return 0, "", err
	}
	n, err := io.WriteString(to, body)
	return int64(n), "application/pdf", err
}

func (f *fakeSEND) Price(_ context.Context, creditor, notice string) (send.Price, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("price"); err != nil {
		return send.Price{}, err
	}
	if p, ok := f.prices[creditor+" "+notice]; ok {
		return p, nil
	}
	return send.Price{}, notFound("price")
}

func (f *fakeSEND) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// of rewrites an event of request-1 to another notification.
func of(number int, raw []byte) []byte {
	return []byte(replaceAll(string(raw), map[string]string{
		"request-1": fmt.Sprintf("request-%d", number),
		iun:         iunNumber(number),
	}))
}

func iunNumber(number int) string { return fmt.Sprintf("ABCD-EFGH-JKLM-2026%02d-N-1", number) }
