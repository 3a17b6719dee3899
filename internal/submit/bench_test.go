package submit_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
	"sendconnector/internal/simulator"
	"sendconnector/internal/submit"
)

// BenchmarkSend sends notifications of two 50 kB PDFs each to the simulator on the
// same machine, every step durable (design/measuring.md: at least ten times the
// platform's 50 requests a second, at most 0.2 syncs a notification).
func BenchmarkSend(b *testing.B) {
	data := b.TempDir()
	sim := simulator.New(simulator.Options{
		Senders: []simulator.Sender{{ID: "pa", TaxID: simulator.DemoTaxID, Name: "Comune di Borgo Esempio"}},
		Keys:    []simulator.APIKey{{Value: "key", Sender: "pa"}},
	})
	defer sim.Close()
	srv := httptest.NewServer(sim)
	defer srv.Close()
	sim.SetBaseURL(srv.URL)
	client, err := send.New(send.Config{BaseURL: srv.URL, APIKey: "key", Limits: send.Limits{PerSecond: 1e6, Burst: 1e6}, Transfers: 16})
	if err != nil {
		b.Fatal(err)
	}
	l, err := ledger.Open(filepath.Join(data, "ledger.db"), ledger.Options{Clock: sim.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	admitBench(b, l, data)
	s := submit.New(submit.Options{Ledger: l, Client: client, Sender: lifeSender, Data: data, Clock: sim.Now, Uploads: 16})
	before := l.Commits()
	b.ResetTimer()
	r, err := s.Pass(context.Background())
	if err != nil || r.Submitted != b.N {
		b.Fatalf("%+v, %v", r, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "notifications/s")
	b.ReportMetric(float64(l.Commits()-before)/float64(b.N), "syncs/notification")
	calls := sim.Calls()
	b.ReportMetric(float64(calls["create"]+calls["preload"])/float64(b.N), "calls/notification")
}

func admitBench(b *testing.B, l *ledger.Ledger, data string) {
	b.Helper()
	body := "%PDF-1.7\n" + strings.Repeat("x", 50_000)
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	if err := os.WriteFile(filepath.Join(data, hash), []byte(body), 0o600); err != nil {
		b.Fatal(err)
	}
	w := &life{data: data}
	put := func(tx *ledger.Tx, i int) error {
		n := w.bare(i)
		for j := range n.Documents {
			d := &n.Documents[j]
			d.File, d.Spool, d.Hash, d.Size = "x.pdf", hash, hash, int64(len(body))
		}
		return tx.PutNotification(n)
	}
	err := l.Update(context.Background(), func(tx *ledger.Tx) error {
		if err := tx.PutBatch(&ledger.Batch{
			ID: lifeBatch, Flow: "tari", Sender: lifeSender, SenderTaxID: simulator.DemoTaxID, Environment: "test", Outbox: "out",
			File: "tari.csv", State: ledger.Sealed, Release: ledger.Released,
		}); err != nil {
			return err
		}
		for i := range b.N {
			if err := put(tx, i); err != nil {
				return fmt.Errorf("row %d: %w", i, err)
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
