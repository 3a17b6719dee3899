package mapping

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"sendconnector/internal/table"
	"sendconnector/internal/yamldoc"
)

// maxNodes bounds an expression: a line or two of text has dozens.
const maxNodes = 500

// maxExpression bounds its text in bytes, before it is parsed: parentheses are no
// nodes, and millions of them would end the process.
const maxExpression = 8 << 10

// rowName is the variable that gives columns by their full names: row["Codice fiscale"].
const rowName = "row"

// allowedBuiltins are those of the language that are pure and cannot make a text
// grow; boundedBuiltins have its names and our bounds (see growing).
var (
	allowedBuiltins = []string{"trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "len", "indexOf", "lastIndexOf", "hasPrefix", "hasSuffix", "int", "string", "first", "last"}
	boundedBuiltins = []string{"replace", "join"}
)

// environment is the heading of one file as an expression sees it.
type environment struct {
	types   types.Map
	byName  map[string]int // variable -> column
	byTitle map[string]int // heading -> column
	names   []string       // variables, for suggestions
	titles  []string
	twice   map[string]bool // variables or headings that more than one column has
}

// newEnvironment gives every column a variable: its heading with everything but
// letters, digits and underscores replaced by an underscore.
func newEnvironment(h table.Heading) *environment {
	e := &environment{types: types.Map{}, byName: map[string]int{}, byTitle: map[string]int{}, twice: map[string]bool{}}
	row := types.Map{}
	for i, title := range h.Names {
		if title == "" {
			continue
		}
		if _, again := e.byTitle[title]; again {
			e.twice[title] = true
		} else {
			e.byTitle[title] = i
			e.titles = append(e.titles, title)
			row[title] = types.String
		}
		name := variable(title)
		if _, again := e.byName[name]; again {
			e.twice[name] = true
			continue
		}
		e.byName[name] = i
		e.names = append(e.names, name)
		e.types[name] = types.String
	}
	e.types[rowName] = row
	return e
}

// reserved are the words of the language; a column called so gets an underscore.
var reserved = []string{rowName, "in", "not", "and", "or", "let", "if", "else", "true", "false", "nil", "matches", "contains", "startsWith", "endsWith"}

func variable(title string) string {
	var b strings.Builder
	gap := false
	for _, r := range title {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' {
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			gap = false
			b.WriteRune(r)
			continue
		}
		gap = true
	}
	name := b.String()
	if name == "" || unicode.IsDigit([]rune(name)[0]) {
		name = "_" + name
	}
	for _, word := range slices.Concat(reserved, allowedBuiltins, boundedBuiltins, ourFunctions) {
		if name == word {
			return name + "_"
		}
	}
	return name
}

// program is a compiled expression and the columns it uses.
type program struct {
	code    *vm.Program
	vars    []binding // filled before each run
	columns []int
}

type binding struct {
	name   string
	title  bool // reached as row["title"]
	column int
}

// compileExpr compiles an expression against a heading. Every unknown name is
// reported, not only the first.
func (c *compiler) compileExpr(f *Field, want target) *program {
	text := *f.Expr
	if len(text) > maxExpression {
		c.errs.Add(c.p.doc.ErrorInside(f.inner, f.shift, c.say("l'espressione è troppo lunga: al massimo %d byte", "the expression is too long: %d bytes at most"), maxExpression))
		return nil
	}
	tree, err := parser.ParseWithConfig(text, nil)
	if err != nil {
		c.exprError(f, err)
		return nil
	}
	names := &nameVisitor{c: c, f: f, called: map[*ast.IdentifierNode]bool{}, rows: map[*ast.IdentifierNode]bool{}}
	ast.Walk(&tree.Node, names)
	names.settle()
	if names.failed {
		return nil
	}
	options := []expr.Option{expr.Env(c.env.types), expr.DisableAllBuiltins(), expr.MaxNodes(maxNodes)}
	for _, name := range allowedBuiltins {
		options = append(options, expr.EnableBuiltin(name))
	}
	options = append(append(options, functions()...), growing()...)
	if want == forBool {
		options = append(options, expr.AsBool())
	}
	code, err := expr.Compile(text, options...)
	if err != nil {
		c.exprError(f, err)
		return nil
	}
	if kind := code.Node().Type(); want != forBool && kind != nil && kind.Kind().String() != "string" && kind.Kind().String() != "interface" {
		c.errs.Add(c.p.doc.ErrorInside(f.inner, f.shift, c.say("l'espressione deve dare un testo, ma dà %s; usare string(…)", "the expression must give a text but gives %s; use string(…)"), kind))
		return nil
	}
	return &program{code: code, vars: names.vars, columns: names.columns}
}

func (c *compiler) exprError(f *Field, err error) {
	var at *file.Error
	offset, message := 0, err.Error()
	if errors.As(err, &at) {
		offset, message = at.From, at.Message
	}
	c.errs.Add(c.p.doc.ErrorInside(f.inner, f.shift+offset, c.say("l'espressione non è valida: %s", "the expression is not valid: %s"), message))
}

// nameVisitor collects the columns an expression uses and reports names that are none.
type nameVisitor struct {
	c       *compiler
	f       *Field
	vars    []binding
	columns []int
	failed  bool
	names   []*ast.IdentifierNode
	called  map[*ast.IdentifierNode]bool // names of functions
	rows    map[*ast.IdentifierNode]bool // `row` before ["…"]
}

// Visit sees children before parents, so names are judged when all has been seen.
func (v *nameVisitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		v.names = append(v.names, n)
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok {
			v.called[id] = true
		}
	case *ast.MemberNode:
		if id, ok := n.Node.(*ast.IdentifierNode); ok && id.Value == rowName {
			v.rows[id] = true
			v.title(n)
		}
	}
	v.bound(*node)
}

