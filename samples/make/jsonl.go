package main

import (
	"bytes"
	"encoding/json"
)

// object is a JSON object in the making; encoding/json sorts its keys.
type object = map[string]any

type jsonSample struct {
	*sample
	text bytes.Buffer
	rows int
}

// jsonLines is what a software house drops directly: one body of SEND's request a
// line, attachments by file name.
func jsonLines() *sample {
	j := &jsonSample{sample: newSample("json", "richieste.jsonl", 2026040000000)}
	j.sound()
	j.mistakes()
	j.files[j.export] = j.text.Bytes()
	return j.sample
}

// add writes a line; outcome holds for each of so many recipients, 0 for a line of
// which nothing could be made.
func (j *jsonSample) add(body any, recipients int, outcome, code, note string) {
	text, err := json.Marshal(body)
	must(err)
	j.addText(text, recipients, outcome, code, note)
}

func (j *jsonSample) addText(text []byte, recipients int, outcome, code, note string) {
	j.rows++
	j.text.Write(text)
	j.text.WriteByte('\n')
	if recipients == 0 {
		j.expect(j.rows, 0, outcome, code, note)
	}
	for i := range recipients {
		j.expect(j.rows, i+1, outcome, code, note)
	}
}

// request is a sound body for some people, each with a notice of his own.
func (j *jsonSample) request(number, amount string, cents int, people ...person) object {
	file := "documenti/ordinanza_" + number + ".pdf"
	protocol := "ORD-2026-" + number
	j.files[file] = act{
		office: "Settore Patrimonio", kind: "Ingiunzione di pagamento", number: protocol, date: "02/11/2026", to: people,
		subject: "canone di occupazione del suolo pubblico 2025",
		text:    []string{"Si ingiunge il pagamento del canone non versato entro 60 giorni dalla notifica. Contro il presente atto è ammesso ricorso al giudice ordinario."},
		amounts: [][2]string{{"Canone 2025", amount}, {"Totale dovuto", amount}},
	}.pdf()
	recipients := make([]any, len(people))
	for i, p := range people {
		recipients[i] = j.recipient(protocol, amount, p)
	}
	return object{
		"paProtocolNumber": protocol, "subject": "Ingiunzione di pagamento del canone di occupazione 2025",
		"senderDenomination": sender, "senderTaxId": "00112233440", "taxonomyCode": "010301P",
		"notificationFeePolicy": "DELIVERY_MODE", "physicalCommunicationType": "AR_REGISTERED_LETTER", "paFee": 100, "vat": 22, "pagoPaIntMode": "SYNC",
		"amount": cents, "paymentExpirationDate": "2027-02-15",
		"recipients": recipients,
		"documents":  []any{object{"title": "Ingiunzione di pagamento", "contentType": "application/pdf", "file": file}},
	}
}

func (j *jsonSample) recipient(protocol, amount string, p person) object {
	number := j.nextNotice()
	file := "documenti/avviso_" + number + ".pdf"
	j.files[file] = notice{number: number, what: "Rata unica", amount: amount, due: "15/02/2027", subject: protocol, debtor: p}.pdf()
	return object{
		"recipientType": p.kind, "taxId": p.code, "denomination": p.full(),
		"physicalAddress": object{"address": p.street, "zip": p.zip, "municipality": p.town, "province": p.prov, "foreignState": "ITALIA"},
		"payments": []any{object{"pagoPa": object{
			"noticeCode": number, "creditorTaxId": "00112233440", "applyCost": true,
			"attachment": object{"contentType": "application/pdf", "file": file},
		}}},
	}
}

// first is the first recipient of a body.
func first(body object) object { return body["recipients"].([]any)[0].(object) }

func (j *jsonSample) sound() {
	j.add(j.request("201", "480,00", 48000, citizen("Banchi", "Rocco", 'M', 1967, 5, 9, "Via Nazionale 8", "00173", "Roma", "RM")),
		1, delivered, "", "un destinatario, un avviso")
	j.add(j.request("202", "960,00", 96000,
		citizen("Eredi", "Livia", 'F', 1971, 2, 18, "Via Mercalli 1", "80133", "Napoli", "NA"),
		citizen("Eredi", "Manlio", 'M', 1974, 8, 29, "Via Mercalli 3", "80133", "Napoli", "NA"),
		citizen("Eredi", "Zoe", 'F', 1978, 12, 7, "Via Mercalli 5", "80133", "Napoli", "NA")),
		3, delivered, "", "tre coobbligati: tre righe nell'esito con la stessa send_riga")
	pec := j.request("203", "1.500,00", 150000, company("Dehors Esempio S.n.c.", "0276543219", "Piazza Castello 2", "10121", "Torino", "TO"))
	first(pec)["digitalDomicile"] = object{"type": "PEC", "address": "dehors@pec.example.it"}
	j.add(pec, 1, delivered, "", "persona giuridica con PEC")
	abroad := j.request("204", "220,00", 22000, citizen("Valli", "Heidi", 'F', 1983, 4, 1, "Bahnhofstrasse 12", "8001", "Zürich", ""))
	first(abroad)["physicalAddress"] = object{"address": "Bahnhofstrasse 12", "zip": "8001", "municipality": "Zürich", "foreignState": "SVIZZERA"}
	j.add(abroad, 1, delivered, "", "residente in Svizzera")
	null := j.request("205", "75,00", 7500, citizen("Nulli", "Oreste", 'M', 1956, 6, 16, "Via Appia 3", "04100", "Latina", "LT"))
	null["abstract"] = nil
	j.add(null, 1, delivered, "", "campo null: tolto con avviso, SEND non lo accetterebbe")
	j.f24()
}

