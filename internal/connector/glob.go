package connector

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// glob lists the documents that match a pattern of the profile, beside the export
// and, if there are none, in the documents folder of the flow: where documents that
// are given by name are looked for too. Folders are listed once, so that all rows of
// an export see the same files.
func (f *flow) glob(export string) func(string) ([]string, error) {
	places := f.listings(filepath.Dir(export))
	return func(pattern string) ([]string, error) {
		for _, l := range places {
			if found, err := l.glob(pattern); err != nil || len(found) > 0 {
				return found, err
			}
		}
		return nil, nil
	}
}

// listings are the places where documents of an export in dir are looked for.
func (f *flow) listings(dir string) []*listing {
	places := []*listing{newListing(dir)}
	if f.cfg.Documents.Folder != "" {
		places = append(places, newListing(f.cfg.Documents.Folder))
	}
	return places
}

// listing remembers what the folders below root hold.
type listing struct {
	root string
	dirs map[string][]entry
}

// entry is a file or folder under the name that people would call the same.
type entry struct {
	name, folded string
	dir          bool
}

// folded is the form in which two spellings of a file name are one for people. A
// pattern that told them apart would leave out "ALLEGATO.PDF" where "*.pdf" is asked
// for, and the notification would go without it.
func folded(name string) string { return strings.ToLower(norm.NFC.String(name)) }

func newListing(root string) *listing { return &listing{root: root, dirs: map[string][]entry{}} }

// glob gives the files that match, sorted, relative to the root. Temporary names never
// match.
func (l *listing) glob(pattern string) ([]string, error) {
	if !notification.SafeRelative(strings.NewReplacer("*", "x", "?", "x", "[", "x", "]", "x").Replace(pattern)) {
		return nil, nil
	}
	found := []string{""}
	segments := strings.Split(folded(pattern), "/")
	for i, segment := range segments {
		var next []string
		for _, dir := range found {
			entries, err := l.list(dir)
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				ok, err := path.Match(segment, e.folded)
				if err != nil {
					return nil, err
				}
				if ok && e.dir == (i < len(segments)-1) {
					next = append(next, path.Join(dir, e.name))
				}
			}
		}
		found = next
	}
	slices.Sort(found)
	return found, nil
}

// spelt is the name under which the file lies there, where only case or the form of
// accents differ; otherwise the name as it is.
func (l *listing) spelt(name string) string {
	if _, err := os.Lstat(filepath.Join(l.root, filepath.FromSlash(name))); err == nil || strings.ContainsAny(name, "*?[") {
		return name
	}
	if found, err := l.glob(name); err == nil && len(found) == 1 {
		return found[0]
	}
	return name
}

// list is what a folder holds; one that is not there holds nothing.
func (l *listing) list(dir string) ([]entry, error) {
	if known, ok := l.dirs[dir]; ok {
		return known, nil
	}
	all, err := os.ReadDir(filepath.Join(l.root, filepath.FromSlash(dir)))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	entries := make([]entry, 0, len(all))
	for _, e := range all {
		if !folder.Temporary(e.Name()) {
			entries = append(entries, entry{name: e.Name(), folded: folded(e.Name()), dir: e.IsDir()})
		}
	}
	l.dirs[dir] = entries
	return entries, nil
}

// spoolGlob does the same among the private copies of a batch, so that a batch read
// again sees the documents it was claimed with.
func spoolGlob(b *ledger.Batch) func(string) ([]string, error) {
	names := make([]entry, len(b.Spool))
	for i, s := range b.Spool {
		names[i] = entry{name: s.Name, folded: folded(s.Name)}
	}
	return func(pattern string) ([]string, error) {
		var found []string
		want := folded(pattern)
		for _, e := range names {
			if ok, err := path.Match(want, e.folded); err != nil {
				return nil, err
			} else if ok {
				found = append(found, e.name)
			}
		}
		slices.Sort(found)
		return slices.Compact(found), nil
	}
}
