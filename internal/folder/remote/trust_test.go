package remote_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest/sshtest"
	"sendconnector/internal/folder/remote"
)

func knownHosts(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func hostLine(s *sshtest.Server, hashed bool) string {
	host, port, _ := net.SplitHostPort(s.Addr)
	name := "[" + host + "]:" + port
	if hashed {
		name = knownhosts.HashHostname(name)
	}
	return name + " " + s.HostKey
}

func list(o remote.Options, root string) error {
	s, err := remote.NewServer(o)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Folder(root).List(context.Background(), ".", false)
	return err
}

// Damage prevented: exports and personal data go to a machine that only says it is
// the server.
func TestHostKeys(t *testing.T) {
	s, other := sshtest.Start(t, sshtest.Options{}), sshtest.Start(t, sshtest.Options{})
	rsa := sshtest.Start(t, sshtest.Options{RSA: true})
	_, port, _ := net.SplitHostPort(s.Addr)
	tests := map[string]struct {
		server *sshtest.Server
		keys   []string
		known  []string
		good   bool
	}{
		"pinned line":                         {s, []string{s.HostKey}, nil, true},
		"pinned line with a host in front":    {s, []string{hostLine(s, false)}, nil, true},
		"pinned fingerprint":                  {s, []string{s.Fingerprint}, nil, true},
		"one of several":                      {s, []string{other.HostKey, s.Fingerprint}, nil, true},
		"RSA, by line":                        {rsa, []string{rsa.HostKey}, nil, true},
		"RSA, by fingerprint":                 {rsa, []string{rsa.Fingerprint}, nil, true},
		"known_hosts, with port":              {s, nil, []string{hostLine(other, false), hostLine(s, false)}, true},
		"known_hosts, hashed":                 {s, nil, []string{hostLine(s, true)}, true},
		"known_hosts, several keys":           {s, nil, []string{strings.Replace(hostLine(s, false), s.HostKey, other.HostKey, 1), hostLine(s, false)}, true},
		"known_hosts and a pin":               {s, []string{other.HostKey}, []string{hostLine(s, false)}, true},
		"none at all":                         {s, nil, nil, false},
		"another line":                        {s, []string{other.HostKey}, nil, false},
		"another fingerprint":                 {s, []string{other.Fingerprint}, nil, false},
		"another type":                        {s, []string{rsa.HostKey}, nil, false},
		"known_hosts, without the port":       {s, nil, []string{strings.Replace(hostLine(s, false), "]:"+port, "]:22", 1)}, false},
		"known_hosts, another key":            {s, nil, []string{strings.Replace(hostLine(s, false), s.HostKey, other.HostKey, 1)}, false},
		"known_hosts, empty":                  {s, nil, []string{""}, false},
		"known_hosts, revoked, though pinned": {s, []string{s.HostKey}, []string{"@revoked * " + s.HostKey}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(test.server)
			o.HostKeys = test.keys
			if test.known != nil {
				o.KnownHosts = knownHosts(t, test.known...)
			}
			err := list(o, test.server.Root)
			if test.good {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var refused *folder.HostKeyError
			if !errors.Is(err, folder.ErrHostKey) || !errors.As(err, &refused) {
				t.Fatalf("got %v, want ErrHostKey", err)
			}
			if refused.Seen != test.server.Fingerprint || refused.SeenLine != test.server.HostKey || refused.Host != test.server.Addr {
				t.Errorf("error %+v names another key or host", refused)
			}
			if !strings.Contains(err.Error(), test.server.Fingerprint) {
				t.Errorf("message without the fingerprint: %v", err)
			}
		})
	}
}

// Damage prevented: a line that one of the two readers of the configuration takes and
// the other refuses, so that what check says to paste does not start; or one that
// known_hosts has struck out, and that is trusted here.
func TestHostKeyLines(t *testing.T) {
	s, rsa := sshtest.Start(t, sshtest.Options{}), sshtest.Start(t, sshtest.Options{RSA: true})
	blob := strings.TrimPrefix(s.HostKey, "ssh-ed25519 ")
	for line, good := range map[string]bool{
		s.HostKey:                              true,
		" " + s.HostKey + " ":                  true,
		s.HostKey + " server del comune":       true,
		"server.example " + s.HostKey:          true,
		hostLine(s, false) + " with a comment": true,
		hostLine(s, true):                      true,
		rsa.HostKey:                            true,
		hostLine(rsa, false):                   true,
		s.Fingerprint:                          true,
		s.Fingerprint + "=":                    true,
		"":                                     false,
		"@revoked " + s.HostKey:                false,
		"@revoked " + hostLine(s, false):       false,
		"@cert-authority * " + s.HostKey:       false,
		"# " + s.HostKey:                       false,
		"#" + hostLine(s, false):               false,
		"ssh-rsa " + blob:                      false,
		"ssh-ed25519 " + blob[:40]:             false,
		"ssh-ed25519":                          false,
		"MD5:aa:bb":                            false,
		s.Fingerprint[:40]:                     false,
		strings.Replace(s.Fingerprint, ":", ": ", 1): false,
	} {
		o := options(s)
		o.HostKeys = []string{line}
		server, err := remote.NewServer(o)
		if (err == nil) != good || (remote.CheckHostKey(line) == nil) != good {
			t.Errorf("%q: server %v, check %v, want good: %v", line, err, remote.CheckHostKey(line), good)
		}
		if server != nil {
			server.Close()
		}
	}
}

// Damage prevented: a server that was installed anew is trusted, or stays refused when
// the new key has been entered.
func TestHostKeyChanges(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	o := options(s)
	o.HostKeys = nil
	o.KnownHosts = knownHosts(t, hostLine(s, false))
	now := newClock()
	o.Clock = now.Now
	server := connect(t, o)
	f := server.Folder(s.Root)
	if _, err := f.List(context.Background(), ".", false); err != nil {
		t.Fatal(err)
	}
	old := s.Fingerprint
	s.NewHostKey()
	s.Cut()
	_, err := f.List(context.Background(), ".", false)
	var refused *folder.HostKeyError
	if !errors.As(err, &refused) || refused.Seen != s.Fingerprint || !slices.Contains(refused.Expected, old) {
		t.Fatalf("got %v", err)
	}
	line, fingerprint, err := server.HostKey(context.Background())
	if err != nil || line != s.HostKey || fingerprint != s.Fingerprint {
		t.Errorf("HostKey gives %q %q, %v", line, fingerprint, err)
	}
	logins := s.Logins()
	if err := os.WriteFile(o.KnownHosts, []byte(hostLine(s, false)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.List(context.Background(), ".", false); !errors.Is(err, folder.ErrHostKey) || s.Logins() != logins {
		t.Errorf("within the pause: %v", err)
	}
	now.add(2 * firstPause)
	if _, err := f.List(context.Background(), ".", false); err != nil {
		t.Errorf("with the new key known: %v", err)
	}
}

// Damage prevented: options with which the server could be anybody.
func TestOptionsAreChecked(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	for name, spoil := range map[string]func(*remote.Options){
		"a bad host key":    func(o *remote.Options) { o.HostKeys = []string{"ssh-ed25519 AAAA"} },
		"a bad fingerprint": func(o *remote.Options) { o.HostKeys = []string{"SHA256:abc"} },
		"no way to log in":  func(o *remote.Options) { o.Password = nil },
		"no user":           func(o *remote.Options) { o.User = "" },
		"no port":           func(o *remote.Options) { o.Address = "server" },
	} {
		o := options(s)
		spoil(&o)
		if _, err := remote.NewServer(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Damage prevented: a password that was changed locks the account by endless tries, or
// the new one is not noticed without a restart.
func TestLoginRefusedAndMended(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	o := options(s)
	now := newClock()
	o.Clock = now.Now
	secret := "stale"
	dials := 0
	o.Password = func() (string, error) { return secret, nil }
	o.Dial = func(ctx context.Context, address string) (net.Conn, error) {
		dials++
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	f := connect(t, o).Folder(s.Root)
	for range 50 {
		_, err := f.List(context.Background(), ".", false)
		var refused *folder.LoginError
		if !errors.Is(err, folder.ErrLogin) || !errors.As(err, &refused) || refused.User != s.User || refused.Host != s.Addr {
			t.Fatalf("got %v, want ErrLogin", err)
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the message shows the secret: %v", err)
		}
		now.add(firstPause)
	}
	if dials > 2 {
		t.Errorf("%d logins tried in 50 s with a refused password", dials)
	}
	secret = s.Password
	if _, err := f.List(context.Background(), ".", false); err != nil {
		t.Errorf("with the secret mended, at once: %v", err)
	}
}

// Damage prevented: a file of a secret that is not there looks like a server that is
// away.
func TestSecretThatCannotBeRead(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	o := options(s)
	o.Password = func() (string, error) { return "", os.ErrNotExist }
	if err := list(o, s.Root); !errors.Is(err, folder.ErrLogin) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("password: %v", err)
	}
	o = options(s)
	o.Key = func() ([]byte, string, error) { return []byte("no key"), "", nil }
	if err := list(o, s.Root); !errors.Is(err, folder.ErrLogin) {
		t.Errorf("key: %v", err)
	}
}

// TestOpenSSHLogins logs in to the real server in every way, and finds its key among
// several types.
func TestOpenSSHLogins(t *testing.T) {
	s := sshtest.StartOpenSSH(t, false)
	base := sshdOptions(s)
	base.Password = nil
	with := func(change func(*remote.Options)) remote.Options {
		o := base
		change(&o)
		return o
	}
	rsaKey, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s.RSAKey))
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]remote.Options{
		"password": with(func(o *remote.Options) { o.Password = func() (string, error) { return s.Password, nil } }),
		"key":      with(func(o *remote.Options) { o.Key = func() ([]byte, string, error) { return s.Key, "", nil } }),
		"key with passphrase": with(func(o *remote.Options) {
			o.Key = func() ([]byte, string, error) { return s.KeyWithPhrase, s.KeyPhrase, nil }
		}),
		"RSA host key, by line": with(func(o *remote.Options) {
			o.HostKeys, o.Key = []string{s.RSAKey}, func() ([]byte, string, error) { return s.Key, "", nil }
		}),
		"RSA host key, by fingerprint": with(func(o *remote.Options) {
			o.HostKeys, o.Key = []string{ssh.FingerprintSHA256(rsaKey)}, func() ([]byte, string, error) { return s.Key, "", nil }
		}),
	} {
		if err := list(o, s.Root); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, o := range map[string]remote.Options{
		"wrong password":   with(func(o *remote.Options) { o.Password = func() (string, error) { return "no", nil } }),
		"wrong passphrase": with(func(o *remote.Options) { o.Key = func() ([]byte, string, error) { return s.KeyWithPhrase, "no", nil } }),
		"no passphrase":    with(func(o *remote.Options) { o.Key = func() ([]byte, string, error) { return s.KeyWithPhrase, "", nil } }),
	} {
		if err := list(o, s.Root); !errors.Is(err, folder.ErrLogin) {
			t.Errorf("%s: got %v, want ErrLogin", name, err)
		}
	}
	withAgent(t, s.Key)
	if err := list(with(func(o *remote.Options) { o.Agent = true }), s.Root); err != nil {
		t.Errorf("agent: %v", err)
	}
	t.Setenv("SSH_AUTH_SOCK", "")
	if err := list(with(func(o *remote.Options) { o.Agent = true }), s.Root); !errors.Is(err, folder.ErrLogin) {
		t.Errorf("no agent: got %v, want ErrLogin", err)
	}
}
