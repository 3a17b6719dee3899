package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/notification"
)

const (
	dictionaryDigest = "2fcf362ce687116debb656f1bb87ef80b98d946f63fd41066eae7d610658a60d"
	lineDigest       = 0x8f3dd83b5fc20d0f
)

func opts(w *world) Options {
	return Options{Clock: func() time.Time { return w.now }, NoSync: true, GroupDelay: -1, Timeout: time.Millisecond}
}

// Damage: two processes send from one ledger; or nobody can tell who holds it.
func TestSecondOwnerIsToldWhoHoldsTheLedger(t *testing.T) {
	w := newWorld(t)
	_, err := Open(w.path, opts(w))
	var locked *LockedError
	if !errors.As(err, &locked) || !strings.Contains(locked.Holder, fmt.Sprint(os.Getpid())) || !strings.Contains(locked.Holder, "2026-11-22") {
		t.Fatalf("got %v", err)
	}
}

// Damage: a rebuild cannot start, or is not followed by a sweep.
func TestRebuildStartsStale(t *testing.T) {
	w := newWorld(t)
	w.ok(w.l.Close())
	w.ok(os.Remove(w.path))
	o := opts(w)
	o.Rebuild = true
	l, err := Open(w.path, o)
	w.ok(err)
	w.l = l
	if !l.Stale() || l.Generation() < 2 {
		t.Fatalf("stale %v generation %d", l.Stale(), l.Generation())
	}
	w.ok(l.ClearStale(bg))
	w.restart()
	if w.l.Stale() {
		t.Fatal("stale again")
	}
}

// Damage: an older program writes into a newer ledger, or a newer one cannot read an
// older.
func TestSchemaVersions(t *testing.T) {
	set := func(w *world, n string) {
		w.ok(w.l.Close())
		db, err := bbolt.Open(w.path, 0o600, nil)
		w.ok(err)
		w.ok(db.Update(func(b *bbolt.Tx) error {
			if n == "0" {
				if err := b.DeleteBucket([]byte("tombact")); err != nil { // an older ledger lacks tables
					return err
				}
			}
			return b.Bucket([]byte("meta")).Put([]byte("schema"), []byte(n))
		}))
		w.ok(db.Close())
	}
	w := newWorld(t)
	set(w, "99")
	_, err := Open(w.path, opts(w))
	var version *VersionError
	if !errors.As(err, &version) || version.Found != 99 || version.Know != schemaVersion {
		t.Fatalf("got %v", err)
	}
	w.open2(t, set)
}

func (w *world) open2(t *testing.T, set func(*world, string)) {
	db, err := bbolt.Open(w.path, 0o600, nil)
	w.ok(err)
	w.ok(db.Update(func(b *bbolt.Tx) error { return b.Bucket([]byte("meta")).Put([]byte("schema"), []byte("1")) }))
	w.ok(db.Close())
	w.open()
	w.drop(tari(1))
	set(w, "0")
	w.open()
	_, v := w.drop(tari(1))
	outcome(t, v[0], RowKnown)
}

// Damage: a backup put back is believed, and what was sent since is sent again.
func TestRestoredBackupIsStale(t *testing.T) {
	w := newWorld(t)
	w.drop(tari(1))
	var copied bytes.Buffer
	n, err := w.l.Backup(bg, &copied)
	w.ok(err)
	if n != int64(copied.Len()) || n == 0 {
		t.Fatalf("%d bytes, wrote %d", n, copied.Len())
	}
	w.drop(tari(2))
	w.restart()
	if w.l.Stale() {
		t.Fatal("stale without reason")
	}
	w.ok(w.l.Close())
	w.ok(os.WriteFile(w.path, copied.Bytes(), 0o600))
	w.open()
	if !w.l.Stale() {
		t.Fatal("an older ledger was not noticed")
	}
	w.restart()
	if !w.l.Stale() {
		t.Fatal("forgotten before anybody has swept")
	}
	_, v := w.drop(tari(1), tari(2))
	outcome(t, v[0], RowKnown)
	outcome(t, v[1], RowLinked) // same token: SEND's 409 leads to the look-up

	// On another machine there is no number beside it at all.
	elsewhere := filepath.Join(foldertest.TempDir(t), "ledger.db")
	w.ok(os.WriteFile(elsewhere, copied.Bytes(), 0o600))
	l, err := Open(elsewhere, opts(w))
	w.ok(err)
	if !l.Stale() {
		t.Error("a ledger without its number is believed")
	}
	w.ok(l.Close())
}

