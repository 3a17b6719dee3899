package connector

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
	"sendconnector/internal/submit"
)

// recall asks SEND, while a ledger is rebuilt, what became of every key that the
// batches bring (rule 16). It is used by one goroutine; the look-ups of a chunk run
// side by side.
type recall struct {
	c      *Connector
	chains map[ledger.Key]submit.Chain // of the batch that is being read
	absent map[ledger.Key]bool         // keys of which SEND has nothing
	rivals map[ledger.Key][]*rival     // what all the batches have, and not only the one that is read
	yields map[ledger.Key]string       // keys of which a batch has left to another what SEND has
	report *RebuildReport
	tries  int // of a look-up that SEND cannot answer
}

// recallKey carries a recall to the reading of old batches and to no other.
type recallKey struct{}

func newRecall(c *Connector, report *RebuildReport) *recall {
	return &recall{
		c: c, chains: map[ledger.Key]submit.Chain{}, absent: map[ledger.Key]bool{}, report: report, tries: recallTries,
		rivals: map[ledger.Key][]*rival{}, yields: map[ledger.Key]string{},
	}
}

// with gives a context under which every row that is read is asked for first.
func (r *recall) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, recallKey{}, r)
}

func recallOf(ctx context.Context) *recall {
	r, _ := ctx.Value(recallKey{}).(*recall)
	return r
}

// recallLookups is how many look-ups run side by side; the limiter of the key counts
// them as those of a person who waits.
const recallLookups = 8

// before takes the errors from items that SEND is found to have: they were sound when
// they were sent, and today's rules, or a document missing from the archive, must not
// make them free again. An item that another batch has better (outdone) is not what was
// sent, and stays or becomes rejected.
func (r *recall) before(ctx context.Context, f *flow, batch string, items []ledger.Item) error {
	var keys []ledger.Key
	err := r.c.ledger.View(ctx, func(tx *ledger.Tx) error {
		keys = nil
		for i := range items {
			if items[i].Request == nil || items[i].Protocol == "" {
				continue
			}
			k := f.sender.key(items[i].Protocol)
			n, err := tx.ByKey(k)
			if err != nil && !errors.Is(err, ledger.ErrNotFound) {
				return err
			}
			if n == nil || err != nil || !n.State.Taken() {
				keys = append(keys, k)
			}
		}
		return nil
	})
	if err == nil {
		err = r.look(ctx, f.sender, keys)
	}
	if err != nil {
		return err
	}
	for i := range items {
		it := &items[i]
		if it.Request == nil {
			continue
		}
		k := f.sender.key(it.Protocol)
		n := &ledger.Notification{Key: k, Attempt: 1, Request: it.Request, Documents: it.Documents}
		at := r.chains[k].Holds(n)
		if at == 0 {
			continue
		}
		if r.outdone(k, batch, it, at) {
			r.yields[k] = batch
			if !faulty(it) {
				it.Problems = append(it.Problems, notification.New(f.lang, "C-PROTOCOL-REUSED", "paProtocolNumber",
					"difference", r.chains[k].Differences(at, n, f.lang)))
			}
			continue
		}
		it.AllowShrink = true
		it.Problems = warningsOf(it.Problems)
		for n := range it.Rows {
			it.Rows[n].Problems = warningsOf(it.Rows[n].Problems)
		}
	}
	return nil
}

func warningsOf(all []notification.Problem) []notification.Problem {
	return slices.DeleteFunc(slices.Clone(all), func(p notification.Problem) bool { return p.Severity != notification.Warning })
}

