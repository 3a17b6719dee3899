package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/windows"

	"sendconnector/internal/folder/foldertest"
)

// Damage prevented: a key that every user of the server can read, and nobody is told;
// or a warning at every start that nobody reads any more.
func TestSharedSecretsAreNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)":          nil,
		"D:(A;;FA;;;SY)(A;;0x1200a9;;;WD)":                 {"Everyone"},
		"D:(A;;FA;;;BA)(A;ID;FR;;;BU)(A;ID;0x1301bf;;;AU)": {"Authenticated Users", "Users"},
		"D:(A;;GA;;;WD)": {"Everyone"},
		"D:(A;;GR;;;BG)": {"Guests"},
		"D:(D;;FR;;;WD)(A;;FA;;;SY)(A;;0x100002;;;BU)":      nil, // denied, or let write but not read
		"D:(A;;FR;;;S-1-5-21-1-2-3-1001)(A;;FA;;;S-1-5-18)": nil, // one user
	} {
		sd, err := windows.SecurityDescriptorFromString(text)
		if err != nil {
			t.Fatal(text, err)
		}
		list, _, err := sd.DACL()
		if err != nil {
			t.Fatal(text, err)
		}
		got, err := sharedIn(list)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	path := filepath.Join(foldertest.TempDir(t), "key")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := SharedWith(path); err != nil {
		t.Error(err)
	}
	if _, err := SharedWith(path + ".none"); err == nil {
		t.Error("a file that is not there has an access list")
	}
}
