package simulator

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Damage prevented: a client that sends the voucher "just in case", or without
// one, would pass here and be denied in production.
func TestAuthorizerMatrix(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.AuthorizerCache = -1 })
	id, err := w.sim.NewIdentity("Comune", "")
	if err != nil {
		t.Fatal(err)
	}
	voucher := "Bearer " + w.tokenForm(tokenFormOf(id, assertion(t, id, w.now, nil))).json(t)["access_token"].(string)
	for _, k := range []APIKey{
		{Value: "rotated", Sender: "pa-a", Status: "ROTATED"},
		{Value: "blocked", Sender: "pa-a", Status: "BLOCKED"},
	} {
		if err := w.sim.AddKey(k); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name, key, auth string
		want            int
		message         string
	}{
		{"no key", "", "", 401, "Unauthorized"},
		{"unknown key", "nobody", "", 403, denied},
		{"blocked key", "blocked", "", 403, denied},
		{"rotated key", "rotated", "", 200, ""},
		{"plain key", testKey, "", 200, ""},
		{"plain key with a voucher", testKey, voucher, 403, denied},
		{"bound key with a voucher", id.APIKey, voucher, 200, ""},
		{"bound key without voucher", id.APIKey, "", 403, denied},
		{"lower-case bearer", id.APIKey, strings.Replace(voucher, "Bearer", "bearer", 1), 403, denied},
		{"rubbish", id.APIKey, "Bearer x.y.z", 403, denied},
		{"altered signature", id.APIKey, voucher[:len(voucher)-6] + "AAAAAA", 403, denied},
	} {
		w.key = tc.key
		w.hdr = http.Header{}
		if tc.auth != "" {
			w.hdr.Set("Authorization", tc.auth)
		}
		a := w.do("GET", "/status", nil)
		if a.status != tc.want {
			t.Errorf("%s: %d, want %d: %s", tc.name, a.status, tc.want, a.body)
		}
		if tc.message != "" && a.json(t)["message"] != tc.message {
			t.Errorf("%s: message %s", tc.name, a.body)
		}
	}
	w.key, w.hdr = testKey, http.Header{}
	if a := w.do("GET", "/delivery/v9.9/requests", nil); a.status != 403 || a.json(t)["message"] != "Missing Authentication Token" {
		t.Errorf("unknown path: %d %s", a.status, a.body)
	}
}

// Damage prevented: a client that takes a 403 after a fresh voucher for final
// would stop a municipality for one minute of cached denial.
func TestAuthorizerCachesItsVerdict(t *testing.T) {
	w := newWorld(t, nil)
	id, err := w.sim.NewIdentity("Comune", "")
	if err != nil {
		t.Fatal(err)
	}
	voucher := func() string {
		return "Bearer " + w.tokenForm(tokenFormOf(id, assertion(t, id, w.now, nil))).json(t)["access_token"].(string)
	}
	status := func(path string) int { return w.do("GET", path, nil).status }
	w.key = id.APIKey
	old := voucher()
	w.pass(601 * time.Second)
	w.hdr.Set("Authorization", old)
	if got := status("/status"); got != 403 {
		t.Fatalf("expired voucher: %d", got)
	}
	w.hdr.Set("Authorization", voucher())
	if got := status("/status"); got != 403 {
		t.Errorf("a good voucher within the minute: %d, want the cached 403", got)
	}
	if got := status(streams); got != 200 {
		t.Errorf("another API has its own verdict: %d", got)
	}
	w.pass(61 * time.Second)
	if got := status("/status"); got != 200 {
		t.Errorf("after the minute: %d", got)
	}
	w.pass(550 * time.Second) // the verdict is old, the voucher too
	w.hdr.Set("Authorization", voucher())
	if got := status("/status"); got != 200 {
		t.Fatal(got)
	}
	w.hdr.Del("Authorization")
	if got := status("/status"); got != 200 {
		t.Errorf("a kept verdict lets even a bare call in: %d", got)
	}
	w.sim.SetKeyStatus(id.APIKey, "BLOCKED")
	if got := status("/status"); got != 200 {
		t.Errorf("blocking waits for the cache: %d", got)
	}
	w.pass(61 * time.Second)
	w.hdr.Set("Authorization", voucher())
	if got := status("/status"); got != 403 {
		t.Errorf("blocked key: %d", got)
	}
}

// Damage prevented: a client without a limiter looks fine against a simulator
// without one.
func TestThrottle(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits = Limits{RatePerSecond: 2, RateBurst: 3, RatePerDay: 6} })
	got := func() (string, int) {
		a := w.do("GET", "/status", nil)
		if a.status == 200 {
			return "", 200
		}
		return a.json(t)["message"].(string), a.status
	}
	for i := range 3 {
		if _, status := got(); status != 200 {
			t.Fatalf("call %d: %d", i, status)
		}
	}
	if text, status := got(); status != 429 || text != "Too Many Requests" {
		t.Errorf("burst over: %d %s", status, text)
	}
	w.pass(10 * time.Second)
	for range 3 {
		got()
	}
	if text, status := got(); status != 429 || text != "Limit Exceeded" {
		t.Errorf("day over: %d %s", status, text)
	}
	w.pass(24 * time.Hour)
	if _, status := got(); status != 200 {
		t.Errorf("next day: %d", status)
	}
}

