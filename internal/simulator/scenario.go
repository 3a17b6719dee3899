package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// DemoTaxID is an invented tax id with the right check digit.
const DemoTaxID = "00112233440"

// Scenario is a file for the `simulator` command, in JSON. Everything may be
// left out: without senders there is the demo's, without keys there is
// "demo-key", bound to PDND if the scenario has clients. Durations are texts
// such as "10s" or "168h"; capitals in names do not matter. An example:
//
//	{"speed": 3600, "timings": "real", "streamRetryAfter": "2s",
//	 "senders": [{"id": "pa", "taxId": "00112233440", "name": "Comune"}],
//	 "keys":    [{"value": "key", "sender": "pa", "pdnd": true}],
//	 "clients": [{"id": "…uuid…", "purposeIds": ["…uuid…"], "keyFiles": ["public.pem"]}],
//	 "mix":     {"viewed": 0.2, "unreachable": 0.05},
//	 "faults":  [{"operation": "create", "kind": "reset-after", "probability": 0.1}]}
type Scenario struct {
	Start   time.Time `json:"start,omitzero"`
	Speed   float64   `json:"speed,omitempty"`
	Timings string    `json:"timings,omitempty"` // "uat" (default), "real"
	Scale   float64   `json:"scale,omitempty"`   // multiplies the timings
	Seed    uint64    `json:"seed,omitempty"`
	BaseURL string    `json:"baseUrl,omitempty"`

	Senders []Sender         `json:"senders,omitempty"`
	Keys    []APIKey         `json:"keys,omitempty"`
	Clients []scenarioClient `json:"clients,omitempty"`
	Limits  Limits           `json:"limits,omitzero"`
	Mix     Mix              `json:"mix,omitzero"`
	Faults  []scenarioFault  `json:"faults,omitempty"`

	Acceptance        duration `json:"acceptance,omitempty"`
	StreamRetryAfter  duration `json:"streamRetryAfter,omitempty"`
	StreamRetryStrict bool     `json:"streamRetryStrict,omitempty"`
	LegalFactDelay    duration `json:"legalFactDelay,omitempty"`
	VoucherLifespan   duration `json:"voucherLifespan,omitempty"`
	RequestRetryAfter int      `json:"requestRetryAfter,omitempty"`
	StrictAddress     bool     `json:"strictAddress,omitempty"`
	NoTaxonomyCheck   bool     `json:"noTaxonomyCheck,omitempty"`
	WhiteList         []string `json:"whiteList,omitempty"`
	SpoolDir          string   `json:"spoolDir,omitempty"`
}

// scenarioFault is a fault whose delay is a text.
type scenarioFault struct {
	Fault
	Delay duration `json:"delay"`
}

type scenarioClient struct {
	ID         string   `json:"id"`
	Tenant     string   `json:"tenant"`
	PurposeIDs []string `json:"purposeIds"`
	Keys       []string `json:"keys"` // PEM texts
	KeyFiles   []string `json:"keyFiles"`
}

// duration reads "10s".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = duration(v)
	return err
}

// LoadScenario reads a scenario and builds its platform. The error names the
// field that does not fit.
func LoadScenario(file string) (*Simulator, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	s, err := ReadScenario(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// ReadScenario is LoadScenario from any source.
func ReadScenario(r io.Reader) (*Simulator, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var sc Scenario
	if err := dec.Decode(&sc); err != nil {
		return nil, err
	}
	return sc.Build()
}

// Build makes the platform of a scenario.
func (sc Scenario) Build() (*Simulator, error) {
	o, err := sc.Options()
	if err != nil {
		return nil, err
	}
	s, err := build(o)
	if err != nil {
		return nil, err
	}
	for _, f := range sc.Faults {
		if f.Operation == "" || f.Kind == "" {
			return nil, errors.New("simulator: a fault needs operation and kind")
		}
		f.Fault.Delay = time.Duration(f.Delay)
		s.faults.Add(f.Fault)
	}
	return s, nil
}

// Options turns a scenario into options.
func (sc Scenario) Options() (Options, error) {
	t := UATTimings()
	switch sc.Timings {
	case "", "uat":
	case "real":
		t = RealTimings()
	default:
		return Options{}, fmt.Errorf("simulator: timings %q are neither uat nor real", sc.Timings)
	}
	if sc.Scale > 0 {
		t = t.Scale(sc.Scale)
	}
	if sc.Acceptance > 0 {
		t.Acceptance = time.Duration(sc.Acceptance)
	}
	o := Options{
		Start: sc.Start, Speed: sc.Speed, Seed: sc.Seed, BaseURL: sc.BaseURL, Timings: t,
		Senders: sc.Senders, Keys: sc.Keys, Limits: sc.Limits, Mix: sc.Mix,
		StreamRetryAfter: time.Duration(sc.StreamRetryAfter), StreamRetryStrict: sc.StreamRetryStrict,
		LegalFactDelay: time.Duration(sc.LegalFactDelay), VoucherLifespan: time.Duration(sc.VoucherLifespan),
		RequestRetryAfter: sc.RequestRetryAfter, StrictAddress: sc.StrictAddress, NoTaxonomyCheck: sc.NoTaxonomyCheck,
		WhiteList: sc.WhiteList, SpoolDir: sc.SpoolDir,
	}
	if len(o.Senders) == 0 {
		o.Senders = DemoOptions().Senders
	}
	if len(o.Keys) == 0 {
		o.Keys = []APIKey{{Value: "demo-key", Sender: o.Senders[0].TaxID, PDND: len(sc.Clients) > 0}}
	}
	for _, c := range sc.Clients {
		client := Client{ID: c.ID, Tenant: c.Tenant, PurposeIDs: c.PurposeIDs}
		for _, k := range c.Keys {
			client.Keys = append(client.Keys, k)
		}
		for _, name := range c.KeyFiles {
			k, err := os.ReadFile(name)
			if err != nil {
				return Options{}, err
			}
			client.Keys = append(client.Keys, k)
		}
		o.Clients = append(o.Clients, client)
	}
	return o, nil
}

// DemoOptions are those of the demo: a body with a key that needs no voucher,
// lives of weeks told in seconds, varied outcomes.
func DemoOptions() Options {
	return Options{
		Speed: 86400, Timings: RealTimings(), Seed: 1,
		Senders:          []Sender{{ID: "demo", TaxID: DemoTaxID, Name: "Comune di Borgo Esempio"}},
		Keys:             []APIKey{{Value: "demo-key", Sender: "demo"}},
		StreamRetryAfter: time.Second, RequestRetryAfter: 1, F24Delay: time.Second,
		Mix: Mix{Viewed: 0.15, Courtesy: 0.3, PECFailure: 0.05, Depot: 0.1, Unreachable: 0.06, Deceased: 0.02},
	}
}
