package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sendconnector/internal/notification"
)

// MaxPreload is how many slots one call may ask for (reference/send-api.md §2.1).
const MaxPreload = 15

// Preload asks for upload slots, 1 to MaxPreload, each item with an index of its
// own, and gives them in the order of the items, matched by index and never by
// place. It may be repeated: a slot that is not used costs nothing.
func (c *Client) Preload(ctx context.Context, items []PreloadItem) ([]Slot, error) {
	const op = "preload"
	if err := checkPreload(items); err != nil {
		return nil, &Error{Op: op, Class: Fatal, Err: err}
	}
	body, err := json.Marshal(items)
	if err != nil {
		return nil, &Error{Op: op, Class: Fatal, Err: err}
	}
	k := &call{op: op, method: http.MethodPost, path: c.cfg.Paths.Preload, body: body, priority: PriorityCreate, repeat: true}
	a, err := c.do(ctx, k)
	if err != nil {
		return nil, err
	}
	var got []Slot
	if json.Unmarshal(a.body, &got) != nil {
		return nil, unreadable(k, a.status, errors.New("the list of slots cannot be read"))
	}
	slots, err := inOrder(items, got)
	if err != nil {
		return nil, &Error{Op: op, Class: Fatal, Status: a.status, Err: err}
	}
	return slots, nil
}

func checkPreload(items []PreloadItem) error {
	if len(items) == 0 || len(items) > MaxPreload {
		return fmt.Errorf("%d slots asked for, 1 to %d are possible", len(items), MaxPreload)
	}
	seen := map[string]bool{}
	for _, it := range items {
		if it.Index == "" || seen[it.Index] {
			return fmt.Errorf("the preload index %q is blank or used twice", it.Index)
		}
		if it.SHA256 == "" || it.ContentType == "" {
			return fmt.Errorf("the preload item %q lacks its digest or content type", it.Index)
		}
		seen[it.Index] = true
	}
	return nil
}

// inOrder gives each item its slot. A slot given to the wrong item would put one
// citizen's document into another's notification, so nothing is guessed.
func inOrder(items []PreloadItem, got []Slot) ([]Slot, error) {
	byIndex := make(map[string]Slot, len(got))
	for _, s := range got {
		if _, twice := byIndex[s.Index]; twice {
			return nil, fmt.Errorf("two slots for the index %q", s.Index)
		}
		byIndex[s.Index] = s
	}
	slots := make([]Slot, len(items))
	for i, it := range items {
		s, ok := byIndex[it.Index]
		switch {
		case !ok:
			return nil, fmt.Errorf("no slot for the index %q", it.Index)
		case s.Key == "" || s.URL == "" || s.Secret == "":
			return nil, fmt.Errorf("the slot of the index %q lacks its key, address or secret", it.Index)
		}
		slots[i] = s
	}
	return slots, nil
}

// Create posts a notification request, once. Before calling it the caller has
// committed its intent, and after an error of class Unknown it looks the request
// up before anything else (StatusByToken); this method never posts twice.
func (c *Client) Create(ctx context.Context, r *notification.Request) (Created, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return Created{}, &Error{Op: "create", Class: Fatal, Err: err}
	}
	return c.CreateRaw(ctx, body)
}

// CreateRaw is Create for a body that is already in SEND's own form.
func (c *Client) CreateRaw(ctx context.Context, body []byte) (Created, error) {
	k := &call{op: "create", method: http.MethodPost, path: c.cfg.Paths.Create, body: body, priority: PriorityCreate, effect: true}
	a, err := c.do(ctx, k)
	if err != nil {
		return Created{}, err
	}
	var created Created
	if json.Unmarshal(a.body, &created) != nil || created.RequestID == "" {
		return Created{}, unreadable(k, a.status, errors.New("accepted, but the answer does not say under which id"))
	}
	return created, nil
}

// StatusByID asks what became of a request.
func (c *Client) StatusByID(ctx context.Context, requestID string) (RequestStatus, error) {
	if requestID == "" {
		return RequestStatus{}, &Error{Op: "status", Class: Fatal, Err: errors.New("no request id")}
	}
	st, err := c.status(ctx, query("notificationRequestId", requestID))
	if err == nil && st.RequestID != requestID {
		return RequestStatus{}, errOther
	}
	return st, err
}

// StatusByToken looks a request up by what we knew before posting it. The class
// NotFound means that SEND has no such request, or none visible to this key.
func (c *Client) StatusByToken(ctx context.Context, protocol, token string) (RequestStatus, error) {
	if strings.TrimSpace(protocol) == "" || strings.TrimSpace(token) == "" {
		return RequestStatus{}, &Error{Op: "status", Class: Fatal, Err: errors.New("protocol number and token are both needed")}
	}
	st, err := c.status(ctx, query("paProtocolNumber", protocol, "idempotenceToken", token))
	if err == nil && (st.Protocol != "" && st.Protocol != protocol || st.Token != "" && st.Token != token) {
		return RequestStatus{}, errOther
	}
	return st, err
}

// errOther: adopting the answer to another question would show a notification as
// sent that is not.
var errOther = &Error{Op: "status", Class: Fatal, Status: http.StatusOK, Err: errors.New("the answer is about another request")}

func (c *Client) status(ctx context.Context, q string) (RequestStatus, error) {
	k := &call{
		op: "status", method: http.MethodGet, path: c.cfg.Paths.Status + q,
		priority: PriorityLookup, repeat: true, resource: true, valid: refused,
	}
	a, err := c.do(ctx, k)
	if err != nil {
		return RequestStatus{}, err
	}
	var st RequestStatus
	if err := json.Unmarshal(a.body, &st); err != nil {
		return RequestStatus{}, unreadable(k, a.status, errors.New("the state of the request cannot be read"))
	}
	if st.RequestID == "" || st.Status == "" {
		return RequestStatus{}, &Error{Op: k.op, Class: Fatal, Status: a.status, Err: errors.New("the answer holds no request id or no state")}
	}
	return st, nil
}

// refused accepts the HTTP 500 with which PnValidator reports a refused request
// (reference/pn-validator.md §2).
func refused(status int, body []byte) bool {
	var st RequestStatus
	return status == http.StatusInternalServerError && json.Unmarshal(body, &st) == nil && st.Status == Refused
}
