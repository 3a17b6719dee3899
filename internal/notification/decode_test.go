package notification

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// dropLine is a whole line as a software house would drop it.
const dropLine = `{"paProtocolNumber":"2026/1","subject":"Avviso","abstract":"Testo","recipients":[{"recipientType":"PF",` +
	`"taxId":"FRMTTR76M06B715E","denomination":"Ettore Fieramosca","digitalDomicile":{"type":"PEC","address":"a@pec.it"},` +
	`"physicalAddress":{"at":"Rossi","address":"VIA TORINO 15","addressDetails":"SCALA B","zip":"20123","municipality":"MILANO",` +
	`"municipalityDetails":"CENTRO","province":"MI","foreignState":"ITALIA"},"payments":[{"pagoPa":{"noticeCode":"301000000001234519",` +
	`"creditorTaxId":"01199250158","applyCost":true,"attachment":{"file":"a/avviso.pdf","contentType":"application/pdf"}},` +
	`"f24":{"title":"F24","applyCost":true,"metadataAttachment":{"file":"f.json","contentType":"application/json"}}}]}],` +
	`"documents":[{"title":"Atto","docIdx":"0","file":"atto.pdf","contentType":"application/pdf"}],` +
	`"notificationFeePolicy":"DELIVERY_MODE","cancelledIun":"DPDA-LVZM-JREL-202501-N-1","physicalCommunicationType":"AR_REGISTERED_LETTER",` +
	`"senderDenomination":"Comune","senderTaxId":"01199250158","group":"g1","amount":1500,"paymentExpirationDate":"2026-12-31",` +
	`"taxonomyCode":"010201P","paFee":100,"vat":22,"pagoPaIntMode":"SYNC","additionalLanguages":["DE"],"physicalCommunicationPriority":5}`

// A field that the decoder forgot would be lost without a word: what it reads must
// be what encoding/json makes of the same line.
func TestDecodeReadsEveryField(t *testing.T) {
	got, problems := Decode([]byte(dropLine+"\r\n"), Italian)
	if len(problems) > 0 {
		t.Fatalf("problems: %s", codes(problems))
	}
	var want Request
	if err := json.Unmarshal([]byte(dropLine), &want); err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("got  %s\nwant %s", a, b)
	}
	if ps := Validate(got, DefaultRules()); len(ps) > 0 {
		t.Errorf("the line is not valid: %s", codes(ps))
	}
}

