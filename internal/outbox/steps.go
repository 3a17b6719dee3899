package outbox

import (
	"context"
	"fmt"
)

// The steps are every effect that the outbox has on the outside or on the ledger,
// in the words of architecture.md ("Steps are named"). Options.Step sees each twice,
// as "<name>:before" and "<name>:after"; an error from it ends the pass there, as a
// crash would. The comment says what a restart finds when it stopped between this
// step and the next.
const (
	// Nothing yet, or folders that may stay: founding is repeated.
	stepFoundMark = "outbox.found.mark"
	// .sequenza says 0 beside a ledger that knows the sequence: the same number is next.
	stepFoundCommit = "outbox.found.commit"
	// Number and range committed, no file: the file is written from the log.
	stepSequenceIntent = "outbox.sequence.intent"
	// .sequenza holds a number whose file is not there yet: likewise.
	stepSequenceMark = "outbox.sequence.mark"
	// The file is there and may have been taken by its reader: written again, same
	// number, same bytes.
	stepSequencePublish = "outbox.sequence.publish"
	// Done.
	stepSequenceCommit = "outbox.sequence.commit"
	// The document is in its folder but FETCHED: placed again over itself.
	stepDocumentPlace = "outbox.document.place"
	// The note names spool copies that are still needed: it is read with the ledger
	// beside it, which says so.
	stepDocumentNote = "outbox.document.note"
	// PLACED, and the spool copy still there: removed at the next start.
	stepDocumentCommit = "outbox.document.commit"
	// One of the spool copies is gone: the note names the others.
	stepDocumentUnspool = "outbox.document.unspool"
	// Done.
	stepDocumentFree = "outbox.document.free"
	// Index, outcome and status files are whole, but the ledger does not know: they
	// are written again.
	stepIndexPublish   = "outbox.index.publish"
	stepIndexCommit    = "outbox.index.commit"
	stepOutcomePublish = "outbox.outcome.publish"
	stepOutcomeCommit  = "outbox.outcome.commit"
	stepStatusPublish  = "outbox.status.publish"
	stepStatusCommit   = "outbox.status.commit"
	// A waiting .nuovo took its place but the ledger names it: looked for, not found,
	// forgotten.
	stepSettle = "outbox.settle"
)

// Steps are the names of all steps, for crash tests that stop at each.
func Steps() []string {
	return []string{
		stepFoundMark, stepFoundCommit,
		stepSequenceIntent, stepSequenceMark, stepSequencePublish, stepSequenceCommit,
		stepDocumentPlace, stepDocumentNote, stepDocumentCommit, stepDocumentUnspool, stepDocumentFree,
		stepIndexPublish, stepIndexCommit, stepOutcomePublish, stepOutcomeCommit,
		stepStatusPublish, stepStatusCommit, stepSettle,
	}
}

// StopError is what Step answered; it ends the pass at once.
type StopError struct {
	Step string
	Err  error
}

func (e *StopError) Error() string { return fmt.Sprintf("outbox: stopped at %s: %v", e.Step, e.Err) }
func (e *StopError) Unwrap() error { return e.Err }

// step runs one effect between its two sides.
func (o *Outbox) step(ctx context.Context, name string, effect func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := o.side(name + ":before"); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return o.side(name + ":after")
}

func (o *Outbox) side(name string) error {
	if o.opts.Step == nil {
		return nil
	}
	if err := o.opts.Step(name); err != nil {
		return &StopError{Step: name, Err: err}
	}
	return nil
}
