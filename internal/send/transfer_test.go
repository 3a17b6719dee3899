package send

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func opener(text string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

const doc = "%PDF-1.7 a document"

// up uploads doc to base+path as a slot would have it.
func up(t *testing.T, c *Client, url string) (string, error) {
	t.Helper()
	slot := Slot{Index: "0", Secret: "s3cret", Method: http.MethodPut, URL: url, Key: "PN_NOTIFICATION_ATTACHMENTS-x.pdf"}
	return c.Upload(t.Context(), slot, "application/pdf", "c2hhLTI1Ng==", int64(len(doc)), opener(doc))
}

// Damage prevented: a signature that does not match, or credentials of a body
// shown to the object store (which then refuses, too).
func TestUploadIsExactlyWhatWasSigned(t *testing.T) {
	const path = "/uploadS3/KEY%2Fx/a%20b~c(d)[e]|{f}?X-Amz-Security-Token=a%2F%2Fb+c&X-Amz-SignedHeaders=content-type%3bhost&x"
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != path {
			t.Errorf("asked for %s", r.RequestURI)
		}
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPut || string(body) != doc || r.ContentLength != int64(len(doc)) || len(r.TransferEncoding) != 0 {
			t.Errorf("%s %q %d %v", r.Method, body, r.ContentLength, r.TransferEncoding)
		}
		want := map[string]string{
			"Content-Type": "application/pdf", "X-Amz-Meta-Secret": "s3cret", "X-Amz-Checksum-Sha256": "c2hhLTI1Ng==",
			"Content-Length": "19", "User-Agent": "sendconnector",
		}
		for name := range r.Header {
			if want[name] != r.Header.Get(name) {
				t.Errorf("header %s: %q", name, r.Header.Get(name))
			}
			delete(want, name)
		}
		if len(want) != 0 {
			t.Errorf("missing headers: %v", want)
		}
		w.Header().Set("x-amz-version-id", "v1")
	})
	store := httptest.NewServer(h)
	t.Cleanup(store.Close)
	c, _ := both(t, answerWith(500, ``), answerWith(500, ``))
	version, err := up(t, c, store.URL+path)
	if err != nil || version != "v1" {
		t.Errorf("%q %v", version, err)
	}
	if used, _ := c.Budget(); used != 0 {
		t.Error("an upload is no API call")
	}
}

func TestUploadAnswers(t *testing.T) {
	xml := func(code string) string { return "<Error><Code>" + code + "</Code><Message>m</Message></Error>" }
	tests := []struct {
		name   string
		status int
		body   string
		header []string
		class  Class
		tries  int32
	}{
		{"no version", 200, ``, nil, Transient, 3},
		{"expired", 403, xml("AccessDenied"), nil, Expired, 1},
		{"signature", 403, xml("SignatureDoesNotMatch"), nil, Expired, 1},
		{"expired token", 400, xml("ExpiredToken"), nil, Expired, 1},
		{"unknown", 404, xml("NoSuchKey"), nil, Expired, 1},
		{"checksum", 400, xml("InvalidRequest"), nil, Fatal, 1},
		{"slow", 400, xml("RequestTimeout"), nil, Transient, 3},
		{"slow down", 503, xml("SlowDown"), nil, Transient, 3},
		{"500", 500, `<html>`, nil, Transient, 3},
		{"redirect", 307, ``, []string{"Location", "/elsewhere"}, Fatal, 1},
		{"see other", 303, ``, []string{"Location", "/elsewhere"}, Fatal, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tries atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				_, _ = io.ReadAll(r.Body)
				answerWith(tt.status, tt.body, tt.header...)(w, r)
			}))
			t.Cleanup(srv.Close)
			c := newClient(t, srv.URL)
			_, err := up(t, c, srv.URL+"/k?X-Amz-Signature=topsecret")
			e := wantClass(t, err, tt.class)
			if tries.Load() != tt.tries {
				t.Errorf("%d tries, want %d", tries.Load(), tt.tries)
			}
			if strings.Contains(e.Error(), "topsecret") || strings.Contains(e.Error(), "s3cret") {
				t.Errorf("shown: %v", e)
			}
			if strings.HasPrefix(tt.body, "<Error>") && (len(e.Details) != 1 || e.Details[0].Code == "") {
				t.Errorf("what the store said is lost: %+v", e.Details)
			}
		})
	}
}

func TestUploadTriesAgainFromTheStart(t *testing.T) {
	var tries atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if tries.Add(1) < 3 {
			w.WriteHeader(500)
			return
		}
		if string(body) != doc {
			t.Errorf("third try brought %q", body)
		}
		w.Header().Set("x-amz-version-id", "v3")
	}))
	t.Cleanup(srv.Close)
	if v, err := up(t, newClient(t, srv.URL), srv.URL+"/k"); err != nil || v != "v3" {
		t.Errorf("%q %v", v, err)
	}
}

