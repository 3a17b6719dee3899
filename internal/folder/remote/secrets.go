package remote

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"sendconnector/internal/folder"
)

// secrets are what lies on this machine to log in with: key and password, not what an
// agent keeps.
type secrets struct {
	pem        []byte
	passphrase string
	password   string
}

func (s secrets) digest() (sum secretsOf) {
	h := sha256.New()
	fmt.Fprintf(h, "%q%q%q", s.pem, s.passphrase, s.password)
	h.Sum(sum[:0])
	return sum
}

// secrets reads them now, within ctx.
func (s *Server) secrets(ctx context.Context) (secrets, error) {
	found, err := s.files.secrets.read(ctx, s.readSecrets)
	if err != nil && !errors.Is(err, folder.ErrLogin) {
		err = s.noLogin("secrets", err)
	}
	return found, err
}

// readSecrets says of one that cannot be read which it is.
func (s *Server) readSecrets() (found secrets, err error) {
	if s.o.Key != nil {
		if found.pem, found.passphrase, err = s.o.Key(); err != nil {
			return found, s.noLogin("key", err)
		}
	}
	if s.o.Password != nil {
		if found.password, err = s.o.Password(); err != nil {
			return found, s.noLogin("password", err)
		}
	}
	return found, nil
}
