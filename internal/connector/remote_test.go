package connector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/folder/foldertest/sshtest"
)

// newRemoteWorld is newStill with its flow on an SFTP server, whose folder is
// linked to drop/, so that what looks there looks on the server.
func newRemoteWorld(t *testing.T, server *sshtest.Server, change ...func(string) string) *world {
	t.Helper()
	w := newStill(t, slices.Concat([]func(string) string{func(text string) string { return onServer(text, server, server.HostKey) }}, change)...)
	w.write("keys/sftp", server.Password)
	if err := os.Symlink(server.Root, filepath.Join(w.dir, "drop")); err != nil {
		t.Fatal(err)
	}
	return w
}

// onServer moves the flow of a configuration onto the server.
func onServer(text string, server *sshtest.Server, hostKey string) string {
	return onServerAt(text, server.Addr, server.User, server.Root, hostKey)
}

func onServerAt(text, address, user, root, hostKey string) string {
	return strings.Replace(text, "{root: drop,", "{remote: server, root: "+root+",", 1) + fmt.Sprintf(`remotes:
  server: {address: "%s", user: %s, password: "${file:keys/sftp}", host_keys: ["%s"]}
`, address, user, hostKey)
}

// A flow whose source and outbox lie on a server must end as one on this machine does:
// every row its outcome, every file its place, every proof in its index.
func TestWholeLifeOnServer(t *testing.T) {
	clean := undisturbed(t)
	for name, change := range map[string]func(text string, server *sshtest.Server) string{
		"both": func(text string, _ *sshtest.Server) string { return text },
		"source": func(text string, server *sshtest.Server) string {
			return strings.Replace(text, "    documents:", "    outbox: fuori\n    documents:", 1) +
				"outboxes:\n  fuori: {path: \"" + server.Root + "/out\"}\n"
		},
		"outbox": func(text string, server *sshtest.Server) string {
			text = strings.Replace(text, "{remote: server, root: "+server.Root, "{root: \""+server.Root+"\"", 1)
			return strings.Replace(text, "    documents:", "    outbox: fuori\n    documents:", 1) +
				"outboxes:\n  fuori: {remote: server, path: \"" + server.Root + "/out\"}\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := sshtest.Start(t, sshtest.Options{})
			w := newRemoteWorld(t, server, func(text string) string { return change(text, server) })
			files := w.mixedDrop()
			w.untilClosed(2)
			w.onceAtSEND("B/1", "B/2", "B/6", "B/7")
			compareResults(t, clean, w.result(files))
		})
	}
}

// Whatever the configuration says of a server must reach it: a key that is not offered,
// a known_hosts file that is not read or a time-out that is another shows only at the
// one municipality that has it. Every field, so that none is forgotten when one is added.
func TestSettingsOfAServerReachIt(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"key": "the key", "pass": "the passphrase", "word": "the password"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secret := func(name string) config.Secret { return config.Secret("${file:" + filepath.Join(dir, name) + "}") }
	from := config.Remote{
		Address: "sftp.example.invalid:2222", User: "comune", Password: secret("word"), KeyFile: filepath.Join(dir, "key"), Passphrase: secret("pass"),
		Agent: true, OpenKey: true, HostKeys: []string{"SHA256:x"}, KnownHosts: "known", Sessions: 3,
		DialTimeout: 2 * time.Second, ProgressTimeout: 3 * time.Second, KeepAlive: 4 * time.Second, Idle: 5 * time.Second, IgnoreTimes: true,
	}
	for i, v := 0, reflect.ValueOf(from); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("this test says nothing of %s", v.Type().Field(i).Name)
		}
	}
	c := &Connector{cfg: &config.Config{}, opts: Options{
		Clock: time.Now, Log: slog.New(slog.DiscardHandler),
		DialRemote: func(context.Context, string) (net.Conn, error) { return nil, io.EOF },
	}}
	o := c.remoteOptions("server", &from)
	for i, v := 0, reflect.ValueOf(o); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("%s does not reach the server", v.Type().Field(i).Name)
		}
	}
	password, err := o.Password()
	pem, passphrase, keyErr := o.Key()
	got := []any{o.Name, o.Address, o.User, password, string(pem), passphrase, o.HostKeys, o.KnownHosts, o.Sessions, o.DialTimeout, o.ProgressTimeout, o.KeepAlive, o.Idle}
	want := []any{"server", from.Address, from.User, "the password", "the key", "the passphrase", from.HostKeys, from.KnownHosts, from.Sessions, from.DialTimeout, from.ProgressTimeout, from.KeepAlive, from.Idle}
	if err != nil || keyErr != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v\n%v, want\n%v", err, keyErr, got, want)
	}
	from.OpenKey = false
	if err := os.Chmod(filepath.Join(dir, "key"), 0o644); err != nil { //nolint:gosec // the mistake that is looked for
		t.Fatal(err)
	}
	if _, _, err := c.remoteOptions("server", &from).Key(); err == nil && runtime.GOOS != "windows" {
		t.Error("a key that others can read was taken")
	}
}