// Damage prevented: a document that changed after it was hashed goes out as it
// is not, or its fault is taken for the network's and tried for ever.
func TestUploadOfAnotherLength(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.Header().Set("x-amz-version-id", "v1")
	}))
	t.Cleanup(srv.Close)
	c := newClient(t, srv.URL)
	slot := Slot{Secret: "s", Method: "PUT", URL: srv.URL + "/k", Key: "k"}
	broken := errors.New("disk read error")
	tests := map[string]func() (io.ReadCloser, error){
		"short": opener(doc[:5]),
		"empty": opener(""),
		"unreadable": func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("ab"), failing{broken})), nil
		},
		"missing": func() (io.ReadCloser, error) { return nil, broken },
	}
	for name, open := range tests {
		_, err := c.Upload(t.Context(), slot, "application/pdf", "x", int64(len(doc)), open)
		e := wantClass(t, err, Fatal)
		if (name == "unreadable" || name == "missing") && !errors.Is(&e, broken) {
			t.Errorf("%s: the cause is lost: %v", name, e)
		}
	}
	if v, err := c.Upload(t.Context(), slot, "application/json", "x", 0, opener("")); err != nil || v != "v1" {
		t.Errorf("an empty object: %q %v", v, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestUploadRefusesOddSlots(t *testing.T) {
	c := newClient(t, "https://api.example.it")
	for name, slot := range map[string]Slot{
		"plain http": {Method: "PUT", URL: "http://store.example.it/k"},
		"no address": {Method: "PUT"},
		"blanks":     {Method: "PUT", URL: "https://store.example.it/a b"},
		"newline":    {Method: "PUT", URL: "https://store.example.it/a\r\nX: y"},
		"user":       {Method: "PUT", URL: "https://u:p@store.example.it/a"},
		"method":     {Method: "DELETE", URL: "https://store.example.it/a"},
	} {
		_, err := c.Upload(t.Context(), slot, "application/pdf", "x", 1, opener("x"))
		if e := wantClass(t, err, Fatal); strings.Contains(e.Error(), "u:p") {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// slowStore is an object store reached without sockets, so that time is virtual.
type slowStore struct {
	read func(r io.Reader) error
}

func (s slowStore) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	done := make(chan error, 1)
	go func() { done <- s.read(r.Body) }()
	select {
	case err := <-done:
		if err != nil {
			return nil, err
		}
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: 200, Header: http.Header{"X-Amz-Version-Id": {"v"}},
		Body: http.NoBody, Request: r,
	}, nil
}

// Damage prevented: a big document on a thin line that never arrives because a
// total time-out cuts it each time; a dead line that holds a place for ever.
func TestUploadTimesOutByProgress(t *testing.T) {
	slowly := func(pause time.Duration, n int) func(io.Reader) error {
		return func(r io.Reader) error {
			buf := make([]byte, 1)
			for range n {
				time.Sleep(pause)
				if _, err := r.Read(buf); err != nil {
					return err
				}
			}
			return nil
		}
	}
	upload := func(t *testing.T, read func(io.Reader) error, size int) (time.Duration, error) {
		c := newClient(t, "https://api.example.it", func(cfg *Config) {
			cfg.Transport, cfg.Clock, cfg.Wait = slowStore{read}, nil, nil
		})
		start := time.Now()
		slot := Slot{Secret: "s", Method: "PUT", URL: "https://store.example.it/k", Key: "k"}
		_, err := c.Upload(t.Context(), slot, "application/pdf", "x", int64(size), opener(strings.Repeat("x", size)))
		return time.Since(start), err
	}
	synctest.Test(t, func(t *testing.T) {
		took, err := upload(t, slowly(59*time.Second, 100), 100)
		if err != nil || took < 98*time.Minute {
			t.Errorf("slow but moving: %v after %v", err, took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		took, err := upload(t, slowly(61*time.Second, 2), 100)
		e := wantClass(t, err, Transient)
		if !errors.Is(&e, errStalled) || took > 5*time.Minute {
			t.Errorf("stalled: %v after %v", err, took)
		}
		time.Sleep(10 * time.Minute) // let the fake store's goroutines end
	})
	synctest.Test(t, func(t *testing.T) {
		read := func(r io.Reader) error {
			_, _ = io.Copy(io.Discard, r)
			time.Sleep(110 * time.Second) // the tail drains below us
			return nil
		}
		if _, err := upload(t, read, 10); err != nil {
			t.Errorf("the tail of an upload was cut: %v", err)
		}
	})
}

func TestFetch(t *testing.T) {
	var ask func(w http.ResponseWriter, r *http.Request)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ask(w, r) }))
	t.Cleanup(srv.Close)
	c, _ := both(t, answerWith(500, ``), answerWith(500, ``))

	ask = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("x-api-key") != "" || r.Header.Get("Authorization") != "" || r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("headers %v", r.Header)
		}
		if r.RequestURI != "/d%2Fx?sig=a%2Bb" {
			t.Error(r.RequestURI)
		}
		answerWith(200, doc, "Content-Type", "application/pdf")(w, r)
	}
	var buf bytes.Buffer
	n, ct, err := c.Fetch(t.Context(), srv.URL+"/d%2Fx?sig=a%2Bb", &buf, int64(len(doc)))
	if err != nil || n != int64(len(doc)) || ct != "application/pdf" || buf.String() != doc {
		t.Errorf("%d %q %q %v", n, ct, buf.String(), err)
	}

	_, _, err = c.Fetch(t.Context(), srv.URL+"/d%2Fx?sig=a%2Bb", io.Discard, int64(len(doc))-1)
	wantClass(t, err, Fatal)

	ask = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(doc))
	}
	_, _, err = c.Fetch(t.Context(), srv.URL+"/x", io.Discard, 0)
	wantClass(t, err, Transient) // half a document must not look whole

	full := errors.New("no space left")
	ask = answerWith(200, doc)
	_, _, err = c.Fetch(t.Context(), srv.URL+"/x", failingWriter{full}, 0)
	if e := wantClass(t, err, Transient); !errors.Is(&e, full) {
		t.Errorf("the writer's failure is lost: %v", e)
	}
	for status, class := range map[int]Class{403: Expired, 404: Expired, 410: Expired, 500: Transient, 429: Transient, 204: Fatal, 416: Fatal} {
		ask = answerWith(status, ``)
		_, _, err = c.Fetch(t.Context(), srv.URL+"/x?sig=topsecret", io.Discard, 0)
		if e := wantClass(t, err, class); strings.Contains(e.Error(), "topsecret") {
			t.Errorf("shown: %v", e)
		}
	}
	_, _, err = c.Fetch(t.Context(), "http://store.example.it/x", io.Discard, 0)
	wantClass(t, err, Fatal)
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

