package mapping_test

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"sendconnector/internal/ingest/reader"
	"sendconnector/internal/mapping"
	"sendconnector/internal/notification"
)

// wide is the 17-column profile of the measurements (design/measuring.md, rows 1 and 2).
const wide = `version: 1
format: {kind: %s, encoding: %s}
defaults: {taxonomy: 010101P, paper: AR, pa_fee: 100, vat: 22, pagopa_mode: SYNC}
notification:
  protocol: PROTOCOLLO
  subject: "Verbale di accertamento n. {VERBALE}"
  amount: {column: IMPORTO, amount: it}
  payment_due: {column: SCADENZA, date: gg/mm/aaaa}
recipient:
  tax_id: CODICE_FISCALE
  surname: COGNOME
  name: NOME
  address: "{VIA} {CIVICO}"
  zip: {column: CAP, pad: 5}
  municipality: COMUNE
  province: PROVINCIA
  state: STATO
  transliterate_address: true
payments:
  - notice: AVVISO
    attachment: "{PROTOCOLLO}-avviso.pdf"
documents:
  - file: FILE
    title: {value: Verbale}
`

const wideHeading = "PROTOCOLLO;VERBALE;DATA;TARGA;IMPORTO;SCADENZA;CODICE_FISCALE;COGNOME;NOME;VIA;CIVICO;CAP;COMUNE;PROVINCIA;STATO;AVVISO;FILE"

// wideRow is row i in windows-1252; every tenth has accents.
func wideRow(b []byte, i int) []byte {
	name, street := "MARIA", "VIA GIUSEPPE GARIBALDI"
	if i%10 == 0 {
		name, street = "NICCOL\xd2", "VIA LIBERT\xc0"
	}
	return fmt.Appendf(b, "CDS/2026/%08d;V%07d;%02d/10/2026;AB%03dCD;%d.%03d,%02d;31/12/2026;FRMTTR76M06B715E;FIERAMOSCA;%s;%s;%d;20123;MILANO;MI;ITALIA;%018d;atti/verbale-%08d.pdf\r\n",
		i, i, i%28+1, i%1000, i%9+1, i%1000, i%100, name, street, i%200+1, 301000000000000000+notice(i), i)
}

// notice makes the last 17 digits with right check digits (mod 93).
func notice(i int) int {
	base := 3010000000000000 + i
	return (base*100 + base%93) - 301000000000000000
}

