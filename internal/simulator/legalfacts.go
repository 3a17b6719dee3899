package simulator

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const storagePrefix = "safestorage://"

// legalFactRef is LegalFactsIdV20.
type legalFactRef struct {
	Key      string `json:"key"`
	Category string `json:"category"`
}

// factKey names a document that SEND itself makes. Keys are derived, not stored.
func (s *Simulator) factKey(n *notification, parts ...string) string {
	return storagePrefix + "PN_LEGAL_FACTS-" + s.digest(append([]string{"fact", n.iun}, parts...)...) + ".pdf"
}

func (s *Simulator) aarKey(n *notification, rec int8) string {
	return storagePrefix + "PN_AAR-" + s.digest("aar", n.iun, strconv.Itoa(int(rec))) + ".pdf"
}

// legalFactsOf are the documents that prove an element.
func (s *Simulator) legalFactsOf(n *notification, e *element) []legalFactRef {
	one := func(key, category string) []legalFactRef { return []legalFactRef{{Key: key, Category: category}} }
	switch e.cat {
	case catAccepted:
		return one(s.factKey(n, "SENDER_ACK"), "SENDER_ACK")
	case catDigitalSuccess, catDigitalFailure:
		return one(s.factKey(n, "DIGITAL_DELIVERY", rec(e)), "DIGITAL_DELIVERY")
	case catUnreachable:
		return one(s.factKey(n, "ANALOG_FAILURE_DELIVERY", rec(e)), "ANALOG_FAILURE_DELIVERY")
	case catViewed:
		return one(s.factKey(n, "RECIPIENT_ACCESS", rec(e)), "RECIPIENT_ACCESS")
	case catCancelled:
		return one(s.factKey(n, "NOTIFICATION_CANCELLED"), "NOTIFICATION_CANCELLED")
	case catDigitalProgress:
		return one(s.externalKey(n, e, 0, ".xml"), "PEC_RECEIPT")
	case catDigitalFeedback:
		return one(s.externalKey(n, e, 0, ".eml"), "PEC_RECEIPT")
	case catAnalogProgress, catAnalogFeedback:
		var found []legalFactRef
		for i := range e.mark.scans {
			found = append(found, legalFactRef{Key: s.externalKey(n, e, i, ".pdf"), Category: "ANALOG_DELIVERY"})
		}
		return found
	}
	return nil
}

// externalKey names a document that came from outside: PEC receipts, scans, the
// certified copy of the printed AAR.
func (s *Simulator) externalKey(n *notification, e *element, i int, ext string) string {
	family := "PN_EXTERNAL_LEGAL_FACTS-"
	if e.mark.code == "CON020" {
		family = "PN_PRINTED-"
	}
	return storagePrefix + family + s.digest("external", n.elementID(e), strconv.Itoa(i)) + ext
}

// fact is a document that can be downloaded.
type fact struct {
	key, category string
	at            int64
	rec           int8
	elementID     string
}

// facts lists every document of a notification, the AARs included.
func (s *Simulator) facts(n *notification) []fact {
	var found []fact
	for i := range n.elements {
		e := &n.elements[i]
		for _, f := range s.legalFactsOf(n, e) {
			found = append(found, fact{f.Key, f.Category, e.at, e.rec, n.elementID(e)})
		}
		if e.cat == catAAR {
			found = append(found, fact{s.aarKey(n, e.rec), "AAR", e.at, e.rec, n.elementID(e)})
		}
	}
	return found
}

func (s *Simulator) findFact(n *notification, key string) (fact, bool) {
	for _, f := range s.facts(n) {
		if strings.TrimPrefix(f.key, storagePrefix) == strings.TrimPrefix(key, storagePrefix) {
			return f, true
		}
	}
	return fact{}, false
}

// pushNotification finds the notification of the path for delivery-push.
func (s *Simulator) pushNotification(c *call) *notification {
	n := s.byIUN[c.params["iun"]]
	if !c.id.sees(n) {
		c.problem(http.StatusNotFound, appPush, problemError{Code: codePushAbsent, Detail: "Notification not found"})
		return nil
	}
	return n
}

