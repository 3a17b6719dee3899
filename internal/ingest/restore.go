package ingest

import (
	"context"
	"fmt"
	"path"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// Restore makes a private copy anew from the archive, by hash: a person may want a
// notification sent again whose copies have been freed (rule 24, resubmit). flow
// finds a flow by name, nil if there is none any more. folder.ErrNotExist if the
// archive no longer has those bytes. After a crash in between it is simply asked for
// again.
func (i *Ingest) Restore(ctx context.Context, flow func(name string) *Flow, spool, hash string) error {
	id := spoolBatch(spool)
	b, err := i.batch(ctx, id)
	if err != nil {
		return err
	}
	if b == nil || b.Archive == "" || flow(b.Flow) == nil {
		return fmt.Errorf("private copy %s: no archive of batch %s: %w", spool, id, folder.ErrNotExist)
	}
	f := flow(b.Flow)
	m, err := readManifest(ctx, f.Folder, path.Join(b.Archive, ManifestName))
	if err != nil {
		return err
	}
	// First, so that what is copied now is freed again in time.
	if err := i.markKept(ctx, id); err != nil {
		return err
	}
	for _, d := range m.Documents {
		if d.Hash != hash {
			continue
		}
		found, _, err := i.copyToSpool(ctx, f.Folder, path.Join(b.Archive, d.Dest), spool)
		if err != nil {
			return err
		}
		if found == hash {
			return nil
		}
		if err := i.data.Remove(ctx, spool); err != nil {
			return err
		}
	}
	return fmt.Errorf("private copy %s: not in the archive %s: %w", spool, b.Archive, folder.ErrNotExist)
}

// markKept says that a batch has private copies again.
func (i *Ingest) markKept(ctx context.Context, batch string) error {
	return i.opts.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		b, err := tx.Batch(batch)
		if err != nil || !b.SpoolFreed {
			return err
		}
		b.SpoolFreed = false
		return tx.PutBatch(b)
	})
}
