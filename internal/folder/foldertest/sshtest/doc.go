// Package sshtest starts SFTP servers for tests, on the loopback interface or over
// pipes: [Start] one of this process (pkg/sftp's), whose connections can be made to
// fail at any packet, and [StartOpenSSH] the real one. It keeps nothing after the test.
package sshtest
