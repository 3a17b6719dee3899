package reader

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"sendconnector/internal/table"
)

// Limits of a text file. They are far above any real export and far below what
// would exhaust a small server.
const (
	maxRecordBytes = 1 << 20
	maxColumns     = 2000
	defaultMaxRows = 5_000_000
	maxTextBytes   = 8 << 30
)

// csvScanner cuts a stream of an ASCII superset into records. It has its own cutter
// instead of encoding/csv because rows must be numbered as a spreadsheet numbers
// them, unclosed quotes must be told where they open, and one-byte encodings are
// cheaper to decode after cutting.
type csvScanner struct {
	src          io.Reader
	buf          []byte
	from, to     int
	ended        bool
	breakByte    byte // '\n', or '\r' in files that have no other
	delim, quote byte

	row     int // margin number of the record read last
	columns int // of the heading, once known: makes runaway quotes visible
	text    []byte
	ends    []int // end of each field in text
	odd     int   // field with text after its closing quotes, -1 if none
	cut     bool  // the record ended with the file, without a line break
}

func newCSVScanner(src io.Reader, delim, quote, breakByte byte) *csvScanner {
	return &csvScanner{src: src, buf: make([]byte, 64<<10), delim: delim, quote: quote, breakByte: breakByte, odd: -1}
}

