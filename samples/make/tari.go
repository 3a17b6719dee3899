package main

import (
	"strconv"
	"strings"
	"time"
)

// assessment is one row of the tax office's workbook. Cells are what Excel holds:
// texts, numbers, dates.
type assessment struct {
	number          string
	to              person
	pec             string
	state           string
	amount          float64
	due             any
	single, r1, r2  any // notices
	file            string
	kind, code, zip any // in place of the person's, for cells that Excel damaged
	address, name   string
}

var tariColumns = []string{
	"NUM_ATTO", "DATA_ATTO", "TIPO", "CODICE_FISCALE", "CONTRIBUENTE", "PEC", "INDIRIZZO", "CAP", "COMUNE", "PROV", "STATO",
	"IMPORTO", "SCADENZA", "AVVISO_UNICA", "AVVISO_RATA1", "AVVISO_RATA2", "FILE_ATTO",
}

var (
	actDay = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	dueDay = time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
)

// tari is the workbook of waste-tax assessments, one row an assessment with up to
// three notices.
func tari() *sample {
	s := newSample("tari", "accertamenti_tari_2024.xlsx", 2026010000000)
	var rows []assessment
	add := func(a assessment, outcome, code, note string) {
		rows = append(rows, a)
		s.expect(len(rows)+1, 1, outcome, code, note) // the heading is row 1
	}
	first := s.instalments("101", citizen("Provini", "Ettore", 'M', 1961, 4, 17, "Via Torino 15", "20123", "Milano", "MI"), 312.40)
	add(first, delivered, "", "rata unica e due rate: costi su unica e prima rata")
	add(s.instalments("102", citizen("D'Angiò", "Nicolò", 'M', 1974, 9, 3, "Piazza dell'Unità 4", "40121", "Bologna", "BO"), 187.00),
		delivered, "", "accenti e apostrofi nel nome e nell'indirizzo")
	pec := s.instalments("103", company("Officine Esempio S.r.l.", "0412345067", "Viale dell'Industria 22", "35121", "Padova", "PD"), 2450.10)
	pec.pec = "officine.esempio@pec.example.it"
	add(pec, delivered, "", "persona giuridica con PEC")
	s.tariRepaired(add)
	s.tariDamaged(add)
	s.tariTwice(add, first)
	s.tariLives(add)
	s.files[s.export] = tariWorkbook(rows)
	return s
}

// single makes an assessment with one notice, and its documents.
func (s *sample) single(number string, to person, amount float64) assessment {
	a := assessment{number: "TARI/2026/000" + number, to: to, amount: amount, due: dueDay, file: "atti/accertamento_" + number + ".pdf"}
	n := s.nextNotice()
	a.single = n
	s.files["avvisi/"+n+".pdf"] = tariNotice(a, n, "Rata unica", amount)
	s.files[a.file] = tariAct(a)
	return a
}

// instalments makes an assessment that can be paid at once or in two parts.
func (s *sample) instalments(number string, to person, amount float64) assessment {
	a := s.single(number, to, amount)
	r1, r2 := s.nextNotice(), s.nextNotice()
	a.r1, a.r2 = r1, r2
	s.files[a.file] = tariAct(a)
	s.files["avvisi/"+r1+".pdf"] = tariNotice(a, r1, "Rata 1 di 2", amount/2)
	s.files["avvisi/"+r2+".pdf"] = tariNotice(a, r2, "Rata 2 di 2", amount/2)
	return a
}

type adder func(a assessment, outcome, code, note string)

// tariRepaired are rows that are mended with a warning, and go.
func (s *sample) tariRepaired(add adder) {
	lower := s.single("104", citizen("Dell'Orto", "Lucìa", 'F', 1988, 1, 25, "Via Giuseppe Verdi 8", "10121", "Torino", "TO"), 96.50)
	lower.code = strings.ToLower(lower.to.code)
	lower.name = "Lucìa Dell’Orto"
	lower.address = "Via\u00a0Giuseppe Verdi 8\u00a0"
	add(lower, delivered, "", "codice fiscale minuscolo, apostrofo tipografico, spazi unificatori: corretti con avviso")
	abroad := s.single("105", citizen("Lontani", "Greta", 'F', 1979, 6, 12, "12 Rue de la Paix", "75002", "Paris", ""), 144.00)
	abroad.state = "Francia"
	add(abroad, delivered, "", "residente all'estero con lo Stato indicato: raccomandata internazionale")
}

