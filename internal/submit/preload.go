package submit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// slotsPerCall is SEND's limit for one preload call.
const slotsPerCall = 15

// preloader shares preload calls: whatever documents are waiting, of whichever
// notifications, go together, fifteen at a time (rule 17). It lives as long as one
// pass and keeps nothing.
type preloader struct {
	// ask makes one call, in the context of the whole pass: the notification that
	// fills a call up must not take fourteen others with it when it gives up.
	ask  func(items []send.PreloadItem) ([]send.Slot, error)
	wait time.Duration

	mu      sync.Mutex
	waiting []*slotAsk
	timer   *time.Timer
	calls   sync.WaitGroup
}

// slotAsk is one document waiting for its slot; done is closed when slot or err is
// set.
type slotAsk struct {
	item send.PreloadItem
	slot send.Slot
	err  error
	done chan struct{}
}

var errNoSlot = errors.New("submit: preload gave no slot for a document")

// slots gets one slot for each object, in their order. It waits for other
// documents at most the preloader's wait, and for SEND as long as ctx lasts.
func (p *preloader) slots(ctx context.Context, wanted []object) ([]send.Slot, error) {
	asks := make([]*slotAsk, len(wanted))
	for i, o := range wanted {
		asks[i] = &slotAsk{
			item: send.PreloadItem{SHA256: notification.DigestOf(o.hash), ContentType: o.contentType},
			done: make(chan struct{}),
		}
	}
	p.join(asks)
	slots := make([]send.Slot, len(asks))
	for i, a := range asks {
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if a.err != nil {
			return nil, a.err
		}
		slots[i] = a.slot
	}
	return slots, nil
}

// join puts documents in the queue and sends off every full call.
func (p *preloader) join(asks []*slotAsk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, asks...)
	for len(p.waiting) >= slotsPerCall {
		p.depart(p.waiting[:slotsPerCall:slotsPerCall])
		p.waiting = p.waiting[slotsPerCall:]
	}
	if len(p.waiting) > 0 && p.timer == nil {
		p.timer = time.AfterFunc(p.wait, func() { p.flush() })
	}
}

// flush sends off what is waiting although the call is not full.
func (p *preloader) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	if len(p.waiting) > 0 {
		p.depart(p.waiting)
		p.waiting = nil
	}
}

// depart starts one call; p.mu is held.
func (p *preloader) depart(asks []*slotAsk) {
	p.calls.Go(func() { p.call(asks) })
}

// close waits for the calls under way, after everybody who waited for them left.
func (p *preloader) close() {
	p.mu.Lock()
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	p.mu.Unlock()
	p.calls.Wait()
}

// call asks for the slots of some documents. A call refused as a whole is repeated
// document by document, so that one bad notification does not stop fourteen others.
func (p *preloader) call(asks []*slotAsk) {
	err := p.fill(asks)
	if send.ClassOf(err) == send.Rejected && len(asks) > 1 {
		for _, a := range asks {
			p.call([]*slotAsk{a})
		}
		return
	}
	for _, a := range asks {
		if err != nil {
			a.err = err
		} else if a.slot.URL == "" || a.slot.Key == "" {
			a.err = errNoSlot
		}
		close(a.done)
	}
}

// fill makes the call and writes each slot to the document with its index.
func (p *preloader) fill(asks []*slotAsk) error {
	items := make([]send.PreloadItem, len(asks))
	for i, a := range asks {
		items[i] = a.item
		items[i].Index = strconv.Itoa(i)
	}
	slots, err := p.ask(items)
	if err != nil {
		return err
	}
	for _, s := range slots {
		i, err := strconv.Atoi(s.Index)
		if err != nil || i < 0 || i >= len(asks) {
			return fmt.Errorf("%w (index %q)", errNoSlot, s.Index)
		}
		asks[i].slot = s
	}
	return nil
}
