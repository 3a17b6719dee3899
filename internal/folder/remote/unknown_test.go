package remote_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/folder/foldertest/sshtest"
)

// servers are those whose packets tests can see.
var servers = map[string]func(t *testing.T) (wire, *folderOf){
	"pkg/sftp": func(t *testing.T) (wire, *folderOf) {
		s, f := inProcess(t, sshtest.Options{})
		return s, &folderOf{f, s.Root}
	},
	"sftp-server": func(t *testing.T) (wire, *folderOf) {
		p, f := piped(t, sshtest.Options{})
		return p, &folderOf{f, p.Root}
	},
}

type wire interface {
	On(decide func(sshtest.Packet) sshtest.Act)
	Once(decide func(sshtest.Packet) sshtest.Act)
	CutAfter(n int64)
	Cut()
	Requests() (int, map[byte]int)
}

type folderOf struct {
	folder.Folder
	root string
}

// Damage prevented: the connection ends between the claim's rename and its answer, and
// the export is taken for one that is still in the drop: its claim is given up, and
// nobody ever reads it. Every packet of a rename is a place to end, before the request
// arrives and after its effect.
func TestRenameOverADyingConnection(t *testing.T) {
	for server, open := range servers {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				w, f := open(t)
				foldertest.Put(t, f, "in/a.csv", "x")
				foldertest.Put(t, f, "work/b1/other", "y")
				count := 0
				w.On(func(sshtest.Packet) sshtest.Act {
					count++
					return sshtest.Act{Drop: count == n}
				})
				err := f.Rename(context.Background(), "in/a.csv", "work/b1/a.csv")
				died := count >= n
				w.On(nil)
				if err != nil {
					t.Errorf("dying at packet %d: %v", n, err)
				}
				if got := strings.Join(foldertest.Names(t, f, "."), " "); got != "work/b1/a.csv work/b1/other" {
					t.Errorf("dying at packet %d: %s", n, got)
				}
				if !died {
					if n < 7 {
						t.Errorf("a rename of %d packets only", n)
					}
					return
				}
			}
		})
	}
}

// Damage prevented: with the server gone for good after the request, "I do not know"
// is said as "it did not happen".
func TestRenameThatNobodyCanTell(t *testing.T) {
	for _, effect := range []bool{false, true} {
		s, f := inProcess(t, sshtest.Options{})
		foldertest.Put(t, f, "in/a.csv", "x")
		foldertest.Put(t, f, "work/y", "y")
		s.On(func(p sshtest.Packet) sshtest.Act {
			gone := p.Kind == sshtest.Rename && !effect || p.Reply && p.Of == sshtest.Rename && effect
			if gone {
				go s.Down() // and stays away; not from here, which holds its lock
				return sshtest.Act{Drop: true}
			}
			return sshtest.Act{Drop: p.Path != "" && s.Logins() > 1}
		})
		err := f.Rename(context.Background(), "in/a.csv", "work/a.csv")
		if !errors.Is(err, folder.ErrUnknown) || !errors.Is(err, folder.ErrUnavailable) || errors.Is(err, folder.ErrNotExist) {
			t.Errorf("effect %v: %v, want ErrUnknown and ErrUnavailable", effect, err)
		}
		if _, look := os.Stat(filepath.Join(s.Root, "work", "a.csv")); (look == nil) != effect {
			t.Errorf("effect %v: %v", effect, look)
		}
	}
}

// Damage prevented: OpenSSH renames by a second name and the removal of the first. A
// server that stops in between leaves both, and two installations would each find "its"
// export.
func TestRenameThatStoppedHalfWay(t *testing.T) {
	w, f := servers["sftp-server"](t)
	foldertest.Put(t, f, "in/a.csv", "x")
	foldertest.Put(t, f, "work/y", "y")
	w.Once(func(p sshtest.Packet) sshtest.Act {
		if p.Kind == sshtest.Rename {
			if err := os.Link(filepath.Join(f.root, "in", "a.csv"), filepath.Join(f.root, "work", "a.csv")); err != nil {
				t.Error(err)
			}
			return sshtest.Act{Drop: true}
		}
		return sshtest.Pass
	})
	if err := f.Rename(context.Background(), "in/a.csv", "work/a.csv"); err != nil {
		t.Error(err)
	}
	if got := strings.Join(foldertest.Names(t, f, "."), " "); got != "work/a.csv work/y" {
		t.Errorf("files %s", got)
	}
}

