package send

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// read makes a GET of something that may not be there.
func (c *Client) read(ctx context.Context, op, path string, p Priority) (*answer, *call, error) {
	k := &call{op: op, method: http.MethodGet, path: path, priority: p, repeat: true, resource: true}
	a, err := c.do(ctx, k)
	return a, k, err
}

// Sent reads a notification with its whole timeline. Class NotFound: not accepted
// (yet), or not visible to this key.
func (c *Client) Sent(ctx context.Context, iun string) (*Sent, error) {
	a, k, err := c.read(ctx, "sent", fill(c.cfg.Paths.Sent, "iun", iun), PriorityDocuments)
	if err != nil {
		return nil, err
	}
	var s Sent
	if json.Unmarshal(a.body, &s) != nil {
		return nil, unreadable(k, a.status, errors.New("the notification cannot be read"))
	}
	if s.IUN == "" {
		s.IUN = iun
	}
	if s.IUN != iun || s.Status == "" {
		return nil, &Error{Op: k.op, Class: Fatal, Status: a.status, Err: errors.New("the answer is not this notification")}
	}
	return &s, nil
}

// LegalFact asks where a legal fact is. key may carry its safestorage:// prefix.
// Without URL, ask again after RetryAfter (up to five hours for old ones).
func (c *Client) LegalFact(ctx context.Context, iun, key string) (Download, error) {
	key = strings.TrimPrefix(key, "safestorage://")
	path := fill(c.cfg.Paths.LegalFact, "iun", iun, "legalFactId", key)
	return c.download(c.read(ctx, "legal fact", path, PriorityDocuments))
}

// Document asks where a document of the notification is; docIdx counts from 0.
func (c *Client) Document(ctx context.Context, iun string, docIdx int) (Download, error) {
	path := fill(c.cfg.Paths.Document, "iun", iun, "docIdx", strconv.Itoa(docIdx))
	return c.download(c.read(ctx, "document", path, PriorityDocuments))
}

// Names of a payment's attachments.
const (
	AttachmentPagoPA = "PAGOPA"
	AttachmentF24    = "F24"
)

// PaymentAttachment asks where the attachment (AttachmentPagoPA or AttachmentF24)
// of a recipient's payment is; recipient and idx count from 0, idx over all of
// the recipient's payments. An F24 is drawn on demand: the first answers may be
// RetryAfter only.
func (c *Client) PaymentAttachment(ctx context.Context, iun string, recipient int, name string, idx int) (Download, error) {
	path := fill(c.cfg.Paths.PaymentAttachment,
		"iun", iun, "recipientIdx", strconv.Itoa(recipient), "attachmentName", name)
	path += query("attachmentIdx", strconv.Itoa(idx))
	return c.download(c.read(ctx, "payment attachment", path, PriorityDocuments))
}

// download reads the metadata of a document. Neither address nor pause is a
// passing state of SEND.
func (c *Client) download(a *answer, k *call, err error) (Download, error) {
	if err != nil {
		return Download{}, err
	}
	var f fields
	if json.Unmarshal(a.body, &f) != nil || f == nil {
		return Download{}, unreadable(k, a.status, errors.New("the document's metadata cannot be read"))
	}
	seconds := min(max(f.integer("retryAfter"), 0), int(longestRestore/time.Second))
	d := Download{
		Filename:      f.text("filename"),
		ContentType:   f.text("contentType"),
		ContentLength: int64(f.integer("contentLength")),
		SHA256:        f.text("sha256"),
		URL:           f.text("url"),
		RetryAfter:    time.Duration(seconds) * time.Second,
	}
	if d.URL == "" && d.RetryAfter == 0 {
		return Download{}, &Error{Op: k.op, Class: Transient, Status: a.status, Err: errors.New("neither an address nor a time to wait")}
	}
	return d, nil
}

// Price asks for the present cost of a notice. Class NotFound: SEND has no
// accepted, live notification with this notice.
func (c *Client) Price(ctx context.Context, creditor, notice string) (Price, error) {
	path := fill(c.cfg.Paths.Price, "paTaxId", creditor, "noticeCode", notice)
	a, k, err := c.read(ctx, "price", path, PriorityPrice)
	if err != nil {
		return Price{}, err
	}
	var f fields
	var p Price
	if json.Unmarshal(a.body, &f) != nil || json.Unmarshal(a.body, &p) != nil {
		return Price{}, unreadable(k, a.status, errors.New("the price cannot be read"))
	}
	if f.number("totalPrice") == nil {
		// Taken as zero it would be collected as zero.
		return Price{}, &Error{Op: k.op, Class: Fatal, Status: a.status, Err: errors.New("the answer holds no total price")}
	}
	return p, nil
}

// Codes of a Cancelled.
const (
	CancelAccepted = "NOTIFICATION_CANCELLATION_ACCEPTED"
	CancelAlready  = "NOTIFICATION_ALREADY_CANCELLED"
	CancelRefused  = "NOTIFICATION_REFUSED"
)

// Cancel asks for the cancellation of a notification. SEND takes it as done once
// however often it is asked; Details[0].Code tells what came of it.
func (c *Client) Cancel(ctx context.Context, iun string) (Cancelled, error) {
	k := &call{
		op: "cancel", method: http.MethodPut, path: fill(c.cfg.Paths.Cancel, "iun", iun),
		priority: PriorityLookup, repeat: true, resource: true,
	}
	a, err := c.do(ctx, k)
	if err != nil {
		return Cancelled{}, err
	}
	var done Cancelled
	if json.Unmarshal(a.body, &done) != nil {
		return Cancelled{}, unreadable(k, a.status, errors.New("the answer to the cancellation cannot be read"))
	}
	return done, nil
}

// PlatformStatus asks SEND how it is. Degraded is a Transient error whose
// Details name the functions that are down.
func (c *Client) PlatformStatus(ctx context.Context) error {
	k := &call{op: "platform status", method: http.MethodGet, path: c.cfg.Paths.PlatformStatus, priority: PriorityLookup, valid: degraded}
	a, err := c.do(ctx, k)
	if err != nil {
		return err
	}
	var f fields
	_ = json.Unmarshal(a.body, &f)
	e := &Error{Op: k.op, Class: Transient, Status: a.status, Err: errors.New("SEND reports an incident")}
	for _, one := range f.list("openIncidents") {
		var i fields
		if json.Unmarshal(one, &i) == nil && i.text("status") != "OK" {
			e.Details = append(e.Details, Detail{Code: i.text("status"), Element: i.text("functionality")})
		}
	}
	if a.status > 299 || len(e.Details) > 0 {
		return e
	}
	return nil
}

// degraded accepts the 500 whose body is the state of the platform.
func degraded(status int, body []byte) bool {
	var f fields
	return status == http.StatusInternalServerError && json.Unmarshal(body, &f) == nil && f.raw("openIncidents") != nil
}
