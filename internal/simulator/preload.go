package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// object is a slot of the object store and what was uploaded into it.
type object struct {
	key         string
	sender      *sender
	contentType string
	sha256      string // base64, as announced by preload
	secret      string
	ticket      string // part of the upload address
	expires     time.Time

	uploaded   time.Time // wall time; zero = nothing there
	version    string
	size       int64
	head       []byte // first bytes
	attached   bool
	announced  string // digest of the stored bytes, base64
	contentRef string // name in the content store
}

const (
	attachmentPrefix = "PN_NOTIFICATION_ATTACHMENTS"
	f24Prefix        = "PN_F24_META"
)

type preloadItem struct {
	PreloadIdx  string `json:"preloadIdx,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	SHA256      string `json:"sha256,omitempty"`
}

type preloadSlot struct {
	PreloadIdx string `json:"preloadIdx,omitempty"`
	Secret     string `json:"secret"`
	HTTPMethod string `json:"httpMethod"`
	URL        string `json:"url"`
	Key        string `json:"key"`
}

// preload is POST /delivery/attachments/preload.
func (s *Simulator) preload(c *call) {
	if !c.bodyFits(s.shapes.preload) {
		return
	}
	var items []preloadItem
	if err := json.Unmarshal(c.body, &items); err != nil {
		c.gatewayProblem("PN_INVALID_BODY", "Validation errors: [Unable to parse JSON]")
		return
	}
	base := s.baseFor(c.r)
	now := s.clocks.wall()
	slots := make([]preloadSlot, 0, len(items))
	defer s.enter()()
	for _, item := range items {
		o := &object{
			sender: c.id.sender, contentType: item.ContentType, sha256: item.SHA256,
			secret: s.dice.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 32),
			ticket: s.dice.hex(32), expires: now.Add(s.opt.UploadURLLife),
		}
		o.key = attachmentPrefix + "-" + s.dice.hex(32) + ".pdf"
		if item.ContentType == "application/json" {
			o.key = f24Prefix + "-" + s.dice.hex(32) + ".json"
		}
		s.objects[o.key] = o
		slots = append(slots, preloadSlot{
			PreloadIdx: item.PreloadIdx, Secret: o.secret, HTTPMethod: http.MethodPut, Key: o.key,
			URL: base + "/uploadS3/" + o.key + "?X-Amz-Expires=" +
				strconv.Itoa(int(s.opt.UploadURLLife/time.Second)) + "&X-Amz-Signature=" + o.ticket,
		})
	}
	c.json(http.StatusOK, slots)
}

// baseFor is the base of presigned addresses.
func (s *Simulator) baseFor(r *http.Request) string {
	if b := s.base.get(); b != "" {
		return b
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host}).String()
}
