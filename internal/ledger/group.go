package ledger

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Group commit. Every Update wants its own fsync; SEND is slow enough that many
// want one at the same time, so they share it: whoever comes first leads, takes
// everybody who is waiting into one bbolt transaction, and while it syncs the next
// group gathers. bbolt's own DB.Batch was not used: it waits its full delay also
// for a lone caller, and it runs a function that fails once more, alone, although
// nearly all our failures ("not found", "too late") have written nothing and need
// neither a second run nor a rollback of their neighbours.

// maxGroup bounds how many Updates one commit takes along.
const maxGroup = 512

type update struct {
	ctx  context.Context //nolint:containedctx // lives as long as one call of Update
	fn   func(*Tx) error
	err  error
	fail any           // what fn panicked with
	done chan struct{} // closed when err is final
	lead chan struct{} // closed to make the waiting caller the next leader
}

// group is the queue of Updates. mu guards everything in it.
type group struct {
	mu      sync.Mutex
	queue   []*update
	leading bool
	last    int           // size of the group before: how many are likely to come
	more    chan struct{} // nudges a leader that is gathering
}

// Update runs fn in a transaction and returns when what it wrote is on the disk.
// Concurrent Updates share one sync. If fn fails, nothing of it remains; if a
// neighbour's function fails after writing, fn is run once more in a fresh
// transaction, so it must set what it captured and not add to it, and must load
// what it changes inside. It must not call Update, View or the like.
func (l *Ledger) Update(ctx context.Context, fn func(*Tx) error) error {
	if l.opts.ReadOnly {
		return ErrReadOnly
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &update{ctx: ctx, fn: fn, done: make(chan struct{}), lead: make(chan struct{})}
	g := &l.group
	g.mu.Lock()
	g.queue = append(g.queue, u)
	leader := !g.leading
	g.leading = true
	g.mu.Unlock()
	if leader {
		l.lead()
	} else if err := l.follow(u); err != nil {
		return err
	}
	<-u.done
	if u.fail != nil {
		panic(u.fail)
	}
	return u.err
}

// follow waits until u is done or becomes the leader. A caller that gives up before
// its turn leaves the queue; one whose turn has come waits for the result.
func (l *Ledger) follow(u *update) error {
	select {
	case l.group.more <- struct{}{}:
	default:
	}
	select {
	case <-u.done:
	case <-u.lead:
		l.lead()
	case <-u.ctx.Done():
		if l.group.leave(u) {
			return u.ctx.Err()
		}
		select {
		case <-u.done:
		case <-u.lead:
			l.lead()
		}
	}
	return nil
}

// leave takes u out of the queue, unless it has been taken along or must lead.
func (g *group) leave(u *update) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-u.lead:
		return false
	default:
	}
	for i, q := range g.queue {
		if q == u {
			g.queue = append(g.queue[:i:i], g.queue[i+1:]...)
			return true
		}
	}
	return false
}

// lead commits one group, its own Update in it, and hands on.
func (l *Ledger) lead() {
	g := &l.group
	l.gather()
	g.mu.Lock()
	n := min(len(g.queue), maxGroup)
	batch := g.queue[:n:n]
	g.queue = append([]*update(nil), g.queue[n:]...)
	g.last = n
	g.mu.Unlock()

	l.commit(batch)

	g.mu.Lock()
	if len(g.queue) > 0 {
		close(g.queue[0].lead)
	} else {
		g.leading = false
	}
	g.mu.Unlock()
	for _, u := range batch {
		close(u.done)
	}
}

// gather waits a little for company, but only where there was some the last time:
// a lone writer never waits.
func (l *Ledger) gather() {
	g := &l.group
	g.mu.Lock()
	want, have := min(g.last, maxGroup), len(g.queue)
	g.mu.Unlock()
	if have >= want || want <= 1 || l.opts.GroupDelay <= 0 {
		return
	}
	timer := time.NewTimer(l.opts.GroupDelay)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-g.more:
			g.mu.Lock()
			have = len(g.queue)
			g.mu.Unlock()
			if have >= want {
				return
			}
		}
	}
}

// commit runs the functions of a group and sets their errors. One that fails
// without having written drops out; one that fails after writing makes the others
// run again without it.
func (l *Ledger) commit(group []*update) {
	live := group
	for len(live) > 0 {
		rest, again, err := l.tryCommit(live)
		if again {
			live = rest
			continue
		}
		for _, u := range rest {
			u.err = err
		}
		return
	}
}

func (l *Ledger) tryCommit(live []*update) (rest []*update, again bool, err error) {
	b, err := l.db.Begin(true)
	if err != nil {
		return live, false, closedError(err)
	}
	t := l.newTxn(b)
	for i, u := range live {
		before := t.writes
		if u.err = u.ctx.Err(); u.err == nil {
			u.run(t)
		}
		switch {
		case u.err == nil && u.fail == nil:
			rest = append(rest, u)
		case t.writes > before:
			_ = b.Rollback()
			return append(rest, live[i+1:]...), true, nil
		}
	}
	if t.writes == 0 {
		return rest, false, b.Rollback()
	}
	if err := t.flush(); err != nil {
		_ = b.Rollback()
		return rest, false, err
	}
	if err := l.opts.Step(StepCommit + ":before"); err != nil {
		_ = b.Rollback()
		return rest, false, err
	}
	if err := b.Commit(); err != nil {
		return rest, false, fmt.Errorf("ledger: commit: %w", err)
	}
	l.commits.Add(1)
	l.committed(t)
	return rest, false, l.opts.Step(StepCommit + ":after")
}

// run calls the function; a panic goes back to the caller of Update, not to
// whoever happens to lead.
func (u *update) run(t *txn) {
	defer func() { u.fail = recover() }()
	t.told = map[toldKey]uint64{}
	u.err = u.fn(&Tx{txn: t, ctx: u.ctx})
}

// committed does in memory what a durable transaction stands for.
func (l *Ledger) committed(t *txn) {
	l.taken.artifactsDone(t.placed)
	if t.wake {
		l.wakeUp()
	}
}
