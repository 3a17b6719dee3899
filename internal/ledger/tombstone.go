package ledger

import (
	"crypto/sha256"

	"sendconnector/internal/notification"
)

// What is left of a purged notification (rule 30): digests, so that its key, its
// notices and its act stay taken for ever without keeping anybody's data.

func canonicalDigest(k Key) [32]byte {
	return sha256.Sum256(named(k.Environment, k.SenderTaxID, notification.Canonical(k.Protocol)))
}

func exactDigest(k Key) [32]byte {
	return sha256.Sum256(named(k.Environment, k.SenderTaxID, k.Protocol))
}

func pairDigest(env string, p notification.NoticePair) []byte {
	sum := sha256.Sum256(named(env, p.Creditor, p.Notice))
	return sum[:]
}

type storedTombstone struct {
	Environment string   `json:",omitzero"`
	Sender      string   `json:",omitzero"`
	Exact       []byte   `json:",omitzero"`
	Attempt     int      `json:",omitzero"`
	State       State    `json:",omitzero"`
	Print       []byte   `json:",omitzero"`
	RequestID   string   `json:",omitzero"`
	Batch       string   `json:",omitzero"`
	Row         int      `json:",omitzero"`
	Pairs       [][]byte `json:",omitzero"`
	Codes       []string `json:",omitzero"`
	FileAttempt bool     `json:",omitzero"`
	Automatic   bool     `json:",omitzero"`
}

// TombstoneOf makes what Purge leaves of n.
func TombstoneOf(n *Notification) *Tombstone {
	tb := &Tombstone{
		Environment: n.Key.Environment, Sender: n.Key.SenderTaxID,
		Canonical: canonicalDigest(n.Key), Exact: exactDigest(n.Key), Attempt: n.Attempt, State: n.State, Print: n.Print,
		RequestID: n.RequestID, Batch: n.OwnerBatch, Row: n.OwnerRow, FileAttempt: n.FileAttempt, Automatic: n.Automatic,
	}
	for _, p := range notification.Notices(n.Request) {
		tb.Pairs = append(tb.Pairs, [32]byte(pairDigest(n.Key.Environment, p)))
	}
	for _, p := range n.Refusals {
		tb.Codes = append(tb.Codes, p.Code)
	}
	return tb
}

// PutTombstone keeps a purged key taken (or free, as its state says).
func (t *Tx) PutTombstone(tb *Tombstone) error {
	s := &storedTombstone{
		Environment: tb.Environment, Sender: tb.Sender, Exact: tb.Exact[:], Attempt: tb.Attempt, State: tb.State,
		Print: printBytes(tb.Print), RequestID: tb.RequestID, Batch: tb.Batch, Row: tb.Row, Codes: tb.Codes,
		FileAttempt: tb.FileAttempt, Automatic: tb.Automatic,
	}
	held := tb.State.Taken() && tb.State != Cancelled
	for i := range tb.Pairs {
		s.Pairs = append(s.Pairs, tb.Pairs[i][:])
		if !held {
			continue
		}
		if err := t.put(bTombPair, tb.Pairs[i][:], tb.Canonical[:]); err != nil {
			return err
		}
	}
	if held && tb.Print.Act != ([32]byte{}) {
		prefix, err := t.actPrefix(tb.Environment, tb.Print)
		if err != nil {
			return err
		}
		if err := t.put(bTombAct, joined(prefix, tb.Print.TaxIDs[:8], tb.Canonical[:8]), tb.Canonical[:]); err != nil {
			return err
		}
	}
	return t.write(bTomb, tb.Canonical[:], s)
}

// tombstone gives what is left of a key, in whatever spelling; ErrNotFound.
func (t *txn) tombstone(k Key) (*Tombstone, error) {
	d := canonicalDigest(k)
	return t.tombstoneBy(d[:])
}

func (t *txn) tombstoneBy(digest []byte) (*Tombstone, error) {
	s := &storedTombstone{}
	if err := t.read(bTomb, digest, s); err != nil {
		return nil, err
	}
	tb := &Tombstone{
		Environment: s.Environment, Sender: s.Sender, Attempt: s.Attempt, State: s.State, Print: printFrom(s.Print),
		RequestID: s.RequestID, Batch: s.Batch, Row: s.Row, Codes: s.Codes, FileAttempt: s.FileAttempt, Automatic: s.Automatic,
	}
	copy(tb.Canonical[:], digest)
	copy(tb.Exact[:], s.Exact)
	for _, p := range s.Pairs {
		tb.Pairs = append(tb.Pairs, [32]byte(p))
	}
	return tb, nil
}
