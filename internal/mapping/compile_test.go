package mapping_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"sendconnector/internal/mapping"
	"sendconnector/internal/notification"
	"sendconnector/internal/table"
	"sendconnector/internal/yamldoc"
)

// Damage prevented: a profile with a mistake that is only found by a citizen.
func TestProfileMistakesAreAllReported(t *testing.T) {
	text := `version: 2
format: {kind: cvs, encoding: ansi, delimiter: ";;", skip_rows: -1}
group_by: []
defaults: {fee_policy: FLAT, pa_fee: 200, paper: RACC}
notification:
  protocol: {column: A, expr: B}
  amount: IMPORTO
  payment_due: {column: S, date: gg/mm}
  vat: {column: V, date: gg/mm/aaaa}
recipient:
  denomination: N
  surname: C
  zip: {column: Z, pad: 0}
  province: {column: P, lookup: nowhere}
  pec: {column: E, required: true, default: x}
payments:
  - {attachment: F}
  - {notice: N, of: 3}
documents:
  - {file: F, folder: G}
  - {act: true, file: {column: X, amount: it}}
  - {act: "[", pattern: X}
tables:
  t: {file: ../secret.csv, key: A, value: B}
`
	_, err := mapping.Parse("p.yaml", []byte(text), os.ReadFile)
	var all yamldoc.Errors
	if !errors.As(err, &all) {
		t.Fatalf("got %v", err)
	}
	got := err.Error()
	for _, want := range []string{
		"p.yaml:1:10: version: expected version: 1", "2:16: format.kind:", "format.encoding", "format.delimiter", "format.skip_rows",
		"defaults.fee_policy", "defaults.pa_fee", "defaults.paper", "6:13: notification.protocol: give exactly one", "notification.subject: missing",
		"7:11: notification.amount: say how", "notification.payment_due.date: not a date pattern", "notification.vat.date",
		"recipient.tax_id: missing", "recipient.denomination: give either", "recipient.zip.pad", `14:33: recipient.province.lookup: no table "nowhere"; known: t`,
		"recipient.pec.default", "payments[0]: give notice", "payments[0].attachment", "payments[1].of",
		"documents[0]: give exactly one", "documents[1].file.amount", "documents[2].act: not a pattern", "documents: only one", "tables.t.file: expected a file beside",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
	// What cannot be read at all has one mistake, not a list of all that it lacks.
	for _, broken := range []string{"version: 1\n\tname: x\n", "version: \xe8\n"} {
		if _, err := mapping.Parse("p.yaml", []byte(broken), os.ReadFile); !errors.As(err, &all) || len(all) != 1 {
			t.Errorf("%q: %v", broken, err)
		}
	}
	if _, err := mapping.Load(t.TempDir() + "/none.yaml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// Damage prevented: a renamed column read as an empty value in ten thousand letters.
func TestMistypedColumnsAreErrorsAtTheirPlace(t *testing.T) {
	p := parse(t, `version: 1
format: {kind: csv}
group_by: PROTT
defaults: {taxonomy: 010101P, paper: AR, pa_fee: 0, vat: 0}
notification:
  protocol: PROT
  subject: "Verbale {NUMRO} del {DATA"
  abstract: "= upper(OGETTO) + NOTE2"
recipient:
  tax_id: {column: "Codice fiscalle"}
  denomination: '= row["Cognome"] + row["Nomme"]'
  address: = VIA + 1
  zip: = len(VIA)
  municipality: = shell(VIA)
  province: = now()
  state: = DOPPIA
documents:
  - {file: DOPPIA, when: VIA}
  - {file: "= VIA +"}
  - {file: '= row[VIA]', when: '= VIA'}
`)
	h := table.Heading{Names: []string{"PROT", "NUMERO", "DATA", "OGGETTO", "Codice fiscale", "Cognome", "Nome", "VIA", "DOPPIA", "DOPPIA"}, Row: 1}
	_, err := p.Compile(h, mapping.Defaults{Lang: notification.Italian})
	var all yamldoc.Errors
	if !errors.As(err, &all) {
		t.Fatalf("got %v", err)
	}
	got := err.Error()
	for _, want := range []string{
		"p.yaml:3:11: group_by: la colonna «PROTT» non esiste nel file (forse «PROT»?)",
		"p.yaml:7:22: notification.subject: la colonna «NUMRO» non esiste nel file (forse «NUMERO»?)",
		"p.yaml:7:33: notification.subject: manca la graffa",
		"p.yaml:8:22: notification.abstract: la colonna «OGETTO»",
		"p.yaml:8:32: notification.abstract: la colonna «NOTE2»",
		"p.yaml:10:21: recipient.tax_id.column: la colonna «Codice fiscalle» non esiste nel file (forse «Codice fiscale»?)",
		"la colonna «Nomme» non esiste nel file (forse «Nome»?)",
		"recipient.address: l'espressione non è valida",
		"recipient.zip: l'espressione deve dare un testo, ma dà int",
		"recipient.municipality: la funzione «shell» non esiste; funzioni: pad,",
		"recipient.province: l'espressione non è valida",
		"recipient.state: nel file più colonne si chiamano «DOPPIA»",
		"documents[0].file: nel file più colonne si chiamano «DOPPIA»",
		"documents[0].when: qui serve un'espressione",
		"documents[1].file: l'espressione non è valida",
		"documents[2].file: dopo row va il nome",
		"documents[2].when: l'espressione non è valida",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
	if !strings.Contains(got, "\n      tax_id: {column: \"Codice fiscalle\"}\n                        ^") {
		t.Errorf("no caret:\n%s", got)
	}
	_, err = p.Compile(h, mapping.Defaults{Lang: notification.English})
	if !strings.Contains(err.Error(), `the file has no column "PROTT" (did you mean "PROT"?)`) {
		t.Error("not in English")
	}
	bare := strings.ReplaceAll(fines, "taxonomy: 010101P, paper: AR, pa_fee: 100, vat: 22, ", "")
	_, err = parse(t, bare).Compile(table.Heading{Names: strings.Split(strings.TrimSpace(finesHeading), ";")}, sender())
	for _, want := range []string{"defaults.taxonomy", "defaults.paper", "defaults.pa_fee", "defaults.vat"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("lacks %q: %v", want, err)
		}
	}
}

// Damage prevented: a hostile or absurd expression that stops the service.
func FuzzExpression(f *testing.F) {
	f.Add("upper(A) + B")
	f.Add(`row["A"] == "x" ? "1" : part(B, "/", 2)`)
	f.Add("1..1000000000")
	f.Add("$env")
	heading := table.Heading{Names: []string{"A", "B"}, Row: 1}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\n\r\t") || len(text) > 200 {
			return
		}
		profile := strings.Replace(fines, `subject: "Verbale n. {VERBALE}"`, "subject: {expr: '"+strings.ReplaceAll(text, "'", "''")+"'}", 1)
		p, err := mapping.Parse("p.yaml", []byte(profile), os.ReadFile)
		if err != nil {
			return
		}
		names := append(strings.Split(strings.TrimSpace(finesHeading), ";"), heading.Names...)
		m, err := p.Compile(table.Heading{Names: names, Row: 1}, sender())
		if err != nil {
			return
		}
		rows := func(yield func(table.Row, error) bool) {
			yield(table.Row{Number: 2, Cells: append(strings.Split(strings.TrimSpace(fineRow), ";"), "x/y", "1")}, nil)
		}
		for d, err := range m.Drafts(rows, nil) {
			if err != nil || len(d.Rows) != 1 {
				t.Fatalf("%v", err)
			}
		}
	})
}
