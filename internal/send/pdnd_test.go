package send

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	testClient  = "3f0e9a64-6c0f-4b5e-9a55-0a1b2c3d4e5f"
	testPurpose = "9d2b7c10-1111-4222-8333-444455556666"
)

// Source: RFC 7638 §3.1.
func TestKeyIDOfTheRFC(t *testing.T) {
	const n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	raw, err := base64.RawURLEncoding.DecodeString(n)
	if err != nil {
		t.Fatal(err)
	}
	if got := KeyID(&rsa.PublicKey{N: new(big.Int).SetBytes(raw), E: 65537}); got != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Error(got)
	}
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// smallKey is a key below PDND's minimum, as DER.
func smallKey(t *testing.T) []byte {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return x509.MarshalPKCS1PrivateKey(k)
}

func TestParsePrivateKey(t *testing.T) {
	key := testRSA()
	good8 := pkcs8(t, key)
	good1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := x509.ParsePKCS1PrivateKey(smallKey(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"pkcs8": good8, "pkcs1": good1, "blank line after": append(good8, "\n\n"...)} {
		got, err := ParsePrivateKey(text)
		if err != nil || !got.Equal(key) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := map[string]struct {
		text []byte
		says string
	}{
		"nothing":   {nil, "not a PEM"},
		"der":       {[]byte{0x30, 0x82}, "not a PEM"},
		"two":       {append(append([]byte{}, good8...), good8...), "one PEM block"},
		"ec":        {pkcs8(t, ec), "RSA only"},
		"encrypted": {pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}}), "encrypted"},
		"legacy":    {pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: []byte{1}}), "encrypted"},
		"small":     {pkcs8(t, small), "1024 bits"},
		"public":    {pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}}), "not a private key"},
		"broken":    {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1, 2}}), "cannot be read"},
	}
	for name, tt := range bad {
		if _, err := ParsePrivateKey(tt.text); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Damage prevented: the classic refusals of PDND, which gives no reasons, found
// before the first call.
func TestNewChecksPDND(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := PDND{TokenURL: "https://auth.uat.interop.pagopa.it/token.oauth2", ClientID: testClient, PurposeID: testPurpose, Key: testRSA()}
	tests := []struct {
		name   string
		change func(*PDND)
		says   string
	}{
		{"good", func(*PDND) {}, ""},
		{"its own id", func(p *PDND) { p.KeyID = KeyID(&testRSA().PublicKey) }, ""},
		{"another key's id", func(p *PDND) { p.KeyID = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" }, "do not belong together"},
		{"two environments", func(p *PDND) { p.Audience = "auth.interop.pagopa.it/client-assertion" }, "two environments"},
		{"own environment", func(p *PDND) { p.Audience = "auth.uat.interop.pagopa.it/client-assertion" }, ""},
		{"client", func(p *PDND) { p.ClientID = "x" }, "client id"},
		{"purpose", func(p *PDND) { p.PurposeID = "" }, "purpose id"},
		{"no key", func(p *PDND) { p.Key = nil }, "missing"},
		{"an EC key", func(p *PDND) { p.Key = ec }, "not RSA"},
		{"plain http", func(p *PDND) { p.TokenURL = "http://auth.example.it/token" }, "https"},
	}
	for _, tt := range tests {
		p := good
		tt.change(&p)
		_, err := New(Config{BaseURL: "https://api.example.it", APIKey: testKey, PDND: &p})
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// foreign is a key that is only a crypto.Signer, as one in a token is.
type foreign struct{ key *rsa.PrivateKey }

func (f foreign) Public() crypto.PublicKey { return &f.key.PublicKey }
func (f foreign) Sign(r io.Reader, d []byte, o crypto.SignerOpts) ([]byte, error) {
	return f.key.Sign(r, d, o)
}

// both starts SEND and PDND and a client with a PDND-bound key.
func both(t *testing.T, send, pdnd http.HandlerFunc) (*Client, *hands) {
	t.Helper()
	srv := httptest.NewServer(pdnd)
	t.Cleanup(srv.Close)
	h := newHands()
	c := serve(t, send, func(cfg *Config) {
		cfg.Clock, cfg.Wait = h.now, h.wait
		cfg.PDND = &PDND{TokenURL: srv.URL + "/token.oauth2", ClientID: testClient, PurposeID: testPurpose, Key: foreign{testRSA()}}
	})
	return c, h
}

func token(n int32, life int) string {
	return fmt.Sprintf(`{"access_token":"voucher-%d","token_type":"Bearer","expires_in":%d}`, n, life)
}

// Source: reference/pdnd-voucher.md §1.2, §2: exactly these fields and claims,
// or PDND refuses without a reason.
func TestVoucherRequest(t *testing.T) {
	seen := map[string]bool{}
	c, h := both(t, answerWith(200, `[]`), func(w http.ResponseWriter, r *http.Request) {
		if ct := r.Header.Get("Content-Type"); r.Method != http.MethodPost || ct != "application/x-www-form-urlencoded" {
			t.Errorf("%s %s", r.Method, ct)
		}
		if r.Header.Get("x-api-key") != "" {
			t.Error("the API key was shown to PDND")
		}
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		f := r.PostForm
		if len(f) != 4 || f.Get("grant_type") != "client_credentials" || f.Get("client_id") != testClient || f.Get("client_assertion_type") != assertionType {
			t.Errorf("form %v", f)
		}
		checkAssertion(t, f.Get("client_assertion"), "127.0.0.1/client-assertion", seen)
		answerWith(200, token(1, 600))(w, r)
	})
	expires, err := c.Voucher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := h.now().Add(600 * time.Second); !expires.Equal(want) {
		t.Errorf("expires %v, want %v", expires, want)
	}
}

func checkAssertion(t *testing.T, compact, audience string, seen map[string]bool) {
	t.Helper()
	claims := jwt.MapClaims{}
	tok, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation()).
		ParseWithClaims(compact, claims, func(*jwt.Token) (any, error) { return &testRSA().PublicKey, nil })
	if err != nil {
		t.Errorf("assertion: %v", err)
		return
	}
	if len(tok.Header) != 3 || tok.Header["typ"] != "JWT" || tok.Header["kid"] != KeyID(&testRSA().PublicKey) {
		t.Errorf("header %v", tok.Header)
	}
	iat, exp := claims["iat"].(float64), claims["exp"].(float64)
	if len(claims) != 7 || claims["iss"] != testClient || claims["sub"] != testClient || claims["aud"] != audience ||
		claims["purposeId"] != testPurpose || exp-iat < 60 || exp-iat > 300 {
		t.Errorf("claims %v", claims)
	}
	jti, _ := claims["jti"].(string)
	if !uuid.MatchString(jti) || seen[jti] {
		t.Errorf("jti %q is no UUID or was used before", jti)
	}
	seen[jti] = true
}

// Damage prevented: a voucher "just in case" breaks a key without PDND binding,
// its absence breaks one with it (pdnd-voucher.md §5.2).
func TestAuthorizationOnlyWithPDND(t *testing.T) {
	var got []string
	look := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("x-api-key") != testKey {
			t.Error("no API key")
		}
		got = append(got, r.Header.Values("Authorization")...)
		answerWith(200, `[]`)(w, r)
	}
	if _, err := serve(t, look).ListStreams(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("without PDND: %v %v", got, err)
	}
	c, _ := both(t, look, answerWith(200, token(7, 600)))
	if _, err := c.ListStreams(t.Context()); err != nil || len(got) != 1 || got[0] != "Bearer voucher-7" {
		t.Errorf("with PDND: %v %v", got, err)
	}
}

// Damage prevented: fifty workers asking fifty vouchers, which PDND throttles for
// the whole body.
func TestVoucherOneInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		s := &vouchers{clock: time.Now, ask: func(context.Context) (voucher, error) {
			n := asked.Add(1)
			time.Sleep(2 * time.Second)
			return newVoucher(Secret(fmt.Sprint(n)), time.Now(), 10*time.Minute), nil
		}}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if v, err := s.get(t.Context()); err != nil || v.token != "1" {
					t.Errorf("%q %v", string(v.token), err)
				}
			})
		}
		wg.Wait()
		if asked.Load() != 1 {
			t.Errorf("asked %d times", asked.Load())
		}
		// At 80 % one caller renews, the others go on with the old one meanwhile.
		time.Sleep(8 * time.Minute)
		var fresh, old atomic.Int32
		for range 50 {
			wg.Go(func() {
				v, err := s.get(t.Context())
				switch {
				case err != nil:
					t.Error(err)
				case v.token == "2":
					fresh.Add(1)
				default:
					old.Add(1)
				}
			})
		}
		wg.Wait()
		if asked.Load() != 2 || fresh.Load() != 1 || old.Load() != 49 {
			t.Errorf("asked %d times, %d fresh, %d old", asked.Load(), fresh.Load(), old.Load())
		}
	})
}

