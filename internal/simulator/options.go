package simulator

import (
	"context"
	"time"
)

// Options describe the platform that New builds. Every zero value has a
// sensible meaning; a negative duration switches a delay or a term off.
type Options struct {
	Start       time.Time        // platform time at start; zero = now
	Speed       float64          // platform seconds per real second; 0 = 1
	ManualClock bool             // time stands still until Advance is called
	Clock       func() time.Time // both clocks, given by a test; safe for concurrent use; Speed and Start are then ignored

	Senders []Sender
	Keys    []APIKey
	Clients []Client
	Seed    uint64
	BaseURL string // base of upload and download addresses; "" = from the Host of each request

	Timings Timings // zero = UATTimings
	Limits  Limits
	Mix     Mix

	StreamRetryAfter  time.Duration // pause asked when a stream is drained; 0 = one minute
	StreamRetryStrict bool          // 429 for who calls before the pause is over
	StreamRetrySpec   bool          // retry-after 0 only for a cut page, as the contract says; the real code says 0 for every page with events
	EventRetention    time.Duration // 0 = 7 days
	DisabledRetention time.Duration // disabled streams disappear after it; 0 = 14 days
	UploadRetention   time.Duration // uploads that no notification uses; 0 = 7 days
	UploadURLLife     time.Duration // 0 = one hour
	DownloadURLLife   time.Duration // 0 = one hour
	RequestRetryAfter int           // seconds told by a request that waits; 0 = 10
	LegalFactDelay    time.Duration // a legal fact is ready this long after it was first asked for; 0 = at once
	F24Delay          time.Duration // the same for a rendered F24; 0 = 3 s, negative = at once

	VoucherLifespan time.Duration // 0 = 600 s
	PDNDAudience    string        // aud of a client assertion; "" = the UAT one
	PDNDIssuer      string        // iss of vouchers; "" = the UAT one
	SENDAudience    string        // aud of vouchers for SEND
	LooseClaims     bool          // production does not refuse unknown claims, UAT does
	PDNDRatePerSec  int           // token requests per tenant and second; 0 = 10, negative = off
	AuthorizerCache time.Duration // life of a verdict per key; 0 = 60 s, negative = off

	StrictAddress     bool // small character set and 44-character rows
	NoTaxonomyCheck   bool
	LooseVersionToken bool // accept any versionToken, as the validator's code is said to do
	WhiteList         []string
	BlackList         []string
	UnknownTaxIDs     []string // well formed, but unknown to the tax registry
	Places            []Place  // if given, a known CAP must fit the municipality
	Debts             func(creditor, notice string) bool
	Addresses         func(taxID string) (found, failed bool) // look-up of missing addresses; nil = found

	SpoolDir    string // where contents beyond MemoryBytes go; "" = a temporary folder
	MemoryBytes int64  // contents of uploads kept in memory, all together; 0 = 64 MiB
	HistorySize int    // calls remembered one by one; 0 = 20,000

	// Sleep waits for an injected delay; nil = a timer that heeds the context.
	Sleep func(ctx context.Context, d time.Duration)
}

// Sender is a body known to the platform.
type Sender struct {
	ID               string // internal id (senderPaId); "" = derived from TaxID
	TaxID            string
	Name             string
	Groups           []Group
	Disabled         bool // PN_DELIVERY_SEND_IS_DISABLED
	MVP              bool // one recipient, one payment at least
	AddressLookup    bool // physicalAddress may be omitted
	LimitedTo20Grams bool
	Quota            int // notifications allowed; 0 = no limit
	MaxStreams       int // 0 = Limits.MaxStreams
}

// Group is a group of users of a body.
type Group struct {
	ID       string
	Inactive bool
}

// APIKey is one x-api-key. Sender is the sender's ID or tax id. Without groups
// it is a master key. Status "" means ENABLED; ROTATED still works.
type APIKey struct {
	Value  string
	Sender string
	Groups []string
	PDND   bool
	Status string
}

// Client is a PDND client. Keys are PEM texts (string or []byte) or
// *rsa.PublicKey.
type Client struct {
	ID         string
	Tenant     string
	PurposeIDs []string
	Keys       []any
}

// Place is one line of the gazetteer.
type Place struct{ Zip, Locality, Province string }

// Mix makes ordinary data lead varied lives. Each value is a share from 0 to 1,
// drawn by recipient from Seed and tax id, so that a run can be repeated.
type Mix struct {
	Viewed      float64 // opens the notification some time after acceptance
	Courtesy    float64 // gets a courtesy message
	PECFailure  float64 // the PEC does not work
	Depot       float64 // letter collected at the post office
	Unreachable float64
	Deceased    float64
}

// Limits are the platform's numbers; zero means the value of the reference.
type Limits struct {
	Documents, Recipients int     // 15, 15
	FileBytes             int64   // 200 MiB
	Denomination          int     // 88
	MaxStreams, PageSize  int     // 10, 50
	RatePerSecond         float64 // per API key; 0 = off
	RateBurst             int     // 0 = twice RatePerSecond
	RatePerDay            int     // 0 = off
}

