package simulator

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Simulator is the platform. It is safe for concurrent use.
type Simulator struct {
	opt    Options
	clocks *clocks
	dice   *dice // identifiers
	faults *Faults
	judge  *judge
	shapes *shapes
	places placeIndex
	paths  map[string]path
	routes []route
	pdnd   *pdnd
	store  *contentStore
	base   atomicString

	mu        sync.Mutex
	tasks     taskQueue
	taskSeq   uint64
	senders   map[string]*sender // by id
	keys      map[string]*apiKey // by value
	verdicts  map[string]verdict
	limiters  map[string]*limiter
	objects   map[string]*object
	byIUN     map[string]*notification
	byID      map[string]*notification
	byControl map[string]*notification
	byNotice  map[string]*notification
	asked     map[string]int64 // legal facts and F24 asked for: wall time of the first request
	incidents []incident
}

// sender is a body and what the platform knows of it.
type sender struct {
	Sender
	used    int
	streams []*stream
}

type apiKey struct {
	APIKey
	sender *sender
}

// New builds a platform. It panics on options that name an unknown sender or an
// unusable public key: they are a mistake in a test or a scenario, and
// LoadScenario checks them first.
func New(o Options) *Simulator {
	s, err := build(o)
	if err != nil {
		panic(err)
	}
	return s
}

func build(o Options) (*Simulator, error) {
	o = o.withDefaults()
	s := &Simulator{
		opt: o, clocks: newClocks(o), dice: newDice(o.Seed, 1),
		faults: newFaults(newDice(o.Seed, 2)), judge: newJudge(o.HistorySize),
		shapes: newShapes(), places: indexPlaces(o.Places), paths: newPaths(),
		store:   newContentStore(o.SpoolDir, o.MemoryBytes),
		senders: map[string]*sender{}, keys: map[string]*apiKey{}, verdicts: map[string]verdict{},
		limiters: map[string]*limiter{}, objects: map[string]*object{},
		byIUN: map[string]*notification{}, byID: map[string]*notification{},
		byControl: map[string]*notification{}, byNotice: map[string]*notification{}, asked: map[string]int64{},
	}
	s.SetBaseURL(o.BaseURL)
	s.routes = s.newRoutes()
	s.pdnd = newPDND(s)
	for _, x := range o.Senders {
		s.AddSender(x)
	}
	for _, k := range o.Keys {
		if err := s.AddKey(k); err != nil {
			return nil, err
		}
	}
	for _, c := range o.Clients {
		if err := s.AddClient(c); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// AddSender makes a body known, or replaces what is known of it.
func (s *Simulator) AddSender(x Sender) {
	if x.ID == "" {
		x.ID = "pa-" + x.TaxID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.senders[x.ID]; known != nil {
		known.Sender = x
		return
	}
	s.senders[x.ID] = &sender{Sender: x}
}

// AddKey makes an API key valid, or replaces it. The authorizer's cached
// verdict stays as it is, as on the platform.
func (s *Simulator) AddKey(k APIKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.senders[k.Sender]
	for _, x := range s.senders {
		if found == nil && x.TaxID == k.Sender {
			found = x
		}
	}
	if found == nil {
		return fmt.Errorf("simulator: API key for an unknown sender %q", k.Sender)
	}
	s.keys[k.Value] = &apiKey{APIKey: k, sender: found}
	return nil
}

// SetKeyStatus changes a key: "ENABLED", "ROTATED", "BLOCKED".
func (s *Simulator) SetKeyStatus(value, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys[value]; k != nil {
		k.Status = status
	}
}

// SetSender changes a body while the platform runs: switch it off, give it a
// quota. change is called with the lock held and must not call the simulator.
func (s *Simulator) SetSender(idOrTaxID string, change func(*Sender)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.senders {
		if x.ID == idOrTaxID || x.TaxID == idOrTaxID {
			change(&x.Sender)
		}
	}
}

// SetBaseURL sets the base of upload and download addresses, for example
// "http://127.0.0.1:8080"; "" derives it from each request's Host.
func (s *Simulator) SetBaseURL(u string) { s.base.set(strings.TrimRight(u, "/")) }

// Faults are the switches for what goes wrong.
func (s *Simulator) Faults() *Faults { return s.faults }

// Close removes the temporary folder of uploads, if one was made.
func (s *Simulator) Close() error { return s.store.close() }

type atomicString struct {
	mu sync.Mutex
	v  string
}

func (a *atomicString) set(v string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.v = v
}

func (a *atomicString) get() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.v
}

// maxJSONBody is the gateway's limit for a request body.
const maxJSONBody = 10 << 20

// call is one request on its way through.
type call struct {
	s      *Simulator
	w      http.ResponseWriter
	r      *http.Request
	op     string
	params map[string]string
	id     identity
	body   []byte
	trace  string
	fault  *Fault
	codes  []problemError
}

// ServeHTTP answers for every host at once: API, PDND, object store.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, r: r, op: "unknown", trace: "Root=1-" + s.dice.hex(8) + "-" + s.dice.hex(24)}
	// The judge is told before the answer leaves, with the time at which the
	// request came: who has the answer may count calls or move the clock at once.
	at := s.clocks.platform()
	out := &statusWriter{ResponseWriter: w, tell: func(status int) { s.judge.called(c, status, at) }}
	c.w = out
	out.Header().Set("Date", s.clocks.wall().Format(http.TimeFormat))
	out.Header().Set("X-Amzn-Requestid", s.dice.uuid())
	out.Header().Set("X-Amzn-Trace-Id", c.trace)
	found := s.match(r, &c.params)
	if found != nil {
		c.op = found.op
	}
	defer out.settle()
	if found == nil {
		c.message(http.StatusForbidden, "Missing Authentication Token")
		return
	}
	s.serveWithFaults(c, found)
}

func (s *Simulator) serve(c *call, found *route) {
	if found.api && !c.authorize() {
		return
	}
	if found.body {
		body, err := io.ReadAll(io.LimitReader(c.r.Body, maxJSONBody+1))
		if err != nil {
			return // the client went away
		}
		if len(body) > maxJSONBody {
			c.message(http.StatusRequestEntityTooLarge, "Request Too Long")
			return
		}
		c.body = body
	}
	found.do(c)
}

// statusWriter tells the status once, before anything is sent.
type statusWriter struct {
	http.ResponseWriter
	told bool
	tell func(status int)
}

func (w *statusWriter) WriteHeader(status int) {
	if !w.told {
		w.told = true
		w.tell(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if !w.told {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// settle tells of a request that ended without an answer.
func (w *statusWriter) settle() {
	if !w.told {
		w.told = true
		w.tell(0)
	}
}

// capture keeps an answer back, for faults that strike after the effect.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *capture) Header() http.Header { return w.header }

func (w *capture) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *capture) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
