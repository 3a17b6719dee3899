package pdf

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// patience bounds the reading of one file; a sound one takes milliseconds. A variable
// so that a test can be impatient.
var patience = 10 * time.Second

// maxStuck is how many readings may be left behind. The library looks at its context,
// but not everywhere: there are files whose repair takes it hours. A goroutine cannot
// be ended from outside, so such a reading is left to itself; while there are as many
// as this, files are judged by head and tail alone, and the batch goes on.
const maxStuck = 2

// stuck counts readings that were left behind and still run.
var stuck atomic.Int32

// inTime runs read with patience. The error is errGaveUp where it did not end in time.
func inTime[T any](ctx context.Context, read func(context.Context) (T, error)) (T, error) {
	var none T
	if stuck.Load() >= maxStuck {
		return none, fmt.Errorf("%w: earlier files are still being read", errGaveUp)
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	var left atomic.Bool // set by whoever comes first: the end of the reading or of the patience
	go func() {
		value, err := read(bounded)
		done <- result{value, err}
		if !left.CompareAndSwap(false, true) {
			stuck.Add(-1)
		}
	}()
	select {
	case r := <-done:
		if r.err == nil && bounded.Err() != nil {
			r.err = fmt.Errorf("%w: %w", errGaveUp, bounded.Err())
		}
		return r.value, r.err
	case <-bounded.Done():
		stuck.Add(1)
		if !left.CompareAndSwap(false, true) {
			stuck.Add(-1) // it ended after all
		}
		return none, fmt.Errorf("%w: %w", errGaveUp, bounded.Err())
	}
}
