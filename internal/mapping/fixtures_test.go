package mapping_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sendconnector/internal/ingest/reader"
	"sendconnector/internal/mapping"
	"sendconnector/internal/notification"
)

// fines is a profile of the kind docs/profiles.md shows: one row, one notification.
const fines = `version: 1
name: multe
format: {kind: csv, delimiter: ";"}
defaults: {taxonomy: 010101P, paper: AR, pa_fee: 100, vat: 22, pagopa_mode: SYNC}
notification:
  protocol: PROTOCOLLO
  subject: "Verbale n. {VERBALE}"
  amount: {column: IMPORTO, amount: it}
  payment_due: {column: SCADENZA, date: gg/mm/aaaa}
recipient:
  tax_id: CF
  surname: COGNOME
  name: NOME
  address: VIA
  zip: {column: CAP, pad: 5}
  municipality: COMUNE
  province: PROV
  state: {value: ITALIA}
payments:
  - notice: AVVISO
documents:
  - file: "atti/{PROTOCOLLO}.pdf"
    title: {value: Verbale}
`

const finesHeading = "PROTOCOLLO;VERBALE;IMPORTO;SCADENZA;CF;COGNOME;NOME;VIA;CAP;COMUNE;PROV;AVVISO\n"

const fineRow = "2026/1;V1;1.234,50;31/12/2026;FRMTTR76M06B715E;FIERAMOSCA;ETTORE;VIA TORINO 15;20123;MILANO;MI;301000000001234519\n"

// sender are the defaults of an invented body.
func sender() mapping.Defaults {
	return mapping.Defaults{SenderTaxID: "01199250158", SenderDenomination: "Comune di Prova", Lang: notification.Italian}
}

func rules() notification.Rules {
	r := notification.DefaultRules()
	r.SenderTaxID = "01199250158"
	return r
}

func parse(t testing.TB, profile string) *mapping.Profile {
	t.Helper()
	p, err := mapping.Parse("p.yaml", []byte(profile), os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mapText maps a CSV text by a profile (parsed already, if one is given) and validates
// what comes out.
func mapText(t testing.TB, profile, text string, d mapping.Defaults, parsed ...*mapping.Profile) []*mapping.Draft {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(parsed) > 0 {
		return mapParsed(t, parsed[0], path, d)
	}
	return mapFile(t, profile, path, d)
}

func mapFile(t testing.TB, profile, path string, d mapping.Defaults) []*mapping.Draft {
	t.Helper()
	return mapParsed(t, parse(t, profile), path, d)
}

func mapParsed(t testing.TB, p *mapping.Profile, path string, d mapping.Defaults) []*mapping.Draft {
	t.Helper()
	f, err := reader.Open(path, p.Reads())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	m, err := p.Compile(f.Heading(), d)
	if err != nil {
		t.Fatal(err)
	}
	var drafts []*mapping.Draft
	for draft, err := range m.Drafts(f.Rows(), func() (mapping.Rows, error) { return f.Rows(), nil }) {
		if err != nil {
			t.Fatal(err)
		}
		if draft.Request != nil {
			draft.Attach(notification.Validate(draft.Request, rules()))
		}
		drafts = append(drafts, draft)
	}
	return drafts
}

// told writes the problems of a row as "CODE field" texts.
func told(d *mapping.Draft, row int) string {
	var out []string
	for _, p := range d.RowProblems(row) {
		if p.Code == "C-TAXONOMY-UNPAID" { // the rows of these tests often have no payment
			continue
		}
		out = append(out, strings.TrimSpace(p.Code+" "+p.Field))
	}
	return strings.Join(out, "; ")
}
