package mapping_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"sendconnector/internal/mapping"
	"sendconnector/internal/notification"
	"sendconnector/internal/table"
)

// taxes is a profile where several rows make one notification.
const taxes = `version: 1
format: {kind: csv}
group_by: PROT
defaults: {taxonomy: 010201P, paper: AR, pa_fee: 100, vat: 22}
notification: {protocol: PROT, subject: OGG}
recipient: {tax_id: CF, denomination: NOME, address: VIA, zip: CAP, municipality: COM, province: PR}
payments:
  - notice: AVVISO
    instalment: RATA
    attachment: BOLL
documents:
  - {file: ATTO, title: {value: Avviso}}
  - {file: ALL}
`

const (
	taxHeading = "PROT;OGG;CF;NOME;VIA;CAP;COM;PR;AVVISO;RATA;BOLL;ATTO;ALL\n"
	personA    = "FRMTTR76M06B715E;ETTORE FIERAMOSCA;VIA TORINO 15;20123;MILANO;MI"
	personB    = "DVNLRD52D15M059P;LEONARDO DAVINCI;VIA ROMA 1;20123;MILANO;MI"
	notice1    = "301000000001234519"
	notice2    = "301000000001234620"
)

func shape(d *mapping.Draft) string {
	var b strings.Builder
	for _, r := range d.Rows {
		fmt.Fprintf(&b, "%d%v ", r.Row.Number, r.Recipients)
	}
	for _, p := range d.Request.Recipients {
		fmt.Fprintf(&b, "| %s", p.TaxID[:3])
		for _, pay := range p.Payments {
			fmt.Fprintf(&b, " %s:%v", pay.PagoPa.NoticeCode[14:], pay.PagoPa.ApplyCost)
			if pay.PagoPa.Attachment != nil {
				b.WriteString("+" + pay.PagoPa.Attachment.File)
			}
		}
	}
	for _, doc := range d.Request.Documents {
		b.WriteString(" /" + doc.File)
	}
	return b.String()
}

