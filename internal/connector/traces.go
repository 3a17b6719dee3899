package connector

import (
	"context"

	"sendconnector/internal/ledger"
)

// tellTraces warns where the ledger knows of no batch although the folders of a flow
// show that there were some: the data folder was lost, or another one is configured.
// It does not stop the connector. Whatever is dropped again, or still lies in work/,
// goes with the same token as before, so that SEND's refusal leads to what it has
// (rules 2 and 14 to 16); but what was sent and is not dropped again is followed by
// nobody until a rebuilding.
func (c *Connector) tellTraces(ctx context.Context) error {
	empty := true
	err := c.ledger.View(ctx, func(tx *ledger.Tx) error {
		return tx.Batches(func(*ledger.Batch) bool {
			empty = false
			return false
		})
	})
	if err != nil || !empty {
		return err
	}
	for _, name := range names(c.flows) {
		if where := c.flows[name].traces(ctx); where != "" {
			c.opts.Log.Warn("the ledger is empty, but this flow has batches of before: was the ledger lost?",
				"code", "C-LEDGER-EMPTY", "flow", name, "folder", where,
				"hint", "stop the connector and put a backup in the ledger's place, or run: connector ledger rebuild")
		}
	}
	return ctx.Err()
}

// traces names a folder of the flow that holds batches, "" if none does. One that
// cannot be looked at has told so elsewhere.
func (f *flow) traces(ctx context.Context) string {
	for _, dir := range []string{f.Archive, f.Rejected, f.Work} {
		all, err := f.Folder.List(ctx, dir, false)
		for _, e := range all {
			if err == nil && e.Dir {
				return dir
			}
		}
	}
	return ""
}
