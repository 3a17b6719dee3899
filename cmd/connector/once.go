package main

import (
	"errors"
	"fmt"
	"time"

	"sendconnector/internal/connector"
)

type onceCmd struct {
	Flow    string        `placeholder:"F" help:"Take files of this flow only."`
	Until   string        `enum:"submitted,accepted,final," default:"" help:"Keep passing until the batches taken got that far: submitted, accepted or final."`
	Timeout time.Duration `placeholder:"D" help:"Give up waiting after this long, e.g. 10m (exit code 6)."`
}

// Run does one pass.
func (cmd *onceCmd) Run(a *app) error {
	c, closeAll, err := a.open()
	if err != nil {
		return err
	}
	line := newProgress(a.screen)
	summary, err := c.Once(a.ctx, connector.OnceOptions{Flow: cmd.Flow, Until: cmd.Until, Timeout: cmd.Timeout, Progress: line.show})
	line.end()
	if err := errors.Join(err, closeAll()); err != nil {
		return err
	}
	if a.flags.JSON {
		err = a.printJSON(summary)
	} else {
		oneLine(&summary)
		err = a.printSummary(summary)
	}
	if err == nil && summary.Exit != connector.ExitOK {
		err = outcome(summary.Exit)
	}
	return err
}

func (a *app) printSummary(s connector.Summary) error {
	fmt.Fprintf(a.stdout, "batches taken: %d, rows rejected: %d, refused: %d, files rejected: %d\n", len(s.Batches), s.Rejected, s.Refused, len(s.Files))
	if s.Restored {
		fmt.Fprintln(a.stdout, "the ledger is older than what was done (a backup was put in its place): SEND was asked for what it lacked")
	}
	for _, f := range s.Files {
		fmt.Fprintln(a.stdout, "rejected whole:", f)
	}
	for _, b := range s.Awaiting {
		fmt.Fprintln(a.stdout, "awaits release:", b)
	}
	for _, w := range s.Waiting {
		fmt.Fprintf(a.stdout, "waits: %s (%s): %s\n", w.File, w.Flow, w.Why)
	}
	for _, h := range s.Holds {
		fmt.Fprintf(a.stdout, "held: %s %s: %s: %s\n", h.Scope, h.Name, h.Reason, h.Detail)
	}
	for _, f := range s.Failures {
		fmt.Fprintln(a.stdout, "could not go on:", f)
	}
	if s.TimedOut {
		fmt.Fprintln(a.stdout, "the time ran out before everything got that far; nothing is lost")
	}
	return nil
}
