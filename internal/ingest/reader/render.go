package reader

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"sendconnector/internal/table"
)

// exactDigits is how many digits a spreadsheet keeps of a number.
const exactDigits = 15

// numberFormat is what a style says of how a number is shown.
type numberFormat struct {
	date, clock bool // shows a day; shows a time only
	zeros       int  // shown with leading zeros to this width
}

// render writes a cell as the mapping wants it: numbers plain, dates as 2006-01-02,
// truth values as VERO and FALSO; or tells what is wrong with it.
func (wb *workbook) render(text string, m cellMark) (string, table.Kind, string) {
	switch {
	case m.kind == "e":
		return text, table.Text, "C-CELL-ERROR"
	case m.formula && !m.value:
		return "", table.Text, "C-CELL-FORMULA"
	case m.kind == "b":
		if text == "1" || strings.EqualFold(text, "true") {
			return "VERO", table.Bool, ""
		}
		return "FALSO", table.Bool, ""
	case m.kind == "d":
		return isoText(text), table.Date, ""
	case m.kind != "" && m.kind != "n" || text == "":
		return text, table.Text, ""
	}
	format := wb.format(m.style)
	if format.date || format.clock {
		if out, ok := wb.dateText(text, format); ok {
			return out, table.Date, ""
		}
	}
	out, ok := plainNumber(text)
	if !ok {
		return text, table.Number, "C-CELL-DIGITS"
	}
	if missing := format.zeros - len(out); missing > 0 && strings.Trim(out, "0123456789") == "" {
		return strings.Repeat("0", missing) + out, table.Text, ""
	}
	return out, table.Number, ""
}

// isoText normalises the ISO dates that some writers store as such.
func isoText(text string) string {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05.999", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return dayText(t)
		}
	}
	return text
}

func dayText(t time.Time) string {
	if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.DateTime)
}

// dateText turns a serial day number into a date.
func (wb *workbook) dateText(text string, format numberFormat) (string, bool) {
	serial, err := strconv.ParseFloat(text, 64)
	if err != nil || serial < 0 || serial >= 2958466 { // beyond the year 9999
		return "", false
	}
	t, err := excelize.ExcelDateToTime(serial, wb.date04)
	if err != nil {
		return "", false
	}
	t = t.Round(time.Second)
	if format.clock && !format.date {
		return t.Format(time.TimeOnly), true
	}
	return dayText(t), true
}

// plainNumber writes a stored number without exponent and without the dust of binary
// fractions, as a person sees it; false if its whole part has more digits than a
// spreadsheet keeps.
func plainNumber(text string) (string, bool) {
	if isPlainInteger(text) {
		return text, len(strings.TrimLeft(text, "-0")) <= exactDigits
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return text, err == nil
	}
	if math.Abs(f) >= 1e15 {
		return strconv.FormatFloat(f, 'f', 0, 64), false
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', exactDigits, 64), 64)
	if err != nil {
		return text, true
	}
	out := strconv.FormatFloat(rounded, 'f', -1, 64)
	if out == "-0" {
		out = "0"
	}
	return out, true
}

func isPlainInteger(text string) bool {
	body := strings.TrimPrefix(text, "-")
	for i := range len(body) {
		if !isDigit(body[i]) {
			return false
		}
	}
	return body != "" && (body[0] != '0' || len(body) == 1)
}

// format looks a style up once.
func (wb *workbook) format(style int) numberFormat {
	if f, known := wb.formats[style]; known {
		return f
	}
	f := numberFormat{}
	if s, err := wb.file.GetStyle(style); err == nil && s != nil {
		if s.CustomNumFmt != nil {
			f = customFormat(*s.CustomNumFmt)
		} else {
			f = builtinFormat(s.NumFmt)
		}
	}
	wb.formats[style] = f
	return f
}

// builtinFormat knows the numbers that ECMA-376 (18.8.30) gives to date formats.
func builtinFormat(id int) numberFormat {
	switch {
	case id >= 14 && id <= 17, id == 22, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id == 57, id == 58:
		return numberFormat{date: true}
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id >= 45 && id <= 47, id == 55, id == 56:
		return numberFormat{clock: true}
	}
	return numberFormat{}
}

// customFormat reads the first section of a format code.
func customFormat(code string) numberFormat {
	section := bare(code)
	lower := strings.ToLower(section)
	f := numberFormat{
		date:  strings.ContainsAny(lower, "yd") || strings.Contains(lower, "m") && !strings.ContainsAny(lower, "hs"),
		clock: strings.ContainsAny(lower, "hs"),
	}
	if strings.Contains(lower, "general") || strings.Contains(lower, "standard") {
		f = numberFormat{}
	}
	if len(section) >= 2 && strings.Trim(section, "0") == "" {
		f.zeros = len(section)
	}
	return f
}

// bare is the first section of a format code without quoted text, escapes and
// brackets (elapsed hours in brackets count as hours).
func bare(code string) string {
	var b strings.Builder
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case ';':
			return b.String()
		case '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				return b.String()
			}
			i += end + 1
		case '\\', '_', '*':
			i++
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return b.String()
			}
			if inner := strings.ToLower(code[i+1 : i+end]); strings.Trim(inner, "hms") == "" {
				b.WriteString("h")
			}
			i += end
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
