package folder

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// Damage prevented: two protocol numbers share a folder of legal documents, or their
// folder is a device, a hidden name or a way out on one of the systems (rule 29).
func TestRule29SlugsAreSafeAndApart(t *testing.T) {
	odd := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[./\\: conaux~$*?"<>|0-9à]{0,90}`),
		rapid.SampledFrom([]string{"CON", "con", "NUL.pdf", "aux.", "COM1", "COM¹", "LPT9 ", "..", ".", "", " ", "a.", "a ", `\\?\C:\x`, "a:b", "é", "e\u0301"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		a := odd.Draw(t, "a")
		slug := Slug(a)
		if slug == "" || len(slug) > slugLength+len("x-")+len("-")+6 || device(slug) || Temporary(slug) || strings.ContainsFunc(slug, func(r rune) bool {
			return r > 0x7e || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
		}) || strings.HasSuffix(slug, ".") {
			t.Fatalf("%q became %q", a, slug)
		}
		if _, err := localName("test", slug); err != nil {
			t.Fatalf("%q became %q: %v", a, slug, err)
		}
		// Whatever looks like a to a person or to a file system that tells no case.
		for _, b := range []string{strings.ToUpper(a), strings.ToLower(a), a + ".", a + " ", a + "-", strings.ReplaceAll(a, "/", "-"), odd.Draw(t, "b")} {
			if a != b && strings.EqualFold(slug, Slug(b)) {
				t.Fatalf("%q and %q share %q", a, b, slug)
			}
		}
	})
}
