package simulator

import (
	"bytes"
	"io"
	"regexp"
	"strconv"
	"time"
)

// validate is the asynchronous validation. It looks at the bytes that were
// really uploaded, stops at the first failing step and may itself have been
// overtaken by a cancellation.
func (s *Simulator) validate(n *notification, at int64) {
	if n.status != statusInValidation || n.cancelAsked {
		return
	}
	req := n.request()
	if fault, _ := s.faults.pick("acceptance"); fault != nil && fault.Kind == FaultRefuse {
		s.refuseLater(n, at, []refusal{{code: fault.Code, detail: "Injected refusal", rec: -1}})
		return
	}
	for _, stage := range []func(*notification, *request) []refusal{
		s.checkDebts, s.checkFiles, s.checkWeight, s.checkF24, s.checkLookup, s.checkAddresses,
	} {
		if found := stage(n, req); len(found) > 0 {
			s.refuseLater(n, at, found)
			return
		}
	}
	s.acceptLater(n, req, at)
}

func (s *Simulator) refuseLater(n *notification, at int64, found []refusal) {
	n.refusals = found
	for _, r := range found {
		s.judge.refusal(r.code)
	}
	n.sender.used--
	s.add(n, element{cat: catRefused, rec: -1, at: at})
	s.schedule(after(at, s.opt.Timings.NoticeRelease), taskRelease, n, -1)
}

func (s *Simulator) acceptLater(n *notification, req *request, at int64) {
	if missing := missingAddresses(req); len(missing) > 0 {
		n.lookedUp = true
		s.add(n, element{cat: catRegistryValidationCall, rec: -1, at: at})
		for _, i := range missing {
			s.add(n, element{cat: catRegistryValidationResponse, rec: int8(i), at: at})
		}
	}
	s.add(n, element{cat: catValidateAddresses, rec: -1, at: at})
	for i := range req.Recipients {
		s.add(n, element{cat: catNormalizedAddress, rec: int8(i), at: at})
	}
	s.add(n, element{cat: catSenderAckRequest, rec: -1, at: at})
	s.add(n, element{cat: catAccepted, rec: -1, at: at})
	for i := range req.Recipients {
		r := &n.recipients[i]
		r.person = req.Recipients[i].RecipientType == "PF"
		r.foreign = foreign(req.Recipients[i].PhysicalAddress)
		s.begin(n, i, s.choose(n, req, i), at)
		if s.share("view", req.Recipients[i].TaxID) < s.opt.Mix.Viewed {
			s.schedule(after(at, s.opt.Timings.View), taskView, n, i)
		}
	}
}

func one(code, detail string) []refusal { return []refusal{{code: code, detail: detail, rec: -1}} }

// checkDebts is the payment step: only DELIVERY_MODE with ASYNC.
func (s *Simulator) checkDebts(n *notification, req *request) []refusal {
	if n.flat || req.PagoPaIntMode != "ASYNC" {
		return nil
	}
	for i := range req.Recipients {
		r := &req.Recipients[i]
		if len(r.Payments) == 0 {
			return one("PAYMENT_NOT_VALID", "Payments are required for recipient "+strconv.Itoa(i))
		}
		for _, p := range r.Payments {
			if p.PagoPa != nil && s.opt.Debts != nil && !s.opt.Debts(p.PagoPa.CreditorTaxID, p.PagoPa.NoticeCode) {
				return one("PAYMENT_NOT_VALID", "Notice not found: "+p.PagoPa.pair())
			}
		}
	}
	return nil
}

// checkFiles looks at documents and pagoPA forms; F24 metadata has its own step.
func (s *Simulator) checkFiles(_ *notification, req *request) []refusal {
	for i := range req.Documents {
		if r := s.checkFile(&req.Documents[i].reqAttachment); r != nil {
			return r
		}
	}
	for i := range req.Recipients {
		for _, p := range req.Recipients[i].Payments {
			if p.PagoPa != nil && p.PagoPa.Attachment != nil {
				if r := s.checkFile(p.PagoPa.Attachment); r != nil {
					return r
				}
			}
		}
	}
	return nil
}

