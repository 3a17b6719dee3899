package folder

import (
	"context"
	"io"
	"time"
)

// Entry is what lies in a folder.
type Entry struct {
	Name     string    // relative to the root, forward slashes
	Size     int64     // bytes; 0 for folders
	Modified time.Time // as the file system says, in whatever precision it keeps
	Dir      bool
	Special  bool // a link, device, socket…: never taken, never followed
}

// Published says what Publish made visible.
type Published struct {
	Name   string // where the content is now: the name asked for, or the one beside it
	Beside bool   // the target was held open; the content waits beside it
	Bytes  int64
	SHA256 string // hex
}

// Folder is a folder, local or remote. All methods may be called from several
// goroutines, honour the context between steps, and return errors that errors.Is
// recognises as one of this package's Err… values where the cause is known.
type Folder interface {
	// List gives what lies in dir ("." is the root), with deep also everything
	// below it, sorted by name. Entries that vanish meanwhile are left out; links
	// are listed as Special and not entered. ErrNotExist if dir is missing.
	List(ctx context.Context, dir string, deep bool) ([]Entry, error)

	// Stat describes one name without following a link.
	Stat(ctx context.Context, name string) (Entry, error)

	// Open reads a regular file. ErrSpecial for anything else.
	Open(ctx context.Context, name string) (io.ReadCloser, error)

	// Mkdir makes dir with its parents; existing ones are left as they are. New
	// folders give others no more rights than the folder they lie in, and strangers
	// none.
	Mkdir(ctx context.Context, dir string) error

	// Create makes dir, whose parent exists, and is the only one to do so: of several
	// callers on several machines exactly one succeeds, and the others get ErrExist.
	// Rights are as with Mkdir.
	Create(ctx context.Context, dir string) error

	// Rename moves a file within the volume, atomically, and never overwrites:
	// ErrExist. ErrVolume if another volume lies between. Of several callers that
	// rename the same file exactly one succeeds; the others get ErrNotExist.
	// ErrUnknown: it may have happened, or may happen yet; any other error means that
	// it did not.
	Rename(ctx context.Context, from, to string) error

	// Move is Rename, or across volumes copy, sync, verify, remove. It keeps the
	// time of the file and makes the folder of to. Where to already has the same
	// content, from is removed and all is well; other content is ErrExist. It may be
	// repeated after any error.
	Move(ctx context.Context, from, to string) error

	// Remove deletes a file or an empty folder; a missing one is no error.
	Remove(ctx context.Context, name string) error

	// Publish makes what write gives visible under name, whole or not at all, in
	// the place of what was there. A target that another program holds open gets
	// its new content beside it (see Beside), until a later Publish or Settle.
	// An error leaves the old content in place; with ErrUnknown the new one may have
	// taken it. It may be repeated.
	Publish(ctx context.Context, name string, write func(io.Writer) error) (Published, error)

	// Settle lets content that waits beside name take its place. It reports
	// whether nothing waits any more; a target that is still held is no error.
	Settle(ctx context.Context, name string) (bool, error)

	// Tidy removes what interrupted publications left in dir and below, except
	// those under way in this Folder. It returns how many it removed.
	Tidy(ctx context.Context, dir string) (int, error)

	// Locked reports whether another program holds the file so that it may still
	// be writing. Always false where the system cannot tell.
	Locked(ctx context.Context, name string) bool

	// Local is the path of the root on this machine, if it has one: for readers
	// that need a file, and for file events.
	Local() (root string, ok bool)

	// Free is the space left for new files, in bytes, where that can be known.
	Free(ctx context.Context) (bytes uint64, ok bool)

	// Sync makes renames into and out of dir durable, where the system can.
	Sync(ctx context.Context, dir string) error

	// Close gives back connections. The folder is not used afterwards.
	Close() error
}
