package ledger

import "time"

// Outcome is what a clerk reads in send_esito.
type Outcome string

const (
	Scartata     Outcome = "SCARTATA"
	GiaPresente  Outcome = "GIA_PRESENTE"
	InCoda       Outcome = "IN_CODA"
	Sospesa      Outcome = "SOSPESA"
	Inviata      Outcome = "INVIATA"
	Accettata    Outcome = "ACCETTATA"
	Rifiutata    Outcome = "RIFIUTATA"
	Consegna     Outcome = "CONSEGNA"
	Perfezionata Outcome = "PERFEZIONATA"
	Irreperibile Outcome = "IRREPERIBILE"
	Annullata    Outcome = "ANNULLATA"
	Restituita   Outcome = "RESTITUITA"
)

// Line is the send_ columns of one row and recipient (design/interface.md,
// "Columns added to the outcome file"). Blank strings and zero times are blank
// cells.
type Line struct {
	Row         int       `json:",omitzero"`
	Outcome     Outcome   `json:",omitzero"`
	Code        string    `json:",omitzero"`
	Field       string    `json:",omitzero"`
	Message     string    `json:",omitzero"`
	Warnings    string    `json:",omitzero"`
	Environment string    `json:",omitzero"`
	Batch       string    `json:",omitzero"` // the batch that owns the notification
	Protocol    string    `json:",omitzero"`
	Attempt     int       `json:",omitzero"`
	RequestID   string    `json:",omitzero"`
	IUN         string    `json:",omitzero"`
	Status      string    `json:",omitzero"`
	StatusAt    time.Time `json:",omitzero"`
	Recipient   int       `json:",omitzero"` // index; -1 = blank
	PerfectedAt time.Time `json:",omitzero"`
	Unreachable bool      `json:",omitzero"`
	CostCent    *int      `json:",omitzero"`
	CostFinal   bool      `json:",omitzero"`
	RefusalCent *int      `json:",omitzero"`
	Got         int       `json:",omitzero"`
	Expected    int       `json:",omitzero"`
	UpdatedAt   time.Time `json:",omitzero"`
}
