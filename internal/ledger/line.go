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
	Row         int
	Outcome     Outcome
	Code        string
	Field       string
	Message     string
	Warnings    string
	Environment string
	Batch       string // the batch that owns the notification
	Protocol    string
	Attempt     int
	RequestID   string
	IUN         string
	Status      string
	StatusAt    time.Time
	Recipient   int // index; -1 = blank
	PerfectedAt time.Time
	Unreachable bool
	CostCent    *int
	CostFinal   bool
	RefusalCent *int
	Got         int
	Expected    int
	UpdatedAt   time.Time
}
