package pdf

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// flate compresses, as a stream of a PDF is.
func flate(t testing.TB, data []byte) string {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func stream(dict, data string) string {
	return fmt.Sprintf("<<%s /Length %d>>\nstream\n%s\nendstream", dict, len(data), data)
}

const (
	catalog = "<</Type /Catalog /Pages 2 0 R>>"
	tree    = "<</Type /Pages /Kids [3 0 R] /Count 1>>"
	leaf    = "<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R>>"
)

// Damage prevented: a PDF of a few kilobytes takes all memory, ends the process by
// recursion or keeps a batch from ever being read. Whatever the file is, it is told
// damaged, or not understood, or read; and the next file goes.
func TestHostileDocuments(t *testing.T) { //nolint:paralleltest // memory is measured
	bomb := flate(t, make([]byte, 100<<20)) // 100 kB that unfold to 100 MB
	twice := flate(t, []byte(bomb))
	kids := func(n int) string { return "[" + strings.Repeat("3 0 R ", n) + "]" }
	deepTree := []string{catalog}
	for i := range 5000 {
		deepTree = append(deepTree, fmt.Sprintf("<</Type /Pages /Kids [%d 0 R] /Count 1>>", i+3))
	}
	for name, file := range map[string][]byte{
		"content bomb":                  raw(catalog, tree, leaf, stream("/Filter /FlateDecode", bomb)),
		"content bomb in a bomb":        raw(catalog, tree, leaf, stream("/Filter [/FlateDecode /FlateDecode]", twice)),
		"ten thousand filters":          raw(catalog, tree, leaf, stream("/Filter ["+strings.Repeat("/FlateDecode ", 10_000)+"]", "x")),
		"object stream bomb":            raw(catalog, tree, leaf, stream("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", bomb)),
		"object stream of a billion":    raw(catalog, tree, leaf, stream("/Type /ObjStm /N 1000000000 /First 4", "1 0 2 0 ")),
		"cross-reference stream bomb":   raw(catalog, tree, leaf, stream("/Type /XRef /Size 1000000000 /W [1 2 1] /Index [0 1000000000] /Root 1 0 R /Filter /FlateDecode", bomb)),
		"length that lies":              raw(catalog, tree, leaf, "<</Length 999999999999>>\nstream\nx\nendstream"),
		"length below zero":             raw(catalog, tree, leaf, "<</Length -1>>\nstream\nx\nendstream"),
		"length of itself":              raw(catalog, tree, leaf, "<</Length 4 0 R>>\nstream\nx\nendstream"),
		"a cycle of references":         raw(catalog, "2 0 R", leaf),
		"two references":                raw(catalog, "3 0 R", "2 0 R"),
		"catalogue of itself":           raw("<</Type /Catalog /Pages 1 0 R>>", tree, leaf),
		"page tree of itself":           raw(catalog, "<</Type /Pages /Kids [2 0 R] /Count 1>>"),
		"a count of a billion":          raw(catalog, "<</Type /Pages /Kids [3 0 R] /Count 1000000000>>", leaf),
		"a million kids":                raw(catalog, "<</Type /Pages /Kids "+kids(1_000_000)+" /Count 1000000>>", leaf),
		"a deep page tree":              raw(deepTree...),
		"nested arrays":                 raw(catalog, tree, strings.Repeat("[", 5_000_000)),
		"nested arrays, closed":         raw(catalog, tree, strings.Repeat("[", 500_000)+strings.Repeat("]", 500_000)),
		"nested dictionaries":           raw(catalog, tree, strings.Repeat("<</A ", 1_000_000)),
		"nested strings":                raw(catalog, tree, strings.Repeat("(", 5_000_000)),
		"a name without end":            raw(catalog, tree, "/"+strings.Repeat("A", 8<<20)),
		"a number without end":          raw(catalog, tree, strings.Repeat("9", 8<<20)),
		"object number beyond all":      []byte("%PDF-1.7\n999999999999 0 obj\n<<>>\nendobj\nxref\n0 1\n0000000000 65535 f\ntrailer\n<</Size 999999999999 /Root 1 0 R>>\nstartxref\n35\n%%EOF"),
		"a table of a billion":          []byte("%PDF-1.7\nxref\n0 1000000000\n0000000000 65535 f\ntrailer\n<</Size 1000000000 /Root 1 0 R>>\nstartxref\n9\n%%EOF"),
		"earlier table is this one":     []byte("%PDF-1.7\nxref\n0 1\n0000000000 65535 f\ntrailer\n<</Size 1 /Root 1 0 R /Prev 9>>\nstartxref\n9\n%%EOF"),
		"starts behind the end":         []byte("%PDF-1.7\nstartxref\n99999999999999999999\n%%EOF"),
		"nothing but ends":              []byte("%PDF-1.7\n" + strings.Repeat("endobj endstream startxref %%EOF\n", 200_000)),
		"encrypted by nobody":           raw("<</Type /Catalog /Pages 2 0 R>>", tree, leaf, "<</Filter /Standard /V 99 /R 99 /Length 99999999>>"),
		"text operators without end":    raw(catalog, tree, leaf, stream("", strings.Repeat("(", 4<<20)+"Tj")),
		"predictor of a billion fields": raw(catalog, tree, leaf, stream("/Filter /FlateDecode /DecodeParms <</Predictor 12 /Columns 1000000000 /Colors 1000>>", flate(t, make([]byte, 1000)))),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			report, err := check(t, file)
			var damaged *DamagedError
			if err != nil && !errors.As(err, &damaged) {
				t.Errorf("%v", err)
			}
			if report.Pages > maxNodes {
				t.Errorf("%d pages", report.Pages)
			}
			if _, err := Codes(context.Background(), bytes.NewReader(file), int64(len(file))); err != nil {
				t.Errorf("text: %v", err)
			}
			runtime.ReadMemStats(&after)
			took := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%d MB, %+v, %v", took, report, err)
			if took > 600 {
				t.Errorf("took %d MB", took)
			}
		})
	}
}

// Damage prevented: a file that the library would read for hours keeps its batch, and
// with it the flow, from going on; or a hundred such files take all processors.
func TestFilesThatNeverEnd(t *testing.T) { //nolint:paralleltest // changes the patience
	defer func(d time.Duration) { patience = d }(patience)
	patience = 20 * time.Millisecond
	endless := make(chan struct{})
	var started atomic.Int32
	never := func(context.Context) (int, error) {
		started.Add(1)
		<-endless
		return 1, nil
	}
	for range maxStuck + 3 {
		if _, err := inTime(t.Context(), never); !errors.Is(err, errGaveUp) {
			t.Errorf("%v, want errGaveUp", err)
		}
	}
	if started.Load() != maxStuck || stuck.Load() != maxStuck {
		t.Errorf("%d readings begun, %d left behind, want %d", started.Load(), stuck.Load(), maxStuck)
	}
	close(endless)
	for stuck.Load() > 0 {
		runtime.Gosched()
	}
	patience = time.Minute
	if n, err := inTime(t.Context(), func(context.Context) (int, error) { return 7, nil }); n != 7 || err != nil {
		t.Errorf("after they ended: %d, %v", n, err)
	}
	// The file that showed it: head and tail are sound, and the repair of its table is
	// not waited for.
	patience = time.Millisecond
	file := []byte("%PDF-1.7\n" + strings.Repeat("1 0 obj\n", 3000) + "startxref\n0\n%%EOF")
	if report, err := check(t, file); err != nil || report.Deep {
		t.Errorf("%+v, %v", report, err)
	}
	for stuck.Load() > 0 {
		runtime.Gosched()
	}
}
