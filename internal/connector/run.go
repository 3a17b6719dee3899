package connector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sendconnector/internal/ingest"
	"sendconnector/internal/ledger"
	"sendconnector/internal/outbox"
)

// Bounds of the waits between two passes of a loop. Nothing depends on them but how
// soon a thing that no bell announces is seen.
const (
	shortestPause = 50 * time.Millisecond // also gathers commits that come together
	longestPause  = time.Minute
	errorPause    = 5 * time.Second
	drainTime     = 30 * time.Second
)

// pass does all of one kind of work that is due and says when to look again (zero:
// when woken).
type pass func(ctx context.Context) (next time.Time, err error)

// Run watches the folders, sends, hears and publishes until ctx ends, then drains:
// passes under way stop at their next safe point within 30 seconds. What is under
// way when even that is over is found again by the next start. It answers commands
// through the control endpoint meanwhile.
func (c *Connector) Run(ctx context.Context) error {
	work, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	ctl, err := c.serveControl(work)
	if err != nil {
		return err
	}
	defer ctl.close()
	if err := c.recover(ctx); err != nil {
		return err
	}
	var group sync.WaitGroup
	for _, l := range c.loops() {
		var bell <-chan struct{}
		if !l.slow {
			bell = c.bells.add()
		}
		group.Go(func() { c.loop(ctx, l.name, bell, l.pass) })
	}
	group.Go(func() { c.forwardWakes(ctx) })
	group.Go(func() { c.watch(ctx) })
	c.opts.Log.Info("running", "flows", len(c.flows), "senders", len(c.senders))
	<-ctx.Done()
	c.opts.Log.Info("stopping")
	if !waitAtMost(&group, drainTime) {
		return &ExitError{Exit: ExitFailure, Code: "C-STOP-SLOW", Message: "some work did not stop within 30 seconds", Hint: "nothing is lost: the next start goes on from the ledger"}
	}
	c.sayStopped(work)
	return nil
}

// sayStopped leaves in every stato.csv that nobody watches any more. Failing to is no
// failure of the stop: the file then grows old, which says the same.
func (c *Connector) sayStopped(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c.stopped.Store(true)
	for _, name := range names(c.outboxes) {
		if _, err := c.publish(ctx, name, c.outboxes[name], true); err != nil {
			c.opts.Log.Warn("stato.csv could not say that the connector stops", "outbox", name, "error", err)
		}
	}
}

func waitAtMost(group *sync.WaitGroup, d time.Duration) bool {
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// recover brings folders and ledger together after whatever ended the last run. A
// flow that cannot be recovered now, because its folder is away, stops nobody else:
// its first pass that can recovers it.
func (c *Connector) recover(ctx context.Context) error {
	for _, name := range names(c.flows) {
		c.flows[name].place.prepare(ctx)
	}
	for _, name := range names(c.places) {
		c.places[name].prepare(ctx)
	}
	if err := c.tellTraces(ctx); err != nil {
		return err
	}
	if err := c.ingest.Recover(ctx, c.ingestFlows("")); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("recovery: %w", err)
		}
		c.tell("recovery", err)
	}
	if err := c.complete(ctx); err != nil && ctx.Err() == nil {
		c.tell(completePart, err)
	}
	for _, name := range names(c.outboxes) {
		if err := c.outboxes[name].Reconcile(ctx); err != nil {
			c.tell("outbox "+name, err)
		}
	}
	return nil
}

type namedPass struct {
	name string
	pass pass
	slow bool // woken by time alone
}

// loops are the loops of a service: one for each flow, three for each sender, one
// for each outbox, and the chores.
func (c *Connector) loops() []namedPass {
	var all []namedPass
	for _, name := range names(c.flows) {
		f := c.flows[name]
		all = append(all, namedPass{name: "flow " + name, pass: func(ctx context.Context) (time.Time, error) {
			report, err := c.take(ctx, f)
			return earliest(report.Next, c.opts.Clock().Add(f.cfg.Source.Poll)), err
		}})
	}
	for _, name := range names(c.senders) {
		s := c.senders[name]
		all = append(all,
			namedPass{name: "stream of " + name, pass: func(ctx context.Context) (time.Time, error) { return c.hear(ctx, s) }},
			namedPass{name: "sending of " + name, pass: func(ctx context.Context) (time.Time, error) { return c.send(ctx, s) }},
			namedPass{name: "documents of " + name, pass: func(ctx context.Context) (time.Time, error) { return c.fetch(ctx, s) }})
	}
	for _, name := range names(c.outboxes) {
		o := c.outboxes[name]
		all = append(all, namedPass{name: "outbox " + name, pass: func(ctx context.Context) (time.Time, error) {
			report, err := c.publish(ctx, name, o, false)
			return report.Next, err
		}})
	}
	return append(all,
		namedPass{name: "holds", pass: c.keepFrom(c.opts.Clock().Add(trialAtStart))},
		namedPass{name: "private copies", pass: c.tidy, slow: true},
		namedPass{name: "daily chores", pass: c.chores, slow: true})
}

// trialAtStart is how long after its start a service lets holds be that ended while
// it was not running: what they kept is tried first.
const trialAtStart = 30 * time.Second

// keepFrom is keep for a service; before start it only says what is held.
func (c *Connector) keepFrom(start time.Time) pass {
	return func(ctx context.Context) (time.Time, error) {
		if c.opts.Clock().Before(start) {
			return start, c.sayHolds(ctx)
		}
		return c.keep(ctx)
	}
}

// tidyPause is how often private copies are looked through, which reads much of the
// ledger.
const tidyPause = 15 * time.Minute

