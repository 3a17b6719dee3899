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

// ownRecord tells whether name is such a record on such a server.
func (f *Folder) ownRecord(ctx context.Context, name string) bool {
	if !strings.HasPrefix(path.Base(name), ".") || folder.Leftover(name) {
		return false
	}
	replaces, err := ask(ctx, f, patience, func(c *sftp.Client) (bool, error) { return hasPosixRename(c), nil })
	return err == nil && !replaces
}

// ownBeside gives what lies beside a record of ours.
func (f *Folder) ownBeside(ctx context.Context, name string) (folder.Entry, bool) {
	if !f.ownRecord(ctx, name) {
		return folder.Entry{}, false
	}
	e, _, err := f.entry(ctx, folder.Beside(name))
	return e, err == nil
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
	e, ok := f.ownBeside(ctx, name)
	if !ok {
		return nil
	}
	if err := f.remove(ctx, e.Name); err != nil && !errors.Is(err, folder.ErrNotExist) {
		return err
	}
	return nil
}
