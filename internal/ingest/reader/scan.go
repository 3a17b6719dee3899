package reader

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// survey is what one pass over the raw bytes of a text file tells before anything is
// decoded.
type survey struct {
	size     int64
	validUTF bool  // strictly UTF-8 throughout
	badLine  int   // line of the first byte that is not UTF-8, from 1
	badCol   int   // its byte in the line, from 1
	nulEven  int64 // NUL bytes at even and odd offsets: UTF-16 tells by them
	nulOdd   int64
	nulLine  int64 // line of the first NUL byte, from 1; 0 = none
	lf, cr   int64
	blank    bool // nothing but white space

	passed int // bytes of the line being checked that earlier chunks held
}

// surveyOf reads r to its end.
func surveyOf(r io.Reader) (survey, error) {
	s := survey{validUTF: true, badLine: 1, blank: true}
	buf := make([]byte, 256<<10)
	carry := 0 // bytes of an incomplete rune kept at the front of buf
	for {
		n, err := io.ReadFull(r, buf[carry:])
		chunk := buf[:carry+n]
		done := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !done {
			return s, err
		}
		s.count(chunk[carry:])
		if s.validUTF {
			carry = s.checkUTF8(chunk, done)
		} else {
			carry = 0
		}
		s.size += int64(n)
		if done {
			return s, nil
		}
		copy(buf, chunk[len(chunk)-carry:])
	}
}

// count adds a fresh part of the file, which begins at s.size, to the totals.
func (s *survey) count(part []byte) {
	if i := bytes.IndexByte(part, 0); i >= 0 && s.nulLine == 0 {
		s.nulLine = s.lf + int64(bytes.Count(part[:i], []byte{'\n'})) + 1
	}
	s.lf += int64(bytes.Count(part, []byte{'\n'}))
	s.cr += int64(bytes.Count(part, []byte{'\r'}))
	if s.blank && len(bytes.TrimSpace(part)) > 0 {
		s.blank = false
	}
	for rest, at := part, s.size; ; {
		i := bytes.IndexByte(rest, 0)
		if i < 0 {
			break
		}
		if (at+int64(i))%2 == 0 {
			s.nulEven++
		} else {
			s.nulOdd++
		}
		rest, at = rest[i+1:], at+int64(i)+1
	}
}

// checkUTF8 checks chunk, whose last bytes end at the file's offset so far, and
// returns how many of its last bytes are an incomplete rune to be seen again.
func (s *survey) checkUTF8(chunk []byte, last bool) (carry int) {
	whole := chunk
	if !last {
		for k := 1; k <= min(3, len(chunk)); k++ {
			if b := chunk[len(chunk)-k]; utf8.RuneStart(b) {
				if b >= utf8.RuneSelf && !utf8.FullRune(chunk[len(chunk)-k:]) {
					carry = k
				}
				break
			}
		}
		whole = chunk[:len(chunk)-carry]
	}
	if utf8.Valid(whole) {
		if nl := bytes.LastIndexByte(whole, '\n'); nl >= 0 {
			s.badLine += bytes.Count(whole, []byte{'\n'})
			s.passed = len(whole) - nl - 1
		} else {
			s.passed += len(whole)
		}
		return carry
	}
	s.validUTF = false
	at := firstInvalid(whole)
	s.badLine += bytes.Count(whole[:at], []byte{'\n'})
	if nl := bytes.LastIndexByte(whole[:at], '\n'); nl >= 0 {
		s.badCol = at - nl
	} else {
		s.badCol = at + 1 + s.passed
	}
	return 0
}

func firstInvalid(b []byte) int {
	at := 0
	for at < len(b) {
		r, size := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		at += size
	}
	return at
}

func isASCII(b []byte) bool {
	for len(b) >= 8 {
		if (b[0]|b[1]|b[2]|b[3]|b[4]|b[5]|b[6]|b[7])&0x80 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// looksUTF16 tells whether the NUL bytes lie as they do in UTF-16 text of a Western
// language, and which byte order that is.
func (s survey) looksUTF16() (little, ok bool) {
	half := s.size / 2
	if half < 2 {
		return false, false
	}
	if s.nulOdd > half*6/10 && s.nulEven < half/10 {
		return true, true
	}
	if s.nulEven > half*6/10 && s.nulOdd < half/10 {
		return false, true
	}
	return false, false
}
