package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest/sshtest"
	"sendconnector/internal/folder/remote"
	"sendconnector/internal/ledger"
)

// onServer moves the flow to a server of this process; drop goes on writing to its
// disk.
func (r *rig) onServer(o sshtest.Options) *sshtest.Server {
	r.t.Helper()
	s := sshtest.Start(r.t, o)
	r.root = s.Root
	r.onRemote(remote.Options{
		Name: "prova", Address: s.Addr, User: s.User, HostKeys: []string{s.HostKey},
		Password: func() (string, error) { return s.Password, nil },
	}, s.Root)
	return s
}

func (r *rig) onRemote(o remote.Options, root string) {
	r.t.Helper()
	o.Clock = func() time.Time { return r.now }
	server, err := remote.NewServer(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { server.Close() })
	r.flow.Folder = server.Folder(root)
	r.restart()
}

// Damage prevented: a drop on the real OpenSSH server is not read, or its files end
// elsewhere than those of a local one.
func TestDropOnOpenSSH(t *testing.T) {
	for _, chroot := range []bool{false, true} {
		s := sshtest.StartOpenSSH(t, chroot)
		r := newRig(t)
		r.root = s.Path
		r.onRemote(remote.Options{
			Name: "sshd", Address: s.Addr, User: s.User, HostKeys: []string{s.HostKey}, DialTimeout: time.Minute,
			Key: func() ([]byte, string, error) { return s.KeyWithPhrase, s.KeyPhrase, nil },
		}, s.Root)
		s.Put("in/a.csv", "p\nP1;sub/a.pdf\n")
		s.Put("in/sub/a.pdf", "atto")
		s.Put("in/b.csv", "BAD\n")
		r.settled()
		all := r.batches()
		if len(all) != 2 {
			t.Fatalf("%d batches", len(all))
		}
		good, bad := all[0], all[1]
		if good.State != ledger.Sealed {
			good, bad = bad, good
		}
		r.wantVerdicts(good.ID, "2 P1 LINKED")
		rejected := "rejected/" + bad.ID + "/b.csv"
		r.wantFiles(good.Archive+"/a.csv", good.Archive+"/sub/a.pdf", rejected, rejected+".motivo.txt")
	}
}

// Damage prevented: the connection ends at some packet of a drop's way, and a row is
// read twice or never, or a file lies in two places or in none. Every packet is a place
// to end, once before it and, as a reply, once after its effect; then the process is
// restarted, too. In a plain run every seventh; SEND_MATRIX=full is for all.
func TestDropOverADyingConnection(t *testing.T) {
	for name, o := range map[string]sshtest.Options{
		"pkg/sftp":           {},
		"without extensions": {Without: []string{"*"}, RefuseReplace: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := 7
			if os.Getenv("SEND_MATRIX") == "full" {
				step = 1
			}
			for n := 1; ; n += step {
				if !dieAt(t, o, n) {
					t.Logf("fewer than %d packets", n)
					if n < 100 {
						t.Error("the drop took too few packets for this test to mean anything")
					}
					return
				}
				if t.Failed() {
					t.Fatalf("died at packet %d", n)
				}
			}
		})
	}
}

// dieAt carries a drop from end to end with a connection that ends at the n-th packet;
// false if it was over before.
func dieAt(t *testing.T, o sshtest.Options, n int) bool {
	t.Helper()
	r := newRig(t)
	s := r.onServer(o)
	r.drop("in/a.csv", "p\nP1;a.pdf\nP2;\n")
	r.drop("in/a.pdf", "atto")
	count, died := 0, false
	s.On(func(p sshtest.Packet) sshtest.Act {
		count++
		died = died || count == n
		return sshtest.Act{Drop: count == n}
	})
	r.passes(4)
	s.On(nil)
	if died && n%3 == 0 {
		r.restart()
	}
	r.passes(3)
	r.wantDone("a.csv", "a.pdf")
	return died
}

// passes looks several times, a minute apart; only a server that is away may be the
// reason of an error.
func (r *rig) passes(n int) {
	r.t.Helper()
	for range n {
		r.now = r.now.Add(61 * time.Second)
		_, err := r.ingest.Pass(context.Background(), r.flow)
		if err != nil && !folder.Away(err) && !errors.Is(err, folder.ErrUnknown) {
			r.t.Errorf("pass: %v", err)
		}
	}
}

// wantDone wants one batch of two rows, with the files in its archive and nowhere
// else.
func (r *rig) wantDone(files ...string) {
	r.t.Helper()
	all := r.batches()
	var linked []string
	for _, b := range all {
		for _, v := range r.verdicts(b.ID) {
			if strings.HasSuffix(v, " LINKED") {
				linked = append(linked, v)
			}
		}
	}
	if !slices.Equal(linked, []string{"2 P1 LINKED", "3 P2 LINKED"}) {
		r.t.Errorf("rows %q in %d batches", linked, len(all))
	}
	if len(all) != 1 {
		r.t.Fatalf("%d batches", len(all))
	}
	var want []string
	for _, f := range files {
		want = append(want, all[0].Archive+"/"+f)
	}
	r.wantFiles(want...)
	if left, err := os.ReadDir(filepath.Join(r.root, "work")); err != nil || len(left) > 0 {
		r.t.Errorf("work/ holds %v, %v", left, err)
	}
}

