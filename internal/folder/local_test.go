package folder_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
)

func open(t testing.TB) (*folder.Local, string) {
	t.Helper()
	root := foldertest.TempDir(t)
	f, err := folder.OpenLocal(root)
	if err != nil {
		t.Fatal(err)
	}
	return f, root
}

func TestLocalConforms(t *testing.T) {
	foldertest.Conformance(t, func(t *testing.T) folder.Folder {
		f, _ := open(t)
		return f
	})
}

// Damage prevented: a root that vanished looks like a drop without files.
func TestVanishedRootIsUnavailable(t *testing.T) {
	f, root := open(t)
	if err := os.Remove(root); err != nil {
		t.Fatal(err)
	}
	if _, err := f.List(context.Background(), ".", true); !errors.Is(err, folder.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	if _, err := folder.OpenLocal(root); !errors.Is(err, folder.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

// Damage prevented: a crash at any moment of a publication shows half a file, or
// leaves older content waiting to replace newer. Every step is a place to die.
func TestPublishKilledAtEveryStep(t *testing.T) {
	killed := errors.New("killed")
	for _, step := range []string{folder.StepCreated, folder.StepWritten, folder.StepSynced, folder.StepRenamed, folder.StepSettled} {
		for _, waiting := range []bool{false, true} {
			f, _ := open(t)
			foldertest.Put(t, f, "esito.csv", "first")
			content := "second"
			if waiting {
				foldertest.Put(t, f, "esito.nuovo.csv", "between")
			} else if step == folder.StepSettled {
				continue // nothing settles where nothing waits
			}
			dying := f.WithStep(func(name string) error {
				if name == step {
					return killed
				}
				return nil
			})
			_, err := dying.Publish(context.Background(), "esito.csv", func(w io.Writer) error {
				_, err := io.WriteString(w, content)
				return err
			})
			if !errors.Is(err, killed) {
				t.Fatalf("%s: %v", step, err)
			}
			if got := foldertest.Get(t, f, "esito.csv"); got != "first" && got != content {
				t.Errorf("%s: %q is visible", step, got)
			}
			// A restart: tidy, settle, publish again.
			if _, err := f.Tidy(context.Background(), "."); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Settle(context.Background(), "esito.csv"); err != nil {
				t.Fatal(err)
			}
			foldertest.Put(t, f, "esito.csv", content)
			if names := foldertest.Names(t, f, "."); len(names) != 1 || foldertest.Get(t, f, "esito.csv") != content {
				t.Errorf("%s: after restart %v", step, names)
			}
		}
	}
}

func TestTemporary(t *testing.T) {
	for name, want := range map[string]bool{
		"a.tmp": true, "A.TMP": true, "a.csv.part": true, "a.csv.3f2a.partial": true, "a.filepart": true,
		"a.crdownload": true, "~$elenco.xlsx": true, ".nascosto.csv": true, "sub/.x/a.csv": true, "a.swp": true,
		".sftpgo-upload.1.a.csv": true, "sub/~$a.xlsx": true,
		"a.csv": false, "sub/a.csv": false, "tmp.csv": false, "a.partial.csv": false, "part": false, "./a.csv": false,
	} {
		if got := folder.Temporary(name); got != want {
			t.Errorf("Temporary(%q) = %v", name, got)
		}
	}
}

// Damage prevented: two protocol numbers share a folder of legal documents, or one
// names a device or climbs out.
func TestSlug(t *testing.T) {
	seen := map[string]string{}
	for _, s := range []string{
		"2026/TARI/00012", "2026-TARI-00012", "2026 TARI 00012", "prot", "PROT", "CON", "nul.txt", "COM1", "..", "../../etc",
		"", "è", "é", "e", strings.Repeat("x", 500), strings.Repeat("x", 501), "a.", "a", ".a", "città n° 5", "日本", "a\nb",
	} {
		slug := folder.Slug(s)
		key := strings.ToLower(slug)
		if other, taken := seen[key]; taken {
			t.Errorf("%q and %q share %q", s, other, slug)
		}
		seen[key] = s
		if len(slug) > 70 || strings.ContainsAny(slug, "/\\:*?\"<>| ") || strings.HasPrefix(slug, ".") || folder.Temporary(slug) {
			t.Errorf("Slug(%q) = %q", s, slug)
		}
		if !filepath.IsLocal(slug) {
			t.Errorf("Slug(%q) = %q is not local", s, slug)
		}
	}
	for s, want := range map[string]string{"2026/TARI/00012": "2026-TARI-00012", "città n° 5": "citta-n-5", "nul.txt": "x-nul.txt", "": "x"} {
		if got := folder.SafeName(s); got != want {
			t.Errorf("SafeName(%q) = %q, want %q", s, got, want)
		}
	}
}
