package send

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"regexp"
	"strings"
)

// problem is what could be read out of the body of a refusal. SEND, its gateway,
// its adapters for old versions, the object store and whatever stands between
// all have their own forms (reference/send-api.md §8.1); none of them is an error
// here.
type problem struct {
	form    form
	message string // the gateway's "message"
	traceID string
	details []Detail
	speaks  bool // it says something about the request: errors, or a detail that is a list
}

type form int

const (
	formEmpty form = iota
	formJSON
	formOther // HTML, XML, text
)

func readProblem(body []byte) problem {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return problem{form: formEmpty}
	}
	var f fields
	if json.Unmarshal(body, &f) != nil || f == nil {
		return problem{form: formOther, details: storeError(body)}
	}
	p := problem{form: formJSON, traceID: f.text("traceId")}
	p.message = f.text("message", "Message")
	for _, name := range []string{"errors", "errorList"} {
		for _, raw := range f.list(name) {
			p.details = append(p.details, readDetail(raw))
		}
	}
	// PagoPA's PnValidator: detail is an array of sentences.
	for _, raw := range f.list("detail") {
		p.details = append(p.details, readDetail(raw))
	}
	if code := f.text("resultCode"); code != "" {
		p.details = append(p.details, Detail{Code: code, Detail: f.text("resultDescription")})
	}
	p.speaks = len(p.details) > 0
	return p
}

// codeForm is what a code looks like.
var codeForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{0,80}$`)

func readDetail(raw json.RawMessage) Detail {
	var f fields
	if json.Unmarshal(raw, &f) != nil || f == nil {
		return Detail{Detail: text(raw)}
	}
	d := Detail{Code: f.text("code"), Element: f.text("element"), Detail: f.text("detail")}
	if !codeForm.MatchString(d.Code) && d.Detail == "" {
		// Adapters for old versions put a sentence there; codes are shown in logs.
		d.Code, d.Detail = "", d.Code
	} else if !codeForm.MatchString(d.Code) {
		d.Code = ""
	}
	return d
}

// storeError reads the object store's XML.
func storeError(body []byte) []Detail {
	var x struct {
		XMLName xml.Name `xml:"Error"`
		Code    string   `xml:"Code"`
		Message string   `xml:"Message"`
	}
	if xml.Unmarshal(body, &x) != nil || x.Code == "" {
		return nil
	}
	if !codeForm.MatchString(x.Code) {
		return []Detail{{Detail: x.Message}}
	}
	return []Detail{{Code: x.Code, Detail: x.Message}}
}

func hasCode(details []Detail, codes ...string) bool {
	for _, d := range details {
		for _, c := range codes {
			if d.Code == c {
				return true
			}
		}
	}
	return false
}

// ofSEND tells whether the refusal carries a code of the service itself and not
// only of the gateway before it.
func (p *problem) ofSEND() bool {
	for _, d := range p.details {
		if strings.HasPrefix(d.Code, "PN_") {
			return true
		}
	}
	return false
}
