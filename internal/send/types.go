package send

import (
	"encoding/json"
	"time"
)

// PreloadItem asks for one upload slot.
type PreloadItem struct {
	Index       string `json:"preloadIdx"` // echoed; unique within the call
	SHA256      string `json:"sha256"`     // base64
	ContentType string `json:"contentType"`
}

// Slot is where one file may be uploaded, for an hour.
type Slot struct {
	Index  string `json:"preloadIdx"`
	Secret string `json:"secret"`
	Method string `json:"httpMethod"`
	URL    string `json:"url"`
	Key    string `json:"key"`
}

// Created is SEND's 202: the syntax was fine, nothing more.
type Created struct {
	RequestID string `json:"notificationRequestId"`
	Protocol  string `json:"paProtocolNumber"`
	Token     string `json:"idempotenceToken"`
}

// Request states as SEND answers them.
const (
	Waiting  = "WAITING"
	Accepted = "ACCEPTED"
	Refused  = "REFUSED"
)

// RequestStatus is the outcome of a request, with the request as SEND keeps it.
type RequestStatus struct {
	RequestID  string          `json:"notificationRequestId"`
	Status     string          `json:"notificationRequestStatus"`
	RetryAfter int             `json:"retryAfter"` // seconds, WAITING only
	IUN        string          `json:"iun"`
	Errors     []Refusal       `json:"errors"`
	Protocol   string          `json:"paProtocolNumber"`
	Token      string          `json:"idempotenceToken"`
	Body       json.RawMessage `json:"-"` // the whole answer; decodes as a notification.Request (wire form) for comparison
}

// Refusal is one reason of an asynchronous refusal.
type Refusal struct {
	Code     string `json:"code"`
	Element  string `json:"element"`
	Detail   string `json:"detail"`
	RecIndex *int   `json:"recIndex"`
}

// Sent is a notification as SEND knows it, with its whole timeline.
type Sent struct {
	IUN       string          `json:"iun"`
	SentAt    time.Time       `json:"sentAt"`
	Status    string          `json:"notificationStatus"`
	History   []StatusChange  `json:"notificationStatusHistory"`
	Timeline  []Element       `json:"timeline"`
	Protocol  string          `json:"paProtocolNumber"`
	Token     string          `json:"idempotenceToken"`
	Available bool            `json:"documentsAvailable"`
	Body      json.RawMessage `json:"-"`
}

// StatusChange is one entry of the status history.
type StatusChange struct {
	Status     string    `json:"status"`
	ActiveFrom time.Time `json:"activeFrom"`
	Elements   []string  `json:"relatedTimelineElements"`
}

// Element is one timeline element, decoded tolerantly: what is not named here
// stays in Raw, and an unknown category is no error.
type Element struct {
	ID         string          `json:"elementId"`
	Category   string          `json:"category"`
	EventTime  time.Time       `json:"eventTimestamp"`     // when it happened
	Ingested   time.Time       `json:"ingestionTimestamp"` // when SEND processed it
	Timestamp  time.Time       `json:"timestamp"`          // deprecated; the fallback
	LegalFacts []LegalFactID   `json:"legalFactsIds"`
	Details    Details         `json:"details"`
	Raw        json.RawMessage `json:"-"` // the element as it came
}

// When is the best time known for the element: event, ingestion, legacy.
func (e *Element) When() time.Time {
	for _, t := range []time.Time{e.EventTime, e.Timestamp, e.Ingested} {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// LegalFactID names a legal fact; Key may carry a safestorage:// prefix.
type LegalFactID struct {
	Key      string `json:"key"`
	Category string `json:"category"`
}

// Details are the members of an element's details that the connector reads.
type Details struct {
	RecIndex         *int         `json:"recIndex"`
	RequestID        string       `json:"notificationRequestId"`
	Protocol         string       `json:"paProtocolNumber"`
	Token            string       `json:"idempotenceToken"`
	RefusalReasons   []RefusalRow `json:"refusalReasons"`
	AARURL           string       `json:"generatedAarUrl"`
	EventTime        time.Time    `json:"eventTimestamp"`
	NotificationDate time.Time    `json:"notificationDate"`
	ResponseStatus   string       `json:"responseStatus"`
	DeliveryCode     string       `json:"deliveryDetailCode"`
	FailureCause     string       `json:"deliveryFailureCause"`
	AnalogCost       *int         `json:"analogCost"`
	NotificationCost *int         `json:"notificationCost"`
	SchedulingDate   time.Time    `json:"schedulingDate"`
	Invalidated      []Invalid    `json:"invalidatedTimelineAndStatusHistory"`
	RegisteredLetter string       `json:"registeredLetterCode"`
}

// RefusalRow is a reason inside a REQUEST_REFUSED element.
type RefusalRow struct {
	Code     string `json:"errorCode"`
	Detail   string `json:"detail"`
	RecIndex *int   `json:"recIndex"`
}

// Invalid names what a NOTIFICATION_TIMELINE_REWORKED makes void.
type Invalid struct {
	Status   string   `json:"status"`
	Elements []string `json:"relatedTimelineElements"`
}

// Stream is a stream of events.
type Stream struct {
	ID              string    `json:"streamId"`
	Title           string    `json:"title"`
	EventType       string    `json:"eventType"`
	Groups          []string  `json:"groups"`
	Filter          []string  `json:"filterValues"`
	WaitForAccepted bool      `json:"waitForAccepted"`
	Activated       time.Time `json:"activationDate"`
	Disabled        time.Time `json:"disabledDate"`
	Version         string    `json:"version"`
}

// NewStream is the body of a stream's creation.
type NewStream struct {
	Title           string   `json:"title"`
	EventType       string   `json:"eventType"`
	Groups          []string `json:"groups"`
	Filter          []string `json:"filterValues"`
	WaitForAccepted bool     `json:"waitForAccepted"`
	Replaces        string   `json:"replacedStreamId,omitempty"`
}

// Event is one event of a stream.
type Event struct {
	ID        string          `json:"eventId"`
	RequestID string          `json:"notificationRequestId"`
	IUN       string          `json:"iun"`
	NewStatus string          `json:"newStatus"`
	Element   Element         `json:"element"`
	Raw       json.RawMessage `json:"-"`
}

// Page is one answer of a stream. RetryAfter zero means "call again at once".
type Page struct {
	Events     []Event
	RetryAfter time.Duration
}

// Download tells where a document of SEND is, or when to ask again.
type Download struct {
	Filename      string
	ContentType   string
	ContentLength int64
	SHA256        string // base64; not given for legal facts
	URL           string
	RetryAfter    time.Duration
}

// Price is the present cost of a notice, eurocents.
type Price struct {
	IUN            string    `json:"iun"`
	PartialPrice   int       `json:"partialPrice"`
	TotalPrice     int       `json:"totalPrice"`
	SendFee        int       `json:"sendFee"`
	AnalogCost     int       `json:"analogCost"`
	Vat            int       `json:"vat"`
	PaFee          int       `json:"paFee"`
	RefinementDate time.Time `json:"refinementDate"`
	ViewDate       time.Time `json:"notificationViewDate"`
}

// Cancelled is SEND's answer to a cancellation: 202 in every case, so the code
// tells.
type Cancelled struct {
	Status  string `json:"status"`
	Details []struct {
		Code   string `json:"code"`
		Level  string `json:"level"`
		Detail string `json:"detail"`
	} `json:"details"`
}
