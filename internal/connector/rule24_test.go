package connector

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sendconnector/internal/ledger"
)

// What a person wants sent again must go with the very bytes that were dropped,
// although the private copies have been freed; where the archive has lost them it
// must be held with a reason, and never go without or with others.
func TestRule24ResubmitTakesBytesFromTheArchive(t *testing.T) {
	for name, damage := range map[string]bool{"whole": false, "damaged": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.pdf("drop/in/a1.pdf", "uno")
			refused := strings.Replace(row("A/1", "FRMTTR76M06B715E", "Ettore Fieramosca", "301000000001234519", "a1.pdf"), ";MI;", ";XX;", 1)
			w.write("drop/in/tari.csv", heading+refused)
			if s := w.once(UntilFinal); s.Refused != 1 {
				t.Fatalf("summary %+v", s)
			}
			if left, _ := filepath.Glob(filepath.Join(w.dir, "data", "spool", "*", "*")); len(left) > 0 {
				t.Fatalf("private copies are still there, so this shows nothing: %v", left)
			}
			if damage {
				found, err := filepath.Glob(filepath.Join(w.dir, "drop", "archive", "*", "*", "*", "a1.pdf"))
				if err != nil || len(found) != 1 {
					t.Fatal(found, err)
				}
				if err := os.WriteFile(found[0], []byte("%PDF-1.4 altro"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var done Done
			if err := Do(context.Background(), w.cfg, w.opts, "resubmit", ResubmitArgs{Protocol: "A/1"}, &done); err != nil {
				t.Fatal(err)
			}
			s := w.once("")
			accepted := w.sim.Accepted()
			if damage {
				if len(accepted) != 1 || s.Exit != ExitHeld || len(s.Holds) != 1 || s.Holds[0].Scope != ledger.HoldNotification {
					t.Errorf("%d stored, summary %+v; want one and a hold of the notification", len(accepted), s)
				}
				return
			}
			if len(accepted) != 2 || accepted[0].Documents[0] != accepted[1].Documents[0] || accepted[0].Token == accepted[1].Token {
				t.Errorf("stored %+v; want two attempts with the same bytes", accepted)
			}
		})
	}
}
