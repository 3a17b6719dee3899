package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"sendconnector/internal/folder"
)

// Server is an SFTP server that folders lie on. It keeps few connections and makes
// them when they are needed.
type Server struct {
	o    Options
	pins pins
	pipe func(ctx context.Context) (io.ReadWriteCloser, error) // instead of SSH; for tests

	closing chan struct{}  // closed by Close: what is under way ends
	work    sync.WaitGroup // everything that runs; grows only through begin

	files struct { // of this machine
		secrets onDisk[secrets]
		known   onDisk[ssh.HostKeyCallback]
	}

	mu       sync.Mutex
	closed   bool
	sessions []*session
	dialing  chan struct{} // closed when the dial under way has ended; nil: none
	offer    []string      // host key algorithms that worked
	trouble  trouble       // why there is no connection
	fewer    trouble       // why there are not as many as configured
}

// NewServer is the server as configured. It connects to nothing yet; errors are those
// of the options, all at once.
func NewServer(o Options) (*Server, error) {
	p, err := parsePins(o.HostKeys)
	if err = errors.Join(o.check(), err); err != nil {
		return nil, fmt.Errorf("remote %s: %w", o.Name, err)
	}
	return &Server{o: o.withDefaults(), pins: p, closing: make(chan struct{})}, nil
}

// NewPipeServer is a server at the other end of what open gives, without SSH around
// it: for tests against programs that speak SFTP on their standard input.
func NewPipeServer(o Options, open func(ctx context.Context) (io.ReadWriteCloser, error)) *Server {
	return &Server{o: o.withDefaults(), pipe: open, closing: make(chan struct{})}
}

// errClosed: the program is ending.
var errClosed = errors.New("closed")

func (s *Server) refuseClosed() error {
	return &folder.Error{Op: "connect", Name: s.o.Address, Kind: folder.ErrUnavailable, Cause: errClosed}
}

// Close ends all connections, those under way too, and returns when nothing of the
// server runs any more. Requests under way fail, and so does every later use. It may be
// called twice.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	for _, c := range s.sessions {
		c.idle.Stop()
		c.end()
	}
	s.mu.Unlock()
	s.work.Wait()
	return nil
}

// begin lets something run that Close waits for; whoever gets true calls s.work.Done.
// After Close nothing begins any more, so that its waiting has an end.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.work.Add(1)
	return true
}

// untilClosed is ctx, ended by Close too.
func (s *Server) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	s.work.Go(func() { // the caller has begun, so this is no beginning
		select {
		case <-s.closing:
			cancel(errClosed)
		case <-ctx.Done():
		}
	})
	return ctx, func() { cancel(nil) }
}

// acquire gives a session with room, or makes one. While the server is in trouble it
// fails at once, with what went wrong last.
func (s *Server) acquire(ctx context.Context) (*session, error) {
	mended, refused := false, secretsOf{} // whether those secrets have been replaced
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return nil, s.refuseClosed()
		}
		best := s.best()
		if best != nil && (best.busy == 0 || len(s.sessions) >= s.o.Sessions || s.dialing != nil || s.fewer.resting(s.o.Clock()) != nil) {
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
		if err := s.trouble.resting(s.o.Clock()); err != nil && best == nil && !(mended && refused == s.trouble.login) {
			refused = s.trouble.login
			s.mu.Unlock()
			if mended = s.mended(ctx, err, refused); !mended {
				return nil, err
			}
			continue
		}
		s.dialing = make(chan struct{})
		s.work.Add(1) // as begin does
		s.mu.Unlock()
		c, err := s.dial(ctx)
		s.work.Done()
		if err != nil && best != nil {
			continue // the server allows no further session: what there is will do
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
	inner, cancel := s.untilClosed(ctx)
	defer cancel()
	t, err := s.connect(inner)
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.dialing)
	s.dialing = nil
	switch {
	case err == nil && s.closed:
		t.close()
		_ = t.client.Wait()
		return nil, s.refuseClosed()
	case err != nil && s.closed:
		return nil, s.refuseClosed()
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx) // says nothing about the server
	case err != nil:
		s.failed(ctx, err)
		return nil, err
	}
	c := &session{transport: t, server: s, ended: make(chan struct{}), busy: 1}
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
	s.connected(ctx)
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
