package progress

import (
	"errors"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// find gives the notification that an event is about: by request id, else by
// protocol number and token in its details, else by IUN (rule 22). nil if it is
// none of ours (yet).
func (p *Progress) find(tx *ledger.Tx, s *seen) (*ledger.Notification, error) {
	n, err := tx.ByRequestID(s.requestID)
	if errors.Is(err, ledger.ErrNotFound) && s.protocol != "" && s.token != "" {
		n, err = tx.ByToken(p.o.SenderTaxID, s.protocol, s.token)
	}
	if errors.Is(err, ledger.ErrNotFound) && s.iun != "" {
		n, err = tx.ByIUN(s.iun)
	}
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil //nolint:nilnil // "not ours" is an answer, not a failure
	}
	if err != nil {
		return nil, err
	}
	if n.Sender != p.o.Sender {
		return nil, nil //nolint:nilnil // a namesake of another sender or environment
	}
	return n, nil
}

// bundle is the events of one page about one notification.
type bundle struct {
	n      *ledger.Notification
	events []seen
}

// sort splits a page into what belongs to notifications and what matches nothing.
// The order of the page is kept.
func (p *Progress) sort(tx *ledger.Tx, page []send.Event) (matched []*bundle, orphans []seen, err error) {
	at := map[ledger.ID]*bundle{}
	for _, e := range page {
		s, ok := understand(e, e.Raw)
		n, err := p.find(tx, &s)
		switch {
		case err != nil:
			return nil, nil, err
		case n == nil:
			orphans = append(orphans, s)
			continue
		case !ok:
			continue // says only that the request is there; nothing to keep
		}
		b := at[n.ID]
		if b == nil {
			b = &bundle{n: n}
			at[n.ID] = b
			matched = append(matched, b)
		}
		b.events = append(b.events, s)
	}
	return matched, orphans, nil
}

// store writes one page: events to their notifications, the rest as orphans. The
// raw bytes of every event are in the ledger when it returns nil.
func (p *Progress) store(tx *ledger.Tx, page []send.Event) (orphaned int, err error) {
	matched, orphans, err := p.sort(tx, page)
	if err != nil {
		return 0, err
	}
	for _, b := range matched {
		if err := p.takeIn(tx, b.n, b.events); err != nil {
			return 0, err
		}
	}
	return len(orphans), p.orphan(tx, orphans)
}

// takeIn keeps events of a notification and derives it anew if any was unknown.
func (p *Progress) takeIn(tx *ledger.Tx, n *ledger.Notification, events []seen) error {
	var fresh []seen
	newcomer := n.LastEventAt.IsZero() // orphans can only be from before its first event
	for _, s := range events {
		isNew, err := keep(tx, n.ID, s)
		if err != nil {
			return err
		}
		if isNew {
			fresh = append(fresh, s)
		}
	}
	if newcomer {
		older, err := p.adoptOrphans(tx, n)
		if err != nil {
			return err
		}
		fresh = append(fresh, older...)
	}
	if len(fresh) == 0 {
		return nil
	}
	return p.settle(tx, n, fresh)
}

func (p *Progress) orphan(tx *ledger.Tx, orphans []seen) error {
	now := p.o.Clock()
	for _, s := range orphans {
		err := tx.AddOrphan(&ledger.Orphan{
			RequestID: s.requestID, Protocol: s.protocol, Token: s.token,
			ElementID: s.id, Sender: p.o.Sender, Got: now, Raw: s.raw,
		})
		if err != nil {
			return err
		}
	}
	return nil
}