// Damage prevented: a token endpoint that explains itself, or accepts what PDND
// refuses, hides a client's fault until the first day of production.
func TestTokenEndpoint(t *testing.T) {
	w := newWorld(t, nil)
	id, err := w.sim.NewIdentity("Comune", "")
	if err != nil {
		t.Fatal(err)
	}
	const masked = "015-0008"
	bend := func(change func(h, p map[string]any)) url.Values {
		return tokenFormOf(id, assertion(t, id, w.now, change))
	}
	set := func(name string, v any) func(h, p map[string]any) {
		return func(_, p map[string]any) { p[name] = v }
	}
	form := func(name, v string) url.Values {
		f := bend(nil)
		f.Set(name, v)
		return f
	}
	remove := func(name string) func(h, p map[string]any) {
		return func(_, p map[string]any) { delete(p, name) }
	}
	other := "00000000-0000-4000-a000-000000000000"
	for _, tc := range []struct {
		name   string
		form   url.Values
		status int
		code   string
	}{
		{"good", bend(nil), 200, ""},
		{"audience list", bend(set("aud", []string{"x", id.Audience})), 200, ""},
		{"very long life", bend(set("exp", w.now.Unix()+30*86400)), 200, ""},
		{"iat in the future", bend(set("iat", w.now.Unix()+999)), 200, ""},
		{"no assertion", form("client_assertion", ""), 400, "007-9999"},
		{"wrong grant", form("grant_type", "password"), 400, "007-9999"},
		{"client id not a UUID", form("client_id", "abc"), 400, "007-9999"},
		{"assertion type", form("client_assertion_type", "x"), 400, masked},
		{"not a JWT", form("client_assertion", "abc"), 400, masked},
		{"form client differs", form("client_id", other), 400, masked},
		{"expired", bend(set("exp", w.now.Unix())), 400, masked},
		{"exp as text", bend(set("exp", "9999999999")), 400, masked},
		{"audience with scheme", bend(set("aud", "https://"+id.Audience)), 400, masked},
		{"no jti", bend(remove("jti")), 400, masked},
		{"no iat", bend(remove("iat")), 400, masked},
		{"no iss", bend(remove("iss")), 400, masked},
		{"no purpose", bend(remove("purposeId")), 400, masked},
		{"purpose of another client", bend(set("purposeId", other)), 400, masked},
		{"unknown client", bend(func(_, p map[string]any) { p["sub"] = other }), 400, masked},
		{"nbf under strict claims", bend(set("nbf", w.now.Unix())), 400, masked},
		{"extra claim", bend(set("scope", "x")), 400, masked},
		{"PS256", bend(func(h, _ map[string]any) { h["alg"] = "PS256" }), 400, masked},
		{"short kid", bend(func(h, _ map[string]any) { h["kid"] = "k1" }), 400, masked},
		{"extra header", bend(func(h, _ map[string]any) { h["cty"] = "x" }), 400, masked},
	} {
		w.pass(2 * time.Second) // stay below the rate
		a := w.tokenForm(tc.form)
		if a.status != tc.status || a.codes() != tc.code {
			t.Errorf("%s: %d %q, want %d %q: %s", tc.name, a.status, a.codes(), tc.status, tc.code, a.body)
		}
		if a.header.Get("X-Correlation-Id") == "" {
			t.Errorf("%s: no correlation id", tc.name)
		}
	}
}

func TestTokenEndpointStates(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.PDNDRatePerSec = 2; o.VoucherLifespan = 120 * time.Second })
	id, err := w.sim.NewIdentity("Comune", "")
	if err != nil {
		t.Fatal(err)
	}
	ask := func() answer { return w.tokenForm(tokenFormOf(id, assertion(t, id, w.now, nil))) }
	for range 2 {
		if a := ask(); a.status != 200 || a.json(t)["expires_in"] != 120.0 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	a := ask()
	if a.status != 429 || a.codes() != "007-10004" || a.header.Get("X-Rate-Limit-Interval") != "1000" || a.header.Get("Retry-After") != "" {
		t.Errorf("over the rate: %d %v %s", a.status, a.header, a.body)
	}
	w.pass(time.Minute)
	req, _ := http.NewRequest(http.MethodPost, w.srv.URL+"/token.oauth2", strings.NewReader(tokenFormOf(id, assertion(t, id, w.now, nil)).Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("DPoP", "x")
	if a := send(req); a.codes() != "015-0008" {
		t.Errorf("DPoP: %d %s", a.status, a.body)
	}
	w.pass(time.Minute)
	w.sim.SuspendPurpose(id.PurposeID, true)
	if a := ask(); a.codes() != "015-0008" {
		t.Errorf("suspended purpose: %d %s", a.status, a.body)
	}
	w.sim.SuspendPurpose(id.PurposeID, false)
	w.sim.BreakPurpose(id.PurposeID, true)
	if a := ask(); a.status != 500 || a.codes() != "015-0000" {
		t.Errorf("incomplete purpose: %d %s", a.status, a.body)
	}
	w.sim.BreakPurpose(id.PurposeID, false)
	w.sim.RemoveClientKeys(id.ClientID)
	if a := ask(); a.codes() != "015-0008" {
		t.Errorf("removed key: %d %s", a.status, a.body)
	}
	if err := w.sim.AddClient(Client{ID: "x", Keys: []any{"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"}}); err == nil {
		t.Error("a certificate was taken for a public key")
	}
}
