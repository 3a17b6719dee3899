package folder_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
)

func open(t testing.TB) (*folder.Local, string) {
	t.Helper()
	root := t.TempDir()
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

// Damage prevented: a link in a drop folder makes the connector send, archive or
// overwrite a file from somewhere else.
func TestLinksAreNeverFollowedOut(t *testing.T) {
	ctx := context.Background()
	f, root := open(t)
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret.pdf")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(root, "link.pdf")); err != nil {
		t.Skipf("this system makes no links: %v", err)
	}
	if err := os.Symlink(outside, filepath.Join(root, "dir")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open(ctx, "link.pdf"); !errors.Is(err, folder.ErrSpecial) {
		t.Errorf("open of a link: %v, want ErrSpecial", err)
	}
	if _, err := f.Open(ctx, "dir/secret.pdf"); err == nil {
		t.Error("open through a linked folder succeeded")
	}
	if _, err := f.Publish(ctx, "dir/new.csv", func(io.Writer) error { return nil }); err == nil {
		t.Error("publish through a linked folder succeeded")
	}
	if err := f.Rename(ctx, "dir/secret.pdf", "here.pdf"); err == nil {
		t.Error("rename through a linked folder succeeded")
	}
	all, err := f.List(ctx, ".", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if !e.Special || e.Dir {
			t.Errorf("%+v: a link must be special and not entered", e)
		}
	}
	if len(all) != 2 {
		t.Errorf("listed %v", all)
	}
}

// Damage prevented: strangers on a shared Linux machine read personal data.
func TestNewFilesGiveStrangersNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows gives new files the rights of their folder")
	}
	f, root := open(t)
	if err := os.Chmod(root, 0o775); err != nil {
		t.Fatal(err)
	}
	foldertest.Put(t, f, "out/esito.csv", "x")
	for name, want := range map[string]os.FileMode{"out": 0o770, "out/esito.csv": 0o660} {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has %o, want %o", name, got, want)
		}
	}
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
