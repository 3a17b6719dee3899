package remote

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"sendconnector/internal/folder"
)

// Folder is a folder of a server. It implements folder.Folder.
type Folder struct {
	server *Server
	root   string
	step   func(name string) error

	mu     sync.Mutex
	active map[string]bool // temporary names being written, so that Tidy spares them
	left   map[string]bool // temporary names that could not be removed when their publication failed
	dirs   map[string]dir  // folders looked at lately
}

// dir is a folder that was one, and no link, when we looked.
type dir struct {
	mode fs.FileMode
	at   time.Time
}

var _ folder.Folder = (*Folder)(nil)

// Folder is the folder at root, a path on the server: absolute, or relative to where
// the login starts. The root itself is not made, and may be a link.
func (s *Server) Folder(root string) *Folder {
	return &Folder{server: s, root: path.Clean(root), active: map[string]bool{}, left: map[string]bool{}, dirs: map[string]dir{}}
}

// WithStep is the same folder with a seam at every effect; see
// folder.Local.
func (f *Folder) WithStep(step func(name string) error) *Folder {
	other := f.server.Folder(f.root)
	other.step = step
	return other
}

func (f *Folder) at(step string) error {
	if f.step == nil {
		return nil
	}
	return f.step(step)
}

// full is the path on the server.
func (f *Folder) full(name string) string { return path.Join(f.root, name) }

// checkName refuses what leads out of the root.
func checkName(op, name string) error {
	if !fs.ValidPath(name) || strings.ContainsRune(name, 0) {
		return &folder.Error{Op: op, Name: name, Kind: folder.ErrName}
	}
	return nil
}

// redials is how often a request that may be repeated is, when its connection ends.
const redials = 2

// ask sends requests that may be repeated, and repeats them over a new connection when
// theirs ends. The error is the server's answer or that of connecting, not wrapped.
func ask[T any](ctx context.Context, f *Folder, most int, fn func(*sftp.Client) (T, error)) (T, error) {
	return askOn(ctx, f, most, func(s *session) (T, error) { return fn(s.client) })
}

func askOn[T any](ctx context.Context, f *Folder, most int, fn func(*session) (T, error)) (T, error) {
	var none T
	for n := 0; ; n++ {
		c, err := f.server.acquire(ctx)
		if err != nil {
			return none, err
		}
		v, err := call(ctx, c, most, func(*sftp.Client) (T, error) { return fn(c) }, nil)
		f.server.release(c)
		if ctx.Err() != nil && err != nil {
			return none, context.Cause(ctx)
		}
		if !isLost(err) || n == redials {
			return v, err
		}
	}
}

// tell sends one request that must not be repeated blindly.
func tell(ctx context.Context, f *Folder, fn func(*sftp.Client) error) error {
	c, err := f.server.acquire(ctx)
	if err != nil {
		return err
	}
	defer f.server.release(c)
	_, err = call(ctx, c, patience, func(client *sftp.Client) (struct{}, error) { return struct{}{}, fn(client) }, nil)
	return err
}

// entry is the look at one name that does not follow a link.
func (f *Folder) entry(ctx context.Context, name string) (folder.Entry, fs.FileMode, error) {
	info, err := ask(ctx, f, patience, func(c *sftp.Client) (fs.FileInfo, error) { return c.Lstat(f.full(name)) })
	if err != nil {
		return folder.Entry{}, 0, fail("stat", name, err)
	}
	return f.entryOf(name, info), info.Mode(), nil
}

func (f *Folder) entryOf(name string, info fs.FileInfo) folder.Entry {
	mode := info.Mode()
	e := folder.Entry{Name: name, Modified: info.ModTime(), Dir: mode.IsDir()}
	e.Special = !mode.IsDir() && !mode.IsRegular()
	if f.server.o.IgnoreTimes {
		e.Modified = time.Unix(0, 0)
	}
	if mode.IsRegular() {
		e.Size = info.Size()
	}
	if e.Size < 0 || e.Size > mostSize { // a server that does not know: nothing could be read by it
		e.Size, e.Special = 0, true
	}
	return e
}

// mostSize is a petabyte: what a server says beyond it is no size.
const mostSize = 1 << 50

// dirsFor is how long a folder is taken for one without another look. Whoever may
// change folders into links on the server can do so between look and use anyway.
const dirsFor = 30 * time.Second

// isDir makes sure that name and all above it are folders, and no links that could
// lead out of the root. It gives the mode of name.
func (f *Folder) isDir(ctx context.Context, op, name string) (fs.FileMode, error) {
	if name == "." {
		info, err := f.rootInfo(ctx, op)
		if err != nil {
			return 0, err
		}
		return info, nil
	}
	if mode, ok := f.lately(name); ok {
		return mode, nil
	}
	if _, err := f.isDir(ctx, op, path.Dir(name)); err != nil {
		return 0, err
	}
	e, mode, err := f.entry(ctx, name)
	switch {
	case errors.Is(err, folder.ErrNotExist):
		return 0, &folder.Error{Op: op, Name: name, Kind: folder.ErrNotExist}
	case err != nil:
		return 0, err
	case e.Special:
		return 0, &folder.Error{Op: op, Name: name, Kind: folder.ErrSpecial, Cause: errLink}
	case !e.Dir:
		return 0, &folder.Error{Op: op, Name: name, Kind: folder.ErrNotExist, Cause: errors.New("a file where a folder should be")}
	}
	f.remember(name, mode)
	return mode, nil
}

