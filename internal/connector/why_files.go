package connector

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// whyAwaited looks among the documents that waiting exports lack.
func (c *Connector) whyAwaited(tx *ledger.Tx, w *Why) error {
	for _, flow := range names(c.flows) {
		seen, err := tx.Sightings(flow)
		if err != nil {
			return err
		}
		for _, s := range seen {
			for _, name := range s.Missing {
				if sameFile(name, w.Name) {
					w.Findings = append(w.Findings, &Finding{
						What: "document", Where: c.say("in/ of flow ", "in/ del flusso ") + flow, Because: c.say("it is awaited by ", "è atteso da ") + s.File,
						Next:    c.say("copy it beside the file", "copiarlo accanto al file"),
						History: []Moment{{s.Since, c.say("the file that names it was first seen", "visto per la prima volta il file che lo nomina")}},
					})
				}
			}
		}
	}
	return nil
}

// documentBatches is how many batches are searched for a document, newest first: what
// was taken years ago stands in the archive under its own name.
const documentBatches = 500

// whyDocuments looks among the documents that were taken with an export.
func (c *Connector) whyDocuments(tx *ledger.Tx, w *Why) error {
	var newest []string
	err := tx.BatchesNewestFirst(func(b *ledger.Batch) bool {
		newest = append(newest, b.ID)
		return len(newest) < documentBatches
	})
	for _, id := range newest {
		if err != nil || len(w.Findings) >= mostBatches {
			break
		}
		var b *ledger.Batch
		if b, err = tx.Batch(id); err == nil {
			c.whyDocumentOf(b, w)
		}
	}
	return err
}

func (c *Connector) whyDocumentOf(b *ledger.Batch, w *Why) {
	for _, s := range b.Spool {
		if s.Name == b.File || !sameFile(s.Name, w.Name) {
			continue
		}
		f := &Finding{
			What: "document", Where: c.say("flow ", "flusso ") + b.Flow + c.say(", batch ", ", lotto ") + b.ID, Because: c.say("it was taken with ", "è stato preso con ") + b.File,
			Next:    c.say("see ", "vedere ") + c.outcomeFile(b),
			History: []Moment{{b.ClaimedAt, c.say("taken as part of batch ", "preso con il lotto ") + b.ID}},
		}
		if b.Archive != "" {
			f.Where += ", " + b.Archive
		}
		w.Findings = append(w.Findings, f)
		return
	}
}

// whyLying looks into the drop folders themselves: for files that are never taken, and
// for documents that may yet be named.
func (c *Connector) whyLying(ctx context.Context, w *Why) error {
	for _, name := range names(c.flows) {
		f := c.flows[name]
		in := cmp.Or(f.In, "in")
		all, err := f.Folder.List(ctx, in, true)
		if errors.Is(err, folder.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range all {
			file := strings.TrimPrefix(e.Name, in+"/")
			if e.Dir || !sameFile(file, w.Name) {
				continue
			}
			code := "C-DOCUMENT-UNNAMED"
			if folder.Temporary(file) {
				code = "C-FILE-TEMPORARY"
			}
			w.Findings = append(w.Findings, &Finding{
				What: "file", Where: e.Name + c.say(" of flow ", " del flusso ") + name, Because: sentence(notification.New(f.lang, code, "")),
				Next:    c.say("looked at again at the next scan", "verrà riguardato alla prossima scansione"),
				History: []Moment{{e.Modified, c.say("last change of the file", "ultima modifica del file")}},
			})
		}
	}
	return nil
}
