package ledger

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Release opens the release gate of a sealed batch (rule 19). An open one is no
// error; a discarded one cannot be opened (*TransitionError).
func (l *Ledger) Release(ctx context.Context, batch string) error {
	return l.ReleaseBy(ctx, batch, "")
}

// ReleaseBy is Release by a file, whose name Batch.ReleaseWhy keeps.
func (l *Ledger) ReleaseBy(ctx context.Context, batch, file string) error {
	return l.Update(ctx, func(t *Tx) error {
		h, err := t.head(batch)
		if err != nil {
			return err
		}
		switch {
		case h.State != Sealed || h.Release == DiscardedBatch:
			return &TransitionError{From: State(h.State), To: State(Released), Why: "batch " + batch + " is not waiting for release"}
		case h.Release == Released:
			return nil
		}
		h.Release, h.ReleaseAt, h.ReleaseWhy = Released, time.Time{}, file
		return t.touch(h, true)
	})
}

// GateRestored shuts, with why as the reason, the release gate of every batch of which
// something may still be sent, if the ledger was restored and this has not been done
// since: whether a person has discarded such a batch after the backup, nobody can tell
// from here. It names the batches that it shut. It is one transaction, and a second call
// shuts nothing: a batch that is released after it stays released.
func (l *Ledger) GateRestored(ctx context.Context, why string) (shut []string, err error) {
	err = l.Update(ctx, func(t *Tx) error {
		shut = nil
		if metaNumber(t.b, "behind") != behindUngated {
			return nil
		}
		sending, err := t.sending()
		if err != nil {
			return err
		}
		for _, no := range slices.Sorted(maps.Keys(sending)) {
			h, err := t.headByNo(no)
			if err != nil {
				return err
			}
			if h.State != Sealed || h.Release == AwaitsRelease || h.Release == DiscardedBatch {
				continue
			}
			h.Release, h.ReleaseAt, h.ReleaseWhy = AwaitsRelease, time.Time{}, why
			if err := t.touch(h, true); err != nil {
				return err
			}
			shut = append(shut, h.ID)
		}
		return t.put(bMeta, []byte("behind"), strconv.AppendUint(nil, behindGated, 10))
	})
	return shut, err
}

// sending gives the numbers of the batches of which something is to be sent, now or
// later: what is READY, UPLOADED, INTENT, or waits for a new attempt.
func (t *txn) sending() (map[uint64]bool, error) {
	found := map[uint64]bool{}
	for _, class := range []byte{dueSend, dueResolve} {
		if err := t.each(bDue, []byte{class}, nil, func(_, gate []byte) (bool, error) {
			found[binary.BigEndian.Uint64(gate)] = true
			return true, nil
		}); err != nil {
			return nil, err
		}
	}
	return found, t.each(bFresh, nil, nil, func(k, _ []byte) (bool, error) {
		found[binary.BigEndian.Uint64(k[4:])] = true
		return true, nil
	})
}

// AwaitsRelease tells whether a batch's gate is shut until a person opens it.
func (t *Tx) AwaitsRelease(batch string) (bool, error) {
	h, err := t.head(batch)
	if err != nil {
		return false, err
	}
	return h.State == Sealed && h.Release == AwaitsRelease, nil
}

// DiscardBatch gives up what of a batch has not left: every notification before
// INTENT, and every request that waits behind a refused attempt, becomes SCARTATA
// with C-DISCARDED. What has left, or may have, goes on (rule 3).
func (l *Ledger) DiscardBatch(ctx context.Context, batch string) error {
	err := l.Update(ctx, func(t *Tx) error {
		h, err := t.head(batch)
		if err != nil {
			return err
		}
		if h.State != Sealed {
			return &TransitionError{From: State(h.State), To: Discarded, Why: "batch " + batch + " has not been read to its end"}
		}
		if h.States[Ready]+h.States[Uploaded]+h.Waiting == 0 {
			return &TransitionError{From: Submitted, To: Discarded, Why: "nothing of batch " + batch + " is left to discard"}
		}
		h.Release, h.ReleaseAt, h.ReleaseWhy = DiscardedBatch, time.Time{}, ""
		if err := t.addChore(choreDiscard, h); err != nil {
			return err
		}
		return t.touch(h, true)
	})
	if err != nil {
		return err
	}
	return l.finishChores(ctx)
}

