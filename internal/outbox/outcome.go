package outbox

import (
	"context"
	"errors"
	"io"
	"time"

	"sendconnector/internal/ledger"
)

// publishOutcomes rewrites the outcome files that are behind, each at most every
// Refresh, and before each the index of the batch's documents, so that no outcome
// counts a document that its index does not name.
func (o *Outbox) publishOutcomes(ctx context.Context, now State, report *Report) error {
	var behind []*ledger.Batch
	err := o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		var err error
		behind, err = tx.BatchesToPublish(o.opts.Name)
		return err
	})
	if err != nil {
		return err
	}
	var failures []error
	for _, b := range behind {
		written, next, err := o.publishOutcome(ctx, b, now.Flush)
		if written {
			report.Outcomes++
		}
		report.Next = sooner(report.Next, next)
		if err != nil && (!onlyFolder(err) || whole(err)) {
			return err
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// publishOutcome writes one batch's index and outcome file if it is their time, and
// says when it is otherwise.
func (o *Outbox) publishOutcome(ctx context.Context, b *ledger.Batch, flush bool) (bool, time.Time, error) {
	last, err := o.publication(ctx, kindOutcome, b.ID)
	if err != nil {
		return false, time.Time{}, err
	}
	if b.State == ledger.Unreadable {
		return false, time.Time{}, o.noOutcome(ctx, b)
	}
	now := o.opts.Clock()
	if last != nil && last.Hash != "" && !flush {
		if due := last.At.Add(o.pace(b.ID)); now.Before(due) && !now.Before(last.At) {
			return false, due, nil
		}
	}
	name := outcomeName(b)
	if err := o.rests.resting(name, now); err != nil {
		return false, time.Time{}, err
	}
	if err := o.writeIndex(ctx, b.ID); err != nil {
		return false, time.Time{}, err
	}
	done, err := o.publish(ctx, stepOutcomePublish, name, func(w io.Writer) error {
		return o.writeOutcome(ctx, b, w)
	})
	if err != nil {
		return false, time.Time{}, err
	}
	end := o.opts.Clock()
	o.took[b.ID] = end.Sub(now)
	return true, time.Time{}, o.commit(ctx, stepOutcomeCommit, &ledger.Publication{
		Outbox: o.opts.Name, Kind: kindOutcome, Name: b.ID, File: done.Name,
		Hash: done.SHA256, Version: b.Version, At: end,
	})
}

// maxShare keeps the rewriting of very large outcome files below a twentieth of the
// time, however short Refresh is.
const maxShare = 20

// pace is how long a batch's outcome file is left as it is after it was written.
func (o *Outbox) pace(batch string) time.Duration {
	return max(o.opts.Refresh, maxShare*o.took[batch])
}

// noOutcome notes that a file which could not be read has no outcome file: it lies
// in rejected/ with its reason.
func (o *Outbox) noOutcome(ctx context.Context, b *ledger.Batch) error {
	return o.commit(ctx, stepOutcomeCommit, &ledger.Publication{
		Outbox: o.opts.Name, Kind: kindOutcome, Name: b.ID, Hash: foundedHash,
		Version: b.Version, At: o.opts.Clock(),
	})
}

// rowChunk is how many rows are read in one view of the ledger.
const rowChunk = 1000

// writeOutcome streams the outcome of a batch: original cells, then the send_ cells,
// one line per row and recipient. It reads in chunks, so that neither memory nor the
// age of a view depends on the size of the batch. What changes meanwhile makes the
// batch newer than the version that is then committed, and so due again.
func (o *Outbox) writeOutcome(ctx context.Context, b *ledger.Batch, w io.Writer) error {
	heading := append(append([]string(nil), b.Heading...), outcomeColumns()...)
	s := newSheet(w, heading)
	cells := make([]string, 0, len(heading))
	for next, more := 0, true; more; {
		err := o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
			var err error
			next, more, err = writeRows(tx, b, next, func(r *ledger.Row, l ledger.Line) error {
				cells = appendOriginal(cells[:0], r.Cells, len(b.Heading))
				return s.line(appendLine(cells, l))
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	return s.flush()
}

// writeRows gives the lines of at most a chunk of rows from row number from on, and
// the number to go on with.
func writeRows(tx *ledger.Tx, b *ledger.Batch, from int, line func(*ledger.Row, ledger.Line) error) (next int, more bool, err error) {
	next = from
	seen := 0
	var inner error
	err = tx.RowsFrom(b.ID, from, func(r *ledger.Row) bool {
		if seen == rowChunk {
			more = true
			return false
		}
		seen++
		next = r.Number + 1
		inner = rowLines(tx, r, line)
		return inner == nil
	})
	return next, more, errors.Join(err, inner)
}

// rowLines gives the lines of a row; a row always has at least one, because a row
// that entered must have an answer.
func rowLines(tx *ledger.Tx, r *ledger.Row, line func(*ledger.Row, ledger.Line) error) error {
	lines, err := tx.Lines(r)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		lines = []ledger.Line{{Row: r.Number, Protocol: r.Protocol, Recipient: -1}}
	}
	for _, l := range lines {
		if err := line(r, l); err != nil {
			return err
		}
	}
	return nil
}

// appendOriginal adds exactly as many cells as the heading has columns, so that the
// send_ columns never shift.
func appendOriginal(cells, original []string, columns int) []string {
	for i := range columns {
		cell := ""
		if i < len(original) {
			cell = original[i]
		}
		cells = append(cells, cell)
	}
	return cells
}
