package ledger

import "go.etcd.io/bbolt"

// migrations brings a ledger of schema n to n+1, at index n. Schema 0 is a file
// without a schema number: one that was just created. All steps run in the
// transaction that opens the ledger, so a crash leaves the old schema.
func migrations() []func(*bbolt.Tx) error {
	return []func(*bbolt.Tx) error{
		func(*bbolt.Tx) error { return nil }, // 0 -> 1: the tables, which Open has made
	}
}

func migrate(b *bbolt.Tx, fresh bool) error {
	from := metaNumber(b, "schema")
	if fresh {
		from = 0
	}
	for n, step := range migrations() {
		if uint64(n) < from {
			continue
		}
		if err := step(b); err != nil {
			return err
		}
	}
	return putMeta(b, "schema", schemaVersion)
}
