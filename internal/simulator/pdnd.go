package simulator

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// pdnd is the authorization server. It has its own lock: the authorizer asks it
// while it holds the simulator's.
type pdnd struct {
	s       *Simulator
	mu      sync.Mutex
	clients map[string]*pdndClient
	stopped map[string]bool // purposes, agreements or e-services not active, by purpose id
	broken  map[string]bool // purposes whose data is incomplete: 500
	windows map[string]*window
	signer  *rsa.PrivateKey // made at the first need: generating it takes a while
}

type pdndClient struct {
	Client
	keys map[string]*rsa.PublicKey // by kid
}

// window counts a tenant's requests in the current second.
type window struct {
	since time.Time
	count int
}

func newPDND(s *Simulator) *pdnd {
	return &pdnd{
		s: s, clients: map[string]*pdndClient{}, stopped: map[string]bool{},
		broken: map[string]bool{}, windows: map[string]*window{},
	}
}

// AddClient makes a PDND client known, or replaces it.
func (s *Simulator) AddClient(c Client) error {
	known := &pdndClient{Client: c, keys: map[string]*rsa.PublicKey{}}
	for _, v := range c.Keys {
		k, err := publicKey(v)
		if err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
		known.keys[thumbprint(k)] = k
	}
	s.pdnd.mu.Lock()
	defer s.pdnd.mu.Unlock()
	s.pdnd.clients[c.ID] = known
	return nil
}

// SuspendPurpose stops or restarts the vouchers of a purpose.
func (s *Simulator) SuspendPurpose(id string, suspended bool) {
	s.pdnd.mu.Lock()
	defer s.pdnd.mu.Unlock()
	s.pdnd.stopped[id] = suspended
}

// BreakPurpose makes PDND's own data of a purpose incomplete: its answer is 500.
func (s *Simulator) BreakPurpose(id string, broken bool) {
	s.pdnd.mu.Lock()
	defer s.pdnd.mu.Unlock()
	s.pdnd.broken[id] = broken
}

// RemoveClientKeys deletes every public key of a client.
func (s *Simulator) RemoveClientKeys(id string) {
	s.pdnd.mu.Lock()
	defer s.pdnd.mu.Unlock()
	if c := s.pdnd.clients[id]; c != nil {
		c.keys = map[string]*rsa.PublicKey{}
	}
}

// key is the signing key; the caller holds the lock.
func (p *pdnd) key() *rsa.PrivateKey {
	if p.signer == nil {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic("simulator: " + err.Error()) // the machine has no randomness
		}
		p.signer = k
	}
	return p.signer
}

// acceptsVoucher is SEND's check of an Authorization header: the literal prefix,
// type, issuer, key, audience, signature, times without tolerance.
func (p *pdnd) acceptsVoucher(header string, now time.Time) bool {
	t, err := parseToken(strings.Replace(header, "Bearer ", "", 1))
	if err != nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	key := &p.key().PublicKey
	return t.header["typ"] == "at+jwt" && t.payload["iss"] == p.s.opt.PDNDIssuer &&
		t.header["kid"] == thumbprint(key) && t.payload["aud"] == p.s.opt.SENDAudience &&
		t.verify(key) && now.Unix() < number(t.payload["exp"]) && now.Unix() >= number(t.payload["nbf"])
}

// number reads a JSON number; anything else is 0, which no check accepts.
func number(v any) int64 {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	f, err := n.Float64()
	if err != nil {
		return 0
	}
	return int64(f)
}

