//go:build !windows

package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sendconnector/internal/folder/foldertest"
)

// Damage: a pipe in the place of a key file stops the connector for ever, without a
// word: nobody writes into it. A link to a key, as containers mount them, is read.
func TestSecretIsARegularFile(t *testing.T) {
	dir := foldertest.TempDir(t)
	pipe, key, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "key"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte("geheim"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(key, link); err != nil {
		t.Fatal(err)
	}
	// If the reading waits after all, this writer lets it go on, and fail.
	go func() {
		if w, err := os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
			_, _ = w.WriteString("through the pipe")
			_ = w.Close()
		}
	}()
	for _, path := range []string{pipe, dir} {
		if _, err := ReadPrivate(path, false); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if got, err := ReadPrivate(link, false); err != nil || string(got) != "geheim" {
		t.Errorf("link: %q, %v", got, err)
	}
}
