package simulator

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind string

// Kinds for any operation. "After" means that the effect has taken place and
// only the answer is lost.
const (
	FaultStatus          FaultKind = "status"       // Status (503) instead of the effect
	FaultStatusAfter     FaultKind = "status-after" // Status (503) after the effect
	FaultReset           FaultKind = "reset"        // connection cut before the effect
	FaultResetAfter      FaultKind = "reset-after"  // connection cut after the effect
	FaultTooManyRequests FaultKind = "429"          // with Retry-After if RetryAfter is given
	FaultHTML            FaultKind = "html"         // a proxy's page, Status (502)
	FaultXML             FaultKind = "xml"          // an error in XML as of an object store, Status (503)
	FaultEmpty           FaultKind = "empty"        // no body at all, Status (200), instead of the effect
	FaultEmptyAfter      FaultKind = "empty-after"  // the right status without its body, after the effect
	FaultStall           FaultKind = "stall"        // no answer until the caller gives up, before the effect
	FaultStallAfter      FaultKind = "stall-after"  // the same after the effect
	FaultStallBody       FaultKind = "stall-body"   // half of the body, then silence, after the effect
	FaultTruncated       FaultKind = "truncated"    // half of the answer's body, after the effect
	FaultDelay           FaultKind = "delay"        // waits Delay, then goes on
)

// Kinds for single operations.
const (
	FaultShortVoucher FaultKind = "short-voucher" // token: the voucher ends after a minute, whatever expires_in says
	FaultDenied       FaultKind = "denied"        // API: the authorizer denies the key, and remembers it as long as any verdict
	FaultExpiredURL   FaultKind = "expired-url"   // upload, download: 403 as of an expired address
	FaultNoVersionID  FaultKind = "no-version-id" // upload: stored, without x-amz-version-id
	FaultMissing      FaultKind = "missing"       // legalFact, document, attachment, sent, requestStatus: 404
	FaultNotReady     FaultKind = "not-ready"     // legalFact, document, attachment: retryAfter only
	FaultWrongSize    FaultKind = "wrong-size"    // legalFact: the size announced is not that of the file
	FaultShort        FaultKind = "short"         // download: the end of the file is missing, with a length that fits
	FaultShufflePage  FaultKind = "shuffle-page"  // streamEvents: the events of the page in reverse order
	FaultEmptyPage    FaultKind = "empty-page"    // streamEvents: no event, though there are some
	FaultRepeatPage   FaultKind = "repeat-page"   // streamEvents: every event of the page twice
	FaultDuplicate    FaultKind = "duplicate"     // publish: the event enters the stream twice
	FaultReorder      FaultKind = "reorder"       // publish: the event comes after the next one
	FaultDrop         FaultKind = "drop"          // publish: the event never enters the stream
	FaultRefuse       FaultKind = "refuse"        // acceptance: refused with Code
	FaultContention   FaultKind = "contention"    // create: 409 that proves nothing
	FaultRegistryDown FaultKind = "registry-down" // create: 503 of the tax registry check
)

// Fault is one rule. Operations are named as in the routes ("token", "preload",
// "upload", "create", "requestStatus", "sent", "streamEvents", …), "acceptance"
// (the asynchronous validation), "publish" (an event entering a stream) or "*".
type Fault struct {
	Operation   string
	Key         string // only calls with this API key; "" = all, also those without one
	Kind        FaultKind
	Status      int
	Body        string // FaultStatus, FaultStatusAfter: body instead of a gateway message
	Code        string // FaultRefuse
	RetryAfter  string // FaultTooManyRequests, FaultStatus: header value; "in 90s" = that time as an HTTP date; "" = no header
	Delay       time.Duration
	Count       int     // at most so many times; 0 = always
	Nth         int     // only the n-th matching call, from 1
	Every       int     // only every n-th matching call
	Probability float64 // 0 = 1
}

type rule struct {
	Fault
	id, seen, fired int
}

// Faults holds the rules. It is safe for concurrent use; drawing is seeded, so
// that a sequential run can be repeated.
type Faults struct {
	mu    sync.Mutex
	dice  *dice
	rules []*rule
	next  int
	fired map[string]int
}

func newFaults(d *dice) *Faults { return &Faults{dice: d, fired: map[string]int{}} }

// Add switches a rule on and returns its number.
func (f *Faults) Add(x Fault) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	f.rules = append(f.rules, &rule{Fault: x, id: f.next})
	return f.next
}

// Remove switches one rule off.
func (f *Faults) Remove(id int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = slices.DeleteFunc(f.rules, func(r *rule) bool { return r.id == id })
}

// Clear switches every rule off.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

// Fired counts the faults that struck, by "operation/kind".
func (f *Faults) Fired() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.fired)
}

// pick draws for one call: all delays together, and the first other fault.
func (f *Faults) pick(op string) (found *Fault, delay time.Duration) { return f.pickFor(op, "") }

// pickFor is pick for a call with an API key.
func (f *Faults) pickFor(op, key string) (found *Fault, delay time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if r.Operation != op && r.Operation != "*" || r.Key != "" && r.Key != key || !f.strikes(r) || found != nil && r.Kind != FaultDelay {
			continue
		}
		r.fired++
		f.fired[op+"/"+string(r.Kind)]++
		if r.Kind == FaultDelay {
			delay += r.Delay
			continue
		}
		x := r.Fault
		found = &x
	}
	return found, delay
}

