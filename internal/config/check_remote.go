package config

import (
	"maps"
	"net"
	"path"
	"strings"
	"time"

	"sendconnector/internal/folder/remote"
)

// remote checks an SFTP server. One without any host key is no mistake of the file: its
// flows are held, and check shows the key to paste.
func (k *checker) remote(name string, r *Remote) {
	at := "remotes." + name
	if r == nil {
		k.wrong(at, "the remote %s is empty", name)
		return
	}
	k.name(at, name)
	host, port, err := net.SplitHostPort(r.Address)
	if err != nil || host == "" || port == "" || strings.ContainsAny(r.Address, "/@ ") {
		k.wrong(at+".address", "address is required: host or host:port, without sftp:// and without user")
	}
	if r.User == "" {
		k.wrong(at+".user", "user is required: the name of the account on the server")
	}
	if r.Password == "" && r.KeyFile == "" && !r.Agent {
		k.wrong(at, "the remote %s needs a way to log in: password, key_file or agent", name)
	}
	k.secret(at+".password", r.Password)
	k.secret(at+".passphrase", r.Passphrase)
	if r.Passphrase != "" && r.KeyFile == "" {
		k.wrong(at+".passphrase", "passphrase goes with key_file")
	}
	for _, key := range r.HostKeys {
		if err := remote.CheckHostKey(key); err != nil {
			k.wrong(at+".host_keys", "%v", err)
		}
	}
	k.within(at+".sessions", r.Sessions, 1, 8)
	k.duration(at+".dial_timeout", r.DialTimeout, time.Second, 5*time.Minute)
	k.duration(at+".progress_timeout", r.ProgressTimeout, time.Second, time.Hour)
	k.duration(at+".keepalive", r.KeepAlive, time.Second, 10*time.Minute)
	k.duration(at+".idle", r.Idle, time.Second, 24*time.Hour)
}

// secret checks that a secret, if there is one, is named and not written.
func (k *checker) secret(at string, s Secret) {
	if s == "" {
		return
	}
	if _, _, err := s.reference(); err != nil {
		k.wrong(at, "%v", err)
	}
}

// onServer checks the path of a source or outbox against the remote it names.
func (k *checker) onServer(at, key, server, dir string) {
	switch {
	case server == "":
	case k.c.Remotes[server] == nil:
		k.wrong(at+".remote", "there is no remote %q%s", server, suggest(server, maps.Keys(k.c.Remotes)))
	case strings.Contains(dir, `\`) || path.Clean(dir) != strings.TrimSuffix(dir, "/") || strings.HasPrefix(path.Clean(dir), ".."):
		k.wrong(at+"."+key, "%q is not a path on a server: absolute, or relative to the folder of the login, with / and without . and ..", dir)
	}
}
