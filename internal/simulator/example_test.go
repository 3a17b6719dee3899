package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"sendconnector/internal/simulator"
)

// A test moves the clock, injects a fault, and asks the judge.
func Example() {
	sim := simulator.New(simulator.Options{
		Start: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), ManualClock: true,
		Senders: []simulator.Sender{{ID: "pa", TaxID: simulator.DemoTaxID, Name: "Comune di Borgo Esempio"}},
		Keys:    []simulator.APIKey{{Value: "key", Sender: "pa"}}, // no voucher; see NewIdentity for one with PDND
	})
	defer sim.Close()
	srv := httptest.NewServer(sim) // API, /token.oauth2, uploads and downloads on one host
	defer srv.Close()
	sim.SetBaseURL(srv.URL)

	// The answer of the next create is lost after it was stored.
	sim.Faults().Add(simulator.Fault{Operation: "create", Kind: simulator.FaultResetAfter, Count: 1})

	req, _ := http.NewRequest(http.MethodPost, srv.URL+"/delivery/v2.6/requests", strings.NewReader("{}"))
	req.Header.Set("x-api-key", "key")
	_, err := http.DefaultClient.Do(req)
	fmt.Println("answer lost:", err != nil)

	sim.Advance(24 * time.Hour) // both clocks; whatever falls due happens
	fmt.Println("accepted:", len(sim.Accepted()), "double:", len(sim.Duplicates()), "creates:", sim.Calls()["create"])
	// Output:
	// answer lost: true
	// accepted: 0 double: 0 creates: 1
}
