package ingest

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"sendconnector/internal/folder"
)

const (
	// quiet is how long events are gathered before one wake-up.
	quiet = 250 * time.Millisecond
	// rewatch is how often folders are looked for that appeared or were replaced.
	rewatch = time.Minute
)

// Watch calls wake soon after something happens in the drops, until ctx ends. It
// only shortens the wait: a file system without events, a lost event, too many
// folders to watch are no errors, because the passes look by themselves. An overflow
// of events is a wake-up like any other, since a pass looks at everything. wake is
// called on Watch's goroutine and should return at once.
func (i *Ingest) Watch(ctx context.Context, flows []*Flow, wake func()) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		i.opts.Log.WarnContext(ctx, "no file events on this system; drops are looked at by the clock", "error", err)
		<-ctx.Done()
		return nil
	}
	defer watcher.Close()
	i.watchAll(ctx, watcher, flows)
	// Whatever came before the watch was set is found now.
	wake()
	again := time.NewTicker(rewatch)
	defer again.Stop()
	var pending <-chan time.Time // armed while events are gathered
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, ok := <-watcher.Events:
			if !ok {
				return nil
			}
			if event.Has(fsnotify.Create) {
				i.watchNew(ctx, watcher, event.Name)
			}
			if pending == nil && event.Op != fsnotify.Chmod {
				pending = time.After(quiet)
			}
		case err, ok := <-watcher.Errors:
			if !ok {
				return nil
			}
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				i.opts.Log.WarnContext(ctx, "file events failed", "error", err)
			}
			if pending == nil {
				pending = time.After(quiet)
			}
		case <-pending:
			pending = nil
			wake()
		case <-again.C:
			i.watchAll(ctx, watcher, flows)
		}
	}
}

// watchAll watches in/ of every local flow, and the folders below it: fsnotify does
// not do so by itself. Adding one twice is no harm.
func (i *Ingest) watchAll(ctx context.Context, watcher *fsnotify.Watcher, flows []*Flow) {
	for _, f := range flows {
		root, ok := f.Folder.Local()
		if !ok || ctx.Err() != nil {
			continue
		}
		i.watchNew(ctx, watcher, filepath.Join(root, filepath.FromSlash(f.in())))
	}
}

func (i *Ingest) watchNew(ctx context.Context, watcher *fsnotify.Watcher, dir string) {
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || ctx.Err() != nil {
			return nil //nolint:nilerr // gone again, or a file: nothing to watch
		}
		return watcher.Add(name)
	})
	if err != nil {
		i.opts.Log.DebugContext(ctx, "folder not watched", "error", err)
	}
}

// ignoreMissing takes "no such file" for done.
func ignoreMissing(err error) error {
	if errors.Is(err, folder.ErrNotExist) {
		return nil
	}
	return err
}
