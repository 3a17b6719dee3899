package send

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// Fetch downloads what a Download's address names into w and gives its length
// and content type. It sends no credentials, and accepts https only (http on
// this machine). More than limit bytes is an error (0 = no limit). Nothing is
// tried again by itself, since w may have bytes already; after an error what w
// holds is worthless. Class Expired: ask for a new address.
func (c *Client) Fetch(ctx context.Context, address string, w io.Writer, limit int64) (n int64, contentType string, err error) {
	const op = "fetch"
	release, err := c.transfer(ctx)
	if err != nil {
		return 0, "", c.named(op, err)
	}
	defer release()
	ctx, dog := watch(ctx, c.cfg.ProgressTimeout)
	defer dog.stop()
	r, err := c.storeRequest(ctx, http.MethodGet, address)
	if err != nil {
		return 0, "", &Error{Op: op, Class: Fatal, Err: err}
	}
	r.Header.Set("User-Agent", c.cfg.UserAgent)
	resp, err := c.store.Do(r)
	if err != nil {
		return 0, "", &Error{Op: op, Class: Transient, Err: plain(ctx, err)}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, "", notFetched(resp)
	}
	n, err = dog.copy(ctx, w, resp.Body, limit)
	return n, resp.Header.Get("Content-Type"), err
}

func notFetched(resp *http.Response) *Error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, errorLimit))
	p := readProblem(text)
	e := &Error{Op: "fetch", Class: Fatal, Status: resp.StatusCode, Details: p.details, TraceID: resp.Header.Get("x-amz-request-id")}
	switch {
	case gone(resp.StatusCode, p.details):
		e.Class = Expired
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusRequestTimeout:
		e.Class = Transient
	}
	return e
}

// copy moves a body to w. A failure of w comes back as Transient with its cause:
// the download can be had again when w can take it.
func (d *watchdog) copy(ctx context.Context, w io.Writer, body io.Reader, limit int64) (n int64, err error) {
	buf := make([]byte, 64<<10)
	for {
		got, rerr := body.Read(buf)
		if got > 0 {
			d.moved()
			if limit > 0 && n+int64(got) > limit {
				return n, &Error{Op: "fetch", Class: Fatal, Status: http.StatusOK, Err: fmt.Errorf("longer than %d bytes", limit)}
			}
			put, werr := w.Write(buf[:got])
			n += int64(put)
			if werr == nil && put < got {
				werr = io.ErrShortWrite
			}
			if werr != nil {
				return n, &Error{Op: "fetch", Class: Transient, Status: http.StatusOK, Err: fmt.Errorf("storing the download: %w", werr)}
			}
		}
		if rerr == io.EOF {
			return n, nil
		}
		if rerr != nil {
			return n, &Error{Op: "fetch", Class: Transient, Status: http.StatusOK, Err: plain(ctx, rerr)}
		}
	}
}
