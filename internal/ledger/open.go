package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"sendconnector/internal/notification"
)

// Options are how a ledger is opened. The zero value is good except for Clock.
type Options struct {
	Clock      func() time.Time  // required
	Timeout    time.Duration     // how long to wait for another owner; 0 = 2 s
	Language   notification.Lang // of the problems that admission finds; "" = Italian
	ReadOnly   bool              // only while nobody writes
	Rebuild    bool              // start anew although there was a ledger once (ledger rebuild)
	NoSync     bool              // tests and benchmarks only: a crash may lose everything
	GroupDelay time.Duration     // how long a commit waits for company it had before; 0 = 10 ms, negative = never
	Step       StepFunc          // called at every effect (see steps.go); nil = never
}

// Ledger is an open ledger. It is safe for concurrent use.
type Ledger struct {
	db    *bbolt.DB
	path  string
	opts  Options
	codec codec

	generation atomic.Uint64
	stale      atomic.Bool
	commits    atomic.Uint64

	group group
	taken taken

	wakeMu sync.Mutex
	wake   chan struct{}

	closeOnce sync.Once
	closeErr  error
}

// Open opens the ledger at path, or makes a new one where there never was one.
// Only one process can hold it for writing: another gets *LockedError. A newer
// schema is *VersionError; a file that is torn, empty, or missing although the
// generation file beside it says that there was one is *CorruptError.
func Open(path string, opts Options) (*Ledger, error) {
	if opts.Clock == nil {
		return nil, errors.New("ledger: Options.Clock is missing")
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 2 * time.Second
	}
	if opts.Language == "" {
		opts.Language = notification.Italian
	}
	if opts.GroupDelay == 0 {
		opts.GroupDelay = 10 * time.Millisecond
	}
	if opts.Step == nil {
		opts.Step = func(string) error { return nil }
	}
	beside, err := readGeneration(path)
	if err != nil {
		return nil, err
	}
	seen, err := inspect(path, beside, opts)
	if err != nil {
		return nil, err
	}
	db, err := openFile(path, opts)
	if err != nil {
		return nil, err
	}
	codec, err := newCodec()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	l := &Ledger{db: db, path: path, opts: opts, codec: codec, wake: make(chan struct{})}
	l.group.more = make(chan struct{}, 1)
	l.taken.init()
	if err := l.start(beside, seen); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return l, nil
}

func openFile(path string, opts Options) (db *bbolt.DB, err error) {
	var file *os.File
	defer func() {
		if err != nil && file != nil {
			_ = file.Close() // bbolt keeps file and lock where it panics, else this is the second time
		}
	}()
	defer guard(path, &err)()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: opts.Timeout, ReadOnly: opts.ReadOnly, NoSync: opts.NoSync,
		FreelistType: bbolt.FreelistMapType, NoStatistics: true,
		OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag, perm)
			file = f
			return f, err
		},
	})
	if err == nil && !stillThere(path, file) {
		// While we waited for its lock, its owner put a compact copy in its place: what
		// we would write here would be lost.
		return nil, errors.Join(&LockedError{Path: path, Holder: "a process that has just compacted it; try again"}, db.Close())
	}
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, &LockedError{Path: path, Holder: readOwner(path)}
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum), errors.Is(err, bbolterrors.ErrVersionMismatch):
		return nil, &CorruptError{Path: path, What: "not a ledger, or its first pages are damaged", Err: err}
	case err != nil:
		return nil, fmt.Errorf("ledger: open: %w", err)
	}
	return db, nil
}

// stillThere tells whether the path still leads to the file that was opened.
func stillThere(path string, f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(opened, now)
}

// start brings an opened file to where it can be used: schema, generation, owner
// file, and the chores that a crash left half done.
func (l *Ledger) start(beside uint64, seen found) (err error) {
	defer guard(l.path, &err)()
	if l.opts.ReadOnly {
		return l.db.View(func(b *bbolt.Tx) error { return l.look(b, beside) })
	}
	// Now the lock is ours, so an owner that is still named is dead.
	if err := tidyBeside(l.path); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if seen.oneHead || endedBadly(l.path) {
		if err := l.db.View(l.walk); err != nil {
			return err
		}
	}
	if err := l.opts.Step.around(StepOpen, func() error { return l.prepare(beside, seen) }); err != nil {
		return err
	}
	if err := l.writeGeneration(l.generation.Load()); err != nil {
		return err
	}
	err = l.opts.Step.around(StepOwner, func() error { return l.writeOwner(l.opts.Clock()) })
	if err != nil {
		return err
	}
	return l.finishChores(context.Background())
}

// look is start for readers: nothing is written.
func (l *Ledger) look(b *bbolt.Tx, beside uint64) error {
	found, err := l.schema(b)
	if err == nil && found != schemaVersion {
		err = l.versionError(found)
	}
	if err != nil {
		return err
	}
	l.generation.Store(metaNumber(b, "generation"))
	l.stale.Store(metaNumber(b, "stale") != 0 || l.generation.Load() != beside)
	return nil
}

// schema tells by which program the file was written.
func (l *Ledger) schema(b *bbolt.Tx) (uint64, error) {
	if b.Bucket([]byte(bucketNames[bMeta])) == nil {
		return 0, &CorruptError{Path: l.path, What: "holds no ledger"}
	}
	return metaNumber(b, "schema"), nil
}

