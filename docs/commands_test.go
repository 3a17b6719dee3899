package docs_test

import (
	"go/ast"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"sendconnector/internal/connector"
	"sendconnector/internal/folder"
)

// command is a command of the program with its flags, as the structs for kong have
// them.
type command struct {
	name  string
	flags []string
}

// structs are the struct types of cmd/connector by name.
func structs(t *testing.T) map[string]*ast.StructType {
	t.Helper()
	found := map[string]*ast.StructType{}
	for _, f := range source(t, "cmd/connector") {
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					found[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	return found
}

// commands lists what the program understands; the first has no name and holds the
// global flags.
func commands(t *testing.T) []command {
	t.Helper()
	all := structs(t)
	var walk func(name, kind string) []command
	walk = func(name, kind string) []command {
		s := all[kind]
		if s == nil {
			t.Fatalf("no struct %s for the command %q", kind, name)
		}
		own := command{name: name}
		var below []command
		for _, field := range s.Fields.List {
			if field.Tag == nil || len(field.Names) == 0 {
				continue
			}
			text, err := strconv.Unquote(field.Tag.Value)
			if err != nil {
				t.Fatal(err)
			}
			tag, word := reflect.StructTag(text), kebab(field.Names[0].Name)
			if given := tag.Get("name"); given != "" {
				word = given
			}
			_, isCommand := tag.Lookup("cmd")
			_, isArgument := tag.Lookup("arg")
			_, hidden := tag.Lookup("hidden")
			switch {
			case isCommand:
				below = append(below, walk(strings.TrimSpace(name+" "+word), field.Type.(*ast.Ident).Name)...)
			case !isArgument && !hidden:
				own.flags = append(own.flags, "--"+word)
			}
		}
		if name != "" && len(below) > 0 { // only a word before others
			return below
		}
		return append([]command{own}, below...)
	}
	return walk("", "cli")
}

// kebab writes a field's name as kong does: AsNew is as-new.
func kebab(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Damage prevented: a command or flag that nobody can find, or a page that sends
// people to one that is not there.
func TestEveryCommandIsWritten(t *testing.T) {
	lines := section(t, read(t, contract), "## Commands")
	all := commands(t)
	if len(all) < 20 {
		t.Fatalf("only %d commands found", len(all))
	}
	for _, c := range all {
		text := lines
		if c.name != "" {
			_, after, found := strings.Cut(lines, "| `"+c.name+" ")
			if !found {
				_, after, found = strings.Cut(lines, "| `"+c.name+"`")
			}
			if !found {
				t.Errorf("the command %q is not in the table of commands", c.name)
				continue
			}
			text, _, _ = strings.Cut(after, "\n")
		}
		for _, flag := range c.flags {
			if !strings.Contains(text, flag) {
				t.Errorf("the flag %s of %q is not written", flag, c.name)
			}
		}
	}
}

var (
	code = regexp.MustCompile("(?s)```[a-z]*\n.*?\n```|`[^`\n]+`")
	used = regexp.MustCompile(`(?m)(?:^|[\s/\\(` + "`" + `"])connector(?:\.exe)? ((?:-c|--config) \S+ |--json )*([a-z]+)(?: ([a-z]+))?`)
)

// Damage prevented: somebody types what a page says and is told that there is no such
// command.
func TestEveryWrittenCommandExists(t *testing.T) {
	names := map[string]bool{}
	for _, c := range commands(t) {
		names[c.name] = true
	}
	seen := 0
	for _, page := range pages(t) {
		for _, block := range code.FindAllString(read(t, filepath.ToSlash(page)), -1) {
			block = strings.ReplaceAll(block, "-u connector ", "") // the user, not the program
			for _, m := range used.FindAllStringSubmatch(block, -1) {
				seen++
				if !names[m[2]] && !names[m[2]+" "+m[3]] && !grouped(names, m[2], m[3]) {
					t.Errorf("%s: there is no command %q", page, strings.TrimSpace("connector "+m[2]+" "+m[3]))
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d commands found in the pages; the pattern finds too little", seen)
	}
}

// Damage prevented: people wait for a command that they have.
func TestWhatIsBuiltIsNotAnnounced(t *testing.T) {
	later := section(t, read(t, contract), "## Not yet")
	for _, c := range commands(t) {
		if c.name != "" && strings.Contains(later, "`"+c.name+"`") {
			t.Errorf("%q is built and still stands under \"Not yet\"", c.name)
		}
	}
}

// grouped reports whether a word is the first of two and stands alone, as in
// "connector ledger …".
func grouped(names map[string]bool, first, second string) bool {
	if second != "" {
		return false
	}
	for name := range names {
		if strings.HasPrefix(name, first+" ") {
			return true
		}
	}
	return false
}

// Damage prevented: a scheduler takes a failure for a success.
func TestExitCodesAreThoseOfTheCode(t *testing.T) {
	text := section(t, read(t, contract), "### Exit codes")
	var listed []int
	for _, cell := range firstCells(text) {
		if n, err := strconv.Atoi(cell); err == nil {
			listed = append(listed, n)
		}
	}
	want := []int{
		connector.ExitOK, connector.ExitFailure, connector.ExitUsage, connector.ExitRejected,
		connector.ExitHeld, connector.ExitBusy, connector.ExitTimeout,
	}
	if !slices.Equal(listed, want) {
		t.Errorf("exit codes %v, want %v", listed, want)
	}
	_, after, _ := strings.Cut(text, "Where several apply: ")
	order, _, _ := strings.Cut(after, ".")
	var ranked []int
	for word := range strings.SplitSeq(order, ", ") {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatalf("precedence %q: %v", order, err)
		}
		ranked = append(ranked, n)
	}
	if len(ranked) != len(want) {
		t.Fatalf("precedence %v names not every code", ranked)
	}
	for i, stronger := range ranked {
		for _, weaker := range ranked[i+1:] {
			if got := connector.Worst(weaker, stronger); got != stronger {
				t.Errorf("of %d and %d the code reports %d, the page says %d", weaker, stronger, got, stronger)
			}
		}
	}
}

// Damage prevented: a program writes under a name that the page calls safe, and half a
// file is taken.
func TestTemporaryNamesAreNeverTaken(t *testing.T) {
	_, after, found := strings.Cut(read(t, contract), "**Temporary names**")
	if !found {
		t.Fatal("the page has no paragraph on temporary names")
	}
	paragraph, _, _ := strings.Cut(after, "\n\n")
	patterns := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(paragraph, -1)
	if len(patterns) < 8 {
		t.Fatalf("only %d patterns found", len(patterns))
	}
	for _, p := range patterns {
		if name := strings.ReplaceAll(p[1], "*", "tari.csv"); !folder.Temporary(name) {
			t.Errorf("%s (%s) would be taken", p[1], name)
		}
	}
}
