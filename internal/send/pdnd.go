package send

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	assertionLife  = 2 * time.Minute
	assertionType  = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	voucherLimit   = 64 << 10       // bytes of PDND's answer that are read
	longestVoucher = 24 * time.Hour // PDND's own upper bound of voucherLifespan
	audiencePath   = "/client-assertion"
	officialPDND   = ".interop.pagopa.it"
)

// issuer asks PDND's authorization server for vouchers.
type issuer struct {
	p       PDND
	agent   string
	http    *http.Client
	clock   func() time.Time
	sawDate func(http.Header, time.Time, time.Time)
}

var uuid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func newVouchers(p PDND, cfg Config, sawDate func(http.Header, time.Time, time.Time)) (*vouchers, error) {
	p = p.withDefaults()
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("PDND: %w", err)
	}
	pub, err := checkSigner(p.Key)
	if err != nil {
		return nil, fmt.Errorf("PDND: %w", err)
	}
	computed := KeyID(pub)
	if p.KeyID != "" && p.KeyID != computed {
		return nil, fmt.Errorf("PDND: the key file has the id %s, the configuration says %s: they do not belong together", computed, p.KeyID)
	}
	p.KeyID = computed
	i := &issuer{p: p, agent: cfg.UserAgent, http: noRedirects(cfg.Transport), clock: cfg.Clock, sawDate: sawDate}
	return &vouchers{clock: cfg.Clock, ask: i.ask}, nil
}

func (p PDND) withDefaults() PDND {
	if u, err := url.Parse(p.TokenURL); err == nil && p.Audience == "" {
		p.Audience = u.Hostname() + audiencePath
	}
	if p.Timeout <= 0 {
		p.Timeout = defaultVoucherTimeout
	}
	return p
}

func (p PDND) check() error {
	var errs []error
	if err := checkURL(p.TokenURL); err != nil {
		errs = append(errs, fmt.Errorf("token address: %w", err))
	}
	if !uuid.MatchString(p.ClientID) {
		errs = append(errs, errors.New("the client id is not a UUID"))
	}
	if !uuid.MatchString(p.PurposeID) {
		errs = append(errs, errors.New("the purpose id is not a UUID"))
	}
	// The usual cause of a refusal without a reason: address of one environment,
	// audience of another (reference/pdnd-voucher.md §1.1).
	u, err := url.Parse(p.TokenURL)
	host, _, _ := strings.Cut(p.Audience, "/")
	if err == nil && strings.HasSuffix(u.Hostname(), officialPDND) && strings.HasSuffix(host, officialPDND) && host != u.Hostname() {
		errs = append(errs, fmt.Errorf("the audience is of %s, the token address of %s: two environments", host, u.Hostname()))
	}
	return errors.Join(errs...)
}

// ask obtains a voucher. A refusal is answered once with a fresh assertion, since
// PDND gives no reasons and the first may have met a passing state.
func (i *issuer) ask(ctx context.Context) (voucher, error) {
	v, err := i.askOnce(ctx)
	if e := asError(err); err != nil && e.Class == Held && e.Status == http.StatusBadRequest && !hasCode(e.Details, codeBadForm) {
		v, err = i.askOnce(ctx)
	}
	return v, err
}

func (i *issuer) askOnce(ctx context.Context) (voucher, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, i.p.Timeout, errNoAnswer)
	defer cancel()
	asked := i.clock()
	assertion, err := i.assertion(asked)
	if err != nil {
		return voucher{}, heldVoucher(0, nil, err)
	}
	form := url.Values{
		"client_id":             {i.p.ClientID},
		"client_assertion":      {assertion},
		"client_assertion_type": {assertionType},
		"grant_type":            {"client_credentials"},
	}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.p.TokenURL, strings.NewReader(form))
	if err != nil {
		return voucher{}, heldVoucher(0, nil, errors.New("the token address is not valid"))
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", i.agent)
	resp, err := i.http.Do(r)
	if err != nil {
		return voucher{}, &Error{Op: "voucher", Class: Transient, Err: plain(ctx, err)}
	}
	defer resp.Body.Close()
	i.sawDate(resp.Header, asked, i.clock())
	body, err := io.ReadAll(io.LimitReader(resp.Body, voucherLimit))
	if resp.StatusCode != http.StatusOK {
		e := judgePDND(resp, body)
		blameClock(e, resp.Header, asked)
		return voucher{}, e
	}
	if err != nil {
		return voucher{}, &Error{Op: "voucher", Class: Transient, Status: resp.StatusCode, Err: plain(ctx, err)}
	}
	return readVoucher(body, asked)
}

