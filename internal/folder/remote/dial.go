package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"sendconnector/internal/folder"
)

// clientVersion is how we greet servers; their logs show it.
const clientVersion = "SSH-2.0-sendconnector"

// transport is what a session runs over.
type transport struct {
	client *sftp.Client
	bytes  *progress
	alive  func() error // asks for a sign of life; nil where there is none
	close  func()       // ends everything at once, without waiting for the server
}

// connect makes a session, or says why there is none, with its kind.
func (s *Server) connect(ctx context.Context) (*transport, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.DialTimeout)
	defer cancel()
	if s.pipe != nil {
		return s.connectPipe(ctx)
	}
	trusted, err := s.newTrust(ctx)
	if err != nil {
		return nil, &folder.Error{Op: "connect", Name: s.o.Address, Kind: folder.ErrHostKey, Cause: err}
	}
	login, err := s.credentials(ctx)
	if err != nil {
		return nil, err
	}
	defer login.close()
	client, err := s.login(ctx, trusted, login)
	if err != nil {
		return nil, err
	}
	t, err := s.openSFTP(ctx, client)
	if err != nil {
		client.Close()
		return nil, s.unavailable(ctx, err)
	}
	return t, nil
}

// login tries one offer of host key algorithms after the other; see trust.offers. The
// one that found its key is the first next time.
func (s *Server) login(ctx context.Context, trusted *trust, login *credentials) (*ssh.Client, error) {
	offers := trusted.offers()
	s.mu.Lock()
	if s.offer != nil && len(offers) > 1 {
		offers = slices.Insert(offers, 0, s.offer)
	}
	s.mu.Unlock()
	var first error
	for _, offer := range offers {
		trusted.seen = nil
		client, err := s.handshake(ctx, &ssh.ClientConfig{
			User: s.o.User, Auth: login.methods, ClientVersion: clientVersion,
			HostKeyCallback: trusted.check, HostKeyAlgorithms: offer,
		})
		if err == nil {
			s.mu.Lock()
			s.offer = offer
			s.mu.Unlock()
			return client, nil
		}
		var negotiation *ssh.AlgorithmNegotiationError
		switch {
		case errors.Is(err, folder.ErrHostKey), errors.As(err, &negotiation) && trusted.seen == nil:
			if first == nil {
				first = err
			}
			continue
		case trusted.seen != nil && refusal(ctx, err):
			return nil, &folder.LoginError{Host: s.o.Address, User: s.o.User, Tried: login.tried, Cause: err}
		}
		return nil, s.unavailable(ctx, err)
	}
	return nil, s.refused(ctx, trusted, first)
}

// refused is a server whose host key is not the one we know. If it has none of the
// types that were asked for, a look tells which it has.
func (s *Server) refused(ctx context.Context, trusted *trust, err error) error {
	if errors.Is(err, folder.ErrHostKey) {
		return err
	}
	seen := &folder.HostKeyError{Host: s.o.Address, Expected: slices.Clone(trusted.pins.fingerprints)}
	for _, k := range trusted.expected {
		seen.Expected = append(seen.Expected, ssh.FingerprintSHA256(k))
	}
	_, _ = s.handshake(ctx, &ssh.ClientConfig{
		User: s.o.User, ClientVersion: clientVersion,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			seen.Seen, seen.SeenLine = ssh.FingerprintSHA256(key), keyLine(key)
			return errSeen
		},
	})
	if seen.Seen == "" {
		return s.unavailable(ctx, err)
	}
	return seen
}

// refusal tells whether it was the server that ended the login, and not the network.
func refusal(ctx context.Context, err error) bool {
	var network net.Error
	return ctx.Err() == nil && !errors.As(err, &network) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) &&
		!errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe)
}

func (s *Server) unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("no login within %v: %w", s.o.DialTimeout, err)
	}
	return &folder.Error{Op: "connect", Name: s.o.Address, Kind: folder.ErrUnavailable, Cause: err}
}

// handshake dials and logs in. The end of ctx ends it, whatever the server does.
func (s *Server) handshake(ctx context.Context, config *ssh.ClientConfig) (*ssh.Client, error) {
	conn, err := s.o.Dial(ctx, s.o.Address)
	if err != nil {
		return nil, err
	}
	watched := &watchedConn{Conn: conn, limit: s.o.ProgressTimeout, silence: s.o.ProgressTimeout + max(s.o.KeepAlive, 0)}
	if s.o.KeepAlive < 0 {
		watched.silence = 0
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	sshConn, channels, requests, err := ssh.NewClientConn(watched, s.o.Address, config)
	if err != nil {
		conn.Close()
		return nil, err
	}
	if !stop() {
		sshConn.Close()
		return nil, context.Cause(ctx)
	}
	return ssh.NewClient(sshConn, channels, requests), nil
}

// openSFTP starts the subsystem on a connection that is logged in.
func (s *Server) openSFTP(ctx context.Context, client *ssh.Client) (*transport, error) {
	stop := context.AfterFunc(ctx, func() { client.Close() })
	defer stop()
	session, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	noise, err := session.StderrPipe()
	if err != nil {
		return nil, err
	}
	// Read away, because it shares the channel's window. It ends with the connection.
	s.work.Go(func() { _, _ = io.Copy(io.Discard, noise) })
	if err := session.RequestSubsystem("sftp"); err != nil {
		return nil, fmt.Errorf("the server offers no SFTP: %w", err)
	}
	t := &transport{bytes: &progress{r: out}, close: func() { client.Close() }}
	t.alive = func() error {
		_, _, err := client.SendRequest("keepalive@openssh.com", true, nil)
		return err
	}
	if t.client, err = sftp.NewClientPipe(t.bytes, in, clientOptions()...); err != nil {
		return nil, err
	}
	if !stop() {
		return nil, context.Cause(ctx)
	}
	return t, nil
}

// clientOptions: chunks are written side by side, which cannot leave a hole in a file
// that anybody sees, because it gets its name only when its size is right.
func clientOptions() []sftp.ClientOption {
	return []sftp.ClientOption{sftp.UseConcurrentWrites(true), sftp.UseFstat(true)}
}

// connectPipe is for tests; see NewPipeServer.
func (s *Server) connectPipe(ctx context.Context) (*transport, error) {
	rwc, err := s.pipe(ctx)
	if err != nil {
		return nil, s.unavailable(ctx, err)
	}
	t := &transport{bytes: &progress{r: rwc}, close: func() { rwc.Close() }}
	stop := context.AfterFunc(ctx, func() { rwc.Close() })
	defer stop()
	if t.client, err = sftp.NewClientPipe(t.bytes, rwc, clientOptions()...); err != nil {
		rwc.Close()
		return nil, s.unavailable(ctx, err)
	}
	return t, nil
}

// watchedConn is a connection that ends when it stands still: when nothing can be
// written for limit, or nothing came for silence although signs of life are asked for.
type watchedConn struct {
	net.Conn
	limit, silence time.Duration
}

func (c *watchedConn) Write(p []byte) (int, error) {
	timer := time.AfterFunc(c.limit, func() { c.Conn.Close() })
	defer timer.Stop()
	return c.Conn.Write(p)
}

func (c *watchedConn) Read(p []byte) (int, error) {
	if c.silence > 0 {
		timer := time.AfterFunc(c.silence, func() { c.Conn.Close() })
		defer timer.Stop()
	}
	return c.Conn.Read(p)
}
