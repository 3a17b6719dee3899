package send

import (
	"errors"
	"strings"
	"sync"
	"time"
)

// identity is as whom the client speaks, and what the gateways have said to that
// key. A call keeps the one that it began with.
type identity struct {
	key      Secret
	vouchers *vouchers // nil without PDND
	denials  denials
}

// Rekey makes the client speak with another API key and PDND key from its next call
// on, for secrets that were replaced while it runs. What the gateways said to the old
// key is forgotten, the limits and the count of the day stay. On an error nothing has
// changed. Whether the key is bound to PDND cannot change.
func (c *Client) Rekey(key Secret, pdnd *PDND) error {
	key = Secret(strings.TrimSpace(string(key)))
	if err := checkKey(key); err != nil {
		return err
	}
	if (pdnd != nil) != (c.cfg.PDND != nil) {
		return errors.New("whether the key is bound to PDND is a matter of the configuration")
	}
	next := &identity{key: key}
	if pdnd != nil {
		v, err := newVouchers(*pdnd, c.cfg, c.sawDate)
		if err != nil {
			return err
		}
		next.vouchers = v
	}
	c.identity.Store(next)
	return nil
}

// cached is how long the gateway keeps a verdict on an API key, whatever the
// voucher, and a little more (reference/pdnd-voucher.md §5.5).
const cached = 65 * time.Second

// denials remembers the denials of each gateway, so that one voucher is renewed
// and no more, and nothing is concluded before the gateway has forgotten its
// verdict.
type denials struct {
	mu    sync.Mutex
	first map[string]time.Time // by gateway; absent = its last answer was not a denial
}

// denied notes a denial at now and says whether it is the first of its row, and
// how long to wait before one counts; 0 means that waiting did not help.
func (d *denials) denied(api string, now time.Time) (first bool, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	since, again := d.first[api]
	if again {
		return false, max(0, cached-now.Sub(since))
	}
	if d.first == nil {
		d.first = map[string]time.Time{}
	}
	d.first[api] = now
	return true, cached
}

func (d *denials) passed(api string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.first, api)
}
