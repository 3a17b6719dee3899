package submit

import (
	"encoding/json"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// Sketch is what is kept of a request in order to hold it against a Chain later, small
// enough for every row of an archive.
type Sketch struct {
	print notification.Fingerprint
	blank blanks
}

// blanks are the fields of a request that SEND fills in where they are missing.
type blanks struct {
	paFee, vat, mode, priority bool
	docIdx                     uint64 // a bit for each document; SEND takes 15
}

func blanksOf(r *notification.Request) blanks {
	b := blanks{paFee: r.PaFee == nil, vat: r.Vat == nil, mode: r.PagoPaIntMode == "", priority: r.PhysicalCommunicationPriority == nil}
	for i := range r.Documents {
		if r.Documents[i].DocIdx == "" {
			b.docIdx |= 1 << i
		}
	}
	return b
}

// forget takes out of a request as SEND keeps it what SEND filled in where ours says
// nothing (reference/send-api.md §2.5): it is no change of ours, and taking it for one
// would pay a refusal twice.
func (b blanks) forget(theirs *notification.Request) {
	if b.paFee {
		theirs.PaFee = nil
	}
	if b.vat {
		theirs.Vat = nil
	}
	if b.mode {
		theirs.PagoPaIntMode = ""
	}
	if b.priority {
		theirs.PhysicalCommunicationPriority = nil
	}
	for i := range theirs.Documents {
		if b.docIdx&(1<<i) != 0 {
			theirs.Documents[i].DocIdx = ""
		}
	}
}

// SketchOf digests a request; the digests of its documents are taken from it.
func SketchOf(r *notification.Request) Sketch {
	return Sketch{print: notification.FingerprintOf(r), blank: blanksOf(r)}
}

// How much a request has in common with an attempt that SEND has.
const (
	nothingAlike = iota
	identityAlike
	bodyAlike
	wholeAlike // the documents too
)

// Alike tells how much a request has in common with an attempt of the chain, 1 being the
// first: more is more, 0 is another notification.
func (c Chain) Alike(attempt int, s Sketch) int {
	var theirs notification.Request
	if attempt < 1 || attempt > len(c) || json.Unmarshal(c[attempt-1].Body, &theirs) != nil {
		return nothingAlike
	}
	s.blank.forget(&theirs)
	print := notification.FingerprintOf(&theirs)
	switch {
	case print.Whole == s.print.Whole:
		return wholeAlike
	case print.Body == s.print.Body:
		return bodyAlike
	case print.Identity == s.print.Identity:
		return identityAlike
	}
	return nothingAlike
}

// Same reports whether two requests are one, documents' bytes included.
func (s Sketch) Same(other Sketch) bool { return s.print.Whole == other.print.Whole }

// SameBody reports whether two requests differ in the bytes of documents at most.
func (s Sketch) SameBody(other Sketch) bool { return s.print.Body == other.print.Body }

// Differences tells in what n is not the request of an attempt, for a message.
func (c Chain) Differences(attempt int, n *ledger.Notification, lang notification.Lang) string {
	var theirs notification.Request
	if json.Unmarshal(c[attempt-1].Body, &theirs) != nil {
		return ""
	}
	blanksOf(n.Request).forget(&theirs)
	all := notification.Differences(&theirs, n.Request)
	if len(all) == 0 { // the documents
		all = []notification.Difference{{Part: notification.PartOther}}
	}
	return notification.Describe(lang, all)
}
