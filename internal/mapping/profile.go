package mapping

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sendconnector/internal/notification"
	"sendconnector/internal/table"
	"sendconnector/internal/yamldoc"
)

// Profile is how one kind of export is read and mapped. docs/profiles.md documents
// every key.
type Profile struct {
	Version      int                `yaml:"version"`
	Name         string             `yaml:"name"`
	Format       FormatSection      `yaml:"format"`
	GroupBy      fieldList          `yaml:"group_by"`
	AllowShrink  bool               `yaml:"allow_shrink"` // rule 9
	Defaults     DefaultsSection    `yaml:"defaults"`
	Notification headSection        `yaml:"notification"`
	Recipient    *recipientSection  `yaml:"recipient"`
	Recipients   []recipientSection `yaml:"recipients"`
	Payments     []paymentSection   `yaml:"payments"`
	Documents    []documentSection  `yaml:"documents"`
	Tables       map[string]lookup  `yaml:"tables"`

	doc    *yamldoc.Document
	source []byte
}

// FormatSection says what the files look like.
type FormatSection struct {
	Kind      string `yaml:"kind"`      // csv (default), xlsx, jsonl
	Encoding  string `yaml:"encoding"`  // csv; default: found out
	Delimiter string `yaml:"delimiter"` // csv; default ";"; "tab" for a tab
	Quote     string `yaml:"quote"`     // csv; default "
	Heading   *bool  `yaml:"heading"`   // default true; false: columns are "1", "2", …
	SkipRows  int    `yaml:"skip_rows"` // rows above the heading
	Sheet     string `yaml:"sheet"`     // xlsx; name or number; default: first visible
	MaxRows   int    `yaml:"max_rows"`
	MaxMB     int64  `yaml:"max_mb"` // xlsx: unzipped
}

// DefaultsSection holds literals for what is the same in every row.
type DefaultsSection struct {
	Taxonomy   string   `yaml:"taxonomy"`
	FeePolicy  string   `yaml:"fee_policy"`
	Paper      string   `yaml:"paper"`
	PaFee      *int     `yaml:"pa_fee"`
	Vat        *int     `yaml:"vat"`
	PagoPaMode string   `yaml:"pagopa_mode"`
	Group      string   `yaml:"group"`
	Languages  []string `yaml:"languages"`
	Creditor   string   `yaml:"creditor"`
	Abstract   string   `yaml:"abstract"`
}

// headSection are the fields of the notification itself.
type headSection struct {
	Protocol     *Field `yaml:"protocol"`
	Subject      *Field `yaml:"subject"`
	Abstract     *Field `yaml:"abstract"`
	Taxonomy     *Field `yaml:"taxonomy"`
	FeePolicy    *Field `yaml:"fee_policy"`
	Paper        *Field `yaml:"paper"`
	PaFee        *Field `yaml:"pa_fee"`
	Vat          *Field `yaml:"vat"`
	PagoPaMode   *Field `yaml:"pagopa_mode"`
	Group        *Field `yaml:"group"`
	Language     *Field `yaml:"language"`
	Amount       *Field `yaml:"amount"`
	PaymentDue   *Field `yaml:"payment_due"`
	CancelledIUN *Field `yaml:"cancelled_iun"`
	Priority     *Field `yaml:"priority"`
	Sender       *Field `yaml:"sender_denomination"`
}

// recipientSection are the fields of one addressee.
type recipientSection struct {
	When                *Field `yaml:"when"`
	Type                *Field `yaml:"type"`
	TaxID               *Field `yaml:"tax_id"`
	Denomination        *Field `yaml:"denomination"`
	Name                *Field `yaml:"name"`
	Surname             *Field `yaml:"surname"`
	PEC                 *Field `yaml:"pec"`
	At                  *Field `yaml:"at"`
	Address             *Field `yaml:"address"`
	AddressDetails      *Field `yaml:"address_details"`
	Zip                 *Field `yaml:"zip"`
	Municipality        *Field `yaml:"municipality"`
	MunicipalityDetails *Field `yaml:"municipality_details"`
	Province            *Field `yaml:"province"`
	State               *Field `yaml:"state"`
	Transliterate       bool   `yaml:"transliterate_address"`
}

