package outbox

import (
	"strconv"

	"sendconnector/internal/ledger"
)

// The headings are a contract: legacy programs parse them (docs/interface.md). Each
// has a golden test.

// outcomeColumns are added to the original columns of an export, in this order.
func outcomeColumns() []string {
	return []string{
		"send_riga", "send_esito", "send_codice", "send_campo", "send_messaggio", "send_avvisi",
		"send_ambiente", "send_lotto",
		"send_protocollo", "send_tentativo", "send_id_richiesta", "send_iun",
		"send_stato", "send_stato_il",
		"send_destinatario", "send_perfezionata_il", "send_irreperibile",
		"send_costo_cent", "send_costo_definitivo", "send_costo_rifiuto_cent",
		"send_documenti", "send_aggiornata_il",
	}
}

// updateColumns is the heading of aggiornamenti/<seq8>.csv.
func updateColumns() []string {
	columns := append([]string{"send_sequenza", "send_file"}, outcomeColumns()...)
	return append(columns, "send_evento", "send_evento_il", "send_dettaglio")
}

// costColumns is the heading of costi/<seq8>.csv.
func costColumns() []string {
	return []string{
		"creditore", "avviso", "protocollo", "iun", "destinatario",
		"da_attualizzare", "parziale_cent", "totale_cent", "definitivo", "il",
	}
}

// indexColumns is the heading of documenti/<batch>/indice.csv.
func indexColumns() []string {
	return []string{
		"protocollo", "iun", "destinatario", "categoria", "file", "byte", "sha256",
		"evento_il", "scaricato_il",
	}
}

// statusColumns is the heading of stato.csv.
func statusColumns() []string {
	return []string{
		"flusso", "file", "lotto", "stato", "motivo", "documenti_mancanti", "dal",
		"prossimo_controllo",
	}
}

// appendLine adds the send_ cells of a line, in the order of outcomeColumns.
func appendLine(cells []string, l ledger.Line) []string {
	return append(cells,
		number(l.Row), string(l.Outcome), l.Code, l.Field, l.Message, l.Warnings,
		l.Environment, l.Batch,
		l.Protocol, number(l.Attempt), l.RequestID, l.IUN,
		l.Status, instant(l.StatusAt),
		recipient(l.Recipient), date(l.PerfectedAt), unreachable(l),
		cents(l.CostCent), costFinal(l), cents(l.RefusalCent),
		documents(l), instant(l.UpdatedAt),
	)
}

// appendChange adds the cells of one line of an update file; number counts the lines
// of that file from 1.
func appendChange(cells []string, number int, c ledger.Change) []string {
	cells = append(cells, strconv.Itoa(number), c.File)
	cells = appendLine(cells, c.Line)
	return append(cells, c.Event, instant(c.EventAt), c.Detail)
}

func appendCost(cells []string, c ledger.CostChange) []string {
	return append(cells,
		c.Creditor, c.Notice, c.Protocol, c.IUN, recipient(c.Recipient),
		yesNo(c.ToUpdate), strconv.Itoa(c.Partial), strconv.Itoa(c.Total), yesNo(c.Final),
		instant(c.At),
	)
}

// recipient gives the number people see: recipients are counted from 1, in the order
// of the notification. Blank for a line that belongs to none.
func recipient(index int) string {
	if index < 0 {
		return ""
	}
	return strconv.Itoa(index + 1)
}

// unreachable is blank where there is no recipient to say it of.
func unreachable(l ledger.Line) string {
	if l.Recipient < 0 || l.Outcome == ledger.Scartata {
		return ""
	}
	return yesNo(l.Unreachable)
}

func costFinal(l ledger.Line) string {
	if l.CostCent == nil {
		return ""
	}
	return yesNo(l.CostFinal)
}

// documents is retrieved/expected, blank while nothing is expected.
func documents(l ledger.Line) string {
	if l.Got == 0 && l.Expected == 0 {
		return ""
	}
	return strconv.Itoa(l.Got) + "/" + strconv.Itoa(l.Expected)
}
