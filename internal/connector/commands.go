package connector

import (
	"context"
	"errors"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
	"sendconnector/internal/submit"
)

// Done is what a deliberate act answers.
type Done struct {
	Message string `json:"message"`
}

// BatchArgs names a batch.
type BatchArgs struct {
	Batch string `json:"batch"`
}

// Release lets a batch go that waits at the release gate (rule 19).
func (c *Connector) Release(ctx context.Context, a BatchArgs) (*Done, error) {
	gone := false
	err := c.ledger.View(ctx, func(tx *ledger.Tx) error {
		b, err := tx.Batch(a.Batch)
		gone = err == nil && b.State == ledger.Sealed && b.Release == ledger.Released
		return err
	})
	if err != nil {
		return nil, unknownBatch(a.Batch, err)
	}
	if gone {
		return &Done{c.say("nothing to do: the batch was released before: "+a.Batch, "nulla da fare: il lotto era già stato rilasciato: "+a.Batch)}, nil
	}
	if err := c.ledger.Release(ctx, a.Batch); err != nil {
		return nil, unknownBatch(a.Batch, c.refusal(err))
	}
	c.opts.Log.Info("batch released", "batch", a.Batch)
	return &Done{c.say("batch released: "+a.Batch, "lotto rilasciato: "+a.Batch)}, nil
}

// Discard discards what a batch has not sent yet; what may have left is not touched.
func (c *Connector) Discard(ctx context.Context, a BatchArgs) (*Done, error) {
	if err := c.ledger.DiscardBatch(ctx, a.Batch); err != nil {
		return nil, unknownBatch(a.Batch, c.refusal(err))
	}
	c.opts.Log.Info("batch discarded", "batch", a.Batch)
	return &Done{c.say("discarded what batch "+a.Batch+" had not sent", "scartato ciò che il lotto "+a.Batch+" non aveva ancora inviato")}, nil
}

// ResubmitArgs name a notification that was refused or cancelled.
type ResubmitArgs struct {
	Protocol string `json:"protocol"`
	AsNew    bool   `json:"as_new"`
}

