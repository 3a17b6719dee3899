package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// names of the services, as they stand in a problem's detail.
const (
	appDelivery = "PN-DELIVERY"
	appPush     = "PN-DELIVERY-PUSH"
	appStream   = "PN-STREAM"
)

const (
	codeInvalid    = "PN_GENERIC_INVALIDPARAMETER"
	codeRequired   = "PN_GENERIC_INVALIDPARAMETER_REQUIRED"
	codeDuplicated = "PN_GENERIC_INVALIDPARAMETER_DUPLICATED"
	codeNotFound   = "PN_DELIVERY_NOTIFICATIONNOTFOUND"
	codePushAbsent = "PN_DELIVERYPUSH_NOTFOUND"
)

type problemError struct {
	Code    string `json:"code"`
	Element string `json:"element,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

type problem struct {
	Type      string         `json:"type,omitempty"`
	Status    int            `json:"status"`
	Title     string         `json:"title,omitempty"`
	Detail    string         `json:"detail,omitempty"`
	TraceID   string         `json:"traceId,omitempty"`
	Timestamp string         `json:"timestamp,omitempty"`
	Errors    []problemError `json:"errors"`
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func stampNano(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.999999999Z")
}

// problem answers as a microservice does: title and detail say nothing, only
// errors do.
func (c *call) problem(status int, app string, errs ...problemError) {
	title := "Handled error"
	if status >= 500 {
		title = "Unexpected error"
	}
	for i := range errs {
		if errs[i].Detail == "" {
			errs[i].Detail = "none"
		}
		errs[i].Detail = clip(errs[i].Detail, 1024)
	}
	c.writeProblem(problem{
		Type: "GENERIC_ERROR", Status: status, Title: title, Detail: "See logs for details in " + app,
		TraceID: c.trace, Timestamp: stamp(c.s.clocks.platform()), Errors: errs,
	})
}

// gatewayProblem answers as the gateway's request validator does.
func (c *call) gatewayProblem(code, detail string) {
	c.writeProblem(problem{
		Status: http.StatusBadRequest, Title: "VALIDATION ERROR", TraceID: c.trace,
		Errors: []problemError{{Code: code, Detail: clip(detail, 1024)}},
	})
}

func (c *call) writeProblem(p problem) {
	c.codes = p.Errors
	c.write(p.Status, "application/problem+json", mustJSON(p))
}

func (c *call) json(status int, v any) { c.write(status, "application/json", mustJSON(v)) }

// message answers as API Gateway itself does.
func (c *call) message(status int, text string) {
	c.json(status, map[string]string{"message": text})
}

func (c *call) write(status int, contentType string, body []byte) {
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // a client that went away is its own problem
}

// mustJSON encodes values made of plain structs, maps and strings, for which
// encoding cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("simulator: " + err.Error())
	}
	return b
}

// clip cuts s to n bytes without breaking a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
