package notification

import "strings"

// isEmail is SEND's pattern for the address of a digital domicile: a dot-atom or a
// quoted string, an at sign, then a name of at least two labels or an IP address
// in brackets. ASCII only; the length is judged elsewhere.
//
// Source: OpenAPI bundle, NotificationDigitalAddress. The pattern's general address
// literal ("[tag:…]"), which no mailbox has, is left out: such an address is refused.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	return (isDotAtom(local) || isQuotedLocal(local)) && (isHost(domain) || isAddressLiteral(domain))
}

func isDotAtom(s string) bool {
	previous := byte('.')
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '.' && previous == '.':
			return false
		case c == '.', isAlphanumeric(c), strings.IndexByte("!#$%&'*+/=?^_`{|}~-", c) >= 0:
		default:
			return false
		}
		previous = c
	}
	return previous != '.'
}

func isAlphanumeric(c byte) bool {
	return isDigit(c) || isUpper(c) || (c >= 'a' && c <= 'z')
}

// isQuotedLocal accepts control characters as the pattern does, but no blank.
func isQuotedLocal(s string) bool {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	inner := s[1 : len(s)-1]
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if c == '\\' {
			if i++; i == len(inner) {
				return false
			}
			if c = inner[i]; c == 0 || c == '\n' || c == '\r' || c >= 0x80 {
				return false
			}
			continue
		}
		if c == 0 || c == '\t' || c == '\n' || c == '\r' || c == ' ' || c == '"' || c >= 0x80 {
			return false
		}
	}
	return true
}

func isHost(s string) bool {
	labels := 0
	for label := range strings.SplitSeq(s, ".") {
		labels++
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlphanumeric(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return labels >= 2
}

func isAddressLiteral(s string) bool {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return false
	}
	octets := 0
	for part := range strings.SplitSeq(s[1:len(s)-1], ".") {
		octets++
		if len(part) > 3 || !allDigits(part) || (len(part) == 3 && part > "255") {
			return false
		}
	}
	return octets == 4
}

// isOrdinaryMailbox reports whether the address belongs to a provider whose
// mailboxes are not certified mail.
func isOrdinaryMailbox(address string) bool {
	_, domain, _ := strings.Cut(address, "@")
	switch strings.ToLower(domain) {
	case "gmail.com", "googlemail.com", "hotmail.com", "hotmail.it", "outlook.com", "outlook.it", "live.com", "live.it",
		"msn.com", "yahoo.com", "yahoo.it", "icloud.com", "libero.it", "virgilio.it", "tiscali.it", "alice.it", "tin.it", "email.it":
		return true
	}
	return false
}
