package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// What power loss, a full disk or a person leaves of a ledger is looked at before
// bbolt is: bbolt takes an empty file for a new database, and a file shorter than its
// own page count for a whole one.

// found is what inspect saw of the file.
type found struct {
	oneHead bool // one of bbolt's two head pages is damaged: what was committed last may be missing
}

// inspect refuses what is no whole ledger, without changing it.
func inspect(path string, beside uint64, opts Options) (found, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return found{}, missing(path, beside, opts)
	}
	if err != nil {
		return found{}, fmt.Errorf("ledger: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	need, heads, err := pagesNeeded(f)
	if err != nil {
		return found{}, fmt.Errorf("ledger: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		return found{}, fmt.Errorf("ledger: %w", err)
	}
	switch {
	case st.Size() == 0 && beside == 0 && !opts.ReadOnly:
		return found{}, nil // the very first opening stopped before it wrote anything
	case st.Size() == 0:
		return found{}, &CorruptError{Path: path, What: "the file is empty"}
	case heads == 0:
		return found{}, &CorruptError{Path: path, What: "neither of its two head pages is whole"}
	case st.Size() < need:
		return found{}, &CorruptError{Path: path, What: fmt.Sprintf("it has %d bytes where its head counts %d", st.Size(), need)}
	}
	return found{oneHead: heads < 2}, nil
}

// missing decides what a file that is not there means.
func missing(path string, beside uint64, opts Options) error {
	switch {
	case opts.ReadOnly:
		return fmt.Errorf("ledger: %s: %w", path, fs.ErrNotExist)
	case opts.Rebuild:
		return nil
	case exists(RebuildPath(path)):
		return &CorruptError{Path: path, What: "the file is missing, and its rebuilding was begun and not finished", Missing: true}
	case beside != 0:
		return &CorruptError{Path: path, What: "the file is missing, although " + filepath.Base(generationFile(path)) + " says that there was one", Missing: true}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// bbolt's head page: 16 bytes of page header, then magic, version, page size,
// flags (u32 each), root page and sequence, freelist page, page count, transaction,
// FNV-1a checksum (u64 each), in the machine's order (little-endian everywhere we
// build for).
const (
	metaMagic = 0xED0CDAED
	metaBytes = 64
)

// pagesNeeded gives the bytes that the newest whole head page counts, and how many of
// the two are whole.
func pagesNeeded(r io.ReaderAt) (need int64, heads int, err error) {
	var newest uint64
	// The second head lies one page on; the page size is in the first, which may be
	// the broken one, so every size that systems use is tried.
	for _, at := range []int64{0, 4096, 8192, 16384, 32768, 65536} {
		buf := make([]byte, 16+metaBytes)
		if _, err := r.ReadAt(buf, at); errors.Is(err, io.EOF) {
			continue
		} else if err != nil {
			return 0, 0, err
		}
		m := buf[16:]
		sum := fnv.New64a()
		_, _ = sum.Write(m[:56]) // never fails
		le := binary.LittleEndian
		size := int64(le.Uint32(m[8:]))
		if le.Uint32(m) != metaMagic || le.Uint64(m[56:]) != sum.Sum64() || at != 0 && at != size {
			continue
		}
		heads++
		if txid := le.Uint64(m[48:]); heads == 1 || txid > newest {
			newest, need = txid, int64(le.Uint64(m[40:]))*size
		}
	}
	return need, heads, nil
}

// walk reads every page and every record's checksum, which finds what a lost or
// half-written page did to them. It costs one reading of the file, so that it is done
// only where there is a reason: the last owner ended badly, or a head is damaged.
// Whether indexes and records agree is Verify's.
func (l *Ledger) walk(b *bbolt.Tx) (err error) {
	defer guard(l.path, &err)()
	for i, name := range bucketNames {
		t := b.Bucket([]byte(name))
		if t == nil {
			continue // from before there was this table
		}
		c, sealed := t.Cursor(), bucket(i).sealed()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if !sealed {
				continue
			}
			if fault := l.codec.whole(v); fault != nil {
				return &CorruptError{Path: l.path, What: fmt.Sprintf("record %s %x", name, k), Err: fault}
			}
		}
	}
	for fault := range b.Check() {
		return &CorruptError{Path: l.path, What: "its pages do not fit together", Err: fault}
	}
	return nil
}

// sealed tells which tables hold records with a checksum; the others are indexes.
func (b bucket) sealed() bool {
	switch b {
	case bBatch, bSpool, bRow, bNote, bCold, bEvent, bArtifact, bOrphan, bStream, bHold, bSighting, bPub, bChange, bCost,
		bRejected, bSupersede, bTomb:
		return true
	}
	return false
}
