package ledger

import (
	"encoding/binary"
	"slices"
	"strings"
)

// head is a batch as it is stored: without its list of private copies, which is
// long and seldom needed, and with what the ledger itself counts.
type head struct {
	Batch
	No       uint64          `json:",omitzero"`
	First    ID              `json:",omitzero"` // of the notifications it made
	Last     ID              `json:",omitzero"`
	RowsBy   map[string]int  `json:",omitzero"` // by RowOutcome
	States   map[State]int   `json:",omitzero"` // of the notifications it owns
	Lines    map[Outcome]int `json:",omitzero"` // of its linked rows' lines, holds and the gate left aside
	Fresh    int             `json:",omitzero"` // fresh notifications, until it is sealed
	Waiting  int             `json:",omitzero"` // new requests of it still Pending behind a refused attempt
	dirty    bool
	newSpool bool
}

// head gives the kept head of a batch. It is shared within the transaction: change
// it, then call touch.
func (t *txn) head(id string) (*head, error) {
	if h, ok := t.heads[id]; ok {
		return h, nil
	}
	h := &head{}
	if err := t.read(bBatch, []byte(id), h); err != nil {
		return nil, err
	}
	t.heads[id] = h
	return h, nil
}

func (t *txn) headByNo(no uint64) (*head, error) {
	id := t.get(bBatchNo, u64(no))
	if id == nil {
		return nil, ErrNotFound
	}
	return t.head(string(id))
}

// touch marks a head for writing; visible also bumps the version that the outbox
// compares with what it has published.
func (t *txn) touch(h *head, visible bool) error {
	if err := t.mayWrite(); err != nil {
		return err
	}
	h.dirty = true
	if visible {
		h.Version++
		t.wake = true
	}
	return nil
}

func (t *txn) writeHead(h *head) error {
	spool := h.Spool
	h.Spool = nil
	err := t.write(bBatch, []byte(h.ID), h)
	h.Spool = spool
	if err != nil {
		return err
	}
	if h.newSpool {
		if err := t.write(bSpool, u64(h.No), spool); err != nil {
			return err
		}
		h.newSpool = false
	}
	h.dirty = false
	return t.markPublication(h)
}

// newHead gives a batch its number. Numbers grow, so rows of later batches lie
// behind those of earlier ones.
func (t *txn) newHead(b *Batch) (*head, error) {
	if err := t.mayWrite(); err != nil {
		return nil, err
	}
	no, err := t.bucket(bBatchNo).NextSequence()
	if err != nil {
		return nil, err
	}
	h := &head{Batch: *b, No: no, newSpool: len(b.Spool) > 0, dirty: true}
	h.Version = 1
	if err := t.put(bBatchNo, u64(no), []byte(b.ID)); err != nil {
		return nil, err
	}
	t.heads[b.ID] = h
	t.wake = true
	return h, nil
}

// Batch gives a batch with its private copies; ErrNotFound.
func (t *Tx) Batch(id string) (*Batch, error) {
	h, err := t.head(id)
	if err != nil {
		return nil, err
	}
	b := h.Batch
	if !h.newSpool {
		b.Spool = nil
		if err := ignoreNotFound(t.read(bSpool, u64(h.No), &b.Spool)); err != nil {
			return nil, err
		}
	}
	b.Spool = slices.Clone(b.Spool)
	return &b, nil
}

// Batches visits every batch in the order of their ids (of time), without their
// private copies (ask Batch for those), until visit answers false.
func (t *Tx) Batches(visit func(*Batch) bool) error {
	var ids []string
	if err := t.each(bBatch, nil, nil, func(k, _ []byte) (bool, error) {
		ids = append(ids, string(k))
		return true, nil
	}); err != nil {
		return err
	}
	for id := range t.heads { // made in this transaction
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		h, err := t.head(id)
		if err != nil {
			return err
		}
		b := h.Batch
		b.Spool = nil
		if !visit(&b) {
			return nil
		}
	}
	return nil
}

// BatchByHash gives the batches of a flow whose export has this hash. It is for
// recovery and information: a hash never decides about a row (rule 7).
func (t *Tx) BatchByHash(flow, hash string) ([]*Batch, error) {
	var found []*Batch
	err := t.Batches(func(b *Batch) bool {
		if b.Flow == flow && b.Hash == hash {
			found = append(found, b)
		}
		return true
	})
	return found, err
}

