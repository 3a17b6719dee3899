package connector

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sendconnector/internal/ingest"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/submit"
)

// A number often stands in more than one batch: rejected first, then mended and dropped
// again. SEND has it once. So all batches are looked through before the first is read
// into the ledger, and what SEND has goes to the request that it most resembles.

// rival is a request for a key, with the batches that had just this one.
type rival struct {
	submit.Sketch
	sound   bool // by today's rules, and with the documents that were found at the claim
	batches []string
}

// score orders requests by how well they explain an attempt that SEND has. What they have
// in common with it counts first: only then that a rejected row is never sent.
func (v *rival) score(chain submit.Chain, attempt int) int {
	n := 2 * chain.Alike(attempt, v.Sketch)
	if v.sound {
		n++
	}
	return n
}

// Survey notes what a batch has, before the first is read (ingest.Recall).
func (r *recall) Survey(ctx context.Context, b *ledger.Batch, profile []byte, file string, documents ingest.DocumentFunc) error {
	f := r.c.flows[b.Flow]
	if f == nil {
		return nil // its reading will say so
	}
	found := map[ledger.Key][]*rival{}
	err := r.c.survey(ctx, f, b, profile, file, func(it *ledger.Item) {
		v := &rival{sound: !faulty(it)}
		it.Request.Attachments(func(_ string, a *notification.Attachment) {
			if a.File == "" {
				return
			}
			d := documents(it.Protocol, a.File)
			if d.Problem != nil && d.Problem.Severity == notification.Error {
				v.sound = false
				return
			}
			a.Digests = &notification.Digests{SHA256: notification.DigestOf(d.File.Hash)}
		})
		v.Sketch = submit.SketchOf(it.Request)
		k := f.sender.key(it.Protocol)
		found[k] = append(found[k], v)
	})
	if _, ok := unreadable(err, f.lang); ok {
		return nil
	}
	if err != nil {
		return err
	}
	for k, all := range found {
		clash := slices.ContainsFunc(all, func(v *rival) bool { return !v.Same(all[0].Sketch) })
		for _, v := range all {
			v.sound = v.sound && !clash // differing rows of one number fall together
			r.note(k, v, b.ID)
		}
	}
	return nil
}

// survey goes through the items of an export without their documents.
func (c *Connector) survey(ctx context.Context, f *flow, b *ledger.Batch, profile []byte, file string, visit func(*ledger.Item)) error {
	e, err := c.openExport(f, profile, file, spoolGlob(b))
	if err != nil {
		return err
	}
	defer e.file.Close()
	for d, err := range e.drafts {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if it := c.item(ctx, e, d, nil); it.Request != nil && it.Protocol != "" {
			visit(&it)
		}
	}
	return nil
}

func faulty(it *ledger.Item) bool {
	return notification.Errors(it.Problems) ||
		slices.ContainsFunc(it.Rows, func(row ledger.ItemRow) bool { return notification.Errors(row.Problems) })
}

// note keeps a rival once, however many batches have it: a nightly export repeats its
// rows for months.
func (r *recall) note(k ledger.Key, v *rival, batch string) {
	for _, known := range r.rivals[k] {
		if known.Sketch == v.Sketch && known.sound == v.sound {
			if !slices.Contains(known.batches, batch) {
				known.batches = append(known.batches, batch)
			}
			return
		}
	}
	v.batches = []string{batch}
	r.rivals[k] = append(r.rivals[k], v)
}

// outdone reports whether another batch has a request that explains an attempt at SEND
// better than this item does.
func (r *recall) outdone(k ledger.Key, batch string, it *ledger.Item, attempt int) bool {
	mine := r.own(k, batch, it)
	score := mine.score(r.chains[k], attempt)
	return slices.ContainsFunc(r.rivals[k], func(v *rival) bool {
		return v != mine && !slices.Equal(v.batches, []string{batch}) && v.score(r.chains[k], attempt) > score
	})
}

// own finds an item as it was surveyed: a document that has gone from the archive since
// makes it no worse.
func (r *recall) own(k ledger.Key, batch string, it *ledger.Item) *rival {
	sketch := submit.SketchOf(it.Request)
	var like *rival
	for _, v := range r.rivals[k] {
		if slices.Contains(v.batches, batch) && v.SameBody(sketch) && (like == nil || v.Same(sketch)) {
			like = v
		}
	}
	if like == nil {
		like = &rival{Sketch: sketch, sound: !faulty(it)}
	}
	return like
}

// unclaimed names the keys of which one batch left to another what SEND has, and which the
// ledger has not got for all that.
func (r *recall) unclaimed(ctx context.Context) (problems []string, err error) {
	err = r.c.ledger.View(ctx, func(tx *ledger.Tx) error {
		problems = nil
		for k, batch := range r.yields {
			_, err := tx.ByKey(k)
			switch {
			case errors.Is(err, ledger.ErrNotFound):
				problems = append(problems, fmt.Sprintf("SEND has the notification %s of batch %s, and no row could be given to it; drop the row that was sent once more, and it is found", k.Protocol, batch))
			case err != nil:
				return err
			}
		}
		slices.Sort(problems)
		return nil
	})
	return problems, err
}
