package connector

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// unixSockets is false: file rights do not guard a socket file on Windows Server
// 2016, so the endpoint is a loopback port with a token.
const unixSockets = false

// makePrivate gives a file to its owner, the system and the administrators, whatever
// its folder lets others do: %ProgramData% lets every user read.
func makePrivate(path string) error {
	sd, err := windows.SecurityDescriptorFromString("D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)")
	if err != nil {
		return fmt.Errorf("private access list: %w", err)
	}
	list, _, err := sd.DACL()
	if err == nil {
		err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
			windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
	}
	if err != nil {
		return fmt.Errorf("private access list of %s: %w", path, err)
	}
	return nil
}
