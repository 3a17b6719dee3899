package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/ledger"
)

// killed is what a step panics with to die there: nothing above may clean up, as
// nothing does when a process is killed.
type killed struct{ at string }

// dying runs what kills itself at the n-th step and returns where it died, "" if it
// lived.
func (r *rig) dying(n int, run func()) (at string) {
	count := 0
	die := func(name string) error {
		if count++; count == n {
			panic(killed{name})
		}
		return nil
	}
	whole := r.flow.Folder
	r.step = die
	if l, ok := whole.(*folder.Local); ok {
		r.flow.Folder = l.WithStep(die)
	}
	defer func() {
		r.step, r.flow.Folder = nil, whole
		if v := recover(); v != nil {
			k, ok := v.(killed)
			if !ok {
				panic(v)
			}
			at = k.at
		}
	}()
	run()
	return ""
}

// scenario is a drop, and what must have become of it whatever happened on the way.
type scenario struct {
	name  string
	setup func(*rig)
	// rows are the verdicts of the one batch; nil for a rejected file.
	rows []string
	// files below the batch's folder.
	files []string
	left  []string      // what stays elsewhere
	later time.Duration // one more pass after this, 0 = none
	waits int           // files that go on waiting
}

func scenarios() []scenario {
	return []scenario{
		{
			name: "export with documents",
			setup: func(r *rig) {
				r.flow.DoneSuffix = ".ok"
				r.drop("in/elenco.csv", export+"P3;manca.pdf\n")
				r.drop("in/a.pdf", "atto a")
				r.drop("in/sub/b.pdf", "atto b")
				r.drop("in/elenco.csv.ok", "")
			},
			rows:  []string{"2 P1 LINKED", "3 P2 LINKED", "4 P3 REJECTED C-DOCUMENT-MISSING"},
			files: []string{"a.pdf", "elenco.csv", "elenco.csv.ok", "sub/b.pdf"},
		},
		{
			name: "documents copied",
			setup: func(r *rig) {
				r.flow.Take = false
				r.drop("in/elenco.csv", export)
				r.drop("in/a.pdf", "atto a")
				r.drop("in/sub/b.pdf", "atto b")
			},
			rows:  []string{"2 P1 LINKED", "3 P2 LINKED"},
			files: []string{"a.pdf", "elenco.csv", "sub/b.pdf"},
			left:  []string{"in/a.pdf", "in/sub/b.pdf"},
		},
		{
			name: "document shared with a file that cannot be examined",
			setup: func(r *rig) {
				r.drop("in/elenco.csv", "p\nP1;a.pdf\n")
				r.drop("in/a.pdf", "atto a")
				r.drop("in/aperto.csv", "p\n")
				r.drop("in/~$aperto.csv", "user")
			},
			rows:  []string{"2 P1 LINKED"},
			files: []string{"a.pdf", "elenco.csv"},
			left:  []string{"in/aperto.csv", "in/~$aperto.csv"},
			later: time.Hour,
			waits: 1,
		},
		{
			name:  "unreadable file",
			setup: func(r *rig) { r.drop("in/elenco.csv", "BAD\n") },
			files: []string{"elenco.csv", "elenco.csv.motivo.txt"},
		},
		{
			name: "exclusive drop",
			setup: func(r *rig) {
				r.flow.Exclusive = true
				r.drop("in/elenco.csv", export)
				r.drop("in/a.pdf", "atto a")
				r.drop("in/sub/b.pdf", "atto b")
			},
			rows:  []string{"2 P1 LINKED", "3 P2 LINKED"},
			files: []string{"a.pdf", "elenco.csv", "sub/b.pdf"},
		},
	}
}

// Damage prevented: a crash anywhere between a drop and the archive loses a file,
// reads it twice, changes a verdict, or leaves something behind. Every scenario is
// killed at every step, on both sides, and a second time during the recovery.
func TestKilledAtEveryStep(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			reached := map[string]bool{}
			for n := 1; ; n++ {
				at := killAndRecover(t, s, n, 0)
				if at == "" {
					if n < 20 {
						t.Fatalf("only %d steps were met", n)
					}
					break
				}
				reached[at] = true
				t.Logf("died at %s", at)
				if !testing.Short() {
					// A different second death for each first one.
					killAndRecover(t, s, n, 1+n*7%30)
				}
			}
			if s.later > 0 && !reached[StepTake+Before] {
				t.Errorf("no process died at %s", StepTake)
			}
			for _, step := range []string{StepManifest, StepSpool, StepArchive, StepRecord, StepArchived, StepForget} {
				for _, side := range []string{Before, After} {
					if !reached[step+side] {
						t.Errorf("no process died at %s", step+side)
					}
				}
			}
		})
	}
}

