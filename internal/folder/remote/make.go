package remote

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/pkg/sftp"

	"sendconnector/internal/folder"
)

// Mkdir implements folder.Folder.
func (f *Folder) Mkdir(ctx context.Context, dir string) error {
	if err := checkName("mkdir", dir); err != nil {
		return err
	}
	_, err := f.mkdir(ctx, dir)
	return err
}

// mkdir makes dir with its parents, never the root, and gives its mode.
func (f *Folder) mkdir(ctx context.Context, dir string) (fs.FileMode, error) {
	if dir == "." {
		return f.rootInfo(ctx, "mkdir")
	}
	mode, err := f.isDir(ctx, "mkdir", dir)
	if !errors.Is(err, folder.ErrNotExist) {
		return mode, err
	}
	e, _, err := f.entry(ctx, dir)
	switch {
	case err == nil && e.Dir: // made by somebody else since
	case err == nil:
		return 0, &folder.Error{Op: "mkdir", Name: dir, Kind: folder.ErrExist}
	case !errors.Is(err, folder.ErrNotExist):
		return 0, err
	default:
		if _, err := f.mkdir(ctx, path.Dir(dir)); err != nil {
			return 0, err
		}
		made := f.create(ctx, dir)
		if made != nil && !errors.Is(made, folder.ErrExist) && !errors.Is(made, folder.ErrUnknown) {
			return 0, made
		}
		mode, err := f.isDir(ctx, "mkdir", dir)
		if errors.Is(err, folder.ErrNotExist) && made != nil {
			err = made
		}
		return mode, err
	}
	return f.isDir(ctx, "mkdir", dir)
}

// Create implements folder.Folder: making a folder is the one thing that every server
// lets exactly one of several callers do.
func (f *Folder) Create(ctx context.Context, dir string) error {
	if err := checkName("create", dir); err != nil {
		return err
	}
	if _, err := f.isDir(ctx, "create", path.Dir(dir)); err != nil {
		return f.missing(ctx, "create", err)
	}
	return f.create(ctx, dir)
}

func (f *Folder) create(ctx context.Context, dir string) error {
	unsure := false
	for n := 0; ; n++ {
		err := tell(ctx, f, func(c *sftp.Client) error { return c.Mkdir(f.full(dir)) })
		switch {
		case err == nil:
			f.inherit(ctx, path.Dir(dir), dir, 0o770)
			return f.at(folder.StepMade)
		case isLost(err) && ctx.Err() == nil && n < redials:
			unsure = true
			continue
		case isLost(err), unsure && !isAnswer(err):
			return unknown("create", dir, err)
		case kindOf(err) == nil && isFailure(err):
			if _, _, look := f.entry(ctx, dir); look == nil {
				err = &folder.Error{Op: "create", Name: dir, Kind: folder.ErrExist, Cause: err}
			} else {
				err = f.explain(ctx, "create", dir, err)
			}
		}
		// After a lost answer a folder that is there may be ours or another's.
		if unsure && errors.Is(fail("create", dir, err), folder.ErrExist) {
			return unknown("create", dir, &folder.Error{Op: "create", Name: dir, Kind: folder.ErrUnavailable, Cause: errWhose})
		}
		return fail("create", dir, err)
	}
}

var errWhose = errors.New("the folder is there, and nobody can tell who made it")

// inherit gives a new file or folder the rights of the folder it lies in, as far as
// most allows; see folder.Local. Servers that know no rights refuse; then theirs hold.
func (f *Folder) inherit(ctx context.Context, parent, name string, most fs.FileMode) {
	above, err := f.isDir(ctx, "stat", parent)
	if err != nil {
		return
	}
	_, _ = ask(ctx, f, patience, func(c *sftp.Client) (struct{}, error) {
		return struct{}{}, c.Chmod(f.full(name), above.Perm()&most|most&0o700)
	})
}

// Remove implements folder.Folder.
func (f *Folder) Remove(ctx context.Context, name string) error {
	if err := checkName("remove", name); err != nil {
		return err
	}
	_, err := f.isDir(ctx, "remove", path.Dir(name))
	if err == nil {
		err = f.remove(ctx, name)
	}
	if errors.Is(f.missing(ctx, "remove", err), folder.ErrNotExist) {
		return f.removeOwnBeside(ctx, name)
	}
	if err != nil {
		return f.missing(ctx, "remove", err)
	}
	if err := f.at(folder.StepRemoved); err != nil {
		return err
	}
	return f.removeOwnBeside(ctx, name)
}

// remove deletes a file or an empty folder; ErrNotExist if there is none. It looks
// first, because servers of some systems let a folder be unlinked like a file. It may
// be repeated, so a lost answer is no trouble.
func (f *Folder) remove(ctx context.Context, name string) error {
	e, _, err := f.entry(ctx, name)
	if err != nil {
		return err
	}
	repeated := false
	_, err = ask(ctx, f, patience, func(c *sftp.Client) (struct{}, error) {
		var err error
		if e.Dir {
			err = c.RemoveDirectory(f.full(name))
		} else {
			err = c.Remove(f.full(name))
		}
		if repeated && errors.Is(kindOf(err), folder.ErrNotExist) {
			err = nil // the answer of the first try was lost
		}
		repeated = true
		return struct{}{}, err
	})
	switch {
	case err == nil && e.Dir:
		f.forgetDirs()
	case isFailure(err) && e.Dir:
		return f.notRemoved(ctx, name, err)
	case isFailure(err):
		return f.explainHeld(ctx, "remove", name, err)
	}
	return fail("remove", name, err)
}

// notRemoved tells a folder with something in it from other refusals.
func (f *Folder) notRemoved(ctx context.Context, dir string, err error) error {
	inside, look := f.readDir(ctx, dir, mostEntries, mostPeriods)
	if look == nil && len(inside) > 0 || errors.Is(look, folder.ErrEndless) {
		return &folder.Error{Op: "remove", Name: dir, Kind: folder.ErrExist, Cause: err}
	}
	return f.explain(ctx, "remove", dir, err)
}

// readOnly is the flag of statvfs for a volume that cannot be written to.
const readOnly = 1

// explain looks for the reason of an answer that gives none: a full or write-protected
// volume. Where the server does not tell the kind stays unknown.
func (f *Folder) explain(ctx context.Context, op, name string, err error) error {
	v, ok := f.statVFS(ctx, ".")
	switch {
	case ok && v.Flag&readOnly != 0:
		return &folder.Error{Op: op, Name: name, Kind: folder.ErrPermission, Cause: err}
	case ok && (v.Bavail == 0 || v.Files > 0 && v.Ffree == 0):
		return &folder.Error{Op: op, Name: name, Kind: folder.ErrFull, Cause: err}
	}
	return fail(op, name, err)
}

// explainHeld is explain for a file that is there, and that the server neither moves
// nor removes although nothing else explains it: then a program on the server holds it.
func (f *Folder) explainHeld(ctx context.Context, op, name string, err error) error {
	err = f.explain(ctx, op, name, err)
	var known *folder.Error
	if errors.As(err, &known) && known.Kind == nil {
		return &folder.Error{Op: op, Name: name, Kind: folder.ErrBusy, Cause: known.Cause}
	}
	return err
}
