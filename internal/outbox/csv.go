package outbox

import (
	"bufio"
	"io"
	"strings"

	"sendconnector/internal/table"
)

// bom makes Excel read the file as UTF-8.
const bom = "\uFEFF"

// sheet writes the CSV that the outside face promises: ';', UTF-8 with BOM, CRLF,
// quotes as RFC 4180 has them, every cell guarded. encoding/csv is not used because
// with CRLF line ends it also rewrites the line breaks inside a cell.
type sheet struct {
	w     *bufio.Writer
	lines int
	err   error
}

// newSheet starts a file with its BOM and heading.
func newSheet(w io.Writer, heading []string) *sheet {
	s := &sheet{w: bufio.NewWriterSize(w, 64<<10)}
	_, s.err = s.w.WriteString(bom)
	s.record(heading)
	return s
}

// line writes one line below the heading.
func (s *sheet) line(cells []string) error {
	s.record(cells)
	s.lines++
	return s.err
}

// flush must be called at the end; it gives the first error of the whole file.
func (s *sheet) flush() error {
	if s.err != nil {
		return s.err
	}
	return s.w.Flush()
}

func (s *sheet) record(cells []string) {
	for i, cell := range cells {
		if i > 0 {
			s.byte(';')
		}
		s.cell(cell, len(cells) == 1)
	}
	s.string("\r\n")
}

// cell writes one cell. alone is a record of one cell, which must be quoted when
// empty or readers would take the line for a blank one.
func (s *sheet) cell(cell string, alone bool) {
	cell = table.Guard(tidy(cell))
	if !strings.ContainsAny(cell, ";\"\r\n") && (!alone || cell != "") {
		s.string(cell)
		return
	}
	s.byte('"')
	for {
		i := strings.IndexByte(cell, '"')
		if i < 0 {
			break
		}
		s.string(cell[:i])
		s.string(`""`)
		cell = cell[i+1:]
	}
	s.string(cell)
	s.byte('"')
}

func (s *sheet) byte(b byte) {
	if s.err == nil {
		s.err = s.w.WriteByte(b)
	}
}

func (s *sheet) string(text string) {
	if s.err == nil {
		_, s.err = s.w.WriteString(text)
	}
}

// tidy makes the cell one that any CSV reader gives back as it was: valid UTF-8, no
// NUL (Excel cuts the cell there), and line breaks inside it as a single LF, since
// readers drop the CR before one anyway.
func tidy(cell string) string {
	if strings.IndexByte(cell, 0) >= 0 {
		cell = strings.ReplaceAll(cell, "\x00", "")
	}
	if strings.IndexByte(cell, '\r') >= 0 {
		cell = joinBreaks(cell)
	}
	return strings.ToValidUTF8(cell, "\uFFFD")
}

// joinBreaks drops every CR that stands directly before an LF, however many.
func joinBreaks(cell string) string {
	for strings.Contains(cell, "\r\n") {
		cell = strings.ReplaceAll(cell, "\r\n", "\n")
	}
	return cell
}
