package connector

import (
	"context"
	"time"
)

// completePart names the completion among the parts that can fail.
const completePart = "batches missing from a restored ledger"

// complete reads again what was archived after the backup that the ledger was restored
// from, as a rebuilding does: what SEND has is followed again, what it has not waits for
// a person. Where SEND or a folder is not available it is tried again; nothing else
// waits for it, since a row that is dropped meanwhile goes with its own token.
func (c *Connector) complete(ctx context.Context) error {
	behind, err := c.ledger.Behind(ctx)
	if err != nil || !behind {
		return err
	}
	report := &RebuildReport{}
	r := newRecall(c, report)
	r.tries = 1 // others wait for the start, and it is tried again
	found, err := c.ingest.Complete(r.with(ctx), c.ingestFlows(""), r.settle)
	for _, p := range found.Problems {
		c.opts.Log.Warn("a batch cannot be read again", "problem", p)
	}
	if n := found.Batches + found.Unreadable; n > 0 {
		c.opts.Log.Warn("the ledger is older than the archive: batches read again", "batches", n, "found_at_send", report.Found, "await_release", report.Awaiting)
	}
	if err != nil {
		return err
	}
	return c.ledger.ClearBehind(ctx)
}

// completeLater is complete for the service, where it did not succeed at the start.
func (c *Connector) completeLater(ctx context.Context) (time.Time, error) {
	return time.Time{}, c.complete(ctx)
}

// gateRestored keeps a restored ledger from sending, before anything starts, what was to
// leave later: a person may have discarded it after the backup.
func (c *Connector) gateRestored(ctx context.Context) error {
	behind, err := c.ledger.Behind(ctx)
	if err != nil || !behind {
		return err
	}
	return c.ledger.GateDelayed(ctx, "C-RELEASE-REBUILT")
}
