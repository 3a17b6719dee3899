package pdf

// appendText adds to text what the text-showing operators of a content stream show,
// byte by byte. Strings of one operator run together, since kerning cuts words;
// between operators stands a line break.
func appendText(text, content []byte) []byte {
	s := scanner{content: content}
	var shown []byte // strings since the last operator
	for s.at < len(s.content) {
		c := s.content[s.at]
		switch {
		case c == '(':
			shown = append(shown, s.literal()...)
		case c == '<' && s.at+1 < len(s.content) && s.content[s.at+1] == '<':
			s.at += 2 // a dictionary
		case c == '<':
			shown = append(shown, s.hex()...)
		case c == '%':
			s.skipLine()
		case isOperatorByte(c):
			switch s.operator() {
			case "Tj", "TJ", "'", "\"":
				text = append(append(text, shown...), '\n')
			}
			shown = shown[:0]
		default:
			s.at++
		}
	}
	return text
}

// scanner reads a content stream. It is lenient: what it does not know it skips.
type scanner struct {
	content []byte
	at      int
}

func isOperatorByte(c byte) bool {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'' || c == '"' || c == '*'
}

func (s *scanner) operator() string {
	from := s.at
	for s.at < len(s.content) && isOperatorByte(s.content[s.at]) {
		s.at++
	}
	return string(s.content[from:s.at])
}

func (s *scanner) skipLine() {
	for s.at < len(s.content) && s.content[s.at] != '\n' && s.content[s.at] != '\r' {
		s.at++
	}
}

// literal reads a string in parentheses, which may nest, with its escapes.
func (s *scanner) literal() []byte {
	var out []byte
	depth := 0
	for ; s.at < len(s.content); s.at++ {
		c := s.content[s.at]
		switch c {
		case '(':
			if depth++; depth == 1 {
				continue
			}
		case ')':
			if depth--; depth == 0 {
				s.at++
				return out
			}
		case '\\':
			s.at++
			out = s.escape(out)
			continue
		}
		out = append(out, c)
	}
	return out
}

// escape reads what follows a backslash and leaves the scanner on its last byte.
func (s *scanner) escape(out []byte) []byte {
	if s.at >= len(s.content) {
		return out
	}
	switch c := s.content[s.at]; {
	case c >= '0' && c <= '7':
		value := 0
		for n := 0; n < 3 && s.at < len(s.content) && s.content[s.at] >= '0' && s.content[s.at] <= '7'; n++ {
			value = value*8 + int(s.content[s.at]-'0')
			s.at++
		}
		s.at--
		return append(out, byte(value))
	case c == '\n', c == '\r': // a line broken for the writer's convenience
		return out
	case c == 'n', c == 'r', c == 't', c == 'b', c == 'f':
		return append(out, ' ')
	default:
		return append(out, c)
	}
}

// hex reads a string in angle brackets.
func (s *scanner) hex() []byte {
	var out []byte
	half, high := false, byte(0)
	for s.at++; s.at < len(s.content); s.at++ {
		c := s.content[s.at]
		if c == '>' {
			s.at++
			break
		}
		v, ok := hexDigit(c)
		if !ok {
			continue
		}
		if half {
			out = append(out, high<<4|v)
		}
		half, high = !half, v
	}
	if half {
		out = append(out, high<<4)
	}
	return out
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