func (f *Faults) strikes(r *rule) bool {
	r.seen++
	switch {
	case r.Count > 0 && r.fired >= r.Count,
		r.Nth > 0 && r.seen != r.Nth,
		r.Every > 0 && r.seen%r.Every != 0,
		r.Probability > 0 && !f.dice.chance(r.Probability):
		return false
	}
	return true
}

// serveWithFaults runs an operation between what strikes before and after it.
func (s *Simulator) serveWithFaults(c *call, found *route) {
	fault, delay := s.faults.pickFor(c.op, c.r.Header.Get("X-Api-Key"))
	c.fault = fault
	if delay > 0 {
		s.opt.Sleep(c.r.Context(), delay)
	}
	if fault == nil {
		s.serve(c, found)
		return
	}
	if c.strikeBefore(fault) {
		return
	}
	switch fault.Kind {
	case FaultStatusAfter, FaultResetAfter, FaultTruncated, FaultEmptyAfter, FaultStallAfter, FaultStallBody:
		s.serveAndLose(c, found, fault)
	default:
		s.serve(c, found)
	}
}

// strikeBefore answers in place of the operation, or says that it does not.
func (c *call) strikeBefore(f *Fault) bool {
	switch f.Kind {
	case FaultStatus:
		c.faultStatus(f)
	case FaultReset:
		panic(http.ErrAbortHandler)
	case FaultStall:
		_, _ = io.Copy(io.Discard, c.r.Body) // only then does the server see that the caller has gone
		c.stall()
	case FaultDenied:
		c.s.deny(c.r)
		c.message(http.StatusForbidden, denied)
	case FaultXML:
		c.s3Error(or(f.Status, http.StatusServiceUnavailable), "SlowDown", "Please reduce your request rate.")
	case FaultEmpty:
		c.w.WriteHeader(or(f.Status, http.StatusOK))
	case FaultTooManyRequests:
		c.retryAfter(f)
		c.message(http.StatusTooManyRequests, "Too Many Requests")
	case FaultHTML:
		c.write(or(f.Status, http.StatusBadGateway), "text/html",
			[]byte("<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"))
	default:
		return false
	}
	return true
}

func (c *call) faultStatus(f *Fault) {
	status := or(f.Status, http.StatusServiceUnavailable)
	c.retryAfter(f)
	if f.Body != "" {
		c.write(status, "application/json", []byte(f.Body))
		return
	}
	c.message(status, http.StatusText(status))
}

// retryAfter sets the header as a fault wants it.
func (c *call) retryAfter(f *Fault) {
	value := f.RetryAfter
	if text, isDate := strings.CutPrefix(value, "in "); isDate {
		d, err := time.ParseDuration(text)
		if err != nil {
			panic("simulator: retry-after " + strconv.Quote(value) + ": " + err.Error()) // a mistake in a test
		}
		value = c.s.clocks.wall().Add(d).Format(http.TimeFormat)
	}
	if value != "" {
		c.w.Header().Set("Retry-After", value)
	}
}

// longestStall bounds a stall for callers that never give up.
const longestStall = 10 * time.Minute

// stall waits until the caller has gone. Real time: a socket knows no other.
func (c *call) stall() {
	limit := time.NewTimer(longestStall)
	defer limit.Stop()
	select {
	case <-c.r.Context().Done():
	case <-limit.C:
	}
	panic(http.ErrAbortHandler)
}

// serveAndLose lets the operation happen and spoils its answer.
func (s *Simulator) serveAndLose(c *call, found *route, f *Fault) {
	out := c.w
	kept := &capture{header: http.Header{}}
	c.w = kept
	s.serve(c, found)
	c.w = out
	switch f.Kind {
	case FaultStatusAfter:
		c.faultStatus(f)
		return
	case FaultEmptyAfter:
		out.WriteHeader(or(kept.status, http.StatusOK))
		return
	case FaultStallAfter:
		c.stall()
	case FaultTruncated, FaultStallBody:
		if f.Kind == FaultStallBody && kept.body.Len() < 2 {
			c.stall() // without a body the head would be a whole answer
		}
		for k, v := range kept.header {
			out.Header()[k] = v
		}
		out.Header().Set("Content-Length", strconv.Itoa(kept.body.Len()))
		out.WriteHeader(or(kept.status, http.StatusOK))
		_, _ = out.Write(kept.body.Bytes()[:kept.body.Len()/2])
		if flusher, ok := underlying(out).(http.Flusher); ok {
			flusher.Flush()
		}
		if f.Kind == FaultStallBody {
			c.stall()
		}
	}
	panic(http.ErrAbortHandler)
}

func underlying(w http.ResponseWriter) http.ResponseWriter {
	if sw, ok := w.(*statusWriter); ok {
		return sw.ResponseWriter
	}
	return w
}

func or(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

// struck says whether a fault of one kind fell on this call.
func (c *call) struck(kind FaultKind) bool { return c.fault != nil && c.fault.Kind == kind }
