package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Counter counts and hashes what passes on the way into a file.
type Counter struct {
	w     io.Writer
	hash  hash.Hash
	bytes int64
}

// NewCounter passes everything on to w.
func NewCounter(w io.Writer) *Counter { return &Counter{w: w, hash: sha256.New()} }

func (c *Counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.hash.Write(p[:n])
	c.bytes += int64(n)
	return n, err
}

// Sum is the SHA-256 of what passed, in hex.
func (c *Counter) Sum() string { return hex.EncodeToString(c.hash.Sum(nil)) }

// Bytes is how much passed.
func (c *Counter) Bytes() int64 { return c.bytes }

// Publish implements Folder.
//
// The newest content only ever moves towards name: first it takes the place beside,
// if something waits there, then the name itself. So no crash can leave older
// content waiting to replace newer.
func (l *Local) Publish(ctx context.Context, name string, write func(io.Writer) error) (Published, error) {
	local, err := localName("publish", name)
	if err != nil {
		return Published{}, err
	}
	root, err := l.open(ctx, "publish")
	if err != nil {
		return Published{}, err
	}
	defer root.Close()
	temp, c, err := l.writeTemp(root, name, local, write)
	defer l.forget(temp)
	if err != nil {
		return Published{}, err
	}
	done := Published{Name: name, Bytes: c.bytes, SHA256: c.Sum()}
	beside := filepath.Join(filepath.Dir(local), filepath.Base(filepath.FromSlash(Beside(name))))
	if _, err := root.Lstat(beside); err == nil {
		return l.publishBeside(ctx, root, name, local, temp, beside, done)
	}
	err = l.replace(ctx, root, temp, local)
	if errors.Is(err, ErrBusy) {
		return l.publishBeside(ctx, root, name, local, temp, beside, done)
	}
	if err != nil {
		_ = removeFile(root, temp)
		return Published{}, fail("publish", name, err)
	}
	if err := l.at(StepRenamed); err != nil {
		return Published{}, err
	}
	return done, fail("publish", name, l.syncDir(root, filepath.Dir(local)))
}

// publishBeside lets temp wait beside name, and then tries name once more.
func (l *Local) publishBeside(ctx context.Context, root *os.Root, name, local, temp, beside string, done Published) (Published, error) {
	if err := l.replace(ctx, root, temp, beside); err != nil {
		_ = removeFile(root, temp)
		return Published{}, fail("publish", Beside(name), err)
	}
	if err := l.at(StepRenamed); err != nil {
		return Published{}, err
	}
	settled, err := l.settle(ctx, root, name, local, beside)
	if err != nil {
		return Published{}, err
	}
	if !settled {
		done.Name, done.Beside = Beside(name), true
	}
	return done, fail("publish", name, l.syncDir(root, filepath.Dir(local)))
}

// Settle implements Folder.
func (l *Local) Settle(ctx context.Context, name string) (bool, error) {
	local, err := localName("settle", name)
	if err != nil {
		return false, err
	}
	root, err := l.open(ctx, "settle")
	if err != nil {
		return false, err
	}
	defer root.Close()
	beside := filepath.Join(filepath.Dir(local), filepath.Base(filepath.FromSlash(Beside(name))))
	if _, err := root.Lstat(beside); errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	settled, err := l.settle(ctx, root, name, local, beside)
	if err != nil || !settled {
		return settled, err
	}
	return true, fail("settle", name, l.syncDir(root, filepath.Dir(local)))
}

func (l *Local) settle(ctx context.Context, root *os.Root, name, local, beside string) (bool, error) {
	err := l.replace(ctx, root, beside, local)
	if errors.Is(err, ErrBusy) {
		return false, nil
	}
	if err != nil {
		return false, fail("settle", name, err)
	}
	return true, l.at(StepSettled)
}

// replace renames over whatever is there, with patience for programs that hold it
// for a moment. A file that is held for good is ErrBusy, whatever the system calls
// it: Windows says "access denied" for some of them.
func (l *Local) replace(ctx context.Context, root *os.Root, from, to string) error {
	return l.patiently(ctx, func() error {
		err := fail("rename", filepath.ToSlash(to), replaceFile(root, from, to))
		if errors.Is(err, ErrPermission) && (locked(filepath.Join(l.root, to)) || locked(filepath.Join(l.root, from))) {
			return &Error{Op: "rename", Name: filepath.ToSlash(to), Kind: ErrBusy, Cause: err}
		}
		return err
	})
}

// writeTemp writes a synced temporary file in the folder of name and returns its
// local name. On an error of the content or the disk it removes it; on an error of
// the step hook it leaves everything as a crash would.
func (l *Local) writeTemp(root *os.Root, name, local string, write func(io.Writer) error) (string, *Counter, error) {
	dir := filepath.Dir(local)
	if err := l.mkdir(root, path.Dir(name), dir); err != nil {
		return "", nil, err
	}
	temp := filepath.Join(dir, l.tempName(dir))
	f, err := root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return temp, nil, fail("publish", name, err)
	}
	defer f.Close() // for every way out but the one that closes it with an error check
	if err := l.at(StepCreated); err != nil {
		return temp, nil, err
	}
	inherit(root, dir, temp, 0o660)
	c := NewCounter(f)
	if err := write(c); err != nil {
		f.Close() // before its name goes: Windows refuses the reverse
		_ = removeFile(root, temp)
		return temp, nil, fail("publish", name, err)
	}
	if err := l.at(StepWritten); err != nil {
		return temp, nil, err
	}
	if err := finish(f, c.bytes); err != nil {
		_ = removeFile(root, temp)
		return temp, nil, fail("publish", name, err)
	}
	return temp, c, l.at(StepSynced)
}

// fsync is the one call by which this package makes something durable. A seam: the
// steps tell the order, not that it was made.
var fsync = (*os.File).Sync

// finish counts what the file has, syncs and closes it: in this order, because
// Windows refuses to rename what is open.
func finish(f *os.File, want int64) error {
	info, err := f.Stat()
	if err == nil && info.Size() != want {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = syncFile(f)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// tempName gives a name that no other publication uses, and remembers it.
func (l *Local) tempName(dir string) string {
	name := TempName()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active[filepath.Join(dir, name)] = true
	return name
}

func (l *Local) forget(temp string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.active, temp)
}

// Tidy implements Folder.
func (l *Local) Tidy(ctx context.Context, dir string) (int, error) {
	all, err := l.List(ctx, dir, true)
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, e := range all {
		if e.Dir || e.Special || !Leftover(e.Name) || l.writing(e.Name) {
			continue
		}
		if err := l.Remove(ctx, e.Name); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

func (l *Local) writing(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.active[filepath.FromSlash(name)]
}
