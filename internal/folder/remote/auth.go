package remote

import (
	"context"
	"errors"
	"io"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"sendconnector/internal/folder"
)

// credentials are the ways to log in for one connection.
type credentials struct {
	methods []ssh.AuthMethod
	tried   []string // for messages
	agent   io.Closer
}

func (c *credentials) close() {
	if c.agent != nil {
		c.agent.Close()
	}
}

// credentials makes them of secrets read now, and asks the agent for its keys until ctx
// ends. What cannot be used is a login that cannot succeed.
func (s *Server) credentials(ctx context.Context) (*credentials, error) {
	found, err := s.secrets(ctx)
	if err != nil {
		s.noteLogin(secretsOf{}) // whatever can be read later is worth a try
		return nil, err
	}
	s.noteLogin(found.digest())
	c := &credentials{}
	var signers []ssh.Signer
	if s.o.Key != nil {
		signer, err := parseKey(found.pem, found.passphrase)
		if err != nil {
			return nil, s.noLogin("key", err)
		}
		signers = append(signers, signer)
		c.tried = append(c.tried, "key")
	}
	if s.o.Agent {
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
		c.methods = append(c.methods, ssh.Password(found.password), ssh.KeyboardInteractive(answering(found.password)))
		c.tried = append(c.tried, "password")
	}
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
	return &folder.LoginError{Host: s.o.Address, User: s.o.User, Tried: []string{what}, Unasked: true, Cause: err}
}