// look asks for the chains of keys that have not been asked for.
func (r *recall) look(ctx context.Context, s *sender, keys []ledger.Key) error {
	ctx, cancel := context.WithCancelCause(send.WithPriority(ctx, send.PriorityLookup))
	defer cancel(nil)
	var group sync.WaitGroup
	var mu sync.Mutex // guards chains and absent
	places := make(chan struct{}, recallLookups)
	asked := map[ledger.Key]bool{}
	for _, k := range keys {
		mu.Lock()
		known := r.absent[k] || r.chains[k] != nil || asked[k]
		mu.Unlock()
		if known || ctx.Err() != nil {
			continue
		}
		asked[k] = true
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			chain, err := r.chain(ctx, s, k)
			if err != nil {
				cancel(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if len(chain) == 0 {
				r.absent[k] = true
			} else {
				r.chains[k] = chain
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// recallTries is how often a look-up is tried that SEND could not answer.
const recallTries = 6

func (r *recall) chain(ctx context.Context, s *sender, k ledger.Key) (submit.Chain, error) {
	for try := 1; ; try++ {
		chain, err := s.submit.Chain(ctx, k.Protocol, k.SenderTaxID)
		class := send.ClassOf(err)
		if err == nil || try == r.tries || ctx.Err() != nil || class != send.Transient && class != send.Unknown {
			return chain, err
		}
		r.c.opts.Wait(ctx, time.Second<<try, nil)
	}
}

// Settle finds at SEND what a batch has just brought, and leaves the gate shut where
// something of it is not there: nobody knows whether that was yet to be sent or had
// been given up, so a person must say. It may be repeated.
func (r *recall) Settle(ctx context.Context, batch string) error {
	left, err := r.find(ctx, batch)
	if err != nil {
		return err
	}
	return r.gate(ctx, batch, left, "C-RELEASE-REBUILT")
}

// settleRestored is Settle for a batch that a restored ledger was going to send, or that
// waited already, for the reason that it keeps.
func (r *recall) settleRestored(ctx context.Context, b *ledger.Batch) error {
	left, err := r.find(ctx, b.ID)
	if err != nil {
		return err
	}
	return r.gate(ctx, b.ID, left, b.ReleaseWhy)
}

// find brings what would be sent of a batch to where SEND has it, and counts what SEND
// does not know.
func (r *recall) find(ctx context.Context, batch string) (left int, err error) {
	all, err := r.open(ctx, batch)
	if err != nil {
		return 0, err
	}
	for _, n := range all {
		if err := r.settleOne(ctx, n); err != nil {
			return 0, err
		}
	}
	asked := len(all)
	if all, err = r.open(ctx, batch); err != nil {
		return 0, err
	}
	r.report.Found += asked - len(all)
	clear(r.chains)
	return len(all), nil
}

// gate opens the release gate of a batch of which nothing is left to send, and says
// why where it stays shut. What a person has released or discarded meanwhile is left
// as the person wants it.
func (r *recall) gate(ctx context.Context, batch string, left int, why string) error {
	waits := false
	err := r.c.ledger.Update(ctx, func(tx *ledger.Tx) error {
		b, err := tx.Batch(batch)
		waits = err == nil && b.Release == ledger.AwaitsRelease
		if err != nil || !waits {
			return err
		}
		if b.ReleaseWhy = why; left == 0 {
			b.Release, b.ReleaseAt, b.ReleaseWhy = ledger.Released, time.Time{}, ""
		}
		return tx.PutBatch(b)
	})
	if err == nil && waits && left > 0 {
		r.report.Unknown += left
		r.report.Awaiting = append(r.report.Awaiting, batch)
	}
	return err
}

// open lists what of a batch would be sent if its gate were open: what it owns, and
// its requests that wait behind a refused attempt, which come last.
func (r *recall) open(ctx context.Context, batch string) (all []*ledger.Notification, err error) {
	var waiting []*ledger.Notification
	err = r.c.ledger.View(ctx, func(tx *ledger.Tx) error {
		all, waiting = nil, nil
		seen := map[ledger.ID]bool{}
		var fault error
		err := tx.Rows(batch, func(row *ledger.Row) bool {
			if row.Outcome != ledger.RowLinked || seen[row.ID] {
				return true
			}
			seen[row.ID] = true
			n, err := tx.Notification(row.ID)
			switch {
			case err != nil:
				fault = err
			case n.Pending != nil && n.Pending.Batch == batch:
				waiting = append(waiting, n)
			case n.OwnerBatch == batch && n.State.Unanswered():
				all = append(all, n)
			}
			return fault == nil
		})
		return errors.Join(err, fault)
	})
	return append(all, waiting...), err
}

// settleOne follows one notification through the attempts that SEND has.
func (r *recall) settleOne(ctx context.Context, n *ledger.Notification) error {
	s := r.c.senders[n.Sender]
	if s == nil {
		return nil // a sender of before; its batch waits
	}
	if err := r.look(ctx, s, []ledger.Key{n.Key}); err != nil {
		return err
	}
	chain := r.chains[n.Key]
	if n.Pending != nil {
		if len(chain) <= n.Attempt {
			return nil // SEND has nothing after the refused attempt
		}
		if err := s.submit.RecallWaiting(ctx, n.ID); err != nil {
			return err
		}
	}
	return s.submit.Recall(ctx, n.ID, chain)
}
