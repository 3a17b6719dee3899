package remote

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"sendconnector/internal/folder"
)

// credentials are the ways to log in for one connection, with secrets read now.
type credentials struct {
	methods []ssh.AuthMethod
	tried   []string // for messages
	digest  [sha256.Size]byte
	agent   io.Closer
}

func (c *credentials) close() {
	if c.agent != nil {
		c.agent.Close()
	}
}

// credentials reads the secrets. One that cannot be read is a login that cannot
// succeed, and says which. With asking the agent is asked for its keys, until ctx ends.
func (s *Server) credentials(ctx context.Context, asking bool) (*credentials, error) {
	c := &credentials{}
	h := sha256.New()
	var signers []ssh.Signer
	if s.o.Key != nil {
		pem, passphrase, err := s.o.Key()
		if err == nil {
			fmt.Fprintf(h, "%q%q", pem, passphrase)
			var signer ssh.Signer
			if signer, err = parseKey(pem, passphrase); err == nil {
				signers = append(signers, signer)
			}
		}
		if err != nil {
			return nil, s.noLogin("key", err)
		}
		c.tried = append(c.tried, "key")
	}
	if s.o.Agent && asking {
		conn, err := dialAgent(ctx)
		if err == nil {
			c.agent = conn
			// An agent that does not answer must not keep anybody: it signs during the
			// login, too.
			context.AfterFunc(ctx, func() { conn.Close() })
			var offered []ssh.Signer
			offered, err = agent.NewClient(conn).Signers()
			signers = append(signers, offered...)
		}
		// A key or a password may do without the agent.
		if err != nil && s.o.Key == nil && s.o.Password == nil {
			c.close()
			return nil, s.noLogin("agent", err)
		}
		c.tried = append(c.tried, "agent")
	}
	if len(signers) > 0 {
		c.methods = append(c.methods, ssh.PublicKeys(signers...))
	}
	if s.o.Password != nil {
		password, err := s.o.Password()
		if err != nil {
			c.close()
			return nil, s.noLogin("password", err)
		}
		fmt.Fprintf(h, "%q", password)
		c.methods = append(c.methods, ssh.Password(password), ssh.KeyboardInteractive(answering(password)))
		c.tried = append(c.tried, "password")
	}
	h.Sum(c.digest[:0])
	return c, nil
}

// answering is for servers that ask for the password in their own words.
func answering(password string) ssh.KeyboardInteractiveChallenge {
	return func(_, _ string, questions []string, _ []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i := range answers {
			answers[i] = password
		}
		return answers, nil
	}
}

func parseKey(pem []byte, passphrase string) (ssh.Signer, error) {
	if passphrase == "" {
		return ssh.ParsePrivateKey(pem)
	}
	signer, err := ssh.ParsePrivateKeyWithPassphrase(pem, []byte(passphrase))
	if err == nil {
		return signer, nil
	}
	// A passphrase that a key does not need is no reason to stand still.
	if plain, plainErr := ssh.ParsePrivateKey(pem); plainErr == nil {
		return plain, nil
	}
	return nil, err
}

func (s *Server) noLogin(what string, err error) error {
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		err = errors.New("the key has a passphrase, and none is configured")
	}
	return &folder.LoginError{Host: s.o.Address, User: s.o.User, Tried: []string{what}, Cause: err}
}
