package ledger

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
)

// exported is one line of an export.
type exported struct {
	Type   string `json:"type"`
	Record any    `json:"record"`
}

type exportedNote struct {
	*Notification
	Request any          `json:",omitzero"`
	Pending *coldPending `json:",omitzero"`
}

// Export writes every batch, row, notification, hold, artifact and event as JSON
// lines, {"type": …, "record": …}, from one consistent state. It holds personal data.
func (l *Ledger) Export(ctx context.Context, w io.Writer) error {
	buf := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(buf)
	err := l.View(ctx, func(t *Tx) error {
		emit := func(kind string, record any) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return enc.Encode(exported{Type: kind, Record: record})
		}
		for _, part := range []func(*Tx, func(string, any) error) error{exportBatches, exportNotes, exportRest} {
			if err := part(t, emit); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return buf.Flush()
}

func exportBatches(t *Tx, emit func(string, any) error) error {
	var fail error
	err := t.Batches(func(b *Batch) bool {
		if fail = emit("batch", b); fail != nil {
			return false
		}
		if err := t.Rows(b.ID, func(r *Row) bool {
			fail = emit("row", r)
			return fail == nil
		}); err != nil {
			fail = err
		}
		return fail == nil
	})
	if err != nil {
		return err
	}
	return fail
}

func exportNotes(t *Tx, emit func(string, any) error) error {
	return t.each(bNote, nil, nil, func(k, _ []byte) (bool, error) {
		n, err := t.note(idFrom(k))
		if err != nil {
			return false, err
		}
		x := exportedNote{Notification: n, Request: n.Request}
		if p := n.Pending; p != nil {
			x.Pending = &coldPending{Request: p.Request, Documents: p.Documents, Batch: p.Batch, Row: p.Row, Rows: p.Rows, AsNew: p.AsNew, Resubmit: p.Resubmit, FileOnly: p.FileOnly, Since: p.Since}
		}
		if err := emit("notification", x); err != nil {
			return false, err
		}
		arts, err := t.Artifacts(n.ID)
		if err != nil {
			return false, err
		}
		for _, a := range arts {
			if err := emit("artifact", a); err != nil {
				return false, err
			}
		}
		var fail error
		err = t.Events(n.ID, func(e *Event) bool {
			fail = emit("event", struct {
				*Event
				Raw json.RawMessage `json:",omitzero"`
			}{e, rawOrText(e.Raw)})
			return fail == nil
		})
		if err == nil {
			err = fail
		}
		return true, err
	})
}

// rawOrText keeps one odd event from spoiling an export.
func rawOrText(b []byte) json.RawMessage {
	if json.Valid(b) {
		return b
	}
	quoted, _ := json.Marshal(string(b)) // a string always has a JSON form
	return quoted
}

func exportRest(t *Tx, emit func(string, any) error) error {
	holds, err := t.Holds()
	if err != nil {
		return err
	}
	for _, h := range holds {
		if err := emit("hold", h); err != nil {
			return err
		}
	}
	streams, err := t.Streams()
	if err != nil {
		return err
	}
	for _, s := range streams {
		if err := emit("stream", s); err != nil {
			return err
		}
	}
	return t.each(bTomb, nil, nil, func(k, _ []byte) (bool, error) {
		tb, err := t.tombstoneBy(k)
		if err != nil {
			return false, err
		}
		return true, emit("tombstone", map[string]any{"batch": tb.Batch, "row": tb.Row, "attempt": tb.Attempt, "state": tb.State, "requestId": tb.RequestID})
	})
}
