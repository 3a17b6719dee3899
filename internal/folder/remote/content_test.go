package remote_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/folder/foldertest/sshtest"
)

// Damage prevented: a large download begins anew at every break of the line and never
// ends, or goes on with bytes of another file.
func TestReadingGoesOnAfterABreak(t *testing.T) {
	for server, open := range servers {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			w, f := open(t)
			content := bytes.Repeat([]byte("0123456789abcde\n"), 200_000) // 3.2 MB
			name := filepath.Join(f.root, "a.pdf")
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := f.Open(context.Background(), "a.pdf")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var got bytes.Buffer
			breaks := 0
			w.Requests()
			for {
				w.CutAfter(500_000)
				breaks++
				n, err := io.CopyN(&got, r, 400_000)
				if err == io.EOF { //nolint:errorlint // what io promises
					break
				}
				if err != nil {
					t.Fatalf("after %d bytes and %d breaks: %v", int64(got.Len())+n, breaks, err)
				}
			}
			w.CutAfter(0)
			if sha256.Sum256(got.Bytes()) != sha256.Sum256(content) {
				t.Errorf("%d bytes of others came", got.Len())
			}
			if _, kinds := w.Requests(); kinds[sshtest.Read] > 400 || kinds[sshtest.Open] < 4 {
				t.Errorf("%d openings and %d readings for 100 pieces: it began anew", kinds[sshtest.Open], kinds[sshtest.Read])
			}
		})
	}
}

// Damage prevented: the file is replaced during a break, and the copy is half of each.
func TestReadingAFileThatChangedInABreak(t *testing.T) {
	w, f := servers["pkg/sftp"](t)
	name := filepath.Join(f.root, "a.pdf")
	if err := os.WriteFile(name, bytes.Repeat([]byte("old"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := f.Open(context.Background(), "a.pdf")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, 1000); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.Repeat([]byte("new"), 1<<20-1), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Cut()
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, folder.ErrChanged) {
		t.Errorf("got %v, want ErrChanged", err)
	}
}

// Damage prevented: a server whose disk fails ends a file early, and half an export is
// read as a whole one.
func TestFileThatEndsEarly(t *testing.T) {
	w, f := servers["pkg/sftp"](t)
	if err := os.WriteFile(filepath.Join(f.root, "a.pdf"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	reads := 0
	w.On(func(p sshtest.Packet) sshtest.Act {
		if p.Kind == sshtest.Read {
			if reads++; reads > 10 {
				return sshtest.Act{Fail: 1}
			}
		}
		return sshtest.Pass
	})
	if text, err := get(context.Background(), f, "a.pdf"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes and %v, want an unexpected end", len(text), err)
	}
}

// Damage prevented: a disk that is full, a quota or missing rights on the server show
// half a file, lose the old one or hide the reason.
func TestServerThatRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		kind byte
		code uint32
		nth  int
		want error
	}{
		"full, said plainly":  {sshtest.Write, 14, 2, folder.ErrFull},
		"full, OpenSSH's way": {sshtest.Write, 4, 2, folder.ErrFull},
		"no right to create":  {sshtest.Open, 3, 1, folder.ErrPermission},
		"no right to write":   {sshtest.Write, 3, 1, folder.ErrPermission},
		"held, new file":      {sshtest.Extended, 4, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w, f := servers["pkg/sftp"](t)
			foldertest.Put(t, f, "esito.csv", "old")
			n := 0
			w.On(func(p sshtest.Packet) sshtest.Act {
				if !p.Reply && p.Kind == c.kind && p.Path != "statvfs@openssh.com" {
					if n++; n == c.nth || c.want != nil && n > c.nth {
						return sshtest.Act{Fail: c.code}
					}
				}
				return sshtest.Pass
			})
			_, err := f.Publish(context.Background(), "esito.csv", func(w io.Writer) error {
				_, err := w.Write(make([]byte, 1<<20))
				return err
			})
			w.On(nil)
			if c.want != nil && (!errors.Is(err, c.want) || foldertest.Get(t, f, "esito.csv") != "old") {
				t.Errorf("got %v, want %v and the old content", err, c.want)
			}
			if got := foldertest.Names(t, f, "."); len(got) != 1 {
				t.Errorf("left %q", got)
			}
		})
	}
}

