package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// Two small files lie beside the ledger: <ledger>.generation, a number that tells a
// restored ledger from the one that was last used, and <ledger>.owner, which says
// who holds the lock. Only the number matters; the lock is the operating system's.

func generationFile(path string) string { return path + ".generation" }
func ownerFile(path string) string      { return path + ".owner" }

// readGeneration gives 0 where there is no number.
func readGeneration(path string) (uint64, error) {
	raw, err := os.ReadFile(generationFile(path))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("ledger: generation: %w", err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil {
		// A torn number proves that there was a ledger, no more: it counts as the
		// lowest, and the ledger's own number decides.
		return 1, nil
	}
	return n, nil
}

func (l *Ledger) writeGeneration(n uint64) error {
	return l.opts.Step.around(StepGeneration, func() error {
		return l.writeSynced(generationFile(l.path), []byte(strconv.FormatUint(n, 10)+"\n"))
	})
}

// owner is the content of the owner file.
type owner struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// endedBadly tells whether the last owner never gave the ledger back: its process was
// killed, or the power failed.
func endedBadly(path string) bool {
	_, err := os.Lstat(ownerFile(path))
	return err == nil
}

func (l *Ledger) writeOwner(now time.Time) error {
	host, _ := os.Hostname() // a nameless host is still told by its pid
	raw, err := json.Marshal(owner{PID: os.Getpid(), Host: host, Since: now.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	return l.writeSynced(ownerFile(l.path), raw)
}

func readOwner(path string) string {
	raw, err := os.ReadFile(ownerFile(path))
	var o owner
	if err != nil || json.Unmarshal(raw, &o) != nil {
		return ""
	}
	return fmt.Sprintf("process %d on %s since %s", o.PID, o.Host, o.Since.Format(time.RFC3339))
}

// unfinished begins the names under which writeSynced writes path.
func unfinished(path string) string { return "." + filepath.Base(path) + "." }

// tidyBeside removes what an owner that died left half written; only the owner may.
func tidyBeside(path string) error {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() == filepath.Base(compactPath(path)) || strings.HasPrefix(e.Name(), unfinished(generationFile(path))) || strings.HasPrefix(e.Name(), unfinished(ownerFile(path))) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// writeSynced replaces a small file of the data folder as a whole.
func (l *Ledger) writeSynced(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), unfinished(path)+"*")
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		if err := l.opts.Step(StepBeside); err != nil {
			return err
		}
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("ledger: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// guard turns what a torn file does to bbolt (a panic, or a fault of the memory
// map) into a *CorruptError. Use: defer guard(path, &err)().
func guard(path string, err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			*err = &CorruptError{Path: path, What: fmt.Sprint(r)}
		}
	}
}
