package reader

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"sendconnector/internal/notification"
	"sendconnector/internal/table"
)

// write makes a real file.
func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// all reads every row; the error is that of Open or of the stream.
func all(path string, f table.Format) (*File, []table.Row, error) {
	file, err := Open(path, f)
	if err != nil {
		return nil, nil, err
	}
	var rows []table.Row
	for row, err := range file.Rows() {
		if err != nil {
			return file, rows, errors.Join(err, file.Close())
		}
		rows = append(rows, row)
	}
	return file, rows, file.Close()
}

func mustRead(t testing.TB, name string, content []byte, f table.Format) (*File, []table.Row) {
	t.Helper()
	file, rows, err := all(write(t, name, content), f)
	if err != nil {
		t.Fatal(err)
	}
	return file, rows
}

// cells writes rows as "number:a|b|c" texts.
func cells(rows []table.Row) string {
	var out []string
	for _, r := range rows {
		text := itoa(r.Number) + ":" + strings.Join(r.Cells, "|")
		for _, f := range r.Faults {
			text += " !" + f.Code + "@" + itoa(f.Column)
		}
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}

func itoa(i int) string {
	if i < 0 {
		return "-" + itoa(-i)
	}
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + string(rune('0'+i%10))
}

// wantFileError checks code and words of a whole-file error, in both languages.
func wantFileError(t *testing.T, err error, code string, words ...string) {
	t.Helper()
	var fe *FileError
	if !errors.As(err, &fe) {
		t.Fatalf("got %v, want a FileError %s", err, code)
	}
	if fe.Problem.Code != code {
		t.Fatalf("got %s, want %s", fe, code)
	}
	for _, w := range words {
		if !strings.Contains(fe.Problem.Message, w) {
			t.Errorf("%q lacks %q", fe.Problem.Message, w)
		}
	}
	if en := fe.In(notification.English).Message; en == fe.Problem.Message || strings.ContainsAny(en, "{}") || strings.ContainsAny(fe.Problem.Message, "{}") {
		t.Errorf("texts: %q / %q", fe.Problem.Message, en)
	}
	for _, italian := range []string{"riga ", "colonna", "foglio", "profilo", "salvar", "un file", "più ", "dimensione", "nessuno"} {
		if strings.Contains(fe.In(notification.English).Message, italian) {
			t.Errorf("Italian is left: %q", fe.In(notification.English).Message)
		}
	}
}

func encode(t testing.TB, cm *charmap.Charmap, text string) []byte {
	t.Helper()
	out, err := cm.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func utf16bytes(text string, big, bom bool) []byte {
	var b bytes.Buffer
	put := func(r rune) {
		if big {
			b.Write([]byte{byte(r >> 8), byte(r)})
		} else {
			b.Write([]byte{byte(r), byte(r >> 8)})
		}
	}
	if bom {
		put(0xfeff)
	}
	for _, r := range text {
		put(r)
	}
	return b.Bytes()
}

// zipped makes an archive of the given entries.
func zipped(t testing.TB, entries map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range entries {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
