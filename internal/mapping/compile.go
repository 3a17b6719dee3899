package mapping

import (
	"strings"

	"sendconnector/internal/notification"
	"sendconnector/internal/table"
	"sendconnector/internal/yamldoc"
)

// Mapper is a profile compiled for files with one heading. It is not safe for use by
// several goroutines.
type Mapper struct {
	p          *Profile
	d          Defaults
	heading    table.Heading
	jsonl      bool
	typed      bool // rows of a typed file were seen
	group      []*value
	head       [headFields]*value
	recipients []*recipientValues
	payments   []*paymentValues
	documents  []*documentValues
	eval       *evaluator
	builder    builder
	scratch    []byte
}

// compiler compiles fields, collecting mistakes.
type compiler struct {
	p      *Profile
	lang   notification.Lang
	env    *environment
	errs   yamldoc.Errors
	listed bool // the columns of the file have been told
}

func (c *compiler) say(it, en string) string {
	if c.lang == notification.English {
		return en
	}
	return it
}

// Compile compiles the profile for files with heading h. A mistyped or renamed column,
// an unknown function, a wrong type: all are reported at once, as yamldoc.Errors in
// d.Lang with line, column and caret.
func (p *Profile) Compile(h table.Heading, d Defaults) (*Mapper, error) {
	if d.Lang == "" {
		d.Lang = notification.Italian
	}
	m := &Mapper{p: p, d: d, heading: h, jsonl: p.Reads().Kind == "jsonl", eval: newEvaluator()}
	if m.jsonl {
		return m, nil
	}
	c := &compiler{p: p, lang: d.Lang, env: newEnvironment(h)}
	for _, f := range p.GroupBy {
		m.group = append(m.group, c.value(f, "paProtocolNumber", forText))
	}
	c.head(m)
	for i, s := range p.recipients() {
		m.recipients = append(m.recipients, c.recipient(s, i))
	}
	for _, s := range p.Payments {
		m.payments = append(m.payments, c.payment(s))
	}
	for _, s := range p.Documents {
		m.documents = append(m.documents, c.document(s))
	}
	c.settled(m)
	if err := c.errs.OrNil(); err != nil {
		return nil, err
	}
	return m, nil
}

// The fields of the notification itself, in SEND's order.
const (
	headProtocol = iota
	headSubject
	headAbstract
	headFeePolicy
	headCancelled
	headPaper
	headSender
	headGroup
	headAmount
	headDue
	headTaxonomy
	headPaFee
	headVat
	headMode
	headLanguage
	headPriority
	headFields
)

func (c *compiler) head(m *Mapper) {
	n := c.p.Notification
	put := func(i int, f *Field, name string, t target) { m.head[i] = c.value(f, name, t) }
	put(headProtocol, n.Protocol, "paProtocolNumber", forText)
	put(headSubject, n.Subject, "subject", forText)
	put(headAbstract, n.Abstract, "abstract", forText)
	put(headFeePolicy, n.FeePolicy, "notificationFeePolicy", forText)
	put(headCancelled, n.CancelledIUN, "cancelledIun", forText)
	put(headPaper, n.Paper, "physicalCommunicationType", forText)
	put(headSender, n.Sender, "senderDenomination", forText)
	put(headGroup, n.Group, "group", forText)
	put(headAmount, n.Amount, "amount", forAmount)
	put(headDue, n.PaymentDue, "paymentExpirationDate", forDate)
	put(headTaxonomy, n.Taxonomy, "taxonomyCode", forText)
	put(headPaFee, n.PaFee, "paFee", forInteger)
	put(headVat, n.Vat, "vat", forInteger)
	put(headMode, n.PagoPaMode, "pagoPaIntMode", forText)
	put(headLanguage, n.Language, "additionalLanguages", forText)
	put(headPriority, n.Priority, "physicalCommunicationPriority", forInteger)
	for _, i := range []int{headFeePolicy, headPaper, headTaxonomy, headMode, headLanguage, headCancelled} {
		m.head[i].asCode()
	}
	if m.head[headProtocol] != nil {
		m.head[headProtocol].exact = true
	}
	for _, g := range m.group {
		g.exact = true
	}
}

