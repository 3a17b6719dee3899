package submit

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"

	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// fakeSEND is SEND as its reference describes it, as far as submit sees it. It is
// the judge of the tests: what it accepted twice would be a double notification.
type fakeSEND struct {
	mu       sync.Mutex
	slots    map[string]string // key -> base64 digest
	objects  map[string]string // key -> version
	requests map[string]*stored
	notices  map[string]string // creditor##notice -> protocol
	calls    map[string]int
	serial   int
	sizes    []int // items of each preload call

	// before may refuse an operation before it has any effect, after may lose its
	// answer. call counts from 1 for each operation.
	before, after func(op string, call int) error
	sent          map[string]*send.Sent
	// judge may refuse a request for what it says.
	judge func(*notification.Request) error
	// invisible hides requests from look-ups.
	invisible bool
}

type stored struct {
	id      string
	status  string
	iun     string
	errors  []send.Refusal
	request notification.Request
}

func newFakeSEND() *fakeSEND {
	return &fakeSEND{
		slots: map[string]string{}, objects: map[string]string{}, requests: map[string]*stored{},
		notices: map[string]string{}, calls: map[string]int{}, sent: map[string]*send.Sent{},
	}
}

func (f *fakeSEND) enter(op string) error {
	f.calls[op]++
	if f.before != nil {
		return f.before(op, f.calls[op])
	}
	return nil
}

func (f *fakeSEND) leave(op string) error {
	if f.after != nil {
		return f.after(op, f.calls[op])
	}
	return nil
}

func (f *fakeSEND) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

func (f *fakeSEND) Preload(_ context.Context, items []send.PreloadItem) ([]send.Slot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("preload"); err != nil {
		return nil, err
	}
	if len(items) > 15 {
		return nil, &send.Error{Op: "preload", Class: send.Rejected, Status: 400}
	}
	f.sizes = append(f.sizes, len(items))
	var slots []send.Slot
	for i := range items {
		it := items[len(items)-1-i] // any order is allowed
		if it.SHA256 == "" {
			return nil, &send.Error{Op: "preload", Class: send.Rejected, Status: 400}
		}
		f.serial++
		key := fmt.Sprintf("PN_NOTIFICATION_ATTACHMENTS-%032d.pdf", f.serial)
		f.slots[key] = it.SHA256
		slots = append(slots, send.Slot{Index: it.Index, Secret: "s", Method: "PUT", URL: "https://store/" + key, Key: key})
	}
	return slots, f.leave("preload")
}

func (f *fakeSEND) Upload(_ context.Context, slot send.Slot, _, digest string, size int64, open func() (io.ReadCloser, error)) (string, error) {
	content, err := readAll(open)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("upload"); err != nil {
		return "", err
	}
	if err != nil {
		return "", &send.Error{Op: "upload", Class: send.Transient, Err: err}
	}
	sum := sha256.Sum256(content)
	if int64(len(content)) != size || base64.StdEncoding.EncodeToString(sum[:]) != digest || f.slots[slot.Key] != digest {
		return "", &send.Error{Op: "upload", Class: send.Expired, Status: 403}
	}
	f.serial++
	f.objects[slot.Key] = fmt.Sprintf("v%d", f.serial)
	return f.objects[slot.Key], f.leave("upload")
}

func (f *fakeSEND) Create(_ context.Context, r *notification.Request) (send.Created, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("create"); err != nil {
		return send.Created{}, err
	}
	if f.judge != nil {
		if err := f.judge(r); err != nil {
			return send.Created{}, err
		}
	}
	if err := f.conflict(r); err != nil {
		return send.Created{}, err
	}
	if err := f.sound(r); err != nil {
		return send.Created{}, err
	}
	s := f.put(r, send.Waiting)
	return send.Created{RequestID: s.id, Protocol: r.PaProtocolNumber, Token: r.IdempotenceToken}, f.leave("create")
}

// sound refuses attachments that name no uploaded object, as the asynchronous
// validation would.
func (f *fakeSEND) sound(r *notification.Request) error {
	var err error
	r.Attachments(func(path string, a *notification.Attachment) {
		if a.File != "" || a.Ref == nil || a.Digests == nil || f.objects[a.Ref.Key] != a.Ref.VersionToken || f.slots[a.Ref.Key] != a.Digests.SHA256 {
			err = &send.Error{Op: "create", Class: send.Rejected, Status: 400, Details: []send.Detail{{Code: "TEST_ATTACHMENT", Element: path}}}
		}
	})
	return err
}

func (f *fakeSEND) conflict(r *notification.Request) error {
	var kind send.ConflictKind
	if f.requests[key(r.PaProtocolNumber, r.IdempotenceToken)] != nil {
		kind |= send.ConflictToken
	}
	for _, p := range notification.Notices(r) {
		if f.notices[p.Creditor+"##"+p.Notice] != "" {
			kind |= send.ConflictNotice
		}
	}
	if kind != 0 {
		return &send.Error{Op: "create", Class: send.Conflict, Status: 409, Conflicts: kind}
	}
	return nil
}

// put stores a request as SEND would after its 202.
func (f *fakeSEND) put(r *notification.Request, status string) *stored {
	f.serial++
	s := &stored{id: fmt.Sprintf("request-%d", f.serial), status: status, request: *r}
	if status == send.Accepted {
		s.iun = fmt.Sprintf("ABCD-EFGH-IJKL-2026%02d-A-1", f.serial)
	}
	f.requests[key(r.PaProtocolNumber, r.IdempotenceToken)] = s
	if status != send.Refused {
		for _, p := range notification.Notices(r) {
			f.notices[p.Creditor+"##"+p.Notice] = r.PaProtocolNumber
		}
	}
	return s
}

func key(protocol, token string) string { return protocol + "\x00" + token }

func (f *fakeSEND) StatusByToken(_ context.Context, protocol, token string) (send.RequestStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("lookup"); err != nil {
		return send.RequestStatus{}, err
	}
	s := f.requests[key(protocol, token)]
	if s == nil || f.invisible {
		return send.RequestStatus{}, &send.Error{Op: "status", Class: send.NotFound, Status: 404}
	}
	body, err := json.Marshal(s.request)
	if err != nil {
		return send.RequestStatus{}, err
	}
	return send.RequestStatus{
		RequestID: s.id, Status: s.status, IUN: s.iun, Errors: s.errors, Protocol: protocol, Token: token, Body: body,
	}, f.leave("lookup")
}

func (f *fakeSEND) Sent(_ context.Context, iun string) (*send.Sent, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("sent"); err != nil {
		return nil, err
	}
	if s := f.sent[iun]; s != nil {
		return s, nil
	}
	return nil, &send.Error{Op: "sent", Class: send.NotFound, Status: 404}
}

func (f *fakeSEND) Cancel(_ context.Context, iun string) (send.Cancelled, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.enter("cancel"); err != nil {
		return send.Cancelled{}, err
	}
	var c send.Cancelled
	err := json.Unmarshal([]byte(`{"status":"OK","details":[{"code":"NOTIFICATION_CANCELLATION_ACCEPTED"}]}`), &c)
	return c, err
}

// accepted counts the requests of a protocol number that SEND took and did not
// refuse.
func (f *fakeSEND) accepted(protocol string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for k, s := range f.requests {
		if strings.HasPrefix(k, protocol+"\x00") && s.status != send.Refused {
			n++
		}
	}
	return n
}
