package reader

import (
	"strings"
	"testing"

	"sendconnector/internal/table"
)

// Damage prevented: a crash over lines that are no JSON, or a line that is lost or
// counted twice.
func FuzzJSONL(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n\n{\"a\":2}\r\n"))
	f.Add([]byte("\xef\xbb\xbf{}\r{}\x1a"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<14 {
			return
		}
		path := write(t, "a.jsonl", content)
		_, rows, err := all(path, table.Format{Kind: "jsonl"})
		if err != nil {
			return
		}
		last := 0
		for _, r := range rows {
			if r.Number <= last || len(r.Cells) != 1 || strings.TrimSpace(r.Cells[0]) == "" {
				t.Fatalf("row %d after %d: %q", r.Number, last, r.Cells)
			}
			last = r.Number
		}
	})
}

// Damage prevented (rule 12): a crash over an outcome file that a spreadsheet spoiled,
// a column of ours read as the program's, a row of it taken twice.
func FuzzOutcome(f *testing.F) {
	f.Add([]byte(outcome))
	f.Add([]byte("sep=,\nA,send_riga,send_esito\n'=1,2,SCARTATA\n'=1,2,SCARTATA\n"))
	f.Add(utf16bytes("A\tsend_riga\tsend_esito\n1\t2\tSCARTATA\n", false, true))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<14 {
			return
		}
		file, rows, err := all(write(t, "a.esito.csv", content), table.Format{Kind: "csv"})
		if err != nil || !file.Outcome() {
			return
		}
		names, last := file.Heading().Names, 0
		for _, n := range names {
			if strings.HasPrefix(n, outcomePrefix) {
				t.Fatalf("%q is a column of ours", n)
			}
		}
		for _, r := range rows {
			if r.Number <= last || len(r.Cells) != len(names) {
				t.Fatalf("row %d after %d has %d cells of %d", r.Number, last, len(r.Cells), len(names))
			}
			last = r.Number
		}
	})
}
