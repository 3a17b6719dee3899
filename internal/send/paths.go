package send

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Paths holds one path template per operation, relative to Config.BaseURL. The
// versions of create, read and stream move independently of each other, and
// PagoPA's conformance tool speaks others than production, so each is its own
// setting. Names in braces are filled in and escaped by the client.
type Paths struct {
	Preload           string
	Create            string
	Status            string
	Sent              string // {iun}
	CreateStream      string
	ListStreams       string
	Stream            string // {streamId}
	UpdateStream      string // {streamId}
	DeleteStream      string // {streamId}
	DisableStream     string // {streamId}
	Events            string // {streamId}
	LegalFact         string // {iun} {legalFactId}
	Document          string // {iun} {docIdx}
	PaymentAttachment string // {iun} {recipientIdx} {attachmentName}
	Price             string // {paTaxId} {noticeCode}
	Cancel            string // {iun}
	PlatformStatus    string
}

// DefaultPaths are the newest versions of the contract: create v2.6, read v2.9,
// stream v2.9 (reference/send-api.md §0).
func DefaultPaths() Paths { return versioned("v2.6", "v2.9", "v2.9") }

// OlderPaths are the drop-in fallback for an environment where the newest
// versions are not deployed yet: create v2.5, read v2.8, stream v2.8
// (reference/send-api.md §10). A stream can only be used with the version that
// created it.
func OlderPaths() Paths { return versioned("v2.5", "v2.8", "v2.8") }

// ValidatorPaths are those that PagoPA's PnValidator 2.4 answers, its slips
// included (reference/pn-validator.md §1).
func ValidatorPaths() Paths {
	p := versioned("v2.3", "v2.4", "v2.4")
	p.ListStreams = "/delivery-progresses/2.4/streams"
	p.UpdateStream = "/delivery-progresses/2.4/streams/{streamId}"
	p.Cancel = "/delivery-push/v2.3/notifications/cancel/{iun}"
	return p
}

func versioned(create, read, stream string) Paths {
	streams := "/delivery-progresses/" + stream + "/streams"
	return Paths{
		Preload:           "/delivery/attachments/preload",
		Create:            "/delivery/" + create + "/requests",
		Status:            "/delivery/" + create + "/requests",
		Sent:              "/delivery/" + read + "/notifications/sent/{iun}",
		CreateStream:      streams,
		ListStreams:       streams,
		Stream:            streams + "/{streamId}",
		UpdateStream:      streams + "/{streamId}",
		DeleteStream:      streams + "/{streamId}",
		DisableStream:     streams + "/{streamId}/action/disable",
		Events:            streams + "/{streamId}/events",
		LegalFact:         "/delivery-push/{iun}/download/legal-facts/{legalFactId}",
		Document:          "/delivery/notifications/sent/{iun}/attachments/documents/{docIdx}",
		PaymentAttachment: "/delivery/notifications/sent/{iun}/attachments/payment/{recipientIdx}/{attachmentName}",
		Price:             "/delivery/v2.3/price/{paTaxId}/{noticeCode}",
		Cancel:            "/delivery-push/v2.0/notifications/cancel/{iun}",
		PlatformStatus:    "/status",
	}
}

// each visits every template with the one of the defaults, whose placeholders
// it must have.
func (p *Paths) each(visit func(name string, mine *string, model string)) {
	d := DefaultPaths()
	visit("preload", &p.Preload, d.Preload)
	visit("create", &p.Create, d.Create)
	visit("status", &p.Status, d.Status)
	visit("sent", &p.Sent, d.Sent)
	visit("create stream", &p.CreateStream, d.CreateStream)
	visit("list streams", &p.ListStreams, d.ListStreams)
	visit("stream", &p.Stream, d.Stream)
	visit("update stream", &p.UpdateStream, d.UpdateStream)
	visit("delete stream", &p.DeleteStream, d.DeleteStream)
	visit("disable stream", &p.DisableStream, d.DisableStream)
	visit("events", &p.Events, d.Events)
	visit("legal fact", &p.LegalFact, d.LegalFact)
	visit("document", &p.Document, d.Document)
	visit("payment attachment", &p.PaymentAttachment, d.PaymentAttachment)
	visit("price", &p.Price, d.Price)
	visit("cancel", &p.Cancel, d.Cancel)
	visit("platform status", &p.PlatformStatus, d.PlatformStatus)
}

func (p Paths) withDefaults() Paths {
	p.each(func(_ string, mine *string, model string) {
		if *mine == "" {
			*mine = model
		}
	})
	return p
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

func (p Paths) check() error {
	var errs []error
	p.each(func(name string, mine *string, model string) {
		want, got := placeholder.FindAllString(model, -1), placeholder.FindAllString(*mine, -1)
		slices.Sort(want)
		slices.Sort(got)
		switch {
		case !strings.HasPrefix(*mine, "/") || strings.ContainsAny(*mine, "?# "):
			errs = append(errs, fmt.Errorf("path of %q: must begin with / and hold no query", name))
		case !slices.Equal(want, got):
			errs = append(errs, fmt.Errorf("path of %q: must hold %v, each once", name, want))
		}
	})
	return errors.Join(errs...)
}

// fill puts values (name, value, name, value, …) into a template, escaped so
// that a slash inside a value cannot make a new path segment.
func fill(template string, values ...string) string {
	for i := 0; i+1 < len(values); i += 2 {
		template = strings.ReplaceAll(template, "{"+values[i]+"}", url.PathEscape(values[i+1]))
	}
	return template
}

// query encodes pairs (name, value, …) as a query string. A plus sign becomes
// %2B and a blank %20: the base64 request ids hold the one, and a receiver may
// or may not read a bare + as the other.
func query(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return "?" + strings.ReplaceAll(v.Encode(), "+", "%20")
}