// The same on OpenSSH's sshd, with the user shut in by internal-sftp, while the reader of
// the outbox holds files open and takes them away: what he holds stays whole, what he
// took away comes back with what is new, and nothing else differs.
func TestWholeLifeOnOpenSSH(t *testing.T) {
	t.Parallel()
	server := sshtest.StartOpenSSH(t, true)
	clean := undisturbed(t)
	w := newStill(t, func(text string) string {
		return onServerAt(text, server.Addr, server.User, server.Root, server.HostKey)
	})
	w.write("keys/sftp", server.Password)
	if err := os.Symlink(server.Path, filepath.Join(w.dir, "drop")); err != nil {
		t.Fatal(err)
	}
	files := w.mixedDrop()
	if said, err := exec.CommandContext(t.Context(), "chown", "-R", server.User, server.Path).CombinedOutput(); err != nil {
		t.Fatalf("chown: %v %s", err, said)
	}
	if err := w.pass(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	outcomes, err := filepath.Glob(filepath.Join(w.dir, "drop", "out", "*.esito.csv"))
	if err != nil || len(outcomes) != 2 {
		t.Fatalf("%v, %v", outcomes, err)
	}
	first, err := os.ReadFile(outcomes[0])
	if err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(outcomes[0])
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	for _, name := range []string{outcomes[1], filepath.Join(w.dir, "drop", "out", "stato.csv")} {
		if err := os.Rename(name, name+".letto"); err != nil {
			t.Fatal(err)
		}
	}
	w.untilClosedEvery(2, 4*time.Hour)
	w.onceAtSEND("B/1", "B/2", "B/6", "B/7")
	compareResults(t, clean, w.result(files))
	if text, err := io.ReadAll(held); err != nil || string(text) != string(first) {
		t.Errorf("what the reader held has changed: %d bytes of %d, %v", len(text), len(first), err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "drop", "out", "stato.csv")); err != nil {
		t.Errorf("what was taken away has not come back: %v", err)
	}
}

// A server that is down, shows another key or refuses the password must hold its flow,
// say what to do, and let it go on without a restart once the cause is gone; what was
// taken before is sent meanwhile (promise 6).
func TestServerThatCannotBeUsed(t *testing.T) {
	tests := []struct {
		name   string
		before func(w *world, s *sshtest.Server)
		code   string
		said   func(s *sshtest.Server) string // in the hold
		after  func(w *world, s *sshtest.Server)
	}{
		{
			"down", func(_ *world, s *sshtest.Server) { s.Down() },
			"C-FOLDER-AWAY", func(s *sshtest.Server) string { return "server:" + s.Root },
			func(_ *world, s *sshtest.Server) { s.Up() },
		},
		{
			"another password", func(_ *world, s *sshtest.Server) { s.SetPassword("altra"); s.Cut() },
			"C-FOLDER-LOGIN", func(s *sshtest.Server) string { return s.User },
			func(w *world, _ *sshtest.Server) { w.write("keys/sftp", "altra") },
		},
		{
			"another host key", func(_ *world, s *sshtest.Server) { s.NewHostKey(); s.Cut() },
			"C-FOLDER-HOST-KEY", func(s *sshtest.Server) string { return s.Fingerprint },
			nil, // only a person may let it go on, by the configuration
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := sshtest.Start(t, sshtest.Options{})
			w := newRemoteWorld(t, server)
			w.write("drop/in/a.pdf", string(pdfOf("a", 1500)))
			w.write("drop/in/a.csv", groupedHeading+groupedRow("A/1", ettore, "Ettore Fieramosca", noticeOf(1), "a.pdf", "", ""))
			c, err := Open(context.Background(), w.cfg, w.opts)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			f := c.flows["tari"]
			if _, err := c.take(context.Background(), f); err != nil {
				t.Fatal(err)
			}
			tt.before(w, server)
			if _, err := c.Once(context.Background(), OnceOptions{}); err != nil { // finds the connection lost
				t.Error(err)
			}
			w.sim.Advance(time.Minute)
			s, err := c.Once(context.Background(), OnceOptions{})
			if err != nil || s.Exit != ExitHeld {
				t.Errorf("exit %d, %v: %+v", s.Exit, err, s)
			}
			w.onceAtSEND("A/1") // taken before
			status, err := c.Status(context.Background(), StatusQuery{})
			if err != nil {
				t.Fatal(err)
			}
			away := status.Flows[0].Away
			if away == nil || away.Reason != tt.code || !strings.Contains(away.Detail, tt.said(server)) {
				t.Errorf("away: %+v, want %s with %s", away, tt.code, tt.said(server))
			}
			w.write("drop/in/b.pdf", string(pdfOf("b", 1500)))
			w.write("drop/in/b.csv", groupedHeading+groupedRow("A/2", ettore, "Ettore Fieramosca", noticeOf(2), "b.pdf", "", ""))
			w.sim.Advance(10 * time.Minute) // longer than any pause between tries
			if tt.after == nil {
				if _, err := c.Once(context.Background(), OnceOptions{}); err != nil {
					t.Error(err)
				}
				w.onceAtSEND("A/1")
				return
			}
			tt.after(w, server)
			if s, err = c.Once(context.Background(), OnceOptions{}); err != nil || s.Exit != ExitOK || len(s.Holds) > 0 {
				t.Errorf("with the cause gone: %v %+v", err, s)
			}
			w.onceAtSEND("A/1", "A/2")
		})
	}
}

