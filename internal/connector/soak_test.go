package connector

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// held is what a connector keeps while nothing is due.
type held struct {
	heap       int64 // bytes that go when it is closed
	goroutines int
	files      int // open, -1 where that cannot be told
	ledger     int64
}

// Memory, goroutines, open files or a ledger that grow with every drop would end a
// service that nobody restarts. A connector that lived three times as long as another
// must hold no more of them; the ledger may grow with its notifications alone.
//
// In CI a few weeks of platform time; SOAK=200 go test -run TestSoak -v -timeout 60m
// ./internal/connector is a year and more.
func TestSoak(t *testing.T) {
	rounds := 6
	if n, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		rounds = n
	}
	w := newStill(t)
	sent := 0
	life := func(rounds int) held {
		c, err := Open(context.Background(), w.cfg, w.opts)
		if err != nil {
			t.Fatal(err)
		}
		for range rounds {
			for range 2 {
				sent++
				w.dropFor("drop", fmt.Sprintf("S/%d", sent), sent)
			}
			for range 4 { // a drop twice a day
				if s, err := c.Once(context.Background(), OnceOptions{}); err != nil || s.Exit != ExitOK {
					t.Fatalf("%v %+v", err, s)
				}
				w.sim.Advance(3 * time.Hour)
			}
		}
		for range 3 { // what is still due
			if _, err := c.Once(context.Background(), OnceOptions{}); err != nil {
				t.Fatal(err)
			}
			w.sim.Advance(24 * time.Hour)
		}
		h := held{goroutines: runtime.NumGoroutine(), files: openFiles(), heap: heapNow()}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		runtime.KeepAlive(c)
		c = nil
		h.heap -= heapNow()
		info, err := os.Stat(filepath.Join(w.dir, "data", "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		h.ledger = info.Size()
		return h
	}
	life(1) // what every process makes once
	short := life(rounds)
	atShort := sent
	long := life(3 * rounds)
	t.Logf("%d and %d notifications\n%d rounds: %+v\n%d rounds: %+v", atShort, sent, rounds, short, 3*rounds, long)
	w.sim.Advance(24 * time.Hour)
	w.untilClosed(sent)
	if n := len(w.sim.Accepted()); n != sent || len(w.sim.Duplicates()) > 0 {
		t.Errorf("%d of %d sent, doubles %v", n, sent, w.sim.Duplicates())
	}
	const slack = 4 << 20 // what a collection leaves more or less
	if long.heap > short.heap+slack {
		t.Errorf("held %d bytes after %d rounds, %d after three times as many", short.heap, rounds, long.heap)
	}
	if long.goroutines > short.goroutines+3 {
		t.Errorf("%d goroutines, then %d", short.goroutines, long.goroutines)
	}
	if long.files > short.files+3 {
		t.Errorf("%d open files, then %d", short.files, long.files)
	}
	if bytes := (long.ledger - short.ledger) / int64(sent-atShort); bytes > 32<<10 {
		t.Errorf("the ledger grew by %d bytes for each notification", bytes)
	}
	left, err := filepath.Glob(filepath.Join(w.dir, "data", "spool", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
}

// heapNow is what is in use after a collection.
func heapNow() int64 {
	runtime.GC()
	runtime.GC() // the first one runs finalizers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// openFiles counts the open files of this process, where the system lists them.
func openFiles() int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(all)
}
