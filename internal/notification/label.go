package notification

// label is what a clerk calls a request field: Italian and English, with the
// article that the sentences of the catalogue do not need.
type label struct{ it, en string }

func (l label) in(lang Lang) string { return word(lang, l.it, l.en) }

// The names of fields in messages.
var (
	labelProtocol     = label{"il numero di protocollo", "the protocol number"}
	labelToken        = label{"il token di idempotenza", "the idempotence token"}
	labelSubject      = label{"l'oggetto", "the subject"}
	labelAbstract     = label{"la descrizione", "the abstract"}
	labelSenderName   = label{"la denominazione del mittente", "the sender's name"}
	labelSenderTaxID  = label{"il codice fiscale del mittente", "the sender's tax code"}
	labelTaxonomy     = label{"il codice tassonomico", "the taxonomy code"}
	labelPolicy       = label{"la politica di addebito dei costi", "the fee policy"}
	labelPaper        = label{"il tipo di raccomandata", "the kind of registered letter"}
	labelPaFee        = label{"il costo dell'ente (paFee)", "the body's fee (paFee)"}
	labelVat          = label{"l'IVA (vat)", "the VAT rate (vat)"}
	labelMode         = label{"la modalità pagoPA", "the pagoPA mode"}
	labelDate         = label{"la scadenza del pagamento", "the payment date"}
	labelGroup        = label{"il gruppo", "the group"}
	labelPriority     = label{"la priorità di spedizione", "the dispatch priority"}
	labelRecipients   = label{"l'elenco dei destinatari", "the list of recipients"}
	labelDocuments    = label{"l'elenco dei documenti", "the list of documents"}
	labelKind         = label{"il tipo di destinatario (PF o PG)", "the kind of recipient (PF or PG)"}
	labelTaxID        = label{"il codice fiscale del destinatario", "the recipient's tax code"}
	labelName         = label{"il nome del destinatario", "the recipient's name"}
	labelPEC          = label{"l'indirizzo PEC", "the PEC address"}
	labelPECType      = label{"il tipo di domicilio digitale", "the kind of digital domicile"}
	labelAt           = label{"il campo «presso»", "the c/o field"}
	labelStreet       = label{"l'indirizzo (via e numero)", "the address (street and number)"}
	labelDetails      = label{"il complemento dell'indirizzo", "the address details"}
	labelZip          = label{"il CAP", "the postal code"}
	labelTown         = label{"il comune", "the municipality"}
	labelTownDetails  = label{"la frazione", "the municipality details"}
	labelProvince     = label{"la provincia", "the province"}
	labelState        = label{"lo Stato estero", "the foreign state"}
	labelNotice       = label{"il numero di avviso pagoPA", "the pagoPA notice number"}
	labelCreditor     = label{"il codice fiscale dell'ente creditore", "the creditor's tax code"}
	labelF24Title     = label{"il titolo del modello F24", "the title of the F24 form"}
	labelF24File      = label{"il file di metadati dell'F24", "the metadata file of the F24"}
	labelAmount       = label{"l'importo", "the amount"}
	labelAddress      = label{"l'indirizzo fisico", "the physical address"}
	labelPayments     = label{"i pagamenti", "the payments"}
	labelTitle        = label{"il titolo del documento", "the title of the document"}
	labelContentType  = label{"il tipo di contenuto dell'allegato", "the content type of the attachment"}
	labelFile         = label{"il nome del file dell'allegato", "the file name of the attachment"}
	labelKey          = label{"la chiave del caricamento", "the key of the upload"}
	labelVersionToken = label{"la versione del caricamento", "the version of the upload"}
)
