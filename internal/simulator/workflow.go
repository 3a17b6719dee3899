package simulator

import (
	"regexp"
	"strings"
	"time"
)

// path is a sequence of steps that one recipient walks through. Paths are made
// once and shared by all recipients.
type path []step

// step happens at the time that when gives and either goes on or ends the path.
type step struct {
	when func(*walk) int64
	do   func(*walk) (goOn bool)
}

// walk is one recipient at one step.
type walk struct {
	s   *Simulator
	n   *notification
	r   *recipient
	rec int
	at  int64
}

func (w *walk) t() *Timings { return &w.s.opt.Timings }

// add puts an element of this recipient on the timeline.
func (w *walk) add(e element) {
	e.rec = int8(w.rec)
	if outcomeCategory(e.cat) {
		e.rework = w.r.generation
	}
	w.s.add(w.n, e)
}

// wait makes a time from a field of the timings.
func wait(field func(*Timings) time.Duration) func(*walk) int64 {
	return func(w *walk) int64 { return after(w.at, field(w.t())) }
}

func atOnce(w *walk) int64 { return w.at }

// begin puts a recipient on his path.
func (s *Simulator) begin(n *notification, i int, name string, at int64) {
	r := &n.recipients[i]
	r.path, r.pos = s.paths[name], 0
	w := &walk{s: s, n: n, r: r, rec: i, at: at}
	s.schedule(r.path[0].when(w), taskStep, n, i)
}

// step does one recipient's next step and schedules the one after it.
func (s *Simulator) step(n *notification, i int, at int64) {
	r := &n.recipients[i]
	if n.status == statusCancelled || int(r.pos) >= len(r.path) {
		return
	}
	w := &walk{s: s, n: n, r: r, rec: i, at: at}
	if !r.path[r.pos].do(w) {
		r.path = nil
		return
	}
	r.pos++
	if int(r.pos) < len(r.path) {
		s.schedule(max(at, r.path[r.pos].when(w)), taskStep, n, i)
	}
}

// close records how delivery ended for the recipient, before the element that
// says so moves the status.
func (w *walk) close(o outcome) { w.r.outcome, w.r.closedAt = o, w.at }

// choose names the path of a recipient: UAT keywords first, then the data, then
// the mix.
func (s *Simulator) choose(n *notification, req *request, i int) string {
	r := &req.Recipients[i]
	keyword := addressKeyword(r.PhysicalAddress)
	if d := r.DigitalDomicile; d != nil {
		if strings.HasSuffix(strings.ToLower(d.Address), "@fail.it") || s.share("pec", r.TaxID) < s.opt.Mix.PECFailure {
			return "pec_fail_" + simpleKeyword(keyword, n.recipients[i].foreign)
		}
		return "pec_ok"
	}
	if _, known := s.paths[keyword]; known {
		return keyword
	}
	return s.mixed(n, r.TaxID, i)
}

// mixed draws the paper path of an ordinary recipient.
func (s *Simulator) mixed(n *notification, taxID string, i int) string {
	kind, mix := "ar", s.opt.Mix
	switch {
	case n.recipients[i].foreign:
		kind = "rir"
	case n.registered890:
		kind = "890"
	}
	draw := s.share("paper", taxID)
	name := "ok_" + kind
	switch {
	case draw < mix.Unreachable:
		name = "fail-irreperibile_" + kind
	case draw < mix.Unreachable+mix.Deceased:
		name = "fail_" + kind
	case draw < mix.Unreachable+mix.Deceased+mix.Depot:
		name = map[string]string{"ar": "ok-giacenza_ar", "890": "ok-giacenza-lte10_890"}[kind]
	}
	if _, known := s.paths[name]; !known {
		return "ok_" + kind
	}
	return name
}

var keywordPattern = regexp.MustCompile(`(?i)@\s*([a-z0-9_-]+)`)

// addressKeyword is the UAT keyword in an address, in lower case, "" if none.
func addressKeyword(a *address) string {
	if a == nil {
		return ""
	}
	if found := keywordPattern.FindStringSubmatch(a.Address); found != nil {
		return strings.ToLower(found[1])
	}
	return ""
}

func simpleKeyword(keyword string, foreign bool) string {
	switch keyword {
	case "ok_rs", "fail_rs", "ok_ris", "fail_ris":
		return keyword
	}
	if foreign {
		return "ok_ris"
	}
	return "ok_rs"
}

// newPaths makes every path the platform knows.
func newPaths() map[string]path {
	paths := map[string]path{"pec_ok": pecDelivered()}
	for name, code := range map[string]string{"ok_rs": "RECRS001C", "fail_rs": "RECRS002C", "ok_ris": "RECRSI003C", "fail_ris": "RECRSI004C"} {
		paths["pec_fail_"+name] = pecFailed(code)
	}
	for name, text := range paperTable() {
		paths[name] = paperPath(text)
	}
	return paths
}

// opening is what every path starts with: the AAR.
func opening() path {
	return path{
		{atOnce, func(w *walk) bool {
			w.add(element{cat: catAARRequest, at: w.at})
			return true
		}},
		{wait(func(t *Timings) time.Duration { return t.AAR }), func(w *walk) bool {
			w.add(element{cat: catAAR, at: w.at})
			return true
		}},
	}
}

// refinement is what a path ends with: the term is planned, then it runs out.
// Who has opened the notification before has nothing left to refine.
func refinement(term func(*Timings) time.Duration) (plan, happen step) {
	plan = step{atOnce, func(w *walk) bool {
		if w.r.viewedAt == 0 {
			w.r.refineAt = after(w.at, term(w.t()))
			w.add(element{cat: catScheduleRefinement, at: w.at, extra: w.r.refineAt})
		}
		return true
	}}
	happen = step{
		func(w *walk) int64 { return w.r.refineAt },
		func(w *walk) bool {
			if w.r.viewedAt == 0 {
				w.add(element{cat: catRefinement, at: w.at, cost: 100 + w.r.analogCost})
				w.r.refinedAt = w.n.lastAt
			}
			return true
		},
	}
	return plan, happen
}

// view is a recipient opening his notification.
func (s *Simulator) view(n *notification, i int, at int64) bool {
	if !n.disclosed() || n.status == statusCancelled || i < 0 || i >= len(n.recipients) {
		return false
	}
	r := &n.recipients[i]
	if r.viewedAt != 0 {
		return true // only the first access has an effect
	}
	s.add(n, element{cat: catViewedRequest, rec: int8(i), at: at})
	r.viewedAt = n.lastAt
	if r.outcome == open && r.letters == 0 {
		r.outcome = reached
	}
	s.add(n, element{cat: catViewed, rec: int8(i), at: at, cost: 100 + r.analogCost, flag: r.refinedAt != 0})
	return true
}

// View lets a recipient open his notification now. It says whether the
// notification is there and may be opened.
func (s *Simulator) View(iun string, recIndex int) bool {
	defer s.enter()()
	n := s.byIUN[iun]
	return n != nil && s.view(n, recIndex, s.clocks.platform().UnixNano())
}

// RetrieveAtDesk lets a recipient collect his notification at a desk of the
// RADD network now, which has no legal effect of its own.
func (s *Simulator) RetrieveAtDesk(iun string, recIndex int) bool {
	defer s.enter()()
	n := s.byIUN[iun]
	if n == nil || !n.disclosed() || n.status == statusCancelled || recIndex < 0 || recIndex >= len(n.recipients) {
		return false
	}
	s.add(n, element{cat: catRADD, rec: int8(recIndex), at: s.clocks.platform().UnixNano()})
	return true
}
