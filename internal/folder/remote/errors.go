package remote

import (
	"errors"
	"io/fs"

	"github.com/pkg/sftp"

	"sendconnector/internal/folder"
)

// Status codes of SFTP. Version 3, which everybody speaks, ends at 8; some servers
// send those of later versions all the same.
const (
	codeFailure        = 4
	codeBadMessage     = 5
	codeNoConnection   = 6
	codeConnectionLost = 7
	codeUnsupported    = 8
)

// kinds are what status codes mean beyond doubt. codeFailure can be anything: each
// operation looks for itself.
var kinds = map[uint32]error{
	codeBadMessage: folder.ErrName, // OpenSSH's word for a name too long or not valid
	10:             folder.ErrNotExist,
	11:             folder.ErrExist,
	12:             folder.ErrPermission, // write-protected
	13:             folder.ErrUnavailable,
	14:             folder.ErrFull,
	15:             folder.ErrFull, // quota
	17:             folder.ErrBusy, // lock
	18:             folder.ErrExist,
	19:             folder.ErrNotExist, // a file where a folder should be
	20:             folder.ErrName,
	21:             folder.ErrSpecial, // links in a circle
	22:             folder.ErrPermission,
	24:             folder.ErrExist, // a folder where a file should be
	25:             folder.ErrBusy,
	26:             folder.ErrBusy,
	27:             folder.ErrBusy, // being deleted
}

// kindOf decides once what an error of the server or the connection means for us.
func kindOf(err error) error {
	var gone *lost
	var status *sftp.StatusError
	switch {
	case errors.As(err, &gone):
		return folder.ErrUnavailable
	case errors.As(err, &status):
		return kinds[status.Code]
	case errors.Is(err, fs.ErrNotExist):
		return folder.ErrNotExist
	case errors.Is(err, fs.ErrPermission):
		return folder.ErrPermission
	}
	return nil
}

// isFailure is the answer that says only that it did not work.
func isFailure(err error) bool {
	var status *sftp.StatusError
	return errors.As(err, &status) && (status.Code == codeFailure || status.Code == codeUnsupported)
}

func isLost(err error) bool {
	var gone *lost
	return errors.As(err, &gone)
}

// fail wraps an error once, with its kind. Those of this package and of connecting
// are left as they are.
func fail(op, name string, err error) error {
	var already *folder.Error
	if err == nil || errors.As(err, &already) || errors.Is(err, folder.ErrHostKey) || errors.Is(err, folder.ErrLogin) {
		return err
	}
	return &folder.Error{Op: op, Name: name, Kind: kindOf(err), Cause: err}
}

// unknown is the error of a request whose answer never came, and about which nothing
// could be found out. It is ErrUnknown, and what its cause is.
func unknown(op, name string, cause error) error {
	var kind *folder.Error
	if !errors.As(cause, &kind) {
		k := kindOf(cause)
		if k == nil {
			k = folder.ErrUnavailable
		}
		cause = &folder.Error{Op: op, Name: name, Kind: k, Cause: cause}
	}
	return &folder.Error{Op: op, Name: name, Kind: folder.ErrUnknown, Cause: cause}
}
