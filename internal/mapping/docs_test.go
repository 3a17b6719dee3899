package mapping_test

import (
	"os"
	"strings"
	"testing"
)

// Damage prevented: a sysadmin who copies the documented example and gets an error.
func TestDocumentedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/profiles.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(fence string) string {
		_, rest, ok := strings.Cut(string(text), fence+"\n")
		body, _, closed := strings.Cut(rest, "\n```\n")
		if !ok || !closed {
			t.Fatalf("no block %q", fence)
		}
		return body + "\n"
	}
	drafts := mapText(t, block("```yaml"), "Comune di Prova\nElenco TARI\n"+block("With these rows\n\n```"), sender())
	if len(drafts) != 1 || drafts[0].Stopped() {
		t.Fatalf("%d drafts: %s", len(drafts), told(drafts[0], 0))
	}
	r := drafts[0].Request
	if got := shape(drafts[0]); !strings.Contains(got, "| FRM 4519:true+avvisi/301000000001234519.pdf 4620:false+avvisi/301000000001234620.pdf /atti/2026/15.pdf") {
		t.Errorf("got %s", got)
	}
	if r.Abstract != "Tributo TARI" || *r.Amount != 31000 || r.Recipients[0].PhysicalAddress.ForeignState != "ITALIA" || r.Recipients[0].Denomination != "ETTORE FIERAMOSCA" {
		t.Errorf("got %+v %+v", r, r.Recipients[0])
	}
}
