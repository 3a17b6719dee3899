package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Damage prevented: the page that would have helped cannot be found.
func TestLinksResolve(t *testing.T) {
	seen := 0
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, filepath.ToSlash(page)), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			seen++
			target, anchor, _ := strings.Cut(m[1], "#")
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), filepath.FromSlash(target))
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %s leads nowhere", page, m[1])
				continue
			}
			if anchor != "" && !hasAnchor(read(t, filepath.ToSlash(path)), anchor) {
				t.Errorf("%s: %s has no heading #%s", page, path, anchor)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d links found", seen)
	}
}

// hasAnchor looks for a heading as forges name it: lower case, blanks to hyphens, no
// punctuation.
func hasAnchor(page, anchor string) bool {
	for line := range strings.SplitSeq(page, "\n") {
		heading, found := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !found || !strings.HasPrefix(line, "#") {
			continue
		}
		name := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, heading)
		if name == anchor {
			return true
		}
	}
	return false
}

// Damage prevented: an address of the machine where the page was written is handed to
// everybody.
func TestPagesNameNoMachine(t *testing.T) {
	for _, page := range append(pages(t), "../publiccode.yml") {
		for _, foreign := range []string{"/root/", "/home/"} {
			if strings.Contains(read(t, filepath.ToSlash(page)), foreign) {
				t.Errorf("%s names %s", page, foreign)
			}
		}
	}
}
