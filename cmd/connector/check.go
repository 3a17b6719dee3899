package main

import (
	"errors"
	"fmt"

	"sendconnector/internal/connector"
)

type checkCmd struct{}

// Run tries everything a go-live needs and says what to do about each failure.
func (checkCmd) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	opts, closeLog := a.options(cfg)
	results, exit := connector.Check(a.ctx, cfg, opts)
	if a.flags.JSON {
		err = a.printJSON(results)
	} else {
		for _, r := range results {
			mark := "ok  "
			if !r.OK {
				mark = "FAIL"
			}
			fmt.Fprintf(a.stdout, "%s  %s: %s\n", mark, r.What, r.Detail)
			if r.Hint != "" && !r.OK {
				fmt.Fprintf(a.stdout, "      %s\n", r.Hint)
			}
		}
	}
	if err := errors.Join(err, closeLog()); err != nil {
		return err
	}
	if exit != connector.ExitOK {
		return outcome(exit)
	}
	return nil
}
