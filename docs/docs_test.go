// Package docs_test keeps what is written for people true: commands, columns, words,
// exit codes and examples of the pages are compared with the code they describe.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root       = ".." // of the module
	contract   = "interface.md"
	quickGuide = "it/guida-rapida.md"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n")
}

// pages are all texts for people, relative to this folder.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"../*.md", "../samples/*.md", "*.md", "*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 10 {
		t.Fatalf("only %d pages found: %v", len(all), all)
	}
	return all
}

// section gives the text between a heading and the next one of its level or above.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n"+heading+"\n")
	if !found {
		t.Fatalf("no heading %q", heading)
	}
	level := strings.Count(strings.Fields(heading)[0], "#")
	for n := level; n > 0; n-- {
		rest, _, _ = strings.Cut(rest, "\n"+strings.Repeat("#", n)+" ")
	}
	return rest
}

// firstCells gives the first cell of every line of the tables in a text, bare of
// back-quotes.
func firstCells(text string) []string {
	var cells []string
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		cells = append(cells, strings.Trim(cell, "`"))
	}
	return cells
}

// fenced gives the content of every block of a language.
func fenced(page, language string) []string {
	var blocks []string
	for {
		_, rest, found := strings.Cut(page, "\n```"+language+"\n")
		if !found {
			return blocks
		}
		block, after, _ := strings.Cut(rest, "\n```")
		blocks, page = append(blocks, block), after
	}
}

// source parses the Go files of a folder of the module, tests aside.
func source(t *testing.T, folder string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no Go files in %s: %v", folder, err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// literals gives the string literals below a node, in order.
func literals(n ast.Node) []string {
	var all []string
	ast.Inspect(n, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				all = append(all, s)
			}
		}
		return true
	})
	return all
}

// returned gives the string literals of a function, in order.
func returned(t *testing.T, files []*ast.File, name string) []string {
	t.Helper()
	for _, f := range files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == name {
				return literals(fn.Body)
			}
		}
	}
	t.Fatalf("no function %s", name)
	return nil
}

// constants gives the values of string constants whose name passes want, in order.
func constants(files []*ast.File, want func(name, kind string) bool) []string {
	var all []string
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			kind := ""
			if id, ok := spec.Type.(*ast.Ident); ok {
				kind = id.Name
			}
			for i, id := range spec.Names {
				if i < len(spec.Values) && want(id.Name, kind) {
					all = append(all, literals(spec.Values[i])...)
				}
			}
			return true
		})
	}
	return all
}

// Damage prevented: a legacy program is built on a column that stands elsewhere.
func TestColumnsAreThoseOfTheCode(t *testing.T) {
	page := read(t, contract)
	code := source(t, "internal/outbox")
	outcome := returned(t, code, "outcomeColumns")
	cells := firstCells(section(t, page, "### The outcome file"))
	cells = slices.DeleteFunc(cells, func(c string) bool { return !strings.HasPrefix(c, "send_") || c == "send_esito" })
	want := slices.DeleteFunc(slices.Clone(outcome), func(c string) bool { return c == "send_esito" })
	if !slices.Equal(cells, want) {
		t.Errorf("outcome columns\n page %v\n code %v", cells, want)
	}
	extra := returned(t, code, "updateColumns")
	updates := slices.Concat(extra[:2], outcome, extra[2:])
	for heading, columns := range map[string][]string{
		"### `stato.csv`":                returned(t, code, "statusColumns"),
		"### `aggiornamenti/<seq8>.csv`": updates,
		"### `costi/<seq8>.csv`":         returned(t, code, "costColumns"),
		"### `documenti/`":               returned(t, code, "indexColumns"),
	} {
		if line := "`" + strings.Join(columns, ";") + "`"; len(columns) < 8 || !strings.Contains(section(t, page, heading), line) {
			t.Errorf("%s does not have the line %s", heading, line)
		}
	}
}

// Damage prevented: a clerk reads a word that no page explains, or a program acts on
// a word that never comes.
func TestWordsAreThoseOfTheCode(t *testing.T) {
	page, guide := read(t, contract), read(t, quickGuide)
	outcomes := constants(source(t, "internal/ledger"), func(_, kind string) bool { return kind == "Outcome" })
	states := constants(source(t, "internal/outbox"), func(name, kind string) bool {
		return kind == "" && strings.HasPrefix(name, "file") && name != "fileNumber"
	})
	conditions := constants(source(t, "internal/outbox"), func(_, kind string) bool { return kind == "Condition" })
	if len(outcomes) != 12 || len(states) != 7 || len(conditions) != 3 {
		t.Fatalf("the code has the words %v, %v, %v: bring pages and test up to date", outcomes, states, conditions)
	}
	same := func(where, text, heading string, want []string) {
		got := firstCells(section(t, text, heading))
		got = slices.DeleteFunc(got, func(c string) bool { return c == "" || c != strings.ToUpper(c) || strings.HasPrefix(c, "-") })
		slices.Sort(got)
		if want := slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
			t.Errorf("%s, %s\n page %v\n code %v", where, heading, got, want)
		}
	}
	same(contract, page, "### The outcome file", outcomes)
	same(contract, page, "### `stato.csv`", states)
	same(quickGuide, guide, "### Che cosa fare per ogni esito", outcomes)
	same(quickGuide, guide, "## Leggere `stato.csv`", states)
	for _, c := range conditions {
		if !strings.Contains(page, "`"+c+"`") {
			t.Errorf("%s does not explain %s", contract, c)
		}
	}
}
