package notification

// connectorCatalogue is what the composition of the rooms finds.
var connectorCatalogue = map[string]entry{
	"C-PROFILE-MISMATCH": {
		Error,
		"Il file non corrisponde al profilo con cui va letto: {problems}. Esportarlo di nuovo con le intestazioni previste, oppure far aggiornare il profilo (per righe di titolo sopra l'intestazione: format, skip_rows).",
		"The file does not fit the profile it is read with: {problems}. Export it again with the expected headings, or have the profile updated (for title rows above the heading: format, skip_rows).",
		"interface.md, Profiles",
	},
	"C-PREVIEW-TWICE": {
		Warning,
		"Lo stesso numero di protocollo è già alla riga {row}: se le due righe sono uguali la notifica è una sola, se differiscono saranno scartate entrambe.",
		"The same protocol number is already on row {row}: if the rows are equal there is one notification, if they differ both will be rejected.",
		"interface.md, Profiles",
	},
	"C-LEDGER-BUSY": {
		Error,
		"Il registro è in uso da un altro processo: se è il servizio, lo stesso comando viene eseguito da lui; altrimenti attendere che l'altro finisca.",
		"The ledger is in use by another process: if it is the service, the same command is carried out by it; otherwise wait until the other ends.",
		"interface.md, Commands",
	},
	"C-LEDGER-DAMAGED": {
		Error,
		"Il registro è danneggiato. Non cancellarlo: rimettere al suo posto la copia più recente, oppure ricostruirlo (connector ledger rebuild), e nulla sarà inviato due volte.",
		"The ledger is damaged. Do not delete it: put the newest backup in its place, or rebuild it (connector ledger rebuild), and nothing will be sent twice.",
		"architecture.md, The ledger is the hub",
	},
	"C-LEDGER-EMPTY": {
		Warning,
		"Il registro è vuoto, ma nelle cartelle di un flusso ci sono lotti di prima: se il registro è andato perso, fermare il connettore e rimettere al suo posto una copia, oppure ricostruirlo (connector ledger rebuild).",
		"The ledger is empty, but the folders of a flow hold batches of before: if the ledger was lost, stop the connector and put a backup in its place, or rebuild it (connector ledger rebuild).",
		"architecture.md, The ledger is the hub",
	},
	"C-LEDGER-VERSION": {
		Error,
		"Il registro è stato scritto da una versione più recente del connettore: usare quella.",
		"The ledger was written by a newer version of the connector: use that one.",
		"architecture.md, The ledger is the hub",
	},
	"C-FOLDER-AWAY": {
		Error,
		"La cartella {folder} non è raggiungibile: verificare rete, condivisione o server; se è una cartella nuova, crearla. Il connettore riprova da solo.",
		"The folder {folder} cannot be reached: check network, share or server; if it is a new folder, make it. It is tried again by itself.",
		"issue “Never twice, never lost”, Faults",
	},
	"C-FOLDER-ENDLESS": {
		Error,
		"Il server elenca nella cartella {folder} più file, o più cartelle una dentro l'altra, di quanti possano essercene (oltre un milione di file, oltre 64 livelli): verificare sul server se una cartella rimanda a un'altra, o chiedere al suo amministratore. Il connettore riprova da solo.",
		"In the folder {folder} the server lists more files, or more folders one below the other, than there can be (more than a million files, more than 64 levels): see on the server whether one folder leads back to another, or ask its administrator. It is tried again by itself.",
		"issue “Never twice, never lost”, SFTP folders",
	},
	"C-FOLDER-RIGHTS": {
		Error,
		"Permessi insufficienti nella cartella {folder}: dare all'utente del connettore lettura, scrittura e rinomina. Il connettore riprova da solo.",
		"Not enough rights in the folder {folder}: give the connector's user read, write and rename. It is tried again by itself.",
		"rules.md 25",
	},
	"C-FOLDER-FULL": {
		Error,
		"Spazio esaurito nella cartella {folder}: liberare spazio. Il connettore riprova da solo.",
		"No space left in the folder {folder}: free some. It is tried again by itself.",
		"issue “Never twice, never lost”, Faults",
	},
	"C-FOLDER-LOGIN": {
		Error,
		"Il server {server} rifiuta l'accesso dell'utente {user}: password o chiave non sono (più) valide, o l'utente è bloccato. Una credenziale sostituita su disco viene riletta da sola.",
		"The server {server} refuses the user {user}: password or key are not valid (any more), or the account is locked. A secret replaced on disk is read again by itself.",
		"issue “Never twice, never lost”, SFTP folders",
	},
	"C-SECRET-OPEN": {
		Error,
		"Il file della chiave o della password {file} è leggibile da altri utenti di questa macchina, perciò non viene usato per il server {server}: chmod 600 {file}. Il connettore lo rilegge da solo.",
		"The file of the key or password {file} can be read by other users of this machine, so it is not used for the server {server}: chmod 600 {file}. It is read again by itself.",
		"issue “Never twice, never lost”, SFTP folders",
	},
	"C-SECRET-UNREAD": {
		Error,
		"La chiave o la password dell'utente {user} per il server {server} non si può leggere su questa macchina ({what}): correggere il file o la variabile che config.yaml nomina in remotes. Il connettore riprova da solo.",
		"Key or password of the user {user} for the server {server} cannot be read on this machine ({what}): mend the file or variable that config.yaml names in remotes. It is tried again by itself.",
		"issue “Never twice, never lost”, SFTP folders",
	},
	"C-FOLDER-HOST-KEY": {
		Error,
		"Il server {server} mostra la chiave {key}, che non è fra quelle note ({known}): può essere un altro server. Chiedere conferma dell'impronta al suo amministratore e solo allora scriverla in remotes, host_keys (connector check mostra la riga). Poi riavviare il connettore.",
		"The server {server} shows the key {key}, which is not one of those known ({known}): it may be another server. Have its administrator confirm the fingerprint, and only then write it into remotes, host_keys (connector check shows the line). Then restart the connector.",
		"issue “Never twice, never lost”, SFTP folders",
	},
	"C-STOP-SLOW": {
		Error,
		"Un lavoro non si è fermato entro 30 secondi; nulla va perso, il prossimo avvio riprende dal registro.",
		"Some work did not stop within 30 seconds; nothing is lost, the next start goes on from the ledger.",
		"interface.md, Commands",
	},
}
