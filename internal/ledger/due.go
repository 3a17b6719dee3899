package ledger

import (
	"bytes"
	"encoding/binary"
	"time"
)

// Classes of due work; the first byte of a due key.
const (
	dueSend    = 's' // READY, UPLOADED; REFUSED or CANCELLED with a new attempt to prove
	dueResolve = 'r' // INTENT
	dueAsk     = 'a' // SUBMITTED; ACCEPTED or CANCELLED with a time set
	dueFetch   = 'w' // artifact WANTED
	duePlace   = 'f' // artifact FETCHED
)

// dueOf tells under which class and from when a notification has work, and which
// batch's gate must be open for it.
func dueOf(n *Notification) (class byte, at time.Time, gate string, ok bool) {
	if n.ReplacedBy != 0 {
		return 0, at, "", false
	}
	switch n.State {
	case Ready, Uploaded:
		return dueSend, n.NextAttempt, n.OwnerBatch, true
	case Intent:
		return dueResolve, n.NextAttempt, n.OwnerBatch, true
	case Submitted:
		return dueAsk, n.NextAttempt, n.OwnerBatch, true
	case Refused, Cancelled:
		if n.Pending != nil {
			return dueSend, n.NextAttempt, n.Pending.Batch, true
		}
		if n.AutomaticDue() {
			return dueSend, n.NextAttempt, n.OwnerBatch, true
		}
	}
	if n.State == Refused || n.State == Accepted || n.State == Cancelled {
		return dueAsk, n.NextAttempt, n.OwnerBatch, !n.NextAttempt.IsZero()
	}
	return 0, at, "", false
}

// dueEntry is a notification's key in the due index and its gate; nil if it has none.
func (t *txn) dueEntry(n *Notification) (key, gate []byte, err error) {
	class, at, batch, ok := dueOf(n)
	if !ok {
		return nil, nil, nil
	}
	sender, err := t.number(nameSender, n.Sender)
	if err != nil {
		return nil, nil, err
	}
	h, err := t.head(batch)
	if err != nil {
		return nil, nil, err
	}
	return joined([]byte{class}, sender, u64(millis(at)), n.ID.key()), u64(h.No), nil
}

// isFresh: work never tried, found through the range of its batch and not through
// an entry of its own.
func isFresh(n *Notification) bool {
	return n.State == Ready && n.NextAttempt.IsZero() && n.Tries == 0
}

// firstDue files a new notification: in its batch's range while that is read, in
// the due index otherwise.
func (t *txn) firstDue(next *hot) error {
	n := &next.Notification
	h, err := t.head(n.OwnerBatch)
	if err != nil {
		return err
	}
	next.fresh = isFresh(n) && h.State == Reading
	if next.fresh {
		if h.First == 0 {
			h.First = n.ID
		}
		h.Last = n.ID
		h.Fresh++
		return t.touch(h, false)
	}
	return t.putDue(n)
}

func (t *txn) putDue(n *Notification) error {
	key, gate, err := t.dueEntry(n)
	if err != nil || key == nil {
		return err
	}
	t.wake = true
	return t.put(bDue, key, gate)
}

// reindexDue follows a notification's due entry and takes it out of its batch's
// range with its first step.
func (t *txn) reindexDue(old, next *hot) error {
	n := &next.Notification
	next.fresh = old.fresh && isFresh(n) && n.OwnerBatch == old.OwnerBatch
	var was []byte
	if !old.fresh {
		key, gate, err := t.dueEntry(&old.Notification)
		if err != nil {
			return err
		}
		is, newGate, err := t.dueEntry(n)
		if err != nil {
			return err
		}
		if key != nil && bytes.Equal(key, is) && bytes.Equal(gate, newGate) {
			return nil
		}
		was = key
	}
	if was != nil {
		if err := t.drop(bDue, was); err != nil {
			return err
		}
	}
	if next.fresh {
		return nil
	}
	if old.fresh {
		if err := t.leaveRange(&old.Notification); err != nil {
			return err
		}
	}
	return t.putDue(n)
}

// freshRange is the fresh work of a sealed batch: ids from From to To, of which
// Left are fresh. Ids in between may belong to another batch, or have left.
type freshRange struct {
	From, To ID
	Left     uint64
}

func (f freshRange) encode() []byte {
	return joined(f.From.key(), f.To.key(), u64(f.Left))
}

func decodeRange(v []byte) freshRange {
	if len(v) < 24 {
		return freshRange{}
	}
	return freshRange{From: idFrom(v), To: idFrom(v[8:]), Left: binary.BigEndian.Uint64(v[16:])}
}

func (t *txn) rangeKey(h *head) ([]byte, error) {
	sender, err := t.number(nameSender, h.Sender)
	return joined(sender, u64(h.No)), err
}

// leaveRange counts a notification out of its batch's range and moves the range's
// start past what has left, so that nobody walks over it again.
func (t *txn) leaveRange(n *Notification) error {
	h, err := t.head(n.OwnerBatch)
	if err != nil {
		return err
	}
	key, err := t.rangeKey(h)
	if err != nil {
		return err
	}
	v := t.get(bFresh, key)
	if v == nil {
		return nil // still READING
	}
	f := decodeRange(v)
	f.Left--
	if f.Left == 0 {
		return t.drop(bFresh, key)
	}
	if n.ID == f.From {
		for f.From++; f.From < f.To; f.From++ {
			if v := t.get(bNote, f.From.key()); v != nil && recordFlags(v)&flagFresh != 0 {
				break
			}
		}
	}
	return t.put(bFresh, key, f.encode())
}