// Damage: a flipped bit on the disk changes who is notified.
func TestFlippedBitIsFound(t *testing.T) {
	w := &world{t: t, path: filepath.Join(foldertest.TempDir(t), "ledger.db"), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	w.open()
	_, v := w.drop(tari(1))
	var record []byte
	w.ok(w.l.View(bg, func(tx *Tx) error {
		record = bytes.Clone(tx.get(bCold, v[0].ID.key()))
		return nil
	}))
	w.ok(w.l.Close())
	raw, err := os.ReadFile(w.path)
	w.ok(err)
	for at := 0; ; {
		i := bytes.Index(raw[at:], record)
		if i < 0 {
			break
		}
		raw[at+i+len(record)/2] ^= 4
		at += i + 1
	}
	w.ok(os.WriteFile(w.path, raw, 0o600))
	w.open()
	err = w.l.View(bg, func(tx *Tx) error {
		_, err := tx.Notification(v[0].ID)
		return err
	})
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) {
		t.Errorf("read as if nothing were wrong: %v", err)
	}
	if len(w.l.Verify()) == 0 {
		t.Error("Verify finds nothing")
	}
	w.ok(w.l.Close())
}

// Damage: one stage's failure takes a neighbour's committed work with it, or a
// caller is told "done" for what was rolled back.
func TestGroupCommitKeepsNeighboursApart(t *testing.T) {
	w := newWorld(t)
	w.l.opts.GroupDelay = 20 * time.Millisecond
	bad := errors.New("bad")
	var wg sync.WaitGroup
	results := make([]error, 60)
	for i := range results {
		wg.Add(1)
		go func() {
			defer wg.Done()
			results[i] = w.l.Update(bg, func(tx *Tx) error {
				if err := tx.PutSighting(&Sighting{Flow: "tari", File: fmt.Sprintf("f%02d", i)}); err != nil {
					return err
				}
				if i%3 == 0 {
					return bad
				}
				return nil
			})
		}()
	}
	wg.Wait()
	w.ok(w.l.View(bg, func(tx *Tx) error {
		seen, err := tx.Sightings("tari")
		kept := map[string]bool{}
		for _, s := range seen {
			kept[s.File] = true
		}
		for i, r := range results {
			if want := i%3 != 0; kept[fmt.Sprintf("f%02d", i)] != want || (r == nil) != want {
				t.Errorf("update %d: error %v, kept %v", i, r, !want)
			}
		}
		return err
	}))
}

// Damage: every step of every notification costs its own sync (measuring: at most
// 0.2 commits a notification with many workers).
func TestGroupCommitSharesSyncs(t *testing.T) {
	w := newWorld(t)
	w.l.opts.GroupDelay = 10 * time.Millisecond
	var things []thing
	for i := range 320 {
		things = append(things, tari(i))
	}
	_, v := w.drop(things...)
	before := w.l.Commits()
	var wg sync.WaitGroup
	for worker := range 64 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := worker; i < len(v); i += 64 {
				for _, s := range []State{Uploaded, Intent, Submitted} {
					if err := w.try(v[i].ID, s); err != nil {
						t.Error(err)
					}
				}
			}
		}()
	}
	wg.Wait()
	if per := float64(w.l.Commits()-before) / float64(len(v)); per > 0.2 {
		t.Fatalf("%.2f commits a notification", per)
	}
}

