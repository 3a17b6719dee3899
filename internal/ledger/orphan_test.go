package ledger

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func orphansFor(w *world, requestID, protocol, token string) (elements []string) {
	w.t.Helper()
	w.ok(w.l.View(bg, func(tx *Tx) error {
		elements = nil
		found, err := tx.OrphansFor(requestID, protocol, token)
		for _, o := range found {
			elements = append(elements, o.ElementID)
		}
		return err
	}))
	return elements
}

// Damage: the index of orphans hides an event, so that a notification never learns of
// it; or keeps what was dropped. The world's verification compares both ways.
func TestOrphansByIndex(t *testing.T) {
	w := newWorld(t)
	add := func(o Orphan) {
		w.now = w.now.Add(time.Hour)
		w.update(func(tx *Tx) error { return tx.AddOrphan(&o) })
	}
	add(Orphan{RequestID: "r1", Protocol: "P", Token: "t1", ElementID: "E3"})
	add(Orphan{RequestID: "r2", Protocol: "P", Token: "t1", ElementID: "E2"})
	add(Orphan{RequestID: "r1", ElementID: "E1"})
	add(Orphan{RequestID: "r1", ElementID: "E1"}) // repeated later: the first counts
	add(Orphan{Protocol: "P", Token: "t1", ElementID: "E0"})
	add(Orphan{ElementID: "E9"}) // can never be anybody's
	w.restart()
	equal(t, "by request id", orphansFor(w, "r1", "", ""), []string{"E3", "E1"})
	equal(t, "by token", orphansFor(w, "", "P", "t1"), []string{"E3", "E2", "E0"})
	equal(t, "by both, each once", orphansFor(w, "r1", "P", "t1"), []string{"E3", "E2", "E1", "E0"})
	equal(t, "by nothing", orphansFor(w, "", "", ""), nil)
	w.update(func(tx *Tx) error {
		found, err := tx.OrphansFor("r1", "", "")
		for _, o := range found {
			w.ok(tx.DropOrphan(o))
		}
		return err
	})
	equal(t, "what is left", orphansFor(w, "r1", "P", "t1"), []string{"E2", "E0"})
	w.update(func(tx *Tx) error { return tx.DropOrphans(w.now.Add(-time.Minute)) })
	equal(t, "what is not old", orphansFor(w, "r2", "P", "t1"), nil)
	w.verify()
	w.now = w.now.Add(9 * 24 * time.Hour)
	w.update(func(tx *Tx) error { return tx.DropOrphans(time.Time{}) })
	w.ok(w.l.View(bg, func(tx *Tx) error {
		if tx.any(bOrphan, nil) || tx.any(bOrphanOf, nil) {
			t.Error("kept for more than eight days")
		}
		return nil
	}))
}

// Damage: a ledger of the first schema is opened, and its orphans are lost to those
// that they belong to.
func TestMigrationIndexesOrphans(t *testing.T) {
	w := newWorld(t)
	w.update(func(tx *Tx) error {
		for i := range 40 {
			if err := tx.AddOrphan(&Orphan{RequestID: fmt.Sprint("r", i%20), Protocol: "P", Token: fmt.Sprint("t", i), ElementID: fmt.Sprint("E", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	w.ok(w.l.db.Update(func(b *bbolt.Tx) error {
		if err := b.DeleteBucket([]byte(bucketNames[bOrphanOf])); err != nil {
			return err
		}
		return putMeta(b, "schema", 1)
	}))
	w.ok(w.l.Close())
	w.ok(CheckFile(w.path)) // a copy that an older program made is as good as any
	w.open()
	got := orphansFor(w, "r7", "P", "t3")
	slices.Sort(got)
	equal(t, "after the migration", got, []string{"E27", "E3", "E7"})
	w.verify()
}

// Another program of the same sender leaves all its events for eight days: neither
// theirs nor ours may cost more the more there are.
func BenchmarkOrphans(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := &world{t: b, path: filepath.Join(b.TempDir(), "ledger.db"), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
			w.open()
			defer w.l.Close() //nolint:errcheck // a benchmark's scratch file
			i := 0
			add := func(tx *Tx) {
				i++
				w.ok(tx.AddOrphan(&Orphan{RequestID: fmt.Sprint("request-", i), Protocol: "P", Token: fmt.Sprint("t", i), ElementID: "E", Raw: []byte(`{"category":"REQUEST_ACCEPTED"}`)}))
			}
			w.update(func(tx *Tx) error {
				for range n {
					add(tx)
				}
				return nil
			})
			w.update(func(tx *Tx) error {
				for b.Loop() {
					add(tx)
					if found, err := tx.OrphansFor(fmt.Sprint("request-", i), "P", "none"); err != nil || len(found) != 1 {
						b.Fatal(len(found), err)
					}
				}
				return nil
			})
		})
	}
}
