package folder

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"sync"
	"time"
)

// Local is a folder of this machine, or of a share that it has mounted.
//
// The root is opened anew for every operation. That costs one system call and
// keeps a share that went away and came back usable, which a handle kept open
// would not.
type Local struct {
	root  string
	step  func(name string) error
	pause func(ctx context.Context, d time.Duration) error

	mu     sync.Mutex
	active map[string]bool // temporary names being written, so that Tidy spares them
}

var _ Folder = (*Local)(nil)

// OpenLocal is the folder at root, which must exist. A root that is itself a link
// is followed.
func OpenLocal(root string) (*Local, error) {
	l, err := LocalAt(root)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(l.root)
	if err != nil {
		return nil, fail("open", root, err)
	}
	if !info.IsDir() {
		return nil, &Error{Op: "open", Name: root, Kind: ErrSpecial}
	}
	return l, nil
}

// LocalAt is the folder at root, which may be away now, as a share that is not
// mounted: until it is back every operation answers ErrUnavailable.
func LocalAt(root string) (*Local, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fail("open", root, err)
	}
	return &Local{root: abs, pause: pause, active: map[string]bool{}}, nil
}

// WithStep is the same folder with a seam at every effect: step
// is called with the names of steps.go, and its error stops the operation there and
// then, without cleaning up, as a crash would. For tests.
func (l *Local) WithStep(step func(name string) error) *Local {
	return &Local{root: l.root, pause: l.pause, step: step, active: map[string]bool{}}
}

// open opens the root. A root that cannot be opened is a folder that is gone, and
// not a missing file: nobody may take it for empty.
func (l *Local) open(ctx context.Context, op string) (*os.Root, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(l.root)
	if err != nil {
		kind := kindOf(err)
		if !errors.Is(kind, ErrPermission) {
			kind = ErrUnavailable
		}
		return nil, &Error{Op: op, Name: ".", Kind: kind, Cause: err}
	}
	return root, nil
}

// List implements Folder.
func (l *Local) List(ctx context.Context, dir string, deep bool) ([]Entry, error) {
	local, err := localName("list", dir)
	if err != nil {
		return nil, err
	}
	root, err := l.open(ctx, "list")
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var all []Entry
	if err := list(ctx, root, dir, local, deep, &all); err != nil {
		return nil, err
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all, nil
}

func list(ctx context.Context, root *os.Root, dir, local string, deep bool, all *[]Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if info, err := root.Lstat(local); err != nil {
		return fail("list", dir, err)
	} else if !info.IsDir() {
		return &Error{Op: "list", Name: dir, Kind: ErrSpecial}
	}
	f, err := root.Open(local)
	if err != nil {
		return fail("list", dir, err)
	}
	found, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return fail("list", dir, err)
	}
	for _, d := range found {
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone between the two looks
		}
		name := path.Join(dir, d.Name())
		if err != nil {
			return fail("list", name, err)
		}
		e := entryOf(name, info)
		*all = append(*all, e)
		if !deep || !e.Dir {
			continue
		}
		err = list(ctx, root, name, filepath.Join(local, d.Name()), true, all)
		if err != nil && !errors.Is(err, ErrNotExist) {
			return err
		}
	}
	return nil
}

func entryOf(name string, info fs.FileInfo) Entry {
	mode := info.Mode()
	e := Entry{Name: name, Modified: info.ModTime(), Dir: mode.IsDir()}
	e.Special = !mode.IsDir() && !mode.IsRegular()
	if mode.IsRegular() {
		e.Size = info.Size()
	}
	return e
}

// Stat implements Folder.
func (l *Local) Stat(ctx context.Context, name string) (Entry, error) {
	local, err := localName("stat", name)
	if err != nil {
		return Entry{}, err
	}
	root, err := l.open(ctx, "stat")
	if err != nil {
		return Entry{}, err
	}
	defer root.Close()
	info, err := root.Lstat(local)
	if err != nil {
		return Entry{}, fail("stat", name, err)
	}
	return entryOf(name, info), nil
}

// Open implements Folder.
func (l *Local) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	local, err := localName("open", name)
	if err != nil {
		return nil, err
	}
	root, err := l.open(ctx, "open")
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := openRegular(root, local)
	if err != nil {
		return nil, fail("open", name, err)
	}
	return f, nil
}

