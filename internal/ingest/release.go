package ingest

import (
	"context"
	"errors"
	"path"
	"strings"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// releases obeys the files <export>.invia in the drop (rule 19). One counts only if
// we first saw it, as it is, after the outcome of reading could be seen: a file left
// from another time must not send anything.
func (p *pass) releases(ctx context.Context, view *view) {
	if len(view.releases) == 0 {
		return
	}
	waiting, released, err := p.i.awaiting(ctx, p.f)
	if err != nil {
		p.faults = append(p.faults, err)
		return
	}
	for _, name := range view.releases {
		export := name[:len(name)-len(ReleaseSuffix)]
		var match []*ledger.Batch
		for _, b := range waiting {
			if releasedBy(b, export) {
				match = append(match, b)
			}
		}
		s := p.st.seen[view.prefix+name]
		switch {
		case len(match) == 0 && p.filed(ctx, view, name, released):
		case len(match) == 0 && view.awaited(export):
			p.leave(view, name, "C-RELEASE-EARLY", "batch", path.Base(export))
		case len(match) == 0:
			p.leave(view, name, "C-RELEASE-NOTHING", "export", export)
		case len(match) > 1:
			p.leave(view, name, "C-RELEASE-AMBIGUOUS", "export", export)
		case !s.first.After(match[0].SealedAt):
			p.leave(view, name, "C-RELEASE-EARLY", "batch", match[0].ID)
		default:
			p.release(ctx, view, name, match[0])
		}
	}
}

// releasedBy reports whether a marker for this name means the batch: by the path of
// its export, or at the top of in/ by its bare name.
func releasedBy(b *ledger.Batch, export string) bool {
	return strings.EqualFold(b.File, export) || strings.EqualFold(path.Base(b.File), export)
}

// awaited reports whether the export lies in the drop still.
func (v *view) awaited(export string) bool {
	_, ok := v.files[export]
	return ok
}

// awaiting lists the batches of the flow that wait at the gate, and those that a file
// has released.
func (i *Ingest) awaiting(ctx context.Context, f *Flow) (waiting, released []*ledger.Batch, err error) {
	err = i.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		waiting, released = nil, nil
		return tx.Batches(func(b *ledger.Batch) bool {
			switch {
			case b.Flow != f.Name || b.State != ledger.Sealed:
			case b.Release == ledger.AwaitsRelease || b.Release == ledger.DelayedRelease:
				waiting = append(waiting, b)
			case b.Release == ledger.Released && b.ReleaseWhy != "":
				released = append(released, b)
			}
			return true
		})
	})
	return waiting, released, err
}

// filed puts a marker where it belongs that has released its batch and then not been
// filed, because the process died between the two. A marker of the same name that
// comes later finds the first one filed, and releases nothing.
func (p *pass) filed(ctx context.Context, view *view, name string, released []*ledger.Batch) bool {
	for _, b := range released {
		if b.ReleaseWhy != name {
			continue
		}
		_, err := p.f.Folder.Stat(ctx, path.Join(p.markerFolder(b), name))
		if errors.Is(err, folder.ErrNotExist) {
			p.file(ctx, view, name, b)
			return true
		}
	}
	return false
}

func (p *pass) markerFolder(b *ledger.Batch) string {
	if b.Archive != "" {
		return b.Archive
	}
	return p.i.archiveDir(p.f, b.ID, b.ClaimedAt)
}

// release opens the gate and files the marker with the batch: it is the proof of who
// let it go. After a crash between the two the next pass files it.
func (p *pass) release(ctx context.Context, view *view, name string, b *ledger.Batch) {
	err := p.i.step(StepRelease, func() error { return p.i.opts.Ledger.ReleaseBy(ctx, b.ID, name) })
	if err != nil {
		p.faults = append(p.faults, err)
		return
	}
	p.report.Released = append(p.report.Released, b.ID)
	p.i.opts.Log.InfoContext(ctx, "batch released by file", "flow", p.f.Name, "batch", b.ID)
	p.file(ctx, view, name, b)
}

func (p *pass) file(ctx context.Context, view *view, name string, b *ledger.Batch) {
	err := p.i.step(StepMarker, func() error {
		return p.f.Folder.Move(ctx, view.prefix+name, path.Join(p.markerFolder(b), name))
	})
	if err != nil {
		p.faults = append(p.faults, err)
	}
}
