package folder

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// impatient makes a folder that never waits and counts how often it would have.
func impatient(t *testing.T) (*Local, *int) {
	t.Helper()
	dir, err := os.MkdirTemp("", "folder")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := OpenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	waits := 0
	l.pause = func(context.Context, time.Duration) error { waits++; return nil }
	return l, &waits
}

// Damage prevented: a file that a virus scanner holds for a moment fails the whole
// publication, or one that Excel holds is tried for ever.
func TestPatienceIsBounded(t *testing.T) {
	l, waits := impatient(t)
	busy := &Error{Op: "rename", Kind: ErrBusy}
	tries := 0
	err := l.patiently(t.Context(), func() error {
		if tries++; tries < 4 {
			return busy
		}
		return nil
	})
	if err != nil || *waits != 3 {
		t.Errorf("held for a moment: %v after %d waits", err, *waits)
	}
	*waits = 0
	if err := l.patiently(t.Context(), func() error { return busy }); !errors.Is(err, ErrBusy) {
		t.Errorf("held for good: %v", err)
	}
	if *waits != len(patience) {
		t.Errorf("waited %d times, want %d", *waits, len(patience))
	}
	*waits = 0
	if err := l.patiently(t.Context(), func() error { return ErrPermission }); !errors.Is(err, ErrPermission) || *waits != 0 {
		t.Errorf("a lasting error was tried again: %v, %d", err, *waits)
	}
	total := time.Duration(0)
	for _, d := range patience {
		total += d
	}
	if total > time.Second {
		t.Errorf("patience lasts %v", total)
	}
}

// Damage prevented: an archive on another disk loses a file half copied, or the
// copy and the source both stay.
func TestMoveAcrossVolumes(t *testing.T) {
	l, _ := impatient(t)
	ctx := t.Context()
	write(t, l, "in/a.pdf", "bytes")
	stamp := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(l.root, "in", "a.pdf"), stamp, stamp); err != nil {
		t.Fatal(err)
	}
	if err := l.Mkdir(ctx, "archive"); err != nil {
		t.Fatal(err)
	}
	if err := copyOverFor(l, "in/a.pdf", "archive/a.pdf"); err != nil {
		t.Fatal(err)
	}
	e, err := l.Stat(ctx, "archive/a.pdf")
	if err != nil || !e.Modified.Equal(stamp) || e.Size != 5 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := l.Stat(ctx, "in/a.pdf"); !errors.Is(err, ErrNotExist) {
		t.Errorf("the source is still there: %v", err)
	}
	write(t, l, "in/a.pdf", "other")
	if err := copyOverFor(l, "in/a.pdf", "archive/a.pdf"); !errors.Is(err, ErrExist) {
		t.Errorf("overwriting: %v", err)
	}
	if all, _ := l.List(ctx, "archive", true); len(all) != 1 {
		t.Errorf("left behind: %v", all)
	}
}

// Damage prevented: a crash while copying to another disk loses the only copy.
func TestMoveAcrossVolumesKilledAtEveryStep(t *testing.T) {
	killed := errors.New("killed")
	for _, step := range []string{StepCreated, StepWritten, StepSynced, StepRenamed, StepRemoved} {
		l, _ := impatient(t)
		write(t, l, "in/a.pdf", "bytes")
		if err := l.Mkdir(t.Context(), "archive"); err != nil {
			t.Fatal(err)
		}
		dying := l.WithStep(func(name string) error {
			if name == step {
				return killed
			}
			return nil
		})
		if err := copyOverFor(dying, "in/a.pdf", "archive/a.pdf"); !errors.Is(err, killed) {
			t.Fatalf("%s: %v", step, err)
		}
		if _, err := l.Tidy(t.Context(), "."); err != nil {
			t.Fatal(err)
		}
		if err := l.Move(t.Context(), "in/a.pdf", "archive/a.pdf"); err != nil && (step != StepRemoved || !errors.Is(err, ErrNotExist)) {
			t.Errorf("%s: again: %v", step, err)
		}
		all, err := l.List(t.Context(), ".", true)
		if err != nil || len(all) != 3 || all[1].Name != "archive/a.pdf" || all[1].Size != 5 {
			t.Errorf("%s: %v, %v", step, all, err)
		}
	}
}

// copyOverFor moves as if another volume lay between: tests have only one.
func copyOverFor(l *Local, from, to string) error {
	root, err := os.OpenRoot(l.root)
	if err != nil {
		return err
	}
	defer root.Close()
	return l.copyOver(context.Background(), root, from, filepath.FromSlash(from), filepath.FromSlash(to))
}

func write(t *testing.T, l *Local, name, text string) {
	t.Helper()
	_, err := l.Publish(t.Context(), name, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
