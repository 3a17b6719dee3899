package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/pkg/sftp"

	"sendconnector/internal/folder"
)

// Publish implements folder.Folder.
//
// As with folder.Local the newest content only ever moves towards name: first it takes
// the place beside, if something waits there, then the name itself. Where the server
// cannot replace a file in one step (see replace), content whose target is there waits
// beside it until the old file has been taken away; our own records, which nobody
// takes away, change places under the guard of own.go.
func (f *Folder) Publish(ctx context.Context, name string, write func(io.Writer) error) (folder.Published, error) {
	if err := checkName("publish", name); err != nil {
		return folder.Published{}, err
	}
	if err := ctx.Err(); err != nil {
		return folder.Published{}, err
	}
	temp, c, err := f.writeTemp(ctx, name, write)
	defer f.forget(temp)
	if err != nil {
		return folder.Published{}, err
	}
	done := folder.Published{Name: name, Bytes: c.Bytes(), SHA256: c.Sum()}
	err = f.place(ctx, temp, name, &done)
	if err != nil {
		return folder.Published{}, err
	}
	return done, f.Sync(ctx, path.Dir(name))
}

// place gives a complete temporary file its name.
func (f *Folder) place(ctx context.Context, temp, name string, done *folder.Published) error {
	own, err := f.ownRecord(ctx, name)
	if err != nil {
		f.discard(ctx, temp)
		return err
	}
	if own {
		if err := f.placeOwn(ctx, temp, name); err != nil {
			f.discardUnlessUnknown(ctx, temp, err)
			return err
		}
		return f.at(folder.StepRenamed)
	}
	beside := folder.Beside(name)
	_, _, err = f.entry(ctx, beside)
	if err == nil {
		return f.placeBeside(ctx, temp, name, done)
	}
	if !errors.Is(err, folder.ErrNotExist) {
		f.discard(ctx, temp)
		return err
	}
	err = f.replace(ctx, temp, name)
	if errors.Is(err, folder.ErrBusy) {
		return f.placeBeside(ctx, temp, name, done)
	}
	if err != nil {
		f.discardUnlessUnknown(ctx, temp, err)
		return err
	}
	return f.at(folder.StepRenamed)
}

// placeBeside lets temp wait beside name, and then tries name once more.
func (f *Folder) placeBeside(ctx context.Context, temp, name string, done *folder.Published) error {
	beside := folder.Beside(name)
	err := f.replace(ctx, temp, beside)
	if errors.Is(err, folder.ErrBusy) {
		err = f.changeBeside(ctx, temp, name)
	}
	if err != nil {
		f.discardUnlessUnknown(ctx, temp, err)
		return err
	}
	if err := f.at(folder.StepRenamed); err != nil {
		return err
	}
	settled, err := f.settle(ctx, name)
	if err != nil {
		return err
	}
	if !settled {
		done.Name, done.Beside = beside, true
	}
	return nil
}

// changeBeside puts temp in the place of what waits beside name, on a server that
// replaces nothing. What waits may be all that can be seen, if the file has been taken
// away: then it takes the name first. Only beside a file that stays visible is it
// removed: it is older than what we have, and the ledger gives the newest again.
func (f *Folder) changeBeside(ctx context.Context, temp, name string) error {
	settled, err := f.settle(ctx, name)
	if err != nil {
		return err
	}
	beside := folder.Beside(name)
	if !settled {
		if err := f.remove(ctx, beside); err != nil && !errors.Is(err, folder.ErrNotExist) {
			return err
		}
	}
	return f.replace(ctx, temp, beside)
}

// Settle implements folder.Folder.
func (f *Folder) Settle(ctx context.Context, name string) (bool, error) {
	if err := checkName("settle", name); err != nil {
		return false, err
	}
	if _, err := f.isDir(ctx, "settle", path.Dir(name)); err != nil {
		if err = f.missing(ctx, "settle", err); errors.Is(err, folder.ErrNotExist) {
			return true, nil
		}
		return false, err
	}
	if _, _, err := f.entry(ctx, folder.Beside(name)); err != nil {
		if errors.Is(err, folder.ErrNotExist) {
			return true, nil
		}
		return false, err
	}
	settled, err := f.settle(ctx, name)
	if err != nil || !settled {
		return settled, err
	}
	return true, f.Sync(ctx, path.Dir(name))
}

