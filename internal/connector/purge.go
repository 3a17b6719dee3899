package connector

import (
	"context"
	"fmt"
	"time"

	"sendconnector/internal/ledger"
)

// PurgeArgs say how.
type PurgeArgs struct {
	DryRun bool `json:"dry_run,omitempty"`
}

// PurgeReport is what a purge removed, or would.
type PurgeReport struct {
	DryRun        bool     `json:"dry_run"`
	Batches       []string `json:"batches"`       // from the ledger
	Rows          int      `json:"rows"`          // of them
	Notifications int      `json:"notifications"` // of them; each has left its tombstone
	Files         int      `json:"files"`         // of aggiornamenti and costi that can no longer be written anew
	Folders       []string `json:"folders"`       // of archive/ and rejected/, by batch
}

// Purge removes by the retention of the flows what nobody needs any more (rule 30), from the
// ledger, and from archive/ and rejected/ where the flow says so. What it removes opens
// no way to a second notification: a tombstone keeps every key. Killed at any point it
// is found finished, or finishes what it began, at the next opening.
func (c *Connector) Purge(ctx context.Context, a PurgeArgs) (*PurgeReport, error) {
	now := c.opts.Clock()
	plan := ledger.PurgePlan{Batches: map[string]time.Time{}, Logs: map[string]time.Time{}, DryRun: a.DryRun}
	for outbox := range c.outboxes {
		plan.Logs[outbox] = now
	}
	for name, f := range c.flows {
		keep := *f.cfg.Retention.Ledger
		if keep == 0 {
			continue
		}
		before := now.Add(-keep)
		plan.Batches[name] = before
		if at, ok := plan.Logs[f.Outbox]; ok && before.Before(at) {
			plan.Logs[f.Outbox] = before
		}
	}
	for _, f := range c.flows { // an outbox is as patient as the most patient of its flows
		if *f.cfg.Retention.Ledger == 0 {
			delete(plan.Logs, f.Outbox)
		}
	}
	done, err := c.ledger.Purge(ctx, plan)
	r := &PurgeReport{DryRun: a.DryRun, Batches: notNil(done.Batches), Rows: done.Rows, Notifications: done.Notifications, Files: done.Files, Folders: []string{}}
	if err != nil {
		return r, err
	}
	for _, name := range names(c.flows) {
		f := c.flows[name]
		if f.cfg.Retention.Archive == 0 {
			continue
		}
		gone, err := c.ingest.Expire(ctx, &f.Flow, now.Add(-f.cfg.Retention.Archive), a.DryRun)
		r.Folders = append(r.Folders, gone...)
		if err != nil {
			return r, fmt.Errorf("flow %s: %w", name, err)
		}
	}
	return r, nil
}

func notNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// purgeEvery is how often a connector purges by itself.
const purgeEvery = 24 * time.Hour

// purgePart names it among the parts that can fail.
const purgePart = "purge"

// purge is Purge where it is due.
func (c *Connector) purge(ctx context.Context) (next time.Time, err error) {
	now := c.opts.Clock()
	last, err := c.ledger.LastPurge(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if age := now.Sub(last); age >= 0 && age < purgeEvery {
		return last.Add(purgeEvery), nil
	}
	r, err := c.Purge(ctx, PurgeArgs{})
	if len(r.Batches)+r.Files+len(r.Folders) > 0 {
		c.opts.Log.Info("purged by retention", "batches", len(r.Batches), "notifications", r.Notifications, "files", r.Files, "folders", len(r.Folders))
	}
	return now.Add(purgeEvery), err
}

// chores are what is done once a day, a copy before anything is removed. A failure is
// told, tried again later, and stops nothing else.
func (c *Connector) chores(ctx context.Context) (time.Time, error) {
	var next time.Time
	for _, chore := range []struct {
		part string
		do   func(context.Context) (time.Time, error)
	}{{completePart, c.completeLater}, {backupPart, c.backup}, {purgePart, c.purge}} {
		at, err := chore.do(ctx)
		if ctx.Err() != nil {
			return next, nil
		}
		c.tell(chore.part, err)
		if err != nil {
			at = c.opts.Clock().Add(backupPause)
		}
		next = earliest(next, at)
	}
	return next, nil
}
