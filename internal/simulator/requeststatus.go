package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// requestStatus is GET /delivery/v2.6/requests: by request id, or by protocol
// number and token together.
func (s *Simulator) requestStatus(c *call) {
	q := c.r.URL.Query()
	id, protocol, token := q.Get("notificationRequestId"), q.Get("paProtocolNumber"), q.Get("idempotenceToken")
	if id != "" && !c.paramFits("notificationRequestId", id, s.shapes.requestID, 36) ||
		!c.paramFits("idempotenceToken", token, s.shapes.ascii, 256) {
		return
	}
	if id == "" && (protocol == "" || token == "") {
		missing := "paProtocolNumber"
		if protocol != "" {
			missing = "idempotenceToken"
		}
		c.problem(http.StatusBadRequest, appDelivery, problemError{Code: codeRequired, Element: missing, Detail: "must not be blank"})
		return
	}
	defer s.enter()()
	n := s.byID[id]
	if id == "" {
		n = s.byControl[controlKey(c.id.sender.ID, protocol, &token)]
	}
	if !c.id.sees(n) || c.struck(FaultMissing) {
		c.notFound()
		return
	}
	c.json(http.StatusOK, s.requestAnswer(n))
}

// requestAnswer repeats the request and adds its outcome.
func (s *Simulator) requestAnswer(n *notification) map[string]json.RawMessage {
	answer := n.echo()
	set := func(name string, v any) { answer[name] = mustJSON(v) }
	set("notificationRequestId", n.id)
	switch n.status {
	case statusInValidation:
		set("notificationRequestStatus", "WAITING")
		set("retryAfter", s.opt.RequestRetryAfter)
	case statusRefused:
		set("notificationRequestStatus", "REFUSED")
		type refusalError struct {
			problemError
			RecIndex *int `json:"recIndex,omitempty"`
		}
		var errs []refusalError
		for _, r := range n.refusals {
			errs = append(errs, refusalError{problemError{Code: r.code, Detail: clip(r.detail, 1024)}, r.recIndex()})
		}
		set("errors", errs)
	default:
		set("notificationRequestStatus", "ACCEPTED")
		set("iun", n.iun)
	}
	return answer
}

// echo is the request as the platform repeats it, with the defaults it stores
// and the index it gives every document.
func (n *notification) echo() map[string]json.RawMessage {
	answer := map[string]json.RawMessage{}
	if err := json.Unmarshal(n.raw, &answer); err != nil {
		panic("simulator: stored request: " + err.Error()) // it was parsed at creation
	}
	set := func(name string, v any) {
		if _, given := answer[name]; !given {
			answer[name] = mustJSON(v)
		}
	}
	set("paFee", n.paFee)
	set("vat", n.vat)
	mode := "NONE"
	if n.hasPayments && !n.flat {
		mode = "SYNC"
	}
	set("pagoPaIntMode", mode)
	var documents []map[string]json.RawMessage
	if json.Unmarshal(answer["documents"], &documents) == nil {
		for i := range documents {
			documents[i]["docIdx"] = mustJSON(strconv.Itoa(i))
		}
		answer["documents"] = mustJSON(documents)
	}
	return answer
}
