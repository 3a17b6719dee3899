package connector

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// ours tells whether a connection comes from this user or root; true for one that is
// no Unix socket.
func ours(conn net.Conn) bool {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return true
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	allowed := false
	err = raw.Control(func(fd uintptr) {
		peer, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		allowed = err == nil && (peer.Uid == 0 || int(peer.Uid) == os.Geteuid())
	})
	return err == nil && allowed
}
