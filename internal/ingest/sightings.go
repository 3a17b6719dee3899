package ingest

import (
	"context"
	"maps"
	"path"
	"slices"

	"sendconnector/internal/ledger"
)

// load takes from the ledger what earlier processes saw, once: deadlines and settled
// files survive from one `once` to the next.
func (i *Ingest) load(ctx context.Context, f *Flow, st *state) error {
	if st.loaded {
		return nil
	}
	err := i.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		clear(st.saved)
		all, err := tx.Sightings(f.Name)
		for _, s := range all {
			st.saved[s.File] = s
		}
		return err
	})
	if err != nil {
		return err
	}
	for file, s := range st.saved {
		st.seen[path.Join(f.in(), file)] = &seen{size: s.Size, modified: s.Modified, first: s.FirstSeen, since: s.Since}
	}
	st.loaded = true
	return nil
}

// remembers writes to the ledger what has changed in what waits: nothing, for files
// that wait as they did.
func (i *Ingest) remembers(ctx context.Context, f *Flow, st *state, r *Report) error {
	want := make(map[string]*ledger.Sighting, len(r.Waiting))
	for n := range r.Waiting {
		w := &r.Waiting[n]
		if w.silent {
			continue
		}
		want[w.File] = &ledger.Sighting{
			Flow: f.Name, File: w.File, Size: w.size, Modified: w.modified, FirstSeen: w.first, Since: w.Since,
			Reason: w.Code, Text: w.Text, Missing: w.Missing,
		}
	}
	var put []*ledger.Sighting
	for file, s := range want {
		if old := st.saved[file]; old == nil || !sameSighting(old, s) {
			put = append(put, s)
		}
	}
	var drop []string
	for file := range st.saved {
		if want[file] == nil {
			drop = append(drop, file)
		}
	}
	if len(put) == 0 && len(drop) == 0 {
		return nil
	}
	slices.SortFunc(put, func(a, b *ledger.Sighting) int { return compare(a.File, b.File) })
	err := i.step(StepSightings, func() error {
		return i.opts.Ledger.Update(ctx, func(tx *ledger.Tx) error {
			for _, s := range put {
				if err := tx.PutSighting(s); err != nil {
					return err
				}
			}
			for _, file := range drop {
				if err := tx.DropSighting(f.Name, file); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err == nil {
		st.saved = want
	}
	return err
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func sameSighting(a, b *ledger.Sighting) bool {
	return a.Size == b.Size && a.Modified.Equal(b.Modified) && a.FirstSeen.Equal(b.FirstSeen) &&
		a.Since.Equal(b.Since) && a.Reason == b.Reason && a.Text == b.Text && slices.Equal(a.Missing, b.Missing)
}

// forgetUnseen drops what the last pass did not see any more.
func (st *state) forgetUnseen() {
	maps.DeleteFunc(st.seen, func(_ string, s *seen) bool { return s.pass != st.pass })
	maps.DeleteFunc(st.needs, func(name string, _ *examined) bool { return st.seen[name] == nil })
}
