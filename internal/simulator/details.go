package simulator

import (
	"strconv"
)

type m = map[string]any

// details renders what an element says beyond its category.
func (s *Simulator) details(n *notification, req func() *request, e *element) m {
	if e.cat >= catGetAddress && e.cat <= catDigitalFailure {
		return s.digitalDetails(n, req, e)
	}
	if e.cat >= catPrepareSimple && e.cat <= catUnreachable {
		return s.paperDetails(n, req, e)
	}
	d := m{}
	if e.rec >= 0 {
		d["recIndex"] = e.rec
	}
	switch e.cat {
	case catNormalizedAddress:
		d["oldAddress"], d["normalizedAddress"] = s.addressOf(n, req, e), normalized(s.addressOf(n, req, e))
	case catRegistryValidationCall:
		return m{"recIndexes": missingAddresses(req()), "deliveryMode": "ANALOG", "sendDate": stampNano(e.at)}
	case catRegistryValidationResponse:
		d["physicalAddress"], d["registry"] = s.addressOf(n, req, e), registryName(req, e)
	case catSenderAckRequest:
		d["legalFactId"] = s.factKey(n, "SENDER_ACK")
	case catAccepted, catRefused:
		requestIDs(n, d)
		if e.cat == catRefused {
			d["refusalReasons"] = refusalReasons(n)
		}
	case catAARRequest:
		d["aarKey"], d["numberOfPages"] = s.aarKey(n, e.rec), 1
	case catAAR:
		d["generatedAarUrl"], d["numberOfPages"] = s.aarKey(n, e.rec), 1
	default:
		s.laterDetails(n, req, e, d)
	}
	return d
}

func (s *Simulator) laterDetails(n *notification, req func() *request, e *element, d m) {
	switch e.cat {
	case catCourtesy:
		d["digitalAddress"] = m{"type": "APPIO", "address": "..."}
		d["sendDate"], d["ioSendMessageResult"] = stampNano(e.at), "SENT_COURTESY"
	case catProbableAnalogDate:
		d["schedulingAnalogDate"] = stampNano(after(e.at, s.opt.Timings.CourtesyWait))
	case catScheduleRefinement:
		d["schedulingDate"] = stampNano(e.extra.(int64)) // set where the element is made
	case catRefinement:
		d["eventTimestamp"] = stampNano(e.at)
		if !e.flag {
			d["notificationCost"] = e.cost
		}
	case catViewedRequest:
		d["legalFactId"], d["eventTimestamp"] = s.factKey(n, "RECIPIENT_ACCESS", rec(e)), stampNano(e.at)
	case catViewed:
		d["eventTimestamp"] = stampNano(e.at)
		if !e.flag {
			d["notificationCost"] = e.cost
		}
	case catCancellationRequest:
		d["cancellationRequestId"] = s.digest("cancellation", n.iun)
	case catCancelled:
		indexes := e.extra.([]int) // set where the element is made
		d["notificationCost"], d["notRefinedRecipientIndexes"] = 100*len(indexes), indexes
	case catPayment:
		p := e.extra.(paymentEvent) // set where the element is made
		d["recipientType"], d["paymentSourceChannel"] = req().Recipients[e.rec].RecipientType, "PA"
		d["amount"], d["creditorTaxId"], d["noticeCode"] = p.Amount, p.CreditorTaxID, p.NoticeCode
		d["eventTimestamp"], d["uncertainPaymentDate"] = p.PaymentDate, false
	case catRADD:
		d["raddType"], d["raddTransactionId"] = "ALT", s.digest("radd", n.iun, rec(e))
		d["eventTimestamp"] = stampNano(e.at)
	case catReworked:
		d["sentAttemptMade"] = e.attempt
		d["invalidatedTimelineAndStatusHistory"] = e.extra
	}
}

func rec(e *element) string { return strconv.Itoa(int(e.rec)) }

func requestIDs(n *notification, d m) {
	d["notificationRequestId"], d["paProtocolNumber"] = n.id, n.protocol
	if n.hasToken {
		d["idempotenceToken"] = n.token
	}
}