// A server that nobody has vouched for must not be spoken to, and check must give the
// line to paste: with it everything is well.
func TestUnknownHostKeyIsToldByCheck(t *testing.T) {
	server := sshtest.Start(t, sshtest.Options{})
	w := newStill(t, func(text string) string {
		return strings.Replace(onServer(text, server, ""), `, host_keys: [""]`, "", 1)
	})
	w.write("keys/sftp", server.Password)
	results, exit := Check(context.Background(), w.cfg, w.opts)
	paste := ""
	for _, r := range results {
		before, line, found := strings.Cut(r.Hint, ":\n")
		if found && !r.OK && strings.Contains(before, server.Fingerprint) && strings.Contains(line, server.HostKey) {
			paste = strings.TrimSpace(line) // as it is printed, and nothing made up here
		}
	}
	if exit != ExitHeld || paste == "" || server.Logins() > 0 {
		t.Fatalf("exit %d, %d logins: %+v", exit, server.Logins(), results)
	}
	text, err := os.ReadFile(filepath.Join(w.dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	pasted := strings.Replace(string(text), `user: `+server.User, `user: `+server.User+`, `+paste, 1)
	w.configure("config.yaml", pasted)
	results, _ = Check(context.Background(), w.cfg, w.opts)
	sound := 0
	for _, r := range results {
		if strings.HasPrefix(r.What, "remote ") || strings.HasPrefix(r.What, "flow ") || strings.HasPrefix(r.What, "outbox ") {
			sound++
			if !r.OK {
				t.Errorf("with the line pasted: %+v", r)
			}
		}
	}
	if sound != 4 {
		t.Errorf("%d results about folders, want server, profile, folders and outbox: %+v", sound, results)
	}
}

// A secret file of a server that others may read is refused, and said to be the cause.
func TestOpenSecretOfServerIsRefused(t *testing.T) {
	if os.PathSeparator == '\\' {
		return // mode bits say nothing there
	}
	server := sshtest.Start(t, sshtest.Options{})
	w := newRemoteWorld(t, server)
	if err := os.Chmod(filepath.Join(w.dir, "keys", "sftp"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Open(context.Background(), w.cfg, w.opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.take(context.Background(), c.flows["tari"]); !errors.Is(err, config.ErrOpenSecret) {
		t.Errorf("error %v, want that of the open file", err)
	}
	if server.Logins() > 0 {
		t.Error("logged in with a secret that others may read")
	}
	s, err := c.Once(context.Background(), OnceOptions{})
	if err != nil || s.Exit != ExitUsage {
		t.Errorf("exit %d, %v, want %d as for a sender's key", s.Exit, err, ExitUsage)
	}
	for _, h := range s.Holds {
		if h.Reason != secretOpen || !strings.Contains(h.Detail, filepath.Join("keys", "sftp")) || !strings.Contains(h.Detail, "chmod 600") {
			t.Errorf("held: %+v", h)
		}
	}
	if len(s.Holds) == 0 {
		t.Error("nothing is held")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	results, exit := Check(context.Background(), w.cfg, w.opts)
	for _, r := range results {
		if !r.OK && (strings.Contains(r.Detail, "refuses") || strings.Contains(r.Hint, "rifiuta")) {
			t.Errorf("check says that the server refuses: %+v", r)
		}
	}
	if exit != ExitUsage {
		t.Errorf("check: exit %d, want %d", exit, ExitUsage)
	}
}

// A secret that is gone must be told as what it is: the server, which was never asked,
// is not at fault.
func TestMissingSecretOfServerIsTold(t *testing.T) {
	server := sshtest.Start(t, sshtest.Options{})
	w := newRemoteWorld(t, server)
	if err := os.Remove(filepath.Join(w.dir, "keys", "sftp")); err != nil {
		t.Fatal(err)
	}
	c, err := Open(context.Background(), w.cfg, w.opts)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Once(context.Background(), OnceOptions{})
	if err != nil || s.Exit != ExitUsage || len(s.Holds) == 0 {
		t.Errorf("exit %d, %v, held %+v", s.Exit, err, s.Holds)
	}
	for _, h := range s.Holds {
		if h.Reason != secretUnread || !strings.Contains(h.Detail, "does not exist") {
			t.Errorf("held: %+v", h)
		}
	}
}
