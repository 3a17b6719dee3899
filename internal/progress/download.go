package progress

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
)

// spoolFolder is where documents of SEND lie in the data folder until outbox has
// placed them.
const spoolFolder = "spool/fetched"

// download copies a document into the spool under a temporary name, checks it, and
// gives it its name: what has its name is whole and synced.
func (f *fetching) download(ctx context.Context, a *ledger.Artifact, d send.Download) (ledger.Artifact, error) {
	got := *a
	got.Filename = path.Base(strings.ReplaceAll(d.Filename, "\\", "/"))
	digest := sha256.Sum256([]byte(a.Key))
	folder := path.Join(spoolFolder, strconv.FormatUint(uint64(a.ID), 10))
	got.Spool = path.Join(folder, hex.EncodeToString(digest[:8])+extension(got.Filename))
	if err := f.makeFolder(folder); err != nil {
		return got, err
	}
	target := filepath.Join(f.p.o.Data, filepath.FromSlash(got.Spool))
	tmp, err := os.CreateTemp(filepath.Dir(target), "fetch-*.tmp")
	if err != nil {
		return got, withoutPath(err)
	}
	defer os.Remove(tmp.Name()) // gone already when all went well
	w := &countingWriter{file: tmp, hash: sha256.New()}
	_, kind, err := f.p.o.Client.Fetch(ctx, d.URL, w, f.p.o.DocumentLimit)
	if err == nil {
		got.Size, got.Hash = w.n, hex.EncodeToString(w.hash.Sum(nil))
		got.ContentType = first(d.ContentType, kind)
		err = f.p.check(d, &got, w)
	}
	if err == nil {
		err = withoutPath(tmp.Sync())
	}
	if err := errors.Join(err, withoutPath(tmp.Close())); err != nil {
		return got, cause(err, w)
	}
	if err := f.p.step(BeforeSpool); err != nil {
		return got, err
	}
	if err := os.Rename(tmp.Name(), target); err != nil {
		return got, withoutPath(err)
	}
	if err := f.p.step(AfterSpool); err != nil {
		return got, err
	}
	if err := syncFolder(filepath.Dir(target)); err != nil {
		return got, err
	}
	return got, f.p.step(AfterSafe)
}

// cause prefers what the disk said over what the client made of it.
func cause(err error, w *countingWriter) error {
	if w.failed != nil {
		return withoutPath(w.failed)
	}
	return err
}

// makeFolder makes the spool folder of a notification, once in a call of Fetch, and
// clears away what a crash left half there.
func (f *fetching) makeFolder(folder string) error {
	once, _ := f.folders.LoadOrStore(folder, sync.OnceValue(func() error {
		full := filepath.Join(f.p.o.Data, filepath.FromSlash(folder))
		if err := makeSafe(full); err != nil {
			return err
		}
		left, err := filepath.Glob(filepath.Join(full, "fetch-*.tmp"))
		for _, name := range left {
			err = errors.Join(err, withoutPath(os.Remove(name)))
		}
		return err
	}))
	return once.(func() error)()
}

// makeSafe makes a folder and the one it lies in, and their names last: a folder
// whose name is lost takes its documents with it.
func makeSafe(full string) error {
	if info, err := os.Stat(full); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(full, 0o700); err != nil {
		return withoutPath(err)
	}
	above := filepath.Dir(full)
	return errors.Join(syncFolder(above), syncFolder(filepath.Dir(above)))
}

// check compares what came with what was announced. A body that ends early is
// found by its size; an error page served as a document by its first bytes.
func (p *Progress) check(d send.Download, got *ledger.Artifact, w *countingWriter) error {
	switch {
	case got.Size == 0:
		return &errDocument{"it is empty"}
	case !p.o.RelaxedSizes && d.ContentLength > 0 && d.ContentLength != got.Size:
		return &errDocument{fmt.Sprintf("%d bytes came instead of %d", got.Size, d.ContentLength)}
	case !p.o.RelaxedSizes && d.SHA256 != "" && d.SHA256 != base64.StdEncoding.EncodeToString(w.hash.Sum(nil)):
		return &errDocument{"its digest is not the announced one"}
	case extension(got.Filename) == ".pdf" && !bytes.Contains(w.head, []byte("%PDF-")):
		return &errDocument{"its name says PDF and its content does not"}
	}
	return nil
}

// extension is the extension of a document, lower case, as its name gives it; PEC
// receipts are .eml or .xml, some carrier packages .zip. Anything odd is ".bin".
func extension(filename string) string {
	ext := strings.ToLower(path.Ext(filename))
	if len(ext) < 2 || len(ext) > 6 {
		return ".bin"
	}
	for _, c := range ext[1:] {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return ".bin"
		}
	}
	return ext
}

// headSize is how far into a file the mark of a PDF may stand.
const headSize = 1024

// countingWriter writes to the file, counts and hashes, and keeps the first bytes.
type countingWriter struct {
	file   io.Writer
	hash   hash.Hash
	n      int64
	head   []byte
	failed error // of the disk
}

func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.file.Write(b)
	w.hash.Write(b[:n])
	w.n += int64(n)
	if room := headSize - len(w.head); room > 0 {
		w.head = append(w.head, b[:min(n, room)]...)
	}
	if err != nil {
		w.failed = err
	}
	return n, err
}

// withoutPath keeps the cause of a file error and drops the machine's path.
func withoutPath(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("progress: spool: %s: %w", pe.Op, pe.Err)
	}
	return err
}
