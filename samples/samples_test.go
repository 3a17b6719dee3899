package samples_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"sendconnector/internal/ingest/reader"
	"sendconnector/internal/ledger"
	"sendconnector/internal/mapping"
	"sendconnector/internal/notification"
	"sendconnector/internal/pdf"
	"sendconnector/internal/table"
	"sendconnector/samples"
)

const (
	senderTaxID = "00112233440"
	senderName  = "Comune di Borgo Esempio"
)

// The day of the samples: payment dates lie after it.
func clock() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// desk is what stands between a dropped file and SEND: reader, profile, rules, ledger.
type desk struct {
	t       *testing.T
	service samples.Service
	dir     string
	ledger  *ledger.Ledger
}

func newDesk(t *testing.T, s samples.Service) *desk {
	t.Helper()
	d := &desk{t: t, service: s, dir: t.TempDir()}
	if err := s.CopyDrop(d.dir); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Clock: clock, NoSync: true, GroupDelay: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	d.ledger = l
	return d
}

// drafts opens the export as the service's profile says and maps its rows.
func (d *desk) drafts() []*mapping.Draft {
	d.t.Helper()
	format := table.Format{Kind: "jsonl"}
	var profile *mapping.Profile
	if d.service.Profile != "" {
		data, err := fs.ReadFile(samples.FS(), d.service.Profile)
		if err != nil {
			d.t.Fatal(err)
		}
		if profile, err = mapping.Parse(d.service.Profile, data, nil); err != nil {
			d.t.Fatal(err)
		}
		format = profile.Reads()
	}
	file, err := reader.Open(filepath.Join(d.dir, d.service.Export), format)
	if err != nil {
		d.t.Fatal(err)
	}
	defer file.Close()
	defaults := mapping.Defaults{SenderTaxID: senderTaxID, SenderDenomination: senderName, TempDir: d.t.TempDir()}
	stream := mapping.DraftsJSONL(file.Rows(), defaults)
	if profile != nil {
		m, err := profile.Compile(file.Heading(), defaults)
		if err != nil {
			d.t.Fatal(err)
		}
		stream = m.Drafts(file.Rows(), func() (mapping.Rows, error) { return file.Rows(), nil })
	}
	var all []*mapping.Draft
	for draft, err := range stream {
		if err != nil {
			d.t.Fatal(err)
		}
		all = append(all, draft)
	}
	return all
}

// item judges a draft by every local rule.
func (d *desk) item(draft *mapping.Draft) ledger.Item {
	d.t.Helper()
	var item ledger.Item
	if r := draft.Request; r != nil {
		rules := notification.DefaultRules()
		rules.SenderTaxID, rules.Today = senderTaxID, clock()
		draft.Attach(notification.Validate(r, rules))
		var problems []notification.Problem
		item.Documents, problems = d.documents(r, rules)
		draft.Attach(problems)
		item.Request, item.Protocol, item.Print = r, r.PaProtocolNumber, notification.FingerprintOf(r)
	}
	for i, r := range draft.Rows {
		item.Rows = append(item.Rows, ledger.ItemRow{Number: r.Row.Number, Cells: r.Row.Cells, Recipients: r.Recipients, Problems: draft.RowProblems(i)})
	}
	return item
}

// documents looks at the files that a request names.
func (d *desk) documents(r *notification.Request, rules notification.Rules) ([]ledger.Document, []notification.Problem) {
	d.t.Helper()
	var found []ledger.Document
	var problems []notification.Problem
	facts := map[string]notification.FileFacts{}
	r.Attachments(func(field string, a *notification.Attachment) {
		path := filepath.Join(d.dir, filepath.FromSlash(a.File))
		data, err := os.ReadFile(path)
		if a.File == "" || !notification.SafeRelative(a.File) {
			return
		}
		if errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, notification.New(rules.Lang, "C-DOCUMENT-MISSING", field+".file", "name", a.File))
			return
		}
		if err != nil {
			d.t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		a.Digests = &notification.Digests{SHA256: base64.StdEncoding.EncodeToString(sum[:])}
		found = append(found, ledger.Document{Field: field, File: a.File, Spool: a.File, Hash: hex.EncodeToString(sum[:]), Size: int64(len(data)), ContentType: a.ContentType})
		if a.ContentType == notification.ContentPDF {
			facts[a.File] = d.facts(path)
			return
		}
		cost := field == "recipients[0].payments[0].f24.metadataAttachment" && r.Recipients[0].Payments[0].F24.ApplyCost
		problems = append(problems, notification.CheckF24(data, cost, rules.Lang, field+".file")...)
	})
	return found, append(problems, notification.CheckFiles(r, rules, func(file string) (notification.FileFacts, bool) {
		f, ok := facts[file]
		return f, ok
	})...)
}