func (t *txn) discardRow(h *head, r *Row) error {
	if r.Outcome != RowLinked || r.Superseded {
		return nil
	}
	n, err := t.note(r.ID)
	if err != nil {
		return ignoreNotFound(err)
	}
	if p := n.Pending; p != nil && p.Batch == h.ID {
		return t.discardPending(n)
	}
	if n.OwnerBatch != h.ID || n.State != Ready && n.State != Uploaded {
		return nil
	}
	return t.discard(n)
}

func (t *txn) discard(n *Notification) error {
	n.State = Discarded
	return t.putNote(n, Cause{Event: "DISCARDED", EventAt: t.now})
}

func (t *txn) discardPending(n *Notification) error {
	return t.settlePending(n, func(_ *Row, _ *Item, d *decision) {
		d.add(t.problem("C-DISCARDED"))
	})
}

// DiscardNotification gives up one notification before INTENT, or its waiting
// request; ErrTooLate from INTENT on (rule 3).
func (l *Ledger) DiscardNotification(ctx context.Context, id ID) error {
	return l.Update(ctx, func(t *Tx) error {
		n, err := t.note(id)
		if err != nil {
			return err
		}
		switch {
		case n.Pending != nil:
			return t.discardPending(n)
		case n.State == Discarded:
			return nil
		case n.State != Ready && n.State != Uploaded:
			return ErrTooLate
		}
		return t.discard(n)
	})
}

// Counts are how far a batch has got.
type Counts struct {
	Rows     map[RowOutcome]int
	States   map[State]int   // of the notifications it owns
	Outcomes map[Outcome]int // of its outcome lines
	Waiting  int             // new requests that wait for the proof of a refusal
}

// Counts gives a batch's counts without reading its rows.
func (l *Ledger) Counts(ctx context.Context, batch string) (Counts, error) {
	var c Counts
	err := l.View(ctx, func(t *Tx) error {
		h, err := t.head(batch)
		if err != nil {
			return err
		}
		c, err = t.counts(h)
		return err
	})
	return c, err
}

// counts lays holds and the gate over what the head has counted.
func (t *txn) counts(h *head) (Counts, error) {
	c := Counts{Rows: map[RowOutcome]int{}, States: map[State]int{}, Outcomes: map[Outcome]int{}, Waiting: h.Waiting}
	for k, n := range h.RowsBy {
		c.Rows[RowOutcome(k)] = n
	}
	for k, n := range h.States {
		c.States[k] = n
	}
	for k, n := range h.Lines {
		c.Outcomes[k] = n
	}
	for row, outcome := range map[RowOutcome]Outcome{RowRejected: Scartata, RowKnown: GiaPresente, RowRefused: Rifiutata} {
		if n := c.Rows[row]; n > 0 {
			c.Outcomes[outcome] += n
		}
	}
	sender, err := t.holdStored(HoldSender, h.Sender)
	if err != nil {
		return c, err
	}
	flow, err := t.holdStored(HoldFlow, h.Flow)
	if err != nil {
		return c, err
	}
	if sender != nil || flow != nil || h.State == Sealed && !t.gateOpen(h) {
		if n := c.Outcomes[InCoda] + c.Outcomes[Inviata]; n > 0 {
			c.Outcomes[Sospesa] += n
		}
		delete(c.Outcomes, InCoda)
		delete(c.Outcomes, Inviata)
	}
	return c, nil
}

// BatchesToPublish is Tx.BatchesToPublish in a transaction of its own.
func (l *Ledger) BatchesToPublish(ctx context.Context, outbox string) ([]*Batch, error) {
	var found []*Batch
	err := l.View(ctx, func(t *Tx) (err error) {
		found, err = t.BatchesToPublish(outbox)
		return err
	})
	return found, err
}
