package notification

import (
	"encoding/hex"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Another token for the same attempt is a second notification of the same act to a
// citizen. These values are frozen; a ledger that was lost finds its notifications
// by them.
func TestRule02TokenGolden(t *testing.T) {
	tests := []struct {
		sender, protocol string
		attempt          int
		want             string
	}{
		{"01199250158", "2026/TARI/000001", 1, "xau5d4xkbuudck66zcd3mv3b6o33dxx6ymbis7ihk4omayfyrqma"},
		{"01199250158", "2026/TARI/000001", 2, "bl257p3nedi3bsvjzvbxny22ecqwzihalo6nrpsdudyk3kqmk5ga"},
		{"15376371009", "2026/TARI/000001", 1, "s7zt52ifvbqzk2mdqqleo6ldmcjzmbqqwkhfs3s2klb2ycsxbguq"},
		{"01199250158", "città n. 7", 1, "sojp3rc2rzaplujen6hnab7dgarh7nuvm3ozbe4bgv7dae3fsria"},
	}
	for _, tt := range tests {
		if got := Token(tt.sender, tt.protocol, tt.attempt); got != tt.want {
			t.Errorf("Token(%q, %q, %d) = %q, want %q", tt.sender, tt.protocol, tt.attempt, got, tt.want)
		}
	}
}

// What SEND's gateway takes as a token, and no two keys may share one.
func TestRule02TokenForm(t *testing.T) {
	form := regexp.MustCompile(`^[a-z2-7]{52}$`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		token := Token("01199250158", a, n)
		if !form.MatchString(token) {
			t.Fatalf("token %q", token)
		}
		if (token == Token("01199250158", b, n)) != (a == b) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}

// Two spellings of one protocol number that are not seen as one are two
// notifications; two numbers seen as one are a notification that is never sent.
func TestRule01Canonical(t *testing.T) {
	tests := map[string]string{
		"2026/TARI/000001":   "2026/TARI/1",
		"2026/tari/1":        "2026/TARI/1",
		" 2026 / TARI / 01 ": "2026/TARI/1",
		"2026/TARI/1":        "2026/TARI/1",
		"２０２６/TARI/１":        "2026/TARI/1", // full-width digits
		"2026/TARI/10":       "2026/TARI/10",
		"2026/TARI/1000":     "2026/TARI/1000",
		"0":                  "0",
		"000":                "0",
		"A0B":                "A0B",
		"A00B":               "A0B",
		"007-0100":           "7-100",
		"N.\u00A012\u200B3":  "N.123",
		"":                   "",
		"   ":                "",
		"città":              "CITTÀ",
		"citta\u0300":        "CITTÀ",
		"½":                  "1⁄2",
	}
	for in, want := range tests {
		if got := Canonical(in); got != want {
			t.Errorf("Canonical(%q) = %q, want %q", in, got, want)
		}
	}
	if Canonical("2026/1") == Canonical("2026/10") || Canonical("A/1") == Canonical("A1") {
		t.Error("different numbers have one canonical form")
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"2026/TARI/000001", "ß0\u0345", "ŉ００1", "\u200D0", "\xff0", "ﬁ01", "İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Canonical(s)
		if twice := Canonical(once); twice != once {
			t.Fatalf("Canonical(%q) = %q, again %q", s, once, twice)
		}
	})
}

func sample() *Request {
	fee, vat, amount, priority := 100, 22, 15050, 1
	digest := &Digests{SHA256: "jezIVxlG1M1woCSUngM6KipUN3/p8cG5RMIPnuEanlE="}
	ref := &Ref{Key: "PN_NOTIFICATION_ATTACHMENTS-1.pdf", VersionToken: "v1"}
	return &Request{
		IdempotenceToken: "t", PaProtocolNumber: "2026/1", Subject: "Avviso", Abstract: "Descrizione",
		Recipients: []Recipient{
			{
				RecipientType: NaturalPerson, TaxID: "FRMTTR76M06B715E", Denomination: "Ettore Fieramosca",
				DigitalDomicile: &DigitalDomicile{Type: "PEC", Address: "ettore@pec.it"},
				PhysicalAddress: &PhysicalAddress{
					At: "Rossi", Address: "VIA TORINO 15", AddressDetails: "SCALA B", Zip: "20123", Municipality: "MILANO",
					MunicipalityDetails: "CENTRO", Province: "MI", ForeignState: "ITALIA",
				},
				Payments: []Payment{
					{PagoPa: &PagoPa{
						NoticeCode: "301000000001234519", CreditorTaxID: "01199250158", ApplyCost: true,
						Attachment: &Attachment{File: "a.pdf", Digests: digest, ContentType: ContentPDF, Ref: ref},
					}},
					{F24: &F24{
						Title: "F24", ApplyCost: true,
						MetadataAttachment: &Attachment{File: "f.json", Digests: digest, ContentType: ContentJSON, Ref: ref},
					}},
				},
			},
			{RecipientType: LegalPerson, TaxID: "20517490320", Denomination: "Prova SRL"},
		},
		Documents: []Document{
			{Title: "Atto", DocIdx: "0", Attachment: Attachment{File: "d.pdf", Digests: digest, ContentType: ContentPDF, Ref: ref}},
		},
		NotificationFeePolicy: FeeDeliveryMode, CancelledIun: "AAAA-BBBB-CCCC-202601-N-1",
		PhysicalCommunicationType: Paper890, SenderDenomination: "Comune", SenderTaxID: "01199250158", Group: "g",
		Amount: &amount, PaymentExpirationDate: "2026-12-31", TaxonomyCode: "010201P", PaFee: &fee, Vat: &vat,
		PagoPaIntMode: PagoPaSync, AdditionalLanguages: []string{"DE"}, PhysicalCommunicationPriority: &priority,
	}
}

// The digests stand in tombstones for ever; if their bytes change, every document
// of the past becomes a new one.
func TestRule30FingerprintGolden(t *testing.T) {
	f := FingerprintOf(sample())
	got := []string{hex.EncodeToString(f.Identity[:]), hex.EncodeToString(f.Body[:]), hex.EncodeToString(f.Whole[:]), hex.EncodeToString(f.TaxIDs[:])}
	want := []string{
		"7ddb26c555c11047b574905d107255d90e5ff26e66f1de2d5943799a48095076",
		"788beef65f693245de57fb4bb19290bc301d8323ef0463032aae0e37bcbc16c0",
		"11de720d83a0325922b5e1977334ccac1d263d73d69d0d8ce66235f95371e918",
		"927e51a1157fb8d56e7b3eceabbf89999d5646ee9bddd99f15e7d662bfe1104d",
	}
	if !slices.Equal(got, want) {
		t.Errorf("fingerprints changed:\n%q\nwant\n%q", got, want)
	}
	if hex.EncodeToString(f.Act[:]) != "8decc8571946d4cd70a024949e033a2a2a54377fe9f1c1b944c20f9ee11a9e51" {
		t.Errorf("act %x", f.Act)
	}
}

// A field that the fingerprint forgets is a changed request taken for the same one
// (rule 8): every text, number and flag of the request is changed in turn.
func TestRule08BodyKnowsEveryField(t *testing.T) {
	before := FingerprintOf(sample())
	leaves := countLeaves(reflect.ValueOf(sample()))
	if leaves < 45 {
		t.Fatalf("only %d fields found", leaves)
	}
	for i := range leaves {
		r := sample()
		n := 0
		name := changeLeaf(reflect.ValueOf(r), "", i, &n)
		after := FingerprintOf(r)
		changed := after.Body != before.Body
		switch {
		case outsideBody(name):
			if changed {
				t.Errorf("%s changes the body", name)
			}
		case !changed:
			t.Errorf("%s does not change the body", name)
		}
		if regexp.MustCompile(`SHA256$`).MatchString(name) && after.Whole == before.Whole {
			t.Errorf("%s does not change the whole", name)
		}
	}
}

func outsideBody(name string) bool {
	return name == ".IdempotenceToken" || regexp.MustCompile(`\.(File|SHA256|Key|VersionToken)$`).MatchString(name)
}

func countLeaves(v reflect.Value) int {
	n := 0
	changeLeaf(v, "", -1, &n)
	return n
}

// changeLeaf changes the leaf number i and names it.
func changeLeaf(v reflect.Value, path string, i int, n *int) string {
	name := ""
	visit := func(w reflect.Value, p string) {
		if found := changeLeaf(w, p, i, n); found != "" {
			name = found
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			visit(v.Elem(), path)
		}
	case reflect.Struct:
		for f := range v.NumField() {
			visit(v.Field(f), path+"."+v.Type().Field(f).Name)
		}
	case reflect.Slice:
		for e := range v.Len() {
			visit(v.Index(e), path)
		}
	default:
		if *n == i {
			name = path
			switch v.Kind() {
			case reflect.String:
				v.SetString(v.String() + "x")
			case reflect.Int:
				v.SetInt(v.Int() + 1)
			case reflect.Bool:
				v.SetBool(!v.Bool())
			}
		}
		*n++
	}
	return name
}

// Programs write recipients and instalments in another order at every export.
func TestRule08OrderDoesNotCount(t *testing.T) {
	a, b := sample(), sample()
	slices.Reverse(b.Recipients)
	slices.Reverse(b.Recipients[1].Payments)
	b.IdempotenceToken = "other"
	if FingerprintOf(a) != FingerprintOf(b) {
		t.Error("the order of recipients or payments counts")
	}
	if ds := Differences(a, b); len(ds) != 0 {
		t.Errorf("differences %+v", ds)
	}
	c := sample()
	c.Documents = append(c.Documents, Document{Title: "Allegato", Attachment: Attachment{ContentType: ContentPDF}})
	d := sample()
	d.Documents = slices.Concat(c.Documents[1:], d.Documents)
	if FingerprintOf(c).Body == FingerprintOf(d).Body {
		t.Error("which document is the act does not count")
	}
}

// Two requests must not give the same bytes by moving text from one field to the
// next.
func TestFingerprintFieldsDoNotRun(t *testing.T) {
	a, b := sample(), sample()
	a.Subject, a.Abstract = "ab", "c"
	b.Subject, b.Abstract = "a", "bc"
	if FingerprintOf(a).Body == FingerprintOf(b).Body {
		t.Error("fields run into one another")
	}
	c := sample()
	c.Recipients[0].Payments = nil
	d := sample()
	d.Recipients[0].Payments = []Payment{}
	if FingerprintOf(c) != FingerprintOf(d) {
		t.Error("no payments and an empty list differ")
	}
}

func TestRule06ActAndTaxIDs(t *testing.T) {
	r := sample()
	r.Documents[0].Digests = nil
	if f := FingerprintOf(r); f.Act != [32]byte{} {
		t.Error("an act that is not known has a digest")
	}
	r.Documents[0].Digests = &Digests{SHA256: "not base64"}
	if f := FingerprintOf(r); f.Act != [32]byte{} {
		t.Error("a digest that is none was taken")
	}
	r.Subject = "other"
	r.Recipients[0].Payments = nil
	if FingerprintOf(r).TaxIDs != FingerprintOf(sample()).TaxIDs {
		t.Error("the set of tax codes depends on more than tax codes")
	}
}

// The message names what differs; the ledger decides by the parts.
func TestRule08Differences(t *testing.T) {
	parts := func(change func(*Request)) []Part {
		r := sample()
		change(r)
		var got []Part
		for _, d := range Differences(sample(), r) {
			got = append(got, d.Part)
		}
		return got
	}
	tests := []struct {
		name   string
		change func(*Request)
		want   []Part
	}{
		{"nothing", func(*Request) {}, nil},
		{"tax code", func(r *Request) { r.Recipients[1].TaxID = "12345678903" }, []Part{PartTaxIDs}},
		{"notice", func(r *Request) { r.Recipients[0].Payments[0].PagoPa.NoticeCode = "301000000001234620" }, []Part{PartNotices}},
		{"creditor", func(r *Request) { r.Recipients[0].Payments[0].PagoPa.CreditorTaxID = "15376371009" }, []Part{PartNotices}},
		{"subject", func(r *Request) { r.Subject = "Altro" }, []Part{PartSubject}},
		{"address", func(r *Request) { r.Recipients[0].PhysicalAddress.Zip = "20121" }, []Part{PartOther}},
		{"priority, which has no name of its own", func(r *Request) { r.PhysicalCommunicationPriority = nil }, []Part{PartOther}},
		{"subject and address", func(r *Request) {
			r.Subject = "Altro"
			r.Recipients[0].PhysicalAddress.Zip = "20121"
		}, []Part{PartSubject, PartOther}},
		{"bytes only", func(r *Request) { r.Documents[0].Digests = nil }, nil},
		{"two things", func(r *Request) { r.Subject = "Altro"; r.Recipients = r.Recipients[:1] }, []Part{PartTaxIDs, PartSubject}},
	}
	for _, tt := range tests {
		if got := parts(tt.change); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	r := sample()
	r.Recipients[1].TaxID = "12345678903"
	ds := Differences(sample(), r)
	if got, want := Describe(Italian, ds), "codici fiscali dei destinatari (solo prima: 20517490320; solo ora: 12345678903)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	r = sample()
	r.Recipients[0].PhysicalAddress.Zip, r.Amount = "20121", nil
	if got, want := Describe(Italian, Differences(sample(), r)), "altri dati della richiesta (l'importo; l'indirizzo fisico)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Describe(English, nil); got != "" {
		t.Errorf("no differences: %q", got)
	}
}

// A refused request is sent again at every nightly export; only new bytes of the
// documents tell it from the refused one.
func TestRule05SameRequest(t *testing.T) {
	a, b := FingerprintOf(sample()), sample()
	b.Documents[0].Digests = &Digests{SHA256: "16uBESiJqdmmeeZaaJilSMKgzEkegHty3voSvV8hklY="}
	if f := FingerprintOf(b); f.Body != a.Body || f.Whole == a.Whole || f.Act == a.Act {
		t.Error("new document bytes are not told apart from a changed request")
	}
	c := sample()
	c.Recipients[0].PhysicalAddress.Zip = "20121"
	if f := FingerprintOf(c); f.Body == a.Body || f.Whole == a.Whole {
		t.Error("a corrected address is not a changed request")
	}
}

// What SEND answers is adopted only if it is ours by tax codes, notices and subject.
func TestRule14Identity(t *testing.T) {
	ours := FingerprintOf(sample()).Identity
	theirs := &Request{Subject: sample().Subject, Recipients: []Recipient{
		{TaxID: "20517490320", Payments: []Payment{{PagoPa: &PagoPa{NoticeCode: "301000000001234519", CreditorTaxID: "01199250158"}}}},
		{TaxID: "FRMTTR76M06B715E"},
	}}
	if FingerprintOf(theirs).Identity != ours {
		t.Error("order or other fields count for the identity")
	}
	theirs.Recipients = theirs.Recipients[:1]
	if FingerprintOf(theirs).Identity == ours {
		t.Error("a missing recipient does not count")
	}
}

func TestNotices(t *testing.T) {
	got := Notices(sample())
	if want := []NoticePair{{Creditor: "01199250158", Notice: "301000000001234519"}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
