package config

import (
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

func openPrivate(path string) (*os.File, error) { return os.Open(path) }

// readableByOthers is always false: the mode bits Go shows on Windows say nothing
// about who may read.
func readableByOthers(fs.FileInfo) bool { return false }

// everybody are the groups that many people of a machine or domain are in.
var everybody = []struct {
	kind windows.WELL_KNOWN_SID_TYPE
	name string
}{
	{windows.WinWorldSid, "Everyone"},
	{windows.WinAuthenticatedUserSid, "Authenticated Users"},
	{windows.WinBuiltinUsersSid, "Users"},
	{windows.WinBuiltinGuestsSid, "Guests"},
	{windows.WinAnonymousSid, "Anonymous"},
	{windows.WinInteractiveSid, "Interactive"},
	{windows.WinNetworkSid, "Network"},
}

// SharedWith names the large groups that the access list of a file lets read it. It is
// for a warning, not for a refusal: a list can take back with one entry what another
// gives, and a folder above can keep everybody out.
func SharedWith(path string) ([]string, error) {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return nil, fmt.Errorf("access list of %s: %w", path, err)
	}
	list, _, err := sd.DACL()
	if err != nil || list == nil { // no list at all lets everybody do everything
		return []string{everybody[0].name}, nil //nolint:nilerr // ERROR_OBJECT_NOT_FOUND says so
	}
	return sharedIn(list)
}

// sharedIn names the groups that an access list lets read.
func sharedIn(list *windows.ACL) ([]string, error) {
	const reading = windows.FILE_READ_DATA | windows.GENERIC_READ | windows.GENERIC_ALL
	var shared []string
	for _, group := range everybody {
		sid, err := windows.CreateWellKnownSid(group.kind)
		if err != nil {
			return nil, fmt.Errorf("group %s: %w", group.name, err)
		}
		for i := range uint32(list.AceCount) {
			var ace *windows.ACCESS_ALLOWED_ACE
			if err := windows.GetAce(list, i, &ace); err != nil {
				return nil, fmt.Errorf("access list: %w", err)
			}
			owner := (*windows.SID)(unsafe.Pointer(&ace.SidStart)) //nolint:gosec // the form of the system's own list
			if ace.Header.AceType == windows.ACCESS_ALLOWED_ACE_TYPE && ace.Mask&reading != 0 && owner.Equals(sid) {
				shared = append(shared, group.name)
				break
			}
		}
	}
	return shared, nil
}
