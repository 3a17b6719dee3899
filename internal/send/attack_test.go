package send

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// told is what a host was told.
type told struct {
	mu  sync.Mutex
	all map[string][]string // host → headers, one text a request
}

func (o *told) note(r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var b strings.Builder
	_ = r.Header.Write(&b) // into memory
	o.all[r.Host] = append(o.all[r.Host], r.Method+" "+r.URL.String()+"\n"+b.String())
}

// Damage prevented: the API key or the voucher reaches the object store, or whoever a
// redirect names, and somebody else sends in the body's name.
func TestCredentialsReachTheAPIOnly(t *testing.T) {
	heard := &told{all: map[string][]string{}}
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard.note(r)
		_, _ = io.WriteString(w, doc)
	}))
	t.Cleanup(thief.Close)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard.note(r)
		if r.URL.Path == "/moved" || r.Method == http.MethodPut && r.URL.Path == "/put-moved" {
			http.Redirect(w, r, thief.URL+"/x", http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("x-amz-version-id", "v1")
		_, _ = io.WriteString(w, doc)
	}))
	t.Cleanup(store.Close)
	redirects := []int{301, 302, 303, 307, 308}
	next := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard.note(r)
		http.Redirect(w, r, thief.URL+"/api", redirects[next%len(redirects)])
		next++
	}))
	t.Cleanup(api.Close)
	c := newClient(t, api.URL)
	for range redirects {
		if _, err := c.ListStreams(t.Context()); err == nil {
			t.Error("an API that redirects was believed")
		}
		if _, err := c.CreateRaw(t.Context(), []byte("{}")); err == nil {
			t.Error("an API that redirects was believed")
		}
	}
	host := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	if got := heard.all[host(thief)]; len(got) > 0 {
		t.Errorf("a redirect of the API was followed: %q", got)
	}
	_, _, err := c.Fetch(t.Context(), store.URL+"/moved", io.Discard, 0)
	_, moved := c.Upload(t.Context(), Slot{Method: "PUT", URL: store.URL + "/put-moved", Secret: "s"}, "application/pdf", "x", int64(len(doc)), opener(doc))
	_, sent := c.Upload(t.Context(), Slot{Method: "PUT", URL: store.URL + "/put?X-Amz-Signature=1", Secret: "s"}, "application/pdf", "x", int64(len(doc)), opener(doc))
	if err != nil || sent != nil || moved == nil {
		t.Errorf("download %v, upload %v, redirected upload %v", err, sent, moved)
	}
	for _, srv := range []*httptest.Server{store, thief} {
		if len(heard.all[host(srv)]) == 0 {
			t.Error("nobody asked")
		}
		for _, said := range heard.all[host(srv)] {
			lower := strings.ToLower(said)
			for _, secret := range []string{testKey, "x-api-key", "authorization", "cookie", "bearer", "referer"} {
				if strings.Contains(lower, secret) {
					t.Errorf("%s was told %q: %s", srv.URL, secret, said)
				}
			}
			if srv == thief && strings.Contains(lower, "x-amz-meta-secret") {
				t.Errorf("an upload's secret went on: %s", said)
			}
		}
	}
}

// Damage prevented: an answer of the platform, or of somebody who has taken its place,
// makes this machine read or write where only it can: its own services, the network
// behind it, files.
func TestStoreAddressesFromOutsideStayOutside(t *testing.T) {
	asked := 0
	rt := roundTripper(func(*http.Request) (*http.Response, error) {
		asked++
		return nil, errors.New("not to be asked")
	})
	c := newClient(t, "https://api.notifichedigitali.example", func(cfg *Config) { cfg.Transport = rt })
	for _, address := range []string{
		"", "x", "file:///etc/passwd", "ftp://store.example/x", "gopher://store.example/x", "javascript:alert(1)", "data:,x", "//store.example/x",
		"http://store.example/x", "HTTP://STORE.EXAMPLE/x", "http://127.0.0.1/x", "http://localhost:8080/x", "http://[::1]/x", "https://127.0.0.1/x",
		"https://localhost/x", "https://LOCALHOST./x", "https://x.localhost/x", "https://10.0.0.1/x", "https://192.168.1.1/x", "https://172.16.0.1/x",
		"https://169.254.169.254/latest/meta-data", "https://[fe80::1%25eth0]/x", "https://[fd00::1]/x", "https://0.0.0.0/x", "https://[::ffff:127.0.0.1]/x", "https://[::]/x",
		"https://user:pass@store.example/x", "https://store.example/a b", "https://store.example/\r\nHost: x", "https:///x", "https://store.example:port/x",
	} {
		_, _, err := c.Fetch(t.Context(), address, io.Discard, 0)
		wantClass(t, err, Fatal)
		_, err = c.Upload(t.Context(), Slot{Method: "PUT", URL: address}, "application/pdf", "x", 1, opener("x"))
		wantClass(t, err, Fatal)
		if asked > 0 {
			t.Fatalf("%q was asked", address)
		}
	}
	// A sound address that redirects inwards.
	inwards := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "store.example" {
			t.Errorf("followed to %s", r.URL)
		}
		return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"https://169.254.169.254/x"}}, Body: http.NoBody, Request: r}, nil
	})
	c = newClient(t, "https://api.notifichedigitali.example", func(cfg *Config) { cfg.Transport = inwards })
	if _, _, err := c.Fetch(t.Context(), "https://store.example/x", io.Discard, 0); err == nil {
		t.Error("redirected inwards without a word")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Damage prevented: a certificate that nobody checks. Nothing in the product may turn
// the check off, use a client without our limits, or skip host keys.
func TestNothingTurnsVerificationOff(t *testing.T) {
	forbidden := regexp.MustCompile(`InsecureSkipVerify|InsecureIgnoreHostKey|VerifyPeerCertificate|VersionTLS1[01]\b|VersionSSL30|http\.DefaultClient|http\.(Get|Post|Head|PostForm)\(`)
	looked := 0
	err := filepath.WalkDir(filepath.Join("..", ".."), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		looked++
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s: %s", name, found)
		}
		return nil
	})
	if err != nil || looked < 200 {
		t.Errorf("%d files, %v", looked, err)
	}
}

// A server whose certificate nobody vouches for, or of another name, is not spoken to;
// nor one that knows only what was before TLS 1.2.
func TestCertificatesAreVerified(t *testing.T) {
	srv := httptest.NewTLSServer(answerWith(200, "[]"))
	t.Cleanup(srv.Close)
	srv.Config.ErrorLog = nil
	c := newClient(t, srv.URL)
	if _, err := c.ListStreams(t.Context()); err == nil {
		t.Error("a certificate of nobody was believed")
	}
	if _, _, err := c.Fetch(t.Context(), srv.URL+"/x", io.Discard, 0); err == nil {
		t.Error("a certificate of nobody was believed for a download")
	}
}
