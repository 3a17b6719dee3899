package ledger

import (
	"encoding/binary"
	"errors"
	"time"
)

// Changes are the most numerous records that are kept for years, so they have a
// form of their own instead of JSON: numbers as varints, times as seconds from the
// change's own, words of the outcome file as they are (the dictionary shortens
// them). The first byte is the form's version.
const changeForm = 1

var errChangeForm = errors.New("change has an unknown form or is cut short")

// Flags of a change.
const (
	changeDerived = 1 << iota // request id is the IUN's base64
	changeUnreachable
	changeCostFinal
	changeCost
	changeRefusal
)

func (s *storedChange) texts() []*string {
	l := &s.Line
	return []*string{
		(*string)(&l.Outcome), &l.Protocol, &l.IUN, &l.RequestID, &l.Status, &s.Event, &s.Detail,
		&l.Code, &l.Field, &l.Message, &l.Warnings, &l.Environment, &l.Batch,
	}
}

func (s *storedChange) times() []*time.Time {
	return []*time.Time{&s.EventAt, &s.Line.StatusAt, &s.Line.PerfectedAt, &s.Line.UpdatedAt}
}

func (s *storedChange) ints() []*int {
	l := &s.Line
	return []*int{&l.Row, &l.Attempt, &l.Recipient, &l.Got, &l.Expected}
}

func (s *storedChange) flags() byte {
	var f byte
	for i, set := range []bool{s.Derived, s.Line.Unreachable, s.Line.CostFinal, s.Line.CostCent != nil, s.Line.RefusalCent != nil} {
		if set {
			f |= 1 << i
		}
	}
	return f
}

func (s *storedChange) encode() []byte {
	b := append(make([]byte, 0, 256), changeForm, s.flags())
	b = binary.AppendUvarint(b, s.No)
	b = binary.AppendVarint(b, s.At.Unix())
	for _, n := range s.ints() {
		b = binary.AppendVarint(b, int64(*n))
	}
	for _, at := range s.times() {
		if at.IsZero() {
			b = binary.AppendVarint(b, 0)
			continue
		}
		d := at.Unix() - s.At.Unix()
		if d >= 0 {
			d++ // 0 says "no time"
		}
		b = binary.AppendVarint(b, d)
	}
	for _, p := range []*int{s.Line.CostCent, s.Line.RefusalCent} {
		if p != nil {
			b = binary.AppendVarint(b, int64(*p))
		}
	}
	for _, text := range s.texts() {
		b = append(binary.AppendUvarint(b, uint64(len(*text))), *text...)
	}
	return b
}

// reader takes values off encoded bytes and remembers that they ran out.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.b)
	return skip(r, n, size)
}

func (r *reader) count() uint64 {
	n, size := binary.Uvarint(r.b)
	return skip(r, n, size)
}

func skip[N int64 | uint64](r *reader, n N, size int) N {
	if size <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) text() string {
	n := r.count()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func decodeChange(b []byte) (*storedChange, error) {
	if len(b) < 2 || b[0] != changeForm {
		return nil, errChangeForm
	}
	s, flags, r := &storedChange{}, b[1], &reader{b: b[2:]}
	s.Derived = flags&changeDerived != 0
	s.Line.Unreachable, s.Line.CostFinal = flags&changeUnreachable != 0, flags&changeCostFinal != 0
	s.No = r.count()
	s.At = time.Unix(r.number(), 0).UTC()
	for _, n := range s.ints() {
		*n = int(r.number())
	}
	for _, at := range s.times() {
		d := r.number()
		if d == 0 {
			continue
		}
		if d > 0 {
			d--
		}
		*at = s.At.Add(time.Duration(d) * time.Second)
	}
	if flags&changeCost != 0 {
		n := int(r.number())
		s.Line.CostCent = &n
	}
	if flags&changeRefusal != 0 {
		n := int(r.number())
		s.Line.RefusalCent = &n
	}
	for _, text := range s.texts() {
		*text = r.text()
	}
	if r.bad || len(r.b) != 0 {
		return nil, errChangeForm
	}
	return s, nil
}

func (t *txn) writeChange(outbox string, seq uint64, s *storedChange) error {
	return t.put(bChange, logKey(outbox, seq), t.l.codec.seal(s.encode(), 0))
}

func (t *txn) readChange(key, record []byte) (*storedChange, error) {
	raw, _, err := t.l.codec.open(record)
	if err != nil {
		return nil, t.damaged(bChange, key, err)
	}
	s, err := decodeChange(raw)
	if err != nil {
		return nil, t.damaged(bChange, key, err)
	}
	return s, nil
}
