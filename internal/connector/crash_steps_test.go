package connector

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// elsewhere are the steps that the mixed batch does not come to, each with the test
// that dies there.
var elsewhere = map[string]string{
	"ingest.expire":     "TestPurgeKilled: nothing here is old enough",
	"ledger.compact":    "TestCompactKilled: an administrator's command, without a service",
	"ingest.putback":    "ingest TestKilledAtEveryStep: an export that changes while it is claimed",
	"folder.settled":    "outbox TestKillWhileSettling: a target held open by another program",
	"outbox.settle":     "outbox TestKillWhileSettling: a target held open by another program",
	"connector.control": "TestServiceKilled",
	"connector.temp":    "connector TestRowsLeftInTempAreRemoved",
}

var stepName = regexp.MustCompile(`^(connector|ingest|submit|progress|outbox|ledger|folder)\.[a-z]+(\.[a-z]+)?(:before|:after)?$`)

// stepsInSource finds the constants that name steps.
func stepsInSource(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, file := range sources(t) {
		for _, d := range file.syntax.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			ast.Inspect(g, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if text, err := strconv.Unquote(lit.Value); err == nil && stepName.MatchString(text) {
						all = append(all, text)
					}
				}
				return true
			})
		}
	}
	if len(all) < 60 {
		t.Fatalf("only %d steps found: %v", len(all), all)
	}
	return all
}

// everyStepIsSeen checks that no step of the program stays outside the matrix: one
// that no run comes to is one that nobody has died at.
func everyStepIsSeen(t *testing.T, seen map[string]int) {
	t.Helper()
	plain := map[string]bool{}
	for kind := range seen {
		name, _, _ := strings.Cut(kind, "<")
		name, _, _ = strings.Cut(name, ":")
		plain[name] = true
	}
	for _, step := range stepsInSource(t) {
		name, _, _ := strings.Cut(step, ":")
		_, known := elsewhere[name]
		switch {
		case !plain[name] && !known:
			t.Errorf("no run comes to the step %s", step)
		case plain[name] && known:
			t.Errorf("the mixed batch comes to %s by now: take it from the exceptions", step)
		}
	}
}

// source is a file of the program, not of its tests.
type source struct {
	name   string
	syntax *ast.File
	set    *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := filepath.Base(name)
		if d.IsDir() && slices.Contains([]string{"simulator", "foldertest", "testdata"}, base) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		all = append(all, source{name: strings.TrimPrefix(filepath.ToSlash(name), "../"), syntax: syntax, set: set})
		return err
	})
	if err != nil || len(all) < 100 {
		t.Fatal(len(all), err)
	}
	return all
}
