package outbox

import (
	"context"
	"errors"
	"io"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// defaultVerify: where a folder cannot be synced, a rename may be lost with the
// power although the ledger knows it as done.
var defaultVerify = verifyOn(runtime.GOOS)

func verifyOn(system string) int {
	if system == "windows" {
		return 50
	}
	return -1
}

// Reconcile puts right what the last process left: unfinished temporary files, spool
// copies of placed documents, content that still waits beside a target, and, where
// the system cannot sync folders, publications that did not survive. It belongs to
// the start; Pass does it itself where it was not done, and repeats it until it has
// succeeded once.
func (o *Outbox) Reconcile(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reconciled = false
	return o.reconcile(ctx)
}

func (o *Outbox) reconcile(ctx context.Context) error {
	if o.reconciled {
		return nil
	}
	if o.started.IsZero() {
		o.started = o.opts.Clock()
	}
	if err := o.free(ctx); err != nil {
		return err
	}
	for _, dir := range []string{".", updatesDir, costsDir} {
		if err := o.tidy(ctx, dir); err != nil {
			return err
		}
	}
	all, err := o.everyPublication(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if target, waits := besideTarget(p.File); waits {
			o.beside[target] = waiting{beside: p.File, since: p.At}
		}
	}
	if err := o.verify(ctx, all); err != nil {
		return err
	}
	o.reconciled = true
	return nil
}

// tidy removes temporary files of publications that never ended, in one folder and
// once. It looks at names only folder itself gives (see package folder).
func (o *Outbox) tidy(ctx context.Context, dir string) error {
	if o.tidied[dir] {
		return nil
	}
	entries, err := o.opts.Folder.List(ctx, dir, false)
	if err != nil && !errors.Is(err, folder.ErrNotExist) {
		return o.failed(ctx, dir, err)
	}
	for _, e := range entries {
		if e.Dir || e.Special || !folder.Leftover(e.Name) {
			continue
		}
		if err := o.opts.Folder.Remove(ctx, e.Name); err != nil {
			return o.failed(ctx, e.Name, err)
		}
	}
	o.tidied[dir] = true
	return nil
}

// everyPublication gives those that have a file, the oldest first.
func (o *Outbox) everyPublication(ctx context.Context) ([]*ledger.Publication, error) {
	var all []*ledger.Publication
	err := o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		all = nil
		return tx.Publications(o.opts.Name, "", func(p *ledger.Publication) bool {
			if p.File != "" {
				all = append(all, p)
			}
			return true
		})
	})
	slices.SortStableFunc(all, func(a, b *ledger.Publication) int { return a.At.Compare(b.At) })
	return all, err
}

// besideTarget gives the target of a file that waits beside it.
func besideTarget(file string) (string, bool) {
	ext := path.Ext(file)
	target := strings.TrimSuffix(strings.TrimSuffix(file, ext), ".nuovo") + ext
	return target, file != "" && target != file && folder.Beside(target) == file
}

// verifySpan is how far before the newest publication Reconcile looks: what the power
// can take is seconds old, and a numbered file that its reader has taken away long ago
// is not to come back at every start.
const verifySpan = 15 * time.Minute

// verify reads the latest publications back. A numbered file that is missing or
// damaged is written again with the same bytes (its reader may have taken it: that
// is "at least once"); of the others the ledger forgets that they were written.
func (o *Outbox) verify(ctx context.Context, all []*ledger.Publication) error {
	if o.opts.Verify < 0 {
		return nil
	}
	checked := 0
	for _, p := range slices.Backward(all) {
		if checked == o.opts.Verify || p.At.Before(all[len(all)-1].At.Add(-verifySpan)) {
			break
		}
		if p.Hash == "" || p.Hash == foundedHash {
			continue
		}
		checked++
		have, err := o.hashOf(ctx, p.File)
		if err != nil {
			return err
		}
		if have == p.Hash {
			continue
		}
		o.opts.Log.Warn("published file is missing or damaged and is written again",
			"outbox", o.opts.Name, "file", p.File)
		if err := o.restore(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// restore makes one publication good again.
func (o *Outbox) restore(ctx context.Context, p *ledger.Publication) error {
	for _, q := range sequences() {
		if q.kind != p.Kind {
			continue
		}
		name := p.File
		if target, waits := besideTarget(name); waits {
			name = target
		}
		_, err := o.publish(ctx, stepSequencePublish, name, func(w io.Writer) error {
			return q.write(ctx, o.opts.Ledger, p, w)
		})
		return err
	}
	p.Hash = ""
	err := o.opts.Ledger.Update(ctx, func(tx *ledger.Tx) error { return tx.PutPublication(p) })
	if err == nil && p.Kind == kindIndex {
		err = o.writeIndex(ctx, p.Name)
	}
	return err
}
