// Package foldertest is what every folder.Folder must do, as a test that each
// implementation runs. It exists so that ingest and outbox can trust a folder on a
// server as they trust one of this machine. It keeps no state.
package foldertest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sendconnector/internal/folder"
)

// Conformance runs the suite; fresh gives an empty folder for each test.
func Conformance(t *testing.T, fresh func(t *testing.T) folder.Folder) {
	conform(t, fresh, append([]test{
		{"publish is whole or nothing", publishWhole},
		{"waiting content takes its place", settle},
		{"replace while it is read", replaceWhileRead},
	}, everywhere...))
}

// ConformanceWithoutReplacing is the suite for folders on servers that cannot replace
// a file in one step. There new content waits beside the old until that has been taken
// away; the connector's own records are replaced all the same.
func ConformanceWithoutReplacing(t *testing.T, fresh func(t *testing.T) folder.Folder) {
	conform(t, fresh, append([]test{
		{"publish waits beside what cannot be replaced", publishWaits},
	}, everywhere...))
}

type test struct {
	name string
	run  func(*testing.T, folder.Folder)
}

// everywhere is what must hold on every system and server.
var everywhere = []test{
	{"publish failing keeps the old content", publishFailing},
	{"publish makes folders", publishMakesFolders},
	{"publish from many sides", publishConcurrently},
	{"own records are replaced", ownRecords},
	{"a listing is sorted and complete", listing},
	{"a missing folder is not an empty one", listMissing},
	{"a file is no folder", listFile},
	{"rename never overwrites", renameNeverOverwrites},
	{"rename of a missing file", renameMissing},
	{"one of many renames wins", renameRace},
	{"one of many creates wins", createRace},
	{"move onto the same content is done", moveOntoSame},
	{"move onto other content changes nothing", moveOntoOther},
	{"move keeps the time", moveKeepsTime},
	{"names that lead out are refused", namesThatLeadOut},
	{"names of people", namesOfPeople},
	{"remove twice", removeTwice},
	{"remove spares what is inside", removeSparesContent},
	{"mkdir twice", mkdirTwice},
	{"open takes files only", openTakesFiles},
	{"large files", largeFiles},
	{"tidy takes leftovers only", tidy},
	{"a cancelled context does nothing", cancelled},
}

func conform(t *testing.T, fresh func(t *testing.T) folder.Folder, tests []test) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := fresh(t)
			t.Cleanup(func() {
				if err := f.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test.run(t, f)
		})
	}
}

// TempDir is t.TempDir for tests that also run on Windows stand-ins (Wine), which
// lack the call that the testing package cleans up with.
func TempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "folder")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { RemoveAll(t, dir) })
	return dir
}

// RemoveAll is os.RemoveAll for the same tests.
func RemoveAll(t testing.TB, dir string) {
	t.Helper()
	var all []string
	_ = filepath.WalkDir(dir, func(name string, _ fs.DirEntry, _ error) error {
		all = append(all, name)
		return nil
	})
	for _, name := range slices.Backward(all) {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("removing: %v", err)
		}
	}
}

