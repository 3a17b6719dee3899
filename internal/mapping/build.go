package mapping

import (
	"strconv"
	"strings"

	"sendconnector/internal/notification"
	"sendconnector/internal/table"
)

// builder makes one draft from the rows of one notification.
type builder struct {
	m      *Mapper
	d      *Draft
	head   [headFields]string
	from   [headFields]int // row that gave it first
	people []person
	loose  []payment // of rows that give no recipient
	files  []document
	given  []int // of the row being read, by section: its person
	reader rowReader
	row    int
}

// person is a recipient being put together.
type person struct {
	from     partOrigin
	fields   [personFields]string
	payments []payment
}

// The fields of a recipient, for comparing the rows that give it.
const (
	personTaxID = iota
	personType
	personName
	personPEC
	personAddress // the first of eight
	personFields  = personAddress + 8
)

// payment is a payment being put together; a nil cost is left to the rule.
type payment struct {
	from                partOrigin
	part                notification.Payment
	noticeCost, f24Cost *bool
	instalment          int // 0: single payment
	instalmentGiven     bool
}

// document is a document being put together.
type document struct {
	from        partOrigin
	file, title string
	act         bool
}

// start makes the builder ready for another notification, keeping its memory.
func (b *builder) start(m *Mapper, rows []table.Row) {
	d := &Draft{m: m, Rows: make([]DraftRow, len(rows))}
	*b = builder{m: m, d: d, people: b.people[:0], loose: b.loose[:0], files: b.files[:0], given: b.given[:0]}
}

// build maps the rows of one notification.
func (m *Mapper) build(rows []table.Row) *Draft {
	b := &m.builder
	b.start(m, rows)
	whole := false
	for i := range rows {
		b.d.Rows[i].Row = rows[i]
		b.row = i
		b.reader = rowReader{m: m, row: &b.d.Rows[i].Row}
		if b.spoiled() {
			whole = true
		} else {
			b.take()
		}
		b.d.Rows[i].Problems = b.reader.problems
	}
	if whole && len(rows) == 1 {
		return b.d
	}
	b.finish()
	return b.d
}

// spoiled reports faults that make the whole row unusable.
func (b *builder) spoiled() bool {
	spoiled := false
	for _, f := range b.reader.row.Faults {
		if f.Column == table.WholeRow {
			found, expected, _ := strings.Cut(f.Detail, "/")
			b.reader.add(f.Code, "", "found", found, "expected", expected, "value", f.Detail)
			spoiled = true
		}
		if f.Column == table.RowItself {
			b.reader.add(f.Code, "")
		}
	}
	return spoiled
}

// take reads everything a row gives.
func (b *builder) take() {
	for i, v := range b.m.head {
		if v != nil {
			b.merge(i, b.reader.get(v))
		}
	}
	b.takeRecipients()
	for i, p := range b.m.payments {
		b.takePayment(i, p)
	}
	for i, d := range b.m.documents {
		b.takeDocument(i, d)
	}
}

// merge keeps a field of the notification; rows that disagree are an error naming
// both.
func (b *builder) merge(i int, text string) {
	switch {
	case text == "" || text == b.head[i]:
	case b.head[i] == "":
		b.head[i], b.from[i] = text, b.row
	default:
		b.disagree(b.m.head[i], b.from[i], b.head[i], text)
	}
}

func (b *builder) disagree(v *value, with int, before, now string) {
	label := ""
	if v != nil {
		label = v.label
	}
	b.reader.add("C-GROUP-DISAGREE", label, "row", strconv.Itoa(b.d.Rows[with].Row.Number), "before", clip(before), "value", clip(now))
}

// takeRecipients reads the recipients of the row and notes, for each section of the
// profile, the index of its person or -1.
func (b *builder) takeRecipients() {
	b.given = b.given[:0]
	for s, r := range b.m.recipients {
		b.given = append(b.given, -1)
		if !b.reader.when(r.when) {
			continue
		}
		p := person{from: partOrigin{b.row, s}}
		p.fields[personTaxID] = b.reader.get(r.taxID)
		p.fields[personName] = b.name(r)
		alone := len(b.d.Rows) == 1 && s == 0 // so that what is blank is named
		if p.fields[personTaxID] == "" && p.fields[personName] == "" && !alone {
			continue
		}
		p.fields[personType] = b.reader.get(r.kind)
		p.fields[personPEC] = b.reader.get(r.pec)
		for i, a := range r.address {
			p.fields[personAddress+i] = b.reader.get(a)
		}
		b.given[s] = b.addPerson(p, r)
		b.d.Rows[b.row].Recipients = append(b.d.Rows[b.row].Recipients, b.given[s])
	}
}

func (b *builder) name(r *recipientValues) string {
	if r.denomination != nil {
		return b.reader.get(r.denomination)
	}
	return strings.TrimSpace(b.reader.get(r.name) + " " + b.reader.get(r.surname))
}

