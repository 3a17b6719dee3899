package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Damage prevented: a promise whose test was renamed or removed, so that nobody would
// notice that nothing shows it any more.
func TestGuaranteesNameTestsThatExist(t *testing.T) {
	exist := testNames(t)
	named := regexp.MustCompile(`\b(Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9_]*`)
	for _, page := range []string{"guarantees.md", "kill-points.md", "privacy.md"} {
		var found []string
		for line := range strings.SplitSeq(read(t, page), "\n") {
			if !strings.Contains(line, "go test ") { // a pattern of names
				found = append(found, named.FindAllString(line, -1)...)
			}
		}
		if page == "guarantees.md" && len(found) < 100 {
			t.Errorf("%s names %d tests only", page, len(found))
		}
		for _, name := range found {
			if !exist[name] {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
	}
}

// Damage prevented: a rule without a scenario.
func TestGuaranteesHaveEveryRule(t *testing.T) {
	rules := firstCells(section(t, read(t, "guarantees.md"), "## The thirty rules"))
	for n := 1; n <= 30; n++ {
		found := false
		for _, cell := range rules {
			found = found || cell == fmt.Sprint(n)
		}
		if !found {
			t.Errorf("rule %d has no line", n)
		}
	}
}

// testNames are the functions of every test file of the module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Za-z0-9_]*)\(`)
	names := map[string]bool{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		data, err := os.ReadFile(name)
		for _, m := range function.FindAllStringSubmatch(string(data), -1) {
			names[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
