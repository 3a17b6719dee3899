package ingest

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"sendconnector/internal/ledger"
)

// findEarlier seeks what is missing in earlier batches of the flow, for the same
// protocol number and name (rule 27), and decides what becomes of the rest: of the
// rows that name it, or of the whole file.
func (i *Ingest) findEarlier(ctx context.Context, f *Flow, v *verdict) error {
	if len(v.missing) == 0 {
		return nil
	}
	found, err := i.earlier(ctx, f, v.missing)
	if err != nil {
		return err
	}
	rest := v.missing[:0]
	for _, m := range v.missing {
		c, ok := found[Missing{Name: m.Name, Protocol: m.Protocol}]
		if !ok {
			rest = append(rest, m)
			continue
		}
		v.documents = append(v.documents, c)
	}
	v.missing = rest
	return nil
}

// earlier looks through the batches of the flow, newest first.
func (i *Ingest) earlier(ctx context.Context, f *Flow, missing []Missing) (map[Missing]Copy, error) {
	wanted := map[string][]string{} // protocol → names
	for _, m := range missing {
		if m.Protocol != "" {
			wanted[m.Protocol] = append(wanted[m.Protocol], m.Name)
		}
	}
	var found map[Missing]Copy
	err := i.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		found = map[Missing]Copy{}
		var batches []*ledger.Batch
		err := tx.Batches(func(b *ledger.Batch) bool {
			if b.Flow == f.Name && b.SenderTaxID == f.SenderTaxID && b.Environment == f.Environment && b.State == ledger.Sealed {
				batches = append(batches, b)
			}
			return true
		})
		if err != nil {
			return err
		}
		slices.SortFunc(batches, func(a, b *ledger.Batch) int {
			return -strings.Compare(a.ClaimedAt.UTC().Format(sortable)+a.ID, b.ClaimedAt.UTC().Format(sortable)+b.ID)
		})
		for _, head := range batches {
			if len(found) == len(missing) {
				return nil
			}
			if err := earlierIn(tx, head.ID, wanted, found); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// sortable is a layout whose texts sort as their times.
const sortable = "20060102T150405.000000000"

// earlierIn takes from one batch what it has.
func earlierIn(tx *ledger.Tx, id string, wanted map[string][]string, found map[Missing]Copy) error {
	b, err := tx.Batch(id)
	if err != nil {
		return err
	}
	spool := map[string]ledger.SpoolFile{}
	for _, s := range b.Spool {
		spool[s.Name] = s
	}
	return tx.Rows(id, func(r *ledger.Row) bool {
		for _, name := range wanted[r.Protocol] {
			s, ok := spool[name]
			key := Missing{Name: name, Protocol: r.Protocol}
			if _, have := found[key]; !ok || have || s.Hash == b.Hash {
				continue
			}
			found[key] = Copy{
				File:  File{Dest: path.Join("earlier", b.ID, earlierName(s)), Size: s.Size},
				Names: []string{name}, From: b.ID, Protocol: r.Protocol, FromSpool: s.Path, FromArchive: b.Archive, FromHash: s.Hash,
			}
		}
		return true
	})
}

// earlierName is the name under which a document of an earlier drop is archived
// again: unique, whatever the row called it.
func earlierName(s ledger.SpoolFile) string {
	return s.Hash[:min(16, len(s.Hash))] + "-" + strconv.FormatInt(s.Size, 10) + extension(s.Path)
}
