package outbox

import (
	"fmt"
	"io"
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

// An update for 10 of n rows must cost what the 10 rows cost: compare the ns/op of
// the two sizes (design/measuring.md). The outcome file is left aside by a long
// Refresh, as it is in real life between two refreshes.
func BenchmarkUpdateOfTenRows(b *testing.B) {
	for _, rows := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("of=%d", rows), func(b *testing.B) {
			h := newHouse(b)
			batch := h.drop("grande.csv", rows, 0)
			ids := h.ids(batch.ID)[:10]
			h.accept(ids...)
			o := h.outbox(func(op *Options) { op.Refresh = 24 * time.Hour })
			h.pass(o)
			b.ResetTimer()
			for n := range b.N {
				b.StopTimer()
				h.now = h.now.Add(time.Second)
				h.update(func(tx *ledger.Tx) error {
					for _, id := range ids {
						note, err := tx.Notification(id)
						if err != nil {
							return err
						}
						note.SENDStatus = fmt.Sprintf("STATUS_%d", n)
						if err := tx.PutNotification(note); err != nil {
							return err
						}
					}
					return nil
				})
				b.StartTimer()
				if r := h.pass(o); r.Updates != 1 || r.Outcomes != 0 {
					b.Fatalf("report %+v", r)
				}
			}
			b.StopTimer()
		})
	}
}

// Bytes allocated a row must not grow with the file: its memory is that of a chunk.
func BenchmarkOutcomeFile(b *testing.B) {
	for _, rows := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			h := newHouse(b)
			batch := h.drop("grande.csv", rows, 0)
			o := h.outbox()
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				h.must(o.writeOutcome(h.ctx, batch, io.Discard))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
		})
	}
}