// A caller who gives up must not take the others' voucher with him.
func TestVoucherLeaderGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		s := &vouchers{clock: time.Now, ask: func(ctx context.Context) (voucher, error) {
			asked.Add(1)
			select {
			case <-ctx.Done():
				return voucher{}, &Error{Class: Transient, Err: ctx.Err()}
			case <-time.After(5 * time.Second):
				return newVoucher("v", time.Now(), time.Hour), nil
			}
		}}
		leader, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.get(leader); !errors.Is(err, context.Canceled) {
				t.Errorf("leader: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := s.get(t.Context()); err != nil {
				t.Errorf("follower: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		if asked.Load() != 2 {
			t.Errorf("asked %d times", asked.Load())
		}
	})
}

// Damage prevented: work stops because PDND is away for a moment, or goes on with
// a voucher that SEND (zero tolerance) refuses and then denies for a minute.
func TestVoucherRenewalFails(t *testing.T) {
	down := false
	var asked atomic.Int32
	c, h := both(t, answerWith(200, `[]`), func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		if down {
			answerWith(503, `<html>`)(w, r)
			return
		}
		answerWith(200, token(n, 600))(w, r)
	})
	use := func() error { _, err := c.ListStreams(t.Context()); return err }
	if err := use(); err != nil {
		t.Fatal(err)
	}
	down = true
	h.move(500 * time.Second)
	if err := use(); err != nil {
		t.Errorf("a failed renewal took away a good voucher: %v", err)
	}
	failedAt := asked.Load()
	if err := use(); err != nil || asked.Load() != failedAt {
		t.Errorf("PDND was asked again at once: %v", err)
	}
	h.move(71 * time.Second) // 29 s before the end
	e := wantClass(t, use(), Transient)
	if e.Op != "list streams" || e.Status != 503 {
		t.Errorf("%+v", e)
	}
	down = false
	h.move(time.Minute)
	if err := use(); err != nil {
		t.Error(err)
	}
}

