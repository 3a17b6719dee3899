package progress

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// Client is what progress needs of SEND. Errors are *send.Error; their class
// decides everything. Nothing here changes anything at SEND but streams, and the
// acknowledgement that lies in Events.
type Client interface {
	// ListStreams gives id and title of every stream of the body.
	ListStreams(ctx context.Context) ([]send.Stream, error)
	// Stream reads one; NotFound if gone, Held if another version or key made it.
	Stream(ctx context.Context, id string) (send.Stream, error)
	// CreateStream is not idempotent: after class Unknown list again.
	CreateStream(ctx context.Context, s send.NewStream) (send.Stream, error)
	// Events reads what follows lastEventID and acknowledges everything up to it.
	Events(ctx context.Context, streamID, lastEventID string) (send.Page, error)
	// StatusByID says what became of a request.
	StatusByID(ctx context.Context, requestID string) (send.RequestStatus, error)
	// Sent reads an accepted notification with its whole timeline.
	Sent(ctx context.Context, iun string) (*send.Sent, error)
	// LegalFact says where a document is or when to ask again.
	LegalFact(ctx context.Context, iun, key string) (send.Download, error)
	// Fetch copies what is at url to w, at most limit bytes.
	Fetch(ctx context.Context, url string, w io.Writer, limit int64) (n int64, contentType string, err error)
	// Price gives the present cost of a notice.
	Price(ctx context.Context, creditor, notice string) (send.Price, error)
}

// Options are the parts and settings of a Progress.
type Options struct {
	Ledger      *ledger.Ledger
	Client      Client
	Sender      string // name of the sender in the configuration; one Progress for each
	SenderTaxID string // its tax code, for events that name protocol and token only
	// Installation names this installation in the stream's title (rule 21).
	Installation string
	Data         string // folder that Artifact.Spool is relative to
	Clock        func() time.Time
	// Step is called with the name of every outside effect before and after it; an
	// error stops there. Nil: never.
	Step     func(name string) error
	Log      *slog.Logger
	Language notification.Lang // default Italian
	// Groups the stream is limited to; those of the API key. Default none.
	Groups []string
	// Filter replaces the list of categories asked for. Nil: Filter(). PnValidator
	// wants an empty one.
	Filter []string
	// Silence is after how long without an event an open notification is looked up
	// (rule 23). Default 10 days.
	Silence time.Duration
	// LookupAfter is how long after the 202 the acceptance is looked up, and the pace
	// of the look-ups after it, at most an hour. Default 24 h.
	LookupAfter time.Duration
	// PerCall bounds how many look-ups of a sweep one LookUps makes. Default 500.
	PerCall int
	// Lookups and Downloads are how many of them go at a time. Defaults 4 and 4.
	Lookups, Downloads int
	// DocumentLimit is the largest document fetched, in bytes. Default 512 MiB.
	DocumentLimit int64
	// RefusalFee is what a refusal costs per recipient where SEND does not say it, in
	// cents.
	RefusalFee int
	// RelaxedSizes accepts documents whose size is not the announced one (PnValidator
	// serves one sample for all). Default false.
	RelaxedSizes bool
	// Jitter gives numbers in [0,1). Default random.
	Jitter func() float64
}

const (
	defaultSilence       = 10 * 24 * time.Hour
	defaultLookupAfter   = 24 * time.Hour
	defaultPerCall       = 500
	defaultParallel      = 4
	defaultDocumentLimit = 512 << 20
)

// Progress follows the notifications of one sender. Its methods may be called from
// several goroutines; ReadStream keeps itself to one reader at a time.
type Progress struct {
	o       Options
	reading sync.Mutex // the acknowledgement is destructive: one reader a stream
	unread  int        // reads of the stream in a row that failed; guarded by reading

	mu       sync.Mutex
	failures int       // calls in a row without a useful answer
	rests    int       // rests taken since the last success
	sure     time.Time // when the stream was last found to be good
}

// New builds a Progress. It starts nothing and calls nobody.
func New(o Options) *Progress {
	if o.Clock == nil {
		o.Clock = time.Now //nolint:forbidigo // the default of the injected clock
	}
	if o.Step == nil {
		o.Step = func(string) error { return nil }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Language == "" {
		o.Language = notification.Italian
	}
	if o.Filter == nil {
		o.Filter = Filter()
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	o.Silence = positive(o.Silence, defaultSilence)
	o.LookupAfter = positive(o.LookupAfter, defaultLookupAfter)
	o.DocumentLimit = positive(o.DocumentLimit, defaultDocumentLimit)
	o.PerCall = positive(o.PerCall, defaultPerCall)
	o.Lookups = positive(o.Lookups, defaultParallel)
	o.Downloads = positive(o.Downloads, defaultParallel)
	return &Progress{o: o}
}

func positive[N int | int64 | time.Duration](n, otherwise N) N {
	if n <= 0 {
		return otherwise
	}
	return n
}

// Report says what a call did and what is left.
type Report struct {
	Events  int // read from the stream
	Orphans int // of them, matching nothing (yet)
	Asked   int // look-ups made
	Fetched int // documents brought into the spool
	Prices  int // costs asked for
	Later   int // tried in vain, stored for later
	Late    int // requests without an outcome for a day or more: an alarm
	// More: there is more to do at once (a sweep goes on).
	More bool
	// Next is when this part has something to do again by time alone; zero if it
	// does not know (ask the ledger).
	Next time.Time
}

// stepError is a Step's wish to stop; it passes through everything.
type stepError struct{ err error }

func (e *stepError) Error() string { return e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// step calls the seam.
func (p *Progress) step(name string) error {
	if err := p.o.Step(name); err != nil {
		return &stepError{err}
	}
	return nil
}
