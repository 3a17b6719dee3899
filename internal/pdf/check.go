package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// DeepLimit is the size in bytes up to which a file is read through; of longer ones
// only head and tail are looked at and Report.Pages is 0.
const DeepLimit = 16 << 20

const (
	signature = "%PDF-"
	headBytes = 1 << 10
	tailBytes = 64 << 10
	endWindow = 1 << 10 // readers look for the end mark this far from the end
)

// Report is what a check found in a file that is a PDF and whole.
type Report struct {
	Bytes     int64
	Pages     int  // 0: not known (long, locked or not understood)
	A4        bool // every page is A4 portrait within 2 points; only where Pages is known
	Encrypted bool // protected in some way
	Locked    bool // a password is needed to open it: the citizen could not read it
	Signed    bool // holds a PAdES signature
	Deep      bool // the structure was read through and understood
}

// NotPDFError says that the file does not begin as a PDF does (its first five bytes
// are not %PDF-), which is what SEND refuses.
type NotPDFError struct{ Kind Kind }

func (e *NotPDFError) Error() string { return "not a PDF: " + e.Kind.English() }

// DamagedError says that the file begins as a PDF but is not whole or its structure
// cannot be followed.
type DamagedError struct{ Err error }

func (e *DamagedError) Error() string { return "damaged PDF: " + e.Err.Error() }

func (e *DamagedError) Unwrap() error { return e.Err }

// Reasons of a DamagedError that is not the parser's own.
var (
	errNoEnd   = errors.New("no end mark: the file is cut off")
	errNoXRef  = errors.New("no cross-reference table at the end: the file is cut off")
	errNoPages = errors.New("no pages")
)

// CheckFile is Check of the file at path.
func CheckFile(ctx context.Context, path string) (Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return Report{}, fmt.Errorf("check PDF: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Report{}, fmt.Errorf("check PDF: %w", err)
	}
	return Check(ctx, f, info.Size())
}

// Check looks at a file of size bytes. The error is a *NotPDFError or a
// *DamagedError for what is wrong with the document, ctx.Err() when it was ended, and
// anything else is a failure to read. A PDF that the parser does not understand, or
// not in time, but whose head and tail are sound is not called damaged: its report
// has Deep false. It never panics, whatever the bytes.
func Check(ctx context.Context, r io.ReaderAt, size int64) (Report, error) {
	report := Report{Bytes: size}
	head, err := readAt(r, 0, min(size, headBytes))
	if err != nil {
		return report, err
	}
	if !bytes.HasPrefix(head, []byte(signature)) {
		return report, &NotPDFError{Kind: kindOf(head)}
	}
	tail, err := readAt(r, max(0, size-tailBytes), min(size, tailBytes))
	if err != nil {
		return report, err
	}
	if err := endOf(tail); err != nil {
		return report, &DamagedError{Err: err}
	}
	if size > DeepLimit {
		report.Encrypted = bytes.Contains(trailer(tail), []byte("/Encrypt"))
		report.Signed = bytes.Contains(tail, []byte("/ByteRange"))
		return report, nil
	}
	return deep(ctx, r, report)
}

// endOf looks for the end mark and the pointer to the cross-reference table where
// readers look for them. Some programs pad the file to a block with zeros.
func endOf(tail []byte) error {
	tail = bytes.TrimRight(tail, "\x00 \t\r\n")
	window := tail[max(0, len(tail)-endWindow):]
	if !bytes.Contains(window, []byte("%%EOF")) {
		return errNoEnd
	}
	if !bytes.Contains(window, []byte("startxref")) {
		return errNoXRef
	}
	return nil
}

// trailer is the part of the tail from the last trailer on, or all of it where the
// trailer is a stream.
func trailer(tail []byte) []byte {
	if i := bytes.LastIndex(tail, []byte("trailer")); i >= 0 {
		return tail[i:]
	}
	return tail
}

func deep(ctx context.Context, r io.ReaderAt, report Report) (Report, error) {
	whole, err := readAt(r, 0, report.Bytes)
	if err != nil {
		return report, err
	}
	report.Signed = bytes.Contains(whole, []byte("/ByteRange"))
	doc, err := inTime(ctx, func(ctx context.Context) (document, error) { return parse(ctx, whole) })
	if ctx.Err() != nil {
		return report, ctx.Err()
	}
	switch {
	case errors.Is(err, errLocked):
		report.Encrypted, report.Locked = true, true
		return report, nil
	case errors.Is(err, errGaveUp):
		report.Encrypted = bytes.Contains(whole, []byte("/Encrypt"))
		return report, nil
	case err != nil:
		return report, &DamagedError{Err: err}
	}
	report.Deep = true
	report.Pages, report.A4, report.Encrypted = doc.pages, doc.a4, doc.encrypted
	return report, nil
}

// readAt reads n bytes that the caller knows to be there. A file that became
// shorter meanwhile is a failure to read, not a damaged document.
func readAt(r io.ReaderAt, offset, n int64) ([]byte, error) {
	b := make([]byte, n)
	got, err := r.ReadAt(b, offset)
	if int64(got) == n {
		return b, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("read PDF at %d: %w", offset, err)
}
