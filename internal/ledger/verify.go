package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"sendconnector/internal/notification"
)

// maxFaults bounds what Verify reports: a broken ledger has few causes and many
// symptoms.
const maxFaults = 100

// Verify checks the whole ledger: the file's pages, every record's checksum, every
// index against the records both ways, counts, and what must hold of states. It
// reads everything; nil means sound. Tests run it after every test, `ledger check`
// for people.
func (l *Ledger) Verify() []error {
	v := &verifier{}
	var err error
	func() {
		defer guard(l.path, &err)()
		err = l.View(context.Background(), func(t *Tx) error {
			v.Tx = t
			for e := range t.b.Check() {
				v.fault("file", "%v", e)
			}
			return v.all()
		})
	}()
	if err != nil {
		v.faults = append(v.faults, err)
	}
	return v.faults
}

type verifier struct {
	*Tx
	faults []error
	fresh  map[string]int
	states map[string]map[State]int
}

func (v *verifier) fault(record, format string, args ...any) {
	if len(v.faults) < maxFaults {
		v.faults = append(v.faults, &InvariantError{Record: record, What: fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) all() error {
	v.fresh, v.states = map[string]int{}, map[string]map[State]int{}
	for _, part := range []func() error{v.notes, v.keys, v.held, v.namesIndex, v.due, v.artifacts, v.events, v.orphans, v.batches, v.logs, v.decodable} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// notes checks every notification and that the indexes lead to it.
func (v *verifier) notes() error {
	return v.each(bNote, nil, nil, func(k, record []byte) (bool, error) {
		x, err := v.loadHot(idFrom(k))
		if err != nil {
			return false, err
		}
		n := &x.Notification
		if err := v.fill(n); err != nil {
			return false, err
		}
		name := fmt.Sprintf("notification %d", n.ID)
		v.noteStands(name, x)
		if x.fresh {
			v.fresh[n.OwnerBatch]++
		}
		if v.states[n.OwnerBatch] == nil {
			v.states[n.OwnerBatch] = map[State]int{}
		}
		v.states[n.OwnerBatch][n.State]++
		return true, v.noteIndexed(name, x)
	})
}

// noteStands checks what must hold of a record by itself.
func (v *verifier) noteStands(name string, x *hot) {
	n := &x.Notification
	if n.Attempt < 1 || n.Token != notification.Token(n.Key.SenderTaxID, n.Key.Protocol, n.Attempt) {
		v.fault(name, "token is not that of attempt %d", n.Attempt)
	}
	if steps(n.State) == nil && n.State != Discarded {
		v.fault(name, "unknown state %q", n.State)
	}
	if (n.State == Uploaded || n.State == Intent) && !allUploaded(n.Documents) {
		v.fault(name, "%s with a document that is not uploaded", n.State)
	}
	if x.fresh && !isFresh(n) {
		v.fault(name, "filed as fresh in state %s", n.State)
	}
	if n.Pending != nil && n.State != Refused && n.State != Cancelled {
		v.fault(name, "a request waits behind an attempt that is %s", n.State)
	}
	if n.ReplacedBy != 0 && n.State.Taken() {
		v.fault(name, "replaced by %d although it is %s", n.ReplacedBy, n.State)
	}
	raw, err := encodeCold(n)
	if err != nil {
		v.fault(name, "%v", err)
	} else if sum := sha(raw); !bytes.Equal(x.Cold, sum) {
		v.fault(name, "its request is not the one it was stored with")
	}
}

// noteIndexed checks that every index leads to a notification that belongs there.
func (v *verifier) noteIndexed(name string, x *hot) error {
	n := &x.Notification
	ids, err := v.idsOfKey(n.Key)
	if err != nil {
		return err
	}
	if slices.Contains(ids, n.ID) != (n.ReplacedBy == 0) {
		v.fault(name, "key index and ReplacedBy=%d disagree", n.ReplacedBy)
	}
	entries, err := v.heldEntries(n)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if v.get(e.in, e.key) == nil {
			v.fault(name, "not in index %s", bucketNames[e.in])
		}
	}
	for in, value := range map[bucket]string{bRequestID: n.RequestID, bIUN: n.IUN} {
		if value == "" {
			continue
		}
		if got := v.get(in, []byte(value)); got == nil || idFrom(got) != n.ID {
			v.fault(name, "not in index %s", bucketNames[in])
		}
	}
	key, gate, err := v.dueEntry(n)
	if err != nil {
		return err
	}
	if key != nil && !x.fresh && !bytes.Equal(v.get(bDue, key), gate) {
		v.fault(name, "due, but not in the due index")
	}
	return nil
}

func (v *verifier) keys() error {
	return v.each(bKey, nil, nil, func(k, value []byte) (bool, error) {
		for ; len(value) >= 8; value = value[8:] {
			x, err := v.loadHot(idFrom(value))
			if err != nil {
				v.fault("key index", "leads to %d: %v", idFrom(value), err)
				continue
			}
			prefix, err := v.keyPrefix(x.Key)
			if err != nil {
				return false, err
			}
			if !bytes.Equal(prefix, k) || x.ReplacedBy != 0 {
				v.fault("key index", "leads to %d, which is not the present one of that key", x.ID)
			}
		}
		return true, nil
	})
}

// held checks that nobody who has let go still holds a notice or an act.
func (v *verifier) held() error {
	for _, in := range []bucket{bPair, bAct} {
		if err := v.each(in, nil, nil, func(k, _ []byte) (bool, error) {
			n, err := v.note(idFrom(k[len(k)-8:]))
			if err != nil {
				v.fault("index "+bucketNames[in], "leads to %d: %v", idFrom(k[len(k)-8:]), err)
				return true, nil
			}
			entries, err := v.heldEntries(n)
			if !slices.ContainsFunc(entries, indexEntry{in, k}.equal) {
				v.fault("index "+bucketNames[in], "notification %d no longer holds this", n.ID)
			}
			return true, err
		}); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) namesIndex() error {
	for _, in := range []bucket{bRequestID, bIUN} {
		if err := v.each(in, nil, nil, func(k, value []byte) (bool, error) {
			x, err := v.loadHot(idFrom(value))
			if err != nil || in == bRequestID && x.RequestID != string(k) || in == bIUN && x.IUN != string(k) {
				v.fault("index "+bucketNames[in], "leads to %d, which has another", idFrom(value))
			}
			return true, nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) due() error {
	return v.each(bDue, nil, nil, func(k, gate []byte) (bool, error) {
		id := idFrom(k[13:])
		n, err := v.note(id)
		if err != nil {
			v.fault("due index", "leads to %d: %v", id, err)
			return true, nil
		}
		key, want, err := v.dueEntry(n)
		if !bytes.Equal(key, k) || !bytes.Equal(gate, want) {
			v.fault("due index", "notification %d (%s) is not due like this", id, n.State)
		}
		return true, err
	})
}

func (v *verifier) artifacts() error {
	dues := 0
	if err := v.each(bArtifact, nil, nil, func(k, record []byte) (bool, error) {
		a := &Artifact{}
		if err := v.decode(bArtifact, k, record, a); err != nil {
			return false, err
		}
		x, err := v.loadHot(a.ID)
		if err != nil {
			v.fault("artifact", "of %d: %v", a.ID, err)
			return true, nil
		}
		due, err := v.artifactDue(&x.Notification, a, artKey(k))
		if due != nil {
			dues++
			if v.get(bArtDue, due) == nil {
				v.fault("artifact", "of %d is due, but not in the due index", a.ID)
			}
		}
		return true, err
	}); err != nil {
		return err
	}
	n := 0
	if err := v.each(bArtDue, nil, nil, func(_, _ []byte) (bool, error) {
		n++
		return true, nil
	}); err != nil {
		return err
	}
	if n != dues {
		v.fault("artifact due index", "%d entries for %d due artifacts", n, dues)
	}
	return nil
}

func (v *verifier) events() error {
	return v.each(bEvent, nil, nil, func(k, record []byte) (bool, error) {
		if v.get(bNote, k[:8]) == nil {
			v.fault("event", "of notification %d, which is not there", idFrom(k))
		}
		_, err := v.pack(idFrom(k), k, record)
		return true, err
	})
}

// batches checks counts and rows of every batch.
func (v *verifier) batches() error {
	return v.each(bBatch, nil, nil, func(k, _ []byte) (bool, error) {
		h, err := v.head(string(k))
		if err != nil {
			return false, err
		}
		if h.State == Purging {
			return true, nil // half gone
		}
		if string(v.get(bBatchNo, u64(h.No))) != h.ID {
			v.fault("batch "+h.ID, "its number leads elsewhere")
		}
		if !maps.Equal(h.States, v.states[h.ID]) {
			v.fault("batch "+h.ID, "counts states as %v, has %v", h.States, v.states[h.ID])
		}
		if err := v.freshOf(h); err != nil {
			return false, err
		}
		return true, v.rowsOfBatch(h)
	})
}

func (v *verifier) freshOf(h *head) error {
	key, err := v.rangeKey(h)
	if err != nil {
		return err
	}
	left := 0
	if r := v.get(bFresh, key); r != nil {
		left = int(decodeRange(r).Left)
	} else if h.State == Reading {
		left = h.Fresh
	}
	if left != v.fresh[h.ID] {
		v.fault("batch "+h.ID, "counts %d fresh notifications, has %d", left, v.fresh[h.ID])
	}
	return nil
}

func (v *verifier) rowsOfBatch(h *head) error {
	by, lines, waiting, count := map[string]int{}, map[Outcome]int{}, map[ID]bool{}, 0
	if err := v.each(bRow, h.rowsPrefix(), nil, func(k, record []byte) (bool, error) {
		r, err := v.decodeRow(h, k, record)
		if err != nil {
			return false, err
		}
		by[string(r.Outcome)]++
		count++
		if r.Outcome != RowLinked {
			return true, nil
		}
		n, err := v.note(r.ID)
		if ignoreNotFound(err) == nil && err != nil && r.Superseded { // it went to a later batch, which has been purged
			for _, line := range r.Snapshot {
				lines[line.Outcome]++
			}
			return true, nil
		}
		if err != nil {
			v.fault(fmt.Sprintf("batch %s row %d", h.ID, r.Number), "linked to %d: %v", r.ID, err)
			return true, nil
		}
		v.rowLines(h, r, n, lines, waiting)
		return true, nil
	}); err != nil {
		return err
	}
	if !maps.Equal(by, h.RowsBy) && len(by)+len(h.RowsBy) > 0 || count != h.Rows {
		v.fault("batch "+h.ID, "counts rows as %d %v, has %d %v", h.Rows, h.RowsBy, count, by)
	}
	if !maps.Equal(lines, h.Lines) && len(lines)+len(h.Lines) > 0 {
		v.fault("batch "+h.ID, "counts lines as %v, has %v", h.Lines, lines)
	}
	if len(waiting) != h.Waiting {
		v.fault("batch "+h.ID, "counts %d waiting requests, has %d", h.Waiting, len(waiting))
	}
	return nil
}

func (v *verifier) rowLines(h *head, r *Row, n *Notification, lines map[Outcome]int, waiting map[ID]bool) {
	switch {
	case n.Pending != nil && n.Pending.Batch == h.ID && r.Attempt > n.Attempt:
		waiting[n.ID] = true
		lines[InCoda] += lineCount([]*Row{r})
	case r.Superseded:
		for _, line := range r.Snapshot {
			lines[line.Outcome]++
		}
	case n.OwnerBatch == h.ID && slices.Contains(n.Rows, r.Number):
		bare := view{lang: v.l.opts.Language, bare: true, head: h}
		for _, line := range bare.lines(r, n) {
			lines[line.Outcome]++
		}
	default:
		v.fault(fmt.Sprintf("batch %s row %d", h.ID, r.Number), "linked to %d, which does not know it", n.ID)
	}
}

// logs checks that the append-only logs have no gap and end where they say.
func (v *verifier) logs() error {
	return v.each(bSeq, nil, nil, func(k, value []byte) (bool, error) {
		in, outbox := bChange, string(k[1:])
		if k[0] == 'k' {
			in = bCost
		}
		var last uint64
		err := v.each(in, named(outbox, ""), nil, func(key, record []byte) (bool, error) {
			seq := binary.BigEndian.Uint64(key[len(outbox)+1:])
			if last != 0 && seq != last+1 {
				v.fault("log "+bucketNames[in], "outbox %s goes from %d to %d", outbox, last, seq)
			}
			last = seq
			_, _, err := v.l.codec.open(record)
			return true, err
		})
		if end := binary.BigEndian.Uint64(value); last != 0 && last != end {
			v.fault("log "+bucketNames[in], "outbox %s ends at %d, should at %d", outbox, last, end)
		}
		return true, err
	})
}

// decodable reads the checksum of every record that no other check has read.
func (v *verifier) decodable() error {
	for _, b := range []bucket{bSpool, bCold, bStream, bHold, bSighting, bPub, bRejected, bSupersede, bTomb} {
		if err := v.each(b, nil, nil, func(k, record []byte) (bool, error) {
			if _, _, err := v.l.codec.open(record); err != nil {
				v.fault(fmt.Sprintf("record %s %x", bucketNames[b], k), "%v", err)
			}
			if b == bCold && v.get(bNote, k) == nil {
				v.fault("request", "of notification %d, which is not there", idFrom(k))
			}
			return true, nil
		}); err != nil {
			return err
		}
	}
	return nil
}