// openRegular looks before it opens, because opening a pipe waits for a writer, and
// again after, because the name may have changed hands in between: what was opened
// must be the very file that was looked at. The kernel keeps links from leading out
// of the root; the looks keep them from leading to another place within it, such as
// another office's archive. Only somebody who swaps a folder of the way to and fro
// between the looks passes, and still reads nothing outside the root.
func openRegular(root *os.Root, local string) (*os.File, error) {
	special := &Error{Op: "open", Name: filepath.ToSlash(local), Kind: ErrSpecial}
	before, err := lookAt(root, local)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, special
	}
	f, err := root.Open(local)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil && (!opened.Mode().IsRegular() || !os.SameFile(before, opened)) {
		err = special
	}
	if err == nil {
		_, err = lookAt(root, local)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// lookAt describes a name without following a link, at its end or on the way.
func lookAt(root *os.Root, local string) (fs.FileInfo, error) {
	for i, c := range local {
		if c != filepath.Separator {
			continue
		}
		above, err := root.Lstat(local[:i])
		if err != nil {
			return nil, err
		}
		if !above.IsDir() {
			return nil, &Error{Op: "open", Name: filepath.ToSlash(local), Kind: ErrSpecial}
		}
	}
	return root.Lstat(local)
}

// Mkdir implements Folder.
func (l *Local) Mkdir(ctx context.Context, dir string) error {
	local, err := localName("mkdir", dir)
	if err != nil {
		return err
	}
	root, err := l.open(ctx, "mkdir")
	if err != nil {
		return err
	}
	defer root.Close()
	return l.mkdir(root, dir, local)
}

func (l *Local) mkdir(root *os.Root, dir, local string) error {
	info, err := root.Lstat(local)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return &Error{Op: "mkdir", Name: dir, Kind: ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return fail("mkdir", dir, err)
	}
	parent := filepath.Dir(local)
	if parent != local {
		if err := l.mkdir(root, path.Dir(dir), parent); err != nil {
			return err
		}
	}
	if err := l.create(root, dir, local); err != nil && !errors.Is(err, ErrExist) {
		return err
	}
	return nil
}

// Create implements Folder.
func (l *Local) Create(ctx context.Context, dir string) error {
	local, err := localName("create", dir)
	if err != nil {
		return err
	}
	root, err := l.open(ctx, "create")
	if err != nil {
		return err
	}
	defer root.Close()
	return l.create(root, dir, local)
}

func (l *Local) create(root *os.Root, dir, local string) error {
	if err := root.Mkdir(local, 0o700); err != nil {
		return fail("mkdir", dir, err)
	}
	inherit(root, filepath.Dir(local), local, 0o770)
	if err := l.at(StepMade); err != nil {
		return err
	}
	// A folder whose own name is lost takes everything with it, however well that was
	// synced.
	return fail("mkdir", dir, l.syncDir(root, filepath.Dir(local)))
}

// Remove implements Folder.
func (l *Local) Remove(ctx context.Context, name string) error {
	local, err := localName("remove", name)
	if err != nil {
		return err
	}
	root, err := l.open(ctx, "remove")
	if err != nil {
		return err
	}
	defer root.Close()
	err = l.patiently(ctx, func() error { return fail("remove", name, removeFile(root, local)) })
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.at(StepRemoved)
}

// Locked implements Folder.
func (l *Local) Locked(ctx context.Context, name string) bool {
	local, err := localName("lock", name)
	if err != nil || ctx.Err() != nil {
		return false
	}
	return locked(filepath.Join(l.root, local))
}

// Local implements Folder.
func (l *Local) Local() (string, bool) { return l.root, true }

// Free implements Folder.
func (l *Local) Free(ctx context.Context) (uint64, bool) {
	if ctx.Err() != nil {
		return 0, false
	}
	return free(l.root)
}

// Sync implements Folder.
func (l *Local) Sync(ctx context.Context, dir string) error {
	local, err := localName("sync", dir)
	if err != nil {
		return err
	}
	root, err := l.open(ctx, "sync")
	if err != nil {
		return err
	}
	defer root.Close()
	return fail("sync", dir, l.syncDir(root, local))
}

func (l *Local) syncDir(root *os.Root, local string) error {
	if err := syncDir(root, local); err != nil {
		return err
	}
	return l.at(StepSafe)
}

// Close implements Folder; a local folder holds nothing open.
func (l *Local) Close() error { return nil }
