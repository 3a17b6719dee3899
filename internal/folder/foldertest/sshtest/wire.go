package sshtest

import (
	"encoding/binary"
	"io"
	"slices"
	"sync"
)

// Kinds of SFTP packets that tests ask for.
const (
	Version = 2
	Open    = 3
	Close   = 4
	Read    = 5
	Write   = 6
	Lstat   = 7
	Fstat   = 8
	Setstat = 9
	Opendir = 11
	Readdir = 12
	Remove  = 13
	Mkdir   = 14
	Rmdir   = 15
	Stat    = 17
	Rename  = 18
	Status  = 101
	Name    = 104
	Attrs   = 105
	// Extended are posix-rename, statvfs, fsync…: their name is in Path.
	Extended = 200
)

// Packet is one SFTP packet on its way.
type Packet struct {
	Kind  byte
	Reply bool   // from the server
	Of    byte   // of a reply: the kind of its request
	Path  string // of a request: its first text (a path, a handle, the name of an extension); of a reply: its request's
	Other string // of a rename: the second path
	N     int    // counts packets of both directions, from 1

	body []byte // all after the length
}

// Raw is the packet as it is, for what the fields do not tell.
func (p Packet) Raw() string { return string(p.body) }

// Act is what becomes of a packet.
type Act struct {
	Drop  bool            // the connection ends in its place
	Stall bool            // it never arrives
	Fail  uint32          // a request: the server is not asked and answers with this status code
	Hold  <-chan struct{} // it arrives when this is closed
	// Pretend: a request is not carried out, and the server says it was.
	Pretend bool
}

// Pass lets a packet through.
var Pass = Act{}

// wires lets a test see and spoil what goes over the connections of a server.
type wires struct {
	mu      sync.Mutex
	on      func(Packet) Act
	rewrite func(Packet, []byte) []byte
	without []string
	refuse  bool // renames onto what is there
	n       int
	counts  map[byte]int
	cut     int64 // bytes until the connection ends; 0: never
	open    map[*wire]bool
}

type wire struct {
	all     *wires
	client  io.ReadWriteCloser
	server  io.ReadWriteCloser
	writing sync.Mutex // to the client: answers come from both directions
	mu      sync.Mutex // of asked
	asked   map[uint32]Packet
	ended   sync.Once
}

// run passes packets until one side ends.
func (w *wires) run(client, server io.ReadWriteCloser) {
	x := &wire{all: w, client: client, server: server, asked: map[uint32]Packet{}}
	w.mu.Lock()
	w.open[x] = true
	w.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { x.pass(client, server, false) })
	both.Go(func() { x.pass(server, client, true) })
	both.Wait()
	w.mu.Lock()
	delete(w.open, x)
	w.mu.Unlock()
}

func (x *wire) end() {
	x.ended.Do(func() {
		x.client.Close()
		x.server.Close()
	})
}

func (x *wire) pass(from io.Reader, to io.Writer, reply bool) {
	defer x.end()
	for {
		body, err := readPacket(from)
		if err != nil {
			return
		}
		p := x.describe(body, reply)
		act := x.all.decide(p)
		if act.Hold != nil {
			<-act.Hold
		}
		switch {
		case act.Drop:
			return
		case act.Stall:
			continue
		case act.Pretend:
			_ = x.send(x.client, status(p.body, 0))
			continue
		case act.Fail != 0:
			_ = x.send(x.client, status(p.body, act.Fail))
			continue
		}
		if reply && len(body) > 0 && body[0] == Version {
			body = x.all.withhold(body)
		}
		if x.all.rewrite != nil {
			body = x.all.rewrite(p, body)
		}
		var whole bool
		body, whole = x.all.upTo(body)
		if x.send(to, body) != nil || !whole {
			return
		}
	}
}

func (x *wire) send(to io.Writer, body []byte) error {
	if to == io.Writer(x.client) {
		x.writing.Lock()
		defer x.writing.Unlock()
	}
	_, err := to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	return err
}

func readPacket(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(r, body)
	return body, err
}

// describe reads what tests decide by.
func (x *wire) describe(body []byte, reply bool) Packet {
	p := Packet{Kind: body[0], Reply: reply, body: body}
	if len(body) < 9 || p.Kind == 1 || p.Kind == Version {
		return p
	}
	id := binary.BigEndian.Uint32(body[1:])
	x.mu.Lock()
	defer x.mu.Unlock()
	if reply {
		p.Of, p.Path, p.Other = x.asked[id].Kind, x.asked[id].Path, x.asked[id].Other
		delete(x.asked, id)
		return p
	}
	var rest []byte
	p.Path, rest = text(body[5:])
	p.Other, _ = text(rest)
	x.asked[id] = p
	return p
}

func text(b []byte) (string, []byte) {
	if len(b) < 4 {
		return "", nil
	}
	n := int(binary.BigEndian.Uint32(b))
	if n < 0 || len(b) < 4+n {
		return "", nil
	}
	return string(b[4 : 4+n]), b[4+n:]
}

func status(request []byte, code uint32) []byte {
	b := append([]byte{Status}, request[1:5]...)
	b = binary.BigEndian.AppendUint32(b, code)
	b = binary.BigEndian.AppendUint32(b, 4)
	b = append(b, "test"...)
	return binary.BigEndian.AppendUint32(b, 0)
}

// withhold leaves extensions out of the server's greeting.
func (w *wires) withhold(body []byte) []byte {
	if len(w.without) == 0 {
		return body
	}
	kept, rest := body[:5:5], body[5:]
	for len(rest) > 0 {
		name, after := text(rest)
		_, after = text(after)
		if !slices.Contains(w.without, name) && !slices.Contains(w.without, "*") {
			kept = append(kept, rest[:len(rest)-len(after)]...)
		}
		rest = after
	}
	return kept
}

// upTo cuts a packet where the connection is to end.
func (w *wires) upTo(body []byte) ([]byte, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut == 0 {
		return body, true
	}
	if int64(len(body)) < w.cut {
		w.cut -= int64(len(body))
		return body, true
	}
	body = body[:w.cut-1]
	w.cut = 0
	return body, false
}