func TestVoucherLives(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct{ life, renew, stop int }{
		{600, 480, 570}, {3600, 2880, 3570}, {120, 60, 90}, {60, 30, 30}, {10, 5, 5},
	}
	for _, tt := range tests {
		v := newVoucher("x", at, time.Duration(tt.life)*time.Second)
		if got := int(v.renew.Sub(at).Seconds()); got != tt.renew {
			t.Errorf("%d s: renewed at %d, want %d", tt.life, got, tt.renew)
		}
		if got := int(v.stop.Sub(at).Seconds()); got != tt.stop {
			t.Errorf("%d s: stopped at %d, want %d", tt.life, got, tt.stop)
		}
	}
}

// Source: reference/pdnd-voucher.md §4.1 and its test matrix §6.
func TestVoucherAnswers(t *testing.T) {
	masked := `{"type":"about:blank","status":400,"errors":[{"code":"015-0008","detail":"Unable to generate a token for the given request"}]}`
	tests := []struct {
		name   string
		status int
		body   string
		header []string
		class  Class // 0 = good
		asked  int32
		retry  time.Duration
	}{
		{"good", 200, token(1, 600), nil, 0, 1, 0},
		{"no type", 200, `{"access_token":"a","expires_in":600}`, nil, 0, 1, 0},
		{"life as text", 200, `{"access_token":"a","expires_in":"600"}`, nil, 0, 1, 0},
		{"huge life", 200, `{"access_token":"a","expires_in":99999999999999999999}`, nil, 0, 1, 0},
		{"dpop", 200, `{"access_token":"a","token_type":"DPoP","expires_in":600}`, nil, Held, 1, 0},
		{"zero life", 200, token(1, 0), nil, Held, 1, 0},
		{"negative life", 200, token(1, -5), nil, Held, 1, 0},
		{"no life", 200, `{"access_token":"a"}`, nil, Held, 1, 0},
		{"no token", 200, `{"expires_in":600}`, nil, Held, 1, 0},
		{"token that no header can carry", 200, `{"access_token":"a\nb","expires_in":600}`, nil, Held, 1, 0},
		{"cut", 200, `{"access_token":"a","exp`, nil, Transient, 1, 0},
		{"refused: tried once more", 400, masked, nil, Held, 2, 0},
		{"form", 400, `{"errors":[{"code":"007-9999","detail":"Incorrect value for body"}]}`, nil, Held, 1, 0},
		{"throttled", 429, `{"errors":[{"code":"007-10004"}]}`, []string{"X-Rate-Limit-Interval", "5000"}, Transient, 1, 5 * time.Second},
		{"throttled, plain", 429, ``, nil, Transient, 1, time.Second},
		{"500", 500, `{"errors":[{"code":"015-0000"}]}`, nil, Transient, 1, 0},
		{"html", 502, `<html>`, nil, Transient, 1, 0},
		{"waf", 403, `<html>`, nil, Held, 1, 0},
		{"redirect", 302, ``, []string{"Location", "/elsewhere"}, Held, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked atomic.Int32
			c, _ := both(t, answerWith(200, `[]`), func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				w.Header().Set("X-Correlation-Id", "corr-1")
				w.Header().Set("Date", newHands().now().Format(http.TimeFormat))
				answerWith(tt.status, tt.body, tt.header...)(w, r)
			})
			_, err := c.Voucher(t.Context())
			if asked.Load() != tt.asked {
				t.Errorf("asked %d times, want %d", asked.Load(), tt.asked)
			}
			if tt.class == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := wantClass(t, err, tt.class)
			if tt.class == Held && e.Reason != HeldVoucher {
				t.Errorf("reason %q", e.Reason)
			}
			if e.RetryAfter != tt.retry {
				t.Errorf("retry after %v, want %v", e.RetryAfter, tt.retry)
			}
			if tt.status >= 400 && e.TraceID != "corr-1" {
				t.Error("the correlation id that PDND's support asks for is lost")
			}
			for _, secret := range []string{"eyJ", testKey, testClient} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q shows %q", err, secret)
				}
			}
		})
	}
}