func (f *Folder) settle(ctx context.Context, name string) (bool, error) {
	err := f.replace(ctx, folder.Beside(name), name)
	if errors.Is(err, folder.ErrBusy) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.at(folder.StepSettled)
}

// replace renames over whatever is there, in one step. With posix-rename@openssh.com
// that is a matter of course. Without it the plain rename is tried, which some servers
// do in one step too; those that refuse have changed nothing. A target that is there
// and cannot be replaced is ErrBusy, whatever the server calls it.
func (f *Folder) replace(ctx context.Context, from, to string) error {
	before, _, err := f.entry(ctx, from)
	if err != nil {
		return err
	}
	asked := false
	for n := 0; ; n++ {
		err := tell(ctx, f, func(c *sftp.Client) error { return renameOver(c, f.full(from), f.full(to)) })
		switch {
		case err == nil:
			return nil
		case isLost(err) && ctx.Err() == nil && n < redials:
			asked = true
		case isLost(err), asked && !isAnswer(err):
			return unknown("rename", to, err)
		case !isAnswer(err):
			return err
		case !asked:
			return f.notReplaced(ctx, from, to, err)
		}
		// The temporary name is ours alone: once it is gone, the rename has happened.
		_, _, look := f.entry(ctx, from)
		if errors.Is(look, folder.ErrNotExist) {
			now, _, err := f.entry(ctx, to)
			if err != nil || now.Size != before.Size {
				return unknown("rename", to, errors.Join(errors.New("the new file is not where it should be"), err))
			}
			return nil
		}
		if look != nil {
			return unknown("rename", to, look)
		}
		if n >= redials {
			return unknown("rename", to, errors.New("the server neither carries it out nor says why"))
		}
	}
}

func hasPosixRename(c *sftp.Client) bool {
	_, ok := c.HasExtension("posix-rename@openssh.com")
	return ok
}

func renameOver(c *sftp.Client, from, to string) error {
	if hasPosixRename(c) {
		err := c.PosixRename(from, to)
		var status *sftp.StatusError
		if !errors.As(err, &status) || status.Code != codeUnsupported {
			return err
		}
	}
	return c.Rename(from, to)
}

func (f *Folder) notReplaced(ctx context.Context, from, to string, err error) error {
	e, _, look := f.entry(ctx, to)
	switch {
	case look == nil && e.Dir:
		return &folder.Error{Op: "rename", Name: to, Kind: folder.ErrExist, Cause: err}
	case look == nil && (isFailure(err) || errors.Is(kindOf(err), folder.ErrPermission)):
		return &folder.Error{Op: "rename", Name: to, Kind: folder.ErrBusy, Cause: err}
	case isFailure(err):
		return f.explain(ctx, "rename", from, err)
	}
	return fail("rename", to, err)
}

// writeAhead is what is written to the server at once, in pieces side by side.
const writeAhead = 256 << 10

// writeTemp writes a temporary file in the folder of name, counted, and synced where
// the server can. On an error it removes it, now or before the next publication; on an
// error of the step hook it leaves everything as a crash would.
func (f *Folder) writeTemp(ctx context.Context, name string, write func(io.Writer) error) (string, *folder.Counter, error) {
	f.removeLeft(ctx)
	dir := path.Dir(name)
	if _, err := f.mkdir(ctx, dir); err != nil {
		return "", nil, f.missing(ctx, "publish", err)
	}
	u, err := f.createTemp(ctx, dir)
	if err != nil {
		if errors.Is(err, folder.ErrNotExist) {
			f.forgetDirs() // it was removed since we looked
		}
		return "", nil, f.missing(ctx, "publish", err)
	}
	defer u.close()
	if err := f.at(folder.StepCreated); err != nil {
		return u.name, nil, err
	}
	f.inherit(ctx, dir, u.name, 0o660)
	c := folder.NewCounter(u)
	if err := u.write(c, write); err != nil {
		f.discard(ctx, u.name)
		return u.name, nil, f.notWritten(ctx, name, err)
	}
	if err := f.at(folder.StepWritten); err != nil {
		return u.name, nil, err
	}
	if err := u.finish(c.Bytes()); err != nil {
		f.discard(ctx, u.name)
		return u.name, nil, f.notWritten(ctx, name, err)
	}
	return u.name, c, f.at(folder.StepSynced)
}

