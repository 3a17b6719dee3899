package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// contract is the official document, read once for all tests; nil when it is
// not at hand.
var contract = sync.OnceValues(func() (*openapi3.T, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "..", "..", "..", "shared", "contract", "api-external-b2b-pa-bundle.yaml")
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("CI") == "true" {
			return nil, err
		}
		return nil, nil
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, err
	}
	// The details of an element are told apart by its category, not by oneOf:
	// most of the schemas match most of the details. checkDetails does better.
	for _, name := range []string{"TimelineElementDetailsV27", "TimelineElementDetailsV28"} {
		doc.Components.Schemas[name].Value.OneOf = nil
	}
	return doc, nil
})

// detailSchemas name the schema of the details of each category.
var detailSchemas = map[string]string{
	"SENDER_ACK_CREATION_REQUEST": "SenderAckCreationRequestDetails", "NORMALIZED_ADDRESS": "NormalizedAddressDetails",
	"REQUEST_ACCEPTED": "NotificationRequestAcceptedDetailsV28", "REQUEST_REFUSED": "RequestRefusedDetailsV27",
	"PUBLIC_REGISTRY_VALIDATION_CALL":     "PublicRegistryValidationCallDetails",
	"PUBLIC_REGISTRY_VALIDATION_RESPONSE": "PublicRegistryValidationResponseDetails",
	"AAR_CREATION_REQUEST":                "AarCreationRequestDetails", "AAR_GENERATION": "AarGenerationDetails",
	"SEND_COURTESY_MESSAGE": "SendCourtesyMessageDetails", "PROBABLE_SCHEDULING_ANALOG_DATE": "ProbableDateAnalogWorkflowDetails",
	"GET_ADDRESS": "GetAddressInfoDetails", "PUBLIC_REGISTRY_CALL": "PublicRegistryCallDetails",
	"PUBLIC_REGISTRY_RESPONSE": "PublicRegistryResponseDetails", "SCHEDULE_ANALOG_WORKFLOW": "ScheduleAnalogWorkflowDetailsV23",
	"SCHEDULE_DIGITAL_WORKFLOW": "ScheduleDigitalWorkflowDetailsV23", "PREPARE_DIGITAL_DOMICILE": "PrepareDigitalDetails",
	"SEND_DIGITAL_DOMICILE": "SendDigitalDetails", "SEND_DIGITAL_PROGRESS": "SendDigitalProgressDetailsV23",
	"SEND_DIGITAL_FEEDBACK": "SendDigitalFeedbackDetails", "DIGITAL_DELIVERY_CREATION_REQUEST": "DigitalDeliveryCreationRequestDetailsV28",
	"DIGITAL_SUCCESS_WORKFLOW": "DigitalSuccessWorkflowDetails", "DIGITAL_FAILURE_WORKFLOW": "DigitalFailureWorkflowDetails",
	"PREPARE_SIMPLE_REGISTERED_LETTER": "BaseRegisteredLetterDetails", "SEND_SIMPLE_REGISTERED_LETTER": "SimpleRegisteredLetterDetails",
	"SEND_SIMPLE_REGISTERED_LETTER_PROGRESS": "SimpleRegisteredLetterProgressDetails",
	"PREPARE_ANALOG_DOMICILE":                "BaseAnalogDetails", "PREPARE_ANALOG_DOMICILE_FAILURE": "PrepareAnalogDomicileFailureDetails",
	"SEND_ANALOG_DOMICILE": "SendAnalogDetails", "SEND_ANALOG_PROGRESS": "SendAnalogProgressDetailsV23",
	"SEND_ANALOG_FEEDBACK": "SendAnalogFeedbackDetailsV25", "ANALOG_SUCCESS_WORKFLOW": "AnalogSuccessWorkflowDetails",
	"ANALOG_FAILURE_WORKFLOW": "AnalogFailureWorkflowDetails", "ANALOG_WORKFLOW_RECIPIENT_DECEASED": "AnalogWorkflowRecipientDeceasedDetailsV26",
	"COMPLETELY_UNREACHABLE_CREATION_REQUEST": "CompletelyUnreachableCreationRequestDetailsV28",
	"COMPLETELY_UNREACHABLE":                  "CompletelyUnreachableDetails", "SCHEDULE_REFINEMENT": "ScheduleRefinementDetails",
	"REFINEMENT": "RefinementDetailsV23", "NOTIFICATION_VIEWED_CREATION_REQUEST": "NotificationViewedCreationRequestDetailsV28",
	"NOTIFICATION_VIEWED": "NotificationViewedDetailsV23", "NOTIFICATION_CANCELLATION_REQUEST": "NotificationCancellationRequestDetails",
	"NOTIFICATION_CANCELLED": "NotificationCancelledDetails", "PAYMENT": "NotificationPaidDetailsV23",
	"NOTIFICATION_TIMELINE_REWORKED": "NotificationTimelineReworkedDetails",
	"NOTIFICATION_RADD_RETRIEVED":    "NotificationRADDRetrievedDetails",
}

