package reader

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"sendconnector/internal/table"
)

// The columns by which an outcome file is known, and the beginning of all names that
// we add (design/interface.md, rule 12).
const (
	outcomeRow    = "send_riga"
	outcomeResult = "send_esito"
	outcomePrefix = "send_"
)

// IsOutcome reports whether a heading is that of one of our outcome files.
func IsOutcome(h table.Heading) bool {
	return slices.Contains(h.Names, outcomeRow) && slices.Contains(h.Names, outcomeResult)
}

// openOutcomeCSV opens a text file as an outcome file if its first row says it is one;
// nil, nil if it does not. What a spreadsheet may have made of it is accepted: another
// delimiter, windows-1252, UTF-16.
func openOutcomeCSV(path string, f table.Format) (*File, error) {
	names, delim, err := outcomeNames(path)
	if err != nil || names == nil {
		return nil, err
	}
	return openCSV(path, table.Format{Kind: "csv", Delimiter: rune(delim), MaxRows: f.MaxRows})
}

// outcomeNames looks at the first line only, in the delimiters Excel saves.
func outcomeNames(path string) ([]string, byte, error) {
	file, err := openRaw(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, sniffBytes)
	n, _ := file.Read(head)
	text := strings.TrimPrefix(string(head[:n]), "\xef\xbb\xbf")
	if strings.HasPrefix(text, "\xff\xfe") {
		text = strings.ReplaceAll(text[2:], "\x00", "")
	}
	line, _, _ := strings.Cut(text, "\n")
	if d, ok := sepLine([]byte(strings.TrimSpace(line))); ok {
		line, _, _ = strings.Cut(text[strings.IndexByte(text, '\n')+1:], "\n")
		if names := splitNames(line, d); IsOutcome(table.Heading{Names: names}) {
			return names, d, nil
		}
	}
	for _, d := range []byte{';', '\t', ','} {
		if names := splitNames(line, d); IsOutcome(table.Heading{Names: names}) {
			return names, d, nil
		}
	}
	return nil, 0, nil
}

func splitNames(line string, delim byte) []string {
	names := strings.Split(strings.TrimRight(line, "\r"), string(rune(delim)))
	for i, n := range names {
		names[i] = strings.Trim(n, "\" ")
	}
	return names
}

// adaptOutcome shows the original columns only.
func adaptOutcome(file *File) (*File, error) {
	var keep []int
	var names []string
	rowColumn := -1
	for i, name := range file.heading.Names {
		switch {
		case name == outcomeRow:
			rowColumn = i
		case !strings.HasPrefix(name, outcomePrefix):
			keep, names = append(keep, i), append(names, unguard(name))
		}
	}
	if len(keep) == 0 {
		return nil, errors.Join(fileError("C-OUTCOME-JSONL"), file.Close())
	}
	inner := file.source
	file.outcome = true
	file.heading.Names = names
	file.source = func() (source, error) {
		src, err := inner()
		if err != nil {
			return nil, err
		}
		return &outcomeSource{source: src, keep: keep, rowColumn: rowColumn, seen: map[[16]byte]struct{}{}}, nil
	}
	return file.notEmpty()
}

// outcomeSource undoes what the outcome file did to the rows: guards off, our columns
// out, the lines of one row (one a recipient) made one again.
type outcomeSource struct {
	source
	keep      []int
	rowColumn int
	seen      map[[16]byte]struct{} // digests of (send_riga, original cells)
}

func (o *outcomeSource) next() (table.Row, error) {
	for {
		row, err := o.source.next()
		if err != nil {
			return row, err
		}
		original := o.original(row)
		number := strings.TrimSpace(row.Cells[o.rowColumn])
		if number == "" { // a row the clerk added
			return original, nil
		}
		key := digestOf(number, original.Cells)
		if _, again := o.seen[key]; again {
			continue
		}
		o.seen[key] = struct{}{}
		return original, nil
	}
}

func (o *outcomeSource) original(row table.Row) table.Row {
	out := table.Row{Number: row.Number, Cells: make([]string, len(o.keep))}
	if row.Kinds != nil {
		out.Kinds = make([]table.Kind, len(o.keep))
	}
	for to, from := range o.keep {
		out.Cells[to] = unguard(row.Cells[from])
		if row.Kinds != nil {
			out.Kinds[to] = row.KindOf(from)
		}
	}
	for _, f := range row.Faults {
		if f.Column < 0 {
			out.Faults = append(out.Faults, f)
		} else if to := slices.Index(o.keep, f.Column); to >= 0 {
			f.Column = to
			out.Faults = append(out.Faults, f)
		}
	}
	return out
}

// unguard removes the apostrophe that neutralised a cell a spreadsheet would have
// taken for a formula, and the ="…" that kept a code a text.
func unguard(cell string) string {
	if len(cell) >= 4 && strings.HasPrefix(cell, `="`) && strings.HasSuffix(cell, `"`) {
		return strings.ReplaceAll(cell[2:len(cell)-1], `""`, `"`)
	}
	if plain := table.Unguard(cell); plain != cell {
		return plain
	}
	if len(cell) >= 2 && cell[0] == '\'' && (strings.IndexByte("=+-@\t\r\n'", cell[1]) >= 0 || isDigit(cell[1])) {
		return cell[1:]
	}
	return cell
}

func digestOf(number string, cells []string) [16]byte {
	h := sha256.New()
	write := func(s string) {
		var size [8]byte
		binary.LittleEndian.PutUint64(size[:], uint64(len(s)))
		h.Write(size[:])
		h.Write([]byte(s))
	}
	write(number)
	for _, c := range cells {
		write(c)
	}
	return [16]byte(h.Sum(nil)[:16])
}
