package foldertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"strings"
	"sync"
	"testing"

	"sendconnector/internal/folder"
)

// Damage prevented: two installations claim the same export and both send it.
func renameRace(t *testing.T, f folder.Folder) {
	const rounds, callers = 5, 6
	for round := range rounds {
		name := fmt.Sprintf("in/%d.csv", round)
		Put(t, f, name, "x")
		won := race(t, callers, folder.ErrNotExist, func(n int) error {
			dir := fmt.Sprintf("work/%d-%d", round, n)
			if err := f.Mkdir(context.Background(), dir); err != nil {
				t.Error(err)
			}
			return f.Rename(context.Background(), name, dir+"/a.csv")
		})
		if len(won) != 1 {
			t.Errorf("callers %v all have the file", won)
		}
	}
	if got := Names(t, f, "."); len(got) != rounds {
		t.Errorf("files %q", got)
	}
}

// Damage prevented: two installations take the same batch id.
func createRace(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	if err := f.Create(ctx, "work/b1"); !errors.Is(err, folder.ErrNotExist) {
		t.Errorf("create without the parent: %v, want ErrNotExist", err)
	}
	if err := f.Mkdir(ctx, "work"); err != nil {
		t.Fatal(err)
	}
	won := race(t, 6, folder.ErrExist, func(int) error { return f.Create(ctx, "work/b1") })
	if len(won) != 1 {
		t.Errorf("callers %v all made the folder", won)
	}
	e, err := f.Stat(ctx, "work/b1")
	if err != nil || !e.Dir {
		t.Errorf("%+v, %v", e, err)
	}
}

// race runs callers at once and gives those that succeeded; the others must fail with
// the error want.
func race(t *testing.T, callers int, want error, do func(n int) error) (won []int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for n := range callers {
		wg.Go(func() {
			err := do(n)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won = append(won, n)
			case !errors.Is(err, want):
				t.Errorf("loser got %v, want %v", err, want)
			}
		})
	}
	wg.Wait()
	return won
}

// Damage prevented: a program that reads an outcome file while it is replaced gets
// half of one and half of the other.
func replaceWhileRead(t *testing.T, f folder.Folder) {
	old := strings.Repeat("old", 200_000)
	Put(t, f, "esito.csv", old)
	r, err := f.Open(context.Background(), "esito.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	head := make([]byte, 1000)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	published := Put(t, f, "esito.csv", strings.Repeat("new", 200_000))
	rest, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if string(head)+string(rest) != old {
		t.Error("the reader got a mixture")
	}
	if published.Beside { // Windows does not replace what is open: the new content waits
		r.Close()
		if settled, err := f.Settle(context.Background(), "esito.csv"); err != nil || !settled {
			t.Errorf("settled %v, %v", settled, err)
		}
	}
	if Get(t, f, "esito.csv") == old {
		t.Error("the old content is still there")
	}
}

// Damage prevented: on a server that cannot replace, a new outcome file is lost, or
// there is a moment without one.
func publishWaits(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	Put(t, f, "esito.csv", "first")
	for _, text := range []string{"second", "third"} {
		p := Put(t, f, "esito.csv", text)
		if !p.Beside || p.Name != "esito.nuovo.csv" {
			t.Fatalf("published %+v, want it beside", p)
		}
		if Get(t, f, "esito.csv") != "first" || Get(t, f, "esito.nuovo.csv") != text {
			t.Errorf("%q beside %q", Get(t, f, "esito.nuovo.csv"), Get(t, f, "esito.csv"))
		}
		if settled, err := f.Settle(ctx, "esito.csv"); err != nil || settled {
			t.Errorf("settled %v over a file that is there, %v", settled, err)
		}
	}
	if err := f.Remove(ctx, "esito.csv"); err != nil { // its reader takes it away
		t.Fatal(err)
	}
	if settled, err := f.Settle(ctx, "esito.csv"); err != nil || !settled {
		t.Errorf("settled %v, %v", settled, err)
	}
	if got := Get(t, f, "esito.csv"); got != "third" {
		t.Errorf("got %q, want what waited", got)
	}
	wantNames(t, f, "esito.csv")
}

// Damage prevented: the manifest of a claim, or the mark of a sequence, stays as it
// was for ever because nobody takes it away.
func ownRecords(t *testing.T, f folder.Folder) {
	for n := range 4 {
		text := strings.Repeat("x", n+1)
		if p := Put(t, f, "work/b1/.manifest.json", text); p.Beside {
			t.Errorf("waits at %s", p.Name)
		}
		if got := Get(t, f, "work/b1/.manifest.json"); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	wantNames(t, f, "work/b1/.manifest.json")
	if err := f.Remove(context.Background(), "work/b1/.manifest.json"); err != nil {
		t.Error(err)
	}
	wantNames(t, f)
}

func listFile(t *testing.T, f folder.Folder) {
	Put(t, f, "a.csv", "x")
	if _, err := f.List(context.Background(), "a.csv", false); !errors.Is(err, folder.ErrSpecial) {
		t.Errorf("got %v, want ErrSpecial", err)
	}
}

// Damage prevented: an archive that cannot say when a file came.
func moveKeepsTime(t *testing.T, f folder.Folder) {
	ctx := context.Background()
	Put(t, f, "in/a.csv", "x")
	before, err := f.Stat(ctx, "in/a.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Move(ctx, "in/a.csv", "archive/a.csv"); err != nil {
		t.Fatal(err)
	}
	after, err := f.Stat(ctx, "archive/a.csv")
	if err != nil || !after.Modified.Equal(before.Modified) {
		t.Errorf("time %v became %v, %v", before.Modified, after.Modified, err)
	}
}

// Damage prevented: large files are cut, or mixed up by requests side by side.
func largeFiles(t *testing.T, f folder.Folder) {
	random := rand.New(rand.NewSource(1)) //nolint:gosec // any bytes will do
	for _, size := range []int{0, 1, 32<<10 - 1, 32 << 10, 256 << 10, 256<<10 + 1, 3<<20 + 17} {
		content := make([]byte, size)
		random.Read(content)
		_, err := f.Publish(context.Background(), "grande.pdf", func(w io.Writer) error {
			_, err := io.Copy(w, bytes.NewReader(content))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := Get(t, f, "grande.pdf"); got != string(content) {
			t.Errorf("%d bytes come back as %d others", size, len(got))
		}
		if err := f.Remove(context.Background(), "grande.pdf"); err != nil {
			t.Fatal(err)
		}
	}
}
