package folder

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
)

// Rename implements Folder.
func (l *Local) Rename(ctx context.Context, from, to string) error {
	localFrom, err := localName("rename", from)
	if err != nil {
		return err
	}
	localTo, err := localName("rename", to)
	if err != nil {
		return err
	}
	root, err := l.open(ctx, "rename")
	if err != nil {
		return err
	}
	defer root.Close()
	if err := l.rename(ctx, root, from, localFrom, localTo); err != nil {
		return err
	}
	return l.at(StepRenamed)
}

func (l *Local) rename(ctx context.Context, root *os.Root, name, from, to string) error {
	// The look through the root keeps links on the way from leading out of it.
	if _, err := root.Lstat(from); err != nil {
		return fail("rename", name, err)
	}
	return l.patiently(ctx, func() error {
		err := fail("rename", name, renameFile(root, l.root, from, to))
		if errors.Is(err, ErrPermission) && locked(filepath.Join(l.root, from)) {
			return &Error{Op: "rename", Name: name, Kind: ErrBusy, Cause: err}
		}
		return err
	})
}

// Move implements Folder.
func (l *Local) Move(ctx context.Context, from, to string) error {
	localFrom, err := localName("move", from)
	if err != nil {
		return err
	}
	localTo, err := localName("move", to)
	if err != nil {
		return err
	}
	root, err := l.open(ctx, "move")
	if err != nil {
		return err
	}
	defer root.Close()
	if err := l.mkdir(root, path.Dir(to), filepath.Dir(localTo)); err != nil {
		return err
	}
	err = l.rename(ctx, root, from, localFrom, localTo)
	switch {
	case err == nil:
		return l.at(StepRenamed)
	case errors.Is(err, ErrVolume):
		err = l.copyOver(ctx, root, from, localFrom, localTo)
		if err == nil || !errors.Is(err, ErrExist) {
			return err
		}
	case !errors.Is(err, ErrExist):
		return err
	}
	return l.moveOntoSame(ctx, root, from, localFrom, localTo)
}

// moveOntoSame is a move whose target is there already: an earlier one that was
// interrupted, if the content is the same, and otherwise an error.
func (l *Local) moveOntoSame(ctx context.Context, root *os.Root, name, from, to string) error {
	same, err := sameContent(root, from, to)
	if err != nil {
		return fail("move", name, err)
	}
	if !same {
		return &Error{Op: "move", Name: name, Kind: ErrExist}
	}
	return l.removeSource(ctx, root, name, from)
}

// copyOver copies to a temporary name beside the target, verifies what the disk
// has, gives it its name and only then removes the source.
func (l *Local) copyOver(ctx context.Context, root *os.Root, name, from, to string) error {
	source, err := openRegular(root, from)
	if err != nil {
		return fail("move", name, err)
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return fail("move", name, err)
	}
	temp, copied, err := l.writeTemp(root, filepath.ToSlash(to), to, func(w io.Writer) error {
		_, err := io.Copy(w, source)
		return err
	})
	source.Close() // before it is removed
	defer l.forget(temp)
	if err != nil {
		return err
	}
	// Kept for audits; a file system that cannot is no reason to fail.
	_ = root.Chtimes(temp, info.ModTime(), info.ModTime())
	digest, err := digestOf(root, temp)
	if err == nil && digest != copied.Sum() {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = l.rename(ctx, root, name, temp, to)
	}
	if err != nil {
		_ = removeFile(root, temp)
		return fail("move", name, err)
	}
	if err := l.at(StepRenamed); err != nil {
		return err
	}
	if err := l.syncDir(root, filepath.Dir(to)); err != nil {
		return fail("move", name, err)
	}
	// Somebody may have written to the source while it was copied.
	return l.moveOntoSame(ctx, root, name, from, to)
}

func (l *Local) removeSource(ctx context.Context, root *os.Root, name, from string) error {
	err := l.patiently(ctx, func() error { return fail("move", name, removeFile(root, from)) })
	if err != nil {
		return err
	}
	return l.at(StepRemoved)
}

func sameContent(root *os.Root, a, b string) (bool, error) {
	first, err := digestOf(root, a)
	if err != nil {
		return false, err
	}
	second, err := digestOf(root, b)
	return err == nil && first == second, err
}

func digestOf(root *os.Root, local string) (string, error) {
	f, err := openRegular(root, local)
	if err != nil {
		return "", err
	}
	defer f.Close()
	c := NewCounter(io.Discard)
	_, err = io.Copy(c, f)
	return c.Sum(), err
}