// notWritten is a server that did not take the content. An answer that gives no
// reason, in the middle of a file, is a full disk or a quota.
func (f *Folder) notWritten(ctx context.Context, name string, err error) error {
	var already *folder.Error
	if errors.As(err, &already) || !isFailure(err) {
		return fail("publish", name, err)
	}
	err = f.explain(ctx, "publish", name, err)
	if errors.As(err, &already) && already.Kind == nil {
		already.Kind = folder.ErrFull
	}
	return err
}

// upload is a temporary file on its way. Its session stays busy until it is closed:
// a file that is half there cannot go on over another connection.
type upload struct {
	ctx     context.Context //nolint:containedctx // lives as long as one publication
	f       *Folder
	name    string
	session *session
	handle  *sftp.File
	buf     *bufio.Writer
	err     error
}

// createTemp makes a new file under a name that nobody has. A name whose making got no
// answer is left for Tidy, and another one is taken.
func (f *Folder) createTemp(ctx context.Context, dir string) (*upload, error) {
	for n := 0; ; n++ {
		name := path.Join(dir, folder.TempName())
		f.begin(name)
		c, err := f.server.acquire(ctx)
		if err != nil {
			f.forget(name)
			return nil, err
		}
		handle, err := call(ctx, c, patience, func(client *sftp.Client) (*sftp.File, error) {
			return client.OpenFile(f.full(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		}, func(h *sftp.File) { h.Close() })
		if err == nil {
			u := &upload{ctx: ctx, f: f, name: name, session: c, handle: handle}
			u.buf = bufio.NewWriterSize(pieces{u}, writeAhead)
			return u, nil
		}
		f.server.release(c)
		f.forget(name)
		if isLost(err) {
			f.leave(name)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if isFailure(err) {
			return nil, f.explain(ctx, "publish", name, err)
		}
		if !isLost(err) || n == redials {
			return nil, fail("publish", name, err)
		}
	}
}

func (u *upload) Write(p []byte) (int, error) { return u.buf.Write(p) }

// pieces is what the buffer is emptied into.
type pieces struct{ u *upload }

func (w pieces) Write(p []byte) (int, error) {
	u := w.u
	own := append([]byte(nil), p...) // an abandoned request may still be reading it
	n, err := call(u.ctx, u.session, patience, func(*sftp.Client) (int, error) { return u.handle.Write(own) }, nil)
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		u.err = err
		return 0, err
	}
	return n, nil
}

// write lets the content pass. An error of the content's own comes back as it is.
func (u *upload) write(c io.Writer, write func(io.Writer) error) error {
	err := write(c)
	if err == nil {
		err = u.buf.Flush()
	}
	if u.err != nil && u.ctx.Err() == nil {
		return u.err
	}
	return err
}

// finish syncs, counts what the server has, and closes.
func (u *upload) finish(want int64) error {
	_, err := call(u.ctx, u.session, patience, func(c *sftp.Client) (struct{}, error) {
		if canSync(c) {
			// A refusal is no error: it is not offered for every file system.
			if err := u.handle.Sync(); err != nil && !isAnswer(err) {
				return struct{}{}, err
			}
		}
		if err := u.handle.Close(); err != nil {
			return struct{}{}, err
		}
		info, err := c.Lstat(u.f.full(u.name))
		if err == nil && info.Size() != want {
			err = errShort
		}
		return struct{}{}, err
	}, nil)
	u.handle = nil
	var gone *lost
	if errors.As(err, &gone) && errors.Is(gone.cause, errShort) {
		return &folder.Error{Op: "publish", Name: u.name, Kind: folder.ErrFull, Cause: fmt.Errorf("%w: %w", io.ErrShortWrite, errShort)}
	}
	return err
}

// errShort: the server has not got all that it said it had.
var errShort = errors.New("the server has fewer bytes than it took")

func (u *upload) close() {
	if u.handle != nil {
		giveBack(u.ctx, u.session, u.handle)
	}
	u.f.server.release(u.session)
}
