package notification

// dropCatalogue is what ingest finds in a drop: files, documents, bundles. Those
// about a file that waits are shown in stato.csv and by why; those about documents
// of a row reach the outcome file.
var dropCatalogue = map[string]entry{
	// A file that waits: nothing is wrong yet.
	"C-FILE-SETTLING": {
		severity: Warning, source: "rules.md, architecture “Settled”",
		it: "Il file è appena arrivato o è ancora in scrittura: viene preso quando non cambia più per {settle}. Non c'è nulla da fare.",
		en: "The file has just arrived or is still being written: it is taken once it has not changed for {settle}. There is nothing to do.",
	},
	"C-FILE-DONE-MISSING": {
		severity: Warning, source: "interface.md, Folders of a flow",
		it: "Il file attende il segnale di fine copia: creare accanto ad esso il file {done} (anche vuoto) quando la copia è terminata.",
		en: "The file waits for its done-file: create {done} (it may be empty) beside it when the copy is complete.",
	},
	"C-FILE-EMPTY": {
		severity: Warning, source: "file-drop.md B1",
		it: "Il file è vuoto (0 byte): forse il programma lo sta ancora scrivendo. Se resta vuoto, ripetere l'esportazione.",
		en: "The file is empty (0 bytes): the program may still be writing it. If it stays empty, export again.",
	},
	"C-FILE-OPEN": {
		severity: Warning, source: "rules.md 27",
		it: "Il file è aperto in un altro programma ({by}): chiuderlo. Se nessuno lo ha aperto, eliminare il file {by} rimasto nella cartella.",
		en: "The file is open in another program ({by}): close it. If nobody has it open, delete the file {by} left in the folder.",
	},
	"C-FILE-BUSY": {
		severity: Warning, source: "file-drop.md C, Windows rename",
		it: "Il file è usato da un altro programma: chiuderlo. Si riprova da solo.",
		en: "The file is in use by another program: close it. It is tried again by itself.",
	},
	"C-FILE-CHECK": {
		severity: Warning, source: "rules.md 27",
		it: "In questo momento il file non si è potuto esaminare; si riprova da solo. Se il messaggio resta, avvisare chi gestisce il server.",
		en: "The file could not be examined just now; it is tried again by itself. If this message stays, tell the administrator.",
	},
	"C-DOCUMENTS-AWAITED": {
		severity: Warning, source: "rules.md 27",
		it: "Non ci sono ancora tutti i documenti nominati dalle righe del file (mancanti: {count}): copiarli accanto al file (o nella cartella dei documenti) entro il {deadline}. Il primo è {first}.",
		en: "{count} documents named by rows of the file are not there: copy them beside the file (or into the documents folder) by {deadline}. The first is {first}.",
	},
	"C-DOCUMENTS-SETTLING": {
		severity: Warning, source: "rules.md 27",
		it: "{count} documenti nominati dal file sono ancora in copia: si attende che non cambino più. Non c'è nulla da fare.",
		en: "{count} documents named by the file are still being copied: waiting until they no longer change. There is nothing to do.",
	},

	// A file that nobody will take as it is.
	"C-FILE-UNKNOWN": {
		severity: Warning, source: "file-drop.md B8.7",
		it: "Il file non corrisponde ai nomi che questo flusso prende ({match}): correggere il nome o toglierlo dalla cartella.",
		en: "The file does not match the names that this flow takes ({match}): correct its name or take it out of the folder.",
	},
	"C-FILE-MORE": {
		severity: Warning, source: "issue “Never twice, never lost”, 100,000 files in in/",
		it: "Altri {count} file della cartella sono nello stesso caso di quelli elencati: toglierli da qui.",
		en: "{count} more files in the folder are in the same case as those listed: take them out of here.",
	},
	"C-FILE-TEMPORARY": {
		severity: Warning, source: "interface.md, temporary names",
		it: "Il nome è quello di un file temporaneo, che non viene mai preso: terminare la copia o rinominarlo.",
		en: "The name is that of a temporary file, which is never taken: finish the copy or rename it.",
	},
	"C-FILE-LINK": {
		severity: Warning, source: "rules.md 25",
		it: "Non è un file vero ma un collegamento o un dispositivo: copiare nella cartella il file stesso.",
		en: "This is not a real file but a link or a device: copy the file itself into the folder.",
	},
	"C-FILE-NAME": {
		severity: Warning, source: "interface.md, Outbound files",
		it: "Il nome del file non si può usare ({why}): rinominarlo con un nome più semplice.",
		en: "The name of the file cannot be used ({why}): give it a simpler one.",
	},
	"C-FILE-VOLUME": {
		severity: Warning, source: "rules.md 25",
		it: "Le cartelle di deposito e di lavoro stanno su dischi diversi e il file non si può prendere: avvisare chi gestisce il server (stesso disco, oppure exclusive: true).",
		en: "The drop and work folders are on different disks and the file cannot be taken: tell the administrator (same disk, or exclusive: true).",
	},
	"C-FILE-RIGHTS": {
		severity: Warning, source: "file-drop.md F19",
		it: "Il connettore non ha il permesso di leggere o spostare questo file: avvisare chi gestisce il server.",
		en: "The connector is not allowed to read or move this file: tell the administrator.",
	},
	"C-FILE-FULL": {
		severity: Warning, source: "product.md, promise 6",
		it: "Il disco è pieno: liberare spazio o avvisare chi gestisce il server. Si riprova da solo e nulla va perso.",
		en: "The disk is full: free some space or tell the administrator. It is tried again by itself and nothing is lost.",
	},
	"C-FILE-KEPT": {
		severity: Warning, source: "rules.md 25, file-drop.md F19",
		it: "Il file è già stato letto (lotto {batch}) ma non si riesce a toglierlo dalla cartella: dare al connettore il permesso di spostarlo. Non viene letto due volte.",
		en: "The file has been read (batch {batch}) but cannot be taken out of the folder: allow the connector to move it. It is not read twice.",
	},
	"C-DONE-ALONE": {
		severity: Warning, source: "interface.md, Folders of a flow",
		it: "È un segnale di fine copia senza il suo file {export}: copiare il file oppure eliminare il segnale.",
		en: "This is a done-file without its file {export}: copy the file, or delete the done-file.",
	},
	"C-DOCUMENT-UNNAMED": {
		severity: Warning, source: "file-drop.md B8.7",
		it: "Nessun file in attesa nomina questo documento: serve un elenco che lo citi, oppure va tolto dalla cartella.",
		en: "No waiting file names this document: a list that names it is needed, or it should be taken out of the folder.",
	},
	"C-DOCUMENT-OPEN": {
		severity: Warning, source: "rules.md 25",
		it: "Il documento è già stato archiviato con il lotto {batch} ma è aperto in un altro programma: chiuderlo. Viene tolto appena possibile.",
		en: "The document has been archived with batch {batch} but is open in another program: close it. It is removed as soon as possible.",
	},
	"C-DOCUMENT-SHARED": {
		severity: Warning, source: "rules.md 26",
		it: "Il documento è già stato archiviato con il lotto {batch} e resta finché si sa se serve anche ad altri file in attesa. Non c'è nulla da fare.",
		en: "The document has been archived with batch {batch} and stays until it is known whether other waiting files need it. There is nothing to do.",
	},

	// Documents of rows.
	"C-DOCUMENT-MISSING": {
		severity: Error, source: "rules.md 27",
		it: "Il documento {name} non è stato trovato accanto al file: copiarlo e depositare di nuovo il file con questa riga.",
		en: "The document {name} was not found beside the file: copy it and drop the file with this row again.",
	},
	"C-DOCUMENT-AMBIGUOUS": {
		severity: Error, source: "rules.md 27",
		it: "Il documento {name} si trova più volte con nomi che differiscono solo per maiuscole o accenti: lasciarne uno e depositare di nuovo il file con questa riga.",
		en: "The document {name} is there more than once, with names that differ only in case or accents: leave one and drop the file with this row again.",
	},
	"C-DOCUMENT-OUTSIDE": {
		severity: Error, source: "interface.md, Folders of a flow",
		it: "Il documento {name} è indicato con un percorso fuori dalla cartella di deposito: indicare un percorso relativo al file.",
		en: "The document {name} is given by a path outside the drop folder: give a path relative to the file.",
	},
	"C-DOCUMENT-EARLIER": {
		severity: Warning, source: "rules.md 27",
		it: "Il documento {name} non era accanto al file: è stato usato quello depositato con il lotto {batch} per lo stesso protocollo.",
		en: "The document {name} was not beside the file: the one dropped with batch {batch} for the same protocol number was used.",
	},

	// Whole files.
	"C-DOCUMENTS-MISSING": {
		severity: Error, source: "rules.md 27, on_missing: file",
		it: "Il file non è stato letto perché non ci sono tutti i documenti nominati dalle sue righe (mancanti: {count}): {names}. Copiarli e depositare di nuovo il file.",
		en: "The file was not read because {count} documents named by its rows are missing: {names}. Copy them and drop the file again.",
	},
	"C-BATCH-LOST": {
		severity: Error, source: "architecture.md, crash table",
		it: "La lettura del file è stata interrotta e il file non si trova più nella cartella di lavoro: depositarlo di nuovo. Nulla di questo lotto è stato inviato.",
		en: "The reading of the file was interrupted and the file is no longer in the work folder: drop it again. Nothing of this batch was sent.",
	},
	"C-BATCH-MANIFEST": {
		severity: Error, source: "rules.md 25; issue 3 §4",
		it: "Il file .manifest.json nella cartella {folder} è danneggiato o è stato cambiato da altri: di questo lotto non si legge e non si sposta nulla. Vedere chi può scrivere nella cartella di lavoro e spostare altrove la cartella del lotto; se il file di esportazione è lì dentro, depositarlo di nuovo.",
		en: "The file .manifest.json in the folder {folder} is damaged or was changed by others: nothing of this batch is read or moved. Look at who may write in the work folder and move the batch's folder elsewhere; if the export lies in it, drop it again.",
	},
	"C-BATCH-FOREIGN": {
		severity: Warning, source: "rules.md 25",
		it: "Il lotto è stato preso dall'installazione {installation} e non è stato terminato da più di un giorno: controllare quel connettore.",
		en: "The batch was taken by installation {installation} and has not been finished for more than a day: look at that connector.",
	},

	// Release by file.
	"C-FILE-REJECTED-BEFORE": {
		Error,
		"Il file era già stato respinto per intero prima della ricostruzione del registro: il motivo è nel file .motivo.txt accanto al file, nella cartella dei respinti.",
		"The whole file had been rejected before the ledger was rebuilt: the reason stands in the .motivo.txt beside it, in the folder of rejected files.",
		"interface.md, Folders of a flow",
	},
	"C-RELEASE-NOTHING": {
		severity: Warning, source: "rules.md 19",
		it: "Nessun lotto del file {export} attende il via libera: eliminare questo file.",
		en: "No batch of file {export} awaits release: delete this file.",
	},
	"C-RELEASE-EARLY": {
		severity: Warning, source: "rules.md 19",
		it: "Il via libera è arrivato prima dell'esito di lettura del lotto {batch}: leggere l'esito, eliminare questo file e crearlo di nuovo.",
		en: "The release came before the outcome of reading batch {batch}: read the outcome, delete this file and create it again.",
	},
	"C-RELEASE-AMBIGUOUS": {
		severity: Warning, source: "rules.md 19",
		it: "Più lotti del file {export} attendono il via libera: usare il comando release --batch con il lotto voluto.",
		en: "Several batches of file {export} await release: use the command release --batch with the one you mean.",
	},
}
