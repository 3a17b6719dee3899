package remote

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"sendconnector/internal/folder"
)

// trouble is why there is no connection, and until when none is tried. A server that
// is gone is asked a second later, and then ever less; one that refuses the login is
// left alone for longer, because servers lock accounts, unless the secret has changed.
type trouble struct {
	err   error
	tries int
	pause time.Duration
	since time.Time // of the last failure
	began time.Time // of the first
	login secretsOf // that were tried last
}

// secretsOf tells whether secrets are the same as before.
type secretsOf [sha256.Size]byte

const (
	firstPause = time.Second
	mostPause  = time.Minute

	firstLoginPause = 30 * time.Second
	mostLoginPause  = 10 * time.Minute

	// fewerPause is for a server that lets us in, and not once more: it may count the
	// refused ones.
	fewerPause = 10 * time.Minute
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
	if t.tries == 0 {
		t.began = now
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

// failed takes note of a dial that came to nothing, and tells of it once: at the first
// failure, and when another kind of cause takes its place. A connection that is there
// makes it a matter of how many there are.
func (s *Server) failed(ctx context.Context, err error) {
	log, now := s.o.Log.With("remote", s.o.Name, "address", s.o.Address), s.o.Clock()
	if s.best() != nil {
		if s.fewer.tries == 0 {
			log.WarnContext(ctx, "fewer connections than configured", "sessions", len(s.sessions), "configured", s.o.Sessions, "error", err)
		}
		s.fewer.failed(err, now)
		s.fewer.pause = fewerPause
		return
	}
	if !errors.Is(s.trouble.err, cause(err)) {
		log.WarnContext(ctx, "no connection", "error", err)
	}
	s.trouble.failed(err, now)
}

// connected ends the trouble there was, and tells how long it lasted.
func (s *Server) connected(ctx context.Context) {
	log := s.o.Log.With("remote", s.o.Name, "address", s.o.Address)
	switch {
	case s.trouble.err != nil:
		log.InfoContext(ctx, "connected again", "after", s.o.Clock().Sub(s.trouble.began).Round(time.Second), "tries", s.trouble.tries+1)
	default:
		log.InfoContext(ctx, "connected", "sessions", len(s.sessions))
	}
	s.trouble = trouble{login: s.trouble.login}
	if len(s.sessions) > 1 {
		s.fewer = trouble{}
	}
}

// cause is the kind of a failed connection, as far as it is told apart.
func cause(err error) error {
	for _, kind := range []error{folder.ErrHostKey, folder.ErrLogin} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return folder.ErrUnavailable
}

// mended tells whether the login was refused and other secrets lie there now. It reads
// files, and so runs without the lock: a disk that hangs may keep its caller only.
func (s *Server) mended(ctx context.Context, err error, refused secretsOf) bool {
	if !errors.Is(err, folder.ErrLogin) || s.pipe != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.DialTimeout)
	defer cancel()
	now, err := s.secrets(ctx)
	return err == nil && now.digest() != refused
}

func (s *Server) noteLogin(tried secretsOf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble.login = tried
}
