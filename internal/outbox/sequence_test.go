package outbox

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/ledger"
)

// Rule 28. Damage prevented: a program that reads update files misses one, or reads
// other bytes under a number it knows.
func TestRule28NumbersAreGapFreeAndFrozen(t *testing.T) {
	h := newHouse(t)
	b := h.drop("tari.csv", 5, 1)
	o := h.outbox(func(op *Options) { op.MaxLines = 4 })
	h.pass(o)
	h.accept(h.ids(b.ID)...)
	h.pass(o)
	h.cost(1)
	h.cost(2)
	h.pass(o)
	first := h.files()
	var seen int
	for n := 1; ; n++ {
		name := fmt.Sprintf("aggiornamenti/%08d.csv", n)
		if _, ok := first[name]; !ok {
			break
		}
		rows := h.table(name)
		if len(rows) == 0 || len(rows) > 4 {
			t.Errorf("%s has %d lines", name, len(rows))
		}
		for i, r := range rows {
			if r["send_sequenza"] != fmt.Sprint(i+1) || r["send_file"] != "tari.csv" {
				t.Errorf("%s line %d: %v", name, i, r)
			}
		}
		seen += len(rows)
	}
	var last uint64
	h.must(h.ledger.View(h.ctx, func(tx *ledger.Tx) error {
		last = tx.LastChange(testOutbox)
		return nil
	}))
	if seen != int(last) || last < 6 {
		t.Errorf("%d lines published of %d changes", seen, last)
	}
	if got := len(h.table("costi/00000001.csv")); got != 2 {
		t.Errorf("%d cost lines", got)
	}
	if got := h.read("aggiornamenti/.sequenza"); strings.TrimSpace(got) == "00000000" {
		t.Error("the mark does not follow")
	}
	// The reader takes files away; nothing of it is published again, numbers go on.
	foldertest.RemoveAll(t, filepath.Join(h.out, "aggiornamenti"))
	h.reopen()
	h.pass(h.outbox())
	for name := range h.files() {
		if strings.HasPrefix(name, "aggiornamenti/0") {
			t.Errorf("%s published without news", name)
		}
	}
}

// Rule 28, golden. Damage prevented: bytes of a numbered file that change with a
// release, while programs already read them.
func TestRule28GoldenCosts(t *testing.T) {
	h := newHouse(t)
	o := h.outbox()
	h.pass(o)
	h.cost(7)
	h.pass(o)
	want := bom + "creditore;avviso;protocollo;iun;destinatario;da_attualizzare;parziale_cent;totale_cent;definitivo;il\r\n" +
		"77777777777;000000000000000007;P/1;I;1;si;100;207;no;2026-11-22T10:15:00+01:00\r\n"
	if got := h.read("costi/00000001.csv"); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := h.read("costi/.sequenza"); got != "00000001\r\n" {
		t.Errorf("mark %q", got)
	}
}

// Rule 28, golden, as above for aggiornamenti.
func TestRule28GoldenUpdates(t *testing.T) {
	h := newHouse(t)
	b := h.drop("tari.csv", 0, 1)
	h.pass(h.outbox())
	want := bom + strings.Join(updateColumns(), ";") + "\r\n" +
		"1;tari.csv;2;SCARTATA;C-TEST;nome;Il nome manca; scriverlo.;;simulator http://127.0.0.1;" + b.ID +
		";tari/1/1;;;;;;1;;;;;;;2026-11-22T10:15:00+01:00;;;\r\n"
	want = strings.Replace(want, "Il nome manca; scriverlo.", `"Il nome manca; scriverlo."`, 1)
	if got := h.read("aggiornamenti/00000001.csv"); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Rule 28: next = max(ledger, files present, mark) + 1. Damage prevented: after the
// loss of the ledger a number is given away twice.
func TestRule28NextNumber(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		mark  string
		want  string
	}{
		{"new outbox", nil, "", "00000001.csv"},
		{"files only", []string{"aggiornamenti/00000041.csv"}, "", "00000042.csv"},
		{"mark only", nil, "00000057\r\n", "00000058.csv"},
		{"files above the mark", []string{"aggiornamenti/00000060.csv", "stato.csv"}, "00000057", "00000061.csv"},
		{"waiting file counts", []string{"aggiornamenti/00000060.nuovo.csv"}, "00000001", "00000061.csv"},
		{"spoiled mark", []string{"aggiornamenti/00000003.csv"}, "x", "00000004.csv"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			for _, f := range c.files {
				h.write(f, "x")
			}
			if c.mark != "" {
				h.write(updatesDir+"/.sequenza", c.mark)
			}
			if c.mark != "" || len(c.files) > 0 {
				h.write(costsDir+"/.sequenza", "00000001")
			}
			h.drop("tari.csv", 0, 1)
			h.pass(h.outbox())
			if !slices.Contains(h.names(), "aggiornamenti/"+c.want) {
				t.Errorf("no %s in %v", c.want, h.names())
			}
		})
	}
}

