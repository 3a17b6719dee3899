package folder

import (
	"context"
	"errors"
	"time"
)

// patience is how long a file that another program holds is tried again: virus
// scanners and indexers let go within a fraction of a second, Excel does not.
var patience = [...]time.Duration{
	5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond,
	80 * time.Millisecond, 160 * time.Millisecond, 320 * time.Millisecond,
}

// patiently repeats try while it answers ErrBusy, for less than a second in all.
func (l *Local) patiently(ctx context.Context, try func() error) error {
	err := try()
	for _, wait := range patience {
		if !errors.Is(err, ErrBusy) {
			return err
		}
		if stopped := l.pause(ctx, wait); stopped != nil {
			return err
		}
		err = try()
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