// Damage prevented: a server that says it has everything and has not (a short write)
// gives a file its name all the same.
func TestShortWrite(t *testing.T) {
	w, f := servers["pkg/sftp"](t)
	foldertest.Put(t, f, "esito.csv", "old")
	w.On(func(p sshtest.Packet) sshtest.Act {
		return sshtest.Act{Pretend: !p.Reply && p.Kind == sshtest.Write}
	})
	_, err := f.Publish(context.Background(), "esito.csv", func(w io.Writer) error {
		_, err := io.WriteString(w, "new content")
		return err
	})
	w.On(nil)
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v, want a short write", err)
	}
	if foldertest.Get(t, f, "esito.csv") != "old" || len(foldertest.Names(t, f, ".")) != 1 {
		t.Errorf("files %q", foldertest.Names(t, f, "."))
	}
}

// Damage prevented: a target that a program on a Windows server holds open stops the
// outbox, or the update is lost.
func TestTargetHeldOnTheServer(t *testing.T) {
	for _, code := range []uint32{3, 4} {
		w, f := servers["pkg/sftp"](t)
		foldertest.Put(t, f, "esito.csv", "first")
		w.On(func(p sshtest.Packet) sshtest.Act {
			if !p.Reply && (p.Kind == sshtest.Extended && p.Path == posixRename || p.Kind == sshtest.Rename) && strings.HasSuffix(p.Raw(), "/esito.csv") {
				return sshtest.Act{Fail: code}
			}
			return sshtest.Pass
		})
		if p := foldertest.Put(t, f, "esito.csv", "second"); !p.Beside {
			t.Errorf("published %+v", p)
		}
		if p := foldertest.Put(t, f, "esito.csv", "third"); !p.Beside {
			t.Errorf("published %+v", p)
		}
		w.On(nil)
		if settled, err := f.Settle(context.Background(), "esito.csv"); err != nil || !settled {
			t.Error(settled, err)
		}
		if foldertest.Get(t, f, "esito.csv") != "third" || len(foldertest.Names(t, f, ".")) != 1 {
			t.Errorf("files %q", foldertest.Names(t, f, "."))
		}
	}
}

