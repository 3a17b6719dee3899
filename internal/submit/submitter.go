package submit

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

// Client is what submit needs of SEND. Errors are *send.Error; their class
// decides everything. Every method honours its context and may be called from many
// goroutines.
type Client interface {
	// Preload gives a slot for each of at most 15 items, found by Index. Repeating
	// it only costs slots.
	Preload(ctx context.Context, items []send.PreloadItem) ([]send.Slot, error)
	// Upload puts the bytes that open gives (more than once, if it tries again) into
	// the slot and answers the version token. sha256 is base64.
	Upload(ctx context.Context, slot send.Slot, contentType, sha256 string, size int64, open func() (io.ReadCloser, error)) (string, error)
	// Create posts the request, once. Class Unknown: it may have landed.
	Create(ctx context.Context, r *notification.Request) (send.Created, error)
	// StatusByToken looks a request up; class NotFound if SEND has none (or none
	// that this key may see).
	StatusByToken(ctx context.Context, protocol, token string) (send.RequestStatus, error)
	// Sent reads an accepted notification.
	Sent(ctx context.Context, iun string) (*send.Sent, error)
	// Cancel asks SEND to cancel; repeating it is harmless.
	Cancel(ctx context.Context, iun string) (send.Cancelled, error)
}

// Options are the parts and settings of a Submitter.
type Options struct {
	Ledger *ledger.Ledger
	Client Client
	Sender string // name of the sender in the configuration; one Submitter for each
	Data   string // folder that Document.Spool is relative to
	Clock  func() time.Time
	// Step is called with the name of every outside effect before and after it; an
	// error stops there. Nil: never.
	Step func(name string) error
	Log  *slog.Logger
	// Language of the texts for clerks. Default Italian.
	Language notification.Lang
	// LookupAfter is how long after SEND's 202 progress looks the acceptance up if
	// no event told of it (rule 23). Default 24 h.
	LookupAfter time.Duration
	// Restore makes a private copy anew, by hash, where it is no longer in the spool
	// (rule 24: resubmit takes bytes from the archive). Nil: it cannot be.
	Restore func(ctx context.Context, spool, hash string) error
	// RefusalFee is what a refusal costs per recipient where SEND does not say it, in
	// cents.
	RefusalFee int
	// Learnt is called in the transaction that records a request id (after a 202 or
	// an adoption), so that events kept for it can be applied at once (rule 22). Nil:
	// they are applied with the notification's next event or look-up.
	Learnt func(tx *ledger.Tx, n *ledger.Notification) error
	// Workers is how many notifications are under way at once, Uploads how many
	// files, Creates how many requests. Defaults 256, 8, 64. Many workers share
	// preload calls and the ledger's syncs.
	Workers, Uploads, Creates int
	// PreloadWait is how long a preload call waits for more documents. Default and
	// maximum 200 ms (rule 17).
	PreloadWait time.Duration
	// Jitter gives numbers in [0,1). Default random.
	Jitter func() float64
}

const (
	defaultWorkers     = 256
	defaultUploads     = 8
	defaultCreates     = 64
	defaultLookupAfter = 24 * time.Hour
	maxPreloadWait     = 200 * time.Millisecond
)

// Submitter sends the due notifications of one sender. Resolve, Pass and Cancel
// may be called from several goroutines; one Pass at a time makes sense.
type Submitter struct {
	o       Options
	uploads chan struct{}
	creates chan struct{}

	mu     sync.Mutex
	rests  int                     // rests taken since the last success
	absent map[ledger.ID]time.Time // INTENT proved absent by Resolve, not posted since
	busy   map[ledger.ID]struct{}  // under way in this process
}

// New builds a Submitter. It starts nothing and calls nobody.
func New(o Options) *Submitter {
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
	if o.LookupAfter <= 0 {
		o.LookupAfter = defaultLookupAfter
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.PreloadWait <= 0 || o.PreloadWait > maxPreloadWait {
		o.PreloadWait = maxPreloadWait
	}
	o.Workers = atLeastOne(o.Workers, defaultWorkers)
	o.Uploads = atLeastOne(o.Uploads, defaultUploads)
	o.Creates = atLeastOne(o.Creates, defaultCreates)
	return &Submitter{
		o:       o,
		uploads: make(chan struct{}, o.Uploads),
		creates: make(chan struct{}, o.Creates),
		absent:  map[ledger.ID]time.Time{},
		busy:    map[ledger.ID]struct{}{},
	}
}

func atLeastOne(n, otherwise int) int {
	if n < 1 {
		return otherwise
	}
	return n
}

// Report says what a call did and what is left.
type Report struct {
	Submitted int // answered 202
	Adopted   int // found at SEND by look-up
	Refused   int // found refused by SEND's validation
	Rejected  int // refused at once
	Later     int // tried in vain, stored for later
	Held      int // held, one by one
	// Holds are the holds in force that concern the sender, most general first.
	Holds []ledger.Hold
	// Next is when something becomes due by time alone; zero if nothing will.
	Next time.Time
}

// acquire takes a place in a semaphore unless the context ends first.
func acquire(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func release(places chan struct{}) { <-places }
