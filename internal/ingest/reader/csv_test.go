package reader

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"sendconnector/internal/table"
)

// Damage prevented: names sent to SEND with the wrong letters.
func TestEncodings(t *testing.T) {
	text := "NOME;CITTÀ\nNiccolò D'Aragò;Forlì\nSofia;Cantù è già\n"
	want := "2:Niccolò D'Aragò|Forlì\n3:Sofia|Cantù è già"
	for name, c := range map[string]struct {
		content  []byte
		encoding string
	}{
		"utf-8":                      {[]byte(text), "utf-8"},
		"utf-8 found":                {[]byte(text), ""},
		"utf-8 with BOM":             {[]byte("\xef\xbb\xbf" + text), ""},
		"BOM beats the profile":      {[]byte("\xef\xbb\xbf" + text), "cp850"},
		"UTF-8 beats a one-byte one": {[]byte(text), "windows-1252"},
		"utf-16 LE BOM":              {utf16bytes(text, false, true), ""},
		"utf-16 BE BOM":              {utf16bytes(text, true, true), "utf-16"},
		"utf-16 LE no BOM, said":     {utf16bytes(text, false, false), "utf-16"},
		"utf-16 BE no BOM, said":     {utf16bytes(text, true, false), "utf-16"},
		"windows-1252":               {encode(t, charmap.Windows1252, text), "windows-1252"},
		"windows-1252 assumed":       {encode(t, charmap.Windows1252, text), ""},
		"iso-8859-1":                 {encode(t, charmap.ISO8859_1, text), "iso-8859-1"},
		"iso-8859-15":                {encode(t, charmap.ISO8859_15, text), "iso-8859-15"},
		"cp850":                      {encode(t, charmap.CodePage850, text), "cp850"},
	} {
		t.Run(name, func(t *testing.T) {
			file, rows := mustRead(t, "a.csv", c.content, table.Format{Kind: "csv", Encoding: c.encoding})
			if got := strings.Join(file.Heading().Names, "|"); got != "NOME|CITTÀ" {
				t.Errorf("heading %q", got)
			}
			if got := cells(rows); got != want {
				t.Errorf("got\n%s", got)
			}
		})
	}
	// CP437 has no À.
	_, rows := mustRead(t, "a.csv", encode(t, charmap.CodePage437, "NOME;B\nNiccolò;Forlì\n"), table.Format{Encoding: "cp437"})
	if got := cells(rows); got != "2:Niccolò|Forlì" {
		t.Errorf("cp437: %s", got)
	}
	_, rows = mustRead(t, "a.csv", encode(t, charmap.ISO8859_15, "NOME;B\nprezzo 5€;x\n"), table.Format{Encoding: "iso-8859-15"})
	if got := cells(rows); got != "2:prezzo 5€|x" {
		t.Errorf("iso-8859-15: %s", got)
	}
}

// Damage prevented: a file of another encoding read as gibberish without a word.
func TestWrongEncodingIsNamed(t *testing.T) {
	text := "NOME;CITTA\nNiccolò;Forlì\nGesù;Libertà\nNoè;perché\n"
	upper := "NOME;CITTA\nNICCOLÒ;FORLÌ\nGESÙ;LIBERTÀ\n"
	for name, c := range map[string]struct {
		content  []byte
		encoding string
		words    []string
	}{
		"cp850 as windows-1252":         {encode(t, charmap.CodePage850, text), "windows-1252", []string{"windows-1252", "cp850"}},
		"cp850 where nothing is said":   {encode(t, charmap.CodePage850, text), "", []string{"cp850"}},
		"cp850 as iso-8859-1":           {encode(t, charmap.CodePage850, text), "iso-8859-1", []string{"cp850"}},
		"capitals in cp850 as 1252":     {encode(t, charmap.CodePage850, upper), "windows-1252", []string{"cp850"}},
		"windows-1252 as cp850":         {encode(t, charmap.Windows1252, text), "cp850", []string{"windows-1252"}},
		"capitals in 1252 as cp850":     {encode(t, charmap.Windows1252, upper), "cp850", []string{"windows-1252"}},
		"windows-1252 as cp437":         {encode(t, charmap.Windows1252, text), "cp437", []string{"windows-1252"}},
		"windows-1252 as utf-8":         {encode(t, charmap.Windows1252, text), "utf-8", []string{"riga 2", "byte 7", "windows-1252"}},
		"cp850 as utf-8":                {encode(t, charmap.CodePage850, text), "utf-8", []string{"riga 2", "cp850"}},
		"one accent only, cp850":        {encode(t, charmap.CodePage850, "A;B\nNiccolò;x\n"), "windows-1252", []string{"Niccol", "cp850"}},
		"one-byte text said utf-16":     {encode(t, charmap.Windows1252, text), "utf-16", []string{"utf-16", "windows-1252"}},
		"BOM of UTF-8, then Latin":      {append([]byte("\xef\xbb\xbf"), encode(t, charmap.Windows1252, text)...), "", []string{"utf-8"}},
		"windows-1252 quotes as latin1": {encode(t, charmap.Windows1252, "A;B\nDELL’ACQUA;“x”\n"), "iso-8859-1", []string{"windows-1252"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := all(write(t, "a.csv", c.content), table.Format{Encoding: c.encoding})
			wantFileError(t, err, "C-FILE-ENCODING", c.words...)
		})
	}
}

