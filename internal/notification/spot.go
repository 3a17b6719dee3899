package notification

import "strings"

// spot is where in a request a field stands. It becomes text only when there is a
// problem: most rows have none, and there may be a million of them.
type spot struct {
	recipient, payment int // -1: not within one
	document           int
	sub                string // e.g. "physicalAddress."
}

func root() spot                  { return spot{recipient: -1, payment: -1, document: -1} }
func atRecipient(i int) spot      { return spot{recipient: i, payment: -1, document: -1} }
func atPayment(i, j int) spot     { return spot{recipient: i, payment: j, document: -1} }
func atDocument(i int) spot       { return spot{recipient: -1, payment: -1, document: i} }
func (s spot) in(sub string) spot { s.sub += sub; return s }

// field is the request field that leaf is called at this spot; a blank leaf is the
// spot itself.
func (s spot) field(leaf string) string {
	path := ""
	if s.recipient >= 0 {
		path = "recipients[" + itoa(s.recipient) + "]."
	}
	if s.payment >= 0 {
		path += "payments[" + itoa(s.payment) + "]."
	}
	if s.document >= 0 {
		path = "documents[" + itoa(s.document) + "]."
	}
	path += s.sub + leaf
	if leaf == "" {
		path = strings.TrimSuffix(path, ".")
	}
	return path
}
