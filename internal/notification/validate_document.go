package notification

import (
	"strings"
)

// What SEND's upload keys hold, by content type.
const (
	keyOfPDF  = "PN_NOTIFICATION_ATTACHMENTS"
	keyOfMeta = "PN_F24_META"
)

func (c *checker) documents(r *Request) {
	for i := range r.Documents {
		d := &r.Documents[i]
		at := atDocument(i)
		c.line(at, "title", d.Title, maxTitle, labelTitle)
		if d.DocIdx != "" && (len(d.DocIdx) > maxDocIdx || !allDigits(d.DocIdx)) {
			c.add("C-DOC-IDX", at.field("docIdx"), "value", d.DocIdx)
		}
		c.attachment(at, &d.Attachment, ContentPDF)
	}
	if c.rules.TwentyGrams && len(r.Documents) > 2 {
		c.add("C-TWENTY-GRAMS-DOCUMENTS", "documents", "count", itoa(len(r.Documents)))
	}
	if c.rules.Wire {
		c.sameObject(r)
	} else {
		c.sameFile(r)
	}
}

func (c *checker) attachment(at spot, a *Attachment, contentType string) {
	switch a.ContentType {
	case contentType:
	case "":
		c.add("C-REQUIRED", at.field("contentType"), "what", labelContentType.in(c.rules.Lang))
	default:
		c.add("C-CONTENT-TYPE", at.field("contentType"), "value", a.ContentType, "expected", contentType)
	}
	if c.rules.Wire {
		c.uploaded(at, a, contentType)
		return
	}
	if c.required(at, "file", a.File, labelFile) {
		switch {
		case isBroken(a.File):
			c.add("C-TEXT-BROKEN", at.field("file"), "what", labelFile.in(c.rules.Lang))
		case !SafeRelative(a.File):
			c.add("C-FILE-PATH", at.field("file"), "value", a.File)
		}
	}
	if a.Digests != nil {
		c.add("C-FILE-UPLOADED", at.field("digests"))
	}
	if a.Ref != nil {
		c.add("C-FILE-UPLOADED", at.field("ref"))
	}
}

// uploaded judges an attachment as it stands in the body that SEND gets.
func (c *checker) uploaded(at spot, a *Attachment, contentType string) {
	if a.File != "" {
		c.add("C-FILE-ON-WIRE", at.field("file"), "value", a.File)
	}
	if a.Digests == nil || a.Digests.SHA256 == "" {
		c.add("C-DIGEST-MISSING", at.field("digests.sha256"))
	} else if _, ok := a.digest(); !ok || len(a.Digests.SHA256) != digestLength {
		c.add("C-DIGEST", at.field("digests.sha256"), "value", a.Digests.SHA256)
	}
	if a.Ref == nil || a.Ref.Key == "" {
		c.add("C-REF-MISSING", at.field("ref.key"))
		return
	}
	c.key(at, a.Ref.Key, contentType)
	if c.required(at, "ref.versionToken", a.Ref.VersionToken, labelVersionToken) {
		c.line(at, "ref.versionToken", a.Ref.VersionToken, maxVersionToken, labelVersionToken)
	}
}

func (c *checker) key(at spot, key, contentType string) {
	c.line(at, "ref.key", key, maxKey, labelKey)
	if !isKeyForm(key) {
		c.add("C-REF-KEY", at.field("ref.key"), "value", key)
		return
	}
	if c.rules.LooseKeys {
		return
	}
	kind, not := keyOfPDF, ".json"
	if contentType == ContentJSON {
		kind, not = keyOfMeta, ".pdf"
	}
	if !strings.Contains(key, kind) || strings.HasSuffix(key, not) {
		c.add("C-REF-KIND", at.field("ref.key"), "value", key, "expected", kind)
	}
}

func isKeyForm(key string) bool {
	key = strings.TrimPrefix(key, "safestorage://")
	for i := range len(key) {
		if c := key[i]; !isAlphanumeric(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return key != ""
}

// sameObject refuses one uploaded object used twice: among documents, or by a
// document and a recipient's payment, or twice by one recipient. Two recipients may
// share a payment form.
func (c *checker) sameObject(r *Request) {
	for i := range r.Documents {
		for k := range i {
			if sameUpload(&r.Documents[i].Attachment, &r.Documents[k].Attachment) {
				c.add("C-DOCUMENT-TWICE", atDocument(i).field("ref.key"), "other", atDocument(k).field(""))
				break
			}
		}
	}
	for i := range r.Recipients {
		ps := r.Recipients[i].Payments
		for j := range ps {
			if a := pagoPaForm(&ps[j]); a != nil {
				c.sameObjectAs(r, i, j, a)
			}
		}
	}
}

func (c *checker) sameObjectAs(r *Request, i, j int, a *Attachment) {
	field := func() string { return atPayment(i, j).field("pagoPa.attachment.ref.key") }
	for k := range r.Documents {
		if sameUpload(a, &r.Documents[k].Attachment) {
			c.add("C-DOCUMENT-TWICE", field(), "other", atDocument(k).field(""))
			return
		}
	}
	for k := range j {
		if b := pagoPaForm(&r.Recipients[i].Payments[k]); b != nil && sameUpload(a, b) {
			c.add("C-DOCUMENT-TWICE", field(), "other", atPayment(i, k).field("pagoPa.attachment"))
			return
		}
	}
}

func pagoPaForm(p *Payment) *Attachment {
	if p.PagoPa == nil {
		return nil
	}
	return p.PagoPa.Attachment
}

func sameUpload(a, b *Attachment) bool {
	return a.Ref != nil && b.Ref != nil && a.Digests != nil && b.Digests != nil &&
		a.Ref.Key != "" && a.Ref.Key == b.Ref.Key && a.Digests.SHA256 == b.Digests.SHA256
}

// sameFile warns of one file named twice among the documents: SEND would take it,
// as two uploads have two keys, but the citizen would get it twice.
func (c *checker) sameFile(r *Request) {
	for i := range r.Documents {
		for k := range i {
			if f := r.Documents[i].File; f != "" && f == r.Documents[k].File {
				c.add("C-DOCUMENT-REPEATED", atDocument(i).field("file"), "value", f)
				break
			}
		}
	}
}