func refusalReasons(n *notification) []m {
	var found []m
	for _, r := range n.refusals {
		x := m{"errorCode": r.code, "detail": r.detail}
		if r.rec >= 0 {
			x["recIndex"] = r.rec
		}
		found = append(found, x)
	}
	return found
}

func missingAddresses(req *request) []int {
	found := []int{}
	for i := range req.Recipients {
		if req.Recipients[i].PhysicalAddress == nil {
			found = append(found, i)
		}
	}
	return found
}

func registryName(req func() *request, e *element) string {
	if req().Recipients[e.rec].RecipientType == "PG" {
		return "REGISTRO_IMPRESE"
	}
	return "ANPR"
}

// digitalDetails renders the elements of the digital path.
func (s *Simulator) digitalDetails(n *notification, req func() *request, e *element) m {
	d := m{"recIndex": e.rec}
	switch e.cat {
	case catGetAddress:
		d["digitalAddressSource"], d["isAvailable"], d["attemptDate"] = e.source.String(), e.flag, stampNano(e.at)
		return d
	case catRegistryCall:
		d["deliveryMode"], d["contactPhase"] = "DIGITAL", "CHOOSE_DELIVERY"
		d["sentAttemptMade"], d["sendDate"] = e.attempt, stampNano(e.at)
		return d
	case catRegistryResponse, catDigitalFailure:
		return d
	case catScheduleAnalog:
		d["schedulingDate"] = stampNano(after(e.at, s.opt.Timings.AnalogPrepare))
		return d
	}
	pec := m{"type": "PEC", "address": ""}
	if dom := req().Recipients[e.rec].DigitalDomicile; dom != nil {
		pec["address"] = dom.Address
	}
	d["digitalAddress"] = pec
	switch e.cat {
	case catScheduleDigital:
		d["digitalAddressSource"], d["sentAttemptMade"] = e.source.String(), e.attempt
		d["lastAttemptDate"], d["schedulingDate"] = stampNano(e.at), stampNano(after(e.at, s.opt.Timings.DigitalSecondAttempt))
	case catPrepareDigital, catSendDigital:
		d["digitalAddressSource"], d["retryNumber"] = e.source.String(), e.attempt
	case catDigitalProgress, catDigitalFeedback:
		s.pecReport(n, e, d)
	case catDigitalDeliveryRequest:
		d["legalFactId"], d["completionWorkflowDate"] = s.factKey(n, "DIGITAL_DELIVERY", rec(e)), stampNano(e.at)
		d["endWorkflowStatus"] = "SUCCESS"
		if e.flag {
			d["endWorkflowStatus"] = "FAILURE"
		}
	}
	return d
}

func (s *Simulator) pecReport(n *notification, e *element, d m) {
	d["deliveryDetailCode"], d["notificationDate"] = e.mark.code, stampNano(e.at)
	if e.mark.cause != "" {
		d["deliveryFailureCause"] = e.mark.cause
	}
	if e.cat == catDigitalFeedback {
		d["responseStatus"] = e.mark.status
		d["sendingReceipts"] = []m{{"id": s.digest("pec", n.elementID(e)), "system": "simulator"}}
		return
	}
	d["digitalAddressSource"], d["retryNumber"] = e.source.String(), e.attempt
	d["shouldRetry"], d["eventTimestamp"] = false, stampNano(e.at)
}