// killAndRecover kills a first process at its n-th step and, if again is not 0, the
// next one at its again-th; then a third has peace. It returns where the first died.
func killAndRecover(t *testing.T, s scenario, n, again int) string {
	t.Helper()
	r := newRig(t)
	s.setup(r)
	life := func() {
		r.restart()
		for range 4 {
			r.pass(6 * time.Second)
		}
		if s.later > 0 {
			r.pass(s.later)
		}
	}
	at := r.dying(n, life)
	if at == "" {
		s.check(r, "never killed")
		return ""
	}
	where := at
	if again > 0 {
		where += ", again " + r.dying(again, life)
	}
	life()
	s.check(r, where)
	return at
}

func (s scenario) check(r *rig, where string) {
	r.t.Helper()
	all := r.batches()
	if len(all) != 1 {
		r.t.Errorf("killed at %s: %d batches", where, len(all))
		return
	}
	b := all[0]
	want := slices.Clone(s.left)
	for _, f := range s.files {
		want = append(want, b.Archive+"/"+f)
	}
	slices.Sort(want)
	if got := r.files(); !slices.Equal(got, want) {
		r.t.Errorf("killed at %s: files\n %s\nwant\n %s", where, strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
	state := ledger.Sealed
	if s.rows == nil {
		state = ledger.Unreadable
	}
	if b.State != state || b.Archive == "" {
		r.t.Errorf("killed at %s: batch %s, archive %q", where, b.State, b.Archive)
	}
	if got := r.verdicts(b.ID); !slices.Equal(got, s.rows) {
		r.t.Errorf("killed at %s: rows %q, want %q", where, got, s.rows)
	}
	if entries, err := os.ReadDir(r.path("work")); err != nil || len(entries) != 0 {
		r.t.Errorf("killed at %s: work holds %v, %v", where, entries, err)
	}
	for _, name := range r.spool() {
		if path.Dir(name) != b.ID || folder.Temporary(path.Base(name)) {
			r.t.Errorf("killed at %s: private copy %s belongs to nothing", where, name)
		}
	}
	for _, copy := range b.Spool {
		if ok, err := r.ingest.spooled(context.Background(), copy.Path, copy.Hash); !ok || err != nil {
			r.t.Errorf("killed at %s: private copy of %s is damaged: %v", where, copy.Name, err)
		}
	}
	if got := r.sightings(); len(got) != s.waits {
		r.t.Errorf("killed at %s: sightings %+v", where, got)
	}
}

// A step that fails is not a crash, but must be as harmless.
func TestFailingAtEveryStep(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	s := scenarios()[0]
	for n := 1; ; n++ {
		r := newRig(t)
		s.setup(r)
		count, met := 0, false
		r.step = func(string) error {
			if count++; count == n {
				met = true
				return broken
			}
			return nil
		}
		for range 4 {
			r.now = r.now.Add(time.Minute)
			if _, err := r.ingest.Pass(context.Background(), r.flow); err != nil && !errors.Is(err, broken) {
				t.Errorf("step %d: %v", n, err)
			}
		}
		r.step = nil
		r.restart()
		r.pass(time.Minute)
		r.pass(time.Minute)
		s.check(r, fmt.Sprintf("failing step %d", n))
		if !met {
			break
		}
	}
}

// Damage prevented: a claim of another installation is completed, or its files
// stand there for ever and nobody says so.
func TestRule25ForeignClaims(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	r.dyingAt(StepClaim+After, func() { r.pass(10 * time.Second) })
	files := r.files()
	r.ingest = r.other("altra")
	report := r.pass(time.Hour)
	if len(report.Foreign) != 0 {
		t.Errorf("a young claim is shown: %+v", report.Foreign)
	}
	report = r.pass(24 * time.Hour)
	if len(report.Foreign) != 1 || report.Foreign[0].Installation != "prova" || report.Foreign[0].Text == "" {
		t.Errorf("foreign %+v", report.Foreign)
	}
	if got := r.files(); !slices.Equal(got, files) || len(r.batches()) != 0 {
		t.Errorf("a foreign claim was touched: %q", got)
	}
	r.restart()
	r.pass(0)
	r.wantFiles(r.one().Archive + "/a.csv")
}

// dyingAt runs what dies at the first meeting of a step.
func (r *rig) dyingAt(step string, run func()) {
	r.t.Helper()
	r.step = func(name string) error {
		if name == step {
			panic(killed{name})
		}
		return nil
	}
	defer func() {
		r.step = nil
		if v := recover(); v == nil {
			r.t.Fatalf("nobody died at %s", step)
		}
	}()
	run()
}

// other is a connector of another installation on the same drop and ledger.
func (r *rig) other(installation string) *Ingest {
	r.t.Helper()
	in, err := New(Options{
		Ledger: r.ledger, Data: foldertest.TempDir(r.t), Clock: func() time.Time { return r.now },
		Installation: installation, Content: r.content,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := in.Recover(context.Background(), []*Flow{r.flow}); err != nil {
		r.t.Fatal(err)
	}
	return in
}

// Damage prevented: two installations on one drop both read the same export. The
// rename decides; the other one leaves no trace.
func TestRule25TwoInstallationsOneExport(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	other := r.other("altra")
	r.pass(0)
	if _, err := other.Pass(context.Background(), r.flow); err != nil {
		t.Fatal(err)
	}
	r.step = func(name string) error {
		if name == StepManifest+After { // between our manifest and our rename the other one is faster
			r.step = nil
			_, err := other.Pass(context.Background(), r.flow)
			return err
		}
		return nil
	}
	r.pass(10 * time.Second)
	b := r.one()
	r.wantFiles(b.Archive + "/a.csv")
	if entries, err := os.ReadDir(r.path("work")); err != nil || len(entries) != 0 {
		t.Errorf("work holds %v, %v", entries, err)
	}
}

// Damage prevented: in the very second in which another installation claims the same
// content, its manifest is overwritten and its claim lost.
func TestRule25ManifestNeverReplacesAnother(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	theirs := ""
	r.step = func(name string) error {
		if name == StepManifest+Before {
			for _, e := range r.list(filepath.Join(r.data, spoolDir)) {
				t.Errorf("private copy %s before the claim", e)
			}
			ids, err := os.ReadDir(filepath.Join(r.data, spoolDir))
			if err != nil || len(ids) != 1 {
				t.Fatalf("%v, %v", ids, err)
			}
			theirs = "work/" + ids[0].Name() + "/" + ManifestName
			r.drop(theirs, "theirs")
		}
		return nil
	}
	r.pass(10 * time.Second)
	r.step = nil
	text, err := os.ReadFile(r.path(theirs))
	if err != nil || string(text) != "theirs" {
		t.Errorf("their manifest reads %q, %v", text, err)
	}
	r.wantFiles("in/a.csv")
	if len(r.batches()) != 0 || len(r.spool()) != 0 {
		t.Errorf("left %v %v", r.batches(), r.spool())
	}
	r.remove(theirs)
	r.pass(time.Second)
	r.wantVerdicts(r.one().ID, "2 P1 LINKED")
}

// Damage prevented: somebody empties work/ while a batch is being read, and the drop
// is gone.
func TestRecoverWithoutWorkFolder(t *testing.T) {
	for _, step := range []string{StepBegin + After, StepRead + After, StepSeal + After, StepReject + After} {
		r := newRig(t)
		text := "p\nP1;a.pdf\n"
		if step == StepReject+After {
			text = "BAD\n"
		}
		r.drop("in/a.csv", text)
		r.drop("in/a.pdf", "atto")
		r.pass(0)
		r.dyingAt(step, func() { r.pass(10 * time.Second) })
		foldertest.RemoveAll(t, r.path("work"))
		r.restart()
		r.pass(time.Second)
		b := r.one()
		if text == "BAD\n" {
			r.wantFiles("in/a.pdf", b.Archive+"/a.csv", b.Archive+"/a.csv.motivo.txt")
			continue
		}
		r.wantVerdicts(b.ID, "2 P1 LINKED")
		// The document of the drop stays: nothing says any more that it was taken.
		r.wantFiles(b.Archive+"/a.csv", b.Archive+"/documents/000001.pdf", "in/a.pdf")
	}
}

// Damage prevented: work/ and the private copies are both gone and the batch stands
// READING for ever.
func TestRecoverLostBatch(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;\n")
	r.pass(0)
	r.dyingAt(StepRead+After, func() { r.pass(10 * time.Second) })
	foldertest.RemoveAll(t, r.path("work"))
	foldertest.RemoveAll(t, filepath.Join(r.data, spoolDir))
	r.restart()
	b := r.one()
	if b.State != ledger.Unreadable || b.Problem.Code != "C-BATCH-LOST" {
		t.Errorf("batch %s %+v", b.State, b.Problem)
	}
	r.pass(0)
	r.drop("in/a.csv", "p\nP1;\n")
	r.settled()
	r.wantVerdicts(r.batches()[1].ID, "2 P1 LINKED")
}
