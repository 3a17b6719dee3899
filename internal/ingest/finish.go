package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// archiveDir is archive/<yyyy>/<mm>/<batch>, by the time of the claim in Rome.
func (i *Ingest) archiveDir(f *Flow, batch string, claimed time.Time) string {
	return path.Join(f.archive(), claimed.In(i.rome).Format("2006/01"), batch)
}

// finish puts a batch that has been read into the archive, or into rejected/, and
// clears what it took from the drop. What cannot be cleared yet is returned; then
// the claim stays in work/ and the next pass goes on here. Every step finds what an
// earlier try has done and never overwrites.
func (i *Ingest) finish(ctx context.Context, f *Flow, c *claim, b *ledger.Batch, t *takes) ([]Waiting, error) {
	if !c.Archived {
		if err := i.store(ctx, f, c, b, t); err != nil {
			return nil, err
		}
		c.Archived = true
	}
	pending, err := i.clear(ctx, f, c, b, t)
	if err != nil {
		return nil, err
	}
	if len(pending) > 0 {
		return pending, i.remember(ctx, c)
	}
	return nil, i.forget(ctx, c)
}

// remember keeps in work/ that all is archived, once.
func (i *Ingest) remember(ctx context.Context, c *claim) error {
	kept, err := readManifest(ctx, c.home, c.path())
	if err == nil && kept.Archived {
		return nil
	}
	return c.save(ctx)
}

// store puts export, documents and manifest where they stay, and tells the ledger.
func (i *Ingest) store(ctx context.Context, f *Flow, c *claim, b *ledger.Batch, t *takes) error {
	dir, dest := i.archiveDir(f, c.Batch, c.ClaimedAt), c.Export.Dest
	if b.State == ledger.Unreadable {
		dir, dest = path.Join(f.rejected(), c.Batch), path.Base(c.Export.Dest)
	}
	if err := i.step(StepArchive, func() error { return i.storeExport(ctx, f, c, path.Join(dir, dest)) }); err != nil {
		return err
	}
	if err := i.storeDoneFile(ctx, f, c, dir); err != nil {
		return err
	}
	if b.State == ledger.Unreadable {
		if err := i.step(StepReason, func() error { return i.reason(ctx, f, c, b, path.Join(dir, dest)) }); err != nil {
			return err
		}
	} else {
		for n := range c.Documents {
			if err := i.step(StepDocument, func() error { return i.storeDocument(ctx, f, &c.Documents[n], dir, t) }); err != nil {
				return err
			}
		}
	}
	if err := i.step(StepRecord, func() error { return i.record(ctx, f, c, dir) }); err != nil {
		return err
	}
	return i.step(StepArchived, func() error { return i.archived(ctx, c.Batch, dir) })
}

// storeExport moves the export, or restores it from the private copy where it is
// gone from work/.
func (i *Ingest) storeExport(ctx context.Context, f *Flow, c *claim, dest string) error {
	if c.Exclusive {
		same, err := sameFile(ctx, f, &c.Export)
		if err != nil {
			return err
		}
		if !same {
			return i.storeCopy(ctx, f, &c.Export, dest)
		}
	}
	err := f.Folder.Move(ctx, c.export(), dest)
	switch {
	case errors.Is(err, folder.ErrNotExist):
		return i.storeCopy(ctx, f, &c.Export, dest)
	case c.Exclusive && (errors.Is(err, folder.ErrPermission) || errors.Is(err, folder.ErrBusy)):
		return i.storeCopy(ctx, f, &c.Export, dest) // the source is cleared later
	}
	return err
}

func (i *Ingest) storeDoneFile(ctx context.Context, f *Flow, c *claim, dir string) error {
	if c.Done == nil {
		return nil
	}
	source := path.Join(c.dir, c.Done.Dest)
	if c.Exclusive {
		if same, err := sameFile(ctx, f, c.Done); err != nil || !same {
			return err
		}
		source = c.Done.Source
	}
	err := f.Folder.Move(ctx, source, path.Join(dir, c.Done.Dest))
	if errors.Is(err, folder.ErrNotExist) {
		return nil // archived by an earlier try, or never taken
	}
	return err
}

