package remote_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/folder/foldertest/sshtest"
	"sendconnector/internal/folder/remote"
)

// Damage prevented: the file of a password lies on a share that hangs, and with it
// hangs everything that only asks whether the server can be reached, and the stop of
// the service.
func TestSecretsOnADiskThatHangs(t *testing.T) {
	inBubble(t, sshtest.Options{}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
		hang, released := false, make(chan struct{})
		o.Password = func() (string, error) {
			if hang {
				<-released
			}
			return s.Password, nil
		}
		server := connect(t, o)
		f := server.Folder(s.Root)
		list := func(limit time.Duration) (time.Duration, error) {
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			defer cancel()
			start := time.Now()
			_, err := f.List(ctx, ".", false)
			return time.Since(start), err
		}
		s.SetPassword("another")
		if _, err := list(time.Minute); !errors.Is(err, folder.ErrLogin) {
			t.Fatal(err)
		}
		hang = true
		var first sync.WaitGroup
		first.Go(func() {
			if took, err := list(time.Hour); !errors.Is(err, folder.ErrLogin) || took != 20*time.Second {
				t.Errorf("the one who looks for a new secret: %v after %v", err, took)
			}
		})
		synctest.Wait()
		if took, err := list(time.Second); err == nil || took > time.Second {
			t.Errorf("another one: %v after %v", err, took)
		}
		first.Wait()
		time.Sleep(time.Hour) // the pause is over: a login would be tried
		if took, err := list(time.Hour); !errors.Is(err, folder.ErrLogin) || took != 20*time.Second {
			t.Errorf("a login: %v after %v", err, took)
		}
		start := time.Now()
		if err := server.Close(); err != nil || time.Since(start) > 0 {
			t.Errorf("close: %v after %v", err, time.Since(start))
		}
		close(released)
	})
}

// Damage prevented: a stop leaves a connection open that was being made, and the server
// counts it among the few it allows.
func TestCloseEndsAConnectionUnderWay(t *testing.T) {
	inBubble(t, sshtest.Options{}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
		near, far := net.Pipe()
		o.Dial = func(context.Context, string) (net.Conn, error) { return near, nil }
		go func() { _, _ = far.Read(make([]byte, 100)) }() // our greeting, and then nothing
		server := connect(t, o)
		start := time.Now()
		var err error
		var asking sync.WaitGroup
		asking.Go(func() { _, err = server.Folder(s.Root).List(context.Background(), ".", false) })
		synctest.Wait()
		closeServer(t, server)
		asking.Wait()
		if !errors.Is(err, folder.ErrUnavailable) || time.Since(start) > 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if _, err := far.Write([]byte("SSH-2.0-x\r\n")); err == nil {
			t.Error("the connection is open after Close")
		}
		if _, err := server.Folder(s.Root).Stat(context.Background(), "."); !errors.Is(err, folder.ErrUnavailable) {
			t.Errorf("after Close: %v", err)
		}
		if _, _, err := server.HostKey(context.Background()); !errors.Is(err, folder.ErrUnavailable) {
			t.Errorf("host key after Close: %v", err)
		}
	})
}

// Damage prevented: requests that are given up while the service stops count on after
// Close has looked, and it returns too early or panics. For -race.
func TestCloseBesideCancelledRequests(t *testing.T) {
	for round := range 20 {
		s := sshtest.Start(t, sshtest.Options{})
		o := options(s)
		o.Sessions = 1 + round%3
		server := connect(t, o)
		f := server.Folder(s.Root)
		foldertest.Put(t, f, "a.csv", strings.Repeat("x", 10_000))
		ctx, cancel := context.WithCancel(context.Background())
		var work sync.WaitGroup
		started := make(chan struct{}, 100)
		for range 8 {
			work.Go(func() {
				for range 100 {
					started <- struct{}{}
					if _, err := get(ctx, f, "a.csv"); ctx.Err() != nil || errors.Is(err, folder.ErrUnavailable) {
						return
					}
				}
			})
		}
		for range 20 + round {
			<-started
		}
		go cancel()
		closeServer(t, server)
		if _, err := f.Stat(context.Background(), "a.csv"); !errors.Is(err, folder.ErrUnavailable) {
			t.Errorf("after Close: %v", err)
		}
		drain := make(chan struct{})
		go func() { work.Wait(); close(drain) }()
		for done := false; !done; {
			select {
			case <-started:
			case <-drain:
				done = true
			}
		}
		cancel()
	}
}

