package reader

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"sendconnector/internal/table"
)

// textPlan is how the text of a file is read: decided once in Open, used by every
// pass.
type textPlan struct {
	path      string
	skip      int64 // bytes of a byte order mark or "sep=" line
	encoding  string
	bigEndian bool
	breakByte byte
	delim     byte
	quote     byte
}

// boms are the byte order marks, the longest first.
var boms = []struct {
	mark     string
	encoding string
	big      bool
}{{"\xef\xbb\xbf", "utf-8", false}, {"\xff\xfe", "utf-16", false}, {"\xfe\xff", "utf-16", true}}

// planText surveys a text file and settles its encoding: the byte order mark decides;
// then what is strictly UTF-8 throughout is UTF-8; then the profile's encoding, or
// windows-1252, if the accented words look right in it.
func planText(path, encoding string) (textPlan, survey, error) {
	plan := textPlan{path: path, breakByte: '\n'}
	if encoding != "" && !slices.Contains(Encodings(), encoding) {
		return plan, survey{}, fileError("C-FILE-READ", "detail", "format.encoding "+strconv.Quote(encoding)+": "+strings.Join(Encodings(), ", "))
	}
	file, err := openRaw(path)
	if err != nil {
		return plan, survey{}, err
	}
	defer func() { _ = file.Close() }()
	s, err := surveyOf(io.LimitReader(file, maxTextBytes+1))
	if err != nil {
		return plan, s, readError(err)
	}
	if s.size > maxTextBytes {
		return plan, s, fileError("C-FILE-LIMIT", "detail", "dimensione oltre "+strconv.Itoa(maxTextBytes>>30)+" GB")
	}
	if s.cr > 0 && s.lf == 0 {
		plan.breakByte = '\r'
	}
	head := make([]byte, 4)
	n, _ := file.ReadAt(head, 0)
	for _, b := range boms {
		if strings.HasPrefix(string(head[:n]), b.mark) {
			plan.skip, plan.encoding, plan.bigEndian = int64(len(b.mark)), b.encoding, b.big
			if b.encoding == "utf-8" && !s.validUTF {
				return plan, s, s.notUTF8(file)
			}
			return plan, s, plan.checkNUL(s)
		}
	}
	if err := plan.settle(s, file, encoding); err != nil {
		return plan, s, err
	}
	return plan, s, plan.checkNUL(s)
}

// settle decides the encoding of a file without byte order mark.
func (p *textPlan) settle(s survey, file *os.File, wanted string) error {
	little, utf16 := s.looksUTF16()
	switch {
	case wanted == "utf-16" && utf16:
		p.encoding, p.bigEndian = "utf-16", !little
		return nil
	case utf16:
		return fileError("C-FILE-KIND", "expected", "CSV", "found", "testo UTF-16 senza indicatore iniziale (BOM)",
			"remedy", "Indicare nel profilo la codifica utf-16 oppure esportare di nuovo il file.")
	case s.validUTF:
		p.encoding = "utf-8"
		return nil
	case wanted == "utf-8":
		return s.notUTF8(file)
	case wanted == "utf-16":
		return s.encodingError(file, "utf-16", "per esempio riga 1")
	}
	if p.encoding = wanted; wanted == "" {
		p.encoding = "windows-1252"
	}
	words, err := wordsOf(file)
	if err != nil {
		return readError(err)
	}
	if mostlyUTF8(words) {
		return s.damagedUTF8()
	}
	if other, example := likelier(words, p.encoding); other != "" {
		return fileError("C-FILE-ENCODING", "expected", p.encoding, "detail", "per esempio «"+example+"»", "likely", other)
	}
	return nil
}

// checkNUL refuses bytes that no text holds.
func (p *textPlan) checkNUL(s survey) error {
	if p.encoding != "utf-16" && s.nulLine > 0 {
		return fileError("C-FILE-DAMAGED", "detail", "caratteri nulli, riga "+strconv.FormatInt(s.nulLine, 10))
	}
	return nil
}

func (s survey) notUTF8(file *os.File) error {
	return s.encodingError(file, "utf-8", s.badPlace())
}

