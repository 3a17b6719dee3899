//go:build !windows

package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
)

// dialAgent reaches the agent of the user that runs the connector.
func dialAgent(ctx context.Context) (io.ReadWriteCloser, error) {
	path := os.Getenv("SSH_AUTH_SOCK")
	if path == "" {
		return nil, errors.New("SSH_AUTH_SOCK is not set: no agent is running for this user")
	}
	return new(net.Dialer).DialContext(ctx, "unix", path)
}
