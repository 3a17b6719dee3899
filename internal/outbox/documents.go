package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"sendconnector/internal/ledger"
)

const (
	// documentGroup is how many documents share one commit.
	documentGroup = 64
	// documentGroups bounds the work of one pass, so that outcomes and updates are
	// not kept waiting by a large backlog.
	documentGroups = 32
)

// errDamaged says that the spool copy is not what was downloaded.
var errDamaged = errors.New("spool copy is missing or damaged")

// placement is a document and where it goes.
type placement struct {
	artifact *ledger.Artifact
	name     string // relative to out/
	spool    string // relative to the data folder
}

// placeDocuments copies downloaded documents from the spool to their folders, then
// commits them as PLACED, then frees the spool. What fails stays FETCHED; what is
// damaged is wanted again from SEND.
func (o *Outbox) placeDocuments(ctx context.Context, report *Report) error {
	var taken []*ledger.Artifact
	defer func() { o.opts.Ledger.DoneArtifacts(taken...) }()
	var failures []error
	for range documentGroups {
		group, err := o.opts.Ledger.ArtifactsToPlace(ctx, o.opts.Name, documentGroup)
		if err != nil || len(group) == 0 {
			return errors.Join(append(failures, err)...)
		}
		taken = append(taken, group...)
		placed, err := o.placeGroup(ctx, group)
		report.Documents += placed
		if err != nil && (!onlyFolder(err) || whole(err)) {
			return errors.Join(append(failures, err)...)
		}
		failures = append(failures, err)
	}
	report.More = true
	return errors.Join(failures...)
}

// placeGroup places what it can of a group and commits that, also when the folder
// fails in the middle.
func (o *Outbox) placeGroup(ctx context.Context, group []*ledger.Artifact) (int, error) {
	var placed []placement
	var damaged []*ledger.Artifact
	var failures []error
	for _, a := range group {
		p, err := o.placeOne(ctx, a)
		switch {
		case err == nil:
			placed = append(placed, p)
			continue
		case errors.Is(err, errDamaged):
			damaged = append(damaged, a)
			continue
		case !onlyFolder(err):
			return 0, err
		}
		failures = append(failures, err)
		if whole(err) {
			break
		}
	}
	if err := o.commitPlaced(ctx, placed, damaged); err != nil {
		return 0, err
	}
	return len(placed), errors.Join(failures...)
}

func (o *Outbox) placeOne(ctx context.Context, a *ledger.Artifact) (placement, error) {
	p := placement{artifact: a, spool: a.Spool}
	var err error
	if p.name, err = o.documentTarget(ctx, a); err != nil {
		return p, err
	}
	if err := o.rests.resting(p.name, o.opts.Clock()); err != nil {
		return p, err
	}
	if !a.FetchedAt.After(o.started) { // a crash may have come between placing and commit
		if err := o.tidy(ctx, path.Dir(p.name)); err != nil {
			return p, err
		}
		have, err := o.hashOf(ctx, p.name)
		if err != nil || have != "" && have == a.Hash {
			return p, err
		}
	}
	return p, o.copyFromSpool(ctx, p)
}

// copyFromSpool publishes the spool copy; nothing becomes visible unless it is
// exactly what was downloaded.
func (o *Outbox) copyFromSpool(ctx context.Context, p placement) error {
	source, err := os.Open(o.spoolPath(p.spool))
	if p.spool == "" || errors.Is(err, fs.ErrNotExist) {
		return errDamaged
	}
	if err != nil {
		return o.failed(ctx, p.name, err)
	}
	defer source.Close()
	var broken error
	_, err = o.publish(ctx, stepDocumentPlace, p.name, func(w io.Writer) error {
		h := sha256.New()
		_, err := io.Copy(io.MultiWriter(w, h), source)
		if err == nil && hex.EncodeToString(h.Sum(nil)) != strings.ToLower(p.artifact.Hash) {
			err = errDamaged
		}
		broken = err
		return err
	})
	var stopped *StopError
	if err != nil && broken != nil && !errors.Is(err, errDamaged) && !onlyFolder(err) && !errors.As(err, &stopped) {
		return o.failed(ctx, p.name, err) // the spool cannot be read
	}
	return err
}

func (o *Outbox) spoolPath(spool string) string {
	return filepath.Join(o.opts.Data, filepath.FromSlash(spool))
}

// documentTarget names a document. The eight hex digits tell documents apart; should
// two of one notification ever share them, the later one gets more.
func (o *Outbox) documentTarget(ctx context.Context, a *ledger.Artifact) (string, error) {
	var name string
	err := o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		n, err := tx.Notification(a.ID)
		if err != nil {
			return err
		}
		all, err := tx.Artifacts(a.ID)
		if err != nil {
			return err
		}
		for digits := nameDigits; ; digits += nameDigits {
			name = documentName(n, a, digits)
			if !takenByAnother(all, a, name) || digits >= 2*sha256.Size {
				return nil
			}
		}
	})
	return name, err
}

func takenByAnother(all []*ledger.Artifact, a *ledger.Artifact, name string) bool {
	for _, other := range all {
		if other.Key != a.Key && other.State == ledger.Placed && strings.EqualFold(other.Path, name) {
			return true
		}
	}
	return false
}

// commitPlaced commits a group and then frees its spool copies. What is to be freed
// is noted first, so that a crash in between leaves no copy behind for ever.
func (o *Outbox) commitPlaced(ctx context.Context, placed []placement, damaged []*ledger.Artifact) error {
	if len(placed)+len(damaged) == 0 {
		return nil
	}
	err := o.step(ctx, stepDocumentNote, func() error { return o.noteToFree(placed) })
	if err != nil {
		return err
	}
	err = o.step(ctx, stepDocumentCommit, func() error {
		return o.opts.Ledger.Update(ctx, func(tx *ledger.Tx) error {
			for _, p := range placed {
				if err := markPlaced(tx, p); err != nil {
					return err
				}
			}
			for _, a := range damaged {
				if err := wantAgain(tx, a); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, p := range placed {
		delete(o.indexed, ownerOf(p.name))
	}
	return o.step(ctx, stepDocumentFree, func() error { return o.free(ctx) })
}

// ownerOf gives the folder below documenti/ that a document's name begins with.
func ownerOf(name string) string {
	batch, _, _ := strings.Cut(strings.TrimPrefix(name, documentDir+"/"), "/")
	return batch
}

func markPlaced(tx *ledger.Tx, p placement) error {
	a, err := tx.Artifact(p.artifact.ID, p.artifact.Key)
	if err != nil {
		return err
	}
	if a.State != ledger.Fetched || a.Hash != p.artifact.Hash {
		return nil // somebody else decided meanwhile; it is due again as it says
	}
	a.State, a.Path, a.Spool, a.LastError, a.Tries = ledger.Placed, p.name, "", "", 0
	return tx.PutArtifact(a)
}

func wantAgain(tx *ledger.Tx, was *ledger.Artifact) error {
	a, err := tx.Artifact(was.ID, was.Key)
	if err != nil || a.State != ledger.Fetched {
		return err
	}
	a.State, a.Spool, a.LastError, a.NextAttempt = ledger.Wanted, "", errDamaged.Error(), tx.Now()
	return tx.PutArtifact(a)
}