// sameFile tells whether the source of a file is still the one that was claimed.
func sameFile(ctx context.Context, f *Flow, file *File) (bool, error) {
	e, err := f.Folder.Stat(ctx, file.Source)
	if errors.Is(err, folder.ErrNotExist) {
		return false, nil
	}
	same := err == nil && !e.Dir && !e.Special && e.Size == file.Size && e.Modified.Equal(file.Modified)
	if !same || file.Hash == "" || e.Modified.Unix() != 0 {
		return same, err
	}
	// A folder without times (remotes: ignore_times): a new file of the same size must
	// not pass for the old one.
	hash, _, err := digest(ctx, f.Folder, file.Source)
	return hash == file.Hash, err
}

// storeCopy writes a private copy into the archive, unless it is there.
func (i *Ingest) storeCopy(ctx context.Context, f *Flow, file *File, dest string) error {
	hash, _, err := digest(ctx, f.Folder, dest)
	switch {
	case err == nil && hash == file.Hash:
		return nil
	case err == nil:
		return &folder.Error{Op: "archive", Name: dest, Kind: folder.ErrExist}
	case !errors.Is(err, folder.ErrNotExist):
		return err
	}
	r, err := i.data.Open(ctx, file.Spool)
	if err != nil {
		return err
	}
	defer r.Close()
	p, err := f.Folder.Publish(ctx, dest, func(w io.Writer) error {
		_, err := io.Copy(w, contextReader{ctx, r})
		return err
	})
	if err == nil && p.SHA256 != file.Hash {
		return fmt.Errorf("archive %s: %w", dest, errHash)
	}
	return err
}

// storeDocument gives the batch its own copy of a document: the file itself where it
// may be taken, else a copy of the private copy (rule 26).
func (i *Ingest) storeDocument(ctx context.Context, f *Flow, d *Copy, dir string, t *takes) error {
	dest := path.Join(dir, d.Dest)
	if _, err := f.Folder.Stat(ctx, dest); err == nil {
		return nil
	}
	if d.Take && t.mayTake(d.Source) == takeNow {
		same, err := sameFile(ctx, f, &d.File)
		if err != nil {
			return err
		}
		if same {
			err := f.Folder.Move(ctx, d.Source, dest)
			if err == nil || !errors.Is(err, folder.ErrBusy) && !errors.Is(err, folder.ErrPermission) && !errors.Is(err, folder.ErrNotExist) {
				return err
			}
		}
	}
	if d.Spool == "" {
		return nil // known rows only: no copy was made, and none is needed
	}
	return i.storeCopy(ctx, f, &d.File, dest)
}

// record puts the manifest into the archive: what the batch consists of, without
// the ledger.
func (i *Ingest) record(ctx context.Context, f *Flow, c *claim, dir string) error {
	whole := *c
	whole.Archived = true
	if _, err := f.Folder.Publish(ctx, path.Join(dir, ManifestName), whole.encode); err != nil {
		return err
	}
	if _, err := f.Folder.Tidy(ctx, dir); err != nil {
		return err
	}
	return errors.Join(f.Folder.Sync(ctx, dir), f.Folder.Sync(ctx, path.Dir(dir)))
}

func (i *Ingest) archived(ctx context.Context, batch, dir string) error {
	return i.opts.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		b, err := tx.Batch(batch)
		if err != nil || b.Archive == dir {
			return err
		}
		b.Archive = dir
		return tx.PutBatch(b)
	})
}

