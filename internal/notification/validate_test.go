package notification

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// plain is a request as mapping gives it, without a single problem.
func plain() *Request {
	return &Request{
		PaProtocolNumber: "2026/TARI/1", Subject: "Avviso di accertamento TARI 2024",
		SenderDenomination: "Comune di Prova", SenderTaxID: "01199250158", TaxonomyCode: "010201P",
		NotificationFeePolicy: FeeDeliveryMode, PhysicalCommunicationType: PaperAR, PagoPaIntMode: PagoPaSync,
		PaFee: number(100), Vat: number(22),
		Recipients: []Recipient{{
			RecipientType: NaturalPerson, TaxID: "FRMTTR76M06B715E", Denomination: "Ettore Fieramosca",
			PhysicalAddress: &PhysicalAddress{Address: "VIA TORINO 15", Zip: "20123", Municipality: "MILANO", Province: "MI"},
			Payments: []Payment{{PagoPa: &PagoPa{
				NoticeCode: "301000000001234519", CreditorTaxID: "01199250158", ApplyCost: true,
				Attachment: &Attachment{File: "avvisi/1.pdf", ContentType: ContentPDF},
			}}},
		}},
		Documents: []Document{{Title: "Atto", Attachment: Attachment{File: "atti/1.pdf", ContentType: ContentPDF}}},
	}
}

func number(n int) *int { return &n }

func second(taxID string) Recipient {
	return Recipient{
		RecipientType: NaturalPerson, TaxID: taxID, Denomination: "Leonardo Da Vinci",
		PhysicalAddress: &PhysicalAddress{Address: "VIA ROMA 1", Zip: "50121", Municipality: "FIRENZE", Province: "FI"},
	}
}

func form24(cost bool) Payment {
	return Payment{F24: &F24{
		Title: "F24", ApplyCost: cost,
		MetadataAttachment: &Attachment{File: "f24.json", ContentType: ContentJSON},
	}}
}

