package folder

import (
	"errors"

	"golang.org/x/sys/windows"
)

// kindOf decides once what a system error means for us.
func kindOf(err error) error {
	var errno windows.Errno
	if errors.As(err, &errno) {
		switch errno {
		case windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED:
			return ErrFull
		case windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION, windows.ERROR_USER_MAPPED_FILE,
			windows.ERROR_DELETE_PENDING, windows.ERROR_BUSY:
			return ErrBusy
		case windows.ERROR_NOT_SAME_DEVICE:
			return ErrVolume
		case windows.ERROR_ACCESS_DENIED, windows.ERROR_WRITE_PROTECT, windows.ERROR_PRIVILEGE_NOT_HELD:
			return ErrPermission
		case windows.ERROR_FILE_NOT_FOUND, windows.ERROR_PATH_NOT_FOUND:
			return ErrNotExist
		case windows.ERROR_ALREADY_EXISTS, windows.ERROR_FILE_EXISTS, windows.ERROR_DIR_NOT_EMPTY:
			return ErrExist
		case windows.ERROR_INVALID_NAME, windows.ERROR_FILENAME_EXCED_RANGE, windows.ERROR_BAD_PATHNAME:
			return ErrName
		case windows.ERROR_NOT_READY, windows.ERROR_BAD_NETPATH, windows.ERROR_BAD_NET_NAME,
			windows.ERROR_NETNAME_DELETED, windows.ERROR_NETWORK_UNREACHABLE, windows.ERROR_UNEXP_NET_ERR,
			windows.ERROR_SEM_TIMEOUT, windows.ERROR_DEV_NOT_EXIST, windows.ERROR_NETWORK_BUSY,
			windows.ERROR_REM_NOT_LIST, windows.ERROR_NO_NETWORK, windows.ERROR_LOGON_FAILURE:
			return ErrUnavailable
		}
	}
	// os.Root speaks NTSTATUS where it has no Win32 number for it.
	var status windows.NTStatus
	if errors.As(err, &status) {
		switch status {
		case windows.STATUS_SHARING_VIOLATION, windows.STATUS_DELETE_PENDING, windows.STATUS_FILE_LOCK_CONFLICT:
			return ErrBusy
		case windows.STATUS_NOT_SAME_DEVICE:
			return ErrVolume
		case windows.STATUS_DISK_FULL:
			return ErrFull
		case windows.STATUS_ACCESS_DENIED:
			return ErrPermission
		}
	}
	return kindOfPortable(err)
}