// Damage prevented: a clerk drops the next file of the same name while we reconnect,
// and it is taken for the one before, or removed.
func TestRenameAndTheNextDrop(t *testing.T) {
	w, f := servers["pkg/sftp"](t)
	foldertest.Put(t, f, "in/a.csv", "x")
	foldertest.Put(t, f, "work/y", "y")
	w.Once(func(p sshtest.Packet) sshtest.Act {
		if p.Reply && p.Of == sshtest.Rename {
			if err := os.WriteFile(filepath.Join(f.root, "in", "a.csv"), []byte("the next"), 0o600); err != nil {
				t.Error(err)
			}
			return sshtest.Act{Drop: true}
		}
		return sshtest.Pass
	})
	if err := f.Rename(context.Background(), "in/a.csv", "work/a.csv"); err != nil {
		t.Error(err)
	}
	if foldertest.Get(t, f, "in/a.csv") != "the next" || foldertest.Get(t, f, "work/a.csv") != "x" {
		t.Error("the two files are mixed up")
	}
}

// Damage prevented: any of the other effects, cut off at any packet, shows half a
// file, loses the old one or leaves something behind. What fails is done again, as its
// callers do.
func TestEveryEffectOverADyingConnection(t *testing.T) {
	ctx := context.Background()
	big := strings.Repeat("riga;òàù\r\n", 10_000)
	effects := map[string]struct {
		do   func(f folder.Folder) error
		want string
	}{
		"publish": {func(f folder.Folder) error {
			_, err := f.Publish(ctx, "out/esito.csv", func(w io.Writer) error {
				_, err := io.WriteString(w, big)
				return err
			})
			return err
		}, "in/a.csv out/esito.csv"},
		"move":   {func(f folder.Folder) error { return f.Move(ctx, "in/a.csv", "archive/2026/11/a.csv") }, "archive/2026/11/a.csv out/esito.csv"},
		"mkdir":  {func(f folder.Folder) error { return f.Mkdir(ctx, "archive/2026/11") }, "in/a.csv out/esito.csv"},
		"remove": {func(f folder.Folder) error { return f.Remove(ctx, "in/a.csv") }, "out/esito.csv"},
	}
	for server, open := range servers {
		for name, e := range effects {
			t.Run(server+"/"+name, func(t *testing.T) {
				t.Parallel()
				for n := 1; ; n++ {
					w, f := open(t)
					foldertest.Put(t, f, "in/a.csv", "x")
					foldertest.Put(t, f, "out/esito.csv", "old")
					count := 0
					w.On(func(sshtest.Packet) sshtest.Act {
						count++
						return sshtest.Act{Drop: count == n}
					})
					err := e.do(f)
					died := count >= n
					w.On(nil)
					if got := foldertest.Get(t, f, "out/esito.csv"); got != "old" && got != big {
						t.Fatalf("dying at packet %d: %d bytes are visible", n, len(got))
					}
					if err != nil {
						if !errors.Is(err, folder.ErrUnavailable) {
							t.Errorf("dying at packet %d: %v", n, err)
						}
						if err := e.do(f); err != nil && !errors.Is(err, folder.ErrNotExist) {
							t.Errorf("again after packet %d: %v", n, err)
						}
					}
					foldertest.Put(t, f, "out/esito.csv", big) // which also removes what a failed one left
					if got := strings.Join(foldertest.Names(t, f, "."), " "); got != e.want {
						t.Errorf("dying at packet %d: %s, want %s", n, got, e.want)
					}
					if !died {
						return
					}
				}
			})
		}
	}
}
