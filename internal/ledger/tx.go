package ledger

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// Tx is what a function given to View or Update works with. It is good until that
// function returns. What it returns are copies: they may be kept and changed, and
// changing them changes nothing until they are put.
type Tx struct {
	*txn
	ctx context.Context //nolint:containedctx // lives as long as one transaction
}

// Now is the time of the transaction: one for all of it.
func (t *Tx) Now() time.Time { return t.now }

// txn is one bbolt transaction, shared by the functions that one commit makes
// durable. What changes with nearly every put (batch heads) is kept decoded here
// and written once, in flush.
type txn struct {
	l      *Ledger
	b      *bbolt.Tx
	now    time.Time
	open   [nBuckets]*bbolt.Bucket
	heads  map[string]*head
	names  map[string]uint32
	told   map[toldKey]uint64 // Changes that the running function has appended, by row and recipient
	writes int
	wake   bool     // the commit makes work due
	placed []artKey // artifacts whose takers have committed
}

func (l *Ledger) newTxn(b *bbolt.Tx) *txn {
	return &txn{l: l, b: b, now: l.opts.Clock().UTC(), heads: map[string]*head{}, names: map[string]uint32{}}
}

func (t *txn) bucket(b bucket) *bbolt.Bucket {
	if t.open[b] == nil {
		t.open[b] = t.b.Bucket([]byte(bucketNames[b]))
		t.open[b].FillPercent = b.fill()
	}
	return t.open[b]
}

func (t *txn) get(b bucket, key []byte) []byte { return t.bucket(b).Get(key) }

func (t *txn) put(b bucket, key, value []byte) error {
	if err := t.mayWrite(); err != nil {
		return err
	}
	return t.bucket(b).Put(key, value)
}

func (t *txn) drop(b bucket, key []byte) error {
	if err := t.mayWrite(); err != nil {
		return err
	}
	return t.bucket(b).Delete(key)
}

func (t *txn) mayWrite() error {
	if !t.b.Writable() {
		return ErrReadOnly
	}
	t.writes++
	return nil
}

// read decodes the record at key into v; ErrNotFound if there is none.
func (t *txn) read(b bucket, key []byte, v any) error {
	record := t.get(b, key)
	if record == nil {
		return ErrNotFound
	}
	return t.decode(b, key, record, v)
}

func (t *txn) decode(b bucket, key, record []byte, v any) error {
	if err := t.l.codec.unpack(record, v); err != nil {
		return t.damaged(b, key, err)
	}
	return nil
}

func (t *txn) damaged(b bucket, key []byte, err error) error {
	return &CorruptError{Path: t.l.path, What: fmt.Sprintf("record %s %x", bucketNames[b], key), Err: err}
}

func (t *txn) write(b bucket, key []byte, v any) error {
	if b.small() {
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("ledger: encode %T: %w", v, err)
		}
		return t.put(b, key, t.l.codec.squeeze(raw))
	}
	record, err := t.l.codec.pack(v, 0)
	if err != nil {
		return err
	}
	return t.put(b, key, record)
}

// each visits the keys that start with prefix, from seek on, until visit answers
// false or fails. visit must not change the bucket.
func (t *txn) each(b bucket, prefix, seek []byte, visit func(k, v []byte) (bool, error)) error {
	c := t.bucket(b).Cursor()
	if seek == nil {
		seek = prefix
	}
	for k, v := c.Seek(seek); k != nil && hasPrefix(k, prefix); k, v = c.Next() {
		if more, err := visit(k, v); err != nil || !more {
			return err
		}
	}
	return nil
}

// any tells whether some key starts with prefix.
func (t *txn) any(b bucket, prefix []byte) bool {
	k, _ := t.bucket(b).Cursor().Seek(prefix)
	return k != nil && hasPrefix(k, prefix)
}

func hasPrefix(k, prefix []byte) bool {
	return len(k) >= len(prefix) && string(k[:len(prefix)]) == string(prefix)
}

// Kinds of names that get short numbers.
const (
	nameSender      = "s"
	nameEnvironment = "e"
	nameOutbox      = "o"
)

// number gives the short number of a name, as four bytes for keys. Unknown names
// get one in a writing transaction and 0, which no key holds, otherwise.
func (t *txn) number(kind, name string) ([]byte, error) {
	full := kind + name
	n, ok := t.names[full]
	if !ok {
		if v := t.get(bNames, []byte(full)); v != nil {
			n = binary.BigEndian.Uint32(v)
		} else if t.b.Writable() {
			seq, err := t.bucket(bNames).NextSequence()
			if err != nil {
				return nil, err
			}
			n = uint32(seq)
			if err := t.put(bNames, []byte(full), binary.BigEndian.AppendUint32(nil, n)); err != nil {
				return nil, err
			}
		}
		t.names[full] = n
	}
	return binary.BigEndian.AppendUint32(nil, n), nil
}

// flush writes what was kept decoded.
func (t *txn) flush() error {
	for _, h := range t.heads {
		if h.dirty {
			if err := t.writeHead(h); err != nil {
				return err
			}
		}
	}
	return nil
}

func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
