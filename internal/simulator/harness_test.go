package simulator

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// world is a platform with a movable clock and a small client of its own. It
// checks every answer against the contract when the contract is there.
type world struct {
	t   *testing.T
	sim *Simulator
	srv *httptest.Server
	now time.Time
	key string
	hdr http.Header
}

const (
	testTax   = DemoTaxID
	otherTax  = "01234567897"
	testKey   = "key-a"
	person    = "FRMTTR76M06B715E"
	company   = "12345678903"
	testPEC   = "mario.rossi@pec.example.it"
	testTaxon = "010202N"
)

var testStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, change func(*Options)) *world {
	t.Helper()
	w := &world{t: t, now: testStart, key: testKey, hdr: http.Header{}}
	o := Options{
		Start: testStart, ManualClock: true,
		Senders: []Sender{{ID: "pa-a", TaxID: testTax, Name: "Comune di Prova"}, {ID: "pa-b", TaxID: otherTax, Name: "Altro"}},
		Keys:    []APIKey{{Value: testKey, Sender: "pa-a"}, {Value: "key-b", Sender: "pa-b"}},
		Seed:    7, F24Delay: -1,
	}
	if change != nil {
		change(&o)
	}
	w.sim = New(o)
	w.srv = httptest.NewServer(checkingHandler(t, w.sim))
	w.sim.SetBaseURL(w.srv.URL)
	t.Cleanup(func() {
		w.srv.Close()
		if err := w.sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// pass moves both clocks of the platform.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.sim.Advance(d)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("status %d, not JSON: %v: %.200s", a.status, err, a.body)
	}
	return v
}

// codes are the error codes of a problem.
func (a answer) codes() string {
	if a.status < 400 {
		return "" // a refused request has an errors field too
	}
	var p problem
	_ = json.Unmarshal(a.body, &p)
	var found []string
	for _, e := range p.Errors {
		found = append(found, e.Code)
	}
	return strings.Join(found, ",")
}

func (a answer) details() string {
	var p problem
	_ = json.Unmarshal(a.body, &p)
	var found []string
	for _, e := range p.Errors {
		found = append(found, e.Element+"|"+e.Detail)
	}
	return strings.Join(found, "\n")
}

func (w *world) do(method, path string, body any) answer {
	w.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		r = bytes.NewReader(b)
	case string:
		r = strings.NewReader(b)
	default:
		r = bytes.NewReader(mustJSON(b))
	}
	req, err := http.NewRequest(method, w.srv.URL+path, r)
	if err != nil {
		w.t.Fatal(err)
	}
	for k, v := range w.hdr {
		req.Header[k] = v
	}
	if w.key != "" {
		req.Header.Set("x-api-key", w.key)
	}
	if body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return send(req)
}

func send(req *http.Request) answer {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: b, err: err}
}

func (w *world) want(a answer, status int, codes string) answer {
	w.t.Helper()
	if a.err != nil {
		w.t.Fatal(a.err)
	}
	if a.status != status || a.codes() != codes {
		w.t.Fatalf("got %d %s, want %d %s: %.600s", a.status, a.codes(), status, codes, a.body)
	}
	return a
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// file is an uploaded file as a request refers to it.
type file map[string]any

// slot is one answer of preload.
type slot struct{ URL, Key, Secret, PreloadIdx string }

func (w *world) slotFor(content []byte, contentType string) slot {
	w.t.Helper()
	a := w.want(w.do("POST", "/delivery/attachments/preload", []any{map[string]any{
		"preloadIdx": "x", "sha256": sha(content), "contentType": contentType,
	}}), 200, "")
	var slots []slot
	if err := json.Unmarshal(a.body, &slots); err != nil || len(slots) != 1 {
		w.t.Fatalf("%v %s", err, a.body)
	}
	return slots[0]
}

func (w *world) put(s slot, content []byte, contentType string, change func(*http.Request)) answer {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodPut, s.URL, bytes.NewReader(content))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("x-amz-meta-secret", s.Secret)
	req.Header.Set("x-amz-checksum-sha256", sha(content))
	if change != nil {
		change(req)
	}
	return send(req)
}

func ref(s slot, content []byte, contentType, version string) file {
	return file{
		"digests": map[string]any{"sha256": sha(content)}, "contentType": contentType,
		"ref": map[string]any{"key": s.Key, "versionToken": version},
	}
}

func (w *world) uploadAs(content []byte, contentType string) file {
	w.t.Helper()
	s := w.slotFor(content, contentType)
	a := w.put(s, content, contentType, nil)
	if a.status != 200 || a.header.Get("x-amz-version-id") == "" {
		w.t.Fatalf("upload: %d %s", a.status, a.body)
	}
	return ref(s, content, contentType, a.header.Get("x-amz-version-id"))
}

func (w *world) pdf(pages ...[]string) file {
	w.t.Helper()
	if len(pages) == 0 {
		pages = [][]string{{"Atto di prova"}}
	}
	return w.uploadAs(simplePDF(pages), "application/pdf")
}

// body is a create request that can be bent.
type body map[string]any

