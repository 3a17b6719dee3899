package submit

import (
	"time"

	"sendconnector/internal/send"
)

// wait names the kinds of waiting, each with its own schedule.
type wait int

const (
	// waitTransient: nothing was wrong with the request.
	waitTransient wait = iota + 1
	// waitUnknown: the POST may have landed; SEND needs a moment to show it.
	waitUnknown
	// waitConflict: a 409 that proves nothing (rule 15, e).
	waitConflict
	// waitNotice: SEND has not let go of our own notice yet (rule 15, c).
	waitNotice
	// waitDoubt: SEND may have blamed the request by a fault of its own.
	waitDoubt
)

// schedules are the delays after the first, second, … failure; the last one repeats.
var schedules = map[wait][]time.Duration{
	waitTransient: {5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour},
	waitUnknown:   {3 * time.Second, 10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour},
	waitConflict:  {5 * time.Second, 20 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour},
	waitNotice:    {time.Minute, 4 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour},
	waitDoubt:     {30 * time.Second},
}

// noticePatience is how long SEND is given to free a notice after our own refusal
// or cancellation (rule 15, c).
const noticePatience = 24 * time.Hour

// delay is how long to wait after the given number of failures (1 is the first).
// What SEND asked for wins where it is longer. jitter, in [0,1), spreads the
// callers over the fifth of the delay that follows, so that they do not come back
// together; nothing ever comes back earlier than it was told.
func delay(w wait, failures int, asked time.Duration, jitter float64) time.Duration {
	steps := schedules[w]
	if len(steps) == 0 {
		steps = schedules[waitTransient]
	}
	d := max(steps[min(max(failures, 1), len(steps))-1], asked)
	return d + time.Duration(jitter*float64(d)/5)
}

// noticeTimeUp reports whether, after the given number of failures, the waits of
// waitNotice have used up the patience of rule 15 (c). It counts the schedule
// without jitter, so that a restart gives the same answer.
func noticeTimeUp(failures int) bool {
	var total time.Duration
	for i := 1; i < failures; i++ {
		if total += delay(waitNotice, i, 0, 0); total >= noticePatience {
			return true
		}
	}
	return false
}

// heldFor is after how long a held sender is tried again without anybody's help.
func heldFor(e *send.Error) time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	switch e.Reason {
	case send.HeldQuota, send.HeldBudget, send.HeldGroup:
		return time.Hour
	default: // a person must mend a key, a client or a contract
		return 30 * time.Minute
	}
}

// unreachableFor is how long a sender rests after its API failed several times in
// a row; rests counts the rests taken without a success between them.
func unreachableFor(rests int, jitter float64) time.Duration {
	return delay(waitTransient, rests+1, 0, jitter)
}
