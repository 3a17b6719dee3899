package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Damage prevented: a stall that answers after all, or that has an effect where it
// should have none, proves nothing about time-outs.
func TestStalls(t *testing.T) {
	for kind, effect := range map[FaultKind]int{FaultStall: 0, FaultStallAfter: 1, FaultStallBody: 1} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			srv := httptest.NewServer(w.sim)
			defer srv.Close()
			w.sim.Faults().Add(Fault{Operation: "create", Kind: kind, Count: 1})
			body := w.body("2026/1")
			client := &http.Client{Timeout: 300 * time.Millisecond}
			defer client.CloseIdleConnections()
			r, err := http.NewRequest(http.MethodPost, srv.URL+requests, bytes.NewReader(mustJSON(body)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Api-Key", w.key)
			r.Header.Set("Content-Type", "application/json")
			a, err := client.Do(r)
			if err == nil {
				_, err = new(bytes.Buffer).ReadFrom(a.Body)
				a.Body.Close()
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("want the client's own time-out, got %v", err)
			}
			if got := len(w.sim.Accepted()); got != effect {
				t.Errorf("%d stored, want %d", got, effect)
			}
		})
	}
}

// A date says the same as seconds, by the platform's own clock; a fault with a key
// leaves other bodies alone; a denial is remembered as the authorizer remembers one.
func TestFaultsOfOneKey(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Keys = append(o.Keys, APIKey{Value: "other", Sender: o.Senders[0].ID})
	})
	get := func(key string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/delivery-progresses/v2.9/streams", nil)
		r.Header.Set("X-Api-Key", key)
		out := httptest.NewRecorder()
		w.sim.ServeHTTP(out, r)
		return out
	}
	w.sim.Faults().Add(Fault{Operation: "streamList", Key: "other", Kind: FaultTooManyRequests, RetryAfter: "in 90s", Count: 1})
	if a := get(w.key); a.Code != 200 {
		t.Errorf("another body's fault: %d", a.Code)
	}
	a := get("other")
	now, err1 := http.ParseTime(a.Header().Get("Date"))
	then, err2 := http.ParseTime(a.Header().Get("Retry-After"))
	if a.Code != 429 || errors.Join(err1, err2) != nil || then.Sub(now) != 90*time.Second {
		t.Errorf("%d %v %v", a.Code, now, then)
	}
	w.sim.Faults().Add(Fault{Operation: "streamList", Key: "other", Kind: FaultDenied, Count: 1})
	for _, want := range []int{403, 403} {
		if a := get("other"); a.Code != want || !strings.Contains(a.Body.String(), "explicit deny") {
			t.Errorf("%d %s", a.Code, a.Body)
		}
	}
	w.sim.Advance(61 * time.Second)
	if a := get("other"); a.Code != 200 {
		t.Errorf("after the verdict was forgotten: %d", a.Code)
	}
}

// A voucher that ends before its time must be refused by SEND, and its answer must
// promise the usual life, or the client is never surprised.
func TestShortVoucher(t *testing.T) {
	s := New(Options{ManualClock: true, AuthorizerCache: -1})
	id, err := s.NewIdentity("Comune", "")
	if err != nil {
		t.Fatal(err)
	}
	s.Faults().Add(Fault{Operation: "token", Kind: FaultShortVoucher, Count: 1})
	form := url.Values{
		"client_id": {id.ClientID}, "client_assertion": {assertion(t, id, s.clocks.wall(), nil)}, "grant_type": {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
	r := httptest.NewRequest(http.MethodPost, "/token.oauth2", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	out := httptest.NewRecorder()
	s.ServeHTTP(out, r)
	var got struct {
		Token string `json:"access_token"`
		Life  int    `json:"expires_in"`
	}
	if err := json.Unmarshal(out.Body.Bytes(), &got); err != nil || got.Life != 600 {
		t.Fatal(out.Body, err)
	}
	for _, step := range []struct {
		after time.Duration
		ok    bool
	}{{30 * time.Second, true}, {31 * time.Second, false}} {
		s.Advance(step.after)
		if ok := s.pdnd.acceptsVoucher("Bearer "+got.Token, s.clocks.wall()); ok != step.ok {
			t.Errorf("accepted %v, want %v", ok, step.ok)
		}
	}
}