func (w *world) body(protocol string) body {
	w.t.Helper()
	return body{
		"paProtocolNumber": protocol, "idempotenceToken": "t1", "subject": "Avviso di prova",
		"senderDenomination": "Comune di Prova", "senderTaxId": testTax, "taxonomyCode": testTaxon,
		"notificationFeePolicy": "FLAT_RATE", "physicalCommunicationType": "REGISTERED_LETTER_890",
		"documents":  []any{w.pdf()},
		"recipients": []any{recipientOf(person, "VIA TORINO 15")},
	}
}

func recipientOf(taxID, street string) map[string]any {
	kind := "PF"
	if len(taxID) == 11 {
		kind = "PG"
	}
	return map[string]any{
		"recipientType": kind, "taxId": taxID, "denomination": "Ettore Prova",
		"physicalAddress": map[string]any{
			"address": street, "zip": "20123", "municipality": "MILANO", "province": "MI", "foreignState": "ITALIA",
		},
	}
}

func (b body) recipient(i int) map[string]any { return b["recipients"].([]any)[i].(map[string]any) }

func (b body) pay(notice string, apply bool) body {
	r := b.recipient(0)
	list, _ := r["payments"].([]any)
	r["payments"] = append(list, map[string]any{"pagoPa": map[string]any{
		"noticeCode": notice, "creditorTaxId": testTax, "applyCost": apply,
	}})
	return b
}

func (b body) delivery() body {
	b["notificationFeePolicy"], b["paFee"], b["vat"] = "DELIVERY_MODE", 100, 22
	return b
}

const requests = "/delivery/v2.6/requests"

// create posts a request that must be taken and returns its request id.
func (w *world) create(b body) string {
	w.t.Helper()
	return w.want(w.do("POST", requests, b), 202, "").json(w.t)["notificationRequestId"].(string)
}

// accepted posts a request and lets it be accepted; it returns the IUN.
func (w *world) accepted(b body) string {
	w.t.Helper()
	id := w.create(b)
	w.pass(time.Minute)
	v := w.want(w.do("GET", requests+"?notificationRequestId="+url.QueryEscape(id), nil), 200, "").json(w.t)
	if v["notificationRequestStatus"] != "ACCEPTED" {
		w.t.Fatalf("not accepted: %v %v", v["notificationRequestStatus"], v["errors"])
	}
	return v["iun"].(string)
}

// refused posts a request and returns the code of its refusal.
func (w *world) refused(b body) string {
	w.t.Helper()
	id := w.create(b)
	w.pass(time.Minute)
	v := w.want(w.do("GET", requests+"?notificationRequestId="+url.QueryEscape(id), nil), 200, "").json(w.t)
	if v["notificationRequestStatus"] != "REFUSED" {
		w.t.Fatalf("not refused: %v", v["notificationRequestStatus"])
	}
	return v["errors"].([]any)[0].(map[string]any)["code"].(string)
}

const streams = "/delivery-progresses/v2.9/streams"

func (w *world) stream(b body) string {
	w.t.Helper()
	full := body{"title": "prova", "eventType": "TIMELINE", "groups": []any{}}
	for k, v := range b {
		full[k] = v
	}
	return w.want(w.do("POST", streams, full), 200, "").json(w.t)["streamId"].(string)
}

func (w *world) page(id, last string) ([]progressElement, answer) {
	w.t.Helper()
	path := streams + "/" + id + "/events"
	if last != "" {
		path += "?lastEventId=" + last
	}
	a := w.want(w.do("GET", path, nil), 200, "")
	var page []progressElement
	if err := json.Unmarshal(a.body, &page); err != nil {
		w.t.Fatal(err)
	}
	return page, a
}

// drain reads a stream to its end.
func (w *world) drain(id string) []progressElement {
	w.t.Helper()
	var all []progressElement
	for last := ""; ; {
		page, _ := w.page(id, last)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		last = page[len(page)-1].EventID
	}
}

// assertion makes a client assertion as a correct client would, bent by change.
func assertion(t *testing.T, id Identity, now time.Time, change func(header, payload map[string]any)) string {
	t.Helper()
	block, _ := pem.Decode(id.PrivateKey)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": id.KeyID}
	payload := map[string]any{
		"iss": id.ClientID, "sub": id.ClientID, "aud": id.Audience, "purposeId": id.PurposeID,
		"jti": fmt.Sprint(now.UnixNano()), "iat": now.Unix(), "exp": now.Unix() + 120,
	}
	if change != nil {
		change(header, payload)
	}
	text, err := signToken(key.(*rsa.PrivateKey), header, payload)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (w *world) tokenForm(form url.Values) answer {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodPost, w.srv.URL+"/token.oauth2", strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(req)
}

func tokenFormOf(id Identity, text string) url.Values {
	return url.Values{
		"client_id": {id.ClientID}, "client_assertion": {text}, "grant_type": {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}
}

// shared finds a file of the shared folder beside the module. Without it the
// test is skipped, except in CI, where it must be there.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(filepath.Dir(dir), "shared", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("shared file missing: %s", name)
		}
		t.Skipf("shared file missing: %s", name)
	}
	return path
}

// fetch gets a presigned address, as a client must: without credentials.
func (w *world) fetch(address string) answer {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return send(req)
}

// newServer serves without the contract check.
func newServer(t *testing.T, s *Simulator) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv
}
