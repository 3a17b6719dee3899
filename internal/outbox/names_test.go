package outbox

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"sendconnector/internal/ledger"
)

func TestOutcomeName(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"tari.xlsx", "tari.20261122T101500-0a1b2c3d.esito.csv"},
		{"sub/Avvisi 2026 àèì.csv", "Avvisi 2026 àèì.20261122T101500-0a1b2c3d.esito.csv"},
		{"con.csv", "_con.20261122T101500-0a1b2c3d.esito.csv"},
		{".csv", "_.20261122T101500-0a1b2c3d.esito.csv"},
		{"a:b*c?.csv", "a_b_c_.20261122T101500-0a1b2c3d.esito.csv"},
	} {
		b := &ledger.Batch{ID: "20261122T101500-0a1b2c3d", File: c.file}
		if got := outcomeName(b); got != c.want {
			t.Errorf("%q: got %q, want %q", c.file, got, c.want)
		}
	}
}

// Rule 29. Damage prevented: a legal proof written over another one, or under a name
// that Windows cannot hold.
func TestRule29DocumentNames(t *testing.T) {
	n := &ledger.Notification{OwnerBatch: "20261122T101500-0a1b2c3d", IUN: "ABCD-EFGH-ILMN-202611-A-1"}
	n.Key.Protocol = "TARI/2026/000123"
	a := &ledger.Artifact{Key: "safestorage://PN_LEGAL_FACTS-1.pdf", Category: "DIGITAL_DELIVERY", Recipient: 0, Filename: "Attestazione.PDF"}
	got := documentName(n, a, nameDigits)
	want := "documenti/20261122T101500-0a1b2c3d/TARI-2026-000123-667afd/" +
		"ABCD-EFGH-ILMN-202611-A-1_1_DIGITAL_DELIVERY_98ca340d.pdf"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	other := *n
	other.Key.Protocol = "TARI-2026-000123"
	if documentName(&other, a, nameDigits) == got {
		t.Error("two protocol numbers share a folder")
	}
	whole := *a
	whole.Recipient = -1
	if !strings.Contains(documentName(n, &whole, nameDigits), "_0_DIGITAL_DELIVERY_") {
		t.Error("a document of the whole notification is not numbered 0")
	}
}

// Rule 29. Damage prevented: a protocol number or SEND's word makes a name that one
// of the systems refuses, hides or reads as a path.
func TestRule29NamesAreSafe(t *testing.T) {
	any := rapid.OneOf(rapid.String(), rapid.StringMatching(`[./\\: conaux~$*?"<>|]{0,20}`))
	rapid.Check(t, func(t *rapid.T) {
		n := &ledger.Notification{OwnerBatch: "20261122T101500-0a1b2c3d", IUN: any.Draw(t, "iun")}
		n.Key.Protocol = any.Draw(t, "protocol")
		a := &ledger.Artifact{Key: any.Draw(t, "key"), Category: any.Draw(t, "category"), Filename: any.Draw(t, "filename"), Recipient: -1}
		for _, part := range append(strings.Split(documentName(n, a, nameDigits), "/"),
			outcomeName(&ledger.Batch{ID: n.OwnerBatch, File: any.Draw(t, "file")})) {
			if part == "" || strings.ContainsAny(part, `<>:"\|?*`) || strings.HasPrefix(part, ".") ||
				strings.TrimRight(part, ". ") != part || reserved.MatchString(part) || len(part) > 200 {
				t.Errorf("unsafe name %q", part)
			}
			for _, r := range part {
				if r < 0x20 {
					t.Errorf("control character in %q", part)
				}
			}
		}
		if parts := strings.Split(documentName(n, a, nameDigits), "/"); len(parts) != 4 {
			t.Errorf("%d parts", len(parts))
		}
	})
}

func TestExtension(t *testing.T) {
	for _, c := range []struct{ file, kind, want string }{
		{"fatto.pdf", "", "pdf"},
		{"fatto.pdf.p7m", "", "p7m"},
		{"fatto", "application/pdf; charset=x", "pdf"},
		{"fatto.", "message/rfc822", "eml"},
		{"fatto.<script>", "", "bin"},
	} {
		if got := extension(&ledger.Artifact{Filename: c.file, ContentType: c.kind}); got != c.want {
			t.Errorf("%q %q: got %q, want %q", c.file, c.kind, got, c.want)
		}
	}
}

