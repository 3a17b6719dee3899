package ledger

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// PurgePlan says what a purge may remove.
type PurgePlan struct {
	// Batches: by flow, what has not changed since then may go. A flow that is not
	// named keeps everything.
	Batches map[string]time.Time
	// Logs: by outbox, what the logs behind aggiornamenti and costi told before then
	// may go, in whole files. An outbox that is not named keeps everything.
	Logs map[string]time.Time
	// DryRun only counts.
	DryRun bool
}

// Purged is what a purge removed, or would.
type Purged struct {
	Batches       []string // ids
	Rows          int
	Notifications int // each has left a tombstone
	Files         int // of aggiornamenti and costi whose ranges can no longer be written anew
}

// Purge removes what nobody needs any more (rule 30): whole batches of which every
// notification is final, with everything published and unchanged since the plan's
// time, and whole files' ranges of the logs; numbers are never given again. Of each
// notification a tombstone of digests stays for ever, which keeps its key, its notices
// and its act as taken as they were. A batch that a retained range still names stays
// too. Every step is one transaction, and what a crash leaves of a batch the next
// opening finishes.
func (l *Ledger) Purge(ctx context.Context, p PurgePlan) (Purged, error) {
	var done Purged
	if err := l.finishChores(ctx); err != nil {
		return done, err
	}
	floors := map[string]uint64{} // by outbox: the last entry of the log behind aggiornamenti that goes
	for outbox, before := range p.Logs {
		for _, q := range []logOf{changesLog, costsLog} {
			floor, err := l.purgeLog(ctx, q, outbox, before, p.DryRun, &done)
			if err != nil {
				return done, err
			}
			if q == changesLog {
				floors[outbox] = floor
			}
		}
	}
	named, err := l.namedInLogs(ctx, floors)
	if err != nil {
		return done, err
	}
	if err := l.purgeBatches(ctx, p, named, &done); err != nil || p.DryRun {
		return done, err
	}
	return done, l.Update(ctx, func(t *Tx) error { return t.put(bMeta, []byte("purged"), strconv.AppendInt(nil, t.now.Unix(), 10)) })
}

// LastPurge tells when the last purge ended; the zero time if none ever did.
func (l *Ledger) LastPurge(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := l.View(ctx, func(t *Tx) error {
		at = time.Time{}
		if n := metaNumber(t.b, "purged"); n > 0 {
			at = time.Unix(int64(n), 0).UTC()
		}
		return nil
	})
	return at, err
}

// logOf is one of the two append-only logs with the files cut from it.
type logOf struct {
	in   bucket
	kind string // of its publications
}

var (
	changesLog = logOf{bChange, "aggiornamenti"}
	costsLog   = logOf{bCost, "costi"}
)

// purgeLog removes the ranges of published files whose every entry is from before, but
// never the latest file's: that one holds the number to go on from. It gives the last
// entry that goes.
func (l *Ledger) purgeLog(ctx context.Context, q logOf, outbox string, before time.Time, dry bool, done *Purged) (floor uint64, err error) {
	var old []*Publication
	err = l.View(ctx, func(t *Tx) error {
		var all []*Publication
		if err := t.Publications(outbox, q.kind, func(p *Publication) bool {
			all = append(all, p)
			return true
		}); err != nil {
			return err
		}
		slices.SortFunc(all, func(a, b *Publication) int { return int(int64(a.To) - int64(b.To)) })
		old = nil
		for i := 0; i < len(all)-1 && all[i].Hash != ""; i++ {
			late, err := t.toldSince(q, all[i], before)
			if err != nil || late {
				return err
			}
			old = append(old, all[i])
		}
		return nil
	})
	for _, p := range old {
		floor = max(floor, p.To)
		if err == nil && !dry {
			err = l.purgeRange(ctx, q, p)
		}
		if p.From > 0 {
			done.Files++
		}
	}
	return floor, err
}

// toldSince tells whether the last entry of a file is not from before.
func (t *txn) toldSince(q logOf, p *Publication, before time.Time) (bool, error) {
	if p.From == 0 || p.To < p.From {
		return !p.At.Before(before), nil // where a numbering begins: no entries
	}
	key := logKey(p.Outbox, p.To)
	v := t.get(q.in, key)
	if v == nil {
		return false, nil
	}
	if q == costsLog {
		var c CostChange
		err := t.decode(q.in, key, v, &c)
		return !c.At.Before(before), err
	}
	s, err := t.readChange(key, v)
	if err != nil {
		return false, err
	}
	return !s.At.Before(before), nil
}

// purgeRange removes the entries of a file, a chunk at a time from the first on, and
// its publication with the last.
func (l *Ledger) purgeRange(ctx context.Context, q logOf, p *Publication) error {
	for more := true; more; {
		err := l.Update(ctx, func(t *Tx) error {
			left := chunk
			if err := t.dropWhile(q.in, named(p.Outbox, ""), func(k []byte) bool {
				left--
				return left >= 0 && binary.BigEndian.Uint64(k[len(p.Outbox)+1:]) <= p.To
			}); err != nil {
				return err
			}
			if more = left < 0; more {
				return nil
			}
			return t.DropPublication(p.Outbox, p.Kind, p.Name)
		})
		if err != nil {
			return fmt.Errorf("purge %s %s: %w", p.Kind, p.Name, err)
		}
	}
	return nil
}

// namedInLogs gives the numbers of the batches that entries of the log behind
// aggiornamenti belong to which stay: those after the floors.
func (l *Ledger) namedInLogs(ctx context.Context, floors map[string]uint64) (map[uint64]bool, error) {
	found := map[uint64]bool{}
	var from []byte
	for {
		var next []byte
		err := l.View(ctx, func(t *Tx) error { // in several views: a long one makes the file grow
			next = nil
			left := 10 * chunk
			return t.each(bChange, nil, from, func(k, v []byte) (bool, error) {
				if left--; left < 0 {
					next = slices.Clone(k)
					return false, nil
				}
				if binary.BigEndian.Uint64(k[len(k)-8:]) <= floors[string(k[:len(k)-9])] {
					return true, nil
				}
				s, err := t.readChange(k, v)
				if err == nil {
					found[s.No] = true
				}
				return true, err
			})
		})
		if err != nil || next == nil {
			return found, err
		}
		from = next
	}
}
