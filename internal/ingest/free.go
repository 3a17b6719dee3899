package ingest

import (
	"context"
	"path"
	"strings"

	"sendconnector/internal/ledger"
)

// FreeSpool removes the private copies of batches of which nothing can be sent any
// more (rule 24): every notification is ACCEPTED, CANCELLED, DISCARDED,
// REFUSED_AT_ONCE, or REFUSED with its automatic attempt used or not due, and the
// sources lie in the archive. It returns how many batches it freed. After a crash in
// between, Recover removes what the ledger says is freed.
func (i *Ingest) FreeSpool(ctx context.Context) (int, error) {
	batches, err := i.freeable(ctx)
	if err != nil {
		return 0, err
	}
	for n, id := range batches {
		err := i.step(StepFreed, func() error { return i.markFreed(ctx, id) })
		if err == nil {
			err = i.step(StepFree, func() error { return i.removeSpool(ctx, id) })
		}
		if err != nil {
			return n, err
		}
	}
	return len(batches), nil
}

func (i *Ingest) freeable(ctx context.Context) ([]string, error) {
	var free []string
	err := i.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		free = nil
		var candidates []string
		err := tx.Batches(func(b *ledger.Batch) bool {
			if !b.SpoolFreed && b.Archive != "" && b.State != ledger.Reading {
				candidates = append(candidates, b.ID)
			}
			return true
		})
		if err != nil || len(candidates) == 0 {
			return err
		}
		needed, err := inUse(tx)
		if err != nil {
			return err
		}
		for _, id := range candidates {
			if needed[id] {
				continue
			}
			owned := false
			err := tx.Notifications(id, func(n *ledger.Notification) bool {
				owned = sendable(n)
				return !owned
			})
			if err != nil {
				return err
			}
			if !owned {
				free = append(free, id)
			}
		}
		return nil
	})
	return free, err
}

// inUse are the batches whose private copies some notification may still send, its
// own attempt or a new request waiting behind a refused one.
func inUse(tx *ledger.Tx) (map[string]bool, error) {
	needed := map[string]bool{}
	note := func(batch string, documents []ledger.Document) {
		needed[batch] = true
		for _, d := range documents {
			needed[spoolBatch(d.Spool)] = true
		}
	}
	err := tx.Open(0, func(n *ledger.Notification) bool {
		if sendable(n) {
			note(n.OwnerBatch, n.Documents)
		}
		if n.Pending != nil {
			note(n.Pending.Batch, n.Pending.Documents)
		}
		return true
	})
	return needed, err
}

// sendable reports whether the bytes of a notification may still have to leave.
func sendable(n *ledger.Notification) bool {
	switch n.State {
	case ledger.Accepted, ledger.Cancelled, ledger.Discarded, ledger.RefusedAtOnce:
		return n.Pending != nil
	case ledger.Refused:
		return n.Pending != nil || n.AutomaticDue()
	}
	return true
}

// spoolBatch is the batch that a private copy belongs to.
func spoolBatch(name string) string {
	return path.Base(path.Dir(strings.TrimPrefix(name, "/")))
}

func (i *Ingest) markFreed(ctx context.Context, batch string) error {
	return i.opts.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		b, err := tx.Batch(batch)
		if err != nil || b.SpoolFreed {
			return err
		}
		b.SpoolFreed = true
		return tx.PutBatch(b)
	})
}

// removeSpool removes the private copies of a batch. A manifest among them is a
// claim, and stays with all the rest.
func (i *Ingest) removeSpool(ctx context.Context, batch string) error {
	dir := path.Join(spoolDir, batch)
	all, err := i.data.List(ctx, dir, true)
	if err != nil {
		return ignoreMissing(err)
	}
	for _, e := range all {
		if path.Base(e.Name) == ManifestName {
			return nil
		}
	}
	for n := len(all) - 1; n >= 0; n-- {
		if err := i.data.Remove(ctx, all[n].Name); err != nil {
			return err
		}
	}
	return i.data.Remove(ctx, dir)
}
