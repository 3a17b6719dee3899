package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
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
// would be sent depends on the ledger too. At the claim it is asked anew.
const examinedFor = 10 * time.Minute

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
	if v.unfit(ctx, f, l.view, s) {
		return v, nil
	}
	x, err := i.examine(ctx, f, st, e, false)
	if err != nil {
		return v, v.unexamined(ctx, f, s, l.view.now, err)
	}
	if err := i.gather(ctx, f, l, &v, s, x); err != nil {
		return v, err
	}
	if !v.ready || x.pass == st.pass {
		return v, nil
	}
	// Before the claim what the file says is looked at once more.
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
func (v *verdict) unfit(ctx context.Context, f *Flow, view *view, s *seen) bool {
	done := view.done[v.name]
	switch fault := nameFault(v.name); {
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
	case f.Folder.Locked(ctx, v.entry.Name):
		v.hold(f, "C-FILE-BUSY", time.Time{})
	default:
		return false
	}
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

// examine asks Content, or remembers what it said of the same bytes.
func (i *Ingest) examine(ctx context.Context, f *Flow, st *state, e folder.Entry, fresh bool) (*examined, error) {
	now := i.opts.Clock()
	x := st.needs[e.Name]
	if x != nil && !fresh && x.size == e.Size && x.modified.Equal(e.Modified) &&
		bytes.Equal(x.profile, f.Profile) && now.Sub(x.at) < examinedFor {
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
	x = &examined{size: e.Size, modified: e.Modified, profile: f.Profile, at: now, pass: st.pass, needs: needs}
	st.needs[e.Name] = x
	return x, nil
}

// errChanged: a file changed while it was looked at; the next pass sees it anew.
var errChanged = errors.New("file changed while it was examined")

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
	temp, err := os.CreateTemp(filepath.Join(i.opts.Data, spoolDir), ".look-*"+path.Ext(name))
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

// gather looks for the documents that the export needs and decides whether it is
// complete (rule 27).
func (i *Ingest) gather(ctx context.Context, f *Flow, l *locator, v *verdict, s *seen, x *examined) error {
	v.needs = &x.needs
	if x.needs.Unreadable != nil {
		v.ready = true
		return nil
	}
	g := gathering{flow: f, locator: l, verdict: v, complete: l.view.done[v.name] != "", bySource: map[string]int{}}
	g.deadline = s.first.Add(f.DocumentsDeadline)
	g.late = g.complete || !l.view.now.Before(g.deadline)
	for _, d := range x.needs.Documents {
		if err := g.need(ctx, d); err != nil {
			return err
		}
	}
	for _, name := range x.needs.Known {
		if err := g.known(ctx, name); err != nil {
			return err
		}
	}
	if g.wait() {
		return nil
	}
	if err := i.findEarlier(ctx, f, v); err != nil {
		return err
	}
	v.ready = true
	return nil
}

// gathering is the look for the documents of one export.
type gathering struct {
	flow     *Flow
	locator  *locator
	verdict  *verdict
	complete bool // a done-file says so
	late     bool // nothing more is awaited
	deadline time.Time
	bySource map[string]int // index into verdict.documents
	asked    map[Missing]bool
	awaited  []string
	settling int
	next     time.Time // when the last one settling has settled
}

func (g *gathering) need(ctx context.Context, d Document) error {
	at, code, err := g.locator.locate(ctx, g.verdict.name, d.Name)
	if err != nil {
		return err
	}
	if code != "" {
		g.lacks(d, code)
		return nil
	}
	g.verdict.awaited = append(g.verdict.awaited, at.source)
	s := g.locator.st.seen[at.source]
	switch {
	case g.complete:
	case at.entry.Size == 0 && !g.late:
		g.awaited = append(g.awaited, d.Name)
	case !s.settled(g.flow, g.locator.view.now):
		g.settling++
		if t := s.settledAt(g.flow); t.After(g.next) {
			g.next = t
		}
	}
	g.add(at, d.Name, false)
	return nil
}

// known adds a document that is archived with the drop if it lies there settled.
func (g *gathering) known(ctx context.Context, name string) error {
	at, code, err := g.locator.locate(ctx, g.verdict.name, name)
	if err != nil || code != "" || !at.inDrop || !g.flow.Take {
		return err
	}
	if g.complete || g.locator.st.seen[at.source].settled(g.flow, g.locator.view.now) {
		g.add(at, name, true)
	}
	return nil
}

// add notes a document once, under all the names that rows give it.
func (g *gathering) add(at located, name string, known bool) {
	v := g.verdict
	n, ok := g.bySource[at.source]
	if !ok {
		n = len(v.documents)
		g.bySource[at.source] = n
		v.documents = append(v.documents, Copy{
			File:  File{Source: at.source, Dest: at.dest, Size: at.entry.Size, Modified: at.entry.Modified},
			Take:  g.flow.Take && at.inDrop,
			Known: known,
		})
	}
	for _, other := range v.documents[n].Names {
		if other == name {
			return
		}
	}
	v.documents[n].Names = append(v.documents[n].Names, name)
}

// lacks notes a document that was not found, once for each protocol number.
func (g *gathering) lacks(d Document, code string) {
	m := Missing{Name: d.Name, Protocol: d.Protocol, Code: code}
	if g.asked == nil {
		g.asked = map[Missing]bool{}
	}
	if g.asked[m] {
		return
	}
	g.asked[m] = true
	g.verdict.missing = append(g.verdict.missing, m)
	if code != "C-DOCUMENT-OUTSIDE" { // no waiting brings it
		g.awaited = append(g.awaited, d.Name)
	}
}

// wait decides whether the export has to wait, and says for what.
func (g *gathering) wait() bool {
	v := g.verdict
	switch {
	case len(g.awaited) > 0 && !g.late:
		v.hold(g.flow, "C-DOCUMENTS-AWAITED", g.deadline, "count", strconv.Itoa(len(g.awaited)),
			"first", g.awaited[0], "deadline", g.deadline.In(g.locator.rome).Format("02/01/2006 15:04"))
		v.wait.Missing = g.awaited
	case g.settling > 0:
		v.hold(g.flow, "C-DOCUMENTS-SETTLING", g.next, "count", strconv.Itoa(g.settling))
		v.wait.settling = true
	default:
		return false
	}
	return true
}
