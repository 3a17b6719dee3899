package remote_test

import (
	"context"
	"io"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sendconnector/internal/folder/foldertest/sshtest"
	"sendconnector/internal/folder/remote"
)

// Damage prevented: every reconnection leaves something running, until the service
// has no more memory or files.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options reach an in-process server.
func options(s *sshtest.Server) remote.Options {
	o := remote.Options{
		Name: "prova", Address: s.Addr, User: s.User, HostKeys: []string{s.HostKey},
		Password: func() (string, error) { return s.Password, nil },
	}
	return o
}

// connect gives a server that ends with the test.
func connect(t testing.TB, o remote.Options) *remote.Server {
	t.Helper()
	s, err := remote.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeServer(t, s) })
	return s
}

func closeServer(t testing.TB, s *remote.Server) {
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// inProcess is pkg/sftp's server over TCP, with its folder.
func inProcess(t testing.TB, o sshtest.Options) (*sshtest.Server, *remote.Folder) {
	t.Helper()
	s := sshtest.Start(t, o)
	return s, connect(t, options(s)).Folder(s.Root)
}

// piped is OpenSSH's sftp-server over pipes.
func piped(t testing.TB, o sshtest.Options) (*sshtest.Pipes, *remote.Folder) {
	t.Helper()
	p := sshtest.StartPipes(t, t.TempDir(), o)
	s := remote.NewPipeServer(remote.Options{Name: "pipe", Address: "pipe:0", User: "x"},
		func(context.Context) (io.ReadWriteCloser, error) { return p.Connect() })
	t.Cleanup(func() { closeServer(t, s) })
	return p, s.Folder(p.Root)
}

// sshdOptions reach OpenSSH with a password.
func sshdOptions(s *sshtest.OpenSSH) remote.Options {
	return remote.Options{
		Name: "sshd", Address: s.Addr, User: s.User, HostKeys: []string{s.HostKey},
		Password:    func() (string, error) { return s.Password, nil },
		DialTimeout: time.Minute, // a busy machine
	}
}
