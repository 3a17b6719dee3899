package ledger

import (
	"bytes"
	"slices"

	"sendconnector/internal/notification"
)

// keyPrefix is the index key of a business key in its canonical form (rule 1).
func (t *txn) keyPrefix(k Key) ([]byte, error) {
	env, err := t.number(nameEnvironment, k.Environment)
	if err != nil {
		return nil, err
	}
	return joined(env, named(k.SenderTaxID, notification.Canonical(k.Protocol))), nil
}

// exactKey names one spelling.
func (t *txn) exactKey(k Key) ([]byte, error) {
	env, err := t.number(nameEnvironment, k.Environment)
	if err != nil {
		return nil, err
	}
	return joined(env, named(k.SenderTaxID, k.Protocol)), nil
}

// idsOfKey gives the present notification of every spelling of a key: nearly always
// none or one, more only after "resubmit --as-new".
func (t *txn) idsOfKey(k Key) ([]ID, error) {
	prefix, err := t.keyPrefix(k)
	if err != nil {
		return nil, err
	}
	v := t.get(bKey, prefix)
	ids := make([]ID, 0, len(v)/8)
	for ; len(v) >= 8; v = v[8:] {
		ids = append(ids, idFrom(v))
	}
	return ids, nil
}

func (t *txn) putIDsOfKey(k Key, ids []ID) error {
	prefix, err := t.keyPrefix(k)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return t.drop(bKey, prefix)
	}
	var v []byte
	for _, id := range ids {
		v = append(v, id.key()...)
	}
	return t.put(bKey, prefix, v)
}

// indexKey makes n the present notification of its key, in place of the one it
// replaces.
func (t *txn) indexKey(n *Notification) error {
	ids, err := t.idsOfKey(n.Key)
	if err != nil {
		return err
	}
	if i := slices.Index(ids, n.Replaces); n.Replaces != 0 && i >= 0 {
		ids[i] = n.ID
	} else {
		ids = append(ids, n.ID)
	}
	return t.putIDsOfKey(n.Key, ids)
}

// unindexKey takes n back out and puts the one it replaced in its place.
func (t *txn) unindexKey(n *Notification) error {
	ids, err := t.idsOfKey(n.Key)
	if err != nil {
		return err
	}
	if i := slices.Index(ids, n.ID); i >= 0 {
		ids = slices.Delete(ids, i, i+1)
	}
	if n.Replaces != 0 {
		ids = append(ids, n.Replaces)
	}
	return t.putIDsOfKey(n.Key, ids)
}

// indexEntry is a key in the index of notices or of acts.
type indexEntry struct {
	in  bucket
	key []byte
}

func (t *txn) pairPrefix(env string, p notification.NoticePair) ([]byte, error) {
	no, err := t.number(nameEnvironment, env)
	if err != nil {
		return nil, err
	}
	return append(joined(no, named(p.Creditor, p.Notice)), 0), nil
}

// actPrefix holds half of the act's digest; the digest of the tax codes follows it.
func (t *txn) actPrefix(env string, f notification.Fingerprint) ([]byte, error) {
	no, err := t.number(nameEnvironment, env)
	if err != nil {
		return nil, err
	}
	return joined(no, f.Act[:16]), nil
}

// heldEntries lists the entries by which n keeps its notices and act from others.
func (t *txn) heldEntries(n *Notification) ([]indexEntry, error) {
	var entries []indexEntry
	add := func(r *notification.Request, f notification.Fingerprint) error {
		for _, p := range notification.Notices(r) {
			prefix, err := t.pairPrefix(n.Key.Environment, p)
			if err != nil {
				return err
			}
			entries = append(entries, indexEntry{bPair, joined(prefix, n.ID.key())})
		}
		if f.Act == ([32]byte{}) {
			return nil
		}
		prefix, err := t.actPrefix(n.Key.Environment, f)
		entries = append(entries, indexEntry{bAct, joined(prefix, f.TaxIDs[:8], n.ID.key())})
		return err
	}
	if n.State.Taken() && n.State != Cancelled && n.Request != nil {
		if err := add(n.Request, n.Print); err != nil {
			return nil, err
		}
	}
	if p := n.Pending; p != nil && p.Request != nil {
		if err := add(p.Request, p.Print); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// reindexHeld frees and takes notices and acts as n takes the place of old.
func (t *txn) reindexHeld(old, n *Notification) error {
	was, err := t.heldEntries(old)
	if err != nil {
		return err
	}
	is, err := t.heldEntries(n)
	if err != nil {
		return err
	}
	for _, e := range was {
		if !slices.ContainsFunc(is, e.equal) {
			if err := t.drop(e.in, e.key); err != nil {
				return err
			}
		}
	}
	for _, e := range is {
		if !slices.ContainsFunc(was, e.equal) {
			if err := t.put(e.in, e.key, []byte{}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e indexEntry) equal(o indexEntry) bool { return e.in == o.in && bytes.Equal(e.key, o.key) }

// reindexNames follows the request id and the IUN.
func (t *txn) reindexNames(old, n *Notification) error {
	for _, x := range []struct {
		in      bucket
		was, is string
	}{{bRequestID, old.RequestID, n.RequestID}, {bIUN, old.IUN, n.IUN}} {
		if x.was == x.is {
			continue
		}
		if x.was != "" {
			if v := t.get(x.in, []byte(x.was)); v != nil && idFrom(v) == n.ID {
				if err := t.drop(x.in, []byte(x.was)); err != nil {
					return err
				}
			}
		}
		if x.is != "" {
			if err := t.put(x.in, []byte(x.is), n.ID.key()); err != nil {
				return err
			}
		}
	}
	return nil
}
