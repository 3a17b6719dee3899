package ledger

import (
	"bytes"
	"slices"
	"time"
)

// rowRef names rows of a batch.
type rowRef struct {
	Batch string
	Rows  []int
}

func (r rowRef) row() int {
	if len(r.Rows) == 0 {
		return 0
	}
	return r.Rows[0]
}

// rejection remembers the latest rejected drop of a key: how big its group was
// (rule 9), and whose rows get a last update when a later drop is admitted
// (rule 11).
type rejection struct {
	Refs   []rowRef   `json:",omitzero"` // the latest last
	TaxIDs []string   `json:",omitzero"`
	Pairs  []string   `json:",omitzero"`
	Body   []byte     `json:",omitzero"`
	At     time.Time  `json:",omitzero"`
	Clash  bool       `json:",omitzero"` // two differing items in one drop
	Prev   *rejection `json:",omitzero"` // what it was before the batch of the last ref, until that is sealed
}

// maxRefs bounds a rejection's memory: a row that is wrong every night would make
// it grow for ever.
const maxRefs = 100

func (r *rejection) last() rowRef {
	if r == nil || len(r.Refs) == 0 {
		return rowRef{}
	}
	return r.Refs[len(r.Refs)-1]
}

func (r *rejection) sameAs(it *Item) bool {
	return it.Request != nil && len(r.Body) > 0 && bytes.Equal(r.Body, it.Print.Body[:])
}

func (t *txn) rejectionOf(k Key) (*rejection, error) {
	key, err := t.exactKey(k)
	if err != nil {
		return nil, err
	}
	r := &rejection{}
	err = t.read(bRejected, key, r)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	return r, nil
}

// remember notes that an item of a batch that is being read was rejected.
func (t *txn) remember(h *head, it *Item, d *decision) error {
	k := Key{Environment: h.Environment, SenderTaxID: h.SenderTaxID, Protocol: it.Protocol}
	key, err := t.exactKey(k)
	if err != nil {
		return err
	}
	r := &rejection{At: t.now, Clash: d.clash}
	r.TaxIDs, r.Pairs = groupOf(it.Request)
	if d.shrunk { // a smaller group does not make the bigger one forgotten
		r.TaxIDs, r.Pairs = d.wasIDs, d.wasPairs
	}
	if it.Request != nil {
		r.Body = it.Print.Body[:]
	}
	ref := rowRef{Batch: h.ID}
	for _, row := range it.Rows {
		ref.Rows = append(ref.Rows, row.Number)
	}
	if p := d.prior; p != nil {
		r.Refs = slices.Clone(p.Refs)
		if it.Request == nil { // nor does one that could not be read
			r.TaxIDs, r.Pairs = p.TaxIDs, p.Pairs
		}
		if p.last().Batch == h.ID {
			r.Prev = p.Prev
			r.Clash = r.Clash || p.Clash
		} else {
			before := *p
			before.Prev = nil
			r.Prev = &before
		}
	}
	if n := len(r.Refs); n > 0 && r.Refs[n-1].Batch == h.ID {
		r.Refs[n-1].Rows = append(slices.Clone(r.Refs[n-1].Rows), ref.Rows...)
	} else {
		r.Refs = append(r.Refs, ref)
	}
	if len(r.Refs) > maxRefs {
		r.Refs = r.Refs[len(r.Refs)-maxRefs:]
	}
	return t.write(bRejected, key, r)
}

// forget undoes remember when the batch is read again from its beginning.
func (t *txn) forget(h *head, protocol string) error {
	if protocol == "" {
		return nil
	}
	k := Key{Environment: h.Environment, SenderTaxID: h.SenderTaxID, Protocol: protocol}
	r, err := t.rejectionOf(k)
	if err != nil || r == nil || r.last().Batch != h.ID {
		return err
	}
	key, err := t.exactKey(k)
	if err != nil {
		return err
	}
	if r.Prev != nil {
		return t.write(bRejected, key, r.Prev)
	}
	return t.drop(bRejected, key)
}
