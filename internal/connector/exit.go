package connector

import (
	"errors"
	"fmt"
)

// Exit codes of the commands (design/interface.md; docs/interface.md). They are an
// interface: schedulers and scripts act on them.
const (
	ExitOK       = 0 // all well
	ExitFailure  = 1 // unexpected failure
	ExitUsage    = 2 // usage or configuration
	ExitRejected = 3 // finished, but rows or files of this pass were rejected or refused
	ExitHeld     = 4 // platform, key or folder not available; nothing lost
	ExitBusy     = 5 // another process owns the ledger
	ExitTimeout  = 6 // --timeout ran out before --until
)

// ExitError is an error that knows its exit code and what to do about it. It
// crosses the control endpoint unchanged.
type ExitError struct {
	Exit    int    `json:"exit"`
	Code    string `json:"code,omitempty"` // stable, e.g. "C-LEDGER-BUSY"
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do
}

func (e *ExitError) Error() string {
	s := e.Message
	if e.Code != "" {
		s = e.Code + ": " + s
	}
	if e.Hint != "" {
		s += "\n  " + e.Hint
	}
	return s
}

// Exit gives the exit code that an error asks for; any other error is an
// unexpected failure.
func Exit(err error) int {
	if err == nil {
		return ExitOK
	}
	if e, ok := errors.AsType[*ExitError](err); ok {
		return e.Exit
	}
	return ExitFailure
}

func usage(format string, args ...any) error {
	return &ExitError{Exit: ExitUsage, Message: fmt.Sprintf(format, args...)}
}

// severity is the order in which exit codes win where several apply.
var severity = [...]int{ExitOK: 0, ExitRejected: 1, ExitHeld: 2, ExitTimeout: 3, ExitFailure: 4, ExitBusy: 5, ExitUsage: 6}

// Worst gives the exit code to report where several apply: 2, 5, 1, 6, 4, 3, 0.
func Worst(codes ...int) int {
	result := ExitOK
	for _, c := range codes {
		if severity[c] > severity[result] {
			result = c
		}
	}
	return result
}
