package connector

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"sendconnector/internal/ingest"
	"sendconnector/internal/ledger"
	"sendconnector/internal/mapping"
	"sendconnector/internal/notification"
)

// PreviewArgs name a file and the flow that would take it.
type PreviewArgs struct {
	Flow string `json:"flow"`
	File string `json:"file"` // absolute
	Rows int    `json:"rows"` // 0 = all
}

// Outcomes of a row in a preview.
const (
	PreviewReady     = "ready"
	PreviewRejected  = "rejected"
	PreviewDuplicate = "duplicate"
)

// PreviewLine is what one input row would become. Request is the body as it would be
// sent, with file in place of what only an upload can know, on the first row of its
// notification.
type PreviewLine struct {
	Row          int                    `json:"row"`
	Outcome      string                 `json:"outcome"`
	Notification string                 `json:"notification"`
	Recipient    int                    `json:"recipient"`
	Problems     []notification.Problem `json:"problems"`
	Request      *notification.Request  `json:"request,omitempty"`
}

// PreviewResult is a preview; Problem says why the whole file would be rejected.
type PreviewResult struct {
	Lines   []PreviewLine         `json:"lines"`
	Problem *notification.Problem `json:"problem,omitempty"`
}

// Preview reads and maps a file as the flow would and tells what each row would
// become. It writes nothing and sends nothing.
func (c *Connector) Preview(ctx context.Context, a PreviewArgs) (*PreviewResult, error) {
	f := c.flows[a.Flow]
	if f == nil {
		return nil, usage("there is no flow %q", a.Flow)
	}
	if info, err := os.Stat(a.File); err != nil {
		return nil, usage("%v", err)
	} else if info.IsDir() {
		return nil, usage("%s is a folder, not an export", a.File)
	}
	result := &PreviewResult{Lines: []PreviewLine{}}
	e, err := c.openExport(f, f.Profile, a.File, f.glob(a.File))
	if err == nil {
		defer e.file.Close()
		err = c.previewRows(ctx, e, a, result)
	}
	if p, ok := unreadable(err, f.lang); ok {
		result.Problem = p
		return result, nil
	}
	return result, err
}

func (c *Connector) previewRows(ctx context.Context, e *export, a PreviewArgs, result *PreviewResult) error {
	p := previewing{c: c, e: e, seen: map[ledger.Key][]int{}, result: result, docs: newDocuments(c, e.flow, besideExport(e.flow, filepath.Dir(a.File)))}
	for d, err := range e.drafts {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if err := p.add(ctx, d); err != nil {
			return err
		}
		if a.Rows > 0 && len(result.Lines) >= a.Rows {
			break
		}
	}
	return nil
}

// previewing builds the lines of a preview.
type previewing struct {
	c      *Connector
	e      *export
	docs   *documents
	seen   map[ledger.Key][]int // rows of the same drop with this key
	result *PreviewResult
}

func (p *previewing) add(ctx context.Context, d *mapping.Draft) error {
	item := p.c.item(ctx, p.e, d, p.docs)
	verdicts, err := p.c.ledger.Judge(ctx, p.e.flow.batch(), []ledger.Item{item})
	if err != nil {
		return err
	}
	v := verdicts[0]
	outcome := PreviewReady
	switch {
	case v.Outcome == ledger.RowRejected:
		outcome = PreviewRejected
	case !v.New:
		outcome = PreviewDuplicate
	}
	if item.Request != nil {
		key := p.e.flow.sender.key(item.Protocol)
		if earlier, ok := p.seen[key]; ok && outcome == PreviewReady {
			outcome = PreviewDuplicate
			v.Problems = append(v.Problems, notification.New(p.e.flow.lang, "C-PREVIEW-TWICE", "", "row", itoa(earlier[0])))
		}
		for _, r := range item.Rows {
			p.seen[key] = append(p.seen[key], r.Number)
		}
	}
	for i, r := range item.Rows {
		problems := r.Problems
		if outcome == PreviewDuplicate { // nothing goes, so nothing is wrong with it; the outcome file does not say so either
			problems = slices.DeleteFunc(slices.Clone(problems), func(p notification.Problem) bool { return p.Severity == notification.Error })
		}
		line := PreviewLine{Row: r.Number, Outcome: outcome, Notification: item.Protocol, Recipient: firstRecipient(r), Problems: append(problems, v.Problems...)}
		if line.Problems == nil {
			line.Problems = []notification.Problem{}
		}
		if i == 0 && item.Request != nil {
			item.Request.Attachments(func(_ string, a *notification.Attachment) { a.Digests = nil })
			line.Request = item.Request
		}
		p.result.Lines = append(p.result.Lines, line)
	}
	return nil
}

// firstRecipient is the recipient that a row gives, the first of several; -1 for a row
// that only carries a payment or a document.
func firstRecipient(r ledger.ItemRow) int {
	if len(r.Recipients) == 0 {
		return -1
	}
	return r.Recipients[0]
}

// besideExport finds documents where they lie now, for a preview: nothing is copied.
func besideExport(f *flow, dir string) ingest.DocumentFunc {
	places := f.listings(dir)
	return func(_, name string) ingest.Found {
		if !notification.SafeRelative(name) {
			return missing(f, name)
		}
		for _, place := range places {
			file := filepath.Join(place.root, filepath.FromSlash(place.spelt(name)))
			if found, err := privateCopyOf(file, name); err == nil {
				return ingest.Found{File: found}
			} else if !errors.Is(err, os.ErrNotExist) {
				return missing(f, name)
			}
		}
		return missing(f, name)
	}
}

func missing(f *flow, name string) ingest.Found {
	p := notification.New(f.lang, "C-DOCUMENT-MISSING", "", "name", name)
	return ingest.Found{Problem: &p}
}
