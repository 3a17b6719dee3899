package send

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Class says what an error of SEND or of the way to it means for the work at
// hand. It is decided once, here, and never again by reading texts.
type Class int

const (
	// Transient: nothing is wrong with the request; try again (at RetryAfter if set).
	Transient Class = iota + 1
	// Unknown: the request may or may not have had its effect (a POST without an
	// answer). Look up before anything else.
	Unknown
	// Rejected: a 4xx that blames the request itself (the row's fault).
	Rejected
	// Conflict: 409; Conflicts says over what.
	Conflict
	// NotFound: 404 of the service, for a thing that may not exist yet.
	NotFound
	// Held: the sender or the platform must change something (key, voucher, quota,
	// group, disabled sender); Reason says what.
	Held
	// Expired: an upload or download address is no longer good; ask for a new one.
	Expired
	// Fatal: our own mistake or a contract broken (a wrong path, an answer that
	// cannot be read).
	Fatal
)

// String gives the class's name, for logs.
func (c Class) String() string {
	names := [...]string{"none", "transient", "unknown", "rejected", "conflict", "not-found", "held", "expired", "fatal"}
	if c < 0 || int(c) >= len(names) {
		return fmt.Sprintf("class(%d)", int(c))
	}
	return names[c]
}

// Reasons of a Held error.
const (
	HeldAPIKey         = "api-key"         // 401, 403 of the gateway that a fresh voucher did not cure
	HeldVoucher        = "voucher"         // PDND refuses the assertion
	HeldClock          = "clock"           // PDND refuses the assertion, and our clock is so slow that it must
	HeldQuota          = "quota"           // PN_DELIVERY_NOTIFICATION_LIMIT_EXCEEDED, usage plan exhausted
	HeldSenderDisabled = "sender-disabled" // PN_DELIVERY_SEND_IS_DISABLED
	HeldSenderTaxID    = "sender-tax-id"   // PN_DELIVERY_INVALID_SENDER_TAX_ID
	HeldGroup          = "group"           // PN_DELIVERY_INVALIDPARAMETER_GROUP
	HeldStream         = "stream"          // too many streams, stream not ours
	HeldUnreachable    = "unreachable"     // nothing answers; the sender rests
	HeldBudget         = "daily-budget"    // our own daily budget of calls is used up until midnight
)

// Conflicts of a 409 (rule 15).
type ConflictKind int

const (
	// ConflictToken: our (sender, protocol, token) is taken.
	ConflictToken ConflictKind = 1 << iota
	// ConflictNotice: a (creditor, notice) pair is taken.
	ConflictNotice
	// ConflictIUN: the platform drew an IUN twice; the same token may go later.
	ConflictIUN
	// ConflictGeneric: only PN_GENERIC_ERROR; proves nothing.
	ConflictGeneric
)

// Detail is one entry of a Problem's errors.
type Detail struct {
	Code    string `json:"code"`
	Element string `json:"element"`
	Detail  string `json:"detail"`
}

// Error is every failure of an operation of this package.
type Error struct {
	Op         string // operation, e.g. "create"
	Class      Class
	Status     int           // HTTP status; 0 without an answer
	Reason     string        // of a Held error
	Conflicts  ConflictKind  // of a Conflict
	Details    []Detail      // what SEND said
	RetryAfter time.Duration // 0 = not said
	Skew       time.Duration // PDND's clock minus ours, of HeldClock
	TraceID    string        // for PagoPA's support
	Err        error
}

func (e *Error) Error() string {
	s := "send: " + e.Op
	if e.Status != 0 {
		s += fmt.Sprintf(": HTTP %d", e.Status)
	}
	if e.Reason != "" {
		s += ": held: " + e.Reason
	}
	for _, d := range e.Details {
		if d.Code != "" {
			s += ": " + d.Code
		}
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Brief is what SEND said, in its own codes: never a text of its answer, which could
// hold personal data.
func (e *Error) Brief() string {
	text := e.Op
	if e.Reason != "" {
		text += " " + e.Reason
	}
	if e.Status != 0 {
		text += " HTTP " + strconv.Itoa(e.Status)
	}
	for _, d := range e.Details {
		text += " " + d.Code
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// ClassOf gives the class of an error of this package; 0 if err is none.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return 0
}

// Doubtful tells of a Rejected error that SEND may have given by a fault of its
// own: a failed read of its taxonomy table is answered as "code not in the
// table". The same request may be repeated once before the row is blamed
// (reference/send-validation.md §0).
func (e *Error) Doubtful() bool {
	if e.Class != Rejected || len(e.Details) == 0 {
		return false
	}
	for _, d := range e.Details {
		if d.Code != codeTaxonomy {
			return false
		}
	}
	return true
}

// Causes that are not an answer.
var (
	errBudget   = errors.New("the day's budget of calls is used up")
	errNoAnswer = errors.New("no complete answer in time")
	errStalled  = errors.New("no byte moved for too long")
)

// Deaf reports whether a Held error keeps from asking SEND anything, and not only
// from sending: the key, the voucher or the calls of the day are at fault. A quota is
// one of notifications (400) or of calls (429).
func (e *Error) Deaf() bool {
	switch e.Reason {
	case HeldAPIKey, HeldVoucher, HeldClock, HeldBudget:
		return true
	case HeldQuota:
		return e.Status == http.StatusTooManyRequests
	}
	return false
}
