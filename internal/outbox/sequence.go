package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// Kinds of publications in the ledger.
const (
	kindOutcome = "esito"
	kindIndex   = "indice"
	kindStatus  = "stato"
	kindUpdates = updatesDir // one word for folder and kind
	kindCosts   = costsDir
)

// sequence is an append-only log of the ledger that is cut into numbered files
// (rule 28). Both kinds share everything but their heading and lines.
type sequence struct {
	kind    string // publication kind, and name of the folder
	heading func() []string
	// last is the number of the log's latest entry.
	last func(tx *ledger.Tx, outbox string) uint64
	// lines adds the entries from..to, at most a chunk of them, as cells, the first
	// of them being line number first of its file; it returns how many it found.
	lines func(tx *ledger.Tx, outbox string, from, to uint64, first int, add func([]string) error) (int, error)
}

func sequences() []sequence {
	return []sequence{
		{kind: kindUpdates, heading: updateColumns, last: lastUpdate, lines: updateLines},
		{kind: kindCosts, heading: costColumns, last: lastCost, lines: costLines},
	}
}

// logChunk is how many entries are read in one view of the ledger: long views make
// its file grow.
const logChunk = 1000

func lastUpdate(tx *ledger.Tx, outbox string) uint64 { return tx.LastChange(outbox) }
func lastCost(tx *ledger.Tx, outbox string) uint64   { return tx.LastCost(outbox) }

func updateLines(tx *ledger.Tx, outbox string, from, to uint64, first int, add func([]string) error) (int, error) {
	changes, err := tx.Changes(outbox, from, int(min(to-from+1, logChunk)))
	if err != nil {
		return 0, err
	}
	var cells []string
	for i, c := range changes {
		cells = appendChange(cells[:0], first+i, c)
		if err := add(cells); err != nil {
			return 0, err
		}
	}
	return len(changes), nil
}

func costLines(tx *ledger.Tx, outbox string, from, to uint64, _ int, add func([]string) error) (int, error) {
	costs, err := tx.CostChanges(outbox, from, int(min(to-from+1, logChunk)))
	if err != nil {
		return 0, err
	}
	var cells []string
	for _, c := range costs {
		cells = appendCost(cells[:0], c)
		if err := add(cells); err != nil {
			return 0, err
		}
	}
	return len(costs), nil
}

// LogError says that the log behind a numbered file is not as it was when the file
// was promised. The file is not written: a number never gets other bytes.
type LogError struct {
	Outbox, File string
	From, To     uint64
	Missing      uint64 // first entry that is not there
}

func (e *LogError) Error() string {
	return fmt.Sprintf("outbox %s: %s holds entries %d to %d of the log, but entry %d is missing",
		e.Outbox, e.File, e.From, e.To, e.Missing)
}

// write derives a numbered file from the log.
func (q sequence) write(ctx context.Context, l *ledger.Ledger, p *ledger.Publication, w io.Writer) error {
	s := newSheet(w, q.heading())
	for from := p.From; from <= p.To; {
		found := 0
		err := l.View(ctx, func(tx *ledger.Tx) error {
			var err error
			found, err = q.lines(tx, p.Outbox, from, p.To, s.lines+1, s.line)
			return err
		})
		if err != nil {
			return err
		}
		if found == 0 {
			return &LogError{Outbox: p.Outbox, File: p.File, From: p.From, To: p.To, Missing: from}
		}
		from += uint64(found)
	}
	return s.flush()
}

