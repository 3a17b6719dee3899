package main

import "strings"

// reminder is one row of the school office's list.
type reminder struct {
	number, name    string
	to              person
	pec, at         string
	code, zip       string
	subject, amount string
	notice, folder  string
}

var scuolaColumns = []string{
	"Numero sollecito", "Intestatario", "Codice fiscale", "PEC", "Presso", "Indirizzo", "CAP", "Città", "Prov.",
	"Oggetto", "Importo dovuto", "Scadenza", "Numero avviso", "Cartella",
}

// scuolaTop are the rows above the first record: a title, a blank row, the heading.
const scuolaTop = 3

type reminders struct {
	*sample
	rows []reminder
}

// scuola is the school office's list of unpaid canteen and transport fees, saved from
// a spreadsheet as CSV UTF-8 with a title above the heading; the documents of each
// reminder lie in a folder of their own.
func scuola() *sample {
	r := &reminders{sample: newSample("scuola", "solleciti mensa e trasporto.csv", 2026030000000)}
	r.sound()
	r.mistakes()
	r.twice()
	r.lives()
	title := make([]string, len(scuolaColumns))
	title[0] = "Solleciti mensa e trasporto scolastico - anno scolastico 2025/2026"
	cells := [][]string{title, make([]string, len(scuolaColumns)), scuolaColumns}
	for _, m := range r.rows {
		cells = append(cells, m.cells())
	}
	text := string(table(cells))
	text = strings.Replace(text, `"Via dei Mille 8; scala B"`, "Via dei Mille 8; scala B", 1) // typed by hand
	r.files[r.export] = []byte("\ufeff" + text)
	return r.sample
}

func (r *reminders) add(m reminder, recipient int, outcome, code, note string) {
	r.rows = append(r.rows, m)
	r.expect(len(r.rows)+scuolaTop, recipient, outcome, code, note)
}

// remind makes a reminder with its folder: the letter and the notice.
func (r *reminders) remind(number string, to person, amount string) reminder {
	m := reminder{
		number: "SC/2026/" + number, name: to.full(), to: to, code: to.code, zip: to.zip,
		subject: "Sollecito di pagamento della mensa scolastica, anno scolastico 2025/2026", amount: amount, notice: r.nextNotice(), folder: "sollecito " + number,
	}
	r.files[m.folder+"/sollecito.pdf"] = act{
		office: "Ufficio Scuola", kind: "Sollecito di pagamento e messa in mora", number: m.number, date: "02/11/2026",
		to: []person{to}, subject: "servizi scolastici, anno scolastico 2025/2026",
		text: []string{
			"Dalle nostre registrazioni le quote dei servizi scolastici indicate sotto non risultano pagate.",
			"Si invita a pagare entro 60 giorni dalla notifica con l'avviso pagoPA allegato. Trascorso il termine si procederà alla riscossione coattiva. Il presente atto interrompe la prescrizione.",
		},
		amounts: [][2]string{{"Quote non pagate", amount}, {"Totale dovuto", amount}},
	}.pdf()
	r.files[m.folder+"/avviso "+m.notice+".pdf"] = notice{
		number: m.notice, what: "Rata unica", amount: amount, due: "15/01/2027", subject: "Sollecito " + m.number, debtor: to,
	}.pdf()
	return m
}

func (r *reminders) sound() {
	pec := r.remind("0001", citizen("Scolari", "Agnese", 'F', 1984, 4, 8, "Via Zamboni 21", "40121", "Bologna", "BO"), "214,50")
	pec.pec = "agnese.scolari@pec.example.it"
	r.add(pec, 1, delivered, "", "consegna alla PEC indicata")
	r.add(r.remind("0002", citizen("Mensali", "Davide", 'M', 1979, 10, 2, "Via Rizzoli 3", "40121", "Bologna", "BO"), "98,00"),
		1, delivered, "", "raccomandata A/R")
	r.add(r.remind("0003", company("Doposcuola Esempio Società Cooperativa Sociale", "0387654321", "Largo Nigra 1", "10121", "Torino", "TO"), "1.050,00"),
		1, delivered, "", "persona giuridica; nome più lungo della prima riga della busta (avviso)")
	at := r.remind("0004", citizen("Ospiti", "Marilù", 'F', 1990, 9, 26, "Via Santa Maria 14", "37121", "Verona", "VR"), "63,00")
	at.at = "c/o Fam. Bianconi"
	r.add(at, 1, delivered, "", "domiciliata presso altri")
	mended := r.remind("0005", citizen("D'Olmo", "Tosca", 'F', 1982, 1, 13, "Via dell'Agnolo 2", "50122", "Firenze", "FI"), "77,00")
	code := strings.ToLower(mended.code)
	mended.code = "\u00a0" + code[:6] + " " + code[6:11] + " " + code[11:]
	mended.name = "Tosca D’Olmo "
	r.add(mended, 1, delivered, "", "codice fiscale minuscolo e con spazi, apostrofo tipografico: corretti con avviso")
}

