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
	ID          string                `json:",omitzero"` // <yyyyMMddTHHmmss>-<8 hex>[-n], Europe/Rome
	Flow        string                `json:",omitzero"`
	Sender      string                `json:",omitzero"` // name of the sender in the configuration
	SenderTaxID string                `json:",omitzero"`
	Environment string                `json:",omitzero"`
	Outbox      string                `json:",omitzero"` // name of the outbox that gets its outcome; one sequence each
	File        string                `json:",omitzero"` // export, relative to in/, forward slashes
	Hash        string                `json:",omitzero"` // hex SHA-256 of the export
	Size        int64                 `json:",omitzero"`
	Kind        string                `json:",omitzero"` // csv, xlsx, jsonl
	Heading     []string              `json:",omitzero"` // original columns, for the outcome file; empty for jsonl
	State       BatchState            `json:",omitzero"`
	Release     Release               `json:",omitzero"`
	ReleaseAt   time.Time             `json:",omitzero"`
	ReleaseWhy  string                `json:",omitzero"` // e.g. "C-RELEASE-MAX"
	ClaimedAt   time.Time             `json:",omitzero"`
	SealedAt    time.Time             `json:",omitzero"`
	Problem     *notification.Problem `json:",omitzero"` // why Unreadable
	Rows        int                   `json:",omitzero"` // rows read
	Admitted    int                   `json:",omitzero"` // new notifications or attempts it owns
	Known       bool                  `json:",omitzero"` // every row was already known (rule 7)
	AvoidedCent int                   `json:",omitzero"` // refusal fees avoided by local rejections
	Archive     string                `json:",omitzero"` // folder it was archived to, relative to the flow's root; "" until archived
	SpoolFreed  bool                  `json:",omitzero"` // private copies removed (rule 24)
	Version     uint64                `json:",omitzero"` // grows with every visible change; outbox compares it with what it published
	Spool       []SpoolFile           `json:",omitzero"` // private copies of export and documents
}

