package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// elsewhere is a folder without a path on this machine, as one on a server is, that may
// refuse moves.
type elsewhere struct {
	folder.Folder
	refuse error
}

func (elsewhere) Local() (string, bool) { return "", false }

func (r elsewhere) Rename(ctx context.Context, from, to string) error {
	if r.refuse != nil {
		return &folder.Error{Op: "rename", Name: from, Kind: r.refuse}
	}
	return r.Folder.Rename(ctx, from, to)
}

func (r elsewhere) Move(ctx context.Context, from, to string) error {
	if r.refuse != nil {
		return &folder.Error{Op: "move", Name: from, Kind: r.refuse}
	}
	return r.Folder.Move(ctx, from, to)
}

func TestFolderWithoutLocalPath(t *testing.T) {
	r := newRig(t)
	r.flow.Folder = elsewhere{Folder: r.flow.Folder}
	r.drop("in/a.csv", "p\nP1;a.pdf\n")
	r.drop("in/a.pdf", "atto")
	r.settled()
	b := r.one()
	r.wantVerdicts(b.ID, "2 P1 LINKED")
	r.wantFiles(b.Archive+"/a.csv", b.Archive+"/a.pdf")
	if got := r.spool(); len(got) != 2 {
		t.Errorf("spool %v", got)
	}
}

// anyName has a file under every name, also those that this system allows nobody.
type anyName struct{ elsewhere }

func (anyName) Open(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("p\nP1;\n")), nil
}

// Damage prevented: a name on a server decides how a temporary file here is called; with
// a long end it cannot be made, and the file waits for ever with a message about another.
func TestNamesOnAServerNameNothingHere(t *testing.T) {
	r := newRig(t)
	r.flow.Folder = anyName{elsewhere{Folder: r.flow.Folder}}
	for name, end := range map[string]string{
		"a.*": "", "a.c*v": "", "a.CSV": ".csv", "a." + strings.Repeat("x", 240): "", "a.b c": "", "csv": "",
	} {
		path, remove, err := r.ingest.local(context.Background(), r.flow, "in/"+name)
		if err != nil {
			t.Errorf("%.20s: %v", name, err)
			continue
		}
		if base := filepath.Base(path); filepath.Ext(strings.TrimPrefix(base, ".")) != end || strings.Contains(base, "*") || len(base) > 40 {
			t.Errorf("%.20s is looked at as %s", name, base)
		}
		remove()
	}
}

// Damage prevented: a drop from which nothing can be moved is read again and again,
// or fills log and disk.
func TestMoveNotPermitted(t *testing.T) {
	for kind, code := range map[error]string{
		folder.ErrPermission: "C-FILE-RIGHTS", folder.ErrVolume: "C-FILE-VOLUME", folder.ErrBusy: "C-FILE-BUSY",
	} {
		r := newRig(t)
		whole := r.flow.Folder
		r.flow.Folder = elsewhere{whole, kind}
		r.drop("in/a.csv", "p\nP1;\n")
		r.pass(0)
		r.now = r.now.Add(10 * time.Second)
		report, err := r.ingest.Pass(context.Background(), r.flow)
		if !errors.Is(err, kind) && !errors.Is(kind, folder.ErrBusy) {
			t.Errorf("error %v", err)
		}
		r.wantWaiting(report, "a.csv "+code)
		asked := r.content.asked
		r.wantWaiting(r.pass(time.Second), "a.csv "+code)
		if r.content.asked != asked || len(r.batches()) != 0 || len(r.spool()) != 0 {
			t.Errorf("%s: tried again at once: %v %v", code, r.batches(), r.spool())
		}
		r.wantFiles("in/a.csv")
		r.flow.Folder = whole
		r.pass(time.Minute)
		r.wantVerdicts(r.one().ID, "2 P1 LINKED")
	}
}

// Damage prevented: an exclusive drop whose files cannot be taken away is read twice.
func TestRule25ExclusiveDropThatKeepsItsFiles(t *testing.T) {
	for _, kind := range []error{folder.ErrPermission, folder.ErrBusy} {
		r := newRig(t)
		r.flow.Exclusive = true
		whole := r.flow.Folder
		r.flow.Folder = elsewhere{whole, kind}
		r.drop("in/a.csv", "p\nP1;a.pdf\n")
		r.drop("in/a.pdf", "atto")
		r.settled()
		for range 3 {
			r.pass(time.Hour)
			r.restart()
		}
		b := r.one()
		if b.State != ledger.Sealed || b.Archive == "" {
			t.Errorf("batch %+v", b)
		}
		if report := r.pass(time.Second); len(report.Waiting) != 2 {
			t.Errorf("waiting %+v", report.Waiting)
		}
		r.wantFiles(b.Archive+"/a.csv", b.Archive+"/a.pdf", "in/a.csv", "in/a.pdf")
		// The same name with other bytes is another drop.
		r.drop("in/a.csv", "p\nP2;\n")
		r.settled()
		r.flow.Folder = whole
		r.pass(time.Hour)
		all := r.batches()
		if len(all) != 2 {
			t.Fatalf("%d batches", len(all))
		}
		r.wantVerdicts(all[1].ID, "2 P2 LINKED")
		r.wantFiles(b.Archive+"/a.csv", b.Archive+"/a.pdf", all[1].Archive+"/a.csv")
	}
}

