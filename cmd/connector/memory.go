package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// inside is an HTTP server and the way to it, both within this process: the demo
// needs no port, so nothing on the machine can be in its way.
type inside struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	server *http.Server
	done   chan struct{}
}

// serveInside starts to serve h.
func serveInside(h http.Handler) *inside {
	in := &inside{conns: make(chan net.Conn), closed: make(chan struct{}), done: make(chan struct{})}
	in.server = &http.Server{Handler: h, ReadHeaderTimeout: 30 * time.Second}
	go func() {
		defer close(in.done)
		_ = in.server.Serve(in) // always ErrServerClosed
	}()
	return in
}

// transport reaches the server whatever host a request names.
func (in *inside) transport() *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		client, server := net.Pipe()
		select {
		case in.conns <- server:
			return client, nil
		case <-in.closed:
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
}

// stop ends the server and waits for it.
func (in *inside) stop() {
	_ = in.server.Close()
	<-in.done
}

// Accept, Close and Addr make it a net.Listener.
func (in *inside) Accept() (net.Conn, error) {
	select {
	case c := <-in.conns:
		return c, nil
	case <-in.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (in *inside) Close() error {
	in.once.Do(func() { close(in.closed) })
	return nil
}

// Addr names nothing: there is no address.
func (in *inside) Addr() net.Addr { return nowhere{} }

type nowhere struct{}

func (nowhere) Network() string { return "inside" }
func (nowhere) String() string  { return "this process" }
