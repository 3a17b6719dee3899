package progress

import (
	"context"
	"errors"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// costNotices are the notices of a recipient that carry the cost of the
// notification: none with FLAT_RATE (rules.md, Costs).
func costNotices(r *notification.Request, recipient int) []*notification.PagoPa {
	if r == nil || r.NotificationFeePolicy != notification.FeeDeliveryMode || recipient >= len(r.Recipients) {
		return nil
	}
	var all []*notification.PagoPa
	for i := range r.Recipients[recipient].Payments {
		if p := r.Recipients[recipient].Payments[i].PagoPa; p != nil && p.ApplyCost {
			all = append(all, p)
		}
	}
	return all
}

// toUpdate reports whether the body itself must update the debt position: with
// ASYNC SEND does, with NONE nobody does. SEND's default is SYNC.
func toUpdate(r *notification.Request) bool {
	return r.PagoPaIntMode == "" || r.PagoPaIntMode == notification.PagoPaSync
}

// Prices asks for the costs that events have put in doubt, one call a recipient:
// the notices of one recipient that carry the cost all carry the same.
func (p *Progress) Prices(ctx context.Context) (Report, error) {
	a := &asking{p: p}
	err := a.due(ctx, func(n *ledger.Notification) bool { return costInDoubt(n) && !p.mustLook(n) }, p.price)
	return a.report, endOf(ctx, err)
}

// AskPrice gives the present cost of any notice, at once.
func (p *Progress) AskPrice(ctx context.Context, creditor, notice string) (send.Price, error) {
	if err := p.step(BeforePrice); err != nil {
		return send.Price{}, unstep(err)
	}
	price, err := p.o.Client.Price(ctx, creditor, notice)
	if stop := p.step(AfterPrice); stop != nil {
		return send.Price{}, unstep(stop)
	}
	return price, err
}

// price asks for the costs of one notification.
func (p *Progress) price(ctx context.Context, a *asking, n *ledger.Notification) error {
	for i := range n.Recipients {
		if !n.Recipients[i].CostStale {
			continue
		}
		notices := costNotices(n.Request, i)
		if len(notices) == 0 {
			if err := p.settleCost(ctx, n, i, nil); err != nil {
				return err
			}
			continue
		}
		a.count(func(r *Report) { r.Prices++ })
		if err := p.step(BeforePrice); err != nil {
			return err
		}
		price, err := p.o.Client.Price(ctx, notices[0].CreditorTaxID, notices[0].NoticeCode)
		if stop := p.step(AfterPrice); stop != nil {
			return stop
		}
		if err != nil && (send.ClassOf(err) != send.NotFound || n.Tries < 3 && n.State != ledger.Cancelled) {
			return p.notAnswered(ctx, a, n, err)
		}
		p.reached()
		answer := &price
		if err != nil {
			answer = nil // cancelled, or not known there: it costs what is known
		}
		if err := p.settleCost(ctx, n, i, answer); err != nil {
			return err
		}
	}
	return nil
}

// settleCost records what a recipient's notices cost and appends what changed to
// the log behind costi.
func (p *Progress) settleCost(ctx context.Context, asked *ledger.Notification, i int, price *send.Price) error {
	return p.o.Ledger.Update(context.WithoutCancel(ctx), func(tx *ledger.Tx) error {
		n, err := tx.Notification(asked.ID)
		if err != nil || i >= len(n.Recipients) {
			return err
		}
		r := &n.Recipients[i]
		// An event that came while we asked keeps the cost in doubt.
		was := asked.Recipients[i]
		r.CostStale = r.CostStale && (!r.LastEventAt.Equal(was.LastEventAt) || r.LastEvent != was.LastEvent)
		changed := false
		if price != nil {
			isFinal := !r.PerfectedAt.IsZero()
			changed = r.CostCent == nil || *r.CostCent != price.TotalPrice || r.CostFinal != isFinal
			total := price.TotalPrice
			r.CostCent, r.CostFinal = &total, isFinal
		}
		n.Tries, n.LastError = 0, nil
		n.NextAttempt = p.nextAsk(n, p.o.Clock())
		if err := tx.PutNotificationBecause(n, ledger.Cause{Event: "COST"}); err != nil || !changed {
			return err
		}
		return p.logCost(tx, n, i, price)
	})
}

// logCost appends one entry for each notice of the recipient.
func (p *Progress) logCost(tx *ledger.Tx, n *ledger.Notification, i int, price *send.Price) error {
	var errs []error
	for _, notice := range costNotices(n.Request, i) {
		errs = append(errs, tx.AppendCost(ledger.CostChange{
			Outbox: n.Outbox, At: p.o.Clock(), Creditor: notice.CreditorTaxID, Notice: notice.NoticeCode,
			Protocol: n.Key.Protocol, IUN: n.IUN, Recipient: i, ToUpdate: toUpdate(n.Request),
			Partial: price.PartialPrice, Total: price.TotalPrice, Final: n.Recipients[i].CostFinal,
		}))
	}
	return errors.Join(errs...)
}
