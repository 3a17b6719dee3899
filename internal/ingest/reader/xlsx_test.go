package reader

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"sendconnector/internal/table"
)

// book makes a workbook; fill writes its first sheet.
func book(t testing.TB, fill func(f *excelize.File, sheet string)) string {
	t.Helper()
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	fill(f, "Sheet1")
	path := filepath.Join(t.TempDir(), "a.xlsx")
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func set(t testing.TB, f *excelize.File, sheet, cell string, value any, format string) {
	t.Helper()
	if err := f.SetCellValue(sheet, cell, value); err != nil {
		t.Fatal(err)
	}
	if format == "" {
		return
	}
	style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetCellStyle(sheet, cell, cell, style); err != nil {
		t.Fatal(err)
	}
}

func xlsxRows(t testing.TB, path string, f table.Format) (*File, []table.Row) {
	t.Helper()
	f.Kind = "xlsx"
	file, rows, err := all(path, f)
	if err != nil {
		t.Fatal(err)
	}
	return file, rows
}

// Damage prevented: what a spreadsheet does to codes, amounts and dates reaching SEND.
func TestXLSXCells(t *testing.T) {
	type c struct {
		value  any
		format string
		want   string
		kind   table.Kind
		fault  string
	}
	for name, v := range map[string]c{
		"text":                   {"00123", "", "00123", table.Text, ""},
		"notice as text":         {"301000000001234519", "", "301000000001234519", table.Text, ""},
		"notice as number":       {3.01000000000123e17, "0", "301000000000123000", table.Number, "C-CELL-DIGITS"},
		"integer of 16 digits":   {int64(1234567890123456), "", "1234567890123456", table.Number, "C-CELL-DIGITS"},
		"integer of 15 digits":   {int64(123456789012345), "", "123456789012345", table.Number, ""},
		"amount":                 {1234.5, "#,##0.00 [$€-410]", "1234.5", table.Number, ""},
		"dust of binary":         {0.1 + 0.2, "", "0.3", table.Number, ""},
		"small, no exponent":     {0.0000012, "", "0.0000012", table.Number, ""},
		"large, no exponent":     {1.5e13, "0.00E+00", "15000000000000", table.Number, ""},
		"zip shown with zeros":   {187, "00000", "00187", table.Text, ""},
		"zip that lost them":     {187, "", "187", table.Number, ""},
		"date":                   {46387, "dd/mm/yyyy", "2026-12-31", table.Date, ""},
		"Italian date":           {46387, `[$-410]d\ mmmm\ yyyy;@`, "2026-12-31", table.Date, ""},
		"month only":             {46387, "mmm", "2026-12-31", table.Date, ""},
		"date with time":         {46387.75, "dd/mm/yyyy hh:mm", "2026-12-31 18:00:00", table.Date, ""},
		"time":                   {0.5, "hh:mm", "12:00:00", table.Date, ""},
		"before the false day":   {59, "dd/mm/yyyy", "1900-02-28", table.Date, ""},
		"text in a unit format":  {12, `0.0 "day"`, "12", table.Number, ""},
		"month in a unit format": {12, `0" mesi"`, "12", table.Number, ""},
		"true":                   {true, "", "VERO", table.Bool, ""},
		"false":                  {false, "", "FALSO", table.Bool, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := book(t, func(f *excelize.File, s string) {
				set(t, f, s, "A1", "X", "")
				set(t, f, s, "B1", "Y", "")
				set(t, f, s, "A2", v.value, v.format)
			})
			_, rows := xlsxRows(t, path, table.Format{})
			if len(rows) != 1 || rows[0].Cells[0] != v.want || rows[0].KindOf(0) != v.kind || len(rows[0].Cells) != 2 {
				t.Fatalf("got %+v", rows)
			}
			fault := ""
			if len(rows[0].Faults) > 0 {
				fault = rows[0].Faults[0].Code
			}
			if fault != v.fault {
				t.Errorf("fault %q, want %q", fault, v.fault)
			}
		})
	}
	path := book(t, func(f *excelize.File, s string) {
		yes := true
		if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}); err != nil {
			t.Fatal(err)
		}
		set(t, f, s, "A1", "X", "")
		set(t, f, s, "A2", 44925, "dd/mm/yyyy")
		set(t, f, s, "A3", time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC), "")
	})
	if _, rows := xlsxRows(t, path, table.Format{}); rows[0].Cells[0] != "2026-12-31" {
		t.Errorf("1904: %s", cells(rows))
	}
}

