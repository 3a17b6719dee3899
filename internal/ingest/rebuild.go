package ingest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// Rebuilt is what a rebuilding made of the folders of the flows.
type Rebuilt struct {
	Batches    int      // read again
	Unreadable int      // whole files that had been rejected
	Foreign    int      // claimed by another installation, left to it
	Problems   []string // what could not be read again, one sentence each
}

// old is a batch that a folder of a flow still has.
type old struct {
	claim
	flow     *Flow
	rejected bool // in rejected/
	claimed  bool // still in work/ (or, exclusive, in the data folder)
}

// Recall finds out what became of the batches that are read again.
type Recall interface {
	// Survey is told of every batch before the first is read: its profile, its export,
	// which it must not keep, and what was found for its documents at the claim. It
	// may be told of one twice.
	Survey(ctx context.Context, b *ledger.Batch, profile []byte, file string, documents DocumentFunc) error
	// Settle is called for a batch that was read, before the next is.
	Settle(ctx context.Context, batch string) error
}

// Rebuild reads every batch of this installation that lies in archive/, rejected/ or
// work/ into a new ledger, in the order in which they were claimed, each with the copy
// of its profile and under its own id. Nothing of them is due: each is sealed behind a
// closed release gate until Recall has found out what became of its rows. Killed at any
// point it is simply called again: a batch that the ledger knows to be archived is done.
// The folders are not changed.
func (i *Ingest) Rebuild(ctx context.Context, flows []*Flow, recall Recall) (Rebuilt, error) {
	var r Rebuilt
	all, err := i.everyOld(ctx, flows, &r)
	if err == nil {
		err = i.unread(ctx)
	}
	if err != nil {
		return r, err
	}
	return r, i.readAgain(ctx, all, recall, &r)
}

// readAgain surveys all batches and reads them after that.
func (i *Ingest) readAgain(ctx context.Context, all []*old, recall Recall, r *Rebuilt) error {
	failed := map[string]bool{}
	err := i.eachOld(ctx, all, failed, func(o *old) error { return i.survey(ctx, o, recall) })
	return errors.Join(err, i.eachOld(ctx, all, failed, func(o *old) error { return i.rebuild(ctx, o, recall, r) }))
}

// survey shows a batch to Recall, from where it lies. One that is not there whole is no
// matter here: its reading tells.
func (i *Ingest) survey(ctx context.Context, o *old, recall Recall) error {
	if o.rejected || o.claimed && o.Archived {
		return nil
	}
	name := path.Join(o.dir, o.Export.Dest)
	if o.claimed {
		name = o.export()
	}
	hash, _, err := digest(ctx, o.flow.Folder, name)
	if errors.Is(err, folder.ErrNotExist) || err == nil && hash != o.Export.Hash {
		return nil
	}
	if err != nil {
		return err
	}
	file, done, err := i.local(ctx, o.flow, name)
	if err != nil {
		return err
	}
	defer done()
	b := o.batch()
	return recall.Survey(ctx, &b, o.Profile, file, o.flow.documents(&o.Manifest))
}

// eachOld joins the errors of single batches: a key that was withdrawn, or a folder that
// is away, must not keep the batches of other senders from being known. After a
// batch that failed nothing later of its sender is read, so that a number's batches are
// judged in the order of their claims. failed are those senders, by tax code.
func (i *Ingest) eachOld(ctx context.Context, all []*old, failed map[string]bool, do func(*old) error) error {
	var faults []error
	for _, o := range all {
		if ctx.Err() != nil {
			return errors.Join(append(faults, ctx.Err())...)
		}
		if failed[o.SenderTaxID] {
			continue
		}
		if err := do(o); err != nil {
			failed[o.SenderTaxID] = true
			faults = append(faults, fmt.Errorf("batch %s: %w", o.Batch, err))
		}
	}
	return errors.Join(faults...)
}

// Complete is Rebuild for a ledger that is older than what was done with it: it reads
// what archive/ and rejected/ have and the ledger does not, and leaves all else alone.
// It may run beside Pass, which goes on with what lies in work/.
func (i *Ingest) Complete(ctx context.Context, flows []*Flow, recall Recall) (Rebuilt, error) {
	var r Rebuilt
	all, err := i.everyOld(ctx, flows, &r)
	if err != nil {
		return r, err
	}
	var unknown []*old
	for _, o := range all {
		known, err := i.knows(ctx, o)
		if err != nil {
			return r, err
		}
		if !known {
			unknown = append(unknown, o)
		}
	}
	return r, i.readAgain(ctx, unknown, recall, &r)
}

