package send

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// call is one operation of the API, ready to go.
type call struct {
	op       string
	method   string
	path     string // below the base URL, filled in, with its query
	body     []byte // JSON, nil for none
	priority Priority
	// repeat: having it done twice does no harm, so a passing failure is tried
	// again at once a few times. Never set where effect is.
	repeat bool
	// effect: a failure after the request may have left is Unknown.
	effect bool
	// resource: what the call names may be missing or not ours without anything
	// being wrong with the key (a notification, a document, a stream).
	resource bool
	// stream: Retry-After is in milliseconds, as SEND's streams have it.
	stream bool
	// valid accepts an answer that its status would condemn.
	valid func(status int, body []byte) bool
}

// api names the one of SEND's gateways that the call goes to: each has its own
// memory of verdicts on a key.
func (k *call) api() string {
	first, _, _ := strings.Cut(strings.TrimPrefix(k.path, "/"), "/")
	return first
}

type answer struct {
	status int
	header http.Header
	body   []byte
	left   time.Time // by the limiter's clock
}

const (
	answerLimit = 64 << 20 // bytes of a good answer; the longest are whole timelines
	errorLimit  = 64 << 10 // bytes of a refusal that are read
	quickTries  = 3
)

// do makes the call, with quick repetitions where the call allows them. Its
// error is always an *Error.
func (c *Client) do(ctx context.Context, k *call) (*answer, error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 500 * time.Millisecond
	pause.MaxInterval = 4 * time.Second
	for try := 1; ; try++ {
		a, err := c.once(ctx, k)
		if err == nil {
			return a, nil
		}
		if !k.repeat || try == quickTries || !quick(err) || ctx.Err() != nil {
			return nil, err
		}
		if c.cfg.Wait(ctx, pause.NextBackOff()) != nil {
			return nil, err
		}
	}
}

// quick tells whether trying again within seconds makes sense.
func quick(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Class == Transient && e.RetryAfter == 0
}

// once makes one attempt: its turn, a voucher, the exchange, the judgement.
func (c *Client) once(ctx context.Context, k *call) (*answer, error) {
	if err := c.limiter.take(ctx, priorityOf(ctx, k.priority)); err != nil {
		return nil, c.named(k.op, err)
	}
	who := c.identity.Load()
	bearer, err := who.bearer(ctx)
	if err != nil {
		c.limiter.refund()
		return nil, c.named(k.op, err)
	}
	a, err := c.exchange(ctx, k, who.key, bearer)
	if err != nil {
		return nil, err
	}
	if a.status >= 200 && a.status <= 299 || k.valid != nil && k.valid(a.status, a.body) {
		who.denials.passed(k.api())
		return a, nil
	}
	e := judge(k, a)
	c.learn(e, k, a, who, bearer)
	return nil, e
}

// learn takes from a refusal what it says about the key: denied, let pass, or
// too fast.
func (c *Client) learn(e *Error, k *call, a *answer, who *identity, bearer Secret) {
	switch {
	case e.Reason == HeldAPIKey && a.status == http.StatusForbidden:
		c.deniedByGateway(e, k, who, bearer)
	case a.status == http.StatusTooManyRequests && !hasCode(e.Details, codeStreamRetry):
		c.limiter.slow(a.left)
	case e.Class == NotFound, e.Class == Conflict, e.Class == Rejected:
		who.denials.passed(k.api())
	}
}

func (who *identity) bearer(ctx context.Context) (Secret, error) {
	if who.vouchers == nil {
		return "", nil
	}
	v, err := who.vouchers.get(ctx)
	return v.token, err
}

// deniedByGateway renews the voucher once after a denial and says how long the
// gateway's own memory of it must be waited for; after that the denial stands.
func (c *Client) deniedByGateway(e *Error, k *call, who *identity, bearer Secret) {
	first, wait := who.denials.denied(k.api(), c.cfg.Clock())
	if first && who.vouchers != nil {
		who.vouchers.renew(bearer)
	}
	e.RetryAfter = wait
}

