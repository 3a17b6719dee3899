//go:build unix

package folder

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Damage: a file that was said to be durable and is gone, or empty under its name, after
// the power failed. The steps name the syncs in their order; here they are counted.
func TestSyncsAreMade(t *testing.T) { //nolint:paralleltest // it takes the place of a call of the package
	real := fsync
	defer func() { fsync = real }()
	var synced []string
	fsync = func(f *os.File) error {
		synced = append(synced, filepath.Base(f.Name()))
		return real(f)
	}
	root := t.TempDir()
	l, err := OpenLocal(root)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	write := func(w io.Writer) error { _, err := io.WriteString(w, "atto"); return err }
	for name, act := range map[string]func() error{
		"publish": func() error { _, err := l.Publish(ctx, "a.csv", write); return err },
		"rename":  func() error { return errors.Join(l.Rename(ctx, "a.csv", "b.csv"), l.Sync(ctx, ".")) },
		"mkdir":   func() error { return l.Mkdir(ctx, "2026") },
	} {
		if name == "rename" {
			if err := os.WriteFile(filepath.Join(root, "a.csv"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		synced = nil
		if err := act(); err != nil {
			t.Fatal(name, err)
		}
		folders := slices.DeleteFunc(slices.Clone(synced), func(s string) bool { return Temporary(s) && s != "." })
		if files := len(synced) - len(folders); name == "publish" && files != 1 {
			t.Errorf("%s: %d files synced (%v), want the temporary one", name, files, synced)
		}
		if len(folders) == 0 {
			t.Errorf("%s: no folder synced: %v", name, synced)
		}
	}
}

// Damage: a file that the disk cut short gets its name, and a reader takes half of it.
func TestCutFileGetsNoName(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	l, err := OpenLocal(root)
	if err != nil {
		t.Fatal(err)
	}
	cut := l.WithStep(func(step string) error {
		if step != StepWritten {
			return nil
		}
		found, err := filepath.Glob(filepath.Join(root, ".*"))
		if err != nil || len(found) != 1 {
			t.Errorf("%v %v, want the temporary file", found, err)
			return err
		}
		return os.Truncate(found[0], 3)
	})
	_, err = cut.Publish(context.Background(), "a.csv", func(w io.Writer) error { _, err := io.WriteString(w, "whole"); return err })
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(root); err != nil || len(left) != 0 {
		t.Errorf("left: %v %v", left, err)
	}
}
