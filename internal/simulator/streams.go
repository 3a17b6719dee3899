package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

const (
	codeStreamForbidden = "PN_WEBHOOK_FORBIDDEN"
	replacedGap         = 1000
)

// stream is one queue of events of a body. Its events are kept in order of
// their number; reading drops what the reader says it has.
type stream struct {
	id, title, eventType string
	version              string
	groups               []string
	filterValues         []string
	waitForAccepted      bool
	activated            time.Time // wall time
	activatedAt          int64     // platform time: what was accepted before is not waited for
	disabled             time.Time
	counter              uint64
	events               []streamEvent
	filter               map[string]bool // nil = everything of the version
	accepted             map[*notification]bool
	quarantine           map[*notification][]streamEvent
	held                 []streamEvent // overtaken by the next one
	nextAllowed          time.Time
}

type streamRequest struct {
	Title            string   `json:"title"`
	EventType        string   `json:"eventType"`
	Groups           []string `json:"groups"`
	FilterValues     []string `json:"filterValues,omitempty"`
	WaitForAccepted  bool     `json:"waitForAccepted"`
	ReplacedStreamID string   `json:"replacedStreamId,omitempty"`
}

func (c *call) streamProblem(status int, code, detail string) {
	c.problem(status, appStream, problemError{Code: code, Detail: detail})
}

func (st *stream) active() bool { return st.disabled.IsZero() }

// metadata is StreamMetadataResponseV29.
func (st *stream) metadata() m {
	d := m{
		"streamId": st.id, "title": st.title, "eventType": st.eventType, "groups": append([]string{}, st.groups...),
		"filterValues": append([]string{}, st.filterValues...), "waitForAccepted": st.waitForAccepted,
		"activationDate": stamp(st.activated), "version": st.version,
	}
	if !st.active() {
		d["disabledDate"] = stamp(st.disabled)
	}
	return d
}

// groupsFit are the rules of creation: a key with groups needs some, and only
// its own.
func groupsFit(id identity, groups []string) bool {
	if len(id.groups) == 0 {
		return true
	}
	return len(groups) > 0 && !slices.ContainsFunc(groups, func(g string) bool { return !slices.Contains(id.groups, g) })
}

// mayUse says whether a key may act on a stream.
func (st *stream) mayUse(id identity) bool {
	if len(id.groups) == 0 {
		return true
	}
	return len(st.groups) > 0 && !slices.ContainsFunc(st.groups, func(g string) bool { return !slices.Contains(id.groups, g) })
}

// expireStreams deletes streams that have been disabled long enough.
func (s *Simulator) expireStreams(x *sender) {
	now := s.clocks.wall()
	x.streams = slices.DeleteFunc(x.streams, func(st *stream) bool {
		return !st.active() && now.Sub(st.disabled) >= s.opt.DisabledRetention
	})
}

func (s *Simulator) findStream(c *call, id string) *stream {
	s.expireStreams(c.id.sender)
	for _, st := range c.id.sender.streams {
		if st.id == id {
			return st
		}
	}
	return nil
}

// ownStream finds the stream of the path and checks version and groups.
func (s *Simulator) ownStream(c *call, version, absent string) *stream {
	if !c.paramFits("streamId", c.params["streamId"], s.shapes.uuid, 36) {
		return nil
	}
	st := s.findStream(c, c.params["streamId"])
	switch {
	case st == nil:
		c.streamProblem(http.StatusNotFound, absent, "Stream not found")
	case st.version != version:
		c.streamProblem(http.StatusForbidden, codeStreamForbidden, "Pa "+c.id.sender.ID+" version "+version+" is trying to access streamId "+st.id+": api version mismatch")
	case !st.mayUse(c.id):
		c.streamProblem(http.StatusForbidden, codeStreamForbidden, "Pa "+c.id.sender.ID+" groups not allowed for streamId "+st.id)
	default:
		return st
	}
	return nil
}

func (s *Simulator) streamCreate(c *call, version string) {
	if !c.bodyFits(s.shapes.streamCreate) {
		return
	}
	var body streamRequest
	if err := json.Unmarshal(c.body, &body); err != nil {
		c.gatewayProblem("PN_INVALID_BODY", "Validation errors: [Unable to parse JSON]")
		return
	}
	defer s.enter()()
	if !groupsFit(c.id, body.Groups) {
		c.streamProblem(http.StatusForbidden, codeStreamForbidden, "Not supported operation, groups not allowed")
		return
	}
	var replaced *stream
	if body.ReplacedStreamID != "" {
		if replaced = s.replaceable(c, body.ReplacedStreamID); replaced == nil {
			return
		}
	} else if s.activeStreams(c.id.sender) >= or(c.id.sender.MaxStreams, s.opt.Limits.MaxStreams) {
		c.streamProblem(http.StatusConflict, "PN_WEBHOOK_MAXSTREAMSCOUNTREACHED", "Max streams count reached")
		return
	}
	st := s.newStream(c.id.sender, body, version)
	if replaced != nil {
		replaced.disabled = st.activated
		st.counter = replaced.counter + replacedGap
	}
	c.json(http.StatusOK, st.metadata())
}

