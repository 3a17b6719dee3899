package notification

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPathLength bounds a relative name, in bytes.
const maxPathLength = 1024

// SafeRelative reports whether name is a path that stays within the folder it is
// taken relative to, on Linux and on Windows alike, whichever of the two reads it:
// elements between forward slashes, none blank, ".", ".." or ending in a dot or a
// blank (Windows drops those), no drive letter, stream or UNC form, no backslash, no
// device name (CON, LPT1, …), no control character, valid UTF-8, at most 1,024
// bytes.
func SafeRelative(name string) bool {
	if name == "" || len(name) > maxPathLength || !utf8.ValidString(name) {
		return false
	}
	for _, r := range name {
		if unicode.IsControl(r) || strings.ContainsRune(`\:*?"<>|`, r) {
			return false
		}
	}
	for element := range strings.SplitSeq(name, "/") {
		if !safeElement(element) {
			return false
		}
	}
	return true
}

func safeElement(element string) bool {
	if element == "" || strings.HasPrefix(element, " ") {
		return false
	}
	if last := element[len(element)-1]; last == '.' || last == ' ' { // also "." and ".."
		return false
	}
	return !isDevice(element)
}

// isDevice tells the names that Windows gives to devices in every folder, with any
// extension and with blanks before it.
func isDevice(element string) bool {
	stem, _, _ := strings.Cut(element, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	if strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT") {
		switch stem[3:] {
		case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
			return true
		}
	}
	return false
}
