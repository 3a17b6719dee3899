package ingest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// Pass looks at a drop once: it goes on with what is claimed, takes what is
// complete, and tells why the rest waits. A file that fails does not keep the
// others; its error is in the joined error, beside a report that is complete
// otherwise. Where nothing could be looked at, the report is Blind.
//
// A pass over files that wait writes nothing once their reasons are in the ledger.
func (i *Ingest) Pass(ctx context.Context, f *Flow) (Report, error) {
	st := i.state(f.Name)
	st.mu.Lock()
	defer st.mu.Unlock()
	p := &pass{
		i: i, f: f, st: st, report: Report{Flow: f.Name}, now: i.opts.Clock(),
		held: map[string]bool{}, exclusive: map[string]*File{}, left: map[string]int{},
	}
	if err := i.load(ctx, f, st); err != nil {
		return p.report, err
	}
	if !st.recovered {
		if p.report.Blind = i.recoverFlow(ctx, f, st); p.report.Blind != nil {
			return p.report, p.report.Blind
		}
	}
	st.pass++
	if p.report.Blind = p.run(ctx); p.report.Blind != nil {
		return p.report, errors.Join(append(p.faults, p.report.Blind)...)
	}
	if err := i.remembers(ctx, f, st, &p.report); err != nil {
		p.faults = append(p.faults, err)
	}
	st.forgetUnseen()
	st.waitMu.Lock()
	st.waiting = slices.Clone(p.report.Waiting)
	st.waitMu.Unlock()
	return p.report, errors.Join(p.faults...)
}

// pass is one look at a drop.
type pass struct {
	i      *Ingest
	f      *Flow
	st     *state
	now    time.Time
	report Report
	faults []error
	open   []*opened       // claims that have been read and are to be finished
	left   map[string]int  // files nobody takes, by reason
	held   map[string]bool // files in the drop that belong to a claim: they wait for it
	// exports of an exclusive drop that are claimed and lie there still, by name
	exclusive map[string]*File
}

// opened is a claim with its batch.
type opened struct {
	c *claim
	b *ledger.Batch
}

func (p *pass) run(ctx context.Context) error {
	own, foreign, faults := p.i.claims(ctx, p.f)
	p.report.Foreign = foreign
	if err := errors.Join(faults...); folder.Away(err) || ctx.Err() != nil {
		return err
	}
	p.faults = append(p.faults, faults...)
	p.damaged(faults)
	for _, c := range own {
		p.goOn(ctx, c)
	}
	view, err := p.i.scan(ctx, p.f, p.st, p.now)
	if err != nil {
		return err
	}
	verdicts, err := p.judge(ctx, view)
	if err != nil {
		return err
	}
	t := newTakes(p.f, verdicts, p.now)
	for _, o := range p.open {
		p.finish(ctx, o, t)
	}
	for _, v := range verdicts {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if v.ready {
			p.claim(ctx, view, v, t)
		} else {
			p.report.add(v.wait)
		}
	}
	p.releases(ctx, view)
	p.leftovers(view, verdicts)
	p.report.sort()
	return nil
}

// damaged shows the claims whose manifests are not ours to follow.
func (p *pass) damaged(faults []error) {
	for _, err := range faults {
		var e *claimError
		if !errors.As(err, &e) {
			continue
		}
		if w, ok := p.i.damaged(p.f, e.dir, e.err); ok {
			p.report.add(w)
		}
	}
}

// goOn advances a claim of an earlier pass or process.
func (p *pass) goOn(ctx context.Context, c *claim) *opened {
	for _, source := range c.sources() {
		p.held[strings.TrimPrefix(source, p.f.in()+"/")] = true
	}
	if c.Exclusive {
		p.exclusive[c.Name] = &c.Export
	}
	if w, ok := p.st.resting[c.Batch]; ok && p.now.Before(w.Next) {
		p.report.add(w)
		return nil
	}
	delete(p.st.resting, c.Batch)
	b, taken, err := p.i.advance(ctx, p.f, p.st, c)
	if taken != nil {
		p.report.Taken = append(p.report.Taken, *taken)
	}
	var wait *waitError
	switch {
	case errors.As(err, &wait):
		p.report.add(wait.Waiting)
	case err != nil:
		p.rest(c, err)
	case b != nil:
		o := &opened{c, b}
		p.open = append(p.open, o)
		return o
	}
	return nil
}

