package connector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sendconnector/internal/ingest"
	"sendconnector/internal/ledger"
)

// Goals of `once --until`.
const (
	UntilSubmitted = "submitted"
	UntilAccepted  = "accepted"
	UntilFinal     = "final"
)

// OnceOptions say what one pass shall do.
type OnceOptions struct {
	Flow     string        // take files of this flow only; "" = all
	Until    string        // "" = one pass; else keep passing until the batches taken got that far
	Timeout  time.Duration // 0 = none
	Progress func(Tally)   // called after every round; may be nil
}

// Tally is how far the batches of a pass have got.
type Tally struct {
	Batches int
	ByState map[ledger.State]int
	Goal    int // notifications that have reached the goal
	Total   int
}

// Summary is what one pass did.
type Summary struct {
	Batches  []string      `json:"batches"`            // taken in this pass
	Files    []string      `json:"unreadable"`         // whole files rejected in this pass
	Rejected int           `json:"rejected"`           // rows rejected here
	Refused  int           `json:"refused"`            // notifications refused by SEND, or refusals repeated
	Holds    []ledger.Hold `json:"holds"`              // in force at the end
	Awaiting []string      `json:"await_release"`      // batches that wait for release
	Waiting  []Waits       `json:"waiting"`            // files left in in/, each with its reason
	Failures []string      `json:"failures"`           // parts that could not go on, each with its reason
	Restored bool          `json:"restored,omitempty"` // the ledger was an older one, and SEND was asked for what it lacked
	TimedOut bool          `json:"timed_out"`
	Exit     int           `json:"exit"`
}

// Waits is a file that was left, and why.
type Waits struct {
	Flow string `json:"flow"`
	File string `json:"file"`
	Why  string `json:"why"`
}

// once is one run of Once.
type once struct {
	c       *Connector
	o       OnceOptions
	batches []string
	summary Summary
	faults  map[string]error   // of the last round
	waiting map[string][]Waits // by flow, as its last scan left it
}

// Once does one pass: takes what is settled, sends what is due, reads what is new,
// publishes. With a goal it keeps passing until every notification of the batches it
// took has got that far, is refused, held or awaits release, or time runs out.
// Failures of single parts do not stop the others; they are in the summary.
func (c *Connector) Once(ctx context.Context, o OnceOptions) (Summary, error) {
	if o.Flow != "" && c.flows[o.Flow] == nil {
		return Summary{}, usage("there is no flow %q", o.Flow)
	}
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, errTimeout)
		defer cancel()
	}
	c.stopped.Store(false)
	run := &once{c: c, o: o, waiting: map[string][]Waits{}}
	restored, err := c.ledger.Behind(ctx)
	run.summary.Restored = restored
	if err == nil {
		err = c.recover(ctx)
	}
	if err == nil {
		err = run.rounds(ctx)
	}
	if errors.Is(context.Cause(ctx), errTimeout) {
		run.summary.TimedOut, err = true, nil
		ctx = context.WithoutCancel(ctx)
		run.publish(ctx) // what was learnt before the time ran out
	}
	if err != nil {
		return run.summary, c.clear(ctx, err)
	}
	summary, err := run.finish(ctx)
	return summary, c.clear(ctx, err)
}

var errTimeout = errors.New("--timeout ran out")

