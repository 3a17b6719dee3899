package reader

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sendconnector/internal/table"
)

// parts of a minimal workbook, to be spoilt by tests.
func parts(sheet string) map[string]string {
	return map[string]string{
		"[Content_Types].xml":        `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>`,
		"_rels/.rels":                `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Dati" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   sheet,
	}
}

// sheetOf wraps rows below a heading of two columns.
func sheetOf(rows string) string {
	return `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` +
		inline(1, "A", "B") + rows + `</sheetData></worksheet>`
}

func inline(row int, cells ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<row r="%d">`, row)
	for i, c := range cells {
		fmt.Fprintf(&b, `<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+i, row, c)
	}
	return b.String() + `</row>`
}

// bounded runs f and fails if it took more memory than most MB in all, which is what
// a bomb would do; the time follows from the bytes that are looked at.
func bounded(t *testing.T, most uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > most {
		t.Errorf("took %d MB, at most %d are expected", took, most)
	}
}

// Damage prevented: a few kilobytes in a drop take all memory of the server or keep it
// busy for hours, and no other file is read.
func TestHostileWorkbooks(t *testing.T) { //nolint:paralleltest // memory is measured
	const code, damaged = "C-FILE-LIMIT", "C-FILE-DAMAGED"
	row := inline(2, "x", "y")
	for _, c := range []struct {
		name, code string
		most       uint64 // MB
		spoil      func(p map[string]string)
	}{
		{"deep nesting in the sheet", code, 40, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(row + `<row r="3">` + strings.Repeat("<a>", 2<<20))
		}},
		{"deep nesting in the styles", code, 40, func(p map[string]string) { p["xl/styles.xml"] = strings.Repeat("<a>", 2<<20) }},
		{"a million formats and one", code, 60, func(p map[string]string) {
			p["xl/styles.xml"] = "<styleSheet><cellXfs>" + strings.Repeat("<xf/>", maxBesideTags) + "</cellXfs></styleSheet>"
		}},
		{"billion laughs", damaged, 20, func(p map[string]string) {
			p["xl/sharedStrings.xml"] = `<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>`
		}},
		{"external entity", damaged, 20, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + strings.TrimPrefix(sheetOf(inline(2, "&e;")), `<?xml version="1.0"?>`)
		}},
		{"one cell of 20 MB", code, 60, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(inline(2, strings.Repeat("a", 20<<20)))
		}},
		{"one CDATA of 20 MB", code, 60, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(inline(2, "<![CDATA["+strings.Repeat("a", 20<<20)+"]]>"))
		}},
		{"one tag of 2 MB", code, 40, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(`<row r="2" x="` + strings.Repeat("a>", 1<<20) + `"/>`)
		}},
		{"a row of a million cells", code, 60, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(`<row r="2">` + strings.Repeat("<c/>", 1<<20) + `</row>`)
		}},
		{"16,384 columns", code, 60, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(`<row r="2"><c r="XFD2"><v>1</v></c></row>`)
		}},
		{"rows in no order", damaged, 60, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(inline(9, "x", "y") + inline(2, "z", "w"))
		}},
		{"the same row again", damaged, 60, func(p map[string]string) { p["xl/worksheets/sheet1.xml"] = sheetOf(row + row) }},
		{"a row beyond the last", damaged, 60, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(row + `<row r="99999999"><c r="A99999999"><v>1</v></c></row>`)
		}},
		{"no XML in the middle", damaged, 60, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(row + inline(3, "&nbsp;", "y") + inline(4, "x", "y"))
		}},
		{"a control character in the last cell", damaged, 60, func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(row + inline(3, "x", "\x01"))
		}},
		{"five hundred sheets and one", code, 200, func(p map[string]string) {
			var b strings.Builder
			for i := range maxSheets + 1 {
				fmt.Fprintf(&b, `<sheet name="S%d" sheetId="%d" r:id="rId1"/>`, i, i+1)
			}
			p["xl/workbook.xml"] = strings.Replace(p["xl/workbook.xml"], `<sheet name="Dati" sheetId="1" r:id="rId1"/>`, b.String(), 1)
		}},
		{"too many tags in the shared texts", code, 40, func(p map[string]string) {
			p["xl/sharedStrings.xml"] = "<sst>" + strings.Repeat("<a/>", maxSharedTags) + "</sst>"
		}},
		{"too many bytes beside the sheets", code, 40, func(p map[string]string) {
			p["xl/media/1.png"] = strings.Repeat("\x00", maxBeside)
		}},
		{"ten thousand parts and one", code, 60, func(p map[string]string) {
			for i := range maxParts {
				p[fmt.Sprintf("xl/media/%d.png", i)] = ""
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := parts(sheetOf(row))
			c.spoil(p)
			path := write(t, "bomb.xlsx", zipped(t, p))
			clear(p)
			bounded(t, c.most, func() {
				_, _, err := all(path, table.Format{Kind: "xlsx"})
				wantFileError(t, err, c.code)
			})
		})
	}
}

// What is odd but harmless is read: sizes that a sheet claims, links to other
// workbooks, macros, rows and cells without numbers.
func TestOddWorkbooksAreRead(t *testing.T) {
	t.Parallel()
	row := inline(2, "x", "y")
	for name, spoil := range map[string]func(p map[string]string){
		"a dimension that lies": func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = strings.Replace(sheetOf(row), "<sheetData>", `<dimension ref="A1:XFD1048576"/><sheetData>`, 1)
		},
		"an external link": func(p map[string]string) {
			p["xl/externalLinks/externalLink1.xml"] = `<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>`
			p["xl/externalLinks/_rels/externalLink1.xml.rels"] = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="x" Target="https://example.invalid/x.xlsx" TargetMode="External"/></Relationships>`
		},
		"macros": func(p map[string]string) { p["xl/vbaProject.bin"] = "\xd0\xcf\x11\xe0" },
		"rows without numbers": func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = strings.NewReplacer(` r="1"`, "", ` r="2"`, "").Replace(sheetOf(row))
		},
		"comments and values with >": func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(`<!-- <a> - > --><row r="2" x="a>b/"><c r="A2" t="inlineStr"><is><t>x</t></is></c><c r="B2" t="inlineStr"><is><t><![CDATA[y]]></t></is></c></row>`)
		},
		"a row far below": func(p map[string]string) {
			p["xl/worksheets/sheet1.xml"] = sheetOf(row + `<row r="1048576"/>`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := parts(sheetOf(row))
			spoil(p)
			file, rows, err := all(write(t, "odd.xlsx", zipped(t, p)), table.Format{Kind: "xlsx"})
			if err != nil || cells(rows) != "2:x|y" {
				t.Errorf("%v, %s", err, cells(rows))
			}
			if err == nil && file.Macros() != (name == "macros") {
				t.Error("macros not named, or named where there are none")
			}
		})
	}
}

