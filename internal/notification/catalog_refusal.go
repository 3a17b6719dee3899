package notification

import "strings"

// Refused makes the problem of one reason for which SEND's asynchronous validation
// refused a request: SEND's code as it is, with our text and remedy for it where it
// is a known one. detail is SEND's own text.
func Refused(lang Lang, code, field, detail string) Problem {
	ours := "C-REFUSED-" + strings.ReplaceAll(code, "_", "-")
	if _, known := refusalCatalogue[ours]; !known {
		ours = "C-SEND-REFUSED"
	}
	p := New(lang, ours, field, "code", code, "detail", detail)
	p.Severity, p.Code = Error, code
	return p
}

// refusalCatalogue is what SEND's validation can find, with the remedy.
var refusalCatalogue = map[string]entry{
	"C-REFUSED-FILE-NOTFOUND": {
		severity: Error,
		it:       "SEND non ha trovato un documento caricato. Viene ritentato una volta da solo; se accade di nuovo usare «connector resubmit».",
		en:       "SEND did not find an uploaded document. It is tried once more by itself; if it happens again use \"connector resubmit\".",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-FILE-GONE": {
		severity: Error,
		it:       "Un documento caricato non era più disponibile presso SEND. Viene ritentato una volta da solo; se accade di nuovo usare «connector resubmit».",
		en:       "An uploaded document was no longer there at SEND. It is tried once more by itself; if it happens again use \"connector resubmit\".",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-FILE-SHA-ERROR": {
		severity: Error,
		it:       "SEND ha ricevuto un documento diverso da quello dichiarato. Produrre di nuovo il PDF e depositare di nuovo la riga.",
		en:       "SEND got a document other than the declared one. Make the PDF anew and drop the row again.",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-FILE-PDF-INVALID-ERROR": {
		severity: Error,
		it:       "Un documento non è un PDF valido. Aprirlo, salvarlo di nuovo come PDF e depositare di nuovo la riga.",
		en:       "A document is no valid PDF. Open it, save it as PDF again and drop the row again.",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-FILE-PDF-TOOBIG-ERROR": {
		severity: Error,
		it:       "Un documento è troppo grande per SEND (massimo 200 MB). Ridurlo e depositare di nuovo la riga.",
		en:       "A document is too large for SEND (200 MB at most). Make it smaller and drop the row again.",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-F24-METADATA-NOT-VALID": {
		severity: Error,
		it:       "I dati del modello F24 non sono validi ({detail}). Correggerli e depositare di nuovo la riga.",
		en:       "The data of the F24 form are not valid ({detail}). Correct them and drop the row again.",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-TAXID-NOT-VALID": {
		severity: Error,
		it:       "Il codice fiscale del destinatario non risulta valido all'anagrafe tributaria. Verificarlo, correggerlo e depositare di nuovo la riga.",
		en:       "The recipient's tax code is not valid in the tax registry. Check and correct it, and drop the row again.",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-RECIPIENT-ID-NOT-VALID": {
		severity: Error,
		it:       "Il destinatario non è riconosciuto da SEND. Verificarne i dati e depositare di nuovo la riga.",
		en:       "SEND does not know the recipient. Check the data and drop the row again.",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-NOT-VALID-ADDRESS": {
		severity: Error,
		it:       "L'indirizzo del destinatario non è stato riconosciuto. Verificare via, numero civico, CAP (non quello generico della città), comune e provincia, e depositare di nuovo la riga.",
		en:       "The recipient's address was not recognised. Check street, number, CAP (not a city's generic one), town and province, and drop the row again.",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-ADDRESS-NOT-FOUND": {
		severity: Error,
		it:       "Nei registri nazionali non c'è un indirizzo per il destinatario. Indicare l'indirizzo nella riga e depositarla di nuovo.",
		en:       "The national registers have no address for the recipient. Give the address in the row and drop it again.",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-ADDRESS-SEARCH-FAILED": {
		severity: Error,
		it:       "La ricerca dell'indirizzo nei registri nazionali non è riuscita. Viene ritentata una volta da sola; se accade di nuovo indicare l'indirizzo nella riga.",
		en:       "The look-up of the address in the national registers failed. It is tried once more by itself; if it happens again give the address in the row.",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-PAYMENT-NOT-VALID": {
		severity: Error,
		it:       "Un avviso pagoPA non risulta tra le posizioni debitorie. Verificare numero avviso ed ente creditore, caricare la posizione e depositare di nuovo la riga.",
		en:       "A pagoPA notice is not among the debt positions. Check its number and creditor, load the position and drop the row again.",
		source:   "send-api.md 8.2",
	},
	"C-REFUSED-SENDER-DISABLED-MORE-THAN-20-GRAMS": {
		severity: Error,
		it:       "L'ente può inviare solo notifiche fino a tre fogli, senza allegati di pagamento. Ridurre le pagine oppure chiedere l'abilitazione a PagoPA.",
		en:       "The body may only send up to three sheets, without payment attachments. Use fewer pages or ask PagoPA for the permission.",
		source:   "send-api.md 2.7",
	},
	"C-REFUSED-SERVICE-UNAVAILABLE": {
		severity: Error,
		it:       "Un servizio di SEND non era disponibile. Viene ritentato una volta da solo; se accade di nuovo usare «connector resubmit».",
		en:       "A service of SEND was not available. It is tried once more by itself; if it happens again use \"connector resubmit\".",
		source:   "send-api.md 8.2",
	},
}