func (v *nameVisitor) settle() {
	for _, n := range v.names {
		switch {
		case v.rows[n]:
		case v.called[n]:
			if !slices.Contains(ourFunctions, n.Value) {
				known := slices.Concat(ourFunctions, allowedBuiltins, boundedBuiltins)
				v.report(n.Location().From, fmt.Sprintf(v.c.say("la funzione «%s» non esiste; funzioni: %s", "there is no function %q; functions: %s"), n.Value, strings.Join(known, ", ")))
			}
		case n.Value == rowName:
			v.report(n.Location().From, v.c.say(`dopo row va il nome di una colonna tra virgolette: row["…"]`, `row takes the name of a column in quotes: row["…"]`))
		default:
			v.identifier(n)
		}
	}
}

func (v *nameVisitor) report(offset int, message string) {
	v.failed = true
	v.c.errs.Add(v.c.p.doc.ErrorInside(v.f.inner, v.f.shift+offset, "%s", message))
}

func (v *nameVisitor) identifier(n *ast.IdentifierNode) {
	column, known := v.c.env.byName[n.Value]
	if !known || v.c.env.twice[n.Value] {
		v.fail(n.Location().From, n.Value, v.c.env.names, v.c.env.twice[n.Value])
		return
	}
	v.use(binding{name: n.Value, column: column})
}

func (v *nameVisitor) title(n *ast.MemberNode) {
	title, ok := n.Property.(*ast.StringNode)
	if !ok {
		v.report(n.Location().From, v.c.say(`dopo row va il nome di una colonna tra virgolette: row["…"]`, `row takes the name of a column in quotes: row["…"]`))
		return
	}
	column, known := v.c.env.byTitle[title.Value]
	if !known || v.c.env.twice[title.Value] {
		v.fail(n.Property.Location().From, title.Value, v.c.env.titles, v.c.env.twice[title.Value])
		return
	}
	v.use(binding{name: title.Value, title: true, column: column})
}

func (v *nameVisitor) use(b binding) {
	v.vars = append(v.vars, b)
	for _, c := range v.columns {
		if c == b.column {
			return
		}
	}
	v.columns = append(v.columns, b.column)
}

func (v *nameVisitor) fail(offset int, name string, known []string, twice bool) {
	v.report(offset, v.c.unknownColumn(name, known, twice))
}

// unknownColumn is the sentence about a column that the file does not have, or has
// twice.
func (c *compiler) unknownColumn(name string, known []string, twice bool) string {
	if twice {
		return fmt.Sprintf(c.say("nel file più colonne si chiamano «%s»: dare nomi diversi alle colonne", "several columns of the file are called %q: give them different names"), name)
	}
	sentence := fmt.Sprintf(c.say("la colonna «%s» non esiste nel file", "the file has no column %q"), name)
	if near := yamldoc.Nearest(name, known); near != "" {
		return sentence + fmt.Sprintf(c.say(" (forse «%s»?)", " (did you mean %q?)"), near)
	}
	if c.listed {
		return sentence
	}
	c.listed = true // once is enough: all mistakes are shown together
	return sentence + fmt.Sprintf(c.say(" (colonne del file: %s)", " (columns of the file: %s)"), strings.Join(some(known, 30), ", "))
}

func some(all []string, most int) []string {
	if len(all) > most {
		return append(all[:most:most], "…")
	}
	return all
}

// ourFunctions are the names of functions.
var ourFunctions = []string{"pad", "part", "either", "base"}

// functions are ours, beside the builtins allowed.
func functions() []expr.Option {
	return []expr.Option{
		// pad("12", 5) is "00012".
		expr.Function("pad", func(p ...any) (any, error) {
			return padLeft(p[0].(string), min(p[1].(int), 100), "0"), nil
		}, new(func(string, int) string)),
		// part("A/B", "/", 2) is "B"; "" where there is no such part.
		expr.Function("part", func(p ...any) (any, error) {
			parts, n := strings.Split(p[0].(string), p[1].(string)), p[2].(int)
			if n < 1 || n > len(parts) {
				return "", nil
			}
			return strings.TrimSpace(parts[n-1]), nil
		}, new(func(string, string, int) string)),
		// either(A, B, …) is the first that is not blank.
		expr.Function("either", func(p ...any) (any, error) {
			for _, v := range p {
				if s, _ := v.(string); strings.TrimSpace(s) != "" {
					return s, nil
				}
			}
			return "", nil
		}, new(func(string) string), new(func(string, string) string), new(func(string, string, string) string), new(func(string, string, string, string) string)),
		// base(`C:\pdf\1.pdf`) is "1.pdf".
		expr.Function("base", func(p ...any) (any, error) {
			s := strings.ReplaceAll(p[0].(string), `\`, "/")
			if s == "" {
				return "", nil
			}
			return path.Base(s), nil
		}, new(func(string) string)),
	}
}

// run evaluates the expression on a row; the machine and the variables are reused
// from row to row. A cell or result beyond the bounds is an error of the row.
func (p *program) run(e *evaluator, cells func(column int) string) (any, error) {
	for _, b := range p.vars {
		cell, err := bounded(cells(b.column))
		if err != nil {
			return nil, err
		}
		if b.title {
			e.titles[b.name] = cell
		} else {
			e.vars[b.name] = cell
		}
	}
	out, err := e.machine.Run(p.code, e.vars)
	if text, ok := out.(string); ok && err == nil {
		return bounded(text)
	}
	return out, err
}

// evaluator is what expressions run in.
type evaluator struct {
	machine vm.VM
	vars    map[string]any
	titles  map[string]any
}

func newEvaluator() *evaluator {
	e := &evaluator{vars: map[string]any{}, titles: map[string]any{}}
	e.vars[rowName] = e.titles
	return e
}