// legalFacts is the list. The AAR is not a legal fact and is not in it.
func (s *Simulator) legalFacts(c *call) {
	iun, ok := c.iunParam()
	if !ok {
		return
	}
	defer s.enter()()
	n := s.pushNotification(c)
	if n == nil {
		return
	}
	req := n.request()
	answer := []m{}
	for _, f := range s.facts(n) {
		if f.category == "AAR" {
			continue
		}
		x := m{"iun": iun, "legalFactsId": legalFactRef{Key: f.key, Category: f.category}}
		if f.rec >= 0 {
			x["taxId"] = req.Recipients[f.rec].TaxID
		}
		answer = append(answer, x)
	}
	c.json(http.StatusOK, answer)
}

// legalFact is the metadata of one document: an address, or the seconds to wait.
func (s *Simulator) legalFact(c *call) {
	if _, ok := c.iunParam(); !ok {
		return
	}
	defer s.enter()()
	n := s.pushNotification(c)
	if n == nil {
		return
	}
	f, found := s.findFact(n, c.params["legalFactId"])
	if !found || c.struck(FaultMissing) {
		c.problem(http.StatusNotFound, appPush, problemError{Code: "PN_DELIVERYPUSH_FILE_NOT_FOUND", Detail: "File not found"})
		return
	}
	key := strings.TrimPrefix(f.key, storagePrefix)
	answer := m{"filename": factName(n, f.category, key)}
	if wait := s.restore(c, key, s.opt.LegalFactDelay); wait > 0 {
		answer["contentLength"], answer["retryAfter"] = 0, wait
	} else {
		answer["contentLength"] = c.announced(len(s.factContent(n, f)))
		answer["url"] = s.downloadURL(c.r, n, key)
	}
	c.json(http.StatusOK, answer)
}

// announced is the size that the metadata of a document tells.
func (c *call) announced(size int) int {
	if c.struck(FaultWrongSize) {
		return size + 1
	}
	return size
}

// restore says how many seconds a document still takes, counted from the first
// time that somebody asked for it; 0 when it is ready.
func (s *Simulator) restore(c *call, key string, delay time.Duration) int {
	if c.struck(FaultNotReady) {
		return max(1, int(delay/time.Second))
	}
	if delay <= 0 {
		return 0
	}
	now := s.clocks.wall().UnixNano()
	first, asked := s.asked[key]
	if !asked {
		s.asked[key], first = now, now
	}
	left := time.Duration(first + int64(delay) - now)
	if left <= 0 {
		return 0
	}
	return int((left + time.Second - 1) / time.Second)
}

func factName(n *notification, category, key string) string {
	base, ext := key, ".pdf"
	if dot := strings.LastIndexByte(key, '.'); dot >= 0 {
		base, ext = key[:dot], key[dot:]
	}
	alnum := strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, base)
	return strings.ReplaceAll(n.iun, "-", "") + "_" + category + "_" + alnum + ext
}

// factContent is the document itself, the same bytes every time.
func (s *Simulator) factContent(n *notification, f fact) []byte {
	req := n.request()
	lines := []string{
		"SEND - Servizio Notifiche Digitali (simulatore)", f.category, "",
		"IUN: " + n.iun, "Mittente: " + req.SenderDenomination, "Protocollo: " + n.protocol,
		"Oggetto: " + req.Subject, "Data: " + stampNano(f.at), "Elemento: " + f.elementID,
	}
	if f.rec >= 0 {
		r := req.Recipients[f.rec]
		lines = append(lines, "Destinatario: "+r.Denomination+" ("+r.TaxID+")")
	}
	lines = append(lines, "", "Documento di prova, senza valore legale.")
	switch {
	case strings.HasSuffix(f.key, ".xml"):
		return pecXML(lines)
	case strings.HasSuffix(f.key, ".eml"):
		return pecMail(lines, time.Unix(0, f.at).UTC())
	}
	return simplePDF([][]string{lines})
}