// f24 is a debt paid by an F24 form, given to SEND as a metadata file.
func (j *jsonSample) f24() {
	p := citizen("Moduli", "Irma", 'F', 1962, 10, 30, "VIA ROMA 18", "04022", "Fondi", "LT")
	body := j.request("206", "135,00", 13500, p)
	file := "documenti/f24_206.json"
	text, err := json.MarshalIndent(object{"f24Simplified": object{
		"taxPayer": object{"taxCode": p.code, "personalData": object{
			"personalData": object{"surname": "MODULI", "name": "IRMA", "birthDate": "30-10-1962", "sex": "F", "birthPlace": "MILANO", "birthProvince": "MI"},
		}},
		"payments": object{"records": []any{object{
			"section": "EL", "municipality": "Z999", "taxType": "3944", "installment": "0101", "year": "2025", "debit": "13500",
			"reconsideration": false, "propertiesChanges": false, "advancePayment": false, "fullPayment": true, "applyCost": true,
		}}},
	}}, "", "  ")
	must(err)
	j.files[file] = append(text, '\n')
	notice := first(body)["payments"].([]any)[0].(object)["pagoPa"].(object)["attachment"].(object)["file"].(string)
	delete(j.files, notice)
	first(body)["payments"] = []any{object{"f24": object{
		"title": "F24 semplificato", "applyCost": true, "metadataAttachment": object{"contentType": "application/json", "file": file},
	}}}
	j.add(body, 1, delivered, "", "pagamento con F24 in luogo dell'avviso pagoPA")
}

func (j *jsonSample) mistakes() {
	token := j.request("207", "90,00", 9000, citizen("Gettoni", "Ruggero", 'M', 1987, 1, 22, "Via Emilia 4", "40121", "Bologna", "BO"))
	token["idempotenceToken"] = "prova-1"
	j.add(token, 1, rejected, "C-JSON-RESERVED", "idempotenceToken: lo dà il connettore, altrimenti si potrebbe notificare due volte")
	other := j.request("208", "90,00", 9000, citizen("Altrui", "Gina", 'F', 1960, 3, 5, "Via Po 41", "10121", "Torino", "TO"))
	other["senderTaxId"] = companyCode("8001234058")
	j.add(other, 1, rejected, "C-SENDER-OTHER", "codice fiscale di un altro ente mittente")
	unknown := j.request("209", "90,00", 9000, citizen("Refusi", "Mara", 'F', 1995, 9, 14, "Via Oberdan 2", "35121", "Padova", "PD"))
	first(unknown)["codiceFiscale"] = first(unknown)["taxId"]
	j.add(unknown, 1, rejected, "C-JSON-UNKNOWN", "campo che la richiesta di SEND non ha")
	quoted := j.request("210", "90,00", 9000, citizen("Virgoletti", "Aldo", 'M', 1953, 7, 19, "Via Milano 60", "26100", "Cremona", "CR"))
	quoted["paFee"] = "100"
	j.add(quoted, 1, rejected, "C-JSON-TYPE", "numero scritto tra virgolette")
	cut, err := json.Marshal(j.request("211", "90,00", 9000, citizen("Interrotti", "Cesira", 'F', 1969, 11, 27, "Via Torino 7", "20123", "Milano", "MI")))
	must(err)
	j.addText(cut[:len(cut)*2/3], 0, rejected, "C-JSON-SYNTAX", "riga interrotta a metà")
	outside := j.request("212", "90,00", 9000, citizen("Esterni", "Ciro", 'M', 1981, 8, 3, "Via Toledo 99", "80133", "Napoli", "NA"))
	outside["documents"].([]any)[0].(object)["file"] = "../altro_ufficio/ordinanza.pdf"
	j.add(outside, 1, rejected, "C-FILE-PATH", "documento cercato fuori dalla cartella di deposito")
}
