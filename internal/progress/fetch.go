package progress

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// Fetch brings the documents that events promised into the spool: address, bytes,
// check, commit (rule 29; outbox puts them into folders). Those that SEND has to
// bring back from cold storage are asked for again when it says. One document that
// does not come never stops the others.
func (p *Progress) Fetch(ctx context.Context) (Report, error) {
	f := &fetching{asking: asking{p: p}}
	for ctx.Err() == nil && !f.stopped() {
		list, err := p.o.Ledger.DueArtifacts(ctx, p.o.Sender, askLimit)
		if err != nil || len(list) == 0 {
			return f.report, endOf(ctx, err)
		}
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(p.o.Downloads)
		for _, a := range list {
			g.Go(func() error {
				if f.stopped() || gctx.Err() != nil {
					p.o.Ledger.DoneArtifacts(a)
					return nil //nolint:nilerr // told to stop: it is fetched again
				}
				err := f.one(gctx, a)
				p.o.Ledger.DoneArtifacts(a)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return f.report, endOf(ctx, err)
		}
	}
	return f.report, nil
}

// fetching is one call of Fetch.
type fetching struct {
	asking
	folders sync.Map // notification folders known to exist
}

// errDocument is a document whose bytes are not what SEND announced.
type errDocument struct{ what string }

func (e *errDocument) Error() string { return "progress: document: " + e.what }

// one fetches one document.
func (f *fetching) one(ctx context.Context, a *ledger.Artifact) error {
	n, err := f.notification(ctx, a.ID)
	if err != nil {
		return err
	}
	iun := first(iunOf(a.ElementID), n.IUN)
	if iun == "" {
		return f.later(ctx, a, &errDocument{"the notification has no IUN yet"}, time.Minute)
	}
	if err := f.p.step(BeforeDownload); err != nil {
		return err
	}
	got, again, err := f.bring(ctx, a, iun)
	if stop := f.p.step(AfterDownload); stop != nil {
		return stop
	}
	switch {
	case err != nil:
		return f.failed(ctx, a, err)
	case again > 0:
		return f.put(ctx, a, func(a *ledger.Artifact) {
			a.NextAttempt, a.LastError = f.p.o.Clock().Add(again), ""
		})
	}
	f.p.reached()
	f.count(func(r *Report) { r.Fetched++ })
	return f.put(ctx, a, func(a *ledger.Artifact) {
		*a = got
		a.State, a.FetchedAt, a.NextAttempt, a.Tries, a.LastError = ledger.Fetched, f.p.o.Clock(), time.Time{}, 0, ""
	})
}

// bring asks where the document is and, if SEND has it at hand, copies it into the
// spool. The address is used at once and never stored: it is good for an hour.
func (f *fetching) bring(ctx context.Context, a *ledger.Artifact, iun string) (got ledger.Artifact, again time.Duration, err error) {
	for try := 1; ; try++ {
		d, err := f.p.o.Client.LegalFact(ctx, iun, a.Key)
		if err != nil {
			return got, 0, err
		}
		if d.URL == "" {
			return got, max(d.RetryAfter, time.Second), nil
		}
		got, err = f.download(ctx, a, d)
		if send.ClassOf(err) != send.Expired || try == 3 {
			return got, 0, err
		}
	}
}

func (f *fetching) notification(ctx context.Context, id ledger.ID) (*ledger.Notification, error) {
	var n *ledger.Notification
	err := f.p.o.Ledger.View(ctx, func(tx *ledger.Tx) error {
		var err error
		n, err = tx.Notification(id)
		return err
	})
	return n, err
}

// iunOf reads the IUN from an element id, so that a document of an earlier attempt
// is asked for under its own notification.
func iunOf(elementID string) string {
	_, rest, ok := strings.Cut(elementID, ".IUN_")
	if !ok {
		return ""
	}
	iun, _, _ := strings.Cut(rest, ".")
	if len(iun) != 25 {
		return ""
	}
	return iun
}

// put changes the present record of a document that is still wanted.
func (f *fetching) put(ctx context.Context, a *ledger.Artifact, change func(*ledger.Artifact)) error {
	return f.p.o.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
		cur, err := tx.Artifact(a.ID, a.Key)
		if err != nil || cur.State != ledger.Wanted {
			return err
		}
		change(cur)
		return tx.PutArtifact(cur)
	})
}

// failed decides what a document that did not come means.
func (f *fetching) failed(ctx context.Context, a *ledger.Artifact, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // told to stop: it is fetched again
	}
	var e *send.Error
	var bad *errDocument
	switch {
	case errors.As(err, &bad):
		f.p.o.Log.Warn("document not as announced", "notification", a.ID, "category", a.Category, "what", bad.what)
		return f.later(ctx, a, err, 0)
	case !errors.As(err, &e):
		return err // the spool: nothing can be fetched
	}
	switch e.Class {
	case send.Held:
		f.mu.Lock()
		f.stop = true
		f.mu.Unlock()
		return f.p.hold(ctx, e)
	case send.Rejected:
		if gone(e) {
			return f.put(ctx, a, func(a *ledger.Artifact) { a.State, a.LastError = ledger.Gone, e.Brief() })
		}
	case send.NotFound, send.Fatal, send.Expired:
	default:
		if f.p.failed(ctx, e) {
			f.mu.Lock()
			f.stop = true
			f.mu.Unlock()
		}
	}
	return f.later(ctx, a, errors.New(e.Brief()), e.RetryAfter)
}

// gone reports whether SEND says that a document exists no more.
func gone(e *send.Error) bool {
	for _, d := range e.Details {
		if strings.HasSuffix(d.Code, "_FILE_GONE") {
			return true
		}
	}
	return false
}

// later stores the next try. A document that an event promised is asked for, ever
// more rarely, until it comes or SEND says that it will not.
func (f *fetching) later(ctx context.Context, a *ledger.Artifact, why error, asked time.Duration) error {
	f.count(func(r *Report) { r.Later++ })
	return f.put(ctx, a, func(a *ledger.Artifact) {
		a.Tries++
		a.LastError = why.Error()
		a.NextAttempt = f.p.o.Clock().Add(fetchAgain(a.Tries, asked, f.p.o.Jitter()))
	})
}

// fetchAgain is the delay after the given number of downloads in vain: an event may
// be a few seconds ahead of its document, and a lost one comes back after days.
func fetchAgain(tries int, asked time.Duration, jitter float64) time.Duration {
	steps := []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour}
	d := max(steps[min(max(tries, 1), len(steps))-1], asked)
	return d + time.Duration(jitter*float64(d)/5)
}
