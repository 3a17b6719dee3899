package notification

import (
	"strings"
	"testing"
)

const soundF24 = `{"f24Simplified":{"taxPayer":{"taxCode":"FRMTTR76M06B715E","personalData":{"surname":"FIERAMOSCA","name":"ETTORE",` +
	`"birthDate":"06-08-1976","sex":"M"}},"payments":{"operationId":"ABCDEFGHIJ12345678","records":[` +
	`{"section":"EL","taxType":"3918","municipality":"F205","year":"2024","debit":"12345","applyCost":true},` +
	`{"section":"EL","taxType":"3919","municipality":"F205","year":"2024","credit":"500","applyCost":false}]}}}`

// Every fault of a metadata file is found by SEND only after acceptance, and billed.
func TestCheckF24(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(soundF24, old) {
			t.Fatalf("%s is not in the file", old)
		}
		return strings.Replace(soundF24, old, new, 1)
	}
	tests := []struct {
		name, data string
		applyCost  bool
		want       string
	}{
		{"sound", soundF24, true, ""},
		{"no JSON", soundF24[:40], true, "C-F24-SYNTAX f"},
		{"a list", "[]", false, "C-F24-SYNTAX f"},
		{"two forms", change(`{"f24Simplified"`, `{"f24Elid":{},"f24Simplified"`), true, "C-F24-KIND f"},
		{"no form", `{"f24":{}}`, false, "C-F24-KIND f"},
		{"costs not asked for", soundF24, false, "C-F24-COST-NONE f"},
		{"costs nowhere", change(`"applyCost":true`, `"applyCost":false`), true, "C-F24-COST-ONE f"},
		{"costs twice", change(`"applyCost":false`, `"applyCost":true`), true, "C-F24-COST-CREDIT f; C-F24-COST-ONE f"},
		{"no applyCost", change(`,"applyCost":false`, ``), true, "C-F24-COST-MISSING f"},
		{"applyCost as text", change(`"applyCost":false`, `"applyCost":"false"`), true, "C-F24-COST-MISSING f"},
		{"debit in euro", change(`"12345"`, `"123,45"`), true, "C-F24-VALUE f"},
		{"year", change(`"2024"`, `"24"`), true, "C-F24-VALUE f"},
		{"birth date", change(`"06-08-1976"`, `"1976-08-06"`), true, "C-F24-VALUE f"},
		{"tax code", change(`B715E`, `B715`), true, "C-F24-VALUE f"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, lang := range []Lang{Italian, English} {
				problems := CheckF24([]byte(tt.data), tt.applyCost, lang, "f")
				if got := codes(problems); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				for _, p := range problems {
					if strings.ContainsAny(p.Message, "{}") {
						t.Errorf("unfilled: %s", p.Message)
					}
				}
			}
		})
	}
}
