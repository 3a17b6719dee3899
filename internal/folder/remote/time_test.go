package remote_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/folder/foldertest/sshtest"
	"sendconnector/internal/folder/remote"
)

// inBubble runs a test in which time is simulated, against a server reached over
// pipes.
func inBubble(t *testing.T, o sshtest.Options, run func(t *testing.T, s *sshtest.Server, o remote.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Pipes = true
		s := sshtest.Start(t, o)
		ro := options(s)
		ro.Dial = s.Dial
		run(t, s, ro)
	})
}

// Damage prevented: pkg/sftp waits for ever for a server that stopped answering, and
// the flow stands still without an error.
func TestStalledRequestsEnd(t *testing.T) {
	ctx := context.Background()
	write := func(w io.Writer) error { _, err := io.WriteString(w, strings.Repeat("x", 100_000)); return err }
	for name, e := range map[string]struct {
		kind byte
		do   func(f folder.Folder) error
	}{
		"list":    {sshtest.Readdir, func(f folder.Folder) error { _, err := f.List(ctx, ".", true); return err }},
		"stat":    {sshtest.Lstat, func(f folder.Folder) error { _, err := f.Stat(ctx, "a.csv"); return err }},
		"read":    {sshtest.Read, func(f folder.Folder) error { _, err := get(ctx, f, "a.csv"); return err }},
		"write":   {sshtest.Write, func(f folder.Folder) error { _, err := f.Publish(ctx, "b.csv", write); return err }},
		"mkdir":   {sshtest.Mkdir, func(f folder.Folder) error { return f.Mkdir(ctx, "dir") }},
		"create":  {sshtest.Mkdir, func(f folder.Folder) error { return f.Create(ctx, "dir") }},
		"rename":  {sshtest.Rename, func(f folder.Folder) error { return f.Rename(ctx, "a.csv", "b.csv") }},
		"remove":  {sshtest.Remove, func(f folder.Folder) error { return f.Remove(ctx, "a.csv") }},
		"replace": {sshtest.Extended, func(f folder.Folder) error { _, err := f.Publish(ctx, "a.csv", write); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, sshtest.Options{}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
				f := connect(t, o).Folder(s.Root)
				foldertest.Put(t, f, "a.csv", "x")
				start := time.Now()
				s.On(func(p sshtest.Packet) sshtest.Act { return sshtest.Act{Stall: p.Kind == e.kind} })
				err := e.do(f)
				if !errors.Is(err, folder.ErrUnavailable) {
					t.Errorf("got %v, want ErrUnavailable", err)
				}
				if strings.Contains("create rename replace", name) && !errors.Is(err, folder.ErrUnknown) {
					t.Errorf("got %v, want ErrUnknown: it may have happened", err)
				}
				if took := time.Since(start); took < time.Minute || took > 10*time.Minute {
					t.Errorf("ended after %v", took)
				}
				s.On(nil)
				if _, err := f.List(ctx, ".", true); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

func publish(ctx context.Context, f folder.Folder, name, text string) error {
	_, err := f.Publish(ctx, name, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	return err
}

func get(ctx context.Context, f folder.Folder, name string) (string, error) {
	r, err := f.Open(ctx, name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// Damage prevented: a service that is told to stop hangs on a server that does not
// answer.
func TestStopEndsAStalledCall(t *testing.T) {
	for _, kind := range []byte{sshtest.Lstat, sshtest.Rename} {
		inBubble(t, sshtest.Options{}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
			f := connect(t, o).Folder(s.Root)
			foldertest.Put(t, f, "a.csv", "x")
			s.On(func(p sshtest.Packet) sshtest.Act { return sshtest.Act{Stall: p.Kind == kind} })
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			defer cancel()
			start := time.Now()
			err := f.Rename(ctx, "a.csv", "b.csv")
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
				t.Errorf("got %v after %v", err, time.Since(start))
			}
			if errors.Is(err, folder.ErrUnknown) != (kind == sshtest.Rename) {
				t.Errorf("packet %d: %v", kind, err)
			}
		})
	}
}

// Damage prevented: a slow server is taken for a dead one; its listing of a hundred
// thousand files takes longer than any single answer may.
func TestSlowListing(t *testing.T) {
	inBubble(t, sshtest.Options{}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
		f := connect(t, o).Folder(s.Root)
		for n := range 300 {
			foldertest.Put(t, f, "in/"+strings.Repeat("a", n%50+1)+string(rune('a'+n/50))+".csv", "x")
		}
		s.On(func(p sshtest.Packet) sshtest.Act {
			if p.Kind != sshtest.Name {
				return sshtest.Pass
			}
			later := make(chan struct{})
			time.AfterFunc(50*time.Second, func() { close(later) })
			return sshtest.Act{Hold: later}
		})
		start := time.Now()
		all, err := f.List(context.Background(), "in", false)
		if err != nil || len(all) != 300 {
			t.Errorf("%d entries, %v", len(all), err)
		}
		if took := time.Since(start); took < 2*time.Minute {
			t.Errorf("the server took only %v", took)
		}
	})
}

// Damage prevented: a router forgets an idle connection, and the first request after
// the pause waits for its time-out.
func TestKeepAliveFindsADeadConnection(t *testing.T) {
	inBubble(t, sshtest.Options{}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
		var line *deaf
		o.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := s.Dial(ctx, address)
			line = &deaf{Conn: conn, cut: make(chan struct{})}
			return line, err
		}
		o.Idle = time.Hour
		f := connect(t, o).Folder(s.Root)
		foldertest.Put(t, f, "a.csv", "x")
		time.Sleep(10 * time.Minute)
		if s.Logins() != 1 {
			t.Fatalf("%d logins on a healthy line", s.Logins())
		}
		close(line.cut) // and nobody says so
		time.Sleep(3 * time.Minute)
		start := time.Now()
		if _, err := f.Stat(context.Background(), "a.csv"); err != nil {
			t.Error(err)
		}
		if s.Logins() != 2 || time.Since(start) > time.Second {
			t.Errorf("%d logins, answer after %v", s.Logins(), time.Since(start))
		}
	})
}

// deaf is a connection that swallows what is written once it is cut.
type deaf struct {
	net.Conn
	cut chan struct{}
}

func (d *deaf) Write(p []byte) (int, error) {
	select {
	case <-d.cut:
		return len(p), nil
	default:
		return d.Conn.Write(p)
	}
}

// Damage prevented: connections that nobody uses keep one of the few sessions that a
// server allows.
func TestIdleConnectionsClose(t *testing.T) {
	inBubble(t, sshtest.Options{}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
		f := connect(t, o).Folder(s.Root)
		foldertest.Put(t, f, "a.csv", "x")
		r, err := f.Open(context.Background(), "a.csv")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if s.Open() != 1 {
			t.Error("closed under a reader")
		}
		r.Close()
		time.Sleep(90 * time.Second)
		if s.Open() != 1 {
			t.Error("closed too early")
		}
		time.Sleep(time.Minute)
		if s.Open() != 0 {
			t.Error("still open after two and a half minutes")
		}
		if foldertest.Get(t, f, "a.csv") != "x" || s.Logins() != 2 {
			t.Error("not made anew")
		}
	})
}

// Damage prevented: a server that is away is asked in a busy loop, or not asked again
// when it is back.
func TestBackOff(t *testing.T) {
	inBubble(t, sshtest.Options{}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
		dials := 0
		o.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			dials++
			return s.Dial(ctx, address)
		}
		f := connect(t, o).Folder(s.Root)
		s.Down()
		for range 600 { // ten minutes of asking every second
			if _, err := f.List(context.Background(), ".", false); !errors.Is(err, folder.ErrUnavailable) {
				t.Fatalf("got %v, want ErrUnavailable", err)
			}
			time.Sleep(time.Second)
		}
		if dials < 10 || dials > 20 {
			t.Errorf("%d dials in ten minutes", dials)
		}
		s.Up()
		time.Sleep(time.Minute)
		if _, err := f.List(context.Background(), ".", false); err != nil {
			t.Errorf("the server is back: %v", err)
		}
	})
}

