package mapping

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sendconnector/internal/notification"
	"sendconnector/internal/table"
	"sendconnector/internal/yamldoc"
)

// Damage prevented: a service that dies over a profile that somebody is typing, or
// over a copy of one that was damaged in a manifest.
func FuzzProfile(f *testing.F) {
	samples, err := filepath.Glob(filepath.Join("..", "..", "samples", "*", "*.yaml"))
	if err != nil || len(samples) == 0 {
		f.Fatal("no samples: ", err)
	}
	for _, name := range samples {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data), "CODICE;TESTO\n1;uno\n")
	}
	f.Fuzz(func(t *testing.T, text, beside string) {
		if len(text) > 1<<15 {
			return
		}
		p, err := Parse("profile.yaml", []byte(text), func(string) ([]byte, error) { return []byte(beside), nil })
		if err == nil {
			_, _ = p.Reads(), p.Companions()
			return
		}
		var all yamldoc.Errors
		if !errors.As(err, &all) || len(all) == 0 {
			t.Fatalf("an error of another type: %T %v", err, err)
		}
	})
}

// Damage prevented: a service that dies over the table beside a profile, which a clerk
// edits in a spreadsheet, or that looks up what the table does not say.
func FuzzLookup(f *testing.F) {
	f.Add([]byte("CODICE;TESTO\n1;uno\n2;due\n"), ";")
	f.Add([]byte("\xef\xbb\xbfCODICE,TESTO\r\n\"1\",\"u\"\"no\"\r\n1,altro"), ",")
	f.Add([]byte("TESTO\tCODICE\n\nuno\n"), "\t")
	f.Fuzz(func(t *testing.T, data []byte, delimiter string) {
		l := lookup{key: "CODICE", value: "TESTO", delimiter: delimiter}
		if err := l.read(data); err != nil {
			return
		}
		if len(l.entries) > maxLookup {
			t.Fatalf("%d entries", len(l.entries))
		}
		for key := range l.entries {
			if !bytes.Contains(bytes.ToUpper(data), []byte(strings.ReplaceAll(key, `"`, `""`))) && !strings.Contains(key, "\n") {
				t.Fatalf("the key %q is not in the table", key)
			}
		}
	})
}

// Damage prevented: a line as long as lines may be brings an outcome file of megabytes
// or keeps the service busy, wherever in the line the elements are.
func TestHostileLineHasFewProblems(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"refused":    `{"recipients":[` + strings.TrimSuffix(strings.Repeat("{},", 349_000), ",") + `]}`,
		"just taken": `{"paProtocolNumber":"1","recipients":[` + strings.TrimSuffix(strings.Repeat(`{"payments":[{}]},`, 500), ",") + `]}`,
	} {
		rows := func(yield func(table.Row, error) bool) {
			yield(table.Row{Number: 1, Cells: []string{text}}, nil)
		}
		for d, err := range DraftsJSONL(rows, Defaults{}) {
			if err != nil {
				t.Fatal(err)
			}
			if d.Request != nil {
				d.Attach(notification.Validate(d.Request, notification.DefaultRules()))
			}
			problems := d.RowProblems(0)
			if n := len(problems); !d.Stopped() || n == 0 || n > 101 {
				t.Errorf("%s: stopped %v, %d problems", name, d.Stopped(), n)
			}
		}
	}
}
