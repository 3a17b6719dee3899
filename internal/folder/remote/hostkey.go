package remote

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"sendconnector/internal/folder"
)

// pins are the host keys of the configuration.
type pins struct {
	keys         []ssh.PublicKey
	fingerprints []string // pinned without the key itself, so of a type not known
}

// parsePins reads what the configuration says of host keys.
func parsePins(lines []string) (pins, error) {
	var p pins
	var faults []error
	for _, line := range lines {
		key, fingerprint, err := parsePin(line)
		switch {
		case err != nil:
			faults = append(faults, err)
		case key != nil:
			p.keys = append(p.keys, key)
		default:
			p.fingerprints = append(p.fingerprints, fingerprint)
		}
	}
	return p, errors.Join(faults...)
}

// CheckHostKey tells whether line can stand among Options.HostKeys. It is the one rule
// for it: whoever reads a configuration asks here.
func CheckHostKey(line string) error {
	_, _, err := parsePin(line)
	return err
}

// parsePin reads a fingerprint, or a key as a line. The line may have host names in
// front, as ssh-keyscan and known_hosts write it, and a comment at its end; those are
// not looked at. Lines that known_hosts marks (revoked, an authority) or that are
// commented out there vouch for nothing.
func parsePin(line string) (key ssh.PublicKey, fingerprint string, err error) {
	line = strings.TrimSpace(line)
	if hash, ok := strings.CutPrefix(line, "SHA256:"); ok {
		hash = strings.TrimSuffix(hash, "=") // as some programs print it
		if sum, err := base64.RawStdEncoding.Strict().DecodeString(hash); err != nil || len(sum) != sha256.Size {
			return nil, "", fmt.Errorf("host key %q: a fingerprint is SHA256: and 43 characters", line)
		}
		return nil, "SHA256:" + hash, nil
	}
	fields := strings.Fields(line)
	for at := range min(2, len(fields)-1) {
		blob, err := base64.StdEncoding.DecodeString(fields[at+1])
		if err != nil || strings.HasPrefix(fields[0], "@") || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if key, err := ssh.ParsePublicKey(blob); err == nil && key.Type() == fields[at] {
			return key, "", nil
		}
	}
	return nil, "", fmt.Errorf("host key %q: neither SHA256:… nor a line such as ssh-ed25519 AAAA…", line)
}

// trust decides about one server's host key for one connection.
type trust struct {
	address  string
	pins     pins
	known    ssh.HostKeyCallback // nil: no file
	expected []ssh.PublicKey     // keys of pins and file
	seen     ssh.PublicKey
}

// newTrust reads what is trusted now, within ctx.
func (s *Server) newTrust(ctx context.Context) (*trust, error) {
	t := &trust{address: s.o.Address, pins: s.pins, expected: slices.Clone(s.pins.keys)}
	if s.o.KnownHosts == "" {
		return t, nil
	}
	known, err := s.files.known.read(ctx, func() (ssh.HostKeyCallback, error) { return knownhosts.New(s.o.KnownHosts) })
	if err != nil {
		return nil, fmt.Errorf("known_hosts: %w", err)
	}
	t.known = known
	// The file tells which keys it has for a host only when it is shown another one.
	var wrong *knownhosts.KeyError
	if err := known(s.o.Address, nowhere{}, stranger{}); errors.As(err, &wrong) {
		for _, k := range wrong.Want {
			t.expected = append(t.expected, k.Key)
		}
	}
	return t, nil
}

// check is the ssh.HostKeyCallback. It never says yes to a key that it was not told.
func (t *trust) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	t.seen = key
	refused := &folder.HostKeyError{
		Host: t.address, Seen: ssh.FingerprintSHA256(key), SeenLine: keyLine(key), Expected: slices.Clone(t.pins.fingerprints),
	}
	for _, k := range t.expected {
		refused.Expected = append(refused.Expected, ssh.FingerprintSHA256(k))
	}
	if t.known != nil {
		err := t.known(t.address, remote, key)
		var revoked *knownhosts.RevokedError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &revoked):
			refused.Revoked = true
			return refused
		}
	}
	if slices.Contains(t.pins.fingerprints, refused.Seen) || slices.ContainsFunc(t.pins.keys, func(k ssh.PublicKey) bool { return same(k, key) }) {
		return nil
	}
	return refused
}

func same(a, b ssh.PublicKey) bool {
	return a.Type() == b.Type() && string(a.Marshal()) == string(b.Marshal())
}

func keyLine(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// families are the types of host keys, the best first, with the algorithms under
// which a server offers them.
var families = []struct {
	key        string
	algorithms []string
}{
	{ssh.KeyAlgoED25519, []string{ssh.KeyAlgoED25519}},
	{ssh.KeyAlgoECDSA256, []string{ssh.KeyAlgoECDSA256}},
	{ssh.KeyAlgoECDSA384, []string{ssh.KeyAlgoECDSA384}},
	{ssh.KeyAlgoECDSA521, []string{ssh.KeyAlgoECDSA521}},
	{ssh.KeyAlgoRSA, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}},
}

// offers are the lists of algorithms to try one after the other. Only types of which
// a key is known are offered, or the server might show another one, which looks like
// a change. A pinned fingerprint does not tell its type: then all are offered at
// first, and each alone after a mismatch.
func (t *trust) offers() [][]string {
	var known, all []string
	for _, f := range families {
		all = append(all, f.algorithms...)
		if slices.ContainsFunc(t.expected, func(k ssh.PublicKey) bool { return k.Type() == f.key }) {
			known = append(known, f.algorithms...)
		}
	}
	switch {
	case len(t.pins.fingerprints) > 0:
		list := [][]string{all}
		for _, f := range families {
			list = append(list, f.algorithms)
		}
		return list
	case len(known) > 0:
		return [][]string{known}
	}
	return [][]string{all} // nothing is known: so that the message can name a key
}

// HostKey connects and gives the host key that the server shows, as a line and as a
// fingerprint, without trusting it and without logging in. For check, which prints it
// for a person to compare.
func (s *Server) HostKey(ctx context.Context) (line, fingerprint string, err error) {
	if !s.begin() {
		return "", "", s.refuseClosed()
	}
	defer s.work.Done()
	ctx, cancel := s.untilClosed(ctx)
	defer cancel()
	ctx, end := context.WithTimeout(ctx, s.o.DialTimeout)
	defer end()
	t, err := s.newTrust(ctx)
	if err != nil {
		t = &trust{address: s.o.Address} // a file that cannot be read is no reason not to look
	}
	var seen ssh.PublicKey
	_, err = s.handshake(ctx, &ssh.ClientConfig{
		User: s.o.User, HostKeyAlgorithms: t.offers()[0], ClientVersion: clientVersion,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			seen = key
			return errSeen
		},
	})
	if seen == nil {
		return "", "", &folder.Error{Op: "connect", Name: s.o.Address, Kind: folder.ErrUnavailable, Cause: err}
	}
	return keyLine(seen), ssh.FingerprintSHA256(seen), nil
}

// errSeen ends a connection that was made for its host key only.
var errSeen = errors.New("host key seen")

// stranger is a key that no file knows, from nowhere: see newTrust.
type stranger struct{}

func (stranger) Type() string                        { return "none" }
func (stranger) Marshal() []byte                     { return nil }
func (stranger) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

type nowhere struct{}

func (nowhere) Network() string { return "tcp" }
func (nowhere) String() string  { return "0.0.0.0:0" }
