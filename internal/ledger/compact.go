package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// compactTx is how many bytes one transaction of Compact copies.
const compactTx = 16 << 20

// Compact writes a copy of the ledger to path, which must not exist, without the
// room that bbolt leaves in half-filled and freed pages: a ledger in use is about a
// third bigger than its compact copy. The copy is complete when Compact returns
// without an error; to use it, close the ledger and put it in its place. What
// was committed while it ran may be missing from the copy: nobody else should be
// using the ledger.
func (l *Ledger) Compact(ctx context.Context, path string) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("ledger: compact: %s exists already", path)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	dst, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: l.opts.Timeout, FreelistType: bbolt.FreelistMapType, NoStatistics: true})
	if err != nil {
		return fmt.Errorf("ledger: compact: %w", err)
	}
	err = bbolt.Compact(dst, l.db, compactTx)
	if err == nil {
		err = dst.Sync()
	}
	if err = errors.Join(err, dst.Close()); err != nil {
		return errors.Join(fmt.Errorf("ledger: compact: %w", err), os.Remove(path))
	}
	return nil
}