// Damage prevented: a line that breaks again and again. The seed is printed; set
// SEND_SEED to repeat it.
func TestDropsOverABadLine(t *testing.T) {
	seed := uint64(20261122)
	if text := os.Getenv("SEND_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable
	for round := range 12 {
		r := newRig(t)
		s := r.onServer(sshtest.Options{})
		r.drop("in/a.csv", "p\nP1;a.pdf\nP2;\n")
		r.drop("in/a.pdf", strings.Repeat("atto", 50_000))
		s.On(func(p sshtest.Packet) sshtest.Act {
			return sshtest.Act{Drop: p.Kind > sshtest.Version && random.IntN(40) == 0}
		})
		r.passes(12)
		s.On(nil)
		r.passes(3)
		if r.wantDone("a.csv", "a.pdf"); t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}

// Damage prevented: the server stalls, the claim is given up, and then it carries out
// the rename after all: the export would lie in work/ for ever.
func TestRule25RenameThatComesLate(t *testing.T) {
	r := newRig(t)
	s := r.onServer(sshtest.Options{})
	r.drop("in/a.csv", "p\nP1;\nP2;\n")
	r.pass(0)
	// The connection ends in place of the rename and of every try of it again.
	s.On(func(p sshtest.Packet) sshtest.Act {
		return sshtest.Act{Drop: p.Kind == sshtest.Rename && strings.HasSuffix(p.Path, "in/a.csv")}
	})
	r.passes(1)
	ids, err := os.ReadDir(r.path("work"))
	if err != nil || len(ids) != 1 {
		t.Fatalf("the claim was given up: %v, %v", ids, err)
	}
	late := func() {
		if err := os.Rename(r.path("in/a.csv"), r.path("work/"+ids[0].Name()+"/a.csv")); err != nil {
			t.Error(err)
		}
	}
	// Now, when the next pass has looked and removes the claim, the server wakes up.
	s.Once(func(p sshtest.Packet) sshtest.Act {
		if p.Reply && p.Of == sshtest.Remove && strings.HasSuffix(p.Path, ManifestName) {
			late()
			return sshtest.Act{Hold: closed}
		}
		return sshtest.Pass
	})
	r.passes(3)
	s.On(nil)
	r.passes(2)
	r.wantDone("a.csv")
}

// closed holds nothing up.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Damage prevented: a process dies just after giving up a claim whose rename came late
// after all; its export in work/ without a manifest is nobody's.
func TestRule25ExportWithoutManifestGoesBack(t *testing.T) {
	r := newRig(t)
	r.onServer(sshtest.Options{})
	r.drop("in/x.txt", "")
	r.pass(0)
	id := "20261122T143005-00000000"
	r.drop("work/"+id+"/a.csv", "p\nP1;\nP2;\n")
	if err := os.MkdirAll(filepath.Join(r.data, spoolDir, id), 0o700); err != nil { // what tells that it is ours
		t.Fatal(err)
	}
	r.remove("in/x.txt")
	r.restart()
	r.wantFiles("in/a.csv")
	r.passes(3)
	r.wantDone("a.csv")
}

// Damage prevented (rule 25): a server that lets nothing be moved out of in/ is read
// again and again, or not at all.
func TestRule25ExclusiveOnAServer(t *testing.T) {
	r := newRig(t)
	r.flow.Exclusive = true
	s := r.onServer(sshtest.Options{})
	r.drop("in/a.csv", "p\nP1;a.pdf\nP2;\n")
	r.drop("in/a.pdf", "atto")
	s.On(func(p sshtest.Packet) sshtest.Act {
		if !p.Reply && strings.Contains(p.Path, "/in/") && (p.Kind == sshtest.Rename || p.Kind == sshtest.Remove || p.Kind == sshtest.Rmdir) {
			return sshtest.Act{Fail: 3}
		}
		return sshtest.Pass
	})
	for range 3 {
		r.passes(2)
		r.restart()
	}
	b := r.one()
	r.wantVerdicts(b.ID, "2 P1 LINKED", "3 P2 LINKED")
	r.wantFiles(b.Archive+"/a.csv", b.Archive+"/a.pdf", "in/a.csv", "in/a.pdf")
	s.On(nil)
	r.passes(2)
	r.wantDone("a.csv", "a.pdf")
}

// Damage prevented: a flow in which nothing happens keeps server and line busy.
func TestIdlePassOnAServerCostsFewRequests(t *testing.T) {
	r := newRig(t)
	s := r.onServer(sshtest.Options{})
	r.drop("in/aspetta.csv", "p\nP1;manca.pdf\n")
	r.settled()
	r.pass(5 * time.Second)
	s.Requests()
	const passes = 12
	for range passes {
		r.pass(5 * time.Second)
	}
	n, kinds := s.Requests()
	t.Logf("%.1f requests for each pass over an idle flow", float64(n)/passes)
	if n > passes*10 {
		t.Errorf("%d requests in %d passes: %v", n, passes, kinds)
	}
}
