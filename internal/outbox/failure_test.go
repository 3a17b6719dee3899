package outbox

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

func (h *house) fake() *fakeFolder { return &fakeFolder{Folder: h.folder, busy: map[string]bool{}} }

func within(f folder.Folder) func(*Options) { return func(op *Options) { op.Folder = f } }

// Damage prevented: an update is lost because somebody has the outcome file open in
// Excel, or nobody is told to close it.
func TestHeldOpenTargetIsSettledLater(t *testing.T) {
	h := newHouse(t)
	b := h.drop("tari.csv", 1, 0)
	f := h.fake()
	o := h.outbox(within(f))
	h.pass(o)
	name := outcomeName(b)
	old := h.read(name)
	f.busy[name] = true
	h.accept(h.ids(b.ID)...)
	h.now = h.now.Add(time.Minute)
	r := h.pass(o)
	if len(r.Waiting) != 1 || r.Waiting[0].File != name || !strings.Contains(r.Waiting[0].Text, "Chiudere "+name) {
		t.Fatalf("waiting %+v", r.Waiting)
	}
	beside := r.Waiting[0].Beside
	if h.read(name) != old || !strings.Contains(h.read(beside), "ACCETTATA") || !strings.HasSuffix(beside, ".esito.nuovo.csv") {
		t.Errorf("old %q, beside %q", h.read(name), h.read(beside))
	}
	if want := h.now.Add(settlePause); r.Next.After(want) {
		t.Errorf("next %s, want at most %s", r.Next, want)
	}
	// A new process remembers it from the ledger.
	h.reopen()
	f.Folder = h.folder
	o = h.outbox(within(f))
	if r = h.pass(o); len(r.Waiting) != 1 {
		t.Errorf("forgotten: %+v", r)
	}
	f.busy = nil
	h.now = h.now.Add(settlePause)
	if r = h.pass(o); len(r.Waiting) != 0 || !strings.Contains(h.read(name), "ACCETTATA") || slices.Contains(h.names(), beside) {
		t.Errorf("not settled: %+v %v", r, h.names())
	}
	h.reopen()
	if r = h.pass(h.outbox()); len(r.Waiting) != 0 {
		t.Errorf("remembered for ever: %+v", r)
	}
}

// Damage prevented: a full disk or a share that is gone loses updates, gives numbers
// away, or keeps the machine busy.
func TestFolderThatFails(t *testing.T) {
	for _, kind := range []error{folder.ErrFull, folder.ErrUnavailable} {
		t.Run(kind.Error(), func(t *testing.T) {
			h := newHouse(t)
			f := h.fake()
			o := h.outbox(within(f))
			h.pass(o)
			b := h.drop("tari.csv", 1, 1)
			h.accept(h.ids(b.ID)...)
			h.fetched(h.ids(b.ID)[0], "key", "PDF")
			f.refuse = func(string) error { return kind }
			f.calls = 0
			for range 100 { // an impatient caller
				_, err := o.Pass(h.ctx, h.state())
				var failed *FolderError
				if !errors.As(err, &failed) || !errors.Is(err, kind) || !failed.Retry.Equal(h.now.Add(15*time.Second)) {
					t.Fatalf("error %v", err)
				}
			}
			if f.calls != 1 {
				t.Errorf("tried %d times without a pause", f.calls)
			}
			r, _ := o.Pass(h.ctx, h.state())
			if !r.Next.Equal(h.now.Add(15 * time.Second)) {
				t.Errorf("next %s", r.Next)
			}
			f.refuse = nil
			h.now = r.Next
			r = h.pass(o)
			if r.Documents != 1 || r.Outcomes != 1 || r.Updates != 1 || !slices.Contains(h.names(), "aggiornamenti/00000001.csv") {
				t.Errorf("report %+v, files %v", r, h.names())
			}
		})
	}
}

// Damage prevented: one file without rights keeps everything else from being written.
func TestOneFileThatFails(t *testing.T) {
	h := newHouse(t)
	bad, good := h.drop("tari.csv", 1, 1), h.drop("multe.csv", 1, 1)
	h.accept(h.ids(bad.ID)...)
	h.fetched(h.ids(bad.ID)[0], "key", "PDF")
	f := h.fake()
	f.refuse = func(name string) error {
		if name == outcomeName(bad) || strings.HasSuffix(name, ".pdf") {
			return folder.ErrPermission
		}
		return nil
	}
	o := h.outbox(within(f))
	for range 3 {
		r, err := o.Pass(h.ctx, h.state())
		if !errors.Is(err, folder.ErrPermission) || r.Next.After(h.now.Add(15*time.Second)) {
			t.Errorf("%+v %v", r, err)
		}
	}
	if !slices.Contains(h.names(), outcomeName(good)) || !slices.Contains(h.names(), statusName) ||
		!slices.Contains(h.names(), "aggiornamenti/00000001.csv") {
		t.Errorf("files %v", h.names())
	}
	if a := h.artifacts(h.ids(bad.ID)[0])[0]; a.State != ledger.Fetched {
		t.Errorf("artifact %s", a.State)
	}
	f.refuse = nil
	h.now = h.now.Add(time.Minute)
	if r := h.pass(o); r.Outcomes != 1 || r.Documents != 1 {
		t.Errorf("report %+v", r)
	}
}

// Damage prevented: a folder that fails at the very start is taken for a new one, or
// anything is written before the numbering is known.
func TestNothingBeforeTheNumberingIsKnown(t *testing.T) {
	h := newHouse(t)
	h.drop("tari.csv", 1, 1)
	f := h.fake()
	f.refuse = func(name string) error {
		if strings.HasSuffix(name, markName) {
			return folder.ErrPermission
		}
		return nil
	}
	o := h.outbox(within(f))
	if _, err := o.Pass(h.ctx, h.state()); !errors.Is(err, folder.ErrPermission) {
		t.Error(err)
	}
	if names := h.names(); len(names) != 0 {
		t.Errorf("written: %v", names)
	}
	f.refuse = nil
	h.now = h.now.Add(time.Minute)
	if r := h.pass(o); len(r.Lost) != 0 || r.Updates != 1 {
		t.Errorf("report %+v", r)
	}
	h.must(os.Rename(h.out, h.out+"-gone")) // the share is unmounted
	t.Cleanup(func() { h.must(os.Rename(h.out+"-gone", h.out)) })
	h.drop("multe.csv", 0, 1)
	if _, err := h.outbox().Pass(h.ctx, h.state()); !errors.Is(err, folder.ErrUnavailable) {
		t.Errorf("a folder that is gone: %v", err)
	}
}

// Damage prevented: a failure that has nothing left to try makes the caller spin on a
// time in the past.
func TestNextIsNeverPast(t *testing.T) {
	h := newHouse(t)
	f := h.fake()
	o := h.outbox(within(f))
	h.pass(o)
	for _, kind := range []error{folder.ErrFull, folder.ErrPermission} {
		f.refuse = func(string) error { return kind }
		h.now = h.now.Add(o.opts.Heartbeat)
		if _, err := o.Pass(h.ctx, h.state()); !errors.Is(err, kind) {
			t.Fatal(err)
		}
		f.refuse = nil
		for range 8 {
			h.now = h.now.Add(20 * time.Second)
			if r := h.pass(o); !r.Next.After(h.now) {
				t.Errorf("%v: next %s is not after %s", kind, r.Next, h.now)
			}
		}
	}
}

func TestRetryPause(t *testing.T) {
	for n, want := range []time.Duration{0, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute} {
		if got := retryPause(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if got := retryPause(1 << 20); got != 5*time.Minute {
		t.Errorf("many: %s", got)
	}
}