// Rule 28. Damage prevented: an outbox whose numbering is lost starts at 1 again and
// the program skips everything as already read.
func TestRule28LostNumberingHolds(t *testing.T) {
	h := newHouse(t)
	h.write("vecchio.20250101T000000-00000000.esito.csv", "x")
	b := h.drop("tari.csv", 1, 1)
	o := h.outbox()
	r := h.pass(o)
	if !slices.Equal(r.Lost, []string{"aggiornamenti", "costi"}) {
		t.Errorf("lost %v", r.Lost)
	}
	if r.Outcomes != 1 || r.Updates != 0 {
		t.Errorf("report %+v", r)
	}
	if held := h.holdReason(); held != HoldSequence {
		t.Errorf("flow held for %q", held)
	}
	due, err := h.ledger.DueToSend(h.ctx, testSender, 10)
	h.must(err)
	if len(due) != 0 {
		t.Error("a held flow sends")
	}
	if s := h.read(statusName); !strings.Contains(s, "--sequence-from") || !strings.Contains(s, b.ID) {
		t.Errorf("stato.csv does not say what to do: %s", s)
	}
	h.pass(o)
	h.must(o.Resume(h.ctx, 58))
	r = h.pass(h.outbox()) // the service, started anew
	if len(r.Lost) != 0 || h.holdReason() != "" {
		t.Errorf("lost %v, held %q", r.Lost, h.holdReason())
	}
	if !slices.Contains(h.names(), "aggiornamenti/00000058.csv") {
		t.Errorf("files %v", h.names())
	}
}

// Damage prevented: a person's slip gives an old number to new bytes.
func TestRule28ResumeRefusesUsedNumbers(t *testing.T) {
	h := newHouse(t)
	h.write("stato.csv", "x")
	h.write("aggiornamenti/00000060.csv", "x")
	o := h.outbox()
	if r := h.pass(o); !slices.Equal(r.Lost, []string{"costi"}) {
		t.Fatalf("lost %v", r.Lost)
	}
	var refused *SequenceError
	if err := o.Resume(h.ctx, 0); !errors.As(err, &refused) || refused.Next != 1 {
		t.Errorf("number 0: %v", err)
	}
	h.must(o.Resume(h.ctx, 9))
	if err := o.Resume(h.ctx, 9); err != nil {
		t.Errorf("repeated: %v", err)
	}
}

// Damage prevented: a hold that a person set is taken over and then dropped by us.
func TestRule28KeepsOtherHolds(t *testing.T) {
	h := newHouse(t)
	h.write("stato.csv", "x")
	h.update(func(tx *ledger.Tx) error {
		return tx.PutHold(ledger.Hold{Scope: ledger.HoldFlow, Name: testFlow, Reason: "operator", Detail: "Fermo per verifica"})
	})
	o := h.outbox()
	h.pass(o)
	h.must(o.Resume(h.ctx, 1))
	h.pass(o)
	if held := h.holdReason(); held != "operator" {
		t.Errorf("flow held for %q", held)
	}
}

// Rule 11. Damage prevented: programs get a rejected row twice, or the snapshot of a
// row already known as if it were news.
func TestRule11WhatFeedsUpdates(t *testing.T) {
	h := newHouse(t)
	h.drop("tari.csv", 2, 1)
	o := h.outbox()
	h.pass(o)
	first := h.table("aggiornamenti/00000001.csv")
	if len(first) != 1 || first[0]["send_esito"] != "SCARTATA" {
		t.Fatalf("first file %v", first)
	}
	h.now = h.now.Add(2 * h.outbox().opts.Refresh)
	h.count-- // the same protocol numbers again
	b := h.redrop("tari.csv", 2)
	h.pass(o)
	for _, r := range h.table(outcomeName(b)) {
		if r["send_esito"] != "GIA_PRESENTE" {
			t.Errorf("line %v", r)
		}
	}
	for name := range h.files() {
		if strings.HasPrefix(name, "aggiornamenti/0") && name != "aggiornamenti/00000001.csv" {
			t.Errorf("a row already known made %s", name)
		}
	}
}

// Rule 28. Damage prevented: a number gets other bytes because a part of the log is
// gone, or one broken sequence stops everything else.
func TestRule28TornLogIsTold(t *testing.T) {
	h := newHouse(t)
	h.pass(h.outbox())
	h.update(func(tx *ledger.Tx) error {
		return tx.PutPublication(&ledger.Publication{
			Outbox: testOutbox, Kind: kindUpdates, Name: "00000001", File: "aggiornamenti/00000001.csv", From: 1, To: 9,
		})
	})
	b := h.drop("tari.csv", 1, 2)
	h.cost(1)
	_, err := h.outbox().Pass(h.ctx, h.state())
	var torn *LogError
	if !errors.As(err, &torn) || torn.Missing != 3 {
		t.Errorf("error %v", err)
	}
	names := h.names()
	if slices.Contains(names, "aggiornamenti/00000001.csv") || !slices.Contains(names, "costi/00000001.csv") ||
		!slices.Contains(names, outcomeName(b)) || !strings.Contains(h.read(statusName), b.ID) {
		t.Errorf("files %v", names)
	}
}
