package remote

import (
	"context"
	"encoding/binary"
	"io/fs"
	"sync"

	"sendconnector/internal/folder"
)

// nameCount counts the names that a server sends. pkg/sftp collects a whole folder
// before it gives anything, so that one who invents names for ever would fill the
// memory; whoever lists therefore says how many are enough.
type nameCount struct {
	head [13]byte // of the packet that is passing: length, kind, id, count
	got  int      // of head
	rest uint32   // bytes of the packet still to come after head

	mu     sync.Mutex
	limits map[*nameLimit]bool
}

type nameLimit struct {
	left int64
	over func()
}

const (
	namePacket = 104
	// nameBytes is the size up to which a name with all that belongs to it counts as
	// one. Longer ones count as several: what is bounded is memory.
	nameBytes = 256
)

// see follows the packets in what was read. One goroutine calls it.
func (c *nameCount) see(b []byte) {
	for len(b) > 0 {
		if c.rest > 0 {
			n := min(uint32(len(b)), c.rest) //nolint:gosec // a buffer of pkg/sftp
			b, c.rest = b[n:], c.rest-n
			continue
		}
		n := copy(c.head[c.got:c.headLength()], b)
		b, c.got = b[n:], c.got+n
		if c.got < c.headLength() {
			continue
		}
		length := c.length()
		if c.got == len(c.head) && c.head[4] == namePacket {
			c.add(max(1, int64(binary.BigEndian.Uint32(c.head[9:])), int64(length)/nameBytes))
		}
		c.rest, c.got = 4+length-uint32(c.got), 0 //nolint:gosec // at most 13
	}
}

// headLength is how much of the packet belongs to the head, as far as is known: short
// packets have no count, and end sooner.
func (c *nameCount) headLength() int {
	if c.got < 4 {
		return 4
	}
	return int(min(int64(len(c.head)), 4+int64(c.length())))
}

func (c *nameCount) length() uint32 { return binary.BigEndian.Uint32(c.head[:]) }

func (c *nameCount) add(names int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for l := range c.limits {
		if l.left -= names; l.left < 0 {
			l.over()
		}
	}
}

// limit calls over when more than most names have come, until it is lifted.
func (c *nameCount) limit(most int, over func()) (lift func()) {
	l := &nameLimit{left: int64(most), over: over}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limits == nil {
		c.limits = map[*nameLimit]bool{}
	}
	c.limits[l] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.limits, l)
	}
}

// readDir reads one folder, and gives up with folder.ErrEndless after most names. Those
// of other folders that are read over the same connection at the same time count, too;
// the bound is so far from any drop that this does not matter.
func (f *Folder) readDir(ctx context.Context, dir string, most, periods int) ([]fs.FileInfo, error) {
	return askOn(ctx, f, periods, func(s *session) ([]fs.FileInfo, error) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer s.bytes.names.limit(most, func() { cancel(errEndless) })()
		found, err := s.client.ReadDirContext(ctx, f.full(dir))
		if context.Cause(ctx) == errEndless { //nolint:errorlint // our own, as it is
			return nil, endless(dir)
		}
		return found, err
	})
}

func endless(dir string) error {
	return &folder.Error{Op: "list", Name: dir, Kind: folder.ErrEndless, Cause: errEndless}
}
