package outbox

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

var errKilled = errors.New("killed")

// stopAt ends the process, as far as the outbox can tell, at one side of a step.
func stopAt(side string) func(*Options) {
	dead := false
	return func(op *Options) {
		op.Step = func(name string) error {
			if dead = dead || name == side; dead {
				return errKilled
			}
			return nil
		}
	}
}

// story is a life of an outbox that passes every step: two drops, acceptance,
// documents, costs.
func (h *house) story(o func() *Outbox) error {
	pass := func() error {
		h.now = h.now.Add(2 * o().opts.Refresh)
		_, err := o().Pass(h.ctx, h.state())
		return err
	}
	first := h.drop("tari.csv", 3, 1)
	var failures []error
	failures = append(failures, pass())
	ids := h.ids(first.ID)
	h.accept(ids...)
	h.fetched(ids[0], "key-1", "PDF one")
	h.fetched(ids[1], "key-1", "PDF two")
	h.cost(1)
	failures = append(failures, pass())
	h.drop("multe.csv", 1, 2)
	h.cost(2)
	h.fetched(ids[0], "key-2", "PDF three")
	failures = append(failures, pass(), pass())
	return errors.Join(failures...)
}

// Damage prevented: whatever is half done when the machine stops is lost, doubled or
// numbered anew. At every side of every step, and inside every atomic write: the
// story goes on with a new process and must end with the files of a life without
// crashes, nothing missing, no temporary file, no gap in a sequence.
func TestEveryKillPoint(t *testing.T) {
	calm := newHouse(t)
	quiet := calm.outbox()
	calm.must(calm.story(func() *Outbox { return quiet }))
	want := calm.files()
	var sides []string
	for _, s := range Steps() {
		if s != stepSettle { // has its own test
			sides = append(sides, s+":before", s+":after")
		}
	}
	for _, s := range []string{folder.StepCreated, folder.StepWritten, folder.StepSynced, folder.StepRenamed} {
		for n := range 12 {
			sides = append(sides, fmt.Sprintf("%s#%d", s, n))
		}
	}
	for i, side := range sides {
		if testing.Short() && i%4 != 0 {
			continue
		}
		for nth := range 2 {
			if nth > 0 && strings.Contains(side, "#") {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", side, nth), func(t *testing.T) {
				if killed := killAt(t, side, nth, want); !killed && nth == 0 && !strings.Contains(side, "#") {
					t.Error("the story does not pass here")
				}
			})
		}
	}
}

// killAt runs the story with one kill at the nth visit of a side, then compares.
func killAt(t *testing.T, side string, nth int, want map[string]string) bool {
	h := newHouse(t)
	killed, dead, visits := false, false, map[string]int{}
	step := func(name string) error {
		if dead {
			return errKilled
		}
		at := name
		if strings.HasPrefix(name, "folder.") {
			at = fmt.Sprintf("%s#%d", name, visits[name])
			visits[name]++
		} else {
			visits[name]++
		}
		if killed || at != side || !strings.Contains(side, "#") && visits[name] != nth+1 {
			return nil
		}
		killed, dead = true, true
		return errKilled
	}
	fresh := func() *Outbox {
		return h.outbox(func(op *Options) {
			op.Step = step
			op.Folder = h.folder.WithStep(step)
		})
	}
	o := fresh()
	current := func() *Outbox {
		if dead { // the next use is the next process
			dead = false
			h.reopen()
			o = fresh()
		}
		return o
	}
	err := h.story(current)
	if killed == (err == nil) {
		t.Errorf("killed %v, error %v", killed, err)
	}
	if _, err := current().Pass(h.ctx, h.state()); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(2 * o.opts.Refresh)
	if _, err := o.Pass(h.ctx, h.state()); err != nil {
		t.Fatal(err)
	}
	compareLives(t, h, want)
	return killed
}

