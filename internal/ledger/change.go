package ledger

import (
	"encoding/base64"
	"encoding/binary"
	"time"
)

// firstTold sets what a new notification's lines look like to begin with: being
// admitted is no news, the first change is.
func (t *txn) firstTold(next *hot, rows []*Row) error {
	h, err := t.head(next.OwnerBatch)
	if err != nil {
		return err
	}
	lines := t.bareLines(h, next, rows)
	for i := range lines {
		next.Shown = append(next.Shown, lines[i].digest())
		next.Outcomes = append(next.Outcomes, lines[i].Outcome)
		count(&h.Lines, lines[i].Outcome, 1)
	}
	count(&h.States, next.State, 1)
	return t.touch(h, false)
}

// bareLines are the lines with holds and the gate left aside.
func (t *txn) bareLines(h *head, x *hot, rows []*Row) []Line {
	v := view{lang: t.l.opts.Language, bare: true, head: h}
	var lines []Line
	for _, r := range rows {
		lines = append(lines, v.lines(r, &x.Notification)...)
	}
	return lines
}

// rowsOf gives the rows of the owning drop that gave the present attempt's request.
func (t *txn) rowsOf(n *Notification) ([]*Row, error) {
	var rows []*Row
	for _, number := range n.Rows {
		r, err := t.Row(n.OwnerBatch, number)
		if ignoreNotFound(err) != nil {
			return nil, err
		}
		if err == nil && r.ID == n.ID && !r.Superseded {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// tell compares the lines of the owner's rows with those last told, appends a
// Change for each that differs, and keeps the batch's counts.
func (t *txn) tell(old, next *hot, c Cause) error {
	h, err := t.head(next.OwnerBatch)
	if err != nil {
		return err
	}
	rows, err := t.rowsOf(&next.Notification)
	if err != nil {
		return err
	}
	if old.State != next.State {
		count(&h.States, old.State, -1)
		count(&h.States, next.State, 1)
		if err := t.touch(h, false); err != nil {
			return err
		}
	}
	t.recount(h, next, rows)
	return t.tellLines(h, next, rows, c)
}

// recount follows the outcomes in the batch's counts.
func (t *txn) recount(h *head, next *hot, rows []*Row) {
	for _, o := range next.Outcomes {
		count(&h.Lines, o, -1)
	}
	next.Outcomes = nil
	for _, line := range t.bareLines(h, next, rows) {
		next.Outcomes = append(next.Outcomes, line.Outcome)
		count(&h.Lines, line.Outcome, 1)
	}
	h.dirty = true
}

func (t *txn) tellLines(h *head, next *hot, rows []*Row, c Cause) error {
	was := next.Shown
	next.Shown = nil
	changed := false
	for _, r := range rows {
		lines, err := t.linkedLines(h, r, &next.Notification)
		if err != nil {
			return err
		}
		for i := range lines {
			d := lines[i].digest()
			at := len(next.Shown)
			next.Shown = append(next.Shown, d)
			if at < len(was) && was[at] == d {
				continue
			}
			changed = true
			lines[i].UpdatedAt = t.now
			if err := t.appendChange(h, &lines[i], c); err != nil {
				return err
			}
		}
	}
	if !changed {
		return nil
	}
	next.ChangedAt = t.now
	return t.touch(h, true)
}

// toldKey is a line within one transaction.
type toldKey struct {
	no             uint64
	row, recipient int
}

// storedChange is a Change without what its batch holds for ever anyway. Times are
// kept to the second, as the files show them.
type storedChange struct {
	No      uint64 // of the batch whose row it is
	At      time.Time
	Line    Line
	Event   string
	EventAt time.Time
	Detail  string
	Derived bool // the request id is the IUN's base64
}

// derived is SEND's request id of an IUN as it has been so far. It only saves room:
// where it is not so, the id is stored.
func derived(iun string) string { return base64.StdEncoding.EncodeToString([]byte(iun)) }

// appendChange adds a line to the log of its batch's outbox. A line that one
// function changes in several steps (an event, and the documents it promises) is
// told once, as it ends up.
func (t *txn) appendChange(h *head, line *Line, c Cause) error {
	t.wake = true
	key := toldKey{h.No, line.Row, line.Recipient}
	seq, again := t.told[key]
	stored := &storedChange{No: h.No, At: second(t.now), Line: *line, Event: c.Event, EventAt: second(c.EventAt), Detail: c.Detail}
	l := &stored.Line
	l.StatusAt, l.PerfectedAt, l.UpdatedAt = second(l.StatusAt), second(l.PerfectedAt), second(l.UpdatedAt)
	if l.Environment == h.Environment {
		l.Environment = ""
	}
	if l.Batch == h.ID {
		l.Batch = ""
	}
	if derived(l.IUN) == l.RequestID {
		l.RequestID = ""
		stored.Derived = true
	}
	if again {
		if err := t.keepCause(h, seq, stored); err != nil {
			return err
		}
	} else {
		var err error
		if seq, err = t.nextSeq("c" + h.Outbox); err != nil {
			return err
		}
		if t.told != nil {
			t.told[key] = seq
		}
	}
	return t.writeChange(h.Outbox, seq, stored)
}

// keepCause leaves SEND's event in a Change that a later step of the same function
// brings up to date.
func (t *txn) keepCause(h *head, seq uint64, stored *storedChange) error {
	key := logKey(h.Outbox, seq)
	before, err := t.readChange(key, t.get(bChange, key))
	if err != nil {
		return err
	}
	if before.Event != "" {
		stored.Event, stored.EventAt, stored.Detail = before.Event, before.EventAt, before.Detail
	}
	return nil
}

func second(at time.Time) time.Time { return at.UTC().Truncate(time.Second) }

func logKey(outbox string, seq uint64) []byte { return append(named(outbox, ""), u64(seq)...) }

func (t *txn) lastSeq(name string) uint64 {
	if v := t.get(bSeq, []byte(name)); len(v) == 8 {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (t *txn) nextSeq(name string) (uint64, error) {
	n := t.lastSeq(name) + 1
	return n, t.put(bSeq, []byte(name), u64(n))
}

// LastChange is the number of the latest Change of an outbox; 0 if there never was
// one. Numbers are never used again, also after a purge.
func (t *Tx) LastChange(outbox string) uint64 { return t.lastSeq("c" + outbox) }

// Changes gives at most limit entries of an outbox's log from number from on, in
// order. A Change never changes once it is committed.
func (t *Tx) Changes(outbox string, from uint64, limit int) ([]Change, error) {
	var found []Change
	err := t.eachLogged(bChange, outbox, from, limit, func(seq uint64, k, v []byte) error {
		s, err := t.readChange(k, v)
		if err != nil {
			return err
		}
		h, err := t.headByNo(s.No)
		if err != nil {
			return err
		}
		c := Change{Seq: seq, Outbox: outbox, At: s.At, File: h.File, Line: s.Line, Event: s.Event, EventAt: s.EventAt, Detail: s.Detail, Protocol: s.Line.Protocol}
		if c.Line.Environment == "" {
			c.Line.Environment = h.Environment
		}
		if c.Line.Batch == "" {
			c.Line.Batch = h.ID
		}
		if s.Derived {
			c.Line.RequestID = derived(c.Line.IUN)
		}
		found = append(found, c)
		return nil
	})
	return found, err
}

// LastCost is LastChange for the log behind costi.
func (t *Tx) LastCost(outbox string) uint64 { return t.lastSeq("k" + outbox) }

// CostChanges is Changes for the log behind costi.
func (t *Tx) CostChanges(outbox string, from uint64, limit int) ([]CostChange, error) {
	var found []CostChange
	err := t.eachLogged(bCost, outbox, from, limit, func(_ uint64, k, v []byte) error {
		var c CostChange
		err := t.decode(bCost, k, v, &c)
		found = append(found, c)
		return err
	})
	return found, err
}

// AppendCost adds an entry to the log behind costi; Seq and At are set here.
func (t *Tx) AppendCost(c CostChange) error {
	seq, err := t.nextSeq("k" + c.Outbox)
	if err != nil {
		return err
	}
	c.Seq, c.At = seq, t.now
	t.wake = true
	return t.write(bCost, logKey(c.Outbox, seq), &c)
}

func (t *txn) eachLogged(b bucket, outbox string, from uint64, limit int, visit func(seq uint64, k, v []byte) error) error {
	prefix := named(outbox, "")
	return t.each(b, prefix, logKey(outbox, from), func(k, v []byte) (bool, error) {
		if limit--; limit < 0 {
			return false, nil
		}
		return true, visit(binary.BigEndian.Uint64(k[len(prefix):]), k, v)
	})
}

// PutPublication stores an intent or result of the outbox.
func (t *Tx) PutPublication(p *Publication) error {
	stored := *p
	if stored.At.IsZero() {
		stored.At = t.now
	}
	if err := t.write(bPub, named(p.Outbox, p.Kind, p.Name), &stored); err != nil {
		return err
	}
	if p.Kind != "esito" {
		return nil
	}
	h, err := t.head(p.Name)
	if err != nil {
		return ignoreNotFound(err)
	}
	return t.markPublication(h)
}

// Publication gives what the outbox intended or did; ErrNotFound.
func (t *Tx) Publication(outbox, kind, name string) (*Publication, error) {
	p := &Publication{}
	return p, t.read(bPub, named(outbox, kind, name), p)
}

// Publications visits those of an outbox, by kind and name, until visit answers
// false. kind "" visits all.
func (t *Tx) Publications(outbox, kind string, visit func(*Publication) bool) error {
	prefix := named(outbox, "")
	if kind != "" {
		prefix = named(outbox, kind, "")
	}
	return t.each(bPub, prefix, nil, func(k, v []byte) (bool, error) {
		p := &Publication{}
		if err := t.decode(bPub, k, v, p); err != nil {
			return false, err
		}
		return visit(p), nil
	})
}

// DropPublication removes one, after a purge of its file; none is no error.
func (t *Tx) DropPublication(outbox, kind, name string) error {
	return t.drop(bPub, named(outbox, kind, name))
}
