package progress

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// seen is a kept event, read.
type seen struct {
	id        string // element id
	category  string
	recipient int // index; -1: of the whole notification
	at        time.Time
	ingested  time.Time
	status    string // SEND's status as the event states it; "" if it does not
	requestID string
	iun       string
	protocol  string
	token     string
	element   send.Element
	raw       []byte
}

// read understands an event of a stream of any version, or an element of a
// timeline. ok is false where there is no element in it that could be kept under an
// id; what else it tells (a request id) is given all the same.
func read(raw []byte) (s seen, ok bool) {
	var e send.Event
	if json.Unmarshal(raw, &e) != nil {
		return seen{raw: raw, recipient: -1}, false
	}
	return understand(e, raw)
}

func understand(e send.Event, raw []byte) (seen, bool) {
	s := seen{
		id: e.Element.ID, category: e.Element.Category, recipient: -1, at: e.Element.When(),
		ingested: e.Element.Ingested, status: e.NewStatus, iun: e.IUN, element: e.Element, raw: raw,
		requestID: first(e.RequestID, e.Element.Details.RequestID),
		protocol:  e.Element.Details.Protocol, token: e.Element.Details.Token,
	}
	if i := e.Element.Details.RecIndex; i != nil {
		s.recipient = *i
	} else if i, ok := recipientOf(s.id); ok {
		s.recipient = i
	}
	if s.ingested.IsZero() {
		s.ingested = s.at
	}
	if s.id == "" && s.category != "" {
		// Flat events of the first stream version have no element id; the same step of
		// the same recipient is the same element (reference/pn-validator.md §2).
		s.id = s.category + "#" + strconv.Itoa(s.recipient)
	}
	return s, s.id != ""
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// recipientOf reads RECINDEX_n of an element id.
func recipientOf(id string) (int, bool) {
	_, rest, ok := strings.Cut(id, ".RECINDEX_")
	if !ok {
		return 0, false
	}
	digits, _, _ := strings.Cut(rest, ".")
	i, err := strconv.Atoi(digits)
	return i, err == nil && i >= 0
}

// promise is a document that an event says to exist.
type promise struct {
	key, category string
	recipient     int
	element       string
	at            time.Time
}

// facts is everything that events say about a notification.
type facts struct {
	iun         string
	requestID   string
	accepted    bool
	acceptedAt  time.Time
	refused     bool
	refusedAt   time.Time
	reasons     []send.RefusalRow
	refusalCent int
	cancelled   bool
	reworked    bool
	status      string // SEND's status after acceptance, "" before
	statusAt    time.Time
	recipients  []ledger.RecipientState // what events say; costs and counts are not theirs
	promises    []promise
	last        seen // the latest event by its own time
}

// derive says where a notification with that many recipients stands, from all the
// events kept of it and nothing else. It does not depend on the order in which they
// came. Elements that SEND declared void (NOTIFICATION_TIMELINE_REWORKED) count for
// nothing, so that a correction takes back what they said.
//
// Sources: rules.md ("What a row's outcome is", rule 22), send-api.md §4.4-4.6.
func derive(recipients int, events []seen) facts {
	events = slices.Clone(events)
	slices.SortFunc(events, func(a, b seen) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return cmp.Compare(a.id, b.id)
	})
	void := voided(events)
	f := facts{recipients: make([]ledger.RecipientState, recipients), reworked: len(void.reworks) > 0}
	var valid []seen
	for _, e := range events {
		if !void.element(e.id) {
			valid = append(valid, e)
		}
	}
	for i := range valid {
		f.take(&valid[i])
	}
	f.status, f.statusAt = statusOf(&f, valid, void)
	if f.status != "" && !f.accepted {
		// The event of the acceptance itself was missed; any status after it says it.
		f.accepted, f.acceptedAt = true, f.statusAt
	}
	f.cancelled = f.cancelled || f.status == ledger.StatusCancelled
	if f.status == ledger.StatusReturnedToSender {
		for i := range f.recipients {
			f.recipients[i].Returned = true
		}
	}
	return f
}

// take adds one valid event; they come in the order of their times.
func (f *facts) take(e *seen) {
	f.last = *e
	f.iun, f.requestID = first(f.iun, e.iun), first(f.requestID, e.requestID)
	switch e.category {
	case catAccepted:
		f.accepted, f.acceptedAt = true, e.at
	case catRefused:
		f.refused, f.refusedAt, f.reasons = true, e.at, e.element.Details.RefusalReasons
		if c := e.element.Details.NotificationCost; c != nil {
			f.refusalCent = *c
		}
	case catCancelled:
		f.cancelled = true
	}
	f.promise(e)
	if e.recipient >= 0 && e.recipient < len(f.recipients) {
		takeRecipient(&f.recipients[e.recipient], e)
	}
}

func takeRecipient(r *ledger.RecipientState, e *seen) {
	switch e.category {
	case catRefinement:
		r.Refined = earlier(r.Refined, effectTime(e))
	case catViewed:
		r.Viewed = earlier(r.Viewed, effectTime(e))
	case catDeceased:
		r.Returned = true
	case catUnreachable:
		r.Unreachable = true
	}
	r.PerfectedAt = earlier(r.Refined, r.Viewed)
	r.Dispatched = r.Dispatched || dispatch(e.category)
	r.LastEvent, r.LastEventAt, r.Detail = e.category, e.at, detail(e)
}

// effectTime is when something took effect: the details say it, the element
// otherwise.
func effectTime(e *seen) time.Time {
	if t := e.element.Details.EventTime; !t.IsZero() {
		return t
	}
	return e.at
}

// earlier gives the earlier of two times of which either may be missing.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// detail is what the carrier or provider said, in its own codes.
func detail(e *seen) string {
	d := e.element.Details
	var parts []string
	for _, s := range []string{d.ResponseStatus, d.DeliveryCode, d.FailureCause, d.RegisteredLetter} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

// categoryAAR is our name for the notice of deposit, which is no legal fact but
// belongs to the proofs.
const categoryAAR = "AAR"

// promise notes the documents of an event, each once.
func (f *facts) promise(e *seen) {
	add := func(key, category string) {
		key = strings.TrimPrefix(key, "safestorage://")
		if key == "" || slices.ContainsFunc(f.promises, func(p promise) bool { return p.key == key }) {
			return
		}
		f.promises = append(f.promises, promise{key, category, e.recipient, e.id, e.at})
	}
	for _, l := range e.element.LegalFacts {
		add(l.Key, l.Category)
	}
	add(e.element.Details.AARURL, categoryAAR)
}
