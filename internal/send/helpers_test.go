package send

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testKey = "test-api-key-0001"

// hands is a clock that moves only when told to; its Wait moves it.
type hands struct {
	mu   sync.Mutex
	t    time.Time
	naps []time.Duration
}

func newHands() *hands { return &hands{t: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)} }

func (h *hands) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.t
}

func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t = h.t.Add(d)
}

func (h *hands) wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.naps = append(h.naps, d)
	h.t = h.t.Add(d)
	return nil
}

// serve starts a server that lives as long as the test and a client towards it.
func serve(t *testing.T, handler http.HandlerFunc, changes ...func(*Config)) *Client {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return newClient(t, srv.URL, changes...)
}

func newClient(t *testing.T, base string, changes ...func(*Config)) *Client {
	t.Helper()
	h := newHands()
	rt := newTransport()
	rt.Proxy = nil
	t.Cleanup(rt.CloseIdleConnections)
	cfg := Config{BaseURL: base, APIKey: testKey, Clock: h.now, Wait: h.wait, Transport: rt}
	for _, change := range changes {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answerWith gives every request the same answer.
func answerWith(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// wantClass gives the error's fields; no error itself, so that it may be dropped.
func wantClass(t *testing.T, err error, want Class) Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("want an *Error of class %d, got %v", want, err)
	}
	if e.Class != want {
		t.Fatalf("class %d, want %d: %v (details %v)", e.Class, want, err, e.Details)
	}
	if e.Op == "" {
		t.Fatalf("the error names no operation: %v", err)
	}
	return *e
}

var testRSA = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})
