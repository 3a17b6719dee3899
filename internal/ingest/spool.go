package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"sendconnector/internal/folder"
)

// errHash: the bytes are not those that were claimed.
var errHash = errors.New("content differs from what was claimed")

// waitError: a claimed batch cannot go on yet.
type waitError struct{ Waiting }

func (e *waitError) Error() string { return e.File + ": " + e.Code }

// spoolName is where the n-th private copy of a batch lies: numbered, because names
// of drops are nobody's business here, with the extension that readers go by.
func spoolName(batch string, n int, original string) string {
	return path.Join(spoolDir, batch, fmt.Sprintf("%06d%s", n, extension(original)))
}

// extension is that of a name from outside, where it is one that a reader could go by:
// it becomes part of names of ours, which must be short and mean nothing to anybody.
func extension(original string) string {
	ext := strings.ToLower(path.Ext(original))
	if len(ext) > 8 || folder.SafeName(ext) != strings.TrimPrefix(ext, ".") {
		return ""
	}
	return ext
}

// spoolExport makes the private copy of the export and hashes it again: whoever
// still had the file open at the claim may have gone on writing.
func (i *Ingest) spoolExport(ctx context.Context, f *Flow, c *claim) error {
	name := spoolName(c.Batch, 0, c.Name)
	if ok, err := i.spooled(ctx, name, c.Export.Hash); err != nil || ok {
		c.Export.Spool = name
		return err
	}
	hash, size, err := i.copyToSpool(ctx, f.Folder, c.export(), name)
	if err != nil {
		return err
	}
	if hash != c.Export.Hash || size != c.Export.Size {
		return errHash
	}
	c.Export.Spool = name
	return nil
}

// spooled tells whether a private copy is there and whole.
func (i *Ingest) spooled(ctx context.Context, name, hash string) (bool, error) {
	got, _, err := digest(ctx, i.data, name)
	if errors.Is(err, folder.ErrNotExist) {
		return false, nil
	}
	return got == hash, err
}

// copyToSpool makes a private copy, durable and readable for its owner only, and
// takes its hash: the one that serves preload, upload and request (rule 18).
func (i *Ingest) copyToSpool(ctx context.Context, from folder.Folder, source, name string) (hash string, size int64, err error) {
	err = i.step(StepSpool, func() error {
		r, err := from.Open(ctx, source)
		if err != nil {
			return err
		}
		defer r.Close()
		p, err := i.data.Publish(ctx, name, func(w io.Writer) error {
			_, err := io.Copy(w, contextReader{ctx, r})
			return err
		})
		hash, size = p.SHA256, p.Bytes
		return err
	})
	return hash, size, err
}

// spoolDocuments makes the private copies of the documents, and notes their hashes
// in the manifest once all are there.
func (i *Ingest) spoolDocuments(ctx context.Context, f *Flow, st *state, c *claim) error {
	copied := false
	kept := c.Documents[:0:0]
	for n := range c.Documents {
		d := c.Documents[n]
		if d.Known || d.Spool != "" {
			kept = append(kept, d)
			continue
		}
		copied = true
		there, err := i.spoolDocument(ctx, f, st, c, &d, n+1)
		if err != nil {
			return err
		}
		if there {
			kept = append(kept, d)
			continue
		}
		for _, name := range d.Names {
			c.Missing = append(c.Missing, Missing{Name: name, Protocol: d.Protocol, Code: "C-DOCUMENT-MISSING"})
		}
	}
	if !copied {
		return nil
	}
	c.Documents = kept
	return i.step(StepCopied, func() error { return c.save(ctx) })
}

// spoolDocument copies one document; false if it is gone. One that changed since the
// claim is being written: it has to settle anew before it is read.
func (i *Ingest) spoolDocument(ctx context.Context, f *Flow, st *state, c *claim, d *Copy, n int) (bool, error) {
	if d.From != "" {
		return i.spoolEarlier(ctx, f, c, d, n)
	}
	before, err := f.Folder.Stat(ctx, d.Source)
	if errors.Is(err, folder.ErrNotExist) || err == nil && (before.Dir || before.Special) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if before.Size != d.Size || !before.Modified.Equal(d.Modified) {
		if s := st.observe(before, i.opts.Clock()); !s.settled(f, i.opts.Clock()) {
			return false, i.documentWaits(f, c, s, "C-DOCUMENTS-SETTLING", "count", "1")
		}
	}
	name := spoolName(c.Batch, n, d.Dest)
	hash, size, err := i.copyToSpool(ctx, f.Folder, d.Source, name)
	switch {
	case errors.Is(err, folder.ErrBusy):
		return false, i.documentWaits(f, c, st.observe(before, i.opts.Clock()), "C-FILE-BUSY")
	case errors.Is(err, folder.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	after, err := f.Folder.Stat(ctx, d.Source)
	if err != nil && !errors.Is(err, folder.ErrNotExist) {
		return false, err
	}
	if err == nil && (size != after.Size || !after.Modified.Equal(before.Modified)) {
		return false, i.documentWaits(f, c, st.observe(after, i.opts.Clock()), "C-DOCUMENTS-SETTLING", "count", "1")
	}
	d.Size, d.Modified, d.Hash, d.Spool = size, before.Modified, hash, name
	return true, nil
}

// documentWaits stops a claimed batch until a document can be read.
func (i *Ingest) documentWaits(f *Flow, c *claim, s *seen, code string, args ...string) error {
	w := c.waiting(f, code, args...)
	w.Next, w.settling = s.settledAt(f), true
	return &waitError{w}
}

// waiting is a claimed batch that cannot go on.
func (c *claim) waiting(f *Flow, code string, args ...string) Waiting {
	return Waiting{
		File: c.Name, Batch: c.Batch, Code: code, Text: f.problem(code, "", args...).Message,
		Since: c.ClaimedAt, silent: true,
	}
}

// spoolEarlier copies a document of an earlier batch, from its private copy or else
// from its archive, by hash.
func (i *Ingest) spoolEarlier(ctx context.Context, f *Flow, c *claim, d *Copy, n int) (bool, error) {
	name := spoolName(c.Batch, n, d.Dest)
	type place struct {
		folder folder.Folder
		name   string
	}
	places := []place{{i.data, d.FromSpool}}
	if d.FromArchive != "" {
		m, err := readManifest(ctx, f.Folder, path.Join(d.FromArchive, ManifestName))
		if folder.Away(err) || ctx.Err() != nil {
			return false, err // not to be taken for a document that is nowhere
		}
		if err == nil {
			for _, other := range m.Documents {
				if other.Hash == d.FromHash {
					places = append(places, place{f.Folder, path.Join(d.FromArchive, other.Dest)})
				}
			}
		}
	}
	for _, p := range places {
		hash, size, err := i.copyToSpool(ctx, p.folder, p.name, name)
		switch {
		case errors.Is(err, folder.ErrNotExist), errors.Is(err, folder.ErrName):
			continue
		case err != nil:
			return false, err
		case hash == d.FromHash:
			d.Size, d.Hash, d.Spool = size, hash, name
			return true, nil
		}
	}
	return false, i.data.Remove(ctx, name)
}
