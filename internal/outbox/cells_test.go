package outbox

import (
	"bytes"
	"encoding/csv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sendconnector/internal/table"
)

// Damage prevented: a cell comes back changed when the outcome file is dropped again
// (rule 12), or a cell starts a formula after all.
func TestRule12CellsRoundTrip(t *testing.T) {
	text := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`['=+\-@;" \t\r\n＝0-9.,a]{0,12}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(text, 3, 3), 1, 5).Draw(t, "rows")
		var file bytes.Buffer
		s := newSheet(&file, []string{"a", "b", "c"})
		for _, r := range rows {
			if err := s.line(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.flush(); err != nil {
			t.Fatal(err)
		}
		got := parse(t, file.Bytes())[1:]
		if len(got) != len(rows) {
			t.Fatalf("%d lines for %d rows", len(got), len(rows))
		}
		for i, r := range rows {
			for j, cell := range r {
				if table.StartsFormula(got[i][j]) && got[i][j] != table.Guard(table.Unguard(got[i][j])) {
					t.Errorf("cell %q starts a formula", got[i][j])
				}
				if back := table.Unguard(got[i][j]); back != tidy(cell) {
					t.Errorf("%q came back as %q", cell, back)
				}
			}
		}
	})
}

type fataler interface{ Fatal(args ...any) }

// parse reads one of our files as another program would.
func parse(t fataler, file []byte) [][]string {
	text, ok := bytes.CutPrefix(file, []byte(bom))
	if !ok {
		t.Fatal("no byte order mark")
	}
	if bytes.Contains(text, []byte("\r\n\r\n\r\n")) {
		t.Fatal("blank lines")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = ';'
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Damage prevented: an instant an hour off around the change of clocks, or a date of
// effect a day off (deadlines of citizens count from it).
func TestTimesAreRome(t *testing.T) {
	winter := time.Date(2026, 11, 22, 13, 30, 5, 0, time.UTC)
	summer := time.Date(2026, 7, 1, 22, 30, 5, 0, time.UTC)
	if got, want := instant(winter), "2026-11-22T14:30:05+01:00"; got != want {
		t.Errorf("winter %s, want %s", got, want)
	}
	if got, want := instant(summer), "2026-07-02T00:30:05+02:00"; got != want {
		t.Errorf("summer %s, want %s", got, want)
	}
	if got, want := date(summer), "2026-07-02"; got != want {
		t.Errorf("date %s, want %s", got, want)
	}
	if instant(time.Time{}) != "" || date(time.Time{}) != "" {
		t.Error("a time that is not known is not blank")
	}
}

// Damage prevented: a line read as blank, or the next cell swallowed by a quote.
func TestSheetBytes(t *testing.T) {
	var file bytes.Buffer
	s := newSheet(&file, []string{"uno"})
	for _, cell := range []string{"", `dice "sì"`, "a;b", "due\r\nrighe", "x\x00y"} {
		if err := s.line([]string{cell}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	want := bom + "uno\r\n\"\"\r\n\"dice \"\"sì\"\"\"\r\n\"a;b\"\r\n\"due\nrighe\"\r\nxy\r\n"
	if file.String() != want {
		t.Errorf("got  %q\nwant %q", file.String(), want)
	}
}