// Damage prevented: an archive that announces less than it holds fills disk or memory.
func TestArchiveThatLies(t *testing.T) {
	t.Parallel()
	content := zipped(t, parts(sheetOf(inline(2, strings.Repeat("a", 1<<20), "y"))))
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		raw, err := f.OpenRaw()
		if err != nil {
			t.Fatal(err)
		}
		h := f.FileHeader
		if strings.HasSuffix(h.Name, "sheet1.xml") {
			h.UncompressedSize64 = 1000
		}
		to, err := w.CreateRaw(&h)
		if err == nil {
			_, err = io.Copy(to, raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, err = all(write(t, "lie.xlsx", out.Bytes()), table.Format{Kind: "xlsx"})
	wantFileError(t, err, "C-FILE-DAMAGED")
}

// filled makes a file of size bytes that all are c, without keeping them.
func filled(t *testing.T, head string, c byte, size int, tail string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "big.csv"))
	if err != nil {
		t.Fatal(err)
	}
	block := bytes.Repeat([]byte{c}, 1<<20)
	_, err = io.WriteString(f, head)
	for n := 0; n < size && err == nil; n += len(block) {
		_, err = f.Write(block)
	}
	_, tailed := io.WriteString(f, tail)
	if err = errors.Join(err, tailed, f.Close()); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// Damage prevented: as for workbooks, by text. The lines have 64 MB; the reader stops
// after one, so that a gigabyte is no more.
func TestHostileTexts(t *testing.T) { //nolint:paralleltest // memory is measured
	const long = 64 << 20
	head := "A;B\r\n1;2\r\n"
	for _, c := range []struct {
		name, kind, code, path string
	}{
		{"an endless line", "csv", "C-FILE-LIMIT", filled(t, head, 'a', long, "")},
		{"an endless first line", "csv", "C-FILE-LIMIT", filled(t, "", 'a', long, "")},
		{"an endless field in quotes", "csv", "C-FILE-LIMIT", filled(t, head+"3;\"", 'a', long, "")},
		{"quotes that never close", "csv", "C-FILE-LIMIT", filled(t, head+"3;\"", '\n', long, "")},
		{"a million columns", "csv", "C-FILE-LIMIT", filled(t, head, ';', 1<<20, "\r\n")},
		{"a heading of a million columns", "csv", "C-FILE-LIMIT", filled(t, "A", ';', 1<<20, "\r\nx\r\n")},
		{"NUL bytes", "csv", "C-FILE-DAMAGED", filled(t, head, 0, long, "\r\n")},
		{"an endless line of JSON", "jsonl", "C-FILE-LIMIT", filled(t, "{\"a\":1}\n{\"a\":\"", 'a', long, "\"}\n")},
		{"an endless first line of JSON", "jsonl", "C-FILE-LIMIT", filled(t, "{\"a\":\"", 'a', long, "\"}\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			bounded(t, 16, func() {
				_, _, err := all(c.path, table.Format{Kind: c.kind})
				wantFileError(t, err, c.code)
			})
		})
	}
}

