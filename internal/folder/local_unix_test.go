//go:build unix

package folder_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
)

// Damage prevented: a link in a drop folder makes the connector send, archive or
// overwrite a file from somewhere else.
func TestLinksAreNeverFollowedOut(t *testing.T) {
	ctx := context.Background()
	f, root := open(t)
	outside := foldertest.TempDir(t)
	secret := filepath.Join(outside, "secret.pdf")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(root, "link.pdf")); err != nil {
		t.Fatal(err)
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

// Damage prevented: a link within the drop makes the connector send another office's
// document out of the archive to the recipient of a row.
func TestLinksWithinTheRootAreNotRead(t *testing.T) {
	f, root := open(t)
	foldertest.Put(t, f, "archive/secret.pdf", "secret")
	foldertest.Put(t, f, "in/a.pdf", "plain")
	if err := os.Symlink("../archive", filepath.Join(root, "in", "dir")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open(t.Context(), "in/dir/secret.pdf"); !errors.Is(err, folder.ErrSpecial) {
		t.Errorf("open through a linked folder: %v, want ErrSpecial", err)
	}
	// A link swapped in between look and opening.
	name, other := filepath.Join(root, "in", "a.pdf"), filepath.Join(root, "in", "b.pdf")
	if err := os.Symlink("../archive/secret.pdf", other); err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Rename(name, name+".0")
			_ = os.Rename(other, name)
			_ = os.Rename(name, other)
			_ = os.Rename(name+".0", name)
		}
	}()
	for range 5000 {
		r, err := f.Open(t.Context(), "in/a.pdf")
		if err != nil {
			continue
		}
		text, err := io.ReadAll(r)
		r.Close()
		if err == nil && string(text) != "plain" {
			t.Errorf("read %q", text)
			break
		}
	}
	close(stop)
	<-done
}
