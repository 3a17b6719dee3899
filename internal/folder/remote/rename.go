package remote

import (
	"context"
	"errors"
	"path"

	"github.com/pkg/sftp"

	"sendconnector/internal/folder"
)

// Rename implements folder.Folder.
//
// Servers differ: OpenSSH refuses a target that exists, in one step; pkg/sftp's server
// and its kin would overwrite it. So a look comes first, and on the latter only another
// program that creates the very same name in between could be overwritten. Which of
// several callers gets a file is decided by the server in any case, because each of
// these renames takes the source away. See docs/decisions/0021.
func (f *Folder) Rename(ctx context.Context, from, to string) error {
	for _, name := range []string{from, to} {
		if err := checkName("rename", name); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.rename(ctx, from, to); err != nil {
		return f.missing(ctx, "rename", err)
	}
	return f.at(folder.StepRenamed)
}

func (f *Folder) rename(ctx context.Context, from, to string) error {
	for _, name := range []string{from, to} {
		if _, err := f.isDir(ctx, "rename", path.Dir(name)); err != nil {
			return err
		}
	}
	before, _, err := f.entry(ctx, from)
	if err != nil {
		return err
	}
	if _, _, err := f.entry(ctx, to); !errors.Is(err, folder.ErrNotExist) {
		if err == nil {
			err = &folder.Error{Op: "rename", Name: to, Kind: folder.ErrExist}
		}
		return err
	}
	asked := false // whether a request may have got through without its answer
	for n := 0; ; n++ {
		err := tell(ctx, f, func(c *sftp.Client) error { return c.Rename(f.full(from), f.full(to)) })
		switch {
		case err == nil:
			return nil
		case isLost(err) && ctx.Err() == nil && n < redials:
			asked = true
		case isLost(err), asked && !isAnswer(err):
			return unknown("rename", from, err)
		case !isAnswer(err):
			return err
		case !asked:
			return f.notRenamed(ctx, from, to, err)
		}
		done, err := f.whatBecame(ctx, before, to)
		switch {
		case errors.Is(err, folder.ErrNotExist), errors.Is(err, folder.ErrExist):
			return err
		case err != nil:
			return unknown("rename", from, err)
		case done:
			return nil
		case n >= redials:
			return unknown("rename", from, errors.New("the server neither carries it out nor says why"))
		}
	}
}

// whatBecame finds out, on a new connection, whether a rename whose answer was lost
// took effect. False: it did not, and it may be asked for again; should the server
// carry out the lost request after all, one of the two finds nothing to rename.
func (f *Folder) whatBecame(ctx context.Context, before folder.Entry, to string) (bool, error) {
	source, _, sourceErr := f.entry(ctx, before.Name)
	target, _, targetErr := f.entry(ctx, to)
	for _, err := range []error{sourceErr, targetErr} {
		if err != nil && !errors.Is(err, folder.ErrNotExist) {
			return false, err
		}
	}
	switch {
	case targetErr != nil:
		// Neither: somebody else had it before us.
		return false, sourceErr
	case sourceErr != nil:
		return true, nil // nobody else gives a file the name that was free for us
	case !alike(target, before):
		return false, &folder.Error{Op: "rename", Name: to, Kind: folder.ErrExist}
	case !alike(source, before):
		return true, nil // and somebody has dropped another file of the name since
	}
	return f.unlinkRest(ctx, before.Name, to)
}

func alike(a, b folder.Entry) bool {
	return a.Size == b.Size && a.Modified.Equal(b.Modified) && a.Dir == b.Dir && a.Special == b.Special
}

// unlinkRest ends a rename that stopped half way. OpenSSH renames by giving the file
// its second name and taking the first one; whoever takes it is the one who renamed.
func (f *Folder) unlinkRest(ctx context.Context, from, to string) (bool, error) {
	same, err := f.sameContent(ctx, from, to)
	if err != nil {
		return false, err
	}
	if !same {
		return false, &folder.Error{Op: "rename", Name: to, Kind: folder.ErrExist}
	}
	err = f.remove(ctx, from)
	if errors.Is(err, folder.ErrNotExist) {
		// Another caller took it between the two looks; or our own request just ended.
		return false, errors.New("source vanished while its rename was looked into")
	}
	return err == nil, err
}

// notRenamed looks for the reason of a refusal.
func (f *Folder) notRenamed(ctx context.Context, from, to string, err error) error {
	if !isFailure(err) {
		return fail("rename", from, err)
	}
	if _, _, look := f.entry(ctx, to); look == nil {
		return &folder.Error{Op: "rename", Name: to, Kind: folder.ErrExist, Cause: err}
	}
	if _, _, look := f.entry(ctx, from); errors.Is(look, folder.ErrNotExist) {
		return look
	}
	var status *sftp.StatusError
	if errors.As(err, &status) && status.Code == codeUnsupported {
		return &folder.Error{Op: "rename", Name: from, Kind: folder.ErrPermission, Cause: err}
	}
	here, ok := f.statVFS(ctx, path.Dir(from))
	there, alsoOK := f.statVFS(ctx, path.Dir(to))
	if ok && alsoOK && here.Fsid != there.Fsid {
		return &folder.Error{Op: "rename", Name: from, Kind: folder.ErrVolume, Cause: err}
	}
	return f.explainHeld(ctx, "rename", from, err)
}
