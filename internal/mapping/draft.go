package mapping

import (
	"slices"
	"strconv"
	"strings"

	"sendconnector/internal/notification"
	"sendconnector/internal/table"
)

// Draft is one notification as the rows of an export give it.
type Draft struct {
	// Request is the body for SEND, attachments with File; nil if nothing could be
	// built of it. It may only be used when Stopped is false.
	Request *notification.Request
	// Rows are the rows that made it, in the order of the file.
	Rows []DraftRow
	// Problems concern the notification as a whole, hence every row.
	Problems []notification.Problem
	// Awaited are patterns of documents that match no file of the drop yet. They stand
	// as File in the request, where no file can have such a name; the caller treats
	// them as missing documents and maps again when more files have come.
	Awaited []string

	m          *Mapper
	single     bool // jsonl: every part comes from the only row
	recipients []partOrigin
	payments   [][]partOrigin // by recipient, as in the request
	documents  []partOrigin
}

// DraftRow is one row of a draft.
type DraftRow struct {
	Row        table.Row
	Recipients []int // recipients of the request that this row gives; none if it only carries a payment or a document
	Problems   []notification.Problem
}

// partOrigin is where a part of the request comes from: an index into Rows, and into
// the sections of the profile.
type partOrigin struct{ row, section int }

// Stopped reports whether an error, of any row or of the whole, keeps the notification
// from being sent: one bad row stops them all.
func (d *Draft) Stopped() bool {
	return d.Request == nil || notification.Errors(d.Problems) || d.firstBad() >= 0
}

func (d *Draft) firstBad() int {
	return slices.IndexFunc(d.Rows, func(r DraftRow) bool { return notification.Errors(r.Problems) })
}

// RowProblems is everything to tell about row i: its own problems, those of the whole
// notification, and, if it is sound itself but another row stopped the notification,
// which one. Errors come first; of very many the first are told, and how many more.
func (d *Draft) RowProblems(i int) []notification.Problem {
	own := d.Rows[i].Problems
	all := append(slices.Clone(own), d.Problems...)
	if bad := d.firstBad(); bad >= 0 && !notification.Errors(own) {
		p := d.Rows[bad].Problems[slices.IndexFunc(d.Rows[bad].Problems, func(p notification.Problem) bool { return p.Severity == notification.Error })]
		all = append(all, notification.New(d.lang(), "C-GROUP-ROW", "", "row", strconv.Itoa(d.Rows[bad].Row.Number), "reason", p.Message))
	}
	slices.SortStableFunc(all, func(a, b notification.Problem) int { return rank(a) - rank(b) })
	return notification.Few(d.lang(), all)
}

// rank puts errors before warnings: the first problem is what a row is filed under.
func rank(p notification.Problem) int {
	if p.Severity == notification.Error {
		return 0
	}
	return 1
}

func (d *Draft) lang() notification.Lang {
	if d.m == nil {
		return notification.Italian
	}
	return d.m.d.Lang
}

// Column is the column of the export that gives a request field
// ("recipients[0].taxId"), several separated by commas; "" where the profile gives it
// as a literal, not at all, or the export has no columns.
func (d *Draft) Column(requestField string) string {
	_, v := d.locate(requestField)
	if v == nil {
		return ""
	}
	return v.label
}

// Attach hands problems found in the request (by notification.Validate) to the rows
// that gave the parts at fault, and names the column of the export in place of the
// request field. What concerns the notification as a whole goes to Problems. A field
// of which the mapping has already said an error is not blamed again for being absent.
func (d *Draft) Attach(problems []notification.Problem) {
	for _, p := range problems {
		if p.Code == "C-TAXONOMY-UNPAID" && d.saidOfPayments() {
			continue
		}
		field := p.Field
		p = d.inColumns(p)
		row, v := d.locate(field)
		if v != nil && v.label != "" {
			p.Field = v.label
		}
		target := &d.Problems
		if row >= 0 && row < len(d.Rows) {
			target = &d.Rows[row].Problems
		}
		if p.Code == "C-FILE-PATH" && len(d.Awaited) > 0 && d.awaits(field) {
			continue
		}
		if v != nil && v.label != "" && d.said(row, p.Field) || d.single && d.undecoded(p.Field) {
			continue
		}
		if !slices.Contains(*target, p) {
			*target = append(*target, p)
		}
	}
}

