package ledger

import (
	"encoding/binary"
	"slices"
	"time"

	"sendconnector/internal/notification"
)

// freedKept is how long it is remembered who let go of a notice: SEND frees one within
// minutes as a rule, and is given a day (rule 15, c); the rest is for naming who it was.
const freedKept = 7 * 24 * time.Hour

// Freed is a notification that held a notice until SEND refused or cancelled it.
type Freed struct {
	ID       ID
	Protocol string
	Batch    string
	Row      int
	At       time.Time // when this ledger learnt of it
}

// noteFreed remembers that n, refused or cancelled, has let go of its notices. What
// SEND never had (discarded, refused at once) frees nothing there. Digests are kept,
// not notices: they outlive a purge of n by some days.
func (t *txn) noteFreed(old, n *Notification) error {
	if n.State != Refused && n.State != Cancelled || old.State == n.State || old.Request == nil {
		return nil
	}
	oldest := millis(t.now.Add(-freedKept))
	if err := t.dropWhile(bFreed, nil, func(k []byte) bool { return binary.BigEndian.Uint64(k) < oldest }); err != nil {
		return err
	}
	for _, p := range notification.Notices(old.Request) {
		key := joined(u64(millis(t.now)), pairDigest(old.Key.Environment, p), old.ID.key())
		if err := t.put(bFreed, key, []byte{}); err != nil {
			return err
		}
	}
	return nil
}

// LastFreed gives the notification that let go of one of n's notices last, within the
// last seven days; nil if none did. An earlier attempt of n itself counts.
func (t *Tx) LastFreed(n *Notification) (*Freed, error) {
	var wanted [][]byte
	for _, p := range notification.Notices(n.Request) {
		wanted = append(wanted, pairDigest(n.Key.Environment, p))
	}
	var last []byte
	err := t.each(bFreed, nil, u64(millis(t.now.Add(-freedKept))), func(k, _ []byte) (bool, error) {
		if binary.BigEndian.Uint64(k) > millis(t.now) {
			return false, nil // written under a clock that has been mended since
		}
		if slices.ContainsFunc(wanted, func(d []byte) bool { return string(d) == string(k[8:40]) }) {
			last = slices.Clone(k)
		}
		return true, nil
	})
	if err != nil || last == nil {
		return nil, err
	}
	x, err := t.loadHot(idFrom(last[40:]))
	if err != nil {
		return nil, ignoreNotFound(err) // purged meanwhile
	}
	return &Freed{
		ID: x.ID, Protocol: x.Key.Protocol, Batch: x.OwnerBatch, Row: x.OwnerRow,
		At: time.UnixMilli(int64(binary.BigEndian.Uint64(last))).UTC(),
	}, nil
}