// Damage prevented: a hostile workbook ends the service.
func FuzzXLSX(f *testing.F) {
	add := func(sheet, shared, styles string) { f.Add(sheet, shared, styles) }
	add(sheetOf(inline(2, "x", "y")), "", "")
	add(sheetOf(`<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" s="1"><f>A1</f><v>45000.5</v></c></row>`),
		`<sst count="1"><si><r><t>a</t></r></si></sst>`,
		`<styleSheet><numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts><cellXfs count="2"><xf/><xf numFmtId="164"/></cellXfs></styleSheet>`)
	add(sheetOf(`<row r="-3"><c r="A-3" t="s"><v>-1</v></c></row><row r="1048577"/>`), `<sst/>`, `<styleSheet/>`)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, sheet, shared, styles string) {
		p := parts(sheet)
		if shared != "" {
			p["xl/sharedStrings.xml"] = shared
		}
		if styles != "" {
			p["xl/styles.xml"] = styles
		}
		path := filepath.Join(dir, "fuzz.xlsx")
		if err := os.WriteFile(path, zipped(t, p), 0o600); err != nil {
			t.Fatal(err)
		}
		file, rows, err := all(path, table.Format{Kind: "xlsx", MaxBytes: 1 << 20})
		var fe *FileError
		if err != nil && !errors.As(err, &fe) {
			t.Fatalf("%v is no FileError", err)
		}
		last := 0
		for _, r := range rows {
			if r.Number <= last {
				t.Fatalf("row %d after row %d", r.Number, last)
			}
			last = r.Number
		}
		if err == nil && len(file.Heading().Names) > maxColumns {
			t.Fatal("more columns than allowed")
		}
	})
}

// Damage prevented: the meter loses count over odd markup, and a bomb passes.
func FuzzMeter(f *testing.F) {
	f.Add([]byte(`<a b="<>"><c/><!-- > --><![CDATA[ ]]>]]></a>`))
	f.Add([]byte(`<?x ?><a><b></b></a>`))
	f.Fuzz(func(t *testing.T, text []byte) {
		whole, cut := meter{most: 50, rows: 20}, meter{most: 50, rows: 20}
		err := whole.count(text)
		var cutErr *FileError
		for i := 0; i < len(text) && cutErr == nil; i++ {
			cutErr = cut.count(text[i : i+1])
		}
		if (err == nil) != (cutErr == nil) || err == nil && (whole.depth != cut.depth || whole.tags != cut.tags) {
			t.Fatalf("%v %v: %d %d, in pieces %d %d", err, cutErr, whole.depth, whole.tags, cut.depth, cut.tags)
		}
		if whole.tags > 51 || whole.depth > maxDepth+1 {
			t.Fatalf("depth %d, %d tags", whole.depth, whole.tags)
		}
	})
}