func (s survey) badPlace() string {
	return "il carattere illeggibile è alla riga " + strconv.Itoa(s.badLine) + ", byte " + strconv.Itoa(s.badCol)
}

// damagedUTF8 is a text that is UTF-8 but for some bytes: cut off, or put together of
// two files. Another encoding would read all of its accents wrongly.
func (s survey) damagedUTF8() error {
	return fileError("C-FILE-DAMAGED", "detail", "utf-8: "+s.badPlace())
}

// encodingError names the encoding that fits best.
func (s survey) encodingError(file *os.File, expected, detail string) error {
	likely := "windows-1252"
	if words, err := wordsOf(file); err == nil {
		if mostlyUTF8(words) && !s.validUTF {
			return s.damagedUTF8()
		}
		if other, _ := likelier(words, likely); other != "" {
			likely = other
		}
	}
	return fileError("C-FILE-ENCODING", "expected", expected, "detail", detail, "likely", likely)
}

func wordsOf(file *os.File) ([][]byte, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return accentedWords(file)
}

// open starts a pass over the text; one-byte encodings are left to the scanner.
func (p *textPlan) open() (io.Reader, func() error, error) {
	file, err := openRaw(p.path)
	if err != nil {
		return nil, nil, err
	}
	if _, err := file.Seek(p.skip, io.SeekStart); err != nil {
		_ = file.Close()
		return nil, nil, readError(err)
	}
	if p.encoding != "utf-16" {
		return file, file.Close, nil
	}
	order := unicode.LittleEndian
	if p.bigEndian {
		order = unicode.BigEndian
	}
	return transform.NewReader(file, unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder()), file.Close, nil
}

// decoding is the table for the plan's encoding, nil where the scanner gets UTF-8.
func (p *textPlan) decoding() *decoding { return newDecoding(p.encoding) }

// sepLine recognises the first line "sep=;" that tells Excel the delimiter; Excel
// does not show it, so it does not count as a row either.
func sepLine(line []byte) (delim byte, ok bool) {
	line = bytes.Trim(line, "\"")
	if len(line) == 5 && bytes.EqualFold(line[:4], []byte("sep=")) && line[4] < 0x80 {
		return line[4], true
	}
	return 0, false
}

// scanner opens a scanner and its source.
func (p *textPlan) scanner(columns, maxRows int) (*csvSource, error) {
	r, closeFile, err := p.open()
	if err != nil {
		return nil, err
	}
	scan := newCSVScanner(r, p.delim, p.quote, p.breakByte)
	scan.columns = columns
	if maxRows <= 0 {
		maxRows = defaultMaxRows
	}
	return &csvSource{scan: scan, close: closeFile, dec: p.decoding(), columns: columns, maxRows: maxRows}, nil
}

func (c *csvSource) stop() error { return c.close() }

// rowsFrom is how a pass begins: leaveOut rows before the first record, shift of them
// not counted (without heading the first record is 1).
func (p textPlan) rowsFrom(columns, leaveOut, shift, maxRows int) func() (source, error) {
	return func() (source, error) {
		src, err := p.scanner(columns, maxRows)
		if err != nil {
			return nil, err
		}
		src.scan.columns = 0 // title rows may look like anything
		for src.scan.row < leaveOut {
			if err := src.scan.next(); err != nil {
				return nil, errors.Join(err, src.stop())
			}
		}
		src.scan.columns, src.shift = columns, shift
		return src, nil
	}
}

// headingOf reads names, trimmed, with runs of blanks inside made one.
func headingOf(cells []string) []string {
	names := make([]string, len(cells))
	for i, c := range cells {
		names[i] = strings.Join(strings.Fields(strings.TrimPrefix(c, "\ufeff")), " ")
	}
	for len(names) > 0 && names[len(names)-1] == "" {
		names = names[:len(names)-1]
	}
	return names
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i + 1)
	}
	return names
}

var _ source = (*csvSource)(nil)

var delimiterNames = map[byte]string{';': "punto e virgola (;)", ',': "virgola (,)", '\t': "tabulazione", '|': "barra verticale (|)"}

