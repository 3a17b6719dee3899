package remote

import (
	"context"
	"errors"

	"sendconnector/internal/folder"
)

// begin, forget: a temporary name is being written, so that Tidy spares it.
func (f *Folder) begin(temp string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active[temp] = true
}

func (f *Folder) forget(temp string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.active, temp)
}

func (f *Folder) writing(temp string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.active[temp]
}

// leave remembers a temporary file that could not be removed.
func (f *Folder) leave(temp string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left[temp] = true
}

// discard removes the temporary file of a publication that failed, or remembers it
// while the server cannot be reached, or does not answer while somebody waits to stop.
func (f *Folder) discard(ctx context.Context, temp string) {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), leaving)
		defer cancel()
	}
	if err := f.remove(ctx, temp); err != nil && !errors.Is(err, folder.ErrNotExist) {
		f.leave(temp)
	}
}

// discardUnlessUnknown leaves alone what may yet get its name.
func (f *Folder) discardUnlessUnknown(ctx context.Context, temp string, err error) {
	if errors.Is(err, folder.ErrUnknown) {
		f.leave(temp)
		return
	}
	f.discard(ctx, temp)
}

// removeLeft removes what was left by publications that failed with their connection.
func (f *Folder) removeLeft(ctx context.Context) {
	f.mu.Lock()
	all := make([]string, 0, len(f.left))
	for name := range f.left {
		all = append(all, name)
	}
	f.mu.Unlock()
	for _, name := range all {
		if err := f.remove(ctx, name); err != nil && !errors.Is(err, folder.ErrNotExist) {
			return
		}
		f.mu.Lock()
		delete(f.left, name)
		f.mu.Unlock()
	}
}

// Tidy implements folder.Folder.
func (f *Folder) Tidy(ctx context.Context, dir string) (int, error) {
	all, err := f.List(ctx, dir, true)
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, e := range all {
		if e.Dir || e.Special || !folder.Leftover(e.Name) || f.writing(e.Name) {
			continue
		}
		if err := f.Remove(ctx, e.Name); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