// Damage prevented: a crash while recovering from a crash. Each step may kill, again
// and again, until the last passes.
func TestManyKills(t *testing.T) {
	calm := newHouse(t)
	quiet := calm.outbox()
	calm.must(calm.story(func() *Outbox { return quiet }))
	want := calm.files()
	seeds := uint64(40)
	if testing.Short() {
		seeds = 8
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := newHouse(t)
			random := rand.New(rand.NewPCG(seed, 1))
			dead, calm, kills := false, false, 0
			step := func(string) error {
				if !dead && !calm && random.IntN(25) == 0 {
					dead, kills = true, kills+1
				}
				if dead {
					return errKilled
				}
				return nil
			}
			start := func() *Outbox {
				dead = false
				return h.outbox(func(op *Options) {
					op.Step = step
					op.Folder = h.folder.WithStep(step)
				})
			}
			o := start()
			current := func() *Outbox {
				if dead {
					h.reopen()
					o = start()
				}
				return o
			}
			_ = h.story(current)
			for range 5 {
				_, _ = current().Pass(h.ctx, h.state())
			}
			calm = true
			for range 2 {
				h.now = h.now.Add(2 * o.opts.Refresh)
				if _, err := current().Pass(h.ctx, h.state()); err != nil {
					t.Fatal(err)
				}
			}
			if kills == 0 {
				t.Error("nothing was killed; another seed is wanted")
			}
			compareLives(t, h, want)
		})
	}
}

// compareLives: everything but the cut of the log into files is the same as without
// a crash; the log itself is whole, in order, without a line twice.
func compareLives(t *testing.T, h *house, want map[string]string) {
	t.Helper()
	got := h.files()
	numbered := func(name string) bool {
		return strings.HasPrefix(name, updatesDir+"/") || strings.HasPrefix(name, costsDir+"/")
	}
	for name, content := range want {
		if numbered(name) || name == statusName {
			continue
		}
		if other, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		} else if other != content && !strings.HasSuffix(name, ".esito.csv") {
			t.Errorf("%s differs:\n%s\n%s", name, other, content)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok && !numbered(name) {
			t.Errorf("%s is too much", name)
		}
		if strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s is left over", name)
		}
	}
	if left := h.spoolFiles(); len(left) != 0 {
		t.Errorf("left in the spool: %v", left)
	}
	for _, q := range sequences() {
		published := logOf(t, got, q.kind)
		if whole := h.wholeLog(q); !slices.Equal(published, whole) {
			t.Errorf("%s:\ngot  %q\nwant %q", q.kind, published, whole)
		}
	}
	if a, b := endOf(logOf(t, got, updatesDir)), endOf(logOf(t, want, updatesDir)); !maps.Equal(a, b) {
		t.Errorf("updates end as %v, want %v", a, b)
	}
	h.checkNumbers(got)
}

// wholeLog is the log as the ledger has it, in the form of logOf.
func (h *house) wholeLog(q sequence) []string {
	h.t.Helper()
	p := &ledger.Publication{Outbox: testOutbox, From: 1}
	h.must(h.ledger.View(h.ctx, func(tx *ledger.Tx) error {
		p.To = q.last(tx, testOutbox)
		return nil
	}))
	var text strings.Builder
	h.must(q.write(h.ctx, h.ledger, p, &text))
	return logOf(h.t, map[string]string{q.kind + "/00000001.csv": text.String()}, q.kind)
}

// endOf gives the last word on each row: outcome and documents.
func endOf(log []string) map[string]string {
	ends := map[string]string{}
	for _, line := range log {
		cells := strings.Split(line, ";")
		ends[cells[0]+" "+cells[1]] = cells[2] + " " + cells[21]
	}
	return ends
}

// logOf joins the files of a sequence, which must have no gap, without the line
// numbers, which depend on the cut.
func logOf(t testing.TB, files map[string]string, kind string) []string {
	t.Helper()
	var lines []string
	n := 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasPrefix(name, kind+"/0") {
			continue
		}
		n++
		if name != fmt.Sprintf("%s/%08d.csv", kind, n) {
			t.Errorf("gap before %s", name)
		}
		for _, r := range parse(t, []byte(files[name]))[1:] {
			if kind == updatesDir {
				r = r[1:]
			}
			lines = append(lines, strings.Join(r, ";"))
		}
	}
	return lines
}

