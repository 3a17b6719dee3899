package connector

import (
	"context"
	"errors"
	"path/filepath"

	"sendconnector/internal/ingest"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/pdf"
)

// documents judges the attachments of the requests of one batch. A file that many
// rows name is looked at once.
type documents struct {
	flow  *flow
	data  string
	find  ingest.DocumentFunc
	rules notification.Rules
	facts map[string]notification.FileFacts // by hash
}

func newDocuments(c *Connector, f *flow, find ingest.DocumentFunc) *documents {
	rules := f.sender.rules
	rules.Lang = f.lang
	return &documents{flow: f, data: c.cfg.Data, find: find, rules: rules, facts: map[string]notification.FileFacts{}}
}

// of gives the private copy of every attachment and what is wrong with them, and
// writes each digest into the request, from where fingerprint, preload and POST have
// it: one hash, taken once (rule 18).
func (d *documents) of(ctx context.Context, r *notification.Request) ([]ledger.Document, []notification.Problem) {
	var found []ledger.Document
	var problems []notification.Problem
	byFile := map[string]ledger.SpoolFile{}
	r.Attachments(func(field string, a *notification.Attachment) {
		if a.File == "" {
			return // Validate has said so
		}
		f := d.find(r.PaProtocolNumber, a.File)
		if f.Problem != nil {
			p := *f.Problem
			p.Field = field + ".file"
			problems = append(problems, p)
			if p.Severity == notification.Error {
				return
			}
		}
		byFile[a.File] = f.File
		a.Digests = &notification.Digests{SHA256: base64Digest(f.File.Hash)}
		found = append(found, ledger.Document{
			Field: field, File: a.File, Spool: f.File.Path, Hash: f.File.Hash, Size: f.File.Size, ContentType: a.ContentType,
		})
	})
	return found, append(problems, notification.CheckFiles(r, d.rules, func(file string) (notification.FileFacts, bool) {
		f, ok := byFile[file]
		if !ok {
			return notification.FileFacts{}, false
		}
		return d.look(ctx, f), true
	})...)
}

// look finds out about a private copy, once for each content.
func (d *documents) look(ctx context.Context, f ledger.SpoolFile) notification.FileFacts {
	if known, ok := d.facts[f.Hash]; ok {
		return known
	}
	file := filepath.FromSlash(f.Path)
	if !filepath.IsAbs(file) { // a preview looks at files where they lie
		file = filepath.Join(d.data, file)
	}
	facts := lookAt(ctx, file, d.flow.lang)
	d.facts[f.Hash] = facts
	return facts
}

// lookAt is the pre-flight of one file. What cannot be read at all counts as
// damaged: it must not be sent.
func lookAt(ctx context.Context, path string, lang notification.Lang) notification.FileFacts {
	report, err := pdf.CheckFile(ctx, path)
	if e, ok := errors.AsType[*pdf.NotPDFError](err); ok {
		kind := e.Kind.Italian()
		if lang == notification.English {
			kind = e.Kind.English()
		}
		return notification.FileFacts{NotPDF: kind}
	}
	facts := notification.FileFacts{
		Bytes: report.Bytes, Damaged: err != nil, Locked: report.Locked, Encrypted: report.Encrypted, Pages: report.Pages, A4: report.A4,
	}
	return facts
}