// publishSequences writes every numbered file that is due. A sequence whose number
// is lost waits for Resume.
func (o *Outbox) publishSequences(ctx context.Context, report *Report) error {
	if !o.founded {
		return nil
	}
	var failures []error
	for _, q := range sequences() {
		written, err := o.publishSequence(ctx, q)
		if q.kind == kindUpdates {
			report.Updates += written
		} else {
			report.Costs += written
		}
		if err != nil && (!isolated(err) || whole(err)) {
			return err
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

func (o *Outbox) publishSequence(ctx context.Context, q sequence) (int, error) {
	for written := 0; ; written++ {
		p, err := o.dueNumber(ctx, q)
		if err != nil || p == nil {
			return written, err
		}
		if err := o.rests.resting(p.File, o.opts.Clock()); err != nil {
			return written, err
		}
		if err := o.writeNumber(ctx, q, p); err != nil {
			return written, err
		}
	}
}

// dueNumber gives the file to be written: the one that was promised and not
// finished, else a new promise when the log has news, else nil. The promise is
// committed before anything of it can be seen.
func (o *Outbox) dueNumber(ctx context.Context, q sequence) (*ledger.Publication, error) {
	last, err := o.lastNumber(ctx, q.kind)
	if err != nil || last == nil || last.Hash == "" {
		return last, err
	}
	var end uint64
	err = o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		end = q.last(tx, o.opts.Name)
		return nil
	})
	if err != nil || end <= last.To {
		return nil, err
	}
	number, err := numberOf(last)
	if err != nil {
		return nil, err
	}
	number = max(number, o.floors[q.kind]) + 1
	p := &ledger.Publication{
		Outbox: o.opts.Name, Kind: q.kind, Name: numberName(number),
		File: q.kind + "/" + numberedName(number),
		From: last.To + 1, To: min(end, last.To+uint64(o.opts.MaxLines)),
		At: o.opts.Clock(),
	}
	return p, o.commit(ctx, stepSequenceIntent, p)
}

// writeNumber writes the mark, the file, and what became of it. The mark goes
// first: if the ledger is lost afterwards, the number is not given away twice even
// where the reader has already taken the file.
func (o *Outbox) writeNumber(ctx context.Context, q sequence, p *ledger.Publication) error {
	number, err := numberOf(p)
	if err != nil {
		return err
	}
	if err := o.writeMark(ctx, stepSequenceMark, q.kind, number); err != nil {
		return err
	}
	hash, err := o.alreadyThere(ctx, q, p)
	if err != nil {
		return err
	}
	if hash == "" {
		done, err := o.publish(ctx, stepSequencePublish, p.File, func(w io.Writer) error {
			return q.write(ctx, o.opts.Ledger, p, w)
		})
		if err != nil {
			return err
		}
		hash = done.SHA256
	}
	p.Hash, p.At = hash, o.opts.Clock()
	return o.commit(ctx, stepSequenceCommit, p)
}

// alreadyThere gives the hash of a promised file that a crash let through, so that a
// program reading it is not disturbed; "" when it must be written.
func (o *Outbox) alreadyThere(ctx context.Context, q sequence, p *ledger.Publication) (string, error) {
	have, err := o.hashOf(ctx, p.File)
	if have == "" || err != nil {
		return "", err
	}
	want, err := hashOfContent(func(w io.Writer) error { return q.write(ctx, o.opts.Ledger, p, w) })
	if err != nil || have != want {
		return "", err
	}
	return have, nil
}

func numberName(n uint64) string { return fmt.Sprintf("%08d", n) }

func numberOf(p *ledger.Publication) (uint64, error) {
	n, err := strconv.ParseUint(p.Name, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("outbox %s: publication %s %q has no number: %w", p.Outbox, p.Kind, p.Name, err)
	}
	return n, nil
}

// writeMark leaves the highest number given away beside the files, where it survives
// the loss of the ledger and readers that delete what they have read.
func (o *Outbox) writeMark(ctx context.Context, step, kind string, number uint64) error {
	name := kind + "/" + markName
	if err := o.rests.resting(name, o.opts.Clock()); err != nil {
		return err
	}
	_, err := o.publish(ctx, step, name, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s\r\n", numberName(number))
		return err
	})
	return err
}

// hashOf reads a published file back; "" if it is missing or cannot be read.
func (o *Outbox) hashOf(ctx context.Context, name string) (string, error) {
	r, err := o.opts.Folder.Open(ctx, name)
	if err == nil {
		defer r.Close()
		var hash string
		if hash, err = hashOfReader(r); err == nil {
			return hash, nil
		}
	}
	if whole(err) || ctx.Err() != nil {
		return "", o.failed(ctx, name, err)
	}
	if !errors.Is(err, folder.ErrNotExist) {
		o.opts.Log.Warn("published file cannot be read back", "outbox", o.opts.Name, "file", name, "error", err)
	}
	return "", nil
}
