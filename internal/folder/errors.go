package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// What can go wrong with a folder. The errors of a folder match exactly one of these
// with errors.Is where the cause is known (ErrUnknown: two), and none where it is not.
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
	// ErrEndless: the server lists more files, or more folders below each other, than
	// there can be; a person must look. Nothing about what lies there follows from it.
	ErrEndless = errors.New("more files than a folder has")
	// ErrHostKey: the server shows a key that nobody has vouched for, or another one
	// than before; a person must compare fingerprints. See [HostKeyError].
	ErrHostKey = errors.New("host key not trusted")
	// ErrLogin: the server refuses user, password or key. See [LoginError].
	ErrLogin = errors.New("login refused")
	// ErrUnknown: the request was sent and the answer never came, and it could not be
	// found out either: what was asked may have happened, or may yet. Whoever gets it
	// looks before doing anything else. It comes with ErrUnavailable, or with the
	// context's error.
	ErrUnknown = errors.New("not known whether it happened")
	// ErrChanged: the file was changed while it was read.
	ErrChanged = errors.New("file changed while it was read")
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

// HostKeyError is a server that could not be recognised. It is an ErrHostKey.
type HostKeyError struct {
	Host     string   // host:port as configured
	Seen     string   // fingerprint of the key that the server showed, SHA256:…
	SeenLine string   // the same key as a line, "ssh-ed25519 AAAA…": what check prints to paste
	Expected []string // fingerprints that would have been right; empty: none is known
	Revoked  bool     // the key is known, and marked as revoked
}

func (e *HostKeyError) Error() string {
	switch {
	case e.Revoked:
		return fmt.Sprintf("%s shows host key %s, which is revoked", e.Host, e.Seen)
	case len(e.Expected) == 0:
		return fmt.Sprintf("%s shows host key %s, and none is known for it", e.Host, e.Seen)
	}
	return fmt.Sprintf("%s shows host key %s instead of %s", e.Host, e.Seen, strings.Join(e.Expected, " or "))
}

// Is makes it an ErrHostKey.
func (e *HostKeyError) Is(target error) bool { return target == ErrHostKey }

// LoginError is a server that refused the user, or that could not be asked for want of
// a secret. It is an ErrLogin.
type LoginError struct {
	Host, User string
	Tried      []string // what we had to offer: "password", "key", "agent"
	Unasked    bool     // the server was not asked: what we had to offer could not be read here
	Cause      error    // what the server said, or why a secret could not be read
}

func (e *LoginError) Error() string {
	tried := strings.Join(e.Tried, ", ")
	if tried == "" {
		tried = "nothing to offer"
	}
	if e.Unasked {
		return fmt.Sprintf("%s was not asked to let %q in: the %s cannot be used: %v", e.Host, e.User, tried, e.Cause)
	}
	return fmt.Sprintf("%s refuses user %q (%s): %v", e.Host, e.User, tried, e.Cause)
}

// Is makes it an ErrLogin.
func (e *LoginError) Is(target error) bool { return target == ErrLogin }

// Unwrap gives the cause.
func (e *LoginError) Unwrap() error { return e.Cause }

// Away reports whether err says that the folder as a whole cannot be reached, so that
// nothing about what lies in it follows from err.
func Away(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrHostKey) || errors.Is(err, ErrLogin) || errors.Is(err, ErrEndless)
}

// Lasting reports whether err will stay until a person changes something, so that
// trying again by itself is of no use.
func Lasting(err error) bool {
	return errors.Is(err, ErrPermission) || errors.Is(err, ErrName) || errors.Is(err, ErrSpecial)
}

// Means reports whether err, of this package or straight from the system, is of a kind.
func Means(err, kind error) bool {
	return err != nil && (errors.Is(err, kind) || errors.Is(kindOf(err), kind))
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
