package notification

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A code without text leaves a clerk with nothing but the code.
func TestCatalogueComplete(t *testing.T) {
	code := regexp.MustCompile(`^C-[A-Z0-9]+(-[A-Z0-9]+)*$`)
	seen := map[string]bool{}
	for _, table := range catalogues() {
		for name, e := range table {
			if seen[name] {
				t.Errorf("%s stands in two tables", name)
			}
			seen[name] = true
			if !code.MatchString(name) {
				t.Errorf("%s has not the form of a code", name)
			}
			if e.severity != Error && e.severity != Warning {
				t.Errorf("%s: severity %q", name, e.severity)
			}
			if len(e.it) < 10 || len(e.en) < 5 || e.it == e.en || strings.TrimSpace(e.source) == "" {
				t.Errorf("%s lacks a text or its source", name)
			}
			if it, en := placeholders(e.it), placeholders(e.en); !slices.Equal(it, en) {
				t.Errorf("%s: {names} differ: Italian %v, English %v", name, it, en)
			}
		}
	}
	if n := len(requestCatalogue) + len(attachmentCatalogue); n < 80 {
		t.Errorf("only %d codes for requests", n)
	}
}

func placeholders(text string) []string {
	names := regexp.MustCompile(`\{[a-z_A-Z]+\}`).FindAllString(text, -1)
	slices.Sort(names)
	return slices.Compact(names)
}

// A code that is not in the catalogue reaches the clerk without severity and text.
func TestCodesOfTheModuleAreInTheCatalogue(t *testing.T) {
	root := moduleRoot(t)
	pattern := regexp.MustCompile(`^C-[A-Z0-9-]+$`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); path != root && (strings.HasPrefix(n, ".") || n == "testdata" || n == "vendor") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if file == nil {
			return err // a file that does not parse is the compiler's business
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(lit.Value)
			if !pattern.MatchString(text) {
				return true
			}
			if !inCatalogue(text) {
				rel, _ := filepath.Rel(root, path)
				t.Errorf("%s: %s is not in the catalogue", rel, text)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inCatalogue accepts the beginning of a code ("C-HELD-") where some code begins so:
// the rest is put to it while the program runs.
func inCatalogue(text string) bool {
	if !strings.HasSuffix(text, "-") {
		_, known := lookup(text)
		return known
	}
	for _, table := range catalogues() {
		for name := range table {
			if strings.HasPrefix(name, text) {
				return true
			}
		}
	}
	return false
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
}

// Every {name} of a text must be filled by the place that reports the code, or the
// clerk reads the braces; every code must be reported somewhere.
func TestCodesAreReportedWithTheirNames(t *testing.T) {
	used := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "catalog") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok {
				used[literal(lit)] = true
			}
			if call, ok := n.(*ast.CallExpr); ok {
				checkCall(t, name, call)
			}
			return true
		})
	}
	for _, table := range []map[string]entry{requestCatalogue, attachmentCatalogue} {
		for code := range table {
			if !used[code] {
				t.Errorf("%s is never reported", code)
			}
		}
	}
}

// checkCall compares the names given to an add call with those of its text.
func checkCall(t *testing.T, file string, call *ast.CallExpr) {
	t.Helper()
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "add" || len(call.Args) < 2 {
		return
	}
	code := literal(call.Args[0])
	e, known := lookup(code)
	if !known {
		return
	}
	var given []string
	first := 2 // code, field, then pairs; the F24 check has its field in itself
	if len(call.Args)%2 == 1 {
		first = 1
	}
	for i := first; i < len(call.Args); i += 2 {
		given = append(given, "{"+literal(call.Args[i])+"}")
	}
	for _, name := range placeholders(e.it) {
		if !slices.Contains(given, name) {
			t.Errorf("%s: %s is reported without %s", file, code, name)
		}
	}
}

func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(lit.Value)
	return text
}

// Damage prevented: of ten columns that are missing a clerk is told five, mends them,
// and is told the rest tomorrow.
func TestNewListHidesNone(t *testing.T) {
	var mistakes []string
	for i := range 40 {
		mistakes = append(mistakes, fmt.Sprintf("la colonna «%02d» non esiste nel file", i))
	}
	mistakes = append(mistakes, strings.Repeat("x", 5000))
	p := NewList(Italian, "C-PROFILE-MISMATCH", "", "problems", mistakes)
	for _, m := range mistakes[:40] {
		if !strings.Contains(p.Message, m) {
			t.Errorf("%q is not told", m)
		}
	}
	if len(p.Message) > 4000 || p.Severity != Error {
		t.Errorf("%d bytes, %s", len(p.Message), p.Severity)
	}
}
