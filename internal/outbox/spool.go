package outbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// toFree is one line of the note of spool copies whose documents are about to be
// committed as placed.
type toFree struct {
	ID    ledger.ID
	Key   string
	Spool string
}

// notePath is a file of our own in the data folder.
func (o *Outbox) notePath() string {
	return filepath.Join(o.opts.Data, "outbox-"+folder.Slug(o.opts.Name)+".free")
}

// noteToFree adds to the note what a commit will make superfluous. A torn note costs
// disk space and nothing else, so it is not synced.
func (o *Outbox) noteToFree(placed []placement) error {
	if len(placed) == 0 {
		return nil
	}
	f, err := os.OpenFile(o.notePath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("outbox %s: note of spool copies: %w", o.opts.Name, err)
	}
	lines := json.NewEncoder(f)
	for _, p := range placed {
		if p.spool == "" {
			continue
		}
		if err = lines.Encode(toFree{ID: p.artifact.ID, Key: p.artifact.Key, Spool: p.spool}); err != nil {
			break
		}
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("outbox %s: note of spool copies: %w", o.opts.Name, err)
	}
	return nil
}

// free removes the spool copies of the note whose documents are placed by now, and
// then the note. A copy that cannot be removed is left to the log: the document is
// safe where it belongs.
func (o *Outbox) free(ctx context.Context) error {
	entries, err := o.readNote()
	if err != nil || entries == nil {
		return err
	}
	for _, e := range entries {
		placed, err := o.placed(ctx, e)
		if err != nil {
			return err
		}
		if !placed {
			continue
		}
		if err := o.step(ctx, stepDocumentUnspool, func() error { o.unspool(e); return nil }); err != nil {
			return err
		}
	}
	if err := os.Remove(o.notePath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("outbox %s: note of spool copies: %w", o.opts.Name, err)
	}
	return nil
}

func (o *Outbox) unspool(e toFree) {
	if err := os.Remove(o.spoolPath(e.Spool)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.opts.Log.Warn("spool copy not removed", "outbox", o.opts.Name, "file", e.Spool, "error", err)
	}
}

// placed reports whether the ledger no longer needs a spool copy.
func (o *Outbox) placed(ctx context.Context, e toFree) (bool, error) {
	done := false
	err := o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		a, err := tx.Artifact(e.ID, e.Key)
		if errors.Is(err, ledger.ErrNotFound) {
			done = true // purged
			return nil
		}
		done = err == nil && a.State == ledger.Placed
		return err
	})
	return done, err
}

// readNote gives the entries of the note, without a torn last line; nil if there is
// no note.
func (o *Outbox) readNote() ([]toFree, error) {
	f, err := os.Open(o.notePath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("outbox %s: note of spool copies: %w", o.opts.Name, err)
	}
	defer f.Close()
	entries := []toFree{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e toFree
		if json.Unmarshal(lines.Bytes(), &e) != nil || !filepath.IsLocal(filepath.FromSlash(e.Spool)) {
			continue
		}
		entries = append(entries, e)
	}
	return entries, nil
}