func (r *reminders) mistakes() {
	pec := r.remind("0006", citizen("Chiocciola", "Piero", 'M', 1977, 2, 27, "Via Merulana 5", "00173", "Roma", "RM"), "54,00")
	pec.pec = "piero.chiocciola@@pec.example.it"
	r.add(pec, 1, rejected, "C-PEC", "PEC scritta male")
	sci := r.remind("0007", citizen("Cifre", "Nora", 'F', 1993, 3, 16, "Via Mazzini 11", "06121", "Perugia", "PG"), "54,00")
	sci.notice = "3,01203E+17"
	r.add(sci, 1, rejected, "C-CELL-SCIENTIFIC", "numero di avviso trasformato da Excel in notazione scientifica")
	ten := r.remind("0008", company("Associazione Genitori Esempio", "0912345678", "Via Oberdan 9", "33100", "Udine", "UD"), "310,00")
	ten.code = strings.TrimLeft(ten.code, "0")
	r.add(ten, 1, rejected, "C-TAXID-ZEROS-LOST", "codice fiscale di 10 cifre: manca lo zero iniziale")
	long := r.remind("0009", citizen("Prolissi", "Amedeo", 'M', 1970, 7, 31, "Corso Garibaldi 50", "60121", "Ancona", "AN"), "120,00")
	long.subject = "Sollecito di pagamento delle quote di compartecipazione ai servizi di refezione e di trasporto scolastico non versate, anno scolastico 2025/2026"
	r.add(long, 1, rejected, "C-TOO-LONG", "oggetto di oltre 134 caratteri")
	extra := r.remind("0010", citizen("Divisi", "Alba", 'F', 1986, 5, 20, "Via dei Mille 8; scala B", "16121", "Genova", "GE"), "54,00")
	r.add(extra, 0, rejected, "C-LINE-CELLS", "punto e virgola nell'indirizzo senza virgolette: una colonna di troppo")
	noZip := r.remind("0011", citizen("Capini", "Sergio", 'M', 1965, 8, 4, "Via Libertà 77", "", "Napoli", "NA"), "54,00")
	r.add(noZip, 1, rejected, "C-CAP-MISSING", "manca il CAP")
	cut := r.remind("0012", citizen("Tronchi", "Vera", 'F', 1978, 11, 23, "Via Palazzo 6", "73100", "Lecce", "LE"), "54,00")
	whole := r.files[cut.folder+"/sollecito.pdf"]
	r.files[cut.folder+"/sollecito.pdf"] = whole[:len(whole)/2]
	r.add(cut, 1, rejected, "C-PDF-DAMAGED", "PDF troncato a metà della copia")
}

// twice are numbers that stand twice where each must be of one.
func (r *reminders) twice() {
	taken := r.remind("0013", citizen("Ripetuti", "Furio", 'M', 1973, 12, 12, "Via Cairoli 10", "20123", "Milano", "MI"), "54,00")
	taken.notice = r.rows[1].notice
	r.files[taken.folder+"/avviso "+taken.notice+".pdf"] = r.files[r.rows[1].folder+"/avviso "+taken.notice+".pdf"]
	r.add(taken, 1, rejected, "C-NOTICE-TAKEN", "stesso avviso pagoPA del sollecito 0002 (riga 5)")
	spelt := r.remind("0014", citizen("Zeri", "Ebe", 'F', 1989, 6, 17, "Via Leopardi 4", "20123", "Milano", "MI"), "54,00")
	spelt.number = "SC/2026/2"
	r.add(spelt, 1, rejected, "C-PROTOCOL-SPELLING", "numero già usato, scritto senza gli zeri (SC/2026/0002, riga 5)")
}

func (r *reminders) lives() {
	full := r.remind("0015", citizen("Piena", "Casella", 'F', 1992, 10, 5, "Via Torino 31", "20123", "Milano", "MI"), "54,00")
	full.pec = "casella.piena@fail.it"
	r.add(full, 1, delivered, "", "prova UAT @fail.it: PEC non funzionante, avviso di mancato recapito per lettera")
	r.add(r.remind("0016", citizen("Ritiri", "Leda", 'F', 1976, 3, 29, "VIA @OK-Giacenza_AR", "20123", "Milano", "MI"), "54,00"),
		1, delivered, "", "prova UAT OK-Giacenza_AR: ritirata in giacenza")
}

func (m reminder) cells() []string {
	return []string{
		m.number, m.name, m.code, m.pec, m.at, m.to.street, m.zip, m.to.town, m.to.prov,
		m.subject, m.amount, "15/01/2027", m.notice, m.folder,
	}
}
