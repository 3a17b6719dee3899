package pdf

import (
	"bytes"
	"slices"
	"testing"

	"codeberg.org/go-pdf/fpdf"
)

// A swapped PDF is somebody's act in somebody else's hands; what can be read must be
// read as it is printed.
func TestCodes(t *testing.T) {
	data := made(t, func(f *fpdf.Fpdf) {
		f.AddPage()
		f.Cell(0, 10, "Contribuente FRMTTR76M06B715E, codice MRNLCC00A01H50MJ")
		f.Ln(10)
		f.Cell(0, 10, "Codice avviso 3010 0000 0001 2345 19 - protocollo 123456789012345678901")
		f.Ln(10)
		f.Cell(0, 10, "Ancora FRMTTR76M06B715E (301000000001234620)")
	}, "P")
	got, err := Codes(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"FRMTTR76M06B715E", "MRNLCC00A01H50MJ"}; !slices.Equal(got.TaxIDs, want) {
		t.Errorf("tax codes %v, want %v", got.TaxIDs, want)
	}
	if want := []string{"301000000001234519", "301000000001234620"}; !slices.Equal(got.Notices, want) {
		t.Errorf("notices %v, want %v", got.Notices, want)
	}
	none := []byte("not a PDF FRMTTR76M06B715E")
	if got, err := Codes(t.Context(), bytes.NewReader(none), int64(len(none))); err != nil || len(got.TaxIDs) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAppendText(t *testing.T) {
	tests := map[string]string{
		`BT (a\(b\)c) Tj ET`:              "a(b)c\n",
		`[(FRM) -20 (TTR)] TJ (x) '`:      "FRMTTR\nx\n",
		`<4142 43> Tj`:                    "ABC\n",
		`<41424> Tj`:                      "AB@\n",
		`(a\101\n\\) Tj % (comment) Tj`:   "aA \\\n",
		"(a\\\nb) Tj":                     "ab\n",
		`(not shown) /F1 12 Tf`:           "",
		`<< /MCID 0 >> BDC ((nested)) Tj`: "(nested)\n",
		`(unfinished`:                     "",
		`(\`:                              "",
		`<`:                               "",
	}
	for content, want := range tests {
		if got := string(appendText(nil, []byte(content))); got != want {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
}

func FuzzCodes(f *testing.F) {
	f.Add(made(f, nil, "P"))
	f.Add([]byte("(a\\"))
	f.Fuzz(func(t *testing.T, data []byte) {
		appendText(nil, data)
		if _, err := Codes(t.Context(), bytes.NewReader(data), int64(len(data))); err != nil {
			t.Fatal(err)
		}
	})
}
