package outbox

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// Damage prevented: a clerk who finds nothing in out/ and no reason for it.
func TestStatusLines(t *testing.T) {
	h := newHouse(t)
	b := h.drop("letto.csv", 2, 1)
	since := h.now.Add(-20 * time.Minute)
	h.update(func(tx *ledger.Tx) error {
		return tx.PutSighting(&ledger.Sighting{
			Flow: testFlow, File: "attesa.csv", Since: since, FirstSeen: since, Reason: "C-DOC-MISSING",
			Text: "Mancano 2 documenti.", Missing: []string{"a.pdf", "b;c.pdf"},
		})
	})
	h.pass(h.outbox())
	text := h.read(statusName)
	want := bom + "flusso;file;lotto;stato;motivo;documenti_mancanti;dal;prossimo_controllo\r\n" +
		"(connettore);;;ATTIVO;In funzione.;;2026-11-22T09:15:00+01:00;2026-11-22T10:15:10+01:00\r\n" +
		"tari;attesa.csv;;IN_ATTESA;Mancano 2 documenti.;\"a.pdf, b;c.pdf\";2026-11-22T09:55:00+01:00;2026-11-22T10:15:05+01:00\r\n" +
		"tari;letto.csv;" + b.ID + ";LETTO;Letto: 3 righe, 2 notifiche nuove. L'esito è in " + outcomeName(b) + ".;;2026-11-22T10:15:00+01:00;\r\n"
	if text != want {
		t.Errorf("got  %q\nwant %q", text, want)
	}
}

// Damage prevented: stato.csv rewritten all the time (an idle machine writes nothing
// but the heartbeat), or so seldom that nobody can tell a dead connector.
func TestStatusIsWrittenOnChangeAndHeartbeat(t *testing.T) {
	h := newHouse(t)
	h.drop("letto.csv", 1, 0)
	o := h.outbox()
	if !h.pass(o).Status {
		t.Fatal("not written at first")
	}
	h.now = h.now.Add(5 * time.Second) // prossimo_controllo moves, nothing else
	same := h.state()
	same.Since = same.Since.Add(-5 * time.Second)
	if r, err := o.Pass(h.ctx, same); err != nil || r.Status {
		t.Errorf("rewritten for prossimo_controllo: %v", err)
	}
	if r, err := h.outbox().Pass(h.ctx, same); err != nil || r.Status {
		t.Errorf("rewritten because the process started: %v", err)
	}
	held := same
	held.Condition, held.Why = Paused, "La chiave API non è accettata."
	if r, err := o.Pass(h.ctx, held); err != nil || !r.Status || !strings.Contains(h.read(statusName), "SOSPESO;La chiave API") {
		t.Errorf("change not written: %v", err)
	}
	h.now = h.now.Add(14 * time.Minute)
	if r, err := o.Pass(h.ctx, held); err != nil || r.Status || !r.Next.Equal(h.now.Add(time.Minute)) {
		t.Errorf("before the heartbeat: %+v %v", r, err)
	}
	h.now = h.now.Add(time.Minute)
	if r, err := o.Pass(h.ctx, held); err != nil || !r.Status {
		t.Errorf("no heartbeat: %v", err)
	}
}

// Damage prevented: a batch that waits for a person disappears from sight after a
// few days, or a finished one stays for ever.
func TestStatusKeepsWhatWaits(t *testing.T) {
	h := newHouse(t)
	waits := h.dropAwaiting("grande.csv")
	h.drop("letto.csv", 1, 0)
	o := h.outbox()
	h.pass(o)
	h.now = h.now.Add(100 * time.Hour)
	for _, o := range []*Outbox{o, h.outbox()} {
		h.pass(o)
		rows := h.table(statusName)
		if len(rows) != 2 || rows[1]["lotto"] != waits || rows[1]["stato"] != "DA_RILASCIARE" ||
			!strings.Contains(rows[1]["motivo"], "connector release --batch "+waits) ||
			!strings.Contains(rows[1]["motivo"], "grande.csv.invia") {
			t.Errorf("lines %v", rows)
		}
	}
	h.must(h.ledger.Release(h.ctx, waits))
	h.pass(o)
	if rows := h.table(statusName); len(rows) != 1 {
		t.Errorf("released long ago, still shown: %v", rows)
	}
}

// Damage prevented: a held flow looks like one in which nothing is to do.
func TestStatusShowsHolds(t *testing.T) {
	h := newHouse(t)
	b := h.drop("letto.csv", 1, 0)
	o := h.outbox()
	h.pass(o)
	h.now = h.now.Add(200 * time.Hour) // long out of sight
	h.pass(o)
	until := h.now.Add(time.Hour)
	h.update(func(tx *ledger.Tx) error {
		return tx.PutHold(ledger.Hold{Scope: ledger.HoldSender, Name: testSender, Reason: "key", Detail: "Chiave API scaduta", Since: h.now, Until: until})
	})
	h.pass(o)
	rows := h.table(statusName)
	if len(rows) != 3 || rows[1]["file"] != "" || rows[1]["stato"] != "SOSPESO" || rows[2]["lotto"] != b.ID ||
		rows[2]["stato"] != "SOSPESO" || rows[2]["motivo"] != "Sospeso: Chiave API scaduta. Nulla va perso." || rows[2]["prossimo_controllo"] != instant(until) {
		t.Errorf("lines %v", rows)
	}
	h.update(func(tx *ledger.Tx) error { return tx.DropHold(ledger.HoldSender, testSender) })
	h.pass(o)
	if rows := h.table(statusName); len(rows) != 1 {
		t.Errorf("lines %v", rows)
	}
}