// issue is the handler's work once the form fits; it returns the answer's status
// and body. What exactly is wrong stays inside, as at PDND.
func (p *pdnd) issue(form url.Values, now time.Time, life time.Duration, h http.Header) (status int, body any) {
	if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return p.masked()
	}
	t, err := parseToken(form.Get("client_assertion"))
	if err != nil || !p.assertionFits(t, form.Get("client_id")) {
		return p.masked()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	purpose := textClaim(t.payload, "purposeId")
	client := p.clients[textClaim(t.payload, "sub")]
	key := client.keyFor(textClaim(t.header, "kid"), purpose)
	if key == nil {
		return p.masked()
	}
	if p.broken[purpose] {
		return p.internal()
	}
	exp, nbf := number(t.payload["exp"]), number(t.payload["nbf"])
	if !t.verify(key) || now.Unix() >= exp || nbf > now.Unix() || p.stopped[purpose] {
		return p.masked()
	}
	if !p.withinRate(client.Tenant, now, h) {
		return http.StatusTooManyRequests, pdndProblem(http.StatusTooManyRequests, "Too Many Requests", "Requests limit exceeded",
			"007-10004", "Requests limit exceeded for organization "+client.Tenant)
	}
	return p.voucher(client, purpose, t.payload["digest"], now, life)
}

func (c *pdndClient) keyFor(kid, purpose string) *rsa.PublicKey {
	if c == nil {
		return nil
	}
	for _, id := range c.PurposeIDs {
		if id == purpose {
			return c.keys[kid]
		}
	}
	return nil
}

// voucher signs one that lives for life; what it says of itself is the platform's
// usual life.
func (p *pdnd) voucher(client *pdndClient, purpose string, digest any, now time.Time, life time.Duration) (int, any) {
	said := int64(p.s.opt.VoucherLifespan / time.Second)
	key := p.key()
	payload := map[string]any{
		"iss": p.s.opt.PDNDIssuer, "sub": client.ID, "client_id": client.ID, "aud": p.s.opt.SENDAudience,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Unix() + int64(life/time.Second), "jti": p.s.dice.uuid(), "purposeId": purpose,
	}
	if digest != nil {
		payload["digest"] = digest
	}
	signed, err := signToken(key, map[string]any{"typ": "at+jwt", "alg": "RS256", "use": "sig", "kid": thumbprint(&key.PublicKey)}, payload)
	if err != nil {
		return p.internal()
	}
	return http.StatusOK, map[string]any{"access_token": signed, "token_type": "Bearer", "expires_in": said}
}

// withinRate counts per tenant, only requests whose signature was good.
func (p *pdnd) withinRate(tenant string, now time.Time, h http.Header) bool {
	limit := p.s.opt.PDNDRatePerSec
	if limit < 0 {
		return true
	}
	w := p.windows[tenant]
	if w == nil || now.Sub(w.since) >= time.Second {
		w = &window{since: now}
		p.windows[tenant] = w
	}
	w.count++
	h.Set("X-Rate-Limit-Limit", strconv.Itoa(limit))
	h.Set("X-Rate-Limit-Interval", "1000")
	h.Set("X-Rate-Limit-Remaining", strconv.Itoa(max(0, limit-w.count)))
	return w.count <= limit
}

func (p *pdnd) masked() (int, any) {
	return http.StatusBadRequest, pdndProblem(http.StatusBadRequest, "The request contains bad syntax or cannot be fulfilled.",
		"Bad request", "015-0008", "Unable to generate a token for the given request")
}

func (p *pdnd) internal() (int, any) {
	x := pdndProblem(http.StatusInternalServerError, "The request couldn't be fulfilled due to an internal error",
		"Internal server error", "015-0000", "Unable to generate a token for the given request due to an internal error")
	x["type"] = "internalServerError"
	return http.StatusInternalServerError, x
}

func pdndProblem(status int, title, detail, code, text string) map[string]any {
	return map[string]any{
		"type": "about:blank", "status": status, "title": title, "detail": detail,
		"errors": []problemError{{Code: code, Detail: text}},
	}
}

func (s *Simulator) pdndStatus(c *call) { c.json(http.StatusOK, map[string]string{"status": "ok"}) }

func (s *Simulator) jwks(c *call) {
	s.pdnd.mu.Lock()
	defer s.pdnd.mu.Unlock()
	k := &s.pdnd.key().PublicKey
	b64 := base64.RawURLEncoding.EncodeToString
	c.json(http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": thumbprint(k),
		"n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes()),
	}}})
}
