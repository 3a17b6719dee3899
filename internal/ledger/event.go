package ledger

import (
	"encoding/binary"
	"slices"
	"time"
)

func eventKey(id ID, elementID string) []byte { return joined(id.key(), digest8(elementID)) }

// AddEvent keeps a timeline element, by its element id. isNew is false where it was
// known already; a newer form of the same element replaces the older one, and an
// element taken back by SEND stays void until SEND sends it anew in another form.
func (t *Tx) AddEvent(e *Event) (isNew bool, err error) {
	key := eventKey(e.ID, e.ElementID)
	old, err := t.event(e.ID, key, t.get(bEvent, key))
	if err != nil {
		return false, err
	}
	if old != nil && old.Category == e.Category && old.At.Equal(e.At) && string(old.Raw) == string(e.Raw) {
		if old.Void == e.Void || old.Void {
			return false, nil
		}
	}
	return old == nil, t.putEvent(e)
}

// VoidEvent marks an element as taken back (NOTIFICATION_TIMELINE_REWORKED); one
// that never came is no error.
func (t *Tx) VoidEvent(id ID, elementID string) error {
	key := eventKey(id, elementID)
	e, err := t.event(id, key, t.get(bEvent, key))
	if err != nil || e == nil || e.Void {
		return err
	}
	e.Void = true
	return t.putEvent(e)
}

// putEvent encodes by hand: the payload is a length-prefixed head and SEND's bytes,
// so that those stay as they came.
func (t *txn) putEvent(e *Event) error {
	b := []byte{0}
	if e.Void {
		b[0] = 1
	}
	b = binary.AppendVarint(b, e.At.UnixNano())
	for _, s := range []string{e.ElementID, e.Category} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = append(b, e.Raw...)
	return t.put(bEvent, eventKey(e.ID, e.ElementID), t.l.codec.seal(b, 0))
}

func (t *txn) event(id ID, key, record []byte) (*Event, error) {
	if record == nil {
		return nil, nil //nolint:nilnil // "not there" is an answer here
	}
	raw, _, err := t.l.codec.open(record)
	if err != nil {
		return nil, t.damaged(bEvent, key, err)
	}
	e, ok := decodeEvent(raw)
	if !ok {
		return nil, t.damaged(bEvent, key, errRecordShort)
	}
	e.ID = id
	return e, nil
}

func decodeEvent(b []byte) (*Event, bool) {
	if len(b) < 2 {
		return nil, false
	}
	e := &Event{Void: b[0] == 1}
	at, n := binary.Varint(b[1:])
	if n <= 0 {
		return nil, false
	}
	b = b[1+n:]
	e.At = time.Unix(0, at).UTC()
	for _, s := range []*string{&e.ElementID, &e.Category} {
		size, n := binary.Uvarint(b)
		if n <= 0 || uint64(len(b)-n) < size {
			return nil, false
		}
		*s = string(b[n : n+int(size)])
		b = b[n+int(size):]
	}
	e.Raw = slices.Clone(b)
	return e, true
}

// Events visits the elements kept of a notification by the time they happened (void
// ones too), until visit answers false.
func (t *Tx) Events(id ID, visit func(*Event) bool) error {
	var all []*Event
	err := t.each(bEvent, id.key(), nil, func(k, v []byte) (bool, error) {
		e, err := t.event(id, k, v)
		all = append(all, e)
		return true, err
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b *Event) int { return a.At.Compare(b.At) })
	for _, e := range all {
		if !visit(e) {
			return nil
		}
	}
	return nil
}

// orphanTTL is how long an event that matches nothing is kept (rule 22).
const orphanTTL = 8 * 24 * time.Hour

// AddOrphan keeps an event that matched nothing yet, once per element.
func (t *Tx) AddOrphan(o *Orphan) error {
	if o.Got.IsZero() {
		o.Got = t.now
	}
	name := digest8(o.RequestID + "\x00" + o.Protocol + "\x00" + o.Token + "\x00" + o.ElementID)
	known := false
	if err := t.each(bOrphan, nil, nil, func(k, _ []byte) (bool, error) {
		known = string(k[8:]) == string(name)
		return !known, nil
	}); err != nil || known {
		return err
	}
	return t.write(bOrphan, joined(u64(millis(o.Got)), name), o)
}

// OrphansFor gives the kept events of a request, by request id or by (protocol,
// token), in the order of their coming.
func (t *Tx) OrphansFor(requestID, protocol, token string) ([]*Orphan, error) {
	var found []*Orphan
	err := t.each(bOrphan, nil, nil, func(k, v []byte) (bool, error) {
		o := &Orphan{}
		if err := t.decode(bOrphan, k, v, o); err != nil {
			return false, err
		}
		if o.RequestID != "" && o.RequestID == requestID || o.Token != "" && o.Token == token && o.Protocol == protocol {
			found = append(found, o)
		}
		return true, nil
	})
	return found, err
}

// DropOrphan removes one that has been applied: it may be another system's personal
// data and is not kept longer than needed.
func (t *Tx) DropOrphan(o *Orphan) error {
	name := digest8(o.RequestID + "\x00" + o.Protocol + "\x00" + o.Token + "\x00" + o.ElementID)
	return t.drop(bOrphan, joined(u64(millis(o.Got)), name))
}

// DropOrphans removes those that came before olderThan; the zero time means eight
// days ago.
func (t *Tx) DropOrphans(olderThan time.Time) error {
	if olderThan.IsZero() {
		olderThan = t.now.Add(-orphanTTL)
	}
	return t.dropWhile(bOrphan, nil, func(k []byte) bool {
		return binary.BigEndian.Uint64(k) < millis(olderThan)
	})
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
