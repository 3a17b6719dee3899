package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/pkg/sftp"

	"sendconnector/internal/folder"
)

// Open implements folder.Folder. When the connection ends, the reader goes on over a
// new one at the place where it was, if the file still has its size and time; if not,
// it fails with ErrChanged. It never ends before the end of the file.
func (f *Folder) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := checkName("open", name); err != nil {
		return nil, err
	}
	if _, err := f.isDir(ctx, "open", path.Dir(name)); err != nil {
		return nil, f.missing(ctx, "open", err)
	}
	r, err := f.openNewest(ctx, name)
	if err != nil {
		return nil, f.missing(ctx, "open", err)
	}
	return r, nil
}

// openNewest opens what lies beside one of our records, if something does. Whoever is
// just changing the two moves it from there to the name: then the second look finds it.
func (f *Folder) openNewest(ctx context.Context, name string) (io.ReadCloser, error) {
	for n := 0; ; n++ {
		beside, ok, err := f.ownBeside(ctx, name)
		if err != nil {
			return nil, err
		}
		if ok {
			if r, err := f.open(ctx, beside.Name); !errors.Is(err, folder.ErrNotExist) {
				return r, err
			}
		}
		r, err := f.open(ctx, name)
		if own, _ := f.ownRecord(ctx, name); n > 0 || !own || !errors.Is(err, folder.ErrNotExist) {
			return r, err
		}
	}
}

// open gives a plain interface, so that no caller gets a reader that is nil inside.
func (f *Folder) open(ctx context.Context, name string) (io.ReadCloser, error) {
	e, _, err := f.entry(ctx, name)
	if err != nil {
		return nil, err
	}
	if e.Dir || e.Special {
		return nil, &folder.Error{Op: "open", Name: name, Kind: folder.ErrSpecial}
	}
	r := &reader{ctx: ctx, f: f, e: e, buf: make([]byte, min(e.Size+1, readAhead))}
	if err := r.connect(); err != nil {
		return nil, err
	}
	return r, nil
}

const (
	// readAhead is what one reader asks for at once and keeps in memory: eight
	// requests side by side, for lines with long delays.
	readAhead = 256 << 10
	// resumes is how often a reader tries to go on without having got anything.
	resumes = 5
)

// reader reads one file of a server.
type reader struct {
	ctx context.Context //nolint:containedctx // lives as long as one reading
	f   *Folder
	e   folder.Entry // as it was when it was opened

	session *session
	handle  *sftp.File
	offset  int64 // of what was read from the server

	buf   []byte
	ready []byte // part of buf that the caller has not got yet
	err   error  // what follows ready
	fails int    // since something was read
	lost  error  // the latest of them
}

// chunk is what one reading gave.
type chunk struct {
	n   int
	end bool
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// fill gets the next part, or the error that ends the reading.
func (r *reader) fill() {
	if r.session == nil {
		r.err = r.resume()
		return
	}
	handle, buf, offset := r.handle, r.buf, r.offset
	c, err := call(r.ctx, r.session, patience, func(*sftp.Client) (chunk, error) {
		n, err := handle.ReadAt(buf, offset)
		if err == io.EOF { //nolint:errorlint // a wrapped one is a connection that ended
			return chunk{n, true}, nil
		}
		return chunk{n, false}, err
	}, nil)
	if r.ctx.Err() != nil && err != nil {
		r.err = context.Cause(r.ctx) // the handle is for Close to give back
		return
	}
	if c.n > 0 {
		r.ready, r.offset, r.fails = r.buf[:c.n], r.offset+int64(c.n), 0
	}
	switch {
	case r.offset > r.e.Size: // it grew, or has no end
		r.ready, r.err = nil, &folder.Error{Op: "read", Name: r.e.Name, Kind: folder.ErrChanged}
	case isLost(err):
		r.lost = err
		r.disconnect()
	case err != nil:
		r.err = fail("read", r.e.Name, err)
	case c.end && c.n == 0:
		r.err = r.atEnd()
	}
}

// atEnd tells the end of the file from a server that says so too early, as some do
// when their own disk fails.
func (r *reader) atEnd() error {
	if r.offset == r.e.Size {
		return io.EOF
	}
	handle := r.handle
	size, err := call(r.ctx, r.session, patience, func(*sftp.Client) (int64, error) {
		info, err := handle.Stat()
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}, nil)
	switch {
	case isLost(err) && r.ctx.Err() == nil:
		r.lost = err
		r.disconnect()
		return nil
	case err != nil:
		return fail("read", r.e.Name, err)
	case size == r.offset:
		return io.EOF // it grew or shrank meanwhile: whoever reads looks at it again
	}
	return &folder.Error{
		Op: "read", Name: r.e.Name, Kind: folder.ErrUnavailable,
		Cause: fmt.Errorf("%w: the server ended after %d of %d bytes", io.ErrUnexpectedEOF, r.offset, size),
	}
}

// resume goes on over a new connection. While there is none it waits as long as the
// server's pauses last, a few times.
func (r *reader) resume() error {
	for {
		if r.fails++; r.fails > resumes {
			return fail("read", r.e.Name, r.lost)
		}
		err := r.again()
		switch {
		case err == nil:
			return nil
		case r.ctx.Err() != nil:
			return context.Cause(r.ctx)
		case !errors.Is(err, folder.ErrUnavailable):
			return err
		}
		r.lost = err
		if err := wait(r.ctx, time.Second<<(r.fails-1)); err != nil {
			return err
		}
	}
}

func (r *reader) again() error {
	now, _, err := r.f.entry(r.ctx, r.e.Name)
	if err != nil {
		return err
	}
	if now.Size != r.e.Size || !now.Modified.Equal(r.e.Modified) || now.Dir || now.Special {
		return &folder.Error{Op: "read", Name: r.e.Name, Kind: folder.ErrChanged}
	}
	return r.connect()
}

// connect opens the file on a session of its own, which stays busy until it is closed.
func (r *reader) connect() error {
	for n := 0; ; n++ {
		c, err := r.f.server.acquire(r.ctx)
		if err != nil {
			return err
		}
		handle, err := call(r.ctx, c, patience, func(client *sftp.Client) (*sftp.File, error) {
			return client.Open(r.f.full(r.e.Name))
		}, func(h *sftp.File) { h.Close() })
		if err == nil {
			r.session, r.handle = c, handle
			return nil
		}
		r.f.server.release(c)
		if r.ctx.Err() != nil {
			return context.Cause(r.ctx)
		}
		if !isLost(err) || n == redials {
			return fail("open", r.e.Name, err)
		}
	}
}

func (r *reader) disconnect() {
	if r.session != nil {
		r.f.server.release(r.session)
		r.session, r.handle = nil, nil
	}
}

// Close gives the file back. What the server says to it matters to nobody.
func (r *reader) Close() error {
	if r.session == nil {
		return nil
	}
	giveBack(r.ctx, r.session, r.handle)
	r.disconnect()
	if r.err == nil {
		r.err = errors.New("read after close")
	}
	r.ready = nil
	return nil
}

// leaving is how long whoever leaves waits for the server's answer to it. What is asked
// is asked all the same, and the server's to do; a stop must not wait for it.
const leaving = 2 * time.Second

// giveBack closes a handle, also when ctx has ended: servers have few of them. It is
// closed when what is under way with it has ended.
func giveBack(ctx context.Context, s *session, handle *sftp.File) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaving)
	defer cancel()
	_, _ = call(ctx, s, patience, func(*sftp.Client) (struct{}, error) { return struct{}{}, handle.Close() }, nil)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
