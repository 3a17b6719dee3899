package send

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// storeClient is for the object store: it sends no credentials, so it may follow
// a few redirects, each to an address that is allowed itself.
func storeClient(rt http.RoundTripper, api string) *http.Client {
	return &http.Client{
		Transport: rt,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if via[0].Method != http.MethodGet || len(via) > 3 {
				return http.ErrUseLastResponse
			}
			// net/http would tell the new host the signed address of the old one.
			r.Header.Del("Referer")
			return checkStore(r.URL.String(), api)
		},
	}
}

// transfer takes one of the places for uploads and downloads.
func (c *Client) transfer(ctx context.Context) (release func(), err error) {
	select {
	case c.transfers <- struct{}{}:
		return func() { <-c.transfers }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// gone tells that a presigned address is not good (any more).
func gone(status int, details []Detail) bool {
	switch status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return true
	}
	return hasCode(details, "ExpiredToken")
}

// storeRequest makes a request for an address of the object store.
func (c *Client) storeRequest(ctx context.Context, method, address string) (*http.Request, error) {
	target, err := exactURL(address, c.cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("the address of the object store %w", err)
	}
	r := &http.Request{Method: method, URL: target, Host: target.Host, Header: http.Header{}}
	return r.WithContext(ctx), nil
}

// checkStore allows an address of the object store that an answer of api, or a
// redirect, names. A platform out there has no business on this machine or its
// network: such an address would have us fetch for somebody who cannot.
func checkStore(raw, api string) error {
	if err := checkURL(raw); err != nil {
		return err
	}
	if host, err := url.Parse(raw); err == nil && inner(host.Hostname()) {
		if from, err := url.Parse(api); err != nil || !inner(from.Hostname()) {
			return errors.New("leads into this machine or its network")
		}
	}
	return nil
}

// inner tells addresses that only mean something here.
func inner(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if loopback(host) || strings.HasSuffix(host, ".localhost") {
		return true
	}
	host, _, _ = strings.Cut(host, "%") // the zone of an IPv6 address
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast())
}

// exactURL parses an address so that it goes out byte for byte: its signature
// covers the escapes as they are written.
func exactURL(raw, api string) (*url.URL, error) {
	if !printable(raw) {
		return nil, errors.New("holds blanks or characters that no address can carry")
	}
	if err := checkStore(raw, api); err != nil {
		return nil, err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("cannot be read")
	}
	whole, _, _ := strings.Cut(raw, "#")
	_, rest, _ := strings.Cut(whole, "://")
	at := strings.IndexAny(rest, "/?")
	if at < 0 || rest[at] == '?' {
		return u, nil // no path: nothing to preserve but the query, which is kept
	}
	path, _, _ := strings.Cut(rest[at:], "?")
	if u.EscapedPath() != path && !strings.HasPrefix(path, "//") {
		u.Opaque = path
	}
	return u, nil
}

// watchdog ends an exchange in which no byte moves.
type watchdog struct {
	patience time.Duration
	timer    *time.Timer
	cancel   context.CancelCauseFunc
}

func watch(ctx context.Context, patience time.Duration) (context.Context, *watchdog) {
	ctx, cancel := context.WithCancelCause(ctx)
	d := &watchdog{patience: patience, cancel: cancel}
	d.timer = time.AfterFunc(patience, func() { cancel(errStalled) })
	return ctx, d
}

func (d *watchdog) moved() { d.timer.Reset(d.patience) }

// drained gives the tail of an upload that lies in buffers below us twice the
// patience, as its progress cannot be seen.
func (d *watchdog) drained() { d.timer.Reset(2 * d.patience) }

func (d *watchdog) stop() {
	d.timer.Stop()
	d.cancel(nil)
}
