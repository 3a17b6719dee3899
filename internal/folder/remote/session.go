package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"

	"sendconnector/internal/folder"
)

// progress counts what the server's SFTP side sends; signs of life of the connection
// below do not count.
type progress struct {
	r     io.Reader
	n     atomic.Uint64
	names nameCount
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.n.Add(uint64(n))
	p.names.see(b[:n])
	return n, err
}

// session is one connection with its SFTP channel. busy and idle belong to the
// server's mutex.
type session struct {
	*transport
	server *Server
	ended  chan struct{} // closed when the connection has gone
	over   atomic.Bool   // it is of no use any more; ended will follow
	busy   int           // requests under way
	idle   *time.Timer   // closes it when nobody uses it
}

func (s *session) dead() bool {
	select {
	case <-s.ended:
		return true
	default:
		return s.over.Load()
	}
}

// end closes the connection at once; nobody gets it again.
func (s *session) end() {
	s.over.Store(true)
	s.close()
}

// lost is a connection that ended before the answer came: what was asked may have
// happened.
type lost struct{ cause error }

func (l *lost) Error() string { return "connection lost: " + l.cause.Error() }
func (l *lost) Unwrap() error { return l.cause }

// patience is how many ProgressTimeouts a single request may take while the server
// answers others.
const patience = 10

type answer[T any] struct {
	value T
	err   error
}

// call runs one piece of pkg/sftp, which knows no time-outs, under a watch: it ends
// with ctx, when the server has sent nothing for the progress time-out, and after most
// of those in any case (0: never). An error is the server's own answer, ctx's before
// anything was sent, or *lost. What comes after ctx has ended goes to drop.
func call[T any](ctx context.Context, s *session, most int, fn func(*sftp.Client) (T, error), drop func(T)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if !s.server.begin() {
		return none, &lost{errClosed}
	}
	done, left := make(chan answer[T], 1), make(chan struct{})
	go func() {
		defer s.server.work.Done()
		v, err := fn(s.client)
		done <- answer[T]{v, err}
		<-left // an answer that nobody waited for is this goroutine's to put away
		select {
		case a := <-done:
			if a.err == nil && drop != nil {
				drop(a.value)
			}
		default:
		}
	}()
	defer close(left)
	limit := s.server.o.ProgressTimeout
	timer := time.NewTimer(limit)
	defer timer.Stop()
	before := s.bytes.n.Load()
	for periods := 1; ; periods++ {
		select {
		case a := <-done:
			return answered(s, a)
		case <-ctx.Done():
			return none, &lost{context.Cause(ctx)}
		case <-timer.C:
		}
		now := s.bytes.n.Load()
		if now == before || periods == most {
			s.end()
			if a := <-done; a.err == nil {
				return a.value, nil
			}
			return none, &lost{fmt.Errorf("no answer for %v", limit*time.Duration(periods))}
		}
		before = now
		timer.Reset(limit)
	}
}

// answered tells an answer of the server from the end of the connection. pkg/sftp
// gives many kinds of errors for the latter, so what is not an answer is the latter.
func answered[T any](s *session, a answer[T]) (T, error) {
	if a.err == nil || isAnswer(a.err) {
		return a.value, a.err
	}
	s.end()
	return a.value, &lost{a.err}
}

func isAnswer(err error) bool {
	var status *sftp.StatusError
	if errors.As(err, &status) {
		return status.Code != codeNoConnection && status.Code != codeConnectionLost
	}
	if errors.Is(err, folder.ErrEndless) {
		return true // the server's, before we had heard all of it
	}
	var network *net.OpError // a firewall's "not permitted" is nobody's answer
	return !errors.As(err, &network) && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission))
}
