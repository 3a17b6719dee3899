package ledger

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
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

func writeGeneration(path string, n uint64) error {
	return writeSynced(generationFile(path), []byte(strconv.FormatUint(n, 10)+"\n"))
}

// owner is the content of the owner file.
type owner struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

func writeOwner(path string, now time.Time) error {
	host, _ := os.Hostname() // a nameless host is still told by its pid
	raw, err := json.Marshal(owner{PID: os.Getpid(), Host: host, Since: now.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	return writeSynced(ownerFile(path), raw)
}

func readOwner(path string) string {
	raw, err := os.ReadFile(ownerFile(path))
	var o owner
	if err != nil || json.Unmarshal(raw, &o) != nil {
		return ""
	}
	return fmt.Sprintf("process %d on %s since %s", o.PID, o.Host, o.Since.Format(time.RFC3339))
}

// writeSynced replaces a small file of the data folder as a whole.
func writeSynced(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
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

// inspect looks at the file before bbolt does: bbolt takes an empty file for a new
// database, and a file shorter than its own page count for a whole one.
func inspect(path string, beside uint64, opts Options) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if opts.ReadOnly {
			return fmt.Errorf("ledger: %w", err)
		}
		if beside != 0 && !opts.Rebuild {
			return &CorruptError{Path: path, What: "the file is missing, although " + filepath.Base(generationFile(path)) + " says that there was one"}
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	need, err := pagesNeeded(f)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	switch {
	case st.Size() == 0 && beside == 0 && !opts.ReadOnly:
		return nil // the very first opening stopped before it wrote anything
	case st.Size() == 0:
		return &CorruptError{Path: path, What: "the file is empty"}
	case need == 0:
		return &CorruptError{Path: path, What: "neither of its two head pages is whole"}
	case st.Size() < need:
		return &CorruptError{Path: path, What: fmt.Sprintf("it has %d bytes where its head counts %d", st.Size(), need)}
	}
	return nil
}

// bbolt's head page: 16 bytes of page header, then magic, version, page size,
// flags (u32 each), root page and sequence, freelist page, page count, transaction,
// FNV-1a checksum (u64 each), in the machine's order (little-endian everywhere we
// build for).
const (
	metaMagic = 0xED0CDAED
	metaBytes = 64
)

// pagesNeeded gives the bytes that the newest whole head page counts; 0 when
// neither is whole.
func pagesNeeded(r io.ReaderAt) (int64, error) {
	var need int64
	var newest uint64
	// The second head lies one page on; the page size is in the first, which may be
	// the broken one, so every size that systems use is tried.
	for _, at := range []int64{0, 4096, 8192, 16384, 32768, 65536} {
		buf := make([]byte, 16+metaBytes)
		if _, err := r.ReadAt(buf, at); errors.Is(err, io.EOF) {
			continue
		} else if err != nil {
			return 0, err
		}
		m := buf[16:]
		sum := fnv.New64a()
		_, _ = sum.Write(m[:56]) // never fails
		le := binary.LittleEndian
		if le.Uint32(m) != metaMagic || le.Uint64(m[56:]) != sum.Sum64() {
			continue
		}
		if txid := le.Uint64(m[48:]); need == 0 || txid > newest {
			newest, need = txid, int64(le.Uint64(m[40:]))*int64(le.Uint32(m[8:]))
		}
	}
	return need, nil
}
