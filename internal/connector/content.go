package connector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"

	"sendconnector/internal/ingest"
	"sendconnector/internal/ingest/reader"
	"sendconnector/internal/ledger"
	"sendconnector/internal/mapping"
	"sendconnector/internal/notification"
	"sendconnector/internal/yamldoc"
)

// chunk is how many notifications are judged or admitted in one transaction: enough
// to share a sync, few enough to stay small.
const chunk = 1000

// content says to ingest what a file means: reader, mapping, validation and the
// ledger's verdict in one line.
type content Connector

// export is an export opened with its profile.
type export struct {
	flow   *flow
	file   *reader.File
	kind   string
	drafts iter.Seq2[*mapping.Draft, error]
	shrink bool // the profile allows groups to shrink (rule 9)
}

// openExport opens a file as the flow reads it. An error that is the file's own
// fault is a *reader.FileError or, when the profile does not fit its heading,
// yamldoc.Errors. glob lists the documents of the drop.
func (c *Connector) openExport(f *flow, packed []byte, file string, glob func(string) ([]string, error)) (*export, error) {
	p, err := unpackProfile(packed)
	if err != nil {
		return nil, err
	}
	form := format(p)
	form.TempDir = c.tempDir()
	read, err := reader.Open(file, form)
	if err != nil {
		return nil, err
	}
	e := &export{flow: f, file: read, kind: format(p).Kind}
	d := mapping.Defaults{
		SenderTaxID: f.sender.cfg.TaxID, SenderDenomination: f.sender.cfg.Denomination, Group: f.sender.cfg.Group,
		Lang: f.lang, TempDir: c.tempDir(), Glob: glob,
	}
	if p == nil {
		e.drafts = mapping.DraftsJSONL(read.Rows(), d)
		return e, nil
	}
	if read.Macros() {
		c.opts.Log.Warn("the workbook holds macros; they are not run", "flow", f.Name, "file", filepath.Base(file))
	}
	m, err := p.Compile(read.Heading(), d)
	if err != nil {
		return nil, errors.Join(err, read.Close())
	}
	e.shrink = p.AllowShrink
	e.drafts = m.Drafts(read.Rows(), func() (mapping.Rows, error) { return read.Rows(), nil })
	if read.Macros() {
		e.drafts = noting(e.drafts, notification.New(f.lang, "C-FILE-MACROS", ""))
	}
	return e, nil
}

