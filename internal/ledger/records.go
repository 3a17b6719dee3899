package ledger

import (
	"time"

	"sendconnector/internal/notification"
)

// Key names a business document for ever (rule 1): where it is sent, by whom, and
// the sender's own number for it, exactly as SEND gets it.
type Key struct {
	Environment string `json:"env"`    // name and base URL, e.g. "uat https://api.uat…"
	SenderTaxID string `json:"sender"` // 11 digits
	Protocol    string `json:"prot"`   // paProtocolNumber, exact
}

// ID is a notification's number in this ledger. It grows; it says nothing outside.
type ID uint64

// BatchState is how far the reading of a drop has got.
type BatchState string

const (
	// Reading: claimed, being read. A restart discards what was read and reads
	// again; nothing of it is due (rule 10).
	Reading BatchState = "READING"
	// Sealed: every row has its verdict; what was admitted may be sent once the
	// release gate lets it.
	Sealed BatchState = "SEALED"
	// Unreadable: the whole file was rejected; it lies in rejected/ with a reason.
	Unreadable BatchState = "UNREADABLE"
)

// Release is where a sealed batch stands at the release gate (rule 19).
type Release string

const (
	Released       Release = "RELEASED"
	AwaitsRelease  Release = "AWAITS"  // by command or file
	DelayedRelease Release = "DELAYED" // until Batch.ReleaseAt
	DiscardedBatch Release = "DISCARDED"
)

// Batch is one claimed drop.
type Batch struct {
	ID          string // <yyyyMMddTHHmmss>-<8 hex>[-n], Europe/Rome
	Flow        string
	Sender      string // name of the sender in the configuration
	SenderTaxID string
	Environment string
	Outbox      string // name of the outbox that gets its outcome; one sequence each
	File        string // export, relative to in/, forward slashes
	Hash        string // hex SHA-256 of the export
	Size        int64
	Kind        string   // csv, xlsx, jsonl
	Heading     []string // original columns, for the outcome file; empty for jsonl
	State       BatchState
	Release     Release
	ReleaseAt   time.Time
	ReleaseWhy  string // e.g. "C-RELEASE-MAX"
	ClaimedAt   time.Time
	SealedAt    time.Time
	Problem     *notification.Problem // why Unreadable
	Rows        int                   // rows read
	Admitted    int                   // new notifications or attempts it owns
	Known       bool                  // every row was already known (rule 7)
	AvoidedCent int                   // refusal fees avoided by local rejections
	Archive     string                // folder it was archived to, relative to the flow's root; "" until archived
	SpoolFreed  bool                  // private copies removed (rule 24)
	Version     uint64                // grows with every visible change; outbox compares it with what it published
	Spool       []SpoolFile           // private copies of export and documents
}

// SpoolFile is a private copy (rule 24): one hash, taken once (rule 18).
type SpoolFile struct {
	Name string // as the drop names it, forward slashes
	Path string // file in the spool, relative to the data folder
	Hash string // hex SHA-256
	Size int64
}

// RowOutcome is the verdict of admission on a row.
type RowOutcome string

const (
	RowRejected RowOutcome = "REJECTED"  // SCARTATA
	RowKnown    RowOutcome = "DUPLICATE" // GIA_PRESENTE, a snapshot (rule 11)
	RowRefused  RowOutcome = "REFUSED"   // RIFIUTATA repeated without a call (rule 5)
	RowLinked   RowOutcome = "LINKED"    // follows its notification
)

// Row is one input row of a batch with its verdict.
type Row struct {
	Batch      string
	Number     int      // as a spreadsheet's margin shows it
	Cells      []string // original columns, for the outcome file
	Outcome    RowOutcome
	Protocol   string // "" where the row has none
	ID         ID     // notification it follows or was found to be; 0 if none
	Attempt    int    // attempt it belongs to; 0 if none
	Recipients []int  // indexes of the recipients it gave; empty: one line with blank recipient
	Problems   []notification.Problem
	Snapshot   []Line // lines as they were at reading, for RowKnown and RowRefused
	Superseded bool   // a later drop took its place (rule 11)
}

// State is where a notification stands (architecture, "States").
type State string

