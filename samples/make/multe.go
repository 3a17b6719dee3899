package main

import "strings"

// fine is one row of the police's program: one owner of one report.
type fine struct {
	report        string
	to            person
	state         string
	amount, due   string
	notice        string
	kind, surname string // in place of the person's
}

var multeColumns = []string{
	"NUM_VERBALE", "DATA_VERBALE", "TARGA", "TIPO_SOGG", "COGNOME_RAGSOC", "NOME", "COD_FISC", "INDIRIZZO", "CAP", "COMUNE", "PROV", "STATO",
	"IMPORTO", "SCADENZA", "AVVISO_PAGOPA",
}

// fines collects the rows of the sample.
type fines struct {
	*sample
	rows []fine
}

// multe is the police's CSV of road-code fines: semicolons, windows-1252, several
// rows a report where owners are jointly liable, in no order.
func multe() *sample {
	m := &fines{sample: newSample("multe", "VERBALI_20261102.CSV", 2026020000000)}
	m.sound()
	m.groups()
	m.mistakes()
	m.lives()
	cells := [][]string{multeColumns}
	for _, f := range m.rows {
		cells = append(cells, f.cells())
	}
	m.files[m.export] = windows1252(table(cells))
	return m.sample
}

// add adds a row and what must become of it; recipient is its number in the
// notification.
func (m *fines) add(f fine, recipient int, outcome, code, note string) {
	m.rows = append(m.rows, f)
	m.expect(len(m.rows)+1, recipient, outcome, code, note) // the heading is row 1
}

// owner makes a row with its notice and the PDF of the notice.
func (m *fines) owner(report string, to person, amount string) fine {
	f := fine{report: "2026-V-" + report, to: to, amount: amount, due: "30/01/2027", notice: m.nextNotice()}
	m.files["avvisi/"+f.notice+".pdf"] = notice{
		number: f.notice, what: "Importo ridotto entro 60 giorni", amount: amount, due: "30/01/2027", subject: "Verbale " + f.report, debtor: to,
	}.pdf()
	return f
}

// report writes the PDF of a report to its owners.
func (m *fines) report(f fine, amount string, to ...person) {
	m.files["verbali/"+f.report+".pdf"] = act{
		office: "Polizia Locale", kind: "Verbale di accertamento di violazione al Codice della strada", number: f.report, date: "20/10/2026",
		to: to, subject: "violazione dell'art. 142 del D.Lgs. 285/1992, veicolo targato " + plate(f.report),
		text: []string{
			"Il giorno 20/10/2026 alle ore 10:42 in Via Provinciale, km 3+200, il veicolo indicato circolava oltre il limite di velocità. La violazione non è stata contestata subito perché accertata con apparecchio omologato.",
			"Il proprietario del veicolo è obbligato in solido con l'autore della violazione. Si può pagare entro 60 giorni dalla notifica, con la riduzione del 30% entro 5 giorni, oppure ricorrere al Prefetto entro 60 giorni o al Giudice di pace entro 30.",
		},
		amounts: [][2]string{{"Sanzione", amount}, {"Totale, oltre alle spese di notifica", amount}},
	}.pdf()
}

// plate is an invented plate for a report.
func plate(report string) string { return "ZZ" + report[len(report)-3:] + "ZZ" }

// alone makes a report with a single owner.
func (m *fines) alone(report string, to person, amount string) fine {
	f := m.owner(report, to, amount)
	m.report(f, amount, to)
	return f
}

