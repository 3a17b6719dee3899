package remote

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"
)

// Options are how a server is reached. Name, Address, User and one way to log in are
// required. Without a source of host keys no server is trusted: its key can be looked at,
// see [Server.HostKey], and everything else is an ErrHostKey.
type Options struct {
	Name    string // in the configuration; for messages
	Address string // host:port
	User    string

	// Password gives the password, "" for none. Nil: no password. Like Key it is
	// called at every connection, so that a secret replaced on disk is read again.
	Password func() (string, error)
	// Key gives a private key (PEM or OpenSSH's form) and its passphrase, "" for none.
	// Nil: no key.
	Key func() (pem []byte, passphrase string, err error)
	// Agent asks the agent at SSH_AUTH_SOCK, on Windows OpenSSH's.
	Agent bool

	// HostKeys are the keys that are trusted: fingerprints "SHA256:…" or lines
	// "ssh-ed25519 AAAA…".
	HostKeys []string
	// KnownHosts is the path of a known_hosts file, read at every connection. Keys of
	// either source are trusted; a key that the file revokes never is.
	KnownHosts string

	// Sessions is how many connections to the server may be open at once. Default 1;
	// requests share a connection, so that 1 is enough for any number of flows.
	Sessions int
	// DialTimeout is for everything from the first packet to the end of the login.
	// Default 20 s.
	DialTimeout time.Duration
	// ProgressTimeout is how long the server may send nothing while it owes an
	// answer. Default 60 s.
	ProgressTimeout time.Duration
	// KeepAlive is the pause between two signs of life on an open connection. Default
	// 15 s; negative: none.
	KeepAlive time.Duration
	// Idle is how long an unused connection stays open. Default 2 min.
	Idle time.Duration
	// IgnoreTimes is for servers that give a file another time at every look: files
	// then settle by size alone, and every time is 1 January 1970.
	IgnoreTimes bool

	Clock func() time.Time // for the pauses after failures. Default time.Now
	Log   *slog.Logger     // Default: none
	// Dial connects. Default: TCP. A seam for tests.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

func (o Options) withDefaults() Options {
	o.Sessions = max(o.Sessions, 1)
	setDefault(&o.DialTimeout, 20*time.Second)
	setDefault(&o.ProgressTimeout, time.Minute)
	if o.KeepAlive == 0 {
		o.KeepAlive = 15 * time.Second
	}
	setDefault(&o.Idle, 2*time.Minute)
	if o.Clock == nil {
		o.Clock = time.Now //nolint:forbidigo // the default of a field that tests set
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Dial == nil {
		o.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}
	}
	return o
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}

// check finds what cannot work, all at once.
func (o Options) check() error {
	var faults []error
	if _, _, err := net.SplitHostPort(o.Address); err != nil {
		faults = append(faults, err)
	}
	if o.User == "" {
		faults = append(faults, errors.New("user is missing"))
	}
	if o.Password == nil && o.Key == nil && !o.Agent {
		faults = append(faults, errors.New("neither password nor key nor agent"))
	}
	return errors.Join(faults...)
}
