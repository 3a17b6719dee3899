package remote

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/pkg/sftp"

	"sendconnector/internal/folder"
)

// Our own records (the manifest of a claim, the mark of a sequence) have names that
// begin with a dot. Nobody takes them away, so on a server that cannot replace a file
// in one step a new one would wait beside the old one for ever. There they change
// places, and the rule that makes it safe is: what lies beside is the newest, and whole.
// So the reader looks beside first, and at no moment is there neither.

// ownRecord tells whether name is such a record on such a server. Where that cannot be
// found out it is an error: read as "no", an older record would pass for the newest.
func (f *Folder) ownRecord(ctx context.Context, name string) (bool, error) {
	if !strings.HasPrefix(path.Base(name), ".") || folder.Leftover(name) {
		return false, nil
	}
	replaces, err := ask(ctx, f, patience, func(c *sftp.Client) (bool, error) { return hasPosixRename(c), nil })
	return err == nil && !replaces, fail("stat", name, err)
}

// ownBeside gives what lies beside a record of ours, if something does.
func (f *Folder) ownBeside(ctx context.Context, name string) (folder.Entry, bool, error) {
	own, err := f.ownRecord(ctx, name)
	if err != nil || !own {
		return folder.Entry{}, false, err
	}
	e, _, err := f.entry(ctx, folder.Beside(name))
	if errors.Is(err, folder.ErrNotExist) {
		return folder.Entry{}, false, nil
	}
	return e, err == nil, err
}

// placeOwn puts a complete temporary file in the place of a record.
func (f *Folder) placeOwn(ctx context.Context, temp, name string) error {
	beside := folder.Beside(name)
	if err := f.settleOwn(ctx, name); err != nil { // an earlier change that was interrupted
		return err
	}
	err := f.replace(ctx, temp, name)
	if !errors.Is(err, folder.ErrBusy) {
		return err
	}
	if err := f.replace(ctx, temp, beside); err != nil {
		return err
	}
	return f.settleOwn(ctx, name)
}

// settleOwn moves what lies beside a record to its name.
func (f *Folder) settleOwn(ctx context.Context, name string) error {
	beside := folder.Beside(name)
	if _, _, err := f.entry(ctx, beside); err != nil {
		if errors.Is(err, folder.ErrNotExist) {
			return nil
		}
		return err
	}
	if err := f.remove(ctx, name); err != nil && !errors.Is(err, folder.ErrNotExist) {
		return err
	}
	return f.replace(ctx, beside, name)
}

// removeOwnBeside removes what lies beside a record that was removed.
func (f *Folder) removeOwnBeside(ctx context.Context, name string) error {
	e, ok, err := f.ownBeside(ctx, name)
	if err != nil || !ok {
		return err
	}
	if err := f.remove(ctx, e.Name); err != nil && !errors.Is(err, folder.ErrNotExist) {
		return err
	}
	return nil
}
