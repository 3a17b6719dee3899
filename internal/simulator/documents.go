package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	slashpath "path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// downloadURL is a presigned address. It carries what it names and when it
// expires, so that nothing need be remembered.
func (s *Simulator) downloadURL(r *http.Request, n *notification, key string) string {
	exp := strconv.FormatInt(s.clocks.wall().Add(s.opt.DownloadURLLife).Unix(), 10)
	q := url.Values{"iun": {n.iun}, "X-Amz-Expires": {exp}, "X-Amz-Signature": {s.downloadSignature(n.iun, key, exp)}}
	return s.baseFor(r) + "/download/" + url.PathEscape(key) + "?" + q.Encode()
}

func (s *Simulator) downloadSignature(iun, key, exp string) string {
	return s.digest("download", iun, key, exp)
}

// download is the GET of a presigned address.
func (s *Simulator) download(c *call) {
	if c.refusesCredentials() {
		return
	}
	q, key := c.r.URL.Query(), c.params["key"]
	exp, err := strconv.ParseInt(q.Get("X-Amz-Expires"), 10, 64)
	if err != nil || q.Get("X-Amz-Signature") != s.downloadSignature(q.Get("iun"), key, q.Get("X-Amz-Expires")) {
		c.s3Error(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
		return
	}
	if c.struck(FaultExpiredURL) || s.clocks.wall().Unix() >= exp {
		c.s3Error(http.StatusForbidden, "AccessDenied", "Request has expired")
		return
	}
	content, size, contentType := s.contentOf(q.Get("iun"), key)
	if content == nil {
		c.s3Error(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	defer content.Close() // read only
	if c.struck(FaultShort) {
		size /= 2
		content = io.NopCloser(io.LimitReader(content, size))
	}
	c.w.Header().Set("Content-Type", contentType)
	c.w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	c.w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(c.w, content) // a client that went away is its own problem
}

// contentOf finds the bytes behind a key: an upload, a rendered F24, a document
// of SEND's own.
func (s *Simulator) contentOf(iun, key string) (content io.ReadCloser, size int64, contentType string) {
	leave := s.enter()
	defer leave()
	n := s.byIUN[iun]
	if n == nil {
		return nil, 0, ""
	}
	bytesOf := func(b []byte) (io.ReadCloser, int64, string) {
		return io.NopCloser(bytes.NewReader(b)), int64(len(b)), mimeOf(key)
	}
	if o := s.objects[key]; o != nil && strings.HasPrefix(key, attachmentPrefix) {
		r, err := s.store.open(o.contentRef)
		if err != nil {
			return nil, 0, ""
		}
		return r, o.size, mimeOf(key)
	}
	if f, found := s.findFact(n, key); found {
		return bytesOf(s.factContent(n, f))
	}
	if strings.HasPrefix(key, f24Prefix) {
		return bytesOf(s.f24PDF(n, strings.TrimSuffix(key, ".pdf")))
	}
	return nil, 0, ""
}

func mimeOf(key string) string {
	switch slashpath.Ext(key) {
	case ".pdf":
		return "application/pdf"
	case ".xml":
		return "application/xml"
	case ".eml":
		return "message/rfc822"
	}
	return "application/octet-stream"
}

// sentNotification finds a disclosed notification of the caller for delivery.
func (s *Simulator) sentNotification(c *call) *notification {
	n := s.byIUN[c.params["iun"]]
	if !c.id.sees(n) || !n.disclosed() || c.struck(FaultMissing) {
		c.notFound()
		return nil
	}
	return n
}

// document is the metadata of a notified document.
func (s *Simulator) document(c *call) {
	if _, ok := c.iunParam(); !ok || !c.paramFits("docIdx", c.params["docIdx"], s.shapes.digits, 9) {
		return
	}
	defer s.enter()()
	n := s.sentNotification(c)
	if n == nil {
		return
	}
	req := n.request()
	i, _ := strconv.Atoi(c.params["docIdx"]) // digits, checked above
	if i >= len(req.Documents) {
		c.problem(http.StatusNotFound, appDelivery, problemError{Code: "PN_DELIVERY_FILEINFONOTFOUND", Detail: "Document not found"})
		return
	}
	title := req.Documents[i].Title
	if title == "" {
		title = "Documento " + strconv.Itoa(i)
	}
	s.fileAnswer(c, n, &req.Documents[i].reqAttachment, title)
}

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9_-]`)

func (s *Simulator) fileAnswer(c *call, n *notification, a *reqAttachment, title string) {
	o := s.objects[a.Ref.Key]
	if o == nil || o.uploaded.IsZero() || s.expired(n) {
		c.problem(http.StatusBadRequest, appDelivery, problemError{Code: "PN_DELIVERY_FILEINFONOTFOUND", Detail: "File not found"})
		return
	}
	answer := m{
		"filename":    n.iun + "__" + unsafeInName.ReplaceAllString(title, "_") + slashpath.Ext(o.key),
		"contentType": a.ContentType, "contentLength": o.size, "sha256": o.announced,
	}
	if c.struck(FaultNotReady) {
		answer["contentLength"], answer["sha256"], answer["retryAfter"] = 0, "", 1
	} else {
		answer["url"] = s.downloadURL(c.r, n, o.key)
	}
	c.json(http.StatusOK, answer)
}

// expired says whether the term for keeping the documents is over.
func (s *Simulator) expired(n *notification) bool {
	var last int64
	for i := range n.recipients {
		r := &n.recipients[i]
		last = max(last, r.refinedAt, r.viewedAt)
		if r.refinedAt == 0 && r.viewedAt == 0 {
			return false
		}
	}
	return s.clocks.platform().UnixNano() >= after(last, s.opt.Timings.DocumentsKept)
}

// attachment is the metadata of a payment file: the pagoPA form as uploaded, or
// an F24 rendered with the cost of the moment.
func (s *Simulator) attachment(c *call) {
	name, index := c.params["attachmentName"], c.r.URL.Query().Get("attachmentIdx")
	if index == "" {
		index = "0"
	}
	if _, ok := c.iunParam(); !ok ||
		!c.paramFits("recipientIdx", c.params["recipientIdx"], s.shapes.digits, 9) ||
		!c.paramFits("attachmentIdx", index, s.shapes.digits, 9) {
		return
	}
	if name != "PAGOPA" && name != "F24" {
		c.gatewayProblem("PN_INVALID_PARAMETERS", "Invalid parameters: [attachmentName]")
		return
	}
	defer s.enter()()
	n := s.sentNotification(c)
	if n == nil {
		return
	}
	req := n.request()
	r, _ := strconv.Atoi(c.params["recipientIdx"]) // digits, checked above
	j, _ := strconv.Atoi(index)                    // digits, checked above
	if r >= len(req.Recipients) || j >= len(req.Recipients[r].Payments) {
		c.problem(http.StatusInternalServerError, appDelivery, problemError{Code: "PN_DELIVERY_NOTIFICATIONWITHOUTPAYMENTATTACHMENT", Detail: "Payment not found"})
		return
	}
	p := &req.Recipients[r].Payments[j]
	switch {
	case name == "PAGOPA" && p.PagoPa != nil && p.PagoPa.Attachment != nil:
		s.fileAnswer(c, n, p.PagoPa.Attachment, "Avviso_pagoPA")
	case name == "F24" && p.F24 != nil:
		s.f24Answer(c, n, p.F24)
	default:
		c.problem(http.StatusNotFound, appDelivery, problemError{Code: "PN_DELIVERY_FILEINFONOTFOUND", Detail: "Attachment not found"})
	}
}

func (s *Simulator) f24Answer(c *call, n *notification, p *reqF24) {
	key := p.MetadataAttachment.Ref.Key
	answer := m{
		"filename":    n.iun + "__" + unsafeInName.ReplaceAllString(p.Title, "_") + ".pdf",
		"contentType": "application/pdf", "contentLength": 0, "sha256": "",
	}
	if wait := s.restore(c, n.iun+key, s.opt.F24Delay); wait > 0 {
		answer["retryAfter"] = wait
	} else {
		content := s.f24PDF(n, key)
		sum := sha256.Sum256(content)
		answer["contentLength"], answer["sha256"] = len(content), base64.StdEncoding.EncodeToString(sum[:])
		answer["url"] = s.downloadURL(c.r, n, key+".pdf")
	}
	c.json(http.StatusOK, answer)
}

// f24PDF renders the form; the notification's cost is in it.
func (s *Simulator) f24PDF(n *notification, key string) []byte {
	cost := 0
	for i := range n.recipients {
		cost = max(cost, 100+int(n.recipients[i].analogCost))
	}
	return simplePDF([][]string{{"F24 (simulatore)", "IUN: " + n.iun, key, "Costo di notifica in centesimi: " + strconv.Itoa(cost)}})
}

// sent is GET /delivery/v2.9/notifications/sent/{iun}.
func (s *Simulator) sent(c *call) {
	if _, ok := c.iunParam(); !ok {
		return
	}
	defer s.enter()()
	n := s.sentNotification(c)
	if n == nil {
		return
	}
	req := sync.OnceValue(n.request)
	answer := n.echo()
	set := func(name string, v any) { answer[name] = mustJSON(v) }
	set("iun", n.iun)
	set("sentAt", stampNano(n.sentAt))
	set("senderPaId", n.sender.ID)
	set("documentsAvailable", !s.expired(n))
	set("usedServices", m{"physicalAddressLookup": n.lookedUp})
	set("notificationStatus", n.status)
	set("notificationStatusHistory", n.historyAnswer())
	timeline := []timelineElement{}
	for i := range n.elements {
		if e := &n.elements[i]; !e.void {
			timeline = append(timeline, s.render(n, req, e))
		}
	}
	set("timeline", timeline)
	if s.expired(n) {
		set("documents", []any{})
	}
	c.json(http.StatusOK, answer)
}

// Notification is what a test may ask about one notification.
type Notification struct {
	IUN, RequestID, SenderID, Protocol, Token string
	Status                                    string
	SentAt                                    time.Time
	RefusalCodes                              []string
	Categories                                []string // of the timeline, in order, without what was taken out
	ElementIDs                                []string
	LegalFacts                                []string // keys, the AARs included
}

// Notification tells the state of a notification, found by IUN or request id.
func (s *Simulator) Notification(id string) (Notification, bool) {
	defer s.enter()()
	n := s.byIUN[id]
	if n == nil {
		n = s.byID[id]
	}
	if n == nil {
		return Notification{}, false
	}
	x := Notification{
		IUN: n.iun, RequestID: n.id, SenderID: n.sender.ID, Protocol: n.protocol, Token: n.token,
		Status: n.status, SentAt: time.Unix(0, n.sentAt).UTC(),
	}
	for _, r := range n.refusals {
		x.RefusalCodes = append(x.RefusalCodes, r.code)
	}
	for i := range n.elements {
		if e := &n.elements[i]; !e.void {
			x.Categories = append(x.Categories, e.cat.info().name)
			x.ElementIDs = append(x.ElementIDs, n.elementID(e))
		}
	}
	for _, f := range s.facts(n) {
		x.LegalFacts = append(x.LegalFacts, f.key)
	}
	return x, true
}