// tidy removes private copies that nothing needs any more (rule 24).
func (c *Connector) tidy(ctx context.Context) (time.Time, error) {
	_, err := c.ingest.FreeSpool(ctx)
	return c.opts.Clock().Add(tidyPause), err
}

// loop repeats a pass until ctx ends. An error is told once and tried again.
func (c *Connector) loop(ctx context.Context, name string, bell <-chan struct{}, do pass) {
	for ctx.Err() == nil {
		next, err := do(ctx)
		if ctx.Err() != nil {
			return
		}
		c.tell(name, c.clear(ctx, err))
		pause := c.opts.longest
		if !next.IsZero() {
			pause = next.Sub(c.opts.Clock())
			if bell != nil {
				pause = min(pause, c.opts.longest)
			}
		}
		wake := bell
		if err != nil { // no busy loop while other work goes on
			wake = nil
			if pause = max(pause, errorPause); next.IsZero() {
				pause = errorPause
			}
		}
		c.opts.Wait(ctx, max(pause, shortestPause), wake)
	}
}

// tell logs an error of a part once, and once that it is over.
func (c *Connector) tell(part string, err error) {
	text := ""
	if err != nil && !errors.Is(err, context.Canceled) && !c.spoken(part, err) {
		text = err.Error()
	}
	switch changed := c.notices.changed(part, passing.ReplaceAllString(text, "")); {
	case changed && text != "":
		c.opts.Log.Error("cannot go on; will try again", "part", part, "error", text)
	case changed:
		c.opts.Log.Info("all well again", "part", part)
	}
}

// forwardWakes rings the bells after every commit that made work due.
func (c *Connector) forwardWakes(ctx context.Context) {
	wake := c.ledger.Wake()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
			wake = c.ledger.Wake() // before ringing: a commit in between rings again
			c.bells.ring()
		}
	}
}

func (c *Connector) watch(ctx context.Context) {
	if err := c.ingest.Watch(ctx, c.ingestFlows(""), c.bells.ring); err != nil && ctx.Err() == nil {
		c.opts.Log.Warn("no file events; scanning alone finds new files", "error", err)
	}
}

// take scans one flow.
func (c *Connector) take(ctx context.Context, f *flow) (ingest.Report, error) {
	f.place.prepare(ctx)
	report, err := c.ingest.Pass(ctx, &f.Flow)
	p := c.folderProblem(f.place, report.Blind)
	return report, errors.Join(err, c.folderState(ctx, ledger.HoldSource, f.Name, p))
}

// hear reads the stream of a sender and asks what it has not told.
func (c *Connector) hear(ctx context.Context, s *sender) (time.Time, error) {
	if err := c.renewSecrets(ctx, s); err != nil {
		return time.Time{}, err
	}
	if again, err := c.begin(ctx, s); err != nil || !again.IsZero() {
		return c.withoutStream(ctx, s, again, err)
	}
	c.sayClock(s)
	stream, err := s.progress.ReadStream(ctx)
	if stream.Events > 0 {
		c.opts.Log.Info("heard", "sender", s.name, "events", stream.Events)
	}
	if err != nil {
		return stream.Next, err
	}
	lookups, err := s.progress.LookUps(ctx)
	return earliest(stream.Next, lookups.Next), err
}

// send sends what is due, but never before the stream that will tell of it exists.
func (c *Connector) send(ctx context.Context, s *sender) (time.Time, error) {
	if !s.ready.Load() {
		return time.Time{}, nil
	}
	report, err := s.submit.Pass(ctx)
	if report.Submitted+report.Adopted+report.Refused+report.Rejected > 0 {
		c.opts.Log.Info("sent", "sender", s.name, "submitted", report.Submitted, "found_at_send", report.Adopted, "refused", report.Refused+report.Rejected, "later", report.Later)
	}
	return report.Next, err
}

// fetch brings documents and prices.
func (c *Connector) fetch(ctx context.Context, s *sender) (time.Time, error) {
	documents, err := s.progress.Fetch(ctx)
	if documents.Fetched > 0 {
		c.opts.Log.Info("documents fetched", "sender", s.name, "documents", documents.Fetched)
	}
	if err != nil {
		return documents.Next, err
	}
	prices, err := s.progress.Prices(ctx)
	return earliest(documents.Next, prices.Next), err
}

// publish writes what is new into one outbox.
func (c *Connector) publish(ctx context.Context, name string, o *outbox.Outbox, flush bool) (outbox.Report, error) {
	state, err := c.outboxState(ctx, name, flush)
	if err != nil {
		return outbox.Report{}, err
	}
	at := c.places[name]
	at.prepare(ctx)
	report, err := o.Pass(ctx, state)
	p := c.folderProblem(at, err)
	err = errors.Join(err, c.folderState(ctx, ledger.HoldOutbox, name, p))
	if report.Documents+report.Outcomes+report.Updates+report.Costs > 0 {
		c.opts.Log.Info("published", "outbox", name, "outcome_files", report.Outcomes, "update_files", report.Updates, "cost_files", report.Costs, "documents", report.Documents)
	}
	return report, err
}

// holdsNow lists the holds in force.
func (c *Connector) holdsNow(ctx context.Context) ([]ledger.Hold, error) {
	var inForce []ledger.Hold
	now := c.opts.Clock()
	err := c.ledger.View(ctx, func(tx *ledger.Tx) error {
		all, err := tx.Holds()
		for _, h := range all {
			if h.InForce(now) {
				inForce = append(inForce, h)
			}
		}
		return err
	})
	return inForce, err
}
