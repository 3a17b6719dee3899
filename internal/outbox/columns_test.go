package outbox

import (
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

// Damage prevented: a column added, renamed or moved without notice, so that legacy
// programs read the wrong cell. These texts are the contract of docs/interface.md.
func TestHeadingsAreGolden(t *testing.T) {
	const outcome = "send_riga;send_esito;send_codice;send_campo;send_messaggio;send_avvisi;" +
		"send_ambiente;send_lotto;send_protocollo;send_tentativo;send_id_richiesta;send_iun;" +
		"send_stato;send_stato_il;send_destinatario;send_perfezionata_il;send_irreperibile;" +
		"send_costo_cent;send_costo_definitivo;send_costo_rifiuto_cent;send_documenti;send_aggiornata_il"
	for _, c := range []struct {
		name string
		got  []string
		want string
	}{
		{"esito", outcomeColumns(), outcome},
		{"aggiornamenti", updateColumns(), "send_sequenza;send_file;" + outcome + ";send_evento;send_evento_il;send_dettaglio"},
		{"costi", costColumns(), "creditore;avviso;protocollo;iun;destinatario;da_attualizzare;parziale_cent;totale_cent;definitivo;il"},
		{"indice", indexColumns(), "protocollo;iun;destinatario;categoria;file;byte;sha256;evento_il;scaricato_il"},
		{"stato", statusColumns(), "flusso;file;lotto;stato;motivo;documenti_mancanti;dal;prossimo_controllo"},
	} {
		if got := strings.Join(c.got, ";"); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

func fullLine() ledger.Line {
	at := time.Date(2026, 11, 22, 13, 30, 5, 0, time.UTC)
	cost, refusal := 1036, 100
	return ledger.Line{
		Row: 7, Outcome: ledger.Perfezionata, Code: "C-X", Field: "CAP", Message: "m", Warnings: "w",
		Environment: "uat", Batch: "b", Protocol: "P/1", Attempt: 2, RequestID: "r", IUN: "i",
		Status: "EFFECTIVE_DATE", StatusAt: at, Recipient: 1, PerfectedAt: at.Add(10 * time.Hour),
		Unreachable: true, CostCent: &cost, CostFinal: true, RefusalCent: &refusal, Got: 2, Expected: 3,
		UpdatedAt: at.Add(time.Second),
	}
}

// Damage prevented: a value under another column's name.
func TestLineCells(t *testing.T) {
	const full = "7;PERFEZIONATA;C-X;CAP;m;w;uat;b;P/1;2;r;i;EFFECTIVE_DATE;2026-11-22T14:30:05+01:00;" +
		"2;2026-11-23;si;1036;si;100;2/3;2026-11-22T14:30:06+01:00"
	const rejected = "3;SCARTATA;C-X;;m;;;;;;;;;;;;;;;;;"
	zero := 0
	free := ledger.Line{Row: 4, Outcome: ledger.Accettata, Recipient: 0, CostCent: &zero}
	for _, c := range []struct {
		line ledger.Line
		want string
	}{
		{fullLine(), full},
		{ledger.Line{Row: 3, Outcome: ledger.Scartata, Code: "C-X", Message: "m", Recipient: -1}, rejected},
		{free, "4;ACCETTATA;;;;;;;;;;;;;1;;no;0;no;;;"},
	} {
		cells := appendLine(nil, c.line)
		if len(cells) != len(outcomeColumns()) {
			t.Errorf("%d cells for %d columns", len(cells), len(outcomeColumns()))
		}
		if got := strings.Join(cells, ";"); got != c.want {
			t.Errorf("\ngot  %s\nwant %s", got, c.want)
		}
	}
	change := ledger.Change{File: "tari.csv", Line: fullLine(), Event: "REFINEMENT", EventAt: fullLine().StatusAt, Detail: "d"}
	if got, want := strings.Join(appendChange(nil, 5, change), ";"), "5;tari.csv;"+full+";REFINEMENT;2026-11-22T14:30:05+01:00;d"; got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
	cost := ledger.CostChange{
		Creditor: "77777777777", Notice: "302000100000019421", Protocol: "P/1", IUN: "i", Recipient: 0,
		ToUpdate: true, Partial: 100, Total: 936, At: fullLine().StatusAt,
	}
	if got, want := strings.Join(appendCost(nil, cost), ";"), "77777777777;302000100000019421;P/1;i;1;si;100;936;no;2026-11-22T14:30:05+01:00"; got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
}
