package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sendconnector/internal/notification"
)

// chunk is how many rows one transaction of a long piece of work handles.
const chunk = 1000

// Begin creates a batch as READING. What an earlier, interrupted reading of the same
// batch left is removed first, so that reading again gives the same result (rule
// 10). ErrSealed for a batch that has been read or rejected as a whole, also where a
// purge has removed it since: what its rows are now nobody knows any more.
func (l *Ledger) Begin(ctx context.Context, b Batch) error {
	b.State, b.Release = Reading, ""
	for {
		more := false
		err := l.Update(ctx, func(t *Tx) error {
			more = false
			h, err := t.head(b.ID)
			if err != nil {
				if err = ignoreNotFound(err); err != nil {
					return err
				}
				if t.Purged(b.ID) {
					return ErrSealed
				}
				_, err = t.newHead(&b)
				return err
			}
			if h.State != Reading {
				return ErrSealed
			}
			more, err = t.unread(h)
			if err != nil || more {
				return err
			}
			fresh := head{Batch: b, No: h.No, newSpool: true}
			fresh.Version = h.Version
			*h = fresh
			return t.touch(h, false)
		})
		if err != nil || !more {
			return err
		}
	}
}

// Admit gives the items of a READING batch their verdicts, in one transaction, and
// stores their rows; the verdicts come in the order of the items. Give it about a
// thousand items at a time. Nothing of it is due before Seal. *ReadingError while
// another batch that is still being read has a key of the items: nothing of them is
// stored then.
func (l *Ledger) Admit(ctx context.Context, batch string, items []Item) ([]Verdict, error) {
	var verdicts []Verdict
	err := l.Update(ctx, func(t *Tx) error {
		verdicts = make([]Verdict, 0, len(items))
		h, err := t.head(batch)
		if err != nil {
			return err
		}
		if h.State != Reading {
			return ErrSealed
		}
		for i := range items {
			v, err := t.admit(h, &items[i])
			if err != nil {
				return fmt.Errorf("batch %s, row %d: %w", batch, items[i].firstRow(), err)
			}
			verdicts = append(verdicts, v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return verdicts, nil
}

// judging is the batch of Judge, which is never stored.
const judging = "\x00judge"

// Judge gives the verdicts that Admit would give to these items in a batch with the
// identity of b (environment, sender, flow), and writes nothing: for preview, and
// to ask which rows would be sent (rule 27). Items without documents are judged as
// far as that can be.
func (l *Ledger) Judge(ctx context.Context, b Batch, items []Item) ([]Verdict, error) {
	if l.opts.ReadOnly {
		return nil, ErrReadOnly
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tx, err := l.db.Begin(true) // rolled back: the items of one drop are judged one after the other, as Admit does
	if err != nil {
		return nil, closedError(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was to be kept
	t := l.newTxn(tx)
	b.ID, b.State = judging, Reading
	h, err := t.newHead(&b)
	if err != nil {
		return nil, err
	}
	verdicts := make([]Verdict, 0, len(items))
	for i := range items {
		v, err := t.admit(h, &items[i])
		if err != nil {
			return nil, err
		}
		if v.New && v.ID != 0 && v.Attempt == 1 {
			v.ID = 0 // it does not exist
		}
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

// admit judges one item and carries the decision out.
func (t *txn) admit(h *head, it *Item) (Verdict, error) {
	d, err := t.judge(h, it)
	if err != nil {
		return Verdict{}, err
	}
	if d.clash && d.cur != nil {
		if err := t.fell(h, it, d); err != nil {
			return Verdict{}, err
		}
	}
	rows := d.rows(it)
	switch {
	case d.Outcome == RowRejected && it.Protocol != "":
		err = t.remember(h, it, d)
	case d.Outcome == RowKnown || d.Outcome == RowRefused:
		err = t.snapshot(h, it, d, rows)
	case d.waits:
		err = t.admitBehind(h, it, d, rows)
	case d.New:
		err = t.admitNew(h, it, d, rows)
	}
	if err != nil {
		return Verdict{}, err
	}
	if d.New {
		h.Admitted++
		if err := t.supersedeLater(h, it, d); err != nil {
			return Verdict{}, err
		}
	}
	h.Rows += len(rows)
	for _, r := range rows {
		if err := t.putRow(h, r); err != nil {
			return Verdict{}, err
		}
	}
	return d.Verdict, nil
}

// rows makes the rows of an item with their verdict. Only warnings stay on rows
// that were not rejected.
func (d *decision) rows(it *Item) []*Row {
	rows := make([]*Row, 0, len(it.Rows))
	for i := range it.Rows {
		in := &it.Rows[i]
		r := &Row{Number: in.Number, Cells: in.Cells, Outcome: d.Outcome, Protocol: it.Protocol, ID: d.ID, Attempt: d.Attempt, Recipients: in.Recipients}
		for _, list := range [][]notification.Problem{in.Problems, it.Problems, d.Problems} {
			for _, p := range list {
				if d.Outcome == RowRejected || p.Severity == notification.Warning {
					r.Problems = append(r.Problems, p)
				}
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// admitNew stores a new notification for a key that is free.
func (t *txn) admitNew(h *head, it *Item, d *decision, rows []*Row) error {
	k := Key{Environment: h.Environment, SenderTaxID: h.SenderTaxID, Protocol: it.Protocol}
	n := &Notification{
		Key: k, Sender: h.Sender, Flow: h.Flow, Outbox: h.Outbox, Attempt: d.Attempt, State: Ready,
		Request: it.Request, Print: it.Print, Token: notification.Token(k.SenderTaxID, k.Protocol, d.Attempt),
		Documents: it.Documents, OwnerBatch: h.ID, Rows: numbers(it), OwnerRow: it.firstRow(),
		CreatedAt: t.now, ChangedAt: t.now,
	}
	if old := d.cur; old != nil {
		n.Replaces, n.Automatic, n.FileAttempt = old.ID, old.Automatic, old.FileAttempt || d.fileOnly
	}
	if err := t.addNote(n, rows); err != nil {
		return err
	}
	if n.Replaces != 0 {
		if err := t.setReplacedBy(n.Replaces, n.ID); err != nil {
			return err
		}
	}
	d.ID = n.ID
	for _, r := range rows {
		r.ID = n.ID
	}
	return nil
}

// admitBehind stores a new request beside an attempt that was refused, until a
// fresh look-up proves the refusal (rule 4).
func (t *txn) admitBehind(h *head, it *Item, d *decision, rows []*Row) error {
	p := &Pending{
		Request: it.Request, Print: it.Print, Documents: it.Documents, Batch: h.ID, Row: it.firstRow(), Rows: numbers(it),
		FileOnly: d.fileOnly, Since: t.now,
	}
	n := d.cur
	if n == nil {
		if err := t.revive(h, it, d); err != nil {
			return err
		}
		n = d.cur
	}
	old, err := t.loadHot(n.ID)
	if err != nil {
		return err
	}
	n.Pending, n.NextAttempt, n.Tries, n.LastError = p, time.Time{}, 0, nil
	if err := t.replaceNote(old, n, Cause{}); err != nil {
		return err
	}
	d.ID = n.ID
	for _, r := range rows {
		r.ID = n.ID
	}
	h.Waiting++
	count(&h.Lines, InCoda, lineCount(rows))
	return t.touch(h, false)
}

// revive makes a notification again of the tombstone of a refused one, so that its
// attempt can be looked up before the next. It has no rows.
func (t *txn) revive(h *head, it *Item, d *decision) error {
	tb := d.tomb
	k := Key{Environment: h.Environment, SenderTaxID: h.SenderTaxID, Protocol: it.Protocol}
	n := &Notification{
		Key: k, Sender: h.Sender, Flow: h.Flow, Outbox: h.Outbox, Attempt: tb.Attempt, State: Refused,
		Request: it.Request, Print: tb.Print, Token: notification.Token(k.SenderTaxID, k.Protocol, tb.Attempt),
		OwnerBatch: h.ID, RequestID: tb.RequestID, Automatic: tb.Automatic, FileAttempt: tb.FileAttempt,
	}
	for _, c := range tb.Codes {
		n.Refusals = append(n.Refusals, notification.Problem{Severity: notification.Error, Code: c, Message: c})
	}
	d.cur = n
	return t.addNote(n, nil)
}

func numbers(it *Item) []int {
	var all []int
	for _, r := range it.Rows {
		all = append(all, r.Number)
	}
	return all
}

// snapshot gives rows of a known key the lines of the notification they were found
// to be, as they are at reading (rule 11).
func (t *txn) snapshot(h *head, it *Item, d *decision, rows []*Row) error {
	if d.twin {
		if err := t.addTwin(h, d.ID, numbers(it)); err != nil {
			return err
		}
	}
	for _, r := range rows {
		line, err := t.snapshotLines(h, it, d, r)
		if err != nil {
			return err
		}
		r.Snapshot = line
	}
	return nil
}

func (t *txn) snapshotLines(h *head, it *Item, d *decision, r *Row) ([]Line, error) {
	n := d.cur
	if n == nil {
		tb := d.tomb
		line := Line{Row: r.Number, Protocol: it.Protocol, Batch: tb.Batch, Attempt: tb.Attempt, RequestID: tb.RequestID, UpdatedAt: t.now}
		if d.Outcome == RowRefused {
			line.Outcome = Rifiutata
			if len(tb.Codes) > 0 {
				line.Code, line.Message = tb.Codes[0], tb.Codes[0]
			}
		}
		return forRecipients(line, r.Recipients), nil
	}
	seen := &Row{Batch: n.OwnerBatch, Number: r.Number, Attempt: n.Attempt}
	if n.Pending != nil {
		seen.Batch, seen.Attempt = n.Pending.Batch, n.Attempt+1
	}
	for _, i := range r.Recipients {
		seen.Recipients = append(seen.Recipients, recipientOf(n, it, i))
	}
	owner, err := t.head(seen.Batch)
	if err != nil {
		return nil, err
	}
	var lines []Line
	if owner == h { // the gate of a batch that is being read is neither open nor shut
		lines = view{lang: t.l.opts.Language, head: h, bare: true}.linked(seen, n)
	} else {
		lines, err = t.linkedLines(owner, seen, n)
	}
	for i := range lines {
		if lines[i].Environment == h.Environment {
			lines[i].Environment = "" // the batch has it; decodeRow puts it back
		}
	}
	return lines, err
}

// recipientOf finds a recipient of the row's request in the notification's, whose
// order may be another.
func recipientOf(n *Notification, it *Item, i int) int {
	if it.Request == nil || i < 0 || i >= len(it.Request.Recipients) {
		return i
	}
	id := it.Request.Recipients[i].TaxID
	if at := slices.IndexFunc(requestRecipients(n), func(r notification.Recipient) bool { return r.TaxID == id }); at >= 0 {
		return at
	}
	return i
}

// fell turns the first of two differing items of one drop, admitted before, into a
// rejected one, and with it whatever rows were found to be the same.
func (t *txn) fell(h *head, it *Item, d *decision) error {
	n := d.cur
	rows := slices.Clone(n.Rows)
	request, print := n.Request, n.Print
	if n.Pending != nil {
		rows, request, print = slices.Clone(n.Pending.Rows), n.Pending.Request, n.Pending.Print
	}
	s, err := t.superseding(h, n.ID)
	if err != nil {
		return err
	}
	if err := t.unadmit(h, n.ID); err != nil {
		return err
	}
	if err := t.drop(bSupersede, supersedeKey(h, n.ID)); err != nil {
		return err
	}
	first := Item{Request: request, Print: print, Protocol: it.Protocol}
	p := t.problem("C-DUPLICATE-IN-DROP", "protocol", it.Protocol, "row", itoa(it.firstRow()))
	for _, number := range append(rows, s.Twins...) {
		r, err := t.Row(h.ID, number)
		if err != nil {
			return err
		}
		r.Outcome, r.ID, r.Attempt, r.Snapshot = RowRejected, 0, 0, nil
		r.Problems = append(r.Problems, p)
		if err := t.putRow(h, r); err != nil {
			return err
		}
		first.Rows = append(first.Rows, ItemRow{Number: number})
	}
	if err := t.remember(h, &first, d); err != nil {
		return err
	}
	d.cur = nil
	d.prior, err = t.rejectionOf(Key{Environment: h.Environment, SenderTaxID: h.SenderTaxID, Protocol: it.Protocol})
	return err
}
