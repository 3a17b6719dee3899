package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	"sendconnector/internal/folder"
)

// examined is what Content said of a file as it was.
type examined struct {
	size     int64
	modified time.Time
	profile  []byte
	at       time.Time
	pass     uint64
	needs    Needs
}

// examinedFor is how long an answer of Content is good while a file waits: what
// would be sent depends on the ledger too. At the claim it is asked anew, so this
// only bounds how long documents are awaited that are no longer needed; shorter, it
// would have ten thousand waiting files read all the time.
const examinedFor = time.Hour

// verdict is what a pass thinks of an export.
type verdict struct {
	name      string
	entry     folder.Entry
	seen      *seen
	ready     bool
	wait      Waiting // why not, if not ready
	needs     *Needs  // nil: not known (yet)
	documents []Copy
	missing   []Missing
	awaited   []string // sources that it names, found or not yet settled
}

// judge tells whether an export is complete, and why not.
func (i *Ingest) judge(ctx context.Context, f *Flow, st *state, l *locator, name string) (verdict, error) {
	e := l.view.files[name]
	s := st.seen[e.Name]
	v := verdict{name: name, entry: e, seen: s, wait: waitingFor(name, s)}
	if v.unfit(f, l.view, s) {
		return v, nil
	}
	// Trying the lock costs a system call: only before a file is read or claimed.
	if i.remembered(f, st, e) == nil && v.locked(ctx, f) {
		return v, nil
	}
	x, err := i.examine(ctx, f, st, e, false)
	if err != nil {
		return v, v.unexamined(ctx, f, s, l.view.now, err)
	}
	if err := i.gather(ctx, f, l, &v, s, x); err != nil {
		return v, err
	}
	brought := !v.ready && x.pass != st.pass && l.brought(name, v.wait.Missing)
	if !brought && (!v.ready || v.locked(ctx, f) || x.pass == st.pass) {
		return v, nil
	}
	// Before the claim what the file says is looked at once more, and so it is when
	// files came that a pattern may have been waiting for.
	if x, err = i.examine(ctx, f, st, e, true); err != nil {
		return v, v.unexamined(ctx, f, s, l.view.now, err)
	}
	fresh := verdict{name: name, entry: e, seen: s, wait: waitingFor(name, s)}
	err = i.gather(ctx, f, l, &fresh, s, x)
	return fresh, err
}

func waitingFor(name string, s *seen) Waiting {
	return Waiting{File: name, Since: s.since, first: s.first, size: s.size, modified: s.modified}
}

// unexamined makes the export wait for another look.
func (v *verdict) unexamined(ctx context.Context, f *Flow, s *seen, now time.Time, err error) error {
	v.ready = false
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, errChanged) || errors.Is(err, errGone) || errors.Is(err, folder.ErrNotExist) {
		v.hold(f, "C-FILE-SETTLING", now.Add(f.Settle), "settle", f.Settle.String())
		v.wait.settling = true
		return nil
	}
	s.block(codeOf(err), now)
	v.hold(f, s.blocked, s.until)
	return err
}

// hold makes the export wait.
func (v *verdict) hold(f *Flow, code string, next time.Time, args ...string) {
	v.wait.Code, v.wait.Text, v.wait.Next = code, v.seen.say(f, code, args), next
}

// unfit tells whether the file itself is not ready, whatever it says.
func (v *verdict) unfit(f *Flow, view *view, s *seen) bool {
	done := view.done[v.name]
	switch fault := f.nameFault(v.name); {
	case fault != "":
		v.hold(f, "C-FILE-NAME", time.Time{}, "why", fault)
	case view.marked(v.name) != "":
		v.hold(f, "C-FILE-OPEN", time.Time{}, "by", view.marked(v.name))
	case f.DoneSuffix != "" && done == "":
		v.hold(f, "C-FILE-DONE-MISSING", time.Time{}, "done", path.Base(v.name)+f.DoneSuffix)
	case v.entry.Size == 0 && done == "":
		v.hold(f, "C-FILE-EMPTY", time.Time{})
	case done == "" && !s.settled(f, view.now):
		v.hold(f, "C-FILE-SETTLING", s.settledAt(f), "settle", f.Settle.String())
		v.wait.settling = true
	case s.blocked != "" && view.now.Before(s.until):
		v.hold(f, s.blocked, s.until)
	default:
		return false
	}
	return true
}

// locked makes an export wait that another program holds.
func (v *verdict) locked(ctx context.Context, f *Flow) bool {
	if !f.Folder.Locked(ctx, v.entry.Name) {
		return false
	}
	v.ready = false
	v.hold(f, "C-FILE-BUSY", time.Time{})
	return true
}

// marked gives the mark of a program that has the file open, "" if none. Word drops
// the first two letters of long names from its mark.
func (v *view) marked(name string) string {
	if m := v.marks[name]; m != "" {
		return m
	}
	dir, base := path.Split(name)
	if len(base) > 12 {
		return v.marks[dir+base[2:]]
	}
	return ""
}

// remembered is what Content said of the same bytes under the same profile, if that
// is not too long ago.
func (i *Ingest) remembered(f *Flow, st *state, e folder.Entry) *examined {
	x := st.needs[e.Name]
	if x == nil || x.size != e.Size || !x.modified.Equal(e.Modified) ||
		!bytes.Equal(x.profile, f.Profile) || i.opts.Clock().Sub(x.at) >= examinedFor {
		return nil
	}
	return x
}

// examine asks Content, or remembers what it said of the same bytes.
func (i *Ingest) examine(ctx context.Context, f *Flow, st *state, e folder.Entry, fresh bool) (*examined, error) {
	x := i.remembered(f, st, e)
	if x != nil && !fresh {
		return x, nil
	}
	file, done, err := i.local(ctx, f, e.Name)
	if err != nil {
		return nil, err
	}
	defer done()
	needs, err := i.opts.Content.Needs(ctx, f.Name, file)
	// A file that changed or left explains any error, and spoils any answer.
	if changed := i.unchanged(ctx, f, e); changed != nil {
		return nil, changed
	}
	if err != nil {
		return nil, err
	}
	x = &examined{size: e.Size, modified: e.Modified, profile: f.Profile, at: i.opts.Clock(), pass: st.pass, needs: needs}
	st.needs[e.Name] = x
	return x, nil
}

// errChanged: a file changed while it was looked at; the next pass sees it anew.
var errChanged = folder.ErrChanged

// local gives a path on this machine for a file of the drop; a remote one is
// fetched for the while.
func (i *Ingest) local(ctx context.Context, f *Flow, name string) (string, func(), error) {
	if root, ok := f.Folder.Local(); ok {
		return filepath.Join(root, filepath.FromSlash(name)), func() {}, nil
	}
	r, err := f.Folder.Open(ctx, name)
	if err != nil {
		return "", nil, err
	}
	defer r.Close()
	temp, err := os.CreateTemp(filepath.Join(i.opts.Data, spoolDir), ".look-*"+extension(name))
	if err != nil {
		return "", nil, err
	}
	remove := func() { _ = os.Remove(temp.Name()) }
	_, err = io.Copy(temp, r)
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return temp.Name(), remove, nil
}
