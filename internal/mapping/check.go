package mapping

import (
	"path"
	"slices"
	"sort"
	"strings"

	"sendconnector/internal/notification"
	"sendconnector/internal/yamldoc"
)

// checker finds what is wrong with a profile by itself, before any file is seen.
type checker struct {
	p    *Profile
	errs yamldoc.Errors
}

func (c *checker) errorf(at, format string, args ...any) {
	c.errs.Add(c.p.doc.Errorf(at, format, args...))
}

// target is what a field is for: it decides which conversions make sense.
type target int

const (
	forText target = iota
	forDate
	forAmount // cents
	forInteger
	forBool
)

func (c *checker) profile() {
	p := c.p
	if p.Version != 1 {
		c.errorf("version", "expected version: 1, found %d", p.Version)
	}
	c.format()
	c.defaults()
	for _, f := range p.GroupBy {
		c.field(f, forText)
	}
	c.head()
	if p.Reads().Kind == "jsonl" {
		return
	}
	c.required(p.Notification.Protocol, "notification.protocol")
	c.required(p.Notification.Subject, "notification.subject")
	c.recipients()
	for i := range p.Payments {
		c.payment(i)
	}
	c.documents()
}

func (c *checker) format() {
	f := c.p.Format
	if f.Kind != "" && !slices.Contains([]string{"csv", "xlsx", "jsonl"}, f.Kind) {
		c.errorf("format.kind", "unknown kind %q; known: csv, xlsx, jsonl", f.Kind)
	}
	encodings := []string{"", "utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15", "cp850", "cp437"}
	if !slices.Contains(encodings, f.Encoding) {
		c.errorf("format.encoding", "unknown encoding %q; known: %s", f.Encoding, strings.Join(encodings[1:], ", "))
	}
	if _, ok := oneRune(f.Delimiter); !ok {
		c.errorf("format.delimiter", "expected one ASCII character or tab, found %q", f.Delimiter)
	}
	if _, ok := oneRune(f.Quote); !ok {
		c.errorf("format.quote", "expected one ASCII character, found %q", f.Quote)
	}
	if f.SkipRows < 0 || f.SkipRows > 1000 {
		c.errorf("format.skip_rows", "expected 0 to 1000")
	}
	if f.MaxRows < 0 || f.MaxMB < 0 || f.MaxMB > 1<<20 {
		c.errorf("format", "max_rows and max_mb are positive numbers")
	}
}

func (c *checker) defaults() {
	d := c.p.Defaults
	c.oneOf("defaults.fee_policy", d.FeePolicy, notification.FeeDeliveryMode, notification.FeeFlatRate)
	c.oneOf("defaults.paper", paperName(d.Paper), notification.PaperAR, notification.Paper890)
	c.oneOf("defaults.pagopa_mode", d.PagoPaMode, notification.PagoPaNone, notification.PagoPaSync, notification.PagoPaAsync)
	for name, value := range map[string]*int{"defaults.pa_fee": d.PaFee, "defaults.vat": d.Vat} {
		if value != nil && (*value < 0 || *value > 100) {
			c.errorf(name, "expected 0 to 100, found %d", *value)
		}
	}
}

func (c *checker) oneOf(at, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		c.errorf(at, "unknown value %q; known: %s", value, strings.Join(allowed, ", "))
	}
}

// paperName accepts the short names of the two paper services.
func paperName(text string) string {
	switch strings.ToUpper(text) {
	case "AR":
		return notification.PaperAR
	case "890":
		return notification.Paper890
	}
	return text
}

func (c *checker) head() {
	n := c.p.Notification
	for _, f := range []*Field{n.Protocol, n.Subject, n.Abstract, n.Taxonomy, n.FeePolicy, n.Paper, n.PagoPaMode, n.Group, n.Language, n.CancelledIUN, n.Sender} {
		c.field(f, forText)
	}
	for _, f := range []*Field{n.PaFee, n.Vat, n.Priority} {
		c.field(f, forInteger)
	}
	c.field(n.Amount, forAmount)
	c.field(n.PaymentDue, forDate)
}

func (c *checker) required(f *Field, at string) {
	if f == nil {
		c.errorf(at, "missing: every notification needs it")
	}
}

func (c *checker) recipients() {
	if c.p.Recipient != nil && len(c.p.Recipients) > 0 {
		c.errorf("recipients", "give either recipient or recipients")
	}
	if len(c.p.recipients()) == 0 {
		c.errorf("recipient", "missing: every notification needs a recipient")
	}
	for i, r := range c.p.recipients() {
		at := "recipient"
		if c.p.Recipient == nil {
			at = "recipients[" + itoa(i) + "]"
		}
		c.required(r.TaxID, at+".tax_id")
		if r.Denomination == nil && r.Surname == nil {
			c.errorf(at+".denomination", "missing: give denomination, or surname and name")
		}
		if r.Denomination != nil && (r.Surname != nil || r.Name != nil) {
			c.errorf(at+".denomination", "give either denomination or surname and name")
		}
		c.field(r.When, forBool)
		for _, f := range []*Field{
			r.Type, r.TaxID, r.Denomination, r.Name, r.Surname, r.PEC, r.At, r.Address, r.AddressDetails,
			r.Zip, r.Municipality, r.MunicipalityDetails, r.Province, r.State,
		} {
			c.field(f, forText)
		}
	}
}