// SpoolFile is a private copy (rule 24): one hash, taken once (rule 18).
type SpoolFile struct {
	Name string `json:",omitzero"` // as the drop names it, forward slashes
	Path string `json:",omitzero"` // file in the spool, relative to the data folder
	Hash string `json:",omitzero"` // hex SHA-256
	Size int64  `json:",omitzero"`
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
	Batch      string                 `json:",omitzero"`
	Number     int                    `json:",omitzero"` // as a spreadsheet's margin shows it
	Cells      []string               `json:",omitzero"` // original columns, for the outcome file
	Outcome    RowOutcome             `json:",omitzero"`
	Protocol   string                 `json:",omitzero"` // "" where the row has none
	ID         ID                     `json:",omitzero"` // notification it follows or was found to be; 0 if none
	Attempt    int                    `json:",omitzero"` // attempt it belongs to; 0 if none
	Recipients []int                  `json:",omitzero"` // indexes of the recipients it gave; empty: one line with blank recipient
	Problems   []notification.Problem `json:",omitzero"`
	Snapshot   []Line                 `json:",omitzero"` // lines as they were at reading, for RowKnown and RowRefused
	Superseded bool                   `json:",omitzero"` // a later drop took its place (rule 11)
	Successor  string                 `json:",omitzero"` // that drop: batch id and first row, "<batch> 12"
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
	ID          ID                       `json:",omitzero"`
	Key         Key                      `json:",omitzero"`
	Sender      string                   `json:",omitzero"` // sender in the configuration that sends it
	Flow        string                   `json:",omitzero"`
	Outbox      string                   `json:",omitzero"`
	Attempt     int                      `json:",omitzero"` // from 1
	State       State                    `json:",omitzero"`
	Request     *notification.Request    `json:"-"` // wire form but for Digests/Ref, which Documents hold until the POST
	Print       notification.Fingerprint `json:"-"`
	Token       string                   `json:",omitzero"`
	Documents   []Document               `json:",omitzero"`
	OwnerBatch  string                   `json:",omitzero"` // rule 11: the drop whose row gave the present attempt's request
	OwnerRow    int                      `json:",omitzero"` // first row of it
	Rows        []int                    `json:",omitzero"` // every row of OwnerBatch that gave the request; OwnerRow is the first
	Pending     *Pending                 `json:"-"`
	ReplacedBy  ID                       `json:",omitzero"` // newer notification of the same key, after REFUSED_AT_ONCE or DISCARDED
	Replaces    ID                       `json:",omitzero"` // the one whose place it took; 0 if none
	Automatic   bool                     `json:",omitzero"` // the one automatic new attempt (rule 5) has been used
	FileAttempt bool                     `json:",omitzero"` // the one new attempt for changed bytes after FILE_… has been used (rule 5)

	RequestID   string                 `json:",omitzero"`
	IUN         string                 `json:",omitzero"`
	SubmittedAt time.Time              `json:",omitzero"`
	AcceptedAt  time.Time              `json:",omitzero"`
	Refusals    []notification.Problem `json:",omitzero"` // why REFUSED or REFUSED_AT_ONCE
	Warnings    []notification.Problem `json:",omitzero"` // travel with it (adopted with other hashes, late acceptance, …)
	RefusalCent int                    `json:",omitzero"` // refusal fee known from SEND; 0 if none

	SENDStatus   string           `json:",omitzero"` // SEND's word, "" before acceptance
	SENDStatusAt time.Time        `json:",omitzero"` // since when
	Recipients   []RecipientState `json:",omitzero"`
	LastEventAt  time.Time        `json:",omitzero"` // when we last learnt something from SEND
	CancelAsked  time.Time        `json:",omitzero"` // cancellation asked and answered "accepted"
	Closed       bool             `json:",omitzero"` // final and every expected document published; still followed

	NextAttempt time.Time             `json:",omitzero"` // not due before; zero = at once
	Tries       int                   `json:",omitzero"` // failed tries of the present step
	LastError   *notification.Problem `json:",omitzero"` // why it is not further; nil when all is well
	CreatedAt   time.Time             `json:",omitzero"`
	ChangedAt   time.Time             `json:",omitzero"` // last visible change
}

// Document is one attachment of a notification's present attempt.
type Document struct {
	Field       string    `json:",omitzero"` // path in the request, as Request.Attachments gives it
	File        string    `json:",omitzero"` // name in the drop
	Spool       string    `json:",omitzero"` // private copy, relative to the data folder
	Hash        string    `json:",omitzero"` // hex SHA-256
	Size        int64     `json:",omitzero"`
	ContentType string    `json:",omitzero"`
	Key         string    `json:",omitzero"` // object key, after upload
	Version     string    `json:",omitzero"` // version token, after upload
	UploadedAt  time.Time `json:",omitzero"`
}

// Pending is a new request for a key whose present attempt was refused, waiting
// for the look-up that proves the refusal (rule 4).
type Pending struct {
	Request   *notification.Request
	Print     notification.Fingerprint
	Documents []Document
	Batch     string
	Row       int
	Rows      []int     // every row that gave it; Row is the first
	AsNew     bool      // resubmit: also a fresh CANCELLED will do
	Resubmit  bool      // asked for by a person, with the request of the present attempt
	FileOnly  bool      // only document bytes differ: uses up FileAttempt (rule 5)
	Since     time.Time // when it was stored
}

// RecipientState is what events say of one recipient. Always derived from the
// events kept, so that a correction by SEND can take it back.
type RecipientState struct {
	PerfectedAt time.Time `json:",omitzero"` // earlier of refinement and viewing; zero = not yet
	Viewed      time.Time `json:",omitzero"`
	Refined     time.Time `json:",omitzero"`
	Dispatched  bool      `json:",omitzero"` // any dispatch event
	Unreachable bool      `json:",omitzero"` // COMPLETELY_UNREACHABLE, for ever
	Returned    bool      `json:",omitzero"` // deceased, returned to sender
	LastEvent   string    `json:",omitzero"`
	LastEventAt time.Time `json:",omitzero"`
	Detail      string    `json:",omitzero"` // deliveryDetailCode and the like of the last event
	CostCent    *int      `json:",omitzero"` // totalPrice of the notice with applyCost
	CostFinal   bool      `json:",omitzero"`
	CostStale   bool      `json:",omitzero"` // an event says that the cost may be another; progress asks for it
	Expected    int       `json:",omitzero"` // documents that events promised
	Got         int       `json:",omitzero"` // of them published
}

