package notification

// tableCatalogue is what readers and mapping find in an export and its profile.
// Sources: reference/file-drop.md A6, C, F; design/interface.md "Profiles"; the
// XLSX traps of design/dependencies.md.
var tableCatalogue = map[string]entry{
	// The file as a whole (readers).
	"C-FILE-BLANK": {
		Error,
		"Il file è vuoto: rifare l'esportazione dal programma e depositarla di nuovo.",
		"The file is empty: export it again and drop it again.",
		"design/interface.md",
	},
	"C-FILE-NO-ROWS": {
		Error,
		"Il file contiene solo l'intestazione e nessuna riga: non c'è nulla da notificare. Se ci si aspettava delle righe, rifare l'esportazione.",
		"The file holds a heading and no row: there is nothing to notify. If rows were expected, export it again.",
		"design/interface.md",
	},
	"C-FILE-KIND": {
		Error,
		"Il file non è del tipo previsto ({expected}): il contenuto è {found}. {remedy}",
		"The file is not of the expected kind ({expected}): its content is {found}. {remedy}",
		"design/dependencies.md",
	},
	"C-FILE-DAMAGED": {
		Error,
		"Il file è danneggiato o incompleto ({detail}): rifare l'esportazione o salvarlo di nuovo e depositarlo ancora.",
		"The file is damaged or incomplete ({detail}): export or save it again and drop it again.",
		"reference/file-drop.md C",
	},
	"C-FILE-LIMIT": {
		Error,
		"Il file supera un limite di sicurezza: {detail}. Controllare che sia il file giusto e non sia danneggiato; se va bene così, dividerlo in parti più piccole (i limiti di righe e megabyte si possono alzare nel profilo: format, max_rows, max_mb).",
		"The file exceeds a safety limit: {detail}. See that it is the right file and not damaged; if it is as it should be, split it into smaller parts (the limits of rows and megabytes can be raised in the profile: format, max_rows, max_mb).",
		"reference/file-drop.md C",
	},
	"C-FILE-MACROS": {
		Warning,
		"Il file contiene macro: il connettore non le esegue e legge solo i valori salvati. Se una macro doveva compilare delle celle, aprire il file, eseguirla, salvare e depositare di nuovo.",
		"The file holds macros: the connector does not run them and reads the stored values only. If a macro was to fill cells, open the file, run it, save and drop it again.",
		"issue 3 §4",
	},
	"C-FILE-ENCODING": {
		Error,
		"I caratteri del file non corrispondono alla codifica prevista ({expected}): {detail}. La codifica sembra {likely}: indicarla nel profilo (format, encoding) oppure esportare di nuovo il file.",
		"The characters of the file do not fit the expected encoding ({expected}): {detail}. It looks like {likely}: name it in the profile (format, encoding) or export the file again.",
		"design/dependencies.md",
	},
	"C-FILE-DELIMITER": {
		Error,
		"Il file non è diviso in colonne da {expected}: sembra usare {likely}. Correggere il separatore nel profilo (format, delimiter) oppure esportare di nuovo il file.",
		"The file is not divided into columns by {expected}: it seems to use {likely}. Correct the delimiter in the profile (format, delimiter) or export the file again.",
		"design/interface.md",
	},
	"C-FILE-QUOTE": {
		Error,
		"Riga {row}: le virgolette aperte nella colonna {column} non si chiudono e inghiottono le righe seguenti. Chiudere o togliere le virgolette in quella riga.",
		"Row {row}: the quotes opened in column {column} are never closed and swallow the rows below. Close or remove the quotes in that row.",
		"reference/file-drop.md C",
	},
	"C-FILE-HEADING": {
		Error,
		"Riga {row}: manca l'intestazione con i nomi delle colonne. Controllare quante righe di titolo precedono l'intestazione (format, skip_rows).",
		"Row {row}: the heading with the names of the columns is missing. Check how many title rows precede it (format, skip_rows).",
		"design/interface.md",
	},
	"C-FILE-SHEET": {
		Error,
		"Il foglio {sheet} non esiste o è nascosto. Fogli visibili: {found}. Correggere il nome del foglio nel file o nel profilo (format, sheet).",
		"The sheet {sheet} does not exist or is hidden. Visible sheets: {found}. Correct its name in the file or in the profile (format, sheet).",
		"design/interface.md",
	},
	"C-FILE-READ": {
		Error,
		"Il file non si può leggere: {detail}.",
		"The file cannot be read: {detail}.",
		"design/interface.md",
	},
	"C-OUTCOME-JSONL": {
		Error,
		"Questo è l'esito di un file JSON: non contiene le righe originali e non può essere depositato. Correggere e depositare di nuovo il file JSON.",
		"This is the outcome of a JSON drop: it does not hold the original lines and cannot be dropped. Correct and drop the JSON file again.",
		"design/rules.md 12",
	},

	// A cell or row (readers).
	"C-CELL-DIGITS": {
		Error,
		"La colonna {field} contiene un numero di 16 o più cifre ({value}): il foglio elettronico ne ha già perse alcune. Impostare la colonna come Testo e scrivere di nuovo il valore.",
		"Column {field} holds a number of 16 digits or more ({value}): the spreadsheet has already lost some. Format the column as Text and enter the value again.",
		"design/dependencies.md",
	},
	"C-CELL-SCIENTIFIC": {
		Error,
		"La colonna {field} contiene {value}: Excel ha trasformato il codice in notazione scientifica e le sue cifre sono perse. Questo file non si può correggere: riprendere l'esportazione del programma (o il file di esito pubblicato) e aprirla in Excel con Dati > Da testo/CSV, colonna di tipo Testo, mai con un doppio clic; in un file .xlsx impostare la colonna come Testo e scrivere di nuovo il valore.",
		"Column {field} holds {value}: Excel turned the code into scientific notation and its digits are lost. This file cannot be corrected: take the program's export (or the published outcome file) again and open it in Excel with Data > From Text/CSV, column type Text, never by a double click; in an .xlsx file format the column as Text and enter the value again.",
		"reference/file-drop.md C",
	},
	"C-ROW-HIDDEN": {
		Warning,
		"La riga è nascosta nel foglio (filtro attivo o riga nascosta) ma viene letta e inviata come le altre. Se non doveva partire, eliminare le righe dal file, non nasconderle; prima dell'invio il lotto si ferma con «connector discard».",
		"The row is hidden in the sheet (a filter, or a hidden row), yet it is read and sent like the others. If it was not meant to go, delete rows from the file instead of hiding them; before it is sent, \"connector discard\" stops the batch.",
		"design: a filtered sheet is dropped whole",
	},
	"C-CELL-FORMULA": {
		Error,
		"La colonna {field} contiene una formula senza risultato salvato. Aprire il file, salvarlo di nuovo, oppure incollare i valori al posto delle formule.",
		"Column {field} holds a formula without a saved result. Open and save the file again, or paste values in place of formulas.",
		"design/dependencies.md",
	},
	"C-CELL-ERROR": {
		Error,
		"La colonna {field} contiene l'errore {value} del foglio elettronico. Correggere la formula o scrivere il valore.",
		"Column {field} holds the spreadsheet error {value}. Correct the formula or enter the value.",
		"design/dependencies.md",
	},
	"C-CELL-ENCODING": {
		Error,
		"La colonna {field} contiene caratteri illeggibili ({value}). Correggere il testo e depositare di nuovo il file.",
		"Column {field} holds unreadable characters ({value}). Correct the text and drop the file again.",
		"reference/file-drop.md C",
	},
	"C-CELL-QUOTE": {
		Error,
		"La colonna {field} contiene altro testo dopo le virgolette di chiusura ({value}). Raddoppiare le virgolette interne o toglierle.",
		"Column {field} holds more text after its closing quotes ({value}). Double the inner quotes or remove them.",
		"reference/file-drop.md C",
	},
	"C-LINE-CELLS": {
		Error,
		"La riga ha {found} colonne ma l'intestazione ne ha {expected}: forse un testo contiene il separatore. Mettere quel testo tra virgolette.",
		"The row has {found} columns but the heading has {expected}: a text may hold the delimiter. Put that text in quotes.",
		"design/interface.md",
	},
	"C-LINE-CUT": {
		Error,
		"L'ultima riga del file è incompleta ({found} colonne su {expected}): il file sembra troncato. Rifare l'esportazione.",
		"The last row of the file is incomplete ({found} columns of {expected}): the file seems cut off. Export it again.",
		"reference/file-drop.md F3",
	},

	// A row or a notification (mapping).
	"C-TEXT-REPAIRED": {
		Warning,
		"Colonna {field}: «{before}» è stato letto come «{after}». Se non è giusto, correggere il testo nel file.",
		"Column {field}: {before} was read as {after}. Correct the text in the file if that is wrong.",
		"design/interface.md",
	},
	"C-TEXT-LATIN": {
		Warning,
		"Colonna {field}: «{before}» sarà stampato sulla busta come «{after}».",
		"Column {field}: {before} will be printed on the envelope as {after}.",
		"reference/send-api.md 3.4",
	},
	"C-VALUE-MISSING": {
		Error,
		"La colonna {field} è vuota, ma il valore è obbligatorio: completarla.",
		"Column {field} is blank but its value is required: fill it in.",
		"design/interface.md",
	},
	"C-LOOKUP": {
		Error,
		"Colonna {field}: il valore «{value}» non è nella tabella {table} del profilo. Correggere il valore o aggiungerlo alla tabella.",
		"Column {field}: the value {value} is not in the table {table} of the profile. Correct the value or add it to the table.",
		"design/interface.md",
	},
	"C-AMOUNT-FORM": {
		Error,
		"Colonna {field}: «{value}» non è un importo valido; è atteso un importo positivo scritto come {notation}.",
		"Column {field}: {value} is not a valid amount; a positive amount written as {notation} is expected.",
		"design/interface.md",
	},
	"C-AMOUNT-AMBIGUOUS": {
		Error,
		"Colonna {field}: l'importo «{value}» si può leggere in due modi (migliaia o decimali). Nel profilo usare la colonna direttamente e non un'espressione.",
		"Column {field}: the amount {value} can be read in two ways (thousands or decimals). Use the column itself in the profile, not an expression.",
		"design/dependencies.md",
	},
	"C-DATE-FORM": {
		Error,
		"Colonna {field}: «{value}» non è una data esistente scritta come {pattern}. Correggere la data.",
		"Column {field}: {value} is not an existing date written as {pattern}. Correct the date.",
		"design/interface.md",
	},
	"C-INTEGER-FORM": {
		Error,
		"Colonna {field}: «{value}» non è un numero intero. Correggere il valore.",
		"Column {field}: {value} is not a whole number. Correct the value.",
		"design/interface.md",
	},
	"C-BOOL-FORM": {
		Error,
		"Colonna {field}: «{value}» non è sì o no. Scrivere SI oppure NO.",
		"Column {field}: {value} is neither yes nor no. Write SI or NO.",
		"design/interface.md",
	},
	"C-INSTALMENT": {
		Error,
		"Colonna {field}: «{value}» non è un numero di rata. Scrivere il numero della rata (1, 2, …) o lasciare vuoto per il pagamento unico.",
		"Column {field}: {value} is not the number of an instalment. Write 1, 2, … or leave it blank for a single payment.",
		"reference/send-api.md 2.5.1",
	},
	"C-EXPRESSION": {
		Error,
		"L'espressione del profilo ({path}) non si può calcolare con i valori di questa riga (colonne {field}). Controllare i valori o l'espressione.",
		"The expression of the profile ({path}) cannot be computed with the values of this row (columns {field}). Check the values or the expression.",
		"design/interface.md",
	},
	"C-GROUP-KEY": {
		Error,
		"La colonna {field}, che riunisce le righe della stessa notifica, è vuota o illeggibile: completarla.",
		"Column {field}, which joins the rows of one notification, is blank or unreadable: fill it in.",
		"design/interface.md",
	},
	"C-GROUP-DISAGREE": {
		Error,
		"La riga non concorda con la riga {row} della stessa notifica: colonna {field}, «{value}» invece di «{before}». Rendere uguali i due valori.",
		"The row disagrees with row {row} of the same notification: column {field}, {value} instead of {before}. Make the two values equal.",
		"design/interface.md",
	},
	"C-GROUP-ROW": {
		Error,
		"La riga è corretta, ma la notifica non parte per un errore alla riga {row}: {reason}",
		"The row is sound, but the notification is stopped by an error in row {row}: {reason}",
		"design/interface.md",
	},
	"C-PAYMENT-OWNER": {
		Error,
		"La riga porta un pagamento senza destinatario e la notifica ha più destinatari (o nessuno): indicare il codice fiscale di chi deve pagare (colonna {field}).",
		"The row carries a payment without recipient and the notification has several recipients (or none): give the tax code of who must pay (column {field}).",
		"design/product.md",
	},
	"C-PAYMENT-FILES": {
		Error,
		"Più file ({found}) corrispondono a «{pattern}» per un solo pagamento (colonna {field}): lasciarne uno solo.",
		"Several files ({found}) match {pattern} for a single payment (column {field}): leave only one.",
		"design/interface.md",
	},
	"C-ACT-MISSING": {
		Error,
		"Manca l'atto da notificare (colonna {field}): gli allegati da soli non bastano. Indicare il file dell'atto.",
		"The act to be notified is missing (column {field}): attachments alone are not enough. Name the file of the act.",
		"reference/send-api.md 3.6",
	},
	"C-ACT-UNCLEAR": {
		Error,
		"Tra i documenti ({field}), quelli che corrispondono a «{pattern}» sono {found} invece di uno: non è chiaro quale sia l'atto. Rinominare i file.",
		"Of the documents ({field}), {found} match {pattern} instead of one: it is not clear which is the act. Rename the files.",
		"design/interface.md",
	},
	"C-DOCUMENT-LIST": {
		Error,
		"Non è possibile elencare i file «{pattern}» (colonna {field}). Riprovare più tardi o controllare la cartella.",
		"The files {pattern} cannot be listed (column {field}). Try again later or check the folder.",
		"design/interface.md",
	},
	"C-PATTERN-CELL": {
		Error,
		"Colonna {field}: «{value}» contiene *, ? o [, che non possono stare nel nome di un file. Correggere il valore.",
		"Column {field}: {value} holds *, ? or [, which cannot be in the name of a file. Correct the value.",
		"design/interface.md",
	},
}
