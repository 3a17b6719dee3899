package outbox

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest/sshtest"
	"sendconnector/internal/folder/remote"
)

// Damage prevented: over a line that breaks again and again an outcome file stays old
// or half, a number of aggiornamenti gets other bytes, or something temporary stays.
// The seed is fixed, so a failure can be repeated.
func TestOutboxOverABadLine(t *testing.T) {
	const seed = 20261122
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable
	for round := range 6 {
		h := newHouse(t)
		s := sshtest.Start(t, sshtest.Options{})
		h.out = s.Root
		server, err := remote.NewServer(remote.Options{
			Name: "prova", Address: s.Addr, User: s.User, HostKeys: []string{s.HostKey}, Clock: h.clock,
			Password: func() (string, error) { return s.Password, nil },
		})
		h.must(err)
		t.Cleanup(func() { server.Close() })
		o := h.outbox(func(o *Options) { o.Folder = server.Folder(s.Root) })
		b := h.drop("elenco.csv", 3, 1)
		s.On(func(p sshtest.Packet) sshtest.Act {
			return sshtest.Act{Drop: p.Kind > sshtest.Version && random.IntN(40) == 0}
		})
		h.passes(o, 8)
		numbers := h.numbered()
		h.accept(h.ids(b.ID)...)
		h.passes(o, 8)
		s.On(nil)
		h.passes(o, 3)
		files := h.files()
		for name, content := range numbers {
			if files[name] != content {
				t.Errorf("round %d: %s has other bytes than before", round, name)
			}
		}
		outcome := ""
		for name, content := range files {
			if strings.HasSuffix(name, ".esito.csv") {
				outcome = content
			}
			if strings.Contains(name, ".connector-") || strings.Contains(name, ".nuovo") {
				t.Errorf("round %d: %s is left", round, name)
			}
		}
		if strings.Count(outcome, "ACCETTATA") != 3 || strings.Count(outcome, "SCARTATA") != 1 {
			t.Errorf("round %d: outcome\n%s", round, outcome)
		}
	}
}

// passes looks several times, minutes apart; only a server that is away may be the
// reason of an error.
func (h *house) passes(o *Outbox, n int) {
	h.t.Helper()
	for range n {
		h.now = h.now.Add(6 * time.Minute)
		if _, err := o.Pass(h.ctx, h.state()); err != nil && !folder.Away(err) && !errors.Is(err, folder.ErrUnknown) {
			h.t.Errorf("pass: %v", err)
		}
	}
}

// numbered are the files of aggiornamenti that can be seen.
func (h *house) numbered() map[string]string {
	found := map[string]string{}
	for name, content := range h.files() {
		if strings.HasPrefix(name, "aggiornamenti/0") {
			found[name] = content
		}
	}
	return found
}
