package outbox

import (
	"cmp"
	"context"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"sendconnector/internal/ledger"
)

// writeIndex rewrites documenti/<batch>/indice.csv when documents of the batch were
// placed since it was written last. A batch without placed documents has none.
func (o *Outbox) writeIndex(ctx context.Context, batch string) error {
	if o.indexed[safe(batch)] {
		return nil
	}
	name := indexFile(batch)
	if err := o.rests.resting(name, o.opts.Clock()); err != nil {
		return err
	}
	lines := 0
	want, err := hashOfContent(func(w io.Writer) error {
		var err error
		lines, err = o.indexLines(ctx, batch, w)
		return err
	})
	if err != nil {
		return err
	}
	last, err := o.publication(ctx, kindIndex, batch)
	if err != nil {
		return err
	}
	if lines == 0 || last != nil && last.Hash == want {
		o.indexed[safe(batch)] = true
		return nil
	}
	if err := o.tidy(ctx, path.Dir(name)); err != nil {
		return err
	}
	done, err := o.publish(ctx, stepIndexPublish, name, func(w io.Writer) error {
		_, err := o.indexLines(ctx, batch, w)
		return err
	})
	if err != nil {
		return err
	}
	err = o.commit(ctx, stepIndexCommit, &ledger.Publication{
		Outbox: o.opts.Name, Kind: kindIndex, Name: batch, File: done.Name,
		Hash: done.SHA256, At: o.opts.Clock(),
	})
	if err == nil {
		o.indexed[safe(batch)] = done.SHA256 == want
	}
	return err
}

// indexLines writes the index of a batch: its notifications in row order, the
// documents of each by the time of their event.
func (o *Outbox) indexLines(ctx context.Context, batch string, w io.Writer) (int, error) {
	s := newSheet(w, indexColumns())
	err := o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		var own []*ledger.Artifact
		var of *ledger.Notification
		var inner error
		err := tx.ArtifactsOfBatch(batch, func(n *ledger.Notification, a *ledger.Artifact) bool {
			if of == nil || of.ID != n.ID {
				inner = addToIndex(s, batch, of, own)
				of, own = n, own[:0]
			}
			own = append(own, a)
			return inner == nil
		})
		if err == nil && inner == nil {
			inner = addToIndex(s, batch, of, own)
		}
		return cmp.Or(err, inner)
	})
	if err != nil {
		return 0, err
	}
	return s.lines, s.flush()
}

func addToIndex(s *sheet, batch string, n *ledger.Notification, all []*ledger.Artifact) error {
	slices.SortFunc(all, func(a, b *ledger.Artifact) int {
		return cmp.Or(a.EventAt.Compare(b.EventAt), cmp.Compare(a.Path, b.Path))
	})
	for _, a := range all {
		if a.State != ledger.Placed {
			continue
		}
		file := strings.TrimPrefix(a.Path, path.Join(documentDir, safe(batch))+"/")
		err := s.line([]string{
			n.Key.Protocol, n.IUN, documentRecipient(a), a.Category, file,
			strconv.FormatInt(a.Size, 10), strings.ToLower(a.Hash),
			instant(a.EventAt), instant(a.FetchedAt),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// documentRecipient is blank for a document of the whole notification.
func documentRecipient(a *ledger.Artifact) string { return recipient(a.Recipient) }
