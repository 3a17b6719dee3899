package notification

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// What a spreadsheet did to a cell is undone, and said where a person would see it.
func TestClean(t *testing.T) {
	tests := []struct {
		in, want string
		repairs  []Repair
	}{
		{"Rossi", "Rossi", nil},
		{"", "", nil},
		{"  Rossi\u00A0", "Rossi", []Repair{RepairTrim}},
		{"\uFEFFRossi\u200B", "Rossi", []Repair{RepairTrim}},
		{"'00123", "00123", []Repair{RepairGuard}},
		{`="00123"`, "00123", []Repair{RepairGuard}},
		{`="a ""b"""`, `a "b"`, []Repair{RepairGuard}},
		{`'="00123"`, "00123", []Repair{RepairGuard}},
		{"'=1+1", "=1+1", []Repair{RepairGuard}},
		{" '00123 ", "00123", []Repair{RepairTrim, RepairGuard}},
		{"'Ndrangheta", "'Ndrangheta", nil},
		{"Dell’Acqua", "Dell'Acqua", []Repair{RepairApostrophe}},
		{" D’Angelo", "D'Angelo", []Repair{RepairTrim, RepairApostrophe}},
		{"’00123", "00123", []Repair{RepairApostrophe, RepairGuard}},
		{`="a"b"`, `="a"b"`, nil},
		{"\t\n", "", []Repair{RepairTrim}},
		{"a  b", "a  b", nil},
		{"città", "città", nil},
	}
	for _, tt := range tests {
		got, repairs := Clean(tt.in)
		if got != tt.want || !slices.Equal(repairs, tt.repairs) {
			t.Errorf("Clean(%q) = %q %v, want %q %v", tt.in, got, repairs, tt.want, tt.repairs)
		}
	}
	if RepairTrim.Visible() || RepairGuard.Visible() || !RepairApostrophe.Visible() || !RepairUpper.Visible() || !RepairBlanks.Visible() {
		t.Error("wrong repairs are told to the clerk")
	}
}

func TestCleanCode(t *testing.T) {
	got, repairs := CleanCode(" frm ttr 76m06 b715e ", false)
	if got != "FRMTTR76M06B715E" || !slices.Equal(repairs, []Repair{RepairTrim, RepairUpper, RepairBlanks}) {
		t.Errorf("%q %v", got, repairs)
	}
	got, repairs = CleanCode("Costa d’Avorio", true)
	if got != "COSTA D'AVORIO" || !slices.Equal(repairs, []Repair{RepairApostrophe, RepairUpper}) {
		t.Errorf("%q %v", got, repairs)
	}
}

// A clean cell stays as it is: cleaning twice changes nothing more, or the same
// export would give another row at every pass.
func TestCleanTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ '’="0-9a\x{00A0}-]{0,8}`)).Draw(t, "s")
		once, _ := Clean(s)
		if twice, repairs := Clean(once); twice != once || len(repairs) > 0 {
			t.Fatalf("%q -> %q -> %q %v", s, once, twice, repairs)
		}
	})
}

func TestTransliterate(t *testing.T) {
	tests := map[string]string{
		"Via Rodolfo de Novà 1":    "Via Rodolfo de Nova' 1",
		"LOCALITÀ CORTE, 3":        "LOCALITA' CORTE 3",
		"VIA EURIALO N°47":         "VIA EURIALO N.47",
		"Piazza dell’Unità d’Asti": "Piazza dell'Unita' d'Asti",
		"Müllerstraße 5":           "Mullerstrasse 5",
		"Łódź":                     "Lodz",
		"Vicolo Andrè Chénier":     "Vicolo Andre' Chenier",
		"a\u0300":                  "a'",
		"VIA ♀ 3":                  "VIA 3",
		"Rossi & Figli":            "Rossi e Figli",
		"Ærø":                      "AEro",
		"VIA ROMA 1/B":             "VIA ROMA 1/B",
		"":                         "",
	}
	for in, want := range tests {
		if got := Transliterate(in); got != want {
			t.Errorf("Transliterate(%q) = %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		got := Transliterate(s)
		if !every(got, isStrictAddressRune) {
			t.Fatalf("%q became %q", s, got)
		}
		if again := Transliterate(got); again != got {
			t.Fatalf("%q became %q, then %q", s, got, again)
		}
	})
}

// A name from an export must not reach a file outside the drop, on either system.
func TestSafeRelative(t *testing.T) {
	safe := []string{"a.pdf", "atti/2026/a.pdf", "città.pdf", "a b.pdf", ".nascosto/a.pdf", "con1.pdf", "comune.pdf", "a..b.pdf", "lpt10", "console"}
	for _, name := range safe {
		if !SafeRelative(name) {
			t.Errorf("%q is refused", name)
		}
	}
	unsafe := []string{
		"", "/etc/passwd", "../a.pdf", "a/../../b.pdf", "a/./b", ".", "..", "a//b", "a/", `a\b.pdf`, `..\a.pdf`, `\\server\share`,
		"C:a.pdf", "C:/a.pdf", "a.pdf:stream", "CON", "con.pdf", "atti/nul", "aux.tar.pdf", "COM1.pdf", "lpt9", "LPT¹.pdf", "NUL .pdf",
		"a.pdf ", "a.pdf.", " a.pdf", "a\x00.pdf", "a\n.pdf", "a\xff.pdf", "a*.pdf", "a?.pdf", "a|b", strings.Repeat("a", 1025), "conin$", "a/..",
	}
	for _, name := range unsafe {
		if SafeRelative(name) {
			t.Errorf("%q passed", name)
		}
	}
}

func FuzzSafeRelative(f *testing.F) {
	for _, s := range []string{"a/b.pdf", "../x", `..\x`, "C:x", "NUL.pdf", "a/./b", "a."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !SafeRelative(name) {
			return
		}
		if !filepath.IsLocal(name) || filepath.Clean(filepath.FromSlash(name)) != filepath.FromSlash(name) {
			t.Fatalf("%q is not local or not clean", name)
		}
		if strings.ContainsAny(name, "\\:\x00") || strings.Contains("/"+name+"/", "/../") {
			t.Fatalf("%q passed", name)
		}
	})
}