// knows tells whether the ledger has a batch, or has purged it, or its claim is still
// under way. One that was left READING although it lies in the archive is a completion
// that died.
func (i *Ingest) knows(ctx context.Context, o *old) (known bool, err error) {
	err = i.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		b, err := tx.Batch(o.Batch)
		if errors.Is(err, ledger.ErrNotFound) {
			known, err = tx.Purged(o.Batch), nil
		} else if err == nil {
			known = b.State != ledger.Reading
		}
		return err
	})
	return known || o.claimed, err
}

// everyOld lists the batches that the folders of the flows still have, by the time of
// their claim, each once.
func (i *Ingest) everyOld(ctx context.Context, flows []*Flow, r *Rebuilt) ([]*old, error) {
	var all []*old
	for _, f := range flows {
		found, err := i.oldBatches(ctx, f, flows, r)
		if err != nil {
			return nil, fmt.Errorf("flow %s: %w", f.Name, err)
		}
		all = append(all, found...)
	}
	slices.SortStableFunc(all, func(a, b *old) int {
		if c := a.ClaimedAt.Compare(b.ClaimedAt); c != 0 {
			return c
		}
		return strings.Compare(a.Batch, b.Batch)
	})
	done := map[string]bool{}
	return slices.DeleteFunc(all, func(o *old) bool {
		twice := done[o.Batch] // in the archive, and its claim not yet removed
		done[o.Batch] = true
		return twice
	}), nil
}

// oldBatches finds the batches of a flow. Those in the archive come first, so that a
// batch that lies in work/ too is read from where it is whole.
func (i *Ingest) oldBatches(ctx context.Context, f *Flow, flows []*Flow, r *Rebuilt) ([]*old, error) {
	var found []*old
	add := func(dir string, rejected bool) error {
		m, err := readManifest(ctx, f.Folder, path.Join(dir, ManifestName))
		switch {
		case errors.Is(err, folder.ErrNotExist):
			return nil
		case errors.Is(err, errDamaged):
			r.problem("%s: %v", dir, err)
			return nil
		case err != nil:
			return err
		case m.Installation != i.opts.Installation:
			r.Foreign++
			return nil
		}
		if m.Flow != f.Name {
			if slices.ContainsFunc(flows, func(o *Flow) bool { return o.Name == m.Flow }) {
				return nil // two flows share the folders: that one reads it
			}
			m.Flow = f.Name // renamed since
		}
		found = append(found, &old{claim: claim{Manifest: m, home: f.Folder, dir: dir}, flow: f, rejected: rejected})
		return nil
	}
	err := f.below(ctx, f.archive(), 3, func(dir string) error { return add(dir, false) })
	if err == nil {
		err = f.below(ctx, f.rejected(), 1, func(dir string) error { return add(dir, true) })
	}
	if err != nil {
		return nil, err
	}
	own, foreign, faults := i.claims(ctx, f)
	r.Foreign += len(foreign)
	for _, fault := range faults {
		if !errors.Is(fault, errDamaged) {
			return nil, fault
		}
		r.problem("%v", fault)
	}
	for _, c := range own {
		found = append(found, &old{claim: *c, flow: f, claimed: true})
	}
	return found, nil
}

func (r *Rebuilt) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// below visits the folders that lie depth levels below dir.
func (f *Flow) below(ctx context.Context, dir string, depth int, visit func(dir string) error) error {
	all, err := f.Folder.List(ctx, dir, false)
	if errors.Is(err, folder.ErrNotExist) {
		return nil
	}
	for _, e := range all {
		if err != nil {
			break
		}
		switch {
		case !e.Dir:
		case depth > 1:
			err = f.below(ctx, e.Name, depth-1, visit)
		default:
			err = visit(e.Name)
		}
	}
	return err
}

// rebuild brings one batch into the ledger as far as it had got.
func (i *Ingest) rebuild(ctx context.Context, o *old, recall Recall, r *Rebuilt) error {
	b, err := i.batch(ctx, o.Batch)
	if err != nil || b != nil && b.Archive != "" && b.State != ledger.Reading {
		return err
	}
	if b == nil || b.State == ledger.Reading {
		if b, err = i.readOld(ctx, o, r); err != nil || b == nil {
			return err
		}
	}
	if b.State == ledger.Unreadable {
		r.Unreadable++
	} else {
		r.Batches++
		if err := recall.Settle(ctx, b.ID); err != nil {
			return err
		}
	}
	if o.claimed {
		return nil // the next Pass puts it into the archive
	}
	return i.step(StepArchived, func() error { return i.archived(ctx, o.Batch, o.dir) })
}

