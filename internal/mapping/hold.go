package mapping

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"sendconnector/internal/table"
)

// heldBytes is how much text of waiting rows is kept in memory; the rest goes to a
// temporary file.
const heldBytes = 16 << 20

// noRow ends a chain of held rows.
const noRow = int64(-1)

// holder keeps rows until their group is complete. Ids are even for rows in memory and
// odd for rows in the file. The file is private to the process and removed by close;
// after a crash the system's clean-up of temporary files, or the owner of the folder,
// removes it: nothing in it is needed again.
type holder struct {
	folder string
	limit  int
	memory map[int64]heldRow
	bytes  int
	nextID int64
	file   *os.File
	size   int64 // bytes written or waiting in buffer
	buffer []byte
}

type heldRow struct {
	row    table.Row
	before int64
	bytes  int
}

func newHolder(folder string) *holder {
	return &holder{folder: folder, limit: heldBytes, memory: map[int64]heldRow{}}
}

// add keeps a row; before is the id of the row of its group held last.
func (h *holder) add(row table.Row, before int64) (int64, error) {
	size := 128
	for _, c := range row.Cells {
		size += len(c) + 16
	}
	if h.bytes+size <= h.limit {
		id := h.nextID << 1
		h.nextID++
		h.memory[id] = heldRow{row, before, size}
		h.bytes += size
		return id, nil
	}
	return h.spill(row, before)
}

// spill writes a row to the file.
func (h *holder) spill(row table.Row, before int64) (int64, error) {
	if h.file == nil {
		file, err := os.CreateTemp(h.folder, "connector-rows-*.tmp")
		if err != nil {
			return 0, fmt.Errorf("hold rows: %w", err)
		}
		h.file = file
	}
	at := h.size
	record := encodeRow(row, before)
	h.buffer = binary.AppendUvarint(h.buffer, uint64(len(record)))
	h.size = at + int64(uvarintLen(uint64(len(record)))) + int64(len(record))
	h.buffer = append(h.buffer, record...)
	if len(h.buffer) >= 256<<10 {
		if err := h.flush(); err != nil {
			return 0, err
		}
	}
	return at<<1 | 1, nil
}

func (h *holder) flush() error {
	if _, err := h.file.WriteAt(h.buffer, h.size-int64(len(h.buffer))); err != nil {
		return fmt.Errorf("hold rows: %w", err)
	}
	h.buffer = h.buffer[:0]
	return nil
}

// chain gives back the rows that end with id, oldest first, and forgets them.
func (h *holder) chain(id int64) ([]table.Row, error) {
	var rows []table.Row
	for id != noRow {
		held, inMemory := h.memory[id]
		if inMemory {
			delete(h.memory, id)
			h.bytes -= held.bytes
		} else {
			var err error
			if held.row, held.before, err = h.load(id >> 1); err != nil {
				return nil, err
			}
		}
		rows = append(rows, held.row)
		id = held.before
	}
	slices.Reverse(rows)
	return rows, nil
}

func (h *holder) load(at int64) (table.Row, int64, error) {
	if h.file == nil {
		return table.Row{}, 0, errHeld
	}
	if len(h.buffer) > 0 {
		if err := h.flush(); err != nil {
			return table.Row{}, 0, err
		}
	}
	head := make([]byte, binary.MaxVarintLen64)
	n, err := h.file.ReadAt(head, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return table.Row{}, 0, fmt.Errorf("hold rows: %w", err)
	}
	length, used := binary.Uvarint(head[:n])
	if used <= 0 || length > 64<<20 {
		return table.Row{}, 0, errHeld
	}
	record := make([]byte, length)
	if _, err := h.file.ReadAt(record, at+int64(used)); err != nil {
		return table.Row{}, 0, fmt.Errorf("hold rows: %w", err)
	}
	return decodeRow(record)
}

// close removes the temporary file. That it could not be removed is no reason to stop:
// its folder is cleared at the next start.
func (h *holder) close() {
	if h.file == nil {
		return
	}
	name := h.file.Name()
	_ = h.file.Close()
	_ = os.Remove(name)
	h.file = nil
}

var errHeld = errors.New("hold rows: the temporary file is damaged")

func uvarintLen(n uint64) int { return len(binary.AppendUvarint(nil, n)) }

// encodeRow writes a row in a form of its own, only ever read by this process.
func encodeRow(row table.Row, before int64) []byte {
	out := binary.AppendVarint(nil, before)
	out = binary.AppendVarint(out, int64(row.Number))
	out = binary.AppendUvarint(out, uint64(len(row.Cells)))
	for _, c := range row.Cells {
		out = appendText(out, c)
	}
	out = binary.AppendUvarint(out, uint64(len(row.Kinds)))
	for _, k := range row.Kinds {
		out = append(out, byte(k))
	}
	out = binary.AppendUvarint(out, uint64(len(row.Faults)))
	for _, f := range row.Faults {
		out = binary.AppendVarint(out, int64(f.Column))
		out = appendText(appendText(out, f.Code), f.Detail)
	}
	return out
}

func appendText(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

func decodeRow(record []byte) (row table.Row, before int64, err error) {
	d := rowDecoder{rest: record}
	before = d.signed()
	row.Number = int(d.signed())
	row.Cells = make([]string, d.count())
	for i := range row.Cells {
		row.Cells[i] = d.text()
	}
	if n := d.count(); n > 0 {
		row.Kinds = make([]table.Kind, n)
		for i := range row.Kinds {
			row.Kinds[i] = table.Kind(d.octet())
		}
	}
	for range d.count() {
		row.Faults = append(row.Faults, table.Fault{Column: int(d.signed()), Code: d.text(), Detail: d.text()})
	}
	if d.bad {
		return row, 0, errHeld
	}
	return row, before, nil
}

// rowDecoder reads what encodeRow wrote.
type rowDecoder struct {
	rest []byte
	bad  bool
}

func (d *rowDecoder) signed() int64 {
	n, used := binary.Varint(d.rest)
	return n * d.skip(used)
}

func (d *rowDecoder) count() int {
	n, used := binary.Uvarint(d.rest)
	if d.skip(used); n > uint64(len(d.rest)) {
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *rowDecoder) octet() byte {
	if len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *rowDecoder) text() string {
	n := d.count()
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s
}

// skip drops used bytes; it answers 1, or 0 if there was nothing to read.
func (d *rowDecoder) skip(used int) int64 {
	if used <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[used:]
	return 1
}
