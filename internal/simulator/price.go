package simulator

import (
	"encoding/json"
	"math"
	"net/http"
	"time"
	_ "time/tzdata" // Windows has no time zones of its own
)

// price is GET /delivery/v2.3/price/{paTaxId}/{noticeCode}. Any key may ask for
// any notice.
func (s *Simulator) price(c *call) {
	creditor, notice := c.params["paTaxId"], c.params["noticeCode"]
	if len(creditor) != 11 || len(notice) != 18 || !allDigits(creditor) || !allDigits(notice) {
		c.gatewayProblem("PN_INVALID_PARAMETERS", "Invalid parameters: [paTaxId, noticeCode]")
		return
	}
	defer s.enter()()
	key := creditor + "##" + notice
	n := s.byNotice[key]
	absent := func(app, code string) {
		c.problem(http.StatusNotFound, app, problemError{Code: code, Detail: "Not found"})
	}
	switch {
	case n == nil:
		absent(appDelivery, "PN_DELIVERY_NOTIFICATIONCOSTNOTFOUND")
	case n.status == statusCancelled:
		absent(appPush, "PN_DELIVERYPUSH_NOTIFICATION_CANCELLED")
	case !n.disclosed():
		absent(appPush, "PN_DELIVERY_PUSH_NOTIFICATION_NOT_ACCEPTED")
	default:
		c.json(http.StatusOK, n.price(key))
	}
}

// sendFee is the base fee in euro cents.
const sendFee = 100

func (n *notification) price(key string) m {
	var ref noticeRef
	for _, p := range n.notices {
		if p.key == key {
			ref = p
		}
	}
	r := &n.recipients[ref.rec]
	analog := int(r.analogCost)
	partial := sendFee + analog
	total := sendFee + int(math.Round(float64(analog)*(1+float64(n.vat)/100))) + n.paFee
	if n.flat || !ref.apply {
		partial, total = 0, 0
	}
	answer := m{
		"iun": n.iun, "partialPrice": partial, "totalPrice": total, "sendFee": sendFee,
		"analogCost": analog, "vat": n.vat, "paFee": n.paFee,
	}
	if at := max(r.refinedAt, r.refineAt); at != 0 {
		answer["refinementDate"] = endOfDay(at)
	}
	if r.viewedAt != 0 {
		answer["notificationViewDate"] = endOfDay(r.viewedAt)
	}
	return answer
}

// endOfDay is the last instant of a day in Rome.
func endOfDay(ns int64) string {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		rome = time.UTC // cannot happen: the zones are embedded
	}
	t := time.Unix(0, ns).In(rome)
	return time.Date(t.Year(), t.Month(), t.Day(), 23, 59, 59, 999999999, rome).Format(time.RFC3339Nano)
}

type paymentEvent struct {
	NoticeCode    string `json:"noticeCode"`
	CreditorTaxID string `json:"creditorTaxId"`
	PaymentDate   string `json:"paymentDate"`
	Amount        int    `json:"amount"`
}

// paymentEvents is POST /delivery/events/payment/pagopa: all or nothing.
func (s *Simulator) paymentEvents(c *call) {
	if !c.bodyFits(s.shapes.payments) {
		return
	}
	var body struct {
		Events []paymentEvent `json:"events"`
	}
	if err := json.Unmarshal(c.body, &body); err != nil {
		c.gatewayProblem("PN_INVALID_BODY", "Validation errors: [Unable to parse JSON]")
		return
	}
	defer s.enter()()
	for _, e := range body.Events {
		if n := s.byNotice[e.CreditorTaxID+"##"+e.NoticeCode]; !c.id.sees(n) || !n.disclosed() {
			c.problem(http.StatusNotFound, appDelivery, problemError{Code: "PN_DELIVERY_NOTIFICATIONCOSTNOTFOUND", Detail: "Notice not found"})
			return
		}
	}
	for _, e := range body.Events {
		s.pay(e)
	}
	c.w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) pay(e paymentEvent) {
	key := e.CreditorTaxID + "##" + e.NoticeCode
	n := s.byNotice[key]
	for i, p := range n.notices {
		if p.key == key {
			n.recipients[p.rec].paid = true
			s.add(n, element{cat: catPayment, rec: p.rec, idx: uint16(i), extra: e, at: s.clocks.platform().UnixNano()})
		}
	}
}