// rounds repeats rounds until nothing more is to be done in this pass.
func (r *once) rounds(ctx context.Context) error {
	var settleBy time.Time
	for {
		wake := r.c.ledger.Wake()
		next, settling, err := r.round(ctx)
		if err != nil {
			return err
		}
		done, err := r.reached(ctx)
		if err != nil {
			return err
		}
		now := r.c.opts.Clock()
		if settling > 0 && settleBy.IsZero() {
			settleBy = now.Add(2 * settling)
		}
		stay := settling > 0 && now.Before(settleBy) // rule 27
		due := !next.IsZero() && !next.After(now)
		if !stay && (r.o.Until == "" && !due || r.o.Until != "" && done) {
			return nil
		}
		pause := longestPause
		if !next.IsZero() {
			pause = min(pause, next.Sub(now))
		}
		if len(r.faults) > 0 {
			pause = max(pause, errorPause)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.c.opts.Wait(ctx, max(pause, shortestPause), wake)
	}
}

// round asks every stage once and tells when the next thing is due; settling is the
// settle time of a flow whose files are still settling.
func (r *once) round(ctx context.Context) (next time.Time, settling time.Duration, err error) {
	r.faults = map[string]error{}
	for _, name := range names(r.c.flows) {
		f := r.c.flows[name]
		if r.o.Flow != "" && name != r.o.Flow {
			continue
		}
		report, err := r.c.take(ctx, f)
		r.note(report)
		r.fault(ctx, "flow "+name, err)
		if report.Settling > 0 {
			settling = max(settling, f.Settle)
			next = earliest(next, report.Next)
		}
	}
	for _, name := range names(r.c.senders) {
		s := r.c.senders[name]
		for _, w := range []struct {
			part string
			do   func(context.Context, *sender) (time.Time, error)
		}{{"stream of ", r.c.hear}, {"sending of ", r.c.send}, {"documents of ", r.c.fetch}} {
			at, err := w.do(ctx, s)
			r.fault(ctx, w.part+name, err)
			next = earliest(next, at)
		}
	}
	_, err = r.c.keep(ctx)
	r.fault(ctx, "holds", err)
	r.publish(ctx)
	return next, settling, ctx.Err()
}

// publish writes what is new into every outbox.
func (r *once) publish(ctx context.Context) {
	for _, name := range names(r.c.outboxes) {
		_, err := r.c.publish(ctx, name, r.c.outboxes[name], true)
		r.fault(ctx, "outbox "+name, err)
	}
}

// fault remembers that a part could not go on; that time ran out is no fault of its.
func (r *once) fault(ctx context.Context, part string, err error) {
	if ctx.Err() != nil {
		return
	}
	err = r.c.clear(ctx, err)
	r.c.tell(part, err)
	if err != nil {
		r.faults[part] = err
	}
}

// note remembers what a scan took.
func (r *once) note(report ingest.Report) {
	for _, t := range report.Taken {
		if t.State == ledger.Sealed {
			r.batches = append(r.batches, t.Batch)
		} else {
			r.summary.Files = append(r.summary.Files, t.File)
		}
	}
	r.waiting[report.Flow] = nil
	for _, w := range report.Waiting {
		r.waiting[report.Flow] = append(r.waiting[report.Flow], Waits{Flow: report.Flow, File: w.File, Why: w.Code + ": " + w.Text})
	}
}

// reached reports whether the batches taken are as far as asked for.
func (r *once) reached(ctx context.Context) (bool, error) {
	tally := Tally{Batches: len(r.batches), ByState: map[ledger.State]int{}}
	err := r.c.ledger.View(ctx, func(tx *ledger.Tx) error {
		holds, err := tx.Holds()
		if err != nil {
			return err
		}
		for _, id := range r.batches {
			b, err := tx.Batch(id)
			if err != nil {
				return err
			}
			waits := b.Release == ledger.AwaitsRelease
			err = tx.Notifications(id, func(n *ledger.Notification) bool {
				tally.Total++
				tally.ByState[n.State]++
				if waits || len(holds) > 0 && heldNow(tx, n) || r.there(n) {
					tally.Goal++
				}
				return true
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && r.o.Progress != nil {
		r.o.Progress(tally)
	}
	return tally.Goal == tally.Total, err
}

func heldNow(tx *ledger.Tx, n *ledger.Notification) bool {
	hold, err := tx.HeldBy(n)
	return err == nil && hold != nil
}

// there reports whether a notification is as far as asked for, or can get no
// further.
func (r *once) there(n *ledger.Notification) bool {
	switch n.State {
	case ledger.RefusedAtOnce, ledger.Cancelled, ledger.Discarded:
		return true
	case ledger.Refused:
		return n.Pending == nil && !n.AutomaticDue()
	case ledger.Accepted:
		return r.o.Until != UntilFinal || n.Closed
	case ledger.Submitted:
		return r.o.Until == UntilSubmitted
	default:
		return false
	}
}

// finish counts what this pass decided and gives the exit code.
func (r *once) finish(ctx context.Context) (Summary, error) {
	s := &r.summary
	s.Batches = r.batches
	for _, flow := range names(r.waiting) {
		s.Waiting = append(s.Waiting, r.waiting[flow]...)
	}
	_, err := r.c.tidy(ctx)
	r.fault(ctx, "private copies", err)
	_, err = r.c.backup(ctx)
	r.fault(ctx, backupPart, err)
	_, err = r.c.purge(ctx)
	r.fault(ctx, purgePart, err)
	err = r.c.ledger.View(ctx, func(tx *ledger.Tx) error {
		for _, id := range r.batches {
			if err := r.count(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return *s, err
	}
	if s.Holds, err = r.c.holdsNow(ctx); err != nil {
		return *s, err
	}
	codes := []int{ExitOK}
	for part, err := range r.faults {
		s.Failures = append(s.Failures, part+": "+strings.TrimPrefix(err.Error(), part+": "))
		codes = append(codes, faultExit(err))
	}
	slices.Sort(s.Failures)
	for _, h := range s.Holds {
		codes = append(codes, folderExit(h.Reason))
	}
	if len(s.Awaiting) > 0 && r.o.Until != "" {
		codes = append(codes, ExitHeld)
	}
	if s.TimedOut {
		codes = append(codes, ExitTimeout)
	}
	if s.Rejected+s.Refused+len(s.Files) > 0 {
		codes = append(codes, ExitRejected)
	}
	s.Exit = Worst(codes...)
	r.c.sayStopped(ctx)
	return *s, nil
}

func (r *once) count(tx *ledger.Tx, id string) error {
	b, err := tx.Batch(id)
	if err != nil {
		return err
	}
	if b.Release == ledger.AwaitsRelease {
		r.summary.Awaiting = append(r.summary.Awaiting, fmt.Sprintf("%s (%s)", b.ID, b.File))
	}
	return tx.Rows(id, func(row *ledger.Row) bool {
		switch row.Outcome {
		case ledger.RowRejected:
			r.summary.Rejected++
		case ledger.RowRefused:
			r.summary.Refused++
		case ledger.RowLinked:
			if n, err := tx.Notification(row.ID); err == nil && (n.State == ledger.Refused || n.State == ledger.RefusedAtOnce) {
				r.summary.Refused++
			}
		case ledger.RowKnown:
		}
		return true
	})
}