func TestStatusNamesFewMissing(t *testing.T) {
	o := New(Options{Lang: "it"})
	var names []string
	for range 25 {
		names = append(names, "x.pdf")
	}
	if got := o.missing(names); strings.Count(got, "x.pdf") != maxMissing || !strings.HasSuffix(got, ", e altri 5") {
		t.Errorf("got %q", got)
	}
}

// dropAwaiting admits a batch that waits for release.
func (h *house) dropAwaiting(file string) string {
	h.t.Helper()
	b := h.begin(file)
	_, err := h.ledger.Admit(h.ctx, b.ID, []ledger.Item{h.item("G/1", 2, false), h.item("G/2", 3, false)})
	h.must(err)
	_, err = h.ledger.Seal(h.ctx, b.ID, ledger.Sealing{Release: ledger.AwaitsRelease, MaxNotifications: 1000})
	h.must(err)
	return b.ID
}

// Damage prevented: a clerk or partner who reads a blank, or half a sentence.
func TestTextsAreInBothLanguages(t *testing.T) {
	for name, pair := range texts {
		if pair[0] == "" || pair[1] == "" || strings.Count(pair[0], "{") != strings.Count(pair[1], "{") {
			t.Errorf("text %s is not there in both languages", name)
		}
	}
}

// Damage prevented: a batch in a state nobody thought of is called read.
func TestStatusOfEveryBatch(t *testing.T) {
	h := newHouse(t)
	at := h.now.Add(time.Hour)
	for _, c := range []struct {
		name  string
		batch ledger.Batch
		lang  notification.Lang
		state string
		why   string
		waits bool
	}{
		{"reading", ledger.Batch{State: ledger.Reading}, "it", "IN_LETTURA", "In lettura.", true},
		{"unreadable", ledger.Batch{State: ledger.Unreadable}, "it", "SCARTATO", "rejected/B", false},
		{"discarded", ledger.Batch{State: ledger.Sealed, Release: ledger.DiscardedBatch}, "it", "ANNULLATO", "nessuna sua notifica è partita", false},
		{"awaits", ledger.Batch{State: ledger.Sealed, Release: ledger.AwaitsRelease}, "it", "DA_RILASCIARE", "attende il rilascio: 7 notifiche", true},
		{"too many", ledger.Batch{State: ledger.Sealed, Release: ledger.AwaitsRelease, ReleaseWhy: "C-RELEASE-MAX"}, "en", "DA_RILASCIARE", "more than the flow sends", true},
		{"delayed", ledger.Batch{State: ledger.Sealed, Release: ledger.DelayedRelease, ReleaseAt: at}, "it", "DA_RILASCIARE", "parte da solo", true},
		{"delay over", ledger.Batch{State: ledger.Sealed, Release: ledger.DelayedRelease, ReleaseAt: h.now}, "it", "LETTO", "7 notifiche nuove", false},
		{"known", ledger.Batch{State: ledger.Sealed, Release: ledger.Released, Known: true}, "it", "LETTO", "tutte già note", false},
		{"read", ledger.Batch{State: ledger.Sealed, Release: ledger.Released}, "en", "LETTO", "Read: 9 rows, 7 new", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := h.outbox(func(op *Options) { op.Lang = c.lang })
			b := c.batch
			b.ID, b.File, b.Rows, b.Admitted, b.ClaimedAt = "B", "sub/x.csv", 9, 7, h.now
			line, waits, err := o.batchLine(h.ctx, &b, nil)
			if err != nil || line.state != c.state || !strings.Contains(line.why, c.why) || waits != c.waits || strings.Contains(line.why, "{") {
				t.Errorf("%+v %v %v", line, waits, err)
			}
		})
	}
}

// Damage prevented: an idle machine that keeps writing to disk (design/measuring.md).
func TestIdleWritesNothing(t *testing.T) {
	h := newHouse(t)
	b := h.drop("tari.csv", 2, 1)
	h.accept(h.ids(b.ID)...)
	f := h.fake()
	o := h.outbox(within(f))
	h.pass(o)
	h.now = h.now.Add(o.opts.Refresh)
	same := h.state()
	if _, err := o.Pass(h.ctx, same); err != nil {
		t.Fatal(err)
	}
	f.calls = 0
	before, err := os.ReadFile(filepath.Join(h.data, "ledger.db"))
	h.must(err)
	for range 50 {
		h.now = h.now.Add(5 * time.Second)
		if r, err := o.Pass(h.ctx, same); err != nil || !r.Next.After(h.now) {
			t.Fatalf("%+v %v", r, err)
		}
	}
	after, err := os.ReadFile(filepath.Join(h.data, "ledger.db"))
	h.must(err)
	if f.calls != 0 || !bytes.Equal(before, after) {
		t.Errorf("%d files published, ledger changed: %v", f.calls, !bytes.Equal(before, after))
	}
}
