package send

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"sendconnector/internal/notification"
)

// loadContract reads the official OpenAPI document from the shared folder beside
// the module. Without it the test is skipped, except where CI says that it must
// be there.
func loadContract(t *testing.T) *openapi3.T {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	file := filepath.Join(dir, "..", "shared", "contract", "api-external-b2b-pa-bundle.yaml")
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the contract is missing: " + err.Error())
		}
		t.Skip("the contract is not here")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The document's own patterns are ECMA's; Go cannot compile all of them.
	if err := doc.Validate(context.Background(), openapi3.DisableSchemaPatternValidation(), openapi3.DisableExamplesValidation()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// long patterns exceed the repetition that Go's regexp allows (1,000).
var long = regexp.MustCompile(`^\^\.\{(\d+),(\d{4,})\}\$$`)

type lengths struct{ min, max int }

func (l lengths) MatchString(s string) bool {
	n := utf8.RuneCountInString(s)
	return n >= l.min && n <= l.max && !strings.ContainsAny(s, "\n\r")
}

func compile(expr string) (openapi3.RegexMatcher, error) {
	if m := long.FindStringSubmatch(expr); m != nil {
		lo, _ := strconv.Atoi(m[1])
		hi, _ := strconv.Atoi(m[2])
		return lengths{lo, hi}, nil
	}
	return regexp.Compile(expr)
}

// contract is a transport that lets nothing through that the official document
// does not describe.
type contract struct {
	doc      *openapi3.T
	template string
	seen     int
	err      error
}

func (c *contract) RoundTrip(r *http.Request) (*http.Response, error) {
	c.seen++
	c.err = errors.Join(c.err, c.check(r))
	return &http.Response{StatusCode: 418, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func (c *contract) check(r *http.Request) error {
	item := c.doc.Paths.Value(c.template)
	if item == nil {
		return errors.New("the contract has no path " + c.template)
	}
	op := item.GetOperation(r.Method)
	if op == nil {
		return errors.New("the contract has no " + r.Method + " " + c.template)
	}
	params, err := pathParams(c.template, r.URL.EscapedPath())
	if err != nil {
		return err
	}
	for name := range r.URL.Query() {
		if op.Parameters.GetByInAndName("query", name) == nil && item.Parameters.GetByInAndName("query", name) == nil {
			return errors.New("the contract knows no query parameter " + name)
		}
	}
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		if op.RequestBody == nil && len(raw) > 0 {
			return errors.New("the contract knows no body here")
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
	}
	return openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, QueryParams: r.URL.Query(),
		Route: &routers.Route{Spec: c.doc, Path: c.template, PathItem: item, Method: r.Method, Operation: op},
		Options: &openapi3filter.Options{
			MultiError: true, RegexCompiler: compile, SkipSettingDefaults: true,
			AuthenticationFunc: func(_ context.Context, in *openapi3filter.AuthenticationInput) error {
				if in.SecurityScheme.In != "header" || r.Header.Get(in.SecurityScheme.Name) != testKey {
					return in.NewError(errors.New("no key"))
				}
				return nil
			},
		},
	})
}

func pathParams(template, path string) (map[string]string, error) {
	names := placeholder.FindAllString(template, -1)
	expr := regexp.MustCompile("^" + placeholder.ReplaceAllString(template, "([^/]+)") + "$")
	got := expr.FindStringSubmatch(path)
	if got == nil {
		return nil, errors.New(path + " is not of the form " + template)
	}
	params := map[string]string{}
	for i, n := range names {
		v, err := url.PathUnescape(got[i+1])
		if err != nil {
			return nil, err
		}
		params[strings.Trim(n, "{}")] = v
	}
	return params, nil
}

func ptr(n int) *int { return &n }

// fullRequest uses every member that the connector can fill in.
func fullRequest() *notification.Request {
	sum := strings.Repeat("A", 43) + "="
	file := func(kind, ct string) *notification.Attachment {
		return &notification.Attachment{
			Digests: &notification.Digests{SHA256: sum}, ContentType: ct,
			Ref: &notification.Ref{Key: "PN_" + kind + "-0a1b2c", VersionToken: "v1"},
		}
	}
	pdf := file("NOTIFICATION_ATTACHMENTS", notification.ContentPDF)
	return &notification.Request{
		IdempotenceToken: "abc", PaProtocolNumber: "2026/0001234", Subject: "Avviso di accertamento", Abstract: strings.Repeat("à", 1024),
		Recipients: []notification.Recipient{
			{
				RecipientType: notification.NaturalPerson, TaxID: "RSSMRA80A01H501U", Denomination: "Mario Rossi",
				DigitalDomicile: &notification.DigitalDomicile{Type: "PEC", Address: "mario.rossi@pec.example.it"},
				PhysicalAddress: &notification.PhysicalAddress{Address: "Via Roma 1", Zip: "20121", Municipality: "Milano", Province: "MI", ForeignState: "ITALIA"},
				Payments: []notification.Payment{
					{PagoPa: &notification.PagoPa{NoticeCode: "302000100000019421", CreditorTaxID: "77777777777", ApplyCost: true, Attachment: pdf}},
					{F24: &notification.F24{Title: "IMU", ApplyCost: true, MetadataAttachment: file("F24_META", notification.ContentJSON)}},
				},
			},
			{
				RecipientType: notification.LegalPerson, TaxID: "77777777777", Denomination: "Esempio s.r.l.",
				PhysicalAddress: &notification.PhysicalAddress{At: "Presso", Address: "Via Po 2", AddressDetails: "Scala A", Municipality: "Paris", MunicipalityDetails: "X", ForeignState: "FRANCIA"},
			},
		},
		Documents:             []notification.Document{{Title: "atto", DocIdx: "0", Attachment: *pdf}},
		NotificationFeePolicy: notification.FeeDeliveryMode, CancelledIun: "DPDA-LVZM-JREL-202501-N-1",
		PhysicalCommunicationType: notification.Paper890, SenderDenomination: "Comune di Esempio", SenderTaxID: "77777777777",
		Group: "g1", Amount: ptr(100), PaymentExpirationDate: "2026-12-31", TaxonomyCode: "010201P", PaFee: ptr(100), Vat: ptr(22),
		PagoPaIntMode: notification.PagoPaSync, AdditionalLanguages: []string{"DE"}, PhysicalCommunicationPriority: ptr(10),
	}
}

// Damage prevented: a request that SEND's gateway refuses for every notification.
// Whatever the client can send is checked against the official document, by the
// default paths.
func TestContract(t *testing.T) {
	doc := loadContract(t)
	const (
		iun    = "DPDA-LVZM-JREL-202501-N-1"
		stream = "3f0e9a64-6c0f-4b5e-9a55-0a1b2c3d4e5f"
	)
	p := DefaultPaths()
	ctx := t.Context()
	def := NewStream{Title: "sendconnector/x", EventType: "TIMELINE", Filter: []string{"DEFAULT", "NOTIFICATION_TIMELINE_REWORKED"}, WaitForAccepted: true, Replaces: stream}
	calls := map[string]struct {
		template string
		call     func(c *Client) error
	}{
		"preload":       {p.Preload, func(c *Client) error { _, err := c.Preload(ctx, items(15)); return err }},
		"create":        {p.Create, func(c *Client) error { _, err := c.Create(ctx, fullRequest()); return err }},
		"status by id":  {p.Status, func(c *Client) error { _, err := c.StatusByID(ctx, "RFBEQS1MVlpNLUpSRUwtMjAyNTAxLU4tMQ=="); return err }},
		"status":        {p.Status, func(c *Client) error { _, err := c.StatusByToken(ctx, "2026/1 +è", "tok+/="); return err }},
		"sent":          {p.Sent, func(c *Client) error { _, err := c.Sent(ctx, iun); return err }},
		"create stream": {p.CreateStream, func(c *Client) error { _, err := c.CreateStream(ctx, def); return err }},
		"no filter": {p.CreateStream, func(c *Client) error {
			_, err := c.CreateStream(ctx, NewStream{Title: "T", EventType: "STATUS"})
			return err
		}},
		"list streams":   {p.ListStreams, func(c *Client) error { _, err := c.ListStreams(ctx); return err }},
		"stream":         {p.Stream, func(c *Client) error { _, err := c.Stream(ctx, stream); return err }},
		"update stream":  {p.UpdateStream, func(c *Client) error { _, err := c.UpdateStream(ctx, stream, def); return err }},
		"disable stream": {p.DisableStream, func(c *Client) error { _, err := c.DisableStream(ctx, stream); return err }},
		"delete stream":  {p.DeleteStream, func(c *Client) error { return c.DeleteStream(ctx, stream) }},
		"first events":   {p.Events, func(c *Client) error { _, err := c.Events(ctx, stream, ""); return err }},
		"events":         {p.Events, func(c *Client) error { _, err := c.Events(ctx, stream, strings.Repeat("0", 36)+"42"); return err }},
		"legal fact": {p.LegalFact, func(c *Client) error {
			_, err := c.LegalFact(ctx, iun, "safestorage://PN_LEGAL_FACTS-0a.pdf")
			return err
		}},
		"document":       {p.Document, func(c *Client) error { _, err := c.Document(ctx, iun, 0); return err }},
		"attachment":     {p.PaymentAttachment, func(c *Client) error { _, err := c.PaymentAttachment(ctx, iun, 0, AttachmentPagoPA, 1); return err }},
		"price":          {p.Price, func(c *Client) error { _, err := c.Price(ctx, "77777777777", "302000100000019421"); return err }},
		"cancel":         {p.Cancel, func(c *Client) error { _, err := c.Cancel(ctx, iun); return err }},
		"status of SEND": {p.PlatformStatus, func(c *Client) error { return c.PlatformStatus(ctx) }},
	}
	for name, tt := range calls {
		t.Run(name, func(t *testing.T) {
			judge := &contract{doc: doc, template: tt.template}
			c := newClient(t, "https://api.notifichedigitali.it", func(cfg *Config) { cfg.Transport = judge })
			if err := tt.call(c); err == nil {
				t.Error("a 418 is no success")
			}
			if judge.err != nil {
				t.Error(judge.err)
			}
			if judge.seen == 0 {
				t.Error("nothing was sent")
			}
		})
	}
}

// The fallback versions are described there as well.
func TestContractHasOlderPaths(t *testing.T) {
	doc := loadContract(t)
	p := OlderPaths()
	p.each(func(name string, mine *string, _ string) {
		if doc.Paths.Value(*mine) == nil {
			t.Errorf("%s: the contract has no %s", name, *mine)
		}
	})
}

// The judge of the contract must be able to say no.
func TestContractRefuses(t *testing.T) {
	doc := loadContract(t)
	p := DefaultPaths()
	bad := fullRequest()
	bad.SenderTaxID = "123"
	long := fullRequest()
	long.Abstract = strings.Repeat("x", 1025)
	for name, tt := range map[string]struct {
		template string
		call     func(c *Client) error
	}{
		"another path":   {p.Cancel, func(c *Client) error { _, err := c.ListStreams(t.Context()); return err }},
		"tax id":         {p.Create, func(c *Client) error { _, err := c.Create(t.Context(), bad); return err }},
		"abstract":       {p.Create, func(c *Client) error { _, err := c.Create(t.Context(), long); return err }},
		"null":           {p.Create, func(c *Client) error { _, err := c.CreateRaw(t.Context(), []byte(`{"subject":null}`)); return err }},
		"iun":            {p.Sent, func(c *Client) error { _, err := c.Sent(t.Context(), "x"); return err }},
		"last event id":  {p.Events, func(c *Client) error { _, err := c.Events(t.Context(), testClient, "7"); return err }},
		"stream's event": {p.CreateStream, func(c *Client) error { _, err := c.CreateStream(t.Context(), NewStream{}); return err }},
	} {
		judge := &contract{doc: doc, template: tt.template}
		c := newClient(t, "https://api.notifichedigitali.it", func(cfg *Config) { cfg.Transport = judge })
		_ = tt.call(c)
		if judge.err == nil {
			t.Errorf("%s: the contract let it pass", name)
		}
	}
}
