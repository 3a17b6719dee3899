package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

const (
	testOutbox = "tributi"
	testFlow   = "tari"
	testSender = "comune"
	testTaxID  = "77777777777"
	testEnv    = "simulator http://127.0.0.1"
)

// house is a ledger, an outbound folder and a data folder as the connector has them.
type house struct {
	t      testing.TB
	ctx    context.Context
	now    time.Time
	out    string
	data   string
	folder *folder.Local
	ledger *ledger.Ledger
	count  int
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, ctx: context.Background(), now: time.Date(2026, 11, 22, 9, 15, 0, 0, time.UTC)}
	h.out, h.data = foldertest.TempDir(t), foldertest.TempDir(t)
	h.open()
	t.Cleanup(func() {
		for _, err := range h.ledger.Verify() {
			t.Errorf("ledger: %v", err)
		}
		if err := h.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *house) open() {
	h.t.Helper()
	var err error
	h.ledger, err = ledger.Open(filepath.Join(h.data, "ledger.db"), ledger.Options{Clock: h.clock, NoSync: true, GroupDelay: -1})
	h.must(err)
	h.folder, err = folder.OpenLocal(h.out)
	h.must(err)
}

// reopen is the restart of a process.
func (h *house) reopen() {
	h.t.Helper()
	h.must(h.ledger.Close())
	h.open()
}

func (h *house) clock() time.Time { return h.now }

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// outbox is a fresh one, as after a start.
func (h *house) outbox(change ...func(*Options)) *Outbox {
	opts := Options{
		Ledger: h.ledger, Name: testOutbox, Folder: h.folder, Data: h.data, Clock: h.clock,
		Refresh: time.Minute, Verify: -1,
	}
	for _, c := range change {
		c(&opts)
	}
	return New(opts)
}

func (h *house) state() State {
	return State{Since: h.now.Add(-time.Hour), NextCheck: h.now.Add(10 * time.Second), Flows: []Flow{
		{Name: testFlow, Sender: testSender, NextCheck: h.now.Add(5 * time.Second)},
	}}
}

func (h *house) pass(o *Outbox) Report {
	h.t.Helper()
	r, err := o.Pass(h.ctx, h.state())
	h.must(err)
	return r
}

func (h *house) update(fn func(*ledger.Tx) error) {
	h.t.Helper()
	h.must(h.ledger.Update(h.ctx, fn))
}

// drop admits a batch of rows, one notification each, but for the last bad ones,
// which are rejected.
func (h *house) drop(file string, good, bad int) *ledger.Batch {
	h.t.Helper()
	b := h.begin(file)
	var items []ledger.Item
	for i := range good + bad {
		items = append(items, h.item(fmt.Sprintf("%s/%d/%d", strings.TrimSuffix(file, ".csv"), h.count, i+1), i+2, i >= good))
		if len(items) == 1000 || i == good+bad-1 {
			_, err := h.ledger.Admit(h.ctx, b.ID, items)
			h.must(err)
			items = items[:0]
		}
	}
	sealed, err := h.ledger.Seal(h.ctx, b.ID, ledger.Sealing{Release: ledger.Released, MaxNotifications: 10_000_000})
	h.must(err)
	return sealed
}

// batch is a new one, not in the ledger yet.
func (h *house) batch(file string) ledger.Batch {
	h.count++
	return ledger.Batch{
		ID:   fmt.Sprintf("%s-%08x", h.now.In(rome).Format("20060102T150405"), h.count),
		Flow: testFlow, Sender: testSender, SenderTaxID: testTaxID, Environment: testEnv, Outbox: testOutbox,
		File: file, Hash: strings.Repeat("0", 64), Kind: "csv", Heading: []string{"protocollo", "nome;cognome"}, ClaimedAt: h.now,
	}
}

func (h *house) begin(file string) ledger.Batch {
	h.t.Helper()
	b := h.batch(file)
	h.must(h.ledger.Begin(h.ctx, b))
	return b
}

func (h *house) item(protocol string, row int, bad bool) ledger.Item {
	r := ledger.ItemRow{Number: row, Cells: []string{protocol, "=ROSSI"}, Recipients: []int{0}}
	it := ledger.Item{Protocol: protocol, Rows: []ledger.ItemRow{r}}
	if bad {
		it.Rows[0].Problems = []notification.Problem{{Severity: notification.Error, Code: "C-TEST", Field: "nome", Message: "Il nome manca; scriverlo."}}
		return it
	}
	act := sha256.Sum256([]byte(protocol))
	it.Request = &notification.Request{
		PaProtocolNumber: protocol, Subject: "Avviso TARI", SenderTaxID: testTaxID, SenderDenomination: "Comune di Prova",
		Recipients:            []notification.Recipient{{RecipientType: notification.NaturalPerson, TaxID: "RSSMRA80A01H501U", Denomination: "Mario Rossi"}},
		Documents:             []notification.Document{{Attachment: notification.Attachment{File: "a.pdf", ContentType: notification.ContentPDF}}},
		NotificationFeePolicy: notification.FeeDeliveryMode, PhysicalCommunicationType: notification.PaperAR, TaxonomyCode: "010101P",
	}
	it.Print = notification.FingerprintOf(it.Request)
	it.Print.Act = act
	it.Documents = []ledger.Document{{Field: "documents[0]", File: "a.pdf", Spool: "spool/x/a.pdf", Hash: hex.EncodeToString(act[:]), Size: 10, ContentType: notification.ContentPDF}}
	return it
}

// ids gives the notifications of a batch in row order.
func (h *house) ids(batch string) []ledger.ID {
	h.t.Helper()
	var ids []ledger.ID
	h.must(h.ledger.View(h.ctx, func(tx *ledger.Tx) error {
		ids = nil
		return tx.Notifications(batch, func(n *ledger.Notification) bool {
			ids = append(ids, n.ID)
			return true
		})
	}))
	return ids
}

// accept takes a notification from READY to ACCEPTED.
func (h *house) accept(ids ...ledger.ID) {
	h.t.Helper()
	for _, to := range []ledger.State{ledger.Uploaded, ledger.Intent, ledger.Submitted, ledger.Accepted} {
		h.update(func(tx *ledger.Tx) error {
			for _, id := range ids {
				n, err := tx.Notification(id)
				if err != nil {
					return err
				}
				if err := tx.PutNotificationBecause(h.step(n, to), ledger.Cause{Event: string(to), EventAt: h.now}); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func (h *house) step(n *ledger.Notification, to ledger.State) *ledger.Notification {
	n.State = to
	switch to {
	case ledger.Uploaded:
		for i := range n.Documents {
			n.Documents[i].Key, n.Documents[i].Version, n.Documents[i].UploadedAt = "k", "v", h.now
		}
	case ledger.Submitted:
		n.RequestID, n.SubmittedAt = fmt.Sprintf("REQ-%d", n.ID), h.now
	case ledger.Accepted:
		n.IUN, n.AcceptedAt = fmt.Sprintf("ABCD-EFGH-ILMN-202611-A-%d", n.ID), h.now
		n.SENDStatus, n.SENDStatusAt = ledger.StatusAccepted, h.now
	}
	return n
}

// fetched puts a downloaded document into the spool.
func (h *house) fetched(id ledger.ID, key, content string) {
	h.t.Helper()
	spool := fmt.Sprintf("documents/%d-%x.pdf", id, sha256.Sum256([]byte(key)))
	path := filepath.Join(h.data, filepath.FromSlash(spool))
	h.must(os.MkdirAll(filepath.Dir(path), 0o700))
	h.must(os.WriteFile(path, []byte(content), 0o600))
	sum := sha256.Sum256([]byte(content))
	h.update(func(tx *ledger.Tx) error {
		return tx.PutArtifact(&ledger.Artifact{
			ID: id, Key: key, Category: "SENDER_ACK", Recipient: 0, EventAt: h.now, State: ledger.Fetched,
			Filename: "fatto.pdf", Size: int64(len(content)), Hash: hex.EncodeToString(sum[:]), Spool: spool, FetchedAt: h.now,
		})
	})
}

func (h *house) cost(n int) {
	h.t.Helper()
	h.update(func(tx *ledger.Tx) error {
		return tx.AppendCost(ledger.CostChange{
			Outbox: testOutbox, Creditor: testTaxID, Notice: fmt.Sprintf("%018d", n), Protocol: "P/1", IUN: "I",
			ToUpdate: true, Partial: 100, Total: 200 + n,
		})
	})
}

// files gives every file below out/ with its content.
func (h *house) files() map[string]string {
	h.t.Helper()
	files := map[string]string{}
	h.must(filepath.WalkDir(h.out, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(h.out, path)
		files[filepath.ToSlash(name)] = string(content)
		return err
	}))
	return files
}

func (h *house) names() []string {
	h.t.Helper()
	var names []string
	for name := range h.files() {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (h *house) read(name string) string {
	h.t.Helper()
	content, err := os.ReadFile(filepath.Join(h.out, filepath.FromSlash(name)))
	h.must(err)
	return string(content)
}

// table reads a published file as rows of named cells.
func (h *house) table(name string) []map[string]string {
	h.t.Helper()
	all := parse(h.t, []byte(h.read(name)))
	var rows []map[string]string
	for _, r := range all[1:] {
		cells := map[string]string{}
		for i, c := range r {
			cells[all[0][i]] = c
		}
		rows = append(rows, cells)
	}
	return rows
}

// fakeFolder stands before the real one and can refuse.
type fakeFolder struct {
	folder.Folder
	refuse func(name string) error
	busy   map[string]bool // targets that are open in another program
	calls  int
}

func (f *fakeFolder) Publish(ctx context.Context, name string, write func(io.Writer) error) (folder.Published, error) {
	f.calls++
	if f.refuse != nil {
		if err := f.refuse(name); err != nil {
			return folder.Published{}, &folder.Error{Op: "publish", Name: name, Kind: err, Cause: errors.New("test")}
		}
	}
	if !f.busy[name] {
		return f.Folder.Publish(ctx, name, write)
	}
	done, err := f.Folder.Publish(ctx, folder.Beside(name), write)
	done.Beside = true
	return done, err
}

// Settle does what the real folder does where the fake one held the target.
func (f *fakeFolder) Settle(ctx context.Context, name string) (bool, error) {
	if f.busy[name] {
		return false, nil
	}
	return f.Folder.Settle(ctx, name)
}

func (h *house) write(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.out, filepath.FromSlash(name))
	h.must(os.MkdirAll(filepath.Dir(path), 0o700))
	h.must(os.WriteFile(path, []byte(content), 0o600))
}

func (h *house) holdReason() string {
	h.t.Helper()
	reason := ""
	h.must(h.ledger.View(h.ctx, func(tx *ledger.Tx) error {
		held, err := flowHolds(tx)
		reason = held[testFlow]
		return err
	}))
	return reason
}

// redrop admits the sound rows of the last drop once more.
func (h *house) redrop(file string, good int) *ledger.Batch {
	h.t.Helper()
	return h.drop(file, good, 0)
}

func (h *house) unreadable(file string) string {
	h.t.Helper()
	b := h.batch(file)
	h.must(h.ledger.Unreadable(h.ctx, b, notification.Problem{Severity: notification.Error, Code: "C-TEST", Message: "Non è un CSV"}))
	return b.ID
}

func (h *house) remove(name string) {
	h.t.Helper()
	h.must(os.Remove(filepath.Join(h.out, filepath.FromSlash(name))))
}
