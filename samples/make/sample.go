package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/text/encoding/charmap"
)

// sample is one service: what is dropped, and what must become of every row.
type sample struct {
	name   string
	export string            // file name of the export
	files  map[string][]byte // the drop, the export included, by relative name
	lines  []line
	notice int // serial of the notice given last
}

// line is an expected line of the outcome file.
type line struct {
	row, recipient int // recipient 0: blank
	outcome, code  string
	unreachable    bool
	note           string
}

func newSample(name, export string, firstNotice int) *sample {
	return &sample{name: name, export: export, files: map[string][]byte{}, notice: firstNotice}
}

// nextNotice gives a notice number that no other row has.
func (s *sample) nextNotice() string {
	s.notice++
	return noticeNumber(s.notice)
}

// The outcomes that a row of the samples may end with.
const (
	delivered = "PERFEZIONATA"
	returned  = "RESTITUITA"
	rejected  = "SCARTATA"
	known     = "GIA_PRESENTE"
	refused   = "RIFIUTATA"
)

// expect adds an expected line.
func (s *sample) expect(row, recipient int, outcome, code, note string) {
	s.lines = append(s.lines, line{row: row, recipient: recipient, outcome: outcome, code: code, note: note})
}

// byLapse says of the line expected last that nobody could be reached, so that the
// notification takes effect by the lapse of time.
func (s *sample) byLapse() { s.lines[len(s.lines)-1].unreachable = true }

// write puts the drop and its expectations below dir.
func (s *sample) write(dir string) error {
	for name, data := range s.files {
		if err := writeFile(filepath.Join(dir, s.name, "deposito", filepath.FromSlash(name)), data); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(dir, s.name, "atteso.csv"), s.expectations())
}

func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

func (s *sample) expectations() []byte {
	rows := [][]string{{"riga", "destinatario", "esito", "codice", "nota", "irreperibile"}}
	for _, l := range s.lines {
		recipient, unreachable := "", ""
		if l.recipient > 0 {
			recipient = strconv.Itoa(l.recipient)
		}
		if l.unreachable {
			unreachable = "si"
		}
		rows = append(rows, []string{strconv.Itoa(l.row), recipient, l.outcome, l.code, l.note, unreachable})
	}
	return table(rows)
}

// table writes rows as Italian programs do: semicolons, CRLF.
func table(rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	if err := w.WriteAll(rows); err != nil {
		panic(err) // a buffer cannot fail; a bad cell is a mistake in this program
	}
	return b.Bytes()
}

// windows1252 encodes as the old programs do.
func windows1252(utf8 []byte) []byte {
	out, err := charmap.Windows1252.NewEncoder().Bytes(utf8)
	if err != nil {
		panic(fmt.Sprintf("not in windows-1252: %v", err))
	}
	return out
}
