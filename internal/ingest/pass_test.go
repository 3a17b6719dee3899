package ingest

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

const export = "protocollo;documento\nP1;a.pdf\nP2;sub/b.pdf\n"

// one gives the id of the only batch.
func (r *rig) one() *ledger.Batch {
	r.t.Helper()
	all := r.batches()
	if len(all) != 1 {
		r.t.Fatalf("%d batches, want 1", len(all))
	}
	return all[0]
}

// Damage prevented: a file taken while it is being written; one left without a
// reason; a file of a drop lost on its way to the archive.
func TestRule25FromDropToArchive(t *testing.T) {
	r := newRig(t)
	r.drop("in/elenco.csv", export)
	r.drop("in/a.pdf", "atto a")
	r.drop("in/sub/b.pdf", "atto b")
	report := r.pass(0)
	r.wantWaiting(report, "elenco.csv C-FILE-SETTLING")
	if report.Settling != 1 || !report.Next.Equal(r.now.Add(r.flow.Settle)) {
		t.Errorf("settling %d, next %v", report.Settling, report.Next)
	}
	r.wantWaiting(r.pass(9*time.Second), "elenco.csv C-FILE-SETTLING")
	report = r.pass(time.Second)
	r.wantWaiting(report)
	b := r.one()
	if want := "20261122T143015-"; !strings.HasPrefix(b.ID, want) || b.ID[len(want):] != b.Hash[:8] {
		t.Errorf("batch id %s, hash %s", b.ID, b.Hash)
	}
	dir := "archive/2026/11/" + b.ID
	r.wantFiles(dir+"/a.pdf", dir+"/elenco.csv", dir+"/sub/b.pdf")
	if len(report.Taken) != 1 || report.Taken[0].Rows != 2 || report.Taken[0].New != 2 || report.Taken[0].State != ledger.Sealed {
		t.Errorf("taken %+v", report.Taken)
	}
	if b.State != ledger.Sealed || b.Archive != dir || b.Kind != "csv" || len(b.Heading) != 2 || len(b.Spool) != 3 {
		t.Errorf("batch %+v", b)
	}
	r.wantVerdicts(b.ID, "2 P1 LINKED", "3 P2 LINKED")
	for _, s := range b.Spool {
		text, err := os.ReadFile(filepath.Join(r.data, filepath.FromSlash(s.Path)))
		if err != nil || int64(len(text)) != s.Size {
			t.Errorf("private copy %+v: %v", s, err)
		}
	}
	if entries, err := os.ReadDir(r.path("work")); err != nil || len(entries) != 0 {
		t.Errorf("work holds %v, %v", entries, err)
	}
}

