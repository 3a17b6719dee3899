package ledger

import (
	"context"
	"time"
)

// Purging: a batch whose rows are being removed; the chore goes on until it is gone,
// after a crash with the next opening. Nobody publishes or reads it any more.
const Purging BatchState = "PURGING"

// choreRemove removes a batch that Purge has decided on.
const choreRemove = 'p'

func (l *Ledger) purgeBatches(ctx context.Context, p PurgePlan, named map[uint64]bool, done *Purged) error {
	var ids []string
	if err := l.View(ctx, func(t *Tx) error {
		ids = nil
		return t.Batches(func(b *Batch) bool {
			if before, ok := p.Batches[b.Flow]; ok && b.SealedAt.Before(before) {
				ids = append(ids, b.ID)
			}
			return true
		})
	}); err != nil {
		return err
	}
	for _, id := range ids {
		if err := l.purgeBatch(ctx, p, id, named, done); err != nil {
			return err
		}
	}
	return nil
}

// purgeBatch removes one batch if all of it may go.
func (l *Ledger) purgeBatch(ctx context.Context, p PurgePlan, id string, named map[uint64]bool, done *Purged) error {
	may, rows, notes := false, 0, 0
	decide := func(t *Tx) error {
		h, err := t.head(id)
		if err != nil {
			return ignoreNotFound(err)
		}
		if may = !named[h.No]; !may {
			return nil
		}
		may, notes, err = t.purgeable(h, p.Batches[h.Flow])
		rows = h.Rows
		return err
	}
	if err := l.View(ctx, decide); err != nil || !may {
		return err
	}
	if !p.DryRun {
		err := l.Update(ctx, func(t *Tx) error { // again: the world may have moved on
			if err := decide(t); err != nil || !may {
				return err
			}
			h, err := t.head(id)
			if err != nil {
				return err
			}
			h.State = Purging
			if err := t.addChore(choreRemove, h); err != nil {
				return err
			}
			for _, kind := range []string{"esito", "indice"} {
				if err := t.DropPublication(h.Outbox, kind, h.ID); err != nil {
					return err
				}
			}
			return t.touch(h, false)
		})
		if err == nil && may {
			err = l.finishChores(ctx)
		}
		if err != nil || !may {
			return err
		}
	}
	done.Batches = append(done.Batches, id)
	done.Rows += rows
	done.Notifications += notes
	return nil
}

// purgeable tells whether nothing of a batch can be sent, published or heard of any
// more that a person would miss, and how many notifications it owns.
func (t *Tx) purgeable(h *head, before time.Time) (may bool, notes int, err error) {
	if h.State != Sealed && h.State != Unreadable || !h.SealedAt.Before(before) {
		return false, 0, nil
	}
	if h.Archive == "" || !h.SpoolFreed || h.Waiting > 0 {
		return false, 0, nil
	}
	p, err := t.Publication(h.Outbox, "esito", h.ID)
	if err != nil || p.Hash == "" || p.Version < h.Version {
		return false, 0, ignoreNotFound(err)
	}
	may = true
	err = t.eachOwned(h, func(n *Notification) (bool, error) {
		notes++
		may, err = t.finished(n, before)
		return may, err
	})
	return may, notes, err
}

