package notification

import "strconv"

// NoticeFault says what is odd about a pagoPA notice number; "" is nothing. Only
// NoticeForm is refused by SEND.
type NoticeFault string

// The faults of notice numbers.
const (
	NoticeSound    NoticeFault = ""
	NoticeForm     NoticeFault = "form"     // not 18 digits
	NoticeAux      NoticeFault = "aux"      // first digit 4-9, which pagoPA does not give out
	NoticeOld      NoticeFault = "old"      // first digit 0, 1 or 2, no longer for new notices
	NoticeMismatch NoticeFault = "mismatch" // last two digits do not fit
)

// CheckNotice judges a notice number: 18 digits, the first one telling the kind,
// and for the kinds 0, 2 and 3 the last two being the remainder of the first 16
// divided by 93. Where several faults hold, the one that more surely means a typing
// mistake is given.
//
// Source: send-validation.md, 5.
func CheckNotice(code string) NoticeFault {
	if len(code) != noticeLength || !allDigits(code) {
		return NoticeForm
	}
	switch aux := code[0]; {
	case aux > '3':
		return NoticeAux
	case aux != '1' && noticeCheckDigits(code) != code[16:]:
		return NoticeMismatch
	case aux < '3':
		return NoticeOld
	}
	return NoticeSound
}

// noticeCheckDigits computes the last two digits from the first 16.
func noticeCheckDigits(code string) string {
	n, _ := strconv.ParseUint(code[:16], 10, 64) // 16 digits always fit
	rest := n % 93
	return string([]byte{byte('0' + rest/10), byte('0' + rest%10)})
}
