package notification

// Sources of the entries below.
const (
	src1  = "send-validation.md §1"
	src11 = "send-validation.md §1.1"
	src12 = "send-validation.md §1.2"
	src13 = "send-validation.md §1.3"
	src14 = "send-validation.md §1.4"
	src15 = "send-validation.md §1.5"
	src16 = "send-validation.md §1.6"
	src2  = "send-validation.md §2"
	src41 = "send-validation.md §4.1"
	src42 = "send-validation.md §4.2"
	src5  = "send-validation.md §5"
	srcF  = "interface.md, Profiles (jsonl)"
)

// requestCatalogue is what Validate finds in a request, but for its payments and
// attachments.
var requestCatalogue = map[string]entry{
	// Many at once.
	"C-PROBLEMS-MORE": {
		Warning,
		"E altri {count} problemi: correggere quelli indicati e rimettere il file nella cartella.",
		"And {count} more problems: correct those that are named and drop the file again.", srcF,
	},
	"C-JSON-ELEMENTS": {
		Error,
		"La riga ha più di {max} elementi negli elenchi (destinatari, pagamenti, documenti): nessuna notifica ne ha tanti; correggere il programma che produce il file.",
		"The line has more than {max} elements in its lists (recipients, payments, documents): no notification has as many; correct the program that makes the file.", srcF,
	},

	// Any field.
	"C-REQUIRED": {
		Error,
		"Manca {what}: compilare il dato e rimettere il file nella cartella.",
		"Missing: {what}. Fill it in and drop the file again.", src1,
	},
	"C-TEXT-BROKEN": {
		Error,
		"Ci sono caratteri illeggibili («\uFFFD») per {what}: il file è stato salvato o letto con una codifica sbagliata; salvarlo in UTF-8 o indicare la codifica giusta nel profilo.",
		"There are unreadable characters (“\uFFFD”) in {what}: the file was saved or read with the wrong encoding; save it as UTF-8 or give the right encoding in the profile.", src1,
	},
	"C-LINE-BREAK": {
		Error,
		"C'è un a capo dentro {what}: SEND accetta una sola riga; togliere l'a capo.",
		"There is a line break in {what}: SEND takes a single line; remove it.", src1,
	},
	"C-TOO-LONG": {
		Error,
		"Sono {length} caratteri per {what}, al massimo {max}: abbreviare.",
		"{length} characters for {what}, at most {max}: shorten it.", src1,
	},
	"C-TOO-SHORT": {
		Error,
		"«{value}» è troppo corto per {what}: servono almeno {min} caratteri; completare il dato.",
		"“{value}” is too short for {what}: at least {min} characters are needed; complete it.", src13,
	},
	"C-ENUM": {
		Error,
		"«{value}» non è un valore ammesso per {what}: usare uno di {allowed}.",
		"“{value}” is not a value allowed for {what}: use one of {allowed}.", src11,
	},
	"C-NOT-ASCII": {
		Error,
		"Per {what} si possono usare solo lettere senza accento, cifre e segni comuni: correggere il valore.",
		"Only unaccented letters, digits and common signs may be used for {what}: correct the value.", src11,
	},
	"C-RANGE": {
		Error,
		"{value} non va bene per {what}: serve un numero intero da 0 a {max}.",
		"{value} will not do for {what}: a whole number from 0 to {max} is needed.", src11,
	},

	// Top level.
	"C-PROTOCOL-BLANK": {
		Warning,
		"Il numero di protocollo «{value}» comincia o finisce con uno spazio: SEND lo considera diverso da quello senza; verificare che sia voluto.",
		"The protocol number “{value}” begins or ends with a blank: to SEND it is another one than without; check that this is meant.", "send-validation.md §3",
	},
	"C-PERSONAL-TAXID": {
		Warning,
		"Il testo contiene un codice fiscale ({value}): oggetto e descrizione non devono avere dati personali; toglierlo.",
		"The text holds a tax code ({value}): subject and abstract must not have personal data; remove it.", src11,
	},
	"C-PERSONAL-NAME": {
		Warning,
		"Il testo contiene il nome del destinatario ({value}): oggetto e descrizione non devono avere dati personali; toglierlo.",
		"The text holds the recipient's name ({value}): subject and abstract must not have personal data; remove it.", src11,
	},
	"C-SENDER-TAXID": {
		Error,
		"Il codice fiscale del mittente «{value}» non è di 11 cifre: correggerlo nella configurazione o nel file.",
		"The sender's tax code “{value}” is not one of 11 digits: correct it in the configuration or in the file.", src11,
	},
	"C-SENDER-OTHER": {
		Error,
		"Il codice fiscale del mittente {value} non è quello dell'ente configurato ({expected}): SEND rifiuterebbe la richiesta; usare il codice dell'ente o togliere il campo dal file.",
		"The sender's tax code {value} is not that of the configured body ({expected}): SEND would refuse the request; use the body's code.", src11,
	},
	"C-SENDER-CHECK": {
		Warning,
		"Il codice fiscale del mittente {value} ha la cifra di controllo sbagliata: verificare che sia quello registrato in SEND.",
		"The sender's tax code {value} has a wrong check digit: check that it is the one registered with SEND.", src42,
	},
	"C-TAXONOMY-FORM": {
		Error,
		"Il codice tassonomico «{value}» non è di sei cifre e una lettera maiuscola (per esempio 010201P): correggerlo.",
		"The taxonomy code “{value}” is not six digits and a capital letter (such as 010201P): correct it.", src16,
	},
	"C-TAXONOMY-UNKNOWN": {
		Error,
		"Il codice tassonomico {value} non è nell'elenco di SEND (aggiornato al {date}): scegliere un codice dell'elenco; se è nuovo, aggiungerlo alla configurazione.",
		"The taxonomy code {value} is not in SEND's list (as of {date}): choose one of the list; if it is new, add it to the configuration.", src16,
	},
	"C-TAXONOMY-ENTITY": {
		Warning,
		"Il codice tassonomico {value} è di un altro tipo di ente ({type}, atteso {expected}): verificare.",
		"The taxonomy code {value} belongs to another type of body ({type}, expected {expected}): check it.", src16,
	},
	"C-TAXONOMY-UNPAID": {
		Warning,
		"Il codice tassonomico {value} prevede un pagamento ma la notifica non ne ha: verificare il codice o aggiungere l'avviso.",
		"The taxonomy code {value} foresees a payment but the notification has none: check the code or add the notice.", src16,
	},
	"C-TAXONOMY-PAID": {
		Warning,
		"Il codice tassonomico {value} è di atti senza pagamento ma la notifica ne ha: verificare il codice.",
		"The taxonomy code {value} is for acts without payment but the notification has one: check the code.", src16,
	},
	"C-DATE": {
		Error,
		"La scadenza «{value}» non è nella forma anno-mese-giorno (per esempio 2026-12-31): correggere la data o la conversione nel profilo.",
		"The date “{value}” is not year-month-day (such as 2026-12-31): correct it or its conversion in the profile.", src11,
	},
	"C-DATE-CALENDAR": {
		Error,
		"La scadenza {value} non esiste nel calendario: correggerla.",
		"The date {value} does not exist in the calendar: correct it.", src11,
	},
	"C-DATE-PAST": {
		Warning,
		"La scadenza {value} è già passata: verificare che sia voluto.",
		"The payment date {value} has already passed: check that this is meant.", src11,
	},
	"C-IUN": {
		Error,
		"«{value}» non è uno IUN (forma AAAA-AAAA-AAAA-999999-A-9): correggerlo o lasciare vuoto il campo.",
		"“{value}” is not an IUN (form AAAA-AAAA-AAAA-999999-A-9): correct it or leave the field blank.", src11,
	},
	"C-AMOUNT": {
		Error,
		"L'importo {value} non è ammesso: serve un numero intero di centesimi, non negativo e non oltre 2147483647.",
		"The amount {value} is not allowed: a whole number of cents is needed, not negative and not above 2147483647.", src11,
	},
	"C-GROUP-REQUIRED": {
		Error,
		"Manca il gruppo: la chiave API di questo mittente è legata a dei gruppi; indicare il gruppo nel profilo o nella configurazione.",
		"Missing: the group. The API key of this sender is bound to groups; give the group in the profile or in the configuration.", src11,
	},
	"C-GROUP-UNKNOWN": {
		Error,
		"Il gruppo «{value}» non è tra quelli della chiave API ({allowed}): usare l'identificativo di uno di questi.",
		"The group “{value}” is not one of the API key's ({allowed}): use the id of one of these.", src11,
	},
	"C-LANGUAGE-MANY": {
		Error,
		"Sono indicate più lingue aggiuntive ({value}): SEND ne accetta una sola; lasciarne una.",
		"Several additional languages are given ({value}): SEND takes only one; leave one.", src11,
	},
	"C-LANGUAGE": {
		Error,
		"La lingua aggiuntiva «{value}» non è ammessa: usare DE (tedesco), FR (francese) o SL (sloveno; non SI).",
		"The additional language “{value}” is not allowed: use DE (German), FR (French) or SL (Slovene; not SI).", src11,
	},
	"C-FEE-MISSING": {
		Error,
		"Manca {what}: con i costi calcolati sul percorso (DELIVERY_MODE) è obbligatorio; indicarlo nel profilo.",
		"Missing: {what}. With DELIVERY_MODE it is required; give it in the profile.", src11,
	},
	"C-MODE-FLAT": {
		Warning,
		"La modalità pagoPA {value} non ha effetto con i costi forfettari (FLAT_RATE): usare NONE o passare a DELIVERY_MODE.",
		"The pagoPA mode {value} has no effect with FLAT_RATE: use NONE, or DELIVERY_MODE.", src11,
	},
	"C-RECIPIENTS-MANY": {
		Error,
		"I destinatari sono {count}, al massimo {max}: dividere la notifica in più protocolli.",
		"There are {count} recipients, at most {max} are allowed: divide the notification among several protocol numbers.", src11,
	},
	"C-DOCUMENTS-MANY": {
		Error,
		"I documenti sono {count}, al massimo {max}: unire i PDF o toglierne qualcuno.",
		"There are {count} documents, at most {max} are allowed: join PDFs or remove some.", src11,
	},
	"C-SINGLE-RECIPIENT": {
		Error,
		"Questo mittente può inviare solo notifiche a un destinatario e con almeno un pagamento: dividere la notifica o aggiungere l'avviso.",
		"This sender may only send notifications to one recipient and with at least one payment: divide the notification or add the notice.", src11,
	},

	// Recipient.
	"C-TAXID-FORM": {
		Error,
		"«{value}» non è un codice fiscale: servono 16 caratteri per una persona fisica o 11 cifre per una persona giuridica (qui sono {length}); correggerlo.",
		"“{value}” is not a tax code: 16 characters are needed for a natural person or 11 digits for a legal one (here {length}); correct it.", src12,
	},
	"C-TAXID-SPELLING": {
		Error,
		"Il codice fiscale «{value}» ha minuscole o spazi, che SEND rifiuta: scriverlo {suggestion}.",
		"The tax code “{value}” has small letters or blanks, which SEND refuses: write {suggestion}.", src41,
	},
	"C-TAXID-ZEROS-LOST": {
		Error,
		"Il codice fiscale «{value}» ha perso gli zeri iniziali (succede nei fogli di calcolo): dovrebbe essere {suggestion}; impostare la colonna come testo e correggere.",
		"The tax code “{value}” has lost its leading zeros (spreadsheets do that): it should be {suggestion}; make the column text and correct it.", src42,
	},
	"C-TAXID-MONTH": {
		Error,
		"Nel codice fiscale {value} la nona lettera ({letter}) non indica un mese: verificare il codice.",
		"In the tax code {value} the ninth letter ({letter}) is not a month: check the code.", src41,
	},
	"C-TAXID-CHECK": {
		Error,
		"Il codice fiscale {value} è sbagliato: l'ultimo carattere è {found} ma per gli altri dovrebbe essere {expected}; verificare tutto il codice sull'atto o in anagrafe.",
		"The tax code {value} is wrong: its last character is {found} but the others call for {expected}; check the whole code against the act or the registry.", src41,
	},
	"C-TAXID-ZERO": {
		Error,
		"Il codice fiscale è di soli zeri: mettere quello vero del destinatario.",
		"The tax code is all zeros: give the recipient's real one.", src42,
	},
	"C-TAXID-DAY": {
		Warning,
		"Nel codice fiscale {value} il giorno di nascita non esiste: verificare il codice.",
		"In the tax code {value} the day of birth does not exist: check the code.", src41,
	},
	"C-TAXID-PF-NUMERIC": {
		Error,
		"Il destinatario è una persona fisica ma il codice {value} è di 11 cifre: SEND accetta solo il codice di 16 caratteri; usare quello, o tipo PG se è una società o un ente. Chi ha solo un codice provvisorio non si può notificare con SEND.",
		"The recipient is a natural person but the code {value} has 11 digits: SEND takes only the 16-character code; use that one, or kind PG for a company or body. Who has only a provisional code cannot be notified through SEND.", src12,
	},
	"C-TAXID-PG-PERSONAL": {
		Error,
		"Il destinatario è una persona giuridica ma il codice {value} è di una persona fisica: SEND accetta solo 11 cifre; per una ditta individuale usare il tipo PF.",
		"The recipient is a legal person but the code {value} is a natural person's: SEND takes only 11 digits; for a sole trader use kind PF.", src12,
	},
	"C-TAXID-DUPLICATE": {
		Error,
		"Il codice fiscale {value} compare due volte nella stessa notifica (destinatari {other} e {this}): lasciarne uno.",
		"The tax code {value} stands twice in one notification (recipients {other} and {this}): leave one.", src12,
	},
	"C-CHARS": {
		Error,
		"Ci sono caratteri che SEND non accetta ({chars}) per {what}: scrivere per esempio «{suggestion}».",
		"There are characters that SEND does not accept ({chars}) in {what}: write “{suggestion}”, for instance.", src12,
	},
	"C-NAME-SPLIT": {
		Warning,
		"Il nome non sta in una riga della busta: sulla prima si legge «{first}», sulla seconda «{rest}»; verificare che sia accettabile.",
		"The name does not fit one row of the envelope: the first reads “{first}”, the second “{rest}”; check that this will do.", src13,
	},
	"C-PEC": {
		Error,
		"«{value}» non è un indirizzo PEC valido: correggerlo o lasciare vuoto il campo.",
		"“{value}” is not a valid PEC address: correct it or leave the field blank.", src12,
	},
	"C-PEC-ORDINARY": {
		Warning,
		"«{value}» sembra una casella di posta ordinaria, non una PEC: la consegna digitale fallirebbe; verificare.",
		"“{value}” looks like an ordinary mailbox, not certified mail: digital delivery would fail; check it.", src12,
	},

	// Physical address.
	"C-ADDRESS-MISSING": {
		Error,
		"Manca l'indirizzo fisico del destinatario: per questo mittente SEND non lo cerca da sé; aggiungerlo.",
		"Missing: the recipient's physical address. SEND does not look it up for this sender; add it.", src13,
	},
	"C-ZIP-CHARS": {
		Error,
		"Il CAP «{value}» ha caratteri non ammessi (vanno bene lettere, cifre, spazi e trattini): correggerlo.",
		"The postal code “{value}” has characters that are not allowed (letters, digits, blanks and hyphens are): correct it.", src13,
	},
	"C-CAP-MISSING": {
		Error,
		"Manca il CAP di un indirizzo italiano: SEND rifiuterebbe la notifica e la farebbe pagare; aggiungerlo.",
		"Missing: the postal code of an Italian address. SEND would refuse the notification and bill it; add it.", src2,
	},
	"C-CAP": {
		Error,
		"Il CAP «{value}» non è di cinque cifre o è di soli zeri: correggerlo (se ha perso gli zeri iniziali, impostare la colonna come testo).",
		"The postal code “{value}” is not five digits, or only zeros: correct it (if it lost its leading zeros, make the column text).", src2,
	},
	"C-CAP-GENERIC": {
		Warning,
		"Il CAP {value} è quello generico di una città divisa in zone ({town}): l'indirizzo potrebbe essere rifiutato; usare il CAP della via.",
		"The postal code {value} is the general one of a town divided into zones ({town}): the address may be refused; use that of the street.", src2,
	},
	"C-TOWN-AT": {
		Error,
		"Il comune «{value}» sembra un indirizzo di posta elettronica: mettere il nome del comune.",
		"The municipality “{value}” looks like an e-mail address: give the name of the municipality.", src2,
	},
	"C-PROVINCE-MISSING": {
		Error,
		"Manca la provincia di un indirizzo italiano: aggiungere la sigla di due lettere.",
		"Missing: the province of an Italian address. Add its two letters.", src13,
	},
	"C-PROVINCE": {
		Error,
		"«{value}» non è una provincia italiana: mettere la sigla di due lettere.",
		"“{value}” is not an Italian province: give its two letters.", src2,
	},
	"C-PROVINCE-UNKNOWN": {
		Warning,
		"«{value}» non è la sigla di una delle 107 province: l'indirizzo potrebbe essere rifiutato; correggerla.",
		"“{value}” is not the code of one of the 107 provinces: the address may be refused; correct it.", src2,
	},
	"C-PROVINCE-NAME": {
		Warning,
		"La provincia è scritta per esteso («{value}»): meglio la sigla {suggestion}.",
		"The province is spelled out (“{value}”): its code {suggestion} is better.", src2,
	},
	"C-PLACE": {
		Warning,
		"CAP {zip}, comune {town} e provincia {province} non stanno insieme: {hint}. L'indirizzo potrebbe essere rifiutato; verificare.",
		"Postal code {zip}, municipality {town} and province {province} do not go together: {hint}. The address may be refused; check it.", src2,
	},
	"C-STATE-UNKNOWN": {
		Warning,
		"Lo Stato «{value}» non è tra i nomi conosciuti: verificare la grafia (in italiano o in inglese), o l'indirizzo potrebbe essere rifiutato.",
		"The state “{value}” is not among the known names: check its spelling (Italian or English), or the address may be refused.", src2,
	},
	"C-STATE-ITALY": {
		Warning,
		"Lo Stato «{value}» è inteso come Italia: per un indirizzo italiano scrivere ITALIA o lasciare vuoto.",
		"The state “{value}” is taken for Italy: write ITALIA for an Italian address, or leave it blank.", src13,
	},
	"C-STATE-ENCLAVE": {
		Warning,
		"L'indirizzo sembra di {state}, che non è Italia: indicare lo Stato nel campo dello Stato estero.",
		"The address seems to be in {state}, which is not Italy: give it as foreign state.", src2,
	},
	"C-HOUSE-NUMBER": {
		Warning,
		"L'indirizzo «{value}» non ha il numero civico: aggiungerlo, o scrivere SNC se non esiste.",
		"The address “{value}” has no house number: add it, or write SNC if there is none.", src2,
	},
	"C-ADDRESS-TOWN": {
		Warning,
		"L'indirizzo «{value}» è solo il nome del comune: aggiungere via e numero, o sarà rifiutato.",
		"The address “{value}” is only the name of the municipality: add street and number, or it will be refused.", src2,
	},
	"C-ADDRESS-CHARS": {
		Warning,
		"Ci sono caratteri che in stampa possono essere sostituiti ({chars}) per {what}: meglio «{suggestion}».",
		"There are characters that may be replaced in print ({chars}) in {what}: “{suggestion}” is better.", src13,
	},
	"C-ADDRESS-STRICT": {
		Error,
		"Ci sono caratteri non ammessi dal controllo stretto degli indirizzi ({chars}) per {what}: scrivere per esempio «{suggestion}».",
		"There are characters that the strict address check does not allow ({chars}) in {what}: write “{suggestion}”, for instance.", src13,
	},
	"C-ROW-CUT": {
		Warning,
		"Sulla busta la riga «{row}» ha {length} caratteri ma ne stanno {max}: andrebbe perso «{lost}»; abbreviare.",
		"On the envelope the row “{row}” has {length} characters where {max} fit: “{lost}” would be lost; shorten it.", src13,
	},
	"C-ROW-STRICT": {
		Error,
		"La riga dell'indirizzo «{row}» ha {length} caratteri, al massimo {max}: SEND la rifiuterebbe; abbreviare (di troppo: «{lost}»).",
		"The address row “{row}” has {length} characters, at most {max}: SEND would refuse it; shorten it (too much: “{lost}”).", src13,
	},
}
