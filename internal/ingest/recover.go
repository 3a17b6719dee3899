package ingest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// Recover finds what an earlier process of this installation left half done in the
// flows and makes it something that the next Pass finishes (crash table). Call it
// once at the start, before the first Pass. It may be interrupted and repeated.
// Errors of single flows are joined; the others are recovered all the same, and a
// flow whose folder was not available is recovered by its first Pass.
func (i *Ingest) Recover(ctx context.Context, flows []*Flow) error {
	faults := []error{i.unread(ctx)}
	for _, f := range flows {
		st := i.state(f.Name)
		st.mu.Lock()
		err := i.recoverFlow(ctx, f, st)
		st.mu.Unlock()
		if err != nil {
			faults = append(faults, fmt.Errorf("flow %s: %w", f.Name, err))
		}
	}
	return errors.Join(append(faults, i.sweepSpool(ctx, flows))...)
}

// unread takes back what was read of batches that were not sealed (rule 10), before
// any flow is read: their claims may be read again later than other drops, or never.
func (i *Ingest) unread(ctx context.Context) error {
	var begun []*ledger.Batch
	err := i.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		begun = nil
		var ids []string
		if err := tx.Batches(func(b *ledger.Batch) bool {
			if b.State == ledger.Reading && b.Rows > 0 {
				ids = append(ids, b.ID)
			}
			return true
		}); err != nil {
			return err
		}
		for _, id := range ids {
			b, err := tx.Batch(id)
			if err != nil {
				return err
			}
			begun = append(begun, b)
		}
		return nil
	})
	for _, b := range begun {
		err = errors.Join(err, i.opts.Ledger.Begin(ctx, *b))
	}
	return err
}

func (i *Ingest) recoverFlow(ctx context.Context, f *Flow, st *state) error {
	for _, dir := range []string{f.in(), f.work(), f.archive(), f.rejected()} {
		if err := f.Folder.Mkdir(ctx, dir); err != nil {
			return err
		}
	}
	own, _, faults := i.claims(ctx, f)
	for _, err := range faults {
		if !errors.Is(err, errDamaged) { // a damaged one is made anew from the ledger, if it knows the batch
			return err
		}
	}
	claimed := map[string]bool{}
	for _, c := range own {
		claimed[c.Batch] = true
	}
	if err := i.removeUnclaimed(ctx, f); err != nil {
		return err
	}
	err := i.restore(ctx, f, claimed)
	st.recovered = err == nil
	return err
}

// removeUnclaimed removes folders in work/ that we made and died before the manifest
// was in them. Ours are those that have their counterpart among the private copies;
// another installation's may be just about to get its manifest.
func (i *Ingest) removeUnclaimed(ctx context.Context, f *Flow) error {
	if f.Exclusive {
		return nil
	}
	all, err := f.Folder.List(ctx, f.work(), false)
	if err != nil {
		return err
	}
	for _, e := range all {
		if !e.Dir || i.reserved(path.Base(e.Name)) {
			continue
		}
		_, manifest := f.Folder.Stat(ctx, path.Join(e.Name, ManifestName))
		_, ours := i.data.Stat(ctx, path.Join(spoolDir, path.Base(e.Name)))
		if !errors.Is(manifest, folder.ErrNotExist) || ours != nil {
			continue
		}
		if err := i.returnUnclaimed(ctx, f, e.Name); err != nil {
			return err
		}
		if err := i.removeEmpty(ctx, f.Folder, e.Name); err != nil {
			return err
		}
	}
	return nil
}

