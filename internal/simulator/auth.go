package simulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// identity is who calls: everything derives from the key.
type identity struct {
	sender *sender
	groups []string
	key    string
}

// verdict is the authorizer's answer, kept a minute per key and per API. The
// voucher is not part of what it is kept by, so one bad voucher closes the door
// to the next good ones, and one good voucher holds it open.
type verdict struct {
	allowed bool
	id      identity
	until   time.Time
}

const denied = "User is not authorized to access this resource with an explicit deny"

// authorize admits the call or answers 401, 403 or 429.
func (c *call) authorize() bool {
	value := c.r.Header.Get("X-Api-Key")
	if value == "" {
		c.message(http.StatusUnauthorized, "Unauthorized")
		return false
	}
	now := c.s.clocks.wall()
	v := c.s.verdict(c.r, value, now)
	if !v.allowed {
		c.message(http.StatusForbidden, denied)
		return false
	}
	c.id = v.id
	if text := c.s.throttle(value, now); text != "" {
		c.message(http.StatusTooManyRequests, text)
		return false
	}
	return true
}

func (s *Simulator) verdict(r *http.Request, value string, now time.Time) verdict {
	family, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	slot := family + "\x00" + value
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, known := s.verdicts[slot]; known && now.Before(v.until) {
		return v
	}
	v := s.judgeKey(r, value, now)
	v.until = now.Add(s.opt.AuthorizerCache)
	s.verdicts[slot] = v
	return v
}

// deny makes the authorizer remember a denial, as after a voucher that it did not like.
func (s *Simulator) deny(r *http.Request) {
	family, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verdicts[family+"\x00"+r.Header.Get("X-Api-Key")] = verdict{until: s.clocks.wall().Add(s.opt.AuthorizerCache)}
}

// judgeKey is the authorizer: key status first, then voucher exactly when the
// key asks for one.
func (s *Simulator) judgeKey(r *http.Request, value string, now time.Time) verdict {
	k := s.keys[value]
	if k == nil || !slices.Contains([]string{"", "ENABLED", "ROTATED"}, k.Status) {
		return verdict{}
	}
	bearer, present := r.Header["Authorization"]
	if present != k.PDND {
		return verdict{}
	}
	if present && (len(bearer) != 1 || !s.pdnd.acceptsVoucher(bearer[0], now)) {
		return verdict{}
	}
	return verdict{allowed: true, id: identity{sender: k.sender, groups: slices.Clone(k.Groups), key: value}}
}

// limiter is the usage plan of one key: a bucket and a count per UTC day.
type limiter struct {
	tokens float64
	last   time.Time
	day    string
	used   int
}

// throttle says which limit stops the call, "" if none.
func (s *Simulator) throttle(key string, now time.Time) string {
	l := s.opt.Limits
	if l.RatePerSecond == 0 && l.RatePerDay == 0 {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.limiters[key]
	if b == nil {
		b = &limiter{tokens: float64(l.RateBurst), last: now}
		s.limiters[key] = b
	}
	if day := now.Format(time.DateOnly); day != b.day {
		b.day, b.used = day, 0
	}
	if l.RatePerDay > 0 && b.used >= l.RatePerDay {
		return "Limit Exceeded"
	}
	if l.RatePerSecond > 0 {
		b.tokens = min(float64(l.RateBurst), b.tokens+now.Sub(b.last).Seconds()*l.RatePerSecond)
		b.last = now
		if b.tokens < 1 {
			return "Too Many Requests"
		}
		b.tokens--
	}
	b.used++
	return ""
}

// sees says whether a key may look at a notification of a group: a key without
// groups sees everything of its body.
func (id identity) sees(n *notification) bool {
	return n != nil && n.sender == id.sender && (len(id.groups) == 0 || slices.Contains(id.groups, n.group))
}
