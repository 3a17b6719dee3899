package notification

import (
	"slices"
	"strconv"
	"strings"
)

// FileFacts is what was found out about one attached file.
type FileFacts struct {
	Bytes     int64
	NotPDF    string // what it looks like instead, in the language of the rules; "" for a PDF
	Damaged   bool   // begins as a PDF, but is not whole
	Locked    bool   // cannot be opened without a password
	Encrypted bool
	Pages     int  // 0: not known
	A4        bool // only where Pages is known
	// TaxIDs and NoticeCodes stand in the text, where text could be read.
	TaxIDs, NoticeCodes []string
}

// CheckFiles judges the files of r by what SEND will find in them after upload and
// by what the citizen could not read; facts gives what is known of a file of the
// request (false: nothing). F24 metadata, which are no PDF, are left out.
// It does not repeat what Validate says.
//
// Source: send-validation.md, 2; rules.md, rule 6.
func CheckFiles(r *Request, rules Rules, facts func(file string) (FileFacts, bool)) []Problem {
	c := checker{rules: &rules}
	var pages []int // of every document, 0 where not known
	r.Attachments(func(path string, a *Attachment) {
		var f FileFacts
		known := false
		if a.ContentType == ContentPDF && a.File != "" {
			if f, known = facts(a.File); !known {
				f = FileFacts{}
			}
		}
		if strings.HasPrefix(path, "documents[") {
			pages = append(pages, f.Pages)
		}
		if known {
			c.file(path+".file", a.File, f)
			c.swapped(r, path+".file", a.File, f)
		}
	})
	if rules.TwentyGrams {
		c.twentyGrams(pages)
	}
	return c.problems
}

func (c *checker) file(field, file string, f FileFacts) {
	switch most := c.rules.MaxPDFBytes; {
	case f.NotPDF != "":
		c.add("C-PDF-NOT", field, "file", file, "kind", f.NotPDF)
		return
	case f.Damaged:
		c.add("C-PDF-DAMAGED", field, "file", file)
		return
	case most > 0 && f.Bytes > most:
		c.add("C-PDF-TOO-BIG", field, "file", file, "bytes", strconv.FormatInt(f.Bytes, 10), "max", strconv.FormatInt(most, 10))
	}
	switch {
	case f.Locked:
		c.add("C-PDF-LOCKED", field, "file", file)
	case f.Encrypted:
		c.add("C-PDF-ENCRYPTED", field, "file", file)
	}
	if f.Pages > 0 && !f.A4 {
		c.add("C-PDF-PAGE-SIZE", field, "file", file)
	}
}

// twentyGrams judges the documents of a sender that may not send more than 20 grams
// of paper: one document of at most four pages, or two of at most two each. More
// documents and payment forms are refused by Validate.
func (c *checker) twentyGrams(pages []int) {
	most := 4
	if len(pages) == 2 {
		most = 2
	}
	if len(pages) > 2 {
		return
	}
	for i, n := range pages {
		if n > most {
			c.add("C-TWENTY-GRAMS-PAGES", atDocument(i).field("file"), "pages", itoa(n), "max", itoa(most))
		}
	}
}

// swapped warns where the text of a file shows tax codes or notice numbers, and
// none of them is of this request: most likely two files changed places. One that
// is of the request is enough, since acts name other people too. Codes whose check
// characters do not fit are something else that only looks so; and an act for a
// company may name nobody but its representative.
func (c *checker) swapped(r *Request, field, file string, f FileFacts) {
	people := slices.DeleteFunc(slices.Clone(f.TaxIDs), func(id string) bool { return CheckPersonalTaxID(id) != TaxIDSound })
	if other := noneOf(people, func(id string) bool { return hasTaxID(r, id) }); other != "" && onlyPersons(r) {
		c.add("C-PDF-OTHER-TAXID", field, "file", file, "value", other)
	}
	notices := slices.DeleteFunc(slices.Clone(f.NoticeCodes), func(code string) bool { return CheckNotice(code) != NoticeSound })
	if other := noneOf(notices, func(code string) bool { return hasNotice(r, code) }); other != "" && len(Notices(r)) > 0 {
		c.add("C-PDF-OTHER-NOTICE", field, "file", file, "value", other)
	}
}

func onlyPersons(r *Request) bool {
	for i := range r.Recipients {
		if r.Recipients[i].RecipientType != NaturalPerson {
			return false
		}
	}
	return true
}

// noneOf gives the first of found if known refuses them all; "" otherwise.
func noneOf(found []string, known func(string) bool) string {
	for _, s := range found {
		if known(s) {
			return ""
		}
	}
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

func hasTaxID(r *Request, id string) bool {
	for i := range r.Recipients {
		if r.Recipients[i].TaxID == id {
			return true
		}
	}
	return false
}

func hasNotice(r *Request, code string) bool {
	for _, p := range Notices(r) {
		if p.Notice == code {
			return true
		}
	}
	return false
}
