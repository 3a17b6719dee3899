package folder

import (
	"errors"
	"fmt"
	"io/fs"
)

// What can go wrong with a folder. The errors of this package match exactly one of
// these with errors.Is where the cause is known, and none where it is not.
var (
	// ErrExist: something has the name already; nothing was changed.
	ErrExist = errors.New("name already taken")
	// ErrNotExist: no such file or folder.
	ErrNotExist = errors.New("no such file or folder")
	// ErrPermission: the system refuses; a person must change rights.
	ErrPermission = errors.New("not permitted")
	// ErrFull: no space left; trying again later may help.
	ErrFull = errors.New("no space left")
	// ErrBusy: another program holds the file; trying again later may help.
	ErrBusy = errors.New("held by another program")
	// ErrUnavailable: the root, its disk or its server is gone; trying again later
	// may help.
	ErrUnavailable = errors.New("folder not available")
	// ErrVolume: a rename would have to cross volumes; Move can.
	ErrVolume = errors.New("on another volume")
	// ErrName: the name leads out of the root or cannot exist on this system.
	ErrName = errors.New("name not allowed")
	// ErrSpecial: not a regular file (a link, a folder, a device).
	ErrSpecial = errors.New("not a regular file")
)

// Error is a failed operation on a folder.
type Error struct {
	Op    string // "list", "open", "rename"…
	Name  string // relative to the root
	Kind  error  // one of the Err… values; nil where the cause is not known
	Cause error  // what the system said; may be nil
}

func (e *Error) Error() string {
	switch {
	case e.Kind == nil:
		return fmt.Sprintf("%s %q: %v", e.Op, e.Name, e.Cause)
	case e.Cause == nil:
		return fmt.Sprintf("%s %q: %v", e.Op, e.Name, e.Kind)
	}
	return fmt.Sprintf("%s %q: %v (%v)", e.Op, e.Name, e.Kind, e.Cause)
}

// Unwrap gives the kind and the system's own error.
func (e *Error) Unwrap() []error {
	var all []error
	if e.Kind != nil {
		all = append(all, e.Kind)
	}
	if e.Cause != nil {
		all = append(all, e.Cause)
	}
	return all
}

// Lasting reports whether err will stay until a person changes something, so that
// trying again by itself is of no use.
func Lasting(err error) bool {
	return errors.Is(err, ErrPermission) || errors.Is(err, ErrName) || errors.Is(err, ErrSpecial)
}

// fail wraps a system error once, with its kind.
func fail(op, name string, cause error) error {
	if cause == nil {
		return nil
	}
	var already *Error
	if errors.As(cause, &already) {
		return cause
	}
	return &Error{Op: op, Name: name, Kind: kindOf(cause), Cause: cause}
}

// kindOfPortable is what the standard library knows of an error on any system.
func kindOfPortable(err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return ErrExist
	case errors.Is(err, fs.ErrNotExist):
		return ErrNotExist
	case errors.Is(err, fs.ErrPermission):
		return ErrPermission
	}
	return nil
}
