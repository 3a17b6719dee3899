package send

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// CreateStream creates a stream of events. Nothing tells a second one from the
// first, so a failure after it may have left is Unknown: list before trying again.
func (c *Client) CreateStream(ctx context.Context, s NewStream) (Stream, error) {
	k := &call{op: "create stream", method: http.MethodPost, path: c.cfg.Paths.CreateStream, effect: true}
	return c.stream(ctx, k, &s)
}

// ListStreams lists streams of every version, disabled ones included, with id
// and title only.
func (c *Client) ListStreams(ctx context.Context) ([]Stream, error) {
	k := &call{op: "list streams", method: http.MethodGet, path: c.cfg.Paths.ListStreams, priority: PriorityStream, repeat: true}
	a, err := c.do(ctx, k)
	if err != nil {
		return nil, err
	}
	var list []Stream
	if json.Unmarshal(a.body, &list) != nil {
		return nil, unreadable(k, a.status, errors.New("the list of streams cannot be read"))
	}
	return list, nil
}

// Stream reads one stream. Class Held with HeldStream: made by another version
// of the API, or not this key's.
func (c *Client) Stream(ctx context.Context, id string) (Stream, error) {
	k := &call{op: "stream", method: http.MethodGet, path: fill(c.cfg.Paths.Stream, "streamId", id), repeat: true, resource: true}
	return c.stream(ctx, k, nil)
}

// UpdateStream changes title, groups and filter; Replaces is not sent. SEND
// ignores an empty filter here, and waitForAccepted.
func (c *Client) UpdateStream(ctx context.Context, id string, s NewStream) (Stream, error) {
	s.Replaces = ""
	k := &call{op: "update stream", method: http.MethodPut, path: fill(c.cfg.Paths.UpdateStream, "streamId", id), resource: true}
	return c.stream(ctx, k, &s)
}

// DisableStream stops a stream from taking events; those in it can be read for
// 14 days. Disabling twice is refused by SEND, so a lost answer is Unknown.
func (c *Client) DisableStream(ctx context.Context, id string) (Stream, error) {
	k := &call{op: "disable stream", method: http.MethodPost, path: fill(c.cfg.Paths.DisableStream, "streamId", id), effect: true, resource: true}
	return c.stream(ctx, k, nil)
}

// DeleteStream deletes a stream with the events in it. A stream that is not
// there any more is class NotFound.
func (c *Client) DeleteStream(ctx context.Context, id string) error {
	k := &call{
		op: "delete stream", method: http.MethodDelete, path: fill(c.cfg.Paths.DeleteStream, "streamId", id),
		priority: PriorityStream, resource: true,
	}
	_, err := c.do(ctx, k)
	return err
}

func (c *Client) stream(ctx context.Context, k *call, body *NewStream) (Stream, error) {
	k.priority = PriorityStream
	if body != nil {
		b := *body
		// SEND refuses null, and to some an absent filter means "nothing".
		b.Groups, b.Filter = present(b.Groups), present(b.Filter)
		raw, err := json.Marshal(b)
		if err != nil {
			return Stream{}, &Error{Op: k.op, Class: Fatal, Err: err}
		}
		k.body = raw
	}
	a, err := c.do(ctx, k)
	if err != nil {
		return Stream{}, err
	}
	var s Stream
	if json.Unmarshal(a.body, &s) != nil || s.ID == "" {
		return Stream{}, unreadable(k, a.status, errors.New("the stream cannot be read"))
	}
	return s, nil
}

func present(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

const (
	unsaidRetry = time.Minute // an empty page, or a 429, that names no pause
	emptyRetry  = time.Second // an empty page that says "at once": never a busy loop
)

// Events reads the events after lastEventID ("" = from the first). Asking with
// an id acknowledges it and all before it: SEND forgets them, so the caller has
// committed them first. One reader per stream. Read too early, SEND answers 429:
// Transient with RetryAfter, not tried again here. An event that cannot be read is in the page with
// Raw alone.
func (c *Client) Events(ctx context.Context, streamID, lastEventID string) (Page, error) {
	path := fill(c.cfg.Paths.Events, "streamId", streamID)
	if lastEventID != "" {
		path += query("lastEventId", lastEventID)
	}
	k := &call{op: "events", method: http.MethodGet, path: path, priority: PriorityStream, repeat: true, resource: true, stream: true}
	a, err := c.do(ctx, k)
	if err != nil {
		return Page{}, err
	}
	var list []json.RawMessage
	if json.Unmarshal(a.body, &list) != nil {
		return Page{}, unreadable(k, a.status, errors.New("the page of events cannot be read"))
	}
	page := Page{RetryAfter: retryAfter(k, a.header)}
	for _, raw := range list {
		var e Event
		if json.Unmarshal(raw, &e) != nil {
			e = Event{Raw: raw}
		}
		page.Events = append(page.Events, e)
	}
	if len(list) == 0 && a.header.Get("Retry-After") == "" {
		page.RetryAfter = unsaidRetry
	} else if len(list) == 0 {
		page.RetryAfter = max(page.RetryAfter, emptyRetry)
	}
	return page, nil
}
