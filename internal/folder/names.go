package folder

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Beside is the name under which new content waits while another program holds
// name open: esito.csv waits as esito.nuovo.csv.
func Beside(name string) string {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + ".nuovo" + ext
}

// temporaryEnds are the endings under which programs write what is not finished.
var temporaryEnds = [...]string{".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp"}

// Temporary reports whether a name is one that is never taken, as interface.md
// lists them: *.tmp *.part *.partial *.filepart *.crdownload ~$* .* *.swp
// .sftpgo-upload.*; upper and lower case alike. A file in a hidden folder counts
// as hidden.
func Temporary(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, "~$") || (strings.HasPrefix(part, ".") && part != ".") {
			return true
		}
	}
	lower := strings.ToLower(name)
	for _, end := range temporaryEnds {
		if strings.HasSuffix(lower, end) {
			return true
		}
	}
	return false
}

// leftoverPrefix and leftoverEnd frame the names under which Publish writes.
const (
	leftoverPrefix = ".connector-"
	leftoverEnd    = ".tmp"
)

// TempName is a new name under which Publish writes.
func TempName() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // crypto/rand does not fail
	return leftoverPrefix + hex.EncodeToString(random[:]) + leftoverEnd
}

// Leftover reports whether a name is one under which Publish writes, so that an
// interrupted publication may have left it.
func Leftover(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, leftoverPrefix) && strings.HasSuffix(base, leftoverEnd)
}

// slugLength keeps a slug with its digest and the names made from it far below the
// 255 bytes that file systems allow.
const slugLength = 60

// SafeName makes of s a name that every file system takes: ASCII letters, digits,
// dot, hyphen and underscore, at most 60 of them; accents are dropped and anything
// else becomes a hyphen. Different strings can give the same name: see Slug. It is
// never empty, and never a device name of Windows.
func SafeName(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '.'):
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= slugLength {
			break
		}
	}
	// Windows drops dots at the end of a name; one in front would hide it.
	name := strings.Trim(b.String(), ".-")
	if name == "" {
		return "x"
	}
	if device(name) {
		return "x-" + name
	}
	return name
}

// device reports whether Windows takes the name, with any extension, for a device.
func device(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch stem {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) &&
		stem[3] >= '0' && stem[3] <= '9'
}

// Slug is SafeName with six hex digits of the SHA-256 of s, so that two protocol
// numbers that look alike, or differ only in case, get two folders on every file
// system (rule 29).
func Slug(s string) string {
	sum := sha256.Sum256([]byte(s))
	return SafeName(s) + "-" + hex.EncodeToString(sum[:3])
}

// localName checks a name and gives it in the form of this system.
func localName(op, name string) (string, error) {
	if !fs.ValidPath(name) || strings.ContainsRune(name, 0) {
		return "", &Error{Op: op, Name: name, Kind: ErrName}
	}
	// Localize refuses what the system could not keep apart from a path or a
	// device: back-slashes, colons and CON on Windows.
	local, err := filepath.Localize(name)
	if err != nil {
		return "", &Error{Op: op, Name: name, Kind: ErrName, Cause: err}
	}
	return local, nil
}