// The strict reading of dropped lines: each mistake by its code and field, all of
// a line at once.
func TestDecode(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(dropLine, old) {
			t.Fatalf("%s is not in the line", old)
		}
		return strings.Replace(dropLine, old, new, 1)
	}
	const notice = "recipients[0].payments[0].pagoPa."
	tests := []struct{ name, line, want string }{
		{"unknown at the top", change(`"subject"`, `"oggetto":"x","subject"`), "C-JSON-UNKNOWN oggetto"},
		{"mistyped name", change(`"denomination"`, `"Denomination"`), "C-JSON-UNKNOWN recipients[0].Denomination; C-JSON-MISSING recipients[0].denomination"},
		{"unknown with a whole tree", change(`"subject"`, `"x":{"a":[1,{"b":[]}]},"subject"`), "C-JSON-UNKNOWN x"},
		{"twice", change(`"subject":"Avviso"`, `"subject":"Avviso","subject":"Altro"`), "C-JSON-TWICE subject"},
		{"missing", change(`"subject":"Avviso",`, ``), "C-JSON-MISSING subject"},
		{"missing boolean", change(`"applyCost":true,"attachment"`, `"attachment"`), "C-JSON-MISSING " + notice + "applyCost"},
		{"missing file", change(`"file":"atto.pdf",`, ``), "C-JSON-MISSING documents[0].file"},
		{"number as text", change(`"paFee":100`, `"paFee":"100"`), "C-JSON-TYPE paFee"},
		{"text as number", change(`"zip":"20123"`, `"zip":20123`), "C-JSON-TYPE recipients[0].physicalAddress.zip"},
		{"fraction", change(`"amount":1500`, `"amount":15.5`), "C-JSON-TYPE amount"},
		{"beyond int32", change(`"amount":1500`, `"amount":2147483648`), "C-JSON-TYPE amount"},
		{"boolean as text", change(`"applyCost":true,"attachment"`, `"applyCost":"true","attachment"`), "C-JSON-TYPE " + notice + "applyCost"},
		{"object for list", change(`"recipients":[`, `"recipients":{"a":[`) + "", "C-JSON-SYNTAX "},
		{"list of texts", change(`"documents":[{`, `"documents":["a.pdf",{`), "C-JSON-TYPE documents[0]"},
		{"null in a list", change(`"documents":[{`, `"documents":[null,{`), "C-JSON-TYPE documents[0]"},
		{"null optional", change(`"abstract":"Testo"`, `"abstract":null`), "C-JSON-NULL abstract"},
		{"null required", change(`"subject":"Avviso"`, `"subject":null`), "C-JSON-NULL subject; C-JSON-MISSING subject"},
		{"null boolean", change(`"applyCost":true,"attachment"`, `"applyCost":null,"attachment"`), "C-JSON-NULL " + notice + "applyCost; C-JSON-MISSING " + notice + "applyCost"},
		{"token", change(`"subject"`, `"idempotenceToken":"a","subject"`), "C-JSON-RESERVED idempotenceToken"},
		{"null token", change(`"subject"`, `"idempotenceToken":null,"subject"`), "C-JSON-NULL idempotenceToken"},
		{"digests and ref", change(`"file":"atto.pdf"`, `"file":"atto.pdf","digests":{"sha256":"x"},"ref":{"key":"k","versionToken":"v"}`), "C-JSON-RESERVED documents[0].digests; C-JSON-RESERVED documents[0].ref"},
		{"two mistakes", change(`"vat":22`, `"vat":true,"iva":1`), "C-JSON-TYPE vat; C-JSON-UNKNOWN iva"},
		{"file not safe is for Validate", change(`"atto.pdf"`, `"../atto.pdf"`), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, problems := Decode([]byte(tt.line), Italian)
			if got := codes(problems); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if r == nil && !strings.HasPrefix(tt.want, "C-JSON-SYNTAX") {
				t.Error("no request")
			}
		})
	}
}

// The column must be where a person finds the fault in an editor.
func TestDecodeSyntax(t *testing.T) {
	tests := []struct{ line, column string }{
		{``, "(colonna 1)"},
		{`{`, "(colonna 2)"},
		{`{"a":1,}`, "(colonna 8)"},
		{`{"à":x}`, "(colonna 6)"},
		{`{"a":"` + "\xe0" + `"}`, "(colonna 7)"},
		{`{} {}`, "(colonna 4)"},
		{`{"subject":"Avv`, "(colonna 16)"},
	}
	for _, tt := range tests {
		r, problems := Decode([]byte(tt.line), Italian)
		if r != nil || len(problems) != 1 || problems[0].Code != "C-JSON-SYNTAX" || !strings.Contains(problems[0].Message, tt.column) {
			t.Errorf("%q: %+v, want %s", tt.line, problems, tt.column)
		}
	}
	for _, line := range []string{`[]`, `"a"`, `null`, `1`} {
		if r, problems := Decode([]byte(line), Italian); r != nil || codes(problems) != "C-JSON-TYPE " {
			t.Errorf("%s: %v, %s", line, r, codes(problems))
		}
	}
}