func (m *fines) sound() {
	m.add(m.alone("00451", citizen("Guidoni", "Renzo", 'M', 1958, 3, 21, "Via Emilia Ponente 102", "40121", "Bologna", "BO"), "173,00"),
		1, delivered, "", "un solo proprietario")
	m.add(m.alone("00452", company("Autotrasporti Esempio S.p.A.", "0312345098", "Strada Provinciale 10, km 3", "26100", "Cremona", "CR"), "1.234,56"),
		1, delivered, "", "persona giuridica, importo con il punto delle migliaia")
	abroad := m.alone("00453", citizen("Fontaine", "Chloé", 'F', 1990, 2, 11, "5 Avenue Victor Hugo", "06000", "Nice", ""), "87,00")
	abroad.state = "FRANCIA"
	m.add(abroad, 1, delivered, "", "residente all'estero con lo Stato indicato")
}

// groups are reports with several owners.
func (m *fines) groups() {
	couple := []person{
		citizen("Solidali", "Iolanda", 'F', 1972, 8, 15, "Viale Giosuè Carducci 7", "47521", "Cesena", "FC"),
		citizen("Solidali", "Pericle", 'M', 1970, 1, 30, "Viale Giosuè Carducci 7", "47521", "Cesena", "FC"),
	}
	one, two := m.owner("00454", couple[0], "173,00"), m.owner("00454", couple[1], "173,00")
	m.report(one, "173,00", couple...)
	m.add(one, 1, delivered, "", "obbligati in solido: prima di due righe, una sola notifica")
	m.add(two, 2, delivered, "", "obbligati in solido: seconda riga, con un avviso suo")

	bad := []person{
		citizen("Buoni", "Ofelia", 'F', 1964, 6, 6, "Via Larga 12", "50122", "Firenze", "FI"),
		citizen("Sbagli", "Teodoro", 'M', 1963, 9, 19, "Via Larga 12", "50122", "Firenze", "FI"),
	}
	one, two = m.owner("00455", bad[0], "87,00"), m.owner("00455", bad[1], "87,00")
	m.report(one, "87,00", bad...)
	two.to.code = wrongLetter(two.to.code)
	m.add(one, 1, rejected, "C-GROUP-ROW", "riga giusta, ferma per l'errore dell'altra riga dello stesso verbale")
	m.add(two, 2, rejected, "C-TAXID-CHECK", "lettera di controllo sbagliata: ferma tutto il verbale")

	same := []person{
		citizen("Pari", "Luana", 'F', 1981, 12, 1, "Via Cavour 90", "37121", "Verona", "VR"),
		citizen("Pari", "Elio", 'M', 1980, 10, 10, "Via Cavour 90", "37121", "Verona", "VR"),
	}
	one = m.owner("00456", same[0], "42,00")
	m.report(one, "42,00", same...)
	two = one
	two.to = same[1]
	m.add(one, 1, rejected, "C-GROUP-ROW", "riga giusta, ferma per l'errore dell'altra riga dello stesso verbale")
	m.add(two, 2, rejected, "C-NOTICE-DUPLICATE", "stesso avviso pagoPA per i due proprietari: SEND lo rifiuta")

	apart := []person{
		citizen("Lontani", "Attilio", 'M', 1949, 4, 2, "Via Piave 5", "33100", "Udine", "UD"),
		citizen("Vicini", "Norma", 'F', 1951, 5, 3, "Via Piave 5", "33100", "Udine", "UD"),
	}
	one, two = m.owner("00457", apart[0], "173,00"), m.owner("00457", apart[1], "173,00")
	m.report(one, "173,00", apart...)
	two.notice = "" // the second owner pays with the notice of the first
	m.add(one, 1, delivered, "", "l'altro proprietario sta in fondo al file")
	m.mistakenText()
	m.add(two, 2, delivered, "", "secondo proprietario del verbale 00457, senza avviso suo")
}