// Damage prevented: a notification sent without one of its people, notices or documents.
func TestRule09GroupsAnywhereInTheFile(t *testing.T) {
	drafts := mapText(t, taxes, taxHeading+
		"P1;Ogg;"+personA+";"+notice2+";2;b2.pdf;a.pdf;\n"+
		"P2;Altro;"+personB+";;;;c.pdf;\n"+
		"P1;Ogg;"+personB+";;;;a.pdf;all.pdf\n"+
		"P3;Terzo;"+personB+";;;;d.pdf;\n"+
		"P1;;"+personA+";"+notice1+";1;b1.pdf;;\n", sender())
	if len(drafts) != 3 {
		t.Fatalf("%d drafts", len(drafts))
	}
	var got []string
	for _, d := range drafts {
		if d.Stopped() {
			t.Errorf("%s: %s", d.Request.PaProtocolNumber, told(d, 0))
		}
		got = append(got, shape(d))
	}
	want := "3[0] | DVN /c.pdf\n5[0] | DVN /d.pdf\n" +
		"2[0] 4[1] 6[0] | FRM 4620:false+b2.pdf 4519:true+b1.pdf| DVN /a.pdf /all.pdf"
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// Damage prevented: half a notification sent, or a row refused without a reason.
func TestOneBadRowStopsTheGroup(t *testing.T) {
	for name, c := range map[string]struct {
		rows string
		want []string // by row
	}{
		"a bad notice": {
			"P1;O;" + personA + ";123;1;;a.pdf;\nP1;O;" + personB + ";;;;a.pdf;\n",
			[]string{"C-NOTICE AVVISO", "C-GROUP-ROW"},
		},
		"rows disagree": {
			"P1;O;" + personA + ";;;;a.pdf;\nP1;X;" + personB + ";;;;a.pdf;\n",
			[]string{"C-GROUP-ROW", "C-GROUP-DISAGREE OGG"},
		},
		"one person, two addresses": {
			"P1;O;" + personA + ";;;;a.pdf;\nP1;O;" + strings.Replace(personA, "TORINO", "NAPOLI", 1) + ";;;;a.pdf;\n",
			[]string{"C-GROUP-ROW", "C-GROUP-DISAGREE VIA"},
		},
		"a payment of nobody": {
			"P1;O;" + personA + ";;;;a.pdf;\nP1;O;" + personB + ";;;;a.pdf;\nP1;O;;;;;;;" + notice1 + ";;;;\n",
			[]string{"C-GROUP-ROW", "C-GROUP-ROW", "C-PAYMENT-OWNER CF"},
		},
		"no act, only an attachment": {
			"P1;O;" + personA + ";;;;;all.pdf\nP1;O;" + personB + ";;;;;\n",
			[]string{"C-ACT-MISSING ATTO", "C-ACT-MISSING ATTO"},
		},
		"a row with too many cells": {
			"P1;O;" + personA + ";;;;a.pdf;;troppo\nP1;O;" + personB + ";;;;a.pdf;\n",
			[]string{"C-LINE-CELLS", "C-GROUP-ROW"},
		},
		"an unreadable instalment": {
			"P1;O;" + personA + ";" + notice1 + ";prima;;a.pdf;\nP1;O;" + personB + ";;;;a.pdf;\n",
			[]string{"C-INSTALMENT RATA", "C-GROUP-ROW"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			drafts := mapText(t, taxes, taxHeading+c.rows, sender())
			if len(drafts) != 1 || !drafts[0].Stopped() {
				t.Fatalf("%d drafts, stopped %v", len(drafts), drafts[0].Stopped())
			}
			for i, want := range c.want {
				if got := told(drafts[0], i); got != want {
					t.Errorf("row %d: got %q, want %q", i, got, want)
				}
			}
		})
	}
	drafts := mapText(t, taxes, taxHeading+"P1;O;"+personA+";123;1;;a.pdf;\nP1;O;"+personB+";;;;a.pdf;\n", sender())
	text := drafts[0].RowProblems(1)[0].Message
	if !strings.Contains(text, "riga 2") || !strings.Contains(text, "123") {
		t.Errorf("the sound row does not name the other: %s", text)
	}
	drafts = mapText(t, taxes, taxHeading+";O;"+personA+";;;;a.pdf;\n", sender())
	if got := told(drafts[0], 0); !strings.Contains(got, "C-GROUP-KEY PROT") || !drafts[0].Stopped() {
		t.Errorf("blank key: %s", got)
	}
}

// Damage prevented: delivery costs on the wrong notice, or on none (SEND refuses).
func TestApplyCost(t *testing.T) {
	base := strings.Replace(taxes, "    instalment: RATA\n", "%s", 1)
	for name, c := range map[string]struct {
		profile string
		rates   [2]string
		want    string
	}{
		"single payment beside instalments": {taxes, [2]string{"", "1"}, "true true"},
		"first instalment by number":        {taxes, [2]string{"2/2", "1/2"}, "false true"},
		"words for single":                  {taxes, [2]string{"unica", "rata 2"}, "true true"},
		"nothing said: the first":           {fmt.Sprintf(base, ""), [2]string{"", ""}, "true false"},
		"said in the profile":               {fmt.Sprintf(base, "    apply_cost: true\n"), [2]string{"", ""}, "true true"},
		"said in a column":                  {fmt.Sprintf(base, "    apply_cost: RATA\n"), [2]string{"no", "SI"}, "false true"},
		"flat rate": {
			strings.Replace(taxes, "pa_fee: 100, vat: 22", "fee_policy: FLAT_RATE", 1),
			[2]string{"1", "2"},
			"false false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			drafts := mapText(t, c.profile, taxHeading+"P1;O;"+personA+";"+notice1+";"+c.rates[0]+";;a.pdf;\nP1;O;"+personA+";"+notice2+";"+c.rates[1]+";;a.pdf;\n", sender())
			if drafts[0].Stopped() {
				t.Fatal(told(drafts[0], 0))
			}
			p := drafts[0].Request.Recipients[0].Payments
			if got := fmt.Sprint(p[0].PagoPa.ApplyCost, p[1].PagoPa.ApplyCost); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	drafts := mapText(t, fmt.Sprintf(base, "    apply_cost: RATA\n"), taxHeading+"P1;O;"+personA+";"+notice1+";boh;;a.pdf;\n", sender())
	if got := told(drafts[0], 0); !strings.Contains(got, "C-BOOL-FORM RATA") {
		t.Errorf("got %s", got)
	}
}

// Damage prevented: rows of large groups lost, mixed up or left on disk when they are
// held in a file.
func TestManyOpenGroups(t *testing.T) {
	const groups, parts = 9000, 3
	folder := t.TempDir()
	p := parse(t, taxes)
	m, err := p.Compile(table.Heading{Names: strings.Split(strings.TrimSpace(taxHeading), ";"), Row: 1}, mapping.Defaults{SenderTaxID: "01199250158", TempDir: folder})
	if err != nil {
		t.Fatal(err)
	}
	filler := strings.Repeat("x", 900)
	rows := func(yield func(table.Row, error) bool) {
		for part := range parts {
			for g := range groups {
				key := fmt.Sprintf("P%d", g)
				cells := append([]string{key, "O"}, strings.Split(personA, ";")...)
				cells = append(cells, "", "", "", fmt.Sprintf("%s-%d.pdf", key, part), filler+key+".pdf")
				if !yield(table.Row{Number: 2 + part*groups + g, Cells: cells, Faults: []table.Fault{{Column: 9, Code: "C-CELL-FORMULA", Detail: key}}}, nil) {
					return
				}
			}
		}
	}
	seen, spilled := 0, false
	for d, err := range m.Drafts(rows, func() (mapping.Rows, error) { return rows, nil }) {
		if err != nil {
			t.Fatal(err)
		}
		if seen == 0 {
			entries, _ := os.ReadDir(folder)
			spilled = len(entries) == 1
		}
		want := fmt.Sprintf("P%d", seen)
		if d.Request.PaProtocolNumber != want || len(d.Rows) != parts || len(d.Request.Documents) != parts+1 {
			t.Fatalf("draft %d: %s, %d rows, %d documents", seen, d.Request.PaProtocolNumber, len(d.Rows), len(d.Request.Documents))
		}
		for i, r := range d.Rows {
			if r.Row.Number != 2+i*groups+seen || r.Row.Cells[11] != fmt.Sprintf("%s-%d.pdf", want, i) || len(r.Row.Faults) != 1 || r.Row.Faults[0].Detail != want {
				t.Fatalf("draft %d row %d: %+v", seen, i, r.Row)
			}
		}
		seen++
	}
	if seen != groups || !spilled {
		t.Errorf("%d drafts, spilled %v", seen, spilled)
	}
	if entries, _ := os.ReadDir(folder); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// Damage prevented: groups built of a file that changed between its two readings.
func TestChangedBetweenReadings(t *testing.T) {
	p := parse(t, taxes)
	m, err := p.Compile(table.Heading{Names: strings.Split(strings.TrimSpace(taxHeading), ";")}, sender())
	if err != nil {
		t.Fatal(err)
	}
	stream := func(keys ...string) mapping.Rows {
		return func(yield func(table.Row, error) bool) {
			for i, k := range keys {
				if !yield(table.Row{Number: i + 2, Cells: append([]string{k}, make([]string, 12)...)}, nil) {
					return
				}
			}
		}
	}
	for _, second := range [][]string{{"A", "C"}, {"A", "A", "A", "C"}, {"A", "B", "C"}, {"A", "A", "C", "C"}, {"A", "A"}} {
		var last error
		for _, err := range m.Drafts(stream("A", "A", "C"), func() (mapping.Rows, error) { return stream(second...), nil }) {
			last = err
		}
		if !errors.Is(last, mapping.ErrChanged) {
			t.Errorf("%v: %v", second, last)
		}
	}
	broken := errors.New("broken")
	failing := func(yield func(table.Row, error) bool) { yield(table.Row{}, broken) }
	for d, err := range m.Drafts(failing, nil) {
		if d != nil || !errors.Is(err, broken) {
			t.Errorf("%v %v", d, err)
		}
	}
}

// Damage prevented: SEND's own JSON judged as a table, or for another body.
func TestJSONLines(t *testing.T) {
	good := `{"paProtocolNumber":"1","subject":"Oggetto","recipients":[{"recipientType":"PF","taxId":"FRMTTR76M06B715E","denomination":"Ettore Fieramosca","physicalAddress":{"address":"VIA TORINO 15","zip":"20123","municipality":"MILANO","province":"MI"}}],` +
		`"documents":[{"file":"a.pdf","contentType":"application/pdf"}],"notificationFeePolicy":"FLAT_RATE","physicalCommunicationType":"AR_REGISTERED_LETTER","senderDenomination":"Comune","senderTaxId":"01199250158","taxonomyCode":"010202N"}`
	lines := []string{good, strings.Replace(good, "01199250158", "15376371009", 1), "{", strings.Replace(good, "20123", "1", 1)}
	rows := func(yield func(table.Row, error) bool) {
		for i, l := range lines {
			if !yield(table.Row{Number: i + 1, Cells: []string{l}}, nil) {
				return
			}
		}
	}
	var got []string
	for d, err := range mapping.DraftsJSONL(rows, sender()) {
		if err != nil {
			t.Fatal(err)
		}
		if d.Request != nil {
			d.Attach(notification.Validate(d.Request, rules()))
		}
		got = append(got, fmt.Sprint(d.Stopped(), " ", told(d, 0)))
	}
	for i, want := range []string{"false", "true C-SENDER-OTHER senderTaxId", "true C-JSON", "true C-CAP recipients[0].physicalAddress.zip"} {
		if !strings.HasPrefix(got[i], want) {
			t.Errorf("line %d: got %s, want %s", i+1, got[i], want)
		}
	}
}
