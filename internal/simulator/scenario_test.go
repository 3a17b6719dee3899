package simulator

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Damage prevented: a scenario with a mistyped field would run as another one.
func TestScenario(t *testing.T) {
	_, public, _, err := NewKeyPair()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "k.pem"), public, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "s.json")
	text := fmt.Sprintf(`{"speed":3600,"timings":"real","scale":0.5,"acceptance":"5s","streamRetryAfter":"250ms","seed":4,
		"senders":[{"ID":"a","TaxID":%q}],"keys":[{"Value":"k","Sender":%q}],
		"clients":[{"id":"c","tenant":"t","purposeIds":["p"],"keyFiles":[%q]}],
		"limits":{"RatePerSecond":5},"mix":{"Viewed":0.5},
		"faults":[{"operation":"create","kind":"status","Count":1},{"operation":"create","kind":"delay","delay":"2s"}]}`, DemoTaxID, DemoTaxID, filepath.Join(dir, "k.pem"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := LoadScenario(file)
	if err != nil {
		t.Fatal(err)
	}
	if s.opt.Timings.Acceptance != 5*time.Second || s.opt.Timings.AnalogRefinement != 5*24*time.Hour || s.opt.StreamRetryAfter != 250*time.Millisecond || s.opt.Limits.RateBurst != 10 {
		t.Errorf("options: %+v", s.opt.Timings)
	}
	if f, delay := s.faults.pick("create"); f == nil || f.Kind != FaultStatus || delay != 2*time.Second {
		t.Errorf("faults: %+v %s", f, delay)
	}
	if s.opt.Timings.DocumentsKept != RealTimings().DocumentsKept {
		t.Errorf("documents are kept %s", s.opt.Timings.DocumentsKept)
	}
	bare, err := ReadScenario(strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if k := bare.keys["demo-key"]; k == nil || k.PDND || k.sender.TaxID != DemoTaxID {
		t.Errorf("an empty scenario has no body: %+v", k)
	}
	for bad, word := range map[string]string{
		`{"sped":1}`:                             "sped",
		`{"timings":"fast"}`:                     "timings",
		`{"acceptance":"5"}`:                     "missing unit",
		`{"keys":[{"Value":"k","Sender":"x"}]}`:  "unknown sender",
		`{"clients":[{"id":"c","keys":["no"]}]}`: "PUBLIC KEY",
		`{"clients":[{"keyFiles":["/none"]}]}`:   "none",
		`{"faults":[{"Kind":"status"}]}`:         "operation",
	} {
		if _, err := ReadScenario(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := LoadScenario(filepath.Join(dir, "none.json")); err == nil {
		t.Error("a missing file was read")
	}
}

// Damage prevented: a demo that stands still, or whose body cannot log in.
func TestDemoOptions(t *testing.T) {
	s := New(DemoOptions())
	if !validElevenDigits(DemoTaxID) {
		t.Error("tax id of the demo")
	}
	r := httptest.NewRequest(http.MethodGet, "/status", nil)
	r.Header.Set("x-api-key", "demo-key")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Errorf("status: %d %s", w.Code, w.Body)
	}
}

// Damage prevented: with compressed time a voucher must still last as long as
// its client believes, and the life of a notification must run ahead.
func TestClocks(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := newClocks(Options{Start: start, Speed: 1000})
	c.origin = c.origin.Add(-time.Second)
	if d := c.platform().Sub(start); d < 1000*time.Second || d > 2000*time.Second {
		t.Errorf("platform clock ran %s", d)
	}
	if d := c.wall().Sub(start); d < time.Second || d > 3*time.Second {
		t.Errorf("wall clock ran %s", d)
	}
	s := New(Options{Start: start, ManualClock: true})
	if got := s.Now(); !got.Equal(start) {
		t.Errorf("manual clock at %s", got)
	}
	s.Advance(time.Hour)
	if got := s.Now().Sub(start); got != time.Hour {
		t.Errorf("advanced %s", got)
	}
}
