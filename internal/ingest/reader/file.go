package reader

import (
	"errors"
	"io"
	"iter"
	"os"
	"slices"

	"sendconnector/internal/table"
)

// File is an export that can be read. It is not safe for use by several goroutines.
type File struct {
	path    string
	heading table.Heading
	outcome bool
	macros  bool
	source  func() (source, error) // opens the rows from the beginning
	release func() error
}

// source is an open pass over the rows: next answers io.EOF after the last.
type source interface {
	next() (table.Row, error)
	stop() error
}

// Open looks at a file and prepares to read it as f says. What can be wrong with the
// whole file is found here, before the first row, and comes as a [*FileError]; the
// exceptions are faults further down (quotes that never close, damage in the middle),
// which end Rows with one.
//
// A file whose heading has send_riga and send_esito is one of our outcome files
// dropped again, and is read as such whatever f says (rule 12).
func Open(path string, f table.Format) (*File, error) {
	found, err := sniff(path)
	if err != nil {
		return nil, err
	}
	if f.Kind == "" {
		f.Kind = found.kind
	}
	wanted := found.mustBe(f.Kind)
	var file *File
	switch {
	case found.kind == "xlsx":
		file, err = openXLSX(path, f, wanted == nil)
	case found.kind == "csv":
		file, err = openOutcomeCSV(path, f)
	}
	if err != nil {
		return nil, asFileError(err)
	}
	if file != nil && IsOutcome(file.heading) {
		return adaptOutcome(file)
	}
	if wanted != nil {
		return nil, wanted
	}
	if file == nil && f.Kind == "jsonl" {
		file, err = openJSONL(path, f)
	} else if file == nil {
		file, err = openCSV(path, f)
	}
	if err != nil {
		return nil, asFileError(err)
	}
	return file.notEmpty()
}

// notEmpty reads the first row, so that a file without rows is told at once.
func (f *File) notEmpty() (*File, error) {
	src, err := f.source()
	if err == nil {
		_, err = src.next()
		err = errors.Join(err, src.stop())
	}
	if errors.Is(err, io.EOF) {
		err = fileError("C-FILE-NO-ROWS")
	}
	if err != nil {
		_ = f.Close()
		return nil, asFileError(err)
	}
	return f, nil
}

// asFileError keeps a FileError and dresses anything else as one.
func asFileError(err error) error {
	var fe *FileError
	if errors.As(err, &fe) {
		return fe
	}
	return readError(err)
}

// Heading is the names of the columns; of an outcome file, the original ones only.
func (f *File) Heading() table.Heading {
	return table.Heading{Names: slices.Clone(f.heading.Names), Row: f.heading.Row}
}

// Outcome reports whether the file is one of our outcome files dropped again.
func (f *File) Outcome() bool { return f.outcome }

// Macros reports whether the workbook holds macros. They are never run.
func (f *File) Macros() bool { return f.macros }

// Rows streams the rows that are not blank. An error, always a [*FileError], ends
// the stream. Every call starts from the beginning.
func (f *File) Rows() iter.Seq2[table.Row, error] {
	return func(yield func(table.Row, error) bool) {
		src, err := f.source()
		if err != nil {
			yield(table.Row{}, asFileError(err))
			return
		}
		defer func() { _ = src.stop() }() // reading only: nothing can be lost by it
		for {
			row, err := src.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(table.Row{}, asFileError(err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// Close releases what the file holds; only an XLSX holds anything.
func (f *File) Close() error {
	if f == nil || f.release == nil {
		return nil
	}
	release := f.release
	f.release = nil
	return release()
}

// Path is the path given to Open.
func (f *File) Path() string { return f.path }

func openRaw(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, readError(err)
	}
	return file, nil
}