// mistakenText are cells that SEND's character sets and patterns refuse.
func (m *fines) mistakenText() {
	euro := m.alone("00458", company("Noleggi & Servizi", "0254321876", "Via Bologna 44", "10121", "Torino", "TO"), "173,00")
	euro.surname = "Noleggi & Servizi € 24h S.r.l."
	m.add(euro, 1, rejected, "C-CHARS", "simbolo dell'euro nella denominazione: fuori dai caratteri di SEND")
	short := m.alone("00459", citizen("Corti", "Egle", 'F', 1987, 7, 7, "Via Manzoni 2", "20123", "Milano", "MI"), "87,00")
	page := m.files["avvisi/"+short.notice+".pdf"]
	delete(m.files, "avvisi/"+short.notice+".pdf")
	short.notice = short.notice[:17]
	m.files["avvisi/"+short.notice+".pdf"] = page
	m.add(short, 1, rejected, "C-NOTICE", "numero di avviso di 17 cifre")
}

func (m *fines) mistakes() {
	page := m.alone("00460", citizen("Pagini", "Ugo", 'M', 1971, 3, 3, "Via Dante 30", "06121", "Perugia", "PG"), "173,00")
	m.files["verbali/"+page.report+".pdf"] = []byte("<!DOCTYPE html>\r\n<html><head><title>Sessione scaduta</title></head>\r\n<body>La sessione è scaduta: accedere di nuovo.</body></html>\r\n")
	m.add(page, 1, rejected, "C-PDF-NOT", "il file del verbale è una pagina HTML salvata come .pdf")
	english := m.alone("00461", citizen("Virgoli", "Ines", 'F', 1968, 11, 11, "Via Toscana 18", "70121", "Bari", "BA"), "1.234,56")
	english.amount = "1,234.56"
	m.add(english, 1, rejected, "C-AMOUNT-FORM", "importo scritto all'inglese")
	stateless := m.alone("00462", citizen("Moreau", "Lucien", 'M', 1982, 2, 22, "18 Rue Cler", "75007", "Paris", ""), "87,00")
	m.add(stateless, 1, rejected, "C-PROVINCE-MISSING", "indirizzo estero senza lo Stato: letto come italiano, manca la provincia")
	sole := m.alone("00463", citizen("Impresari", "Fosco", 'M', 1975, 1, 17, "Via Mercato 6", "35121", "Padova", "PD"), "173,00")
	sole.kind, sole.surname = "G", "Impresari Fosco Ditta Individuale"
	m.add(sole, 1, rejected, "C-TAXID-PG-PERSONAL", "ditta individuale indicata come persona giuridica: va come persona fisica")
}

func (m *fines) lives() {
	lost := m.alone("00464", citizen("Fuggiti", "Zeno", 'M', 1994, 6, 28, "VIA @FAIL-Irreperibile_890", "20123", "Milano", "MI"), "173,00")
	m.add(lost, 1, delivered, "", "prova UAT FAIL-Irreperibile_890: irreperibile, perfezionata per decorrenza dei termini")
	m.byLapse()
	m.add(m.alone("00465", citizen("Assenti", "Clelia", 'F', 1959, 9, 9, "VIA @OK-CompiutaGiacenza_890", "20123", "Milano", "MI"), "87,00"),
		1, delivered, "", "prova UAT OK-CompiutaGiacenza_890: compiuta giacenza")
	m.add(m.alone("00466", citizen("Traslochi", "Ivo", 'M', 1986, 12, 24, "VIA @FAIL-Discovery_890", "20123", "Milano", "MI"), "42,00"),
		1, delivered, "", "prova UAT FAIL-Discovery_890: trasferito, consegnata al secondo indirizzo")
}

func (f fine) cells() []string {
	kind := map[string]string{"PF": "F", "PG": "G"}[f.to.kind]
	surname, name := f.to.surname, f.to.name
	if f.kind != "" {
		kind, name = f.kind, ""
	}
	if f.surname != "" {
		surname, name = f.surname, ""
	}
	return []string{
		f.report, "20/10/2026", plate(f.report), kind, strings.ToUpper(surname), strings.ToUpper(name), f.to.code,
		f.to.street, f.to.zip, f.to.town, f.to.prov, f.state, f.amount, f.due, f.notice,
	}
}