func (s *Simulator) checkFile(a *reqAttachment) []refusal {
	o := s.uploadOf(a)
	switch {
	case o == nil:
		return one("FILE_NOTFOUND", "File not found: "+a.Ref.Key)
	case o.announced != a.Digests.SHA256:
		return one("FILE_SHA_ERROR", "Validation failed, different sha256. Key: "+a.Ref.Key)
	case o.size > s.opt.Limits.FileBytes:
		return one("FILE_PDF_TOOBIG_ERROR", "Validation failed, file too big. Key: "+a.Ref.Key)
	case !bytes.HasPrefix(o.head, []byte("%PDF-")):
		return one("FILE_PDF_INVALID_ERROR", "Validation failed, not a PDF. Key: "+a.Ref.Key)
	}
	return nil
}

// uploadOf is the upload that an attachment refers to, nil if there is none.
func (s *Simulator) uploadOf(a *reqAttachment) *object {
	o := s.objects[trimStorage(a.Ref.Key)]
	if o == nil || o.uploaded.IsZero() || s.purged(o) || !s.opt.LooseVersionToken && o.version != a.Ref.VersionToken {
		return nil
	}
	return o
}

// checkWeight is the rule for senders that may send three sheets only.
func (s *Simulator) checkWeight(n *notification, req *request) []refusal {
	if !n.sender.LimitedTo20Grams {
		return nil
	}
	heavy := len(req.Documents) >= 3
	for i := range req.Recipients {
		for _, p := range req.Recipients[i].Payments {
			heavy = heavy || p.F24 != nil || p.PagoPa != nil && p.PagoPa.Attachment != nil
		}
	}
	limit := 4
	if len(req.Documents) == 2 {
		limit = 2
	}
	for i := range req.Documents {
		heavy = heavy || s.pageCount(&req.Documents[i].reqAttachment) > limit
	}
	if heavy {
		return one("SENDER_DISABLED_MORE_THAN_20_GRAMS", "Sender not enabled to send more than 20 grams")
	}
	return nil
}

var (
	pagePattern  = regexp.MustCompile(`/Type\s*/Page[^s]`)
	countPattern = regexp.MustCompile(`/Count\s+(\d+)`)
)

// pageCount counts page objects, or believes the largest /Count where pages are
// hidden in compressed objects. Good enough for the weight of a letter.
func (s *Simulator) pageCount(a *reqAttachment) int {
	r, err := s.store.open(s.uploadOf(a).contentRef)
	if err != nil {
		return 1
	}
	defer r.Close() // read only
	content, err := io.ReadAll(r)
	if err != nil {
		return 1
	}
	pages := len(pagePattern.FindAll(content, -1))
	for _, found := range countPattern.FindAllSubmatch(content, -1) {
		if n, err := strconv.Atoi(string(found[1])); err == nil {
			pages = max(pages, n)
		}
	}
	return max(1, pages)
}

// checkLookup finds the addresses that the request left out.
func (s *Simulator) checkLookup(_ *notification, req *request) []refusal {
	var found []refusal
	for _, i := range missingAddresses(req) {
		if s.opt.Addresses == nil {
			continue
		}
		switch ok, failed := s.opt.Addresses(req.Recipients[i].TaxID); {
		case failed:
			found = append(found, refusal{"ADDRESS_SEARCH_FAILED", "Address search failed for recipient " + strconv.Itoa(i), i})
		case !ok:
			found = append(found, refusal{"ADDRESS_NOT_FOUND", "Address not found for recipient " + strconv.Itoa(i), i})
		}
	}
	return found
}

// SetAcceptance changes the time that validation takes, for notifications that
// arrive from now on.
func (s *Simulator) SetAcceptance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Timings.Acceptance = d
}