// checkNumbers compares every numbered file with what the ledger derives for it.
func (h *house) checkNumbers(files map[string]string) {
	h.t.Helper()
	all, err := h.outbox().everyPublication(h.ctx)
	h.must(err)
	for _, p := range all {
		if p.Kind != kindUpdates && p.Kind != kindCosts {
			continue
		}
		q := sequences()[slices.Index([]string{kindUpdates, kindCosts}, p.Kind)]
		var text strings.Builder
		h.must(q.write(h.ctx, h.ledger, p, &text))
		if files[p.File] != text.String() || p.Hash == "" {
			h.t.Errorf("%s is not what the ledger says", p.File)
		}
	}
}

// Damage prevented: on a system without folder sync the ledger knows a file as
// written that the power took away.
func TestVerifyAtStart(t *testing.T) {
	h := newHouse(t)
	b := h.drop("tari.csv", 1, 1)
	id := h.ids(b.ID)[0]
	h.accept(id)
	h.fetched(id, "key", "PDF")
	h.pass(h.outbox())
	want := h.files()
	if len(want) < 6 {
		t.Fatalf("files %v", h.names())
	}
	for name := range want {
		if strings.HasSuffix(name, ".pdf") || strings.HasSuffix(name, markName) {
			continue
		}
		for _, damage := range []func(){func() { h.remove(name) }, func() { h.write(name, "x") }} {
			damage()
			o := h.outbox(func(op *Options) { op.Verify = 50 })
			h.must(o.Reconcile(h.ctx))
			h.pass(o)
			if got := h.read(name); got != want[name] {
				t.Errorf("%s was not restored: %q", name, got)
			}
		}
	}
	// What a reader took away long before is not brought back.
	h.remove("aggiornamenti/00000001.csv")
	h.now = h.now.Add(time.Hour)
	h.pass(h.outbox())
	h.must(h.outbox(func(op *Options) { op.Verify = 50 }).Reconcile(h.ctx))
	if slices.Contains(h.names(), "aggiornamenti/00000001.csv") {
		t.Error("a file taken by its reader came back")
	}
	if verifyOn("windows") <= 0 || verifyOn("linux") > 0 {
		t.Error("verified on the wrong systems")
	}
}

// Damage prevented: a number promised before a crash gets other bytes because the
// log has grown since.
func TestRule28PromiseKeepsItsRange(t *testing.T) {
	h := newHouse(t)
	h.drop("tari.csv", 0, 2)
	o := h.outbox(stopAt(stepSequenceIntent + ":after"))
	if _, err := o.Pass(h.ctx, h.state()); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	h.drop("multe.csv", 0, 3)
	h.reopen()
	h.pass(h.outbox())
	if n, m := len(h.table("aggiornamenti/00000001.csv")), len(h.table("aggiornamenti/00000002.csv")); n != 2 || m != 3 {
		t.Errorf("%d and %d lines", n, m)
	}
}

// Damage prevented: content that waited beside a target is lost, or asked for in
// vain, because the process died while it took its place.
func TestKillWhileSettling(t *testing.T) {
	for _, side := range []string{":before", ":after"} {
		h := newHouse(t)
		b := h.drop("tari.csv", 1, 0)
		name := outcomeName(b)
		f := h.fake()
		f.busy[name] = true
		h.pass(h.outbox(within(f)))
		f.busy = nil
		h.now = h.now.Add(settlePause)
		if _, err := h.outbox(within(f), stopAt(stepSettle+side)).Pass(h.ctx, h.state()); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		h.reopen()
		for range 2 {
			if r := h.pass(h.outbox()); len(r.Waiting) != 0 || !slices.Contains(h.names(), name) || slices.Contains(h.names(), folder.Beside(name)) {
				t.Errorf("%s: %+v %v", side, r, h.names())
			}
		}
	}
}
