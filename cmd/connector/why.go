package main

import (
	"fmt"

	"sendconnector/internal/connector"
)

type whyCmd struct {
	Name string `arg:"" help:"File name, batch, protocol number or IUN."`
}

// Run prints why something is where it is.
func (cmd *whyCmd) Run(a *app) error {
	var w connector.Why
	if err := a.ask("why", connector.WhyQuery{Name: cmd.Name}, &w); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.printJSON(w)
	}
	for i, f := range w.Findings {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		fmt.Fprintf(a.stdout, "%s: %s\n  why:  %s\n  next: %s", f.What, f.Where, f.Because, f.Next)
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