func (l *Ledger) versionError(found uint64) error {
	return &VersionError{Path: l.path, Found: int(found), Know: schemaVersion}
}

// prepare creates or migrates the tables and takes the next generation, in one
// transaction.
func (l *Ledger) prepare(beside uint64, seen found) error {
	return l.db.Update(func(b *bbolt.Tx) error {
		fresh := b.Bucket([]byte(bucketNames[bMeta])) == nil
		if fresh && beside != 0 && !l.opts.Rebuild {
			return &CorruptError{Path: l.path, What: "is empty although there was a ledger here"}
		}
		if !fresh {
			if found := metaNumber(b, "schema"); found > schemaVersion {
				return l.versionError(found)
			}
		}
		for _, name := range bucketNames {
			if _, err := b.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		if err := l.migrate(b, fresh); err != nil {
			return err
		}
		return l.takeGeneration(b, beside, fresh, seen)
	})
}

// takeGeneration counts the opening. A ledger whose number is behind the one
// beside it, or that lies where no number is, was restored or is older than what
// was done with it: everything open must be looked up once (rule 23). So must it where
// a head page was damaged: bbolt then goes on from the commit before.
func (l *Ledger) takeGeneration(b *bbolt.Tx, beside uint64, fresh bool, seen found) error {
	own := metaNumber(b, "generation")
	stale := metaNumber(b, "stale") != 0
	older := !fresh && (own < beside || beside == 0 || seen.oneHead)
	if older || (fresh && l.opts.Rebuild) {
		stale = true
		own = max(own, beside)
	}
	own++
	l.generation.Store(own)
	l.stale.Store(stale)
	if stale {
		if err := putMeta(b, "stale", 1); err != nil {
			return err
		}
	}
	if older {
		if err := putMeta(b, "behind", behindUngated); err != nil {
			return err
		}
	}
	return putMeta(b, "generation", own)
}

func metaNumber(b *bbolt.Tx, name string) uint64 {
	n, _ := strconv.ParseUint(string(b.Bucket([]byte(bucketNames[bMeta])).Get([]byte(name))), 10, 64)
	return n
}

func putMeta(b *bbolt.Tx, name string, n uint64) error {
	return b.Bucket([]byte(bucketNames[bMeta])).Put([]byte(name), strconv.AppendUint(nil, n, 10))
}

// Close gives the ledger back. It waits for transactions that are running; calling
// it again is harmless.
func (l *Ledger) Close() error {
	l.closeOnce.Do(func() {
		if !l.opts.ReadOnly {
			_ = os.Remove(ownerFile(l.path)) // only information: the lock is the system's
		}
		l.closeErr = l.db.Close() // waits for transactions that are running
		l.codec.close()
	})
	return l.closeErr
}

// Generation counts the openings of this ledger and the backups taken of it.
func (l *Ledger) Generation() uint64 { return l.generation.Load() }

// Stale tells that the ledger was restored, rebuilt, or is older than what was
// done with it, until ClearStale says that every open notification has been marked
// for one look-up (rule 23). It survives restarts.
func (l *Ledger) Stale() bool { return l.stale.Load() }

// ClearStale ends Stale.
func (l *Ledger) ClearStale(ctx context.Context) error {
	err := l.Update(ctx, func(t *Tx) error { return t.drop(bMeta, []byte("stale")) })
	if err == nil {
		l.stale.Store(false)
	}
	return err
}

// What meta "behind" says until ClearBehind takes it away.
const (
	behindUngated = 1 // GateRestored has yet to run
	behindGated   = 2 // it has: what a person releases from now on stays released
)

// Behind tells that the ledger was restored or is older than what was done with it,
// so that the folders may hold batches it does not know, until ClearBehind says that
// they have been read. It survives restarts.
func (l *Ledger) Behind(ctx context.Context) (behind bool, err error) {
	err = l.View(ctx, func(t *Tx) error {
		behind = metaNumber(t.b, "behind") != 0
		return nil
	})
	return behind, err
}

// ClearBehind ends Behind.
func (l *Ledger) ClearBehind(ctx context.Context) error {
	return l.Update(ctx, func(t *Tx) error { return t.drop(bMeta, []byte("behind")) })
}

// Commits counts the transactions made durable since Open; each costs two syncs of
// the file.
func (l *Ledger) Commits() uint64 { return l.commits.Load() }

// Path is where the ledger lies.
func (l *Ledger) Path() string { return l.path }

// View runs fn on a consistent state of the ledger, beside any writer. It should be
// short: as long as it runs the file cannot reuse space.
func (l *Ledger) View(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := l.db.Begin(false)
	if err != nil {
		return closedError(err)
	}
	defer func() { _ = b.Rollback() }() // a read transaction has nothing to lose
	return fn(&Tx{txn: l.newTxn(b), ctx: ctx})
}

func closedError(err error) error {
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// Wake is closed by the next commit that makes work due. Take it before looking for
// work; it only shortens waits (what becomes due by time alone is NextDue's).
func (l *Ledger) Wake() <-chan struct{} {
	l.wakeMu.Lock()
	defer l.wakeMu.Unlock()
	return l.wake
}

func (l *Ledger) wakeUp() {
	l.wakeMu.Lock()
	defer l.wakeMu.Unlock()
	close(l.wake)
	l.wake = make(chan struct{})
}
