package ingest

import (
	"context"
	"errors"
	"path"
	"path/filepath"
	"strings"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// advance brings a claim as far as the end of its reading, whatever has been done of
// it before: that is the whole recovery (crash table). It returns the batch, SEALED
// or UNREADABLE, or nil where the claim turned out not to have happened. taken tells
// whether this call brought it to its end.
func (i *Ingest) advance(ctx context.Context, f *Flow, st *state, c *claim) (b *ledger.Batch, taken *Taken, err error) {
	b, err = i.batch(ctx, c.Batch)
	if err == nil && (b == nil || b.State == ledger.Purging) {
		b, err = i.outlived(ctx, f, c)
	}
	if err != nil || b != nil && b.State != ledger.Reading {
		return b, nil, err
	}
	err = i.spoolExport(ctx, f, c)
	switch {
	case errors.Is(err, folder.ErrNotExist):
		// The export was never renamed, or somebody took it from work/ before there
		// was a copy.
		if b == nil {
			_, err := i.abandon(ctx, c)
			return nil, nil, err
		}
		return i.lost(ctx, f, c)
	case errors.Is(err, errHash):
		if b == nil {
			return nil, nil, i.putBack(ctx, f, c)
		}
		return i.lost(ctx, f, c)
	case err != nil:
		return nil, nil, err
	}
	if err := i.takeDoneFile(ctx, f, c); err != nil {
		return nil, nil, err
	}
	if c.Problem != nil {
		return i.unreadable(ctx, c, *c.Problem)
	}
	if err := i.spoolDocuments(ctx, f, st, c); err != nil {
		return nil, nil, err
	}
	return i.read(ctx, f, c)
}

// outlived gives what is left to know of a batch that was archived and that the ledger
// has not got, so that its sources are cleared and nothing else: a purge removed it
// while the drop could not be cleared, or the ledger was restored from a time before it.
// Its rows must not be judged again here, for what a person discarded of them is known
// no more. nil for every other claim.
func (i *Ingest) outlived(ctx context.Context, f *Flow, c *claim) (*ledger.Batch, error) {
	purged := false
	err := i.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		b, err := tx.Batch(c.Batch)
		purged = tx.Purged(c.Batch) || err == nil && b.State == ledger.Purging
		return ignoreUnknown(err)
	})
	if err != nil || !purged && !c.Archived {
		return nil, err
	}
	c.Archived = true // a purge takes nothing else
	b := c.batch()
	b.State, b.Archive = ledger.Sealed, i.archiveDir(f, c.Batch, c.ClaimedAt)
	rejected := path.Join(f.rejected(), c.Batch)
	switch _, err := f.Folder.Stat(ctx, rejected); {
	case err == nil:
		b.State, b.Archive = ledger.Unreadable, rejected
	case !errors.Is(err, folder.ErrNotExist):
		return nil, err
	}
	return &b, nil
}

func ignoreUnknown(err error) error {
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	return err
}

// read has Content read the private copy into the ledger and seals the batch.
func (i *Ingest) read(ctx context.Context, f *Flow, c *claim) (*ledger.Batch, *Taken, error) {
	release, err := i.readAlone(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	b := c.batch()
	if err := i.step(StepBegin, func() error { return i.opts.Ledger.Begin(ctx, b) }); err != nil {
		return nil, nil, err
	}
	var result ReadResult
	err = i.step(StepRead, func() (err error) {
		file := filepath.Join(i.opts.Data, filepath.FromSlash(c.Export.Spool))
		if result, err = i.opts.Content.Read(ctx, &b, c.Profile, file, f.documents(&c.Manifest)); err == nil {
			return nil
		}
		// What was read of it must not keep other drops waiting until it is read again.
		return errors.Join(err, i.opts.Ledger.Begin(context.WithoutCancel(ctx), b))
	})
	if err != nil {
		return nil, nil, err
	}
	if result.Unreadable != nil {
		return i.unreadable(ctx, c, *result.Unreadable)
	}
	var sealed *ledger.Batch
	err = i.step(StepSeal, func() (err error) {
		sealed, err = i.opts.Ledger.Seal(ctx, c.Batch, f.sealing(i.opts.Clock(), result.AvoidedCent))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	i.opts.Log.InfoContext(ctx, "batch read", "flow", f.Name, "batch", c.Batch, "rows", sealed.Rows, "new", sealed.Admitted)
	return sealed, &Taken{Batch: c.Batch, File: c.Name, State: sealed.State, Rows: result.Rows, New: result.New}, nil
}

// unreadable rejects the whole file in the ledger; finish then moves it.
func (i *Ingest) unreadable(ctx context.Context, c *claim, p notification.Problem) (*ledger.Batch, *Taken, error) {
	b := c.batch()
	if err := i.step(StepReject, func() error { return i.opts.Ledger.Unreadable(ctx, b, p) }); err != nil {
		return nil, nil, err
	}
	i.opts.Log.WarnContext(ctx, "file rejected", "flow", c.Flow, "batch", c.Batch, "code", p.Code)
	stored, err := i.batch(ctx, c.Batch)
	return stored, &Taken{Batch: c.Batch, File: c.Name, State: ledger.Unreadable, Problem: &p}, err
}

// lost ends a batch whose export is nowhere any more. Nothing of it was due, because
// it was never sealed.
func (i *Ingest) lost(ctx context.Context, f *Flow, c *claim) (*ledger.Batch, *Taken, error) {
	return i.unreadable(ctx, c, f.problem("C-BATCH-LOST", ""))
}

// putBack undoes a claim whose export changed under it.
func (i *Ingest) putBack(ctx context.Context, f *Flow, c *claim) error {
	err := i.step(StepPutBack, func() error {
		if c.Exclusive {
			return nil
		}
		return f.putBack(ctx, c.export(), c.Export.Source, c.Batch)
	})
	if err != nil {
		return err
	}
	_, err = i.abandon(ctx, c)
	return err
}

// putBack returns a file from work/ to the drop. If somebody dropped another file of
// the name meanwhile, it goes back under a name of its own.
func (f *Flow) putBack(ctx context.Context, from, to, batch string) error {
	if err := f.Folder.Mkdir(ctx, path.Dir(to)); err != nil {
		return err
	}
	err := f.Folder.Rename(ctx, from, to)
	if errors.Is(err, folder.ErrExist) {
		ext := path.Ext(to)
		err = f.Folder.Rename(ctx, from, strings.TrimSuffix(to, ext)+" ("+batch+")"+ext)
	}
	if err != nil {
		return err
	}
	return f.Folder.Sync(ctx, path.Dir(to))
}

// takeDoneFile moves the done-file of the claim, and not a newer one: that belongs
// to another export of the name.
func (i *Ingest) takeDoneFile(ctx context.Context, f *Flow, c *claim) error {
	if c.Done == nil || c.Exclusive {
		return nil
	}
	e, err := f.Folder.Stat(ctx, c.Done.Source)
	if errors.Is(err, folder.ErrNotExist) || err == nil && (e.Size != c.Done.Size || !e.Modified.Equal(c.Done.Modified)) {
		return nil
	}
	if err != nil {
		return err
	}
	return i.step(StepDone, func() error {
		return f.Folder.Move(ctx, c.Done.Source, path.Join(c.dir, c.Done.Dest))
	})
}