// returnUnclaimed gives back to the drop what lies in a folder of ours in work/ that has
// no manifest, of a batch that the ledger does not know: an export whose rename a
// server carried out when its claim had been given up.
func (i *Ingest) returnUnclaimed(ctx context.Context, f *Flow, dir string) error {
	batch := path.Base(dir)
	if b, err := i.batch(ctx, batch); err != nil || b != nil {
		return err
	}
	all, err := f.Folder.List(ctx, dir, true)
	if err != nil {
		return ignoreMissing(err)
	}
	for _, e := range all {
		if e.Dir || e.Special || folder.Temporary(e.Name) {
			continue
		}
		err := i.step(StepPutBack, func() error {
			return f.putBack(ctx, e.Name, path.Join(f.in(), strings.TrimPrefix(e.Name, dir+"/")), batch)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// restore looks for batches of the flow whose claim is gone from work/ although they
// were not archived, and makes the claim anew from the private copies. So a person
// who empties work/ loses nothing.
func (i *Ingest) restore(ctx context.Context, f *Flow, claimed map[string]bool) error {
	var lost []*ledger.Batch
	err := i.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		lost = nil
		var ids []string
		err := tx.Batches(func(b *ledger.Batch) bool {
			if b.Flow == f.Name && b.Archive == "" && !claimed[b.ID] {
				ids = append(ids, b.ID)
			}
			return true
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			b, err := tx.Batch(id)
			if err != nil {
				return err
			}
			lost = append(lost, b)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, b := range lost {
		if err := i.restoreBatch(ctx, f, b); err != nil {
			return err
		}
	}
	return nil
}

func (i *Ingest) restoreBatch(ctx context.Context, f *Flow, b *ledger.Batch) error {
	// The crash may have come after the archive and before the ledger knew.
	for _, dir := range []string{i.archiveDir(f, b.ID, b.ClaimedAt), path.Join(f.rejected(), b.ID)} {
		_, err := f.Folder.Stat(ctx, path.Join(dir, ManifestName))
		if err == nil {
			return i.step(StepArchived, func() error { return i.archived(ctx, b.ID, dir) })
		}
		if !errors.Is(err, folder.ErrNotExist) {
			return err
		}
	}
	c := i.claimFrom(f, b)
	ok := c.Export.Spool != ""
	if ok {
		var err error
		if ok, err = i.spooled(ctx, c.Export.Spool, b.Hash); err != nil {
			return err
		}
	}
	switch {
	case ok:
		return i.step(StepManifest, func() error { return c.save(ctx) })
	case b.State == ledger.Reading:
		// Its export is found by its hash only as a new drop, which is judged row by
		// row; of this batch nothing was ever due.
		_, _, err := i.lost(ctx, f, c)
		return err
	}
	i.opts.Log.ErrorContext(ctx, "batch has neither claim, archive nor private copy", "flow", f.Name, "batch", b.ID)
	return nil
}

// claimFrom makes a claim from what the ledger has of a batch. The profile is
// today's, because its copy was lost with the claim.
func (i *Ingest) claimFrom(f *Flow, b *ledger.Batch) *claim {
	home, dir := i.home(f)
	c := &claim{home: home, dir: path.Join(dir, b.ID)}
	c.Manifest = Manifest{
		Version: manifestVersion, Installation: i.opts.Installation, Batch: b.ID, Flow: b.Flow, ClaimedAt: b.ClaimedAt,
		Sender: b.Sender, SenderTaxID: b.SenderTaxID, Environment: b.Environment, Outbox: b.Outbox,
		Name: b.File, Kind: b.Kind, Heading: b.Heading,
		Export:      File{Source: path.Join(f.in(), b.File), Dest: b.File, Size: b.Size, Hash: b.Hash},
		ProfileName: f.ProfileName, Profile: f.Profile, Exclusive: f.Exclusive,
	}
	byPath := map[string]int{}
	for _, s := range b.Spool {
		if s.Name == b.File {
			c.Export.Spool = s.Path
			continue
		}
		n, ok := byPath[s.Path]
		if !ok {
			n = len(c.Documents)
			byPath[s.Path] = n
			c.Documents = append(c.Documents, Copy{File: File{
				Dest: path.Join("documents", path.Base(s.Path)), Size: s.Size, Hash: s.Hash, Spool: s.Path,
			}})
		}
		c.Documents[n].Names = append(c.Documents[n].Names, s.Name)
	}
	return c
}

// sweepSpool removes private copies that belong to nothing: a claim that never
// happened, a batch whose copies were freed when the process died, half a copy.
func (i *Ingest) sweepSpool(ctx context.Context, flows []*Flow) error {
	all, err := i.data.List(ctx, spoolDir, false)
	if err != nil {
		return err
	}
	var faults []error
	for _, e := range all {
		if !e.Dir {
			if strings.HasPrefix(path.Base(e.Name), ".look-") {
				faults = append(faults, i.data.Remove(ctx, e.Name))
			}
			continue
		}
		orphan, err := i.orphan(ctx, path.Base(e.Name), flows)
		switch {
		case err != nil:
		case orphan:
			err = i.removeSpool(ctx, path.Base(e.Name))
		default:
			_, err = i.data.Tidy(ctx, e.Name) // a copy that was being made
		}
		if err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// orphan reports whether nothing needs the private copies of a batch.
func (i *Ingest) orphan(ctx context.Context, batch string, flows []*Flow) (bool, error) {
	if i.reserved(batch) {
		return false, nil
	}
	b, err := i.batch(ctx, batch)
	if err != nil {
		return false, err
	}
	if b != nil {
		return b.SpoolFreed, nil
	}
	if _, err := i.data.Stat(ctx, path.Join(spoolDir, batch, ManifestName)); !errors.Is(err, folder.ErrNotExist) {
		return false, err
	}
	for _, f := range flows {
		if _, err := f.Folder.Stat(ctx, path.Join(f.work(), batch)); !errors.Is(err, folder.ErrNotExist) {
			return false, err
		}
	}
	return true, nil
}
