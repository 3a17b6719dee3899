package simulator

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// simplePDF makes a small valid PDF of one A4 page per list of lines. Equal
// lines give equal bytes: there is no date and no identifier in it.
func simplePDF(pages [][]string) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(offsets))
		fmt.Fprintf(&b, format, args...)
		b.WriteString("\nendobj\n")
	}
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	var kids []string
	for i := range pages {
		kids = append(kids, fmt.Sprintf("%d 0 R", 4+2*i))
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(pages))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	for i, lines := range pages {
		object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>", 5+2*i)
		stream := pageStream(lines)
		object("<< /Length %d >>\nstream\n%s\nendstream", len(stream), stream)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}

func pageStream(lines []string) string {
	var b strings.Builder
	b.WriteString("BT /F1 10 Tf 56 786 Td 14 TL\n")
	for _, l := range lines {
		b.WriteString("(")
		for _, c := range l {
			switch {
			case c == '(' || c == ')' || c == '\\':
				b.WriteByte('\\')
				b.WriteByte(byte(c))
			case c >= ' ' && c <= '~' || c >= 0xA0 && c <= 0xFF:
				b.WriteByte(byte(c)) // WinAnsi agrees with Latin-1 here
			default:
				b.WriteByte('?')
			}
		}
		b.WriteString(") Tj T*\n")
	}
	b.WriteString("ET")
	return b.String()
}

// pecXML is the provider's acceptance data of a PEC.
func pecXML(lines []string) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<postacert tipo="accettazione" errore="nessuno">` + "\n<dati>\n")
	for _, l := range lines {
		b.WriteString("  <nota>")
		if err := xml.EscapeText(&b, []byte(l)); err != nil {
			panic("simulator: " + err.Error()) // a buffer takes every write
		}
		b.WriteString("</nota>\n")
	}
	b.WriteString("</dati>\n</postacert>\n")
	return b.Bytes()
}

// pecMail is the provider's delivery receipt of a PEC.
func pecMail(lines []string, at time.Time) []byte {
	return []byte("From: posta-certificata@pec.example\r\nSubject: CONSEGNA: notifica digitale\r\nDate: " +
		at.Format(time.RFC1123Z) + "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
		strings.Join(lines, "\r\n") + "\r\n")
}
