package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/notification"
)

// errGone: the export left the drop before it was claimed, taken by another
// installation or by a person.
var errGone = errors.New("file is no longer in the drop")

// take claims an export that is ready: manifest first, rename second (rule 25).
func (i *Ingest) take(ctx context.Context, f *Flow, v *verdict, done string) (*claim, error) {
	if err := i.unchanged(ctx, f, v.entry); err != nil {
		return nil, err
	}
	hash, size, err := digest(ctx, f.Folder, v.entry.Name)
	if err != nil {
		return nil, err
	}
	if size != v.entry.Size {
		return nil, errChanged
	}
	now := i.opts.Clock()
	id, release, err := i.newBatchID(ctx, f, now, hash)
	if err != nil {
		return nil, err
	}
	defer release()
	c := i.newClaim(f, v, id, now, hash)
	if done != "" {
		if c.Done, err = doneFile(ctx, f, done); err != nil {
			return nil, err
		}
		c.part()
	}
	err = i.step(StepManifest, func() error { return c.first(ctx) })
	if errors.Is(err, folder.ErrExist) {
		// Another installation claims the same content in the same second. Whoever
		// renames the export has it; the next pass sees what came of it.
		return nil, errors.Join(errGone, i.removeSpool(ctx, id))
	}
	if err != nil {
		i.state(f.Name).recovered = false // a folder without a manifest may be left
		return nil, err
	}
	if c.Exclusive {
		return c, nil
	}
	return c, i.claimByRename(ctx, f, c)
}

// first makes the folder of the claim and writes the manifest into it. Making the
// folder is what keeps two installations apart that come to the same batch id: not
// every server lets a manifest be put in place only where there is none.
func (c *claim) first(ctx context.Context) error {
	if c.Exclusive {
		return c.save(ctx) // in the data folder, where nobody else is
	}
	err := c.home.Create(ctx, c.dir)
	if errors.Is(err, folder.ErrNotExist) { // somebody has taken work/ away
		if err = c.home.Mkdir(ctx, path.Dir(c.dir)); err == nil {
			err = c.home.Create(ctx, c.dir)
		}
	}
	if err != nil {
		return err
	}
	if err := c.save(ctx); err != nil {
		return err
	}
	return c.home.Sync(ctx, path.Dir(c.dir))
}

// claimByRename decides who owns the export. Where it cannot be renamed the claim
// never happened. Where that is not known, because a server's answer was lost, the
// claim stays, and the next pass sees whether the export is there.
func (i *Ingest) claimByRename(ctx context.Context, f *Flow, c *claim) error {
	var renamed error
	err := i.step(StepClaim, func() error {
		if err := f.Folder.Mkdir(ctx, path.Dir(c.export())); err != nil {
			return err
		}
		if renamed = f.Folder.Rename(ctx, c.Export.Source, c.export()); renamed != nil {
			return nil
		}
		return errors.Join(f.Folder.Sync(ctx, path.Dir(c.export())), f.Folder.Sync(ctx, path.Dir(c.Export.Source)))
	})
	switch {
	case err != nil || renamed == nil:
		return err
	case errors.Is(renamed, folder.ErrUnknown):
		return renamed
	}
	if late, err := i.abandon(ctx, c); err != nil || late {
		return err
	}
	if errors.Is(renamed, folder.ErrNotExist) {
		return errGone
	}
	return renamed
}

// unchanged tells whether a file is still as it was listed.
func (i *Ingest) unchanged(ctx context.Context, f *Flow, e folder.Entry) error {
	now, err := f.Folder.Stat(ctx, e.Name)
	switch {
	case errors.Is(err, folder.ErrNotExist):
		return errGone
	case err != nil:
		return err
	case now.Size != e.Size || !now.Modified.Equal(e.Modified) || now.Special || now.Dir:
		return errChanged
	}
	return nil
}

func digest(ctx context.Context, f folder.Folder, name string) (string, int64, error) {
	r, err := f.Open(ctx, name)
	if err != nil {
		return "", 0, err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, contextReader{ctx, r})
	return hex.EncodeToString(h.Sum(nil)), n, err
}