// exchange sends the request and reads the answer whole.
func (c *Client) exchange(ctx context.Context, k *call, key, bearer Secret) (*answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Timeout, errNoAnswer)
	defer cancel()
	left := &departure{}
	r, err := c.request(httptrace.WithClientTrace(ctx, left.trace()), k, left, key, bearer)
	if err != nil {
		c.limiter.refund()
		return nil, &Error{Op: k.op, Class: Fatal, Err: err}
	}
	c.cfg.Count(k.op)
	sent, out := c.cfg.Clock(), c.cfg.pace()
	resp, err := c.api.Do(r)
	if err != nil {
		return nil, broken(ctx, k, 0, left.may(), err)
	}
	defer resp.Body.Close()
	c.sawDate(resp.Header, sent, c.cfg.Clock())
	limit := c.longest
	if resp.StatusCode > 299 && k.valid == nil {
		limit = errorLimit
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil && resp.StatusCode <= 299:
		return nil, broken(ctx, k, resp.StatusCode, true, err)
	case int64(len(body)) > limit && resp.StatusCode <= 299:
		return nil, unreadable(k, resp.StatusCode, fmt.Errorf("the answer is longer than %d bytes", limit))
	case int64(len(body)) > limit:
		body = body[:limit]
	}
	return &answer{status: resp.StatusCode, header: resp.Header, body: body, left: out}, nil
}

func (c *Client) request(ctx context.Context, k *call, left *departure, key, bearer Secret) (*http.Request, error) {
	var body io.Reader
	if k.body != nil {
		// A body of an unknown type cannot be rewound, so the transport will not
		// send it a second time by itself.
		body = left.watch(k.body)
	}
	r, err := http.NewRequestWithContext(ctx, k.method, c.cfg.BaseURL+k.path, body)
	if err != nil {
		return nil, errors.New("the address cannot be built from its template")
	}
	if k.body != nil {
		r.ContentLength = int64(len(k.body))
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", c.cfg.UserAgent)
	r.Header.Set("x-api-key", string(key))
	if bearer != "" {
		// The authorizer takes away exactly "Bearer " (pdnd-voucher.md §5.1).
		r.Header.Set("Authorization", "Bearer "+string(bearer))
	}
	return r, nil
}

// named puts the operation's name on an error of a part below it.
func (c *Client) named(op string, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		named := *e
		named.Op = op
		return &named
	}
	return &Error{Op: op, Class: Transient, Err: err}
}

// broken is the error of an exchange that did not come to its end. left tells
// whether any of the request may have reached the other side.
func broken(ctx context.Context, k *call, status int, left bool, err error) *Error {
	e := &Error{Op: k.op, Class: Transient, Status: status, Err: plain(ctx, err)}
	if k.effect && left {
		e.Class = Unknown
	}
	return e
}

// unreadable is the error of a good status whose body cannot be used. Cut short
// it may come whole next time, except where the request had an effect.
func unreadable(k *call, status int, err error) *Error {
	e := &Error{Op: k.op, Class: Transient, Status: status, Err: err}
	if k.effect {
		e.Class = Unknown
	}
	return e
}

// plain takes the address out of a transport's error (it may hold a signature
// or a protocol number) and puts in our own reason where we ended the exchange.
func plain(ctx context.Context, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if cause := context.Cause(ctx); cause != nil && ctx.Err() != nil {
		return cause
	}
	return err
}

// departure observes whether any of a request may have left. As long as the
// transport has no connection for it (no name, no route, refused, TLS failed) and
// has not taken a byte of the body, the other side cannot have a request to act
// upon. That the headers were written is no better sign: they are written by
// another goroutine, which may do so just after the exchange was given up.
type departure struct {
	conn, body atomic.Bool
}

func (d *departure) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { d.conn.Store(true) }}
}

func (d *departure) watch(body []byte) io.ReadCloser {
	return &watched{r: bytes.NewReader(body), read: &d.body}
}

func (d *departure) may() bool { return d.conn.Load() || d.body.Load() }

// watched offers Read alone: with more methods (WriteTo, Len, Seek) the body could
// be taken past it.
type watched struct {
	r    *bytes.Reader
	read *atomic.Bool
}

func (w *watched) Read(p []byte) (int, error) {
	w.read.Store(true)
	return w.r.Read(p)
}

func (w *watched) Close() error { return nil }
