package reader

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a workbook, counted before the library sees it: it builds what it reads
// in memory, a few hundred bytes for a tag of five, and would follow any nesting. All
// are far above what spreadsheets write: Excel itself has 1,048,576 rows, 16,384
// columns, 64,000 cell formats and 32,767 characters a cell.
const (
	maxSheets      = 500
	maxDepth       = 100
	maxTagBytes    = 1 << 20
	maxTextRun     = 16 << 20
	maxBeside      = 64 << 20    // bytes of what is neither sheet nor shared text
	maxBesideTags  = 1_000_000   // in one of those parts
	maxSharedTags  = 12_000_000  // in the shared texts
	maxSheetTags   = 100_000_000 // in one sheet
	maxRowTags     = 200_000     // in one row
	maxCells       = 200_000_000 // of one pass, blank ones counted
	maxHeadingRows = 10_000      // blank ones above the heading
)

func tooMany(what string, most int) *FileError {
	return fileError("C-FILE-LIMIT", "detail", "più di "+strconv.Itoa(most)+" "+what)
}

// checkArchive applies the limits before anything is unpacked for good. The sizes that
// an archive announces are safe to go by: unpacking stops where they are exceeded.
func checkArchive(file string, limit int64) error {
	z, err := zip.OpenReader(file)
	if err != nil {
		return fileError("C-FILE-DAMAGED", "detail", "ZIP").because(err)
	}
	defer func() { _ = z.Close() }()
	if len(z.File) > maxParts {
		return fileError("C-FILE-LIMIT", "detail", "ZIP: più di "+strconv.Itoa(maxParts))
	}
	var total, beside int64
	for _, f := range z.File {
		size := int64(min(f.UncompressedSize64, 1<<50))
		if total += size; total > limit {
			return fileError("C-FILE-LIMIT", "detail", "dimensione oltre "+strconv.FormatInt(limit>>20, 10)+" MB")
		}
		if kindOfPart(f.Name) == besidePart {
			beside += size
		}
	}
	if beside > maxBeside {
		return fileError("C-FILE-LIMIT", "detail", "dimensione oltre "+strconv.Itoa(maxBeside>>20)+" MB (immagini e formati del foglio)")
	}
	for _, f := range z.File {
		if err := checkPart(f); err != nil {
			return err
		}
	}
	return nil
}

type partKind int

const (
	besidePart partKind = iota
	sheetPart
	sharedPart
)

