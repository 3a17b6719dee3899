package reader

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// encodings are the names a profile may use for one-byte encodings. The tables come
// from x/text; the choice and the names are ours, since detectors call CP850
// "Turkish".
func charmapOf(name string) *charmap.Charmap {
	switch name {
	case "windows-1252":
		return charmap.Windows1252
	case "iso-8859-1":
		return charmap.ISO8859_1
	case "iso-8859-15":
		return charmap.ISO8859_15
	case "cp850":
		return charmap.CodePage850
	case "cp437":
		return charmap.CodePage437
	}
	return nil
}

// Encodings are the names of encodings that [table.Format] takes.
func Encodings() []string {
	return []string{"utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15", "cp850", "cp437"}
}

// decoding turns the bytes of a one-byte encoding into UTF-8.
type decoding struct {
	size  [256]uint8
	bytes [256][3]byte
}

// newDecoding prepares the table of an encoding; nil for UTF-8. Bytes without a
// character become U+FFFD, which the caller reports.
func newDecoding(name string) *decoding {
	cm := charmapOf(name)
	if cm == nil {
		return nil
	}
	d := &decoding{}
	for b := range 256 {
		d.size[b] = uint8(utf8.EncodeRune(d.bytes[b][:], runeOf(cm, byte(b))))
	}
	return d
}

// runeOf is the character of a byte, U+FFFD for those that no exporting program
// writes: x/text maps the five holes of windows-1252 and the C1 range of the ISO
// encodings to control characters, which in a table of names only ever mean another
// encoding.
func runeOf(cm *charmap.Charmap, b byte) rune {
	r := cm.DecodeByte(b)
	if r >= 0x80 && r <= 0x9f {
		return utf8.RuneError
	}
	return r
}

// appendTo appends the text of raw to out and reports whether a byte had no
// character.
func (d *decoding) appendTo(out, raw []byte) (_ []byte, lost bool) {
	for _, b := range raw {
		if b < utf8.RuneSelf {
			out = append(out, b)
			continue
		}
		seq := d.bytes[b]
		n := d.size[b]
		if n == 3 && seq[0] == 0xef && seq[1] == 0xbf && seq[2] == 0xbd {
			lost = true
		}
		out = append(out, seq[:n]...)
	}
	return out, lost
}
