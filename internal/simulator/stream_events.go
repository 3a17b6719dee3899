package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"time"
)

// streamEvent is one event of a stream: a reference, rendered when it is read.
type streamEvent struct {
	id     uint64
	n      *notification
	index  int32
	status string // of the notification when the event happened
	at     int64  // wall time of publication
}

// publish offers a new element to every stream of the body.
func (s *Simulator) publish(n *notification, index int, changed bool) {
	for _, st := range n.sender.streams {
		if st.active() && st.wants(n, &n.elements[index], changed) {
			s.enqueue(st, streamEvent{n: n, index: int32(index), status: n.status, at: s.clocks.wall().UnixNano()})
		}
	}
}

// wants is the filter by group, kind of stream, version and filter values.
func (st *stream) wants(n *notification, e *element, changed bool) bool {
	if len(st.groups) > 0 && !slices.Contains(st.groups, n.group) {
		return false
	}
	if e.cat == catReworked && st.version < "v29" {
		return false
	}
	if st.eventType == "STATUS" {
		// The first element shows the status it found: IN_VALIDATION.
		changed = changed || e == &n.elements[0] && !st.waitForAccepted
		return changed && (st.filter == nil || st.filter[n.status] || st.filter["DEFAULT"])
	}
	return st.filter == nil || st.filter[e.cat.info().name]
}

// enqueue puts an event on a stream, past the faults of publication and the
// quarantine of a stream that waits for acceptance.
func (s *Simulator) enqueue(st *stream, ev streamEvent) {
	fault, _ := s.faults.pick("publish")
	switch {
	case fault == nil:
	case fault.Kind == FaultDrop:
		return
	case fault.Kind == FaultReorder:
		st.held = append(st.held, ev)
		return
	case fault.Kind == FaultDuplicate:
		s.admitEvent(st, ev)
	}
	s.admitEvent(st, ev)
	s.releaseHeld(st)
}

func (s *Simulator) releaseHeld(st *stream) {
	held := st.held
	st.held = nil
	for _, ev := range held {
		s.admitEvent(st, ev)
	}
}

func (s *Simulator) admitEvent(st *stream, ev streamEvent) {
	if !st.waitForAccepted || st.eventType == "STATUS" {
		s.appendEvent(st, ev)
		return
	}
	cat := ev.n.elements[ev.index].cat
	switch {
	case cat == catAccepted || cat == catRefused:
		s.appendEvent(st, ev)
		st.accepted[ev.n] = true
		for _, waiting := range st.quarantine[ev.n] {
			s.appendEvent(st, waiting)
		}
		delete(st.quarantine, ev.n)
	case ev.status == statusInValidation || st.accepted[ev.n] || st.filter != nil && !st.filter["REQUEST_ACCEPTED"] || acceptedBefore(ev.n, st.activatedAt):
		s.appendEvent(st, ev)
	default:
		st.quarantine[ev.n] = append(st.quarantine[ev.n], ev)
	}
}

// acceptedBefore is true for what was accepted before the stream was there: its
// acceptance will never come.
func acceptedBefore(n *notification, at int64) bool {
	for _, p := range n.history {
		if p.status == statusAccepted {
			return p.at < at
		}
	}
	return false
}

func (s *Simulator) appendEvent(st *stream, ev streamEvent) {
	st.counter++
	if s.dice.intn(16) == 0 {
		st.counter += 2 // numbers may have gaps
	}
	ev.id = st.counter
	st.events = append(st.events, ev)
}

// drop forgets the events up to a number and those past retention. The rest
// moves to a new array now and then, so that memory is given back.
func (st *stream) drop(last uint64, oldest int64) {
	i := sort.Search(len(st.events), func(i int) bool { return st.events[i].id > last })
	for i < len(st.events) && st.events[i].at <= oldest {
		i++
	}
	clear(st.events[:i])
	st.events = st.events[i:]
	if cap(st.events) > 4096 && len(st.events) < cap(st.events)/4 {
		st.events = slices.Clone(st.events)
	}
}

// streamEvents is the read of a page. The number it brings acknowledges
// everything up to it, for ever.
func (s *Simulator) streamEvents(c *call, version string) {
	lastText := c.r.URL.Query().Get("lastEventId")
	if lastText != "" && !c.paramFits("lastEventId", lastText, s.shapes.eventID, 38) {
		return
	}
	last, err := strconv.ParseUint(lastText[min(len(lastText), 18):], 10, 64)
	if lastText != "" && err != nil {
		last = ^uint64(0)
	}
	defer s.enter()()
	st := s.ownStream(c, version, "PN_STREAM_STREAMNOTFOUND")
	if st == nil || s.tooEarly(c, st) {
		return
	}
	now := s.clocks.wall()
	s.releaseHeld(st)
	st.drop(last, now.Add(-s.opt.EventRetention).UnixNano())
	page := st.events[:min(len(st.events), s.opt.Limits.PageSize)]
	if c.struck(FaultEmptyPage) {
		page = nil
	}
	pause := s.opt.StreamRetryAfter
	if cut := len(page) < len(st.events); len(page) > 0 && (cut || !s.opt.StreamRetrySpec) {
		pause = 0
	}
	st.nextAllowed = now.Add(pause)
	c.w.Header().Set("Retry-After", strconv.FormatInt(pause.Milliseconds(), 10))
	answer := s.renderEvents(page)
	if c.struck(FaultRepeatPage) {
		answer = append(answer, answer...)
	}
	if c.struck(FaultShufflePage) {
		slices.Reverse(answer)
	}
	c.json(http.StatusOK, answer)
}

// tooEarly answers 429 to a reader that does not wait, where the switch is on.
func (s *Simulator) tooEarly(c *call, st *stream) bool {
	now := s.clocks.wall()
	if !now.Before(st.nextAllowed) {
		return false
	}
	if !s.opt.StreamRetryStrict {
		s.judge.violation("stream " + st.id + " read before its retry-after was over")
		return false
	}
	c.w.Header().Set("Retry-After", strconv.FormatInt(max(1, int64(st.nextAllowed.Sub(now)/time.Millisecond)), 10))
	c.streamProblem(http.StatusTooManyRequests, "PN_STREAM_RETRY_AFTER_ERROR", "Retry after not respected")
	return true
}

// progressElement is ProgressResponseElementV29.
type progressElement struct {
	EventID               string          `json:"eventId"`
	NotificationRequestID string          `json:"notificationRequestId"`
	IUN                   string          `json:"iun,omitempty"`
	NewStatus             string          `json:"newStatus"`
	Element               timelineElement `json:"element"`
}

func (s *Simulator) renderEvents(page []streamEvent) []progressElement {
	answer := make([]progressElement, 0, len(page))
	for _, ev := range page {
		x := progressElement{
			EventID: fmt.Sprintf("%038d", ev.id), NotificationRequestID: ev.n.id, NewStatus: ev.status,
			Element: s.render(ev.n, ev.n.request, &ev.n.elements[ev.index]),
		}
		if ev.status != statusInValidation && ev.status != statusRefused {
			x.IUN = ev.n.iun
		}
		answer = append(answer, x)
	}
	return answer
}
