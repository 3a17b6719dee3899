package simulator

import (
	"container/heap"
	"sync"
	"time"
)

// clocks holds the platform clock and the wall clock (see the package comment).
type clocks struct {
	mu     sync.Mutex
	given  func() time.Time
	start  time.Time
	origin time.Time // real time at start, with its monotonic part
	speed  float64
	manual bool
	offset time.Duration // sum of Advance
}

func newClocks(o Options) *clocks {
	c := &clocks{given: o.Clock, start: o.Start, origin: time.Now(), speed: o.Speed, manual: o.ManualClock}
	if c.start.IsZero() {
		c.start = c.origin
	}
	return c
}

func (c *clocks) at(speed float64) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	base := c.start
	switch {
	case c.given != nil:
		base = c.given()
	case !c.manual:
		base = base.Add(time.Duration(float64(time.Since(c.origin)) * speed))
	}
	return base.Add(c.offset).UTC().Round(0)
}

func (c *clocks) platform() time.Time { return c.at(c.speed) }
func (c *clocks) wall() time.Time     { return c.at(1) }

func (c *clocks) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// Now is the platform time.
func (s *Simulator) Now() time.Time { return s.clocks.platform() }

// Advance moves both clocks by d and lets what has fallen due happen.
func (s *Simulator) Advance(d time.Duration) {
	s.clocks.advance(d)
	s.enter()()
}

// NextDue is the platform time at which something will happen by itself, false
// when every notification has come to its end: a test can jump from one event
// to the next.
func (s *Simulator) NextDue() (time.Time, bool) {
	defer s.enter()()
	if len(s.tasks) == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, s.tasks[0].at).UTC(), true
}

// enter takes the lock, lets what is due happen and returns the unlock.
func (s *Simulator) enter() (leave func()) {
	s.mu.Lock()
	s.runDue(s.clocks.platform())
	return s.mu.Unlock
}

type taskKind uint8

const (
	taskValidate taskKind = iota
	taskStep
	taskRelease
	taskCancelled
	taskView
)

// task is one thing that will happen to a notification.
type task struct {
	at   int64 // platform time, Unix nanoseconds
	seq  uint64
	n    *notification
	kind taskKind
	rec  int8
	gen  uint8 // of the recipient's path, for taskStep
}

type taskQueue []task

func (q taskQueue) Len() int { return len(q) }

func (q taskQueue) Less(i, j int) bool {
	if q[i].at != q[j].at {
		return q[i].at < q[j].at
	}
	return q[i].seq < q[j].seq
}
func (q taskQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *taskQueue) Push(x any)   { *q = append(*q, x.(task)) } // heap.Push below is the only caller

func (q *taskQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = task{}
	*q = old[:len(old)-1]
	return last
}

// schedule puts a task on the queue; the caller holds the lock.
func (s *Simulator) schedule(at int64, kind taskKind, n *notification, rec int) {
	s.taskSeq++
	t := task{at: at, seq: s.taskSeq, n: n, kind: kind, rec: int8(rec)}
	if rec >= 0 {
		t.gen = n.recipients[rec].generation
	}
	heap.Push(&s.tasks, t)
}

// runDue does everything due at now, in order of time; the caller holds the
// lock. Each task sees its own time, not now: a life that was not looked at for
// a year has the dates it would have had.
func (s *Simulator) runDue(now time.Time) {
	limit := now.UnixNano()
	for len(s.tasks) > 0 && s.tasks[0].at <= limit {
		t := heap.Pop(&s.tasks).(task) // the queue holds tasks only
		switch t.kind {
		case taskValidate:
			s.validate(t.n, t.at)
		case taskStep:
			if t.gen == t.n.recipients[t.rec].generation {
				s.step(t.n, int(t.rec), t.at)
			}
		case taskRelease:
			s.releaseNotices(t.n)
		case taskCancelled:
			s.completeCancellation(t.n, t.at)
		case taskView:
			s.view(t.n, int(t.rec), t.at)
		}
	}
}
