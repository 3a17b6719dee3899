package outbox

import (
	"errors"
	"fmt"
	"time"

	"sendconnector/internal/folder"
)

// FolderError says that something could not be written to the outbound folder. What
// it concerns stays due and is tried again at Retry, not before; nothing is lost. It
// wraps the error of the folder, so errors.Is(err, folder.ErrFull) and the like hold.
type FolderError struct {
	Outbox string
	File   string // relative to out/; "" when the folder as a whole failed
	Retry  time.Time
	Err    error
}

func (e *FolderError) Error() string {
	// Without Retry: the text of a failure that lasts does not change, so that it is
	// logged once.
	if e.File == "" {
		return fmt.Sprintf("outbox %s: %v", e.Outbox, e.Err)
	}
	return fmt.Sprintf("outbox %s: write %q: %v", e.Outbox, e.File, e.Err)
}

func (e *FolderError) Unwrap() error { return e.Err }

// whole reports whether an error concerns the folder and not just one file in it:
// then the rest of the pass would only fail too.
func whole(err error) bool {
	return folder.Away(err) || errors.Is(err, folder.ErrFull)
}

// retryPause is how long a target rests after its nth failure in a row: 15 s, 30 s,
// 1 min, 2 min, 4 min, then 5 min for ever. Excel is closed within minutes, a full
// disk is not; neither is worth a busy loop.
func retryPause(failures int) time.Duration {
	if failures < 1 {
		return 0
	}
	if failures > 5 {
		return 5 * time.Minute
	}
	return min(15*time.Second<<(failures-1), 5*time.Minute)
}

// rests remembers which targets failed and when each is tried again. The target ""
// is the folder as a whole. It lives in memory: a restart tries everything once.
type rests map[string]*rest

type rest struct {
	failures int
	retry    time.Time
	err      *FolderError
}

// resting gives the failure of a target that is not to be tried yet.
func (r rests) resting(target string, now time.Time) *FolderError {
	if at := r[target]; at != nil && now.Before(at.retry) {
		return at.err
	}
	return nil
}

func (r rests) succeeded(target string) { delete(r, target) }

func (r rests) failed(outbox, target string, now time.Time, cause error) *FolderError {
	at := r[target]
	if at == nil {
		at = &rest{}
		r[target] = at
	}
	at.failures++
	at.retry = now.Add(retryPause(at.failures))
	at.err = &FolderError{Outbox: outbox, File: target, Retry: at.retry, Err: cause}
	return at.err
}

// forgetDue drops the failures whose time has come: a pass that got to its end has
// tried them again, or there was nothing left to try.
func (r rests) forgetDue(now time.Time) {
	for target, at := range r {
		if !now.Before(at.retry) {
			delete(r, target)
		}
	}
}

// next is the earliest time at which a failed target wants to be tried; nothing is
// before the folder as a whole.
func (r rests) next() time.Time {
	if at := r[""]; at != nil {
		return at.retry
	}
	var next time.Time
	for _, at := range r {
		next = sooner(next, at.retry)
	}
	return next
}

// sooner is the earlier of two times, where zero means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
