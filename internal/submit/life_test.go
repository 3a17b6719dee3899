package submit_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/progress"
	"sendconnector/internal/send"
	"sendconnector/internal/simulator"
	"sendconnector/internal/submit"
)

// life is a whole connector's sending half against the simulator, which was written
// from the same reference by other hands and imports nothing of ours.
type life struct {
	t      *testing.T
	sim    *simulator.Simulator
	client *send.Client
	ledger *ledger.Ledger
	data   string
	step   func(string) error
	ids    []ledger.ID

	sendingOnly bool // leave documents and costs aside

	sub  *submit.Submitter
	prog *progress.Progress
}

const (
	lifeSender = "comune"
	lifeBatch  = "20260302T090000-abcdef01"
)

func newLife(t *testing.T, o simulator.Options) *life {
	t.Helper()
	o.Start, o.ManualClock = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), true
	o.Senders = []simulator.Sender{{ID: "pa", TaxID: simulator.DemoTaxID, Name: "Comune di Borgo Esempio"}}
	o.Keys = []simulator.APIKey{{Value: "key", Sender: "pa"}}
	l := &life{t: t, sim: simulator.New(o), data: t.TempDir()}
	t.Cleanup(func() { _ = l.sim.Close() })
	srv := httptest.NewServer(l.sim)
	t.Cleanup(srv.Close)
	l.sim.SetBaseURL(srv.URL)
	var err error
	l.client, err = send.New(send.Config{
		BaseURL: srv.URL, APIKey: "key", Clock: l.sim.Now, Limits: send.Limits{PerSecond: 1e6, Burst: 1e6},
		Transport: srv.Client().Transport, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	l.open()
	t.Cleanup(func() {
		for _, err := range l.ledger.Verify() {
			t.Errorf("ledger: %v", err)
		}
		_ = l.ledger.Close()
		srv.Client().CloseIdleConnections()
	})
	l.update(func(tx *ledger.Tx) error {
		return tx.PutBatch(&ledger.Batch{
			ID: lifeBatch, Flow: "tari", Sender: lifeSender, SenderTaxID: simulator.DemoTaxID, Environment: "test", Outbox: "out",
			File: "tari.csv", State: ledger.Sealed, Release: ledger.Released, ClaimedAt: l.sim.Now(),
		})
	})
	return l
}

// open opens the ledger and builds the stages on it, as a start does.
func (l *life) open() {
	l.t.Helper()
	var err error
	l.ledger, err = ledger.Open(filepath.Join(l.data, "ledger.db"), ledger.Options{Clock: l.sim.Now, NoSync: true, GroupDelay: -1})
	if err != nil {
		l.t.Fatal(err)
	}
	step := func(name string) error {
		if l.step != nil {
			return l.step(name)
		}
		return nil
	}
	l.prog = progress.New(progress.Options{
		Ledger: l.ledger, Client: l.client, Sender: lifeSender, SenderTaxID: simulator.DemoTaxID,
		Installation: "prova", Data: l.data, Clock: l.sim.Now, Step: step,
	})
	l.sub = submit.New(submit.Options{
		Ledger: l.ledger, Client: l.client, Sender: lifeSender, Data: l.data, Clock: l.sim.Now, Step: step, Learnt: l.prog.Settle,
	})
}

func (l *life) update(fn func(*ledger.Tx) error) {
	l.t.Helper()
	if err := l.ledger.Update(context.Background(), fn); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) spool(field, content string) ledger.Document {
	l.t.Helper()
	sum := sha256.Sum256([]byte(content))
	hash := hex.EncodeToString(sum[:])
	if err := os.WriteFile(filepath.Join(l.data, hash), []byte(content), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return ledger.Document{Field: field, File: hash + ".pdf", Spool: hash, Hash: hash, Size: int64(len(content)), ContentType: notification.ContentPDF}
}

// taxIDs are invented persons with sound check letters.
func taxID(n int) string {
	const odd = "BAFHJNPRTVCESULDGIMOQKWZYX"
	base := fmt.Sprintf("TST%c%c%c80A01H%03d", 'A'+n/676%26, 'A'+n/26%26, 'A'+n%26, 500+n%400)
	sum := 0
	for i := range len(base) {
		v := int(base[i] - 'A')
		if base[i] <= '9' {
			v = int(base[i] - '0')
		}
		if i%2 == 0 {
			v = int(odd[v] - 'A')
		}
		sum += v
	}
	return base + string(rune('A'+sum%26))
}

// admit stores count sound notifications with two documents each.
func (l *life) admit(count int) {
	l.t.Helper()
	l.update(func(tx *ledger.Tx) error {
		l.ids = nil
		for i := range count {
			n := l.draft(i)
			if err := tx.PutNotification(n); err != nil {
				return err
			}
			l.ids = append(l.ids, n.ID)
		}
		return nil
	})
}

// draft is bare with its documents in the spool.
func (l *life) draft(i int) *ledger.Notification {
	n := l.bare(i)
	n.Documents = []ledger.Document{
		l.spool("documents[0]", "%PDF-1.7\natto "+n.Key.Protocol+"\n%%EOF\n"),
		l.spool("recipients[0].payments[0].pagoPa.attachment", "%PDF-1.7\navviso "+n.Key.Protocol+"\n%%EOF\n"),
	}
	return n
}

// bare is a sound notification as admission would store it.
func (l *life) bare(i int) *ledger.Notification {
	protocol := fmt.Sprintf("TARI-2026-%05d", i)
	pdf := notification.Attachment{File: "x.pdf", ContentType: notification.ContentPDF}
	fee, vat := 100, 22
	r := &notification.Request{
		PaProtocolNumber: protocol, Subject: "Avviso TARI 2026",
		Recipients: []notification.Recipient{{
			RecipientType: notification.NaturalPerson, TaxID: taxID(i), Denomination: "Mario Rossi",
			DigitalDomicile: &notification.DigitalDomicile{Type: "PEC", Address: "mario.rossi@pec.example.it"},
			PhysicalAddress: &notification.PhysicalAddress{
				Address: "Via Roma 1", Zip: "20121", Municipality: "Milano", Province: "MI", ForeignState: "ITALIA",
			},
			Payments: []notification.Payment{{PagoPa: &notification.PagoPa{
				NoticeCode: fmt.Sprintf("3020001000%08d", i), CreditorTaxID: simulator.DemoTaxID, ApplyCost: true, Attachment: &pdf,
			}}},
		}},
		Documents:             []notification.Document{{Title: "Avviso", Attachment: pdf}},
		NotificationFeePolicy: notification.FeeDeliveryMode, PhysicalCommunicationType: notification.PaperAR,
		SenderDenomination: "Comune di Borgo Esempio", SenderTaxID: simulator.DemoTaxID, TaxonomyCode: "010201P",
		PaFee: &fee, Vat: &vat, PagoPaIntMode: notification.PagoPaSync,
	}
	return &ledger.Notification{
		Key:    ledger.Key{Environment: "test", SenderTaxID: simulator.DemoTaxID, Protocol: protocol},
		Sender: lifeSender, Flow: "tari", Outbox: "out", Attempt: 1, State: ledger.Ready,
		Request: r, Print: notification.FingerprintOf(r), Token: notification.Token(simulator.DemoTaxID, protocol, 1),
		OwnerBatch: lifeBatch, OwnerRow: i + 2, Recipients: make([]ledger.RecipientState, 1),
		Documents: []ledger.Document{
			{Field: "documents[0]", ContentType: notification.ContentPDF},
			{Field: "recipients[0].payments[0].pagoPa.attachment", ContentType: notification.ContentPDF},
		},
	}
}

// round is one pass of every stage.
func (l *life) round() error {
	ctx := context.Background()
	if err := l.prog.Ensure(ctx); err != nil {
		return err
	}
	err := errors.Join(second(l.sub.Pass(ctx)), second(l.prog.ReadStream(ctx)), second(l.prog.LookUps(ctx)))
	if l.sendingOnly {
		return err
	}
	return errors.Join(err, second(l.prog.Fetch(ctx)), second(l.prog.Prices(ctx)))
}

func second[R any](_ R, err error) error { return err }

func (l *life) all(is func(*ledger.Notification) bool) bool {
	l.t.Helper()
	all := true
	if err := l.ledger.View(context.Background(), func(tx *ledger.Tx) error {
		for _, id := range l.ids {
			n, err := tx.Notification(id)
			if err != nil {
				return err
			}
			all = all && is(n)
		}
		return nil
	}); err != nil {
		l.t.Fatal(err)
	}
	return all
}

// until runs rounds, moving time on, until every notification is so.
func (l *life) until(what string, is func(*ledger.Notification) bool, pace time.Duration, rounds int) {
	l.t.Helper()
	for range rounds {
		if l.all(is) {
			return
		}
		if err := l.round(); err != nil {
			l.t.Fatal(err)
		}
		l.sim.Advance(pace)
	}
	if l.all(is) {
		return
	}
	states := map[string]int{}
	l.all(func(n *ledger.Notification) bool {
		key := string(n.State) + " " + n.SENDStatus
		if n.LastError != nil {
			key += " " + n.LastError.Message
		}
		for _, r := range n.Refusals {
			key += " " + r.Code + " " + r.Field
		}
		states[key]++
		return true
	})
	l.t.Fatalf("not %s: %v (calls %v)", what, states, l.sim.Calls())
}

func accepted(n *ledger.Notification) bool { return n.State == ledger.Accepted }

func ended(n *ledger.Notification) bool {
	return accepted(n) && !n.Recipients[0].PerfectedAt.IsZero()
}

// judge asks the simulator whether anything was done that a connector must never do.
func (l *life) judge(count int) {
	l.t.Helper()
	if d := l.sim.Duplicates(); len(d) != 0 {
		l.t.Errorf("sent twice: %v", d)
	}
	if v := l.sim.Violations(); len(v) != 0 {
		l.t.Errorf("violations: %v", v)
	}
	if got := len(l.sim.Accepted()); got != count {
		l.t.Errorf("%d requests stored at SEND, want %d", got, count)
	}
}

// A lot of 300 costs at most 1.25 API calls each until accepted.
func TestLifeOf300(t *testing.T) {
	const lot = 300
	l := newLife(t, simulator.Options{StreamRetryStrict: true})
	l.sendingOnly = true
	l.admit(lot)
	l.until("accepted", accepted, time.Minute, 60)
	calls := 0
	for op, n := range l.sim.Calls() {
		if op != "upload" { // the object store's, not the API's
			calls += n
		}
	}
	t.Logf("%.3f API calls a notification until accepted: %v", float64(calls)/lot, l.sim.Calls())
	if calls > lot*125/100 {
		t.Errorf("%d API calls for %d notifications: %v", calls, lot, l.sim.Calls())
	}
	l.judge(lot)
}

// A lot is followed to its end with every document and cost.
func TestLife(t *testing.T) {
	const lot = 30
	l := newLife(t, simulator.Options{StreamRetryStrict: true})
	l.admit(lot)
	l.until("at its end", ended, 10*time.Minute, 600)
	l.until("priced", func(n *ledger.Notification) bool { return n.Recipients[0].CostFinal }, 10*time.Minute, 20)
	l.judge(lot)
	if err := l.ledger.View(context.Background(), func(tx *ledger.Tx) error {
		for _, id := range l.ids {
			all, err := tx.Artifacts(id)
			if err != nil {
				return err
			}
			if len(all) < 3 {
				t.Errorf("notification %d has %d documents", id, len(all))
			}
			for _, a := range all {
				if a.State != ledger.Fetched {
					t.Errorf("%s of %d is %s: %s", a.Category, id, a.State, a.LastError)
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("whole life: %v", l.sim.Calls())
}

// Everything that can go wrong on the way goes wrong now and then; in the end each
// notification is at SEND once.
func TestLifeWithFaults(t *testing.T) {
	const lot = 40
	l := newLife(t, simulator.Options{Seed: 7})
	for _, f := range []simulator.Fault{
		{Operation: "create", Kind: simulator.FaultResetAfter, Every: 5},
		{Operation: "create", Kind: simulator.FaultStatus, Status: 500, Every: 7},
		{Operation: "create", Kind: simulator.FaultStatusAfter, Status: 504, Every: 11},
		{Operation: "create", Kind: simulator.FaultContention, Every: 9},
		{Operation: "create", Kind: simulator.FaultTruncated, Every: 13},
		{Operation: "create", Kind: simulator.FaultRegistryDown, Every: 17},
		{Operation: "upload", Kind: simulator.FaultExpiredURL, Every: 6},
		{Operation: "upload", Kind: simulator.FaultNoVersionID, Every: 19},
		{Operation: "requestStatus", Kind: simulator.FaultMissing, Every: 4},
		{Operation: "publish", Kind: simulator.FaultDuplicate, Every: 3},
		{Operation: "publish", Kind: simulator.FaultReorder, Every: 4},
		{Operation: "legalFact", Kind: simulator.FaultNotReady, Every: 5},
		{Operation: "acceptance", Kind: simulator.FaultRefuse, Code: "FILE_NOTFOUND", Nth: 3, Count: 1},
	} {
		l.sim.Faults().Add(f)
	}
	l.admit(lot)
	l.until("accepted", accepted, 10*time.Minute, 400)
	l.sim.Faults().Clear()
	l.until("at its end", ended, time.Hour, 400)
	l.judge(lot + 1) // the refused one was sent again, once
	t.Logf("%v; struck: %v", l.sim.Calls(), l.sim.Faults().Fired())
}

// Killed at any step, any number of times, with the real client: no double, no
// attempt counted, nothing left behind.
func TestLifeKilledEverywhere(t *testing.T) {
	steps := append(submit.Steps(), progress.Steps()...)
	l := newLife(t, simulator.Options{})
	l.admit(12)
	for _, step := range steps {
		for _, nth := range []int32{1, 2} {
			var seen atomic.Int32
			l.step = func(name string) error {
				if name == step && seen.Add(1) == nth {
					return errors.New("killed")
				}
				return nil
			}
			_ = l.round() // killed or through
			l.step = nil
			if err := l.ledger.Close(); err != nil {
				t.Fatal(err)
			}
			l.open()
			if err := second(l.sub.Resolve(context.Background())); err != nil {
				t.Fatal(err)
			}
			l.sim.Advance(time.Minute)
		}
	}
	l.until("at its end", ended, 10*time.Minute, 600)
	if !l.all(func(n *ledger.Notification) bool { return n.Attempt == 1 }) {
		t.Error("a kill was counted as an attempt")
	}
	l.judge(12)
}
