package send

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Upload puts size bytes into a slot and gives the version token of the object.
// contentType and sha256 (base64) are those of the preload: the slot is signed
// for them. open is called for every try, at most three; a try ends when no byte
// has moved for Config.ProgressTimeout. Class Expired means that the slot is no
// longer good (or was asked for other bytes): preload again.
func (c *Client) Upload(ctx context.Context, slot Slot, contentType, sha256 string, size int64, open func() (io.ReadCloser, error)) (versionToken string, err error) {
	o := object{slot, contentType, sha256, size}
	release, err := c.transfer(ctx)
	if err != nil {
		return "", c.named("upload", err)
	}
	defer release()
	pause := backoff.NewExponentialBackOff()
	pause.MaxInterval = 4 * time.Second
	for try := 1; ; try++ {
		versionToken, err = c.uploadOnce(ctx, o, open)
		if err == nil || try == quickTries || !quick(err) || ctx.Err() != nil {
			return versionToken, err
		}
		if c.cfg.Wait(ctx, pause.NextBackOff()) != nil {
			return "", err
		}
	}
}

// object is what goes into a slot.
type object struct {
	slot        Slot
	contentType string
	sha256      string
	size        int64
}

func (c *Client) uploadOnce(ctx context.Context, o object, open func() (io.ReadCloser, error)) (string, error) {
	ctx, dog := watch(ctx, c.cfg.ProgressTimeout)
	defer dog.stop()
	r, err := c.uploadRequest(ctx, o)
	if err != nil {
		return "", &Error{Op: "upload", Class: Fatal, Err: err}
	}
	src, err := open()
	if err != nil {
		return "", &Error{Op: "upload", Class: Fatal, Err: fmt.Errorf("opening the document: %w", err)}
	}
	body := &source{r: src, dog: dog, want: o.size}
	defer body.Close()
	if o.size > 0 {
		r.Body, r.ContentLength = body, o.size
	}
	resp, err := c.store.Do(r)
	if err == nil {
		defer resp.Body.Close()
	}
	if failed := body.failure(); failed != nil {
		return "", &Error{Op: "upload", Class: Fatal, Err: failed}
	}
	if err != nil {
		return "", &Error{Op: "upload", Class: Transient, Err: plain(ctx, err)}
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, errorLimit))
	return uploaded(resp, text)
}

// uploadRequest makes the request that the slot was signed for: its method, its
// address to the byte, its headers, and no credentials.
func (c *Client) uploadRequest(ctx context.Context, o object) (*http.Request, error) {
	if o.slot.Method != http.MethodPut && o.slot.Method != http.MethodPost {
		return nil, errors.New("the slot's method is neither PUT nor POST")
	}
	r, err := c.storeRequest(ctx, o.slot.Method, o.slot.URL)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", o.contentType)
	r.Header.Set("x-amz-meta-secret", o.slot.Secret)
	r.Header.Set("x-amz-checksum-sha256", o.sha256)
	r.Header.Set("User-Agent", c.cfg.UserAgent)
	return r, nil
}

// uploaded reads the object store's answer to an upload.
func uploaded(resp *http.Response, text []byte) (string, error) {
	p := readProblem(text)
	e := &Error{Op: "upload", Status: resp.StatusCode, Details: p.details, TraceID: resp.Header.Get("x-amz-request-id")}
	version := resp.Header.Get("x-amz-version-id")
	switch s := resp.StatusCode; {
	case s >= 200 && s <= 299 && version != "":
		return version, nil
	case s >= 200 && s <= 299:
		// Without its version the object cannot be named; something else answered.
		e.Class, e.Err = Transient, errors.New("taken, but without a version")
	case gone(s, p.details):
		e.Class = Expired
	case s >= 500, s == http.StatusTooManyRequests, s == http.StatusRequestTimeout, hasCode(p.details, "RequestTimeout"):
		e.Class = Transient
	default:
		e.Class = Fatal
	}
	return "", e
}

// source is the body of an upload. It tells the watchdog of progress, and tells
// a failure of the document itself from one of the network. The transport may
// still read it while the answer is being looked at, hence the lock.
type source struct {
	r    io.ReadCloser
	dog  *watchdog
	want int64

	mu   sync.Mutex
	read int64
	err  error
	shut bool
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read += int64(n)
	switch {
	case s.read > s.want:
		s.err = fmt.Errorf("the document has more than the %d bytes that were announced", s.want)
	case err == io.EOF && s.read < s.want:
		s.err = fmt.Errorf("the document has %d bytes, %d were announced", s.read, s.want)
	case err != nil && err != io.EOF && !s.shut:
		s.err = fmt.Errorf("reading the document: %w", err)
	}
	if s.read >= s.want {
		s.dog.drained()
	} else if n > 0 {
		s.dog.moved()
	}
	return n, err
}

// Close closes the document once; both the transport and the upload call it.
func (s *source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return nil
	}
	s.shut = true
	return s.r.Close()
}

func (s *source) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