// Damage: a panic in one stage kills another, or leaves the queue without a leader.
func TestPanicGoesBackToItsCaller(t *testing.T) {
	w := newWorld(t)
	func() {
		defer func() {
			if recover() != "mine" {
				t.Error("the panic was swallowed")
			}
		}()
		_ = w.l.Update(bg, func(*Tx) error { panic("mine") })
	}()
	w.drop(tari(1))
	gone, cancel := context.WithCancel(bg)
	cancel()
	if err := w.l.Update(gone, func(*Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// Damage: the dictionary changes and every stored record becomes unreadable.
func TestStoredFormsAreFrozen(t *testing.T) {
	if got, want := fmt.Sprintf("%x", hashOf(dictionary1)), dictionaryDigest; got != want {
		t.Errorf("dictionary1 has changed (digest %s): give it a new codec number instead", got)
	}
	l := Line{Row: 2, Outcome: Inviata, Protocol: "P", Attempt: 1, Recipient: -1, StatusAt: time.Unix(5, 0)}
	if got, want := l.digest(), uint64(lineDigest); got != want {
		t.Errorf("Line.digest has changed (%#x): every row would be told again", got)
	}
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, text := range []string{"", "{}", strings.Repeat("x", 5000), dictionary1} {
		if raw, _, err := c.open(c.squeeze([]byte(text))); err != nil || string(raw) != text {
			t.Errorf("%d bytes squeezed came back as %d, %v", len(text), len(raw), err)
		}
		raw, flags, err := c.open(c.seal([]byte(text), flagFresh))
		if err != nil || string(raw) != text || flags != flagFresh {
			t.Errorf("%d bytes came back as %d, flags %d, %v", len(text), len(raw), flags, err)
		}
	}
	if len(bucketNames) != int(nBuckets) || bucketNames[nBuckets-1] != "orphanof" {
		t.Error("bucket names have moved")
	}
}

// Damage: an export leaves something out, or holds broken JSON.
func TestExport(t *testing.T) {
	w := newWorld(t)
	b, v := w.drop(tari(1))
	w.update(func(tx *Tx) error {
		_, err := tx.AddEvent(&Event{ID: v[0].ID, ElementID: "E1", Category: "REQUEST_ACCEPTED", At: w.now, Raw: []byte("not json")})
		return errors.Join(err, tx.PutHold(Hold{Scope: HoldFlow, Name: "tari", Reason: "operator"}), tx.PutStream(&Stream{Sender: "comune"}))
	})
	var out strings.Builder
	w.ok(w.l.Export(bg, &out))
	for _, want := range []string{`"type":"batch"`, b.ID, `"type":"row"`, `"type":"notification"`, `"subject":"Avviso di accertamento TARI"`, `"type":"event"`, `"type":"hold"`, `"type":"stream"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in the export", want)
		}
	}
}

// Damage: the whole file is rejected, yet its rows or an older reading of it go.
func TestUnreadable(t *testing.T) {
	w := newWorld(t)
	b := w.batch()
	w.read(b, items(tari(1))...)
	w.ok(w.l.Unreadable(bg, b, notification.Problem{Severity: notification.Error, Code: "C-FILE-DAMAGED"}))
	equal(t, "due", w.due(), nil)
	behind, err := w.l.BatchesToPublish(bg, "tari")
	w.ok(err)
	if len(behind) != 1 || behind[0].State != Unreadable || behind[0].Problem.Code != "C-FILE-DAMAGED" {
		t.Fatalf("%+v", behind)
	}
	_, v := w.drop(tari(1))
	outcome(t, v[0], RowLinked)
}

// Damage: a commit that was said to be durable and is gone after the power failed,
// because a switch meant for tests and benchmarks is on.
func TestCommitsAreSynced(t *testing.T) {
	t.Parallel()
	l, err := Open(filepath.Join(t.TempDir(), "ledger.db"), Options{Clock: func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if l.db.NoSync || l.db.NoGrowSync {
		t.Errorf("NoSync %v, NoGrowSync %v", l.db.NoSync, l.db.NoGrowSync)
	}
}
