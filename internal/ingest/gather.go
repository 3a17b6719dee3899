package ingest

import (
	"context"
	"strconv"
	"time"
)

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
	for _, d := range x.needs.Rejected {
		if err := g.unsent(ctx, d); err != nil {
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
	default:
		g.settles(s)
	}
	g.add(at, d.Name, false, g.flow.Take)
	return nil
}

// settles counts a document that is there but not settled.
func (g *gathering) settles(s *seen) {
	if s.settled(g.flow, g.locator.view.now) {
		return
	}
	g.settling++
	if t := s.settledAt(g.flow); t.After(g.next) {
		g.next = t
	}
}

// unsent looks for a document of a row that will not be sent. What lies there is
// copied, so that the row is told all that is wrong with it, and left in in/, where
// the corrected file finds it; what does not is not awaited.
func (g *gathering) unsent(ctx context.Context, d Document) error {
	at, code, err := g.locator.locate(ctx, g.verdict.name, d.Name)
	if err != nil {
		return err
	}
	if code != "" {
		g.verdict.missing = append(g.verdict.missing, Missing{Name: d.Name, Protocol: d.Protocol, Code: code, Unsent: true})
		return nil
	}
	if !g.late {
		g.settles(g.locator.st.seen[at.source])
	}
	g.add(at, d.Name, false, false)
	return nil
}

// known adds a document that is archived with the drop if it lies there settled.
func (g *gathering) known(ctx context.Context, name string) error {
	at, code, err := g.locator.locate(ctx, g.verdict.name, name)
	if err != nil || code != "" || !at.inDrop || !g.flow.Take {
		return err
	}
	if g.complete || g.locator.st.seen[at.source].settled(g.flow, g.locator.view.now) {
		g.add(at, name, true, g.flow.Take)
	}
	return nil
}

// add notes a document once, under all the names that rows give it. known says that
// its bytes are not needed, take that it goes with the drop.
func (g *gathering) add(at located, name string, known, take bool) {
	v := g.verdict
	n, ok := g.bySource[at.source]
	if !ok {
		n = len(v.documents)
		g.bySource[at.source] = n
		v.documents = append(v.documents, Copy{
			File:  File{Source: at.source, Dest: at.dest, Size: at.entry.Size, Modified: at.entry.Modified},
			Take:  take && at.inDrop,
			Known: known,
		})
	}
	v.documents[n].Known = v.documents[n].Known && known
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
