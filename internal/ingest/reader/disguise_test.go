package reader

import (
	"strings"
	"testing"

	"sendconnector/internal/table"
)

// Damage prevented: "cannot read file" for a file a clerk could mend in a minute.
func TestDisguisedFilesAreNamed(t *testing.T) {
	ole := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600)
	content := `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`
	for name, c := range map[string]struct {
		content string
		kind    string
		words   []string
	}{
		"BIFF .xls":            {ole + string(utf16le("Workbook")), "xlsx", []string{"97-2003", "salvarlo come .xlsx"}},
		"BIFF .xls for CSV":    {ole + string(utf16le("Workbook")), "csv", []string{"97-2003"}},
		"raw BIFF5":            {"\x09\x08\x08\x00\x00\x05\x05\x00", "xlsx", []string{"97-2003"}},
		"encrypted workbook":   {ole + string(utf16le("EncryptedPackage")), "xlsx", []string{"password"}},
		"HTML as .xls":         {"<html><body><table><tr><td>A</td></tr></table></body></html>", "xlsx", []string{"HTML"}},
		"HTML table only":      {"  \r\n<table><tr><td>A</td></tr></table>", "xlsx", []string{"HTML"}},
		"doctype":              {"<!DOCTYPE html><html></html>", "csv", []string{"HTML"}},
		"XML 2003":             {`<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>`, "xlsx", []string{"XML di Excel 2003"}},
		"XML":                  {`<?xml version="1.0"?><ruolo/>`, "csv", []string{"XML"}},
		"CSV as .xlsx":         {"A;B\n1;2\n", "xlsx", []string{"CSV", "profilo"}},
		"PDF":                  {"%PDF-1.7\n", "csv", []string{"PDF"}},
		"RTF":                  {"{\\rtf1 ciao}", "csv", []string{"RTF"}},
		"gzip":                 {"\x1f\x8b\x08\x00", "csv", []string{"compresso"}},
		"picture":              {"\x89PNG\r\n\x1a\n", "csv", []string{"immagine"}},
		"ZIP":                  {string(zipped(t, map[string]string{"a.csv": "A;B\n1;2\n"})), "csv", []string{"ZIP"}},
		"ods":                  {string(zipped(t, map[string]string{"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"})), "xlsx", []string{"LibreOffice"}},
		"docx":                 {string(zipped(t, map[string]string{"[Content_Types].xml": content, "word/document.xml": "<x/>"})), "xlsx", []string{"Word"}},
		"xlsb":                 {string(zipped(t, map[string]string{"[Content_Types].xml": content, "xl/workbook.bin": "x"})), "xlsx", []string{"xlsb"}},
		"JSON lines for CSV":   {"{\"a\":1}\n{\"a\":2}\n", "csv", []string{"JSON"}},
		"CSV for JSON lines":   {"A;B\n1;2\n", "jsonl", []string{"CSV"}},
		"JSON array":           {"[\n {\"a\":1}\n]\n", "jsonl", []string{"un oggetto JSON per riga"}},
		"JSON over many lines": {"{\n \"a\": 1\n}\n", "jsonl", []string{"un oggetto JSON per riga"}},
		"utf-16 as .xls":       {string(utf16bytes("A;B\n1;2\n3;4\n", false, false)), "csv", []string{"UTF-16"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := all(write(t, "export.xls", []byte(c.content)), table.Format{Kind: c.kind})
			wantFileError(t, err, "C-FILE-KIND", c.words...)
		})
	}
	_, _, err := all(write(t, "a.xlsx", []byte("PK\x03\x04broken")), table.Format{Kind: "xlsx"})
	wantFileError(t, err, "C-FILE-DAMAGED")
	xlsx := handMade(t, `<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>`, "</sheetData></worksheet>")
	_, _, err = all(xlsx, table.Format{Kind: "csv"})
	wantFileError(t, err, "C-FILE-KIND", "Excel (.xlsx)", "profilo")
}

// Damage prevented: lines numbered wrongly, or a giant line read into memory.
func TestJSONL(t *testing.T) {
	_, rows := mustRead(t, "a.jsonl", []byte("\xef\xbb\xbf{\"a\":1}\r\n\n{\"b\":\"é\"}\nnot json\n"), table.Format{Kind: "jsonl"})
	if got := cells(rows); got != "1:{\"a\":1}\n3:{\"b\":\"é\"}\n4:not json" {
		t.Errorf("got\n%s", got)
	}
	_, _, err := all(write(t, "a.jsonl", []byte("{\"a\":1}\n{\"b\":\""+strings.Repeat("x", 2*maxRecordBytes)+"\"}\n")), table.Format{Kind: "jsonl"})
	wantFileError(t, err, "C-FILE-LIMIT", "riga 2")
	_, _, err = all(write(t, "a.jsonl", []byte("{\"a\":\"\xe8\"}\n")), table.Format{Kind: "jsonl"})
	wantFileError(t, err, "C-FILE-ENCODING", "riga 1")
	_, rows = mustRead(t, "a.jsonl", []byte("\"a\":1}\n{\"b\":2}\n"), table.Format{Kind: "jsonl"})
	if got := cells(rows); got != "1:\"a\":1}\n2:{\"b\":2}" {
		t.Errorf("a bad first line: got\n%s", got)
	}
	_, rows = mustRead(t, "a", []byte("{\"a\":1}\n"), table.Format{})
	if len(rows) != 1 {
		t.Error("kind not found out")
	}
}