// readOld reads a batch behind a closed gate; nil where it has to be left out.
func (i *Ingest) readOld(ctx context.Context, o *old, r *Rebuilt) (*ledger.Batch, error) {
	f := *o.flow
	f.Release = GateConfig{Mode: GateCommand, Max: -1}
	if o.claimed && o.Archived {
		// Read and archived once, and the archive has it no more: Pass only clears it.
		r.problem("batch %s of flow %s is no longer in the archive; its rows are not known again, but what was sent of them is found at SEND if they are dropped again", o.Batch, f.Name)
		return nil, nil //nolint:nilnil // told
	}
	if o.claimed {
		if err := i.copyClaimed(ctx, o); err != nil {
			return nil, err
		}
		b, _, err := i.advance(ctx, &f, i.state(f.Name), &o.claim)
		var waits *waitError
		if errors.As(err, &waits) {
			return nil, nil //nolint:nilnil // it was never read, so that nothing of it has left
		}
		return b, err
	}
	whole, err := i.copyOld(ctx, o)
	switch {
	case err != nil:
		return nil, err
	case !whole:
		r.problem("batch %s of flow %s: %s is missing from %s, or was changed; its rows are not known again, but what was sent of them is found at SEND if they are dropped again", o.Batch, f.Name, o.Export.Dest, o.dir)
		return nil, nil //nolint:nilnil // told
	case o.rejected:
		return i.rejectAgain(ctx, &f, o)
	}
	b, _, err := i.read(ctx, &f, &o.claim)
	return b, err
}

// copyOld makes private copies of what the archive has of a batch; false if the export
// is not what was claimed. A document that is missing or was changed is left out: what
// was sent of it stands in the manifest, by hash.
func (i *Ingest) copyOld(ctx context.Context, o *old) (bool, error) {
	dest := o.Export.Dest
	if o.rejected {
		dest = path.Base(dest)
	}
	o.Export.Spool = spoolName(o.Batch, 0, o.Name)
	ok, err := i.copyBack(ctx, o.flow, path.Join(o.dir, dest), o.Export.Spool, o.Export.Hash)
	if err != nil || !ok || o.rejected {
		return ok, err
	}
	for n := range o.Documents {
		d := &o.Documents[n]
		if d.Spool == "" {
			continue
		}
		if _, err := i.copyBack(ctx, o.flow, path.Join(o.dir, d.Dest), d.Spool, d.Hash); err != nil {
			return false, err
		}
	}
	return true, nil
}

// copyClaimed makes the private copies anew of the documents of a claim that never got
// as far as the archive, where the data folder was lost with them. One that lies
// nowhere any more counts as never copied.
func (i *Ingest) copyClaimed(ctx context.Context, o *old) error {
	dir := i.archiveDir(o.flow, o.Batch, o.ClaimedAt)
	for n := range o.Documents {
		d := &o.Documents[n]
		if d.Spool == "" {
			continue
		}
		ok, err := i.copyBack(ctx, o.flow, path.Join(dir, d.Dest), d.Spool, d.Hash)
		if err == nil && !ok && d.Source != "" {
			ok, err = i.copyBack(ctx, o.flow, d.Source, d.Spool, d.Hash)
		}
		if err != nil {
			return err
		}
		if !ok {
			d.Spool = ""
		}
	}
	return nil
}

// copyBack makes a private copy from the archive; false if the archive has not got
// those bytes.
func (i *Ingest) copyBack(ctx context.Context, f *Flow, source, spool, hash string) (bool, error) {
	if ok, err := i.spooled(ctx, spool, hash); err != nil || ok {
		return ok, err
	}
	got, _, err := i.copyToSpool(ctx, f.Folder, source, spool)
	switch {
	case errors.Is(err, folder.ErrNotExist):
		return false, nil
	case err == nil && got != hash:
		return false, i.data.Remove(ctx, spool)
	}
	return err == nil, err
}

// rejectAgain stores a whole file that had been rejected, with its reason as far as it
// can still be found.
func (i *Ingest) rejectAgain(ctx context.Context, f *Flow, o *old) (*ledger.Batch, error) {
	p := o.Problem
	if p == nil {
		file, _ := i.data.Local()
		needs, err := i.opts.Content.Needs(ctx, f.Name, path.Join(file, o.Export.Spool))
		if err != nil {
			return nil, err
		}
		p = needs.Unreadable
	}
	if p == nil {
		again := f.problem("C-FILE-REJECTED-BEFORE", "")
		p = &again
	}
	b, _, err := i.unreadable(ctx, &o.claim, *p)
	return b, err
}