// addPerson adds a recipient, or joins it with the same one of an earlier row.
func (b *builder) addPerson(p person, r *recipientValues) int {
	for i := range b.people {
		known := &b.people[i]
		if p.fields[personTaxID] == "" || known.fields[personTaxID] != p.fields[personTaxID] || known.from.row == b.row {
			continue
		}
		for f, text := range p.fields {
			switch {
			case text == "" || text == known.fields[f]:
			case known.fields[f] == "":
				known.fields[f] = text
			default:
				b.disagree(r.byIndex(f), known.from.row, known.fields[f], text)
			}
		}
		return i
	}
	p.payments = nil
	if n := len(b.people); n < cap(b.people) {
		p.payments = b.people[:n+1][n].payments[:0] // memory of an earlier notification
	}
	b.people = append(b.people, p)
	return len(b.people) - 1
}

func (r *recipientValues) byIndex(f int) *value {
	switch {
	case f >= personAddress:
		return r.address[f-personAddress]
	case f == personType:
		return r.kind
	case f == personName:
		return r.field("denomination")
	case f == personPEC:
		return r.pec
	}
	return r.taxID
}

// takePayment reads one payment of the row.
func (b *builder) takePayment(section int, v *paymentValues) {
	if !b.reader.when(v.when) {
		return
	}
	p := payment{from: partOrigin{b.row, section}}
	b.pagoPA(v, &p)
	b.f24(v, &p)
	if p.part.PagoPa == nil && p.part.F24 == nil {
		return
	}
	b.instalment(v, &p)
	if v.of < len(b.given) && b.given[v.of] >= 0 {
		b.addPayment(&b.people[b.given[v.of]], p)
		return
	}
	b.loose = append(b.loose, p)
}

func (b *builder) pagoPA(v *paymentValues, p *payment) {
	notice := b.reader.get(v.notice)
	if notice == "" {
		return
	}
	creditor := first(b.reader.get(v.creditor), b.m.p.Defaults.Creditor, b.m.d.SenderTaxID)
	p.part.PagoPa = &notification.PagoPa{NoticeCode: notice, CreditorTaxID: creditor}
	if file := b.reader.get(v.attachment); file != "" {
		p.part.PagoPa.Attachment = &notification.Attachment{File: b.oneFile(v.attachment, file, v.attachmentGlob), ContentType: notification.ContentPDF}
	}
	p.noticeCost = b.cost(v.applyCost)
}

func (b *builder) f24(v *paymentValues, p *payment) {
	file := b.reader.get(v.f24File)
	if file == "" {
		return
	}
	p.part.F24 = &notification.F24{
		Title:              b.reader.get(v.f24Title),
		MetadataAttachment: &notification.Attachment{File: b.oneFile(v.f24File, file, v.f24Glob), ContentType: notification.ContentJSON},
	}
	p.f24Cost = b.cost(v.f24Cost)
}

// cost reads apply_cost; nil leaves it to the rule.
func (b *builder) cost(v *value) *bool {
	text := b.reader.get(v)
	if text == "" {
		return nil
	}
	yes, ok := truth(text)
	if !ok {
		b.reader.add("C-BOOL-FORM", v.label, "value", clip(text))
		return nil
	}
	return &yes
}

// instalment reads the number of an instalment: "2", "2/4", "RATA 2"; blank, 0 and
// words such as UNICA are a single payment.
func (b *builder) instalment(v *paymentValues, p *payment) {
	text := strings.ToUpper(b.reader.get(v.instalment))
	switch text {
	case "", "0", "00", "U", "UNICA", "UNICO", "UNICA SOLUZIONE", "RATA UNICA", "UN":
		return
	}
	start := strings.IndexAny(text, "0123456789")
	end := start
	for end >= 0 && end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	if start < 0 {
		b.reader.add("C-INSTALMENT", v.instalment.label, "value", clip(text))
		return
	}
	n, err := strconv.Atoi(text[start:end])
	if err != nil || n > 999 {
		b.reader.add("C-INSTALMENT", v.instalment.label, "value", clip(text))
		return
	}
	p.instalment, p.instalmentGiven = n, n > 0
}

// addPayment adds a payment to a recipient; the same one given again by another row
// counts once.
func (b *builder) addPayment(to *person, p payment) {
	for i := range to.payments {
		if to.payments[i].from.row != p.from.row && samePayment(&to.payments[i], &p) {
			return
		}
	}
	to.payments = append(to.payments, p)
}

func samePayment(a, b *payment) bool {
	return samePagoPA(a.part.PagoPa, b.part.PagoPa) && sameF24(a.part.F24, b.part.F24) &&
		sameBool(a.noticeCost, b.noticeCost) && sameBool(a.f24Cost, b.f24Cost) && a.instalment == b.instalment
}

func samePagoPA(a, b *notification.PagoPa) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.NoticeCode == b.NoticeCode && a.CreditorTaxID == b.CreditorTaxID && sameFile(a.Attachment, b.Attachment)
}

func sameF24(a, b *notification.F24) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Title == b.Title && sameFile(a.MetadataAttachment, b.MetadataAttachment)
}

func sameFile(a, b *notification.Attachment) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.File == b.File
}

func sameBool(a, b *bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