// undocumented are the answers that the real platform gives though the contract
// does not list them (send-api.md, sections 2.3, 4.1 and 4.2).
var undocumented = map[string]bool{
	"create 403": true, "create 503": true, "sent 404": true, "streamCreate 409": true,
}

// checkingHandler serves s and holds every answer of the current versions
// against the contract. Damage prevented: a simulator that drifts from the
// contract teaches the client a platform that does not exist.
func checkingHandler(t *testing.T, s *Simulator) http.Handler {
	t.Helper()
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	if doc == nil {
		return s
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var params map[string]string
		found := s.match(r, &params)
		if found == nil || !found.api {
			s.ServeHTTP(w, r)
			return
		}
		kept := &capture{header: http.Header{}}
		s.ServeHTTP(kept, r)
		for k, v := range kept.header {
			w.Header()[k] = v
		}
		w.WriteHeader(or(kept.status, 200))
		_, _ = w.Write(kept.body.Bytes())
		if err := checkAnswer(doc, found, kept); err != nil {
			t.Errorf("%s %s -> %d breaks the contract: %v\n%.1500s", r.Method, r.URL.Path, kept.status, err, kept.body.Bytes())
		}
	})
}

func checkAnswer(doc *openapi3.T, found *route, got *capture) error {
	path := "/" + strings.Join(found.segments, "/")
	item := doc.Paths.Value(path)
	if item == nil {
		return fmt.Errorf("no path %s", path)
	}
	status, media := got.status, got.header.Get("Content-Type")
	if bytes.HasPrefix(got.body.Bytes(), []byte(`{"message":`)) {
		return nil // API Gateway's own answer
	}
	resp := item.GetOperation(found.method).Responses.Status(status)
	schema := doc.Components.Schemas["Problem"].Value
	switch {
	case resp == nil && !undocumented[found.op+" "+strconv.Itoa(status)]:
		return fmt.Errorf("status %d is not documented", status)
	case resp != nil && len(resp.Value.Content) == 0:
		if status == http.StatusTooManyRequests {
			break // the contract describes the header only
		}
		if got.body.Len() > 0 {
			return fmt.Errorf("a body where none is documented")
		}
		return nil
	case resp != nil:
		m := resp.Value.Content.Get(media)
		if m == nil {
			return fmt.Errorf("content type %q is not documented", media)
		}
		schema = m.Schema.Value
	}
	var v any
	if err := json.Unmarshal(got.body.Bytes(), &v); err != nil {
		return err
	}
	if err := visit(doc, schema, v); err != nil {
		return err
	}
	return checkDetails(doc, v)
}

func visit(_ *openapi3.T, schema *openapi3.Schema, v any) error {
	err := schema.VisitJSON(v, openapi3.MultiErrors(), openapi3.EnableFormatValidation(),
		openapi3.VisitAsResponse(), openapi3.SetSchemaRegexCompiler(compilePattern))
	if err != nil {
		return err
	}
	if unknown := unknownProperties("", schema, v); len(unknown) > 0 {
		return fmt.Errorf("properties that the contract does not know: %v", unknown)
	}
	return nil
}

type lengthCheck int

func (n lengthCheck) MatchString(s string) bool { return len([]rune(s)) <= int(n) }

var longPattern = regexp.MustCompile(`^\^\.\{0,(\d+)\}\$$`)

// compilePattern makes a length check of what Go's expressions cannot repeat.
func compilePattern(expr string) (openapi3.RegexMatcher, error) {
	if found := longPattern.FindStringSubmatch(expr); found != nil {
		n, err := strconv.Atoi(found[1])
		return lengthCheck(n), err
	}
	return regexp.Compile(expr)
}

