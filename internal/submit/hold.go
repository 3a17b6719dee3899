package submit

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

const (
	// reasonNotVisible is the hold of rule 15 (b): SEND says that our token is taken
	// and shows us nothing. Only another group or key can mend it.
	reasonNotVisible = "not-visible"

	notVisibleAgain = 24 * time.Hour

	// failuresToRest is how many calls in a row must fail before the whole sender
	// rests: a queue of thousands must not knock one by one at a closed door.
	failuresToRest = 5
)

// run is one Resolve or Pass: what its workers share.
type run struct {
	s        *Submitter
	preload  *preloader
	lookOnly bool // Resolve: nothing is posted
	held     atomic.Bool
	stop     atomic.Bool
	failures atomic.Int32

	mu     sync.Mutex
	report Report
}

func (r *run) count(change func(*Report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.report)
}

// dead reports whether a Step or the ledger stopped this run: nothing more is
// written, as after a crash.
func (r *run) dead() bool { return r.stop.Load() }

// failure counts a call that got no useful answer and lets the sender rest when
// there are too many in a row.
func (r *run) failure(ctx context.Context, e *send.Error) {
	if r.failures.Add(1) < failuresToRest || !r.held.CompareAndSwap(false, true) {
		return
	}
	r.s.mu.Lock()
	rests := r.s.rests
	r.s.rests++
	r.s.mu.Unlock()
	now := r.s.o.Clock()
	until := now.Add(max(unreachableFor(rests, r.s.o.Jitter()), e.RetryAfter))
	r.s.o.Log.Info("SEND does not answer, the sender rests", "sender", r.s.o.Sender, "until", until, "last", e.Brief())
	r.putHold(ctx, ledger.Hold{
		Scope: ledger.HoldSender, Name: r.s.o.Sender, Reason: send.HeldUnreachable,
		Detail: notification.New(r.s.o.Language, "C-SEND-UNREACHABLE", "", "detail", e.Brief()).Message, Since: now, Until: until, Deaf: true,
	})
}

// putHold writes a hold of the whole sender. A failure of the ledger shows itself
// again at the next commit, which ends the run.
func (r *run) putHold(ctx context.Context, h ledger.Hold) {
	if r.dead() {
		return
	}
	err := r.s.o.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error { return tx.ExtendHold(h) })
	if err != nil {
		r.s.o.Log.Error("a hold could not be stored", "sender", h.Name, "error", err)
	}
}

// reached notes that SEND answered.
func (r *run) reached() {
	r.failures.Store(0)
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.rests = 0
}

// held stores what the sender or the platform must change. The notification's
// state stays as it is (rule 13); only a group that SEND does not know is a matter
// of the single notification.
func (w *work) held(ctx context.Context, e *send.Error, docs []ledger.Document) error {
	if e.Reason == send.HeldGroup {
		return w.holdNotification(ctx, e.Reason, w.problem("C-SEND-GROUP", "group"), docs, heldFor(e))
	}
	now := w.s.o.Clock()
	if w.run.held.CompareAndSwap(false, true) {
		w.s.o.Log.Info("SEND holds the sender", "sender", w.s.o.Sender, "reason", e.Reason, "trace", e.TraceID)
		w.run.putHold(ctx, ledger.Hold{
			Scope: ledger.HoldSender, Name: w.s.o.Sender, Reason: e.Reason,
			Detail: notification.Held(w.s.o.Language, e.Reason, e.Skew).Message, Since: now, Until: now.Add(heldFor(e)), Deaf: e.Deaf(),
		})
	}
	if docs == nil {
		return nil
	}
	return w.put(ctx, func(n *ledger.Notification) { n.Documents = docs })
}

// holdNotification holds this one notification, with the time of the next try by
// itself.
func (w *work) holdNotification(ctx context.Context, reason string, why notification.Problem, docs []ledger.Document, again time.Duration) error {
	w.run.count(func(r *Report) { r.Held++ })
	now := w.s.o.Clock()
	w.s.o.Log.Warn("notification held", "notification", w.n.ID, "reason", reason)
	return w.commit(context.WithoutCancel(ctx), func(tx *ledger.Tx, n *ledger.Notification) error {
		if docs != nil {
			n.Documents = docs
		}
		n.LastError, n.NextAttempt = &why, now.Add(again)
		n.Tries++
		hold := ledger.Hold{
			Scope: ledger.HoldNotification, Name: holdName(n.ID),
			Reason: reason, Detail: why.Message, Since: now, Until: now.Add(again),
		}
		if err := tx.PutHold(hold); err != nil {
			return err
		}
		return tx.PutNotification(n)
	})
}

func holdName(id ledger.ID) string { return strconv.FormatUint(uint64(id), 10) }