const (
	// Ready: admitted. A restart sends it: preload, upload, intent, POST.
	Ready State = "READY"
	// Uploaded: every document has key and version token. A restart goes on to INTENT, or uploads again after six days.
	Uploaded State = "UPLOADED"
	// Intent: a POST may have left. A restart looks up by protocol and token before anything else.
	Intent State = "INTENT"
	// Submitted: SEND answered 202. A restart waits for acceptance by stream or look-up.
	Submitted State = "SUBMITTED"
	// Accepted: valid at SEND; SENDStatus says how far it has got from here on.
	Accepted State = "ACCEPTED"
	// Refused: SEND's asynchronous validation said no (billed). The key is free, the token is not.
	Refused State = "REFUSED"
	// RefusedAtOnce: a synchronous 4xx that blames the request, or rules 14 and 15. Key and token are free.
	RefusedAtOnce State = "REFUSED_AT_ONCE"
	// Cancelled: by the sender, final. The key stays taken.
	Cancelled State = "CANCELLED"
	// Discarded: by a person before INTENT. The key is free.
	Discarded State = "DISCARDED"
)

// SEND's own statuses after acceptance, as SENDStatus holds them.
const (
	StatusAccepted         = "ACCEPTED"
	StatusDelivering       = "DELIVERING"
	StatusDelivered        = "DELIVERED"
	StatusViewed           = "VIEWED"
	StatusEffectiveDate    = "EFFECTIVE_DATE"
	StatusUnreachable      = "UNREACHABLE"
	StatusReturnedToSender = "RETURNED_TO_SENDER"
	StatusCancelled        = "CANCELLED"
)

// Notification is one business document on its way through SEND: the present
// attempt, with the request of that attempt.
type Notification struct {
	ID          ID
	Key         Key
	Sender      string // sender in the configuration that sends it
	Flow        string
	Outbox      string
	Attempt     int // from 1
	State       State
	Request     *notification.Request // wire form but for Digests/Ref, which Documents hold until the POST
	Print       notification.Fingerprint
	Token       string
	Documents   []Document
	OwnerBatch  string // rule 11: the drop whose row gave the present attempt's request
	OwnerRow    int    // first row of it
	Pending     *Pending
	Automatic   bool // the one automatic new attempt (rule 5) has been used
	FileAttempt bool // the one new attempt for changed bytes after FILE_… has been used (rule 5)

	RequestID   string
	IUN         string
	SubmittedAt time.Time
	AcceptedAt  time.Time
	Refusals    []notification.Problem // why REFUSED or REFUSED_AT_ONCE
	Warnings    []notification.Problem // travel with it (adopted with other hashes, late acceptance, …)
	RefusalCent int                    // refusal fee known from SEND; 0 if none

	SENDStatus   string    // SEND's word, "" before acceptance
	SENDStatusAt time.Time // since when
	Recipients   []RecipientState
	LastEventAt  time.Time // when we last learnt something from SEND
	CancelAsked  time.Time // cancellation asked and answered "accepted"
	Closed       bool      // final and every expected document published; still followed

	NextAttempt time.Time             // not due before; zero = at once
	Tries       int                   // failed tries of the present step
	LastError   *notification.Problem // why it is not further; nil when all is well
	CreatedAt   time.Time
	ChangedAt   time.Time // last visible change
}

// Document is one attachment of a notification's present attempt.
type Document struct {
	Field       string // path in the request, as Request.Attachments gives it
	File        string // name in the drop
	Spool       string // private copy, relative to the data folder
	Hash        string // hex SHA-256
	Size        int64
	ContentType string
	Key         string // object key, after upload
	Version     string // version token, after upload
	UploadedAt  time.Time
}

// Pending is a new request for a key whose present attempt was refused, waiting
// for the look-up that proves the refusal (rule 4).
type Pending struct {
	Request   *notification.Request
	Print     notification.Fingerprint
	Documents []Document
	Batch     string
	Row       int
	AsNew     bool      // resubmit: also a fresh CANCELLED will do
	Since     time.Time // when it was stored
}

// RecipientState is what events say of one recipient. Always derived from the
// events kept, so that a correction by SEND can take it back.
type RecipientState struct {
	PerfectedAt time.Time // earlier of refinement and viewing; zero = not yet
	Viewed      time.Time
	Refined     time.Time
	Dispatched  bool // any dispatch event
	Unreachable bool // COMPLETELY_UNREACHABLE, for ever
	Returned    bool // deceased, returned to sender
	LastEvent   string
	LastEventAt time.Time
	Detail      string // deliveryDetailCode and the like of the last event
	CostCent    *int   // totalPrice of the notice with applyCost
	CostFinal   bool
	Expected    int // documents that events promised
	Got         int // of them published
}

