package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
)

// Backup writes a consistent copy while the ledger is in use and gives its size.
// The generation grows afterwards, so that the copy, put back later, is known to be
// old.
func (l *Ledger) Backup(ctx context.Context, w io.Writer) (int64, error) {
	var n int64
	err := l.View(ctx, func(t *Tx) error {
		var err error
		n, err = t.b.WriteTo(&ctxWriter{ctx: ctx, w: w})
		return err
	})
	if err != nil || l.opts.ReadOnly {
		return n, err
	}
	var next uint64
	err = l.Update(ctx, func(t *Tx) error {
		next = metaNumber(t.b, "generation") + 1
		return t.put(bMeta, []byte("generation"), strconv.AppendUint(nil, next, 10))
	})
	if err != nil {
		return n, err
	}
	l.generation.Store(next)
	return n, l.writeGeneration(next)
}

type ctxWriter struct {
	ctx context.Context //nolint:containedctx // lives for one call only
	w   io.Writer
}

func (c *ctxWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

// BackupFile is Backup into a file that only its owner may read. The copy is written
// under a temporary name, synced, read back whole (see CheckFile) and only then
// renamed: under its own name it is complete, whatever happens. fs.ErrExist if there
// is a file of the name already. What a crash leaves ends in ".tmp".
func (l *Ledger) BackupFile(ctx context.Context, path string) (n int64, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return 0, errors.Join(&fs.PathError{Op: "backup", Path: path, Err: fs.ErrExist}, err)
	}
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("ledger: backup: %w", err)
	}
	n, err = l.Backup(ctx, f)
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err == nil {
		err = CheckFile(tmp)
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("ledger: backup: %w", err), os.Remove(tmp))
	}
	return n, l.opts.Step.around(StepBackup, func() error {
		if err := os.Rename(tmp, path); err != nil {
			return errors.Join(fmt.Errorf("ledger: backup: %w", err), os.Remove(tmp))
		}
		return syncDir(filepath.Dir(path))
	})
}

// CheckFile reads a ledger that nobody uses, such as a backup, once through: every
// page and the checksum of every record. Nothing is written. *CorruptError if it is
// not whole, *VersionError if a newer program wrote it; what an older one wrote is
// migrated when it is used.
func CheckFile(path string) error {
	if _, err := inspect(path, 1, Options{ReadOnly: true}); err != nil {
		return err
	}
	db, err := openFile(path, Options{ReadOnly: true, Timeout: 2 * time.Second})
	if err != nil {
		return err
	}
	codec, err := newCodec()
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer codec.close()
	l := &Ledger{db: db, path: path, codec: codec, opts: Options{ReadOnly: true}}
	err = db.View(func(b *bbolt.Tx) error {
		found, err := l.schema(b)
		if err == nil && found > schemaVersion {
			err = l.versionError(found)
		}
		if err != nil {
			return err
		}
		return l.walk(b)
	})
	return errors.Join(err, db.Close())
}