// noting adds what is to be said of the whole file to its first draft, for the
// outcome file to show.
func noting(drafts iter.Seq2[*mapping.Draft, error], p notification.Problem) iter.Seq2[*mapping.Draft, error] {
	return func(yield func(*mapping.Draft, error) bool) {
		said := false
		for d, err := range drafts {
			if d != nil && !said {
				said = true
				d.Attach([]notification.Problem{p})
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// unreadable turns what is wrong with a whole file into the problem that its reason
// file shows; false for errors that are not the file's fault.
func unreadable(err error, lang notification.Lang) (*notification.Problem, bool) {
	if e, ok := errors.AsType[*reader.FileError](err); ok {
		p := e.In(lang)
		return &p, true
	}
	if list, ok := errors.AsType[yamldoc.Errors](err); ok {
		var texts []string
		for _, e := range list {
			if !slices.Contains(texts, e.Message) {
				texts = append(texts, e.Message)
			}
		}
		p := notification.NewList(lang, "C-PROFILE-MISMATCH", "", "problems", texts)
		return &p, true
	}
	return nil, false
}

// Needs maps the export and asks the ledger which rows would be sent; their
// documents are what the drop must hold (rule 27).
func (k *content) Needs(ctx context.Context, flowName, file string) (ingest.Needs, error) {
	c := (*Connector)(k)
	f := c.flows[flowName]
	e, err := c.openExport(f, f.Profile, file, f.glob(file))
	if err != nil {
		if p, ok := unreadable(err, f.lang); ok {
			return ingest.Needs{Unreadable: p}, nil
		}
		return ingest.Needs{}, err
	}
	defer e.file.Close()
	n := needing{c: c, e: e, needs: ingest.Needs{Kind: e.kind, Heading: e.heading()}, seen: map[string]bool{}}
	err = n.all(ctx)
	if p, ok := unreadable(err, f.lang); ok {
		return ingest.Needs{Kind: e.kind, Heading: e.heading(), Unreadable: p}, nil
	}
	return n.needs, err
}

// heading are the original columns for the outcome file.
func (e *export) heading() []string {
	if e.kind == "jsonl" {
		return nil
	}
	return e.file.Heading().Names
}

// needing collects the documents of what would be sent.
type needing struct {
	c     *Connector
	e     *export
	needs ingest.Needs
	seen  map[string]bool
	items []ledger.Item
}

func (n *needing) all(ctx context.Context) error {
	for d, err := range n.e.drafts {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		n.items = append(n.items, n.c.item(ctx, n.e, d, nil))
		if len(n.items) == chunk {
			if err := n.judge(ctx); err != nil {
				return err
			}
		}
	}
	return n.judge(ctx)
}

func (n *needing) judge(ctx context.Context) error {
	verdicts, err := n.c.ledger.Judge(ctx, n.e.flow.batch(), n.items)
	if err != nil {
		return err
	}
	for i, v := range verdicts {
		item := n.items[i]
		if item.Request == nil {
			continue
		}
		item.Request.Attachments(func(_ string, a *notification.Attachment) {
			d := ingest.Document{Name: a.File, Row: firstRow(item), Protocol: item.Protocol}
			switch {
			case a.File == "":
			case v.Outcome == ledger.RowRejected:
				n.add(&n.needs.Rejected, d)
			case v.New:
				n.add(&n.needs.Documents, d)
			default:
				n.needs.Known = append(n.needs.Known, a.File)
			}
		})
	}
	n.items = n.items[:0]
	return nil
}

// add notes a document once for each notification.
func (n *needing) add(to *[]ingest.Document, d ingest.Document) {
	key := d.Protocol + "\x00" + d.Name
	if !n.seen[key] {
		n.seen[key] = true
		*to = append(*to, d)
	}
}

func firstRow(item ledger.Item) int {
	if len(item.Rows) == 0 {
		return 0
	}
	return item.Rows[0].Number
}

// Read admits every row of a batch.
func (k *content) Read(ctx context.Context, b *ledger.Batch, profile []byte, file string, documents ingest.DocumentFunc) (ingest.ReadResult, error) {
	c := (*Connector)(k)
	f := c.flows[b.Flow]
	if f == nil {
		return ingest.ReadResult{}, fmt.Errorf("batch %s belongs to the flow %s, which the configuration no longer has", b.ID, b.Flow)
	}
	e, err := c.openExport(f, profile, file, spoolGlob(b))
	if err != nil {
		if p, ok := unreadable(err, f.lang); ok {
			return ingest.ReadResult{Unreadable: p}, nil
		}
		return ingest.ReadResult{}, err
	}
	defer e.file.Close()
	a := admitting{c: c, e: e, batch: b.ID, documents: newDocuments(c, f, documents)}
	err = a.all(ctx)
	if p, ok := unreadable(err, f.lang); ok {
		return ingest.ReadResult{Rows: a.result.Rows, Unreadable: p}, nil
	}
	return a.result, err
}

// admitting brings the rows of one batch into the ledger.
type admitting struct {
	c         *Connector
	e         *export
	batch     string
	documents *documents
	drafts    []*mapping.Draft
	items     []ledger.Item
	result    ingest.ReadResult
}

func (a *admitting) all(ctx context.Context) error {
	for d, err := range a.e.drafts {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		a.drafts = append(a.drafts, d)
		if len(a.drafts) == chunk {
			if err := a.admit(ctx); err != nil {
				return err
			}
		}
	}
	return a.admit(ctx)
}

// judge makes items of the drafts. The documents of what an earlier drop has brought
// are not asked for: a nightly export that repeats a row need not repeat its PDFs.
func (a *admitting) judge(ctx context.Context) error {
	known := make([]bool, len(a.drafts))
	err := a.c.ledger.View(ctx, func(tx *ledger.Tx) error {
		for i, d := range a.drafts {
			if d.Request == nil {
				continue
			}
			n, err := tx.ByKey(a.e.flow.sender.key(d.Request.PaProtocolNumber))
			if errors.Is(err, ledger.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			here := n.OwnerBatch == a.batch || n.Pending != nil && n.Pending.Batch == a.batch
			known[i] = n.State.Taken() && !here
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, d := range a.drafts {
		if err := ctx.Err(); err != nil {
			return err
		}
		documents := a.documents
		if known[i] {
			documents = nil
		}
		a.items = append(a.items, a.c.item(ctx, a.e, d, documents))
	}
	a.drafts = a.drafts[:0]
	return nil
}

func (a *admitting) admit(ctx context.Context) error {
	if len(a.drafts) == 0 {
		return nil
	}
	if err := a.judge(ctx); err != nil {
		return err
	}
	if r := recallOf(ctx); r != nil {
		if err := r.before(ctx, a.e.flow, a.batch, a.items); err != nil {
			return err
		}
	}
	verdicts, err := a.c.ledger.Admit(ctx, a.batch, a.items)
	if err != nil {
		return err
	}
	for i, v := range verdicts {
		item := a.items[i]
		a.result.Rows += len(item.Rows)
		if v.New {
			a.result.New++
		}
		if v.Outcome == ledger.RowRejected && item.Request != nil {
			a.result.AvoidedCent += len(item.Request.Recipients) * *a.e.flow.sender.cfg.RefusalFee
		}
	}
	a.items = a.items[:0]
	return nil
}

// item judges a draft by every rule that can be known here and makes of it what the
// ledger admits. Without documents their bytes are not judged.
func (c *Connector) item(ctx context.Context, e *export, d *mapping.Draft, docs *documents) ledger.Item {
	item := ledger.Item{AllowShrink: e.shrink}
	if d.Request != nil {
		rules := e.flow.sender.rules
		rules.Lang, rules.Today = e.flow.lang, c.opts.Clock()
		d.Attach(notification.Validate(d.Request, rules))
		if docs != nil {
			var problems []notification.Problem
			item.Documents, problems = docs.of(ctx, d.Request)
			d.Attach(problems)
		}
		item.Protocol = d.Request.PaProtocolNumber
		item.Request, item.Print = d.Request, notification.FingerprintOf(d.Request)
	}
	for i, r := range d.Rows { // each row carries the problems of the whole too
		item.Rows = append(item.Rows, ledger.ItemRow{
			Number: r.Row.Number, Cells: r.Row.Cells, Recipients: r.Recipients, Problems: d.RowProblems(i),
		})
	}
	return item
}