var errLink = errors.New("links are not followed on a server")

// rootInfo looks at the root. One that is not there is a folder that is gone, and not
// a missing file: nobody may take it for empty.
func (f *Folder) rootInfo(ctx context.Context, op string) (fs.FileMode, error) {
	if mode, ok := f.lately("."); ok {
		return mode, nil
	}
	info, err := ask(ctx, f, patience, func(c *sftp.Client) (fs.FileInfo, error) { return c.Stat(f.root) })
	if err == nil && !info.IsDir() {
		return 0, &folder.Error{Op: op, Name: ".", Kind: folder.ErrUnavailable, Cause: errors.New("the root is no folder")}
	}
	if errors.Is(kindOf(err), folder.ErrNotExist) {
		return 0, &folder.Error{Op: op, Name: ".", Kind: folder.ErrUnavailable, Cause: err}
	}
	if err != nil {
		return 0, fail(op, ".", err)
	}
	f.remember(".", info.Mode())
	return info.Mode(), nil
}

// missing looks at what "no such file" means: with the root gone it means nothing.
func (f *Folder) missing(ctx context.Context, op string, err error) error {
	if !errors.Is(err, folder.ErrNotExist) {
		return err
	}
	f.forgetDirs()
	if _, gone := f.rootInfo(ctx, op); gone != nil {
		return gone
	}
	return err
}

func (f *Folder) lately(name string) (fs.FileMode, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, ok := f.dirs[name]
	age := f.server.o.Clock().Sub(d.at)
	return d.mode, ok && age >= 0 && age < dirsFor
}

func (f *Folder) remember(name string, mode fs.FileMode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.dirs) > 10_000 {
		clear(f.dirs)
	}
	f.dirs[name] = dir{mode, f.server.o.Clock()}
}

func (f *Folder) forgetDirs() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.dirs)
}

// Stat implements folder.Folder.
func (f *Folder) Stat(ctx context.Context, name string) (folder.Entry, error) {
	if err := checkName("stat", name); err != nil {
		return folder.Entry{}, err
	}
	if name == "." {
		_, err := f.rootInfo(ctx, "stat")
		return folder.Entry{Name: ".", Dir: err == nil}, err
	}
	if _, err := f.isDir(ctx, "stat", path.Dir(name)); err != nil {
		return folder.Entry{}, f.missing(ctx, "stat", err)
	}
	e, _, err := f.entry(ctx, name)
	if errors.Is(err, folder.ErrNotExist) {
		waiting, ok, besideErr := f.ownBeside(ctx, name)
		if besideErr != nil {
			return folder.Entry{}, besideErr
		}
		if ok {
			waiting.Name = name
			return waiting, nil
		}
	}
	return e, f.missing(ctx, "stat", err)
}

// Locked implements folder.Folder: a server does not tell.
func (f *Folder) Locked(context.Context, string) bool { return false }

// Local implements folder.Folder.
func (f *Folder) Local() (string, bool) { return "", false }

// Free implements folder.Folder, where the server offers statvfs.
func (f *Folder) Free(ctx context.Context) (uint64, bool) {
	v, ok := f.statVFS(ctx, ".")
	if !ok {
		return 0, false
	}
	return v.Bavail * v.Frsize, true
}

// statVFS asks for the volume that name lies on.
func (f *Folder) statVFS(ctx context.Context, name string) (*sftp.StatVFS, bool) {
	v, err := ask(ctx, f, patience, func(c *sftp.Client) (*sftp.StatVFS, error) {
		if _, ok := c.HasExtension("statvfs@openssh.com"); !ok {
			return nil, nil //nolint:nilnil // the server does not tell
		}
		return c.StatVFS(f.full(name))
	})
	return v, err == nil && v != nil
}

// Sync implements folder.Folder: as far as the server offers fsync, and lets a folder
// be opened for it, as OpenSSH does. A refusal is no error; there is nothing more that
// could be done.
func (f *Folder) Sync(ctx context.Context, dir string) error {
	if err := checkName("sync", dir); err != nil {
		return err
	}
	_, err := ask(ctx, f, patience, func(c *sftp.Client) (struct{}, error) {
		if !canSync(c) {
			return struct{}{}, nil
		}
		d, err := c.Open(f.full(dir))
		if err != nil {
			return struct{}{}, err
		}
		defer d.Close()
		return struct{}{}, d.Sync()
	})
	if err != nil && (isLost(err) || kindOf(err) == nil && !isAnswer(err)) {
		return fail("sync", dir, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.at(folder.StepSafe)
}

func canSync(c *sftp.Client) bool {
	_, ok := c.HasExtension("fsync@openssh.com")
	return ok
}

// Close implements folder.Folder. The connections are the server's, because folders
// share them: Server.Close ends them.
func (f *Folder) Close() error { return nil }
