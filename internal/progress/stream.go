package progress

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

const (
	// eventRetention is how long SEND keeps events; after a longer interruption some
	// may be lost, and every open notification is looked up (rules 21 and 23).
	eventRetention = 7 * 24 * time.Hour
	// orphanLife is how long events that match nothing are kept (rule 22).
	orphanLife = 8 * 24 * time.Hour
	// pagesPerCall bounds one ReadStream, so that the other stages get their turn.
	pagesPerCall = 200
	// streamAgain is when a stream that could not be read is tried again, doubled with
	// every failure up to streamRarely.
	streamAgain  = time.Minute
	streamRarely = 15 * time.Minute
	// checkAgain is when a daily check that failed is made again.
	checkAgain = time.Hour
)

// ErrNoStream: Ensure has not made sure of a stream yet.
var ErrNoStream = errors.New("progress: no stream")

// ReadStream reads the sender's stream until it is drained or SEND says to wait.
// Each page is committed before the call that acknowledges it. It does nothing,
// and says when, if the time that SEND asked for has not come.
func (p *Progress) ReadStream(ctx context.Context) (Report, error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	var r Report
	if err := p.checkDaily(ctx); err != nil {
		return r, err
	}
	for range pagesPerCall {
		s, err := p.stream(ctx)
		if err != nil {
			return r, err
		}
		if now := p.o.Clock(); s.NextRead.After(now) && s.NextRead.Before(now.Add(ledger.LongestWait)) {
			r.Next = s.NextRead
			return r, nil
		}
		if held, err := p.streamDeaf(ctx); err != nil || !held.IsZero() {
			r.Next = held
			return r, err
		}
		if err := p.noticeGap(ctx, s); err != nil {
			return r, err
		}
		if p.sweepsFirst(s) {
			r.Next = p.o.Clock().Add(streamAgain)
			return r, nil
		}
		if err := p.readPage(ctx, s, &r); err != nil {
			return r, err
		}
		if ctx.Err() != nil {
			return r, nil
		}
	}
	r.More, r.Next = true, p.o.Clock()
	return r, nil
}

// checkDaily asks once a day whether the stream still takes events: a process that
// runs for months calls Ensure only at its start, and a disabled stream can be read
// all the same. That it could not be asked is no reason not to read, and is asked
// again an hour later; what holds the sender is stored as a hold.
func (p *Progress) checkDaily(ctx context.Context) error {
	p.mu.Lock()
	due := !p.sure.IsZero() && p.o.Clock().Sub(p.sure) >= 24*time.Hour
	p.mu.Unlock()
	if !due {
		return nil
	}
	if held, err := p.streamDeaf(ctx); err != nil || !held.IsZero() {
		return err
	}
	err := p.ensure(ctx)
	var e *send.Error
	if err != nil && (!errors.As(err, &e) || ctx.Err() != nil) {
		return unstep(err)
	}
	now := p.o.Clock()
	p.mu.Lock()
	if p.sure = now; err != nil {
		p.sure = now.Add(checkAgain - 24*time.Hour)
	}
	p.mu.Unlock()
	switch {
	case err == nil:
		return nil
	case e.Class == send.Held:
		return p.hold(ctx, e)
	}
	p.o.Log.Warn("whether the stream still takes events could not be asked", "sender", p.o.Sender, "status", e.Status, "again", checkAgain, "trace", e.TraceID)
	return nil
}

