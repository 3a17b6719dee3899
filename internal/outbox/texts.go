package outbox

import (
	"strings"

	"sendconnector/internal/notification"
)

// The words of send_esito-like columns are part of the contract and stay Italian in
// every language; what follows them, for people, is in the language of the outbox.

// texts are the sentences of stato.csv and of the messages about files held open, by
// name: Italian, then English. {names} are filled in.
var texts = map[string][2]string{
	"running": {"In funzione.", "Running."},
	"stopping": {
		"Il connettore non è in funzione: i file vengono presi quando viene avviato di nuovo.",
		"The connector is not running: files are taken when it is started again.",
	},
	"paused": {
		"In attesa: una risorsa necessaria non è disponibile; riprende da solo.",
		"Waiting: something it needs is not available; goes on by itself.",
	},
	"waiting": {
		"In attesa di essere preso: il file è stato visto e non ancora letto.",
		"Waiting to be taken: the file has been seen and not been read yet.",
	},
	"reading": {"In lettura.", "Being read."},
	"read": {
		"Letto: {rows}, {new}. L'esito è in {outcome}.",
		"Read: {rows}, {new}. The outcome is in {outcome}.",
	},
	"known": {
		"Letto: {rows}, tutte già note; nulla è stato inviato di nuovo. L'esito è in {outcome}.",
		"Read: {rows}, all known already; nothing was sent again. The outcome is in {outcome}.",
	},
	"avoided": {
		"Righe scartate qui e non da SEND: evitati {euro} euro di costi di rifiuto.",
		"Rows rejected here and not by SEND: {euro} euro of refusal fees avoided.",
	},
	"discarded": {
		"Annullato prima dell'invio: nessuna sua notifica è partita. L'esito è in {outcome}.",
		"Discarded before sending: none of its notifications left. The outcome is in {outcome}.",
	},
	"discarded-rest": {
		"Annullato ciò che non era ancora partito; le notifiche già partite proseguono. L'esito è in {outcome}.",
		"What had not left yet was discarded; notifications that had left go on. The outcome is in {outcome}.",
	},
	"unreadable": {
		"Il file non si può leggere; si trova in rejected/{batch} con il motivo accanto.",
		"The file cannot be read; it lies in rejected/{batch} with the reason beside it.",
	},
	"awaits": {
		"Letto, attende il rilascio: {new}. Controllare {outcome}, poi rilasciare con il comando connector release --batch {batch} oppure mettendo in in/ un file vuoto di nome {file}.invia; per annullare: connector discard --batch {batch}.",
		"Read, awaits release: {new}. Check {outcome}, then release with connector release --batch {batch} or by putting an empty file named {file}.invia into in/; to discard: connector discard --batch {batch}.",
	},
	"awaits-rebuilt": {
		"Letto, attende il rilascio: il registro è stato ricostruito, o ripristinato da una copia, e non tutte le sue notifiche risultano inviate; non si può sapere se dovevano ancora partire o se erano state scartate. Controllare {outcome}, poi rilasciare con il comando connector release --batch {batch} oppure mettendo in in/ un file vuoto di nome {file}.invia; per annullare: connector discard --batch {batch}.",
		"Read, awaits release: the ledger was rebuilt, or restored from a copy, and not all of its notifications are known to have been sent; nobody can tell whether they were still to be sent or had been discarded. Check {outcome}, then release with connector release --batch {batch} or by putting an empty file named {file}.invia into in/; to discard: connector discard --batch {batch}.",
	},
	"awaits-max": {
		"Letto, attende il rilascio perché contiene {new}, più di quante il flusso invia senza conferma. Controllare {outcome}, poi rilasciare con il comando connector release --batch {batch} oppure mettendo in in/ un file vuoto di nome {file}.invia; per annullare: connector discard --batch {batch}.",
		"Read, awaits release because it holds {new}, more than the flow sends unasked. Check {outcome}, then release with connector release --batch {batch} or by putting an empty file named {file}.invia into in/; to discard: connector discard --batch {batch}.",
	},
	"delayed": {
		"Letto, parte da solo all'ora indicata in prossimo_controllo. Per annullare: connector discard --batch {batch}.",
		"Read, leaves by itself at the time in prossimo_controllo. To discard: connector discard --batch {batch}.",
	},
	"held": {
		"Sospeso: {why} Nulla va perso.",
		"Held: {why} Nothing is lost.",
	},
	"held-flow": {
		"Il flusso è sospeso: {why} Nulla va perso.",
		"The flow is held: {why} Nothing is lost.",
	},
	"held-source": {
		"Non si prendono file: {why} Quanto già letto prosegue.",
		"No files are taken: {why} What was read goes on.",
	},
	"held-sender": {
		"Il mittente {sender} è sospeso: {why} Nulla va perso.",
		"Sender {sender} is held: {why} Nothing is lost.",
	},
	"more": {"e altri {n}", "and {n} more"},
	"sequence": {
		"La numerazione di {kinds} è andata perduta. Indicare l'ultimo numero letto dal programma più uno con connector resume --flow {flow} --sequence-from N.",
		"The numbering of {kinds} is lost. Give the last number your program has read plus one with connector resume --flow {flow} --sequence-from N.",
	},
	"open": {
		"{file} è aperto in un altro programma: il contenuto nuovo è in {beside}. Chiudere {file}: sarà sostituito da solo.",
		"{file} is open in another program: the new content is in {beside}. Close {file}: it will be replaced by itself.",
	},
}

// text gives a sentence in the outbox's language; pairs are names and values.
func (o *Outbox) text(name string, pairs ...string) string {
	sentence := texts[name][0]
	if o.opts.Lang == notification.English {
		sentence = texts[name][1]
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		sentence = strings.ReplaceAll(sentence, "{"+pairs[i]+"}", pairs[i+1])
	}
	return sentence
}

// sentence ends a text with a full stop, so that another may follow.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}