// Damage prevented: a claim of an exclusive drop that cannot go on is claimed again
// by every pass, because its file lies there still.
func TestRule25ExclusiveClaimThatRestsIsNotClaimedAgain(t *testing.T) {
	r := newRig(t)
	r.flow.Exclusive = true
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	r.content.reading = errors.New("disk trouble")
	for range 5 {
		r.now = r.now.Add(25 * time.Second)
		if _, err := r.ingest.Pass(context.Background(), r.flow); err != nil && !errors.Is(err, r.content.reading) {
			t.Fatal(err)
		}
	}
	r.content.reading = nil
	r.pass(time.Minute)
	b := r.one()
	r.wantVerdicts(b.ID, "2 P1 LINKED")
	r.wantFiles(b.Archive + "/a.csv")
}

// Damage prevented: thousands of waiting files keep the machine busy or wear the
// disk. Nothing is written once the reasons are known.
func TestWaitingFilesCostNoWrites(t *testing.T) {
	r := newRig(t)
	for n := range 200 {
		r.drop(fmt.Sprintf("in/a%03d.csv", n), "p\nP1;manca.pdf\n")
		r.drop(fmt.Sprintf("in/doc%03d.pdf", n), "x")
		r.drop(fmt.Sprintf("in/altro%03d.txt", n), "x")
	}
	r.settled()
	r.pass(time.Second)
	before, asked := r.ledger.Commits(), r.content.asked
	files := len(r.files())
	for range 20 {
		r.pass(5 * time.Second)
	}
	if got := r.ledger.Commits() - before; got != 0 {
		t.Errorf("%d commits for files that wait", got)
	}
	if r.content.asked != asked || len(r.files()) != files {
		t.Errorf("examined %d times again", r.content.asked-asked)
	}
}

// BenchmarkWaiting measures one pass over 10,000 files that wait: with a pass every
// 5 s, 50 ms would be 1 % of a processor.
func BenchmarkWaiting(b *testing.B) {
	r := newRig(b)
	for n := range 5000 {
		r.drop(fmt.Sprintf("in/a%04d.csv", n), "p\nP1;manca.pdf\n")
		r.drop(fmt.Sprintf("in/sub/doc%04d.pdf", n), "x")
	}
	r.settled()
	r.pass(time.Second)
	commits := r.ledger.Commits()
	b.ResetTimer()
	for b.Loop() {
		if _, err := r.ingest.Pass(context.Background(), r.flow); err != nil {
			b.Fatal(err)
		}
	}
	if r.ledger.Commits() != commits {
		b.Error("a pass over waiting files wrote to the ledger")
	}
}

// Damage prevented: a service that misses events, or a folder below in/, waits for
// the clock; one that stops hangs.
func TestWatchWakes(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(context.Background())
	woken := make(chan struct{}, 100)
	var count atomic.Int32
	ended := make(chan error)
	go func() {
		ended <- r.ingest.Watch(ctx, []*Flow{r.flow, {Name: "remote", Folder: elsewhere{Folder: r.flow.Folder}}}, func() {
			count.Add(1)
			woken <- struct{}{}
		})
	}()
	<-woken // the watch is set
	for _, dir := range []string{"", "sub", filepath.Join("sub", "deep")} {
		if err := os.MkdirAll(filepath.Join(r.root, "in", dir), 0o700); err != nil {
			t.Fatal(err)
		}
		if dir != "" {
			<-woken // the folder itself; from now on it is watched
		}
		r.drop(filepath.ToSlash(filepath.Join("in", dir, "a.csv")), "p\n")
		<-woken
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := count.Load(); n > 20 {
		t.Errorf("woken %d times for a handful of events", n)
	}
}

// Damage prevented: an exclusive drop that cannot be cleared is read once more when the
// ledger has not got its archived batch any more, and what a person had discarded of it
// is sent.
func TestRule25ArchivedClaimThatTheLedgerHasNot(t *testing.T) {
	r := newRig(t)
	r.flow.Exclusive = true
	whole := r.flow.Folder
	r.flow.Folder = elsewhere{whole, folder.ErrPermission}
	r.drop("in/a.csv", "p\nP1;\n")
	r.settled()
	b := r.one()
	if err := r.ledger.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	r.ledger, err = ledger.Open(filepath.Join(r.data, "other.db"), ledger.Options{Clock: func() time.Time { return r.now }, NoSync: true, GroupDelay: -1})
	if err != nil {
		t.Fatal(err)
	}
	r.content.ledger = r.ledger
	for range 3 {
		r.restart()
		if report := r.pass(time.Hour); len(report.Taken) > 0 || len(report.Waiting) != 1 {
			t.Errorf("read again: %+v", report)
		}
	}
	if all := r.batches(); len(all) > 0 {
		t.Errorf("%d batches", len(all))
	}
	r.flow.Folder = whole // somebody gives us the right
	r.pass(time.Hour)
	r.wantFiles(b.Archive + "/a.csv")
}