// saidOfPayments reports whether an error of a cell that should give a payment is
// already told: then there is a payment, only not a legible one.
func (d *Draft) saidOfPayments() bool {
	if d.m == nil {
		return false
	}
	return slices.ContainsFunc(d.m.payments, func(p *paymentValues) bool {
		return slices.ContainsFunc([]*value{p.when, p.notice, p.f24File, p.f24Title}, func(v *value) bool {
			return v != nil && v.label != "" && d.said(-1, v.label)
		})
	})
}

// inColumns gives the problems that name a second place of the request in words of
// the export: nobody who fills in a spreadsheet knows paths of a request.
func (d *Draft) inColumns(p notification.Problem) notification.Problem {
	if p.Code != "C-NOTICE-DUPLICATE" || d.single || d.m == nil {
		return p
	}
	here := d.payment(p.Field)
	if here == nil {
		return p
	}
	for i, r := range d.Request.Recipients {
		for j, other := range r.Payments {
			if other.PagoPa == nil || other.PagoPa.NoticeCode != here.NoticeCode || other.PagoPa.CreditorTaxID != here.CreditorTaxID {
				continue
			}
			row, v := d.locateRecipient(i, "payments["+strconv.Itoa(j)+"].pagoPa.noticeCode")
			place := "riga "
			if d.lang() == notification.English {
				place = "row "
			}
			place += strconv.Itoa(d.Rows[row].Row.Number)
			if v != nil && v.label != "" {
				place += ", " + v.label
			}
			return notification.New(d.lang(), p.Code, p.Field, "value", here.NoticeCode, "creditor", here.CreditorTaxID, "other", place)
		}
	}
	return p
}

// payment is the notice that a request field belongs to, nil if there is none.
func (d *Draft) payment(field string) *notification.PagoPa {
	name, i, rest := cutIndex(field)
	inner, j, _ := cutIndex(rest)
	if name != "recipients" || inner != "payments" || i < 0 || i >= len(d.Request.Recipients) {
		return nil
	}
	payments := d.Request.Recipients[i].Payments
	if j < 0 || j >= len(payments) {
		return nil
	}
	return payments[j].PagoPa
}

// awaits reports whether a request field is the name of a file still to come.
func (d *Draft) awaits(field string) bool {
	found := false
	d.Request.Attachments(func(path string, a *notification.Attachment) {
		found = found || strings.HasPrefix(field, path) && slices.Contains(d.Awaited, a.File)
	})
	return found
}

