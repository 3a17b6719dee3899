package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"sendconnector/internal/folder"
)

// TryFolders tries what every claim of the flow needs: its folders, which it makes
// where they are missing, and a rename from in/ to work/ (rule 25), which it undoes. An
// exclusive flow needs no rename. errors.Is tells folder.ErrVolume,
// folder.ErrPermission, folder.ErrUnavailable…
func TryFolders(ctx context.Context, f *Flow, installation string) error {
	for _, dir := range []string{f.in(), f.work(), f.archive(), f.rejected()} {
		if err := f.Folder.Mkdir(ctx, dir); err != nil {
			return err
		}
	}
	if f.Exclusive {
		return nil
	}
	// A name that no flow takes, and that Tidy would remove after a crash.
	name := ".connector-" + folder.SafeName(installation) + ".tmp"
	from, to := path.Join(f.in(), name), path.Join(f.work(), name)
	if _, err := f.Folder.Publish(ctx, from, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	renamed := f.Folder.Rename(ctx, from, to)
	if errors.Is(renamed, folder.ErrExist) {
		renamed = nil // left by a check that was interrupted after its rename
	}
	if renamed != nil {
		renamed = fmt.Errorf("rename from %s to %s: %w", f.in(), f.work(), renamed)
	}
	return errors.Join(renamed, f.Folder.Remove(ctx, from), f.Folder.Remove(ctx, to))
}
