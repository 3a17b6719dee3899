package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sendconnector/internal/notification"
)

// defaultMax is how many new attempts a drop may bring before it waits for a person
// (rule 19), where Sealing does not say.
const defaultMax = 1000

// Sealing is what the flow says about a batch that has been read.
type Sealing struct {
	Release          Release   // Released, AwaitsRelease or DelayedRelease; "" = Released
	ReleaseAt        time.Time // of DelayedRelease
	ReleaseWhy       string    // code why it waits; "" = C-RELEASE-WAIT
	MaxNotifications int       // new attempts above which it waits whatever Release says; 0 = 1,000, negative = no limit
	AvoidedCent      int       // refusal fees avoided by local rejections
}

// Seal ends the reading of a batch: counts its new attempts, applies the release
// gate (rule 19), makes its work due, and writes the Changes of rejected rows,
// repeated refusals and superseded rows (rule 11), the latter in chunks that a crash
// neither loses nor repeats. Sealing a sealed batch again gives it back unchanged.
func (l *Ledger) Seal(ctx context.Context, batch string, s Sealing) (*Batch, error) {
	var sealed *Batch
	err := l.Update(ctx, func(t *Tx) error {
		h, err := t.head(batch)
		if err != nil {
			return err
		}
		if h.State == Reading {
			if err := t.seal(h, s); err != nil {
				return err
			}
		}
		sealed, err = t.Batch(batch)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := l.finishChores(ctx); err != nil {
		return nil, err
	}
	return sealed, nil
}

func (t *txn) seal(h *head, s Sealing) error {
	h.State, h.SealedAt, h.AvoidedCent = Sealed, t.now, s.AvoidedCent
	h.Known = h.Rows > 0 && h.RowsBy[string(RowKnown)] == h.Rows
	h.Release, h.ReleaseAt, h.ReleaseWhy = s.Release, s.ReleaseAt, s.ReleaseWhy
	limit := s.MaxNotifications
	if limit == 0 {
		limit = defaultMax
	}
	switch {
	case h.Admitted == 0:
		h.Release, h.ReleaseAt, h.ReleaseWhy = Released, time.Time{}, "" // nothing to let go
	case limit > 0 && h.Admitted > limit:
		h.Release, h.ReleaseAt, h.ReleaseWhy = AwaitsRelease, time.Time{}, "C-RELEASE-MAX"
	case h.Release == "":
		h.Release = Released
	case h.Release == AwaitsRelease && h.ReleaseWhy == "":
		h.ReleaseWhy = "C-RELEASE-WAIT"
	case h.Release == DelayedRelease && h.ReleaseWhy == "":
		h.ReleaseWhy = "C-RELEASE-DELAY"
	}
	if h.Fresh > 0 {
		key, err := t.rangeKey(h)
		if err != nil {
			return err
		}
		f := freshRange{From: h.First, To: h.Last, Left: uint64(h.Fresh)}
		if err := t.put(bFresh, key, f.encode()); err != nil {
			return err
		}
	}
	if h.RowsBy[string(RowRejected)]+h.RowsBy[string(RowRefused)] > 0 {
		if err := t.addChore(choreTell, h); err != nil {
			return err
		}
	}
	if t.any(bSupersede, u64(h.No)) {
		if err := t.addChore(choreSupersede, h); err != nil {
			return err
		}
	}
	return t.touch(h, true)
}

// Unreadable stores a batch whose whole file was rejected, with the reason. A
// reading that had begun is removed first.
func (l *Ledger) Unreadable(ctx context.Context, b Batch, p notification.Problem) error {
	if err := l.Begin(ctx, b); err != nil {
		return err
	}
	return l.Update(ctx, func(t *Tx) error {
		h, err := t.head(b.ID)
		if err != nil {
			return err
		}
		h.State, h.Problem, h.SealedAt, h.Release = Unreadable, &p, t.now, Released
		return t.touch(h, true)
	})
}

// Chores are work of many rows that one decision brings with it, done in chunks. A
// chore's record holds how far it has got, in the same transaction as what it did.
const (
	choreTell      = 't' // Changes of rejected rows and repeated refusals
	choreSupersede = 'u' // last update of rows whose key a later drop took over
	choreDiscard   = 'd' // notifications of a discarded batch
)

func (t *txn) addChore(kind byte, h *head) error {
	return t.put(bChore, choreKey(kind, h), u64(0))
}

func choreKey(kind byte, h *head) []byte { return joined([]byte{kind}, u64(h.No)) }

// finishChores does what is left of every chore.
func (l *Ledger) finishChores(ctx context.Context) error {
	for more := true; more; {
		var kind byte
		err := l.View(ctx, func(t *Tx) error {
			k, _ := t.bucket(bChore).Cursor().First()
			more = k != nil
			return nil
		})
		if err != nil || !more {
			return err
		}
		err = l.Update(ctx, func(t *Tx) error {
			k, v := t.bucket(bChore).Cursor().First()
			if k == nil {
				return nil
			}
			kind = k[0]
			return t.chore(slices.Clone(k), binary.BigEndian.Uint64(v))
		})
		if err != nil {
			return fmt.Errorf("ledger: chore %q: %w", kind, err)
		}
	}
	return nil
}

// chore does one chunk of a chore and stores where the next begins.
func (t *Tx) chore(key []byte, from uint64) error {
	h, err := t.headByNo(binary.BigEndian.Uint64(key[1:]))
	if err != nil {
		return err
	}
	var next uint64
	switch key[0] {
	case choreSupersede:
		next, err = t.supersedeSome(h)
	case choreTell:
		next, err = t.overRows(h, from, t.tellRow)
	case choreDiscard:
		next, err = t.overRows(h, from, t.discardRow)
	case choreRemove:
		next, err = t.removeSome(h)
	default:
		err = errors.New("unknown kind")
	}
	if err != nil {
		return err
	}
	if next == 0 {
		return t.drop(bChore, key)
	}
	return t.put(bChore, key, u64(next))
}

// overRows calls do for a chunk of rows and gives the row after them, 0 at the end.
func (t *txn) overRows(h *head, from uint64, do func(*head, *Row) error) (uint64, error) {
	var rows []*Row
	if err := t.each(bRow, h.rowsPrefix(), rowKey(h.No, int(from)), func(k, v []byte) (bool, error) {
		r, err := t.decodeRow(h, k, v)
		rows = append(rows, r)
		return len(rows) < chunk, err
	}); err != nil {
		return 0, err
	}
	for _, r := range rows {
		if err := do(h, r); err != nil {
			return 0, err
		}
	}
	if len(rows) < chunk {
		return 0, nil
	}
	return uint64(rows[len(rows)-1].Number) + 1, nil
}

// tellRow appends the one Change of a rejected row or of a repeated refusal.
func (t *txn) tellRow(h *head, r *Row) error {
	if r.Outcome != RowRejected && r.Outcome != RowRefused || r.Superseded {
		return nil
	}
	return t.changesOf(h, r, Cause{})
}

func (t *txn) changesOf(h *head, r *Row, c Cause) error {
	lines := t.l.settledLines(h, r)
	for i := range lines {
		lines[i].UpdatedAt = t.now
		if err := t.appendChange(h, &lines[i], c); err != nil {
			return err
		}
	}
	return nil
}

// superseded is what the sealing of a batch does to earlier rows of a key, because
// of one new attempt.
type superseded struct {
	Key       []byte   `json:",omitzero"` // of the rejection to end
	Refs      []rowRef `json:",omitzero"` // its rows
	Replaced  ID       `json:",omitzero"` // notification whose place is taken
	Successor string   `json:",omitzero"`
	Twins     []int    `json:",omitzero"` // rows of this batch found to be the same
}

func supersedeKey(h *head, id ID) []byte { return joined(u64(h.No), id.key()) }

func (t *txn) superseding(h *head, id ID) (*superseded, error) {
	s := &superseded{}
	return s, ignoreNotFound(t.read(bSupersede, supersedeKey(h, id), s))
}

func (t *txn) addTwin(h *head, id ID, rows []int) error {
	s, err := t.superseding(h, id)
	if err != nil {
		return err
	}
	s.Twins = append(s.Twins, rows...)
	return t.write(bSupersede, supersedeKey(h, id), s)
}

// supersedeLater notes what an admitted item takes over; it is done at Seal, so that
// a batch read again leaves no trace on others.
func (t *txn) supersedeLater(h *head, it *Item, d *decision) error {
	s := &superseded{Successor: rowOf(h.ID, it.firstRow())}
	if d.cur != nil && !d.waits { // the rows of one that waits are settled by NextAttempt
		s.Replaced = d.cur.ID
	}
	if d.prior != nil {
		key, err := t.exactKey(Key{Environment: h.Environment, SenderTaxID: h.SenderTaxID, Protocol: it.Protocol})
		if err != nil {
			return err
		}
		s.Key, s.Refs = key, d.prior.Refs
	}
	if s.Replaced == 0 && s.Key == nil {
		return nil
	}
	return t.write(bSupersede, supersedeKey(h, d.ID), s)
}

// supersedeSome does a chunk; done entries are removed, so it starts at the first.
func (t *txn) supersedeSome(h *head) (uint64, error) {
	var keys [][]byte
	var todo []*superseded
	if err := t.each(bSupersede, u64(h.No), nil, func(k, v []byte) (bool, error) {
		s := &superseded{}
		err := t.decode(bSupersede, k, v, s)
		keys, todo = append(keys, slices.Clone(k)), append(todo, s)
		return len(todo) < chunk, err
	}); err != nil {
		return 0, err
	}
	for i, s := range todo {
		if err := t.supersede(s); err != nil {
			return 0, err
		}
		if err := t.drop(bSupersede, keys[i]); err != nil {
			return 0, err
		}
	}
	if len(todo) < chunk {
		return 0, nil
	}
	return 1, nil
}

func (t *txn) supersede(s *superseded) error {
	if s.Key != nil {
		if err := t.drop(bRejected, s.Key); err != nil {
			return err
		}
	}
	for _, ref := range s.Refs {
		for _, number := range ref.Rows {
			r, err := t.Row(ref.Batch, number)
			if ignoreNotFound(err) != nil {
				return err
			}
			if err == nil && r.Outcome == RowRejected {
				if err := t.supersedeRow(r, nil, s.Successor); err != nil {
					return err
				}
			}
		}
	}
	if s.Replaced == 0 {
		return nil
	}
	n, err := t.note(s.Replaced)
	if err != nil {
		return ignoreNotFound(err) // purged since: its rows are gone, with nothing more to tell
	}
	return t.supersedeOwned(n, s.Successor)
}

// supersedeOwned freezes the rows of a notification's present attempt as they are
// and gives them their last update.
func (t *txn) supersedeOwned(n *Notification, successor string) error {
	h, err := t.head(n.OwnerBatch)
	if err != nil {
		return err
	}
	rows, err := t.rowsOf(n)
	if err != nil {
		return err
	}
	v := view{lang: t.l.opts.Language, bare: true, head: h}
	for _, r := range rows {
		if err := t.supersedeRow(r, v.lines(r, n), successor); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) supersedeRow(r *Row, lines []Line, successor string) error {
	if r.Superseded {
		return nil
	}
	h, err := t.head(r.Batch)
	if err != nil {
		return err
	}
	r.Superseded, r.Successor = true, strings.TrimSpace(successor)
	r.Snapshot = append(r.Snapshot, lines...)
	if err := t.putRow(h, r); err != nil {
		return err
	}
	if err := t.touch(h, true); err != nil {
		return err
	}
	return t.changesOf(h, r, Cause{Event: "SUPERSEDED"})
}
