package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sendconnector/internal/folder/foldertest"
)

// tornWorld is a closed ledger with something of everything, and its bytes.
func tornWorld(t *testing.T) (*world, []byte) {
	t.Helper()
	w := &world{t: t, path: filepath.Join(foldertest.TempDir(t), "ledger.db"), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	w.open()
	for i := range 8 {
		w.drop(tari(4*i), tari(4*i+1), tari(4*i+2), tari(4*i+3))
	}
	w.ok(w.l.Close())
	raw, err := os.ReadFile(w.path)
	w.ok(err)
	return w, raw
}

// Damage: power fails while the ledger is written, what is left of it is taken for an
// empty or a whole one, and everything is sent again.
func TestTornLedgerIsNoticed(t *testing.T) {
	page := os.Getpagesize()
	for name, spoil := range map[string]func(raw []byte) []byte{
		"no bytes":             func([]byte) []byte { return nil },
		"half a page":          func(raw []byte) []byte { return raw[:page/2] },
		"one head":             func(raw []byte) []byte { return raw[:page] },
		"two heads":            func(raw []byte) []byte { return raw[:2*page] },
		"half the file":        func(raw []byte) []byte { return raw[:len(raw)/2] },
		"all zero":             func(raw []byte) []byte { return make([]byte, len(raw)) },
		"both heads zero":      func(raw []byte) []byte { zero(raw[:2*page]); return raw },
		"both heads half new":  func(raw []byte) []byte { raw[16+40] ^= 1; raw[page+16+40] ^= 1; return raw },
		"garbage":              func(raw []byte) []byte { return bytes.Repeat([]byte("garbage!"), len(raw)/8) },
		"another kind of file": func([]byte) []byte { return []byte("PK\x03\x04 not a ledger") },
		"text in front":        func(raw []byte) []byte { return append([]byte("x"), raw...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, raw := tornWorld(t)
			spoilt := spoil(raw)
			w.ok(os.WriteFile(w.path, spoilt, 0o600))
			for _, readOnly := range []bool{false, true} {
				o := opts(w)
				o.ReadOnly = readOnly
				_, err := Open(w.path, o)
				var corrupt *CorruptError
				if !errors.As(err, &corrupt) {
					t.Fatalf("readOnly=%v: got %v", readOnly, err)
				}
				if after, _ := os.ReadFile(w.path); !bytes.Equal(spoilt, after) {
					t.Fatal("the damaged file was changed")
				}
			}
		})
	}
}

// Damage: a ledger that was there and is gone, or whose rebuilding was left half
// done, is begun anew as if this were the first day.
func TestMissingLedgerIsNoticed(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"only the number is left":   os.Remove,
		"the number is torn":        func(p string) error { return errors.Join(os.Remove(p), os.WriteFile(generationFile(p), nil, 0o600)) },
		"only a rebuilding is left": func(p string) error { return errors.Join(os.Rename(p, RebuildPath(p)), os.Remove(generationFile(p))) },
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := tornWorld(t)
			w.ok(spoil(w.path))
			_, err := Open(w.path, opts(w))
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) {
				t.Fatalf("got %v", err)
			}
			if exists(w.path) {
				t.Error("an empty ledger was made")
			}
		})
	}
}

// Damage: the last commit did not reach its head page, and the commit before is taken
// for the present; what was sent since is never asked for.
func TestOneDamagedHeadMakesTheLedgerStale(t *testing.T) {
	for head := range 2 {
		t.Run(fmt.Sprint(head), func(t *testing.T) {
			w, raw := tornWorld(t)
			zero(raw[head*os.Getpagesize()+16 : head*os.Getpagesize()+80])
			w.ok(os.WriteFile(w.path, raw, 0o600))
			w.open()
			if !w.l.Stale() {
				t.Error("believed")
			}
			w.verify()
			w.ok(w.l.Close())
		})
	}
}

// Damage: a page in the middle was lost when the power failed, and rows are read from
// what lay there before. Every page is spoilt in turn, as a process that died leaves
// it; a page in use is found at the next start, or at the latest by Verify, and the
// program never dies of it.
func TestLostPageIsFoundAfterABadEnd(t *testing.T) {
	page := os.Getpagesize()
	for name, spoil := range map[string]func(p []byte){
		"zero":    func(p []byte) { zero(p) },
		"garbage": func(p []byte) { copy(p, bytes.Repeat([]byte("garbage!"), page/8)) },
		"half":    func(p []byte) { zero(p[len(p)/2:]) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, raw := tornWorld(t)
			found := 0
			for at := 2 * page; at < len(raw); at += page {
				spoilt := bytes.Clone(raw)
				spoil(spoilt[at : at+page])
				if bytes.Equal(spoilt, raw) {
					continue
				}
				// A place of its own: bbolt does not give back a file that made it panic.
				w.path = filepath.Join(foldertest.TempDir(t), "ledger.db")
				w.ok(os.WriteFile(w.path, spoilt, 0o600))
				w.ok(os.WriteFile(ownerFile(w.path), nil, 0o600)) // nobody gave it back
				l, err := Open(w.path, opts(w))
				if err != nil {
					found++
					var corrupt *CorruptError
					if !errors.As(err, &corrupt) {
						t.Errorf("page %d: %v", at/page, err)
					}
					continue
				}
				if faults := l.Verify(); len(faults) > 0 {
					found++
				} else if !w.hasAll(l) {
					t.Errorf("page %d: something is gone and nobody notices", at/page)
				}
				w.ok(l.Close())
			}
			if found == 0 {
				t.Error("no spoilt page was found")
			}
			t.Logf("%d of %d pages", found, len(raw)/page-2)
		})
	}
}

// hasAll tells whether everything that tornWorld dropped is there.
func (w *world) hasAll(l *Ledger) bool {
	all := true
	w.ok(l.View(bg, func(tx *Tx) error {
		for i := range 32 {
			_, err := tx.ByKey(Key{Environment: testEnv, SenderTaxID: testSender, Protocol: tari(i).protocol})
			all = all && err == nil
		}
		return nil
	}))
	return all
}

// Damage: the reading of every page after a bad end passes over a table.
func TestWalkReadsEveryTableOfRecords(t *testing.T) {
	w := newWorld(t)
	w.drop(tari(1))
	w.ok(w.l.Update(bg, func(tx *Tx) error {
		for i := range bucketNames {
			if !bucket(i).sealed() {
				continue
			}
			if err := tx.put(bucket(i), []byte("spoilt"), []byte("no record")); err != nil {
				return err
			}
			err := w.l.walk(tx.b)
			if err == nil || !strings.Contains(err.Error(), bucketNames[i]) {
				t.Errorf("%s: %v", bucketNames[i], err)
			}
			if err := tx.drop(bucket(i), []byte("spoilt")); err != nil {
				return err
			}
		}
		return nil
	}))
	w.ok(w.l.db.View(func(b *bbolt.Tx) error { return w.l.walk(b) }))
}

func zero(p []byte) { copy(p, make([]byte, len(p))) }