// undecoded reports whether decoding the line already found an error at a field or at
// what it is part of.
func (d *Draft) undecoded(field string) bool {
	return slices.ContainsFunc(d.Rows[0].Problems, func(p notification.Problem) bool {
		rest, within := strings.CutPrefix(field, p.Field)
		return p.Severity == notification.Error && p.Field != "" && within && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// said reports whether an error of the column is already told, of that row or, for a
// field of the whole, of any.
func (d *Draft) said(row int, column string) bool {
	has := func(problems []notification.Problem) bool {
		return slices.ContainsFunc(problems, func(p notification.Problem) bool {
			return p.Severity == notification.Error && p.Field == column && fromMapping(p.Code)
		})
	}
	if row >= 0 {
		return has(d.Rows[row].Problems)
	}
	return slices.ContainsFunc(d.Rows, func(r DraftRow) bool { return has(r.Problems) })
}

// fromMapping are the codes after which a field is absent although its column is not
// blank.
func fromMapping(code string) bool {
	switch code {
	case "C-AMOUNT-FORM", "C-AMOUNT-AMBIGUOUS", "C-DATE-FORM", "C-LOOKUP", "C-VALUE-MISSING", "C-EXPRESSION",
		"C-INTEGER-FORM", "C-GROUP-DISAGREE", "C-ACT-MISSING", "C-PATTERN-CELL",
		"C-CELL-DIGITS", "C-CELL-SCIENTIFIC", "C-CELL-FORMULA", "C-CELL-ERROR", "C-CELL-ENCODING", "C-CELL-QUOTE":
		return true
	}
	return false
}

// locate finds the row and the compiled field behind a request field; row -1 is the
// whole notification.
func (d *Draft) locate(field string) (row int, v *value) {
	if d.single || d.m == nil {
		return 0, nil
	}
	name, i, rest := cutIndex(field)
	switch {
	case name == "recipients" && i >= 0 && i < len(d.recipients):
		return d.locateRecipient(i, rest)
	case name == "recipients":
		return -1, d.m.recipients[0].taxID
	case name == "documents" && i >= 0 && i < len(d.documents):
		from := d.documents[i]
		section := d.m.documents[from.section]
		if rest == "title" && section.title != nil {
			return from.row, section.title
		}
		return from.row, section.file
	case name == "documents":
		return -1, d.m.documents[0].file
	}
	for _, h := range d.m.head {
		if h != nil && (h.request == field || h.request == name) {
			return -1, h
		}
	}
	return -1, nil
}

func (d *Draft) locateRecipient(i int, rest string) (int, *value) {
	from := d.recipients[i]
	section := d.m.recipients[from.section]
	name, j, inner := cutIndex(rest)
	if name == "payments" && j >= 0 && i < len(d.payments) && j < len(d.payments[i]) {
		pay := d.payments[i][j]
		return pay.row, d.m.payments[pay.section].field(inner)
	}
	if name == "payments" {
		if len(d.m.payments) > 0 {
			return from.row, d.m.payments[0].field("")
		}
		return from.row, nil
	}
	return from.row, section.field(rest)
}

// cutIndex takes "recipients[2].taxId" apart: recipients, 2, taxId. Without an index
// it is -1.
func cutIndex(field string) (name string, i int, rest string) {
	name, rest, found := strings.Cut(field, "[")
	if !found || strings.Contains(name, ".") {
		name, rest, _ = strings.Cut(field, ".")
		return name, -1, rest
	}
	number, rest, _ := strings.Cut(rest, "]")
	i, err := strconv.Atoi(number)
	if err != nil {
		i = -1
	}
	return name, i, strings.TrimPrefix(rest, ".")
}

// field is the compiled field behind a field of a recipient.
func (r *recipientValues) field(name string) *value {
	switch name {
	case "recipientType":
		if r.kind != nil {
			return r.kind
		}
		return r.taxID
	case "denomination":
		return firstValue(r.denomination, r.surname, r.name)
	case "digitalDomicile", "digitalDomicile.address", "digitalDomicile.type":
		return r.pec
	case "physicalAddress":
		return firstValue(r.address[partAddress], r.address[partMunicipality])
	}
	for i, part := range addressNames {
		if name == "physicalAddress."+part {
			return r.address[i]
		}
	}
	return r.taxID
}

func firstValue(values ...*value) *value {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

// field is the compiled field behind a field of a payment.
func (p *paymentValues) field(name string) *value {
	switch {
	case name == "pagoPa.creditorTaxId":
		return p.creditor
	case name == "pagoPa.applyCost":
		return firstValue(p.applyCost, p.instalment, p.notice)
	case strings.HasPrefix(name, "pagoPa.attachment"):
		return firstValue(p.attachment, p.notice)
	case name == "f24.title":
		return p.f24Title
	case name == "f24.applyCost":
		return firstValue(p.f24Cost, p.f24File)
	case strings.HasPrefix(name, "f24"):
		return p.f24File
	}
	return firstValue(p.notice, p.f24File)
}