// contextReader lets a long copy stop when the service does.
type contextReader struct {
	ctx context.Context //nolint:containedctx // lives as long as one copy
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// newBatchID makes the id of a claim, <yyyyMMddTHHmmss>-<8 hex of the hash> in
// Europe/Rome, with -2, -3… where the same content came twice in a second. The
// folder made for it in the data folder keeps it taken, and tells after a crash that
// a folder in work/ without a manifest is ours.
func (i *Ingest) newBatchID(ctx context.Context, f *Flow, now time.Time, hash string) (id string, release func(), err error) {
	base := now.In(i.rome).Format("20060102T150405") + "-" + hash[:8]
	for n := 1; n < 1000; n++ {
		id = base
		if n > 1 {
			id += "-" + strconv.Itoa(n)
		}
		if release = i.reserve(id); release == nil {
			continue
		}
		taken, err := i.batchTaken(ctx, f, id, now)
		if err == nil && !taken {
			err = i.data.Mkdir(ctx, path.Join(spoolDir, id))
		}
		switch {
		case err != nil:
			release()
			return "", nil, err
		case !taken:
			return id, release, nil
		}
		release()
	}
	return "", nil, fmt.Errorf("a thousand batches named %s", base)
}

func (i *Ingest) batchTaken(ctx context.Context, f *Flow, id string, now time.Time) (bool, error) {
	b, err := i.batch(ctx, id)
	if err != nil || b != nil {
		return b != nil, err
	}
	places := []struct {
		folder folder.Folder
		name   string
	}{
		{i.data, path.Join(spoolDir, id)},
		{f.Folder, path.Join(f.work(), id)},
		{f.Folder, i.archiveDir(f, id, now)},
		{f.Folder, path.Join(f.rejected(), id)},
	}
	for _, p := range places {
		_, err := p.folder.Stat(ctx, p.name)
		if err == nil || !errors.Is(err, folder.ErrNotExist) {
			return err == nil, err
		}
	}
	return false, nil
}

func (i *Ingest) newClaim(f *Flow, v *verdict, id string, now time.Time, hash string) *claim {
	home, dir := i.home(f)
	c := &claim{home: home, dir: path.Join(dir, id)}
	c.Manifest = Manifest{
		Version: manifestVersion, Installation: i.opts.Installation, Batch: id, Flow: f.Name, ClaimedAt: now,
		Sender: f.Sender, SenderTaxID: f.SenderTaxID, Environment: f.Environment, Outbox: f.Outbox,
		Name: v.name, Kind: v.needs.Kind, Heading: v.needs.Heading,
		Export: File{
			Source: v.entry.Name, Dest: v.name, Size: v.entry.Size, Modified: v.entry.Modified, Hash: hash,
		},
		Documents: v.documents, Missing: v.missing, ProfileName: f.ProfileName, Profile: f.Profile, Exclusive: f.Exclusive,
	}
	c.part()
	if missing := awaited(v.missing); f.OnMissingFile && len(missing) > 0 {
		p := f.missingFile(missing)
		// The documents that are there stay, so that the file can be dropped again.
		c.Problem, c.Documents = &p, nil
	}
	return c
}

// part gives every document a place of its own in the archive, on file systems that
// tell no case apart, too: one of the documents folder and one of in/documents/ may
// have the same, and the second would not be archived.
func (c *claim) part() {
	taken := map[string]bool{fold(c.Export.Dest): true}
	if c.Done != nil {
		taken[fold(c.Done.Dest)] = true
	}
	for n := range c.Documents {
		d := &c.Documents[n]
		for k, dest := 2, d.Dest; taken[fold(d.Dest)]; k++ {
			d.Dest = path.Join(strconv.Itoa(k), dest)
		}
		taken[fold(d.Dest)] = true
	}
}

// missingFile rejects a whole file for want of documents, naming the first ones.
func (f *Flow) missingFile(missing []Missing) notification.Problem {
	var names []string
	seen := map[string]bool{}
	for _, m := range missing {
		if !seen[m.Name] {
			seen[m.Name] = true
			names = append(names, m.Name)
		}
	}
	text := strings.Join(names[:min(len(names), 20)], ", ")
	if len(names) > 20 {
		text += ", …"
	}
	return f.problem("C-DOCUMENTS-MISSING", "", "count", strconv.Itoa(len(names)), "names", text)
}

func doneFile(ctx context.Context, f *Flow, name string) (*File, error) {
	e, err := f.Folder.Stat(ctx, path.Join(f.in(), name))
	if errors.Is(err, folder.ErrNotExist) {
		return nil, errChanged
	}
	if err != nil {
		return nil, err
	}
	return &File{Source: e.Name, Dest: name, Size: e.Size, Modified: e.Modified}, nil
}

// abandon undoes a claim that did not happen, with what was copied for it. A server
// that stalled may carry out the rename after all, until the folder for it is gone:
// then there is a claim again, and late is true.
func (i *Ingest) abandon(ctx context.Context, c *claim) (late bool, err error) {
	if err := i.forget(ctx, c); err != nil {
		return false, err
	}
	if !c.Exclusive {
		_, err := c.home.Stat(ctx, c.export())
		if err == nil {
			i.opts.Log.WarnContext(ctx, "the server renamed the export after all", "flow", c.Flow, "batch", c.Batch)
			return true, i.step(StepManifest, func() error { return c.save(ctx) })
		}
		if !errors.Is(err, folder.ErrNotExist) {
			i.state(c.Flow).recovered = false // what may lie there is looked for, see removeUnclaimed
			return false, err
		}
	}
	return false, i.removeSpool(ctx, c.Batch)
}

// forget removes a claim and what is left of its folder.
func (i *Ingest) forget(ctx context.Context, c *claim) error {
	return i.step(StepForget, func() error {
		if err := c.home.Remove(ctx, c.path()); err != nil {
			return err
		}
		err := i.removeEmpty(ctx, c.home, c.dir)
		if err == nil {
			err = c.home.Sync(ctx, path.Dir(c.dir))
		}
		if err != nil {
			// Without its manifest no pass goes on with it, but recovery does.
			i.state(c.Flow).recovered = false
		}
		return err
	})
}

// removeEmpty removes the empty folders below dir and dir itself, and the leftovers
// of interrupted publications in them. What holds a file stays.
func (i *Ingest) removeEmpty(ctx context.Context, home folder.Folder, dir string) error {
	if _, err := home.Tidy(ctx, dir); err != nil {
		if errors.Is(err, folder.ErrNotExist) {
			return nil
		}
		return err
	}
	all, err := home.List(ctx, dir, true)
	if err != nil {
		return err
	}
	for n := len(all) - 1; n >= 0; n-- {
		if !all[n].Dir {
			continue
		}
		if err := home.Remove(ctx, all[n].Name); err != nil && !errors.Is(err, folder.ErrExist) {
			return err
		}
	}
	if err := home.Remove(ctx, dir); err != nil && !errors.Is(err, folder.ErrExist) {
		return err
	}
	return nil
}

// awaited leaves out what only rows name that are not sent: it rejects no file.
func awaited(missing []Missing) []Missing {
	return slices.DeleteFunc(slices.Clone(missing), func(m Missing) bool { return m.Unsent })
}
