package ledger

import (
	"encoding/binary"
	"slices"
	"time"
)

// Events of a notification lie together in packs, which compress to half of what
// single ones take. A pack is filled up before the next begins; a pack is short
// enough for being written anew with every event.
const packSize = 16

func packKey(id ID, pack uint32) []byte {
	return binary.BigEndian.AppendUint32(id.key(), pack)
}

// AddEvent keeps a timeline element, by its element id. isNew is false where it was
// known already; a newer form of the same element replaces the older one, and an
// element taken back by SEND stays void until SEND sends it anew in another form.
func (t *Tx) AddEvent(e *Event) (isNew bool, err error) {
	packs, err := t.packs(e.ID)
	if err != nil {
		return false, err
	}
	for i, p := range packs {
		at := slices.IndexFunc(p, func(o *Event) bool { return o.ElementID == e.ElementID })
		if at < 0 {
			continue
		}
		old := p[at]
		same := old.Category == e.Category && old.At.Equal(e.At) && string(old.Raw) == string(e.Raw)
		if same && (old.Void || !e.Void) {
			return false, nil
		}
		p[at] = e
		return false, t.putPack(e.ID, i, p)
	}
	last := len(packs) - 1
	if last < 0 || len(packs[last]) >= packSize {
		packs = append(packs, nil)
		last++
	}
	return true, t.putPack(e.ID, last, append(packs[last], e))
}

// VoidEvent marks an element as taken back (NOTIFICATION_TIMELINE_REWORKED); one
// that never came is no error.
func (t *Tx) VoidEvent(id ID, elementID string) error {
	packs, err := t.packs(id)
	if err != nil {
		return err
	}
	for i, p := range packs {
		for _, e := range p {
			if e.ElementID == elementID && !e.Void {
				e.Void = true
				return t.putPack(id, i, p)
			}
		}
	}
	return nil
}

// putPack encodes by hand, so that SEND's bytes stay as they came.
func (t *txn) putPack(id ID, pack int, events []*Event) error {
	var b []byte
	for _, e := range events {
		void := byte(0)
		if e.Void {
			void = 1
		}
		b = binary.AppendVarint(append(b, void), e.At.UnixNano())
		for _, s := range []string{e.ElementID, e.Category, string(e.Raw)} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
	}
	return t.put(bEvent, packKey(id, uint32(pack)), t.l.codec.squeeze(b))
}

func (t *txn) packs(id ID) ([][]*Event, error) {
	var packs [][]*Event
	err := t.each(bEvent, id.key(), nil, func(k, record []byte) (bool, error) {
		p, err := t.pack(id, k, record)
		packs = append(packs, p)
		return true, err
	})
	return packs, err
}

func (t *txn) pack(id ID, key, record []byte) ([]*Event, error) {
	raw, _, err := t.l.codec.open(record)
	if err != nil {
		return nil, t.damaged(bEvent, key, err)
	}
	var events []*Event
	for len(raw) > 0 {
		e := &Event{ID: id}
		if raw = decodeEvent(raw, e); raw == nil {
			return nil, t.damaged(bEvent, key, errRecordShort)
		}
		events = append(events, e)
	}
	return events, nil
}

// decodeEvent reads one event and gives what follows it; nil if it is cut short.
func decodeEvent(b []byte, e *Event) []byte {
	if len(b) < 2 {
		return nil
	}
	e.Void = b[0] == 1
	at, n := binary.Varint(b[1:])
	if n <= 0 {
		return nil
	}
	b = b[1+n:]
	e.At = time.Unix(0, at).UTC()
	var texts [3][]byte
	for i := range texts {
		size, n := binary.Uvarint(b)
		if n <= 0 || uint64(len(b)-n) < size {
			return nil
		}
		texts[i] = b[n : n+int(size)]
		b = b[n+int(size):]
	}
	e.ElementID, e.Category, e.Raw = string(texts[0]), string(texts[1]), slices.Clone(texts[2])
	return b
}

// Events visits the elements kept of a notification by the time they happened (void
// ones too), until visit answers false.
func (t *Tx) Events(id ID, visit func(*Event) bool) error {
	packs, err := t.packs(id)
	if err != nil {
		return err
	}
	all := slices.Concat(packs...)
	slices.SortStableFunc(all, func(a, b *Event) int { return a.At.Compare(b.At) })
	for _, e := range all {
		if !visit(e) {
			return nil
		}
	}
	return nil
}

// dropWhile removes the keys under prefix, from the first on, for as long as more
// answers true.
func (t *txn) dropWhile(b bucket, prefix []byte, more func(k []byte) bool) error {
	var keys [][]byte
	if err := t.each(b, prefix, nil, func(k, _ []byte) (bool, error) {
		if !more(k) {
			return false, nil
		}
		keys = append(keys, slices.Clone(k))
		return true, nil
	}); err != nil {
		return err
	}
	for _, k := range keys {
		if err := t.drop(b, k); err != nil {
			return err
		}
	}
	return nil
}
