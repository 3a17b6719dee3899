package ledger

import (
	"context"
	"encoding/binary"
	"time"
)

// trial is how long a hold whose Until has passed is shown on, if nobody renews or
// drops it: what it kept is tried within that time, if anything is left of it.
const trial = 2 * time.Minute

// EndHolds makes visible what time alone has ended: holds that nobody renewed, and
// the delay of a release. It tells when it has something to do again; zero: not by
// time.
func (l *Ledger) EndHolds(ctx context.Context) (next time.Time, err error) {
	var over []Hold
	var open []string
	err = l.View(ctx, func(t *Tx) error {
		over, open, next, err = t.endedByTime()
		return err
	})
	if err != nil || len(over)+len(open) == 0 {
		return next, err
	}
	return next, l.Update(ctx, func(t *Tx) error {
		for _, h := range over {
			if err := t.DropHoldSeen(h); err != nil {
				return err
			}
		}
		for _, id := range open {
			h, err := t.head(id)
			if err != nil {
				return err
			}
			if h.Release == DelayedRelease && t.gateOpen(h) {
				h.Release, h.ReleaseAt, h.ReleaseWhy = Released, time.Time{}, ""
				if err := t.touch(h, true); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// endedByTime finds what EndHolds has to end, and when the next is.
func (t *txn) endedByTime() (over []Hold, open []string, next time.Time, err error) {
	holds, err := t.Holds()
	if err != nil {
		return nil, nil, next, err
	}
	for _, h := range holds {
		switch end := h.Until.Add(trial); {
		case h.Until.IsZero():
		case end.After(t.now.Add(LongestWait + trial)): // a false clock's, and no trial of anything
			over = append(over, h)
		case end.After(t.now):
			next = earlier(next, end)
		default:
			over = append(over, h)
		}
	}
	err = t.each(bFresh, nil, nil, func(k, _ []byte) (bool, error) {
		h, err := t.headByNo(binary.BigEndian.Uint64(k[4:]))
		switch {
		case err != nil || h.Release != DelayedRelease:
		case h.ReleaseAt.After(t.now):
			next = earlier(next, h.ReleaseAt)
		default:
			open = append(open, h.ID)
		}
		return true, err
	})
	return over, open, next, err
}
