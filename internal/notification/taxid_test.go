package notification

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A right code refused is a citizen not notified; a wrong one passed is a refusal
// or, worse, somebody else's notification. Facts from send-validation.md, 4.
func TestCheckPersonalTaxID(t *testing.T) {
	tests := map[string]TaxIDFault{
		"FRMTTR76M06B715E":  TaxIDSound,
		"DVNLRD52D15M059P":  TaxIDSound,
		"GLLGLL64B15G702I":  TaxIDSound,
		"BNRMHL75C06G702B":  TaxIDSound,
		"MRNLCC00A01H50MJ":  TaxIDSound, // omocode
		"KJWMFE88C50E205S":  TaxIDSound, // a woman's
		"FRNSST75D50A717M":  TaxIDCheck,
		"LNALNI80A01H501X":  TaxIDCheck,
		"LNALNI80A01H501T":  TaxIDSound,
		"CLMCST42R12D969Z":  TaxIDCheck,
		"FRMTTR76F06B715E":  TaxIDMonth,
		"FRMTTRZ6M06B715E":  TaxIDForm,
		"frmttr76m06b715e":  TaxIDForm,
		"FRMTTR76M06B715":   TaxIDForm,
		"FRMTTR76M06B715EE": TaxIDForm,
		"FRMTTR76M06B7É5E":  TaxIDForm,
		"":                  TaxIDForm,
		"20517490320":       TaxIDForm,
	}
	for code, want := range tests {
		if got := CheckPersonalTaxID(code); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	for _, day := range []string{"00", "32", "40", "72", "99"} {
		code := "FRMTTR76M" + day + "B715"
		code += string(personalCheckLetter(code + "A"))
		if got := CheckPersonalTaxID(code); got != TaxIDDay {
			t.Errorf("%s: %q, want a day fault", code, got)
		}
	}
}

// All 128 ways in which one code may be written as an omocode must pass with their
// own check letter, and with no other.
func TestOmocodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := []byte(rapid.StringMatching(`[A-Z]{6}[0-9]{2}[ABCDEHLMPRST](0[1-9]|[12][0-9]|4[1-9])[A-Z][0-9]{3}A`).Draw(t, "code"))
		positions := []int{6, 7, 9, 10, 12, 13, 14}
		for set := range 1 << len(positions) {
			omocode := append([]byte(nil), code...)
			for bit, at := range positions {
				if set&(1<<bit) != 0 {
					omocode[at] = "LMNPQRSTUV"[code[at]-'0']
				}
			}
			right := personalCheckLetter(string(omocode))
			omocode[15] = right
			if got := CheckPersonalTaxID(string(omocode)); got != TaxIDSound {
				t.Fatalf("%s: %q", omocode, got)
			}
			omocode[15] = 'A' + (right-'A'+1+byte(set%25))%26
			if got := CheckPersonalTaxID(string(omocode)); got != TaxIDCheck {
				t.Fatalf("%s: %q with a wrong letter", omocode, got)
			}
		}
	})
}

// One mistyped character of a personal code in a given position changes the check
// letter, as the values of a position are all different.
func TestPersonalTaxIDTypingMistake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := []byte(rapid.StringMatching(`[A-Z]{6}[0-9]{2}[ABCDEHLMPRST]0[1-9][A-Z][0-9]{3}A`).Draw(t, "code"))
		code[15] = personalCheckLetter(string(code))
		at := rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 11}).Draw(t, "at")
		other := byte('A' + rapid.IntRange(0, 25).Draw(t, "letter"))
		if other == code[at] {
			return
		}
		code[at] = other
		if got := CheckPersonalTaxID(string(code)); got != TaxIDCheck {
			t.Fatalf("%s: %q", code, got)
		}
	})
}

