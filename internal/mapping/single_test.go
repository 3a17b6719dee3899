package mapping_test

import (
	"encoding/json"
	"testing"
)

// Damage prevented: a request that says something else than the row.
func TestOneRowOneNotification(t *testing.T) {
	drafts := mapText(t, fines, finesHeading+fineRow, sender())
	if len(drafts) != 1 || drafts[0].Stopped() {
		t.Fatalf("%d drafts; %s", len(drafts), told(drafts[0], 0))
	}
	got, err := json.Marshal(drafts[0].Request)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"paProtocolNumber":"2026/1","subject":"Verbale n. V1","recipients":[{"recipientType":"PF","taxId":"FRMTTR76M06B715E","denomination":"ETTORE FIERAMOSCA",` +
		`"physicalAddress":{"address":"VIA TORINO 15","zip":"20123","municipality":"MILANO","province":"MI","foreignState":"ITALIA"},` +
		`"payments":[{"pagoPa":{"noticeCode":"301000000001234519","creditorTaxId":"01199250158","applyCost":true}}]}],` +
		`"documents":[{"title":"Verbale","file":"atti/2026/1.pdf","contentType":"application/pdf"}],"notificationFeePolicy":"DELIVERY_MODE",` +
		`"physicalCommunicationType":"AR_REGISTERED_LETTER","senderDenomination":"Comune di Prova","senderTaxId":"01199250158","amount":123450,` +
		`"paymentExpirationDate":"2026-12-31","taxonomyCode":"010101P","paFee":100,"vat":22,"pagoPaIntMode":"SYNC"}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
