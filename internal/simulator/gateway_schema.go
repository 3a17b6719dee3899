package simulator

import (
	"math"
	"net/http"
	"regexp"
	"strings"
)

// shapes are the bodies and parameters that the gateway checks.
type shapes struct {
	create, preload, streamCreate, streamUpdate, payments *shape
	iun, digits, eventID, requestID, ascii, uuid          *regexp.Regexp
}

const (
	iunText = `^[A-Z]{4}-[A-Z]{4}-[A-Z]{4}-[0-9]{6}-[A-Z]{1}-[0-9]{1}$`
	shaText = `^[A-Za-z0-9+\/]{43}=|[A-Za-z0-9+\/]{44}$`
	keyText = `^(safestorage:\/\/)?[A-Za-z0-9._-]+$`
	taxText = `^([A-Z]{6}[0-9LMNPQRSTUV]{2}[A-Z]{1}[0-9LMNPQRSTUV]{2}[A-Z]{1}[0-9LMNPQRSTUV]{3}[A-Z]{1})|([0-9]{11})$`
	pecText = "^(?:[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*" +
		`|"(?:[\x01-\x08\x0b\x0c\x0e-\x1f\x21\x23-\x5b\x5d-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*")` +
		`@(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?` +
		`|\[(?:(?:25[0-5]|2[0-4]\d|[01]?\d\d?)\.){3}(?:25[0-5]|2[0-4]\d|[01]?\d\d?|[a-zA-Z0-9-]*[a-zA-Z0-9]:` +
		`(?:[\x01-\x08\x0b\x0c\x0e-\x1f\x21-\x5a\x53-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])+)\])$`
)

func newShapes() *shapes {
	return &shapes{
		create: createShape(), preload: preloadShape(),
		streamCreate: streamShape(true), streamUpdate: streamShape(false), payments: paymentsShape(),
		iun: regexp.MustCompile(iunText), digits: regexp.MustCompile(`^[0-9]+$`),
		eventID: regexp.MustCompile(`^0[0-9]{37}$`), requestID: regexp.MustCompile(`^[A-Za-z0-9+/=]{36}$`),
		ascii: regexp.MustCompile(`^[ -~]*$`), uuid: uuidPattern,
	}
}

// text is a string with limits; in the contract's patterns a dot stands for any
// character but the four line ends of ECMAScript.
func text(minLen, maxLen int, pattern string) *shape {
	sh := &shape{kind: "string", minLen: minLen, maxLen: maxLen, text: pattern}
	if pattern != "" {
		sh.pattern = regexp.MustCompile(strings.ReplaceAll(pattern, "^.*$", `^[^\n\r\x{2028}\x{2029}]*$`))
	}
	return sh
}

func line(minLen, maxLen int) *shape { return text(minLen, maxLen, "^.*$") }

func oneOf(values ...string) *shape { return &shape{kind: "string", enum: values} }

func whole(low, high int64) *shape { return &shape{kind: "integer", low: &low, high: &high} }

func flag() *shape { return &shape{kind: "boolean"} }

func list(items *shape, minItems, maxItems int) *shape {
	return &shape{kind: "array", items: items, minItems: minItems, maxItems: maxItems}
}

func record(props map[string]*shape, required ...string) *shape {
	return &shape{kind: "object", props: props, required: required}
}

func createShape() *shape {
	return record(map[string]*shape{
		"idempotenceToken":              text(0, 256, `^[ -~]*$`),
		"paProtocolNumber":              line(0, 256),
		"subject":                       line(0, 134),
		"abstract":                      line(0, 1024),
		"recipients":                    list(recipientShape(), 1, 0),
		"documents":                     list(documentShape(), 1, 0),
		"notificationFeePolicy":         oneOf("FLAT_RATE", "DELIVERY_MODE"),
		"cancelledIun":                  text(25, 25, iunText),
		"physicalCommunicationType":     oneOf("AR_REGISTERED_LETTER", "REGISTERED_LETTER_890"),
		"senderDenomination":            line(1, 88),
		"senderTaxId":                   text(11, 11, `^\d+$`),
		"group":                         text(0, 1024, `^[ -~]*$`),
		"amount":                        whole(math.MinInt32, math.MaxInt32),
		"paymentExpirationDate":         text(10, 10, `^([0-9]{4})-(1[0-2]|0[1-9])-(3[01]|[12][0-9]|0[1-9])$`),
		"taxonomyCode":                  text(7, 7, `^([0-9]{6}[A-Z]{1})$`),
		"paFee":                         whole(0, 100),
		"vat":                           whole(0, 100),
		"pagoPaIntMode":                 oneOf("NONE", "SYNC", "ASYNC"),
		"additionalLanguages":           list(text(0, 0, ""), 0, 0),
		"physicalCommunicationPriority": whole(0, 100),
	}, "paProtocolNumber", "subject", "recipients", "documents", "physicalCommunicationType",
		"notificationFeePolicy", "senderDenomination", "senderTaxId", "taxonomyCode")
}

