package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/notification"
)

const (
	testEnv    = "uat https://api.uat.example"
	testSender = "00123456789"
)

// world is a ledger with a clock that tests move.
type world struct {
	t    testing.TB
	l    *Ledger
	path string
	now  time.Time
	lots int
}

// newWorld opens a ledger that is verified when the test ends: the damage every
// test guards against beside its own is an index that no longer tells the truth.
func newWorld(t testing.TB) *world {
	w := &world{t: t, path: filepath.Join(foldertest.TempDir(t), "ledger.db"), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	w.open()
	t.Cleanup(func() {
		w.verify()
		if err := w.l.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) open() {
	w.t.Helper()
	l, err := Open(w.path, Options{Clock: func() time.Time { return w.now }, NoSync: true, GroupDelay: -1})
	if err != nil {
		w.t.Fatal(err)
	}
	w.l = l
}

// restart is what a crash leaves: everything committed, nothing in memory.
func (w *world) restart() {
	w.t.Helper()
	if err := w.l.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

func (w *world) verify() {
	w.t.Helper()
	for _, err := range w.l.Verify() {
		w.t.Errorf("verify: %v", err)
	}
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// doc is one test document: its bytes are its text.
func hashOf(text string) [32]byte { return sha256.Sum256([]byte(text)) }

// thing is a business document of the tests: small, comparable, easy to vary.
type thing struct {
	protocol string
	subject  string
	taxIDs   []string
	notices  []string
	zip      string
	act      string // text of the first document; "" = not known
}

func tari(n int) thing {
	return thing{
		protocol: fmt.Sprintf("TARI-2026-%06d", n), subject: "Avviso di accertamento TARI", zip: "00184",
		taxIDs:  []string{fmt.Sprintf("RSSMRA80A01H%03dU", n%1000)},
		notices: []string{fmt.Sprintf("3010%014d", n)}, act: fmt.Sprintf("atto %d", n),
	}
}

func (g thing) with(change func(*thing)) thing {
	g.taxIDs = append([]string(nil), g.taxIDs...)
	g.notices = append([]string(nil), g.notices...)
	change(&g)
	return g
}

func (g thing) request() *notification.Request {
	r := &notification.Request{
		PaProtocolNumber: g.protocol, Subject: g.subject, SenderTaxID: testSender, SenderDenomination: "Comune di Esempio",
		NotificationFeePolicy: notification.FeeDeliveryMode, PhysicalCommunicationType: notification.PaperAR, TaxonomyCode: "010101P",
		Documents: []notification.Document{{Title: "Avviso", Attachment: notification.Attachment{ContentType: notification.ContentPDF, File: "atti/" + g.protocol + ".pdf"}}},
	}
	for i, id := range g.taxIDs {
		rec := notification.Recipient{
			RecipientType: "PF", TaxID: id, Denomination: "Mario Rossi " + strconv.Itoa(i),
			PhysicalAddress: &notification.PhysicalAddress{Address: "VIA ROMA 12", Zip: g.zip, Municipality: "ROMA", Province: "RM"},
		}
		if i == 0 {
			for _, no := range g.notices {
				rec.Payments = append(rec.Payments, notification.Payment{PagoPa: &notification.PagoPa{NoticeCode: no, CreditorTaxID: testSender, ApplyCost: true}})
			}
		}
		r.Recipients = append(r.Recipients, rec)
	}
	return r
}

// item makes one row per recipient, the first at the given number.
func (g thing) item(row int) Item {
	r := g.request()
	it := Item{Request: r, Protocol: g.protocol}
	if g.act != "" {
		sum := hashOf(g.act)
		r.Documents[0].Digests = &notification.Digests{SHA256: base64.StdEncoding.EncodeToString(sum[:])}
		it.Documents = []Document{{Field: "documents[0]", File: r.Documents[0].File, Spool: "spool/" + hex.EncodeToString(sum[:8]), Hash: hex.EncodeToString(sum[:]), Size: 50_000, ContentType: notification.ContentPDF}}
	}
	it.Print = notification.FingerprintOf(r)
	r.Documents[0].Digests = nil
	for i := range g.taxIDs {
		it.Rows = append(it.Rows, ItemRow{Number: row + i, Cells: []string{g.protocol, g.taxIDs[i]}, Recipients: []int{i}})
	}
	return it
}

func items(things ...thing) []Item {
	var all []Item
	row := 2
	for _, g := range things {
		it := g.item(row)
		row += len(it.Rows)
		all = append(all, it)
	}
	return all
}

func (w *world) batch() Batch {
	w.lots++
	return Batch{
		ID: fmt.Sprintf("%s-%08x", w.now.Format("20060102T150405"), w.lots), Flow: "tari", Sender: "comune", SenderTaxID: testSender,
		Environment: testEnv, Outbox: "tari", File: fmt.Sprintf("tari-%d.csv", w.lots), Hash: "00", ClaimedAt: w.now,
	}
}

// read begins and admits, without sealing.
func (w *world) read(b Batch, all ...Item) []Verdict {
	w.t.Helper()
	w.ok(w.l.Begin(context.Background(), b))
	v, err := w.l.Admit(context.Background(), b.ID, all)
	w.ok(err)
	return v
}

// drop reads and seals a batch of things and gives its verdicts.
func (w *world) drop(things ...thing) (Batch, []Verdict) {
	w.t.Helper()
	return w.dropItems(items(things...)...)
}

func (w *world) dropItems(all ...Item) (Batch, []Verdict) {
	w.t.Helper()
	b := w.batch()
	v := w.read(b, all...)
	sealed, err := w.l.Seal(context.Background(), b.ID, Sealing{MaxNotifications: -1})
	w.ok(err)
	return *sealed, v
}

func (w *world) update(fn func(*Tx) error) {
	w.t.Helper()
	w.ok(w.l.Update(context.Background(), fn))
}

func (w *world) note(id ID) *Notification {
	w.t.Helper()
	var n *Notification
	w.ok(w.l.View(context.Background(), func(t *Tx) (err error) {
		n, err = t.Notification(id)
		return err
	}))
	return n
}

// step puts a notification into a state as submit would.
func (w *world) step(id ID, s State, change ...func(*Notification)) {
	w.t.Helper()
	w.ok(w.try(id, s, change...))
}

func (w *world) try(id ID, s State, change ...func(*Notification)) error {
	return w.l.Update(context.Background(), func(t *Tx) error {
		n, err := t.Notification(id)
		if err != nil {
			return err
		}
		n.State = s
		if s == Uploaded {
			for i := range n.Documents {
				n.Documents[i].Key, n.Documents[i].Version, n.Documents[i].UploadedAt = "PN_NOTIFICATION_ATTACHMENTS-"+n.Documents[i].Hash[:32]+".pdf", "v1", t.Now()
			}
		}
		if s == Submitted {
			n.RequestID = requestID(n)
			n.SubmittedAt = t.Now()
			n.NextAttempt = t.Now().Add(24 * time.Hour)
		}
		for _, c := range change {
			c(n)
		}
		return t.PutNotificationBecause(n, Cause{Event: string(s), EventAt: t.Now()})
	})
}

func iunOf(n *Notification) string {
	x := fmt.Sprintf("%X", hashOf(n.Token))
	return x[:4] + "-" + x[4:8] + "-" + x[8:12] + "-202611-" + x[12:13] + "-1"
}

func requestID(n *Notification) string {
	return base64.StdEncoding.EncodeToString([]byte(iunOf(n)))
}

// send drives a READY notification to SUBMITTED.
func (w *world) send(id ID) {
	w.t.Helper()
	for _, s := range []State{Uploaded, Intent, Submitted} {
		w.step(id, s)
	}
}

func (w *world) accept(id ID) {
	w.t.Helper()
	w.step(id, Accepted, func(n *Notification) {
		n.IUN, n.SENDStatus, n.SENDStatusAt, n.NextAttempt = iunOf(n), StatusAccepted, w.now, time.Time{}
		n.Recipients = make([]RecipientState, len(n.Request.Recipients))
	})
}

func refusal(codes ...string) func(*Notification) {
	return func(n *Notification) {
		n.NextAttempt = time.Time{}
		for _, c := range codes {
			n.Refusals = append(n.Refusals, notification.Problem{Severity: notification.Error, Code: c, Message: "Rifiutata: " + c + "."})
		}
	}
}

func (w *world) refuse(id ID, codes ...string) {
	w.t.Helper()
	w.step(id, Refused, refusal(codes...))
}

// prove makes the next attempt with a look-up of this moment.
func (w *world) prove(id ID) error {
	return w.l.Update(context.Background(), func(t *Tx) error {
		n, err := t.Notification(id)
		if err != nil {
			return err
		}
		return t.NextAttempt(n, Proof{At: t.Now(), Token: n.Token, Status: "REFUSED"})
	})
}

func (w *world) due() []ID {
	w.t.Helper()
	found, err := w.l.DueToSend(context.Background(), "comune", 1000)
	w.ok(err)
	var ids []ID
	for _, n := range found {
		ids = append(ids, n.ID)
	}
	w.l.Done(ids...)
	return ids
}

// lines gives "row outcome code" of every line of a batch.
func (w *world) lines(batch string) []string {
	w.t.Helper()
	var all []string
	for _, l := range w.allLines(batch) {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%d %s %s", l.Row, l.Outcome, l.Code)))
	}
	return all
}

func (w *world) allLines(batch string) []Line {
	w.t.Helper()
	var all []Line
	w.ok(w.l.View(context.Background(), func(t *Tx) error {
		var fail error
		err := t.Rows(batch, func(r *Row) bool {
			lines, err := t.Lines(r)
			all, fail = append(all, lines...), err
			return err == nil
		})
		return errors.Join(err, fail)
	}))
	return all
}

// news gives "file row outcome code" of the Changes from a number on.
func (w *world) news(from uint64) ([]string, uint64) {
	w.t.Helper()
	var all []string
	var last uint64
	w.ok(w.l.View(context.Background(), func(t *Tx) error {
		changes, err := t.Changes("tari", from, 1_000_000)
		for _, c := range changes {
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %d %s %s", c.File, c.Line.Row, c.Line.Outcome, c.Line.Code)))
		}
		last = t.LastChange("tari")
		return err
	}))
	return all, last
}

func equal[E comparable](t testing.TB, what string, got, want []E) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: got %v, want %v", what, got, want)
		}
	}
}

func outcome(t testing.TB, v Verdict, want RowOutcome, codes ...string) {
	t.Helper()
	var got []string
	for _, p := range v.Problems {
		got = append(got, p.Code)
	}
	if v.Outcome != want || strings.Join(got, " ") != strings.Join(codes, " ") {
		t.Fatalf("got %s %v, want %s %v (%+v)", v.Outcome, got, want, codes, v.Problems)
	}
}
