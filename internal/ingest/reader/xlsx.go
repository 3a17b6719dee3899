package reader

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"sendconnector/internal/table"
)

const (
	defaultUnzipped = 1 << 30  // bytes of a workbook unzipped
	sheetInMemory   = 16 << 20 // larger parts go to a temporary file, removed by Close
	maxParts        = 10_000   // entries of the archive
)

// workbook is an open XLSX. The library gives the values; what it does not give when
// streaming (type, style and formula of each cell) comes from a second, much cheaper
// pass over the same sheet (cellMarks).
type workbook struct {
	path    string
	file    *excelize.File
	date04  bool
	visible []string
	parts   map[string]string // sheet -> entry of the archive
	formats map[int]numberFormat
}

// notUnderstood makes a panic of the library, which takes much of a workbook for
// granted, the file's fault: one bad file must not end the service.
func notUnderstood(err *error) {
	if p := recover(); p != nil {
		*err = fileError("C-FILE-DAMAGED", "detail", "XLSX").because(fmt.Errorf("panic: %v", p))
	}
}

// openWorkbook opens an XLSX within its limits. Macros are data here: nothing is run.
func openWorkbook(path string, limit int64, temp string) (wb *workbook, err error) {
	defer notUnderstood(&err)
	if limit <= 0 {
		limit = defaultUnzipped
	}
	if err := checkArchive(path, limit); err != nil {
		return nil, err
	}
	file, err := excelize.OpenFile(path, excelize.Options{
		RawCellValue: true, TmpDir: temp, UnzipSizeLimit: limit, UnzipXMLSizeLimit: min(sheetInMemory, limit),
	})
	if err != nil {
		return nil, fileError("C-FILE-DAMAGED", "detail", "XLSX").because(err)
	}
	wb = &workbook{path: path, file: file, formats: map[int]numberFormat{}}
	if err := wb.describe(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return wb, nil
}

func (wb *workbook) describe() error {
	props, err := wb.file.GetWorkbookProps()
	if err != nil {
		return fileError("C-FILE-DAMAGED", "detail", "workbook.xml").because(err)
	}
	wb.date04 = props.Date1904 != nil && *props.Date1904
	if wb.parts, err = sheetParts(wb.path); err != nil {
		return err
	}
	sheets := wb.file.GetSheetList()
	if len(sheets) > maxSheets {
		return tooMany("fogli", maxSheets)
	}
	for _, sheet := range sheets {
		if strings.Contains(wb.parts[sheet], "chartsheets/") || strings.Contains(wb.parts[sheet], "dialogsheets/") {
			continue // a chart is no table
		}
		if shown, err := wb.file.GetSheetVisible(sheet); err == nil && shown {
			wb.visible = append(wb.visible, sheet)
		}
	}
	if len(wb.visible) == 0 {
		return fileError("C-FILE-SHEET", "sheet", "1", "found", "nessuno")
	}
	return nil
}

// macros tells whether the workbook holds a macro project.
func (wb *workbook) macros() bool {
	found := false
	wb.file.Pkg.Range(func(name, _ any) bool {
		found = strings.EqualFold(filepath.Base(name.(string)), "vbaProject.bin") //nolint:forcetypeassert // the library's keys are names
		return !found
	})
	return found
}

// sheet finds a sheet by name or by its number among the visible ones.
func (wb *workbook) sheet(wanted string) (string, error) {
	if wanted == "" {
		return wb.visible[0], nil
	}
	if slices.Contains(wb.visible, wanted) {
		return wanted, nil
	}
	if n, err := strconv.Atoi(wanted); err == nil && n >= 1 && n <= len(wb.visible) {
		return wb.visible[n-1], nil
	}
	return "", fileError("C-FILE-SHEET", "sheet", "«"+wanted+"»", "found", strings.Join(wb.visible, ", "))
}

// xlsxSource is a pass over a sheet.
type xlsxSource struct {
	wb      *workbook
	rows    *excelize.Rows
	marks   *cellMarks
	number  int
	columns int
	shift   int
	count   int
	maxRows int
	cells   int // seen so far, blank ones too
}

func (wb *workbook) open(sheet string) (*xlsxSource, error) {
	rows, err := wb.file.Rows(sheet)
	if err != nil {
		return nil, fileError("C-FILE-DAMAGED", "detail", sheet).because(err)
	}
	marks, err := openMarks(wb.path, wb.parts[sheet])
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return &xlsxSource{wb: wb, rows: rows, marks: marks, maxRows: excelize.TotalRows}, nil
}

func (x *xlsxSource) stop() error { return errors.Join(x.rows.Close(), x.marks.close()) }

// raw is the next row of the sheet, blank ones too; io.EOF after the last.
func (x *xlsxSource) raw() (row table.Row, err error) {
	defer notUnderstood(&err)
	if !x.rows.Next() {
		if err := x.rows.Error(); err != nil {
			return table.Row{}, fileError("C-FILE-DAMAGED", "detail", "il foglio si interrompe").because(err)
		}
		return table.Row{}, x.marks.finish(x.number)
	}
	x.number++
	cells, err := x.rows.Columns()
	if err != nil {
		return table.Row{}, fileError("C-FILE-DAMAGED", "detail", "riga "+strconv.Itoa(x.number)).because(err)
	}
	marks, err := x.marks.row(x.number)
	if err != nil {
		return table.Row{}, err
	}
	// The library fills a row up to its last cell, wherever that says it is.
	if x.cells += len(cells); x.cells > maxCells {
		return table.Row{}, tooMany("celle", maxCells)
	}
	if len(cells) > maxColumns {
		return table.Row{}, fileError("C-FILE-LIMIT", "detail", "riga "+strconv.Itoa(x.number)+": più di "+strconv.Itoa(maxColumns)+" colonne")
	}
	row = table.Row{Number: x.number - x.shift, Cells: cells}
	x.interpret(&row, marks)
	if x.rows.GetRowOpts().Hidden && !row.Blank() {
		// Who filtered the sheet saw a part of it; all of it is sent.
		row.Faults = append(row.Faults, table.Fault{Column: table.RowItself, Code: "C-ROW-HIDDEN"})
	}
	return row, nil
}

// next is the next row that is not blank.
func (x *xlsxSource) next() (table.Row, error) {
	for {
		row, err := x.raw()
		if err != nil {
			return row, err
		}
		if row.Blank() && len(row.Faults) == 0 {
			continue
		}
		if x.count++; x.count > x.maxRows {
			return row, fileError("C-FILE-LIMIT", "detail", "più di "+strconv.Itoa(x.maxRows)+" righe")
		}
		return row.Fit(x.columns), nil
	}
}

// interpret renders typed cells and marks damaged ones.
func (x *xlsxSource) interpret(row *table.Row, marks []cellMark) {
	for _, m := range marks {
		if m.column < 0 || m.column >= maxColumns {
			continue
		}
		for m.formula && len(row.Cells) <= m.column {
			row.Cells = append(row.Cells, "")
		}
		if m.column >= len(row.Cells) {
			continue
		}
		text, kind, fault := x.wb.render(row.Cells[m.column], m)
		row.Cells[m.column] = text
		if fault != "" {
			row.Faults = append(row.Faults, table.Fault{Column: m.column, Code: fault, Detail: clip(text)})
		}
		if kind != table.Text {
			if row.Kinds == nil {
				row.Kinds = make([]table.Kind, max(len(row.Cells), x.columns))
			}
			for len(row.Kinds) <= m.column {
				row.Kinds = append(row.Kinds, table.Text)
			}
			row.Kinds[m.column] = kind
		}
	}
	if row.Kinds == nil {
		row.Kinds = noKinds
	}
}

// noKinds says of a row of texts that its file could have had types.
var noKinds = []table.Kind{}

// openXLSX opens a workbook, as an outcome file if one of its visible sheets has the
// heading of one.
func openXLSX(path string, f table.Format, wanted bool) (*File, error) {
	wb, err := openWorkbook(path, f.MaxBytes, f.TempDir)
	if err != nil {
		return nil, err
	}
	file, err := wb.choose(f, wanted)
	if err != nil || file == nil {
		return nil, errors.Join(err, wb.file.Close())
	}
	return file, nil
}

func (wb *workbook) choose(f table.Format, wanted bool) (*File, error) {
	for _, sheet := range wb.visible {
		h, err := wb.heading(sheet, table.Format{})
		if err == nil && IsOutcome(h.heading) {
			return wb.asFile(sheet, h, table.Format{MaxRows: f.MaxRows}), nil
		}
	}
	if !wanted {
		return nil, nil
	}
	sheet, err := wb.sheet(f.Sheet)
	if err != nil {
		return nil, err
	}
	h, err := wb.heading(sheet, f)
	if err != nil {
		return nil, err
	}
	return wb.asFile(sheet, h, f), nil
}

// heading finds the first row that is not blank below the rows to skip.
func (wb *workbook) heading(sheet string, f table.Format) (csvHead, error) {
	src, err := wb.open(sheet)
	if err != nil {
		return csvHead{}, err
	}
	defer func() { _ = src.stop() }()
	for {
		row, err := src.raw()
		if errors.Is(err, io.EOF) {
			if f.SkipRows > 0 {
				return csvHead{}, fileError("C-FILE-HEADING", "row", strconv.Itoa(f.SkipRows+1))
			}
			return csvHead{}, fileError("C-FILE-BLANK")
		}
		if err != nil {
			return csvHead{}, err
		}
		if row.Blank() && src.number > f.SkipRows+maxHeadingRows {
			return csvHead{}, fileError("C-FILE-BLANK")
		}
		if src.number <= f.SkipRows || row.Blank() {
			continue
		}
		if f.NoHeading {
			return csvHead{table.Heading{Names: numbered(len(row.Cells))}, src.number - 1}, nil
		}
		return csvHead{table.Heading{Names: headingOf(row.Cells), Row: src.number}, src.number}, nil
	}
}

func (wb *workbook) asFile(sheet string, h csvHead, f table.Format) *File {
	return &File{
		path: wb.path, heading: h.heading, release: wb.file.Close, macros: wb.macros(),
		source: func() (source, error) {
			src, err := wb.open(sheet)
			if err != nil {
				return nil, err
			}
			for src.number < h.leaveOut {
				if _, err := src.raw(); err != nil {
					return nil, errors.Join(err, src.stop())
				}
			}
			src.columns = len(h.heading.Names)
			if f.NoHeading {
				src.shift = h.leaveOut
			}
			if f.MaxRows > 0 {
				src.maxRows = f.MaxRows
			}
			return src, nil
		},
	}
}
