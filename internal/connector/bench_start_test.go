package connector

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// BenchmarkStart opens the connector on an empty ledger and on one with 1,000,000
// notifications (target: ready, that is opened and recovered, within 1 s), and has
// it look once for what is due at every stage that talks to SEND.
// NOTIFICATIONS sets another size.
func BenchmarkStart(b *testing.B) {
	n := 1_000_000
	if text := os.Getenv("NOTIFICATIONS"); text != "" {
		if _, err := fmt.Sscan(text, &n); err != nil {
			b.Fatal(err)
		}
	}
	for _, size := range []int{0, n} {
		b.Run(fmt.Sprintf("notifications=%d", size), func(b *testing.B) {
			w := newWorld(b)
			w.fillLedger(size)
			for b.Loop() {
				begin := time.Now()
				c, err := Open(context.Background(), w.cfg, w.opts)
				if err != nil {
					b.Fatal(err)
				}
				if err := c.recover(context.Background()); err != nil {
					b.Fatal(err)
				}
				ready := time.Now()
				look(b, c)
				b.ReportMetric(float64(ready.Sub(begin).Microseconds())/1e3, "ready-ms")
				b.ReportMetric(float64(time.Since(ready).Microseconds())/1e3, "first-look-ms")
				if err := c.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// look is a round of the stages that talk to SEND.
func look(b *testing.B, c *Connector) {
	b.Helper()
	ctx, s := context.Background(), c.senders["comune"]
	if _, err := c.hear(ctx, s); err != nil {
		b.Fatal(err)
	}
	if _, err := c.send(ctx, s); err != nil {
		b.Fatal(err)
	}
	if _, err := c.fetch(ctx, s); err != nil {
		b.Fatal(err)
	}
}

// fillLedger puts n notifications into the world's ledger, in a batch that awaits
// release, so that nothing is sent.
func (w *world) fillLedger(n int) {
	w.t.Helper()
	if n == 0 {
		return
	}
	ctx := context.Background()
	if err := os.MkdirAll(w.cfg.Data, 0o700); err != nil {
		w.t.Fatal(err)
	}
	l, err := ledger.Open(filepath.Join(w.cfg.Data, "ledger.db"), ledger.Options{Clock: time.Now, NoSync: true})
	if err != nil {
		w.t.Fatal(err)
	}
	s := w.cfg.Senders["comune"]
	batch := ledger.Batch{
		ID: "20260302T090000-abcdef01", Flow: "tari", Sender: "comune", SenderTaxID: s.TaxID, Environment: environmentOf(s),
		Outbox: w.cfg.Flows["tari"].Outbox, File: "tari.csv", ClaimedAt: time.Now(),
	}
	check := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	check(l.Begin(ctx, batch))
	const chunk = 1000
	for at := 0; at < n; at += chunk {
		items := make([]ledger.Item, 0, chunk)
		for i := at; i < min(n, at+chunk); i++ {
			items = append(items, benchItem(i, s.TaxID))
		}
		_, err := l.Admit(ctx, batch.ID, items)
		check(err)
	}
	_, err = l.Seal(ctx, batch.ID, ledger.Sealing{Release: ledger.AwaitsRelease})
	check(err)
	check(l.Close())
}

// benchItem is one row as admission gets it: one recipient, one notice, one PDF.
func benchItem(i int, senderTaxID string) ledger.Item {
	protocol := fmt.Sprintf("A/%07d", i)
	var hash [32]byte
	copy(hash[:], fmt.Sprintf("%032d", i))
	pdf := notification.Attachment{File: protocol + ".pdf", ContentType: notification.ContentPDF, Digests: &notification.Digests{SHA256: base64.StdEncoding.EncodeToString(hash[:])}}
	fee, vat := 100, 22
	r := &notification.Request{
		PaProtocolNumber: protocol, Subject: "Avviso TARI", SenderTaxID: senderTaxID, SenderDenomination: "Comune di Borgo Esempio",
		NotificationFeePolicy: notification.FeeDeliveryMode, PhysicalCommunicationType: notification.PaperAR, TaxonomyCode: "010201P",
		PaFee: &fee, Vat: &vat, Documents: []notification.Document{{Title: "Avviso", Attachment: pdf}},
		Recipients: []notification.Recipient{{
			RecipientType: notification.NaturalPerson, TaxID: fmt.Sprintf("FRMTTR76M06B%03dE", i%1000), Denomination: "Ettore Fieramosca",
			PhysicalAddress: &notification.PhysicalAddress{Address: fmt.Sprintf("VIA ROMA %d", i%500), Zip: "20123", Municipality: "MILANO", Province: "MI"},
			Payments:        []notification.Payment{{PagoPa: &notification.PagoPa{NoticeCode: noticeOf(i), CreditorTaxID: senderTaxID, ApplyCost: true}}},
		}},
	}
	return ledger.Item{
		Request: r, Protocol: protocol, Print: notification.FingerprintOf(r),
		Documents: []ledger.Document{{
			Field: "documents[0]", File: pdf.File, Spool: "spool/" + hex.EncodeToString(hash[:8]), Hash: hex.EncodeToString(hash[:]),
			Size: 50_000, ContentType: notification.ContentPDF,
		}},
		Rows: []ledger.ItemRow{{Number: i + 2, Recipients: []int{0}, Cells: []string{
			protocol, "Avviso TARI", "PF", "FRMTTR76M06B715E", "Ettore Fieramosca", "VIA ROMA 1", "20123", "MILANO", "MI", noticeOf(i), senderTaxID, pdf.File,
		}}},
	}
}