// Damage prevented: one broken byte in a UTF-8 file that turns all its accents into others.
func TestDamagedUTF8(t *testing.T) {
	text := "NOME;CITTA\nNiccolò;Forlì\nGesù;Libertà\n"
	for name, content := range map[string]string{"cut within a letter": text + "Noè;perch\xc3", "a Latin line": text + "Sof\xeca;x\n"} {
		for _, encoding := range []string{"", "utf-8", "windows-1252", "cp850"} {
			_, _, err := all(write(t, "a.csv", []byte(content)), table.Format{Encoding: encoding})
			t.Log(name, encoding)
			wantFileError(t, err, "C-FILE-DAMAGED", "riga 4", "byte")
		}
	}
}

// Damage prevented: a sound file refused because somebody has a foreign name.
func TestPlausibleTextIsTaken(t *testing.T) {
	text := "NOME;B\nMILOŠ KOŠUTA;TRST\nMüller Jörg;BRUÇÒ\nCÔTÉ D’AOSTE;n° 5\nGarçon;via “Roma” – 3 €\nNiccolò;ª º\n"
	_, rows := mustRead(t, "a.csv", encode(t, charmap.Windows1252, text), table.Format{})
	if len(rows) != 5 || rows[0].Cells[0] != "MILOŠ KOŠUTA" || rows[3].Cells[1] != "via “Roma” – 3 €" {
		t.Errorf("got\n%s", cells(rows))
	}
	_, rows = mustRead(t, "b.csv", encode(t, charmap.CodePage850, "A;B\nMÜLLER;Niccolò Forlì\n"), table.Format{Encoding: "cp850"})
	if rows[0].Cells[0] != "MÜLLER" {
		t.Errorf("got\n%s", cells(rows))
	}
}

// Damage prevented: a byte without meaning sent as a letter; the rest of the file lost for it.
func TestUndecodableByteIsTheCellsFault(t *testing.T) {
	content := encode(t, charmap.Windows1252, "A;B;C\nperché è così;y;z\n")
	content = append(content, "x\x81x;y;z\n"...)
	_, rows := mustRead(t, "a.csv", content, table.Format{Encoding: "windows-1252"})
	if got := cells(rows); got != "2:perché è così|y|z\n3:x\ufffdx|y|z !C-CELL-ENCODING@0" {
		t.Errorf("got\n%s", got)
	}
	_, rows = mustRead(t, "b.csv", []byte("A;B\nx\ufffdx;y\n"), table.Format{})
	if got := cells(rows); got != "2:x\ufffdx|y !C-CELL-ENCODING@0" {
		t.Errorf("got\n%s", got)
	}
}

