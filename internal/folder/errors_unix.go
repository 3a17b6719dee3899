//go:build unix

package folder

import (
	"errors"
	"syscall"
)

// kindOf decides once what a system error means for us.
func kindOf(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		switch errno {
		case syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG:
			return ErrFull
		case syscall.EBUSY, syscall.ETXTBSY:
			return ErrBusy
		case syscall.EXDEV:
			return ErrVolume
		case syscall.EACCES, syscall.EPERM, syscall.EROFS:
			return ErrPermission
		case syscall.ENOENT, syscall.ENOTDIR:
			return ErrNotExist
		case syscall.EEXIST, syscall.ENOTEMPTY, syscall.EISDIR:
			return ErrExist
		case syscall.ENAMETOOLONG, syscall.EINVAL, syscall.EILSEQ:
			return ErrName
		case syscall.ELOOP:
			return ErrSpecial
		case syscall.ESTALE, syscall.EIO, syscall.ENOTCONN, syscall.EHOSTDOWN,
			syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ETIMEDOUT, syscall.ENODEV, syscall.ENXIO:
			return ErrUnavailable
		}
	}
	return kindOfPortable(err)
}
