package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// made gives a PDF with pages of the given orientation ("P" or "L"), each with text.
func made(t testing.TB, shape func(*fpdf.Fpdf), orientations ...string) []byte {
	t.Helper()
	f := fpdf.New("P", "mm", "A4", "")
	f.SetCreationDate(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	f.SetModificationDate(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	f.SetFont("Helvetica", "", 12)
	if shape != nil {
		shape(f)
	}
	for _, o := range orientations {
		f.AddPageFormat(o, fpdf.SizeType{Wd: 210, Ht: 297})
		f.Cell(0, 10, "Avviso di accertamento")
	}
	var b bytes.Buffer
	if err := f.Output(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// raw writes a PDF of the given object bodies, the first being the catalog.
func raw(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, at)
	return b.Bytes()
}

func check(t testing.TB, data []byte) (Report, error) {
	t.Helper()
	return Check(t.Context(), bytes.NewReader(data), int64(len(data)))
}

// A sound PDF that is called damaged is a notification not sent.
func TestCheckSound(t *testing.T) {
	sound := made(t, nil, "P", "P")
	turned := raw("<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 842 595] /Rotate 90 >>",
		"<< /Type /Page /Parent 2 0 R >>")
	signed := raw("<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595.28 841.89] >>",
		"<< /Type /Sig /Filter /Adobe.PPKLite /ByteRange [0 10 20 10] /Contents <00> >>")
	tests := []struct {
		name string
		data []byte
		want Report
	}{
		{"two A4 pages", sound, Report{Pages: 2, A4: true, Deep: true}},
		{"landscape page", made(t, nil, "P", "L"), Report{Pages: 2, Deep: true}},
		{"padded with zeros", append(bytes.Clone(sound), make([]byte, 4096)...), Report{Pages: 2, A4: true, Deep: true}},
		{"turned to portrait", turned, Report{Pages: 1, A4: true, Deep: true}},
		{"signed", signed, Report{Pages: 1, A4: true, Signed: true, Deep: true}},
		{
			"protected against changes",
			made(t, func(f *fpdf.Fpdf) { f.SetProtection(fpdf.CnProtectPrint, "", "owner") }, "P"),
			Report{Pages: 1, A4: true, Encrypted: true, Deep: true},
		},
		{
			"password to open",
			made(t, func(f *fpdf.Fpdf) { f.SetProtection(fpdf.CnProtectPrint, "user", "owner") }, "P"),
			Report{Encrypted: true, Locked: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Bytes = int64(len(tt.data))
			got, err := check(t, tt.data)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// What is no PDF is refused by SEND and billed; the clerk must read what it is.
func TestCheckNotPDF(t *testing.T) {
	sound := string(made(t, nil, "P"))
	p7m := "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x02\x01\x01" + sound
	tests := []struct {
		data string
		want Kind
	}{
		{"", Empty},
		{"\xEF\xBB\xBF" + sound, Shifted},
		{"\r\n" + sound, Shifted},
		{"%PDf-1.4 wrong case", Text},
		{"<!DOCTYPE html><html></html>", HTML},
		{"\n <HTML><body>errore", HTML},
		{"<?xml version=\"1.0\"?><a/>", XML},
		{p7m, SignedP7M},
		{"MIIFxwYJKoZIhvcNAQcCoIIFuDCCBbQ", SignedP7M},
		{"PK\x03\x04word/document.xml", ZIP},
		{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Office},
		{"{\\rtf1 ciao}", RTF},
		{"%!PS-Adobe-3.0", PostScript},
		{"\xFF\xD8\xFF\xE0", Image},
		{"Gentile città", Text},
		{"\x00\x01\x02\x03", Unknown},
		{"%PDF", Text},
	}
	for _, tt := range tests {
		_, err := check(t, []byte(tt.data))
		var not *NotPDFError
		if !errors.As(err, &not) || not.Kind != tt.want {
			t.Errorf("%.20q: %v, want %s", tt.data, err, tt.want)
			continue
		}
		if not.Kind.Italian() == not.Kind.English() || not.Kind.Italian() == "" {
			t.Errorf("%s has no two names", not.Kind)
		}
	}
}

// Half a file copied over a slow share must never be sent as a whole act.
func TestCheckDamaged(t *testing.T) {
	sound := made(t, nil, "P", "P", "P")
	for _, part := range []int{10, len(sound) / 4, len(sound) / 2, len(sound) - 30, len(sound) - 8} {
		_, err := check(t, sound[:part])
		var damaged *DamagedError
		if !errors.As(err, &damaged) {
			t.Errorf("first %d of %d bytes: %v", part, len(sound), err)
		}
	}
	middle := bytes.Clone(sound)
	cut := append(middle[:len(sound)/3:len(sound)/3], sound[len(sound)*2/3:]...)
	if r, err := check(t, cut); err == nil && r.Pages == 3 && r.Deep {
		t.Errorf("a file without its middle third passed: %+v", r)
	}
}

// A page tree that refers to itself must end, and must not count a page twice.
func TestCheckHostileTree(t *testing.T) {
	loop := raw("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>")
	if _, err := check(t, loop); err == nil {
		t.Error("a page tree that contains itself passed")
	}
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>"}
	for i := range 60 { // 2^60 pages, were every branch followed
		objects = append(objects, fmt.Sprintf("<< /Type /Pages /Kids [%d 0 R %d 0 R] /Count 2 >>", i+3, i+3))
	}
	objects = append(objects, "<< /Type /Page /MediaBox [0 0 595 842] >>")
	if r, err := check(t, raw(objects...)); err == nil && r.Deep {
		t.Errorf("a tree of shared branches passed: %+v", r)
	}
}

// sparse is a long file of which only the ends are there; reading more than a
// small piece of it fails the test.
type sparse struct {
	t          *testing.T
	size       int64
	head, tail string
}

func (s sparse) ReadAt(p []byte, off int64) (int, error) {
	if len(p) > tailBytes {
		s.t.Errorf("read of %d bytes at once", len(p))
	}
	for i := range p {
		at := off + int64(i)
		switch from := s.size - int64(len(s.tail)); {
		case at >= s.size:
			return i, io.EOF
		case at < int64(len(s.head)):
			p[i] = s.head[at]
		case at >= from:
			p[i] = s.tail[at-from]
		default:
			p[i] = ' '
		}
	}
	return len(p), nil
}

// A document of 200 MB must not need 200 MB of memory.
func TestCheckLong(t *testing.T) {
	const size = 200 << 20
	end := "trailer << /Size 9 /Encrypt 5 0 R >>\nstartxref\n17\n%%EOF\n"
	got, err := Check(t.Context(), sparse{t, size, "%PDF-1.7\n", end}, size)
	if want := (Report{Bytes: size, Encrypted: true}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = Check(t.Context(), sparse{t, size, "%PDF-1.7\n", "cut off"}, size)
	var damaged *DamagedError
	if !errors.As(err, &damaged) {
		t.Errorf("cut off: %v", err)
	}
}

// A file that changes under our hands is a failure to read, not a bad document.
func TestCheckShrunk(t *testing.T) {
	data := made(t, nil, "P")
	_, err := Check(t.Context(), bytes.NewReader(data), int64(len(data))+100)
	var damaged *DamagedError
	if !errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &damaged) {
		t.Errorf("got %v", err)
	}
}

func TestCheckEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := made(t, nil, "P")
	if _, err := Check(ctx, bytes.NewReader(data), int64(len(data))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCheckFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "atto.pdf")
	if err := os.WriteFile(path, made(t, nil, "P"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := CheckFile(t.Context(), path); err != nil || r.Pages != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := CheckFile(t.Context(), path+".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// Whatever lies in a drop folder, the check ends and does not panic.
func FuzzCheck(f *testing.F) {
	sound := made(f, nil, "P", "L")
	f.Add(sound)
	f.Add(sound[:len(sound)/2])
	f.Add(raw("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"))
	f.Add([]byte("%PDF-1.7\nstartxref\n9\n%%EOF"))
	f.Add([]byte("%PDF-1.7\n" + strings.Repeat("[", 5000) + "\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := check(t, data)
		if err == nil && !bytes.HasPrefix(data, []byte(signature)) {
			t.Fatal("passed without the signature")
		}
		if err == nil && r.Deep && r.Pages == 0 {
			t.Fatal("understood, but without pages")
		}
	})
}
