package submit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sender      = "comune"
	senderTaxID = "00000000018"
	citizen     = "RSSMRA80A01H501U"
	other       = "VRDLGI75B41F205Z"
	batchID     = "20260110T090000-abcdef01"
)

// clock is the one clock of a test.
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

// world is a ledger, a spool and a SEND.
type world struct {
	t      *testing.T
	clock  *clock
	path   string
	data   string
	ledger *ledger.Ledger
	send   *fakeSEND
	step   func(string) error
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)}, data: t.TempDir(), send: newFakeSEND()}
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

// restart is what a killed process leaves: the ledger as last committed.
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

func (w *world) submitter() *Submitter {
	return New(Options{
		Ledger: w.ledger, Client: w.send, Sender: sender, Data: w.data, Clock: w.clock.Now,
		Step: w.step, Workers: 8, PreloadWait: 5 * time.Millisecond, Jitter: func() float64 { return 0 },
	})
}

func (w *world) pass() Report {
	w.t.Helper()
	r, err := w.submitter().Pass(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) get(id ledger.ID) *ledger.Notification {
	w.t.Helper()
	var n *ledger.Notification
	if err := w.ledger.View(context.Background(), func(tx *ledger.Tx) error {
		var err error
		n, err = tx.Notification(id)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// spool writes a private copy and gives its document record.
func (w *world) spool(field, content string) ledger.Document {
	w.t.Helper()
	sum := sha256.Sum256([]byte(content))
	hash := hex.EncodeToString(sum[:])
	name := "spool/" + hash + ".pdf"
	if err := os.MkdirAll(filepath.Join(w.data, "spool"), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.data, filepath.FromSlash(name)), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return ledger.Document{
		Field: field, File: filepath.Base(name), Spool: name, Hash: hash, Size: int64(len(content)), ContentType: notification.ContentPDF,
	}
}

// request is a small sound request: one recipient, one notice, an act and a form.
func request(protocol string) *notification.Request {
	pdf := func(name string) notification.Attachment {
		return notification.Attachment{File: name, ContentType: notification.ContentPDF}
	}
	form := pdf("avviso.pdf")
	return &notification.Request{
		PaProtocolNumber: protocol, Subject: "Avviso TARI",
		Recipients: []notification.Recipient{{
			RecipientType: notification.NaturalPerson, TaxID: citizen, Denomination: "Mario Rossi",
			Payments: []notification.Payment{{PagoPa: &notification.PagoPa{
				NoticeCode: "3020001000000" + protocol[len(protocol)-5:], CreditorTaxID: senderTaxID, ApplyCost: true, Attachment: &form,
			}}},
		}},
		Documents:             []notification.Document{{Title: "Atto", Attachment: pdf("atto.pdf")}},
		NotificationFeePolicy: notification.FeeDeliveryMode, PhysicalCommunicationType: notification.PaperAR,
		SenderDenomination: "Comune di Prova", SenderTaxID: senderTaxID, TaxonomyCode: "010201P",
	}
}

// draft is a notification as admission would store it.
func (w *world) draft(protocol string) *ledger.Notification {
	w.t.Helper()
	r := request(protocol)
	return &ledger.Notification{
		Key:    ledger.Key{Environment: "test", SenderTaxID: senderTaxID, Protocol: protocol},
		Sender: sender, Flow: "tari", Outbox: "out", Attempt: 1, State: ledger.Ready,
		Request: r, Print: notification.FingerprintOf(r), Token: notification.Token(senderTaxID, protocol, 1),
		OwnerBatch: batchID, OwnerRow: 2, Recipients: make([]ledger.RecipientState, 1),
		Documents: []ledger.Document{
			w.spool("documents[0]", "%PDF-1.7 atto di "+protocol),
			w.spool("recipients[0].payments[0].pagoPa.attachment", "%PDF-1.7 avviso di "+protocol),
		},
	}
}

// add stores notifications.
func (w *world) add(all ...*ledger.Notification) {
	w.t.Helper()
	w.update(func(tx *ledger.Tx) error {
		for _, n := range all {
			n.ID = 0
			if err := tx.PutNotification(n); err != nil {
				return err
			}
		}
		return nil
	})
}

func protocols(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("TARI-2026-%05d", i+1))
	}
	return all
}

func readAll(open func() (io.ReadCloser, error)) ([]byte, error) {
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	_, err = io.Copy(&b, f)
	return b.Bytes(), err
}

var errStop = errors.New("stopped by the test")
