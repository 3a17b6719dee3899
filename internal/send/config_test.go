package send

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestNewRefuses(t *testing.T) {
	good := Config{BaseURL: "https://api.uat.notifichedigitali.it", APIKey: testKey}
	tests := []struct {
		name   string
		change func(*Config)
		says   string
	}{
		{"good", func(*Config) {}, ""},
		{"loopback", func(c *Config) { c.BaseURL = "http://127.0.0.1:8080" }, ""},
		{"localhost", func(c *Config) { c.BaseURL = "http://localhost:8080/x/" }, ""},
		{"loopback v6", func(c *Config) { c.BaseURL = "http://[::1]:8080" }, ""},
		{"plain http", func(c *Config) { c.BaseURL = "http://api.example.it" }, "https"},
		{"looks like loopback", func(c *Config) { c.BaseURL = "http://127.0.0.1.example.it" }, "https"},
		{"no host", func(c *Config) { c.BaseURL = "api.example.it" }, "absolute"},
		{"user", func(c *Config) { c.BaseURL = "https://u:pw@api.example.it" }, "password"},
		{"no key", func(c *Config) { c.APIKey = " \n" }, "missing"},
		{"two lines", func(c *Config) { c.APIKey = "abc\ndef" }, "blanks"},
		{"path without its name", func(c *Config) { c.Paths.Sent = "/delivery/v2.9/sent" }, "{iun}"},
		{"path with a slip", func(c *Config) { c.Paths.Events = "/x/{streamID}/events" }, "{streamId}"},
		{"path with a query", func(c *Config) { c.Paths.Create = "/x?a=b" }, "query"},
		{"relative path", func(c *Config) { c.Paths.Create = "x" }, "begin with /"},
		{"one path of its own", func(c *Config) { c.Paths.Create = "/delivery/v2.5/requests" }, ""},
		{"validator", func(c *Config) { c.Paths = ValidatorPaths() }, ""},
		{"older", func(c *Config) { c.Paths = OlderPaths() }, ""},
	}
	for _, tt := range tests {
		cfg := good
		tt.change(&cfg)
		_, err := New(cfg)
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "pw") || strings.Contains(err.Error(), "abc")) {
			t.Errorf("%s shows a secret: %v", tt.name, err)
		}
	}
}

// Source: reference/pn-validator.md §1: it answers these forms and no other.
func TestValidatorPaths(t *testing.T) {
	p := ValidatorPaths()
	want := map[string]string{
		p.Create: "/delivery/v2.3/requests", p.Status: "/delivery/v2.3/requests",
		p.Sent:         "/delivery/v2.4/notifications/sent/{iun}",
		p.Cancel:       "/delivery-push/v2.3/notifications/cancel/{iun}",
		p.CreateStream: "/delivery-progresses/v2.4/streams",
		p.ListStreams:  "/delivery-progresses/2.4/streams",
		p.UpdateStream: "/delivery-progresses/2.4/streams/{streamId}",
		p.Stream:       "/delivery-progresses/v2.4/streams/{streamId}",
		p.DeleteStream: "/delivery-progresses/v2.4/streams/{streamId}",
		p.Events:       "/delivery-progresses/v2.4/streams/{streamId}/events",
		p.Price:        "/delivery/v2.3/price/{paTaxId}/{noticeCode}",
	}
	for got, w := range want {
		if got != w {
			t.Errorf("%s, want %s", got, w)
		}
	}
	if o := OlderPaths(); o.Create != "/delivery/v2.5/requests" || o.Sent != "/delivery/v2.8/notifications/sent/{iun}" || o.Events != "/delivery-progresses/v2.8/streams/{streamId}/events" {
		t.Errorf("%+v", o)
	}
}

// Damage prevented: a key shown to a host that SEND's host points to, or talk over
// a protocol that is broken.
func TestOwnTransport(t *testing.T) {
	rt := newTransport()
	if rt.TLSClientConfig.MinVersion < 0x0303 || rt.TLSClientConfig.InsecureSkipVerify || rt.Proxy == nil {
		t.Errorf("%+v", rt.TLSClientConfig)
	}
	var seen bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen = true }))
	t.Cleanup(other.Close)
	c := serve(t, answerWith(302, ``, "Location", other.URL))
	_, err := c.ListStreams(t.Context())
	wantClass(t, err, Fatal)
	if seen {
		t.Error("followed a redirect with credentials")
	}
}

func TestProxyErrorHidesItsPassword(t *testing.T) {
	rt := newTransport()
	rt.Proxy = discreet(func(*http.Request) (*url.URL, error) {
		return nil, errors.New(`invalid proxy address "http://user:hunter2@[broken"`)
	})
	c := newClient(t, "https://api.example.it", func(cfg *Config) { cfg.Transport = rt })
	_, err := c.CreateRaw(t.Context(), []byte(`{}`))
	if e := wantClass(t, err, Transient); strings.Contains(e.Error(), "hunter2") {
		t.Error(e)
	}
}