// Timings are platform times between the steps of a notification's life.
type Timings struct {
	Acceptance           time.Duration // request to verdict
	NoticeRelease        time.Duration // refusal or cancellation to freed notices
	AAR                  time.Duration
	DigitalSend          time.Duration
	DigitalFeedback      time.Duration
	DigitalSecondAttempt time.Duration
	DigitalRefinement    time.Duration
	DigitalFailure       time.Duration // failure to refinement
	CourtesyWait         time.Duration
	AnalogPrepare        time.Duration
	AnalogSend           time.Duration
	AnalogProgress       time.Duration // between two codes of the carrier
	AnalogRefinement     time.Duration
	Cancellation         time.Duration
	View                 time.Duration // acceptance to opening, for Mix.Viewed
	DocumentsKept        time.Duration // refinement to deletion of the documents
}

// RealTimings are those of production, as far as they are known.
func RealTimings() Timings {
	const day = 24 * time.Hour
	return Timings{
		Acceptance: 2 * time.Minute, NoticeRelease: 30 * time.Second, AAR: time.Minute,
		DigitalSend: 5 * time.Minute, DigitalFeedback: 10 * time.Minute, DigitalSecondAttempt: 7 * day,
		DigitalRefinement: 7 * day, DigitalFailure: 15 * day, CourtesyWait: 120 * time.Hour,
		AnalogPrepare: 6 * time.Hour, AnalogSend: 12 * time.Hour, AnalogProgress: day,
		AnalogRefinement: 10 * day, Cancellation: time.Minute, View: 2 * day, DocumentsKept: 120 * day,
	}
}

// UATTimings are those of the test environment, where terms last minutes.
func UATTimings() Timings {
	return Timings{
		Acceptance: 30 * time.Second, NoticeRelease: 2 * time.Second, AAR: 5 * time.Second,
		DigitalSend: 10 * time.Second, DigitalFeedback: 20 * time.Second, DigitalSecondAttempt: 6 * time.Minute,
		DigitalRefinement: 6 * time.Minute, DigitalFailure: 10 * time.Minute, CourtesyWait: 5 * time.Minute,
		AnalogPrepare: 20 * time.Second, AnalogSend: 20 * time.Second, AnalogProgress: 20 * time.Second,
		AnalogRefinement: 8 * time.Minute, Cancellation: 10 * time.Second, View: time.Minute,
		DocumentsKept: 120 * 24 * time.Hour,
	}
}

// Scale multiplies every time by f: a way to make a life last seconds. Documents
// are kept as long as before: what ends the demo is not that they are gone.
func (t Timings) Scale(f float64) Timings {
	for _, p := range t.fields() {
		*p = time.Duration(float64(*p) * f)
	}
	return t
}

func (t *Timings) fields() []*time.Duration {
	return []*time.Duration{
		&t.Acceptance, &t.NoticeRelease, &t.AAR, &t.DigitalSend, &t.DigitalFeedback,
		&t.DigitalSecondAttempt, &t.DigitalRefinement, &t.DigitalFailure, &t.CourtesyWait,
		&t.AnalogPrepare, &t.AnalogSend, &t.AnalogProgress, &t.AnalogRefinement,
		&t.Cancellation, &t.View,
	}
}

// withDefaults fills every zero value. Negative durations become zero.
func (o Options) withDefaults() Options {
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Timings == (Timings{}) {
		o.Timings = UATTimings()
	}
	if o.Timings.DocumentsKept == 0 {
		o.Timings.DocumentsKept = 120 * 24 * time.Hour
	}
	for _, d := range []struct {
		p   *time.Duration
		def time.Duration
	}{
		{&o.StreamRetryAfter, time.Minute},
		{&o.EventRetention, 7 * 24 * time.Hour},
		{&o.DisabledRetention, 14 * 24 * time.Hour},
		{&o.UploadRetention, 7 * 24 * time.Hour},
		{&o.UploadURLLife, time.Hour},
		{&o.DownloadURLLife, time.Hour},
		{&o.LegalFactDelay, 0},
		{&o.F24Delay, 3 * time.Second},
		{&o.VoucherLifespan, 600 * time.Second},
		{&o.AuthorizerCache, time.Minute},
	} {
		if *d.p == 0 {
			*d.p = d.def
		}
		*d.p = max(*d.p, 0)
	}
	o.Limits = o.Limits.withDefaults()
	return o.withTextDefaults()
}

func (o Options) withTextDefaults() Options {
	if o.PDNDAudience == "" {
		o.PDNDAudience = "auth.uat.interop.pagopa.it/client-assertion"
	}
	if o.PDNDIssuer == "" {
		o.PDNDIssuer = "uat.interop.pagopa.it"
	}
	if o.SENDAudience == "" {
		o.SENDAudience = "https://api.uat.notifichedigitali.it"
	}
	if o.PDNDRatePerSec == 0 {
		o.PDNDRatePerSec = 10
	}
	if o.RequestRetryAfter == 0 {
		o.RequestRetryAfter = 10
	}
	if o.MemoryBytes == 0 {
		o.MemoryBytes = 64 << 20
	}
	if o.HistorySize == 0 {
		o.HistorySize = 20000
	}
	if o.Sleep == nil {
		o.Sleep = sleepContext
	}
	return o
}

func sleepContext(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		p   *int
		def int
	}{{&l.Documents, 15}, {&l.Recipients, 15}, {&l.Denomination, 88}, {&l.MaxStreams, 10}, {&l.PageSize, 50}} {
		if *d.p == 0 {
			*d.p = d.def
		}
	}
	if l.FileBytes == 0 {
		l.FileBytes = 200 << 20
	}
	if l.RateBurst == 0 {
		l.RateBurst = int(2 * l.RatePerSecond)
	}
	return l
}
