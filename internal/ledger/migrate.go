package ledger

import "go.etcd.io/bbolt"

// migrations brings a ledger of schema n to n+1, at index n. Schema 0 is a file
// without a schema number: one that was just created. All steps run in the
// transaction that opens the ledger, so a crash leaves the old schema.
func migrations() []func(*txn) error {
	return []func(*txn) error{
		func(*txn) error { return nil }, // 0 -> 1: the tables, which Open has made
		(*txn).indexOrphans,
	}
}

// indexOrphans makes the index of orphans (1 -> 2).
func (t *txn) indexOrphans() error {
	return t.each(bOrphan, nil, nil, func(k, v []byte) (bool, error) {
		o := &Orphan{}
		if err := t.decode(bOrphan, k, v, o); err != nil {
			return false, err
		}
		return true, t.indexOrphan(o)
	})
}

func (l *Ledger) migrate(b *bbolt.Tx, fresh bool) error {
	from := metaNumber(b, "schema")
	if fresh {
		from = 0
	}
	for n, step := range migrations() {
		if uint64(n) < from {
			continue
		}
		if err := step(l.newTxn(b)); err != nil {
			return err
		}
	}
	return putMeta(b, "schema", schemaVersion)
}
