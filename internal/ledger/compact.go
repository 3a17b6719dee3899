package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// CompactFile makes the ledger at path as small as it can be: a copy is written beside
// it, read back, verified whole, and put in its place by one rename. Until that rename
// the ledger is as it was, and what a crash leaves (".compact") the next opening
// removes; after it the copy is the ledger. It needs the ledger for itself
// (*LockedError). It gives the sizes before and after.
func CompactFile(ctx context.Context, path string, opts Options) (before, after int64, err error) {
	l, err := Open(path, opts)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	small := compactPath(path)
	if err := l.Compact(ctx, small); err != nil {
		return 0, 0, err
	}
	if err := verifyCopy(small, opts); err != nil {
		return 0, 0, errors.Join(fmt.Errorf("ledger: the compact copy is not whole: %w", err), os.Remove(small))
	}
	if before, err = sizeOf(path); err != nil {
		return 0, 0, err
	}
	if after, err = sizeOf(small); err != nil {
		return before, 0, err
	}
	return before, after, l.opts.Step.around(StepCompact, func() error { return l.takePlace(small) })
}

// takePlace renames the copy over the ledger, while that is still locked where the
// system allows it: whoever waits for the lock then sees that the file is another
// (see openFile).
func (l *Ledger) takePlace(small string) error {
	if !renamesOpenFiles {
		if err := l.Close(); err != nil {
			return err
		}
		if n, err := readGeneration(l.path); err != nil || n != l.Generation() {
			return errors.Join(err, errors.New("ledger: somebody used the ledger while it was compacted; nothing was changed"), os.Remove(small))
		}
	}
	if err := os.Rename(small, l.path); err != nil {
		return errors.Join(fmt.Errorf("ledger: compact: %w", err), os.Remove(small))
	}
	return syncDir(filepath.Dir(l.path))
}

// verifyCopy opens a copy for reading and verifies everything in it.
func verifyCopy(path string, opts Options) error {
	opts.ReadOnly, opts.Rebuild = true, false
	c, err := Open(path, opts)
	if err != nil {
		return err
	}
	return errors.Join(append(c.Verify(), c.Close())...)
}

func compactPath(path string) string { return path + ".compact" }

func sizeOf(path string) (int64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	return st.Size(), nil
}

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
