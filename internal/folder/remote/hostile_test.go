package remote

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/folder/foldertest/sshtest"
)

type sized int64

func (s sized) Name() string       { return "a.csv" }
func (s sized) Size() int64        { return int64(s) }
func (s sized) Mode() fs.FileMode  { return 0o600 }
func (s sized) ModTime() time.Time { return time.Unix(0, 0) }
func (s sized) IsDir() bool        { return false }
func (s sized) Sys() any           { return nil }

// Damage prevented: a server that says a file had minus one byte, or more than there
// are disks for, ends the process, at every start anew.
func TestSizesThatAreNone(t *testing.T) {
	f := &Folder{server: &Server{}}
	for _, size := range []int64{-1, math.MinInt64, math.MaxInt64, mostSize + 1} {
		if e := f.entryOf("a.csv", sized(size)); !e.Special || e.Size != 0 {
			t.Errorf("%d bytes: %+v", size, e)
		}
	}
	if e := f.entryOf("a.csv", sized(mostSize)); e.Special {
		t.Errorf("a large file: %+v", e)
	}
}

func serverOf(t *testing.T, s *sshtest.Server, change func(*Options)) *Server {
	t.Helper()
	o := Options{
		Name: "prova", Address: s.Addr, User: s.User, HostKeys: []string{s.HostKey},
		Password: func() (string, error) { return s.Password, nil },
	}
	if change != nil {
		change(&o)
	}
	server, err := NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// Damage prevented: a folder that leads back to itself is listed for ever, and with it
// no other flow starts.
func TestListingHasAnEnd(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	deep := strings.Repeat("x/", mostDeep+2)
	if err := os.MkdirAll(filepath.Join(s.Root, deep), 0o700); err != nil {
		t.Fatal(err)
	}
	f := serverOf(t, s, nil).Folder(s.Root)
	if _, err := f.List(context.Background(), ".", true); !errors.Is(err, folder.ErrEndless) || !folder.Away(err) {
		t.Errorf("got %v", err)
	}
	if _, err := f.List(context.Background(), ".", false); err != nil {
		t.Error(err)
	}
}

// Damage prevented: a server that invents names for ever, or gives answers without any,
// fills the memory of the connector, or keeps it in one listing for good.
func TestListingOfInventedNames(t *testing.T) {
	before := mostEntries
	mostEntries = 20_000
	defer func() { mostEntries = before }()
	for _, names := range []int{0, 1, 1000} {
		s := sshtest.Start(t, sshtest.Options{})
		f := serverOf(t, s, nil).Folder(s.Root)
		if err := f.Mkdir(context.Background(), "in"); err != nil {
			t.Fatal(err)
		}
		s.ListForEver(names)
		_, err := f.List(context.Background(), "in", true)
		if !errors.Is(err, folder.ErrEndless) || !folder.Away(err) {
			t.Errorf("%d names at once: got %v, want ErrEndless", names, err)
		}
		// A folder that is not empty is not removed, however much lies in it.
		if err := f.Remove(context.Background(), "in"); err != nil && !errors.Is(err, folder.ErrExist) {
			t.Error(err)
		}
		if _, err := f.Stat(context.Background(), "."); err != nil || s.Logins() != 1 {
			t.Errorf("afterwards: %v, %d logins: the connection is of use still", err, s.Logins())
		}
	}
}

// Damage prevented: names are counted wrongly when packets come in pieces, and a real
// drop is refused or an endless one is not.
func TestNamesAreCountedInPieces(t *testing.T) {
	var stream []byte
	packet := func(kind byte, count uint32, size int) {
		body := binary.BigEndian.AppendUint32(append([]byte{kind}, 0, 0, 0, 1), count)
		body = append(body, make([]byte, size)...)
		stream = append(binary.BigEndian.AppendUint32(stream, uint32(len(body))), body...)
	}
	packet(namePacket, 3, 100)
	packet(101, 7, 20)
	stream = append(stream, 0, 0, 0, 5, namePacket, 0, 0, 0, 1) // too short for a count
	stream = append(stream, 0, 0, 0, 0)
	packet(namePacket, 0, 0)
	packet(namePacket, 1, 10*nameBytes)
	for piece := 1; piece <= len(stream); piece += 1 + piece/3 {
		var c nameCount
		l := &nameLimit{left: 1000, over: func() {}}
		c.limits = map[*nameLimit]bool{l: true}
		for b := range slices.Chunk(stream, piece) {
			c.see(b)
		}
		if got := 1000 - l.left; got != 3+1+10 {
			t.Errorf("in pieces of %d: %d names", piece, got)
		}
	}
}

// Damage prevented: an SSH agent that accepts and never answers keeps the connector from
// starting and from stopping.
func TestAgentThatHangs(t *testing.T) {
	if os.PathSeparator == '\\' {
		return // the agent is a service there
	}
	socket := filepath.Join(foldertest.TempDir(t), "agent")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("SSH_AUTH_SOCK", socket)
	s := sshtest.Start(t, sshtest.Options{})
	server := serverOf(t, s, func(o *Options) { o.Password, o.Agent, o.DialTimeout = nil, true, 50*time.Millisecond })
	for range 2 { // the second asks whether the secrets were mended
		if _, err := server.Folder(s.Root).List(context.Background(), ".", false); !errors.Is(err, folder.ErrLogin) {
			t.Errorf("got %v, want ErrLogin", err)
		}
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

// Damage prevented: a key copied with the "=" that some programs print keeps the
// connector from starting.
func TestFingerprintWithPadding(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	server := serverOf(t, s, func(o *Options) { o.HostKeys = []string{s.Fingerprint + "="} })
	if _, err := server.Folder(s.Root).List(context.Background(), ".", false); err != nil {
		t.Error(err)
	}
}
