package connector

import "net"

// peers lets in only connections of this user or of root, where the system tells who
// is at the other end of a socket. The token is asked for all the same.
type peers struct{ net.Listener }

// Accept gives the next connection of a user that may ask.
func (p peers) Accept() (net.Conn, error) {
	for {
		conn, err := p.Listener.Accept()
		if err != nil || ours(conn) {
			return conn, err
		}
		_ = conn.Close() // a stranger; there is nothing to say to it
	}
}