// unknownProperties finds misspelt fields, which open schemas let pass.
func unknownProperties(at string, schema *openapi3.Schema, v any) []string {
	var found []string
	switch x := v.(type) {
	case []any:
		for i, inner := range x {
			if schema.Items != nil {
				found = append(found, unknownProperties(at+"/"+strconv.Itoa(i), schema.Items.Value, inner)...)
			}
		}
	case map[string]any:
		props := map[string]*openapi3.Schema{}
		collect(schema, props)
		if len(props) == 0 {
			return nil
		}
		for name, inner := range x {
			if p, known := props[name]; known {
				found = append(found, unknownProperties(at+"/"+name, p, inner)...)
			} else {
				found = append(found, at+"/"+name)
			}
		}
	}
	return found
}

func collect(schema *openapi3.Schema, props map[string]*openapi3.Schema) {
	for name, p := range schema.Properties {
		props[name] = p.Value
	}
	for _, part := range schema.AllOf {
		collect(part.Value, props)
	}
}

// checkDetails visits every timeline element anywhere in an answer and checks
// its details against the schema of its category.
func checkDetails(doc *openapi3.T, v any) error {
	switch x := v.(type) {
	case []any:
		for _, inner := range x {
			if err := checkDetails(doc, inner); err != nil {
				return err
			}
		}
	case map[string]any:
		category, _ := x["category"].(string)
		if details, has := x["details"]; has && x["elementId"] != nil {
			if category == "VALIDATE_NORMALIZE_ADDRESSES_REQUEST" {
				return nil // it has no details of its own
			}
			name := detailSchemas[category]
			if name == "" {
				return fmt.Errorf("no schema for details of %q", category)
			}
			if err := visit(doc, doc.Components.Schemas[name].Value, details); err != nil {
				return fmt.Errorf("%s: %w", category, err)
			}
		}
		for _, inner := range x {
			if err := checkDetails(doc, inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// Damage prevented: a contract check that accepts everything. Each answer here
// is wrong in one way and must be caught.
func TestContractCheckBites(t *testing.T) {
	shared(t, "contract/api-external-b2b-pa-bundle.yaml")
	doc, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{})
	check := func(method, path string, status int, media, body string) error {
		r, err := http.NewRequest(method, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		var params map[string]string
		got := &capture{header: http.Header{"Content-Type": {media}}, status: status}
		got.body.WriteString(body)
		return checkAnswer(doc, s.match(r, &params), got)
	}
	const js, pj = "application/json", "application/problem+json"
	id := `"notificationRequestId":"RFBEQS1MVlpNLUpSRUwtMjAyNTAxLU4tMQ=="`
	element := `{"eventId":"0","element":{"elementId":"x","category":"REFINEMENT","details":{"recIndex":0,"eventTimestamp":"2026-01-01T00:00:00Z"}}}`
	for _, good := range []error{
		check("POST", "/delivery/v2.6/requests", 202, js, "{"+id+`,"paProtocolNumber":"1"}`),
		check("POST", "/delivery/v2.6/requests", 409, pj, `{"status":409,"errors":[{"code":"X"}]}`),
		check("GET", "/delivery-progresses/v2.9/streams/x/events", 200, js, "["+element+"]"),
	} {
		if good != nil {
			t.Error(good)
		}
	}
	events := func(old, new string) error {
		return check("GET", "/delivery-progresses/v2.9/streams/x/events", 200, js, "["+strings.Replace(element, old, new, 1)+"]")
	}
	for name, err := range map[string]error{
		"missing field":          check("POST", "/delivery/v2.6/requests", 202, js, "{"+id+"}"),
		"unknown field":          check("POST", "/delivery/v2.6/requests", 202, js, "{"+id+`,"paProtocolNumber":"1","x":1}`),
		"pattern":                check("POST", "/delivery/v2.6/requests", 202, js, `{"notificationRequestId":"x","paProtocolNumber":"1"}`),
		"content type":           check("POST", "/delivery/v2.6/requests", 202, "text/html", "{"+id+`,"paProtocolNumber":"1"}`),
		"status":                 check("POST", "/delivery/v2.6/requests", 418, pj, `{"status":418,"errors":[{"code":"X"}]}`),
		"problem without errors": check("POST", "/delivery/v2.6/requests", 409, pj, `{"status":409,"errors":[]}`),
		"category":               events("REFINEMENT", "REFINED"),
		"detail field":           events("recIndex", "recindex"),
		"detail type":            events(`"recIndex":0`, `"recIndex":"0"`),
		"detail time":            events("2026-01-01T00:00:00Z", "1/1/2026"),
		"element field":          events(`"elementId"`, `"elementID"`),
	} {
		if err == nil {
			t.Errorf("%s went through", name)
		}
	}
}
