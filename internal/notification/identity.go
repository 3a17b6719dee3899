package notification

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// tokenVersion opens the bytes that a token is the digest of. It never changes: a
// ledger that was lost must find its notifications at SEND again by the same token.
const tokenVersion = "sendconnector-1\x00"

// tokenEncoding is lower-case base32 (RFC 4648 alphabet) without padding.
var tokenEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Token is the idempotence token of an attempt (numbered from 1) of a business key:
// 52 lower-case letters and digits. It depends on nothing but its arguments, with
// protocol exactly as SEND gets it. Source: rules.md, rule 2.
func Token(senderTaxID, protocol string, attempt int) string {
	sum := sha256.Sum256([]byte(tokenVersion + senderTaxID + "\x00" + protocol + "\x00" + strconv.Itoa(attempt)))
	return tokenEncoding.EncodeToString(sum[:])
}

// Canonical is the form in which two spellings of one protocol number are equal:
// NFKC, upper case, blanks and invisible characters removed, leading zeros of every
// run of digits removed (a run of zeros keeps one). It is for comparing only; SEND
// gets the exact string. Canonical(Canonical(s)) == Canonical(s). Source: rules.md,
// rule 1.
func Canonical(protocol string) string {
	s := protocol
	// Removing an invisible character or raising a letter can bring two characters
	// together that compose, so the steps repeat until nothing changes; in practice
	// the second pass finds nothing to do. The bound only guards against a cycle.
	for range 8 {
		next := withoutLeadingZeros(strings.ToUpper(withoutBlanks(norm.NFKC.String(s))))
		if next == s {
			break
		}
		s = next
	}
	return s
}

func withoutBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

func withoutLeadingZeros(s string) string {
	if !strings.Contains(s, "0") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	inRun := false // a digit of the present run has been written
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case !isDigit(c):
			inRun = false
		case c == '0' && !inRun && i+1 < len(s) && isDigit(s[i+1]):
			continue
		default:
			inRun = true
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// NoticePair names a pagoPA notice on the whole platform: SEND lets a live
// notification of any sender hold it only once.
type NoticePair struct {
	Creditor string // tax code of the creditor, 11 digits
	Notice   string // notice number, 18 digits
}

// Notices are the pagoPA notices of r in its own order, repeated ones included.
func Notices(r *Request) []NoticePair {
	var pairs []NoticePair
	for i := range r.Recipients {
		for j := range r.Recipients[i].Payments {
			if p := r.Recipients[i].Payments[j].PagoPa; p != nil {
				pairs = append(pairs, NoticePair{Creditor: p.CreditorTaxID, Notice: p.NoticeCode})
			}
		}
	}
	return pairs
}