func (s *Simulator) replaceable(c *call, id string) *stream {
	st := s.findStream(c, id)
	switch {
	case st == nil:
		c.streamProblem(http.StatusNotFound, "PN_WEBHOOK_NOT_FOUND", "Replaced stream not found")
	case !st.mayUse(c.id) || !st.active():
		c.streamProblem(http.StatusForbidden, codeStreamForbidden, "Replaced stream not allowed")
	default:
		return st
	}
	return nil
}

func (s *Simulator) activeStreams(x *sender) int {
	s.expireStreams(x)
	n := 0
	for _, st := range x.streams {
		n += count(st.active())
	}
	return n
}

func (s *Simulator) newStream(x *sender, body streamRequest, version string) *stream {
	st := &stream{
		id: s.dice.uuid(), title: body.Title, eventType: body.EventType, version: version, groups: body.Groups,
		waitForAccepted: body.WaitForAccepted, activated: s.clocks.wall(), activatedAt: s.clocks.platform().UnixNano(),
		accepted: map[*notification]bool{}, quarantine: map[*notification][]streamEvent{},
	}
	st.setFilter(body.FilterValues)
	x.streams = append(x.streams, st)
	return st
}

// setFilter translates the filter: DEFAULT stands for the curated list, nothing
// for everything.
func (st *stream) setFilter(values []string) {
	st.filterValues, st.filter = values, nil
	if len(values) == 0 {
		return
	}
	st.filter = map[string]bool{}
	for _, v := range values {
		st.filter[v] = true
		if v != "DEFAULT" {
			continue
		}
		for i := range categoryTable {
			if categoryTable[i].parts&inDefault != 0 {
				st.filter[categoryTable[i].name] = true
			}
		}
	}
}

func (s *Simulator) streamList(c *call, _ string) {
	defer s.enter()()
	s.expireStreams(c.id.sender)
	answer := []m{}
	for _, st := range c.id.sender.streams {
		answer = append(answer, m{"streamId": st.id, "title": st.title})
	}
	c.json(http.StatusOK, answer)
}

func (s *Simulator) streamGet(c *call, version string) {
	defer s.enter()()
	if st := s.ownStream(c, version, "PN_WEBHOOK_NOT_FOUND"); st != nil {
		c.json(http.StatusOK, st.metadata())
	}
}

func (s *Simulator) streamUpdate(c *call, version string) {
	if !c.bodyFits(s.shapes.streamUpdate) {
		return
	}
	var body streamRequest
	if err := json.Unmarshal(c.body, &body); err != nil {
		c.gatewayProblem("PN_INVALID_BODY", "Validation errors: [Unable to parse JSON]")
		return
	}
	defer s.enter()()
	st := s.ownStream(c, version, "PN_WEBHOOK_NOT_FOUND")
	if st == nil {
		return
	}
	removed := slices.ContainsFunc(st.groups, func(g string) bool { return !slices.Contains(body.Groups, g) })
	if !st.active() || removed || len(st.groups) == 0 && len(body.Groups) > 0 || !groupsFit(c.id, body.Groups) {
		c.streamProblem(http.StatusForbidden, codeStreamForbidden, "Not supported operation")
		return
	}
	st.title, st.eventType, st.groups, st.activated = body.Title, body.EventType, body.Groups, s.clocks.wall()
	if len(body.FilterValues) > 0 {
		st.setFilter(body.FilterValues)
	}
	c.json(http.StatusOK, st.metadata())
}

func (s *Simulator) streamDelete(c *call, version string) {
	defer s.enter()()
	st := s.ownStream(c, version, "PN_WEBHOOK_NOT_FOUND")
	if st == nil {
		return
	}
	x := c.id.sender
	x.streams = slices.DeleteFunc(x.streams, func(other *stream) bool { return other == st })
	c.w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) streamDisable(c *call, version string) {
	defer s.enter()()
	st := s.ownStream(c, version, "PN_WEBHOOK_NOT_FOUND")
	if st == nil {
		return
	}
	if !st.active() {
		c.streamProblem(http.StatusForbidden, codeStreamForbidden, "Not supported operation, stream already disabled")
		return
	}
	st.disabled = s.clocks.wall()
	c.json(http.StatusOK, st.metadata())
}
