package simulator

import (
	"strconv"
	"strings"
	"time"
)

// element is one timeline element, kept small: what it shows is derived from it
// and from the request when somebody reads it.
type element struct {
	at      int64
	mark    *mark // carrier's or PEC provider's code
	extra   any   // only for rare categories: refusal, payment, rework
	cost    int32
	idx     uint16
	cat     category
	rec     int8 // -1 = the whole notification
	source  source
	attempt uint8
	rework  uint8
	flag    bool // depends on the category: available, repeated, late
	void    bool // taken out of the timeline by a correction
}

// mark is what a provider reports: its code, the cause of failure, the scans
// that come with it and, for a final report, OK or KO.
type mark struct {
	code, cause string
	scans       []string
	status      string
	newAddress  bool
}

// add puts an element on the timeline, moves the status and publishes it. The
// caller holds the lock.
func (s *Simulator) add(n *notification, e element) int {
	e.at = max(e.at, n.lastAt+int64(time.Millisecond))
	n.lastAt = e.at
	n.elements = append(n.elements, e)
	i := len(n.elements) - 1
	before := n.status
	if next := n.statusAfter(&e); next != "" && next != before {
		n.status = next
		n.history = append(n.history, phase{status: next, at: e.at, first: int32(i)})
	}
	s.publish(n, i, n.status != before)
	return i
}

// statusAfter is the status that an element leads to, "" if it leads nowhere.
func (n *notification) statusAfter(e *element) string {
	switch e.cat {
	case catAccepted:
		return statusAccepted
	case catRefused:
		return statusRefused
	case catCancelled:
		return statusCancelled
	case catViewed:
		return n.unlessFinal(statusViewed)
	case catRefinement:
		if n.status != statusViewed {
			return n.unlessFinal(statusEffectiveDate)
		}
	case catSendDigital, catSendAnalog:
		if n.status == statusAccepted {
			return statusDelivering
		}
	case catDigitalSuccess, catAnalogSuccess, catSendSimple, catUnreachable, catDeceased:
		if n.status == statusAccepted || n.status == statusDelivering {
			return n.closingStatus()
		}
	}
	return ""
}

func (n *notification) unlessFinal(status string) string {
	if n.status == statusCancelled || n.status == statusReturned {
		return ""
	}
	return status
}

// closingStatus is the status when a recipient's path has closed: nothing until
// all have, then by the best of the outcomes.
func (n *notification) closingStatus() string {
	var got [4]int
	for i := range n.recipients {
		got[n.recipients[i].outcome]++
	}
	switch {
	case got[open] > 0:
		return ""
	case got[reached] > 0:
		return statusDelivered
	case got[unreachable] > 0:
		return statusUnreachable
	}
	return statusReturned
}

// elementID names an element; together with the IUN it is unique.
func (n *notification) elementID(e *element) string {
	info := e.cat.info()
	prefix := info.prefix
	if prefix == "" {
		prefix = info.name
	}
	var b strings.Builder
	b.WriteString(prefix + ".IUN_" + n.iun)
	if info.parts&withRec != 0 {
		b.WriteString(".RECINDEX_" + strconv.Itoa(int(e.rec)))
	}
	if info.parts&withSource != 0 {
		b.WriteString(".SOURCE_" + e.source.String())
	}
	if info.parts&withRepeat != 0 {
		b.WriteString(".REPEAT_" + strconv.FormatBool(e.flag))
	}
	if info.parts&withAttempt != 0 {
		b.WriteString(".ATTEMPT_" + strconv.Itoa(int(e.attempt)))
	}
	if info.parts&withIdx != 0 {
		b.WriteString(".IDX_" + strconv.Itoa(int(e.idx)))
	}
	if e.rework > 0 {
		b.WriteString(".REWORK_" + strconv.Itoa(int(e.rework)))
	}
	return b.String()
}

// timelineElement is TimelineElementV28.
type timelineElement struct {
	ElementID          string         `json:"elementId"`
	Timestamp          string         `json:"timestamp"`
	IngestionTimestamp string         `json:"ingestionTimestamp"`
	EventTimestamp     string         `json:"eventTimestamp"`
	NotificationSentAt string         `json:"notificationSentAt"`
	LegalFactsIDs      []legalFactRef `json:"legalFactsIds,omitempty"`
	Category           string         `json:"category"`
	Details            any            `json:"details,omitempty"`
}

// render shows an element; the request is parsed only where something of it is
// shown.
func (s *Simulator) render(n *notification, req func() *request, e *element) timelineElement {
	at := stampNano(e.at)
	return timelineElement{
		ElementID: n.elementID(e), Timestamp: at, IngestionTimestamp: at, EventTimestamp: at,
		NotificationSentAt: stampNano(n.sentAt), LegalFactsIDs: s.legalFactsOf(n, e),
		Category: e.cat.info().name, Details: s.details(n, req, e),
	}
}

// historyAnswer is NotificationStatusHistoryV26.
func (n *notification) historyAnswer() []map[string]any {
	answer := make([]map[string]any, 0, len(n.history))
	for i, p := range n.history {
		end := len(n.elements)
		if i+1 < len(n.history) {
			end = int(n.history[i+1].first)
		}
		related := []string{}
		for j := int(p.first); j < end; j++ {
			if !n.elements[j].void {
				related = append(related, n.elementID(&n.elements[j]))
			}
		}
		answer = append(answer, map[string]any{
			"status": p.status, "activeFrom": stampNano(p.at), "relatedTimelineElements": related,
		})
	}
	return answer
}
