package send

import (
	"context"
	"sync"
	"time"
)

// voucher is a PDND access token in hand.
type voucher struct {
	token   Secret
	renew   time.Time // from here on a new one is asked for
	stop    time.Time // from here on this one is not used
	expires time.Time // as PDND said, by our clock, counted from before we asked
}

// hardStop is how long before its end a voucher is not used any more: SEND
// tolerates nothing, and the request has to get there.
const hardStop = 30 * time.Second

// newVoucher plans the life of a token asked for at asked. Times are local and
// monotonic; the token's own exp would need two clocks to agree.
func newVoucher(token Secret, asked time.Time, life time.Duration) voucher {
	renew, stop := life*8/10, life-hardStop
	if life <= 2*time.Minute {
		renew = life / 2
	}
	stop = max(stop, life/2)
	return voucher{
		token:   token,
		renew:   asked.Add(min(renew, stop)),
		stop:    asked.Add(stop),
		expires: asked.Add(life),
	}
}

// vouchers keeps one voucher and renews it, one request at a time. It is in
// memory only and owns no goroutine: the first caller that meets an ageing
// voucher renews it while the others go on with the old one.
type vouchers struct {
	clock func() time.Time
	ask   func(context.Context) (voucher, error)

	mu     sync.Mutex
	have   voucher
	busy   chan struct{} // closed when the request under way has ended; nil = none
	fails  int
	after  time.Time // after a failure PDND is not asked before this
	failed error     // that failure
}

// get gives a voucher that may be used now. It asks PDND only if there is none,
// or once for one that is ageing, and never twice at a time.
func (s *vouchers) get(ctx context.Context) (voucher, error) {
	for {
		s.mu.Lock()
		now := s.clock()
		usable := now.Before(s.have.stop)
		switch {
		case usable && (now.Before(s.have.renew) || s.busy != nil || now.Before(s.after)):
			v := s.have
			s.mu.Unlock()
			return v, nil
		case s.busy == nil && now.Before(s.after):
			err := s.failed
			s.mu.Unlock()
			return voucher{}, err
		case s.busy == nil:
			s.busy = make(chan struct{})
			old := s.have
			s.mu.Unlock()
			v, err := s.fetch(ctx)
			if err != nil && usable {
				// Renewal failed, also if only this caller gave up: the voucher in
				// hand is good for longer than the asking can have taken.
				return old, nil
			}
			return v, err
		}
		busy := s.busy
		s.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return voucher{}, ctx.Err()
		}
	}
}

func (s *vouchers) fetch(ctx context.Context) (voucher, error) {
	v, err := s.ask(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.busy)
	s.busy = nil
	if err == nil {
		s.have, s.fails, s.after, s.failed = v, 0, time.Time{}, nil
		return v, nil
	}
	// A caller who gave up says nothing about PDND: the next may ask at once.
	if ctx.Err() == nil {
		s.fails++
		s.after, s.failed = s.clock().Add(retreat(err, s.fails)), err
	}
	return voucher{}, err
}

// retreat is how long PDND is left alone after the n-th failure in a row: what it
// asked for, a minute if it refuses us, otherwise 1 s doubling to 30 s.
func retreat(err error, n int) time.Duration {
	e := asError(err)
	switch {
	case e.RetryAfter > 0:
		return e.RetryAfter
	case e.Class == Held:
		return time.Minute
	}
	return min(30*time.Second, time.Second<<min(n-1, 5))
}

// renew marks the voucher that the gateway denied as due for renewal, unless it
// has been replaced since. It stays usable in case PDND does not answer.
func (s *vouchers) renew(token Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.have.token == token {
		s.have.renew, s.after = time.Time{}, time.Time{}
	}
}
