package progress

import (
	"strings"
	"time"

	"sendconnector/internal/ledger"
)

// rank orders SEND's statuses by how far a notification has got; 0 for those
// before acceptance and for words that we do not know.
func rank(status string) int {
	switch status {
	case ledger.StatusAccepted:
		return 1
	case ledger.StatusDelivering:
		return 2
	case ledger.StatusDelivered, ledger.StatusUnreachable, ledger.StatusReturnedToSender:
		return 3
	case ledger.StatusEffectiveDate:
		return 4
	case ledger.StatusViewed:
		return 5
	case ledger.StatusCancelled:
		return 6
	}
	return 0
}

// void is what SEND's corrections declared not to have been.
type void struct {
	elements map[string]bool
	reworks  []rework
}

// rework is one correction: the statuses it takes back, and when.
type rework struct {
	at       time.Time
	statuses []string
}

// voided collects the corrections. An element that was written anew (the same id
// with .REWORK_n) takes the place of the older one, listed or not.
func voided(events []seen) void {
	v := void{elements: map[string]bool{}}
	newest := map[string]int{} // number of the last form of an element written anew
	for i := range events {
		if base, n, ok := rewritten(events[i].id); ok {
			newest[base] = max(newest[base], n)
		}
	}
	for i := range events {
		e := &events[i]
		base, n, anew := rewritten(e.id)
		if last, ok := newest[base]; ok && (!anew || n < last) {
			v.elements[e.id] = true
		}
		if e.category != catTimelineReworked {
			continue
		}
		r := rework{at: e.ingested}
		for _, inv := range e.element.Details.Invalidated {
			if inv.Status != "" {
				r.statuses = append(r.statuses, inv.Status)
			}
			for _, id := range inv.Elements {
				v.elements[id] = true
			}
		}
		v.reworks = append(v.reworks, r)
	}
	return v
}

// rewritten splits the id of an element written anew; base is the id itself for any
// other.
func rewritten(id string) (base string, n int, ok bool) {
	base, digits, ok := cutLast(id, ".REWORK_")
	if !ok {
		return id, 0, false
	}
	if n, err := atoi(digits); err == nil {
		return base, n, true
	}
	return id, 0, false
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func (v void) element(id string) bool { return v.elements[id] }

// status reports whether what an event said about the status was taken back by a
// correction that came later.
func (v void) status(e *seen) bool {
	for _, r := range v.reworks {
		if e.ingested.After(r.at) || e.category == catTimelineReworked {
			continue
		}
		for _, s := range r.statuses {
			if s == e.status {
				return true
			}
		}
	}
	return false
}

// statusOf is SEND's status: the farthest that a valid event states, since events
// come late and SEND never moves back but by a correction; where none states any,
// what the events themselves imply.
func statusOf(f *facts, valid []seen, v void) (string, time.Time) {
	var status string
	var at time.Time
	for i := range valid {
		e := &valid[i]
		if rank(e.status) == 0 || v.status(e) {
			continue
		}
		if rank(e.status) > rank(status) || (rank(e.status) == rank(status) && e.status != status) {
			status, at = e.status, e.at
		}
	}
	implied, impliedAt := impliedStatus(f, valid)
	if status == "" || (f.cancelled && implied == ledger.StatusCancelled && status != implied) {
		return implied, impliedAt
	}
	return status, at
}

// impliedStatus is the status that SEND's own rules give for these events.
func impliedStatus(f *facts, valid []seen) (string, time.Time) {
	var s string
	switch {
	case f.cancelled:
		s = ledger.StatusCancelled
	case anyRecipient(f, func(r *ledger.RecipientState) bool { return !r.Viewed.IsZero() }):
		s = ledger.StatusViewed
	case anyRecipient(f, func(r *ledger.RecipientState) bool { return !r.Refined.IsZero() }):
		s = ledger.StatusEffectiveDate
	default:
		s = deliveryStatus(f, valid)
	}
	if s == "" {
		return "", time.Time{}
	}
	return s, f.last.at
}

func anyRecipient(f *facts, is func(*ledger.RecipientState) bool) bool {
	for i := range f.recipients {
		if is(&f.recipients[i]) {
			return true
		}
	}
	return false
}

// deliveryStatus is the status of a notification that has had no effect yet: the
// attempts are over when every recipient's are.
func deliveryStatus(f *facts, valid []seen) string {
	reached := make([]bool, len(f.recipients))
	for i := range valid {
		e := &valid[i]
		if e.recipient < 0 || e.recipient >= len(reached) {
			continue
		}
		switch e.category {
		case catDigitalSuccess, catDigitalFailure, catAnalogSuccess:
			reached[e.recipient] = true
		}
	}
	over, any, returned, dispatched := true, false, true, false
	for i := range f.recipients {
		r := &f.recipients[i]
		over = over && (reached[i] || r.Unreachable || r.Returned)
		any = any || reached[i]
		returned = returned && r.Returned
		dispatched = dispatched || r.Dispatched
	}
	switch {
	case len(f.recipients) > 0 && over && any:
		return ledger.StatusDelivered
	case len(f.recipients) > 0 && over && returned:
		return ledger.StatusReturnedToSender
	case len(f.recipients) > 0 && over:
		return ledger.StatusUnreachable
	case dispatched:
		return ledger.StatusDelivering
	case f.accepted:
		return ledger.StatusAccepted
	}
	return ""
}
