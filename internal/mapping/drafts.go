package mapping

import (
	"errors"
	"hash/maphash"
	"iter"
	"slices"
	"strings"

	"sendconnector/internal/notification"
	"sendconnector/internal/table"
)

// Rows is a stream of rows, as readers give it.
type Rows = iter.Seq2[table.Row, error]

// ErrChanged says that a file gave other rows when it was read again.
var ErrChanged = errors.New("the rows changed between two readings of the file")

// Drafts maps rows to drafts. Every row is in exactly one draft. Without group_by each
// row is one, and rows are read once. With it the rows are read twice: once to count
// how many belong together, then again through reopen; a draft comes out when its last
// row has been read. An error of the stream ends it.
func (m *Mapper) Drafts(rows Rows, reopen func() (Rows, error)) iter.Seq2[*Draft, error] {
	if m.jsonl {
		return DraftsJSONL(rows, m.d)
	}
	return func(yield func(*Draft, error) bool) {
		if len(m.group) > 0 {
			m.grouped(rows, reopen, yield)
			return
		}
		for row, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(m.build([]table.Row{row}), nil) {
				return
			}
		}
	}
}

// key is the group of a row, "" where it cannot be told; what is wrong then is in the
// problems.
func (m *Mapper) key(row *table.Row) (string, []notification.Problem) {
	r := rowReader{m: m, row: row}
	if len(m.group) == 1 {
		return r.get(m.group[0]), r.problems
	}
	parts := make([]string, len(m.group))
	for i, g := range m.group {
		parts[i] = r.get(g)
	}
	if strings.Join(parts, "") == "" {
		return "", r.problems
	}
	return strings.Join(parts, "\x00"), r.problems
}

// grouped is Drafts for a profile with group_by.
func (m *Mapper) grouped(rows Rows, reopen func() (Rows, error), yield func(*Draft, error) bool) {
	g := &grouping{m: m, seed: maphash.MakeSeed(), open: map[uint64]openGroup{}, held: newHolder(m.d.TempDir)}
	defer g.held.close()
	for row, err := range rows {
		if err != nil {
			yield(nil, err)
			return
		}
		m.typed = m.typed || row.Kinds != nil
		if key, _ := m.key(&row); key != "" {
			g.hashes = append(g.hashes, maphash.String(g.seed, key))
		}
	}
	slices.Sort(g.hashes)
	again, err := reopen()
	if err != nil {
		yield(nil, err)
		return
	}
	for row, err := range again {
		if err != nil {
			yield(nil, err)
			return
		}
		drafts, err := g.take(row)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, d := range drafts {
			if !yield(d, nil) {
				return
			}
		}
	}
	if len(g.open) > 0 || g.seen != len(g.hashes) {
		yield(nil, ErrChanged)
	}
}

// grouping holds rows until their group is complete. Rows are counted by a hash of
// their group's key; two keys with one hash only wait for each other.
type grouping struct {
	m      *Mapper
	seed   maphash.Seed
	hashes []uint64 // one for each row, sorted: eight bytes a row, where a map takes forty
	seen   int
	open   map[uint64]openGroup
	held   *holder
}

// count is how many rows a group has, by the first reading.
func (g *grouping) count(h uint64) int32 {
	from, _ := slices.BinarySearch(g.hashes, h)
	n := int32(0)
	for from < len(g.hashes) && g.hashes[from] == h {
		from++
		n++
	}
	return n
}

// openGroup is a group of which rows are still to come.
type openGroup struct {
	left int32
	last int64 // the row held last; each names the one before it
}

func (g *grouping) take(row table.Row) ([]*Draft, error) {
	key, problems := g.m.key(&row)
	if key == "" {
		return []*Draft{g.m.keyless(row, problems)}, nil
	}
	h := maphash.String(g.seed, key)
	state, begun := g.open[h]
	if !begun {
		state = openGroup{left: g.count(h), last: noRow}
	}
	g.seen++
	if state.left--; state.left < 0 {
		return nil, ErrChanged
	}
	if state.left > 0 {
		id, err := g.held.add(row, state.last)
		if err != nil {
			return nil, err
		}
		state.last = id
		g.open[h] = state
		return nil, nil
	}
	delete(g.open, h)
	rows, err := g.held.chain(state.last)
	if err != nil {
		return nil, err
	}
	return g.complete(append(rows, row)), nil
}

// complete builds the drafts of the rows of one hash, in most cases a single one.
func (g *grouping) complete(rows []table.Row) []*Draft {
	if len(rows) == 1 {
		return []*Draft{g.m.build(rows)}
	}
	var keys []string
	byKey := map[string][]table.Row{}
	for _, row := range rows {
		key, _ := g.m.key(&row)
		if _, known := byKey[key]; !known {
			keys = append(keys, key)
		}
		byKey[key] = append(byKey[key], row)
	}
	drafts := make([]*Draft, len(keys))
	for i, key := range keys {
		drafts[i] = g.m.build(byKey[key])
	}
	return drafts
}

// keyless is the draft of a row whose group cannot be told: it can only be refused.
func (m *Mapper) keyless(row table.Row, problems []notification.Problem) *Draft {
	d := m.build([]table.Row{row})
	labels := make([]string, len(m.group))
	for i, g := range m.group {
		labels[i] = g.label
	}
	for _, p := range problems {
		if !containsProblem(d.Rows[0].Problems, p) {
			d.Rows[0].Problems = append(d.Rows[0].Problems, p)
		}
	}
	d.Rows[0].Problems = append(d.Rows[0].Problems, notification.New(m.d.Lang, "C-GROUP-KEY", strings.Join(labels, ", ")))
	return d
}

func containsProblem(all []notification.Problem, p notification.Problem) bool {
	for _, q := range all {
		if q == p {
			return true
		}
	}
	return false
}

// DraftsJSONL maps lines of SEND's own JSON, one draft a line; no profile is needed.
// The sender's own data fill in what a line leaves out; another sender's tax code is an
// error.
func DraftsJSONL(rows Rows, d Defaults) iter.Seq2[*Draft, error] {
	if d.Lang == "" {
		d.Lang = notification.Italian
	}
	m := &Mapper{d: d, jsonl: true}
	return func(yield func(*Draft, error) bool) {
		for row, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(m.line(row), nil) {
				return
			}
		}
	}
}

func (m *Mapper) line(row table.Row) *Draft {
	text := ""
	if len(row.Cells) > 0 {
		text = row.Cells[0]
	}
	r, problems := notification.Decode([]byte(text), m.d.Lang)
	d := &Draft{Request: r, m: m, single: true, Rows: []DraftRow{{Row: row, Problems: problems}}}
	if r == nil {
		return d
	}
	switch {
	case r.SenderTaxID == "":
		r.SenderTaxID = m.d.SenderTaxID
	case m.d.SenderTaxID != "" && r.SenderTaxID != m.d.SenderTaxID:
		d.Rows[0].Problems = append(d.Rows[0].Problems, notification.New(m.d.Lang, "C-SENDER-OTHER", "senderTaxId", "value", clip(r.SenderTaxID), "sender", m.d.SenderTaxID, "expected", m.d.SenderTaxID))
	}
	r.SenderDenomination = first(r.SenderDenomination, m.d.SenderDenomination)
	r.Group = first(r.Group, m.d.Group)
	for i := range r.Recipients {
		d.Rows[0].Recipients = append(d.Rows[0].Recipients, i)
	}
	return d
}
