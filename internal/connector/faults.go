package connector

import (
	"errors"

	"sendconnector/internal/folder"
	"sendconnector/internal/send"
)

// faultExit says what the failure of one part of a pass means for the exit code:
// what is not available now is "held", nothing of it being lost; anything else is an
// unexpected failure.
func faultExit(err error) int {
	if e, ok := errors.AsType[*ExitError](err); ok {
		return e.Exit
	}
	if e, ok := errors.AsType[*send.Error](err); ok {
		switch e.Class {
		case send.Held, send.Transient, send.Unknown, send.Expired:
			return ExitHeld
		}
		return ExitFailure
	}
	for _, unavailable := range []error{folder.ErrHostKey, folder.ErrLogin, folder.ErrPermission, folder.ErrFull, folder.ErrBusy, folder.ErrUnavailable, folder.ErrNotExist} {
		if errors.Is(err, unavailable) {
			return ExitHeld
		}
	}
	return ExitFailure
}
