package simulator

import (
	"bytes"
	"net/http"
	"time"
)

// create is POST /delivery/v2.6/requests.
func (s *Simulator) create(c *call) {
	if !c.bodyFits(s.shapes.create) {
		return
	}
	req, err := parseRequest(c.body)
	if err != nil {
		c.gatewayProblem("PN_INVALID_BODY", "Validation errors: [Unable to parse JSON]")
		return
	}
	if c.struck(FaultRegistryDown) {
		c.problem(http.StatusServiceUnavailable, appDelivery, problemError{Code: "PN_DELIVERY_ADECHECKCF", Detail: "Tax registry unreachable"})
		return
	}
	defer s.enter()()
	r := s.syncCheck(c.id, req)
	if r == nil {
		r = s.conflict(c, req)
	}
	if r != nil {
		c.problem(r.status, appDelivery, r.errs...)
		return
	}
	n := s.admit(c, req)
	answer := map[string]any{"notificationRequestId": n.id, "paProtocolNumber": n.protocol}
	if n.hasToken {
		answer["idempotenceToken"] = n.token
	}
	c.json(http.StatusAccepted, answer)
}

// controlKey is what guards protocol and token. Exact strings: an absent token
// collides with one spelled "null".
func controlKey(senderID, protocol string, token *string) string {
	t := "null"
	if token != nil {
		t = *token
	}
	return senderID + "##" + protocol + "##" + t
}

// conflict is the uniqueness check: all or nothing, one error per kind of key.
func (s *Simulator) conflict(c *call, req *request) *refusalNow {
	const prefix = "Duplicated notification for "
	r := &refusalNow{status: http.StatusConflict}
	if c.struck(FaultContention) {
		r.errs = []problemError{{Code: "PN_GENERIC_ERROR", Detail: "Duplicated notification"}}
		return r
	}
	control := controlKey(c.id.sender.ID, req.PaProtocolNumber, req.IdempotenceToken)
	if s.byControl[control] != nil {
		const element = prefix + "senderPaId##paProtocolNumber##idempotenceToken"
		r.errs = append(r.errs, problemError{Code: codeDuplicated, Element: element, Detail: element + "=" + control})
	}
	for _, p := range noticesOf(req) {
		if s.byNotice[p.key] != nil {
			const element = prefix + "creditorTaxId##noticeCode"
			r.errs = append(r.errs, problemError{Code: codeDuplicated, Element: element, Detail: element + "=" + p.key})
			break // the others collapse into one entry
		}
	}
	if len(r.errs) == 0 {
		return nil
	}
	return r
}

// noticeRef is one pagoPA notice of a notification.
type noticeRef struct {
	key   string
	rec   int8
	apply bool
}

func noticesOf(req *request) []noticeRef {
	var found []noticeRef
	for i := range req.Recipients {
		for j := range req.Recipients[i].Payments {
			if p := req.Recipients[i].Payments[j].PagoPa; p != nil {
				found = append(found, noticeRef{key: p.pair(), rec: int8(i), apply: p.ApplyCost})
			}
		}
	}
	return found
}

// admit stores the notification and schedules its validation.
func (s *Simulator) admit(c *call, req *request) *notification {
	now := s.clocks.platform()
	n := &notification{
		iun: s.newIUN(now), sender: c.id.sender, protocol: req.PaProtocolNumber, group: req.Group,
		raw: bytes.Clone(c.body), sentAt: now.UnixNano(), notices: noticesOf(req), recipients: make([]recipient, len(req.Recipients)),
		flat: req.NotificationFeePolicy == "FLAT_RATE", registered890: req.PhysicalCommunicationType == "REGISTERED_LETTER_890",
		vat: 22, paFee: 100, hasPayments: req.hasPayments(),
	}
	n.id = requestID(n.iun)
	if req.IdempotenceToken != nil {
		n.token, n.hasToken = *req.IdempotenceToken, true
	}
	if req.Vat != nil {
		n.vat = *req.Vat
	}
	if req.PaFee != nil {
		n.paFee = *req.PaFee
	}
	n.setStatus(statusInValidation, n.sentAt)
	s.byIUN[n.iun], s.byID[n.id] = n, n
	s.byControl[controlKey(n.sender.ID, n.protocol, req.IdempotenceToken)] = n
	for _, p := range n.notices {
		s.byNotice[p.key] = n
	}
	n.sender.used++
	s.attach(req)
	s.judge.accept(n, req, func(iun string) bool {
		earlier := s.byIUN[iun]
		return earlier.status == statusRefused || earlier.status == statusCancelled
	})
	_, slow := s.faults.pick("acceptance-delay")
	s.schedule(now.Add(s.opt.Timings.Acceptance+slow).UnixNano(), taskValidate, n, -1)
	return n
}

// attach keeps the uploads of an accepted request from being purged.
func (s *Simulator) attach(req *request) {
	use := func(key string) {
		if o := s.objects[key]; o != nil && !o.uploaded.IsZero() && !s.purged(o) {
			o.attached = true
		}
	}
	for i := range req.Documents {
		use(req.Documents[i].Ref.Key)
	}
	for i := range req.Recipients {
		for j := range req.Recipients[i].Payments {
			for _, a := range req.Recipients[i].Payments[j].attachments() {
				use(a.Ref.Key)
			}
		}
	}
}

// releaseNotices frees the notice pairs that still belong to a notification.
func (s *Simulator) releaseNotices(n *notification) {
	for _, p := range n.notices {
		if s.byNotice[p.key] == n {
			delete(s.byNotice, p.key)
		}
	}
}

func after(at int64, d time.Duration) int64 { return at + int64(d) }
