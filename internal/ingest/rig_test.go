package ingest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	testSender = "01199250158"
	testEnv    = "simulator"
)

// rig is a drop, a ledger and a fake Content, with a clock that tests move.
type rig struct {
	t       testing.TB
	root    string
	data    string
	now     time.Time
	ledger  *ledger.Ledger
	content *fakeContent
	flow    *Flow
	ingest  *Ingest
	step    func(string) error
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, root: foldertest.TempDir(t), data: foldertest.TempDir(t), now: time.Date(2026, 11, 22, 13, 30, 5, 0, time.UTC)}
	var err error
	r.ledger, err = ledger.Open(filepath.Join(r.data, "ledger.db"), ledger.Options{
		Clock: func() time.Time { return r.now }, NoSync: true, GroupDelay: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, fault := range r.ledger.Verify() {
			t.Errorf("ledger: %v", fault)
		}
		if err := r.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	f, err := folder.OpenLocal(r.root)
	if err != nil {
		t.Fatal(err)
	}
	r.flow = &Flow{
		Name: "tari", Sender: "comune", SenderTaxID: testSender, Environment: testEnv, Outbox: "out",
		Folder: f, Settle: 10 * time.Second, Take: true, DocumentsDeadline: time.Hour,
		Profile: []byte("profile 1"), ProfileName: "tari.yaml",
	}
	r.content = &fakeContent{ledger: r.ledger}
	r.restart()
	return r
}

// restart is a new process on the same folders and ledger.
func (r *rig) restart() {
	r.t.Helper()
	in, err := New(Options{
		Ledger: r.ledger, Data: r.data, Clock: func() time.Time { return r.now }, Installation: "prova",
		Content: r.content, Step: func(name string) error {
			if r.step == nil {
				return nil
			}
			return r.step(name)
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.ingest = in
	if err := in.Recover(context.Background(), []*Flow{r.flow}); err != nil {
		r.t.Fatalf("recover: %v", err)
	}
}

func (r *rig) path(name string) string { return filepath.Join(r.root, filepath.FromSlash(name)) }

// drop writes a file as a program does, at the clock's time.
func (r *rig) drop(name, text string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(r.path(name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Chtimes(r.path(name), r.now, r.now); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) remove(name string) {
	r.t.Helper()
	if err := os.Remove(r.path(name)); err != nil {
		r.t.Fatal(err)
	}
}

// pass moves the clock by d and looks once.
func (r *rig) pass(d time.Duration) Report {
	r.t.Helper()
	r.now = r.now.Add(d)
	report, err := r.ingest.Pass(context.Background(), r.flow)
	if err != nil {
		r.t.Fatalf("pass: %v", err)
	}
	return report
}

// settled passes twice, so that whatever lies there has settled.
func (r *rig) settled() Report {
	r.t.Helper()
	r.pass(time.Second)
	return r.pass(r.flow.Settle)
}

// files lists what lies in the flow, manifests left out.
func (r *rig) files() []string { return r.list(r.root) }

// spool lists the private copies.
func (r *rig) spool() []string { return r.list(filepath.Join(r.data, spoolDir)) }

func (r *rig) list(root string) []string {
	r.t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != ManifestName {
			rel, _ := filepath.Rel(root, name)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	sort.Strings(all)
	return all
}

func (r *rig) wantFiles(want ...string) {
	r.t.Helper()
	if got := r.files(); !slices.Equal(got, want) {
		r.t.Errorf("files:\n %s\nwant:\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
}

// wantWaiting checks file and code of everything that waits.
func (r *rig) wantWaiting(report Report, want ...string) {
	r.t.Helper()
	var got []string
	for _, w := range report.Waiting {
		got = append(got, w.File+" "+w.Code)
		if w.Text == "" || w.Text == w.Code || strings.Contains(w.Text, "{") {
			r.t.Errorf("%s: text %q", w.Code, w.Text)
		}
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("waiting: %q, want %q", got, want)
	}
	var saved []string
	for _, s := range r.sightings() {
		saved = append(saved, s.File+" "+s.Reason)
	}
	slices.Sort(saved)
	if !slices.Equal(saved, got) {
		r.t.Errorf("sightings: %q, want %q", saved, got)
	}
}

func (r *rig) sightings() (all []*ledger.Sighting) {
	r.t.Helper()
	err := r.ledger.View(context.Background(), func(tx *ledger.Tx) (err error) {
		all, err = tx.Sightings(r.flow.Name)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// batches lists the batches of the ledger, with their private copies.
func (r *rig) batches() (all []*ledger.Batch) {
	r.t.Helper()
	err := r.ledger.View(context.Background(), func(tx *ledger.Tx) error {
		var ids []string
		if err := tx.Batches(func(b *ledger.Batch) bool { ids = append(ids, b.ID); return true }); err != nil {
			return err
		}
		for _, id := range ids {
			b, err := tx.Batch(id)
			if err != nil {
				return err
			}
			all = append(all, b)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b *ledger.Batch) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// verdicts lists the rows of a batch: number, protocol, outcome, codes.
func (r *rig) verdicts(batch string) (all []string) {
	r.t.Helper()
	err := r.ledger.View(context.Background(), func(tx *ledger.Tx) error {
		return tx.Rows(batch, func(row *ledger.Row) bool {
			text := fmt.Sprintf("%d %s %s", row.Number, row.Protocol, row.Outcome)
			for _, p := range row.Problems {
				text += " " + p.Code
			}
			all = append(all, text)
			return true
		})
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

func (r *rig) wantVerdicts(batch string, want ...string) {
	r.t.Helper()
	if got := r.verdicts(batch); !slices.Equal(got, want) {
		r.t.Errorf("rows of %s: %q, want %q", batch, got, want)
	}
}

// fakeContent reads "protocol;document,document" below a heading. "BAD" opens a file
// that cannot be read.
type fakeContent struct {
	ledger   *ledger.Ledger
	asked    int
	profiles []string
	during   func() // runs while a file is examined
	failing  error  // Needs fails with it
	reading  error  // Read fails with it
}

func (c *fakeContent) items(flow, file string, documents DocumentFunc) ([]ledger.Item, bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	var items []ledger.Item
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		if n == 1 {
			if strings.HasPrefix(s.Text(), "BAD") {
				return nil, true, nil
			}
			continue
		}
		protocol, names, _ := strings.Cut(s.Text(), ";")
		items = append(items, c.item(protocol, names, n, documents))
	}
	return items, false, s.Err()
}

func (c *fakeContent) item(protocol, names string, row int, documents DocumentFunc) ledger.Item {
	request := &notification.Request{
		PaProtocolNumber: protocol, SenderTaxID: testSender, Subject: "Avviso " + protocol,
		Recipients: []notification.Recipient{{RecipientType: "PF", TaxID: "RSSMRA80A01H501U", Denomination: "Mario Rossi"}},
	}
	it := ledger.Item{Request: request, Protocol: protocol, Rows: []ledger.ItemRow{{Number: row, Cells: []string{protocol, names}, Recipients: []int{0}}}}
	for _, name := range split(names) {
		request.Documents = append(request.Documents, notification.Document{
			Title: "Atto " + protocol, Attachment: notification.Attachment{File: name, ContentType: notification.ContentPDF},
		})
		if documents == nil {
			continue
		}
		found := documents(protocol, name)
		if found.Problem != nil {
			it.Rows[0].Problems = append(it.Rows[0].Problems, *found.Problem)
		}
		it.Documents = append(it.Documents, ledger.Document{
			Field: fmt.Sprintf("documents[%d]", len(it.Documents)), File: name, Spool: found.File.Path, Hash: found.File.Hash, Size: found.File.Size,
		})
	}
	it.Print = notification.FingerprintOf(request)
	return it
}

func split(names string) []string {
	if names == "" {
		return nil
	}
	return strings.Split(names, ",")
}

func (c *fakeContent) Needs(ctx context.Context, flow, file string) (Needs, error) {
	c.asked++
	if c.during != nil {
		c.during()
	}
	if c.failing != nil {
		return Needs{}, c.failing
	}
	needs := Needs{Kind: "csv", Heading: []string{"protocollo", "documento"}}
	items, bad, err := c.items(flow, file, nil)
	if err != nil || bad {
		needs.Unreadable = unreadable(bad)
		return needs, err
	}
	verdicts, err := c.ledger.Judge(ctx, ledger.Batch{Flow: flow, SenderTaxID: testSender, Environment: testEnv}, items)
	if err != nil {
		return Needs{}, err
	}
	for n, v := range verdicts {
		for _, d := range items[n].Request.Documents {
			if v.New {
				needs.Documents = append(needs.Documents, Document{Name: d.File, Row: items[n].Rows[0].Number, Protocol: items[n].Protocol})
			} else if v.Outcome == ledger.RowKnown {
				needs.Known = append(needs.Known, d.File)
			}
		}
	}
	return needs, nil
}

func unreadable(bad bool) *notification.Problem {
	if !bad {
		return nil
	}
	return &notification.Problem{Severity: notification.Error, Code: "C-TEST-BAD", Message: "Il file non si legge: esportarlo di nuovo."}
}

func (c *fakeContent) Read(ctx context.Context, b *ledger.Batch, profile []byte, file string, documents DocumentFunc) (ReadResult, error) {
	c.profiles = append(c.profiles, string(profile))
	if c.reading != nil {
		return ReadResult{}, c.reading
	}
	known := map[string]bool{}
	items, bad, err := c.items(b.Flow, file, nil)
	if err != nil || bad {
		return ReadResult{Unreadable: unreadable(bad)}, err
	}
	verdicts, err := c.ledger.Judge(ctx, *b, items)
	if err != nil {
		return ReadResult{}, err
	}
	for n, v := range verdicts {
		known[items[n].Protocol] = !v.New
	}
	result := ReadResult{Rows: len(items)}
	for n := range items {
		if it := &items[n]; !known[it.Protocol] {
			row := it.Rows[0]
			*it = c.item(it.Protocol, row.Cells[1], row.Number, documents)
		}
	}
	verdicts, err = c.ledger.Admit(ctx, b.ID, items)
	for _, v := range verdicts {
		if v.New {
			result.New++
		}
	}
	return result, err
}
