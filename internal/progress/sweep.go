package progress

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"sendconnector/internal/ledger"
)

// sweepChunk is how many notifications of a sweep go between two commits of its
// position.
const sweepChunk = 100

// sweepPatience is how long a sweep may keep the stream waiting.
const sweepPatience = 48 * time.Hour

// sweep looks up notifications that were open when the stream could not be relied
// on: a stream new to the ledger, a gap longer than SEND keeps events, an older
// ledger (rules 21 and 23). It keeps its position, so that a restart goes on.
func (p *Progress) sweep(ctx context.Context, a *asking) error {
	for done := 0; ctx.Err() == nil; done += sweepChunk {
		s, err := p.stream(ctx)
		if errors.Is(err, ErrNoStream) {
			return nil
		}
		if err != nil || !s.Sweep {
			return err
		}
		if held, err := p.deaf(ctx); err != nil || !held.IsZero() {
			return err
		}
		if done >= p.o.PerCall {
			a.count(func(r *Report) { r.More = true })
			return nil
		}
		if err := p.sweepSome(ctx, a, s); err != nil || a.stopped() {
			return err
		}
	}
	return nil
}

// sweepSome looks up the next chunk and moves the position past it.
func (p *Progress) sweepSome(ctx context.Context, a *asking, s *ledger.Stream) error {
	var list []*ledger.Notification
	if err := p.o.Ledger.View(ctx, func(tx *ledger.Tx) error {
		var err error
		list, err = tx.OpenFrom(s.SweepFrom, sweepChunk)
		return err
	}); err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(n *ledger.Notification) bool { return !swept(n, s, p.o.Clock()) })
	if err := p.lookAtAll(ctx, a, list); err != nil || ctx.Err() != nil || a.stopped() {
		return err // the chunk is looked up again
	}
	if len(list) < sweepChunk && p.sweepsFirst(s) {
		a.count(func(r *Report) { r.More = true }) // now the stream may be read
	}
	return p.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		cur, err := tx.Stream(p.o.Sender)
		if err != nil || cur.StreamID != s.StreamID {
			return err
		}
		if len(list) < sweepChunk {
			cur.Sweep, cur.SweepFrom, cur.SweepFirst = false, 0, false
		} else {
			cur.SweepFrom = list[len(list)-1].ID + 1
		}
		return tx.PutStream(cur)
	})
}

// lookAtAll looks up a chunk, until somebody says stop.
func (p *Progress) lookAtAll(ctx context.Context, a *asking, list []*ledger.Notification) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(p.o.Lookups)
	for _, n := range list {
		if !a.stopped() {
			g.Go(func() error { return p.look(gctx, a, n) })
		}
	}
	return g.Wait()
}

// sweepOver looks up, PerCall of them at a time and after those that were open, the
// notifications that were over when an older ledger was put in the place of a newer one.
// What the newer one had heard of them, a cancellation say, was acknowledged and does
// not come again, while the folders outside still tell it.
func (p *Progress) sweepOver(ctx context.Context, a *asking) error {
	s, err := p.stream(ctx)
	if errors.Is(err, ErrNoStream) {
		return nil
	}
	if err != nil || !s.SweepOver || s.Sweep {
		return err
	}
	if held, err := p.deaf(ctx); err != nil || !held.IsZero() {
		return err
	}
	var list []*ledger.Notification
	if err := p.o.Ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		list, err = tx.OverFrom(s.OverFrom, p.o.PerCall)
		return err
	}); err != nil {
		return err
	}
	ours := slices.DeleteFunc(slices.Clone(list), func(n *ledger.Notification) bool { return n.Sender != s.Sender || n.IUN == "" })
	if err := p.lookAtAll(ctx, a, ours); err != nil || ctx.Err() != nil || a.stopped() {
		return err // they are looked up again
	}
	return p.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		cur, err := tx.Stream(p.o.Sender)
		if err != nil || cur.StreamID != s.StreamID {
			return err
		}
		if len(list) < p.o.PerCall {
			cur.SweepOver, cur.OverFrom = false, 0
		} else {
			cur.OverFrom = list[len(list)-1].ID + 1
			a.count(func(r *Report) { r.More = true })
		}
		return tx.PutStream(cur)
	})
}

// swept reports whether a sweep concerns a notification: it has left before the sweep
// began, and it is ours. That newer events came of it proves nothing: after a gap they
// are those that SEND still had, and the older ones have expired.
func swept(n *ledger.Notification, s *ledger.Stream, now time.Time) bool {
	if n.Sender != s.Sender || (n.State != ledger.Submitted && n.State != ledger.Accepted) {
		return false
	}
	if n.RequestID == "" && n.IUN == "" {
		return false
	}
	return n.SubmittedAt.Before(s.CreatedAt) || n.SubmittedAt.After(now.Add(ledger.LongestWait)) // by a false clock
}

// sweepsFirst reports whether a stream is left alone until its sweep is over. The
// events that SEND still had after a gap, or that a new stream begins with, may bring a notification to its end, and one
// that has ended is not swept: the documents of the events that have expired would
// never be fetched. A sweep that comes to no end holds the stream up for sweepPatience
// only, far less than events are kept.
func (p *Progress) sweepsFirst(s *ledger.Stream) bool {
	return s.Sweep && s.SweepFirst && p.o.Clock().Sub(s.CreatedAt).Abs() < sweepPatience
}

// noticeGap starts a sweep, before anything is read, where the stream was not read for
// longer than SEND keeps events, or where nobody knows for how long: the clock was
// wrong when it was read last.
func (p *Progress) noticeGap(ctx context.Context, s *ledger.Stream) error {
	now := p.o.Clock()
	gap := now.Sub(s.LastRead)
	if s.LastRead.IsZero() || gap <= eventRetention && gap > -ledger.LongestWait {
		return nil
	}
	return p.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		cur, err := tx.Stream(p.o.Sender)
		if err != nil || cur.StreamID != s.StreamID {
			return err
		}
		if err := startSweep(tx, cur, now); err != nil { // anew, where one was under way
			return err
		}
		cur.LastRead = now // the gap is noticed once
		*s = *cur
		return tx.PutStream(cur)
	})
}

// startSweep asks for one look-up of every notification that was open at that time,
// before the stream is read where there is one. CreatedAt is since when the ledger can
// rely on the stream: what is sent after it needs no sweep.
func startSweep(tx *ledger.Tx, s *ledger.Stream, now time.Time) error {
	s.Sweep, s.SweepFrom, s.CreatedAt, s.SweepFirst = true, 0, now, false
	return tx.Open(0, func(n *ledger.Notification) bool {
		s.SweepFirst = swept(n, s, now)
		return !s.SweepFirst
	})
}