// Damage prevented: every download that a stop or a deadline ends leaves a file open on
// the server, until it allows no more.
func TestCancelledReaderGivesItsFileBack(t *testing.T) {
	s, f := inProcess(t, sshtest.Options{})
	foldertest.Put(t, f, "a.pdf", strings.Repeat("x", 3<<20))
	for range 3 {
		s.Requests()
		ctx, cancel := context.WithCancel(context.Background())
		r, err := f.Open(ctx, "a.pdf")
		if err != nil {
			t.Fatal(err)
		}
		held := make(chan struct{})
		s.On(func(p sshtest.Packet) sshtest.Act {
			if !p.Reply && p.Kind == sshtest.Read {
				cancel() // in the middle of a reading
				return sshtest.Act{Hold: held}
			}
			return sshtest.Pass
		})
		if _, err := r.Read(make([]byte, 100)); !errors.Is(err, context.Canceled) {
			t.Errorf("read: %v", err)
		}
		s.On(nil)
		close(held)
		r.Close()
		if _, kinds := s.Requests(); kinds[sshtest.Open] != 1 || kinds[sshtest.Close] != 1 {
			t.Errorf("%d files opened, %d closed", kinds[sshtest.Open], kinds[sshtest.Close])
		}
	}
	if s.Logins() != 1 {
		t.Errorf("%d logins", s.Logins())
	}
}

// Damage prevented: giving a file back to a server that does not answer keeps a stop.
func TestGivingBackHasAnEnd(t *testing.T) {
	for name, do := range map[string]func(ctx context.Context, f folder.Folder) error{
		"read": func(ctx context.Context, f folder.Folder) error { _, err := get(ctx, f, "a.pdf"); return err },
		"publish": func(ctx context.Context, f folder.Folder) error {
			return publish(ctx, f, "b.pdf", strings.Repeat("x", 1<<20))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := inProcess(t, sshtest.Options{})
			foldertest.Put(t, f, "a.pdf", strings.Repeat("x", 1<<20))
			s.On(func(p sshtest.Packet) sshtest.Act {
				return sshtest.Act{Stall: p.Kind == sshtest.Read || p.Kind == sshtest.Write || p.Kind == sshtest.Close || p.Kind == sshtest.Remove}
			})
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := do(ctx, f)
			if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > 30*time.Second {
				t.Errorf("%v after %v", err, took)
			}
		})
	}
}

// lines is a log to count in.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// Damage prevented: a night without the server writes the same line a thousand times,
// and the one that says something else is not seen.
func TestAnOutageIsToldOnce(t *testing.T) {
	inBubble(t, sshtest.Options{}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
		log := &lines{}
		o.Log = slog.New(slog.NewTextHandler(log, nil))
		f := connect(t, o).Folder(s.Root)
		ask := func(d time.Duration) error {
			var err error
			for range int(d / time.Second) {
				_, err = f.List(context.Background(), ".", false)
				time.Sleep(time.Second)
			}
			return err
		}
		for outage := 1; outage <= 2; outage++ {
			s.Down()
			if err := ask(10 * time.Minute); !errors.Is(err, folder.ErrUnavailable) {
				t.Fatal(err)
			}
			if n := log.count("no connection"); n != outage {
				t.Errorf("outage %d: told %d times\n%s", outage, n, log.text.String())
			}
			s.Up()
			if err := ask(2 * time.Minute); err != nil {
				t.Fatal(err)
			}
			if log.count("connected again") != outage || log.count("after=10m")+log.count("after=11m") != outage {
				t.Errorf("outage %d: its end is told otherwise\n%s", outage, log.text.String())
			}
		}
		s.Down() // another cause in the same outage is news
		if err := ask(time.Minute); !errors.Is(err, folder.ErrUnavailable) {
			t.Fatal(err)
		}
		s.NewHostKey()
		s.Up()
		if err := ask(2 * time.Minute); !errors.Is(err, folder.ErrHostKey) {
			t.Fatal(err)
		}
		if n := log.count("no connection"); n != 4 {
			t.Errorf("two causes: told %d times in all\n%s", n, log.text.String())
		}
	})
}

