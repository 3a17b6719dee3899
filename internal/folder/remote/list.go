package remote

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"sendconnector/internal/folder"
)

// List implements folder.Folder: one reading of each folder, and no look at single
// files, so that a hundred thousand of them are workable.
func (f *Folder) List(ctx context.Context, dir string, deep bool) ([]folder.Entry, error) {
	if err := checkName("list", dir); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := f.listable(ctx, dir); err != nil {
		return nil, f.missing(ctx, "list", err)
	}
	var all []folder.Entry
	if err := f.list(ctx, dir, deep, 0, &all); err != nil {
		return nil, f.missing(ctx, "list", err)
	}
	slices.SortFunc(all, func(a, b folder.Entry) int { return strings.Compare(a.Name, b.Name) })
	// Some servers list a file twice, when it changes while they list.
	return slices.CompactFunc(all, func(a, b folder.Entry) bool { return a.Name == b.Name }), nil
}

// listable tells a file from a missing folder, as far as that costs nothing.
func (f *Folder) listable(ctx context.Context, dir string) error {
	_, err := f.isDir(ctx, "list", dir)
	if !errors.Is(err, folder.ErrNotExist) || dir == "." {
		return err
	}
	if e, _, look := f.entry(ctx, dir); look == nil && !e.Dir {
		return &folder.Error{Op: "list", Name: dir, Kind: folder.ErrSpecial}
	}
	return err
}

// Bounds of a listing. A drop has neither; a folder that leads back to one above it
// (a junction, a mount) has no end.
const (
	mostDeep    = 64
	mostPeriods = 30 // of ProgressTimeout, for one folder
)

// mostEntries counts names; see nameBytes. A variable for tests.
var mostEntries = 1_000_000

var errEndless = errors.New("more folders below each other, or more files, than a drop has: does one lead back to another?")

func (f *Folder) list(ctx context.Context, dir string, deep bool, depth int, all *[]folder.Entry) error {
	if depth > mostDeep || len(*all) > mostEntries {
		return endless(dir)
	}
	found, err := f.readDir(ctx, dir, mostEntries-len(*all), mostPeriods)
	if err != nil {
		return fail("list", dir, err)
	}
	var below []string
	for _, info := range found {
		// "." is what is left of a name that is empty or all slashes.
		if name := info.Name(); name == "." || name == ".." || name == "/" {
			continue
		}
		e := f.entryOf(path.Join(dir, info.Name()), info)
		*all = append(*all, e)
		if e.Dir {
			f.remember(e.Name, info.Mode())
			below = append(below, e.Name)
		}
	}
	if !deep {
		return nil
	}
	slices.Sort(below)
	for _, name := range slices.Compact(below) {
		err := f.list(ctx, name, true, depth+1, all)
		if err != nil && !errors.Is(err, folder.ErrNotExist) {
			return err
		}
	}
	return nil
}
