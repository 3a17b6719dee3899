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
	"sendconnector/internal/folder/remote"
)

// nonReplacing are servers that refuse to rename onto what is there. Each gives its
// wire, its root, and a folder over a connection of its own at every call.
var nonReplacing = map[string]func(t *testing.T) (wire, string, func() folder.Folder){
	"pkg/sftp": func(t *testing.T) (wire, string, func() folder.Folder) {
		s := sshtest.Start(t, sshtest.Options{Without: []string{posixRename}, RefuseReplace: true})
		return s, s.Root, func() folder.Folder { return connect(t, options(s)).Folder(s.Root) }
	},
	"sftp-server": func(t *testing.T) (wire, string, func() folder.Folder) {
		p := sshtest.StartPipes(t, t.TempDir(), sshtest.Options{Without: []string{"*"}})
		return p, p.Root, func() folder.Folder {
			s := remote.NewPipeServer(remote.Options{Name: "pipe", Address: "pipe:0", User: "x"},
				func(context.Context) (io.ReadWriteCloser, error) { return p.Connect() })
			t.Cleanup(func() { closeServer(t, s) })
			return s.Folder(p.Root)
		}
	},
}

// version is content that is known when it is seen, whole.
func version(n int) string { return strings.Repeat(string(rune('0'+n)), 40_000+n) }

// seen tells which version lies under a name; 0: none. Half a file is a failure.
func seen(t *testing.T, root, name string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	for n := 1; n <= 4; n++ {
		if string(b) == version(n) {
			return n
		}
	}
	t.Errorf("%s: %d bytes of no version, %v", name, len(b), err)
	return -1
}

// Damage prevented: on a server that cannot replace a file, a crash or a refusal in the
// middle of a publication leaves the readers without an outcome file, with half of one,
// or an old one comes to lie over a newer. At every packet, before and after its effect,
// the process dies or the server refuses; in between somebody looks.
func TestSubstituteForReplacingAtEveryPacket(t *testing.T) {
	type state struct{ name, beside int }
	for server, open := range nonReplacing {
		for what, c := range map[string]struct {
			file   string
			before state
		}{
			"nothing":               {"esito.csv", state{0, 0}},
			"the old file":          {"esito.csv", state{1, 0}},
			"old, and newer beside": {"esito.csv", state{1, 2}},
			"taken away, one waits": {"esito.csv", state{0, 2}},
			"own record, new":       {".manifest.json", state{0, 0}},
			"own record":            {".manifest.json", state{1, 0}},
			"own record, broken of": {".manifest.json", state{1, 2}},
			"own record, removed":   {".manifest.json", state{0, 2}},
		} {
			for _, act := range []sshtest.Act{{Drop: true}, {Fail: 4}} {
				t.Run(server+"/"+what+map[bool]string{true: "/dies", false: "/is refused"}[act.Drop], func(t *testing.T) {
					t.Parallel()
					own := strings.HasPrefix(c.file, ".")
					beside := folder.Beside(c.file)
					w, root, fresh := open(t)
					put := func(name string, n int) {
						_ = os.Remove(filepath.Join(root, name))
						if n == 0 {
							return
						}
						if err := os.WriteFile(filepath.Join(root, name), []byte(version(n)), 0o600); err != nil {
							t.Fatal(err)
						}
					}
					dying, next := fresh(), fresh()
					for n, died := 1, true; died; n++ {
						if act.Drop {
							dying = fresh() // one that has not heard of the end before
						}
						put(c.file, c.before.name)
						put(beside, c.before.beside)
						count := 0
						newest := 0 // of what was visible so far
						w.On(func(p sshtest.Packet) sshtest.Act {
							if p.Kind == 1 || p.Kind == sshtest.Version {
								return sshtest.Pass // nothing has begun yet
							}
							count++
							now := state{seen(t, root, c.file), seen(t, root, beside)}
							if c.before != (state{}) && now == (state{}) {
								t.Errorf("packet %d (%d %s): nothing is visible", count, p.Kind, p.Path)
							}
							if !own && c.before.name > 0 && now.name == 0 {
								t.Errorf("packet %d: the file has gone from its name", count)
							}
							if own { // a reader takes what lies beside, if something does
								read := now.beside
								if read == 0 {
									read = now.name
								}
								if read < newest {
									t.Errorf("packet %d: version %d after %d", count, read, newest)
								}
								newest = max(newest, read)
							}
							if act.Drop && count >= n || !act.Drop && count == n && !p.Reply {
								return act
							}
							return sshtest.Pass
						})
						err := publish(context.Background(), dying, c.file, version(3))
						died = count >= n
						w.On(nil)
						if !died && err != nil {
							t.Errorf("undisturbed: %v", err)
						}
						// The next start: what it publishes is the newest, wherever it was.
						f := next
						if _, err := f.Tidy(context.Background(), "."); err != nil {
							t.Fatal(err)
						}
						if err := publish(context.Background(), f, c.file, version(4)); err != nil {
							t.Errorf("after packet %d: %v", n, err)
						}
						after := state{seen(t, root, c.file), seen(t, root, beside)}
						if after.beside != 4 && after != (state{4, 0}) {
							t.Errorf("after packet %d: %+v", n, after)
						}
						if own && after != (state{4, 0}) {
							t.Errorf("after packet %d the record has not changed places: %+v", n, after)
						}
						if _, err := f.Tidy(context.Background(), "."); err != nil {
							t.Fatal(err)
						}
						if names := foldertest.Names(t, f, "."); len(names) > 2 {
							t.Errorf("after packet %d: left %q", n, names)
						}
					}
				})
			}
		}
	}
}

// Damage prevented: whether a newer record lies beside cannot be found out, and the older
// one is read as if it were the newest: a claim forgets the documents it took.
func TestOwnRecordThatCannotBeLookedAt(t *testing.T) {
	for server, open := range nonReplacing {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			w, root, fresh := open(t)
			for name, n := range map[string]int{".manifest.json": 1, ".manifest.nuovo.json": 2} {
				if err := os.WriteFile(filepath.Join(root, name), []byte(version(n)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			f := fresh()
			w.On(func(p sshtest.Packet) sshtest.Act {
				if !p.Reply && p.Kind == sshtest.Lstat && strings.HasSuffix(p.Path, "/.manifest.nuovo.json") {
					return sshtest.Act{Fail: 3}
				}
				return sshtest.Pass
			})
			if text, err := get(ctx, f, ".manifest.json"); !errors.Is(err, folder.ErrPermission) {
				t.Errorf("read %d bytes, %v, want ErrPermission", len(text), err)
			}
			if err := f.Remove(ctx, ".manifest.json"); !errors.Is(err, folder.ErrPermission) {
				t.Errorf("remove: %v, want ErrPermission", err)
			}
			if _, err := f.Stat(ctx, ".manifest.json"); !errors.Is(err, folder.ErrPermission) {
				t.Errorf("stat: %v, want ErrPermission", err)
			}
			w.On(nil)
			if text, err := get(ctx, f, ".manifest.json"); text != version(2) {
				t.Errorf("then: %d bytes, %v", len(text), err)
			}
		})
	}
}
