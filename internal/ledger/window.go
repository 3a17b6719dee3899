package ledger

import "slices"

// RowsFrom is Rows from row number first on, for readers that take a large batch in
// several views.
func (t *Tx) RowsFrom(batch string, first int, visit func(*Row) bool) error {
	h, err := t.head(batch)
	if err != nil {
		return err
	}
	return t.each(bRow, h.rowsPrefix(), rowKey(h.No, first), func(k, v []byte) (bool, error) {
		r, err := t.decodeRow(h, k, v)
		if err != nil {
			return false, err
		}
		return visit(r), nil
	})
}

// BatchesFrom is Batches from batch id first on, which need not exist: ids are in
// the order of time. Batches made in the same transaction are left out.
func (t *Tx) BatchesFrom(first string, visit func(*Batch) bool) error {
	return t.each(bBatch, nil, []byte(first), func(k, _ []byte) (bool, error) {
		h, err := t.head(string(k))
		if err != nil {
			return false, err
		}
		b := h.Batch
		b.Spool = nil
		return visit(&b), nil
	})
}

// BatchesNewestFirst is BatchesFrom in the opposite order, for people who look for
// what happened lately.
func (t *Tx) BatchesNewestFirst(visit func(*Batch) bool) error {
	var ids []string
	err := t.each(bBatch, nil, nil, func(k, _ []byte) (bool, error) {
		ids = append(ids, string(k))
		return true, nil
	})
	for _, id := range slices.Backward(ids) {
		if err != nil {
			break
		}
		var h *head
		if h, err = t.head(id); err == nil {
			b := h.Batch
			b.Spool = nil
			if !visit(&b) {
				break
			}
		}
	}
	return err
}
