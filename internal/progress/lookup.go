package progress

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

const (
	// acceptancePace is how often an outcome that is late is asked for (rule 23).
	acceptancePace = time.Hour
	// acceptanceAlarm is when a missing outcome becomes an alarm: SEND promises it
	// within a day.
	acceptanceAlarm = 24 * time.Hour
)

// LookUps asks SEND about what events did not tell: requests without an outcome
// whose time has come, adopted and corrected notifications, those silent for too
// long, and, in a sweep, every open one and after a restore every one. It asks nothing that is known, and at most
// PerCall look-ups of a sweep; Report.More says that the sweep goes on.
func (p *Progress) LookUps(ctx context.Context) (Report, error) {
	a := &asking{p: p}
	err := p.sweep(ctx, a) // first: whom it asked about is silent no more
	if err == nil && !a.stopped() {
		err = a.due(ctx, func(n *ledger.Notification) bool { return p.mustLook(n) }, p.look)
	}
	if err == nil && !a.stopped() {
		err = p.sweepOver(ctx, a)
	}
	if a.report.More {
		a.report.Next = p.o.Clock()
	}
	return a.report, endOf(ctx, err)
}

// endOf drops the error of a context that ended: what was not asked is asked again.
func endOf(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return unstep(err)
}

// mustLook reports whether a due notification is to be looked up (the others are
// due for their cost).
func (p *Progress) mustLook(n *ledger.Notification) bool {
	switch n.State {
	case ledger.Submitted:
		return true
	case ledger.Accepted, ledger.Cancelled:
		now := p.o.Clock()
		silent := !now.Before(n.LastEventAt.Add(p.o.Silence)) || n.LastEventAt.After(now.Add(ledger.LongestWait))
		return owed(n) || !final(n) && silent // heard of in the future: nobody knows when that was
	}
	return false
}

// look makes the look-up that a notification needs.
func (p *Progress) look(ctx context.Context, a *asking, n *ledger.Notification) error {
	a.count(func(r *Report) { r.Asked++ })
	if n.State == ledger.Submitted || n.IUN == "" {
		return p.lookAtRequest(ctx, a, n)
	}
	return p.lookAtSent(ctx, a, n)
}

// lookAtRequest asks for the outcome of a request (rule 23).
func (p *Progress) lookAtRequest(ctx context.Context, a *asking, n *ledger.Notification) error {
	if err := p.step(BeforeLookup); err != nil {
		return err
	}
	st, err := p.o.Client.StatusByID(ctx, n.RequestID)
	if stop := p.step(AfterLookup); stop != nil {
		return stop
	}
	if err != nil {
		return p.notAnswered(ctx, a, n, err)
	}
	p.reached()
	switch st.Status {
	case send.Refused:
		return p.change(ctx, n.ID, func(_ *ledger.Tx, n *ledger.Notification) error {
			p.refuse(n, st.Errors)
			return nil
		})
	case send.Accepted:
		return p.accept(ctx, a, n, st.IUN)
	}
	return p.change(ctx, n.ID, func(_ *ledger.Tx, n *ledger.Notification) error {
		if n.State == ledger.Submitted {
			p.stillWaiting(a, n, time.Duration(st.RetryAfter)*time.Second)
		}
		return nil
	})
}

// refuse records SEND's refusal as a look-up tells it.
func (p *Progress) refuse(n *ledger.Notification, errs []send.Refusal) {
	if n.State != ledger.Submitted {
		return
	}
	n.State, n.Refusals = ledger.Refused, nil
	n.CostOfRefusal(0, p.o.RefusalFee)
	for _, e := range errs {
		n.Refusals = append(n.Refusals, p.refusal(e.Code, e.Element, e.Detail, e.RecIndex))
	}
	n.NextAttempt, n.Tries, n.LastError = time.Time{}, 0, nil
	n.LastEventAt = p.o.Clock()
}

