package ledger

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"
)

// orphanTTL is how long an event that matches nothing is kept (rule 22).
const orphanTTL = 8 * 24 * time.Hour

// Another program of the same sender leaves all its events here for eight days, many
// thousands of them. So orphans are found by index, and neither a new event nor a new
// notification costs a look at all of them.

func (o *Orphan) name() []byte {
	return digest8(o.RequestID + "\x00" + o.Protocol + "\x00" + o.Token + "\x00" + o.ElementID)
}

func (o *Orphan) key() []byte { return joined(u64(millis(o.Got)), o.name()) }

func orphansOfRequest(requestID string) []byte { return digest8("r\x00" + requestID) }

func orphansOfToken(protocol, token string) []byte {
	return digest8("t\x00" + protocol + "\x00" + token)
}

// handles are the prefixes under which an orphan is indexed; the first is there
// always.
func (o *Orphan) handles() [][]byte {
	all := [][]byte{orphansOfRequest(o.RequestID)}
	if o.Token != "" {
		all = append(all, orphansOfToken(o.Protocol, o.Token))
	}
	return all
}

func (o *Orphan) is(requestID, protocol, token string) bool {
	return o.RequestID != "" && o.RequestID == requestID || o.Token != "" && o.Token == token && o.Protocol == protocol
}

// AddOrphan keeps an event that matched nothing yet, once per element.
func (t *Tx) AddOrphan(o *Orphan) error {
	if o.Got.IsZero() {
		o.Got = t.now
	}
	if t.get(bOrphanOf, joined(o.handles()[0], o.name())) != nil {
		return nil
	}
	if err := t.indexOrphan(o); err != nil {
		return err
	}
	return t.write(bOrphan, o.key(), o)
}

func (t *txn) indexOrphan(o *Orphan) error {
	for _, h := range o.handles() {
		if err := t.put(bOrphanOf, joined(h, o.name()), u64(millis(o.Got))); err != nil {
			return err
		}
	}
	return nil
}

// OrphansFor gives the kept events of a request, by request id or by (protocol,
// token), in the order of their coming.
func (t *Tx) OrphansFor(requestID, protocol, token string) ([]*Orphan, error) {
	var keys [][]byte
	for _, h := range [][]byte{orphansOfRequest(requestID), orphansOfToken(protocol, token)} {
		if err := t.each(bOrphanOf, h, nil, func(k, got []byte) (bool, error) {
			keys = append(keys, joined(got, k[len(h):]))
			return true, nil
		}); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(keys, bytes.Compare)
	var found []*Orphan
	for _, k := range slices.CompactFunc(keys, bytes.Equal) {
		o := &Orphan{}
		if err := t.read(bOrphan, k, o); err != nil {
			return nil, err
		}
		if o.is(requestID, protocol, token) { // a handle is a digest
			found = append(found, o)
		}
	}
	return found, nil
}

// DropOrphan removes one that has been applied: it may be another system's personal
// data and is not kept longer than needed.
func (t *Tx) DropOrphan(o *Orphan) error {
	for _, h := range o.handles() {
		if err := t.drop(bOrphanOf, joined(h, o.name())); err != nil {
			return err
		}
	}
	return t.drop(bOrphan, o.key())
}

// DropOrphans removes those that came before olderThan; the zero time means eight
// days ago.
func (t *Tx) DropOrphans(olderThan time.Time) error {
	if olderThan.IsZero() {
		olderThan = t.now.Add(-orphanTTL)
	}
	var old []*Orphan
	if err := t.each(bOrphan, nil, nil, func(k, v []byte) (bool, error) {
		if binary.BigEndian.Uint64(k) >= millis(olderThan) {
			return false, nil
		}
		o := &Orphan{}
		old = append(old, o)
		return true, t.decode(bOrphan, k, v, o)
	}); err != nil {
		return err
	}
	for _, o := range old {
		if err := t.DropOrphan(o); err != nil {
			return err
		}
	}
	return nil
}

// orphans checks the index against the records both ways.
func (v *verifier) orphans() error {
	want := map[string]string{}
	if err := v.each(bOrphan, nil, nil, func(k, record []byte) (bool, error) {
		o := &Orphan{}
		if err := v.decode(bOrphan, k, record, o); err != nil {
			v.fault("orphan", "%v", err)
			return true, nil
		}
		if !bytes.Equal(k, o.key()) {
			v.fault("orphan", "%x lies at the key of another", k)
		}
		for _, h := range o.handles() {
			want[string(joined(h, o.name()))] = string(u64(millis(o.Got)))
		}
		return true, nil
	}); err != nil {
		return err
	}
	if err := v.each(bOrphanOf, nil, nil, func(k, got []byte) (bool, error) {
		if want[string(k)] != string(got) {
			v.fault("orphan", "index entry %x of an event that is not there", k)
		}
		delete(want, string(k))
		return true, nil
	}); err != nil {
		return err
	}
	for k := range want {
		v.fault("orphan", "index entry %x is missing", k)
	}
	return nil
}
