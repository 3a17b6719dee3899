package connector

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// smallDisk puts a disk of its own, of some megabytes, under a folder of the world.
func (w *world) smallDisk(dir string) *disk {
	w.t.Helper()
	at := filepath.Join(w.dir, filepath.FromSlash(dir))
	if err := os.MkdirAll(at, 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := syscall.Mount("none", at, "tmpfs", 0, "size=6m,mode=0700"); err != nil {
		if os.Getenv("CI") == "true" {
			w.t.Fatal("a disk cannot be mounted: ", err)
		}
		w.t.Skip("needs the right to mount: ", err)
	}
	w.t.Cleanup(func() {
		if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil {
			w.t.Error(err)
		}
	})
	return &disk{t: w.t, at: at}
}

type disk struct {
	t  interface{ Fatal(args ...any) }
	at string
}

const filler = ".connector-riempimento"

// fill leaves no room at all; again, it takes what has become free.
func (d *disk) fill() {
	f, err := os.OpenFile(filepath.Join(d.at, filler), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatal(err)
	}
}

func (d *disk) free() {
	if err := os.Remove(filepath.Join(d.at, filler)); err != nil {
		d.t.Fatal(err)
	}
}

// scheduled is one pass as a scheduler sees it: its exit code and what it said.
func (w *world) scheduled() (int, string) {
	w.t.Helper()
	c, err := Open(context.Background(), w.cfg, w.opts)
	if err != nil {
		return Exit(err), err.Error()
	}
	s, err := c.Once(context.Background(), OnceOptions{})
	said := strings.Join(s.Failures, "; ")
	if err != nil {
		s.Exit, said = Exit(err), err.Error()
	}
	if err := c.Close(); err != nil {
		w.t.Error("close: ", err)
	}
	return s.Exit, said
}

// A disk that is full stops what needs it and loses nothing: exit code 4, one message,
// no half file, no request whose intent is not in the ledger; with room again it all
// goes on by itself to the same end as if there had been room all the time.
func TestDiskFull(t *testing.T) {
	clean := undisturbed(t)
	steps := map[string][]string{
		"data":     {"ingest.spool:before", "ledger.commit:before", "submit.create:before", "submit.create:after", "progress.events:after", "progress.spool:before"},
		"drop":     {"ingest.manifest:before", "ingest.archive:before", "submit.create:after"},
		"drop/out": {"ingest.seal:after", "submit.create:after", "progress.events:after"},
	}
	for dir, at := range steps {
		for _, step := range at {
			t.Run(fmt.Sprintf("%s/%s", dir, step), func(t *testing.T) {
				t.Parallel()
				w := newStill(t, ownOutbox("out"))
				d := w.smallDisk(dir)
				files := w.mixedDrop()
				var full atomic.Bool
				w.opts.Step = func(name string) error {
					if name == step || full.Load() {
						full.Store(true)
						d.fill()
					}
					return nil
				}
				var codes []int
				var said []string
				for range 200 {
					code, text := w.scheduled()
					if full.Load() {
						codes, said = append(codes, code), append(said, text)
					}
					if len(codes) == 6 {
						break
					}
					w.sim.Advance(30 * time.Minute)
				}
				if !full.Load() {
					t.Fatalf("the run never came to %s", step)
				}
				for i, code := range codes {
					if code != ExitHeld && code != ExitRejected && code != ExitOK {
						t.Errorf("exit code %d: %s", code, said[i])
					}
				}
				if dir == "data" && !strings.Contains(said[len(said)-1], "C-FOLDER-FULL: ") {
					t.Errorf("a full data folder is told as %q", said[len(said)-1])
				}
				if !slices.Contains(codes, ExitHeld) {
					t.Errorf("exit codes %v with a full disk, want %d: %q", codes, ExitHeld, said)
				}
				d.free()
				w.opts.Step = nil
				w.sim.Advance(time.Hour)
				w.untilClosed(2)
				w.onceAtSEND("B/1", "B/2", "B/6", "B/7")
				compareResults(t, clean, w.result(files))
			})
		}
	}
}

// The ledger's disk is full while the service runs: stato.csv, which lies elsewhere,
// must say so, and say when it is over; nothing is sent meanwhile.
func TestDataFullIsTold(t *testing.T) {
	w := newStill(t)
	d := w.smallDisk("data")
	c := w.open()
	d.fill()
	w.deposit("a.csv", alone("A/1", ettore, 1))
	s, err := c.Once(context.Background(), OnceOptions{})
	if err != nil || s.Exit != ExitHeld {
		t.Errorf("%v, %+v", err, s)
	}
	c.stopped.Store(false)
	if _, err := c.publish(context.Background(), "tari", c.outboxes["tari"], true); err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	if status := w.read("drop/out/stato.csv"); !strings.Contains(status, "SOSPESO") || !strings.Contains(status, filepath.Join(w.dir, "data")) {
		t.Errorf("stato.csv says:\n%s", status)
	}
	w.onceAtSEND()
	d.free()
	w.sim.Advance(time.Hour)
	if s, err := c.Once(context.Background(), OnceOptions{}); err != nil || s.Exit != ExitOK {
		t.Errorf("with room again: %v, %+v", err, s)
	}
	w.onceAtSEND("A/1")
}

// writable turns the disk read-only and back, as an administrator or a file system with
// a fault does.
func (d *disk) writable(yes bool) {
	flags := uintptr(syscall.MS_REMOUNT)
	if !yes {
		flags |= syscall.MS_RDONLY
	}
	if err := syscall.Mount("none", d.at, "tmpfs", flags, ""); err != nil {
		d.t.Fatal(err)
	}
}

// A folder that turns read-only keeps what needs it, and says so; nothing is sent that
// could not be kept, and it all goes on when the right is back.
func TestReadOnlyFolders(t *testing.T) {
	clean := undisturbed(t)
	for _, dir := range []string{"data", "drop", "drop/out"} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			w := newStill(t, ownOutbox("out"))
			d := w.smallDisk(dir)
			w.steps(1)
			files := w.mixedDrop()
			d.writable(false)
			for range 3 {
				if code, said := w.scheduled(); code != ExitHeld {
					t.Errorf("exit code %d: %s", code, said)
				}
				w.sim.Advance(10 * time.Minute)
			}
			if dir != "drop/out" {
				w.onceAtSEND()
			}
			d.writable(true)
			w.sim.Advance(time.Hour)
			w.untilClosed(2)
			w.onceAtSEND("B/1", "B/2", "B/6", "B/7")
			compareResults(t, clean, w.result(files))
		})
	}
}
