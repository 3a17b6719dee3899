package outbox

import (
	"context"
	"errors"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// publication gives what the ledger knows of one publication; nil if nothing.
func (o *Outbox) publication(ctx context.Context, kind, name string) (*ledger.Publication, error) {
	var found *ledger.Publication
	err := o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		p, err := tx.Publication(o.opts.Name, kind, name)
		if errors.Is(err, ledger.ErrNotFound) {
			return nil
		}
		found = p
		return err
	})
	return found, err
}

// lastNumber gives the latest publication of a sequence; nil if it was never founded.
// It is read once: nobody else writes it.
func (o *Outbox) lastNumber(ctx context.Context, kind string) (*ledger.Publication, error) {
	if p := o.last[kind]; p != nil {
		known := *p
		return &known, nil
	}
	var last *ledger.Publication
	var highest uint64
	err := o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		var wrong error
		err := tx.Publications(o.opts.Name, kind, func(p *ledger.Publication) bool {
			var n uint64
			if n, wrong = numberOf(p); wrong != nil {
				return false
			}
			if last == nil || n >= highest {
				last, highest = p, n
			}
			return true
		})
		return errors.Join(err, wrong)
	})
	if err != nil || last == nil {
		return nil, err
	}
	known := *last
	o.last[kind] = &known
	return last, nil
}

// commit writes what became of a publication.
func (o *Outbox) commit(ctx context.Context, step string, p *ledger.Publication) error {
	return o.step(ctx, step, func() error {
		err := o.opts.Ledger.Update(ctx, func(tx *ledger.Tx) error { return tx.PutPublication(p) })
		if err == nil && (p.Kind == kindUpdates || p.Kind == kindCosts) {
			known := *p
			o.last[p.Kind] = &known
		}
		return err
	})
}

// settledInLedger corrects the publications that say their content waits beside.
func (o *Outbox) settledInLedger(ctx context.Context, name string) error {
	return o.opts.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		var wrong []*ledger.Publication
		err := tx.Publications(o.opts.Name, "", func(p *ledger.Publication) bool {
			if p.File == folder.Beside(name) {
				wrong = append(wrong, p)
			}
			return true
		})
		if err != nil {
			return err
		}
		for _, p := range wrong {
			p.File = name
			if err := tx.PutPublication(p); err != nil {
				return err
			}
		}
		return nil
	})
}
