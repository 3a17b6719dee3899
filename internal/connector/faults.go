package connector

import (
	"context"
	"errors"
	"regexp"

	"sendconnector/internal/folder"
	"sendconnector/internal/notification"
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
	if login, ok := errors.AsType[*folder.LoginError](err); ok && login.Unasked {
		return ExitUsage
	}
	for _, unavailable := range []error{folder.ErrHostKey, folder.ErrLogin, folder.ErrPermission, folder.ErrFull, folder.ErrBusy, folder.ErrUnavailable, folder.ErrEndless, folder.ErrNotExist} {
		if folder.Means(err, unavailable) {
			return ExitHeld
		}
	}
	return ExitFailure
}

// dataFull says that the data folder has no room left. What could not be committed was
// not done either: an effect follows its intent.
func (c *Connector) dataFull() *ExitError {
	p := notification.New(c.lang, "C-FOLDER-FULL", "", "folder", c.cfg.Data)
	return &ExitError{Exit: ExitHeld, Code: p.Code, Message: p.Message}
}

// roomForData is what the ledger and the private copies need to go on at all.
const roomForData = 1 << 20

// dataIsFull looks at the disk itself: who could not write cannot have written that.
func (c *Connector) dataIsFull(ctx context.Context) bool {
	f, err := folder.LocalAt(c.cfg.Data)
	if err != nil {
		return false
	}
	room, known := f.Free(ctx)
	return known && room < roomForData
}

// clear gives an error of a full data folder its plain words; any other stays.
func (c *Connector) clear(ctx context.Context, err error) error {
	if folder.Means(err, folder.ErrFull) && c.dataIsFull(ctx) {
		return c.dataFull()
	}
	return err
}

// passing are names that are new at every try. An error that differs in them alone is
// the same one.
var passing = regexp.MustCompile(`\.connector-[0-9a-f]{16}\.tmp|\.generation\.\d+`)
