package main

import (
	"bytes"
	"crypto/sha256"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// act is the act to be notified, on one page.
type act struct {
	office, kind, number, date string
	to                         []person
	subject                    string
	amounts                    [][2]string // label, amount; the last is the total
	text                       []string
}

// notice is the page by which a person pays.
type notice struct {
	number, what, amount, due, subject string
	debtor                             person
}

const sender = "Comune di Borgo Esempio"

// paper is a PDF in the making, with text in the encoding of its core fonts.
type paper struct {
	*fpdf.Fpdf
	latin func(string) string
}

// newPaper begins a PDF whose bytes depend on its content only: fixed dates, sorted
// dictionaries, and no compression, whose output may change with the Go release.
func newPaper() *paper {
	p := &paper{Fpdf: fpdf.New("P", "mm", "A4", "")}
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	p.SetCreationDate(at)
	p.SetModificationDate(at)
	p.SetCatalogSort(true)
	p.SetCompression(false)
	p.SetProducer("sendconnector samples", false)
	p.SetMargins(20, 18, 20)
	p.SetAutoPageBreak(true, 20)
	p.latin = p.UnicodeTranslatorFromDescriptor("")
	p.AddPage()
	return p
}

func (p *paper) write(style string, size, height float64, text, align string) {
	p.SetFont("Helvetica", style, size)
	p.MultiCell(0, height, p.latin(text), "", align, false)
}

func (p *paper) bytes() []byte {
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		panic(err) // a mistake in this program
	}
	return b.Bytes()
}

// letterhead draws the head that every page of the municipality has.
func (p *paper) letterhead(office string) {
	p.SetFillColor(30, 70, 120)
	p.Rect(20, 18, 12, 14, "F")
	p.SetX(36)
	p.write("B", 15, 7, sender, "L")
	p.SetX(36)
	p.write("", 9, 5, office+" - Piazza del Municipio 1 - C.F. 00112233440", "L")
	p.Line(20, 35, 190, 35)
	p.SetY(39)
}

func (p *paper) footer() {
	p.SetAutoPageBreak(false, 0)
	p.SetY(-15)
	p.SetTextColor(120, 120, 120)
	p.write("I", 7, 4, "Documento di esempio: ente, persone e importi sono inventati. Nessun valore legale.", "C")
}

// pdf renders the act.
func (a act) pdf() []byte {
	p := newPaper()
	p.letterhead(a.office)
	p.write("", 9, 5, "Atto n. "+a.number+" del "+a.date, "L")
	p.Ln(4)
	for _, to := range a.to {
		for _, text := range to.label() {
			p.SetX(110)
			p.write("", 10, 5, text, "L")
		}
		p.SetX(110)
		p.write("", 9, 5, "C.F. "+to.code, "L")
		p.Ln(2)
	}
	p.Ln(4)
	p.write("B", 13, 7, a.kind, "C")
	p.Ln(2)
	p.write("B", 10, 5, "Oggetto: "+a.subject, "L")
	p.Ln(2)
	for _, text := range a.text {
		p.write("", 10, 5, text, "J")
		p.Ln(2)
	}
	p.table(a.amounts)
	p.Ln(6)
	p.write("", 10, 5, "Il responsabile del servizio", "R")
	p.write("I", 9, 5, "firma autografa sostituita a mezzo stampa", "R")
	p.footer()
	return p.bytes()
}

func (p *paper) table(amounts [][2]string) {
	for i, row := range amounts {
		style := ""
		if i == len(amounts)-1 {
			style = "B"
		}
		p.SetFont("Helvetica", style, 10)
		p.CellFormat(130, 7, p.latin(row[0]), "1", 0, "L", false, 0, "")
		p.CellFormat(40, 7, p.latin("€ "+row[1]), "1", 1, "R", false, 0, "")
	}
}

// pdf renders the page of a pagoPA notice.
func (n notice) pdf() []byte {
	p := newPaper()
	p.letterhead("Avviso di pagamento pagoPA")
	p.write("B", 14, 8, n.subject, "L")
	p.Ln(3)
	for _, text := range append(n.debtor.label(), "C.F. "+n.debtor.code) {
		p.write("", 10, 5, text, "L")
	}
	p.Ln(6)
	p.write("B", 12, 7, n.what+": € "+n.amount+" entro il "+n.due, "L")
	p.Ln(3)
	p.square(n.number)
	p.SetXY(80, p.GetY()+6)
	p.write("", 9, 5, "Codice avviso", "L")
	p.SetX(80)
	p.write("B", 13, 7, grouped(n.number), "L")
	p.SetX(80)
	p.write("", 9, 5, "Ente creditore "+sender, "L")
	p.SetX(80)
	p.write("", 9, 5, "C.F. ente creditore 00112233440", "L")
	p.footer()
	return p.bytes()
}

// square draws what looks like the code that a telephone reads; it says nothing.
func (p *paper) square(text string) {
	const cells, size = 15, 3.0
	x, y := p.GetX(), p.GetY()
	sum := sha256.Sum256([]byte(text))
	p.SetFillColor(0, 0, 0)
	for row := range cells {
		for col := range cells {
			bit := row*cells + col
			if sum[bit/8]&(1<<(bit%8)) != 0 {
				p.Rect(x+float64(col)*size, y+float64(row)*size, size, size, "F")
			}
		}
	}
}

// grouped writes a notice number as notices print it.
func grouped(n string) string {
	out := ""
	for len(n) > 4 {
		out, n = out+n[:4]+" ", n[4:]
	}
	return out + n
}