// assertion makes a fresh client assertion with the allowed members and no
// others (strict claims validation, pdnd-voucher.md §2.4).
func (i *issuer) assertion(now time.Time) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": i.p.ClientID, "sub": i.p.ClientID, "aud": i.p.Audience,
		"jti": newUUID(), "purposeId": i.p.PurposeID,
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	t.Header["kid"] = i.p.KeyID
	text, err := t.SigningString()
	if err != nil {
		return "", errors.New("the assertion cannot be encoded")
	}
	// Through crypto.Signer, so that a key in a token or a KMS serves as well.
	digest := sha256.Sum256([]byte(text))
	sig, err := i.p.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return "", errors.New("the private key does not sign")
	}
	return text + "." + t.EncodeSegment(sig), nil
}

// newUUID makes a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// readVoucher reads PDND's 200. expires_in is taken as it comes, being each
// e-service's own choice, also where it is written as a string.
func readVoucher(body []byte, asked time.Time) (voucher, error) {
	var f fields
	if json.Unmarshal(body, &f) != nil || f == nil {
		return voucher{}, &Error{Op: "voucher", Class: Transient, Status: http.StatusOK, Err: errors.New("the answer is not JSON or was cut short")}
	}
	token := f.text("access_token")
	if token == "" || !printable(token) {
		return voucher{}, heldVoucher(http.StatusOK, nil, errors.New("the answer holds no usable access_token"))
	}
	if kind := f.text("token_type"); kind != "" && !strings.EqualFold(kind, "Bearer") {
		return voucher{}, heldVoucher(http.StatusOK, nil, errors.New("PDND gave a token that is not of type Bearer"))
	}
	seconds, ok := new(big.Float).SetString(f.text("expires_in"))
	if !ok || seconds.Sign() <= 0 {
		return voucher{}, heldVoucher(http.StatusOK, nil, errors.New("the answer does not say how long the voucher lives"))
	}
	life := longestVoucher
	if s, _ := seconds.Int64(); s < int64(longestVoucher/time.Second) {
		life = time.Duration(s) * time.Second
	}
	return newVoucher(Secret(token), asked, life), nil
}

// codeBadForm: the form does not fit the contract, so a fresh assertion does not
// help (reference/pdnd-voucher.md §4.1).
const codeBadForm = "007-9999"

// judgePDND: 400 holds (their reasons are all masked), 429 and 5xx pass.
func judgePDND(resp *http.Response, body []byte) *Error {
	p := readProblem(body)
	e := heldVoucher(resp.StatusCode, p.details, nil)
	e.TraceID = correlation(resp.Header, body)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		e.Class, e.Reason = Transient, ""
		e.RetryAfter = max(retryAfter(&call{}, resp.Header), rateInterval(resp.Header), time.Second)
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusRequestTimeout:
		e.Class, e.Reason = Transient, ""
		e.RetryAfter = retryAfter(&call{}, resp.Header)
	}
	return e
}

// slowestClock is how far our clock may be behind: an assertion that PDND receives
// after that has already expired, and its refusal gives no reason
// (reference/pdnd-voucher.md §2.3). A fast clock does no harm there.
const slowestClock = assertionLife - 10*time.Second

// blameClock finds out whether a refused assertion had to be refused because of our
// clock, by the Date of the refusal.
func blameClock(e *Error, h http.Header, asked time.Time) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil || e.Class != Held || e.Status != http.StatusBadRequest || hasCode(e.Details, codeBadForm) {
		return
	}
	if behind := date.Sub(asked); behind > slowestClock {
		e.Reason, e.Skew = HeldClock, behind
	}
}

// rateInterval reads PDND's own header, in milliseconds.
func rateInterval(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("X-Rate-Limit-Interval"))
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n)*time.Millisecond, time.Minute)
}

func correlation(h http.Header, body []byte) string {
	if id := h.Get("X-Correlation-Id"); id != "" {
		return id
	}
	var f fields
	_ = json.Unmarshal(body, &f)
	return f.text("correlationId")
}

func heldVoucher(status int, details []Detail, err error) *Error {
	return &Error{Op: "voucher", Class: Held, Reason: HeldVoucher, Status: status, Details: details, Err: err}
}

// asError gives err's *Error, or an empty one.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{}
}
