package sshtest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// OpenSSH is the real server. Its connections are processes `sshd -i` on sockets that
// the test accepts, so that no port has to be guessed.
type OpenSSH struct {
	Addr        string
	User        string
	Password    string
	HostKey     string // Ed25519; the server has an RSA key too, RSAKey
	RSAKey      string
	Fingerprint string
	Home        string // of the user on this machine, and above Root
	Root        string // an empty folder, as the server names it: below the chroot if there is one
	Path        string // the same, as this machine names it

	Key            []byte // a private key of the user
	KeyWithPhrase  []byte // another one, encrypted
	KeyPhrase      string
	AuthorizedKeys string // path of the user's file

	t        testing.TB
	config   string
	listener net.Listener
	work     sync.WaitGroup
	mu       sync.Mutex
	conns    map[net.Conn]bool
}

// sshd is where Debian puts it.
const sshd = "/usr/sbin/sshd"

// StartOpenSSH starts it with a user of its own who goes with the test; with chroot
// the user is shut in. It needs root and the package openssh-server: without them the
// test is skipped, and in CI fails.
func StartOpenSSH(t testing.TB, chroot bool) *OpenSSH {
	t.Helper()
	if _, err := os.Stat(sshd); err != nil || os.Getuid() != 0 {
		Missing(t, "sshd, or the rights of root to start it")
	}
	// Not below /tmp: sshd shuts nobody into a folder below one that others write to.
	home, err := os.MkdirTemp("/srv", "sendconnector-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	s := &OpenSSH{t: t, Home: home, Password: secret(), KeyPhrase: secret(), conns: map[net.Conn]bool{}}
	s.User = "send" + secret()[:8]
	must(t, os.Chmod(home, 0o755)) //nolint:gosec // as sshd wants it
	must(t, os.MkdirAll("/run/sshd", 0o755))
	s.addUser()
	s.Path = filepath.Join(home, "flussi")
	must(t, os.Mkdir(s.Path, 0o700))
	s.own(s.Path)
	s.Root = s.Path
	if chroot {
		s.Root = "/flussi"
	}
	s.HostKey, s.Fingerprint = s.hostKey("ed25519")
	s.RSAKey, _ = s.hostKey("rsa")
	s.userKeys()
	s.writeConfig(chroot)
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil { //nolint:noctx // in a test
		t.Fatal(err)
	}
	s.Addr = s.listener.Addr().String()
	s.work.Go(s.accept)
	t.Cleanup(func() {
		s.listener.Close()
		s.Cut()
		s.work.Wait()
	})
	return s
}

// Missing skips a test for want of something, and fails it in CI.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("this test needs %s", what)
	}
	t.Skipf("this test needs %s", what)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func secret() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// addUser makes the user. Several tests may do so at once, and wait for each other.
func (s *OpenSSH) addUser() {
	s.t.Helper()
	s.userTool("useradd", "--home-dir", s.Home, "--no-create-home", "--shell", "/bin/sh", s.User)
	s.t.Cleanup(func() { s.userTool("userdel", s.User) })
	c := exec.CommandContext(s.t.Context(), "chpasswd")
	c.Stdin = strings.NewReader(s.User + ":" + s.Password)
	if out, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("chpasswd: %v %s", err, out)
	}
}

func (s *OpenSSH) userTool(name string, args ...string) {
	// The tools give up when another one holds the list of users; the lock makes them
	// wait for each other between the processes of a test run.
	args = append([]string{filepath.Join(os.TempDir(), "sendconnector-test-users.lock"), name}, args...)
	if out, err := exec.CommandContext(context.Background(), "flock", args...).CombinedOutput(); err != nil {
		s.t.Errorf("%s: %v %s", name, err, out)
	}
}

func (s *OpenSSH) own(names ...string) {
	s.t.Helper()
	u, err := user.Lookup(s.User)
	must(s.t, err)
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	for _, name := range names {
		must(s.t, os.Chown(name, uid, gid))
	}
}

// Put writes a file as the user does.
func (s *OpenSSH) Put(name, text string) {
	s.t.Helper()
	full := filepath.Join(s.Path, filepath.FromSlash(name))
	for dir := s.Path; ; {
		next := filepath.Dir(full)
		if dir == next {
			break
		}
		rel, _ := filepath.Rel(dir, next)
		dir = filepath.Join(dir, strings.Split(rel, string(filepath.Separator))[0])
		if err := os.Mkdir(dir, 0o700); err == nil {
			s.own(dir)
		} else if !errors.Is(err, os.ErrExist) {
			s.t.Fatal(err)
		}
	}
	must(s.t, os.WriteFile(full, []byte(text), 0o600))
	s.own(full)
}

