//go:build !linux

package connector

import "net"

// ours is true: the rights of the socket and the token decide.
func ours(net.Conn) bool { return true }
