package notification

// attachmentCatalogue is what Validate finds in payments and attachments, CheckFiles
// in the files themselves and Decode in lines of SEND's own JSON.
var attachmentCatalogue = map[string]entry{
	// Payments.
	"C-PAYMENT-EMPTY": {
		Error,
		"Il pagamento è vuoto: indicare un avviso pagoPA o un F24, o togliere il pagamento.",
		"The payment is empty: give a pagoPA notice or an F24, or remove it.", src14,
	},
	"C-NOTICE": {
		Error,
		"Il numero di avviso «{value}» non è di 18 cifre (qui sono {length} caratteri): correggerlo; nei fogli di calcolo impostare la colonna come testo.",
		"The notice number “{value}” is not 18 digits (here {length} characters): correct it; in a spreadsheet make the column text.", src5,
	},
	"C-NOTICE-AUX": {
		Warning,
		"Il numero di avviso {value} comincia con {aux}, cifra che pagoPA non usa: verificare il numero.",
		"The notice number {value} begins with {aux}, a digit that pagoPA does not use: check it.", src5,
	},
	"C-NOTICE-CHECK": {
		Warning,
		"Il numero di avviso {value} finisce con {found} ma per le altre cifre dovrebbe finire con {expected}: verificare che sia scritto bene.",
		"The notice number {value} ends with {found} but the other digits call for {expected}: check that it is written correctly.", src5,
	},
	"C-NOTICE-OLD": {
		Warning,
		"Il numero di avviso {value} comincia con {aux}, come gli avvisi di vecchio tipo: verificare che sia ancora pagabile.",
		"The notice number {value} begins with {aux}, as notices of the old kind do: check that it can still be paid.", src5,
	},
	"C-NOTICE-DUPLICATE": {
		Error,
		"L'avviso {value} dell'ente {creditor} compare due volte nella stessa notifica (anche in {other}): lasciarne uno.",
		"The notice {value} of creditor {creditor} stands twice in one notification (also at {other}): leave one.", src14,
	},
	"C-CREDITOR": {
		Error,
		"Il codice fiscale dell'ente creditore «{value}» non è di 11 cifre: correggerlo.",
		"The creditor's tax code “{value}” is not 11 digits: correct it.", src14,
	},
	"C-CREDITOR-CHECK": {
		Warning,
		"Il codice fiscale dell'ente creditore {value} ha la cifra di controllo sbagliata: verificarlo.",
		"The creditor's tax code {value} has a wrong check digit: check it.", src5,
	},
	"C-COST-NOTICE-NEEDED": {
		Error,
		"Con DELIVERY_MODE almeno un avviso pagoPA del destinatario deve avere i costi di notifica (applyCost): indicarlo su uno.",
		"With DELIVERY_MODE at least one pagoPA notice of the recipient must carry the costs (applyCost): set it on one.", src14,
	},
	"C-COST-F24-NEEDED": {
		Error,
		"Con DELIVERY_MODE almeno un F24 del destinatario deve avere i costi di notifica (applyCost): indicarlo su uno.",
		"With DELIVERY_MODE at least one F24 of the recipient must carry the costs (applyCost): set it on one.", src14,
	},
	"C-COST-NOTICE-FLAT": {
		Error,
		"Con FLAT_RATE nessun avviso pagoPA può avere i costi di notifica (applyCost): toglierlo, o usare DELIVERY_MODE.",
		"With FLAT_RATE no pagoPA notice may carry the costs (applyCost): remove it, or use DELIVERY_MODE.", src14,
	},
	"C-COST-F24-FLAT": {
		Error,
		"Con FLAT_RATE nessun F24 può avere i costi di notifica (applyCost): toglierlo, o usare DELIVERY_MODE.",
		"With FLAT_RATE no F24 may carry the costs (applyCost): remove it, or use DELIVERY_MODE.", src14,
	},
	"C-ASYNC-PAYMENT": {
		Error,
		"Con la modalità pagoPA ASYNC e DELIVERY_MODE ogni destinatario deve avere un pagamento: aggiungerlo, o cambiare modalità.",
		"With pagoPA mode ASYNC and DELIVERY_MODE every recipient needs a payment: add it, or change the mode.", src2,
	},

	// Attachments.
	"C-CONTENT-TYPE": {
		Error,
		"Il tipo di contenuto «{value}» non è ammesso per questo allegato: serve {expected}.",
		"The content type “{value}” is not allowed for this attachment: {expected} is needed.", src15,
	},
	"C-DOC-IDX": {
		Error,
		"L'indice del documento «{value}» non è un numero di una, due o tre cifre: correggerlo o toglierlo.",
		"The index of the document “{value}” is not a number of one to three digits: correct or remove it.", "send-api.md §3.6",
	},
	"C-FILE-PATH": {
		Error,
		"Il nome di file «{value}» non è ammesso: indicare il percorso relativo all'export, con barre «/», senza «..», lettere di unità, nomi riservati di Windows o spazi e punti finali.",
		"The file name “{value}” is not allowed: give the path relative to the export, with slashes “/”, without “..”, drive letters, names reserved by Windows, or blanks and dots at the end.", srcF,
	},
	"C-FILE-UPLOADED": {
		Error,
		"L'allegato indica un caricamento già fatto (digests o ref): togliere questi dati e lasciare solo il nome del file; al caricamento pensa il connettore.",
		"The attachment names an upload (digests or ref): remove these and leave only the file name; the connector does the upload.", srcF,
	},
	"C-FILE-ON-WIRE": {
		Error,
		"L'allegato porta ancora il nome di file «{value}», che SEND non conosce: è un errore del connettore, segnalarlo all'assistenza.",
		"The attachment still has the file name “{value}”, which SEND does not know: this is a fault of the connector, report it.", src15,
	},
	"C-DIGEST-MISSING": {
		Error,
		"Manca l'impronta (sha256) dell'allegato: SEND la richiede; indicarla.",
		"Missing: the digest (sha256) of the attachment. SEND requires it; give it.", src15,
	},
	"C-DIGEST": {
		Error,
		"L'impronta «{value}» non è un SHA-256 in base64 (44 caratteri, non esadecimale): correggerla.",
		"The digest “{value}” is not a SHA-256 in base64 (44 characters, not hexadecimal): correct it.", src15,
	},
	"C-REF-MISSING": {
		Error,
		"Manca il riferimento al file caricato (ref): ripetere il caricamento.",
		"Missing: the reference to the uploaded file (ref). Repeat the upload.", src15,
	},
	"C-REF-KEY": {
		Error,
		"La chiave di caricamento «{value}» ha caratteri non ammessi: usare quella data da SEND.",
		"The upload key “{value}” has characters that are not allowed: use the one given by SEND.", src15,
	},
	"C-REF-KIND": {
		Error,
		"La chiave di caricamento «{value}» non è di questo tipo di allegato (deve contenere {expected}): ripetere il caricamento con il tipo di contenuto giusto.",
		"The upload key “{value}” is not of this kind of attachment (it must hold {expected}): repeat the upload with the right content type.", src15,
	},
	"C-DOCUMENT-TWICE": {
		Error,
		"Lo stesso file caricato è usato due volte nella notifica (anche in {other}): caricarlo di nuovo o toglierne uno.",
		"The same uploaded file is used twice in the notification (also at {other}): upload it again or remove one.", src15,
	},
	"C-DOCUMENT-REPEATED": {
		Warning,
		"Il file «{value}» è indicato due volte tra i documenti: il destinatario lo riceverebbe due volte; verificare.",
		"The file “{value}” is named twice among the documents: the recipient would get it twice; check.", src15,
	},
	"C-TWENTY-GRAMS-PAYMENT": {
		Error,
		"Questo mittente non può superare i 20 grammi di carta: non sono ammessi moduli di pagamento allegati né F24; toglierli o chiedere l'abilitazione a PagoPA.",
		"This sender may not exceed 20 grams of paper: payment forms and F24 are not allowed; remove them or ask PagoPA to lift the limit.", src2,
	},
	"C-TWENTY-GRAMS-DOCUMENTS": {
		Error,
		"Questo mittente non può superare i 20 grammi di carta: i documenti sono {count}, al massimo 2; unirli o chiedere l'abilitazione a PagoPA.",
		"This sender may not exceed 20 grams of paper: there are {count} documents, at most 2 are allowed; join them or ask PagoPA to lift the limit.", src2,
	},
	"C-TWENTY-GRAMS-PAGES": {
		Error,
		"Questo mittente non può superare i 20 grammi di carta: il documento ha {pages} pagine, al massimo {max}; ridurle o chiedere l'abilitazione a PagoPA.",
		"This sender may not exceed 20 grams of paper: the document has {pages} pages, at most {max} are allowed; reduce them or ask PagoPA to lift the limit.", src2,
	},

	// Files themselves.
	"C-PDF-NOT": {
		Error,
		"Il file «{file}» non è un PDF (sembra {kind}): SEND rifiuterebbe la notifica e la farebbe pagare; salvarlo come PDF.",
		"The file “{file}” is not a PDF (it looks like {kind}): SEND would refuse the notification and bill it; save it as PDF.", src2,
	},
	"C-PDF-DAMAGED": {
		Error,
		"Il PDF «{file}» è danneggiato o incompleto: produrlo o copiarlo di nuovo.",
		"The PDF “{file}” is damaged or incomplete: make or copy it again.", src2,
	},
	"C-PDF-TOO-BIG": {
		Error,
		"Il PDF «{file}» è di {bytes} byte, al massimo {max}: ridurlo.",
		"The PDF “{file}” has {bytes} bytes, at most {max} are allowed: make it smaller.", src2,
	},
	"C-PDF-LOCKED": {
		Error,
		"Il PDF «{file}» si apre solo con una password: il destinatario non potrebbe leggerlo; salvarlo senza protezione.",
		"The PDF “{file}” opens only with a password: the recipient could not read it; save it without protection.", src2,
	},
	"C-PDF-OTHER-TAXID": {
		Warning,
		"Nel testo del PDF «{file}» c'è il codice fiscale {value} e non quello di un destinatario: verificare che il documento sia quello giusto.",
		"The text of the PDF “{file}” shows the tax code {value} and not that of a recipient: check that it is the right document.", "rules.md, rule 6",
	},
	"C-PDF-OTHER-NOTICE": {
		Warning,
		"Nel testo del PDF «{file}» c'è l'avviso {value} e non uno di questa notifica: verificare che il documento sia quello giusto.",
		"The text of the PDF “{file}” shows the notice {value} and not one of this notification: check that it is the right document.", "rules.md, rule 6",
	},
	"C-PDF-ENCRYPTED": {
		Warning,
		"Il PDF «{file}» è protetto: la stampa e la postalizzazione possono fallire; salvarlo senza protezione.",
		"The PDF “{file}” is protected: printing and posting may fail; save it without protection.", src2,
	},
	"C-PDF-PAGE-SIZE": {
		Warning,
		"Il PDF «{file}» ha pagine che non sono A4 verticali: la stampa può tagliarle o fallire; salvarlo in A4.",
		"The PDF “{file}” has pages that are not A4 portrait: printing may cut them or fail; save it as A4.", src2,
	},

	// F24 metadata.
	"C-F24-SIZE": {
		Error,
		"Il file di metadati dell'F24 supera {max} kB: nessun modello F24 è così grande; produrlo di nuovo.",
		"The metadata file of the F24 is larger than {max} kB: no F24 form is that large; make it again.", src2,
	},
	"C-F24-SYNTAX": {
		Error,
		"Il file di metadati dell'F24 non è JSON valido ({reason}): SEND rifiuterebbe la notifica e la farebbe pagare; produrlo di nuovo.",
		"The metadata file of the F24 is not valid JSON ({reason}): SEND would refuse the notification and bill it; make it again.", src2,
	},
	"C-F24-KIND": {
		Error,
		"Il file di metadati dell'F24 deve descrivere un solo modello ({allowed}); qui c'è: {found}. Correggerlo.",
		"The metadata file of the F24 must describe exactly one form ({allowed}); found: {found}. Correct it.", src2,
	},
	"C-F24-COST-ONE": {
		Error,
		"Nel file di metadati dell'F24 esattamente una riga deve avere applyCost true, perché la notifica addebita i costi; sono {count}. Correggerlo.",
		"In the metadata file of the F24 exactly one record must have applyCost true, as the notification charges its costs; there are {count}. Correct it.", src2,
	},
	"C-F24-COST-NONE": {
		Error,
		"Nel file di metadati dell'F24 nessuna riga può avere applyCost true, perché il pagamento non addebita i costi; sono {count}. Correggerlo.",
		"In the metadata file of the F24 no record may have applyCost true, as the payment does not charge the costs; there are {count}. Correct it.", src2,
	},
	"C-F24-COST-MISSING": {
		Error,
		"Nel file di metadati dell'F24 manca applyCost (true o false) in {path}: aggiungerlo.",
		"In the metadata file of the F24 applyCost (true or false) is missing at {path}: add it.", "send-api.md §6.3",
	},
	"C-F24-COST-CREDIT": {
		Error,
		"Nel file di metadati dell'F24 la riga con i costi di notifica ({path}) ha un importo a credito: mettere i costi su una riga a debito.",
		"In the metadata file of the F24 the record with the costs ({path}) has a credit: put the costs on a record with a debit.", src2,
	},
	"C-F24-VALUE": {
		Error,
		"Nel file di metadati dell'F24 il valore «{value}» di {path} non va bene: serve {form}.",
		"In the metadata file of the F24 the value “{value}” of {path} will not do: {form} is needed.", "send-api.md §6.3",
	},

	// Lines of SEND's own JSON.
	"C-JSON-SYNTAX": {
		Error,
		"La riga non è JSON valido (colonna {column}): {reason}. Correggere il programma che produce il file.",
		"The line is not valid JSON (column {column}): {reason}. Correct the program that makes the file.", srcF,
	},
	"C-JSON-UNKNOWN": {
		Error,
		"Il campo «{name}» non esiste nella richiesta di SEND: toglierlo o correggerne il nome.",
		"The field “{name}” does not exist in SEND's request: remove it or correct its name.", src12,
	},
	"C-JSON-EXTRA": {
		Warning,
		"Il campo «{name}» non fa parte della richiesta di SEND ed è stato ignorato: verificarne il nome.",
		"The field “{name}” is not part of SEND's request and was ignored: check its name.", src12,
	},
	"C-JSON-TWICE": {
		Error,
		"Il campo «{name}» compare due volte nello stesso oggetto: lasciarne uno.",
		"The field “{name}” stands twice in one object: leave one.", srcF,
	},
	"C-JSON-TYPE": {
		Error,
		"Il valore del campo non è del tipo giusto: serve {expected}, c'è {found}. Correggere il programma che produce il file.",
		"The value of the field is not of the right type: {expected} is needed, found {found}. Correct the program that makes the file.", src1,
	},
	"C-JSON-MISSING": {
		Error,
		"Manca il campo obbligatorio «{name}»: aggiungerlo.",
		"Missing: the required field “{name}”. Add it.", src1,
	},
	"C-JSON-NULL": {
		Warning,
		"Il campo «{name}» è null ed è stato ignorato: SEND non accetta null; meglio ometterlo.",
		"The field “{name}” is null and was ignored: SEND does not accept null; leave it out.", src1,
	},
	"C-JSON-NULL-REFUSED": {
		Error,
		"Il campo «{name}» è null, che SEND rifiuta: ometterlo o dargli un valore.",
		"The field “{name}” is null, which SEND refuses: leave it out or give it a value.", src1,
	},
	"C-JSON-RESERVED": {
		Error,
		"Il campo «{name}» è riservato al connettore: toglierlo dalla riga.",
		"The field “{name}” is reserved for the connector: remove it from the line.", srcF,
	},
}