// rest lets a claim wait that failed, so that a full disk is not written to at every
// pass.
func (p *pass) rest(c *claim, err error) {
	p.faults = append(p.faults, fmt.Errorf("batch %s: %w", c.Batch, err))
	w := c.waiting(p.f, codeOf(err))
	w.Next = p.now.Add(retryAfter)
	p.st.resting[c.Batch] = w
	p.report.add(w)
}

// codeOf is what a clerk is told of an error with a file.
func codeOf(err error) string {
	switch {
	case errors.Is(err, folder.ErrBusy):
		return "C-FILE-BUSY"
	case errors.Is(err, folder.ErrFull):
		return "C-FILE-FULL"
	case errors.Is(err, folder.ErrVolume):
		return "C-FILE-VOLUME"
	case errors.Is(err, folder.ErrPermission):
		return "C-FILE-RIGHTS"
	}
	return "C-FILE-CHECK"
}

// sources are the files in the drop that belong to a claim.
func (c *claim) sources() []string {
	var all []string
	if c.Exclusive {
		all = append(all, c.Export.Source)
	}
	for n := range c.Documents {
		if d := &c.Documents[n]; d.Source != "" {
			all = append(all, d.Source)
		}
	}
	return all
}

// judge gives the verdict on every export, those that came first first.
func (p *pass) judge(ctx context.Context, view *view) ([]*verdict, error) {
	p.skipClaimed(view)
	since := func(name string) time.Time { return p.st.seen[view.prefix+name].since }
	slices.SortStableFunc(view.exports, func(a, b string) int {
		if c := since(a).Compare(since(b)); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	l := &locator{rome: p.i.rome, flow: p.f, view: view, st: p.st}
	var all []*verdict
	for _, name := range view.exports {
		v, err := p.i.judge(ctx, p.f, p.st, l, name)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			p.faults = append(p.faults, err)
			if v.wait.Code == "" {
				v.ready = false
				v.hold(p.f, "C-FILE-CHECK", p.now.Add(retryAfter))
			}
		}
		all = append(all, &v)
	}
	return all, nil
}

// skipClaimed leaves out exports of an exclusive drop that are claimed and lie there
// still, as long as they are the bytes that were claimed.
func (p *pass) skipClaimed(view *view) {
	view.exports = slices.DeleteFunc(view.exports, func(name string) bool {
		file, e := p.exclusive[name], view.files[name]
		return file != nil && file.Size == e.Size && file.Modified.Equal(e.Modified)
	})
}

// claim takes an export and carries it as far as it goes.
func (p *pass) claim(ctx context.Context, view *view, v *verdict, t *takes) {
	c, err := p.i.take(ctx, p.f, v, view.done[v.name])
	if err != nil {
		p.refused(ctx, v, err)
		return
	}
	t.claimed(v)
	delete(p.st.needs, v.entry.Name)
	if o := p.goOn(ctx, c); o != nil {
		p.finish(ctx, o, t)
	}
}

// refused lets an export wait that could not be claimed.
func (p *pass) refused(ctx context.Context, v *verdict, err error) {
	if errors.Is(err, errGone) {
		return
	}
	s := p.st.seen[v.entry.Name]
	if errors.Is(err, errChanged) {
		v.hold(p.f, "C-FILE-SETTLING", p.now.Add(p.f.Settle), "settle", p.f.Settle.String())
		v.wait.settling = true
		p.report.add(v.wait)
		return
	}
	code := codeOf(err)
	s.block(code, p.now)
	v.hold(p.f, code, s.until)
	p.report.add(v.wait)
	if code != "C-FILE-BUSY" && ctx.Err() == nil {
		p.faults = append(p.faults, err)
	}
}

func (p *pass) finish(ctx context.Context, o *opened, t *takes) {
	pending, err := p.i.finish(ctx, p.f, o.c, o.b, t)
	if err != nil {
		p.rest(o.c, err)
		return
	}
	for _, w := range pending {
		if s := p.st.seen[path.Join(p.f.in(), w.File)]; s != nil {
			w.Since, w.first, w.size, w.modified = s.since, s.first, s.size, s.modified
		}
		p.report.add(w)
	}
}