// Damage prevented: renewing and retrying against a verdict that the gateway
// keeps for a minute, or taking it for final (pdnd-voucher.md §5.5).
func TestGatewayDenial(t *testing.T) {
	var asked atomic.Int32
	deny := true
	c, h := both(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/delivery/"):
			w.WriteHeader(404)
		case deny:
			answerWith(403, gatewayDeny)(w, r)
		default:
			answerWith(200, `[]`)(w, r)
		}
	}, func(w http.ResponseWriter, r *http.Request) {
		answerWith(200, token(asked.Add(1), 600))(w, r)
	})
	use := func() error { _, err := c.ListStreams(t.Context()); return err }
	e := wantClass(t, use(), Held)
	if e.Reason != HeldAPIKey || e.RetryAfter != 65*time.Second {
		t.Errorf("first denial: %q, %v", e.Reason, e.RetryAfter)
	}
	h.move(20 * time.Second)
	if e := wantClass(t, use(), Held); e.RetryAfter != 45*time.Second {
		t.Errorf("a denial out of the gateway's memory: %v", e.RetryAfter)
	}
	if asked.Load() != 2 {
		t.Errorf("%d vouchers asked; one renewal is due", asked.Load())
	}
	h.move(46 * time.Second)
	if e := wantClass(t, use(), Held); e.RetryAfter != 0 {
		t.Errorf("after a minute the denial stands, got %v", e.RetryAfter)
	}
	if asked.Load() != 2 {
		t.Errorf("%d vouchers asked", asked.Load())
	}
	// Another gateway that lets us pass says nothing about this one.
	if _, err := c.Document(t.Context(), "I", 0); ClassOf(err) != NotFound {
		t.Error(err)
	}
	if e := wantClass(t, use(), Held); e.RetryAfter != 0 {
		t.Errorf("forgotten because another gateway let us pass: %v", e.RetryAfter)
	}
	deny = false
	if err := use(); err != nil {
		t.Error(err)
	}
	deny = true
	if e := wantClass(t, use(), Held); e.RetryAfter != 65*time.Second {
		t.Errorf("a new row of denials begins anew: %v", e.RetryAfter)
	}
}

