package ingest

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"sendconnector/internal/folder"
)

// fold is the form in which two spellings of a file name are one for people: the
// same letters whatever their case and however their accents are composed.
func fold(name string) string { return strings.ToLower(norm.NFC.String(name)) }

// located is a document that was found.
type located struct {
	source string // path below the flow's root
	dest   string // path below the batch's folder in the archive
	entry  folder.Entry
	inDrop bool // below in/, so that it may be taken
}

// relative gives the name of a document in a row as a path; false if it leads out.
// Programs of Windows write back-slashes.
func relative(dir, name string) (string, bool) {
	name = strings.ReplaceAll(strings.TrimSpace(name), `\`, "/")
	if name == "" || strings.HasPrefix(name, "/") || strings.Contains(name, ":") {
		return "", false
	}
	clean := path.Join(dir, name)
	return clean, fs.ValidPath(clean) && clean != "."
}

// locator finds documents for one pass: beside the export first, then in the
// documents folder, which is listed only when it is asked.
type locator struct {
	rome      *time.Location
	flow      *Flow
	view      *view
	st        *state
	documents *index
}

// index finds names by their exact form, and else by their folded one.
type index struct {
	files  map[string]folder.Entry
	folded map[string][]string
}

func (x *index) find(name string) (found string, ambiguous bool) {
	if _, ok := x.files[name]; ok {
		return name, false
	}
	if x.folded == nil {
		x.folded = make(map[string][]string, len(x.files))
		for n := range x.files {
			x.folded[fold(n)] = append(x.folded[fold(n)], n)
		}
	}
	same := x.folded[fold(name)]
	switch len(same) {
	case 0:
		return "", false
	case 1:
		return same[0], false
	}
	want := norm.NFC.String(name)
	for _, n := range same {
		if norm.NFC.String(n) == want {
			if found != "" {
				return "", true
			}
			found = n
		}
	}
	return found, found == ""
}

// locate finds a document of the export. code is "" if it was found, else what is
// wrong: C-DOCUMENT-MISSING, -AMBIGUOUS or -OUTSIDE.
func (l *locator) locate(ctx context.Context, export, name string) (d located, code string, err error) {
	beside, ok := relative(path.Dir(export), name)
	if ok {
		x := &index{files: l.view.files, folded: l.view.folded}
		found, ambiguous := x.find(beside)
		l.view.folded = x.folded
		switch {
		case ambiguous:
			return d, "C-DOCUMENT-AMBIGUOUS", nil
		case found != "" && found != export:
			e := l.view.files[found]
			return located{source: e.Name, dest: found, entry: e, inDrop: true}, "", nil
		}
	}
	within, valid := relative(".", name)
	if l.flow.DocumentsDir == "" || !valid {
		if !ok && !valid {
			return d, "C-DOCUMENT-OUTSIDE", nil
		}
		return d, "C-DOCUMENT-MISSING", nil
	}
	return l.locateInDocuments(ctx, within)
}

// brought reports whether a file lies there that one of the missing names, being a
// pattern, would match: then Content, which remembers only that there was none, has
// to be asked again.
func (l *locator) brought(export string, missing []string) bool {
	for _, name := range missing {
		if !strings.ContainsAny(name, "*?[") {
			continue
		}
		pattern, ok := relative(path.Dir(export), name)
		if !ok {
			continue
		}
		pattern = fold(pattern)
		for file := range l.view.files {
			if matched, err := path.Match(pattern, fold(file)); matched && err == nil {
				return true
			}
		}
	}
	return false
}

func (l *locator) locateInDocuments(ctx context.Context, name string) (d located, code string, err error) {
	if l.documents == nil {
		if l.documents, err = l.listDocuments(ctx); err != nil {
			return d, "", err
		}
	}
	found, ambiguous := l.documents.find(name)
	if ambiguous {
		return d, "C-DOCUMENT-AMBIGUOUS", nil
	}
	if found == "" {
		return d, "C-DOCUMENT-MISSING", nil
	}
	e := l.documents.files[found]
	l.st.observe(e, l.view.now)
	return located{source: e.Name, dest: path.Join("documents", found), entry: e}, "", nil
}

func (l *locator) listDocuments(ctx context.Context) (*index, error) {
	x := &index{files: map[string]folder.Entry{}}
	all, err := l.flow.Folder.List(ctx, l.flow.DocumentsDir, true)
	if err != nil && !errors.Is(err, folder.ErrNotExist) {
		return nil, err
	}
	for _, e := range all {
		name := strings.TrimPrefix(e.Name, l.flow.DocumentsDir+"/")
		if !e.Dir && !e.Special && !folder.Temporary(name) {
			x.files[name] = e
		}
	}
	return x, nil
}
