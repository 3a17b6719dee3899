package connector

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"sendconnector/internal/submit"
)

// One hash, taken once from the private copy, serves preload, upload and request. A
// document that is changed in the drop after the claim must not reach the citizen
// half old and half new, nor be refused (and billed) for a wrong digest.
func TestRule18OneHashOfThePrivateCopy(t *testing.T) {
	w := newWorld(t)
	w.pdf("drop/in/a1.pdf", "come depositato")
	deposited, err := os.ReadFile(filepath.Join(w.dir, "drop", "in", "a1.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	w.write("drop/in/tari.csv", heading+row("A/1", "FRMTTR76M06B715E", "Ettore Fieramosca", "301000000001234519", "a1.pdf"))
	// Between the reading of the batch and the first upload the archived document and a
	// new one in the drop are other bytes.
	changed := false
	w.opts.Step = func(name string) error {
		if name == submit.BeforePreload && !changed {
			changed = true
			w.pdf("drop/in/a1.pdf", "un altro atto")
			found, err := filepath.Glob(filepath.Join(w.dir, "drop", "archive", "*", "*", "*", "a1.pdf"))
			if err != nil || len(found) != 1 {
				t.Errorf("archived document: %v %v", found, err)
				return nil
			}
			w.pdf(found[0][len(w.dir)+1:], "un altro atto")
		}
		return nil
	}
	if s := w.once(UntilAccepted); s.Exit != ExitOK {
		t.Fatalf("summary %+v", s)
	}
	if !changed {
		t.Fatal("the step before the preload was never passed")
	}
	accepted := w.sim.Accepted()
	if len(accepted) != 1 || len(accepted[0].Documents) == 0 {
		t.Fatalf("accepted: %+v", accepted)
	}
	want := sha256.Sum256(deposited)
	if got := accepted[0].Documents[0]; got != base64.StdEncoding.EncodeToString(want[:]) {
		t.Errorf("SEND has the digest %s, not that of the document as it was dropped", got)
	}
}