func recipientShape() *shape {
	sh := record(map[string]*shape{
		"recipientType": oneOf("PF", "PG"),
		"taxId":         text(11, 16, taxText),
		"denomination":  line(1, 88),
		"digitalDomicile": record(map[string]*shape{
			"type": oneOf("PEC"), "address": text(0, 320, pecText),
		}, "address", "type"),
		"physicalAddress": record(map[string]*shape{
			"at": line(0, 44), "address": line(2, 1024), "addressDetails": line(0, 1024),
			"zip": text(0, 15, `^(\w|\ |\-)*$`), "municipality": line(2, 256),
			"municipalityDetails": line(0, 256), "province": line(0, 256), "foreignState": line(0, 256),
		}, "address", "municipality"),
		"payments": list(paymentShape(), 0, 0),
	}, "denomination", "recipientType", "taxId")
	sh.closed = true
	return sh
}

func attachmentShape(contentType string, size int) *shape {
	return record(map[string]*shape{
		"digests":     record(map[string]*shape{"sha256": text(44, 44, shaText)}, "sha256"),
		"contentType": text(size, size, `^application\/`+contentType+`$`),
		"ref":         record(map[string]*shape{"key": text(0, 512, keyText), "versionToken": line(0, 256)}, "key", "versionToken"),
	}, "digests", "contentType", "ref")
}

func documentShape() *shape {
	sh := attachmentShape("pdf", 15)
	sh.props["title"] = line(1, 512)
	sh.props["docIdx"] = text(0, 3, `^\d+$`)
	return sh
}

func paymentShape() *shape {
	sh := record(map[string]*shape{
		"pagoPa": record(map[string]*shape{
			"noticeCode": text(18, 18, `^\d+$`), "creditorTaxId": text(11, 11, `^\d+$`),
			"applyCost": flag(), "attachment": attachmentShape("pdf", 15),
		}, "noticeCode", "creditorTaxId", "applyCost"),
		"f24": record(map[string]*shape{
			"title": text(0, 0, ""), "applyCost": flag(), "metadataAttachment": attachmentShape("json", 16),
		}, "title", "applyCost", "metadataAttachment"),
	})
	sh.closed, sh.minProps = true, 1
	return sh
}

func preloadShape() *shape {
	return list(record(map[string]*shape{
		"preloadIdx":  text(1, 512, `^[a-zA-Z0-9._-]{1,512}$`),
		"contentType": text(15, 16, `^application\/(pdf|json)$`),
		"sha256":      text(44, 44, shaText),
	}, "sha256"), 1, 15)
}

func streamShape(creation bool) *shape {
	sh := record(map[string]*shape{
		"title": line(0, 256), "eventType": oneOf("STATUS", "TIMELINE"),
		"groups": list(text(0, 0, ""), 0, 0), "filterValues": list(text(4, 256, `^[A-Z_]+$`), 0, 0),
		"waitForAccepted": flag(),
	}, "title", "eventType", "groups")
	if creation {
		sh.props["replacedStreamId"] = text(36, 36, uuidPattern.String())
	}
	return sh
}

func paymentsShape() *shape {
	return record(map[string]*shape{"events": list(record(map[string]*shape{
		"noticeCode": text(18, 18, `^\d+$`), "creditorTaxId": text(11, 11, `^\d+$`),
		"paymentDate": text(0, 0, `^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(Z|([+\-][0-9]{2}):([0-9]{2}))$`),
		"amount":      whole(math.MinInt32, math.MaxInt32),
	}, "noticeCode", "creditorTaxId", "paymentDate", "amount"), 0, 0)}, "events")
}

// bodyFits checks the body against a shape, answering 400 when it does not fit.
func (c *call) bodyFits(sh *shape) bool {
	found := sh.check(c.body)
	if len(found) == 0 {
		return true
	}
	c.gatewayProblem("PN_INVALID_BODY", "Validation errors: ["+strings.Join(found, ", ")+"]")
	return false
}

// paramFits checks one parameter, answering 400 when it does not fit.
func (c *call) paramFits(name, value string, pattern *regexp.Regexp, maxLen int) bool {
	if pattern.MatchString(value) && len(value) <= maxLen {
		return true
	}
	c.gatewayProblem("PN_INVALID_PARAMETERS", "Invalid parameters: ["+name+"]")
	return false
}

// iunParam reads the IUN of the path.
func (c *call) iunParam() (string, bool) {
	iun := c.params["iun"]
	return iun, c.paramFits("iun", iun, c.s.shapes.iun, 25)
}

// notFound answers for a notification that is not there, or not for this key.
func (c *call) notFound() {
	c.problem(http.StatusNotFound, appDelivery, problemError{Code: codeNotFound, Element: "", Detail: "Notification not found"})
}
