package remote

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"sendconnector/internal/folder"
)

// Server is an SFTP server that folders lie on. It keeps few connections and makes
// them when they are needed.
type Server struct {
	o    Options
	pins pins
	pipe func(ctx context.Context) (io.ReadWriteCloser, error) // instead of SSH; for tests

	work sync.WaitGroup // everything that runs beside the callers

	mu       sync.Mutex
	closed   bool
	sessions []*session
	dialing  chan struct{} // closed when the dial under way has ended; nil: none
	offer    []string      // host key algorithms that worked
	trouble  trouble
}

// NewServer is the server as configured. It connects to nothing yet; errors are those
// of the options, all at once.
func NewServer(o Options) (*Server, error) {
	p, err := parsePins(o.HostKeys)
	if err = errors.Join(o.check(), err); err != nil {
		return nil, fmt.Errorf("remote %s: %w", o.Name, err)
	}
	return &Server{o: o.withDefaults(), pins: p}, nil
}

// NewPipeServer is a server at the other end of what open gives, without SSH around
// it: for tests against programs that speak SFTP on their standard input.
func NewPipeServer(o Options, open func(ctx context.Context) (io.ReadWriteCloser, error)) *Server {
	return &Server{o: o.withDefaults(), pipe: open}
}

// errClosed: the program is ending.
var errClosed = errors.New("closed")

// Close ends all connections, and returns when nothing of the server runs any more.
// Requests under way fail.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	all := s.sessions
	for _, c := range all {
		c.idle.Stop()
		c.end()
	}
	s.mu.Unlock()
	s.work.Wait()
	return nil
}

// acquire gives a session with room, or makes one. While the server is in trouble it
// fails at once, with what went wrong last.
func (s *Server) acquire(ctx context.Context) (*session, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return nil, &folder.Error{Op: "connect", Name: s.o.Address, Kind: folder.ErrUnavailable, Cause: errClosed}
		}
		best := s.best()
		if best != nil && (best.busy == 0 || len(s.sessions) >= s.o.Sessions || s.dialing != nil || s.trouble.resting(s.o.Clock()) != nil) {
			best.busy++
			best.idle.Stop()
			s.mu.Unlock()
			return best, nil
		}
		if s.dialing != nil {
			wait := s.dialing
			s.mu.Unlock()
			select {
			case <-wait:
			case <-ctx.Done():
			}
			continue
		}
		if err := s.trouble.resting(s.o.Clock()); err != nil && !s.mended() {
			s.mu.Unlock()
			return nil, err
		}
		s.dialing = make(chan struct{})
		s.mu.Unlock()
		c, err := s.dial(ctx)
		if err != nil && best != nil {
			continue // the server allows no second session: the first one will do
		}
		return c, err
	}
}

// best is the living session with the fewest requests.
func (s *Server) best() *session {
	var best *session
	living := s.sessions[:0]
	for _, c := range s.sessions {
		if c.dead() {
			continue
		}
		living = append(living, c)
		if best == nil || c.busy < best.busy {
			best = c
		}
	}
	s.sessions = living
	return best
}

// dial makes a session for the caller, busy once.
func (s *Server) dial(ctx context.Context) (*session, error) {
	t, err := s.connect(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.dialing)
	s.dialing = nil
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx) // says nothing about the server
	case err != nil:
		s.trouble.failed(err, s.o.Clock())
		s.o.Log.WarnContext(ctx, "no connection", "remote", s.o.Name, "address", s.o.Address, "retry", s.trouble.pause, "error", err)
		return nil, err
	case s.closed:
		t.close()
		return nil, &folder.Error{Op: "connect", Name: s.o.Address, Kind: folder.ErrUnavailable, Cause: errClosed}
	}
	s.trouble = trouble{login: s.trouble.login}
	c := &session{transport: t, limit: s.o.ProgressTimeout, ended: make(chan struct{}), late: &s.work, busy: 1}
	c.idle = time.AfterFunc(s.o.Idle, func() { s.closeIdle(c) })
	c.idle.Stop()
	s.sessions = append(s.sessions, c)
	s.work.Go(func() {
		_ = t.client.Wait()
		t.close()
		close(c.ended)
	})
	if t.alive != nil && s.o.KeepAlive > 0 {
		s.work.Go(func() { c.keepAlive(s.o.KeepAlive) })
	}
	s.o.Log.InfoContext(ctx, "connected", "remote", s.o.Name, "address", s.o.Address)
	return c, nil
}

// release gives a session back.
func (s *Server) release(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.busy--
	if c.busy == 0 && !s.closed {
		c.idle.Reset(s.o.Idle)
	}
}

func (s *Server) closeIdle(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.busy > 0 {
		return
	}
	for n, other := range s.sessions {
		if other == c {
			s.sessions = append(s.sessions[:n:n], s.sessions[n+1:]...)
			break
		}
	}
	c.end()
}

// keepAlive asks for signs of life until the connection has ended. One that gives
// none is ended by watchedConn.
func (c *session) keepAlive(pause time.Duration) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-c.ended:
			return
		case <-ticker.C:
			if c.alive() != nil {
				c.end()
				return
			}
		}
	}
}

// trouble is why there is no connection, and until when none is tried. A server that
// is gone is asked a second later, and then ever less; one that refuses the login is
// left alone for longer, because servers lock accounts, unless the secret has changed.
type trouble struct {
	err   error
	tries int
	pause time.Duration
	since time.Time
	login [sha256.Size]byte // of the credentials that were tried last
}

const (
	firstPause = time.Second
	mostPause  = time.Minute

	firstLoginPause = 30 * time.Second
	mostLoginPause  = 10 * time.Minute
)

func (t *trouble) failed(err error, now time.Time) {
	pause, most := firstPause, mostPause
	if errors.Is(err, folder.ErrLogin) {
		pause, most = firstLoginPause, mostLoginPause
	}
	for range t.tries {
		if pause *= 2; pause > most {
			pause = most
			break
		}
	}
	t.err, t.pause, t.since = err, pause, now
	t.tries++
}

// resting gives the last failure while its pause lasts. A clock that was set back
// ends it.
func (t *trouble) resting(now time.Time) error {
	if t.err == nil || now.Before(t.since) || !now.Before(t.since.Add(t.pause)) {
		return nil
	}
	return t.err
}

// mended tells whether the login was refused and other secrets lie there now.
func (s *Server) mended() bool {
	if !errors.Is(s.trouble.err, folder.ErrLogin) || s.pipe != nil {
		return false
	}
	c, err := s.credentials(context.Background(), false) // the agent's keys are no part of the digest
	if err != nil {
		return false
	}
	c.close()
	return c.digest != s.trouble.login
}

func (s *Server) noteLogin(c *credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble.login = c.digest
}
