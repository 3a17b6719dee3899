package reader

import (
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"sendconnector/internal/table"
)

const outcome = "PROT;NOME;NOTA;send_riga;send_esito;send_messaggio\r\n" +
	"P1;Niccolò;'=1+1;2;SCARTATA;\"CAP; errato\"\r\n" +
	"P1;Niccolò;'=1+1;2;SCARTATA;altro destinatario\r\n" +
	"P2;'-5;=\"007\";4;IN_CODA;\r\n" +
	"P1;Niccolò;corretto;2;SCARTATA;\r\n" +
	"P3;nuova;;;;\r\n"

// Damage prevented (rule 12): a clerk's corrected outcome file refused, read with the
// wrong columns, or its recipients counted as notifications.
func TestRule12OutcomeDroppedAgain(t *testing.T) {
	profile := table.Format{Kind: "csv", Encoding: "cp850", Delimiter: ',', NoHeading: true, SkipRows: 3, Quote: '\''}
	want := "2:P1|Niccolò|=1+1\n4:P2|-5|007\n5:P1|Niccolò|corretto\n6:P3|nuova|"
	for name, content := range map[string][]byte{
		"as written":            []byte("\xef\xbb\xbf" + outcome),
		"resaved, windows-1252": encode(t, charmap.Windows1252, outcome),
		"resaved, commas":       []byte(strings.ReplaceAll(strings.ReplaceAll(outcome, "\"CAP; errato\"", "CAP"), ";", ",")),
		"resaved, tabs, UTF-16": utf16bytes(strings.ReplaceAll(strings.ReplaceAll(outcome, "\"CAP; errato\"", "CAP"), ";", "\t"), false, true),
		"quoted":                []byte("\"PROT\";\"NOME\";\"NOTA\";\"send_riga\";\"send_esito\";\"send_messaggio\"\n" + outcome[strings.IndexByte(outcome, '\n')+1:]),
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range []table.Format{profile, {Kind: "xlsx"}, {Kind: "jsonl"}, {}} {
				file, rows := mustRead(t, "x.esito.csv", content, f)
				if got := cells(rows); got != want || !file.Outcome() || strings.Join(file.Heading().Names, "|") != "PROT|NOME|NOTA" {
					t.Errorf("format %+v: heading %v\n%s", f, file.Heading(), got)
				}
			}
		})
	}
	path := book(t, func(f *excelize.File, s string) {
		set(t, f, s, "A1", "Riepilogo", "")
		if _, err := f.NewSheet("Esito"); err != nil {
			t.Fatal(err)
		}
		for i, line := range []string{"PROT|NOME|NOTA|send_riga|send_esito", "P1|Niccolò|'=1+1|2|SCARTATA", "P1|Niccolò|'=1+1|2|SCARTATA", "P2|x||3|IN_CODA"} {
			for j, cell := range strings.Split(line, "|") {
				set(t, f, "Esito", string(rune('A'+j))+itoa(i+1), cell, "")
			}
		}
	})
	for _, kind := range []string{"csv", "xlsx", "jsonl"} {
		file, rows, err := all(path, table.Format{Kind: kind, Sheet: "Foglio9"})
		if err != nil {
			t.Fatal(err)
		}
		if got := cells(rows); got != "2:P1|Niccolò|=1+1\n4:P2|x|" || !file.Outcome() {
			t.Errorf("%s: got\n%s", kind, got)
		}
	}
	_, _, err := all(write(t, "j.esito.csv", []byte("\xef\xbb\xbfsend_riga;send_esito\r\n1;SCARTATA\r\n")), table.Format{Kind: "jsonl"})
	wantFileError(t, err, "C-OUTCOME-JSONL")
	if file, _ := mustRead(t, "a.csv", []byte("A;send_riga\n1;2\n"), table.Format{}); file.Outcome() {
		t.Error("one of the two columns is not enough")
	}
}

// Damage prevented: a heading that a spreadsheet would run is neutralised in the
// outcome file, and then the profile no longer finds its column.
func TestRule12HeadingsAreUnguarded(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"=HYPERLINK(1)", "+39", "-x", "@y", "＝z", "'=a", "CF"} {
		text := "\ufeff" + table.Guard(name) + ";B;send_riga;send_esito\r\n1;2;2;SCARTATA\r\n"
		file, rows := mustRead(t, "x.csv", []byte(text), table.Format{Kind: "csv"})
		if got := file.Heading().Names; len(got) != 2 || got[0] != name || len(rows) != 1 {
			t.Errorf("%q came back as %q", name, got)
		}
	}
}
