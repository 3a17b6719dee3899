package connector

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What an administrator does with the ledger itself, killed by the system like the rest:
// each command one process after the other, which all die at a kind of step at which
// none has died, until one comes to its end.

// command is the life of a child that carries out one command. That it was refused since
// it was done already is what an administrator reads who repeats it.
func (c *child) command() error {
	ctx := context.Background()
	var err error
	switch c.Command {
	case "purge":
		err = c.with(func(ctx context.Context, x *Connector) error {
			_, err := x.Purge(ctx, PurgeArgs{})
			return err
		})
	case "compact":
		_, err = Compact(ctx, c.cfg, c.opts)
	case "rebuild":
		if _, err = Rebuild(ctx, c.cfg, c.opts, RebuildOptions{}); err != nil && strings.Contains(err.Error(), "a ledger that can be read") {
			err = nil
		}
	default:
		err = fmt.Errorf("no such command: %s", c.Command)
	}
	return err
}

// commandHouse is a world in which children can carry out commands.
func commandHouse(t *testing.T, change ...func(string) string) *house {
	t.Helper()
	h := &house{acts: map[string]bool{}, ready: make(chan int, 1), strangers: true}
	h.world = newStill(t, change...)
	h.listen()
	return h
}

// diesInCommand carries a command to its end through deaths at every kind of step, of
// which some must be among them.
func (h *house) diesInCommand(command string, must ...string) {
	h.t.Helper()
	died := h.diesOnce(life{Command: command})
	for _, kind := range must {
		if !slices.Contains(died, kind) {
			h.t.Errorf("nobody died at %s, only at %v", kind, died)
		}
	}
	h.t.Logf("%d deaths", len(died))
}

// nothingHalf checks that neither half files nor damage stayed, after one more start.
func (h *house) nothingHalf() {
	h.t.Helper()
	h.onceEvery(1, time.Minute)
	h.batches() // verifies the ledger
	for _, pattern := range []string{"*.compact", "*.rebuild", "*.tmp", "tmp/*"} {
		if left, _ := filepath.Glob(filepath.Join(h.dir, "data", pattern)); len(left) > 0 {
			h.t.Errorf("left: %v", left)
		}
	}
}

// Damage prevented: a purge that dies forgets a key without its tombstone, and the file
// dropped again is notified again; or half a batch stays for ever.
func TestPurgeKilled(t *testing.T) {
	t.Parallel()
	h := commandHouse(t, keeping("{ledger: 30d, archive: 30d}"))
	protocols := h.lot(3)
	h.untilClosed(1)
	h.sim.Advance(20 * 24 * time.Hour)
	h.write("drop/in/n.csv", groupedHeading+groupedRow("N/1", galileo, "Galileo Galilei", noticeOf(600), "manca.pdf", "", ""))
	h.onceEvery(1, time.Minute) // the newest file of aggiornamenti keeps what it names
	h.sim.Advance(15 * 24 * time.Hour)
	h.diesInCommand("purge", "ledger.commit:before", "ledger.commit:after", "ingest.expire:before", "ingest.expire:after")
	h.nothingHalf()
	if left := h.batches(); len(left) != 1 {
		t.Errorf("want the newest batch left: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(h.dir, "drop/archive/*/*/*")); len(left) != 1 {
		t.Errorf("want the newest batch in the archive: %v", left)
	}
	h.lot(3)
	h.untilClosed(2)
	h.onceAtSEND(protocols...)
	h.wantOutcomes(h.newestOutcome(), map[string]string{"L/1": "GIA_PRESENTE", "L/2": "GIA_PRESENTE", "L/3": "GIA_PRESENTE"})
}

// Damage prevented: a compaction that dies leaves no ledger, half of one, or an older one,
// in the middle of a lot.
func TestCompactKilled(t *testing.T) {
	t.Parallel()
	h := commandHouse(t)
	protocols := h.lot(6)
	h.killOnce("submit.create:after", 3)
	h.diesInCommand("compact", "ledger.compact:before", "ledger.compact:after")
	h.nothingHalf()
	h.untilClosed(1)
	h.onceAtSEND(protocols...)
	h.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
}

// Damage prevented: a rebuilding that dies is taken for a ledger, sends, or can never be
// finished.
func TestRebuildKilled(t *testing.T) {
	t.Parallel()
	h := commandHouse(t)
	protocols := h.lot(6)
	h.killOnce("submit.create:after", 3)
	sent := len(h.sim.Accepted())
	if err := os.RemoveAll(filepath.Join(h.dir, "data")); err != nil {
		t.Fatal(err)
	}
	h.diesInCommand("rebuild", "ledger.commit:before", "ledger.commit:after", "submit.lookup:before", "submit.lookup:after")
	if n := len(h.sim.Accepted()); n != sent {
		t.Errorf("the rebuilding sent %d", n-sent)
	}
	h.nothingHalf()
	if n := len(h.sim.Accepted()); n != sent {
		t.Errorf("the start after it sent %d without a release", n-sent)
	}
	h.release(h.batches())
	h.untilClosed(1)
	h.onceAtSEND(protocols...)
	h.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
}
