package progress

import (
	"context"
	"errors"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// Title is the title of an installation's stream (rule 21).
func Title(installation string) string { return "sendconnector/" + installation }

// Ensure makes sure that the sender's stream exists and can be read: known and
// good, found by its title, or created. It must have succeeded once before the
// first send, since a stream collects only what happens after its creation. A
// stream that is new to the ledger starts a sweep: every open notification is
// looked up once.
//
// A crash between creation and its record leaves a stream that the next call finds
// by its title. An error of class Held is also stored as a hold of the sender. It may
// be called before every pass: a stream found good is not asked for again for an
// hour.
func (p *Progress) Ensure(ctx context.Context) error {
	p.reading.Lock()
	defer p.reading.Unlock()
	now := p.o.Clock()
	p.mu.Lock()
	sure := !p.sure.IsZero() && now.Sub(p.sure) < sureFor
	p.mu.Unlock()
	if sure {
		return nil
	}
	return p.ensureSure(ctx)
}

// ensureSure is Ensure for the stream's reader, without the memory.
func (p *Progress) ensureSure(ctx context.Context) error {
	err := p.ensure(ctx)
	if err == nil {
		p.mu.Lock()
		p.sure = p.o.Clock()
		p.mu.Unlock()
	}
	return unstep(p.held(ctx, err))
}

// sureFor is how long a stream found good is taken for good: one that SEND disabled
// can still be read, so that reading does not tell.
const sureFor = time.Hour

func (p *Progress) ensure(ctx context.Context) error {
	s, err := p.stream(ctx)
	if err != nil && !errors.Is(err, ErrNoStream) {
		return err
	}
	if s == nil {
		return p.adoptOrCreate(ctx, "", "")
	}
	good, replaces, err := p.usable(ctx, s.StreamID)
	switch {
	case err != nil:
		return err
	case !good:
		return p.adoptOrCreate(ctx, s.StreamID, replaces)
	case p.o.Ledger.Stale():
		return p.sweepStale(ctx)
	}
	return nil
}

// sweepStale starts a sweep because the ledger is older than what was sent with it
// (restored from a backup, rule 23), of what was open and then of what was over: of every sender's stream, for whoever comes first
// ends the mark for all. A sender without a stream sweeps when it gets one.
func (p *Progress) sweepStale(ctx context.Context) error {
	err := p.o.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		all, err := tx.Streams()
		for _, s := range all {
			s.SweepOver, s.OverFrom = true, 0
			err = errors.Join(err, startSweep(tx, s, p.o.Clock()), tx.PutStream(s))
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.o.Ledger.ClearStale(ctx)
}

// usable reports whether a stream can be read and still takes events. replaces is
// its id where only a replacement crosses over from it: a stream of another version
// of the API can be neither read nor disabled, but it counts.
func (p *Progress) usable(ctx context.Context, id string) (good bool, replaces string, err error) {
	if err := p.step(BeforeEnsure); err != nil {
		return false, "", err
	}
	s, err := p.o.Client.Stream(ctx, id)
	if stop := p.step(AfterEnsure); stop != nil {
		return false, "", stop
	}
	var e *send.Error
	switch {
	case err == nil:
		return s.Disabled.IsZero(), "", nil
	case errors.As(err, &e) && (e.Class == send.NotFound || e.Class == send.Rejected):
		return false, "", nil
	case errors.As(err, &e) && e.Class == send.Held && e.Reason == send.HeldStream:
		return false, id, nil
	}
	return false, "", err
}

// adoptOrCreate finds a good stream with our title, other than the one known to be
// bad, or creates one.
func (p *Progress) adoptOrCreate(ctx context.Context, bad, replaces string) error {
	if err := p.step(BeforeEnsure); err != nil {
		return err
	}
	list, err := p.o.Client.ListStreams(ctx)
	if stop := p.step(AfterEnsure); stop != nil {
		return stop
	}
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.Title != Title(p.o.Installation) || s.ID == bad {
			continue
		}
		good, locked, err := p.usable(ctx, s.ID)
		if err != nil {
			return err
		}
		if good {
			p.o.Log.Info("stream found by its title", "sender", p.o.Sender, "stream", s.ID)
			return p.record(ctx, s.ID)
		}
		replaces = first(replaces, locked)
	}
	return p.create(ctx, replaces)
}

// create makes a stream, in place of one of another version where there is one.
func (p *Progress) create(ctx context.Context, replaces string) error {
	s, err := p.post(ctx, replaces)
	if class := send.ClassOf(err); replaces != "" && (class == send.Rejected || class == send.NotFound || isHeldStream(err)) {
		// SEND will not replace it: a stream of its own, if one more is allowed.
		s, err = p.post(ctx, "")
	}
	if err != nil {
		return err
	}
	p.o.Log.Info("stream created", "sender", p.o.Sender, "stream", s.ID, "replaces", replaces)
	return p.record(ctx, s.ID)
}

func isHeldStream(err error) bool {
	var e *send.Error
	return errors.As(err, &e) && e.Class == send.Held && e.Reason == send.HeldStream
}

func (p *Progress) post(ctx context.Context, replaces string) (send.Stream, error) {
	if err := p.step(BeforeEnsure); err != nil {
		return send.Stream{}, err
	}
	s, err := p.o.Client.CreateStream(ctx, send.NewStream{
		Title: Title(p.o.Installation), EventType: "TIMELINE", Groups: p.o.Groups,
		Filter: p.o.Filter, WaitForAccepted: true, Replaces: replaces,
	})
	if stop := p.step(AfterEnsure); stop != nil {
		return send.Stream{}, stop
	}
	return s, err
}

// record makes a stream the sender's, from its first event on, with the sweep that
// covers what it cannot tell.
func (p *Progress) record(ctx context.Context, id string) error {
	now := p.o.Clock()
	s := &ledger.Stream{Sender: p.o.Sender, StreamID: id, Title: Title(p.o.Installation), LastRead: now}
	err := p.o.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
		if err := startSweep(tx, s, now); err != nil {
			return err
		}
		return tx.PutStream(s)
	})
	if err == nil && p.o.Ledger.Stale() {
		err = p.sweepStale(ctx)
	}
	return err
}

// replaceStream is Ensure for a stream that turned out not to be readable; the
// caller is its reader.
func (p *Progress) replaceStream(ctx context.Context, s *ledger.Stream) error {
	good, replaces, err := p.usable(ctx, s.StreamID)
	if err == nil && good {
		return p.readAgain(ctx, streamAgain) // nothing that a new stream would mend
	}
	if err == nil {
		err = p.adoptOrCreate(ctx, s.StreamID, replaces)
	}
	return p.held(ctx, err)
}
