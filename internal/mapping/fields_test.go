package mapping_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"sendconnector/internal/mapping"
	"sendconnector/internal/notification"
)

// one maps a single row of one column X by a profile in which field is the given text,
// and gives the request and what was told.
func one(t *testing.T, field, value string) (*notification.Request, string) {
	t.Helper()
	profile := fines + `tables:
  towns: {mi: MILANO, "rm ": ROMA}
  states: {file: states.csv, key: CODE, value: STATE}
`
	name, _, _ := strings.Cut(field, ":")
	var lines []string
	for line := range strings.Lines(profile) {
		if at := strings.Index(line, name+":"); at >= 0 && strings.Trim(line[:at], " -") == "" {
			line = line[:at] + field + "\n"
		}
		lines = append(lines, line)
	}
	folder := t.TempDir()
	for file, content := range map[string]string{"p.yaml": strings.Join(lines, ""), "states.csv": "\xef\xbb\xbfCODE;STATE\nF;FRANCIA\n"} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := mapping.Load(filepath.Join(folder, "p.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	drafts := mapWith(t, p, strings.TrimSpace(finesHeading)+";X;Y Z\n"+strings.TrimSpace(fineRow)+";"+value+";due\n", sender())
	return drafts[0].Request, told(drafts[0], 0)
}

// Damage prevented: a conversion that does something else than its name.
func TestFieldsAndConversions(t *testing.T) {
	subject := func(r *notification.Request) string { return r.Subject }
	name := func(r *notification.Request) string { return r.Recipients[0].Denomination }
	zip := func(r *notification.Request) string { return r.Recipients[0].PhysicalAddress.Zip }
	town := func(r *notification.Request) string { return r.Recipients[0].PhysicalAddress.Municipality }
	street := func(r *notification.Request) string { return r.Recipients[0].PhysicalAddress.Address }
	amount := func(r *notification.Request) string {
		if r.Amount == nil {
			return ""
		}
		return fmt.Sprint(*r.Amount)
	}
	due := func(r *notification.Request) string { return r.PaymentExpirationDate }
	for _, c := range []struct {
		field, value string
		get          func(*notification.Request) string
		want, told   string
	}{
		{"subject: X", "Oggetto", subject, "Oggetto", ""},
		{"subject: {value: Sempre}", "", subject, "Sempre", ""},
		{`subject: "N. {X}/{Y Z}"`, "1", subject, "N. 1/due", ""},
		{`subject: "{{X}} {X}"`, "1", subject, "{X} 1", ""},
		{`subject: "N. {X}"`, "", subject, "", "C-REQUIRED X"},
		{`subject: = "N. " + X + "-" + upper(Y_Z)`, "1", subject, "N. 1-DUE", ""},
		{`subject: {expr: 'either(X, row["Y Z"])'}`, "", subject, "due", ""},
		{`subject: {expr: 'X == "" ? "niente" : part(X, "/", 2)'}`, "a/b", subject, "b", ""},
		{`subject: {expr: 'base(X) + pad("7", 3)'}`, `C:\pdf\1.pdf`, subject, "1.pdf007", ""},
		{`subject: {expr: 'string(int(X) + 1)'}`, "x", subject, "", "C-EXPRESSION X"},
		{`subject: {column: X, required: true}`, "", subject, "", "C-VALUE-MISSING X"},
		{`subject: {column: X, default: Di norma}`, "", subject, "Di norma", ""},
		{`subject: {column: X, upper: true, trim: "*-"}`, "**Città--", subject, "CITTÀ", ""},
		{"subject: X", "\u00a0'00123 ", subject, "00123", ""},
		{"subject: X", "l’atto", subject, "l'atto", "C-TEXT-REPAIRED X"},
		{`surname: {column: X, split: {at: "*", take: [2, 1]}}`, "ROSSI*MARIO", name, "ETTORE MARIO ROSSI", ""},
		{"zip: {column: X, pad: 5}", "187", zip, "00187", ""},
		{`municipality: {column: X, lookup: towns}`, "Rm", town, "ROMA", "C-CAP-GENERIC"},
		{`municipality: {column: X, lookup: towns}`, "na", town, "", "C-LOOKUP X"},
		{`municipality: {column: X, lookup: {table: towns, else: NAPOLI}}`, "na", town, "NAPOLI", ""},
		{`address: {column: X, transliterate: true}`, "VIA LIBERTÀ, 5", street, "VIA LIBERTA' 5", "C-TEXT-LATIN X"},
		{"amount: {column: X, amount: it}", "1.234,50", amount, "123450", ""},
		{"amount: {column: X, amount: en}", "1,234.50", amount, "123450", ""},
		{"amount: {column: X, amount: cents}", "123450", amount, "123450", ""},
		{"amount: {column: X, amount: it}", "1234.50", amount, "", "C-AMOUNT-FORM X"},
		{"payment_due: {column: X, date: g/m/aaaa}", "1/2/2027", due, "2027-02-01", ""},
		{"payment_due: X", "2027-02-01", due, "2027-02-01", ""},
		{"payment_due: {column: X, date: gg/mm/aaaa}", "31/02/2027", due, "", "C-DATE-FORM X"},
		{"tax_id: X", "frmttr76m06b715e", func(r *notification.Request) string { return r.Recipients[0].TaxID }, "FRMTTR76M06B715E", "C-TEXT-REPAIRED X"},
		{"notice: X", "301 000 000 001 234 519", func(r *notification.Request) string { return r.Recipients[0].Payments[0].PagoPa.NoticeCode }, "301000000001234519", "C-TEXT-REPAIRED X"},
		{"notice: X", "3,01E+17", func(r *notification.Request) string { return fmt.Sprint(len(r.Recipients[0].Payments)) }, "0", "C-CELL-SCIENTIFIC X"},
		{"state: {column: X, lookup: states}", "f", func(r *notification.Request) string { return r.Recipients[0].PhysicalAddress.ForeignState }, "FRANCIA", ""},
		{"protocol: X", " 'a’b/00 1", func(r *notification.Request) string { return r.PaProtocolNumber }, "'a’b/00 1", ""},
		{"protocol: X", "'007/A", func(r *notification.Request) string { return r.PaProtocolNumber }, "007/A", ""},
	} {
		r, got := one(t, c.field, c.value)
		if text := c.get(r); text != c.want {
			t.Errorf("%s with %q: got %q, want %q", c.field, c.value, text, c.want)
		}
		if c.told == "" && strings.Contains(got, " X") || c.told != "" && !strings.Contains(got, strings.TrimSuffix(c.told, " X")) && c.told != "C-CAP-GENERIC" {
			t.Errorf("%s with %q: told %q, want %q", c.field, c.value, got, c.told)
		}
	}
}

func mapWith(t *testing.T, p *mapping.Profile, text string, d mapping.Defaults) []*mapping.Draft {
	t.Helper()
	return mapText(t, string(p.Source()), text, d, p)
}

// Damage prevented: the wrong PDF sent as the act, or a payment form shown to another.
func TestDocuments(t *testing.T) {
	files := map[string][]string{
		"pdf/2026-1*.pdf":  {"pdf/2026-1_b.pdf", "pdf/2026-1_a.pdf"},
		"DOC/1/*.pdf":      {"DOC/1/relata.pdf", "DOC/1/Verbale.pdf", "DOC/1/allegato.pdf"},
		"bollettini/*.pdf": {"bollettini/x.pdf", "bollettini/y.pdf"},
		"una/*.pdf":        {"una/x.pdf"},
	}
	glob := func(pattern string) ([]string, error) {
		if pattern == "guasto/*.pdf" {
			return nil, errors.New("share gone")
		}
		return files[pattern], nil
	}
	base := strings.Split(fines, "documents:")[0]
	heading := strings.TrimSpace(finesHeading) + ";P;D;T\n"
	for name, c := range map[string]struct {
		section, cells, want, told string
	}{
		"column, backslashes": {"documents:\n  - file: D\n", ";.\\atti\\1.pdf;", "atti/1.pdf=", ""},
		"unsafe":              {"documents:\n  - file: D\n", ";../1.pdf;", "../1.pdf=", "C-FILE-PATH D"},
		"pattern":             {"documents:\n  - pattern: \"pdf/{P}*.pdf\"\n    title: T\n", "2026-1;;Atto", "pdf/2026-1_a.pdf=Atto pdf/2026-1_b.pdf=Atto (2)", ""},
		"pattern, nothing":    {"documents:\n  - pattern: \"pdf/{P}*.pdf\"\n", "9;;", "pdf/9*.pdf= awaited:pdf/9*.pdf", ""},
		"optional, nothing":   {"documents:\n  - file: D\n  - {pattern: \"pdf/{P}*.pdf\", optional: true}\n", "9;a.pdf;", "a.pdf=", ""},
		"pattern, bad cell":   {"documents:\n  - pattern: \"pdf/{P}*.pdf\"\n", "*;;", "", "C-PATTERN-CELL P"},
		"folder, act told":    {"documents:\n  - folder: \"DOC/{P}\"\n    act: \"*verbale*\"\n", "1;;", "DOC/1/Verbale.pdf= DOC/1/allegato.pdf= DOC/1/relata.pdf=", ""},
		"folder, act unclear": {"documents:\n  - folder: \"DOC/{P}\"\n    act: \"*a*\"\n", "1;;", "", "C-ACT-UNCLEAR P"},
		"list fails":          {"documents:\n  - folder: P\n", "guasto;;", "", "C-DOCUMENT-LIST P"},
		"act listed second":   {"documents:\n  - file: D\n  - {file: P, act: true}\n", "atto.pdf;all.pdf;", "atto.pdf= all.pdf=", ""},
		"act missing":         {"documents:\n  - file: D\n  - {file: P, act: true}\n", ";all.pdf;", "all.pdf=", "C-ACT-MISSING P"},
		"condition":           {"documents:\n  - file: D\n  - {file: P, when: = T == 'si'}\n", "b.pdf;a.pdf;no", "a.pdf=", ""},
		"payment by pattern":  {"    attachment: {pattern: \"{P}/*.pdf\"}\ndocuments:\n  - file: D\n", "una;a.pdf;", "a.pdf= +una/x.pdf", ""},
		"payment, many files": {"    attachment: {pattern: \"{P}/*.pdf\"}\ndocuments:\n  - file: D\n", "bollettini;a.pdf;", "", "C-PAYMENT-FILES P"},
		"f24":                 {"    f24: {title: {value: F24}, file: P}\ndocuments:\n  - file: D\n", "f24.json;a.pdf;", "a.pdf= F24:f24.json:true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := sender()
			d.Glob = glob
			drafts := mapText(t, base+c.section, heading+strings.TrimSpace(fineRow)+";"+c.cells+"\n", d)
			got := told(drafts[0], 0)
			if !strings.Contains(got, c.told) || c.told == "" && drafts[0].Stopped() {
				t.Errorf("told %q, want %q", got, c.told)
			}
			var parts []string
			for _, doc := range drafts[0].Request.Documents {
				parts = append(parts, doc.File+"="+doc.Title)
			}
			for _, p := range drafts[0].Request.Recipients[0].Payments {
				if p.PagoPa != nil && p.PagoPa.Attachment != nil {
					parts = append(parts, "+"+p.PagoPa.Attachment.File)
				}
				if p.F24 != nil {
					parts = append(parts, fmt.Sprintf("%s:%s:%v", p.F24.Title, p.F24.MetadataAttachment.File, p.F24.ApplyCost))
				}
			}
			for _, a := range drafts[0].Awaited {
				parts = append(parts, "awaited:"+a)
			}
			if text := strings.Join(parts, " "); c.want != "" && text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

// Damage prevented: a clerk told "recipients[0].payments[0]" instead of a column.
func TestProblemsNameTheColumn(t *testing.T) {
	row := strings.NewReplacer("20123", "2012A", "301000000001234519", "12", "FRMTTR76M06B715E", "FRMTTR76M06B715A", "31/12/2026", "x").Replace(fineRow)
	drafts := mapText(t, fines, finesHeading+row, sender())
	got := told(drafts[0], 0)
	for _, want := range []string{"C-DATE-FORM SCADENZA", "C-TAXID-CHECK CF", "C-NOTICE AVVISO", " CAP"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q: %s", want, got)
		}
	}
	if strings.Contains(got, "recipients[") {
		t.Errorf("a request field is left: %s", got)
	}
	for field, want := range map[string]string{
		"paProtocolNumber": "PROTOCOLLO", "subject": "VERBALE", "recipients[0].denomination": "COGNOME", "recipients[0].physicalAddress.province": "PROV",
		"recipients[0].physicalAddress.foreignState": "", "recipients[0].payments[0].pagoPa.noticeCode": "AVVISO", "recipients[0].recipientType": "CF",
		"documents[0].file": "PROTOCOLLO", "recipients": "CF", "documents": "PROTOCOLLO", "vat": "", "recipients[9].taxId": "CF",
	} {
		if got := drafts[0].Column(field); got != want {
			t.Errorf("Column(%s) = %q, want %q", field, got, want)
		}
	}
	blank := strings.NewReplacer("FRMTTR76M06B715E", "", "FIERAMOSCA", "", "ETTORE", "").Replace(fineRow)
	if got := told(mapText(t, fines, finesHeading+blank, sender())[0], 0); !strings.Contains(got, "C-REQUIRED CF") {
		t.Errorf("a blank recipient: %s", got)
	}
}

// Damage prevented: 1.234 in a spreadsheet taken for one thousand two hundred.
func TestTypedCells(t *testing.T) {
	f := excelize.NewFile()
	format := "dd/mm/yyyy"
	style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err != nil {
		t.Fatal(err)
	}
	rows := [][]any{
		toAny(strings.Split(strings.TrimSpace(finesHeading), ";")),
		toAny(strings.Split(strings.TrimSpace(fineRow), ";")), toAny(strings.Split(strings.TrimSpace(fineRow), ";")),
	}
	rows[1][2], rows[1][3], rows[1][8] = 1234.5, 46387, 20123
	rows[2][0], rows[2][2], rows[2][11] = "2026/2", 1.234, 3.01e17
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SetCellStyle("Sheet1", "D2", "D2", style); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.xlsx")
	if err := errors.Join(f.SaveAs(path), f.Close()); err != nil {
		t.Fatal(err)
	}
	profile := strings.Replace(fines, "kind: csv, delimiter: \";\"", "kind: xlsx", 1)
	drafts := mapFile(t, profile, path, sender())
	if r := drafts[0].Request; drafts[0].Stopped() || *r.Amount != 123450 || r.PaymentExpirationDate != "2026-12-31" || r.Recipients[0].PhysicalAddress.Zip != "20123" {
		t.Errorf("%s %+v", told(drafts[0], 0), r)
	}
	if got := told(drafts[1], 0); !strings.Contains(got, "C-AMOUNT-FORM IMPORTO") || !strings.Contains(got, "C-CELL-DIGITS AVVISO") {
		t.Errorf("got %s", got)
	}
	expression := strings.Replace(profile, "{column: IMPORTO, amount: it}", "{expr: IMPORTO, amount: it}", 1)
	if got := told(mapFile(t, expression, path, sender())[1], 0); !strings.Contains(got, "C-AMOUNT-AMBIGUOUS IMPORTO") {
		t.Errorf("got %s", got)
	}
}

func toAny(texts []string) []any {
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}

// Damage prevented: a message that names a place no clerk can find, or advice beside
// the point after the real mistake.
func TestProblemsInWordsOfTheExport(t *testing.T) {
	grouped := strings.Replace(fines, "defaults:", "group_by: PROTOCOLLO\ndefaults:", 1)
	twice := fineRow + strings.Replace(fineRow, "FRMTTR76M06B715E", "GLLGLL64B15G702I", 1)
	drafts := mapText(t, grouped, finesHeading+twice, sender())
	var message string
	for _, p := range drafts[0].RowProblems(1) {
		if p.Code == "C-NOTICE-DUPLICATE" {
			message = p.Message
		}
	}
	if !strings.Contains(message, "riga 2, AVVISO") || strings.Contains(message, "recipients[") {
		t.Errorf("got %q", message)
	}
	damaged := strings.Replace(fineRow, "301000000001234519", "3,01E+17", 1)
	for _, p := range mapText(t, fines, finesHeading+damaged, sender())[0].RowProblems(0) {
		if p.Code == "C-TAXONOMY-UNPAID" {
			t.Errorf("a notice that cannot be read is no missing one: %s", p.Message)
		}
	}
}