func (d *desk) facts(path string) notification.FileFacts {
	d.t.Helper()
	report, err := pdf.CheckFile(d.t.Context(), path)
	if e, ok := errors.AsType[*pdf.NotPDFError](err); ok {
		return notification.FileFacts{NotPDF: e.Kind.Italian()}
	}
	facts := notification.FileFacts{Bytes: report.Bytes, Damaged: err != nil, Locked: report.Locked, Encrypted: report.Encrypted, Pages: report.Pages, A4: report.A4}
	f, err := os.Open(path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	codes, err := pdf.Codes(d.t.Context(), f, report.Bytes)
	if err != nil {
		d.t.Fatal(err)
	}
	facts.TaxIDs, facts.NoticeCodes = codes.TaxIDs, codes.Notices
	return facts
}

// verdict is one line of an outcome file as far as it is known before sending.
type verdict struct {
	Row                      int
	Recipient, Outcome, Code string
}

// judged admits every row as one batch and gives the lines of its outcome.
func (d *desk) judged() []verdict {
	d.t.Helper()
	ctx := context.Background()
	b := ledger.Batch{
		ID: "20261123T100000-0123abcd", Flow: d.service.Name, Sender: "comune", SenderTaxID: senderTaxID, Environment: "simulator",
		Outbox: "main", File: d.service.Export, ClaimedAt: clock(),
	}
	if err := d.ledger.Begin(ctx, b); err != nil {
		d.t.Fatal(err)
	}
	var items []ledger.Item
	for _, draft := range d.drafts() {
		items = append(items, d.item(draft))
	}
	if _, err := d.ledger.Admit(ctx, b.ID, items); err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.ledger.Seal(ctx, b.ID, ledger.Sealing{}); err != nil {
		d.t.Fatal(err)
	}
	return d.lines(b.ID)
}

func (d *desk) lines(batch string) []verdict {
	d.t.Helper()
	var all []verdict
	err := d.ledger.View(context.Background(), func(tx *ledger.Tx) error {
		var inner error
		err := tx.RowsFrom(batch, 0, func(r *ledger.Row) bool {
			var lines []ledger.Line
			lines, inner = tx.Lines(r)
			for _, l := range lines {
				v := verdict{Row: l.Row, Outcome: string(l.Outcome)}
				if l.Outcome == ledger.Scartata {
					v.Code = l.Code
				}
				if l.Recipient >= 0 {
					v.Recipient = strconv.Itoa(l.Recipient + 1)
				}
				d.warn(l)
				all = append(all, v)
			}
			return inner == nil
		})
		return errors.Join(err, inner)
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

func (d *desk) warn(l ledger.Line) {
	d.t.Helper()
	if l.Message+l.Warnings != "" {
		d.t.Logf("row %d: %s %s | %s | %s", l.Row, l.Outcome, l.Code, l.Message, l.Warnings)
	}
}

// Every row of every sample gets here the verdict that SEND's rules call for: a row
// that would be refused and billed is stopped, with the right reason; a sound one is
// not. What SEND alone can judge goes to it.
func TestLocalVerdicts(t *testing.T) {
	for _, s := range samples.Services() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			want := expected(t, s)
			got := newDesk(t, s).judged()
			for i := range max(len(want), len(got)) {
				switch {
				case i >= len(got):
					t.Errorf("missing %+v", want[i])
				case i >= len(want):
					t.Errorf("too many: %+v", got[i])
				case got[i] != want[i]:
					t.Errorf("got %+v, want %+v", got[i], want[i])
				}
			}
		})
	}
}

// expected are the expectations as they stand before anything was sent.
func expected(t *testing.T, s samples.Service) []verdict {
	t.Helper()
	all, err := s.Expect()
	if err != nil {
		t.Fatal(err)
	}
	want := make([]verdict, len(all))
	for i, e := range all {
		want[i] = verdict{Row: e.Row, Recipient: e.Recipient, Outcome: e.Outcome, Code: e.Code}
		switch e.Outcome {
		case "SCARTATA", "GIA_PRESENTE":
		default: // what becomes of it is SEND's affair
			want[i].Outcome, want[i].Code = string(ledger.InCoda), ""
		}
	}
	return want
}

// What is repaired is told: a clerk must see what was read in place of what was typed.
func TestRepairsAreTold(t *testing.T) {
	rows := map[string]int{"tari": 5, "scuola": 8}
	for _, s := range samples.Services() {
		want, ok := rows[s.Name]
		if !ok {
			continue
		}
		for _, draft := range newDesk(t, s).drafts() {
			if draft.Rows[0].Row.Number != want {
				continue
			}
			told := slices.ContainsFunc(draft.Rows[0].Problems, func(p notification.Problem) bool { return p.Code == "C-TEXT-REPAIRED" })
			if !told || draft.Stopped() {
				t.Errorf("%s, row %d: told %v, problems %v", s.Name, want, told, draft.Rows[0].Problems)
			}
			delete(rows, s.Name)
		}
	}
	if len(rows) > 0 {
		t.Errorf("rows not found: %v", rows)
	}
}

// The drop must be whole: the export and the documents, nothing of the profile or of
// the expectations, and no temporary name that would never be taken.
func TestCopyDrop(t *testing.T) {
	for _, s := range samples.Services() {
		dir := t.TempDir()
		if err := s.CopyDrop(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, s.Export)); err != nil {
			t.Error(err)
		}
		copied := names(t, os.DirFS(dir))
		drop, err := fs.Sub(samples.FS(), s.Drop)
		if err != nil {
			t.Fatal(err)
		}
		if meant := names(t, drop); !slices.Equal(copied, meant) || len(meant) < 10 {
			t.Errorf("%s: copied %v, want %v", s.Name, copied, meant)
		}
	}
}

func names(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
