package submit

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// Resolve looks up, once, every INTENT that is not held: requests that may have
// left before a crash or without an answer. It posts nothing. Call it at start,
// before the stream is read (rule 22); one that cannot be resolved keeps nobody
// waiting.
func (s *Submitter) Resolve(ctx context.Context) (Report, error) {
	r := s.newRun(ctx)
	r.lookOnly = true
	return s.finish(ctx, r, s.each(ctx, r, func(limit int) ([]*ledger.Notification, error) {
		return s.o.Ledger.DueToResolve(ctx, s.o.Sender, limit)
	}))
}

// Pass sends what is due until nothing is, or until the sender is held or rests.
// It returns early only when ctx ends (without error: what is under way is left in
// a state from which it goes on) or when the ledger or a Step fails.
func (s *Submitter) Pass(ctx context.Context) (Report, error) {
	r := s.newRun(ctx)
	return s.finish(ctx, r, s.each(ctx, r, func(limit int) ([]*ledger.Notification, error) {
		due, err := s.o.Ledger.DueToResolve(ctx, s.o.Sender, limit)
		if err != nil || len(due) >= limit {
			return due, err
		}
		more, err := s.o.Ledger.DueToSend(ctx, s.o.Sender, limit-len(due))
		return append(due, more...), err
	}))
}

func (s *Submitter) newRun(ctx context.Context) *run {
	r := &run{s: s}
	r.preload = &preloader{wait: s.o.PreloadWait, ask: func(items []send.PreloadItem) ([]send.Slot, error) {
		if err := s.o.Step(BeforePreload); err != nil {
			return nil, &stepError{err}
		}
		slots, err := s.o.Client.Preload(ctx, items)
		if stop := s.o.Step(AfterPreload); stop != nil {
			return nil, &stepError{stop}
		}
		return slots, err
	}}
	return r
}

// each feeds due notifications to the workers until none is left. It takes no more
// than there are free workers, and takes them some at a time.
func (s *Submitter) each(ctx context.Context, r *run, take func(limit int) ([]*ledger.Notification, error)) error {
	g, gctx := errgroup.WithContext(ctx)
	var looked []ledger.ID // given back at the end only, or Resolve would find them again
	ended := make(chan struct{}, s.o.Workers)
	under := 0 // notifications under way
	wait := func() { <-ended; under-- }
	for gctx.Err() == nil && !r.held.Load() {
		for under > s.o.Workers*3/4 {
			wait()
		}
		due, err := take(s.o.Workers - under)
		if err != nil {
			r.stop.Store(true)
			_ = g.Wait()
			return err
		}
		if len(due) == 0 {
			if under == 0 {
				break
			}
			wait()
			continue
		}
		for _, n := range due {
			if r.lookOnly {
				looked = append(looked, n.ID)
			}
			under++
			g.Go(func() error {
				defer func() { ended <- struct{}{} }()
				return s.one(gctx, r, n)
			})
		}
	}
	err := g.Wait()
	s.o.Ledger.Done(looked...)
	return err
}

// one works on one notification and gives it back.
func (s *Submitter) one(ctx context.Context, r *run, n *ledger.Notification) error {
	if r.held.Load() { // since it was taken
		s.o.Ledger.Done(n.ID)
		return nil
	}
	if !s.enter(n.ID) {
		return nil
	}
	w := &work{s: s, run: r, n: n}
	err := w.do(ctx)
	s.leave(n.ID)
	if !r.lookOnly {
		s.o.Ledger.Done(n.ID)
	}
	if err != nil {
		r.stop.Store(true)
	}
	return err
}

// enter makes sure that one notification is never worked on twice at a time in
// this process, whoever gave it out.
func (s *Submitter) enter(id ledger.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.busy[id]; ok {
		return false
	}
	s.busy[id] = struct{}{}
	return true
}

func (s *Submitter) leave(id ledger.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, id)
}

// finish waits for the shared calls and completes the report.
func (s *Submitter) finish(ctx context.Context, r *run, err error) (Report, error) {
	r.preload.close()
	var step *stepError
	if errors.As(err, &step) {
		return r.report, step.err
	}
	if ended := ctx.Err(); ended != nil && (err == nil || errors.Is(err, ended)) {
		return r.report, nil //nolint:nilerr // being told to stop is no failure
	}
	if err != nil {
		return r.report, err
	}
	report := r.report
	if report.Next, err = s.o.Ledger.NextDue(ctx); err != nil {
		return report, err
	}
	report.Holds, err = s.holds(ctx, report.Submitted+report.Adopted > 0)
	return report, err
}

// holds lists the holds in force that concern the sender. When SEND has taken
// something in this run, a hold of the sender that has run out is over.
func (s *Submitter) holds(ctx context.Context, well bool) ([]ledger.Hold, error) {
	var inForce []ledger.Hold
	var over *ledger.Hold
	now := s.o.Clock()
	err := s.o.Ledger.View(ctx, func(tx *ledger.Tx) error {
		all, err := tx.Holds()
		for _, h := range all {
			mine := h.Scope != ledger.HoldSender || h.Name == s.o.Sender
			switch ended := !h.InForce(now); {
			case mine && !ended:
				inForce = append(inForce, h)
			case mine && h.Scope == ledger.HoldSender:
				over = &h
			}
		}
		return err
	})
	if err != nil || over == nil || !well {
		return inForce, err
	}
	return inForce, s.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		return tx.DropHoldSeen(*over)
	})
}