// On the wire SEND's own strictness counts, and its answers carry more fields.
func TestDecodeWire(t *testing.T) {
	wire := strings.NewReplacer(
		`"file":"a/avviso.pdf"`, `"digests":{"sha256":"jezIVxlG1M1woCSUngM6KipUN3/p8cG5RMIPnuEanlE="},"ref":{"key":"PN_NOTIFICATION_ATTACHMENTS-1.pdf","versionToken":"v"}`,
		`"file":"f.json"`, `"digests":{"sha256":"jezIVxlG1M1woCSUngM6KipUN3/p8cG5RMIPnuEanlE="},"ref":{"key":"PN_F24_META-1.json","versionToken":"v"}`,
		`"file":"atto.pdf"`, `"digests":{"sha256":"jezIVxlG1M1woCSUngM6KipUN3/p8cG5RMIPnuEanlE="},"ref":{"key":"PN_NOTIFICATION_ATTACHMENTS-2.pdf","versionToken":"v"}`,
		`{"paProtocolNumber"`, `{"idempotenceToken":"t","paProtocolNumber"`,
	).Replace(dropLine)
	tests := []struct{ name, old, new, want string }{
		{"sound", `{`, `{`, ""},
		{"null", `"abstract":"Testo"`, `"abstract":null`, "C-JSON-NULL-REFUSED abstract"},
		{"null required", `"subject":"Avviso"`, `"subject":null`, "C-JSON-NULL-REFUSED subject"},
		{"answer", `"subject"`, `"notificationRequestStatus":"WAITING","subject"`, "C-JSON-EXTRA notificationRequestStatus"},
		{"unknown in a recipient", `"taxId"`, `"email":"a","taxId"`, "C-JSON-UNKNOWN recipients[0].email"},
		{"unknown in a payment", `"pagoPa"`, `"x":1,"pagoPa"`, "C-JSON-UNKNOWN recipients[0].payments[0].x"},
		{"file", `"title":"Atto"`, `"title":"Atto","file":"a"`, "C-JSON-EXTRA documents[0].file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := DecodeWire([]byte(strings.Replace(wire, tt.old, tt.new, 1)), English)
			if got := codes(problems); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	rules := DefaultRules()
	rules.Wire = true
	r, _ := DecodeWire([]byte(wire), English)
	if problems := Validate(r, rules); len(problems) > 0 {
		t.Errorf("wire line: %s", codes(problems))
	}
}

// The hand-made tokens must be those of encoding/json, or a text would be read as
// another one.
func FuzzTokens(f *testing.F) {
	f.Add([]byte(dropLine))
	f.Add([]byte(` { "a\\\"\u00e0" : [ -1.5e3 , true,false ,null , "" ] , "b":{}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if !json.Valid(line) || !utf8.Valid(line) {
			return
		}
		mine := tokens{line: line}
		theirs := json.NewDecoder(bytes.NewReader(line))
		theirs.UseNumber()
		for {
			want, err := theirs.Token()
			if err != nil {
				break
			}
			if got := mine.next(); got != want {
				t.Fatalf("%q: %v (%T), want %v (%T)", line, got, got, want, want)
			}
			if got, want := mine.more(), theirs.More(); got != want {
				t.Fatalf("%q: more %v, want %v", line, got, want)
			}
		}
		if mine.peek() != 0 {
			t.Fatalf("%q: not at the end", line)
		}
	})
}

// Whatever a line holds, decoding and judging it end without a panic, an accepted
// line is JSON, and what was read says the same when it is written and read again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(dropLine))
	f.Add([]byte(`{"recipients":[{"payments":[{"pagoPa":null}]}],"documents":[{"ref":{}}]}`))
	f.Add([]byte(`{"a":[[[[[[[[]]]]]]]],"a":1}`))
	f.Add([]byte("\xEF\xBB\xBF{}"))
	f.Add([]byte(`{"subject":"\ud800"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, problems := Decode(line, Italian)
		if r == nil {
			if !Errors(problems) {
				t.Fatal("no request and no error")
			}
			return
		}
		Validate(r, DefaultRules())
		_, _ = DecodeWire(line, English)
		if len(problems) > 0 {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		r2, problems := Decode(again, Italian)
		if r2 == nil || FingerprintOf(r) != FingerprintOf(r2) {
			t.Fatalf("%s became %s: %v", line, again, problems)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	line := []byte(dropLine)
	b.ReportAllocs()
	for b.Loop() {
		if _, ps := Decode(line, Italian); ps != nil {
			b.Fatal(ps)
		}
	}
}
