package mapping

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Damage prevented: a citizen asked for a hundred times the amount, or a hundredth.
func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		text, notation string
		want           int // -1: refused
	}{
		{"1.234,50", "it", 123450},
		{"1234,5", "it", 123450},
		{"1234", "it", 123400},
		{"0,05", "it", 5},
		{"€ 12,00", "it", 1200},
		{"12,00 €", "it", 1200},
		{"EUR 1.000", "it", 100000},
		{"+3,10", "it", 310},
		{"12.345.678,90", "it", 1234567890},
		{"1234.50", "it", -1},
		{"1.23,45", "it", -1},
		{"1,234", "it", -1},
		{"1,234.50", "it", -1},
		{"0.123", "it", -1},
		{".123", "it", -1},
		{"1.234.56", "it", -1},
		{"12,", "it", -1},
		{",50", "it", -1},
		{"-12,00", "it", -1},
		{"12,00-", "it", -1},
		{"abc", "it", -1},
		{"1 234,00", "it", -1},
		{"30.000.000,00", "it", -1}, // above the 32 bits SEND takes
		{"1,234.50", "en", 123450},
		{"1234.5", "en", 123450},
		{"1.234,50", "en", -1},
		{"1,23", "en", -1},
		{"123450", "cents", 123450},
		{"1234.50", "cents", -1},
		{"00012", "cents", 12},
	} {
		got, err := amountToCents(c.text, c.notation)
		if err != nil {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s as %s: got %d, want %d", c.text, c.notation, got, c.want)
		}
	}
	for text, want := range map[string]int{"1234.5": 123450, "12": 1200, "12.50": 1250, "12.500": 1250, "12.345": -1, "-5": -1, "1,5": -1} {
		got, err := numberToCents(text, "it")
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("number %s: got %d, want %d", text, got, want)
		}
	}
}

// Damage prevented: day and month swapped, a day that does not exist.
func TestDates(t *testing.T) {
	for _, c := range []struct{ text, pattern, want string }{
		{"31/12/2026", "gg/mm/aaaa", "2026-12-31"},
		{"31/12/2026 00:00:00", "gg/mm/aaaa", "2026-12-31"},
		{"31/12/2026 14:30", "gg/mm/aaaa", ""},
		{"1/2/2026", "g/m/aaaa", "2026-02-01"},
		{"01/02/2026", "g/m/aaaa", "2026-02-01"},
		{"1/2/2026", "gg/mm/aaaa", ""},
		{"20261231", "aaaammgg", "2026-12-31"},
		{"20261331", "aaaammgg", ""},
		{"31-12-26", "dd-mm-yy", "2026-12-31"},
		{"29/02/2027", "gg/mm/aaaa", ""},
		{"29/02/2028", "gg/mm/aaaa", "2028-02-29"},
		{"31.12.2026", "gg/mm/aaaa", ""},
		{"31/12/26", "gg/mm/aaaa", ""},
		{"12/31/2026", "gg/mm/aaaa", ""},
		{"12/31/2026", "mm/dd/yyyy", "2026-12-31"},
		{"00/12/2026", "gg/mm/aaaa", ""},
		{"31/12/2026x", "gg/mm/aaaa", ""},
		{"31/12/1026", "gg/mm/aaaa", ""},
	} {
		p, err := parseDatePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := p.parse(c.text); got != c.want {
			t.Errorf("%s as %s: got %q, want %q", c.text, c.pattern, got, c.want)
		}
	}
	for _, bad := range []string{"", "gg/mm", "gg/gg/aaaa", "ggg/mm/aaaa", "gma", "gg/mm/aaa", "gmmaaaa"} {
		if _, err := parseDatePattern(bad); err == nil {
			t.Errorf("pattern %q was taken", bad)
		}
	}
}

// Damage prevented: an amount accepted that does not read back as itself.
func FuzzAmount(f *testing.F) {
	f.Add("1.234,50", true)
	f.Add("€ 1,234.5", false)
	f.Fuzz(func(t *testing.T, text string, italian bool) {
		notation, point := "en", "."
		if italian {
			notation, point = "it", ","
		}
		cents, err := amountToCents(text, notation)
		if err != nil {
			if !errors.Is(err, errAmount) {
				t.Fatal(err)
			}
			return
		}
		if cents < 0 || cents > maxCents {
			t.Fatalf("%q gave %d", text, cents)
		}
		plain := strconv.Itoa(cents/100) + point + strconv.Itoa(cents%100/10) + strconv.Itoa(cents%10)
		if again, err := amountToCents(plain, notation); err != nil || again != cents {
			t.Fatalf("%q gave %d, read back %d %v", text, cents, again, err)
		}
		figures := func(s string) string {
			return strings.TrimLeft(strings.Map(func(r rune) rune {
				if r < '0' || r > '9' {
					return -1
				}
				return r
			}, s), "0")
		}
		if !strings.HasPrefix(figures(plain), strings.TrimRight(figures(text), "0")) {
			t.Fatalf("%q became %s", text, plain)
		}
	})
}

// Damage prevented: a date that does not exist, or a crash over a pattern.
func FuzzDate(f *testing.F) {
	f.Add("gg/mm/aaaa", "31/12/2026")
	f.Add("aaaammgg", "20261231")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p, err := parseDatePattern(pattern)
		if err != nil {
			return
		}
		date, err := p.parse(text)
		if err != nil {
			return
		}
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			t.Fatalf("%q as %q gave %q", text, pattern, date)
		}
	})
}