// Damage prevented: a formula nobody computed taken for a blank.
func TestXLSXFormulas(t *testing.T) {
	path := book(t, func(f *excelize.File, s string) {
		for i, h := range []string{"A", "B", "C"} {
			set(t, f, s, string(rune('A'+i))+"1", h, "")
		}
		set(t, f, s, "A2", "x", "")
		if err := f.SetCellFormula(s, "B2", "A2&\"y\""); err != nil {
			t.Fatal(err)
		}
		set(t, f, s, "C2", "z", "")
		set(t, f, s, "A3", "w", "")
		if err := f.SetCellFormula(s, "C3", "1+1"); err != nil {
			t.Fatal(err)
		}
	})
	_, rows := xlsxRows(t, path, table.Format{})
	if got := cells(rows); got != "2:x||z !C-CELL-FORMULA@1\n3:w|| !C-CELL-FORMULA@2" {
		t.Errorf("got\n%s", got)
	}
	// With cached results, an error among them, as spreadsheets save them.
	sheet := `<row r="1"><c r="A1" t="inlineStr"><is><t>A</t></is></c><c r="B1" t="inlineStr"><is><t>B</t></is></c><c r="C1" t="inlineStr"><is><t>C</t></is></c></row>` +
		`<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>"a"</f><v>a</v></c><c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>` +
		`<row r="3"><c r="A3" t="str"><f>""</f><v></v></c><c r="B3"><v>7</v></c></row>` +
		`<row><c><v>1</v></c><c t="d"><v>2026-12-31T00:00:00</v></c></row>`
	_, rows = xlsxRows(t, handMade(t, sheet, "</sheetData></worksheet>"), table.Format{})
	want := "2:2|a|#DIV/0! !C-CELL-ERROR@2\n3:|7|\n4:1|2026-12-31|"
	if got := cells(rows); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// handMade is a minimal workbook with the given rows.
func handMade(t testing.TB, rows, tail string) string {
	t.Helper()
	return write(t, "hand.xlsx", zipped(t, map[string]string{
		"[Content_Types].xml":        `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`,
		"_rels/.rels":                `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Dati" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><!-- <row r="9"> > --><sheetData>` + rows + tail,
	}))
}

// Damage prevented: rows lost from a damaged workbook, or read from a hidden sheet.
func TestXLSXSheetsAndMargin(t *testing.T) {
	path := book(t, func(f *excelize.File, s string) {
		for _, name := range []string{"Dati", "Altro"} {
			if _, err := f.NewSheet(name); err != nil {
				t.Fatal(err)
			}
		}
		set(t, f, s, "A1", "NASCOSTO", "")
		set(t, f, "Dati", "A1", "Elenco degli avvisi", "")
		set(t, f, "Dati", "A3", " CF ", "")
		set(t, f, "Dati", "B3", "Nota", "")
		set(t, f, "Dati", "A5", "x", "")
		set(t, f, "Dati", "D5", "appunto a lato", "")
		set(t, f, "Dati", "A6", "  ", "")
		set(t, f, "Dati", "B9", "y", "")
		set(t, f, "Altro", "A1", "Z", "")
		set(t, f, "Altro", "A2", "1", "")
		f.SetActiveSheet(1)
		if err := f.SetSheetVisible(s, false); err != nil {
			t.Fatal(err)
		}
	})
	file, rows := xlsxRows(t, path, table.Format{SkipRows: 2})
	if got := cells(rows); got != "5:x|\n9:|y" || strings.Join(file.Heading().Names, "|") != "CF|Nota" || file.Heading().Row != 3 {
		t.Errorf("got %+v\n%s", file.Heading(), got)
	}
	for _, sheet := range []string{"Altro", "2"} {
		if _, rows := xlsxRows(t, path, table.Format{Sheet: sheet}); cells(rows) != "2:1" {
			t.Errorf("sheet %s: %s", sheet, cells(rows))
		}
	}
	if _, rows := xlsxRows(t, path, table.Format{Sheet: "Altro", NoHeading: true}); cells(rows) != "1:Z\n2:1" {
		t.Errorf("no heading: %s", cells(rows))
	}
	for _, sheet := range []string{"Sheet1", "3", "dati"} {
		_, _, err := all(path, table.Format{Kind: "xlsx", Sheet: sheet})
		wantFileError(t, err, "C-FILE-SHEET", "Dati, Altro")
	}
	_, _, err := all(path, table.Format{Kind: "xlsx", Sheet: "Altro", MaxBytes: 100})
	wantFileError(t, err, "C-FILE-LIMIT")
	_, _, err = all(path, table.Format{Kind: "xlsx", SkipRows: 50})
	wantFileError(t, err, "C-FILE-HEADING", "51")
}

// Damage prevented: half a workbook read as a whole one.
func TestXLSXDamaged(t *testing.T) {
	path := book(t, func(f *excelize.File, s string) {
		for i := range 500 {
			set(t, f, s, "A"+itoa(i+1), "Via dei Test "+itoa(i*7919), "")
		}
	})
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = all(write(t, "half.xlsx", content[:len(content)/2]), table.Format{Kind: "xlsx"})
	wantFileError(t, err, "C-FILE-DAMAGED")
	row := `<row r="1"><c r="A1" t="inlineStr"><is><t>A</t></is></c></row><row r="2"><c r="A2"><v>5</v></c></row>`
	for name, tail := range map[string]string{"no end of data": "", "inside a row": `<row r="3"><c r="A3"><v>6</v></c>`, "inside a tag": `<row r="3"><c r="A`} {
		_, _, err = all(handMade(t, row, tail), table.Format{Kind: "xlsx"})
		t.Log(name)
		wantFileError(t, err, "C-FILE-DAMAGED")
	}
	for _, ref := range []string{"1", "", "ZZZZZZ3", "a3", "É3"} {
		odd := handMade(t, row+`<row r="3"><c r="`+ref+`"><f>1</f></c></row>`, "</sheetData></worksheet>")
		if _, rows, err := all(odd, table.Format{Kind: "xlsx"}); err == nil && len(rows) == 0 {
			t.Errorf("reference %q: rows lost without a word", ref)
		}
	}
	flipped := bytes.Clone(content)
	if i := bytes.Index(flipped, []byte("xl/worksheets/sheet1.xml")); i > 0 {
		flipped[i+60] ^= 0xff
	}
	if _, _, err = all(write(t, "flip.xlsx", flipped), table.Format{Kind: "xlsx"}); err == nil {
		t.Error("a workbook with a flipped byte was taken")
	}
	empty := book(t, func(*excelize.File, string) {})
	_, _, err = all(empty, table.Format{Kind: "xlsx"})
	wantFileError(t, err, "C-FILE-BLANK")
	only := book(t, func(f *excelize.File, s string) { set(t, f, s, "A1", "A", "") })
	_, _, err = all(only, table.Format{Kind: "xlsx"})
	wantFileError(t, err, "C-FILE-NO-ROWS")
}

// Damage prevented: an amount or a date shown otherwise than a person sees it.
func FuzzNumber(f *testing.F) {
	f.Add("1234.5")
	f.Add("3.01E+17")
	f.Fuzz(func(t *testing.T, text string) {
		out, ok := plainNumber(text)
		if ok && out != text && strings.ContainsAny(out, "eE") {
			t.Fatalf("%q became %q", text, out)
		}
		_ = customFormat(text)
	})
}

// Damage prevented: a crash or an endless loop over a hostile sheet.
func FuzzMarks(f *testing.F) {
	f.Add([]byte(`<sheetData><row r="1"><c r="A1" s="2" t="s"><f>x</f><v>1</v></c></row></sheetData>`))
	f.Add([]byte(`<x:sheetData><x:row><x:c/></x:row><!-- > --><row r="7"/><![CDATA[>]]></x:sheetData>`))
	f.Fuzz(func(t *testing.T, sheet []byte) {
		marks := &cellMarks{r: bufio.NewReader(bytes.NewReader(sheet))}
		for n := 1; n < 50; n++ {
			cells, err := marks.row(n)
			if err != nil {
				return
			}
			for _, c := range cells {
				if c.style < 0 || c.column < -1 {
					t.Fatalf("%+v", c)
				}
			}
		}
		_ = marks.finish(50)
	})
}