// kindOfPart tells which parts the library reads as streams: those it knows by name.
func kindOfPart(name string) partKind {
	name = strings.ToLower(strings.ReplaceAll(name, `\`, "/"))
	switch {
	case strings.HasPrefix(name, "xl/worksheets/sheet"):
		return sheetPart
	case name == "xl/sharedstrings.xml":
		return sharedPart
	}
	return besidePart
}

// checkPart counts what an XML part holds.
func checkPart(f *zip.File) error {
	m := meter{most: maxBesideTags}
	switch kindOfPart(f.Name) {
	case sheetPart:
		m.most, m.rows = maxSheetTags, maxRowTags
	case sharedPart:
		m.most = maxSharedTags
	case besidePart:
		switch path.Ext(strings.ToLower(f.Name)) {
		case ".xml", ".rels", ".vml":
		default:
			return nil // a picture, a macro project: never read
		}
	}
	r, err := f.Open()
	if err != nil {
		return fileError("C-FILE-DAMAGED", "detail", path.Base(f.Name)).because(err)
	}
	defer func() { _ = r.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if fault := m.count(buf[:n]); fault != nil {
			return fault
		}
		if errors.Is(err, io.EOF) {
			return nil // what is cut off is told by those who read it
		}
		if err != nil {
			return fileError("C-FILE-DAMAGED", "detail", path.Base(f.Name)).because(err)
		}
	}
}

// meter measures XML without building any of it.
type meter struct {
	most int // tags
	rows int // tags in one element of the third level, 0 = any number

	state func(*meter, byte) *FileError // nil: text
	depth int
	tags  int
	inRow int
	run   int // bytes of the text or tag so far
	last  byte
	quote byte
	head  []byte  // the first bytes of markup that is no element
	tail  [3]byte // and its last ones
}

func (m *meter) count(b []byte) *FileError {
	for len(b) > 0 {
		if m.state == nil {
			i := bytes.IndexByte(b, '<')
			text := b
			if i >= 0 {
				text = b[:i]
			}
			if slices.ContainsFunc(text, control) {
				return fileError("C-FILE-DAMAGED", "detail", "XML, caratteri nulli") // the library would stop here
			}
			m.run += len(text)
			b = b[len(text):]
			if m.run > maxTextRun {
				return tooMany("byte in una cella", maxTextRun)
			}
			if i >= 0 {
				m.state, m.run, b = (*meter).begin, 0, b[1:]
			}
			continue
		}
		if err := m.state(m, b[0]); err != nil {
			return err
		}
		b = b[1:]
	}
	return nil
}

// control tells the bytes that no XML holds.
func control(c byte) bool { return c < ' ' && c != '\t' && c != '\n' && c != '\r' }

func (m *meter) text() { m.state, m.run, m.last, m.quote = nil, 0, 0, 0 }

// begin sees the byte after "<".
func (m *meter) begin(c byte) *FileError {
	switch c {
	case '/':
		m.depth--
		m.state = (*meter).end
	case '!', '?':
		m.head = append(m.head[:0], c)
		m.state = (*meter).special
	default:
		m.state, m.last = (*meter).tag, c
		return m.opened()
	}
	return nil
}

func (m *meter) opened() *FileError {
	m.depth++
	m.tags++
	if m.depth <= 3 {
		m.inRow = 0
	}
	m.inRow++
	switch {
	case m.depth > maxDepth:
		return tooMany("elementi annidati", maxDepth)
	case m.tags > m.most:
		return tooMany("elementi nel foglio", m.most)
	case m.rows > 0 && m.inRow > m.rows:
		return tooMany("elementi in una riga", m.rows)
	}
	return nil
}

// tag reads to the end of an opening tag, past quoted values.
func (m *meter) tag(c byte) *FileError {
	if m.run++; m.run > maxTagBytes {
		return tooMany("byte in un elemento", maxTagBytes)
	}
	switch {
	case m.quote != 0:
		if c == m.quote {
			m.quote = 0
		}
	case c == '"' || c == '\'':
		m.quote = c
	case c == '>':
		if m.last == '/' {
			m.depth--
		}
		m.text()
		return nil
	}
	m.last = c
	return nil
}

func (m *meter) end(c byte) *FileError {
	if m.run++; m.run > maxTagBytes {
		return tooMany("byte in un elemento", maxTagBytes)
	}
	if c == '>' {
		m.text()
	}
	return nil
}

// special passes over comments, CDATA and instructions. A document type is refused:
// no spreadsheet writes one, and all tricks with entities need one.
func (m *meter) special(c byte) *FileError {
	if len(m.head) < len(cdata) {
		m.head = append(m.head, c)
	}
	m.tail = [3]byte{m.tail[1], m.tail[2], c}
	if m.run++; m.run > maxTextRun {
		return tooMany("byte in una cella", maxTextRun)
	}
	var ended bool
	switch {
	case m.head[0] == '?':
		ended = m.run >= 2 && m.tail[1] == '?' && c == '>'
	case bytes.HasPrefix(m.head, []byte("!--")):
		ended = m.run >= 5 && string(m.tail[:]) == "-->"
	case string(m.head) == cdata:
		ended = m.run >= len(cdata)+2 && string(m.tail[:]) == "]]>"
	case !strings.HasPrefix(cdata, string(m.head)) && string(m.head) != "!-":
		return fileError("C-FILE-DAMAGED", "detail", "XML: DOCTYPE")
	}
	if ended {
		m.text()
	}
	return nil
}

// cdata begins a section of text as it is.
const cdata = "![CDATA["
