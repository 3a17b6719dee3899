package ingest

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sendconnector/internal/folder"
)

// seen is what we know of a file by having looked at it ourselves; times that a
// file carries come from elsewhere and prove nothing.
type seen struct {
	size     int64
	modified time.Time
	first    time.Time // with this size and time
	since    time.Time // with any
	pass     uint64    // last pass that saw it

	// blocked keeps a file that could not be taken from being tried at every pass.
	blocked string // C-… code
	until   time.Time

	said said // why it waited last
}

// said is a reason in words, kept because thousands of files wait for the same one
// pass after pass.
type said struct {
	code string
	args []string
	text string
}

// say gives the text of a code for this file.
func (s *seen) say(f *Flow, code string, args []string) string {
	if s.said.code != code || !slices.Equal(s.said.args, args) {
		s.said = said{code, slices.Clone(args), f.problem(code, "", args...).Message}
	}
	return s.said.text
}

// retryAfter is how long a file rests that could not be examined or claimed.
const retryAfter = time.Minute

func (s *seen) block(code string, now time.Time) { s.blocked, s.until = code, now.Add(retryAfter) }

// observe notes an entry, keyed by its path below the flow's root.
func (st *state) observe(e folder.Entry, now time.Time) *seen {
	s := st.seen[e.Name]
	switch {
	case s == nil:
		s = &seen{size: e.Size, modified: e.Modified, first: now, since: now}
		st.seen[e.Name] = s
	case s.size != e.Size || !s.modified.Equal(e.Modified):
		s.size, s.modified, s.first, s.blocked = e.Size, e.Modified, now, ""
	case s.first.After(now) || s.since.After(now):
		// The clock was set back: waiting for the old time could take for ever.
		s.first, s.since = now, now
	}
	s.pass = st.pass
	return s
}

// settledAt is when the file counts as complete if it does not change.
func (s *seen) settledAt(f *Flow) time.Time { return s.first.Add(f.Settle) }

func (s *seen) settled(f *Flow, now time.Time) bool { return !now.Before(s.settledAt(f)) }

// view is one listing of in/, sorted into what files are.
type view struct {
	now       time.Time
	prefix    string                  // in/
	files     map[string]folder.Entry // regular files that may be documents, by name relative to in/
	exports   []string                // names relative to in/, in order
	done      map[string]string       // export → done-file
	releases  []string
	others    []string          // regular files that are nothing of the above
	temporary []string          // names never taken
	special   []string          // links and devices
	marks     map[string]string // file that a program has open → its mark, e.g. ~$a.xlsx
	folded    map[string][]string
}

// scan lists the drop. A missing in/ is made: then there is nothing to lose by it,
// because a root that is gone is another error.
func (i *Ingest) scan(ctx context.Context, f *Flow, st *state, now time.Time) (*view, error) {
	all, err := f.Folder.List(ctx, f.in(), true)
	if errors.Is(err, folder.ErrNotExist) {
		err = f.Folder.Mkdir(ctx, f.in())
	}
	if err != nil {
		return nil, err
	}
	v := &view{
		now: now, prefix: f.in() + "/", files: make(map[string]folder.Entry, len(all)),
		done: map[string]string{}, marks: map[string]string{},
	}
	for _, e := range all {
		if !e.Dir {
			v.sort(f, st, e)
		}
	}
	// A done-file is one only beside its export; otherwise it is a file like others.
	if f.DoneSuffix != "" {
		v.pairDoneFiles(f)
	}
	return v, nil
}

// sort puts one entry where it belongs.
func (v *view) sort(f *Flow, st *state, e folder.Entry) {
	name := strings.TrimPrefix(e.Name, v.prefix)
	if opened, ok := openMark(name); ok {
		for _, o := range opened {
			v.marks[o] = path.Base(name)
		}
		return
	}
	if litter(name) {
		return
	}
	st.observe(e, v.now)
	switch {
	case e.Special:
		v.special = append(v.special, name)
		return
	case folder.Temporary(name):
		v.temporary = append(v.temporary, name)
		return
	}
	v.files[name] = e
	switch {
	case strings.HasSuffix(strings.ToLower(name), ReleaseSuffix):
		v.releases = append(v.releases, name)
	case f.matches(name):
		v.exports = append(v.exports, name)
	default:
		v.others = append(v.others, name)
	}
}

// pairDoneFiles takes the done-files out of the others.
func (v *view) pairDoneFiles(f *Flow) {
	rest := v.others[:0]
	suffix := strings.ToLower(f.DoneSuffix)
	exports := make(map[string]string, 2*len(v.exports)) // programs do not agree on case
	for _, name := range v.exports {
		exports[fold(name)] = name
	}
	for _, name := range v.exports {
		exports[name] = name
	}
	for _, name := range v.others {
		lower := strings.ToLower(name)
		if !strings.HasSuffix(lower, suffix) {
			rest = append(rest, name)
			continue
		}
		stem := name[:len(name)-len(suffix)]
		export := exports[stem]
		if export == "" {
			export = exports[fold(stem)]
		}
		if export == "" {
			rest = append(rest, name)
			continue
		}
		v.done[export] = name
	}
	v.others = rest
}

// openMark tells which files a program has open, by the owner file that it leaves
// beside them: Excel "~$name", Word without the first two letters of a long name,
// LibreOffice ".~lock.name#".
func openMark(name string) ([]string, bool) {
	dir, base := path.Split(name)
	if rest, ok := strings.CutPrefix(base, "~$"); ok {
		return []string{dir + rest}, true
	}
	if rest, ok := strings.CutPrefix(base, ".~lock."); ok {
		if rest, ok = strings.CutSuffix(rest, "#"); ok {
			return []string{dir + rest}, true
		}
	}
	return nil, false
}

// litter is what systems leave in folders by themselves; nobody dropped it.
func litter(name string) bool {
	base := strings.ToLower(path.Base(name))
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || base == "thumbs.db" || base == "desktop.ini"
}

// nameFault says why a file's name cannot be used, "" if it can. Names of outcome
// files are made from it, with some fifty bytes more, and file systems end at 255.
func (f *Flow) nameFault(name string) string {
	it, en := "", ""
	switch {
	case !utf8.ValidString(name):
		it, en = "i suoi caratteri non sono UTF-8", "its characters are not UTF-8"
	case strings.ContainsRune(name, '\\'):
		it, en = `contiene \`, `it holds \`
	case strings.ContainsFunc(name, unicode.IsControl):
		it, en = "contiene un a capo o un altro carattere invisibile", "it holds a line break or another invisible character"
	case len(path.Base(name)) > maxName:
		it, en = "è troppo lungo: al massimo "+strconv.Itoa(maxName)+" byte", "it is too long: "+strconv.Itoa(maxName)+" bytes at most"
	}
	if f.Lang == "en" {
		return en
	}
	return it
}

const maxName = 180
