package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// The arithmetic against codes of the reference (send-validation.md, 4 and 5): a
// sample with a wrong code would be rejected for a reason nobody meant.
func TestCodes(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{personalCode("Fieramosca", "Ettore", 'M', 1976, 8, 6, "B715"), "FRMTTR76M06B715E"},
		{personalCode("Da Vinci", "Leonardo", 'M', 1952, 4, 15, "M059"), "DVNLRD52D15M059P"},
		{personalCode("Galilei", "Galileo", 'M', 1964, 2, 15, "G702"), "GLLGLL64B15G702I"},
		{companyCode("1234567890"), "12345678903"},
		{companyCode("2051749032"), "20517490320"},
		{companyCode("0119925015"), "01199250158"},
		{companyCode("0011223344"), "00112233440"},
		{noticeNumber(12345), "301000000001234519"},
		{noticeNumber(12346), "301000000001234620"},
		{euro(1234.5), "1.234,50"},
		{euro(87), "87,00"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	if code := "FRMTTR76M06B715E"; wrongLetter(code) == code || wrongLetter(code)[:15] != code[:15] {
		t.Errorf("wrongLetter gives %s", wrongLetter(code))
	}
}

// What is committed is what the program makes: otherwise a mended sample and its
// expectation would drift apart unseen.
func TestCommittedSamples(t *testing.T) {
	dir := t.TempDir()
	if err := generate(dir); err != nil {
		t.Fatal(err)
	}
	made, committed := tree(t, dir), tree(t, "..")
	for name, data := range made {
		old, ok := committed[name]
		switch {
		case !ok:
			t.Errorf("%s is not there: run go run ./samples/make", name)
		case strings.HasSuffix(name, ".xlsx"):
			if !reflect.DeepEqual(cellsOf(t, old), cellsOf(t, data)) {
				t.Errorf("%s has other cells: run go run ./samples/make", name)
			}
		case !bytes.Equal(old, data):
			t.Errorf("%s differs: run go run ./samples/make", name)
		}
	}
	for name := range committed {
		if _, ok := made[name]; !ok {
			t.Errorf("%s is not made any more", name)
		}
	}
}

// The samples travel in the executable: they must stay small.
func TestSamplesAreSmall(t *testing.T) {
	const most = 1_500_000
	total := 0
	for _, data := range tree(t, "..") {
		total += len(data)
	}
	if total == 0 || total > most {
		t.Errorf("samples have %d bytes, at most %d are allowed", total, most)
	}
}

// tree reads what the program makes below dir: the drops and the expectations.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(name, "/deposito/") && !strings.HasSuffix(name, "/atteso.csv") {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		files[name] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// cell is what a workbook says of a cell.
type cell struct {
	text  string
	kind  excelize.CellType
	style int // number format
}

// cellsOf reads every cell of a workbook with its type and format.
func cellsOf(t *testing.T, workbook []byte) map[string]cell {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(workbook))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]cell{}
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for r, row := range rows {
			for c, text := range row {
				name, err := excelize.CoordinatesToCellName(c+1, r+1)
				if err != nil {
					t.Fatal(err)
				}
				kind, err := f.GetCellType(sheet, name)
				if err != nil {
					t.Fatal(err)
				}
				id, err := f.GetCellStyle(sheet, name)
				if err != nil {
					t.Fatal(err)
				}
				style, err := f.GetStyle(id)
				if err != nil {
					t.Fatal(err)
				}
				all[sheet+"!"+name] = cell{text, kind, style.NumFmt}
			}
		}
	}
	return all
}
