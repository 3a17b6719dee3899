package notification

import "time"

// Limits of SEND. Those marked as settings were read in a development
// configuration of the platform only, so Rules can change them.
const (
	maxProtocol          = 256
	maxToken             = 256
	maxSubject           = 134
	maxAbstract          = 1024
	maxDenomination      = 88
	maxGroup             = 1024
	maxTitle             = 512
	maxDocIdx            = 3
	maxPEC               = 320
	maxAt                = 44
	maxAddress           = 1024
	maxZip               = 15
	maxPlace             = 256 // municipality, its details, province, state
	maxKey               = 512
	maxVersionToken      = 256
	printedRow           = 44        // characters of one row on the envelope
	maxPercent           = 100       // paFee, vat, priority
	defaultMaxRecipients = 15        // setting
	defaultMaxDocuments  = 15        // setting
	defaultMaxPDFBytes   = 200 << 20 // setting; exactly this size still passes
	noticeLength         = 18
	numericTaxIDLength   = 11
	personalTaxIDLength  = 16
	iunLength            = 25
	digestLength         = 44
	italianCAPLength     = 5
)

// Rules are the settings of one sender that the verdict on a request depends on.
// The zero value is not useful; start from DefaultRules.
type Rules struct {
	// Lang is the language of the messages. Default Italian.
	Lang Lang
	// Wire says that the request is judged as it would go to SEND: every attachment
	// with digests and reference, a token present. Default false: as mapping gives
	// it, every attachment with File and without those.
	Wire bool
	// SenderTaxID is the tax code registered for the API key; another one in the
	// request is an error. "" does not compare.
	SenderTaxID string
	// AllowTaxIDs are codes of the test environment that SEND accepts in spite of a
	// wrong check character. Default none.
	AllowTaxIDs []string
	// Promote lists warning codes that shall stop the row. Default none.
	Promote []string
	// StrictAddress makes errors of characters outside SEND's strict set and of
	// printed rows over 44 characters. Default false (warnings).
	StrictAddress bool
	// AddressLookup says that SEND looks up missing addresses for this sender, so
	// that physicalAddress may be absent. Default false.
	AddressLookup bool
	// SingleRecipient is SEND's "MVP" switch: exactly one recipient, with a payment.
	// Default false.
	SingleRecipient bool
	// LooseKeys accepts upload keys of any form (conformance tools give others than
	// SEND does). Used with Wire only. Default false.
	LooseKeys bool
	// MaxRecipients and MaxDocuments of one notification. Default 15 and 15.
	MaxRecipients, MaxDocuments int
	// MaxPDFBytes of one document. Default 209,715,200 (200 MiB).
	MaxPDFBytes int64
	// TwentyGrams says that the sender may not send more than 20 grams of paper: no
	// payment attachments, few pages. Default false.
	TwentyGrams bool
	// GroupRequired says that the API key is bound to groups; Groups are the ids it
	// may use (empty: any). Default false, any.
	GroupRequired bool
	Groups        []string
	// EntityTypes are the first two digits expected in taxonomy codes, e.g. "01" for
	// a municipality; others are a warning. Default: not compared.
	EntityTypes []string
	// Taxonomies are codes to accept beyond the built-in list, which is of a given
	// day (TaxonomyDate) while SEND's grows. Default none.
	Taxonomies []string
	// Places is the table for the plausibility of CAP, town and province. Default
	// nil: not judged.
	Places *Places
	// Today makes a payment date in the past a warning. Default zero: not judged.
	Today time.Time
}

// DefaultRules are the rules of an ordinary sender in production.
func DefaultRules() Rules {
	return Rules{
		Lang:          Italian,
		MaxRecipients: defaultMaxRecipients,
		MaxDocuments:  defaultMaxDocuments,
		MaxPDFBytes:   defaultMaxPDFBytes,
	}
}
