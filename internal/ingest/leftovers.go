package ingest

import (
	"path"
	"strconv"
	"strings"
	"time"
)

// maxLeftovers is how many files nobody takes are told of one by one for each reason.
// A folder of a hundred thousand photographs must not become as many records and lines.
const maxLeftovers = 100

// leftovers gives every other file in the drop its reason; above maxLeftovers of one
// reason the rest is one line with a count.
func (p *pass) leftovers(view *view, verdicts []*verdict) {
	defer p.rests()
	for _, v := range verdicts {
		for _, source := range v.awaited {
			p.held[strings.TrimPrefix(source, view.prefix)] = true
		}
	}
	for _, name := range view.special {
		p.leave(view, name, "C-FILE-LINK")
	}
	for _, name := range view.temporary {
		if p.age(view, name) > 24*time.Hour {
			p.leave(view, name, "C-FILE-TEMPORARY")
		}
	}
	for _, name := range view.others {
		if !p.held[name] {
			p.other(view, name)
		}
	}
}

func (p *pass) other(view *view, name string) {
	lower := strings.ToLower(name)
	suffix := strings.ToLower(p.f.DoneSuffix)
	switch {
	case suffix != "" && strings.HasSuffix(lower, suffix):
		export := path.Base(name[:len(name)-len(suffix)])
		p.leave(view, name, "C-DONE-ALONE", "export", export)
	case document(lower):
		inDocuments := p.f.DocumentsDir != "" && strings.HasPrefix(view.prefix+name, p.f.DocumentsDir+"/")
		// Documents may come before their export, and copied ones stay for ever.
		if p.f.Take && !inDocuments && p.age(view, name) > grace(p.f) {
			p.leave(view, name, "C-DOCUMENT-UNNAMED")
		}
	default:
		p.leave(view, name, "C-FILE-UNKNOWN", "match", strings.Join(p.f.patterns(), " "))
	}
}

// document reports whether a name looks like an attachment.
func document(lower string) bool {
	switch path.Ext(lower) {
	case ".pdf", ".json", ".p7m":
		return true
	}
	return false
}

// age is how long a file has been there, for reasons that only inform: its own time
// counts too, because a `once` has no memory of files that nobody waited for.
func (p *pass) age(view *view, name string) time.Duration {
	s := p.st.seen[view.prefix+name]
	if s.modified.Before(s.since) {
		return p.now.Sub(s.modified)
	}
	return p.now.Sub(s.since)
}

func (p *pass) leave(view *view, name, code string, args ...string) {
	if p.left[code]++; p.left[code] > maxLeftovers {
		return
	}
	s := p.st.seen[view.prefix+name]
	w := waitingFor(name, s)
	w.Code, w.Text = code, s.say(p.f, code, args)
	p.report.add(w)
}

// rests adds the lines for the files beyond maxLeftovers. Their names begin with what
// no file of ours may: they are no files.
func (p *pass) rests() {
	for code, n := range p.left {
		if n <= maxLeftovers {
			continue
		}
		count := strconv.Itoa(n - maxLeftovers)
		w := Waiting{File: "* " + code, Code: code, Text: p.f.problem("C-FILE-MORE", "", "count", count).Message, Since: p.now}
		if old := p.st.saved[w.File]; old != nil {
			w.Since = old.Since
		}
		w.first = w.Since
		p.report.add(w)
	}
}