// eachOwned visits the notifications that a batch owns, until visit answers false.
func (t *Tx) eachOwned(h *head, visit func(*Notification) (bool, error)) error {
	owned := 0
	for _, n := range h.States {
		owned += n
	}
	more, seen := true, 0
	var fail error
	err := t.Notifications(h.ID, func(n *Notification) bool {
		seen++
		more, fail = visit(n)
		return more && fail == nil
	})
	if err != nil || fail != nil || !more || seen == owned {
		return firstOf(err, fail)
	}
	// Some have no row: made again of a tombstone, for a request that then had to be
	// given up.
	return t.each(bNote, nil, nil, func(k, v []byte) (bool, error) {
		x, err := t.loadHot(idFrom(k))
		if err != nil || x.OwnerBatch != h.ID || len(x.Rows) > 0 {
			return true, err
		}
		if err := t.fill(&x.Notification); err != nil {
			return false, err
		}
		return visit(&x.Notification)
	})
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// finished tells whether a notification is final, with everything published, and has
// been left alone for long enough.
func (t *Tx) finished(n *Notification, before time.Time) (bool, error) {
	if !n.Closed || n.Pending != nil || !n.ChangedAt.Before(before) || !n.LastEventAt.Before(before) {
		return false, nil
	}
	if n.ReplacedBy != 0 {
		// The one that took its place must stay, or a reading that is undone, or has
		// not told the rows of this one yet, would look for it.
		x, err := t.loadHot(n.ReplacedBy)
		if err == nil {
			h, err := t.head(x.OwnerBatch)
			if err != nil || h.State == Reading || t.get(bChore, choreKey(choreSupersede, h)) != nil {
				return false, err
			}
		} else if ignoreNotFound(err) != nil {
			return false, err
		}
	}
	arts, err := t.Artifacts(n.ID)
	for _, a := range arts {
		if a.State != Placed && a.State != Gone {
			return false, err
		}
	}
	return true, err
}

// removeSome removes a chunk of a batch, and with the last the batch itself; next is 0
// then.
func (t *Tx) removeSome(h *head) (next uint64, err error) {
	var rows []*Row
	if err := t.each(bRow, h.rowsPrefix(), nil, func(k, v []byte) (bool, error) {
		r, err := t.decodeRow(h, k, v)
		rows = append(rows, r)
		return len(rows) < chunk, err
	}); err != nil {
		return 0, err
	}
	for _, r := range rows {
		if err := t.removeRow(h, r); err != nil {
			return 0, err
		}
	}
	if len(rows) == chunk {
		return 1, nil
	}
	var left []*Notification
	if err := t.eachOwned(h, func(n *Notification) (bool, error) {
		left = append(left, n)
		return true, nil
	}); err != nil {
		return 0, err
	}
	for _, n := range left {
		if err := t.bury(h, n); err != nil {
			return 0, err
		}
	}
	delete(t.heads, h.ID) // or it would be written again
	for _, e := range []indexEntry{{bSpool, u64(h.No)}, {bBatchNo, u64(h.No)}, {bBatch, []byte(h.ID)}} {
		if err := t.drop(e.in, e.key); err != nil {
			return 0, err
		}
	}
	return 0, t.put(bTombBatch, []byte(h.ID), []byte{})
}

// Purged tells whether a batch of this id was removed by a purge.
func (t *Tx) Purged(batch string) bool { return t.get(bTombBatch, []byte(batch)) != nil }

func (t *Tx) removeRow(h *head, r *Row) error {
	switch {
	case r.Outcome == RowLinked:
		n, err := t.note(r.ID)
		if ignoreNotFound(err) != nil {
			return err
		}
		if err == nil && n.OwnerBatch == h.ID { // the first of its rows takes it along
			if err := t.bury(h, n); err != nil {
				return err
			}
		}
	case r.Outcome == RowRejected && r.Protocol != "":
		k := Key{Environment: h.Environment, SenderTaxID: h.SenderTaxID, Protocol: r.Protocol}
		before, err := t.rejectionOf(k)
		if err != nil {
			return err
		}
		if before.last().Batch == h.ID {
			key, err := t.exactKey(k)
			if err != nil {
				return err
			}
			if err := t.drop(bRejected, key); err != nil {
				return err
			}
		}
	}
	return t.drop(bRow, rowKey(h.No, r.Number))
}

// bury removes a notification with all that belongs to it and leaves its tombstone. One
// that a later notification of its key has replaced needs none of its own: that one
// has its key, or has left its tombstone already.
func (t *Tx) bury(h *head, n *Notification) error {
	if n.ReplacedBy == 0 {
		if err := t.PutTombstone(TombstoneOf(n)); err != nil {
			return err
		}
	}
	none := &Notification{ID: n.ID}
	for _, step := range []func() error{
		func() error { return t.reindexHeld(n, none) },
		func() error { return t.reindexNames(n, none) },
		func() error { return t.leaveKey(n) },
		func() error { return t.dropDue(n) },
		func() error { return t.dropArtifacts(n) },
		func() error { return t.dropPrefix(bEvent, n.ID.key()) },
		func() error { return t.drop(bHold, named(string(HoldNotification), itoa(int(n.ID)))) },
		func() error { return t.drop(bCold, n.ID.key()) },
		func() error { return t.drop(bNote, n.ID.key()) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	count(&h.States, n.State, -1)
	return t.touch(h, false)
}

// leaveKey takes n out of the index of keys.
func (t *txn) leaveKey(n *Notification) error {
	if n.ReplacedBy != 0 {
		return nil
	}
	ids, err := t.idsOfKey(n.Key)
	if err != nil {
		return err
	}
	kept := ids[:0]
	for _, id := range ids {
		if id != n.ID {
			kept = append(kept, id)
		}
	}
	return t.putIDsOfKey(n.Key, kept)
}

func (t *txn) dropDue(n *Notification) error {
	key, _, err := t.dueEntry(n)
	if err != nil || key == nil {
		return err
	}
	return t.drop(bDue, key)
}

func (t *txn) dropArtifacts(n *Notification) error {
	arts, err := t.Artifacts(n.ID)
	if err != nil {
		return err
	}
	for _, a := range arts {
		k := artifactKey(n.ID, a.Key)
		due, err := t.artifactDue(n, a, k)
		if err != nil {
			return err
		}
		if due != nil {
			if err := t.drop(bArtDue, due); err != nil {
				return err
			}
		}
		if err := t.drop(bArtifact, k[:]); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) dropPrefix(b bucket, prefix []byte) error {
	return t.dropWhile(b, prefix, func([]byte) bool { return true })
}
