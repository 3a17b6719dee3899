package ledger

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound: no such record.
	ErrNotFound = errors.New("ledger: not found")
	// ErrSealed: the batch has been read to its end; its rows cannot change any more.
	ErrSealed = errors.New("ledger: batch is sealed")
	// ErrReadOnly: the ledger was opened for reading.
	ErrReadOnly = errors.New("ledger: opened read-only")
	// ErrClosed: the ledger is closed.
	ErrClosed = errors.New("ledger: closed")
	// ErrTooLate: the notification has left, or may have; it can no longer be discarded (rule 3).
	ErrTooLate = errors.New("ledger: too late to discard")
	// ErrNoProof: a new attempt without a fresh look-up that proves the end of the old one (rule 4).
	ErrNoProof = errors.New("ledger: no fresh look-up proves that the attempt before has ended")
)

// LockedError: another process owns the ledger.
type LockedError struct {
	Path   string
	Holder string // pid, host and since when, as the owner wrote them; "" if unknown
}

func (e *LockedError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("ledger %s is in use by another process", e.Path)
	}
	return fmt.Sprintf("ledger %s is in use by %s", e.Path, e.Holder)
}

// VersionError: the ledger was written by a newer program. Nothing was changed.
type VersionError struct {
	Path        string
	Found, Know int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("ledger %s has schema %d; this program knows up to %d: use the newer program", e.Path, e.Found, e.Know)
}

// CorruptError: the file is torn, damaged or gone although there was one. It is
// never taken for an empty ledger: restore a backup, or rebuild.
type CorruptError struct {
	Path string
	What string
	Err  error

	Missing bool // there is no file at all, so none to move aside
}

func (e *CorruptError) Error() string {
	s := fmt.Sprintf("ledger %s is damaged: %s", e.Path, e.What)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *CorruptError) Unwrap() error { return e.Err }

// TransitionError: the state table does not allow the step. Usually somebody else
// was faster: load the notification again and look at its state.
type TransitionError struct {
	ID       ID
	From, To State
	Why      string
}

func (e *TransitionError) Error() string {
	s := fmt.Sprintf("ledger: notification %d cannot go from %s to %s", e.ID, e.From, e.To)
	if e.Why != "" {
		s += ": " + e.Why
	}
	return s
}

// TakenError: a notice or act of a would-be new attempt is held by another key
// (rule 6).
type TakenError struct {
	What   string // "notice" or "act"
	Holder ID     // 0 when only a tombstone is left
	Batch  string
	Row    int
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("ledger: %s is held by notification %d (batch %s, row %d)", e.What, e.Holder, e.Batch, e.Row)
}

// ReadingError: a key of the item belongs to another batch that has not been read to
// its end, so that nobody can say yet whether it will stay (rule 10). Read that one
// first.
type ReadingError struct{ Batch string }

func (e *ReadingError) Error() string {
	return fmt.Sprintf("ledger: batch %s, which has the same protocol number, is still being read", e.Batch)
}

// InvariantError is one thing that Verify found.
type InvariantError struct {
	Record string
	What   string
}

func (e *InvariantError) Error() string { return "ledger: " + e.Record + ": " + e.What }