// Resubmit asks for one more attempt of a refused notification, or with AsNew of a
// cancelled one; the attempt is made only after SEND has confirmed that the one
// before it is dead (rule 4).
func (c *Connector) Resubmit(ctx context.Context, a ResubmitArgs) (*Done, error) {
	n, err := c.one(ctx, a.Protocol, "")
	if err != nil && a.AsNew && c.allowed(ctx, a.Protocol) {
		return &Done{c.say("this spelling will be let through when its row is dropped again", "questa scrittura del numero sarà ammessa quando la riga verrà depositata di nuovo")}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := c.ledger.Resubmit(ctx, n.Key, a.AsNew); err != nil {
		if _, ok := errors.AsType[*ledger.TransitionError](err); ok {
			return nil, usage("%s: %s (%s); %s", n.Key.Protocol, c.say("it is not sent again", "non si invia di nuovo"), c.because(n),
				c.say("only a refused notification is, and with --as-new a cancelled one", "si può solo per una notifica rifiutata e, con --as-new, per una annullata"))
		}
		return nil, c.refusal(err)
	}
	c.bells.ring()
	return &Done{c.say("it will be sent again as soon as SEND confirms that the attempt before it ended", "verrà inviata di nuovo appena SEND conferma che il tentativo precedente è chiuso")}, nil
}

// allowed lets another spelling of a known protocol number through (rule 1); false if
// no sender has it in any spelling.
func (c *Connector) allowed(ctx context.Context, protocol string) bool {
	for _, name := range names(c.senders) {
		if c.ledger.Resubmit(ctx, c.senders[name].key(protocol), true) == nil {
			return true
		}
	}
	return false
}

// one gives the single notification of a protocol number or IUN.
func (c *Connector) one(ctx context.Context, protocol, iun string) (*ledger.Notification, error) {
	var found []*ledger.Notification
	err := c.ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		found, err = c.find(tx, protocol, iun)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(found) > 1 {
		return nil, usage("the protocol number %q is used by several senders; use the IUN", protocol)
	}
	return found[0], nil
}

// refusal gives an act that the state of things does not allow the exit code of a
// usage error, in words for people.
func (c *Connector) refusal(err error) error {
	if e, ok := errors.AsType[*ledger.TransitionError](err); ok {
		if e.Why != "" {
			return usage("%s", e.Why)
		}
		return usage("%v", e)
	}
	if e, ok := errors.AsType[*ledger.TakenError](err); ok {
		return usage("%v", e)
	}
	switch {
	case errors.Is(err, ledger.ErrTooLate):
		return usage("%s", c.say("too late: the request has left, or may have; cancel it at SEND once it is accepted", "troppo tardi: la richiesta è partita, o può esserlo; annullarla su SEND dopo l'accettazione"))
	case errors.Is(err, submit.ErrNotYet):
		return usage("%s", c.say("SEND has not accepted it yet; try again later", "SEND non l'ha ancora accettata; riprovare più tardi"))
	case errors.Is(err, submit.ErrNothingToCancel):
		return usage("%s", c.say("there is nothing to cancel at SEND", "non c'è nulla da annullare su SEND"))
	}
	return err
}

// CancelArgs name a notification.
type CancelArgs struct {
	Protocol string `json:"protocol,omitempty"`
	IUN      string `json:"iun,omitempty"`
}

// Cancel discards a notification that has not left, and asks SEND to cancel one that
// has. SEND answers later, through the stream.
func (c *Connector) Cancel(ctx context.Context, a CancelArgs) (*Done, error) {
	n, err := c.one(ctx, a.Protocol, a.IUN)
	if err != nil {
		return nil, err
	}
	s := c.senders[n.Sender]
	if s == nil {
		return nil, usage("the sender %q of this notification is no longer in the configuration", n.Sender)
	}
	switch how, err := s.submit.Cancel(ctx, n.ID); {
	case err != nil:
		return nil, c.refusal(err)
	case how == submit.CancelDiscarded:
		return &Done{c.say("discarded before it was sent", "scartata prima dell'invio")}, nil
	default:
		return &Done{c.say("SEND was asked to cancel; the outcome file will say when it is done", "chiesto a SEND l'annullamento; il file di esito dirà quando è avvenuto")}, nil
	}
}

// HoldArgs name a flow.
type HoldArgs struct {
	Flow   string `json:"flow"`
	Reason string `json:"reason,omitempty"`
}

// Hold keeps a flow from sending until Resume; its files are still taken and read.
func (c *Connector) Hold(ctx context.Context, a HoldArgs) (*Done, error) {
	if c.flows[a.Flow] == nil {
		return nil, usage("there is no flow %q", a.Flow)
	}
	detail := a.Reason
	if detail == "" {
		detail = c.say("held by an operator", "sospeso da un operatore")
	}
	err := c.ledger.Update(ctx, func(tx *ledger.Tx) error {
		return tx.PutHold(ledger.Hold{Scope: ledger.HoldFlow, Name: a.Flow, Reason: "operator", Detail: detail, Since: tx.Now()})
	})
	return &Done{c.say("held: ", "sospeso: ") + a.Flow}, err
}

// ResumeArgs name a flow and, where the outbound numbering was lost, the number to
// go on from (rule 28).
type ResumeArgs struct {
	Flow         string `json:"flow"`
	SequenceFrom uint64 `json:"sequence_from,omitempty"`
}

// Resume lets a held flow go on, its sender too.
func (c *Connector) Resume(ctx context.Context, a ResumeArgs) (*Done, error) {
	f := c.flows[a.Flow]
	if f == nil {
		return nil, usage("there is no flow %q", a.Flow)
	}
	if a.SequenceFrom > 0 {
		if err := c.outboxes[f.Outbox].Resume(ctx, a.SequenceFrom); err != nil {
			return nil, c.refusal(err)
		}
	}
	err := c.ledger.Update(ctx, func(tx *ledger.Tx) error {
		return errors.Join(tx.DropHold(ledger.HoldFlow, a.Flow), tx.DropHold(ledger.HoldSender, f.Sender))
	})
	c.bells.ring()
	return &Done{c.say("goes on: ", "riprende: ") + a.Flow}, err
}

// PriceArgs name a notice.
type PriceArgs struct {
	Creditor string `json:"creditor"`
	Notice   string `json:"notice"`
	Sender   string `json:"sender,omitempty"` // "" = the sender with the creditor's tax code, or the only one
}

// Price is the present cost of a notice, eurocents.
type Price struct {
	Creditor    string `json:"creditor"`
	Notice      string `json:"notice"`
	IUN         string `json:"iun"`
	PartialCent int    `json:"partial_cent"`
	TotalCent   int    `json:"total_cent"`
	SendFeeCent int    `json:"send_fee_cent"`
	AnalogCent  int    `json:"analog_cent"`
	Vat         int    `json:"vat_percent"`
	PaFeeCent   int    `json:"pa_fee_cent"`
	RefinedAt   string `json:"refinement_date,omitempty"`
	ViewedAt    string `json:"view_date,omitempty"`
}

// Price asks SEND.
func (c *Connector) Price(ctx context.Context, a PriceArgs) (*Price, error) {
	if notification.CheckNumericTaxID(a.Creditor) == notification.TaxIDForm {
		return nil, usage("--creditor must be 11 digits")
	}
	if notification.CheckNotice(a.Notice) == notification.NoticeForm {
		return nil, usage("--notice must be 18 digits")
	}
	s, err := c.senderFor(a)
	if err != nil {
		return nil, err
	}
	// Somebody waits for it at a desk: it goes before whatever is being sent.
	p, err := s.progress.AskPrice(send.WithPriority(ctx, send.PriorityLookup), a.Creditor, a.Notice)
	if err != nil {
		if e, ok := errors.AsType[*send.Error](err); ok && e.Class == send.NotFound {
			return nil, usage("%s", c.say("SEND knows no accepted notification with this notice", "SEND non conosce una notifica accettata con questo avviso"))
		}
		return nil, &ExitError{Exit: faultExit(err), Message: err.Error()}
	}
	result := &Price{
		Creditor: a.Creditor, Notice: a.Notice, IUN: p.IUN, PartialCent: p.PartialPrice, TotalCent: p.TotalPrice,
		SendFeeCent: p.SendFee, AnalogCent: p.AnalogCost, Vat: p.Vat, PaFeeCent: p.PaFee,
	}
	if !p.RefinementDate.IsZero() {
		result.RefinedAt = p.RefinementDate.Format("2006-01-02T15:04:05Z07:00")
	}
	if !p.ViewDate.IsZero() {
		result.ViewedAt = p.ViewDate.Format("2006-01-02T15:04:05Z07:00")
	}
	return result, nil
}

func (c *Connector) senderFor(a PriceArgs) (*sender, error) {
	if a.Sender != "" {
		if s := c.senders[a.Sender]; s != nil {
			return s, nil
		}
		return nil, usage("there is no sender %q", a.Sender)
	}
	for _, name := range names(c.senders) {
		if s := c.senders[name]; s.cfg.TaxID == a.Creditor || len(c.senders) == 1 {
			return s, nil
		}
	}
	return nil, usage("name the sender with --sender")
}

// LedgerCheckArgs has no arguments.
type LedgerCheckArgs struct{}

// LedgerReport is what the integrity check found.
type LedgerReport struct {
	Path     string   `json:"path"`
	Problems []string `json:"problems"`
}

// LedgerCheck verifies every index of the ledger against its records.
func (c *Connector) LedgerCheck(context.Context, LedgerCheckArgs) (*LedgerReport, error) {
	r := &LedgerReport{Path: c.ledger.Path(), Problems: []string{}}
	for _, err := range c.ledger.Verify() {
		r.Problems = append(r.Problems, err.Error())
	}
	return r, nil
}