// Damage prevented: an outcome that points at the wrong row; cells that slip.
func TestRecordsAndMargin(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		format table.Format
		want   string
	}{
		"plain":                     {"A;B\n1;2\n3;4\n", table.Format{}, "2:1|2\n3:3|4"},
		"CRLF":                      {"A;B\r\n1;2\r\n", table.Format{}, "2:1|2"},
		"CR only":                   {"A;B\r1;2\r3;4", table.Format{}, "2:1|2\n3:3|4"},
		"no final break":            {"A;B\n1;2", table.Format{}, "2:1|2"},
		"blank lines count":         {"A;B\n\n1;2\n;\n  ;\n3;4\n\n", table.Format{}, "3:1|2\n6:3|4"},
		"title rows count":          {"Elenco\n\nA;B\n1;2\n", table.Format{SkipRows: 2}, "4:1|2"},
		"blank rows above heading":  {"\n;\nA;B\n1;2\n", table.Format{}, "4:1|2"},
		"numbered columns":          {"1;2\n3;4\n", table.Format{NoHeading: true}, "1:1|2\n2:3|4"},
		"numbered below titles":     {"t\n\n1;2\n3;4\n", table.Format{NoHeading: true, SkipRows: 2}, "1:1|2\n2:3|4"},
		"quotes":                    {"A;B\n\"a;b\";\"c\"\"d\"\n", table.Format{}, "2:a;b|c\"d"},
		"break in quotes is no row": {"A;B;C\n\"x\r\ny\";2;3\n4;5;6\n", table.Format{}, "2:x\ny|2|3\n3:4|5|6"},
		"bare quote in a field":     {"A;B\nVia \"Roma\" 5;3\" x\n", table.Format{}, "2:Via \"Roma\" 5|3\" x"},
		"blank after quotes":        {"A;B\n\"x\" ;2\n", table.Format{}, "2:x|2"},
		"text after quotes":         {"A;B\n\"Bar\" Sport;2\n3;4\n", table.Format{}, "2:Bar\" Sport|2 !C-CELL-QUOTE@0\n3:3|4"},
		"other quote":               {"A;B\n'a;b';\"c\n", table.Format{Quote: '\''}, "2:a;b|\"c"},
		"tab":                       {"A\tB\n1;x\t2\n", table.Format{Delimiter: '\t'}, "2:1;x|2"},
		"comma":                     {"A,B\n1,2\n", table.Format{Delimiter: ','}, "2:1|2"},
		"short row padded":          {"A;B;C\n1\n4;5;6\n", table.Format{}, "2:1||\n3:4|5|6"},
		"last row cut":              {"A;B;C\n1;2;3\n4;5", table.Format{}, "2:1|2|3\n3:4|5| !C-LINE-CUT@-1"},
		"too many cells":            {"A;B\n1;2;3\n4;5;;\n", table.Format{}, "2:1|2 !C-LINE-CELLS@-1\n3:4|5"},
		"end mark of DOS":           {"A;B\n1;2\n\x1a", table.Format{}, "2:1|2"},
		"end mark after text":       {"A;B\n1;2\x1a", table.Format{}, "2:1|2"},
		"sep line":                  {"sep=,\nA,B\n1,2\n", table.Format{}, "2:1|2"},
		"scientific":                {"A;B\n3,02E+17;1E+5\n", table.Format{}, "2:3,02E+17|1E+5 !C-CELL-SCIENTIFIC@0"},
		"guards are the mapping's":  {"A;B\n'00123;=\"00123\"\n", table.Format{}, "2:'00123|=\"00123\""},
		"one column":                {"A\n1\n2\n", table.Format{}, "2:1\n3:2"},
	} {
		t.Run(name, func(t *testing.T) {
			file, rows := mustRead(t, "a.csv", []byte(c.text), c.format)
			if got := cells(rows); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			var again []table.Row
			for row, err := range file.Rows() {
				if err != nil {
					t.Fatal(err)
				}
				again = append(again, row)
			}
			if cells(again) != c.want {
				t.Errorf("a second pass differs:\n%s", cells(again))
			}
		})
	}
	file, _ := mustRead(t, "a.csv", []byte("\n  A \xc2\xa0;\"B\n x\";;\n1;2;;\n"), table.Format{})
	if h := file.Heading(); strings.Join(h.Names, "|") != "A|B x" || h.Row != 2 {
		t.Errorf("heading %+v", h)
	}
}

