package connector

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
)

func daily(keep string) func(string) string {
	return func(text string) string { return strings.Replace(text, "{keep: 0}", "{keep: "+keep+"}", 1) }
}

func (w *world) copies() []copyOf {
	w.t.Helper()
	all := backups(filepath.Join(w.dir, "data", "backups"))
	for _, b := range all {
		if err := ledger.CheckFile(b.file); err != nil {
			w.t.Errorf("%s: %v", filepath.Base(b.file), err)
		}
		st, err := os.Stat(b.file)
		if err != nil || unixSockets && st.Mode().Perm() != 0o600 {
			w.t.Errorf("%s: %v %v", filepath.Base(b.file), st.Mode(), err)
		}
	}
	return all
}

// Damage: the disk dies and the newest copy is of last month, or torn, or there are
// so many that the disk is full.
func TestDailyBackupWithRotation(t *testing.T) {
	w := newStill(t, daily("3"))
	w.lot(2)
	start := w.sim.Now()
	for range 4 * 8 { // eight days, a pass every six hours
		if err := w.pass(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		w.sim.Advance(6*time.Hour - time.Minute)
	}
	all := w.copies()
	if len(all) != 3 {
		t.Fatalf("%d copies", len(all))
	}
	if age := w.sim.Now().Sub(all[0].at); age > 31*time.Hour || all[2].at.Before(start.Add(4*24*time.Hour)) {
		t.Errorf("newest %s old, copies %v", age, all)
	}
}

// Damage: the folder for the copies is away, and the connector stops sending for it,
// or nobody is told.
func TestBackupThatFailsStopsNothing(t *testing.T) {
	w := newStill(t, daily("3"))
	w.write("data/backups", "a file where the folder should be")
	protocols := w.lot(2)
	c, err := Open(context.Background(), w.cfg, w.opts)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Once(context.Background(), OnceOptions{Until: UntilSubmitted})
	if err != nil || s.Exit == ExitOK || !slices.ContainsFunc(s.Failures, func(f string) bool { return strings.HasPrefix(f, backupPart+": ") }) {
		t.Errorf("%+v %v", s, err)
	}
	if st, err := c.Status(context.Background(), StatusQuery{}); err != nil || st.Backup.Problem == "" {
		t.Errorf("status says nothing: %+v %v", st.Backup, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	w.onceAtSEND(protocols...)
}

// Damage: the process dies while it copies, and half a copy passes for a whole one,
// or stays for ever.
func TestKilledWhileBackingUp(t *testing.T) {
	for _, step := range []string{"ledger.backup:before", "ledger.backup:after", "connector.rotate:before", "connector.rotate:after"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newStill(t, daily("2"))
			w.lot(1)
			w.write("data/backups/ledger-20250101T000000Z.db.tmp", "half a copy")
			w.killOnce(step, 1)
			w.untilClosed(1)
			w.copies()
			if left, _ := filepath.Glob(filepath.Join(w.dir, "data/backups/*.tmp")); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// Damage: the ledger is torn, and the message leaves the administrator without a way
// on, or an empty one is begun and everything sent again.
func TestTornLedgerSaysHowToGoOn(t *testing.T) {
	w := newStill(t, daily("3"))
	w.lot(1)
	if err := w.pass(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	newest := w.copies()[0].file
	if err := os.Truncate(filepath.Join(w.dir, "data/ledger.db"), 9000); err != nil {
		t.Fatal(err)
	}
	var e *ExitError
	err := w.pass(context.Background(), nil)
	if !errors.As(err, &e) || e.Code != "C-LEDGER-DAMAGED" || e.Exit != ExitFailure || !strings.Contains(e.Hint, newest) || !strings.Contains(e.Hint, "ledger rebuild") {
		t.Fatalf("with a backup: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(w.dir, "data/backups")); err != nil {
		t.Fatal(err)
	}
	err = w.pass(context.Background(), nil)
	if !errors.As(err, &e) || !strings.Contains(e.Hint, "no backup in") || !strings.Contains(e.Hint, "ledger rebuild") {
		t.Errorf("without a backup: %v", err)
	}
}
