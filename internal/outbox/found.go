package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// HoldSequence is the reason of the holds that rule 28 asks for: the numbering of an
// outbox that is not new is lost, and a person must say how it goes on.
const HoldSequence = "C-SEQUENCE-UNKNOWN"

// foundedHash marks the publication from which a sequence counts; it has no file.
const foundedHash = "-"

// trace is what is known of a sequence's number.
type trace struct {
	last   *ledger.Publication // the ledger's latest
	number uint64              // highest of files and mark
	found  bool                // there were files, or a mark
}

// found makes sure that every sequence has a number to go on from: the highest that
// the ledger, the files present and the mark know. An outbox without anything of
// ours is new and starts with 1. Where everything is missing on one that is not new,
// its flows are held; what they wrote before stays due.
func (o *Outbox) found(ctx context.Context, now State) error {
	if o.founded {
		return nil
	}
	traces := map[string]trace{}
	for _, q := range sequences() {
		t, err := o.trace(ctx, q.kind)
		if err != nil {
			return err
		}
		traces[q.kind] = t
		o.floors[q.kind] = t.number
	}
	fresh, err := o.fresh(ctx, traces)
	if err != nil {
		return err
	}
	o.lost = nil
	for _, q := range sequences() {
		t := traces[q.kind]
		switch {
		case t.last != nil:
		case t.found || fresh:
			if err := o.establish(ctx, q.kind, t.number, 0); err != nil {
				return err
			}
		default:
			o.lost = append(o.lost, q.kind)
		}
	}
	o.founded = len(o.lost) == 0
	return o.holdFlows(ctx, now)
}

// trace looks for a sequence's number in the ledger and in the folder.
func (o *Outbox) trace(ctx context.Context, kind string) (trace, error) {
	var t trace
	var err error
	if t.last, err = o.lastNumber(ctx, kind); err != nil {
		return t, err
	}
	entries, err := o.opts.Folder.List(ctx, kind, false)
	if err != nil && !errors.Is(err, folder.ErrNotExist) {
		return t, o.failed(ctx, kind, err)
	}
	for _, e := range entries {
		if n, ok := fileNumber(path.Base(e.Name)); ok && !e.Dir {
			t.number, t.found = max(t.number, n), true
		}
	}
	mark, ok, err := o.readMark(ctx, kind)
	if err != nil || !ok {
		return t, err
	}
	t.number, t.found = max(t.number, mark), true
	return t, nil
}

// readMark reads the number beside the files. A mark that holds no number is as good
// as none.
func (o *Outbox) readMark(ctx context.Context, kind string) (uint64, bool, error) {
	name := kind + "/" + markName
	r, err := o.opts.Folder.Open(ctx, name)
	if errors.Is(err, folder.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, o.failed(ctx, name, err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, 64))
	if err != nil {
		return 0, false, o.failed(ctx, name, err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		o.opts.Log.Warn("mark of the sequence holds no number", "outbox", o.opts.Name, "file", name)
		return 0, false, nil
	}
	return n, true, nil
}

// fresh reports whether nothing of ours was ever published here. The two sequences
// are founded before anything else is written, so what a crash between them leaves (a
// mark that says 0) does not make an outbox old.
func (o *Outbox) fresh(ctx context.Context, traces map[string]trace) (bool, error) {
	for _, t := range traces {
		if t.number > 0 {
			return false, nil
		}
		if t.last != nil && t.last.Name != numberName(0) {
			return false, nil
		}
	}
	entries, err := o.opts.Folder.List(ctx, ".", false)
	if err != nil && !errors.Is(err, folder.ErrNotExist) {
		return false, o.failed(ctx, "", err)
	}
	for _, e := range entries {
		if ours(e) {
			return false, nil
		}
	}
	return true, nil
}

func ours(e folder.Entry) bool {
	if e.Dir {
		return e.Name == documentDir
	}
	return e.Name == statusName || e.Name == folder.Beside(statusName) ||
		strings.HasSuffix(e.Name, ".esito.csv") || strings.HasSuffix(e.Name, ".esito.nuovo.csv")
}

// establish commits the number from which a sequence counts on, and the entry of the
// log up to which everything has been published.
func (o *Outbox) establish(ctx context.Context, kind string, number, to uint64) error {
	if err := o.writeMark(ctx, stepFoundMark, kind, number); err != nil {
		return err
	}
	return o.commit(ctx, stepFoundCommit, &ledger.Publication{
		Outbox: o.opts.Name, Kind: kind, Name: numberName(number),
		To: to, Hash: foundedHash, At: o.opts.Clock(),
	})
}

// holdFlows holds the flows of an outbox whose numbering is lost, and lets go those
// that were held for that reason once it is found. Holds of another reason are left
// alone.
func (o *Outbox) holdFlows(ctx context.Context, now State) error {
	if len(now.Flows) == 0 {
		return nil
	}
	lost := strings.Join(o.lost, ", ")
	var wrong []Flow
	err := o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		wrong = nil
		held, err := flowHolds(tx)
		for _, f := range now.Flows {
			reason, is := held[f.Name]
			if lost != "" && !is || lost == "" && reason == HoldSequence {
				wrong = append(wrong, f)
			}
		}
		return err
	})
	if err != nil || len(wrong) == 0 {
		return err
	}
	return o.opts.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		held, err := flowHolds(tx)
		if err != nil {
			return err
		}
		for _, f := range wrong {
			reason, is := held[f.Name]
			if lost == "" && reason == HoldSequence {
				if err := tx.DropHold(ledger.HoldFlow, f.Name); err != nil {
					return err
				}
			}
			if lost != "" && !is {
				if err := tx.PutHold(o.sequenceHold(f.Name, lost)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (o *Outbox) sequenceHold(flow, lost string) ledger.Hold {
	return ledger.Hold{
		Scope: ledger.HoldFlow, Name: flow, Reason: HoldSequence,
		Detail: o.text("sequence", "kinds", lost, "flow", flow), Since: o.opts.Clock(),
	}
}

func flowHolds(tx *ledger.Tx) (map[string]string, error) {
	all, err := tx.Holds()
	held := map[string]string{}
	for _, h := range all {
		if h.Scope == ledger.HoldFlow {
			held[h.Name] = h.Reason
		}
	}
	return held, err
}

// SequenceError refuses a number that would give bytes to a number that was already
// given away.
type SequenceError struct {
	Outbox, Kind string
	Asked, Next  uint64
}

func (e *SequenceError) Error() string {
	return fmt.Sprintf("outbox %s: %s cannot go on with number %d, the next free one is %d",
		e.Outbox, e.Kind, e.Asked, e.Next)
}

// Resume lets the sequences whose numbering is lost go on with number from (1 is a
// new outbox). The holds of rule 28 end with the next Pass. Where nothing is lost it
// changes nothing. A number that is known to have been given away is a
// *SequenceError.
func (o *Outbox) Resume(ctx context.Context, from uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range sequences() {
		t, err := o.trace(ctx, q.kind)
		if err != nil {
			return err
		}
		if t.last != nil {
			continue
		}
		if from <= t.number || from == 0 {
			return &SequenceError{Outbox: o.opts.Name, Kind: q.kind, Asked: from, Next: t.number + 1}
		}
		if err := o.establish(ctx, q.kind, from-1, 0); err != nil {
			return err
		}
	}
	o.founded, o.lost = false, nil
	return nil
}
