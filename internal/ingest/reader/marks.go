package reader

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"
)

// cellMark is what a sheet says of a cell beside its value.
type cellMark struct {
	column  int
	style   int
	kind    string // s, str, inlineStr, b, e, d, n or ""
	formula bool
	value   bool // a value is stored
}

// cellMarks streams the marks of a sheet, row by row. It reads only tags, so it costs a
// fraction of reading the values. It also notices a sheet that ends in the middle,
// which the library takes for a short one.
type cellMarks struct {
	archive *zip.ReadCloser
	entry   io.ReadCloser
	r       *bufio.Reader
	at      int // number of the row whose marks are in cells, 0 before the first
	cells   []cellMark
	pending int // number of a row whose tag was read but not its cells
	last    int
	ended   bool
	tag     []byte
}

func openMarks(file, part string) (*cellMarks, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, readError(err)
	}
	for _, f := range archive.File {
		if strings.ReplaceAll(f.Name, `\`, "/") != part {
			continue
		}
		entry, err := f.Open()
		if err != nil {
			return nil, errors.Join(fileError("C-FILE-DAMAGED", "detail", path.Base(part)).because(err), archive.Close())
		}
		return &cellMarks{archive: archive, entry: entry, r: bufio.NewReaderSize(entry, 64<<10)}, nil
	}
	return nil, errors.Join(fileError("C-FILE-DAMAGED", "detail", "XLSX"), archive.Close())
}

func (c *cellMarks) close() error { return errors.Join(c.entry.Close(), c.archive.Close()) }

// row gives the marks of row n; rows must be asked for in order.
func (c *cellMarks) row(n int) ([]cellMark, error) {
	for !c.ended && c.at < n && c.pending <= n {
		if err := c.advance(); err != nil {
			return nil, err
		}
	}
	if c.at == n {
		return c.cells, nil
	}
	return nil, nil
}

// finish is io.EOF if the sheet was closed properly and the library, which ends
// without a word at the first thing that is no XML, has seen all rows up to the last.
func (c *cellMarks) finish(last int) error {
	for !c.ended {
		if err := c.advance(); err != nil {
			return err
		}
	}
	if c.last > last {
		return fileError("C-FILE-DAMAGED", "detail", "il foglio si interrompe")
	}
	return io.EOF
}

var errCut = errors.New("the sheet ends before its last tag")

// advance reads on to the end of the next row, or to the end of the data.
func (c *cellMarks) advance() error {
	if c.pending > 0 {
		c.at, c.pending = c.pending, 0
		return c.cellsOf()
	}
	for {
		name, err := c.next()
		if err != nil {
			return fileError("C-FILE-DAMAGED", "detail", "il foglio si interrompe").because(err)
		}
		switch name {
		case "/sheetData", "sheetData/":
			c.ended = true
			return nil
		case "row", "row/":
			above := c.last
			c.last++
			if n, ok := c.number("r"); ok {
				c.last = n
			}
			if c.last <= above {
				// The library would put the cells of one row into another.
				return fileError("C-FILE-DAMAGED", "detail", "righe non in ordine")
			}
			c.cells = c.cells[:0]
			if name == "row" {
				c.pending = c.last
			}
			return nil
		}
	}
}

// cellsOf reads the cells of the row whose tag was just read.
func (c *cellMarks) cellsOf() error {
	c.cells = c.cells[:0]
	column := -1
	for {
		name, err := c.next()
		if err != nil {
			return fileError("C-FILE-DAMAGED", "detail", "il foglio si interrompe").because(err)
		}
		switch name {
		case "/row":
			return nil
		case "c", "c/":
			column++
			if ref, ok := c.attr("r"); ok {
				column = columnOf(ref)
			}
			if len(c.cells) >= maxRowTags {
				return tooMany("elementi in una riga", maxRowTags)
			}
			style, _ := c.number("s")
			kind, _ := c.attr("t")
			c.cells = append(c.cells, cellMark{column: column, style: style, kind: kindName(kind)})
		case "f", "f/":
			c.mark().formula = true
		case "v":
			next, err := c.r.Peek(1)
			m := c.mark()
			m.value = err == nil && (next[0] != '<' || m.kind == "str")
		case "is":
			c.mark().value = true
		}
	}
}

// mark is the cell being read; a stray tag marks one that nobody looks at.
func (c *cellMarks) mark() *cellMark {
	if len(c.cells) == 0 {
		return &cellMark{}
	}
	return &c.cells[len(c.cells)-1]
}

// kindName avoids a text for each cell: there are few kinds.
func kindName(b []byte) string {
	switch string(b) {
	case "s":
		return "s"
	case "str":
		return "str"
	case "inlineStr":
		return "inlineStr"
	case "b":
		return "b"
	case "e":
		return "e"
	case "d":
		return "d"
	}
	return ""
}

// next reads the next tag and gives its local name: "c", "/c" for an end, "c/" for an
// empty element. Comments and CDATA are passed over.
func (c *cellMarks) next() (string, error) {
	for {
		if err := c.skipTo('<'); err != nil {
			return "", err
		}
		c.tag = c.tag[:0]
		for {
			part, err := c.r.ReadSlice('>')
			c.tag = append(c.tag, part...)
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return "", errCut
			}
			if len(c.tag) > 1<<20 {
				return "", errCut
			}
			if err == nil && c.complete() {
				break
			}
		}
		if c.tag[0] == '!' || c.tag[0] == '?' {
			continue
		}
		return c.name(), nil
	}
}

// complete reports whether a comment or CDATA section, which may hold ">", has ended.
func (c *cellMarks) complete() bool {
	switch {
	case bytes.HasPrefix(c.tag, []byte("!--")):
		return bytes.HasSuffix(c.tag, []byte("-->")) && len(c.tag) >= 6
	case bytes.HasPrefix(c.tag, []byte("![CDATA[")):
		return bytes.HasSuffix(c.tag, []byte("]]>"))
	}
	return true
}

func (c *cellMarks) skipTo(b byte) error {
	for {
		_, err := c.r.ReadSlice(b)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return errCut
		default:
			return err
		}
	}
}

// name is the local name of the tag; those that matter come back as constants.
func (c *cellMarks) name() string {
	tag := c.tag[:len(c.tag)-1]
	empty := len(tag) > 0 && tag[len(tag)-1] == '/'
	end := len(tag) > 0 && tag[0] == '/'
	if end {
		tag = tag[1:]
	}
	if i := bytes.IndexAny(tag, " \t\r\n/"); i >= 0 {
		tag = tag[:i]
	}
	if i := bytes.IndexByte(tag, ':'); i >= 0 {
		tag = tag[i+1:]
	}
	for _, known := range markNames {
		if string(tag) != known.name {
			continue
		}
		switch {
		case end:
			return known.end
		case empty:
			return known.empty
		}
		return known.name
	}
	return ""
}

var markNames = []struct{ name, end, empty string }{
	{"c", "/c", "c/"},
	{"v", "/v", "v/"},
	{"f", "/f", "f/"},
	{"is", "/is", "is/"},
	{"row", "/row", "row/"},
	{"sheetData", "/sheetData", "sheetData/"},
}

// attr is an attribute of the tag.
func (c *cellMarks) attr(name string) ([]byte, bool) {
	for rest := c.tag; ; {
		i := bytes.IndexByte(rest, '=')
		if i < 0 || i+1 >= len(rest) {
			return nil, false
		}
		key := bytes.TrimSpace(rest[:i])
		if j := bytes.LastIndexAny(key, " \t\r\n"); j >= 0 {
			key = key[j+1:]
		}
		rest = bytes.TrimLeft(rest[i+1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return nil, false
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return nil, false
		}
		if string(key) == name {
			return rest[1 : end+1], true
		}
		rest = rest[end+2:]
	}
}

func (c *cellMarks) number(name string) (int, bool) {
	text, ok := c.attr(name)
	if !ok {
		return 0, false
	}
	n := 0
	for _, b := range text {
		if !isDigit(b) || n > 1<<24 {
			return 0, false
		}
		n = n*10 + int(b-'0')
	}
	return n, len(text) > 0
}

// columnOf is the column of a cell reference, from 0: "AB12" is 27.
func columnOf(ref []byte) int {
	n := 0
	for _, b := range ref {
		if b < 'A' || b > 'Z' || n > 1<<16 {
			break
		}
		n = n*26 + int(b-'A') + 1
	}
	return n - 1
}

// sheetParts maps the names of sheets to entries of the archive.
func sheetParts(file string) (map[string]string, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, readError(err)
	}
	defer func() { _ = archive.Close() }()
	var book struct {
		Sheets []struct {
			Name string     `xml:"name,attr"`
			Attr []xml.Attr `xml:",any,attr"`
		} `xml:"sheets>sheet"`
	}
	var links struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := errors.Join(readPart(archive, "xl/workbook.xml", &book), readPart(archive, "xl/_rels/workbook.xml.rels", &links)); err != nil {
		return nil, fileError("C-FILE-DAMAGED", "detail", "workbook.xml").because(err)
	}
	targets := map[string]string{}
	for _, l := range links.All {
		target := strings.ReplaceAll(l.Target, `\`, "/")
		if strings.HasPrefix(target, "/") {
			target = target[1:]
		} else {
			target = path.Join("xl", target)
		}
		targets[l.ID] = target
	}
	parts := map[string]string{}
	for _, s := range book.Sheets {
		for _, a := range s.Attr {
			if a.Name.Local == "id" && a.Name.Space != "" {
				parts[s.Name] = targets[a.Value]
			}
		}
	}
	return parts, nil
}

func readPart(archive *zip.ReadCloser, name string, out any) error {
	for _, f := range archive.File {
		if strings.EqualFold(strings.ReplaceAll(f.Name, `\`, "/"), name) {
			r, err := f.Open()
			if err != nil {
				return err
			}
			return errors.Join(xml.NewDecoder(io.LimitReader(r, 16<<20)).Decode(out), r.Close())
		}
	}
	return errors.New(name + " is missing")
}