// A download address may lead on, but not to plain http elsewhere, and the signed
// address is not told on.
func TestFetchRedirects(t *testing.T) {
	hops := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" {
			t.Errorf("told on: %s", r.Header.Get("Referer"))
		}
		hops++
		switch r.URL.Path {
		case "/a":
			http.Redirect(w, r, "/b", http.StatusFound)
		case "/out":
			http.Redirect(w, r, "http://192.0.2.1/x", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			_, _ = w.Write([]byte(doc))
		}
	}))
	t.Cleanup(srv.Close)
	c := newClient(t, srv.URL)
	if n, _, err := c.Fetch(t.Context(), srv.URL+"/a", io.Discard, 0); err != nil || n != int64(len(doc)) {
		t.Errorf("%d %v", n, err)
	}
	if _, _, err := c.Fetch(t.Context(), srv.URL+"/out", io.Discard, 0); err == nil {
		t.Error("followed to plain http")
	}
	hops = 0
	_, _, err := c.Fetch(t.Context(), srv.URL+"/loop", io.Discard, 0)
	wantClass(t, err, Fatal)
	if hops > 4 {
		t.Errorf("%d hops", hops)
	}
}

func TestFetchTimesOutByProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		defer server.Close()
		go func() {
			buf := make([]byte, 4096)
			_, _ = server.Read(buf)
			_, _ = server.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"))
			for range 10 {
				time.Sleep(50 * time.Second)
				_, _ = server.Write([]byte("x"))
			}
		}()
		rt := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
		c := newClient(t, "http://127.0.0.1", func(cfg *Config) { cfg.Transport, cfg.Clock, cfg.Wait = rt, nil, nil })
		start := time.Now()
		n, _, err := c.Fetch(t.Context(), "http://127.0.0.1/x", io.Discard, 0)
		e := wantClass(t, err, Transient)
		if n != 10 || !errors.Is(&e, errStalled) || time.Since(start) != 560*time.Second {
			t.Errorf("%d bytes, %v, after %v", n, err, time.Since(start))
		}
		rt.CloseIdleConnections()
		time.Sleep(time.Minute)
	})
}

// Uploads and downloads are bounded by number, not by the limiter.
func TestTransfersAtOnce(t *testing.T) {
	var now, most atomic.Int32
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, "https://api.example.it", func(cfg *Config) {
			cfg.Clock, cfg.Wait, cfg.Transfers = nil, nil, 3
			cfg.Transport = slowStore{func(r io.Reader) error {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second)
				_, _ = io.Copy(io.Discard, r)
				now.Add(-1)
				return nil
			}}
		})
		done := make(chan error)
		for range 12 {
			go func() { _, err := up(t, c, "https://store.example.it/k"); done <- err }()
		}
		for range 12 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	if most.Load() != 3 {
		t.Errorf("%d at once, want 3", most.Load())
	}
}
