package connector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

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
	facts map[string]notification.FileFacts  // by hash
	forms map[formKey][]notification.Problem // of metadata files
}

// formKey is what the judgement of a metadata file depends on.
type formKey struct {
	hash      string
	applyCost bool
}

func newDocuments(c *Connector, f *flow, find ingest.DocumentFunc) *documents {
	rules := f.sender.rules
	rules.Lang = f.lang
	return &documents{flow: f, data: c.cfg.Data, find: find, rules: rules, facts: map[string]notification.FileFacts{}, forms: map[formKey][]notification.Problem{}}
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
			if p.Code == "C-DOCUMENT-OUTSIDE" && !notification.SafeRelative(a.File) && !strings.ContainsAny(a.File, "*?[") {
				return // Validate has said so, with the form that is wanted
			}
			p.Field = field + ".file"
			problems = append(problems, p)
			if p.Severity == notification.Error {
				return
			}
		}
		byFile[a.File] = f.File
		a.Digests = &notification.Digests{SHA256: notification.DigestOf(f.File.Hash)}
		found = append(found, ledger.Document{
			Field: field, File: a.File, Spool: f.File.Path, Hash: f.File.Hash, Size: f.File.Size, ContentType: a.ContentType,
		})
	})
	problems = append(problems, d.f24(r, byFile)...)
	return found, append(problems, notification.CheckFiles(r, d.rules, func(file string) (notification.FileFacts, bool) {
		f, ok := byFile[file]
		if !ok {
			return notification.FileFacts{}, false
		}
		return d.look(ctx, f), true
	})...)
}

// f24 judges the metadata files of F24 forms, whose faults SEND would bill.
func (d *documents) f24(r *notification.Request, byFile map[string]ledger.SpoolFile) []notification.Problem {
	var problems []notification.Problem
	for i := range r.Recipients {
		for j := range r.Recipients[i].Payments {
			form := r.Recipients[i].Payments[j].F24
			if form == nil || form.MetadataAttachment == nil {
				continue
			}
			f, ok := byFile[form.MetadataAttachment.File]
			if !ok {
				continue // its absence has been told
			}
			field := fmt.Sprintf("recipients[%d].payments[%d].f24.metadataAttachment.file", i, j)
			found, err := d.form(f, form.ApplyCost)
			if err != nil {
				problems = append(problems, notification.New(d.flow.lang, "C-DOCUMENT-MISSING", field, "name", form.MetadataAttachment.File))
				continue
			}
			for _, p := range found {
				p.Field = field
				problems = append(problems, p)
			}
		}
	}
	return problems
}

// form judges a metadata file once, however many payments name it.
func (d *documents) form(f ledger.SpoolFile, applyCost bool) ([]notification.Problem, error) {
	key := formKey{f.Hash, applyCost}
	if known, ok := d.forms[key]; ok {
		return known, nil
	}
	data, err := readAtMost(d.path(f), notification.MaxF24+1) // the byte too many tells that it is too long
	if err != nil {
		return nil, err
	}
	d.forms[key] = notification.CheckF24(data, applyCost, d.flow.lang, "")
	return d.forms[key], nil
}

func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// path is where the bytes of a private copy lie; a preview looks at files where they
// are, by absolute paths.
func (d *documents) path(f ledger.SpoolFile) string {
	if file := filepath.FromSlash(f.Path); filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(d.data, filepath.FromSlash(f.Path))
}

// restore brings a private copy back from the archive, for a notification that a
// person wants sent again.
func (c *Connector) restore(ctx context.Context, spool, hash string) error {
	return c.ingest.Restore(ctx, func(name string) *ingest.Flow {
		if f := c.flows[name]; f != nil {
			return &f.Flow
		}
		return nil
	}, spool, hash)
}

// look finds out about a private copy, once for each content.
func (d *documents) look(ctx context.Context, f ledger.SpoolFile) notification.FileFacts {
	if known, ok := d.facts[f.Hash]; ok {
		return known
	}
	facts := lookAt(ctx, d.path(f), d.flow.lang)
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
	if err == nil {
		facts.TaxIDs, facts.NoticeCodes = codesIn(ctx, path, report.Bytes)
	}
	return facts
}

// codesIn gives the tax codes and notice numbers that stand in the text of a PDF,
// where it can be read (rule 6). Only those with right check characters count: other
// texts have such forms by chance.
func codesIn(ctx context.Context, path string, size int64) (taxIDs, notices []string) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	found, err := pdf.Codes(ctx, f, size)
	if err != nil {
		return nil, nil
	}
	for _, code := range found.TaxIDs {
		if notification.CheckPersonalTaxID(code) == notification.TaxIDSound {
			taxIDs = append(taxIDs, code)
		}
	}
	for _, code := range found.Notices {
		if notification.CheckNotice(code) == notification.NoticeSound {
			notices = append(notices, code)
		}
	}
	return taxIDs, notices
}
