package connector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sendconnector/internal/ingest"
	"sendconnector/internal/ledger"
)

// completePart names the completion among the parts that can fail.
const completePart = "what a restored ledger does not know"

// complete asks SEND for what a restored ledger was going to send, and reads again what
// was archived after the backup, as a rebuilding does: what SEND has is followed again,
// what it has not waits for a person. Where SEND or a folder is not available it is tried
// again; nothing else waits for it, since the gates are shut already (gateRestored) and a
// row that is dropped meanwhile goes with its own token.
func (c *Connector) complete(ctx context.Context) error {
	behind, err := c.ledger.Behind(ctx)
	if err != nil || !behind {
		return err
	}
	report := &RebuildReport{}
	r := newRecall(c, report)
	r.tries = 1 // others wait for the start, and it is tried again
	failed, err := c.settleRestored(ctx, r)
	flows := slices.DeleteFunc(c.ingestFlows(""), func(f *ingest.Flow) bool {
		return failed[c.flows[f.Name].sender.name] // its batches are judged in their order
	})
	found, fault := c.ingest.Complete(r.with(ctx), flows, r)
	for _, p := range found.Problems {
		c.opts.Log.Warn("a batch cannot be read again", "problem", p)
	}
	unclaimed, lost := r.unclaimed(ctx)
	for _, p := range unclaimed {
		c.opts.Log.Warn("a notification is followed by nobody", "problem", p)
	}
	if n := found.Batches + found.Unreadable; n > 0 || report.Found > 0 {
		c.opts.Log.Warn("the ledger is older than what was done: it has caught up", "batches_read_again", n, "found_at_send", report.Found)
	}
	for _, batch := range report.Awaiting {
		c.opts.Log.Warn("the ledger was restored, and SEND does not know all of this batch: look whether it was discarded meanwhile, then connector release --batch or connector discard --batch", "batch", batch)
	}
	if err = errors.Join(err, fault, lost); err != nil {
		return err
	}
	return c.ledger.ClearBehind(ctx)
}

// settleRestored settles the batches that wait for release, the oldest first. What cannot
// be asked for one sender does not keep the others waiting; it names those senders.
func (c *Connector) settleRestored(ctx context.Context, r *recall) (failed map[string]bool, err error) {
	var waiting []*ledger.Batch
	err = c.ledger.View(ctx, func(tx *ledger.Tx) error {
		waiting = nil
		return tx.Batches(func(b *ledger.Batch) bool {
			if b.State == ledger.Sealed && b.Release == ledger.AwaitsRelease {
				waiting = append(waiting, b)
			}
			return true
		})
	})
	failed = map[string]bool{}
	for _, b := range waiting {
		if failed[b.Sender] || ctx.Err() != nil {
			continue
		}
		if fault := r.settleRestored(ctx, b); fault != nil {
			failed[b.Sender] = true
			err = errors.Join(err, fmt.Errorf("batch %s: %w", b.ID, fault))
		}
	}
	return failed, errors.Join(err, ctx.Err())
}

// completeLater is complete for the service, where it did not succeed at the start.
func (c *Connector) completeLater(ctx context.Context) (time.Time, error) {
	return time.Time{}, c.complete(ctx)
}

// gateRestored keeps a restored ledger, before anything starts, from sending what it was
// going to send: SEND may have it since, or a person may have discarded it. Once only:
// what a person releases afterwards goes.
func (c *Connector) gateRestored(ctx context.Context) error {
	shut, err := c.ledger.GateRestored(ctx, "C-RELEASE-REBUILT")
	if len(shut) > 0 {
		c.opts.Log.Warn("the ledger is older than what was done: these batches were leaving and wait until SEND has been asked for them", "batches", shut)
	}
	return err
}