// HoldScope is what is held.
type HoldScope string

const (
	HoldFlow         HoldScope = "flow"
	HoldSender       HoldScope = "sender"
	HoldNotification HoldScope = "notification"
	// HoldSource and HoldOutbox say that the folder of a flow or of an outbox cannot be
	// used. They keep nobody from sending or hearing what the ledger has.
	HoldSource HoldScope = "source"
	HoldOutbox HoldScope = "outbox"
)

// Hold is a condition beside the state (rule 13): never replaces it.
type Hold struct {
	Scope  HoldScope `json:",omitzero"`
	Name   string    `json:",omitzero"` // of the flow, sender or outbox; decimal ID for a notification
	Reason string    `json:",omitzero"` // stable, e.g. a send.Held… reason or "operator"
	Detail string    `json:",omitzero"` // for people
	Since  time.Time `json:",omitzero"`
	Until  time.Time `json:",omitzero"` // when it is tried again by itself; zero = only by resume
	// Deaf says that SEND cannot be asked anything meanwhile (key, voucher, budget,
	// network). Without it only sending waits: look-ups and documents go on.
	Deaf bool `json:",omitzero"`
}

// LongestWait is the longest that the connector sets itself to wait for a hold of its
// own or before it tries something again: a day, of 25 hours where the clocks go back,
// and the fifth by which waits are spread. What lies further ahead was written under a
// clock that has been mended since; it would last until the false time comes, years
// perhaps, and counts as over.
const LongestWait = 30 * time.Hour

// InForce tells whether the hold keeps anything at now. One without an end is a
// person's and lasts until resume.
func (h *Hold) InForce(now time.Time) bool {
	return h.Until.IsZero() || h.Until.After(now) && !h.Until.After(now.Add(LongestWait))
}

// Event is a timeline element kept, by element id.
type Event struct {
	ID        ID        `json:",omitzero"`
	ElementID string    `json:",omitzero"`
	Category  string    `json:",omitzero"`
	At        time.Time `json:",omitzero"` // when it happened
	Raw       []byte    `json:",omitzero"` // as SEND sent it (stored compressed)
	Void      bool      `json:",omitzero"` // taken back by SEND (NOTIFICATION_TIMELINE_REWORKED); kept, counts no more
}

// Orphan is an event that matched nothing yet; kept eight days (rule 22).
type Orphan struct {
	RequestID string    `json:",omitzero"`
	Protocol  string    `json:",omitzero"`
	Token     string    `json:",omitzero"`
	ElementID string    `json:",omitzero"`
	Sender    string    `json:",omitzero"`
	Got       time.Time `json:",omitzero"`
	Raw       []byte    `json:",omitzero"`
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
	ID          ID            `json:",omitzero"` // of the notification
	Key         string        `json:",omitzero"`
	Category    string        `json:",omitzero"`
	Recipient   int           `json:",omitzero"` // -1 = of the whole notification
	ElementID   string        `json:",omitzero"`
	EventAt     time.Time     `json:",omitzero"`
	State       ArtifactState `json:",omitzero"`
	Filename    string        `json:",omitzero"` // as SEND names it; gives the extension
	ContentType string        `json:",omitzero"`
	Size        int64         `json:",omitzero"`
	Hash        string        `json:",omitzero"` // hex SHA-256
	Spool       string        `json:",omitzero"` // relative to the data folder, while Fetched
	Path        string        `json:",omitzero"` // in the outbound folder, once Placed
	FetchedAt   time.Time     `json:",omitzero"`
	NextAttempt time.Time     `json:",omitzero"`
	Tries       int           `json:",omitzero"`
	LastError   string        `json:",omitzero"`
}