// Put publishes text under name, failing the test if it cannot.
func Put(t testing.TB, f folder.Folder, name, text string) folder.Published {
	t.Helper()
	p, err := f.Publish(context.Background(), name, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
	if err != nil {
		t.Fatalf("publish %q: %v", name, err)
	}
	return p
}

// Get reads name, failing the test if it cannot.
func Get(t testing.TB, f folder.Folder, name string) string {
	t.Helper()
	r, err := f.Open(context.Background(), name)
	if err != nil {
		t.Fatalf("open %q: %v", name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read %q: %v", name, err)
	}
	return string(b)
}

// Names lists every file below dir.
func Names(t testing.TB, f folder.Folder, dir string) []string {
	t.Helper()
	all, err := f.List(context.Background(), dir, true)
	if err != nil {
		t.Fatalf("list %q: %v", dir, err)
	}
	var names []string
	for _, e := range all {
		if !e.Dir {
			names = append(names, e.Name)
		}
	}
	return names
}

// Damage prevented: a legacy program reads half an outcome file.
func publishWhole(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	text := strings.Repeat("riga;òàù\r\n", 20_000)
	Put(t, f, "stato.csv", "old")
	p, err := f.Publish(ctx, "stato.csv", func(w io.Writer) error {
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		if got := Get(t, f, "stato.csv"); got != "old" {
			return errors.New("new content visible before it was complete")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(text))
	want := folder.Published{Name: "stato.csv", Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}
	if p != want {
		t.Errorf("published %+v, want %+v", p, want)
	}
	if Get(t, f, "stato.csv") != text {
		t.Error("content differs")
	}
	wantNames(t, f, "stato.csv")
}

// Damage prevented: a full disk or a bug in a writer destroys the last good file.
func publishFailing(t *testing.T, f folder.Folder) {
	Put(t, f, "esito.csv", "good")
	broken := errors.New("broken")
	_, err := f.Publish(context.Background(), "esito.csv", func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v does not carry the writer's", err)
	}
	if got := Get(t, f, "esito.csv"); got != "good" {
		t.Errorf("content %q, want the old one", got)
	}
	wantNames(t, f, "esito.csv")
}

func publishMakesFolders(t *testing.T, f folder.Folder) {
	Put(t, f, "documenti/b1/p 1/atto.pdf", "x")
	if got := Get(t, f, "documenti/b1/p 1/atto.pdf"); got != "x" {
		t.Errorf("got %q", got)
	}
}

// Damage prevented: two workers that publish at once mix their bytes.
func publishConcurrently(t *testing.T, f folder.Folder) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			text := strings.Repeat(fmt.Sprint(i), 10_000)
			_, err := f.Publish(context.Background(), fmt.Sprintf("dir/%d.csv", i), func(w io.Writer) error {
				_, err := io.WriteString(w, text)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range 8 {
		if Get(t, f, fmt.Sprintf("dir/%d.csv", i)) != strings.Repeat(fmt.Sprint(i), 10_000) {
			t.Errorf("file %d is mixed", i)
		}
	}
}

func listing(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	for _, name := range []string{"b.csv", "a.csv", "sub/c.pdf", "sub/deep/d.pdf"} {
		Put(t, f, name, name)
	}
	flat, err := f.List(ctx, ".", false)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range flat {
		got = append(got, fmt.Sprintf("%s %d %v", e.Name, e.Size, e.Dir))
		if !e.Dir && e.Modified.IsZero() {
			t.Errorf("%s has no time", e.Name)
		}
	}
	if want := "[a.csv 5 false b.csv 5 false sub 0 true]"; fmt.Sprint(got) != want {
		t.Errorf("flat: %v, want %v", got, want)
	}
	wantNames(t, f, "a.csv", "b.csv", "sub/c.pdf", "sub/deep/d.pdf")
	below, err := f.List(ctx, "sub", true)
	if err != nil {
		t.Fatal(err)
	}
	if len(below) != 3 || below[0].Name != "sub/c.pdf" || below[1].Name != "sub/deep" {
		t.Errorf("below sub: %v", below)
	}
}

// Damage prevented: a share that is not mounted is taken for a drop without files.
func listMissing(t *testing.T, f folder.Folder) {
	if _, err := f.List(context.Background(), "in", true); !errors.Is(err, folder.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

// Damage prevented: an archive loses a file to another of the same name.
func renameNeverOverwrites(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	Put(t, f, "in/a.csv", "new")
	Put(t, f, "archive/a.csv", "old")
	if err := f.Rename(ctx, "in/a.csv", "archive/a.csv"); !errors.Is(err, folder.ErrExist) {
		t.Errorf("got %v, want ErrExist", err)
	}
	if Get(t, f, "in/a.csv") != "new" || Get(t, f, "archive/a.csv") != "old" {
		t.Error("a refused rename changed something")
	}
	if err := f.Rename(ctx, "in/a.csv", "archive/b.csv"); err != nil {
		t.Error(err)
	}
	wantNames(t, f, "archive/a.csv", "archive/b.csv")
	for _, dir := range []string{"in", "archive"} {
		if err := f.Sync(ctx, dir); err != nil {
			t.Errorf("sync %s: %v", dir, err)
		}
	}
}

func renameMissing(t *testing.T, f folder.Folder) {
	if err := f.Rename(context.Background(), "a.csv", "b.csv"); !errors.Is(err, folder.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

// Damage prevented: a move that a crash interrupted fails for ever after.
func moveOntoSame(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	Put(t, f, "work/a.pdf", "bytes")
	Put(t, f, "archive/2026/11/a.pdf", "bytes")
	if err := f.Move(ctx, "work/a.pdf", "archive/2026/11/a.pdf"); err != nil {
		t.Fatal(err)
	}
	wantNames(t, f, "archive/2026/11/a.pdf")
	Put(t, f, "work/b.pdf", "other")
	if err := f.Move(ctx, "work/b.pdf", "archive/2027/b.pdf"); err != nil {
		t.Errorf("move into a folder not there yet: %v", err)
	}
	wantNames(t, f, "archive/2026/11/a.pdf", "archive/2027/b.pdf")
}

func moveOntoOther(t *testing.T, f folder.Folder) {
	Put(t, f, "work/a.pdf", "new")
	Put(t, f, "archive/a.pdf", "old")
	if err := f.Move(context.Background(), "work/a.pdf", "archive/a.pdf"); !errors.Is(err, folder.ErrExist) {
		t.Errorf("got %v, want ErrExist", err)
	}
	if Get(t, f, "work/a.pdf") != "new" || Get(t, f, "archive/a.pdf") != "old" {
		t.Error("a refused move changed something")
	}
}

// Damage prevented: a row's document name reads or writes outside the drop.
func namesThatLeadOut(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	Put(t, f, "in/a.csv", "x")
	for _, name := range []string{"../a.csv", "/a.csv", "in/../../a.csv", "", "in//a.csv", "./a.csv", "a\x00.csv"} {
		_, openErr := f.Open(ctx, name)
		_, statErr := f.Stat(ctx, name)
		_, publishErr := f.Publish(ctx, name, func(io.Writer) error { return nil })
		renameErr := f.Rename(ctx, "in/a.csv", name)
		removeErr := f.Remove(ctx, name)
		for op, err := range map[string]error{
			"open": openErr, "stat": statErr, "publish": publishErr, "rename": renameErr, "remove": removeErr,
		} {
			if !errors.Is(err, folder.ErrName) {
				t.Errorf("%s %q: got %v, want ErrName", op, name, err)
			}
		}
	}
	wantNames(t, f, "in/a.csv")
}

// Damage prevented: accents, apostrophes and long names of real offices.
func namesOfPeople(t *testing.T, f folder.Folder) {
	long := strings.Repeat("avviso di accertamento ", 9) + ".pdf"
	for _, name := range []string{"Società d'Àosta – elenco n° 1.csv", "perche\u0301.pdf", "ΑΒΓ.csv", long, "a/" + long} {
		Put(t, f, name, name)
		if got := Get(t, f, name); got != name {
			t.Errorf("%q reads as %q", name, got)
		}
		e, err := f.Stat(context.Background(), name)
		if err != nil || e.Name != name || e.Size != int64(len(name)) {
			t.Errorf("stat %q: %+v, %v", name, e, err)
		}
	}
}

func removeTwice(t *testing.T, f folder.Folder) {
	Put(t, f, "a.csv", "x")
	for range 2 {
		if err := f.Remove(context.Background(), "a.csv"); err != nil {
			t.Error(err)
		}
	}
	wantNames(t, f)
}

func removeSparesContent(t *testing.T, f folder.Folder) {
	Put(t, f, "work/b1/a.csv", "x")
	if err := f.Remove(context.Background(), "work/b1"); !errors.Is(err, folder.ErrExist) {
		t.Errorf("removing a folder with content: got %v, want ErrExist", err)
	}
	wantNames(t, f, "work/b1/a.csv")
}

func mkdirTwice(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	for range 2 {
		if err := f.Mkdir(ctx, "archive/2026/11"); err != nil {
			t.Error(err)
		}
	}
	e, err := f.Stat(ctx, "archive/2026/11")
	if err != nil || !e.Dir {
		t.Errorf("%+v, %v", e, err)
	}
	Put(t, f, "file", "x")
	if err := f.Mkdir(ctx, "file"); !errors.Is(err, folder.ErrExist) {
		t.Errorf("mkdir over a file: got %v, want ErrExist", err)
	}
}

func openTakesFiles(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	if err := f.Mkdir(ctx, "dir"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open(ctx, "dir"); !errors.Is(err, folder.ErrSpecial) {
		t.Errorf("open of a folder: got %v, want ErrSpecial", err)
	}
	if _, err := f.Open(ctx, "none"); !errors.Is(err, folder.ErrNotExist) {
		t.Errorf("open of nothing: got %v, want ErrNotExist", err)
	}
}

// Damage prevented: leftovers of a crash fill the folder, or a tidying hand takes
// somebody else's file or one that is just being written.
func tidy(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	Put(t, f, "out/.connector-0123456789abcdef.tmp", "left")
	Put(t, f, "out/sub/.connector-00000000000000aa.tmp", "left")
	Put(t, f, "out/theirs.tmp", "kept")
	Put(t, f, "out/esito.csv", "kept")
	_, err := f.Publish(ctx, "out/now.csv", func(w io.Writer) error {
		removed, err := f.Tidy(ctx, "out")
		if removed != 2 {
			t.Errorf("removed %d, want 2", removed)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	wantNames(t, f, "out/esito.csv", "out/now.csv", "out/theirs.tmp")
}

// Damage prevented: an update that waited because Excel held the file is lost, or
// an old one that waited replaces a newer.
func settle(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	Put(t, f, "esito.nuovo.csv", "second")
	Put(t, f, "esito.csv", "first")
	if got := Get(t, f, "esito.csv"); got != "first" {
		t.Errorf("got %q, want the latest publication", got)
	}
	Put(t, f, "esito.nuovo.csv", "third")
	settled, err := f.Settle(ctx, "esito.csv")
	if err != nil || !settled {
		t.Errorf("settle: %v, %v", settled, err)
	}
	if got := Get(t, f, "esito.csv"); got != "third" {
		t.Errorf("got %q, want what waited", got)
	}
	wantNames(t, f, "esito.csv")
	if settled, err := f.Settle(ctx, "esito.csv"); err != nil || !settled {
		t.Errorf("nothing waits: %v, %v", settled, err)
	}
}

func cancelled(t *testing.T, f folder.Folder) {
	Put(t, f, "a.csv", "x")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, listErr := f.List(ctx, ".", true)
	_, publishErr := f.Publish(ctx, "b.csv", func(io.Writer) error { return nil })
	for op, err := range map[string]error{
		"list": listErr, "publish": publishErr,
		"rename": f.Rename(ctx, "a.csv", "c.csv"), "remove": f.Remove(ctx, "a.csv"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", op, err)
		}
	}
	wantNames(t, f, "a.csv")
}

func wantNames(t *testing.T, f folder.Folder, want ...string) {
	t.Helper()
	if got := Names(t, f, "."); !slices.Equal(got, want) {
		t.Errorf("files: %q, want %q", got, want)
	}
}