// HoldScope is what is held.
type HoldScope string

const (
	HoldFlow         HoldScope = "flow"
	HoldSender       HoldScope = "sender"
	HoldNotification HoldScope = "notification"
)

// Hold is a condition beside the state (rule 13): never replaces it.
type Hold struct {
	Scope  HoldScope
	Name   string // flow or sender name; decimal ID for a notification
	Reason string // stable, e.g. a send.Held… reason or "operator"
	Detail string // for people
	Since  time.Time
	Until  time.Time // when it is tried again by itself; zero = only by resume
}

// Event is a timeline element kept, by element id.
type Event struct {
	ID        ID
	ElementID string
	Category  string
	At        time.Time // when it happened
	Raw       []byte    // as SEND sent it (stored compressed)
}

// Orphan is an event that matched nothing yet; kept eight days (rule 22).
type Orphan struct {
	RequestID string
	Protocol  string
	Token     string
	ElementID string
	Sender    string
	Got       time.Time
	Raw       []byte
}

// ArtifactState is how far a document of SEND has got.
type ArtifactState string

const (
	// Wanted: an event promised it. A restart asks for it (again).
	Wanted ArtifactState = "WANTED"
	// Fetched: in the spool, size and hash known. A restart places it.
	Fetched ArtifactState = "FETCHED"
	// Placed: in the outbound folder and in the index.
	Placed ArtifactState = "PLACED"
	// Gone: SEND says it will not come; the reason is in LastError.
	Gone ArtifactState = "GONE"
)

// Artifact is a legal fact, AAR or receipt.
type Artifact struct {
	ID          ID // of the notification
	Key         string
	Category    string
	Recipient   int // -1 = of the whole notification
	ElementID   string
	EventAt     time.Time
	State       ArtifactState
	Filename    string // as SEND names it; gives the extension
	ContentType string
	Size        int64
	Hash        string // hex SHA-256
	Spool       string // relative to the data folder, while Fetched
	Path        string // in the outbound folder, once Placed
	FetchedAt   time.Time
	NextAttempt time.Time
	Tries       int
	LastError   string
}

// Stream is the stream of one API key and installation (rule 21).
type Stream struct {
	Sender      string // sender in the configuration
	StreamID    string
	Title       string
	LastEventID string
	NextRead    time.Time
	LastRead    time.Time // last page committed, even an empty one
	CreatedAt   time.Time
	Sweep       bool // every open notification must be looked up once
	SweepFrom   ID   // how far the sweep has got
}

// Sighting is a file seen in a drop and not claimed yet; it makes deadlines and
// reasons survive from one `once` to the next.
type Sighting struct {
	Flow      string
	File      string
	Size      int64
	Modified  time.Time
	FirstSeen time.Time // with this size and time
	Since     time.Time // with any
	Reason    string    // C-… code why it waits
	Text      string    // for people
	Missing   []string  // documents it names that are not there
}

// Publication is an intent or result of the outbox.
type Publication struct {
	Outbox string
	Kind   string // "esito", "aggiornamenti", "costi", "indice", "stato"
	Name   string // batch id, or sequence as %08d
	File   string // relative to out/
	From   uint64 // range of the log, for sequences
	To     uint64
	Hash   string // hex SHA-256 of what was written last; "" = intent only
	// Version of the batch that was published, for esito and indice.
	Version uint64
	At      time.Time
}

// Change is one entry of the append-only log behind aggiornamenti; it holds the
// whole line, so that the file made from it is the same for ever.
type Change struct {
	Seq      uint64 // within the outbox, from 1
	Outbox   string
	At       time.Time
	File     string // export
	Line     Line
	Event    string
	EventAt  time.Time
	Detail   string
	Protocol string
}

// CostChange is one entry of the append-only log behind costi.
type CostChange struct {
	Seq       uint64
	Outbox    string
	At        time.Time
	Creditor  string
	Notice    string
	Protocol  string
	IUN       string
	Recipient int
	ToUpdate  bool // the debt position must be updated
	Partial   int  // cents
	Total     int
	Final     bool
}

// Tombstone keeps a purged key taken for ever (rule 30): digests only.
type Tombstone struct {
	Canonical [32]byte
	Exact     [32]byte
	Attempt   int
	State     State
	Print     notification.Fingerprint
	RequestID string
	Batch     string
	Row       int
	Pairs     [][32]byte
}
