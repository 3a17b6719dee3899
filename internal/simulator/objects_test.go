package simulator

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// Damage prevented: a client whose upload headers only a lenient store accepts.
func TestPreloadAndUpload(t *testing.T) {
	w := newWorld(t, nil)
	content := []byte("%PDF-1.4 prova")
	pdf := "application/pdf"
	many := make([]any, 16)
	for i := range many {
		many[i] = map[string]any{"sha256": sha(content), "preloadIdx": fmt.Sprint(i)}
	}
	w.want(w.do("POST", "/delivery/attachments/preload", many), 400, "PN_INVALID_BODY")
	w.want(w.do("POST", "/delivery/attachments/preload", []any{}), 400, "PN_INVALID_BODY")
	w.want(w.do("POST", "/delivery/attachments/preload", []any{map[string]any{"sha256": strings.Repeat("ab", 32)}}), 400, "PN_INVALID_BODY")
	if s := w.slotFor(content, pdf); !strings.HasPrefix(s.Key, "PN_NOTIFICATION_ATTACHMENTS-") || !strings.HasSuffix(s.Key, ".pdf") {
		t.Errorf("key of a PDF: %s", s.Key)
	}
	if s := w.slotFor(content, "application/json"); !strings.HasPrefix(s.Key, "PN_F24_META-") {
		t.Errorf("key of F24 metadata: %s", s.Key)
	}
	head := func(name, v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, v) }
	}
	for _, tc := range []struct {
		name   string
		change func(*http.Request)
		status int
		code   string
	}{
		{"good", nil, 200, ""},
		{"wrong secret", head("x-amz-meta-secret", "x"), 403, "SignatureDoesNotMatch"},
		{"other content type", head("Content-Type", "application/json"), 403, "SignatureDoesNotMatch"},
		{"checksum in hexadecimal", head("x-amz-checksum-sha256", strings.Repeat("ab", 32)), 400, "InvalidRequest"},
		{"checksum of another file", head("x-amz-checksum-sha256", sha([]byte("x"))), 403, "SignatureDoesNotMatch"},
		{"voucher sent along", head("Authorization", "Bearer x"), 400, "InvalidArgument"},
		{"API key sent along", head("x-api-key", "x"), 403, "SignatureDoesNotMatch"},
		{"other bytes", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("other")), 5
		}, 400, "BadDigest"},
		{"no length", func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(content)), -1
		}, 411, "MissingContentLength"},
		{"wrong signature", func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=0" }, 403, "SignatureDoesNotMatch"},
	} {
		a := w.put(w.slotFor(content, pdf), content, pdf, tc.change)
		if a.status != tc.status || !strings.Contains(string(a.body), tc.code) {
			t.Errorf("%s: %d %s, want %d %s", tc.name, a.status, a.body, tc.status, tc.code)
		}
		if (a.header.Get("x-amz-version-id") != "") != (tc.status == 200) {
			t.Errorf("%s: version id %q", tc.name, a.header.Get("x-amz-version-id"))
		}
	}
	if v := w.sim.Violations(); len(v) != 2 {
		t.Errorf("leaked credentials noticed: %v", v)
	}
	late := w.slotFor(content, pdf)
	w.pass(time.Hour + time.Second)
	if a := w.put(late, content, pdf, nil); a.status != 403 || !strings.Contains(string(a.body), "expired") {
		t.Errorf("expired address: %d %s", a.status, a.body)
	}
}

// Damage prevented: a demo machine that runs out of memory on large acts, and
// an act that comes back with other bytes.
func TestLargeUploadGoesToDiskAndBack(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, func(o *Options) { o.SpoolDir = dir; o.MemoryBytes = 1000 })
	large := append([]byte("%PDF-1.4 "), bytes.Repeat([]byte("x"), 3<<20)...)
	b := w.body("p/1")
	b["documents"] = []any{w.uploadAs(large, "application/pdf"), w.uploadAs(append([]byte("%PDF-"), make([]byte, 5000)...), "application/pdf")}
	iun := w.accepted(b)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Fatalf("spool: %v %v", entries, err)
	}
	v := w.want(w.do("GET", "/delivery/notifications/sent/"+iun+"/attachments/documents/0", nil), 200, "").json(t)
	req, _ := http.NewRequest(http.MethodGet, v["url"].(string), nil)
	if got := send(req); !bytes.Equal(got.body, large) || v["sha256"] != sha(large) {
		t.Errorf("%d bytes came back, %v", len(got.body), v["sha256"])
	}
	req.Header.Set("Authorization", "Bearer x")
	if got := send(req); got.status != 400 {
		t.Errorf("download with a voucher: %d", got.status)
	}
	req.Header.Del("Authorization")
	w.pass(2 * time.Hour)
	if got := send(req); got.status != 403 {
		t.Errorf("expired download: %d", got.status)
	}
}