func (p *Progress) stream(ctx context.Context) (*ledger.Stream, error) {
	var s *ledger.Stream
	err := p.o.Ledger.View(ctx, func(tx *ledger.Tx) error {
		var err error
		s, err = tx.Stream(p.o.Sender)
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, ErrNoStream
	}
	return s, err
}

// readPage reads one page, commits it and its position. A failure is stored as a
// later read; the page comes again.
func (p *Progress) readPage(ctx context.Context, s *ledger.Stream, r *Report) error {
	if err := p.step(BeforeEvents); err != nil {
		return unstep(err)
	}
	page, err := p.o.Client.Events(ctx, s.StreamID, s.LastEventID)
	if stop := p.step(AfterEvents); stop != nil {
		return unstep(stop)
	}
	if err != nil {
		return p.notRead(ctx, s, err)
	}
	p.reached()
	p.unread = 0
	orphaned, err := p.commitPage(ctx, s, page)
	if err != nil {
		return err
	}
	r.Events += len(page.Events)
	r.Orphans += orphaned
	return nil
}

// commitPage writes a page in one transaction. If one notification of it cannot be
// written, the page is written event by event, and what cannot be applied is kept
// raw: one poisoned event must not keep forty-nine others, nor be lost itself.
func (p *Progress) commitPage(ctx context.Context, s *ledger.Stream, page send.Page) (orphaned int, err error) {
	ctx = context.WithoutCancel(ctx)
	err = p.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		if orphaned, err = p.store(tx, page.Events); err != nil {
			return err
		}
		return p.advance(tx, s, page)
	})
	if err == nil || len(page.Events) == 0 {
		return orphaned, err
	}
	p.o.Log.Error("a page of events could not be applied as a whole", "sender", p.o.Sender, "error", err)
	orphaned = 0
	for _, e := range page.Events {
		n, err := p.commitAlone(ctx, e)
		if err != nil {
			return orphaned, err
		}
		orphaned += n
	}
	return orphaned, p.o.Ledger.Update(ctx, func(tx *ledger.Tx) error { return p.advance(tx, s, page) })
}

// commitAlone writes one event; if it cannot be applied it is only kept, so that
// the next derivation of its notification has it.
func (p *Progress) commitAlone(ctx context.Context, e send.Event) (orphaned int, err error) {
	err = p.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		orphaned, err = p.store(tx, []send.Event{e})
		return err
	})
	if err == nil {
		return orphaned, nil
	}
	p.o.Log.Error("an event could not be applied and is kept as it came", "sender", p.o.Sender, "event", e.ID, "error", err)
	return 0, p.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		s, ok := understand(e, e.Raw)
		n, err := p.find(tx, &s)
		if err == nil && ok && n != nil {
			_, err = keep(tx, n.ID, s)
			return err
		}
		return p.orphan(tx, []seen{s})
	})
}

// advance moves the stream's position past a page and notes when to come back.
func (p *Progress) advance(tx *ledger.Tx, s *ledger.Stream, page send.Page) error {
	cur, err := tx.Stream(p.o.Sender)
	if err != nil {
		return err
	}
	if cur.StreamID != s.StreamID {
		return fmt.Errorf("progress: the stream of %s was replaced meanwhile", p.o.Sender)
	}
	now := p.o.Clock()
	for _, e := range page.Events {
		if e.ID != "" {
			cur.LastEventID = e.ID
		}
	}
	cur.LastRead = now
	cur.NextRead = now.Add(page.RetryAfter)
	if err := tx.PutStream(cur); err != nil || len(page.Events) > 0 {
		return err
	}
	return tx.DropOrphans(now.Add(-orphanLife))
}

// notRead stores when a stream that could not be read is tried again. One that is
// gone or not ours (any more) is made sure of again at once.
func (p *Progress) notRead(ctx context.Context, s *ledger.Stream, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // told to stop: it is read again
	}
	var e *send.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Class == send.NotFound || e.Class == send.Rejected || isHeldStream(err) {
		p.o.Log.Warn("the stream cannot be read any more", "sender", p.o.Sender, "stream", s.StreamID, "status", e.Status, "trace", e.TraceID)
		if err = p.replaceStream(ctx, s); err != nil {
			return errors.Join(err, p.readAgain(ctx, streamAgain))
		}
		return nil
	}
	if e.Class == send.Held {
		return errors.Join(p.hold(ctx, e), p.readAgain(ctx, max(e.RetryAfter, streamAgain)))
	}
	again := min(streamAgain<<min(p.unread, 8), streamRarely)
	level := slog.LevelInfo
	if p.unread++; p.unread == 1 {
		level = slog.LevelWarn
	}
	if e.RetryAfter > 0 {
		again = e.RetryAfter
	}
	p.o.Log.Log(ctx, level, "the stream was not read", "sender", p.o.Sender, "status", e.Status, "again", again, "trace", e.TraceID)
	return p.readAgain(ctx, again)
}

// readAgain stores when the stream is read next.
func (p *Progress) readAgain(ctx context.Context, after time.Duration) error {
	return p.o.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
		cur, err := tx.Stream(p.o.Sender)
		if err != nil {
			return err
		}
		cur.NextRead = p.o.Clock().Add(after)
		return tx.PutStream(cur)
	})
}

// unstep takes the wrapping off a Step's error, for the caller of the package.
func unstep(err error) error {
	var s *stepError
	if errors.As(err, &s) {
		return s.err
	}
	return err
}
