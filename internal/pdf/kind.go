package pdf

import (
	"bytes"
	"unicode/utf8"
)

// Kind is what a file that is no PDF seems to be.
type Kind string

// The kinds that NotPDFError tells apart.
const (
	Empty      Kind = "empty"
	Shifted    Kind = "shifted" // a PDF with bytes before its head
	HTML       Kind = "html"
	XML        Kind = "xml"
	SignedP7M  Kind = "p7m" // CAdES envelope
	ZIP        Kind = "zip" // also .docx, .xlsx, .odt
	Office     Kind = "office"
	RTF        Kind = "rtf"
	PostScript Kind = "postscript"
	Image      Kind = "image"
	Text       Kind = "text"
	Unknown    Kind = "unknown"
)

// Italian names the kind for a clerk, as in "sembra …".
func (k Kind) Italian() string {
	switch k {
	case Empty:
		return "un file vuoto"
	case Shifted:
		return "un PDF con altri byte prima dell'inizio"
	case HTML:
		return "una pagina web (HTML)"
	case XML:
		return "un file XML"
	case SignedP7M:
		return "un file firmato .p7m; estrarre il PDF dalla busta di firma o firmarlo in formato PAdES"
	case ZIP:
		return "un archivio ZIP o un documento Word/Excel"
	case Office:
		return "un vecchio documento Word o Excel"
	case RTF:
		return "un documento RTF"
	case PostScript:
		return "un file PostScript"
	case Image:
		return "un'immagine"
	case Text:
		return "un file di testo"
	}
	return "un file di altro tipo"
}

// English is Italian in English.
func (k Kind) English() string {
	switch k {
	case Empty:
		return "an empty file"
	case Shifted:
		return "a PDF with other bytes before its head"
	case HTML:
		return "a web page (HTML)"
	case XML:
		return "an XML file"
	case SignedP7M:
		return "a signed .p7m envelope; take the PDF out of it or sign it as PAdES"
	case ZIP:
		return "a ZIP archive or a Word/Excel document"
	case Office:
		return "an old Word or Excel document"
	case RTF:
		return "an RTF document"
	case PostScript:
		return "a PostScript file"
	case Image:
		return "an image"
	case Text:
		return "a text file"
	}
	return "a file of another kind"
}

// magic are first bytes that tell a kind.
var magic = []struct {
	prefix string
	kind   Kind
}{
	{"PK\x03\x04", ZIP},
	{"PK\x05\x06", ZIP},
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Office},
	{"{\\rtf", RTF},
	{"%!PS", PostScript},
	{"\xFF\xD8\xFF", Image},
	{"\x89PNG", Image},
	{"GIF8", Image},
	{"II*\x00", Image},
	{"MM\x00*", Image},
	{"BM", Image},
	{"-----BEGIN PKCS7", SignedP7M},
	{"-----BEGIN CMS", SignedP7M},
	{"MIA", SignedP7M}, // base64 of an indefinite-length envelope
	{"MII", SignedP7M}, // base64 of a definite-length one
}

// kindOf tells what the head of a file, which does not begin as a PDF, looks like.
func kindOf(head []byte) Kind {
	if len(head) == 0 {
		return Empty
	}
	if isDER(head) {
		return SignedP7M
	}
	if bytes.Contains(head, []byte(signature)) {
		return Shifted
	}
	bare := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), " \t\r\n")
	for _, m := range magic {
		if bytes.HasPrefix(bare, []byte(m.prefix)) {
			return m.kind
		}
	}
	lower := bytes.ToLower(bare)
	switch {
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.Contains(lower, []byte("<html")):
		return HTML
	case bytes.HasPrefix(lower, []byte("<?xml")):
		return XML
	case isText(head):
		return Text
	}
	return Unknown
}

// isDER tells the first bytes of a CMS envelope: a sequence whose first element is
// the object identifier of PKCS #7 signed data.
func isDER(head []byte) bool {
	if head[0] != 0x30 {
		return false
	}
	signedData := []byte{0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02}
	return bytes.Contains(head[:min(len(head), 24)], signedData)
}

// isText reports whether the head holds no control characters but blanks; its end
// may cut a character in two.
func isText(head []byte) bool {
	for i := 0; i < len(head); {
		r, size := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && size <= 1 && len(head)-i >= utf8.UTFMax {
			return false
		}
		if r < ' ' && r != '\t' && r != '\r' && r != '\n' {
			return false
		}
		i += size
	}
	return true
}
