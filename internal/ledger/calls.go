package ledger

import (
	"context"
	"fmt"
	"time"
)

func callsKey(sender string) []byte { return named("calls", sender) }

// PutCalls keeps how many calls a sender has made on the day of at, so that the next
// process knows how many are left. A crash forgets those since the last time.
func (l *Ledger) PutCalls(ctx context.Context, sender string, used int, at time.Time) error {
	return l.Update(ctx, func(t *Tx) error {
		return t.put(bMeta, callsKey(sender), fmt.Appendf(nil, "%d %d", at.Unix(), used))
	})
}

// Calls gives what PutCalls kept; 0 at the zero time if nothing was.
func (l *Ledger) Calls(ctx context.Context, sender string) (used int, at time.Time, err error) {
	err = l.View(ctx, func(t *Tx) error {
		v := t.get(bMeta, callsKey(sender))
		if v == nil {
			return nil
		}
		var seconds int64
		if _, err := fmt.Sscanf(string(v), "%d %d", &seconds, &used); err != nil {
			return t.damaged(bMeta, callsKey(sender), err)
		}
		at = time.Unix(seconds, 0)
		return nil
	})
	return used, at, err
}