func (c *checker) payment(i int) {
	s := c.p.Payments[i]
	at := "payments[" + itoa(i) + "]"
	if s.Notice == nil && s.F24 == nil {
		c.errorf(at, "give notice (pagoPA) or f24")
	}
	if s.Notice == nil && s.Attachment != nil {
		c.errorf(at+".attachment", "belongs to a notice, and there is none; an F24 has its own file")
	}
	if n := len(c.p.recipients()); s.Of < 0 || s.Of > max(n, 1) {
		c.errorf(at+".of", "expected the number of a recipient, 1 to %d", max(n, 1))
	}
	c.field(s.When, forBool)
	c.field(s.Notice, forText)
	c.field(s.Creditor, forText)
	c.field(s.Instalment, forText)
	c.field(s.ApplyCost, forText)
	c.file(s.Attachment)
	if s.F24 != nil {
		c.required(s.F24.Title, at+".f24.title")
		if s.F24.File == nil {
			c.errorf(at+".f24.file", "missing: an F24 is a metadata file")
		}
		c.field(s.F24.Title, forText)
		c.field(s.F24.ApplyCost, forText)
		c.file(s.F24.File)
	}
}

func (c *checker) file(f *fileField) {
	if f != nil {
		c.field(&f.Field, forText)
	}
}

func (c *checker) documents() {
	if len(c.p.Documents) == 0 {
		c.errorf("documents", "missing: every notification needs its act")
	}
	acts := 0
	for i, d := range c.p.Documents {
		at := "documents[" + itoa(i) + "]"
		count := 0
		for _, f := range []*Field{d.File, d.Pattern, d.Folder} {
			if f != nil {
				count++
				c.field(f, forText)
			}
		}
		if count != 1 {
			c.errorf(at, "give exactly one of file, pattern, folder")
		}
		c.field(d.Title, forText)
		c.field(d.When, forBool)
		if d.Optional && d.File != nil {
			c.errorf(at+".optional", "a file that is named must be there; leave the column blank in rows without it")
		}
		if d.Act != "" && d.Act != "false" {
			acts++
			if d.Act != "true" && d.File != nil {
				c.errorf(at+".act", "a pattern tells the act among the files of a folder or pattern; here write true")
			}
			if _, err := path.Match(d.Act, "x"); err != nil {
				c.errorf(at+".act", "not a pattern: %q", d.Act)
			}
		}
	}
	if acts > 1 {
		c.errorf("documents", "only one of them can be the act")
	}
}

// field checks that the conversions fit the target.
func (c *checker) field(f *Field, t target) {
	if f == nil {
		return
	}
	if f.Amount != "" {
		if !slices.Contains([]string{"it", "en", "cents"}, f.Amount) {
			c.errorf(f.path+".amount", "unknown notation %q; known: it (1.234,50), en (1,234.50), cents", f.Amount)
		}
		if t != forAmount && t != forInteger {
			c.errorf(f.path+".amount", "an amount does not fit here")
		}
	} else if t == forAmount {
		c.errorf(f.path, "say how the amount is written: {column: …, amount: it} (1.234,50), en (1,234.50) or cents")
	}
	if f.Date != "" {
		if _, err := parseDatePattern(f.Date); err != nil {
			c.errorf(f.path+".date", "%s", err)
		}
		if t != forDate && t != forText {
			c.errorf(f.path+".date", "a date does not fit here")
		}
	}
	if f.Lookup != nil {
		if _, known := c.p.Tables[f.Lookup.Table]; !known {
			c.errorf(f.path+".lookup", "no table %q; known: %s", f.Lookup.Table, strings.Join(c.tableNames(), ", "))
		}
	}
	if f.Split != nil && (f.Split.At == "" || len(f.Split.Take) == 0 || slices.Min(f.Split.Take) < 1) {
		c.errorf(f.path+".split", `expected {at: "/", take: [2, 1]}; parts count from 1`)
	}
	if f.Required && f.Default != nil {
		c.errorf(f.path+".default", "a field with a default is never missing; take required or default away")
	}
}

func (c *checker) tableNames() []string {
	names := make([]string, 0, len(c.p.Tables))
	for n := range c.p.Tables {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// tables reads the tables that are files.
func (c *checker) tables(beside func(string) ([]byte, error)) {
	for _, name := range c.tableNames() {
		t := c.p.Tables[name]
		if t.file == "" {
			continue
		}
		if !notification.SafeRelative(t.file) {
			c.errorf(t.path+".file", "expected a file beside the profile, found %q", t.file)
			continue
		}
		data, err := beside(t.file)
		if err == nil {
			err = t.read(data)
		}
		if err != nil {
			c.errorf(t.path+".file", "%s: %s", t.file, err)
			continue
		}
		c.p.Tables[name] = t
	}
}
