package main

import (
	"fmt"

	"sendconnector/internal/connector"
)

type whyCmd struct {
	Name string `arg:"" help:"File name, batch, protocol number or IUN."`
}

// whatItalian are the kinds of findings, in the language of the installation like the rest.
var whatItalian = map[string]string{"file": "file", "document": "documento", "batch": "lotto", "row": "riga", "notification": "notifica"}

// Run prints why something is where it is.
func (cmd *whyCmd) Run(a *app) error {
	var w connector.Why
	if err := a.ask("why", connector.WhyQuery{Name: cmd.Name}, &w); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.printJSON(w)
	}
	italian := a.language() != "en"
	for i, f := range w.Findings {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		what, why, next := f.What, "why:   ", "next:  "
		if italian {
			what, why, next = whatItalian[f.What], "perché:", "poi:   "
		}
		fmt.Fprintf(a.stdout, "%s: %s\n  %s %s\n  %s %s", what, f.Where, why, f.Because, next, f.Next)
		if !f.NextAt.IsZero() {
			fmt.Fprintf(a.stdout, " (%s)", clock(f.NextAt))
		}
		fmt.Fprintln(a.stdout)
		for _, m := range f.History {
			fmt.Fprintf(a.stdout, "  %s  %s\n", clock(m.At), m.What)
		}
	}
	return nil
}
