package remote

import (
	"context"
	"fmt"
	"sync"
)

// onDisk is what is read from this machine's disks at every connection. A disk that
// hangs keeps a reader until its ctx ends, and nobody else: at most one reading is under
// way, so that a disk that never answers costs one goroutine. That one is the only one
// that Close does not wait for.
type onDisk[T any] struct {
	mu  sync.Mutex
	now *reading[T] // under way; nil: none
}

type reading[T any] struct {
	done   chan struct{} // closed when the rest is there
	found  T
	failed error
}

func (d *onDisk[T]) read(ctx context.Context, fn func() (T, error)) (T, error) {
	d.mu.Lock()
	r := d.now
	if r == nil {
		r = &reading[T]{done: make(chan struct{})}
		d.now = r
		go func() {
			r.found, r.failed = fn()
			d.mu.Lock()
			defer d.mu.Unlock()
			d.now = nil
			close(r.done)
		}()
	}
	d.mu.Unlock()
	select {
	case <-r.done:
		return r.found, r.failed
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("the disk does not answer: %w", context.Cause(ctx))
	}
}
