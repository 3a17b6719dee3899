package connector

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever has lost the ledger must not be told to keep and move aside what is not there:
// the way back is then read as one for another case.
func TestMissingLedgerIsNotMovedAside(t *testing.T) {
	t.Parallel()
	w := newStill(t)
	w.onceEvery(1, 0)
	if err := os.Remove(filepath.Join(w.dir, "data", "ledger.db")); err != nil {
		t.Fatal(err)
	}
	c, err := Open(context.Background(), w.cfg, w.opts)
	if err == nil {
		c.Close()
		t.Fatal("a lost ledger was taken for a new one")
	}
	for _, word := range []string{"do not delete", "aside"} {
		if strings.Contains(err.Error(), word) {
			t.Errorf("says %q of a file that is missing: %v", word, err)
		}
	}
	if !strings.Contains(err.Error(), "ledger rebuild") {
		t.Errorf("does not say how to go on: %v", err)
	}
}

// A restored ledger that keeps batches waiting must say so where it is read: on the screen
// of once, and with the batch to name in the outcome file and in stato.csv.
func TestRestoredLedgerIsTold(t *testing.T) {
	t.Parallel()
	w, batch, copied, _ := leaving(t)
	w.restore(copied)
	w.restoredNow()
	w.do(func(c *Connector) error {
		s, err := c.Once(context.Background(), OnceOptions{})
		if !s.Restored {
			t.Error("once says nothing of the restored ledger")
		}
		return err
	})
	for _, pattern := range []string{"drop/out/lotto.*.esito.csv", "drop/out/stato.csv"} {
		files, err := filepath.Glob(filepath.Join(w.dir, filepath.FromSlash(pattern)))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: %v %v", pattern, files, err)
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, said := range []string{"connector release --batch " + batch, "connector discard --batch " + batch, ".invia"} {
			if !strings.Contains(string(text), said) {
				t.Errorf("%s does not say %q", files[0], said)
			}
		}
	}
}

// A change of the configuration or of a profile that the running connector has not read
// must be seen, and nothing else must pass for one.
func TestEditionOfTheSettings(t *testing.T) {
	t.Parallel()
	w := newStill(t)
	before := Edition(w.cfg)
	if Edition(w.cfg) != before {
		t.Error("the same settings, another edition")
	}
	profile := w.cfg.Flows["tari"].Profile
	text, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(profile, append(text, "# altro\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := Edition(w.cfg)
	if changed == before {
		t.Error("a changed profile is not seen")
	}
	text, err = os.ReadFile(w.cfg.Path())
	if err != nil {
		t.Fatal(err)
	}
	w.configure("config.yaml", string(text)+"# altro\n")
	if Edition(w.cfg) == changed {
		t.Error("a changed configuration is not seen")
	}
}
