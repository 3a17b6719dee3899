package notification

// connectorCatalogue is what the composition of the rooms finds.
var connectorCatalogue = map[string]entry{
	"C-PROFILE-MISMATCH": {
		Error,
		"Il file non corrisponde al profilo con cui va letto: {problems}. Esportarlo di nuovo con le intestazioni previste, oppure far aggiornare il profilo.",
		"The file does not fit the profile it is read with: {problems}. Export it again with the expected headings, or have the profile updated.",
		"interface.md, Profiles",
	},
	"C-PREVIEW-TWICE": {
		Warning,
		"Lo stesso numero di protocollo è già alla riga {row}: se le due righe sono uguali la notifica è una sola, se differiscono saranno scartate entrambe.",
		"The same protocol number is already on row {row}: if the rows are equal there is one notification, if they differ both will be rejected.",
		"interface.md, Profiles",
	},
}
