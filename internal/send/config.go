package send

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says where SEND is and who asks. The zero value of every optional
// field is the default named beside it.
type Config struct {
	BaseURL   string // https, or http on a loopback address; a path prefix is kept
	APIKey    Secret // sent as x-api-key
	PDND      *PDND  // nil = key without PDND binding: Authorization is never sent
	Paths     Paths  // blank templates = those of DefaultPaths
	UserAgent string // "sendconnector"
	Limits    Limits

	// Transport replaces the package's own transport (TLS 1.2 or better, proxy
	// from the environment, HTTP/1.1) for API, PDND, uploads and downloads alike.
	Transport http.RoundTripper
	// Clock gives the present; time.Now if nil. Times of one process are
	// subtracted from each other, so its monotonic part should be kept.
	Clock func() time.Time
	// Wait returns nil after d, or the context's error if that ends first. It is
	// the only way in which the package lets time pass on purpose (a place in the
	// limiter's queue, the pause before a quick repetition), so a test that gives
	// a Clock and a Wait never sleeps. A real timer if nil; the limiter then paces
	// itself by the real clock, too, so that a Clock that stands still does not
	// stop it.
	Wait func(ctx context.Context, d time.Duration) error

	// Timeout bounds one attempt of one API call; 35 s (the gateway cuts at 29 s).
	// It and ProgressTimeout run on real timers, whatever the Clock: they bound
	// sockets, which no test clock moves.
	Timeout time.Duration
	// ProgressTimeout ends an upload or download that has moved no byte for so
	// long, however long the whole may take; 60 s.
	ProgressTimeout time.Duration
	// Transfers is how many uploads and downloads may run at once; 8.
	Transfers int
	// Count, if set, is called once for every API call as it goes out, repetitions
	// included, with its operation; uploads, downloads and vouchers are no API
	// calls. It may be called by several goroutines at once.
	Count func(op string)

	pace func() time.Time // the limiter's clock: the one that Wait moves
}

// Limits are the bounds of one API key at the gateway. They are shared by every
// installation that uses a key of the same usage plan.
type Limits struct {
	PerSecond float64 // steady calls a second; 50
	Burst     int     // calls at once that the gateway bears; 100. A fifth of it is left alone, see reserve
	PerDay    int     // calls a day, the day being UTC as the gateway's; 100000; negative = no bound
}

// PDND is a client of PDND's authorization server and the purpose for which it
// asks.
type PDND struct {
	TokenURL  string        // where vouchers are asked
	Audience  string        // of the assertion; blank = host of TokenURL + "/client-assertion"
	ClientID  string        // UUID
	PurposeID string        // UUID
	KeyID     string        // blank = computed from Key; otherwise it must equal that
	Key       crypto.Signer // RSA, 2048 bits or more
	Timeout   time.Duration // of one voucher request; 15 s
}

const (
	defaultTimeout         = 35 * time.Second
	defaultProgressTimeout = 60 * time.Second
	defaultVoucherTimeout  = 15 * time.Second
	defaultTransfers       = 8
)

func (cfg Config) withDefaults() Config {
	cfg.APIKey = Secret(strings.TrimSpace(string(cfg.APIKey)))
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	cfg.Paths = cfg.Paths.withDefaults()
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.UserAgent == "" {
		cfg.UserAgent = "sendconnector"
	}
	if cfg.Transport == nil {
		cfg.Transport = newTransport()
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now //nolint:forbidigo // the default of the injected clock
	}
	cfg.pace = cfg.Clock
	if cfg.Wait == nil {
		cfg.Wait, cfg.pace = wait, time.Now //nolint:forbidigo // real waits go with the real clock
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.ProgressTimeout <= 0 {
		cfg.ProgressTimeout = defaultProgressTimeout
	}
	if cfg.Transfers <= 0 {
		cfg.Transfers = defaultTransfers
	}
	if cfg.Count == nil {
		cfg.Count = func(string) {}
	}
	return cfg
}

func (l Limits) withDefaults() Limits {
	if l.PerSecond <= 0 {
		l.PerSecond = 50
	}
	if l.Burst <= 0 {
		l.Burst = 100
	}
	if l.PerDay == 0 {
		l.PerDay = 100_000
	}
	return l
}

func (cfg Config) check() error {
	var errs []error
	if err := checkURL(cfg.BaseURL); err != nil {
		errs = append(errs, fmt.Errorf("base URL: %w", err))
	}
	errs = append(errs, checkKey(cfg.APIKey))
	if !printable(strings.ReplaceAll(cfg.UserAgent, " ", "")) {
		errs = append(errs, errors.New("the user agent holds characters that no header can carry"))
	}
	return errors.Join(append(errs, cfg.Paths.check())...)
}

func checkKey(key Secret) error {
	switch {
	case key == "":
		return errors.New("the API key is missing")
	case !printable(string(key)):
		return errors.New("the API key holds blanks or characters that no header can carry")
	}
	return nil
}

// printable tells whether s is ASCII without blanks and control characters.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// checkURL demands https, or http towards this machine (simulator, PnValidator).
// Its errors never repeat the address: it may hold a signature.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return errors.New("is not an absolute address")
	}
	if u.User != nil {
		return errors.New("must not carry a user name or password")
	}
	switch {
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("must be https (plain http only towards this machine)")
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// wait is Config.Wait with a real timer.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
