package sshtest

import (
	"bytes"
	"io"
	"net"
	"sync"
	"time"
)

// pipe is a connection within this process that, unlike net.Pipe, keeps what was
// written until it is read, as a network does: both sides of SSH begin by writing.
func pipe() (net.Conn, net.Conn) {
	a, b := newFlow(), newFlow()
	return &pipeEnd{in: a, out: b}, &pipeEnd{in: b, out: a}
}

type flow struct {
	mu     sync.Mutex
	change *sync.Cond
	buf    bytes.Buffer
	closed bool
}

func newFlow() *flow {
	f := &flow{}
	f.change = sync.NewCond(&f.mu)
	return f
}

type pipeEnd struct{ in, out *flow }

func (p *pipeEnd) Read(b []byte) (int, error) {
	f := p.in
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.buf.Len() == 0 && !f.closed {
		f.change.Wait()
	}
	if f.buf.Len() == 0 {
		return 0, io.EOF
	}
	f.change.Broadcast()
	return f.buf.Read(b)
}

// window is how much may be on its way.
const window = 1 << 20

func (p *pipeEnd) Write(b []byte) (int, error) {
	f := p.out
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.buf.Len() > window && !f.closed {
		f.change.Wait()
	}
	if f.closed {
		return 0, io.ErrClosedPipe
	}
	f.change.Broadcast()
	return f.buf.Write(b)
}

func (p *pipeEnd) Close() error {
	for _, f := range []*flow{p.in, p.out} {
		f.mu.Lock()
		f.closed = true
		f.change.Broadcast()
		f.mu.Unlock()
	}
	return nil
}

func (*pipeEnd) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (*pipeEnd) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 22} }

func (*pipeEnd) SetDeadline(time.Time) error      { return nil }
func (*pipeEnd) SetReadDeadline(time.Time) error  { return nil }
func (*pipeEnd) SetWriteDeadline(time.Time) error { return nil }