// accept records an acceptance that no event told of, and reads the notification:
// what else was missed stands there.
func (p *Progress) accept(ctx context.Context, a *asking, n *ledger.Notification, iun string) error {
	var now *ledger.Notification
	err := p.change(ctx, n.ID, func(_ *ledger.Tx, n *ledger.Notification) error {
		now = n
		n.IUN = first(n.IUN, iun)
		if n.State == ledger.Submitted {
			n.State, n.AcceptedAt = ledger.Accepted, p.o.Clock()
			n.SENDStatus, n.SENDStatusAt = ledger.StatusAccepted, p.o.Clock()
		}
		n.NextAttempt, n.Tries, n.LastError = p.o.Clock(), 0, nil
		n.LastEventAt = time.Time{} // owed: one read
		if n.IUN == "" {
			n.NextAttempt = p.o.Clock().Add(acceptancePace) // SEND keeps it to itself for now
		}
		return nil
	})
	if err != nil || now.IUN == "" {
		return err
	}
	a.count(func(r *Report) { r.Asked++ })
	return p.lookAtSent(ctx, a, now)
}

// stillWaiting stores the next look-up of a request without an outcome, and warns
// once when it is later than SEND promises.
func (p *Progress) stillWaiting(a *asking, n *ledger.Notification, asked time.Duration) {
	now := p.o.Clock()
	n.Tries, n.LastError = 0, nil
	n.NextAttempt = now.Add(max(min(acceptancePace, p.o.LookupAfter), asked))
	since := n.SubmittedAt
	if since.IsZero() {
		since = n.CreatedAt
	}
	if now.Sub(since) < acceptanceAlarm {
		return
	}
	a.count(func(r *Report) { r.Late++ })
	const code = "C-ACCEPTANCE-LATE"
	for _, w := range n.Warnings {
		if w.Code == code {
			return
		}
	}
	p.o.Log.Warn("no outcome from SEND for a day", "notification", n.ID, "request", n.RequestID)
	n.Warnings = append(n.Warnings, notification.New(p.o.Language, code, ""))
}

// lookAtSent reads a notification with its whole timeline and applies it like a
// page of events.
func (p *Progress) lookAtSent(ctx context.Context, a *asking, n *ledger.Notification) error {
	if err := p.step(BeforeLookup); err != nil {
		return err
	}
	sent, err := p.o.Client.Sent(ctx, n.IUN)
	if stop := p.step(AfterLookup); stop != nil {
		return stop
	}
	if err != nil {
		return p.notAnswered(ctx, a, n, err)
	}
	p.reached()
	events, err := timeline(sent, n.RequestID)
	if err != nil {
		return err
	}
	return p.o.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
		n, err := tx.Notification(n.ID)
		if err != nil {
			return err
		}
		return p.applySent(tx, n, sent, events)
	})
}

// applySent keeps a timeline and derives the notification from it.
func (p *Progress) applySent(tx *ledger.Tx, n *ledger.Notification, sent *send.Sent, events []seen) error {
	if n.SubmittedAt.IsZero() {
		n.SubmittedAt = sent.SentAt
		if n.SubmittedAt.IsZero() {
			n.SubmittedAt = n.CreatedAt
		}
	}
	now := p.o.Clock()
	n.LastEventAt, n.Tries, n.LastError = now, 0, nil
	var fresh []seen
	for _, s := range events {
		isNew, err := keep(tx, n.ID, s)
		if err != nil {
			return err
		}
		if isNew && s.category != catTimelineReworked {
			fresh = append(fresh, s)
		}
	}
	if len(events) == 0 {
		n.NextAttempt = p.nextAsk(n, now)
		return tx.PutNotification(n)
	}
	return p.settle(tx, n, fresh)
}

// timeline turns a notification as SEND shows it into events, each with the status
// that the history gives to it; Raw is the same for the same content.
func timeline(sent *send.Sent, requestID string) ([]seen, error) {
	status := map[string]string{}
	for _, h := range sent.History {
		for _, id := range h.Elements {
			status[id] = h.Status
		}
	}
	var events []seen
	for i := range sent.Timeline {
		e := &sent.Timeline[i]
		raw, err := json.Marshal(struct {
			RequestID string          `json:"notificationRequestId,omitempty"`
			IUN       string          `json:"iun,omitempty"`
			NewStatus string          `json:"newStatus,omitempty"`
			Element   json.RawMessage `json:"element"`
		}{requestID, sent.IUN, status[e.ID], e.Raw})
		if err != nil {
			return nil, err
		}
		if s, ok := read(raw); ok {
			events = append(events, s)
		}
	}
	return events, nil
}
