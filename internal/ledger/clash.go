package ledger

import (
	"sendconnector/internal/notification"
)

// clash is a notice or act that another key holds.
type clash struct {
	code     string
	notice   string
	holder   ID // 0: a tombstone
	protocol string
	batch    string
	row      int
}

// clashes finds what other taken keys, not cancelled, hold of a request's notices
// and act (rule 6). The same act for other tax codes is only worth a warning: a
// swapped PDF, or one text for everybody.
func (t *txn) clashes(k Key, r *notification.Request, f notification.Fingerprint) ([]clash, error) {
	var found []clash
	for _, p := range notification.Notices(r) {
		prefix, err := t.pairPrefix(k.Environment, p)
		if err != nil {
			return nil, err
		}
		c, err := t.holder(k, bPair, prefix)
		if err != nil {
			return nil, err
		}
		if c == nil {
			if c, err = t.tombHolder(k, bTombPair, pairDigest(k.Environment, p)); err != nil {
				return nil, err
			}
		}
		if c != nil {
			c.code, c.notice = "C-NOTICE-TAKEN", p.Notice
			found = append(found, *c)
		}
	}
	c, err := t.actClash(k, f)
	if c != nil {
		found = append(found, *c)
	}
	return found, err
}

func (t *txn) actClash(k Key, f notification.Fingerprint) (*clash, error) {
	if f.Act == ([32]byte{}) {
		return nil, nil //nolint:nilnil // no act, no clash
	}
	prefix, err := t.actPrefix(k.Environment, f)
	if err != nil {
		return nil, err
	}
	same := joined(prefix, f.TaxIDs[:8])
	for _, try := range []struct {
		code   string
		in     bucket
		prefix []byte
	}{
		{"C-ACT-TAKEN", bAct, same},
		{"C-ACT-TAKEN", bTombAct, same},
		{"C-ACT-SHARED", bAct, prefix},
		{"C-ACT-SHARED", bTombAct, prefix},
	} {
		find := t.holder
		if try.in == bTombAct {
			find = t.tombHolder
		}
		c, err := find(k, try.in, try.prefix)
		if err != nil {
			return nil, err
		}
		if c != nil {
			c.code = try.code
			return c, nil
		}
	}
	return nil, nil //nolint:nilnil // nobody holds it
}

// holder gives the first notification of another key among the index entries under
// prefix; their last eight bytes are its id.
func (t *txn) holder(k Key, in bucket, prefix []byte) (*clash, error) {
	var c *clash
	err := t.each(in, prefix, nil, func(key, _ []byte) (bool, error) {
		x, err := t.loadHot(idFrom(key[len(key)-8:]))
		if err != nil {
			return false, err
		}
		if x.Key != k {
			c = &clash{holder: x.ID, protocol: x.Key.Protocol, batch: x.OwnerBatch, row: x.OwnerRow}
		}
		return c == nil, nil
	})
	return c, err
}

// tombHolder is holder for purged keys; the entry's value is the digest of the key.
func (t *txn) tombHolder(k Key, in bucket, prefix []byte) (*clash, error) {
	var c *clash
	own := canonicalDigest(k)
	err := t.each(in, prefix, nil, func(_, v []byte) (bool, error) {
		if string(v) == string(own[:]) {
			return true, nil
		}
		tb, err := t.tombstoneBy(v)
		if err != nil {
			return false, err
		}
		c = &clash{protocol: "?", batch: tb.Batch, row: tb.Row}
		return false, nil
	})
	return c, err
}

// takenError is the first clash that stops a new attempt, nil if none does.
func takenError(clashes []clash) error {
	for _, c := range clashes {
		switch c.code {
		case "C-NOTICE-TAKEN":
			return &TakenError{What: "notice", Holder: c.holder, Batch: c.batch, Row: c.row}
		case "C-ACT-TAKEN":
			return &TakenError{What: "act", Holder: c.holder, Batch: c.batch, Row: c.row}
		}
	}
	return nil
}
