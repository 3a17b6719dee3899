package remote

import (
	"context"
	"errors"
	"io"
	"path"

	"github.com/pkg/sftp"

	"sendconnector/internal/folder"
)

// Move implements folder.Folder.
func (f *Folder) Move(ctx context.Context, from, to string) error {
	for _, name := range []string{from, to} {
		if err := checkName("move", name); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := f.mkdir(ctx, path.Dir(to)); err != nil {
		return f.missing(ctx, "move", err)
	}
	err := f.rename(ctx, from, to)
	switch {
	case err == nil:
		return f.at(folder.StepRenamed)
	case errors.Is(err, folder.ErrVolume), errors.Is(err, folder.ErrBusy) && f.silentOnVolumes(ctx):
		err = f.copyOver(ctx, from, to)
		if err == nil || !errors.Is(err, folder.ErrExist) {
			return err
		}
	case !errors.Is(err, folder.ErrExist):
		return f.missing(ctx, "move", err)
	}
	return f.moveOntoSame(ctx, from, to)
}

// silentOnVolumes: the server does not tell whether a rename failed because another
// volume lies between.
func (f *Folder) silentOnVolumes(ctx context.Context) bool {
	_, ok := f.statVFS(ctx, ".")
	return !ok
}

// moveOntoSame is a move whose target is there already: an earlier one that was
// interrupted, if the content is the same, and otherwise an error.
func (f *Folder) moveOntoSame(ctx context.Context, from, to string) error {
	same, err := f.sameContent(ctx, from, to)
	if err != nil {
		return fail("move", from, err)
	}
	if !same {
		return &folder.Error{Op: "move", Name: from, Kind: folder.ErrExist}
	}
	if err := f.remove(ctx, from); err != nil {
		return err
	}
	return f.at(folder.StepRemoved)
}

// copyOver copies to a temporary name beside the target, by way of this machine,
// verifies what the server has, gives it its name and only then removes the source.
func (f *Folder) copyOver(ctx context.Context, from, to string) error {
	e, _, err := f.entry(ctx, from)
	if err != nil {
		return err
	}
	source, err := f.open(ctx, from)
	if err != nil {
		return err
	}
	defer source.Close()
	temp, copied, err := f.writeTemp(ctx, to, func(w io.Writer) error {
		_, err := io.Copy(w, source)
		return err
	})
	defer f.forget(temp)
	if err != nil {
		return err
	}
	// Kept for audits; a server that cannot is no reason to fail.
	_, _ = ask(ctx, f, patience, func(c *sftp.Client) (struct{}, error) {
		return struct{}{}, c.Chtimes(f.full(temp), e.Modified, e.Modified)
	})
	digest, err := f.digestOf(ctx, temp)
	if err == nil && digest != copied.Sum() {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = f.rename(ctx, temp, to)
	}
	if err != nil {
		f.discard(ctx, temp)
		return fail("move", from, err)
	}
	if err := f.at(folder.StepRenamed); err != nil {
		return err
	}
	if err := f.Sync(ctx, path.Dir(to)); err != nil {
		return err
	}
	// Somebody may have written to the source while it was copied.
	return f.moveOntoSame(ctx, from, to)
}

func (f *Folder) sameContent(ctx context.Context, a, b string) (bool, error) {
	first, err := f.digestOf(ctx, a)
	if err != nil {
		return false, err
	}
	second, err := f.digestOf(ctx, b)
	return err == nil && first == second, err
}

func (f *Folder) digestOf(ctx context.Context, name string) (string, error) {
	r, err := f.open(ctx, name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	c := folder.NewCounter(io.Discard)
	_, err = io.Copy(c, r)
	return c.Sum(), err
}