func (s *OpenSSH) hostKey(kind string) (line, fingerprint string) {
	s.t.Helper()
	name := filepath.Join(s.Home, ".host_"+kind)
	if out, err := exec.CommandContext(s.t.Context(), "ssh-keygen", "-q", "-t", kind, "-N", "", "-f", name).CombinedOutput(); err != nil {
		s.t.Fatalf("ssh-keygen: %v %s", err, out)
	}
	text, err := os.ReadFile(name + ".pub")
	must(s.t, err)
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	must(s.t, err)
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), ssh.FingerprintSHA256(key)
}

// userKeys gives the user two keys.
func (s *OpenSSH) userKeys() {
	s.t.Helper()
	var authorized []byte
	for _, phrase := range []string{"", s.KeyPhrase} {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		must(s.t, err)
		signer, err := ssh.NewSignerFromKey(private)
		must(s.t, err)
		authorized = append(authorized, ssh.MarshalAuthorizedKey(signer.PublicKey())...)
		var block *pem.Block
		if phrase == "" {
			block, err = ssh.MarshalPrivateKey(private, "")
			must(s.t, err)
			s.Key = pem.EncodeToMemory(block)
			continue
		}
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(phrase))
		must(s.t, err)
		s.KeyWithPhrase = pem.EncodeToMemory(block)
	}
	s.AuthorizedKeys = filepath.Join(s.Home, ".authorized_keys")
	must(s.t, os.WriteFile(s.AuthorizedKeys, authorized, 0o644)) //nolint:gosec // the user reads it
}

func (s *OpenSSH) writeConfig(chroot bool) {
	s.t.Helper()
	lines := []string{
		"HostKey " + filepath.Join(s.Home, ".host_ed25519"),
		"HostKey " + filepath.Join(s.Home, ".host_rsa"),
		"AuthorizedKeysFile " + s.AuthorizedKeys,
		"StrictModes no", "UsePAM no", "PasswordAuthentication yes", "PubkeyAuthentication yes",
		"KbdInteractiveAuthentication no", "AllowUsers " + s.User, "LogLevel ERROR", "UseDNS no",
		"Subsystem sftp internal-sftp",
	}
	if chroot {
		lines = append(lines, "ChrootDirectory "+s.Home, "ForceCommand internal-sftp", "AllowTcpForwarding no")
	}
	s.config = filepath.Join(s.Home, ".sshd_config")
	must(s.t, os.WriteFile(s.config, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

func (s *OpenSSH) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[conn] = true
		s.mu.Unlock()
		s.work.Go(func() { s.serve(conn) })
	}
}

// serve gives a connection to a process and waits for it.
func (s *OpenSSH) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, conn)
	}()
	f, err := conn.(*net.TCPConn).File()
	if err != nil {
		return
	}
	defer f.Close()
	c := exec.Command(sshd, "-i", "-f", s.config)
	c.Stdin, c.Stdout = f, f
	_ = c.Run() // it ends with an error whenever a connection is cut
}

// Cut ends all connections.
func (s *OpenSSH) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		// Both ways and at once: the process has its own descriptor of the socket.
		_ = c.(*net.TCPConn).CloseRead()
		_ = c.(*net.TCPConn).CloseWrite()
	}
}

// Pipes runs a program that speaks SFTP on its standard input, OpenSSH's sftp-server,
// once for each connection, with the same faults as Start.
type Pipes struct {
	wires
	Root string

	t    testing.TB
	work sync.WaitGroup
}

// sftpServer is where Debian puts it.
const sftpServer = "/usr/lib/openssh/sftp-server"

// StartPipes makes ready for Connect; the folder root is the tests'.
func StartPipes(t testing.TB, root string, o Options) *Pipes {
	t.Helper()
	if _, err := os.Stat(sftpServer); err != nil {
		Missing(t, "OpenSSH's sftp-server")
	}
	p := &Pipes{t: t, Root: root}
	p.wires = wires{without: o.Without, refuse: o.RefuseReplace, counts: map[byte]int{}, open: map[*wire]bool{}}
	t.Cleanup(func() {
		p.Cut()
		p.work.Wait()
	})
	return p
}

// Connect starts one process.
func (p *Pipes) Connect() (io.ReadWriteCloser, error) {
	c := exec.Command(sftpServer, "-e")
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("sftp-server: %w", err)
	}
	near, far := net.Pipe()
	p.work.Go(func() {
		p.run(far, both{out, in})
		_ = c.Wait()
	})
	return near, nil
}

type both struct {
	io.ReadCloser
	in io.WriteCloser
}

func (b both) Write(p []byte) (int, error) { return b.in.Write(p) }

func (b both) Close() error { return errors.Join(b.in.Close(), b.ReadCloser.Close()) }
