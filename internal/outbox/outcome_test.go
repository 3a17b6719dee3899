package outbox

import (
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// Damage prevented: an outcome line that cannot be laid beside the row it speaks of,
// or a formula from the drop that runs when the clerk opens it.
func TestOutcomeFile(t *testing.T) {
	h := newHouse(t)
	b := h.drop("tari.csv", 2, 1)
	o := h.outbox()
	if r := h.pass(o); r.Outcomes != 1 || r.Updates != 1 {
		t.Errorf("report %+v", r)
	}
	name := outcomeName(b)
	text := h.read(name)
	heading := bom + `protocollo;"nome;cognome";` + strings.Join(outcomeColumns(), ";") + "\r\n"
	if !strings.HasPrefix(text, heading) {
		t.Errorf("heading %q", text[:min(len(text), 200)])
	}
	rows := h.table(name)
	if len(rows) != 3 {
		t.Fatalf("%d lines", len(rows))
	}
	for i, r := range rows {
		want := []string{"IN_CODA", "IN_CODA", "SCARTATA"}[i]
		if r["send_esito"] != want || r["nome;cognome"] != "'=ROSSI" || r["send_lotto"] != b.ID {
			t.Errorf("line %d: %v", i, r)
		}
	}
	if rows[2]["send_codice"] != "C-TEST" || rows[2]["send_riga"] != "4" || rows[2]["send_irreperibile"] != "" {
		t.Errorf("rejected line %v", rows[2])
	}
}

// Damage prevented: a large outcome file rewritten at every event, or one that stays
// behind for ever.
func TestOutcomeIsRewrittenAtMostEveryRefresh(t *testing.T) {
	h := newHouse(t)
	b := h.drop("tari.csv", 2, 0)
	o := h.outbox()
	h.pass(o)
	h.now = h.now.Add(10 * time.Second)
	h.accept(h.ids(b.ID)...)
	r := h.pass(o)
	if r.Outcomes != 0 || !strings.Contains(h.read(outcomeName(b)), "IN_CODA") {
		t.Errorf("rewritten before its time: %+v", r)
	}
	if r.Updates != 1 {
		t.Error("updates for programs must not wait for Refresh")
	}
	if want := h.now.Add(50 * time.Second); !r.Next.Equal(want) {
		t.Errorf("next %s, want %s", r.Next, want)
	}
	h.now = r.Next
	if r = h.pass(h.outbox()); r.Outcomes != 1 || strings.Contains(h.read(outcomeName(b)), "IN_CODA") {
		t.Errorf("not rewritten in its time, by a new process: %+v", r)
	}
	if r = h.pass(o); r.Outcomes != 0 {
		t.Error("rewritten although nothing changed")
	}
	first := h.ids(b.ID)[0]
	h.update(func(tx *ledger.Tx) error {
		n, err := tx.Notification(first)
		if err != nil {
			return err
		}
		n.SENDStatus = ledger.StatusDelivering
		return tx.PutNotification(n)
	})
	if r, err := o.Pass(h.ctx, State{Flush: true, Flows: h.state().Flows}); err != nil || r.Outcomes != 1 {
		t.Errorf("flush: %+v %v", r, err)
	}
}

// Damage prevented: rows lost where one view of the ledger ends and the next begins.
func TestOutcomeOfManyRows(t *testing.T) {
	h := newHouse(t)
	b := h.drop("grande.csv", 2*rowChunk+1, 0)
	h.pass(h.outbox())
	rows := h.table(outcomeName(b))
	if len(rows) != 2*rowChunk+1 {
		t.Fatalf("%d lines", len(rows))
	}
	for i, r := range rows {
		if r["send_riga"] != number(i+2) {
			t.Fatalf("line %d is row %s", i, r["send_riga"])
		}
	}
}

// A file that could not be read has its reason in rejected/ and no outcome file.
func TestUnreadableHasNoOutcome(t *testing.T) {
	h := newHouse(t)
	b := h.unreadable("rotto.csv")
	o := h.outbox()
	h.pass(o)
	if r := h.pass(o); r.Outcomes != 0 || len(h.table(statusName)) != 2 {
		t.Errorf("report %+v, status %v", r, h.table(statusName))
	}
	line := h.table(statusName)[1]
	if line["stato"] != "SCARTATO" || line["lotto"] != b || !strings.Contains(line["motivo"], "rejected/"+b) {
		t.Errorf("line %v", line)
	}
}

// Damage prevented: a group's second recipient without a line, or a row of a jsonl
// drop, which has no columns of its own, shifted by one cell.
func TestOutcomeOfSeveralRecipients(t *testing.T) {
	h := newHouse(t)
	b := h.batch("gruppo.jsonl")
	b.Kind, b.Heading = "jsonl", nil
	h.must(h.ledger.Begin(h.ctx, b))
	it := h.item("G/1", 1, false)
	second := it.Request.Recipients[0]
	second.TaxID, second.Denomination = "VRDLGI85C41F205L", "Luigia Verdi"
	it.Request.Recipients = append(it.Request.Recipients, second)
	act := it.Print.Act
	it.Print = notification.FingerprintOf(it.Request)
	it.Print.Act = act
	it.Rows[0].Cells, it.Rows[0].Recipients = nil, []int{0, 1}
	_, err := h.ledger.Admit(h.ctx, b.ID, []ledger.Item{it})
	h.must(err)
	_, err = h.ledger.Seal(h.ctx, b.ID, ledger.Sealing{Release: ledger.Released, MaxNotifications: 10})
	h.must(err)
	h.pass(h.outbox())
	rows := h.table(outcomeName(&b))
	if len(rows) != 2 || rows[0]["send_riga"] != "1" || rows[1]["send_riga"] != "1" ||
		rows[0]["send_destinatario"] != "1" || rows[1]["send_destinatario"] != "2" {
		t.Errorf("lines %v", rows)
	}
	if !strings.HasPrefix(h.read(outcomeName(&b)), bom+"send_riga;send_esito;") {
		t.Error("columns before send_riga")
	}
}