// Damage prevented: a server that accepts and then says nothing holds the service.
func TestDialTimeout(t *testing.T) {
	inBubble(t, sshtest.Options{}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
		var far net.Conn
		o.Dial = func(context.Context, string) (near net.Conn, err error) {
			near, far = net.Pipe()
			return near, nil
		}
		server := connect(t, o)
		start := time.Now()
		_, err := server.Folder(s.Root).List(context.Background(), ".", false)
		if !errors.Is(err, folder.ErrUnavailable) || time.Since(start) != 20*time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		far.Close()
		if _, _, err := server.HostKey(t.Context()); !errors.Is(err, folder.ErrUnavailable) {
			t.Errorf("host key: %v", err)
		}
		far.Close()
	})
}

// Damage prevented: two requests that need two connections at once, on a server that
// allows one, wait for each other for ever.
func TestOneSession(t *testing.T) {
	inBubble(t, sshtest.Options{OneSession: true}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
		o.Sessions = 3 // more than the server has
		f := connect(t, o).Folder(s.Root)
		foldertest.Put(t, f, "a.csv", strings.Repeat("x", 1<<20))
		r, err := f.Open(context.Background(), "a.csv")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		_, err = f.Publish(context.Background(), "b.csv", func(w io.Writer) error {
			_, err := io.Copy(w, r)
			return err
		})
		if err != nil || len(foldertest.Get(t, f, "b.csv")) != 1<<20 {
			t.Error(err)
		}
		if s.Logins() != 1 {
			t.Errorf("%d logins", s.Logins())
		}
	})
}