// PutBatch stores what a batch's owner may change: claim data, archive folder,
// private copies, release. What the ledger itself decides or counts (State, Rows,
// Admitted, Known, SealedAt, Version), and what names the batch for ever (File, Flow,
// Sender, Environment, Outbox), stays as it is for a batch that exists. The
// version grows when something a reader of the outcome or of stato.csv sees has
// changed.
func (t *Tx) PutBatch(b *Batch) error {
	old, err := t.head(b.ID)
	if err != nil {
		if err = ignoreNotFound(err); err != nil {
			return err
		}
		_, err = t.newHead(b)
		return err
	}
	was := old.Batch
	old.Batch = *b
	old.State, old.Rows, old.Admitted, old.Known = was.State, was.Rows, was.Admitted, was.Known
	old.SealedAt, old.Version = was.SealedAt, was.Version
	old.File, old.Environment, old.Outbox, old.Sender, old.Flow = was.File, was.Environment, was.Outbox, was.Sender, was.Flow
	old.newSpool = old.newSpool || !slices.Equal(was.Spool, b.Spool) || len(b.Spool) > 0
	return t.touch(old, was.Release != b.Release || !was.ReleaseAt.Equal(b.ReleaseAt) || was.ReleaseWhy != b.ReleaseWhy)
}

// BatchesToPublish lists batches of an outbox whose outcome file is behind: sealed
// or unreadable ones with a version newer than the one published.
func (t *Tx) BatchesToPublish(outbox string) ([]*Batch, error) {
	var found []*Batch
	prefix := named(outbox, "")
	err := t.each(bUnpublished, prefix, nil, func(k, _ []byte) (bool, error) {
		h, err := t.headByNo(binary.BigEndian.Uint64(k[len(prefix):]))
		if err != nil {
			return false, err
		}
		b := h.Batch
		b.Spool = nil
		found = append(found, &b)
		return true, nil
	})
	return found, err
}

// markPublication keeps the index of batches whose outcome file is behind.
func (t *txn) markPublication(h *head) error {
	key := append(named(h.Outbox, ""), u64(h.No)...)
	behind := h.State == Sealed || h.State == Unreadable
	if behind {
		var p Publication
		err := t.read(bPub, named(h.Outbox, "esito", h.ID), &p)
		if ignoreNotFound(err) != nil {
			return err
		}
		behind = err != nil || p.Hash == "" || p.Version < h.Version
	}
	has := t.get(bUnpublished, key) != nil
	switch {
	case behind && !has:
		return t.put(bUnpublished, key, []byte{})
	case !behind && has:
		return t.drop(bUnpublished, key)
	}
	return nil
}

// gateOpen tells whether the release gate lets the batch's work go (rule 19), and
// nothing of a batch that is being read is ever let go (rule 10).
func (t *txn) gateOpen(h *head) bool {
	if h.State != Sealed {
		return false
	}
	switch h.Release {
	case Released, "":
		return true
	case DelayedRelease:
		return !h.ReleaseAt.After(t.now)
	}
	return false
}

// rowsPrefix is the key prefix of a batch's rows.
func (h *head) rowsPrefix() []byte { return u64(h.No) }

// Rows visits the rows of a batch in row order until visit answers false.
func (t *Tx) Rows(batch string, visit func(*Row) bool) error {
	h, err := t.head(batch)
	if err != nil {
		return err
	}
	return t.each(bRow, h.rowsPrefix(), nil, func(k, v []byte) (bool, error) {
		r, err := t.decodeRow(h, k, v)
		if err != nil {
			return false, err
		}
		return visit(r), nil
	})
}

// Row gives one row of a batch; ErrNotFound.
func (t *txn) Row(batch string, number int) (*Row, error) {
	h, err := t.head(batch)
	if err != nil {
		return nil, err
	}
	k := rowKey(h.No, number)
	v := t.get(bRow, k)
	if v == nil {
		return nil, ErrNotFound
	}
	return t.decodeRow(h, k, v)
}

func (t *txn) decodeRow(h *head, k, v []byte) (*Row, error) {
	r := &Row{}
	if err := t.decode(bRow, k, v, r); err != nil {
		return nil, err
	}
	r.Batch = h.ID
	for i := range r.Snapshot {
		if r.Snapshot[i].Environment == "" {
			r.Snapshot[i].Environment = h.Environment
		}
	}
	return r, nil
}

// putRow stores a row and keeps its batch's counts. The batch id is in the key.
func (t *txn) putRow(h *head, r *Row) error {
	k := rowKey(h.No, r.Number)
	if v := t.get(bRow, k); v != nil {
		old, err := t.decodeRow(h, k, v)
		if err != nil {
			return err
		}
		count(&h.RowsBy, string(old.Outcome), -1)
	}
	count(&h.RowsBy, string(r.Outcome), 1)
	stored := *r
	stored.Batch = ""
	if err := t.touch(h, false); err != nil {
		return err
	}
	return t.write(bRow, k, &stored)
}

// count adds to a counter and leaves no zero behind.
func count[K comparable](m *map[K]int, k K, by int) {
	if *m == nil {
		*m = map[K]int{}
	}
	if (*m)[k] += by; (*m)[k] == 0 {
		delete(*m, k)
	}
}

func rowOf(batch string, row int) string {
	return strings.TrimSpace(batch + " " + itoa(row))
}
