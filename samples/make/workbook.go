package main

import (
	"bytes"
	"time"

	"github.com/xuri/excelize/v2"
)

// tariWorkbook writes the rows as somebody keeps them in Excel: a bold heading,
// columns formatted as text where the clerk thought of it, real dates and numbers,
// and a second sheet with notes.
func tariWorkbook(rows []assessment) []byte {
	const sheet = "Accertamenti"
	f := excelize.NewFile()
	must(f.SetSheetName("Sheet1", sheet))
	styles := newStyles(f)
	for i, title := range tariColumns {
		put(f, sheet, i+1, 1, title, styles.bold)
	}
	for r, a := range rows {
		for i, v := range a.cells() {
			if v == nil || v == "" {
				continue
			}
			put(f, sheet, i+1, r+2, v, styles.of(v))
		}
	}
	must(f.SetColWidth(sheet, "A", "Q", 20))
	must(f.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	_, err := f.NewSheet("Note")
	must(err)
	must(f.SetCellStr("Note", "A1", "Estrazione per SEND: una riga per atto, avvisi pagoPA in tre colonne."))
	must(f.SetDocProps(&excelize.DocProperties{Creator: sender, Created: "2026-11-02T09:00:00Z", Modified: "2026-11-02T09:00:00Z"}))
	var b bytes.Buffer
	_, err = f.WriteTo(&b)
	must(err)
	return b.Bytes()
}

// styles are the cell formats of the workbook.
type styles struct{ bold, text, day, money int }

func newStyles(f *excelize.File) styles {
	style := func(s *excelize.Style) int {
		id, err := f.NewStyle(s)
		must(err)
		return id
	}
	return styles{
		bold:  style(&excelize.Style{Font: &excelize.Font{Bold: true}}),
		text:  style(&excelize.Style{NumFmt: 49}),
		day:   style(&excelize.Style{NumFmt: 14}),
		money: style(&excelize.Style{NumFmt: 4}),
	}
}

// of is the format that Excel gives a value, or that the clerk gave the column.
func (s styles) of(v any) int {
	switch v := v.(type) {
	case string:
		return s.text
	case time.Time:
		return s.day
	case float64:
		if v < 1e15 {
			return s.money
		}
	}
	return 0 // Excel's own: an 18-digit number shows as 3,01E+17
}

func put(f *excelize.File, sheet string, column, row int, v any, style int) {
	cell, err := excelize.CoordinatesToCellName(column, row)
	must(err)
	must(f.SetCellValue(sheet, cell, v))
	must(f.SetCellStyle(sheet, cell, cell, style))
}

// must stops the generator: what fails here is a mistake in this program.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
