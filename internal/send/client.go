package send

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// Client speaks to SEND with one API key. It is safe for many goroutines, owns
// none, and keeps nothing on disk.
type Client struct {
	cfg       Config
	api       *http.Client
	store     *http.Client // uploads and downloads, without credentials
	limiter   *limiter
	transfers chan struct{}
	skew      atomic.Int64 // nanoseconds
	identity  atomic.Pointer[identity]
	longest   int64 // bytes of a good answer; a field so that a test can make it small
}

// New checks the configuration (addresses, key, path templates, the PDND key
// against its id) and builds a client. It starts nothing and calls nobody. One
// client per API key: the limiter is the client's.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Client{
		cfg:       cfg,
		api:       noRedirects(cfg.Transport),
		store:     storeClient(cfg.Transport, cfg.BaseURL),
		limiter:   newLimiter(cfg.Limits, cfg.Clock, cfg.pace, cfg.Wait),
		transfers: make(chan struct{}, cfg.Transfers),
		longest:   answerLimit,
	}
	if err := c.Rekey(cfg.APIKey, cfg.PDND); err != nil {
		return nil, err
	}
	return c, nil
}

// Close drops idle connections. The client may still be used.
func (c *Client) Close() {
	c.api.CloseIdleConnections()
	c.store.CloseIdleConnections()
}

// Voucher makes sure that there is a voucher in hand, asking PDND if need be,
// and says until when it would be used. Without PDND binding it answers the zero
// time and no error.
func (c *Client) Voucher(ctx context.Context) (expires time.Time, err error) {
	vouchers := c.identity.Load().vouchers
	if vouchers == nil {
		return time.Time{}, nil
	}
	v, err := vouchers.get(ctx)
	if err != nil {
		return time.Time{}, c.named("voucher", err)
	}
	return v.expires, nil
}

// Budget gives the API calls made today (UTC, as the gateway counts) and those
// left.
func (c *Client) Budget() (used, left int) { return c.limiter.today() }

// Recall tells the client of calls that an earlier process made with the same key on
// the UTC day of at; those of another day than today do not count.
func (c *Client) Recall(used int, at time.Time) { c.limiter.recall(used, at) }

// Skew is the other side's clock minus ours, from the last Date header seen; its
// grain is a second. Beyond a minute or two vouchers are refused.
func (c *Client) Skew() time.Duration { return time.Duration(c.skew.Load()) }

// sawDate notes the difference of clocks; sent and now are local times around
// the answer.
func (c *Client) sawDate(h http.Header, sent, now time.Time) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	// Date is cut to the second, so half a second is added back.
	middle := sent.Add(now.Sub(sent) / 2)
	c.skew.Store(int64(date.Add(500 * time.Millisecond).Sub(middle)))
}
