package mapping

import (
	"errors"
	"regexp/syntax"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
)

// What an expression may make of a row is bounded by counting, not by the clock: it
// has no loops and no variables, so that it does at most maxNodes operations; each of
// them takes and gives texts of at most maxText bytes; and a pattern is small. A
// profile travels in manifests that others may have written, and a long cell comes
// from anybody.
const (
	maxText     = 64 << 10 // Excel's cells have at most 32,767 characters
	maxPattern  = 2_000    // instructions of a regular expression
	maxElements = maxText  // of a list that is joined
)

var errTextTooLong = errors.New("a text of more than 64 kB in an expression")

func bounded(text string) (string, error) {
	if len(text) > maxText {
		return "", errTextTooLong
	}
	return text, nil
}

// growing are the functions of the language whose result can be longer than all that
// goes in, with a bound.
func growing() []expr.Option {
	return []expr.Option{
		expr.Function("replace", func(p ...any) (any, error) {
			s, from, to := p[0].(string), p[1].(string), p[2].(string)
			most := -1
			if len(p) > 3 {
				most = p[3].(int)
			}
			times := strings.Count(s, from)
			if most >= 0 {
				times = min(times, most)
			}
			if len(s) > maxText || len(to) > maxText || len(s)+times*len(to) > 2*maxText {
				return "", errTextTooLong
			}
			return bounded(strings.Replace(s, from, to, most))
		}, new(func(string, string, string) string), new(func(string, string, string, int) string)),
		expr.Function("join", func(p ...any) (any, error) {
			glue := ""
			if len(p) > 1 {
				glue = p[1].(string)
			}
			return joined(p[0], glue)
		}, new(func([]any) string), new(func([]any, string) string), new(func([]string) string), new(func([]string, string) string)),
	}
}

func joined(list any, glue string) (string, error) {
	var texts []string
	switch list := list.(type) {
	case []string:
		texts = list
	case []any:
		for _, v := range list {
			s, ok := v.(string)
			if !ok {
				return "", errors.New("join takes a list of texts")
			}
			texts = append(texts, s)
		}
	}
	total := max(0, len(texts)-1) * len(glue)
	for _, s := range texts {
		total += len(s)
	}
	if total > maxText || len(texts) > maxElements {
		return "", errTextTooLong
	}
	return strings.Join(texts, glue), nil
}

// bound reports what would make an expression grow without bound.
func (v *nameVisitor) bound(node ast.Node) {
	switch n := node.(type) {
	case *ast.VariableDeclaratorNode:
		v.report(n.Location().From, v.c.say("le variabili (let) non sono ammesse: scrivere il valore dove serve", "variables (let) are not allowed: write the value where it is needed"))
	case *ast.BinaryNode:
		if n.Operator == "matches" {
			v.pattern(n)
		}
		if n.Operator == ".." {
			v.report(n.Location().From, v.c.say("gli intervalli (..) non sono ammessi", "ranges (..) are not allowed"))
		}
	}
}

// pattern wants a regular expression that is written out and small: a few characters
// such as (x{1000}){1000} would keep a row busy for hours.
func (v *nameVisitor) pattern(n *ast.BinaryNode) {
	text, ok := n.Right.(*ast.StringNode)
	if !ok {
		v.report(n.Location().From, v.c.say(`dopo matches va un'espressione regolare tra virgolette`, `matches takes a regular expression in quotes`))
		return
	}
	parsed, err := syntax.Parse(text.Value, syntax.Perl)
	if err != nil {
		return // the compiler says so, at its place
	}
	if code, err := syntax.Compile(parsed.Simplify()); err == nil && len(code.Inst) > maxPattern {
		v.report(text.Location().From, v.c.say("l'espressione regolare è troppo grande: ridurre le ripetizioni", "the regular expression is too large: reduce the repetitions"))
	}
}