// paymentSection is one way of paying or one instalment.
type paymentSection struct {
	When       *Field      `yaml:"when"`
	Of         int         `yaml:"of"` // which recipient of the row, from 1 (default)
	Notice     *Field      `yaml:"notice"`
	Creditor   *Field      `yaml:"creditor"`
	Instalment *Field      `yaml:"instalment"`
	ApplyCost  *Field      `yaml:"apply_cost"`
	Attachment *fileField  `yaml:"attachment"`
	F24        *f24Section `yaml:"f24"`
}

// f24Section is an F24 form given as a metadata file.
type f24Section struct {
	Title     *Field     `yaml:"title"`
	File      *fileField `yaml:"file"`
	ApplyCost *Field     `yaml:"apply_cost"`
}

// documentSection is a document of the notification: a file, or all that a pattern or
// a folder holds.
type documentSection struct {
	When    *Field `yaml:"when"`
	File    *Field `yaml:"file"`
	Pattern *Field `yaml:"pattern"`
	Folder  *Field `yaml:"folder"`
	Title   *Field `yaml:"title"`
	Act     string `yaml:"act"` // true, or a glob that tells the act among several
	// Optional says that a pattern or folder may match nothing.
	Optional bool `yaml:"optional"`
}

// Load reads a profile and the tables beside it. Mistakes come as yamldoc.Errors.
func Load(path string) (*Profile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	folder := filepath.Dir(path)
	return Parse(path, data, func(name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
	})
}

// Parse is Load for content that is already there, such as the copy kept in the
// manifest of a batch (rule 10); beside reads a table named in the profile by its
// relative name.
func Parse(name string, data []byte, beside func(name string) ([]byte, error)) (*Profile, error) {
	p := &Profile{source: slices.Clone(data)}
	doc, err := yamldoc.Load(name, data, p)
	p.doc = doc
	var problems yamldoc.Errors
	if err != nil {
		found, ok := err.(yamldoc.Errors) //nolint:errorlint // Load promises the list itself
		if !ok {
			return nil, err
		}
		if !doc.Parsed() {
			return nil, found
		}
		problems = found
	}
	c := checker{p: p, errs: problems}
	c.profile()
	c.tables(beside)
	if err := c.errs.OrNil(); err != nil {
		return nil, err
	}
	return p, nil
}

// Source is the text of the profile as it was read.
func (p *Profile) Source() []byte { return slices.Clone(p.source) }

// Companions are the relative names of the tables read from beside the profile, which
// must be kept with a copy of it.
func (p *Profile) Companions() []string {
	var names []string
	for _, t := range p.Tables {
		if t.file != "" {
			names = append(names, t.file)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Reads is the format that the readers are asked to expect.
func (p *Profile) Reads() table.Format {
	f := table.Format{
		Kind: p.Format.Kind, Encoding: p.Format.Encoding, NoHeading: p.Format.Heading != nil && !*p.Format.Heading,
		SkipRows: p.Format.SkipRows, Sheet: p.Format.Sheet, MaxRows: p.Format.MaxRows, MaxBytes: p.Format.MaxMB << 20,
	}
	if f.Kind == "" {
		f.Kind = "csv"
	}
	f.Delimiter, _ = oneRune(p.Format.Delimiter)
	f.Quote, _ = oneRune(p.Format.Quote)
	return f
}

// oneRune reads a delimiter or quote; "tab" stands for a tab.
func oneRune(text string) (rune, bool) {
	if text == "tab" || text == `\t` {
		return '\t', true
	}
	runes := []rune(text)
	if len(runes) > 1 || len(runes) == 1 && (runes[0] > 0x7e || runes[0] == '\n' || runes[0] == '\r') {
		return 0, false
	}
	if len(runes) == 0 {
		return 0, true
	}
	return runes[0], true
}

// recipients are the recipient sections, whichever way they were written.
func (p *Profile) recipients() []recipientSection {
	if p.Recipient != nil {
		return append([]recipientSection{*p.Recipient}, p.Recipients...)
	}
	return p.Recipients
}

// Defaults are what the sender's configuration gives and a profile need not repeat;
// what the profile says goes before.
type Defaults struct {
	SenderTaxID        string
	SenderDenomination string
	Group              string
	Lang               notification.Lang
	Taxonomy           string
	FeePolicy          string
	Paper              string
	PaFee, Vat         *int
	PagoPaMode         string
	Languages          []string
	// TempDir is where rows are held that do not fit the memory; "" is the system's.
	TempDir string
	// Glob lists the files of the drop that match a pattern ("ATTI/12*.pdf"), as
	// relative names with forward slashes. nil, or no match: see
	// Draft.Awaited.
	Glob func(pattern string) ([]string, error)
}