// schemaEmail is SEND's own pattern without its general address literal, as the
// bundle has it; the hand-made check must agree with it on anything.
var schemaEmail = regexp.MustCompile("^(?:[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*" +
	`|"(?:[\x01-\x08\x0b\x0c\x0e-\x1f\x21\x23-\x5b\x5d-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*")@` +
	`(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?` +
	`|\[(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\])$`)

func TestEmailAgreesWithSchema(t *testing.T) {
	for _, s := range []string{
		"mario.rossi@pec.it", "V.S.-SRL@pecOk.it", `"a b"@pec.it`, `"a\ b"@pec.it`, "a@b", "a@b.c", "a@-b.it", "a@b-.it", "a@b..it", ".a@b.it", "a.@b.it",
		"a..b@c.it", "a@[1.2.3.4]", "a@[256.1.1.1]", "a@[01.2.3.255]", "a@[1.2.3]", "@b.it", "a@", "", "a@b@c.it", `"@"@c.it`, "à@b.it", "a@b.it\n", `""@b.it`,
	} {
		if got, want := isEmail(s), schemaEmail.MatchString(s); got != want {
			t.Errorf("%q: %v, schema says %v", s, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.StringMatching(`[a."\\@ -]{0,6}@[a.\[\]0-9-]{0,8}`),
			rapid.StringMatching(`"[\x00-\x7f]{0,4}"@a\.b`),
			rapid.StringMatching(`a@\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]\.[0-9]{1,3}\]`),
		).Draw(t, "s")
		if got, want := isEmail(s), schemaEmail.MatchString(s); got != want {
			t.Fatalf("%q: %v, schema says %v", s, got, want)
		}
	})
}

// SEND counts as Java does; a count that is too low is a refusal.
func TestJavaLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		n := len(utf16.Encode([]rune(s)))
		if got := javaLength(s); got != n {
			t.Fatalf("%q: %d, want %d", s, got, n)
		}
		if tooLong(s, n) || (n > 0 && !tooLong(s, n-1)) {
			t.Fatalf("%q: tooLong is wrong at %d", s, n)
		}
		cut := rapid.IntRange(0, 20).Draw(t, "cut")
		head, tail := cutAfter(s, cut)
		if head+tail != s || javaLength(head) > cut {
			t.Fatalf("%q cut at %d: %q %q", s, cut, head, tail)
		}
	})
}

func TestHasLineBreak(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune("ab\n\r\u0085\u2028\u2029\u2027Â\u0084"))).Draw(t, "s")
		if got, want := hasLineBreak(s), strings.ContainsAny(s, "\n\r\u0085\u2028\u2029"); got != want {
			t.Fatalf("%q: %v, want %v", s, got, want)
		}
	})
}

// The table only warns, so it must not warn about sound spellings.
func TestPlaces(t *testing.T) {
	p, err := LoadPlaces(strings.NewReader("\uFEFFCAP;localita;provincia\r\n20123;MILANO;MI\r\n39100;BOLZANO;BZ\r\n47121;FORLI';FC\r\n\r\n20019;SETTIMO MILANESE;MI\r\n20123;MILANO;MI\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Len() != 4 {
		t.Errorf("%d places", p.Len())
	}
	for _, x := range [][3]string{{"20123", "Milano", "mi"}, {"47121", "Forlì", "FC"}, {"39100", "Bolzano/Bozen", "BZ"}, {"39100", "BOLZANO.BOZEN.", "BZ"}, {"20019", "settimo  milanese", "MI"}} {
		if !p.Has(x[0], x[1], x[2]) {
			t.Errorf("%v is not known", x)
		}
	}
	if p.Has("20123", "Bolzano", "BZ") {
		t.Error("an incoherent triple is known")
	}
	if got, want := p.Hint(Italian, "20019", "Milano", "MI"), "il CAP 20019 è di SETTIMO MILANESE (MI); Milano ha CAP 20123"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, bad := range []string{"", "a;b;c\n", "20123;MILANO\n", "20123;MILANO;MI\nx;y;z\n", "<html>\n"} {
		if _, err := LoadPlaces(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
