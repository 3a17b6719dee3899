// Package table is the leaf that readers and mapping share: a row of an export,
// its heading, and the format a profile asks readers to expect. It knows no file
// format and no profile.
package table

import "strings"

// Row is one record of an export.
type Row struct {
	// Number is the row number as a spreadsheet's margin shows it, from 1: blank
	// rows and title rows are counted, a record with line breaks inside quotes is one
	// row. Where a file has no heading the first record is 1.
	Number int
	// Cells hold the text of each column, in the order of the heading and never
	// fewer than it has (short records are padded with ""). The slice belongs to
	// the receiver.
	Cells []string
	// Kinds tells what a typed format (xlsx) says of each cell; nil where every cell
	// is Text, as in all text formats.
	Kinds []Kind
	// Faults are cells that the reader found damaged beyond repair (digits lost by a
	// spreadsheet, a formula without a cached value, an undecodable byte).
	Faults []Fault
}

// Kind is the type that a typed file gives a cell. It decides how conversions read
// it: a Number is written with a decimal point and no thousands separators and a
// Date as 2006-01-02 whatever notation the profile names for texts.
type Kind uint8

// The kinds of cells.
const (
	Text Kind = iota
	Number
	Date
	Bool
)

// KindOf is the kind of the cell in a column.
func (r Row) KindOf(column int) Kind {
	if column < 0 || column >= len(r.Kinds) {
		return Text
	}
	return r.Kinds[column]
}

// Fault is a damaged cell; the reader gives the code, the mapping decides whether
// the column matters.
type Fault struct {
	Column int    // index into Cells; WholeRow where no single cell is to blame
	Code   string // C-… code of the catalogue
	Detail string // what was seen, for the message
}

// WholeRow is the column of a fault that spoils the whole row, so that no mapping may
// use any of it.
const WholeRow = -1

// RowItself is the column of what is told of a row that can be used as it is.
const RowItself = -2

// Blank reports whether every cell is empty or white.
func (r Row) Blank() bool {
	for _, c := range r.Cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// Fit pads a row with blank cells up to columns, or cuts cells beyond (and faults in
// them), for formats where what stands to the right of the table is no part of it.
func (r Row) Fit(columns int) Row {
	if columns <= 0 {
		return r
	}
	for len(r.Cells) < columns {
		r.Cells = append(r.Cells, "")
	}
	r.Cells = r.Cells[:columns:columns]
	kept := r.Faults[:0]
	for _, f := range r.Faults {
		if f.Column < columns {
			kept = append(kept, f)
		}
	}
	r.Faults = kept
	return r
}

// Heading is the names of the columns, as the file has them (trimmed). A file
// without heading has columns named "1", "2", ….
type Heading struct {
	Names []string
	Row   int // margin number of the heading row; 0 without heading
}

// Format is what a profile says about the files it reads. Zero values mean "find
// out" where finding out is safe, else the default of the field.
type Format struct {
	// TempDir is where a large workbook is unpacked while it is read; "" = the system's.
	TempDir   string
	Kind      string // "csv", "xlsx", "jsonl"; ("fixed" follows later)
	Encoding  string // csv: utf-8, utf-16, windows-1252, iso-8859-1, iso-8859-15, cp850, cp437; "" = BOM, then strict UTF-8, then windows-1252
	Delimiter rune   // csv; 0 = ';'
	Quote     rune   // csv; 0 = '"'
	NoHeading bool   // columns are numbered
	SkipRows  int    // rows before the heading (or before the first record)
	Sheet     string // xlsx: name, or number from 1; "" = first visible sheet
	MaxRows   int    // 0 = reader's default limit
	MaxBytes  int64  // 0 = reader's default limit (xlsx: unzipped)
}