// counted counts the connections that are open at once.
type counted struct {
	mu        sync.Mutex
	open, top int
	dials     int
}

func (c *counted) dial(dial func(context.Context, string) (net.Conn, error)) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, address string) (net.Conn, error) {
		c.mu.Lock()
		c.dials++
		c.mu.Unlock()
		conn, err := dial(ctx, address)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open++
		c.top = max(c.top, c.open)
		return &countedConn{Conn: conn, all: c}, nil
	}
}

type countedConn struct {
	net.Conn
	all  *counted
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() {
		c.all.mu.Lock()
		defer c.all.mu.Unlock()
		c.all.open--
	})
	return c.Conn.Close()
}

// Damage prevented: "sessions: 4" is one line for all flows after all, and one large
// download keeps the others waiting; or it is five, and the server locks us out.
func TestSessionsWorkSideBySide(t *testing.T) {
	for sessions := 2; sessions <= 4; sessions++ {
		t.Run(fmt.Sprint(sessions), func(t *testing.T) {
			t.Parallel()
			s := sshtest.Start(t, sshtest.Options{})
			o := options(s)
			o.Sessions = sessions
			all := &counted{}
			o.Dial = all.dial(func(ctx context.Context, address string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", address)
			})
			f := connect(t, o).Folder(s.Root)
			foldertest.Put(t, f, "a.csv", strings.Repeat("x", 1<<20))
			for range sessions { // each keeps a session busy
				r, err := f.Open(context.Background(), "a.csv")
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
			}
			// An answer that is held keeps all behind it on its connection. So as many
			// can be held at once as connections are at work.
			waiting, together := 0, make(chan struct{})
			s.On(func(p sshtest.Packet) sshtest.Act {
				if !p.Reply || p.Of != sshtest.Lstat || waiting == sessions {
					return sshtest.Pass
				}
				if waiting++; waiting == sessions {
					close(together)
				}
				return sshtest.Act{Hold: together}
			})
			var work sync.WaitGroup
			for range sessions {
				work.Go(func() {
					if _, err := f.Stat(context.Background(), "a.csv"); err != nil {
						t.Error(err)
					}
				})
			}
			work.Wait()
			s.On(nil)
			for n := range 40 { // and whatever is asked, never one more
				work.Go(func() {
					name := fmt.Sprintf("%d.csv", n)
					if err := publish(context.Background(), f, name, name); err != nil {
						t.Error(err)
					}
					if text, err := get(context.Background(), f, name); text != name {
						t.Errorf("%q: %v", text, err)
					}
				})
			}
			work.Wait()
			if all.top != sessions {
				t.Errorf("%d connections at once, want %d", all.top, sessions)
			}
		})
	}
}

// Damage prevented: a server that allows fewer connections than configured is asked for
// more at every request until it locks us out, is told of each time, or its refusal
// passes for its being away when the one connection has to be made anew.
func TestFewerSessionsThanConfigured(t *testing.T) {
	inBubble(t, sshtest.Options{OneSession: true}, func(t *testing.T, s *sshtest.Server, o remote.Options) {
		log, all := &lines{}, &counted{}
		o.Log, o.Sessions, o.Dial = slog.New(slog.NewTextHandler(log, nil)), 3, all.dial(s.Dial)
		f := connect(t, o).Folder(s.Root)
		foldertest.Put(t, f, "a.csv", strings.Repeat("x", 1<<20))
		r, err := f.Open(context.Background(), "a.csv")
		if err != nil {
			t.Fatal(err)
		}
		for range 3600 {
			if _, err := f.List(context.Background(), ".", false); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if all.dials > 8 || all.top != 1 || s.Logins() != 1 {
			t.Errorf("%d dials in an hour, %d connections, %d logins", all.dials, all.top, s.Logins())
		}
		if log.count("fewer connections than configured") != 1 || log.count("level=WARN") != 1 {
			t.Errorf("told otherwise than once\n%s", log.text.String())
		}
		r.Close()
		s.Cut()
		synctest.Wait()
		if _, err := f.List(context.Background(), ".", false); err != nil {
			t.Errorf("after a break: %v", err)
		}
	})
}