func TestSkew(t *testing.T) {
	c, h := both(t, answerWith(200, `[]`), answerWith(200, token(1, 600)))
	date := h.now().Add(90 * time.Second).Format(http.TimeFormat)
	c.sawDate(http.Header{"Date": {date}}, h.now(), h.now())
	if s := c.Skew(); s < 89*time.Second || s > 91*time.Second {
		t.Error(s)
	}
	c.skew.Store(0)
	if _, err := c.ListStreams(t.Context()); err != nil || c.Skew() == 0 {
		t.Errorf("no skew seen from an answer of SEND: %v", err)
	}
	c.sawDate(http.Header{"Date": {date}}, h.now(), h.now())
	c.sawDate(http.Header{"Date": {"yesterday"}}, h.now(), h.now())
	if s := c.Skew(); s < 89*time.Second {
		t.Error("an unreadable date changed the skew")
	}
}

func TestSecretNeverShows(t *testing.T) {
	s := Secret("hunter2")
	raw, err := json.Marshal(struct{ A Secret }{s})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, "https://api.example.it", func(cfg *Config) { cfg.APIKey = s })
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s", c, c, c, c),
		fmt.Sprint(s), fmt.Sprintf("%s %v %+v %#v %q %x", s, s, s, s, s, s), string(raw), s.LogValue().String(),
		fmt.Sprintf("%v %+v %#v", Config{APIKey: s}, Config{APIKey: s}, Config{APIKey: s}),
		fmt.Sprintf("%+v %#v", voucher{token: s}, voucher{token: s}),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("shown: %s", text)
		}
	}
}

// Damage prevented: a caller who gives up while the voucher ages must neither
// spin nor lose the voucher that is still good.
func TestRenewalGivenUp(t *testing.T) {
	h := newHands()
	asked := 0
	s := &vouchers{clock: h.now, ask: func(ctx context.Context) (voucher, error) {
		asked++
		if err := ctx.Err(); err != nil {
			return voucher{}, &Error{Class: Transient, Err: err}
		}
		return newVoucher("v", h.now(), 10*time.Minute), nil
	}}
	if _, err := s.get(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.move(9 * time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v, err := s.get(ctx); err != nil || v.token != "v" {
		t.Error(err)
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}
