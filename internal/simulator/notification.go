package simulator

// Statuses of a notification.
const (
	statusInValidation  = "IN_VALIDATION"
	statusRefused       = "REFUSED"
	statusAccepted      = "ACCEPTED"
	statusDelivering    = "DELIVERING"
	statusDelivered     = "DELIVERED"
	statusViewed        = "VIEWED"
	statusEffectiveDate = "EFFECTIVE_DATE"
	statusUnreachable   = "UNREACHABLE"
	statusCancelled     = "CANCELLED"
	statusReturned      = "RETURNED_TO_SENDER"
)

// notification is one request and its life. It holds the raw body and parses it
// again where an answer needs it: a hundred thousand of them fit in memory.
// Everything is guarded by the simulator's lock.
type notification struct {
	iun, id         string
	sender          *sender
	protocol, token string
	hasToken        bool
	group           string
	raw             []byte
	sentAt          int64
	lastAt          int64 // time of the last element: elements of one notification never share a time
	flat            bool
	registered890   bool
	lookedUp        bool
	hasPayments     bool
	vat, paFee      int
	notices         []noticeRef
	recipients      []recipient
	status          string
	history         []phase
	elements        []element
	refusals        []refusal
	cancelAsked     bool
	reworks         uint8
}

// phase is one line of the status history: it lasts until the next one, and its
// elements are those from first on.
type phase struct {
	status string
	at     int64
	first  int32
}

// refusal is one reason of the asynchronous validation; rec is -1 when the
// reason names no recipient.
type refusal struct {
	code, detail string
	rec          int
}

func (r refusal) recIndex() *int {
	if r.rec < 0 {
		return nil
	}
	return &r.rec
}

// outcome is how the delivery to one recipient ended.
type outcome uint8

const (
	open outcome = iota
	reached
	unreachable
	deceased
)

// recipient is one recipient on his way through a path.
type recipient struct {
	path       path
	pos        int16
	attempt    uint8 // of paper
	idx        uint16
	letters    uint8
	outcome    outcome
	person     bool // PF
	foreign    bool
	generation uint8 // of the path: steps planned for an older one are void
	paid       bool
	courtesy   bool // a courtesy message was sent: the letter waits
	analogCost int32
	viewedAt   int64
	refinedAt  int64
	refineAt   int64 // planned
	closedAt   int64
}

func (n *notification) request() *request {
	req, err := parseRequest(n.raw)
	if err != nil {
		panic("simulator: stored request: " + err.Error()) // it was parsed at creation
	}
	return req
}

// disclosed says whether the IUN may be shown.
func (n *notification) disclosed() bool {
	return n.status != statusInValidation && n.status != statusRefused
}

func (n *notification) setStatus(status string, at int64) {
	n.status = status
	n.history = append(n.history, phase{status: status, at: at, first: int32(len(n.elements))})
}