// settled checks that what SEND wants in every notification comes from somewhere.
func (c *compiler) settled(m *Mapper) {
	need := func(given bool, key, it, en string) {
		if !given {
			c.errs.Add(c.p.doc.Errorf("defaults."+key, "%s", c.say(it, en)))
		}
	}
	p, d := c.p.Defaults, m.d
	need(m.head[headTaxonomy] != nil || p.Taxonomy != "" || d.Taxonomy != "", "taxonomy",
		"manca il codice tassonomico: indicarlo qui o in notification.taxonomy", "the taxonomy code is missing: give it here or as notification.taxonomy")
	need(m.head[headPaper] != nil || p.Paper != "" || d.Paper != "", "paper",
		"manca il servizio di recapito cartaceo: indicare qui AR o 890", "the paper service is missing: give AR or 890 here")
	if m.head[headFeePolicy] == nil && first(p.FeePolicy, d.FeePolicy, notification.FeeDeliveryMode) == notification.FeeFlatRate {
		return
	}
	need(m.head[headPaFee] != nil || p.PaFee != nil || d.PaFee != nil, "pa_fee",
		"con DELIVERY_MODE serve pa_fee (centesimi, 0-100)", "DELIVERY_MODE needs pa_fee (cents, 0-100)")
	need(m.head[headVat] != nil || p.Vat != nil || d.Vat != nil, "vat",
		"con DELIVERY_MODE serve vat (percentuale, 0-100)", "DELIVERY_MODE needs vat (percent, 0-100)")
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// recipientValues are the compiled fields of one recipient section.
type recipientValues struct {
	when, kind, taxID, denomination, name, surname, pec *value
	address                                             [8]*value // in the order of addressNames
}

// addressNames are SEND's parts of an address, in its order.
var addressNames = [8]string{"at", "address", "addressDetails", "zip", "municipality", "municipalityDetails", "province", "foreignState"}

const (
	partAt = iota
	partAddress
	partDetails
	partZip
	partMunicipality
	partMunicipalityDetails
	partProvince
	partState
)

func (c *compiler) recipient(s recipientSection, _ int) *recipientValues {
	r := &recipientValues{
		when:         c.value(s.When, "", forBool),
		kind:         c.value(s.Type, "recipientType", forText).asCode(),
		taxID:        c.value(s.TaxID, "taxId", forText).asCode(),
		denomination: c.value(s.Denomination, "denomination", forText),
		name:         c.value(s.Name, "denomination", forText),
		surname:      c.value(s.Surname, "denomination", forText),
		pec:          c.value(s.PEC, "digitalDomicile.address", forText),
	}
	fields := [8]*Field{s.At, s.Address, s.AddressDetails, s.Zip, s.Municipality, s.MunicipalityDetails, s.Province, s.State}
	for i, f := range fields {
		r.address[i] = c.value(f, "physicalAddress."+addressNames[i], forText)
		if r.address[i] != nil && s.Transliterate {
			r.address[i].transliterate = true
		}
	}
	r.address[partProvince].asCode()
	if state := r.address[partState].asCode(); state != nil {
		state.innerBlanks = true
	}
	return r
}

// paymentValues are the compiled fields of one payment section.
type paymentValues struct {
	of                                int // index of the recipient section
	when, notice, creditor            *value
	instalment, applyCost, attachment *value
	f24Title, f24File, f24Cost        *value
	attachmentGlob, f24Glob           bool
}

func (c *compiler) payment(s paymentSection) *paymentValues {
	p := &paymentValues{
		of:         max(s.Of, 1) - 1,
		when:       c.value(s.When, "", forBool),
		notice:     c.value(s.Notice, "pagoPa.noticeCode", forText).asDigits(),
		creditor:   c.value(s.Creditor, "pagoPa.creditorTaxId", forText).asDigits(),
		instalment: c.value(s.Instalment, "", forText),
		applyCost:  c.cost(s.ApplyCost, "pagoPa.applyCost"),
	}
	if s.Attachment != nil {
		p.attachment, p.attachmentGlob = c.value(&s.Attachment.Field, "pagoPa.attachment.file", forText), s.Attachment.glob
		p.attachment.glob = p.attachmentGlob
	}
	if s.F24 != nil {
		p.f24Title = c.value(s.F24.Title, "f24.title", forText)
		p.f24Cost = c.cost(s.F24.ApplyCost, "f24.applyCost")
		if s.F24.File != nil {
			p.f24File, p.f24Glob = c.value(&s.F24.File.Field, "f24.metadataAttachment.file", forText), s.F24.File.glob
			p.f24File.glob = p.f24Glob
		}
	}
	return p
}

// cost compiles apply_cost, where the words auto, true and false need no quotes or
// {value: …}.
func (c *compiler) cost(f *Field, name string) *value {
	if f == nil || f.Column != nil && *f.Column == "auto" {
		return nil
	}
	if f.Column != nil {
		if _, isColumn := c.env.byTitle[*f.Column]; !isColumn {
			if _, ok := truth(*f.Column); ok {
				return &value{kind: literal, text: *f.Column, request: name}
			}
		}
	}
	return c.value(f, name, forText)
}

// documentValues are the compiled fields of one document section.
type documentValues struct {
	when, file, title *value
	glob, folder, act bool
	optional          bool
	actPattern        string
}

func (c *compiler) document(s documentSection) *documentValues {
	d := &documentValues{when: c.value(s.When, "", forBool), title: c.value(s.Title, "title", forText), optional: s.Optional}
	switch {
	case s.Pattern != nil:
		d.file, d.glob = c.value(s.Pattern, "file", forText), true
	case s.Folder != nil:
		d.file, d.glob, d.folder = c.value(s.Folder, "file", forText), true, true
	default:
		d.file = c.value(s.File, "file", forText)
	}
	if d.file != nil {
		d.file.glob = d.glob
	}
	switch s.Act {
	case "", "false":
	case "true":
		d.act = true
	default:
		d.act, d.actPattern = true, s.Act
	}
	return d
}

// value compiles one field; nil stays nil.
func (c *compiler) value(f *Field, request string, t target) *value {
	if f == nil {
		return nil
	}
	v := &value{field: f, request: request, target: t, transliterate: f.Transliterate, path: f.path}
	switch {
	case f.Value != nil:
		v.kind, v.text = literal, *f.Value
	case f.Column != nil:
		v.kind = column
		if i, ok := c.column(f, *f.Column, 0); ok {
			v.columns = []int{i}
		}
	case f.Text != nil:
		v.kind = template
		v.segments, v.columns = c.segments(f, *f.Text)
	case f.Expr != nil:
		v.kind = expression
		if v.program = c.compileExpr(f, t); v.program != nil {
			v.columns = v.program.columns
		}
	}
	if t == forBool && v.kind != expression {
		c.errs.Add(c.p.doc.Errorf(f.path, "%s", c.say("qui serve un'espressione che dà vero o falso, per esempio = TIPO == 'A'", "an expression that gives true or false is needed here, such as = TYPE == 'A'")))
	}
	for _, i := range v.columns {
		v.labels = append(v.labels, c.env.title(i))
	}
	v.label = strings.Join(v.labels, ", ")
	if f.Date != "" {
		v.date, _ = parseDatePattern(f.Date)
	} else if t == forDate {
		v.date = isoDate
	}
	if f.Lookup != nil {
		l := c.p.Tables[f.Lookup.Table]
		v.table = l.entries
	}
	return v
}

func (e *environment) title(column int) string {
	for _, t := range e.titles {
		if e.byTitle[t] == column {
			return t
		}
	}
	return ""
}

func (c *compiler) column(f *Field, name string, offset int) (int, bool) {
	name = strings.TrimSpace(name)
	i, known := c.env.byTitle[name]
	if !known || c.env.twice[name] {
		c.errs.Add(c.p.doc.ErrorInside(f.inner, offset, "%s", c.unknownColumn(name, c.env.titles, c.env.twice[name])))
		return 0, false
	}
	return i, true
}

// segment is a piece of a template: text, or a column.
type segment struct {
	text   string
	column int // -1 for text
}

// segments cuts "Verbale {NUMERO}"; {{ and }} stand for braces.
func (c *compiler) segments(f *Field, text string) (segments []segment, columns []int) {
	var plain strings.Builder
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		switch {
		case i+1 < len(runes) && runes[i] == runes[i+1] && (runes[i] == '{' || runes[i] == '}'):
			plain.WriteRune(runes[i])
			i++
		case runes[i] == '{':
			end := i + 1
			for end < len(runes) && runes[end] != '}' {
				end++
			}
			if end == len(runes) {
				c.errs.Add(c.p.doc.ErrorInside(f.inner, i, "%s", c.say("manca la graffa di chiusura", "the closing brace is missing")))
				return nil, nil
			}
			if column, ok := c.column(f, string(runes[i+1:end]), i+1); ok {
				segments = append(segments, segment{plain.String(), -1}, segment{"", column})
				columns = append(columns, column)
			}
			plain.Reset()
			i = end
		case runes[i] == '}':
			c.errs.Add(c.p.doc.ErrorInside(f.inner, i, "%s", c.say("graffa di chiusura senza apertura", "closing brace without an opening one")))
			return nil, nil
		default:
			plain.WriteRune(runes[i])
		}
	}
	return append(segments, segment{plain.String(), -1}), columns
}
