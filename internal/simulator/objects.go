package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// headBytes is how much of an upload is always kept: enough to know a PDF.
const headBytes = 16

// s3Error answers as the object store does.
func (c *call) s3Error(status int, code, message string) {
	type body struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		RequestID string `xml:"RequestId"`
	}
	out, err := xml.Marshal(body{Code: code, Message: message, RequestID: c.trace})
	if err != nil {
		panic("simulator: " + err.Error()) // three strings always encode
	}
	c.codes = []problemError{{Code: code}}
	c.write(status, "application/xml", append([]byte(xml.Header), out...))
}

// refusesCredentials answers for a presigned address that came with SEND's
// credentials, which is a leak.
func (c *call) refusesCredentials() bool {
	for _, name := range []string{"Authorization", "X-Api-Key"} {
		if c.r.Header.Get(name) == "" {
			continue
		}
		c.s.judge.violation(name + " sent to the object store by " + c.op)
		if name == "Authorization" {
			c.s3Error(http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified")
		} else {
			c.s3Error(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
		}
		return true
	}
	return false
}

// upload is the PUT to a presigned address.
func (s *Simulator) upload(c *call) {
	if c.refusesCredentials() {
		return
	}
	leave := s.enter()
	o := s.objects[c.params["key"]]
	leave()
	if o == nil || c.r.URL.Query().Get("X-Amz-Signature") != o.ticket || c.r.Method != http.MethodPut {
		c.s3Error(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
		return
	}
	if c.struck(FaultExpiredURL) || s.clocks.wall().After(o.expires) {
		c.s3Error(http.StatusForbidden, "AccessDenied", "Request has expired")
		return
	}
	if !c.uploadHeadersFit(o) {
		return
	}
	got, err := s.store.keep(c.r.Body, s.opt.Limits.FileBytes)
	if err != nil {
		if errors.Is(err, errStore) {
			c.s3Error(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
		}
		return // otherwise the client went away
	}
	if got.sha != o.sha256 {
		c.s3Error(http.StatusBadRequest, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")
		return
	}
	s.stored(c, o, got)
}

func (s *Simulator) stored(c *call, o *object, got kept) {
	version := s.dice.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._", 32)
	leave := s.enter()
	o.uploaded, o.version, o.size, o.head = s.clocks.wall(), version, got.size, got.head
	o.announced, o.contentRef = got.sha, got.ref
	leave()
	if !c.struck(FaultNoVersionID) {
		c.w.Header().Set("X-Amz-Version-Id", version)
	}
	c.w.Header().Set("Etag", `"`+got.sha[:32]+`"`)
	c.w.WriteHeader(http.StatusOK)
}

// uploadHeadersFit checks the headers that the address signs.
func (c *call) uploadHeadersFit(o *object) bool {
	h := c.r.Header
	sum := h.Get("X-Amz-Checksum-Sha256")
	if raw, err := base64.StdEncoding.DecodeString(sum); err != nil || len(raw) != sha256.Size {
		c.s3Error(http.StatusBadRequest, "InvalidRequest", "Value for x-amz-checksum-sha256 header is invalid.")
		return false
	}
	if sum != o.sha256 || h.Get("X-Amz-Meta-Secret") != o.secret || o.contentType != "" && h.Get("Content-Type") != o.contentType {
		c.s3Error(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
		return false
	}
	if c.r.ContentLength < 0 {
		c.s3Error(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
		return false
	}
	return true
}

// purged says whether the store has deleted an upload that nobody used.
func (s *Simulator) purged(o *object) bool {
	return !o.attached && s.clocks.wall().Sub(o.uploaded) >= s.opt.UploadRetention
}

// errStore marks a fault of the simulator's own disk.
var errStore = errors.New("simulator: content store")

// kept is what an upload left behind.
type kept struct {
	sha  string
	size int64
	head []byte
	ref  string
}

// contentStore keeps bytes by digest: in memory up to a budget, then in files.
// Equal contents are kept once.
type contentStore struct {
	mu     sync.Mutex
	budget int64
	dir    string
	made   bool // dir is our own and goes at Close
	memory map[string][]byte
	files  map[string]bool
}

func newContentStore(dir string, budget int64) *contentStore {
	return &contentStore{dir: dir, budget: budget, memory: map[string][]byte{}, files: map[string]bool{}}
}

// memoryMax is the largest content kept in memory, whatever the budget.
const memoryMax = 1 << 20

// keep reads a body to its end. Bytes past limit are counted but not kept: they
// are refused later by their size.
func (cs *contentStore) keep(r io.Reader, limit int64) (kept, error) {
	sum := sha256.New()
	var head bytes.Buffer
	n, err := io.Copy(&head, io.TeeReader(io.LimitReader(r, memoryMax+1), sum))
	if err != nil {
		return kept{}, err
	}
	k := kept{size: n, head: bytes.Clone(head.Bytes()[:min(n, headBytes)])}
	if n <= memoryMax {
		k.seal(sum.Sum(nil))
		return k, cs.put(k.ref, head.Bytes())
	}
	return cs.spool(k, io.MultiReader(&head, io.TeeReader(r, sum)), limit, func() []byte { return sum.Sum(nil) })
}

func (k *kept) seal(sum []byte) {
	k.sha, k.ref = base64.StdEncoding.EncodeToString(sum), hex.EncodeToString(sum)
}

func (cs *contentStore) put(ref string, content []byte) error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.memory[ref] != nil || cs.files[ref] {
		return nil
	}
	if int64(len(content)) <= cs.budget {
		cs.budget -= int64(len(content))
		cs.memory[ref] = append(make([]byte, 0, max(1, len(content))), content...)
		return nil
	}
	dir, err := cs.folder()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, ref), content, 0o600)
	}
	if err != nil {
		return errors.Join(errStore, err)
	}
	cs.files[ref] = true
	return nil
}

// spool writes a large content to a file named by its digest at the end.
func (cs *contentStore) spool(k kept, r io.Reader, limit int64, sum func() []byte) (kept, error) {
	cs.mu.Lock()
	dir, err := cs.folder()
	cs.mu.Unlock()
	if err != nil {
		return kept{}, errors.Join(errStore, err)
	}
	f, err := os.CreateTemp(dir, "part-*")
	if err != nil {
		return kept{}, errors.Join(errStore, err)
	}
	k.size, err = io.Copy(f, io.LimitReader(r, limit))
	rest, err2 := io.Copy(io.Discard, r)
	k.size += rest
	k.seal(sum())
	if err = errors.Join(err, err2, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, k.ref))
	}
	if err != nil {
		return kept{}, errors.Join(err, os.Remove(f.Name()))
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.files[k.ref] = true
	return k, nil
}

// folder makes the folder at the first need; the caller holds the lock.
func (cs *contentStore) folder() (string, error) {
	if cs.dir != "" {
		return cs.dir, os.MkdirAll(cs.dir, 0o700)
	}
	dir, err := os.MkdirTemp("", "send-simulator-*")
	cs.dir, cs.made = dir, err == nil
	return dir, err
}

// open gives the content back.
func (cs *contentStore) open(ref string) (io.ReadCloser, error) {
	cs.mu.Lock()
	content, inMemory := cs.memory[ref]
	dir := cs.dir
	cs.mu.Unlock()
	if inMemory {
		return io.NopCloser(bytes.NewReader(content)), nil
	}
	return os.Open(filepath.Join(dir, ref))
}

func (cs *contentStore) close() error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if !cs.made {
		return nil
	}
	cs.made = false
	return os.RemoveAll(cs.dir)
}