// paperDetails renders the elements of the paper path and of simple letters.
func (s *Simulator) paperDetails(n *notification, req func() *request, e *element) m {
	d := m{"recIndex": e.rec}
	where := func() { d["physicalAddress"] = s.addressOf(n, req, e) }
	level := func() { d["serviceLevel"], d["sentAttemptMade"] = serviceLevel(n), e.attempt }
	switch e.cat {
	case catPrepareSimple, catAnalogSuccess:
		where()
	case catSendSimple, catSendAnalog:
		where()
		if e.cat == catSendAnalog {
			level()
		}
		d["productType"], d["analogCost"], d["numberOfPages"], d["envelopeWeight"] = product(n, e), e.cost, 2, 12
		d["prepareRequestId"] = n.paperID("PREPARE_ANALOG_DOMICILE", e)
	case catPrepareAnalog:
		where()
		level()
	case catPrepareAnalogFailure:
		d["failureCause"], d["prepareRequestId"] = "D00", n.paperID("PREPARE_ANALOG_DOMICILE", e)
	case catSimpleProgress, catAnalogProgress, catAnalogFeedback:
		s.carrierReport(n, req, e, d)
	case catAnalogFailure:
		d["generatedAarUrl"] = s.aarKey(n, e.rec)
	case catDeceased:
		where()
		d["notificationCost"] = e.cost
	case catUnreachableRequest:
		d["legalFactId"], d["endWorkflowStatus"] = s.factKey(n, "ANALOG_FAILURE_DELIVERY", rec(e)), "FAILURE"
		d["completionWorkflowDate"] = stampNano(e.at)
	case catUnreachable:
		d["legalFactGenerationDate"] = stampNano(e.at)
	}
	return d
}

func (s *Simulator) carrierReport(n *notification, req func() *request, e *element, d m) {
	d["deliveryDetailCode"], d["notificationDate"] = e.mark.code, stampNano(e.at)
	d["sendRequestId"] = n.paperID("SEND_ANALOG_DOMICILE", e)
	d["registeredLetterCode"] = "R" + s.digest("letter", n.iun, rec(e), strconv.Itoa(int(e.attempt)))[:12]
	if e.mark.cause != "" {
		d["deliveryFailureCause"] = e.mark.cause
	}
	if facts := s.legalFactsOf(n, e); len(facts) > 0 {
		var scans []m
		for i, f := range facts {
			scans = append(scans, m{"id": strconv.Itoa(i), "documentType": e.mark.scans[i], "url": f.Key, "date": stampNano(e.at)})
		}
		d["attachments"] = scans
	}
	switch e.cat {
	case catAnalogProgress:
		d["serviceLevel"] = serviceLevel(n)
	case catAnalogFeedback:
		d["serviceLevel"], d["sentAttemptMade"], d["responseStatus"] = serviceLevel(n), e.attempt, e.mark.status
		d["physicalAddress"] = s.addressOf(n, req, e)
		if e.mark.newAddress {
			d["newAddress"] = discovered(s.addressOf(n, req, e))
		}
	}
}

func (n *notification) paperID(prefix string, e *element) string {
	return prefix + ".IUN_" + n.iun + ".RECINDEX_" + rec(e) + ".ATTEMPT_" + strconv.Itoa(int(e.attempt))
}

func serviceLevel(n *notification) string {
	if n.registered890 {
		return "REGISTERED_LETTER_890"
	}
	return "AR_REGISTERED_LETTER"
}

func product(n *notification, e *element) string {
	foreign := n.recipients[e.rec].foreign
	switch {
	case e.cat == catSendSimple && foreign:
		return "RIS"
	case e.cat == catSendSimple:
		return "RS"
	case foreign:
		return "RIR"
	case n.registered890:
		return "890"
	}
	return "AR"
}

// addressOf is where the paper of an element goes: the second attempt goes to
// the address that was discovered.
func (s *Simulator) addressOf(n *notification, req func() *request, e *element) address {
	r := &req().Recipients[e.rec]
	a := address{Address: "VIA DELL'ANAGRAFE 1", Zip: "00184", Municipality: "ROMA", Province: "RM"}
	if r.PhysicalAddress != nil {
		a = *r.PhysicalAddress
	}
	if e.attempt > 0 && e.cat >= catPrepareAnalog {
		return discovered(a)
	}
	return a
}

func discovered(a address) address {
	a.Address, a.AddressDetails = "VIA DELLE INDAGINI 1", ""
	return a
}

func normalized(a address) address {
	a.Address, a.Municipality, a.Province = upper(a.Address), upper(a.Municipality), upper(a.Province)
	return a
}
