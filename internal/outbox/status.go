package outbox

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"sendconnector/internal/ledger"
)

// Condition is how the connector itself is; the word stands in the column stato of
// its own line in stato.csv.
type Condition string

const (
	// Running: all is well.
	Running Condition = "ATTIVO"
	// Paused: something it needs is not there; it goes on by itself.
	Paused Condition = "SOSPESO"
	// Stopping: the process is about to end, so the line may grow old.
	Stopping Condition = "FERMO"
)

// What a line of stato.csv says of a file. Part of the contract.
const (
	fileWaiting    = "IN_ATTESA"
	fileReading    = "IN_LETTURA"
	fileHeld       = "SOSPESO"
	fileAwaits     = "DA_RILASCIARE"
	fileRead       = "LETTO"
	fileUnreadable = "SCARTATO"
	fileDiscarded  = "ANNULLATO"
)

// connectorFlow stands in flusso on the connector's own line; no flow can be named so.
const connectorFlow = "(connettore)"

// State is what only the running connector knows and stato.csv must show.
type State struct {
	Condition Condition // "" = Running
	Why       string    // for people, in the outbox's language; "" = the usual sentence
	Since     time.Time // since when it is so
	NextCheck time.Time // when the connector will look again; zero = blank
	Flows     []Flow    // every flow that uses this outbox
	// Flush writes outcome files now although Refresh has not passed: at the end of
	// `once` and before the process stops.
	Flush bool
}

// Flow is a flow of the outbox and when its folder is looked at next.
type Flow struct {
	Name      string
	Sender    string // its sender's name in the configuration
	NextCheck time.Time
}

// statusLine is one line of stato.csv.
type statusLine struct {
	flow, file, batch, state, why, missing string
	since, next                            time.Time
}

func (l statusLine) cells() []string {
	return []string{
		l.flow, l.file, l.batch, l.state, l.why, l.missing, instant(l.since), instant(l.next),
	}
}

// statusMark is a digest of all that makes stato.csv worth rewriting: the lines
// without prossimo_controllo, which changes all the time.
func statusMark(lines []statusLine) uint64 {
	h := sha256.New()
	for _, l := range lines {
		for _, cell := range l.cells()[:7] {
			addCell(h, cell)
		}
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

func addCell(h hash.Hash, cell string) {
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(cell)))
	h.Write(size[:])
	_, _ = io.WriteString(h, cell)
}

// writeStatus writes stato.csv when a line changed or the heartbeat is due, and says
// when the next heartbeat is.
func (o *Outbox) writeStatus(ctx context.Context, now State) (time.Time, bool, error) {
	lines, due, err := o.statusLines(ctx, now)
	if err != nil {
		return time.Time{}, false, err
	}
	mark := statusMark(lines)
	last, err := o.publication(ctx, kindStatus, statusName)
	if err != nil {
		return time.Time{}, false, err
	}
	clock := o.opts.Clock()
	if last != nil && last.Hash != "" && last.Version == mark && clock.Before(last.At.Add(o.opts.Heartbeat)) &&
		!clock.Before(last.At) {
		return sooner(due, last.At.Add(o.opts.Heartbeat)), false, nil
	}
	done, err := o.publish(ctx, stepStatusPublish, statusName, func(w io.Writer) error {
		s := newSheet(w, statusColumns())
		for _, l := range lines {
			if err := s.line(l.cells()); err != nil {
				return err
			}
		}
		return s.flush()
	})
	if err != nil {
		return time.Time{}, false, err
	}
	p := &ledger.Publication{
		Outbox: o.opts.Name, Kind: kindStatus, Name: statusName, File: done.Name,
		Hash: done.SHA256, Version: mark, At: clock,
	}
	err = o.commit(ctx, stepStatusCommit, p)
	return sooner(due, clock.Add(o.opts.Heartbeat)), true, err
}

// statusLines makes the lines in their order: the connector first, then flow, file
// and batch. The time is when a line will change by time alone (a file that was read
// is not shown for ever).
func (o *Outbox) statusLines(ctx context.Context, now State) ([]statusLine, time.Time, error) {
	lines, due, err := o.fileLines(ctx, now)
	if err != nil {
		return nil, time.Time{}, err
	}
	slices.SortFunc(lines, func(a, b statusLine) int {
		return cmp.Or(cmp.Compare(a.flow, b.flow), cmp.Compare(a.file, b.file),
			cmp.Compare(a.batch, b.batch), cmp.Compare(a.why, b.why))
	})
	return append([]statusLine{o.connectorLine(now)}, lines...), due, nil
}

func (o *Outbox) connectorLine(now State) statusLine {
	condition, why := cmp.Or(now.Condition, Running), now.Why
	if why == "" {
		why = o.text(map[Condition]string{Running: "running", Paused: "paused", Stopping: "stopping"}[condition])
	}
	return statusLine{
		flow: connectorFlow, state: string(condition), why: why, since: now.Since, next: now.NextCheck,
	}
}

// fileLines makes the lines of sightings, holds and batches.
func (o *Outbox) fileLines(ctx context.Context, now State) ([]statusLine, time.Time, error) {
	var lines []statusLine
	var holds map[holdKey]ledger.Hold
	var batches []*ledger.Batch
	err := o.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		lines = nil
		all, err := tx.Holds()
		if err != nil {
			return err
		}
		holds = holdsOf(all)
		for _, f := range now.Flows {
			sightings, err := tx.Sightings(f.Name)
			if err != nil {
				return err
			}
			lines = append(lines, o.sightingLines(sightings, f)...)
			lines = append(lines, o.holdLines(holds, f)...)
		}
		batches, err = o.recentBatches(tx, o.opts.Clock(), holds)
		return err
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	more, due, err := o.batchLines(ctx, batches, holds)
	return append(lines, more...), due, err
}

func (o *Outbox) sightingLines(sightings []*ledger.Sighting, f Flow) []statusLine {
	lines := make([]statusLine, 0, len(sightings))
	for _, s := range sightings {
		why := s.Text
		if why == "" {
			why = o.text("waiting")
		}
		lines = append(lines, statusLine{
			flow: f.Name, file: s.File, state: fileWaiting, why: why,
			missing: o.missing(s.Missing), since: s.Since, next: f.NextCheck,
		})
	}
	return lines
}

// maxMissing keeps the cell readable: a drop may miss thousands of documents.
const maxMissing = 20

func (o *Outbox) missing(names []string) string {
	if len(names) <= maxMissing {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:maxMissing], ", ") + ", " +
		o.text("more", "n", strconv.Itoa(len(names)-maxMissing))
}
