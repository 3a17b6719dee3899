package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// Bounds of what Codes looks at: an act names its addressee on its first pages.
const (
	maxTextPages = 20
	maxTextBytes = 4 << 20
	maxCodes     = 50
)

// Found is what Codes found, in the order of the text, each once. Both are
// candidates by their form only: whoever uses them checks the arithmetic.
type Found struct {
	TaxIDs  []string // 16 characters in the form of a personal tax code
	Notices []string // 18 digits, printed groups joined
}

// Codes looks for personal tax codes and notice numbers in the text of a PDF. It is
// a best effort: only text that stands plainly in the pages' own content, in fonts of
// one byte a character, can be read; scans, embedded fonts with their own numbering,
// forms within forms, locked files and those over DeepLimit give nothing. So finding
// none means nothing, and finding one is good for a warning. Errors are failures to
// read or ctx.Err(); a document that is not understood gives an empty Found.
func Codes(ctx context.Context, r io.ReaderAt, size int64) (Found, error) {
	if size > DeepLimit {
		return Found{}, nil
	}
	whole, err := readAt(r, 0, size)
	if err != nil {
		return Found{}, err
	}
	if !bytes.HasPrefix(whole, []byte(signature)) {
		return Found{}, nil
	}
	text, err := inTime(ctx, func(ctx context.Context) ([]byte, error) { return textOf(ctx, whole), nil })
	if ctx.Err() != nil {
		return Found{}, ctx.Err()
	}
	if err != nil {
		return Found{}, nil //nolint:nilerr // a document that is not understood has no text
	}
	return Found{TaxIDs: taxIDsIn(text), Notices: noticesIn(text)}, nil
}

// errEnough ends the walk over pages.
var errEnough = errors.New("enough")

// textOf gives the readable text of the first pages. A panic of the library ends it
// with what there is so far.
func textOf(ctx context.Context, whole []byte) (text []byte) {
	defer func() { _ = recover() }()
	x, err := open(ctx, whole)
	if err != nil {
		return nil
	}
	pages := 0
	_ = eachPage(ctx, x, func(p page) error {
		content, err := contentOf(x, p.dict["Contents"])
		if err != nil {
			return nil //nolint:nilerr // a page that cannot be read gives no text
		}
		text = append(appendText(text, content), '\n')
		if pages++; pages >= maxTextPages || len(text) > maxTextBytes {
			return errEnough
		}
		return nil
	})
	return text
}

// contentOf decodes the content streams of a page, one after the other.
func contentOf(x *model.Context, o types.Object) ([]byte, error) {
	if o == nil {
		return nil, nil
	}
	parts := types.Array{o}
	if list, err := x.DereferenceArray(o); err == nil {
		parts = list
	}
	var content []byte
	for _, part := range parts {
		stream, _, err := x.DereferenceStreamDict(part)
		if err != nil || stream == nil {
			return nil, fmt.Errorf("page content: %w", err)
		}
		if err := stream.DecodeWithLimit(maxTextBytes); err != nil {
			return nil, fmt.Errorf("page content: %w", err)
		}
		content = append(append(content, stream.Content...), '\n')
	}
	return content, nil
}

// taxIDsIn finds words of 16 letters and digits in the form of a tax code, omocodes
// included.
func taxIDsIn(text []byte) []string {
	var found []string
	start := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && isWord(text[i]) {
			continue
		}
		if i-start == 16 && isTaxIDForm(text[start:i]) {
			found = once(found, string(text[start:i]))
		}
		start = i + 1
	}
	return found
}

func isWord(c byte) bool {
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80
}

func isTaxIDForm(w []byte) bool {
	const form = "AAAAAA99A99A999A"
	for i, c := range w {
		letter := c >= 'A' && c <= 'Z'
		digit := (c >= '0' && c <= '9') || (c >= 'L' && c <= 'N') || (c >= 'P' && c <= 'V')
		if (form[i] == 'A' && !letter) || (form[i] == '9' && !digit) {
			return false
		}
	}
	return true
}

// noticesIn finds 18 digits, also where they are printed in groups with one blank
// between them.
func noticesIn(text []byte) []string {
	var found []string
	var digits []byte
	for i := 0; i <= len(text); i++ {
		switch {
		case i < len(text) && text[i] >= '0' && text[i] <= '9':
			digits = append(digits, text[i])
			continue
		case i+1 < len(text) && text[i] == ' ' && len(digits) > 0 && text[i+1] >= '0' && text[i+1] <= '9':
			continue
		}
		if len(digits) == 18 {
			found = once(found, string(digits))
		}
		digits = digits[:0]
	}
	return found
}

func once(found []string, s string) []string {
	if len(found) >= maxCodes {
		return found
	}
	for _, f := range found {
		if f == s {
			return found
		}
	}
	return append(found, s)
}