func wideCSV(b *testing.B, rows int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "wide.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	line := []byte(wideHeading + "\r\n")
	for i := range rows + 1 {
		if _, err := w.Write(line); err != nil {
			b.Fatal(err)
		}
		line = wideRow(line[:0], i+1)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	return path
}

// bareCSV is the loop everything is compared with.
func bareCSV(b *testing.B, path string) time.Duration {
	b.Helper()
	start := time.Now()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	r := csv.NewReader(f)
	r.Comma = ';'
	for {
		if _, err := r.Read(); err == io.EOF {
			break
		} else if err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// mapAll reads, decodes, maps and validates a file and counts what came out.
func mapAll(b *testing.B, profile, path string) (drafts, stopped int) {
	b.Helper()
	p := parse(b, profile)
	f, err := reader.Open(path, p.Reads())
	if err != nil {
		b.Fatal(err)
	}
	m, err := p.Compile(f.Heading(), sender())
	if err != nil {
		b.Fatal(err)
	}
	r := rules()
	for d, err := range m.Drafts(f.Rows(), func() (mapping.Rows, error) { return f.Rows(), nil }) {
		if err != nil {
			b.Fatal(err)
		}
		d.Attach(notification.Validate(d.Request, r))
		drafts++
		if d.Stopped() {
			stopped++
			if stopped == 1 {
				b.Log(told(d, 0))
			}
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return drafts, stopped
}

// peak watches the memory the process holds while fn runs.
func peak(fn func()) uint64 {
	debug.FreeOSMemory()
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	var most atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			most.Store(max(most.Load(), sample[0].Value.Uint64()-sample[1].Value.Uint64()))
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	fn()
	close(stop)
	<-done
	return most.Load()
}

// BenchmarkReadMapValidateCSV is row 1 of design/measuring.md: times the bare loop, and
// peak memory. ROWS sets the size (default 100,000; the target is stated for 1,000,000).
func BenchmarkReadMapValidateCSV(b *testing.B) {
	benchCSV(b, fmt.Sprintf(wide, "csv", "windows-1252"))
}

// BenchmarkReadGroupMapValidateCSV is the same with group_by, which reads twice.
func BenchmarkReadGroupMapValidateCSV(b *testing.B) {
	benchCSV(b, fmt.Sprintf(wide, "csv", "windows-1252")+"group_by: PROTOCOLLO\n")
}

func benchCSV(b *testing.B, profile string) {
	rows := 100_000
	if text := os.Getenv("ROWS"); text != "" {
		if _, err := fmt.Sscan(text, &rows); err != nil {
			b.Fatal(err)
		}
	}
	path := wideCSV(b, rows)
	bare := min(bareCSV(b, path), bareCSV(b, path))
	for b.Loop() {
		var drafts, stopped int
		var took time.Duration
		memory := peak(func() {
			start := time.Now()
			drafts, stopped = mapAll(b, profile, path)
			took = time.Since(start)
		})
		if drafts != rows || stopped > 0 {
			b.Fatalf("%d drafts, %d stopped", drafts, stopped)
		}
		b.ReportMetric(took.Seconds()/bare.Seconds(), "x-bare")
		b.ReportMetric(float64(memory)/1e6, "peak-MB")
		b.ReportMetric(float64(took.Microseconds())/float64(rows), "µs/row")
	}
	runtime.KeepAlive(bare)
}

// BenchmarkReadMapValidateXLSX is row 2: 100,000 rows of 17 columns.
func BenchmarkReadMapValidateXLSX(b *testing.B) {
	path, rows := wideXLSX(b), 100_000
	var bare time.Duration
	bareMemory := peak(func() { bare = bareXLSX(b, path) })
	for b.Loop() {
		var drafts int
		var took time.Duration
		memory := peak(func() {
			start := time.Now()
			drafts, _ = mapAll(b, fmt.Sprintf(wide, "xlsx", `""`), path)
			took = time.Since(start)
		})
		if drafts != rows {
			b.Fatalf("%d drafts", drafts)
		}
		b.ReportMetric(took.Seconds()/bare.Seconds(), "x-bare")
		b.ReportMetric(float64(memory)/1e6, "peak-MB")
		b.ReportMetric((float64(memory)-float64(bareMemory))/1e6, "MB-over-bare")
	}
}

func wideXLSX(b *testing.B) string {
	b.Helper()
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	line := []byte(wideHeading)
	for i := range 100_001 {
		var row []any
		for _, cell := range splitRow(line) {
			row = append(row, cell)
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
			b.Fatal(err)
		}
		line = wideRow(line[:0], 10*(i+1)+1)
	}
	path := filepath.Join(b.TempDir(), "wide.xlsx")
	if err := errors.Join(w.Flush(), f.SaveAs(path), f.Close()); err != nil {
		b.Fatal(err)
	}
	return path
}

func splitRow(line []byte) []string {
	var out []string
	from := 0
	for i, c := range line {
		if c == ';' || c == '\r' {
			out = append(out, string(line[from:i]))
			from = i + 1
			if c == '\r' {
				return out
			}
		}
	}
	return append(out, string(line[from:]))
}

func bareXLSX(b *testing.B, path string) time.Duration {
	b.Helper()
	start := time.Now()
	f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		b.Fatal(err)
	}
	rows, err := f.Rows("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
		if _, err := rows.Columns(); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(rows.Close(), f.Close()); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
