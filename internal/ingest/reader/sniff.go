package reader

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
)

// sniffed is what the content of a file says it is, whatever its name says.
type sniffed struct {
	kind   string // csv, xlsx, jsonl, or "" for what no reader takes
	what   string // in Italian, for the message
	remedy string
	// objects: some line is a JSON object although the first is not
	objects bool
}

const (
	remedySaveAs  = "Aprirlo con Excel e salvarlo come .xlsx o CSV."
	remedyInside  = "Depositare il file .xlsx o CSV che contiene."
	remedyData    = "Depositare il foglio o il CSV con i dati."
	remedyProfile = "Correggere nel profilo il tipo di file (format, kind) oppure esportare nel tipo previsto."
	remedyLines   = "Scrivere un oggetto JSON per riga."
)

// magics are the first bytes of what people drop by mistake.
var magics = []struct {
	mark         string
	what, remedy string
}{
	{"%PDF-", "un documento PDF", remedyData},
	{"{\\rtf", "un documento RTF", remedyData},
	{"\x1f\x8b", "un archivio compresso", remedyInside},
	{"7z\xbc\xaf\x27\x1c", "un archivio compresso", remedyInside},
	{"Rar!\x1a\x07", "un archivio compresso", remedyInside},
	{"\x89PNG", "un'immagine", remedyData},
	{"\xff\xd8\xff", "un'immagine", remedyData},
	{"\x09\x08\x10\x00", "un foglio Excel 97-2003 (.xls)", remedySaveAs},
	{"\x09\x08\x08\x00", "un foglio Excel 97-2003 (.xls)", remedySaveAs},
	{"\x09\x04\x06\x00", "un foglio Excel 97-2003 (.xls)", remedySaveAs},
	{"\x09\x02\x06\x00", "un foglio Excel 97-2003 (.xls)", remedySaveAs},
	{"\x09\x00\x04\x00", "un foglio Excel 97-2003 (.xls)", remedySaveAs},
}

// sniffBytes is how much of a file is looked at to tell what it is.
const sniffBytes = 64 << 10

// sniff tells what a file is by its content.
func sniff(path string) (sniffed, error) {
	file, err := openRaw(path)
	if err != nil {
		return sniffed{}, err
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil {
		return sniffed{}, readError(err)
	} else if info.Size() == 0 {
		return sniffed{}, fileError("C-FILE-BLANK")
	}
	head := make([]byte, sniffBytes)
	n, err := io.ReadFull(file, head)
	if err != nil && n == 0 {
		return sniffed{}, readError(err)
	}
	head = head[:n]
	if len(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))) == 0 && n < sniffBytes {
		return sniffed{}, fileError("C-FILE-BLANK")
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return sniffOLE(file)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return sniffZIP(file)
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			return sniffed{what: m.what, remedy: m.remedy}, nil
		}
	}
	return sniffText(head), nil
}

// sniffOLE tells an old .xls from an encrypted workbook: both are OLE containers,
// which name their streams in UTF-16.
func sniffOLE(file *os.File) (sniffed, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return sniffed{}, readError(err)
	}
	content, err := io.ReadAll(io.LimitReader(file, 64<<20))
	if err != nil {
		return sniffed{}, readError(err)
	}
	switch {
	case bytes.Contains(content, utf16le("EncryptedPackage")):
		return sniffed{what: "un foglio Excel protetto da password", remedy: "Togliere la password e salvarlo di nuovo."}, nil
	case bytes.Contains(content, utf16le("WordDocument")):
		return sniffed{what: "un documento Word", remedy: remedyData}, nil
	}
	return sniffed{what: "un foglio Excel 97-2003 (.xls)", remedy: remedySaveAs}, nil
}

func utf16le(s string) []byte {
	out := make([]byte, 0, 2*len(s))
	for i := range len(s) {
		out = append(out, s[i], 0)
	}
	return out
}

// sniffZIP tells the kinds of documents that are ZIP archives.
func sniffZIP(file *os.File) (sniffed, error) {
	info, err := file.Stat()
	if err != nil {
		return sniffed{}, readError(err)
	}
	z, err := zip.NewReader(file, info.Size())
	if err != nil {
		return sniffed{}, fileError("C-FILE-DAMAGED", "detail", "ZIP").because(err)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(z.File, func(f *zip.File) bool { return strings.EqualFold(strings.ReplaceAll(f.Name, `\`, "/"), name) })
	}
	switch {
	case has("xl/workbook.bin"):
		return sniffed{what: "un foglio Excel binario (.xlsb)", remedy: remedySaveAs}, nil
	case has("xl/workbook.xml"), has("[Content_Types].xml") && !has("word/document.xml"):
		return sniffed{kind: "xlsx", what: "un foglio Excel (.xlsx)"}, nil
	case has("word/document.xml"):
		return sniffed{what: "un documento Word", remedy: remedyData}, nil
	case has("mimetype") && has("content.xml"):
		return sniffed{what: "un foglio LibreOffice (.ods)", remedy: remedySaveAs}, nil
	}
	return sniffed{what: "un archivio ZIP", remedy: remedyInside}, nil
}

// sniffText tells kinds of text apart; the rest is taken for CSV and surveyed later.
func sniffText(head []byte) sniffed {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	lower := bytes.ToLower(text)
	switch {
	case bytes.HasPrefix(lower, []byte("<?xml")), bytes.HasPrefix(lower, []byte("<workbook")):
		if bytes.Contains(lower, []byte("urn:schemas-microsoft-com:office:spreadsheet")) {
			return sniffed{what: "un foglio XML di Excel 2003", remedy: remedySaveAs}
		}
		if bytes.Contains(lower, []byte("<html")) {
			return sniffed{what: "una pagina HTML", remedy: remedySaveAs}
		}
		return sniffed{what: "un file XML", remedy: remedyData}
	case hasAnyPrefix(lower, "<!doctype html", "<html", "<table", "<head", "<body", "<meta", "<style"):
		return sniffed{what: "una pagina HTML", remedy: remedySaveAs}
	case bytes.HasPrefix(text, []byte("{")):
		return sniffed{kind: "jsonl", what: "un file JSON a righe"}
	case bytes.HasPrefix(text, []byte("[")) && hasAnyPrefix(bytes.TrimLeft(text[1:], " \t\r\n"), "{"):
		return sniffed{what: "un documento JSON unico, non a righe", remedy: remedyLines}
	}
	return sniffed{kind: "csv", what: "un file di testo (CSV)", objects: bytes.Contains(text, []byte("\n{\""))}
}

func hasAnyPrefix(text []byte, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return bytes.HasPrefix(text, []byte(p)) })
}

// mustBe compares with the kind a profile expects.
func (s sniffed) mustBe(kind string) error {
	if s.kind == kind && kind != "" || kind == "jsonl" && s.objects { // a bad first line spoils no other
		return nil
	}
	remedy := s.remedy
	if remedy == "" {
		remedy = remedyProfile
	}
	expected := map[string]string{"xlsx": "XLSX", "jsonl": "JSON", "csv": "CSV"}[kind]
	if expected == "" {
		expected = "CSV, XLSX, JSON"
	}
	return fileError("C-FILE-KIND", "expected", expected, "found", s.what, "remedy", remedy)
}
