package connector

import (
	"context"
	"sync"
	"time"
)

// waitTimer is the WaitFunc of production.
func waitTimer(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}

// bells wake every loop when a commit or an event may have given it work. A wake is
// only a shorter wait: a loop that misses one finds the work at its next look.
type bells struct {
	mu   sync.Mutex
	list []chan struct{}
}

// add gives a new bell.
func (b *bells) add() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	bell := make(chan struct{}, 1)
	b.list = append(b.list, bell)
	return bell
}

// ring wakes all.
func (b *bells) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, bell := range b.list {
		select {
		case bell <- struct{}{}:
		default: // already ringing
		}
	}
}

// conditions remembers what was last said about each part, so that a state that
// lasts (platform down, key denied) is logged once and not every pass.
type conditions struct {
	mu   sync.Mutex
	last map[string]string
}

// changed reports whether text is news about part; "" means all is well.
func (c *conditions) changed(part, text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		c.last = map[string]string{}
	}
	if c.last[part] == text {
		return false
	}
	c.last[part] = text
	return true
}

// text is what was last said about part.
func (c *conditions) text(part string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[part]
}
