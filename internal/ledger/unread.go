package ledger

import "time"

// unread removes rows of a READING batch, a chunk at a time, with all that they
// brought about; more tells that some are left.
func (t *txn) unread(h *head) (more bool, err error) {
	var rows []*Row
	if err := t.each(bRow, h.rowsPrefix(), nil, func(k, v []byte) (bool, error) {
		r, err := t.decodeRow(h, k, v)
		rows = append(rows, r)
		return len(rows) < chunk, err
	}); err != nil {
		return false, err
	}
	for _, r := range rows {
		if err := t.unreadRow(h, r); err != nil {
			return false, err
		}
	}
	return len(rows) > 0, nil
}

func (t *txn) unreadRow(h *head, r *Row) error {
	switch r.Outcome {
	case RowLinked:
		if err := t.unadmit(h, r.ID); ignoreNotFound(err) != nil {
			return err
		}
	case RowRejected:
		if err := t.forget(h, r.Protocol); err != nil {
			return err
		}
	}
	if err := t.drop(bSupersede, supersedeKey(h, r.ID)); err != nil {
		return err
	}
	return t.drop(bRow, rowKey(h.No, r.Number))
}

// unadmit takes back what a READING batch admitted: its new notification, or its
// new request behind a refused attempt.
func (t *txn) unadmit(h *head, id ID) error {
	n, err := t.note(id)
	if err != nil {
		return err
	}
	h.Admitted--
	if p := n.Pending; p != nil && p.Batch == h.ID {
		if err := t.dropPending(h, n); err != nil || n.OwnerBatch != h.ID || len(n.Rows) > 0 {
			return err
		}
		return t.removeNote(h, n) // made again of a tombstone, which is still there
	}
	if n.OwnerBatch != h.ID {
		return nil
	}
	return t.removeNote(h, n)
}

// dropPending takes a waiting request away; the caller settles its rows.
func (t *txn) dropPending(h *head, n *Notification) error {
	rows, err := t.pendingRows(h, n)
	if err != nil {
		return err
	}
	h.Waiting--
	count(&h.Lines, InCoda, -lineCount(rows))
	if err := t.touch(h, false); err != nil {
		return err
	}
	old, err := t.loadHot(n.ID)
	if err != nil {
		return err
	}
	n.Pending, n.NextAttempt, n.Tries, n.LastError = nil, time.Time{}, 0, nil
	return t.replaceNote(old, n, Cause{})
}

func (t *txn) pendingRows(h *head, n *Notification) ([]*Row, error) {
	var rows []*Row
	for _, number := range n.Pending.Rows {
		r, err := t.Row(h.ID, number)
		if ignoreNotFound(err) != nil {
			return nil, err
		}
		if err == nil {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

func lineCount(rows []*Row) int {
	n := 0
	for _, r := range rows {
		n += max(1, len(r.Recipients))
	}
	return n
}

// removeNote erases a notification of a READING batch: nobody has seen it.
func (t *txn) removeNote(h *head, n *Notification) error {
	x, err := t.loadHot(n.ID)
	if err != nil {
		return err
	}
	none := &Notification{ID: n.ID}
	if err := t.reindexHeld(n, none); err != nil {
		return err
	}
	if err := t.reindexNames(n, none); err != nil {
		return err
	}
	if err := t.unindexKey(n); err != nil {
		return err
	}
	if !x.fresh {
		key, _, err := t.dueEntry(n)
		if err != nil {
			return err
		}
		if key != nil {
			if err := t.drop(bDue, key); err != nil {
				return err
			}
		}
	} else {
		h.Fresh--
	}
	for _, o := range x.Outcomes {
		count(&h.Lines, o, -1)
	}
	count(&h.States, n.State, -1)
	if n.Replaces != 0 {
		if err := t.setReplacedBy(n.Replaces, 0); err != nil {
			return err
		}
	}
	if err := t.drop(bCold, n.ID.key()); err != nil {
		return err
	}
	if err := t.touch(h, false); err != nil {
		return err
	}
	return t.drop(bNote, n.ID.key())
}

func (t *txn) setReplacedBy(id, by ID) error {
	x, err := t.loadHot(id)
	if err != nil {
		return err
	}
	x.ReplacedBy = by
	return t.writeHot(x)
}
