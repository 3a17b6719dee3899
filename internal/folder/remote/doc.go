// Package remote is a folder on an SFTP server, behind the contract of package
// folder. Start with [NewServer] and [Server.Folder]; nothing is connected before the
// first use, and what fails is tried anew by the next use, with a growing pause.
//
// The server's host key is verified always: it is pinned, or stands in a known_hosts
// file; there is no trust on first use. Every request has a time-out; one that gets no
// answer ends its connection, and reading goes on over a new one.
//
// A connection can end between a request and its answer. Reading is then repeated.
// Of a rename, the one effect that decides who owns a file, it is found out on a new
// connection what came of it; where that is not possible either the error is
// folder.ErrUnknown, never one that says "did not happen".
//
// What holds on which server is in docs/decisions/0020 to 0022. Not promised: against
// somebody who changes folders into links on the server at the very moment of use
// only the server itself can guard (a chroot); and a server that stalls so long that
// we give up, and carries out the old request after all, may do so after newer ones.
package remote