// Damage prevented: strangers on the machine read private copies.
func TestRule24PrivateCopiesAreForTheirOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // rights there are those of the data folder, which the service installer sets
	}
	r := newRig(t)
	r.drop("in/elenco.csv", export)
	r.drop("in/a.pdf", "atto a")
	r.drop("in/sub/b.pdf", "atto b")
	r.settled()
	err := filepath.Walk(filepath.Join(r.data, spoolDir), func(name string, info os.FileInfo, err error) error {
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has rights %o, want %o", name, got, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Damage prevented: half a file is sent because its copy kept an old time, paused,
// or was still open; table of what is not settled.
func TestSettledFromOurOwnFirstSight(t *testing.T) {
	tests := []struct {
		name  string
		setup func(*rig)
		wait  []string
	}{
		{"an old time proves nothing", func(r *rig) {
			r.drop("in/a.csv", "p\n")
			old := r.now.Add(-48 * time.Hour)
			_ = os.Chtimes(r.path("in/a.csv"), old, old)
		}, []string{"a.csv C-FILE-SETTLING"}},
		{"grown", func(r *rig) {
			r.drop("in/a.csv", "p\n")
			r.pass(0)
			r.now = r.now.Add(9 * time.Second)
			r.drop("in/a.csv", "p\nq;\n")
			r.pass(0)
			r.now = r.now.Add(5 * time.Second)
		}, []string{"a.csv C-FILE-SETTLING"}},
		{"same size, new time", func(r *rig) {
			r.drop("in/a.csv", "p\n")
			r.pass(0)
			r.now = r.now.Add(30 * time.Second)
			r.drop("in/a.csv", "q\n")
		}, []string{"a.csv C-FILE-SETTLING"}},
		{"empty", func(r *rig) {
			r.drop("in/a.csv", "")
			r.settled()
		}, []string{"a.csv C-FILE-EMPTY"}},
		{"open in Excel", func(r *rig) {
			r.drop("in/a.xlsx", "p\n")
			r.drop("in/~$a.xlsx", "user")
			r.settled()
		}, []string{"a.xlsx C-FILE-OPEN"}},
		{"open in LibreOffice", func(r *rig) {
			r.drop("in/a.csv", "p\n")
			r.drop("in/.~lock.a.csv#", "user")
			r.settled()
		}, []string{"a.csv C-FILE-OPEN"}},
		{"temporary names", func(r *rig) {
			for _, n := range []string{"a.csv.tmp", "a.csv.part", ".a.csv", "a.filepart", "a.CRDOWNLOAD", ".sftpgo-upload.1.csv"} {
				r.drop("in/"+n, "p\n")
			}
			r.settled()
		}, nil},
		{"nobody's", func(r *rig) { r.drop("in/lettera.docx", "x") }, []string{"lettera.docx C-FILE-UNKNOWN"}},
		{"a name nobody can use", func(r *rig) {
			r.drop("in/"+strings.Repeat("x", 200)+".csv", "p\n")
			r.settled()
		}, []string{strings.Repeat("x", 200) + ".csv C-FILE-NAME"}},
		{"a name with a line break", func(r *rig) {
			if runtime.GOOS == "windows" {
				r.drop("in/"+strings.Repeat("à", 100)+".csv", "p\n") // that system has no such names
			} else {
				r.drop("in/a\nb.csv", "p\n")
			}
			r.settled()
		}, []string{map[bool]string{true: strings.Repeat("à", 100) + ".csv", false: "a\nb.csv"}[runtime.GOOS == "windows"] + " C-FILE-NAME"}},
		{"clock set back", func(r *rig) {
			r.drop("in/a.csv", "p\n")
			r.pass(0)
			r.now = r.now.Add(-24 * time.Hour)
			r.pass(0)
			r.pass(9 * time.Second)
		}, []string{"a.csv C-FILE-SETTLING"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			test.setup(r)
			r.wantWaiting(r.pass(0), test.wait...)
			if n := len(r.batches()); n != 0 {
				t.Errorf("%d batches were made", n)
			}
		})
	}
}

// Damage prevented: a `once` from cron starts to count anew every time and never
// takes anything; or deadlines never pass.
func TestSightingsSurviveARestart(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	r.restart()
	r.pass(10 * time.Second)
	r.wantFiles("archive/2026/11/" + r.one().ID + "/a.csv")
	if s := r.sightings(); len(s) != 0 {
		t.Errorf("sightings of files that are gone: %v", s)
	}
}

// Damage prevented: a file is taken before its writer has said that it is complete,
// or a leftover done-file vouches for the next export of the name.
func TestDoneFile(t *testing.T) {
	r := newRig(t)
	r.flow.DoneSuffix = ".ok"
	r.drop("in/a.csv", "p\nP1;x.pdf\n")
	r.drop("in/solo.csv.ok", "")
	r.settled()
	r.wantWaiting(r.pass(time.Hour), "a.csv C-FILE-DONE-MISSING", "solo.csv.ok C-DONE-ALONE")
	r.remove("in/solo.csv.ok")
	r.drop("in/x.pdf", "atto")
	r.drop("in/a.csv.ok", "")
	r.wantWaiting(r.pass(0))
	b := r.one()
	dir := "archive/2026/11/" + b.ID
	r.wantFiles(dir+"/a.csv", dir+"/a.csv.ok", dir+"/x.pdf")
	r.wantVerdicts(b.ID, "2 P1 LINKED")
}

// With a done-file the deadline has passed at once (rule 27).
func TestRule27DoneFileAwaitsNothing(t *testing.T) {
	r := newRig(t)
	r.flow.DoneSuffix = ".ok"
	r.drop("in/a.csv", "p\nP1;x.pdf\nP2;\n")
	r.drop("in/A.CSV.ok", "")
	r.pass(0)
	r.wantVerdicts(r.one().ID, "2 P1 REJECTED C-DOCUMENT-MISSING", "3 P2 LINKED")
}

// Rule 7: every drop is decided row by row; only a file all of whose rows are known
// is reported whole.
func TestRule07WholeFileKnown(t *testing.T) {
	r := newRig(t)
	for range 2 {
		r.drop("in/elenco.csv", "p\nP1;a.pdf\n")
		r.drop("in/a.pdf", "atto a")
		r.settled()
		r.now = r.now.Add(time.Minute)
	}
	all := r.batches()
	if len(all) != 2 || all[0].Known || !all[1].Known || all[0].Hash != all[1].Hash {
		t.Fatalf("batches %+v", all)
	}
	r.wantVerdicts(all[1].ID, "2 P1 DUPLICATE")
	// The second drop's document needs no private copy and does not stay behind.
	r.wantFiles("archive/2026/11/"+all[0].ID+"/a.pdf", "archive/2026/11/"+all[0].ID+"/elenco.csv",
		"archive/2026/11/"+all[1].ID+"/a.pdf", "archive/2026/11/"+all[1].ID+"/elenco.csv")
}

// Damage prevented: two claims in one second share a folder and overwrite.
func TestRule25BatchIDsCollide(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.drop("in/b.csv", "p\nP1;\n")
	r.drop("in/c.csv", "p\nP1;\n")
	r.settled()
	var ids []string
	for _, b := range r.batches() {
		ids = append(ids, strings.TrimPrefix(b.ID, r.batches()[0].ID))
	}
	if !slices.Equal(ids, []string{"", "-2", "-3"}) {
		t.Errorf("ids end %q", ids)
	}
}

// Damage prevented: an export that changes between looking and claiming is read as
// it was, or half.
func TestRule25ChangedWhileExamined(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	r.content.during = func() { r.drop("in/a.csv", "p\nP1;\nP2;\n") }
	r.wantWaiting(r.pass(10*time.Second), "a.csv C-FILE-SETTLING")
	r.content.during = nil
	r.wantWaiting(r.pass(time.Second), "a.csv C-FILE-SETTLING")
	r.pass(10 * time.Second)
	r.wantVerdicts(r.one().ID, "2 P1 LINKED", "3 P2 LINKED")

	// Vanished meanwhile: taken by somebody else, and no error.
	r.drop("in/b.csv", "p\nP3;\n")
	r.pass(0)
	r.content.during = func() { _ = os.Remove(r.path("in/b.csv")) }
	r.pass(10 * time.Second)
	if n := len(r.batches()); n != 1 {
		t.Errorf("%d batches", n)
	}
}

// Damage prevented: somebody who had the export open goes on writing after the
// claim; the batch would differ from the file that is archived.
func TestRule25ChangedUnderTheClaimIsPutBack(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	r.step = func(name string) error {
		if name == StepClaim+After {
			found, _ := filepath.Glob(r.path("work/*/a.csv"))
			for _, f := range found {
				if err := os.WriteFile(f, []byte("p\nP1;\nP2;\n"), 0o600); err != nil {
					return err
				}
			}
		}
		return nil
	}
	r.pass(10 * time.Second)
	r.step = nil
	r.wantFiles("in/a.csv")
	if len(r.batches()) != 0 || len(r.spool()) != 0 {
		t.Errorf("left: %v %v", r.batches(), r.spool())
	}
	r.settled()
	r.wantVerdicts(r.one().ID, "2 P1 LINKED", "3 P2 LINKED")
}

// Rule 10: what a batch is read with is the profile of its claim.
func TestRule10ReadAgainWithTheProfileOfTheClaim(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	r.content.reading = errors.New("disk trouble")
	r.now = r.now.Add(10 * time.Second)
	report, err := r.ingest.Pass(context.Background(), r.flow)
	if !errors.Is(err, r.content.reading) {
		t.Errorf("error %v", err)
	}
	if len(report.Waiting) != 1 || report.Waiting[0].Batch == "" || r.one().State != ledger.Reading {
		t.Errorf("waiting %+v", report.Waiting)
	}
	r.content.reading = nil
	r.flow.Profile = []byte("profile 2")
	r.restart()
	r.pass(0)
	r.wantVerdicts(r.one().ID, "2 P1 LINKED")
	if got := r.content.profiles[len(r.content.profiles)-1]; got != "profile 1" {
		t.Errorf("read with %q", got)
	}
}

// A whole file that cannot be read goes to rejected/ with its reason.
func TestUnreadableFile(t *testing.T) {
	r := newRig(t)
	r.drop("in/sub/a.csv", "BAD\n")
	r.settled()
	b := r.one()
	r.wantFiles("rejected/"+b.ID+"/a.csv", "rejected/"+b.ID+"/a.csv.motivo.txt")
	if b.State != ledger.Unreadable || b.Archive != "rejected/"+b.ID {
		t.Errorf("batch %+v", b)
	}
}

// Damage prevented: a failing file is examined at every pass for ever, or stops the
// others.
func TestFailingFileRestsAndDoesNotStopOthers(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	r.content.failing = errors.New("share gone")
	r.now = r.now.Add(10 * time.Second)
	if _, err := r.ingest.Pass(context.Background(), r.flow); !errors.Is(err, r.content.failing) {
		t.Errorf("error %v", err)
	}
	asked := r.content.asked
	r.wantWaiting(r.pass(time.Second), "a.csv C-FILE-CHECK")
	if r.content.asked != asked {
		t.Error("a failing file does not rest")
	}
	r.content.failing = nil
	r.pass(time.Minute)
	r.wantVerdicts(r.one().ID, "2 P1 LINKED")
}

// Damage prevented: a root that is gone is taken for an empty drop, and reasons and
// first sights are forgotten.
func TestVanishedDropForgetsNothing(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	if err := os.Rename(r.root, r.root+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ingest.Pass(context.Background(), r.flow); !errors.Is(err, folder.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	if len(r.sightings()) != 1 {
		t.Error("sightings were dropped")
	}
	if err := os.Rename(r.root+".away", r.root); err != nil {
		t.Fatal(err)
	}
	r.pass(10 * time.Second)
	r.one()
}

// locked is a folder in which a file is held by another program, as Windows tells.
type locked struct {
	folder.Folder
	name  string
	asked int
}

func (l *locked) Locked(_ context.Context, name string) bool {
	l.asked++
	return name == l.name
}

// Damage prevented: an export that a program still holds is claimed or read; or
// asking costs a system call for every waiting file at every pass.
func TestLockedExportWaits(t *testing.T) {
	r := newRig(t)
	whole := r.flow.Folder
	l := &locked{Folder: whole, name: "in/a.csv"}
	r.flow.Folder = l
	r.drop("in/a.csv", "p\nP1;\n")
	r.drop("in/b.csv", "p\nP2;manca.pdf\n")
	r.settled()
	if r.content.asked != 1 {
		t.Errorf("%d files were read, one is held", r.content.asked)
	}
	l.asked = 0
	r.wantWaiting(r.pass(time.Second), "a.csv C-FILE-BUSY", "b.csv C-DOCUMENTS-AWAITED")
	if l.asked != 1 {
		t.Errorf("asked %d times", l.asked)
	}
	l.name = ""
	r.pass(time.Second)
	r.wantVerdicts(r.one().ID, "2 P1 LINKED")
}

// full is a data folder on a full disk.
type full struct{ folder.Folder }

func (full) Publish(_ context.Context, name string, _ func(io.Writer) error) (folder.Published, error) {
	return folder.Published{}, &folder.Error{Op: "publish", Name: name, Kind: folder.ErrFull}
}

// Damage prevented: a full disk is hammered at every pass, or the file that was
// claimed when it filled up is lost.
func TestFullDiskRests(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	disk := r.ingest.data
	r.ingest.data = full{disk}
	r.now = r.now.Add(10 * time.Second)
	if _, err := r.ingest.Pass(context.Background(), r.flow); !errors.Is(err, folder.ErrFull) {
		t.Errorf("error %v", err)
	}
	report := r.pass(time.Second) // rests: no error, because nothing was tried
	if len(report.Waiting) != 1 || report.Waiting[0].Code != "C-FILE-FULL" || report.Waiting[0].Batch == "" {
		t.Errorf("waiting %+v", report.Waiting)
	}
	r.ingest.data = disk
	r.pass(time.Minute)
	r.wantVerdicts(r.one().ID, "2 P1 LINKED")
}
