package remote_test

import (
	"fmt"
	"os"
	"testing"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/folder/foldertest/sshtest"
)

const posixRename = "posix-rename@openssh.com"

// Damage prevented: a flow behaves otherwise on a server than on a disk, and nobody
// knows until a notification is sent twice or lost.
func TestPkgSFTPConforms(t *testing.T) {
	for name, o := range map[string]sshtest.Options{
		"as it is":                      {},
		"without extensions":            {Without: []string{"*"}},
		"one session":                   {OneSession: true},
		"without posix-rename, refuses": {Without: []string{posixRename}, RefuseReplace: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conform(t, !o.RefuseReplace, func(t *testing.T) folder.Folder {
				_, f := inProcess(t, o)
				return f
			})
		})
	}
}

func TestSFTPServerOverPipesConforms(t *testing.T) {
	for name, o := range map[string]sshtest.Options{
		"as it is": {}, "without extensions": {Without: []string{"*"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conform(t, len(o.Without) == 0, func(t *testing.T) folder.Folder {
				_, f := piped(t, o)
				return f
			})
		})
	}
}

// TestOpenSSHConforms runs the suite on the real server, shut into a chroot and not.
func TestOpenSSHConforms(t *testing.T) {
	for _, chroot := range []bool{false, true} {
		t.Run(fmt.Sprintf("chroot %v", chroot), func(t *testing.T) {
			t.Parallel()
			s := sshtest.StartOpenSSH(t, chroot)
			server := connect(t, sshdOptions(s))
			n := 0
			conform(t, true, func(t *testing.T) folder.Folder {
				n++
				name := fmt.Sprintf("t%d", n)
				s.Put(name+"/x", "")
				if err := os.Remove(s.Path + "/" + name + "/x"); err != nil {
					t.Fatal(err)
				}
				return server.Folder(s.Root + "/" + name)
			})
		})
	}
}

// conform runs the suite; what needs a file to be replaced in one step only where the
// server can.
func conform(t *testing.T, replaces bool, fresh func(t *testing.T) folder.Folder) {
	if replaces {
		foldertest.Conformance(t, fresh)
		return
	}
	foldertest.ConformanceWithoutReplacing(t, fresh)
}