// tariDamaged are the mistakes that spreadsheets and typing make.
func (s *sample) tariDamaged(add adder) {
	zero := s.single("106", citizen("Zerini", "Ada", 'F', 1955, 12, 30, "Via Appia 40", "04022", "Fondi", "LT"), 201.15)
	zero.zip = 4022
	add(zero, rejected, "C-CAP", "CAP scritto come numero: Excel ha tolto lo zero iniziale (04022)")
	letter := s.single("107", citizen("Letteroni", "Corrado", 'M', 1969, 3, 9, "Corso Mazzini 3", "60121", "Ancona", "AN"), 158.00)
	letter.code = wrongLetter(letter.to.code)
	add(letter, rejected, "C-TAXID-CHECK", "lettera di controllo del codice fiscale sbagliata")
	number := s.single("108", citizen("Tondi", "Mirella", 'F', 1991, 7, 14, "Via Roma 1", "06121", "Perugia", "PG"), 77.30)
	n, err := strconv.ParseFloat(number.single.(string), 64)
	if err != nil {
		panic(err) // a notice is digits
	}
	number.single = n
	add(number, rejected, "C-CELL-DIGITS", "numero di avviso scritto come numero: Excel ne ha perso le ultime cifre (3,01E+17)")
	short := s.single("109", company("Cooperativa Il Girasole", "0098765432", "Via dei Campi 5", "26100", "Cremona", "CR"), 640.00)
	code, err := strconv.Atoi(short.to.code)
	if err != nil {
		panic(err) // a company's code is digits
	}
	short.code = code
	add(short, rejected, "C-TAXID-ZEROS-LOST", "codice fiscale di società scritto come numero: mancano gli zeri iniziali")
	provisional := s.single("110", citizen("Transito", "Omar", 'M', 1999, 5, 2, "Via del Porto 17", "70121", "Bari", "BA"), 88.00)
	provisional.code = companyCode("9000123001")
	add(provisional, rejected, "C-TAXID-PF-NUMERIC", "persona fisica con codice provvisorio di 11 cifre: SEND non la può notificare")
	missing := s.single("111", citizen("Smarriti", "Bruno", 'M', 1948, 10, 21, "Via Garibaldi 70", "16121", "Genova", "GE"), 233.90)
	delete(s.files, missing.file)
	add(missing, rejected, "C-DOCUMENT-MISSING", "il PDF dell'atto non è stato copiato nella cartella")
	day := s.single("112", citizen("Calendri", "Sveva", 'F', 1983, 2, 28, "Via Po 9", "10121", "Torino", "TO"), 119.00)
	day.due = "31/02/2027"
	add(day, rejected, "C-DATE-FORM", "scadenza in una data che non esiste")
}

// tariTwice are act numbers that stand twice.
func (s *sample) tariTwice(add adder, first assessment) {
	one := s.single("113", citizen("Doppi", "Silvano", 'M', 1966, 8, 8, "Via San Vitale 31", "40121", "Bologna", "BO"), 150.00)
	add(one, rejected, "C-DUPLICATE-IN-DROP", "stesso numero di atto della riga seguente, importi diversi: nessuna delle due parte")
	two := one
	two.amount = 175.00
	add(two, rejected, "C-DUPLICATE-IN-DROP", "stesso numero di atto della riga precedente, importi diversi")
	add(first, known, "", "riga ripetuta identica (riga 2): una sola notifica")
}

// tariLives are addresses by which SEND's test environment, and the simulator, play
// other lives, and one that SEND refuses after it has taken it.
func (s *sample) tariLives(add adder) {
	dead := s.single("114", citizen("Scomparsi", "Adele", 'F', 1931, 11, 5, "VIA @FAIL_AR", "20123", "Milano", "MI"), 64.00)
	add(dead, returned, "", "prova UAT FAIL_AR: destinatario deceduto")
	lost := s.single("115", citizen("Introvabili", "Dario", 'M', 1977, 4, 4, "VIA @FAIL-Irreperibile_AR", "20123", "Milano", "MI"), 71.20)
	add(lost, delivered, "", "prova UAT FAIL-Irreperibile_AR: irreperibile, perfezionata per decorrenza dei termini")
	s.byLapse()
	nowhere := s.single("116", citizen("Ignoti", "Paride", 'M', 1985, 5, 19, "VIA LAMARMORA 40/A", "20122", "NON IDENTIFICATO", "XX"), 58.00)
	add(nowhere, refused, "NOT_VALID_ADDRESS", "indirizzo che solo SEND può giudicare: non recapitabile, rifiutato dopo la presa in carico")
}

func tariAct(a assessment) []byte {
	payment := "Si può pagare con l'avviso pagoPA allegato."
	if a.r1 != nil {
		payment = "Si può pagare in unica soluzione o in due rate, con gli avvisi pagoPA allegati."
	}
	return act{
		office: "Ufficio Tributi", kind: "Avviso di accertamento esecutivo TARI anno 2024", number: a.number, date: "02/11/2026",
		to: []person{a.to}, subject: "tassa sui rifiuti 2024, omesso versamento",
		text: []string{
			"Dai controlli svolti risulta che per l'anno 2024 la tassa sui rifiuti non è stata versata nei termini.",
			"Con il presente atto si accerta il tributo dovuto, con sanzione e interessi. L'atto diviene esecutivo decorso il termine per il ricorso, da proporre entro 60 giorni dalla notifica alla Corte di giustizia tributaria di primo grado.",
			payment,
		},
		amounts: [][2]string{
			{"Tributo", euro(a.amount * 0.75)}, {"Sanzione e interessi", euro(a.amount - a.amount*0.75)}, {"Totale dovuto", euro(a.amount)},
		},
	}.pdf()
}

func tariNotice(a assessment, number, what string, amount float64) []byte {
	return notice{
		number: number, what: what, amount: euro(amount), due: "01/02/2027", subject: "TARI 2024 - atto " + a.number, debtor: a.to,
	}.pdf()
}

// euro writes an amount as Italians do.
func euro(amount float64) string {
	text := strconv.FormatFloat(amount, 'f', 2, 64)
	whole, cents, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "." + whole[i:]
	}
	return whole + "," + cents
}

func (a assessment) cells() []any {
	kind, code, zip, address, name := any(a.to.kind), any(a.to.code), any(a.to.zip), a.to.street, a.to.full()
	if a.kind != nil {
		kind = a.kind
	}
	if a.code != nil {
		code = a.code
	}
	if a.zip != nil {
		zip = a.zip
	}
	if a.address != "" {
		address = a.address
	}
	if a.name != "" {
		name = a.name
	}
	return []any{
		a.number, actDay, kind, code, name, a.pec, address, zip, a.to.town, a.to.prov, a.state,
		a.amount, a.due, a.single, a.r1, a.r2, a.file,
	}
}
