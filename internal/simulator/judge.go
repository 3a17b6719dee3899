package simulator

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Call is one request as the judge saw it.
type Call struct {
	At        time.Time // platform time of the answer
	Operation string
	Method    string
	Path      string
	Key       string // the API key
	Status    int    // 0 = the connection was cut before an answer
	Fault     FaultKind
	Codes     []string // error codes of the answer
}

// AcceptedRequest is one create that stored something, whether or not its
// answer arrived.
type AcceptedRequest struct {
	At        time.Time
	SenderID  string
	SenderTax string
	Protocol  string
	Token     string
	HasToken  bool
	IUN       string
	RequestID string
	Subject   string
	TaxIDs    []string
	Notices   []string // "creditor##notice"
	Documents []string // sha256 of the documents, base64
}

// BusinessKey is what must never lead to two live notifications.
type BusinessKey struct{ SenderTax, Protocol string }

// DuplicateKey is a business key that has had more than one live notification at a
// time.
type DuplicateKey struct {
	BusinessKey
	IUNs []string
}

// judge remembers what happened, apart from the platform's own state.
type judge struct {
	mu         sync.Mutex
	size       int
	history    []Call
	next       int
	calls      map[string]int
	statuses   map[string]map[int]int
	accepted   []AcceptedRequest
	byKey      map[BusinessKey][]string // IUNs of accepted, for twins
	twins      map[BusinessKey][]string // of Duplicates; nothing is ever taken from it
	refused    map[string]int
	violations []string
}

func newJudge(size int) *judge {
	return &judge{
		size: size, calls: map[string]int{}, statuses: map[string]map[int]int{}, refused: map[string]int{},
		byKey: map[BusinessKey][]string{}, twins: map[BusinessKey][]string{},
	}
}

func (j *judge) called(c *call, status int, at time.Time) {
	x := Call{At: at, Operation: c.op, Method: c.r.Method, Path: c.r.URL.Path, Key: c.r.Header.Get("X-Api-Key"), Status: status}
	if c.fault != nil {
		x.Fault = c.fault.Kind
	}
	for _, e := range c.codes {
		x.Codes = append(x.Codes, e.Code)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls[c.op]++
	if j.statuses[c.op] == nil {
		j.statuses[c.op] = map[int]int{}
	}
	j.statuses[c.op][status]++
	if len(j.history) < j.size {
		j.history = append(j.history, x)
		return
	}
	j.history[j.next%j.size] = x
	j.next++
}

// accept notes a notification; dead tells of an earlier one whether it has ended.
func (j *judge) accept(n *notification, req *request, dead func(iun string) bool) {
	x := AcceptedRequest{
		At: time.Unix(0, n.sentAt).UTC(), SenderID: n.sender.ID, SenderTax: n.sender.TaxID,
		Protocol: n.protocol, Token: n.token, HasToken: n.hasToken, IUN: n.iun, RequestID: n.id, Subject: req.Subject,
	}
	for _, r := range req.Recipients {
		x.TaxIDs = append(x.TaxIDs, r.TaxID)
	}
	for _, d := range req.Documents {
		x.Documents = append(x.Documents, d.Digests.SHA256)
	}
	for _, p := range n.notices {
		x.Notices = append(x.Notices, p.key)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.accepted = append(j.accepted, x)
	k := BusinessKey{SenderTax: x.SenderTax, Protocol: x.Protocol}
	twins := []string{x.IUN}
	for _, iun := range j.byKey[k] {
		if !dead(iun) {
			twins = append(twins, iun)
		}
	}
	j.byKey[k] = append(j.byKey[k], x.IUN)
	if len(twins) == 1 {
		return
	}
	for _, iun := range twins {
		if !slices.Contains(j.twins[k], iun) {
			j.twins[k] = append(j.twins[k], iun)
		}
	}
}

func (j *judge) refusal(code string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refused[code]++
}

func (j *judge) violation(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.violations) < j.size {
		j.violations = append(j.violations, text)
	}
}

// Calls counts requests by operation.
func (s *Simulator) Calls() map[string]int {
	s.judge.mu.Lock()
	defer s.judge.mu.Unlock()
	return maps.Clone(s.judge.calls)
}

// Statuses counts the answers of one operation by HTTP status; 0 stands for a
// connection cut by a fault.
func (s *Simulator) Statuses(operation string) map[int]int {
	s.judge.mu.Lock()
	defer s.judge.mu.Unlock()
	return maps.Clone(s.judge.statuses[operation])
}

// History is the last Options.HistorySize calls, oldest first.
func (s *Simulator) History() []Call {
	j := s.judge
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.history) < j.size {
		return slices.Clone(j.history)
	}
	at := j.next % j.size
	return slices.Concat(j.history[at:], j.history[:at])
}

// Accepted lists every create that stored a notification, in order.
func (s *Simulator) Accepted() []AcceptedRequest {
	s.judge.mu.Lock()
	defer s.judge.mu.Unlock()
	return slices.Clone(s.judge.accepted)
}

// Refused counts asynchronous refusals by code.
func (s *Simulator) Refused() map[string]int {
	s.judge.mu.Lock()
	defer s.judge.mu.Unlock()
	return maps.Clone(s.judge.refused)
}

// Violations lists what a client must never do though the platform may not
// notice: credentials sent to the object store, a stream read before its pause
// is over.
func (s *Simulator) Violations() []string {
	s.judge.mu.Lock()
	defer s.judge.mu.Unlock()
	return slices.Clone(s.judge.violations)
}

// Duplicates lists the business keys that have had more than one live notification at
// the same time: one was accepted while another was neither refused nor cancelled. What
// became of them since makes nothing undone. A correct connector leaves it empty.
func (s *Simulator) Duplicates() []DuplicateKey {
	s.judge.mu.Lock()
	defer s.judge.mu.Unlock()
	var found []DuplicateKey
	for k, iuns := range s.judge.twins {
		found = append(found, DuplicateKey{BusinessKey: k, IUNs: slices.Clone(iuns)})
	}
	slices.SortFunc(found, func(a, b DuplicateKey) int {
		return cmp.Or(strings.Compare(a.SenderTax, b.SenderTax), strings.Compare(a.Protocol, b.Protocol))
	})
	return found
}
