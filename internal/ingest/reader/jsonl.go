package reader

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"sendconnector/internal/table"
)

// jsonlSource gives each line that is not blank as a row with one cell.
type jsonlSource struct {
	scan    *csvScanner
	close   func() error
	count   int
	maxRows int
}

func (j *jsonlSource) next() (table.Row, error) {
	for {
		line, err := j.scan.line()
		if err != nil {
			return table.Row{}, err
		}
		j.scan.row++
		if len(line) > maxRecordBytes {
			return table.Row{}, fileError("C-FILE-LIMIT", "detail", "riga "+strconv.Itoa(j.scan.row)+": più di "+strconv.Itoa(maxRecordBytes)+" byte in una riga")
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if j.count++; j.count > j.maxRows {
			return table.Row{}, fileError("C-FILE-LIMIT", "detail", "più di "+strconv.Itoa(j.maxRows)+" righe")
		}
		return table.Row{Number: j.scan.row, Cells: []string{string(line)}}, nil
	}
}

func (j *jsonlSource) stop() error { return j.close() }

// openJSONL prepares lines of SEND's own JSON, which RFC 8259 wants in UTF-8.
func openJSONL(path string, f table.Format) (*File, error) {
	plan, s, err := planText(path, "utf-8")
	if err != nil {
		return nil, err
	}
	if s.blank {
		return nil, fileError("C-FILE-BLANK")
	}
	maxRows := f.MaxRows
	if maxRows <= 0 {
		maxRows = defaultMaxRows
	}
	open := func() (source, error) {
		r, closeFile, err := plan.open()
		if err != nil {
			return nil, err
		}
		return &jsonlSource{scan: newCSVScanner(r, ';', '"', plan.breakByte), close: closeFile, maxRows: maxRows}, nil
	}
	if err := oneObjectALine(open); err != nil {
		return nil, err
	}
	return &File{path: path, heading: table.Heading{Names: []string{"json"}}, source: open}, nil
}

// oneObjectALine recognises a document that was printed over several lines: its first
// line is the beginning of an object and no more.
func oneObjectALine(open func() (source, error)) error {
	src, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = src.stop() }()
	row, err := src.next()
	if errors.Is(err, io.EOF) {
		return fileError("C-FILE-BLANK")
	}
	if err != nil {
		return asFileError(err)
	}
	first := bytes.TrimSpace([]byte(row.Cells[0]))
	if json.Valid(first) {
		return nil
	}
	if bytes.Equal(first, []byte("{")) {
		return fileError("C-FILE-KIND", "expected", "JSON", "found", "un documento JSON unico, non a righe", "remedy", remedyLines)
	}
	return nil // a broken line is that row's fault, not the file's
}
