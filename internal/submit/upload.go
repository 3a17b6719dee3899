package submit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// slotTries is how many slots one object may use up: an address that is no longer
// good is replaced, but not for ever.
const slotTries = 3

// spoolError says that a private copy is not what was admitted. It never goes away
// by trying again at once.
type spoolError struct {
	code string // C-SPOOL-MISSING or C-SPOOL-CORRUPT
	file string // name in the drop
	err  error
}

func (e *spoolError) Error() string { return "submit: private copy: " + e.err.Error() }
func (e *spoolError) Unwrap() error { return e.err }

// stepError is a Step's wish to stop; it passes through everything.
type stepError struct{ err error }

func (e *stepError) Error() string { return e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// uploadMissing uploads every object of n that cannot be named in a request yet,
// and gives n's documents with what was achieved, also beside an error: what is
// uploaded is not uploaded again.
func (w *work) uploadMissing(ctx context.Context) ([]ledger.Document, error) {
	docs := slices.Clone(w.n.Documents)
	wanted := missing(docs, w.s.o.Clock())
	if len(wanted) == 0 {
		return docs, nil
	}
	slots, err := w.run.preload.slots(ctx, wanted)
	if err != nil {
		return docs, err
	}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	for i, o := range wanted {
		g.Go(func() error {
			slot, version, err := w.uploadObject(ctx, o, slots[i])
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			place(docs, o, slot.Key, version, w.s.o.Clock())
			return nil
		})
	}
	err = g.Wait()
	return docs, err
}

// uploadObject puts one object into its slot, or into a new one if that is no
// longer good.
func (w *work) uploadObject(ctx context.Context, o object, slot send.Slot) (send.Slot, string, error) {
	for try := 1; ; try++ {
		version, err := w.fill(ctx, o, slot)
		if send.ClassOf(err) != send.Expired || try == slotTries {
			return slot, version, err
		}
		again, err := w.run.preload.slots(ctx, []object{o})
		if err != nil {
			return slot, "", err
		}
		slot = again[0]
	}
}

// fill uploads the private copy of one object. The bytes are hashed on their way
// (rule 18: the digest taken when the copy was made is the one that counts), so
// that a copy gone bad is found whatever the object store says.
func (w *work) fill(ctx context.Context, o object, slot send.Slot) (string, error) {
	if err := acquire(ctx, w.s.uploads); err != nil {
		return "", err
	}
	defer release(w.s.uploads)
	path := filepath.Join(w.s.o.Data, filepath.FromSlash(o.spool))
	if err := w.present(ctx, path, o); err != nil {
		return "", err
	}
	if err := w.s.o.Step(BeforeUpload); err != nil {
		return "", &stepError{err}
	}
	copied := &copyReader{path: path}
	version, err := w.s.o.Client.Upload(ctx, slot, o.contentType, notification.DigestOf(o.hash), o.size, copied.open)
	if sum, read := copied.sum(); read >= o.size && sum != o.hash {
		return "", &spoolError{"C-SPOOL-CORRUPT", o.file, errors.New("its digest is not the one of the admitted document")}
	}
	if copied.failed != nil {
		return "", &spoolError{"C-SPOOL-MISSING", o.file, copied.failed}
	}
	if err != nil {
		return "", err
	}
	if version == "" {
		return "", &send.Error{Op: "upload", Class: send.Transient, Err: errors.New("no version token in the answer")}
	}
	if err := w.s.o.Step(AfterUpload); err != nil {
		return "", &stepError{err}
	}
	return version, nil
}

// present makes sure that the private copy is there, bringing it back from the
// archive if it is not.
func (w *work) present(ctx context.Context, path string, o object) error {
	fault := checkSize(path, o)
	if fault == nil || w.s.o.Restore == nil {
		return fault
	}
	if err := w.s.o.Restore(ctx, o.spool, o.hash); err != nil {
		w.s.o.Log.Warn("a private copy cannot be made anew", "notification", w.n.ID, "error", err)
		return fault
	}
	return checkSize(path, o)
}

func checkSize(path string, o object) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return &spoolError{"C-SPOOL-MISSING", o.file, withoutPath(err)}
	case info.Size() != o.size:
		return &spoolError{"C-SPOOL-CORRUPT", o.file, fmt.Errorf("%d bytes instead of %d", info.Size(), o.size)}
	}
	return nil
}

// withoutPath keeps the cause of a file error and drops the machine's path.
func withoutPath(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// copyReader opens the private copy as often as the client asks and hashes what
// was read of the last opening.
type copyReader struct {
	path   string
	failed error // the copy could not be opened
	last   *hashingFile
}

func (c *copyReader) open() (io.ReadCloser, error) {
	f, err := os.Open(c.path)
	if err != nil {
		c.failed = withoutPath(err)
		return nil, c.failed
	}
	c.last = &hashingFile{File: f, hash: sha256.New()}
	return c.last, nil
}

// sum is the digest of the bytes read of the last opening, and how many they were;
// -1 if there was none.
func (c *copyReader) sum() (string, int64) {
	if c.last == nil {
		return "", -1
	}
	return c.last.sum()
}

// hashingFile is an *os.File whose reads are hashed. Its other methods are hidden
// from the HTTP client, which would otherwise pass the reads by. The client's
// transport may still be reading when the answer comes, hence the lock.
type hashingFile struct {
	File *os.File
	mu   sync.Mutex
	hash hash.Hash
	read int64
}

func (f *hashingFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hash.Write(p[:n])
	f.read += int64(n)
	return n, err
}

func (f *hashingFile) Close() error { return f.File.Close() }

func (f *hashingFile) sum() (string, int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return hex.EncodeToString(f.hash.Sum(nil)), f.read
}