// Each rule with the mistake that it is there for; the list names exactly the codes
// and fields that the mistake may give, so that a rule neither misses nor says more.
func TestValidateRules(t *testing.T) {
	recipient := func(f func(*Recipient)) func(*Request) { return func(r *Request) { f(&r.Recipients[0]) } }
	address := func(f func(*PhysicalAddress)) func(*Request) {
		return func(r *Request) { f(r.Recipients[0].PhysicalAddress) }
	}
	notice := func(f func(*PagoPa)) func(*Request) {
		return func(r *Request) { f(r.Recipients[0].Payments[0].PagoPa) }
	}
	const at = "recipients[0]."
	const postal = at + "physicalAddress."
	tests := []struct {
		name   string
		change func(*Request)
		want   string // "CODE field" separated by "; "
	}{
		{"nothing", func(*Request) {}, ""},
		{"no protocol", func(r *Request) { r.PaProtocolNumber = "" }, "C-REQUIRED paProtocolNumber"},
		{"blank protocol", func(r *Request) { r.PaProtocolNumber = " \u00A0" }, "C-REQUIRED paProtocolNumber"},
		{"subject of blanks", func(r *Request) { r.Subject = strings.Repeat(" ", 20) }, "C-REQUIRED subject"},
		{"protocol with blank at end", func(r *Request) { r.PaProtocolNumber = "A1 " }, "C-PROTOCOL-BLANK paProtocolNumber"},
		{"protocol of 256", func(r *Request) { r.PaProtocolNumber = strings.Repeat("P", 256) }, ""},
		{"protocol of 257", func(r *Request) { r.PaProtocolNumber = strings.Repeat("P", 257) }, "C-TOO-LONG paProtocolNumber"},
		{"subject of 134 accented", func(r *Request) { r.Subject = strings.Repeat("à", 134) }, ""},
		{"subject of 67 pairs and one", func(r *Request) { r.Subject = strings.Repeat("𝐀", 67) + "x" }, "C-TOO-LONG subject"},
		{"subject line separator", func(r *Request) { r.Subject = "a\u2028b" }, "C-LINE-BREAK subject"},
		{"subject next line", func(r *Request) { r.Subject = "a\u0085b" }, "C-LINE-BREAK subject"},
		{"subject paragraph separator", func(r *Request) { r.Subject = "a\u2029b" }, "C-LINE-BREAK subject"},
		{"abstract return", func(r *Request) { r.Abstract = "a\rb" }, "C-LINE-BREAK abstract"},
		{"abstract of 1025", func(r *Request) { r.Abstract = strings.Repeat("a", 1025) }, "C-TOO-LONG abstract"},
		{"broken subject", func(r *Request) { r.Subject = "Citt\uFFFD" }, "C-TEXT-BROKEN subject"},
		{"bytes that are no text", func(r *Request) { r.Subject = "Citt\xe0" }, "C-TEXT-BROKEN subject"},
		{"tax code in subject", func(r *Request) { r.Subject = "Avviso a frmttr76m06b715e." }, "C-PERSONAL-TAXID subject"},
		{"name in subject", func(r *Request) { r.Subject = "Avviso per FIERAMOSCA Ettore" }, "C-PERSONAL-NAME subject"},
		{"name in abstract", func(r *Request) { r.Abstract = "sig. Ettore Fieramosca" }, "C-PERSONAL-NAME abstract"},
		{"half the name", func(r *Request) { r.Subject = "Avviso via Ettore" }, ""},
		{"sender of ten digits", func(r *Request) { r.SenderTaxID = "1000000000" }, "C-SENDER-TAXID senderTaxId"},
		{"sender other", func(r *Request) { r.SenderTaxID = "15376371009" }, "C-SENDER-OTHER senderTaxId"},
		{"sender nameless", func(r *Request) { r.SenderDenomination = "" }, "C-REQUIRED senderDenomination"},
		{"sender of 89", func(r *Request) { r.SenderDenomination = strings.Repeat("c", 89) }, "C-TOO-LONG senderDenomination"},
		{"taxonomy short", func(r *Request) { r.TaxonomyCode = "010201" }, "C-TAXONOMY-FORM taxonomyCode"},
		{"taxonomy unknown", func(r *Request) { r.TaxonomyCode = "000000X" }, "C-TAXONOMY-UNKNOWN taxonomyCode"},
		{"taxonomy unpaid with payment", func(r *Request) { r.TaxonomyCode = "010202N" }, "C-TAXONOMY-PAID taxonomyCode"},
		{"taxonomy paid without payment", recipient(func(p *Recipient) { p.Payments = nil }), "C-TAXONOMY-UNPAID taxonomyCode"},
		{"policy unknown", func(r *Request) { r.NotificationFeePolicy = "FLAT" }, "C-ENUM notificationFeePolicy"},
		{"no paper", func(r *Request) { r.PhysicalCommunicationType = "" }, "C-REQUIRED physicalCommunicationType"},
		{"mode unknown", func(r *Request) { r.PagoPaIntMode = "sync" }, "C-ENUM pagoPaIntMode"},
		{"date Italian", func(r *Request) { r.PaymentExpirationDate = "31/12/2026" }, "C-DATE paymentExpirationDate"},
		{"date 31 February", func(r *Request) { r.PaymentExpirationDate = "2026-02-31" }, "C-DATE-CALENDAR paymentExpirationDate"},
		{"date past", func(r *Request) { r.PaymentExpirationDate = "2025-12-31" }, "C-DATE-PAST paymentExpirationDate"},
		{"date today", func(r *Request) { r.PaymentExpirationDate = "2026-11-22" }, ""},
		{"iun", func(r *Request) { r.CancelledIun = "AAAA-BBBB" }, "C-IUN cancelledIun"},
		{"iun sound", func(r *Request) { r.CancelledIun = "DPDA-LVZM-JREL-202501-N-1" }, ""},
		{"amount", func(r *Request) { r.Amount = number(-1) }, "C-AMOUNT amount"},
		{"group not ASCII", func(r *Request) { r.Group = "ufficio è" }, "C-NOT-ASCII group"},
		{"languages two", func(r *Request) { r.AdditionalLanguages = []string{"DE", "FR"} }, "C-LANGUAGE-MANY additionalLanguages"},
		{"language SI", func(r *Request) { r.AdditionalLanguages = []string{"SI"} }, "C-LANGUAGE additionalLanguages[0]"},
		{"language SL", func(r *Request) { r.AdditionalLanguages = []string{"SL"} }, ""},
		{"priority", func(r *Request) { r.PhysicalCommunicationPriority = number(101) }, "C-RANGE physicalCommunicationPriority"},
		{"no fee", func(r *Request) { r.PaFee = nil }, "C-FEE-MISSING paFee"},
		{"no vat", func(r *Request) { r.Vat = nil }, "C-FEE-MISSING vat"},
		{"fee zero", func(r *Request) { r.PaFee = number(0) }, ""},
		{"fee 101", func(r *Request) { r.PaFee = number(101) }, "C-RANGE paFee"},
		{"flat with cost", func(r *Request) { r.NotificationFeePolicy, r.PagoPaIntMode = FeeFlatRate, "" }, "C-COST-NOTICE-FLAT " + at + "payments"},
		{"flat with mode", func(r *Request) {
			r.NotificationFeePolicy = FeeFlatRate
			r.Recipients[0].Payments[0].PagoPa.ApplyCost = false
		}, "C-MODE-FLAT pagoPaIntMode"},
		{"no cost", notice(func(n *PagoPa) { n.ApplyCost = false }), "C-COST-NOTICE-NEEDED " + at + "payments"},
		{"F24 no cost", recipient(func(p *Recipient) { p.Payments = append(p.Payments, form24(false)) }), "C-COST-F24-NEEDED " + at + "payments"},
		{"F24 cost", recipient(func(p *Recipient) { p.Payments = append(p.Payments, form24(true)) }), ""},
		{"async unpaid", func(r *Request) {
			r.PagoPaIntMode = PagoPaAsync
			r.Recipients = append(r.Recipients, second("DVNLRD52D15M059P"))
		}, "C-ASYNC-PAYMENT recipients[1].payments"},
		{"no recipients", func(r *Request) { r.Recipients = nil }, "C-TAXONOMY-UNPAID taxonomyCode; C-REQUIRED recipients"},
		{"no documents", func(r *Request) { r.Documents = nil }, "C-REQUIRED documents"},
		{"16 documents", func(r *Request) {
			for i := range 15 {
				d := r.Documents[0]
				d.File = itoa(i) + ".pdf"
				r.Documents = append(r.Documents, d)
			}
		}, "C-DOCUMENTS-MANY documents"},

		{"kind", recipient(func(p *Recipient) { p.RecipientType = "pf" }), "C-ENUM " + at + "recipientType"},
		{"no tax code", recipient(func(p *Recipient) { p.TaxID = "" }), "C-REQUIRED " + at + "taxId"},
		{"tax code form", recipient(func(p *Recipient) { p.TaxID = "FRMTTRZ6M06B715E" }), "C-TAXID-FORM " + at + "taxId"},
		{"tax code small", recipient(func(p *Recipient) { p.TaxID = "frmttr76m06b715e" }), "C-TAXID-SPELLING " + at + "taxId"},
		{"tax code spaced", recipient(func(p *Recipient) { p.TaxID = "FRM TTR 76M06 B715E" }), "C-TAXID-SPELLING " + at + "taxId"},
		{"zeros lost", recipient(func(p *Recipient) { p.RecipientType, p.TaxID = LegalPerson, "1199250158" }), "C-TAXID-ZEROS-LOST " + at + "taxId"},
		{"tax code month", recipient(func(p *Recipient) { p.TaxID = "FRMTTR76F06B715E" }), "C-TAXID-MONTH " + at + "taxId"},
		{"tax code check", recipient(func(p *Recipient) { p.TaxID = "FRNSST75D50A717M" }), "C-TAXID-CHECK " + at + "taxId"},
		{"person numeric", recipient(func(p *Recipient) { p.TaxID = "20517490320" }), "C-TAXID-PF-NUMERIC " + at + "taxId"},
		{"company personal", recipient(func(p *Recipient) { p.RecipientType = LegalPerson }), "C-TAXID-PG-PERSONAL " + at + "taxId"},
		{"company check", recipient(func(p *Recipient) { p.RecipientType, p.TaxID = LegalPerson, "20517460320" }), "C-TAXID-CHECK " + at + "taxId"},
		{"company zero", recipient(func(p *Recipient) { p.RecipientType, p.TaxID = LegalPerson, "00000000000" }), "C-TAXID-ZERO " + at + "taxId"},
		{"twice", func(r *Request) { r.Recipients = append(r.Recipients, second("FRMTTR76M06B715E")) }, "C-TAXID-DUPLICATE recipients[1].taxId"},
		{"name euro", recipient(func(p *Recipient) { p.Denomination = "Ettore €" }), "C-CHARS " + at + "denomination"},
		{"name bar", recipient(func(p *Recipient) { p.Denomination = "Ettore|F" }), "C-CHARS " + at + "denomination"},
		{"name tab", recipient(func(p *Recipient) { p.Denomination = "Ettore\tF" }), "C-CHARS " + at + "denomination"},
		{"name Latin-1", recipient(func(p *Recipient) { p.Denomination = "Günther Ñandú" }), ""},
		{"name break", recipient(func(p *Recipient) { p.Denomination = "Ettore\n" }), "C-LINE-BREAK " + at + "denomination"},
		{"name of 44", recipient(func(p *Recipient) { p.Denomination = strings.Repeat("n", 44) }), ""},
		{"name of 45", recipient(func(p *Recipient) { p.Denomination = strings.Repeat("n", 45) }), "C-NAME-SPLIT " + at + "denomination"},
		{"name of 89", recipient(func(p *Recipient) { p.Denomination = strings.Repeat("n", 89) }), "C-TOO-LONG " + at + "denomination; C-NAME-SPLIT " + at + "denomination; C-ROW-CUT " + postal + "at"},
		{"PEC", recipient(func(p *Recipient) { p.DigitalDomicile = &DigitalDomicile{"PEC", "a@b"} }), "C-PEC " + at + "digitalDomicile.address"},
		{"PEC kind", recipient(func(p *Recipient) { p.DigitalDomicile = &DigitalDomicile{"EMAIL", "a@b.it"} }), "C-ENUM " + at + "digitalDomicile.type"},
		{"PEC ordinary", recipient(func(p *Recipient) { p.DigitalDomicile = &DigitalDomicile{"PEC", "a@Gmail.com"} }), "C-PEC-ORDINARY " + at + "digitalDomicile.address"},
		{"no address", recipient(func(p *Recipient) { p.PhysicalAddress = nil }), "C-ADDRESS-MISSING " + at + "physicalAddress"},

		{"street missing", address(func(a *PhysicalAddress) { a.Address = "" }), "C-REQUIRED " + postal + "address"},
		{"street short", address(func(a *PhysicalAddress) { a.Address = "0" }), "C-TOO-SHORT " + postal + "address"},
		{"no house number", address(func(a *PhysicalAddress) { a.Address = "VIA TORINO" }), "C-HOUSE-NUMBER " + postal + "address"},
		{"snc", address(func(a *PhysicalAddress) { a.Address = "VIA TORINO snc" }), ""},
		{"test keyword", address(func(a *PhysicalAddress) { a.Address = "VIA @OK_AR" }), ""},
		{"street is town", address(func(a *PhysicalAddress) { a.Address = "Milano" }), "C-ADDRESS-TOWN " + postal + "address"},
		{"street 45", address(func(a *PhysicalAddress) { a.Address = "VIA " + strings.Repeat("A", 38) + " 15" }), "C-ROW-CUT " + postal + "address"},
		{"street accent", address(func(a *PhysicalAddress) { a.Address = "VIA NOVÀ 1" }), "C-ADDRESS-CHARS " + postal + "address"},
		{"at 45", address(func(a *PhysicalAddress) { a.At = strings.Repeat("a", 45) }), "C-TOO-LONG " + postal + "at"},
		{"at outside", address(func(a *PhysicalAddress) { a.At = "Łukasz" }), "C-CHARS " + postal + "at"},
		{"details row", address(func(a *PhysicalAddress) {
			a.AddressDetails, a.MunicipalityDetails = "SCALA B INTERNO 12 PIANO 3", "LOCALITA FRAZIONE LONTANA"
		}), "C-ROW-CUT " + postal + "addressDetails"},
		{"CAP missing", address(func(a *PhysicalAddress) { a.Zip = "" }), "C-CAP-MISSING " + postal + "zip"},
		{"CAP of four", address(func(a *PhysicalAddress) { a.Zip = "2012" }), "C-CAP " + postal + "zip"},
		{"CAP zeros", address(func(a *PhysicalAddress) { a.Zip = "00000" }), "C-CAP " + postal + "zip"},
		{"CAP generic", address(func(a *PhysicalAddress) { a.Zip = "20100" }), "C-CAP-GENERIC " + postal + "zip"},
		{"zip characters", address(func(a *PhysicalAddress) { a.Zip = "201/3" }), "C-ZIP-CHARS " + postal + "zip; C-CAP " + postal + "zip"},
		{"town mail", address(func(a *PhysicalAddress) { a.Municipality = "a@b" }), "C-TOWN-AT " + postal + "municipality"},
		{"no province", address(func(a *PhysicalAddress) { a.Province = "" }), "C-PROVINCE-MISSING " + postal + "province"},
		{"province name", address(func(a *PhysicalAddress) { a.Province = "Milano" }), "C-PROVINCE-NAME " + postal + "province"},
		{"province XX", address(func(a *PhysicalAddress) { a.Province = "XX" }), "C-PROVINCE-UNKNOWN " + postal + "province"},
		{"province region", address(func(a *PhysicalAddress) { a.Province = "Lombardia" }), "C-PROVINCE " + postal + "province"},
		{"state ITA", address(func(a *PhysicalAddress) { a.ForeignState = "ITA" }), "C-STATE-ITALY " + postal + "foreignState"},
		{"state Italia", address(func(a *PhysicalAddress) { a.ForeignState = "italia" }), ""},
		{"state foreign", address(func(a *PhysicalAddress) {
			*a = PhysicalAddress{Address: "RUE X 1", Municipality: "PARIS", ForeignState: "FRANCIA"}
		}), ""},
		{"state mistyped", address(func(a *PhysicalAddress) {
			*a = PhysicalAddress{Address: "RUE X 1", Municipality: "PARIS", ForeignState: "FRNCIA"}
		}), "C-STATE-UNKNOWN " + postal + "foreignState"},
		{"San Marino", address(func(a *PhysicalAddress) { a.Zip, a.Municipality, a.Province = "47890", "SAN MARINO", "SM" }), "C-STATE-ENCLAVE " + postal + "foreignState"},

		{"payment empty", recipient(func(p *Recipient) { p.Payments = append(p.Payments, Payment{}) }), "C-PAYMENT-EMPTY " + at + "payments[1]"},
		{"notice of 17", notice(func(n *PagoPa) { n.NoticeCode = "30100000000123451" }), "C-NOTICE " + at + "payments[0].pagoPa.noticeCode"},
		{"notice check", notice(func(n *PagoPa) { n.NoticeCode = "301000000001234518" }), "C-NOTICE-CHECK " + at + "payments[0].pagoPa.noticeCode"},
		{"notice old", notice(func(n *PagoPa) { n.NoticeCode = "012000000005432124" }), "C-NOTICE-OLD " + at + "payments[0].pagoPa.noticeCode"},
		{"notice aux", notice(func(n *PagoPa) { n.NoticeCode = "901000000001234519" }), "C-NOTICE-AUX " + at + "payments[0].pagoPa.noticeCode"},
		{"creditor", notice(func(n *PagoPa) { n.CreditorTaxID = "1199250158" }), "C-CREDITOR " + at + "payments[0].pagoPa.creditorTaxId"},
		{"creditor check", notice(func(n *PagoPa) { n.CreditorTaxID = "77777777777" }), "C-CREDITOR-CHECK " + at + "payments[0].pagoPa.creditorTaxId"},
		{"notice twice", func(r *Request) {
			other := second("DVNLRD52D15M059P")
			other.Payments = r.Recipients[0].Payments
			r.Recipients = append(r.Recipients, other)
		}, "C-NOTICE-DUPLICATE recipients[1].payments[0].pagoPa.noticeCode"},
		{"F24 title", recipient(func(p *Recipient) {
			f := form24(true)
			f.F24.Title = "  "
			p.Payments = append(p.Payments, f)
		}), "C-REQUIRED " + at + "payments[1].f24.title"},
		{"F24 file", recipient(func(p *Recipient) {
			f := form24(true)
			f.F24.MetadataAttachment = nil
			p.Payments = append(p.Payments, f)
		}), "C-REQUIRED " + at + "payments[1].f24.metadataAttachment"},

		{"content type", func(r *Request) { r.Documents[0].ContentType = "application/xml" }, "C-CONTENT-TYPE documents[0].contentType"},
		{"no file", func(r *Request) { r.Documents[0].File = "" }, "C-REQUIRED documents[0].file"},
		{"file outside", func(r *Request) { r.Documents[0].File = "../atto.pdf" }, "C-FILE-PATH documents[0].file"},
		{"file uploaded", func(r *Request) { r.Documents[0].Ref, r.Documents[0].Digests = &Ref{}, &Digests{} }, "C-FILE-UPLOADED documents[0].digests; C-FILE-UPLOADED documents[0].ref"},
		{"file twice", func(r *Request) { r.Documents = append(r.Documents, r.Documents[0]) }, "C-DOCUMENT-REPEATED documents[1].file"},
		{"document index", func(r *Request) { r.Documents[0].DocIdx = "1000" }, "C-DOC-IDX documents[0].docIdx"},
		{"title break", func(r *Request) { r.Documents[0].Title = "a\nb" }, "C-LINE-BREAK documents[0].title"},
	}
	rules := DefaultRules()
	rules.SenderTaxID = "01199250158"
	rules.Today = time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := plain()
			tt.change(r)
			if got := codes(Validate(r, rules)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func codes(problems []Problem) string {
	var all []string
	for _, p := range problems {
		all = append(all, p.Code+" "+p.Field)
	}
	return strings.Join(all, "; ")
}

// Settings of a sender change the verdict as their comments say.
func TestValidateSettings(t *testing.T) {
	tests := []struct {
		name   string
		set    func(*Rules)
		change func(*Request)
		want   string
	}{
		{"allowed code", func(r *Rules) { r.AllowTaxIDs = []string{"CLMCST42R12D969Z"} }, func(r *Request) { r.Recipients[0].TaxID = "CLMCST42R12D969Z" }, ""},
		{"allowed code of the wrong kind", func(r *Rules) { r.AllowTaxIDs = []string{"CLMCST42R12D969Z"} }, func(r *Request) {
			r.Recipients[0].RecipientType, r.Recipients[0].TaxID = LegalPerson, "CLMCST42R12D969Z"
		}, "C-TAXID-PG-PERSONAL recipients[0].taxId"},
		{"look-up", func(r *Rules) { r.AddressLookup = true }, func(r *Request) { r.Recipients[0].PhysicalAddress = nil }, ""},
		{"single, two", func(r *Rules) { r.SingleRecipient = true }, func(r *Request) { r.Recipients = append(r.Recipients, second("DVNLRD52D15M059P")) }, "C-SINGLE-RECIPIENT recipients"},
		{"recipients", func(r *Rules) { r.MaxRecipients = 1 }, func(r *Request) { r.Recipients = append(r.Recipients, second("DVNLRD52D15M059P")) }, "C-RECIPIENTS-MANY recipients"},
		{"20 grams", func(r *Rules) { r.TwentyGrams = true }, func(*Request) {}, "C-TWENTY-GRAMS-PAYMENT recipients[0].payments[0]"},
		{"group required", func(r *Rules) { r.GroupRequired = true }, func(*Request) {}, "C-GROUP-REQUIRED group"},
		{"group other", func(r *Rules) { r.Groups = []string{"a"} }, func(r *Request) { r.Group = "b" }, "C-GROUP-UNKNOWN group"},
		{"entity", func(r *Rules) { r.EntityTypes = []string{"03"} }, func(*Request) {}, "C-TAXONOMY-ENTITY taxonomyCode"},
		{"new taxonomy", func(r *Rules) { r.Taxonomies = []string{"019999P"} }, func(r *Request) { r.TaxonomyCode = "019999P" }, ""},
		{"strict characters", func(r *Rules) { r.StrictAddress = true }, func(r *Request) { r.Recipients[0].PhysicalAddress.Address = "VIA NOVÀ 1" }, "C-ADDRESS-STRICT recipients[0].physicalAddress.address"},
		{"strict row", func(r *Rules) { r.StrictAddress = true }, func(r *Request) { r.Recipients[0].PhysicalAddress.Address = strings.Repeat("A1", 23) }, "C-ROW-STRICT recipients[0].physicalAddress.address"},
		{"wire without uploads", func(r *Rules) { r.Wire = true }, func(r *Request) { r.Recipients[0].Payments[0].PagoPa.Attachment = nil }, "C-REQUIRED idempotenceToken; C-FILE-ON-WIRE documents[0].file; C-DIGEST-MISSING documents[0].digests.sha256; C-REF-MISSING documents[0].ref.key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules := DefaultRules()
			tt.set(&rules)
			r := plain()
			tt.change(r)
			if got := codes(Validate(r, rules)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	rules := DefaultRules()
	rules.Promote = []string{"C-CAP-GENERIC"}
	r := plain()
	r.Recipients[0].PhysicalAddress.Zip = "20100"
	if ps := Validate(r, rules); len(ps) != 1 || ps[0].Severity != Error {
		t.Errorf("not promoted: %+v", ps)
	}
}

// A request with many faults tells all of them at once, in both languages, without
// a brace left unfilled.
func TestValidateTellsEverything(t *testing.T) {
	for _, lang := range []Lang{Italian, English} {
		rules := DefaultRules()
		rules.Lang = lang
		problems := Validate(&Request{
			Recipients: []Recipient{{PhysicalAddress: &PhysicalAddress{}, DigitalDomicile: &DigitalDomicile{}, Payments: []Payment{{PagoPa: &PagoPa{}, F24: &F24{}}}}},
			Documents:  []Document{{}},
		}, rules)
		if len(problems) < 20 {
			t.Errorf("only %d problems", len(problems))
		}
		for _, p := range problems {
			if strings.ContainsAny(p.Message, "{}") || p.Message == p.Code {
				t.Errorf("%s: %s", p.Code, p.Message)
			}
		}
	}
}

// A cell with a megabyte in it must not become a message of a megabyte, nor break
// the lines of an outcome file.
func TestMessagesAreShortAndOneLine(t *testing.T) {
	p := New(Italian, "C-NOTICE", "f", "value", strings.Repeat("à", 1<<20)+"\n", "length", "1\n2\u20283")
	if len(p.Message) > 1500 || strings.ContainsAny(p.Message, "\n\u2028") {
		t.Errorf("%d bytes: %.400q", len(p.Message), p.Message)
	}
}

// The message about a cut row names the text that the postman would not see.
func TestRowCutNamesLostText(t *testing.T) {
	r := plain()
	r.Recipients[0].PhysicalAddress.Address = "VIA DEI MARTIRI DELLA LIBERTA DI VILLAFRANCA 15 BIS"
	ps := Validate(r, DefaultRules())
	if len(ps) != 1 || !strings.Contains(ps[0].Message, "«15 BIS»") {
		t.Errorf("%+v", ps)
	}
}

// A million rows must be judged in seconds: the aim is less than 5 µs each.
func BenchmarkValidate(b *testing.B) {
	r, rules := plain(), DefaultRules()
	rules.SenderTaxID = r.SenderTaxID
	b.ReportAllocs()
	for b.Loop() {
		if ps := Validate(r, rules); ps != nil {
			b.Fatal(ps)
		}
	}
}

func BenchmarkFingerprint(b *testing.B) {
	r := plain()
	b.ReportAllocs()
	for b.Loop() {
		FingerprintOf(r)
	}
}

// CheckFiles is what keeps a bill for FILE_PDF_INVALID_ERROR and its kin away.
func TestCheckFiles(t *testing.T) {
	sound := FileFacts{Bytes: 1000, Pages: 2, A4: true}
	with := func(change func(*FileFacts)) FileFacts {
		f := sound
		change(&f)
		return f
	}
	const field = "documents[0].file"
	tests := []struct {
		name string
		set  func(*Rules)
		act  FileFacts
		want string
	}{
		{"sound", nil, sound, ""},
		{"not known pages", nil, FileFacts{Bytes: 1 << 27}, ""},
		{"no PDF", nil, FileFacts{NotPDF: "un file di testo"}, "C-PDF-NOT " + field},
		{"damaged", nil, FileFacts{Damaged: true}, "C-PDF-DAMAGED " + field},
		{"just not too big", nil, with(func(f *FileFacts) { f.Bytes = 209_715_200 }), ""},
		{"too big", nil, with(func(f *FileFacts) { f.Bytes = 209_715_201 }), "C-PDF-TOO-BIG " + field},
		{"locked", nil, FileFacts{Locked: true, Encrypted: true}, "C-PDF-LOCKED " + field},
		{"encrypted", nil, with(func(f *FileFacts) { f.Encrypted = true }), "C-PDF-ENCRYPTED " + field},
		{"not A4", nil, with(func(f *FileFacts) { f.A4 = false }), "C-PDF-PAGE-SIZE " + field},
		{"swapped", nil, with(func(f *FileFacts) { f.TaxIDs = []string{"DVNLRD52D15M059P"} }), "C-PDF-OTHER-TAXID " + field},
		{"names others too", nil, with(func(f *FileFacts) { f.TaxIDs = []string{"DVNLRD52D15M059P", "FRMTTR76M06B715E"} }), ""},
		{"no tax code at all", nil, with(func(f *FileFacts) { f.TaxIDs = []string{"DVNLRD52D15M059Q"} }), ""},
		{"no notice at all", nil, with(func(f *FileFacts) { f.NoticeCodes = []string{"301000000001234621"} }), ""},
		{"other notice", nil, with(func(f *FileFacts) { f.NoticeCodes = []string{"301000000001234620"} }), "C-PDF-OTHER-NOTICE " + field},
		{"20 grams, four pages", func(r *Rules) { r.TwentyGrams = true }, with(func(f *FileFacts) { f.Pages = 4 }), ""},
		{"20 grams, five pages", func(r *Rules) { r.TwentyGrams = true }, with(func(f *FileFacts) { f.Pages = 5 }), "C-TWENTY-GRAMS-PAGES " + field},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules := DefaultRules()
			if tt.set != nil {
				tt.set(&rules)
			}
			problems := CheckFiles(plain(), rules, func(file string) (FileFacts, bool) {
				return tt.act, file == "atti/1.pdf"
			})
			if got := codes(problems); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Two documents of a sender limited to 20 grams may have two pages each; one whose
// pages are not known counts as a document all the same.
func TestCheckFilesTwentyGramsTwoDocuments(t *testing.T) {
	rules := DefaultRules()
	rules.TwentyGrams = true
	r := plain()
	r.Documents = append(r.Documents, Document{Attachment: Attachment{File: "atti/2.pdf", ContentType: ContentPDF}})
	problems := CheckFiles(r, rules, func(file string) (FileFacts, bool) {
		return FileFacts{Bytes: 10, Pages: 3, A4: true}, file == "atti/2.pdf"
	})
	if got, want := codes(problems), "C-TWENTY-GRAMS-PAGES documents[1].file"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A copy must be judged, never the caller's request changed.
func TestValidateLeavesRequestAlone(t *testing.T) {
	r := plain()
	before := FingerprintOf(r)
	Validate(r, DefaultRules())
	if FingerprintOf(r) != before || !slices.Equal(Notices(r), Notices(plain())) {
		t.Error("the request was changed")
	}
}