// Damage prevented: a link on the server leads to files that are not part of the drop.
func TestLinksAreNotFollowed(t *testing.T) {
	ctx := context.Background()
	for server, open := range servers {
		_, f := open(t)
		elsewhere := t.TempDir()
		if err := os.WriteFile(filepath.Join(elsewhere, "secret.pdf"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		foldertest.Put(t, f, "in/a.csv", "x")
		for from, to := range map[string]string{"in/link.pdf": elsewhere + "/secret.pdf", "in/dir": elsewhere, "in/gone": "/none"} {
			if err := os.Symlink(to, filepath.Join(f.root, from)); err != nil {
				t.Fatal(err)
			}
		}
		all, err := f.List(ctx, "in", true)
		if err != nil || len(all) != 4 {
			t.Errorf("%s: %+v, %v", server, all, err)
		}
		for _, e := range all {
			if e.Special != (e.Name != "in/a.csv") {
				t.Errorf("%s: %+v", server, e)
			}
		}
		for _, name := range []string{"in/link.pdf", "in/dir/secret.pdf"} {
			if _, err := f.Open(ctx, name); !errors.Is(err, folder.ErrSpecial) {
				t.Errorf("%s: open %s: %v, want ErrSpecial", server, name, err)
			}
		}
		if _, err := f.Publish(ctx, "in/dir/new.csv", func(io.Writer) error { return nil }); err == nil {
			t.Errorf("%s: published through a link", server)
		}
		if err := f.Move(ctx, "in/a.csv", "in/dir/a.csv"); err == nil {
			t.Errorf("%s: moved through a link", server)
		}
		if left, err := os.ReadDir(elsewhere); err != nil || len(left) != 1 {
			t.Errorf("%s: elsewhere %v, %v", server, left, err)
		}
	}
}

// Damage prevented: a file listed twice is claimed twice; one whose name is not UTF-8
// stops the listing of all the others.
func TestOddListings(t *testing.T) {
	s, f := inProcess(t, sshtest.Options{})
	for _, name := range []string{"a.csv", "b.csv", "citt\xe0.csv"} {
		if err := os.WriteFile(filepath.Join(s.Root, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.ListTwice()
	all, err := f.List(context.Background(), ".", true)
	if err != nil || len(all) != 3 || all[2].Name != "citt\xe0.csv" {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := f.Open(context.Background(), all[2].Name); !errors.Is(err, folder.ErrName) {
		t.Errorf("open: %v, want ErrName", err)
	}
}

// Damage prevented: a file on a server whose times move never settles; or one that
// says 1970 or 2050 is taken before it is complete, because somebody believed it.
func TestTimesOfTheServer(t *testing.T) {
	moving := uint32(0)
	for name, c := range map[string]struct {
		time   func(uint32) uint32
		ignore bool
		want   func(time.Time) bool
	}{
		"always 1970":     {func(uint32) uint32 { return 0 }, false, func(m time.Time) bool { return m.Unix() == 0 }},
		"the future":      {func(uint32) uint32 { return 4e9 }, false, func(m time.Time) bool { return m.Unix() == 4e9 }},
		"moving, ignored": {func(uint32) uint32 { moving++; return moving }, true, func(m time.Time) bool { return m.Unix() == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			s := sshtest.Start(t, sshtest.Options{})
			s.Times(c.time)
			o := options(s)
			o.IgnoreTimes = c.ignore
			f := connect(t, o).Folder(s.Root)
			foldertest.Put(t, f, "a.csv", "x")
			for range 2 {
				all, err := f.List(context.Background(), ".", false)
				if err != nil || len(all) != 1 || !c.want(all[0].Modified) {
					t.Errorf("listed %+v, %v", all, err)
				}
				e, err := f.Stat(context.Background(), "a.csv")
				if err != nil || !c.want(e.Modified) {
					t.Errorf("stat %+v, %v", e, err)
				}
			}
			if got := foldertest.Get(t, f, "a.csv"); got != "x" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// Damage prevented: a root that vanished on the server looks like a drop without
// files, and is made anew somewhere else.
func TestVanishedRootIsUnavailable(t *testing.T) {
	ctx := context.Background()
	s := sshtest.Start(t, sshtest.Options{})
	f := connect(t, options(s)).Folder(s.Root + "/none")
	_, listed := f.List(ctx, "in", true)
	_, stat := f.Stat(ctx, "in")
	_, opened := f.Open(ctx, "aggiornamenti/.sequenza")
	_, published := f.Publish(ctx, "a.csv", func(io.Writer) error { return nil })
	for op, err := range map[string]error{
		"list": listed, "stat": stat, "open": opened, "publish": published, "mkdir": f.Mkdir(ctx, "in"),
		"rename": f.Rename(ctx, "a", "b"), "remove": f.Remove(ctx, "a"), "create": f.Create(ctx, "a"),
	} {
		if !errors.Is(err, folder.ErrUnavailable) {
			t.Errorf("%s: got %v, want ErrUnavailable", op, err)
		}
	}
	if _, err := os.Stat(s.Root + "/none"); err == nil {
		t.Error("the root was made")
	}
}

// Damage prevented: a drop with a hundred thousand files takes a request for each.
func TestHundredThousandFiles(t *testing.T) {
	w, f := servers["sftp-server"](t)
	for n := range 100_000 {
		file, err := os.Create(filepath.Join(f.root, fmt.Sprintf("%06d.pdf", n)))
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	w.Requests()
	all, err := f.List(context.Background(), ".", true)
	if err != nil || len(all) != 100_000 {
		t.Fatalf("%d, %v", len(all), err)
	}
	if n, kinds := w.Requests(); n > 1100 || kinds[sshtest.Lstat] > 0 {
		t.Errorf("%d requests, %v", n, kinds)
	}
}

// Damage prevented: a document of 200 MB takes 200 MB of memory.
func TestLargeFileInLittleMemory(t *testing.T) {
	_, f := inProcess(t, sshtest.Options{})
	const size = 200 << 20
	before := memory()
	most := uint64(0)
	block := make([]byte, 1<<20)
	_, err := f.Publish(context.Background(), "a.pdf", func(w io.Writer) error {
		for n := range size / len(block) {
			if n%20 == 0 {
				most = max(most, memory())
			}
			if _, err := w.Write(block); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Open(context.Background(), "a.pdf")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := 0
	for n := 0; ; n++ {
		if n%100 == 0 {
			most = max(most, memory())
		}
		m, err := r.Read(block)
		got += m
		if err == io.EOF { //nolint:errorlint // what io promises
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got != size {
		t.Errorf("%d bytes", got)
	}
	if most > before+40<<20 {
		t.Errorf("%d MB in use, both sides of the wire", (most-before)>>20)
	}
}

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Damage prevented: what the server has is not what is free, or not told at all.
func TestFree(t *testing.T) {
	_, f := servers["sftp-server"](t)
	if free, ok := f.Free(context.Background()); !ok || free == 0 {
		t.Errorf("%d, %v", free, ok)
	}
	_, bare := inProcess(t, sshtest.Options{Without: []string{"*"}})
	if _, ok := bare.Free(context.Background()); ok {
		t.Error("known without the extension")
	}
}