// line returns the next line without its break; it is valid until the next call.
func (s *csvScanner) line() ([]byte, error) {
	seen := 0
	for {
		if i := bytes.IndexByte(s.buf[s.from+seen:s.to], s.breakByte); i >= 0 {
			line := s.buf[s.from : s.from+seen+i]
			s.from += seen + i + 1
			s.cut = false
			return trimCR(line), nil
		}
		seen = s.to - s.from
		if s.ended {
			if seen == 0 {
				return nil, io.EOF
			}
			line := s.buf[s.from:s.to]
			s.from, s.cut = s.to, true
			if n := len(line); line[n-1] == 0x1a { // the end mark of DOS programs
				s.cut = false
				if line = line[:n-1]; len(line) == 0 {
					return nil, io.EOF
				}
			}
			return trimCR(line), nil
		}
		if seen > maxRecordBytes {
			return nil, s.tooLong()
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

func (s *csvScanner) tooLong() error {
	return fileError("C-FILE-LIMIT", "detail", "riga "+strconv.Itoa(s.row+1)+": più di "+strconv.Itoa(maxRecordBytes)+" byte in una riga")
}

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// fill reads more, keeping what has not been used.
func (s *csvScanner) fill() error {
	if s.from > 0 {
		copy(s.buf, s.buf[s.from:s.to])
		s.to -= s.from
		s.from = 0
	}
	if s.to == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	n, err := s.src.Read(s.buf[s.to:])
	s.to += n
	if err == io.EOF {
		s.ended = true
		return nil
	}
	return err
}

// next reads a record into text and ends. A record is one row of the margin,
// however many lines it holds.
func (s *csvScanner) next() error {
	line, err := s.line()
	if err != nil {
		return err
	}
	s.row++
	s.text, s.ends, s.odd = s.text[:0], s.ends[:0], -1
	if bytes.IndexByte(line, s.quote) < 0 {
		return s.plain(line)
	}
	return s.quoted(line)
}

// plain cuts a record without quotes.
func (s *csvScanner) plain(line []byte) error {
	for {
		i := bytes.IndexByte(line, s.delim)
		if i < 0 {
			s.text = append(s.text, line...)
			return s.endField()
		}
		s.text = append(s.text, line[:i]...)
		if err := s.endField(); err != nil {
			return err
		}
		line = line[i+1:]
	}
}

func (s *csvScanner) endField() error {
	s.ends = append(s.ends, len(s.text))
	if len(s.ends) > maxColumns {
		return fileError("C-FILE-LIMIT", "detail", "riga "+strconv.Itoa(s.row)+": più di "+strconv.Itoa(maxColumns)+" colonne")
	}
	return nil
}

// quoted cuts a record with quotes, reading on where they span lines. A quote inside
// an unquoted field is text, as in spreadsheets.
func (s *csvScanner) quoted(line []byte) error {
	for {
		if len(line) > 0 && line[0] == s.quote {
			rest, err := s.quotedField(line[1:])
			if err != nil {
				return err
			}
			line = rest
		} else {
			i := bytes.IndexByte(line, s.delim)
			if i < 0 {
				s.text = append(s.text, line...)
				return s.endField()
			}
			s.text = append(s.text, line[:i]...)
			line = line[i:]
		}
		if err := s.endField(); err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		line = line[1:] // the delimiter
	}
}

// quotedField reads a field whose opening quote is already gone; what it returns
// begins with the delimiter or is empty.
func (s *csvScanner) quotedField(line []byte) ([]byte, error) {
	begin := len(s.text)
	for {
		i := bytes.IndexByte(line, s.quote)
		if i < 0 {
			s.text = append(s.text, line...)
			s.text = append(s.text, '\n')
			var err error
			if line, err = s.continued(begin); err != nil {
				return nil, err
			}
			continue
		}
		s.text = append(s.text, line[:i]...)
		line = line[i+1:]
		if len(line) > 0 && line[0] == s.quote {
			s.text = append(s.text, s.quote)
			line = line[1:]
			continue
		}
		end := bytes.IndexByte(line, s.delim)
		if end < 0 {
			end = len(line)
		}
		if tail := line[:end]; len(bytes.TrimSpace(tail)) > 0 {
			s.odd = len(s.ends)
			s.text = append(append(s.text, s.quote), tail...)
		}
		return line[end:], nil
	}
}

// continued fetches the next line of a field that spans lines. A line inside the
// field that looks like a record of its own means that the quotes were never meant
// to stay open.
func (s *csvScanner) continued(begin int) ([]byte, error) {
	line, err := s.line()
	inside := line
	if i := bytes.IndexByte(line, s.quote); i >= 0 {
		inside = line[:i]
	}
	if errors.Is(err, io.EOF) || err == nil && s.columns >= 3 && bytes.Count(inside, []byte{s.delim}) >= s.columns-1 {
		return nil, fileError("C-FILE-QUOTE", "row", strconv.Itoa(s.row), "column", strconv.Itoa(len(s.ends)+1))
	}
	if err == nil && len(s.text)-begin > maxRecordBytes {
		err = s.tooLong()
	}
	return line, err
}

func (s *csvScanner) blank() bool { return len(bytes.TrimSpace(s.text)) == 0 }

// csvSource turns records into rows.
type csvSource struct {
	scan    *csvScanner
	close   func() error
	dec     *decoding // nil for UTF-8
	columns int
	shift   int // rows above the first one counted
	decoded []byte
	ends    []int
	count   int
	maxRows int
}

// next is the next row that is not blank, io.EOF after the last.
func (c *csvSource) next() (table.Row, error) {
	for {
		if err := c.scan.next(); err != nil {
			return table.Row{}, err
		}
		if c.scan.blank() {
			continue
		}
		if c.count++; c.count > c.maxRows {
			return table.Row{}, fileError("C-FILE-LIMIT", "detail", "più di "+strconv.Itoa(c.maxRows)+" righe")
		}
		return c.row(), nil
	}
}

// row copies the record out: one string for all cells and one slice.
func (c *csvSource) row() table.Row {
	s := c.scan
	text, ends, lost := s.text, s.ends, false
	if high := !isASCII(text); high && c.dec != nil {
		text, ends, lost = c.decode(text, ends)
	} else if high {
		lost = bytes.Contains(text, []byte("\ufffd"))
	}
	whole := string(text)
	cells := make([]string, max(len(ends), c.columns))
	from := 0
	for i, end := range ends {
		cells[i] = whole[from:end]
		from = end
	}
	row := table.Row{Number: s.row - c.shift, Cells: cells}
	c.faults(&row, lost)
	return row
}

func (c *csvSource) decode(text []byte, ends []int) ([]byte, []int, bool) {
	c.decoded, c.ends = c.decoded[:0], c.ends[:0]
	from, anyLost := 0, false
	for _, end := range ends {
		var lost bool
		c.decoded, lost = c.dec.appendTo(c.decoded, text[from:end])
		anyLost = anyLost || lost
		c.ends = append(c.ends, len(c.decoded))
		from = end
	}
	return c.decoded, c.ends, anyLost
}

// faults marks what the mapping must not trust.
func (c *csvSource) faults(row *table.Row, lost bool) {
	found := len(c.scan.ends)
	for i := c.columns; i < found && c.columns > 0; i++ {
		if !isBlank(row.Cells[i]) {
			row.Faults = append(row.Faults, table.Fault{Column: table.WholeRow, Code: "C-LINE-CELLS", Detail: strconv.Itoa(found) + "/" + strconv.Itoa(c.columns)})
			break
		}
	}
	if c.scan.cut && found < c.columns {
		row.Faults = append(row.Faults, table.Fault{Column: table.WholeRow, Code: "C-LINE-CUT", Detail: strconv.Itoa(found) + "/" + strconv.Itoa(c.columns)})
	}
	if c.scan.odd >= 0 {
		row.Faults = append(row.Faults, table.Fault{Column: c.scan.odd, Code: "C-CELL-QUOTE", Detail: clip(row.Cells[c.scan.odd])})
	}
	for i, cell := range row.Cells {
		if lost && containsRune(cell, '\ufffd') {
			row.Faults = append(row.Faults, table.Fault{Column: i, Code: "C-CELL-ENCODING", Detail: clip(cell)})
		}
		if isScientific(cell) {
			row.Faults = append(row.Faults, table.Fault{Column: i, Code: "C-CELL-SCIENTIFIC", Detail: clip(cell)})
		}
	}
	if c.columns > 0 && len(row.Cells) > c.columns {
		row.Cells = row.Cells[:c.columns:c.columns]
	}
}

func isBlank(s string) bool {
	for i := range len(s) {
		if s[i] != ' ' && s[i] != '\t' {
			return false
		}
	}
	return true
}

// isScientific recognises what Excel makes of a long number in a CSV: 3,02E+17.
func isScientific(s string) bool {
	n := len(s)
	if n < 5 || n > 24 || s[n-4] != 'E' || s[n-3] != '+' || !isDigit(s[n-2]) || !isDigit(s[n-1]) || !isDigit(s[0]) {
		return false
	}
	for i := 1; i < n-4; i++ {
		if !isDigit(s[i]) && s[i] != ',' && s[i] != '.' {
			return false
		}
	}
	return true
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// clip shortens a value shown in a message.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