// clear removes from the drop what was archived and is still there, once it may.
func (i *Ingest) clear(ctx context.Context, f *Flow, c *claim, b *ledger.Batch, t *takes) ([]Waiting, error) {
	var pending []Waiting
	if c.Exclusive {
		dest := path.Join(b.Archive, c.Export.Dest)
		if b.State == ledger.Unreadable {
			dest = path.Join(f.rejected(), c.Batch, path.Base(c.Export.Dest))
		}
		code, err := i.remove(ctx, f, &c.Export, dest, "C-FILE-KEPT")
		if err != nil {
			return nil, err
		}
		if code != "" {
			pending = append(pending, c.pending(f, c.Export.Source, code))
		}
	}
	if b.State == ledger.Unreadable {
		return pending, nil // the documents stay for the corrected file
	}
	dir := i.archiveDir(f, c.Batch, c.ClaimedAt)
	for n := range c.Documents {
		d := &c.Documents[n]
		if !d.Take {
			continue
		}
		code, err := i.clearDocument(ctx, f, d, path.Join(dir, d.Dest), t)
		if err != nil {
			return nil, err
		}
		if code != "" {
			pending = append(pending, c.pending(f, d.Source, code))
		}
	}
	return pending, nil
}

// clearDocument takes a document out of the drop. It returns why it has to stay for
// now, "" if nothing is left to do.
func (i *Ingest) clearDocument(ctx context.Context, f *Flow, d *Copy, dest string, t *takes) (string, error) {
	same, err := sameFile(ctx, f, &d.File)
	if err != nil || !same {
		return "", err
	}
	switch t.mayTake(d.Source) {
	case takeNever:
		return "", nil // the export that names it will take it
	case takeLater:
		return "C-DOCUMENT-SHARED", nil
	}
	return i.remove(ctx, f, &d.File, dest, "C-FILE-KEPT")
}

// remove deletes a source whose archived copy has been verified against it, or moves
// it there where there is none. It returns the code of what keeps it.
func (i *Ingest) remove(ctx context.Context, f *Flow, file *File, dest, kept string) (string, error) {
	same, err := sameFile(ctx, f, file)
	if err != nil || !same {
		return "", err
	}
	err = i.step(StepTake, func() error { return f.Folder.Move(ctx, file.Source, dest) })
	switch {
	case errors.Is(err, folder.ErrBusy):
		return "C-DOCUMENT-OPEN", nil
	case errors.Is(err, folder.ErrPermission):
		return kept, nil
	case errors.Is(err, folder.ErrExist), errors.Is(err, folder.ErrNotExist):
		return "", nil // other bytes under an old name and time: not what was archived
	}
	return "", err
}

// pending is a source that stays in the drop although its batch is archived.
func (c *claim) pending(f *Flow, source, code string) Waiting {
	w := c.waiting(f, code, "batch", c.Batch)
	w.File = strings.TrimPrefix(source, f.in()+"/")
	w.silent = false
	return w
}

// reason writes <name>.motivo.txt beside a rejected file, for a clerk to read in
// Notepad: BOM and CRLF.
func (i *Ingest) reason(ctx context.Context, f *Flow, c *claim, b *ledger.Batch, dest string) error {
	text := i.reasonText(f, c, b)
	_, err := f.Folder.Publish(ctx, dest+".motivo.txt", func(w io.Writer) error {
		_, err := io.WriteString(w, "\ufeff"+strings.ReplaceAll(text, "\n", "\r\n"))
		return err
	})
	return err
}

func (i *Ingest) reasonText(f *Flow, c *claim, b *ledger.Batch) string {
	var code, message string
	if b.Problem != nil {
		code, message = b.Problem.Code, b.Problem.Message
	}
	at := c.ClaimedAt.In(i.rome).Format("02/01/2006 15:04:05")
	if f.Lang == "en" {
		return fmt.Sprintf("File: %s\nBatch: %s\nTaken: %s\n\nThe whole file was rejected: no row was read and nothing was sent.\n\nReason: %s\nCode: %s\n\n"+
			"What to do: correct the file and copy it into the folder %q again.\n", c.Name, c.Batch, at, message, code, f.in())
	}
	return fmt.Sprintf("File: %s\nLotto: %s\nPreso il: %s\n\nIl file è stato respinto per intero: nessuna riga è stata letta e nulla è stato inviato.\n\nMotivo: %s\nCodice: %s\n\n"+
		"Che cosa fare: correggere il file e copiarlo di nuovo nella cartella «%s».\n", c.Name, c.Batch, at, message, code, f.in())
}
