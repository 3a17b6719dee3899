package notification

// sendingCatalogue is what the ledger, submit and progress find on the way to SEND and back.
var sendingCatalogue = map[string]entry{
	// Admission (ledger).
	"C-PROTOCOL-SPELLING": {
		severity: Error,
		it:       "Il numero di protocollo «{protocol}» è già noto scritto in un altro modo («{other}», lotto {batch}, riga {row}). La riga non viene inviata: correggere il numero oppure, se si tratta davvero di un altro atto, usare «connector resubmit --as-new» e depositare di nuovo il file.",
		en:       "Protocol number \"{protocol}\" is known already in another spelling (\"{other}\", batch {batch}, row {row}). The row is not sent: correct the number or, if it really is another document, use \"connector resubmit --as-new\" and drop the file again.",
		source:   "rules.md 1",
	},
	"C-DUPLICATE-IN-DROP": {
		severity: Error,
		it:       "Il numero di protocollo «{protocol}» compare più volte in questo file con dati diversi (vedere la riga {row}). Nessuna di queste righe viene inviata: lasciare solo quella giusta e depositare di nuovo il file.",
		en:       "Protocol number \"{protocol}\" appears more than once in this file with different data (see row {row}). None of these rows is sent: keep the right one and drop the file again.",
		source:   "interface.md, Profiles",
	},
	"C-GROUP-INCOMPLETE": {
		severity: Error,
		it:       "La notifica è incompleta rispetto al deposito precedente (lotto {batch}, riga {row}): mancano {missing}. Depositare di nuovo tutte le righe della notifica; se ora deve davvero averne meno, indicare «allow_shrink» nel profilo.",
		en:       "The notification is not whole compared with its drop before (batch {batch}, row {row}): {missing} missing. Drop all rows of the notification again; if it is really meant to be smaller, set \"allow_shrink\" in the profile.",
		source:   "rules.md 9",
	},
	"C-GROUP-CHANGED": {
		severity: Warning,
		it:       "Rispetto al deposito precedente (lotto {batch}, riga {row}) non ci sono più {missing}. Controllare che la correzione sia voluta.",
		en:       "Compared with the drop before (batch {batch}, row {row}), {missing} no longer appear. Check that this is meant.",
		source:   "rules.md 9",
	},
	"C-NOTICE-TAKEN": {
		severity: Error,
		it:       "L'avviso pagoPA {notice} è già usato dalla notifica «{protocol}» (lotto {batch}, riga {row}). Correggere il numero dell'avviso, oppure annullare prima l'altra notifica.",
		en:       "pagoPA notice {notice} is already used by notification \"{protocol}\" (batch {batch}, row {row}). Correct the notice number, or cancel the other notification first.",
		source:   "rules.md 6",
	},
	"C-ACT-TAKEN": {
		severity: Error,
		it:       "Lo stesso documento è già stato notificato alle stesse persone con il protocollo «{protocol}» (lotto {batch}, riga {row}). Controllare il numero di protocollo e il PDF.",
		en:       "The same document has already been notified to the same persons under protocol \"{protocol}\" (batch {batch}, row {row}). Check the protocol number and the PDF.",
		source:   "rules.md 6",
	},
	"C-ACT-SHARED": {
		severity: Warning,
		it:       "Lo stesso documento è usato anche per altri destinatari, con il protocollo «{protocol}» (lotto {batch}, riga {row}). Controllare che il PDF non sia stato scambiato.",
		en:       "The same document is also used for other recipients, under protocol \"{protocol}\" (batch {batch}, row {row}). Check that the PDF was not swapped.",
		source:   "rules.md 6",
	},
	"C-KNOWN-DIFFERENT": {
		severity: Error,
		it:       "La notifica «{protocol}» esiste già (lotto {batch}, riga {row}) con dati diversi: {what}. La riga non viene inviata e la notifica di allora prosegue: se la riga è sbagliata, rimettere i dati di allora; solo se è davvero un altro atto, dargli il suo numero di protocollo.",
		en:       "Notification \"{protocol}\" exists already (batch {batch}, row {row}) with other data: {what}. The row is not sent and the earlier notification goes on: if the row is wrong, restore the earlier data; only if it really is another act, give it a protocol number of its own.",
		source:   "rules.md 8",
	},
	"C-KNOWN-CHANGED": {
		severity: Warning,
		it:       "La notifica «{protocol}» esiste già (lotto {batch}, riga {row}); alcuni dati ora sono diversi ({what}) e non vengono inviati.",
		en:       "Notification \"{protocol}\" exists already (batch {batch}, row {row}); some data are different now ({what}) and are not sent.",
		source:   "rules.md 8",
	},
	"C-KNOWN-DOCUMENTS": {
		severity: Warning,
		it:       "La notifica «{protocol}» esiste già (lotto {batch}, riga {row}); i documenti allegati ora sono diversi e non vengono inviati.",
		en:       "Notification \"{protocol}\" exists already (batch {batch}, row {row}); its documents are different now and are not sent.",
		source:   "rules.md 8",
	},
	"C-SUPERSEDED": {
		severity: Warning,
		it:       "Riga sostituita da un deposito successivo (lotto e riga: {row}); seguire quella.",
		en:       "A later drop took the place of this row (batch and row: {row}); follow that one.",
		source:   "rules.md 11",
	},

	// Release gate, holds, deliberate acts.
	"C-DISCARDED": {
		severity: Error,
		it:       "Invio abbandonato da un operatore prima della trasmissione a SEND. Per inviare la notifica depositare di nuovo il file.",
		en:       "Given up by an operator before it left for SEND. To send it, drop the file again.",
		source:   "rules.md 3",
	},
	"C-RELEASE-WAIT": {
		severity: Warning,
		it:       "In attesa di autorizzazione all'invio: usare «connector release» oppure creare il file «.invia» accanto all'esportazione.",
		en:       "Waits for release: use \"connector release\" or create the \".invia\" file.",
		source:   "rules.md 19",
	},
	"C-RELEASE-MAX": {
		severity: Warning,
		it:       "Il file contiene {count} nuove notifiche, più del limite previsto per un invio automatico. Controllare che sia il file giusto, poi autorizzare l'invio con «connector release» o con il file «.invia».",
		en:       "The file brings {count} new notifications, more than may go by themselves. Check that it is the right file, then release it with \"connector release\" or the \".invia\" file.",
		source:   "rules.md 19",
	},
	"C-RELEASE-REBUILT": {
		Warning,
		"Il registro è stato ricostruito, o ripristinato da una copia, e questa notifica non risulta inviata: non si può sapere se doveva ancora partire o se era stata scartata. Per inviare il lotto: connector release --batch {batch}, oppure un file vuoto di nome {file}.invia in in/; per rinunciare: connector discard --batch {batch}.",
		"The ledger was rebuilt, or restored from a copy, and this notification is not known to have been sent: nobody can tell whether it was still to be sent or had been discarded. To send the batch: connector release --batch {batch}, or an empty file named {file}.invia in in/; to give it up: connector discard --batch {batch}.",
		"rules.md, 16, 19",
	},
	"C-RELEASE-DELAY": {
		severity: Warning,
		it:       "L'invio inizierà il {when}; fino ad allora si può ancora abbandonare con «connector discard».",
		en:       "Sending starts on {when}; until then it can be given up with \"connector discard\".",
		source:   "rules.md 19",
	},
	"C-SEQUENCE-UNKNOWN": {
		severity: Warning,
		it:       "Non si sa più a che numero erano arrivati i file di aggiornamento di questa cartella. Nessun nuovo file viene scritto finché non si indica il prossimo numero con «connector resume --flow F --sequence-from N» (N = ultimo numero letto dal programma, più uno).",
		en:       "It is no longer known how far the numbers of this folder's update files had got. None is written until \"connector resume --flow F --sequence-from N\" says the next one (N = the last one that the program has read, plus one).",
		source:   "rules.md 28",
	},
	"C-HELD": {
		severity: Warning,
		it:       "Invio sospeso: {reason}",
		en:       "Held: {reason}",
		source:   "rules.md 13",
	},
	"C-HELD-API-KEY": {
		severity: Warning,
		it:       "SEND non accetta la chiave API dell'ente: è bloccata, errata o di un altro ambiente (collaudo, produzione). Controllarla nell'area riservata di SEND; se ne viene data una nuova basta metterla nel suo file. L'invio riprende da solo.",
		en:       "SEND does not accept the body's API key: it is blocked, wrong or of another environment (UAT, production). Check it in SEND's reserved area; a new one need only be put into its file. Sending goes on by itself.",
		source:   "send-api.md, errors",
	},
	"C-HELD-VOUCHER": {
		severity: Warning,
		it:       "PDND rifiuta la richiesta del voucher. Controllare su PDND che la chiave pubblica sia ancora nel client, che il client sia associato alla finalità e che finalità e richiesta di fruizione siano attive; una nuova chiave privata basta metterla nel suo file. L'invio riprende da solo.",
		en:       "PDND refuses the voucher. Check at PDND that the public key is still in the client, that the client is linked to the purpose, and that purpose and agreement are active; a new private key need only be put into its file. Sending goes on by itself.",
		source:   "pdnd-voucher.md",
	},
	"C-HELD-CLOCK": {
		severity: Warning,
		it:       "L'orologio di questo computer è indietro di {difference} rispetto a PDND, che per questo rifiuta il voucher. Far sincronizzare l'ora al sistema (NTP); l'invio riprende da solo.",
		en:       "The clock of this machine is {difference} behind PDND's, which therefore refuses the voucher. Let the system synchronise its time (NTP); sending goes on by itself.",
		source:   "pdnd-voucher.md §2.3",
	},
	"C-CLOCK": {
		severity: Warning,
		it:       "L'orologio di questo computer differisce di {difference} da quello di SEND: le date scritte dal connettore sono sbagliate di altrettanto. Far sincronizzare l'ora al sistema (NTP).",
		en:       "The clock of this machine differs by {difference} from SEND's: so do the times that the connector writes. Let the system synchronise its time (NTP).",
		source:   "pdnd-voucher.md §2.3",
	},
	"C-HELD-QUOTA": {
		severity: Warning,
		it:       "È stata raggiunta la quota di notifiche o di chiamate concessa da SEND. L'invio riprende da solo quando la quota si rinnova; per averne di più rivolgersi a PagoPA.",
		en:       "SEND's quota of notifications or calls is used up. Sending goes on when it is renewed; ask PagoPA for more.",
		source:   "rules.md 3",
	},
	"C-HELD-SENDER-DISABLED": {
		severity: Warning,
		it:       "SEND indica che l'ente non è abilitato a inviare notifiche. Verificare l'adesione a SEND nell'area riservata.",
		en:       "SEND says that the body may not send notifications. Check its subscription in SEND's reserved area.",
		source:   "rules.md 3",
	},
	"C-HELD-SENDER-TAX-ID": {
		severity: Warning,
		it:       "Il codice fiscale dell'ente non corrisponde alla chiave API usata. Correggere il mittente nella configurazione.",
		en:       "The body's tax code does not belong to the API key. Correct the sender in the configuration.",
		source:   "send-api.md, errors",
	},
	"C-HELD-GROUP": {
		severity: Warning,
		it:       "SEND non accetta il gruppo indicato per questa chiave API. Correggere il gruppo nella configurazione o nel profilo.",
		en:       "SEND does not accept the group for this API key. Correct it in the configuration or profile.",
		source:   "send-api.md, errors",
	},
	"C-HELD-STREAM": {
		severity: Warning,
		it:       "SEND non permette di creare o leggere il flusso di eventi dell'ente (ad esempio perché ce ne sono già troppi). Eliminare i flussi non più usati; nel frattempo lo stato viene chiesto notifica per notifica.",
		en:       "SEND does not let the body's event stream be created or read (too many streams, perhaps). Remove streams that are no longer used; meanwhile every notification is asked for by itself.",
		source:   "rules.md 21",
	},
	"C-HELD-DAILY-BUDGET": {
		severity: Warning,
		it:       "Le chiamate a SEND previste per oggi sono esaurite. L'invio riprende da solo dopo mezzanotte.",
		en:       "Today's budget of calls to SEND is used up. Sending goes on by itself after midnight.",
		source:   "rules.md 20",
	},

	// Sending (submit).
	"C-PROTOCOL-REUSED": {
		severity: Error,
		it:       "Presso SEND esiste già una notifica con questo numero di protocollo ma con contenuto diverso ({difference}). La riga non viene inviata: usare un altro numero di protocollo o verificare nell'area riservata di SEND.",
		en:       "SEND has a notification with this protocol number and other content ({difference}). The row is not sent: use another protocol number, or look in SEND's reserved area.",
		source:   "rules.md 14",
	},
	"C-OTHER-DOCUMENTS": {
		severity: Error,
		it:       "documenti allegati diversi",
		en:       "other documents",
		source:   "rules.md 14",
	},
	"C-ADOPTED-DOCUMENTS": {
		severity: Warning,
		it:       "La notifica era già presso SEND con gli stessi destinatari, avvisi e oggetto, ma con documenti diversi da quelli depositati ora. Vale quella già inviata: controllarne i documenti nell'area riservata di SEND.",
		en:       "SEND had the notification already, with the same recipients, notices and subject but other documents than those dropped now. The one that was sent counts: check its documents in SEND's reserved area.",
		source:   "rules.md 14",
	},
	"C-NOT-VISIBLE": {
		severity: Warning,
		it:       "La notifica esiste presso SEND ma non è visibile con questa chiave API (forse appartiene a un altro gruppo o è ancora in lavorazione). Non viene inviata di nuovo; se la situazione dura, rivolgersi all'assistenza di SEND.",
		en:       "The notification exists at SEND but this API key cannot see it (another group, or still in the works). It is not sent again; if this lasts, ask SEND's support.",
		source:   "rules.md 15 (b)",
	},
	"C-NOTICE-BUSY": {
		severity: Warning,
		it:       "SEND non ha ancora liberato l'avviso pagoPA dalla notifica rifiutata o annullata in precedenza. Nuovo tentativo automatico entro 24 ore.",
		en:       "SEND has not yet freed the pagoPA notice of the notification that was refused or cancelled before. Tried again by itself for 24 hours.",
		source:   "rules.md 15 (c)",
	},
	"C-NOTICE-NOT-FREED": {
		severity: Error,
		it:       "L'avviso pagoPA risulta su SEND ancora legato alla notifica «{protocol}» (lotto {batch}, riga {row}), rifiutata o annullata: SEND non l'ha liberato in 24 ore. Verificarla nell'area riservata di SEND e depositare di nuovo la riga, oppure usare un altro avviso.",
		en:       "SEND still ties the pagoPA notice to notification \"{protocol}\" (batch {batch}, row {row}), which was refused or cancelled: it has not been freed for 24 hours. Check that one in SEND's reserved area and drop the row again, or use another notice.",
		source:   "rules.md 15 (c)",
	},
	"C-NOTICE-TAKEN-AT-SEND": {
		severity: Error,
		it:       "SEND ha già un'altra notifica con lo stesso avviso pagoPA. Correggere il numero dell'avviso, oppure annullare l'altra notifica nell'area riservata di SEND e depositare di nuovo la riga.",
		en:       "SEND has another notification with the same pagoPA notice. Correct the notice number, or cancel the other notification in SEND's reserved area and drop the row again.",
		source:   "rules.md 15 (d)",
	},
	"C-NOT-CONFIRMED": {
		severity: Warning,
		it:       "Il nuovo invio attende che SEND confermi il rifiuto del precedente (risposta attuale: {answer}).",
		en:       "The new attempt waits until SEND confirms the refusal of the one before (answer now: {answer}).",
		source:   "rules.md 4",
	},
	"C-TAKEN-MEANWHILE": {
		severity: Warning,
		it:       "Il nuovo invio è sospeso: nel frattempo lo stesso avviso o lo stesso atto è stato usato dalla riga {row} del lotto {batch}. Verificare quale delle due notifiche è giusta e annullare l'altra.",
		en:       "The new attempt is held: meanwhile row {row} of batch {batch} has used the same notice or act. Check which of the two is right and cancel the other.",
		source:   "rules.md 6",
	},
	"C-SEND-CONFLICT": {
		severity: Warning,
		it:       "SEND ha segnalato che la richiesta esiste già: verifica in corso prima di qualsiasi altro invio.",
		en:       "SEND says that the request exists already: being looked up before anything else is sent.",
		source:   "rules.md 15",
	},
	"C-SEND-UNKNOWN": {
		severity: Warning,
		it:       "La risposta di SEND all'invio non è arrivata: prima di ripetere si verifica se la richiesta è stata ricevuta ({detail}).",
		en:       "SEND's answer to the request did not arrive: it is looked up before it is sent again ({detail}).",
		source:   "rules.md 15, 22",
	},
	"C-SEND-DOUBT": {
		severity: Warning,
		it:       "SEND ha risposto con un errore generico: la richiesta viene ripetuta una volta per esserne certi.",
		en:       "SEND answered with a generic error: the request is repeated once to be sure.",
		source:   "rules.md 3",
	},
	"C-SEND-LATER": {
		severity: Warning,
		it:       "SEND chiede di ripetere la richiesta più tardi ({detail}). Nuovo tentativo automatico.",
		en:       "SEND asks to send the request later ({detail}). Tried again by itself.",
		source:   "rules.md 15 (e)",
	},
	"C-SEND-UNREACHABLE": {
		severity: Warning,
		it:       "SEND non è raggiungibile o non risponde ({detail}). Nuovo tentativo automatico; se dura, controllare la connessione a internet.",
		en:       "SEND cannot be reached or does not answer ({detail}). Tried again by itself; if it lasts, check the connection to the internet.",
		source:   "architecture.md, error classes",
	},
	"C-SEND-CONTRACT": {
		severity: Warning,
		it:       "SEND ha risposto in modo inatteso ({detail}). L'invio è sospeso per prudenza: aggiornare il programma o rivolgersi all'assistenza.",
		en:       "SEND answered in an unexpected way ({detail}). Held to be safe: update the program or ask for support.",
		source:   "architecture.md, error classes",
	},
	"C-SEND-GROUP": {
		severity: Warning,
		it:       "SEND non accetta il gruppo di questa notifica. Correggere il gruppo nel profilo o nella configurazione.",
		en:       "SEND does not accept the group of this notification. Correct it in the profile or configuration.",
		source:   "rules.md 3",
	},
	"C-SEND-REJECTED": {
		severity: Error,
		it:       "SEND non accetta la richiesta ({code}: {detail}). Correggere il dato indicato e depositare di nuovo la riga.",
		en:       "SEND does not accept the request ({code}: {detail}). Correct it and drop the row again.",
		source:   "rules.md 3",
	},
	"C-SEND-REFUSED": {
		severity: Error,
		it:       "SEND ha rifiutato la notifica dopo i controlli ({code}: {detail}). Correggere il dato indicato e depositare di nuovo la riga; senza modifiche usare «connector resubmit».",
		en:       "SEND refused the notification after its checks ({code}: {detail}). Correct it and drop the row again; to send it unchanged use \"connector resubmit\".",
		source:   "rules.md 5",
	},
	"C-SEND-LOOKUP": {
		severity: Warning,
		it:       "Lo stato presso SEND non è ora leggibile ({detail}). Nuovo tentativo automatico.",
		en:       "The state at SEND cannot be read now ({detail}). Tried again by itself.",
		source:   "rules.md 23",
	},
	"C-SPOOL-MISSING": {
		severity: Error,
		it:       "La copia interna del documento «{file}» non è leggibile. Depositare di nuovo il file con i suoi documenti.",
		en:       "The private copy of document \"{file}\" cannot be read. Drop the file with its documents again.",
		source:   "rules.md 24",
	},
	"C-SPOOL-CORRUPT": {
		severity: Error,
		it:       "La copia interna del documento «{file}» non è più quella controllata alla lettura. Il documento non viene inviato: depositare di nuovo il file con i suoi documenti.",
		en:       "The private copy of document \"{file}\" is no longer the one that was checked. It is not sent: drop the file with its documents again.",
		source:   "rules.md 18, 24",
	},

	// Hearing back (progress).
	"C-ACCEPTANCE-LATE": {
		severity: Warning,
		it:       "SEND non ha ancora deciso sulla notifica dopo 24 ore. Il controllo continua ogni ora; se dura, rivolgersi all'assistenza di SEND.",
		en:       "SEND has not decided about the notification after 24 hours. It is asked every hour; if this lasts, ask SEND's support.",
		source:   "rules.md 23",
	},
}
