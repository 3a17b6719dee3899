package connector

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sendconnector/internal/config"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/ledger"
)

// Damage prevented: a notification that goes without the attachment called
// "ALLEGATO.PDF" where the profile says "*.pdf", or with one that is still being
// copied, or with somebody else's from outside the drop.
func TestGlob(t *testing.T) {
	root := foldertest.TempDir(t)
	drop, shared := filepath.Join(root, "in"), filepath.Join(root, "documenti")
	for _, name := range []string{
		"in/export.csv", "in/Cart/ATTO.PDF", "in/Cart/b.pdf", "in/Cart/~$b.pdf", "in/Cart/c.pdf.part", "in/Cart/.d.pdf", "in/Cart/sub/e.pdf",
		"in/citta\u0300_1.pdf", "in/dir.pdf/x.pdf", "documenti/solo_qui.pdf", "documenti/Cart/no.pdf", "fuori.pdf",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := &flow{cfg: &config.Flow{}}
	f.cfg.Documents.Folder = shared
	glob := f.glob(filepath.Join(drop, "export.csv"))
	for pattern, want := range map[string][]string{
		"CART/*.pdf":    {"Cart/ATTO.PDF", "Cart/b.pdf"},
		"Cart/sub/*":    {"Cart/sub/e.pdf"},
		"città_*.pdf":   {"citta\u0300_1.pdf"},
		"dir*.pdf":      nil, // a folder is no document
		"solo_*.pdf":    {"solo_qui.pdf"},
		"manca_*.pdf":   nil,
		"../*.pdf":      nil,
		"/etc/*":        nil,
		"nessuna/*.pdf": nil,
	} {
		got, err := glob(pattern)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v; want %q", pattern, got, err, want)
		}
	}
	spool := spoolGlob(&ledger.Batch{Spool: []ledger.SpoolFile{{Name: "Cart/ATTO.PDF"}, {Name: "Cart/b.pdf"}, {Name: "Cart/b.pdf"}, {Name: "Cart/sub/e.pdf"}}})
	if got, err := spool("cart/*.pdf"); err != nil || !slices.Equal(got, []string{"Cart/ATTO.PDF", "Cart/b.pdf"}) {
		t.Errorf("private copies: got %q, %v", got, err)
	}
	if got := newListing(drop).spelt("cart/atto.pdf"); got != "Cart/ATTO.PDF" {
		t.Errorf("spelt %q", got)
	}
}
