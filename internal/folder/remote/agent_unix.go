//go:build !windows

package remote

import (
	"errors"
	"io"
	"net"
	"os"
)

// dialAgent reaches the agent of the user that runs the connector.
func dialAgent() (io.ReadWriteCloser, error) {
	path := os.Getenv("SSH_AUTH_SOCK")
	if path == "" {
		return nil, errors.New("SSH_AUTH_SOCK is not set: no agent is running for this user")
	}
	return net.Dial("unix", path) //nolint:noctx // a socket of this machine answers at once
}