// Stream is the stream of one API key and installation (rule 21).
type Stream struct {
	Sender      string    `json:",omitzero"` // sender in the configuration
	StreamID    string    `json:",omitzero"`
	Title       string    `json:",omitzero"`
	LastEventID string    `json:",omitzero"`
	NextRead    time.Time `json:",omitzero"`
	LastRead    time.Time `json:",omitzero"` // last page committed, even an empty one
	CreatedAt   time.Time `json:",omitzero"`
	Sweep       bool      `json:",omitzero"` // every open notification must be looked up once
	SweepFrom   ID        `json:",omitzero"` // how far the sweep has got
	SweepFirst  bool      `json:",omitzero"` // nothing is read before the sweep is over
	SweepOver   bool      `json:",omitzero"` // every notification that was over must be looked up once, after the sweep
	OverFrom    ID        `json:",omitzero"` // how far that has got
}

// Sighting is a file seen in a drop and not claimed yet; it makes deadlines and
// reasons survive from one `once` to the next.
type Sighting struct {
	Flow      string    `json:",omitzero"`
	File      string    `json:",omitzero"`
	Size      int64     `json:",omitzero"`
	Modified  time.Time `json:",omitzero"`
	FirstSeen time.Time `json:",omitzero"` // with this size and time
	Since     time.Time `json:",omitzero"` // with any
	Reason    string    `json:",omitzero"` // C-… code why it waits
	Text      string    `json:",omitzero"` // for people
	Missing   []string  `json:",omitzero"` // documents it names that are not there
}

// Publication is an intent or result of the outbox.
type Publication struct {
	Outbox string `json:",omitzero"`
	Kind   string `json:",omitzero"` // "esito", "aggiornamenti", "costi", "indice", "stato"
	Name   string `json:",omitzero"` // batch id, or sequence as %08d
	File   string `json:",omitzero"` // relative to out/
	From   uint64 `json:",omitzero"` // range of the log, for sequences
	To     uint64 `json:",omitzero"`
	Hash   string `json:",omitzero"` // hex SHA-256 of what was written last; "" = intent only
	// Version of the batch that was published, for esito and indice.
	Version uint64    `json:",omitzero"`
	At      time.Time `json:",omitzero"`
}

// Change is one entry of the append-only log behind aggiornamenti; it holds the
// whole line, so that the file made from it is the same for ever.
type Change struct {
	Seq      uint64    `json:",omitzero"` // within the outbox, from 1
	Outbox   string    `json:",omitzero"`
	At       time.Time `json:",omitzero"`
	File     string    `json:",omitzero"` // export
	Line     Line      `json:",omitzero"`
	Event    string    `json:",omitzero"`
	EventAt  time.Time `json:",omitzero"`
	Detail   string    `json:",omitzero"`
	Protocol string    `json:",omitzero"`
}

// CostChange is one entry of the append-only log behind costi.
type CostChange struct {
	Seq       uint64    `json:",omitzero"`
	Outbox    string    `json:",omitzero"`
	At        time.Time `json:",omitzero"`
	Creditor  string    `json:",omitzero"`
	Notice    string    `json:",omitzero"`
	Protocol  string    `json:",omitzero"`
	IUN       string    `json:",omitzero"`
	Recipient int       `json:",omitzero"`
	ToUpdate  bool      `json:",omitzero"` // the debt position must be updated
	Partial   int       `json:",omitzero"` // cents
	Total     int       `json:",omitzero"`
	Final     bool      `json:",omitzero"`
}

// Tombstone keeps a purged key taken for ever (rule 30): digests only.
type Tombstone struct {
	Environment string // as in Key
	Sender      string // tax id, as in Key
	Canonical   [32]byte
	Exact       [32]byte
	Attempt     int
	State       State
	Print       notification.Fingerprint
	RequestID   string
	Batch       string
	Row         int
	Pairs       [][32]byte
	Codes       []string // refusal codes, for rule 5
	FileAttempt bool     // as in Notification
	Automatic   bool     // as in Notification
}
