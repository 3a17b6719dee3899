package progress

import (
	"slices"
	"strconv"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

func itoa(n int) string          { return strconv.Itoa(n) }
func atoi(s string) (int, error) { return strconv.Atoi(s) }

// Settle applies what is kept of a notification: orphaned events of its request id
// or token become its own, and its state is derived anew. Package submit calls it in
// the transaction in which it learns a request id, so that an event that was faster
// than the answer to our POST is not left lying (rule 22).
func (p *Progress) Settle(tx *ledger.Tx, n *ledger.Notification) error {
	if _, err := p.adoptOrphans(tx, n); err != nil {
		return err
	}
	// Events kept while the request was still in doubt have had no effect yet, so all
	// of them are news.
	var events []seen
	err := tx.Events(n.ID, func(e *ledger.Event) bool {
		if s, ok := read(e.Raw); ok && concerns(n, &s) {
			events = append(events, s)
		}
		return true
	})
	if err != nil || len(events) == 0 {
		return err
	}
	return p.settle(tx, n, events)
}

// adoptOrphans moves the orphans of a notification to its events.
func (p *Progress) adoptOrphans(tx *ledger.Tx, n *ledger.Notification) ([]seen, error) {
	orphans, err := tx.OrphansFor(n.RequestID, n.Key.Protocol, n.Token)
	if err != nil {
		return nil, err
	}
	var fresh []seen
	for _, o := range orphans {
		if s, ok := read(o.Raw); ok {
			isNew, err := keep(tx, n.ID, s)
			if err != nil {
				return nil, err
			}
			if isNew {
				fresh = append(fresh, s)
			}
		}
		if err := tx.DropOrphan(o); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// keep stores one event of a notification, raw.
func keep(tx *ledger.Tx, id ledger.ID, s seen) (bool, error) {
	return tx.AddEvent(&ledger.Event{ID: id, ElementID: s.id, Category: s.category, At: s.at, Raw: s.raw})
}

// settle derives the notification from all events kept and writes what changed.
// fresh are the events that were not known before.
func (p *Progress) settle(tx *ledger.Tx, n *ledger.Notification, fresh []seen) error {
	var events []seen
	err := tx.Events(n.ID, func(e *ledger.Event) bool {
		if s, ok := read(e.Raw); ok && concerns(n, &s) {
			events = append(events, s)
		}
		return true
	})
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return nil
	}
	f := derive(len(n.Request.Recipients), events)
	now := p.o.Clock()
	cause := ledger.Cause{}
	if len(fresh) > 0 {
		n.LastEventAt = now
		last := latest(fresh)
		cause = ledger.Cause{Event: last.category, EventAt: last.at, Detail: detail(&last)}
	}
	if !p.enter(n, &f) {
		return tx.PutNotificationBecause(n, cause)
	}
	p.merge(n, &f, fresh)
	p.plan(n, fresh, now)
	if err := tx.PutNotificationBecause(n, cause); err != nil {
		return err
	}
	return p.want(tx, n, f.promises)
}

// concerns keeps the events of earlier attempts of a key, which stay in the ledger,
// away from the present one.
func concerns(n *ledger.Notification, s *seen) bool {
	if s.requestID != "" && n.RequestID != "" {
		return s.requestID == n.RequestID
	}
	return s.iun == "" || n.IUN == "" || s.iun == n.IUN
}

func latest(events []seen) seen {
	return slices.MaxFunc(events, func(a, b seen) int { return a.at.Compare(b.at) })
}

// enter moves the state by what the events say. It reports whether the rest of
// them applies: not to a notification that has not been looked up yet (an event
// under our token does not prove that the request is ours: rule 14), nor to one
// that we never sent.
func (p *Progress) enter(n *ledger.Notification, f *facts) bool {
	switch n.State {
	case ledger.Intent:
		n.NextAttempt = time.Time{} // the look-up that adopts it is due now
		return false
	case ledger.Submitted, ledger.Refused:
		switch {
		case f.accepted:
			n.State, n.Refusals = ledger.Accepted, nil
		case f.refused && n.State == ledger.Refused:
			return false
		case f.refused:
			n.State, n.Refusals = ledger.Refused, p.reasons(f.reasons)
			n.CostOfRefusal(f.refusalCent, p.o.RefusalFee)
			n.NextAttempt, n.Tries, n.LastError = time.Time{}, 0, nil
			return false
		default:
			return true
		}
	case ledger.Accepted:
	case ledger.Cancelled:
		if !f.cancelled && f.reworked {
			n.State = ledger.Accepted // SEND took the cancellation back
		}
	default:
		return false
	}
	if f.cancelled {
		n.State = ledger.Cancelled
	}
	return true
}

// merge writes what events say into the record; costs and counts of documents are
// kept as they are.
func (p *Progress) merge(n *ledger.Notification, f *facts, fresh []seen) {
	n.IUN = first(n.IUN, f.iun)
	n.RequestID = first(n.RequestID, f.requestID)
	if f.accepted && n.AcceptedAt.IsZero() {
		n.AcceptedAt = f.acceptedAt
	}
	if f.status != "" {
		n.SENDStatus, n.SENDStatusAt = f.status, f.statusAt
	}
	for len(n.Recipients) < len(f.recipients) {
		n.Recipients = append(n.Recipients, ledger.RecipientState{})
	}
	for i, r := range f.recipients {
		old := n.Recipients[i]
		r.CostCent, r.CostFinal, r.CostStale = old.CostCent, old.CostFinal, old.CostStale
		r.Expected, r.Got = old.Expected, old.Got
		n.Recipients[i] = r
	}
	for i := range fresh {
		p.doubtCost(n, &fresh[i])
	}
	n.Tries, n.LastError = 0, nil
}

// doubtCost marks the costs that an event may have changed, where a notice carries
// any.
func (p *Progress) doubtCost(n *ledger.Notification, e *seen) {
	for i := range n.Recipients {
		r := &n.Recipients[i]
		if (e.recipient == i || e.recipient < 0) && changesCost(e.category, r.CostCent != nil) && len(costNotices(n.Request, i)) > 0 {
			r.CostStale = true
		}
	}
}

// plan says when the notification is asked for next. An adopted one is read once
// (SubmittedAt is not known yet), a corrected one too; otherwise silence decides.
func (p *Progress) plan(n *ledger.Notification, fresh []seen, now time.Time) {
	for i := range fresh {
		if fresh[i].category == catTimelineReworked {
			n.LastEventAt = time.Time{} // what we know is not what holds: read it
		}
	}
	n.NextAttempt = p.nextAsk(n, now)
}

// nextAsk is when an accepted notification is due: at once for a read that is owed
// or a cost in doubt, else after the silence.
func (p *Progress) nextAsk(n *ledger.Notification, now time.Time) time.Time {
	switch {
	case n.State == ledger.Submitted:
		return n.NextAttempt
	case owed(n), costInDoubt(n):
		return now
	case final(n):
		return time.Time{} // events still come; nothing is asked for
	}
	return n.LastEventAt.Add(p.o.Silence)
}

// final reports whether nothing more is to be expected of SEND.
func final(n *ledger.Notification) bool {
	if n.State == ledger.Cancelled {
		return true
	}
	return len(n.Recipients) > 0 && !slices.ContainsFunc(n.Recipients, func(r ledger.RecipientState) bool {
		return r.PerfectedAt.IsZero() && !r.Returned
	})
}

// owed reports whether an accepted notification must be looked up whatever its
// events say: adopted, corrected, or without the IUN that everything else needs.
func owed(n *ledger.Notification) bool {
	return n.IUN == "" || n.SubmittedAt.IsZero() || n.LastEventAt.IsZero()
}

func costInDoubt(n *ledger.Notification) bool {
	return slices.ContainsFunc(n.Recipients, func(r ledger.RecipientState) bool { return r.CostStale })
}

// want asks for the documents that events promise and that are not known yet.
func (p *Progress) want(tx *ledger.Tx, n *ledger.Notification, promises []promise) error {
	if len(promises) == 0 {
		return nil
	}
	known, err := tx.Artifacts(n.ID)
	if err != nil {
		return err
	}
	for _, w := range promises {
		if slices.ContainsFunc(known, func(a *ledger.Artifact) bool { return a.Key == w.key }) {
			continue
		}
		recipient := w.recipient
		if recipient >= len(n.Request.Recipients) {
			recipient = -1
		}
		err := tx.PutArtifact(&ledger.Artifact{
			ID: n.ID, Key: w.key, Category: w.category, Recipient: recipient,
			ElementID: w.element, EventAt: w.at, State: ledger.Wanted,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reasons are SEND's reasons for a refusal as problems, its codes as they are.
func (p *Progress) reasons(rows []send.RefusalRow) []notification.Problem {
	var all []notification.Problem
	for _, r := range rows {
		all = append(all, p.refusal(r.Code, "", r.Detail, r.RecIndex))
	}
	if len(all) == 0 {
		all = append(all, p.refusal("REFUSED", "", "", nil))
	}
	return all
}

func (p *Progress) refusal(code, field, detail string, recipient *int) notification.Problem {
	if field == "" && recipient != nil {
		field = "recipients[" + itoa(*recipient) + "]"
	}
	return notification.Refused(p.o.Language, code, field, detail)
}