func TestCheckNumericTaxID(t *testing.T) {
	tests := map[string]TaxIDFault{
		"20517490320":  TaxIDSound,
		"12345678903":  TaxIDSound,
		"01199250158":  TaxIDSound,
		"15376371009":  TaxIDSound,
		"20517460320":  TaxIDCheck,
		"12345678901":  TaxIDCheck,
		"77777777777":  TaxIDCheck,
		"00000000000":  TaxIDZero,
		"1234567890":   TaxIDForm,
		"123456789033": TaxIDForm,
		"1234567890A":  TaxIDForm,
		"١٢٣٤٥٦":       TaxIDForm, // digits of another script, 12 bytes
		"":             TaxIDForm,
	}
	for code, want := range tests {
		if got := CheckNumericTaxID(code); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}

// Any single wrong digit must be found, and exactly one last digit is right.
func TestNumericTaxIDTypingMistake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := []byte(rapid.StringMatching(`[0-9]{9}[1-9]0`).Draw(t, "code"))
		code[10] = numericCheckDigit(string(code))
		if got := CheckNumericTaxID(string(code)); got != TaxIDSound {
			t.Fatalf("%s: %q", code, got)
		}
		at := rapid.IntRange(0, 10).Draw(t, "at")
		code[at] = '0' + (code[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if got := CheckNumericTaxID(string(code)); got == TaxIDSound {
			t.Fatalf("%s passed", code)
		}
	})
}

// Facts from send-validation.md, 5.
func TestCheckNotice(t *testing.T) {
	tests := map[string]NoticeFault{
		"301000000001234519":  NoticeSound,
		"301000000001234620":  NoticeSound,
		"012000000005432124":  NoticeOld,
		"212345678901234544":  NoticeOld,
		"112345678901234567":  NoticeOld, // no check digits of its own
		"302011697026785044":  NoticeMismatch,
		"302000100000019421":  NoticeMismatch,
		"501000000001234519":  NoticeAux,
		"30100000000123451":   NoticeForm,
		"3010000000012345190": NoticeForm,
		"30100000000123451A":  NoticeForm,
		"3.01000000001234E17": NoticeForm,
		"":                    NoticeForm,
	}
	for code, want := range tests {
		if got := CheckNotice(code); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	if got := noticeCheckDigits("302011697026785000"); got != "45" {
		t.Errorf("expected digits %s, want 45", got)
	}
	if got := noticeCheckDigits("302000100000019400"); got != "14" {
		t.Errorf("expected digits %s, want 14", got)
	}
}

func TestProvincesAndStates(t *testing.T) {
	if len(provinceCodes) != 107 {
		t.Errorf("%d provinces, want 107", len(provinceCodes))
	}
	for _, code := range []string{"MI", "rm", "SU", "BT"} {
		if !IsProvince(code) {
			t.Errorf("%s is no province", code)
		}
	}
	for _, code := range []string{"XX", "", "ROMA", "PS", "R", "FO"} {
		if IsProvince(code) {
			t.Errorf("%s is a province", code)
		}
	}
	names := map[string]string{"Verona": "VR", "FORLI' CESENA": "FC", "Forlì-Cesena": "FC", "l’aquila": "AQ", "Valle d'Aosta": "AO", "Lombardia": ""}
	for name, want := range names {
		if got := ProvinceOfName(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, state := range []string{"FRANCIA", "francia", "Perù", "PERU'", "Stati Uniti d’America", "Côte d'Ivoire", "SAN MARINO"} {
		if !IsKnownState(state) {
			t.Errorf("%s is not known", state)
		}
	}
	if IsKnownState("ATLANTIDE") || IsKnownState("") {
		t.Error("a state that does not exist is known")
	}
}

// The table is searched by halving, so its order is part of its correctness.
func TestTaxonomies(t *testing.T) {
	all := Taxonomies()
	for i, x := range all {
		if !isTaxonomyForm(x.Code) || x.Meaning == "" || !isTaxonomy(x.Code) {
			t.Errorf("%+v is not complete", x)
		}
		if i > 0 && all[i-1].Code >= x.Code {
			t.Errorf("%s stands before %s", all[i-1].Code, x.Code)
		}
	}
	for code := range strings.FieldsSeq("010101P 010102P 010103N 010104N 010201P 010202N 010301P 010302N 010401P 010401N " +
		"010501N 010601N 010701P 010702N 010801N 010801P 010901N 011001N 120103P") {
		if !isTaxonomy(code) {
			t.Errorf("%s is missing", code)
		}
	}
	if isTaxonomy("000000X") {
		t.Error("000000X is known")
	}
	all[0].Code = "changed"
	if Taxonomies()[0].Code == "changed" {
		t.Error("the caller's slice is the table itself")
	}
}