func TestFileNumber(t *testing.T) {
	for name, want := range map[string]uint64{
		"00000042.csv": 42, "00000042.nuovo.csv": 42, "123456789.csv": 123456789,
		"42.csv": 0, "00000042.txt": 0, ".sequenza": 0, "00000042.csv.tmp": 0,
	} {
		got, ok := fileNumber(name)
		if got != want || ok != (want > 0) {
			t.Errorf("%s: %d %v, want %d", name, got, ok, want)
		}
	}
}

// Damage prevented: a name longer than file systems take, or cut inside a character.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("è", 300)
	b := &ledger.Batch{ID: "20261122T101500-0a1b2c3d", File: long + ".csv"}
	name := outcomeName(b)
	if len(name) > maxName || !utf8.ValidString(name) || !strings.HasSuffix(name, ".20261122T101500-0a1b2c3d.esito.csv") {
		t.Errorf("%d bytes: %q", len(name), name)
	}
	n := &ledger.Notification{OwnerBatch: b.ID, IUN: long}
	n.Key.Protocol = long
	if doc := documentName(n, &ledger.Artifact{Category: long, Filename: "a." + long}, 64); len(doc) > 400 || !utf8.ValidString(doc) {
		t.Errorf("%d bytes: %q", len(doc), doc)
	}
}

// Rule 29. Damage prevented: on a file system that tells no case, the legal documents
// of two notifications, or two documents of one, take one another's place; or a path
// grows past what Windows programs open.
func TestRule29PathsNeverCollide(t *testing.T) {
	const batch = "20261122T101500-0a1b2c3d"
	odd := rapid.OneOf(rapid.String(), rapid.StringMatching(`[./\\: conaux~$*?"<>|àÀ0-9]{0,80}`))
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (*ledger.Notification, *ledger.Artifact) {
			n := &ledger.Notification{OwnerBatch: batch, IUN: rapid.StringMatching(`[A-Z]{4}-[A-Z]{4}-[A-Z]{4}-202611-[A-Z]-[0-9]`).Draw(t, name+" iun")}
			n.Key.Protocol = odd.Draw(t, name+" protocol")
			return n, &ledger.Artifact{
				Key: odd.Draw(t, name+" key"), Category: odd.Draw(t, name+" category"), Filename: odd.Draw(t, name+" file"), Recipient: rapid.IntRange(-1, 40).Draw(t, name+" recipient"),
			}
		}
		n1, a1 := draw("one")
		n2, a2 := draw("other")
		switch rapid.IntRange(0, 2).Draw(t, "alike") {
		case 0: // two documents of one notification that differ in nothing but their key
			n2, a2.Category, a2.Filename, a2.Recipient = n1, a1.Category, a1.Filename, a1.Recipient
		case 1: // two notifications whose protocol numbers differ in case only
			n2.Key.Protocol = strings.ToUpper(n1.Key.Protocol)
			*a2 = *a1
		}
		one, other := documentName(n1, a1, nameDigits), documentName(n2, a2, nameDigits)
		if (n1.IUN != n2.IUN || a1.Key != a2.Key) && strings.EqualFold(one, other) {
			t.Fatalf("%q and %q", one, other)
		}
		if len(one) > 300 {
			t.Fatalf("%d bytes: %q", len(one), one)
		}
		// With a category that SEND has, the path leaves room for a root of 60 characters.
		a1.Category = "SIMPLE_REGISTERED_LETTER_PROGRESS_ATTACHMENT"[:40]
		if name := documentName(n1, a1, nameDigits); len(name) > 199 {
			t.Fatalf("%d bytes: %q", len(name), name)
		}
		// Outcome files: the batch keeps them apart, whatever the stems are.
		b1 := outcomeName(&ledger.Batch{ID: batch, File: odd.Draw(t, "stem")})
		b2 := outcomeName(&ledger.Batch{ID: batch + "-2", File: odd.Draw(t, "other stem")})
		if strings.EqualFold(b1, b2) || len(b1) > maxName || len(b2) > maxName {
			t.Fatalf("%q and %q", b1, b2)
		}
	})
}
