package send

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Codes of SEND on which a decision rests (reference/send-api.md §8.2,
// send-validation.md §0).
const (
	codeTaxonomy     = "PN_GENERIC_INVALIDPARAMETER_TAXONOMYCODE"
	codeGeneric      = "PN_GENERIC_ERROR"
	codeDisabled     = "PN_DELIVERY_SEND_IS_DISABLED"
	codeQuota        = "PN_DELIVERY_NOTIFICATION_LIMIT_EXCEEDED"
	codeGroup        = "PN_DELIVERY_INVALIDPARAMETER_GROUP"
	codeSenderTaxID  = "PN_DELIVERY_INVALID_SENDER_TAX_ID"
	codeTaxRegistry  = "PN_DELIVERY_ADECHECKCF"
	codeNoFileInfo   = "PN_DELIVERY_FILEINFONOTFOUND"
	codeNoAttachment = "PN_DELIVERY_NOTIFICATIONWITHOUTPAYMENTATTACHMENT"
	codeFileGone     = "PN_DELIVERYPUSH_FILE_GONE"
	codeStreamRetry  = "PN_STREAM_RETRY_AFTER_ERROR"
	codeForbidden    = "PN_WEBHOOK_FORBIDDEN"
	codeMaxStreams   = "PN_WEBHOOK_MAXSTREAMSCOUNTREACHED"
	textNoRoute      = "Missing Authentication Token"
	textQuota        = "Limit Exceeded"
	quotaRetry       = 15 * time.Minute
)

// heldBy maps codes that are no fault of the row to what must change.
var heldBy = map[string]string{
	codeDisabled:    HeldSenderDisabled,
	codeQuota:       HeldQuota,
	codeGroup:       HeldGroup,
	codeSenderTaxID: HeldSenderTaxID,
	codeForbidden:   HeldStream,
	codeMaxStreams:  HeldStream,
}

// judge gives a refusal its class: the table in the package comment.
func judge(k *call, a *answer) *Error {
	p := readProblem(a.body)
	e := &Error{
		Op: k.op, Status: a.status, Details: p.details,
		TraceID: traceID(a.header, p.traceID), RetryAfter: retryAfter(k, a.header),
	}
	for _, d := range p.details {
		if reason, ok := heldBy[d.Code]; ok && a.status >= 400 && a.status <= 499 {
			e.Class, e.Reason = Held, reason
			return e
		}
	}
	switch {
	case a.status >= 500:
		judgeServer(k, e)
	case a.status >= 400:
		judgeRequest(k, e, &p)
	default: // 1xx and 3xx: an API does not send anybody elsewhere
		e.Class, e.Err = Fatal, errors.New("redirected: this is not the API")
		if k.effect {
			e.Class = Unknown
		}
	}
	return e
}

func judgeServer(k *call, e *Error) {
	switch {
	case k.resource && hasCode(e.Details, codeFileGone, codeNoAttachment):
		// SEND's way of saying "there is none (any more)".
		e.Class = Rejected
	case e.Status == http.StatusServiceUnavailable && hasCode(e.Details, codeTaxRegistry):
		// The registry of tax codes is asked before anything is stored.
		e.Class = Transient
	case k.effect:
		e.Class = Unknown
	default:
		e.Class = Transient
	}
}

func judgeRequest(k *call, e *Error, p *problem) {
	switch e.Status {
	case http.StatusUnauthorized:
		e.Class, e.Reason = Held, HeldAPIKey
	case http.StatusForbidden:
		judgeForbidden(k, e, p)
	case http.StatusNotFound:
		judgeMissing(k, e, p)
	case http.StatusConflict:
		e.Class, e.Conflicts = Conflict, conflicts(e.Details)
	case http.StatusTooManyRequests:
		e.Class = Transient
		if e.RetryAfter == 0 && hasCode(e.Details, codeStreamRetry) {
			e.RetryAfter = unsaidRetry
		}
		if p.message == textQuota {
			e.Class, e.Reason = Held, HeldQuota
			e.RetryAfter = max(e.RetryAfter, quotaRetry)
		}
	case http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusNotAcceptable:
		e.Class = Fatal
	case http.StatusRequestTimeout, http.StatusTooEarly:
		e.Class = lost(k)
	case http.StatusRequestEntityTooLarge:
		e.Class = Rejected
	default:
		judgeBad(k, e, p)
	}
}

// judgeBad: a 400 blames the request only if it says what for. One that says
// nothing was not given by SEND.
func judgeBad(k *call, e *Error, p *problem) {
	switch {
	case k.resource && hasCode(e.Details, codeNoFileInfo):
		// The storage's 404 comes through as 400.
		e.Class = NotFound
	case p.speaks:
		e.Class = Rejected
	default:
		e.Class = lost(k)
		e.Err = errors.New("refused without a reason that can be read")
	}
}

func judgeForbidden(k *call, e *Error, p *problem) {
	switch {
	case p.message == textNoRoute:
		// The gateway's answer to a path or method that it does not know.
		e.Class, e.Err = Fatal, errors.New("the gateway does not know this path")
	case k.resource && (p.ofSEND() || p.form == formJSON && p.message == ""):
		// Authorised, but not for this thing (another body's, another group's).
		e.Class = Rejected
	default:
		e.Class, e.Reason = Held, HeldAPIKey
	}
}

// judgeMissing tells a thing that is not there from a path that is not there: a
// page in HTML, or a gateway's bare message, proves nothing about the thing.
func judgeMissing(k *call, e *Error, p *problem) {
	switch {
	case !k.resource, p.form == formOther, p.message != "" && !p.ofSEND():
		e.Class, e.Err = Fatal, errors.New("this path is not there")
	default:
		e.Class = NotFound
	}
}

// lost is the class of a failure that says nothing about the request.
func lost(k *call) Class {
	if k.effect {
		return Unknown
	}
	return Transient
}

// conflicts reads what a 409 is over. Its texts are all that SEND gives
// (reference/send-api.md §2.4); anything else proves nothing.
func conflicts(details []Detail) ConflictKind {
	var kind ConflictKind
	for _, d := range details {
		what, _, _ := strings.Cut(d.Element, "=")
		if d.Element == "" {
			what, _, _ = strings.Cut(d.Detail, "=")
		}
		switch {
		case strings.HasSuffix(what, "##idempotenceToken"):
			kind |= ConflictToken
		case strings.HasSuffix(what, "creditorTaxId##noticeCode"):
			kind |= ConflictNotice
		case strings.HasSuffix(what, " iun"):
			kind |= ConflictIUN
		case d.Code == codeGeneric:
			kind |= ConflictGeneric
		}
	}
	if kind == 0 {
		return ConflictGeneric
	}
	return kind
}

// retryAfter reads the header of that name: milliseconds on streams, seconds or
// a date elsewhere. Whatever cannot be read is 0.
func retryAfter(k *call, h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return untilDate(v, h)
	}
	if n < 0 {
		return 0
	}
	unit := time.Second
	if k.stream {
		unit = time.Millisecond
	}
	return time.Duration(min(n, int64(longestRetry/unit))) * unit
}

// untilDate reads a Retry-After that is a date, by the other side's own clock.
func untilDate(v string, h http.Header) time.Duration {
	then, err := http.ParseTime(v)
	now, err2 := http.ParseTime(h.Get("Date"))
	if err != nil || err2 != nil {
		return 0
	}
	return min(max(then.Sub(now), 0), longestRetry)
}

// longestRetry bounds what the other side may ask us to wait: a proxy's nonsense must
// not silence a sender for days, and asking once an hour is never a burden.
const longestRetry = time.Hour

// longestRestore bounds the same for a document in cold storage, which takes hours.
const longestRestore = 24 * time.Hour

func traceID(h http.Header, inBody string) string {
	for _, id := range []string{inBody, h.Get("x-amzn-trace-id"), h.Get("x-amzn-RequestId")} {
		if id != "" {
			return id
		}
	}
	return ""
}