// delimiterError tells when the heading was not divided but another delimiter would
// have divided it.
func delimiterError(line string, used byte) error {
	best, count := byte(0), 0
	for _, d := range []byte{';', '\t', '|', ','} {
		if n := strings.Count(line, string(rune(d))); d != used && n > count {
			best, count = d, n
		}
	}
	if count == 0 {
		return nil
	}
	return fileError("C-FILE-DELIMITER", "expected", delimiterName(used), "likely", delimiterNames[best])
}

func delimiterName(d byte) string {
	if name := delimiterNames[d]; name != "" {
		return name
	}
	return strconv.QuoteRune(rune(d))
}

// openCSV finds the heading and checks that the file is divided as expected.
func openCSV(path string, f table.Format) (*File, error) {
	plan, s, err := planText(path, f.Encoding)
	if err != nil {
		return nil, err
	}
	if s.blank {
		return nil, fileError("C-FILE-BLANK")
	}
	if plan.delim, err = oneByte(f.Delimiter, ';', "format.delimiter"); err != nil {
		return nil, err
	}
	if plan.quote, err = oneByte(f.Quote, '"', "format.quote"); err != nil {
		return nil, err
	}
	head, err := plan.head(f)
	if err != nil {
		return nil, asFileError(err)
	}
	shift := 0
	if f.NoHeading {
		shift = head.leaveOut
	}
	return &File{
		path: path, heading: head.heading,
		source: plan.rowsFrom(len(head.heading.Names), head.leaveOut, shift, f.MaxRows),
	}, nil
}

func oneByte(r, fallback rune, key string) (byte, error) {
	if r == 0 {
		r = fallback
	}
	if r > 0x7e || r == '\n' || r == '\r' {
		return 0, fileError("C-FILE-READ", "detail", key+" "+strconv.QuoteRune(r))
	}
	return byte(r), nil
}

// csvHead is the heading and how many rows precede the first record.
type csvHead struct {
	heading  table.Heading
	leaveOut int
}

// head skips what the profile says, then takes the first row that is not blank as
// the heading (or, without heading, its number of columns).
func (p *textPlan) head(f table.Format) (csvHead, error) {
	src, err := p.scanner(0, f.MaxRows)
	if err != nil {
		return csvHead{}, err
	}
	defer func() { _ = src.stop() }()
	first := true
	for {
		if err := src.scan.next(); errors.Is(err, io.EOF) {
			if f.SkipRows > 0 {
				return csvHead{}, fileError("C-FILE-HEADING", "row", strconv.Itoa(f.SkipRows+1))
			}
			return csvHead{}, fileError("C-FILE-BLANK")
		} else if err != nil {
			return csvHead{}, err
		}
		if d, ok := sepLine(src.scan.text); first && ok && len(src.scan.ends) <= 2 {
			return p.afterSep(src, d, f)
		}
		first = false
		if src.scan.row <= f.SkipRows || src.scan.blank() {
			continue
		}
		return p.divided(src, f)
	}
}

// afterSep starts again below a "sep=" line, with its delimiter.
func (p *textPlan) afterSep(src *csvSource, delim byte, f table.Format) (csvHead, error) {
	p.delim = delim
	if p.encoding != "utf-16" {
		p.skip += int64(src.scan.from)
		return p.head(f)
	}
	p.skip += 2 * int64(src.scan.from) // ASCII so far
	return p.head(f)
}

func (p *textPlan) divided(src *csvSource, f table.Format) (csvHead, error) {
	row := src.row()
	at := src.scan.row
	if len(row.Cells) == 1 {
		if err := delimiterError(row.Cells[0], p.delim); err != nil {
			return csvHead{}, err
		}
	}
	if f.NoHeading {
		return csvHead{table.Heading{Names: numbered(len(row.Cells))}, at - 1}, nil
	}
	names := headingOf(row.Cells)
	if len(names) == 0 {
		return csvHead{}, fileError("C-FILE-HEADING", "row", strconv.Itoa(at))
	}
	return csvHead{table.Heading{Names: names, Row: at}, at}, nil
}
