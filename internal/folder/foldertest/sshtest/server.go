package sshtest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"sendconnector/internal/folder/foldertest"
)

// Options are what kind of server Start starts.
type Options struct {
	Without       []string // extensions that are not offered; "*" = all
	RefuseReplace bool     // a rename onto what is there fails, as with most servers
	OneSession    bool     // a second connection is turned away
	Pipes         bool     // no port: connections come through Server.Dial, for testing/synctest
	RSA           bool     // the host key is an RSA key, and not Ed25519
	Keys          []ssh.PublicKey
}

// Server is an SFTP server of this process: Go's SSH with pkg/sftp's server behind
// it, on the file system of this machine.
type Server struct {
	wires

	Addr        string // host:port
	User        string
	Password    string
	HostKey     string // as a line, "ssh-ed25519 AAAA…"
	Fingerprint string // the same, "SHA256:…"
	Root        string // an empty folder of this machine; the path is the same on the server

	t        testing.TB
	o        Options
	listener net.Listener
	work     sync.WaitGroup

	state struct {
		sync.Mutex
		signer   ssh.Signer
		password string
		down     bool
		logins   int
		conns    map[net.Conn]bool
	}
}

// Start starts a server that ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{t: t, o: o, User: "comune", Password: "prova", Root: foldertest.TempDir(t), Addr: "server.example:22"}
	s.wires = wires{without: o.Without, refuse: o.RefuseReplace, counts: map[byte]int{}, open: map[*wire]bool{}}
	s.state.conns = map[net.Conn]bool{}
	s.SetPassword(s.Password)
	s.NewHostKey()
	if !o.Pipes {
		var err error
		if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil { //nolint:noctx // in a test
			t.Fatal(err)
		}
		s.Addr = s.listener.Addr().String()
		s.work.Go(s.accept)
	}
	t.Cleanup(s.stop)
	return s
}

// stop ends everything. Folders of the test are closed before, because they were made
// later.
func (s *Server) stop() {
	if s.listener != nil {
		s.listener.Close()
	}
	s.Down()
	s.work.Wait()
}

// NewHostKey gives the server another host key, as a new installation has.
func (s *Server) NewHostKey() {
	s.t.Helper()
	var key any
	var err error
	if s.o.RSA {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.state.Lock()
	defer s.state.Unlock()
	s.state.signer = signer
	s.HostKey = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	s.Fingerprint = ssh.FingerprintSHA256(signer.PublicKey())
}

// SetPassword changes what the server accepts.
func (s *Server) SetPassword(password string) {
	s.state.Lock()
	defer s.state.Unlock()
	s.state.password = password
}

// Down ends all connections and lets no new one come up; Up lets them.
func (s *Server) Down() {
	s.state.Lock()
	s.state.down = true
	for c := range s.state.conns {
		c.Close()
	}
	s.state.Unlock()
	s.Cut()
}

// Up ends Down.
func (s *Server) Up() {
	s.state.Lock()
	defer s.state.Unlock()
	s.state.down = false
}

// Logins is how many logins succeeded.
func (s *Server) Logins() int {
	s.state.Lock()
	defer s.state.Unlock()
	return s.state.logins
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.start(conn)
	}
}

// Dial connects without a network.
func (s *Server) Dial(context.Context, string) (net.Conn, error) {
	client, server := pipe()
	if !s.start(server) {
		return nil, errors.New("connection refused")
	}
	return client, nil
}

// start serves a connection, unless the server is down or full.
func (s *Server) start(conn net.Conn) bool {
	s.state.Lock()
	defer s.state.Unlock()
	if s.state.down || s.o.OneSession && len(s.state.conns) > 0 {
		conn.Close()
		return false
	}
	s.state.conns[conn] = true
	s.work.Go(func() {
		s.serve(conn)
		s.state.Lock()
		defer s.state.Unlock()
		delete(s.state.conns, conn)
	})
	return true
}

func (s *Server) config() *ssh.ServerConfig {
	s.state.Lock()
	defer s.state.Unlock()
	c := &ssh.ServerConfig{
		PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			s.state.Lock()
			defer s.state.Unlock()
			if string(password) != s.state.password {
				return nil, errors.New("wrong password")
			}
			return nil, nil //nolint:nilnil // ssh wants it so
		},
	}
	if len(s.o.Keys) > 0 {
		c.PublicKeyCallback = func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			for _, k := range s.o.Keys {
				if string(k.Marshal()) == string(key.Marshal()) {
					return nil, nil //nolint:nilnil // ssh wants it so
				}
			}
			return nil, errors.New("unknown key")
		}
	}
	c.AddHostKey(s.state.signer)
	return c
}

func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	c, channels, requests, err := ssh.NewServerConn(conn, s.config())
	if err != nil {
		return
	}
	defer c.Close()
	s.state.Lock()
	s.state.logins++
	s.state.Unlock()
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { ssh.DiscardRequests(requests) })
	for ch := range channels {
		channel, asked, err := ch.Accept()
		if err != nil {
			return
		}
		work.Go(func() {
			for r := range asked {
				subsystem, _ := text(r.Payload)
				ok := r.Type == "subsystem" && subsystem == "sftp"
				_ = r.Reply(ok, nil)
				if ok {
					work.Go(func() {
						defer conn.Close() // a lost packet is a lost connection
						s.sftp(channel)
					})
				}
			}
		})
	}
}

// sftp runs pkg/sftp's server behind the wire.
func (s *Server) sftp(channel io.ReadWriteCloser) {
	near, far := net.Pipe()
	server, err := sftp.NewServer(far)
	if err != nil {
		s.t.Error(err)
		return
	}
	var work sync.WaitGroup
	work.Go(func() {
		_ = server.Serve()
		far.Close()
	})
	s.run(channel, near)
	work.Wait()
}
