package connector

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// served is a connector whose control endpoint answers.
func served(t *testing.T, w *world) (endpoint, *http.Client) {
	t.Helper()
	c := w.open()
	ctl, err := c.serveControl(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ctl.close)
	ep, err := readEndpoint(w.cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, ep.Network, ep.Address)
	}}}
	t.Cleanup(client.CloseIdleConnections)
	return ep, client
}

// Damage prevented: a web page in the browser of somebody at this machine, or another
// user of it, releases, cancels or reads notifications.
func TestControlRefusesStrangers(t *testing.T) {
	t.Parallel()
	w := newStill(t)
	ep, client := served(t, w)
	for _, c := range []struct {
		name, method, url string
		header            map[string]string
		want              int
	}{
		{"as it should be", "POST", "http://connector/v1/status", nil, 200},
		{"no token", "POST", "http://connector/v1/status", map[string]string{"Authorization": ""}, 403},
		{"wrong token", "POST", "http://connector/v1/status", map[string]string{"Authorization": "Bearer " + strings.Repeat("0", 64)}, 403},
		{"token without its word", "POST", "http://connector/v1/status", map[string]string{"Authorization": ep.Token}, 403},
		{"half the token", "POST", "http://connector/v1/status", map[string]string{"Authorization": "Bearer " + ep.Token[:32]}, 403},
		{"a page's origin", "POST", "http://connector/v1/status", map[string]string{"Origin": "https://example.invalid"}, 403},
		{"origin null", "POST", "http://connector/v1/status", map[string]string{"Origin": "null"}, 403},
		{"a page's address", "POST", "http://connector/v1/status", map[string]string{"Referer": "https://example.invalid/x"}, 403},
		{"a browser's own word", "POST", "http://connector/v1/status", map[string]string{"Sec-Fetch-Site": "same-origin"}, 403},
		{"a name that was bound anew", "POST", "http://example.invalid/v1/status", nil, 403},
		{"this machine by its number", "POST", "http://127.0.0.1/v1/status", nil, 403},
		{"this machine by its name", "POST", "http://localhost/v1/status", nil, 403},
		{"reading", "GET", "http://connector/v1/status", nil, 405},
		{"asking first", "OPTIONS", "http://connector/v1/status", nil, 405},
		{"another address", "POST", "http://connector/metrics", nil, 404},
		{"no such command", "POST", "http://connector/v1/shutdown", nil, 422},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), c.method, c.url, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+ep.Token)
			for name, value := range c.header {
				r.Header.Set(name, value)
			}
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != c.want {
				t.Errorf("HTTP %d, want %d (%v)", resp.StatusCode, c.want, err)
			}
			if c.want != 200 && bytes.Contains(body, []byte(ep.Token)) || len(resp.Header.Values("Access-Control-Allow-Origin")) > 0 {
				t.Errorf("says too much: %q %v", body, resp.Header)
			}
		})
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://connector/v1/status", bytes.NewReader(make([]byte, maxArgs+2)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+ep.Token)
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("too large arguments: HTTP %d", resp.StatusCode)
	}
}

// Damage prevented: another user of the machine reads the token, the ledger or the
// private copies of documents.
func TestFoldersOfTheConnectorArePrivate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" { // no modes; the access list of the token is set, or the endpoint does not start
		served(t, newStill(t))
		return
	}
	w := newStill(t)
	w.mixedDrop()
	for _, name := range []string{"drop", "drop/in"} { // a group writes the exports
		if err := os.Chmod(filepath.Join(w.dir, name), 0o775); err != nil { //nolint:gosec // as a shared drop is
			t.Fatal(err)
		}
	}
	w.untilClosed(2)
	ep, _ := served(t, w)
	want := map[string]os.FileMode{
		"data": 0o700, "data/spool": 0o700, "data/ledger.db": 0o600, "data/" + endpointFile: 0o600,
		// Below the drop the group keeps what it has there, and strangers get nothing.
		"drop/work": 0o770, "drop/archive": 0o770, "drop/rejected": 0o770, "drop/out": 0o770, "drop/out/stato.csv": 0o660,
	}
	for name, most := range want {
		info, err := os.Stat(filepath.Join(w.dir, name))
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got&^most != 0 {
			t.Errorf("%s has %04o, at most %04o is allowed", name, got, most)
		}
	}
	if ep.Network == "unix" {
		if info, err := os.Stat(ep.Address); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("socket: %v, %v", info.Mode(), err)
		}
	}
}

// A data folder that was there before, open to others, is told at every start and by
// check; a secret file that becomes readable is refused the next time it is read.
func TestOpenFoldersAndSecretsAreTold(t *testing.T) {
	t.Parallel()
	w := newStill(t)
	c := w.open()
	if runtime.GOOS == "windows" { // config tells from access lists; here it is said
		_ = c.openness()
		return
	}
	if got := c.openness(); len(got) > 0 {
		t.Errorf("told without cause: %q", got)
	}
	if err := os.Chmod(w.cfg.Data, 0o755); err != nil { //nolint:gosec // the fault that is to be told
		t.Fatal(err)
	}
	if got := c.openness(); len(got) != 1 || !strings.Contains(got[0], "0755") || !strings.Contains(got[0], "0700") {
		t.Errorf("told %q", got)
	}
	key := filepath.Join(w.dir, "keys", "api")
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o666} {
		if err := os.Chmod(key, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := c.newSender("comune", w.cfg.Senders["comune"]); err == nil || !strings.Contains(err.Error(), "0600") {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	// Replaced by a link to an open file: what counts is what is read.
	w.write("altrove", "chiave")
	if err := os.Chmod(filepath.Join(w.dir, "altrove"), 0o644); err != nil { //nolint:gosec // the fault that is to be refused
		t.Fatal(err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(w.dir, "altrove"), key); err != nil {
		t.Fatal(err)
	}
	if _, err := c.newSender("comune", w.cfg.Senders["comune"]); err == nil {
		t.Error("a link to an open secret was followed")
	}
}
