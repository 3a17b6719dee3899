package simulator

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// maxForm is more than any client assertion needs.
const maxForm = 64 << 10

var (
	uuidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	kidPattern  = regexp.MustCompile(`^[a-zA-Z0-9_-]{43}$`)
)

// token is POST /token.oauth2. Only a form that does not fit the contract is
// told why; every other fault has one and the same answer.
func (s *Simulator) token(c *call) {
	correlation := s.dice.uuid()
	c.w.Header().Set("X-Correlation-Id", correlation)
	c.r.Body = http.MaxBytesReader(nil, c.r.Body, maxForm)
	var bad []problemError
	if c.r.ParseForm() != nil {
		bad = append(bad, problemError{Code: "007-9999", Detail: "Incorrect value for body"})
	}
	form := c.r.PostForm
	for _, field := range []string{"client_assertion", "client_assertion_type", "grant_type"} {
		if form.Get(field) == "" {
			bad = append(bad, problemError{Code: "007-9999", Detail: field + ": Required"})
		}
	}
	if g := form.Get("grant_type"); g != "" && g != "client_credentials" {
		bad = append(bad, problemError{Code: "007-9999", Detail: "grant_type: Invalid enum value"})
	}
	if form.Has("client_id") && !uuidPattern.MatchString(form.Get("client_id")) {
		bad = append(bad, problemError{Code: "007-9999", Detail: "client_id: Invalid uuid"})
	}
	if len(bad) > 0 {
		x := pdndProblem(http.StatusBadRequest, "Bad request", "Incorrect value for body", "", "")
		x["errors"], x["correlationId"] = bad, correlation
		c.json(http.StatusBadRequest, x)
		return
	}
	status, body := s.pdnd.masked()
	if c.r.Header.Get("DPoP") == "" { // SEND does not ask for DPoP, so the simulator does not play it
		life := s.opt.VoucherLifespan
		if c.struck(FaultShortVoucher) {
			life = time.Minute
		}
		status, body = s.pdnd.issue(form, s.clocks.wall(), life, c.w.Header())
	}
	if x, isProblem := body.(map[string]any); isProblem && status != http.StatusOK {
		x["correlationId"] = correlation
	}
	c.json(status, body)
}

// assertionFits checks the shape of a client assertion before any key is looked
// up: members of header and payload, their types, and under strict validation
// that nothing else is there.
func (p *pdnd) assertionFits(t *token, formClient string) bool {
	sub := textClaim(t.payload, "sub")
	purpose, hasPurpose := t.payload["purposeId"]
	switch {
	case textClaim(t.payload, "jti") == "", textClaim(t.payload, "iss") == "",
		number(t.payload["iat"]) == 0, number(t.payload["exp"]) == 0,
		!uuidPattern.MatchString(sub),
		formClient != "" && sub != formClient,
		hasPurpose && !uuidPattern.MatchString(textClaim(t.payload, "purposeId")), hasPurpose && purpose == nil,
		!kidPattern.MatchString(textClaim(t.header, "kid")),
		!p.audienceFits(t.payload["aud"]),
		textClaim(t.header, "alg") != "RS256",
		!digestFits(t.payload["digest"]):
		return false
	}
	if typ, present := t.header["typ"]; present {
		if _, isText := typ.(string); !isText {
			return false
		}
	}
	if nbf, present := t.payload["nbf"]; present {
		if _, isNumber := nbf.(json.Number); !isNumber {
			return false
		}
	}
	return p.s.opt.LooseClaims || onlyMembers(t.header, "kid", "alg", "typ") &&
		onlyMembers(t.payload, "iss", "sub", "aud", "jti", "iat", "exp", "purposeId", "digest")
}

func (p *pdnd) audienceFits(v any) bool {
	switch a := v.(type) {
	case string:
		return a == p.s.opt.PDNDAudience
	case []any:
		return slices.Contains(a, any(p.s.opt.PDNDAudience))
	}
	return false
}

func digestFits(v any) bool {
	if v == nil {
		return true
	}
	m, ok := v.(map[string]any)
	return ok && onlyMembers(m, "alg", "value") && m["alg"] == "SHA256" && len(textClaim(m, "value")) == 64
}

func textClaim(m map[string]any, name string) string {
	text, _ := m[name].(string)
	return text
}

func onlyMembers(m map[string]any, allowed ...string) bool {
	for k := range m {
		if !slices.Contains(allowed, k) {
			return false
		}
	}
	return true
}
