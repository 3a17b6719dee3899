package ingest

import (
	"context"
	"errors"
	"path"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// Expire removes the folders of batches that were claimed before a time from archive/
// and rejected/ of a flow, where the ledger has purged them. Only what a manifest of
// this installation lists as a batch is touched, the manifest last, so that a removal
// that was interrupted is found again. It gives the batches removed; with dry it only
// counts.
func (i *Ingest) Expire(ctx context.Context, f *Flow, before time.Time, dry bool) ([]string, error) {
	var gone []string
	visit := func(dir string) error {
		expired, err := i.expired(ctx, f, dir, before)
		if err != nil || !expired {
			return err
		}
		gone = append(gone, path.Base(dir))
		if dry {
			return nil
		}
		return i.step(StepExpire, func() error { return removeBatch(ctx, f, dir) })
	}
	err := f.below(ctx, f.archive(), 3, visit)
	if err == nil {
		err = f.below(ctx, f.rejected(), 1, visit)
	}
	return gone, err
}

// expired tells whether a folder is that of an old batch which was purged.
func (i *Ingest) expired(ctx context.Context, f *Flow, dir string, before time.Time) (bool, error) {
	if len(path.Base(dir)) < len("20060102T150405") {
		return false, nil
	}
	// The name tells nearly always without a look into the folder.
	at, err := time.ParseInLocation("20060102T150405", path.Base(dir)[:15], i.rome)
	if err != nil || !at.Before(before) {
		return false, nil //nolint:nilerr // not a batch of ours
	}
	m, err := readManifest(ctx, f.Folder, path.Join(dir, ManifestName))
	if errors.Is(err, folder.ErrNotExist) || errors.Is(err, errDamaged) {
		return false, nil
	}
	if err != nil || m.Installation != i.opts.Installation || !m.ClaimedAt.Before(before) {
		return false, err
	}
	purged := false
	err = i.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		_, err := tx.Batch(m.Batch)
		purged = tx.Purged(m.Batch) && errors.Is(err, ledger.ErrNotFound)
		return ignoreUnknown(err)
	})
	return purged, err
}

func removeBatch(ctx context.Context, f *Flow, dir string) error {
	all, err := f.Folder.List(ctx, dir, true)
	if err != nil {
		return ignoreMissing(err)
	}
	manifest := path.Join(dir, ManifestName)
	for n := len(all) - 1; n >= 0; n-- { // what lies deeper comes later in the list
		if all[n].Name == manifest {
			continue
		}
		if err := f.Folder.Remove(ctx, all[n].Name); err != nil {
			return err
		}
	}
	if err := f.Folder.Remove(ctx, manifest); err != nil {
		return err
	}
	return f.Folder.Remove(ctx, dir)
}