// Damage prevented: a file misread from the first row to the last.
func TestWholeFileErrors(t *testing.T) {
	runaway := "A;B;C\n1;2;3\n4;\"5;6\n7;8;9\n10;11;12\n"
	for name, c := range map[string]struct {
		content string
		format  table.Format
		code    string
		words   []string
	}{
		"empty":                   {"", table.Format{}, "C-FILE-BLANK", nil},
		"blanks only":             {" \n\r\n ", table.Format{}, "C-FILE-BLANK", nil},
		"BOM only":                {"\xef\xbb\xbf", table.Format{}, "C-FILE-BLANK", nil},
		"heading and nothing":     {"A;B\n\n;\n", table.Format{}, "C-FILE-NO-ROWS", nil},
		"fewer rows than skipped": {"A;B\n1;2\n", table.Format{SkipRows: 5}, "C-FILE-HEADING", []string{"6"}},
		"comma for semicolon":     {"A,B,C\n1,2,3\n", table.Format{}, "C-FILE-DELIMITER", []string{"punto e virgola", "virgola (,)"}},
		"semicolon for comma":     {"A;B;C\n1;2;3\n", table.Format{Delimiter: ','}, "C-FILE-DELIMITER", []string{"punto e virgola (;)"}},
		"tab for semicolon":       {"A\tB\n1\t2\n", table.Format{}, "C-FILE-DELIMITER", []string{"tabulazione"}},
		"quote never closed":      {"A;B\n1;\"2\n3;4\n", table.Format{}, "C-FILE-QUOTE", []string{"Riga 2", "colonna 2"}},
		"quote swallowing rows":   {runaway + "13;14\";15\n", table.Format{}, "C-FILE-QUOTE", []string{"Riga 3", "colonna 2"}},
		"null characters":         {"A;B\n1;\x002\n", table.Format{}, "C-FILE-DAMAGED", []string{"nulli, riga 2"}},
		"giant line":              {"A;B\n" + strings.Repeat("x", maxRecordBytes*2) + ";2\n", table.Format{}, "C-FILE-LIMIT", []string{"riga 2"}},
		"giant quoted field":      {"A;B\n\"" + strings.Repeat("x\n", maxRecordBytes) + "\";2\n", table.Format{}, "C-FILE-LIMIT", nil},
		"too many columns":        {"A" + strings.Repeat(";A", maxColumns) + "\n1\n", table.Format{}, "C-FILE-LIMIT", nil},
		"too many rows":           {"A;B\n1;2\n3;4\n5;6\n", table.Format{MaxRows: 2}, "C-FILE-LIMIT", []string{"2 righe"}},
		"utf-16 without BOM":      {string(utf16bytes("A;B\n1;2\n3;4\n", false, false)), table.Format{}, "C-FILE-KIND", []string{"UTF-16"}},
		"unknown encoding":        {"A;B\n1;2\n", table.Format{Encoding: "klingon"}, "C-FILE-READ", []string{"klingon"}},
		"delimiter not ASCII":     {"A;B\n1;2\n", table.Format{Delimiter: '§'}, "C-FILE-READ", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := all(write(t, "a.csv", []byte(c.content)), c.format)
			wantFileError(t, err, c.code, c.words...)
		})
	}
	_, err := Open(t.TempDir()+"/none.csv", table.Format{})
	wantFileError(t, err, "C-FILE-READ")
}

// Damage prevented: a crash, or a row read in two ways, over a hostile file.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("A;B\n\"x\n\";2\n"), byte(';'))
	f.Add([]byte("sep=,\nA,B\n\"\"\"\",2\n\x1a"), byte(';'))
	f.Add([]byte("\xff\xfeA\x00;\x00B\x00\n\x001\x00"), byte(';'))
	f.Fuzz(func(t *testing.T, content []byte, delim byte) {
		if len(content) > 1<<14 {
			return
		}
		path := write(t, "a.csv", content)
		file, rows, err := all(path, table.Format{Kind: "csv", Delimiter: rune(delim)})
		if err != nil {
			return
		}
		columns, last := len(file.Heading().Names), 0
		for _, r := range rows {
			if len(r.Cells) != columns || r.Number <= last {
				t.Fatalf("row %d after %d has %d cells of %d", r.Number, last, len(r.Cells), columns)
			}
			last = r.Number
			for _, fault := range r.Faults {
				if fault.Column < table.WholeRow || fault.Column >= columns {
					t.Fatalf("fault %+v outside %d columns", fault, columns)
				}
			}
		}
	})
}
