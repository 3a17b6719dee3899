package main

import (
	"errors"
	"fmt"

	"sendconnector/internal/connector"
)

type ledgerRebuildCmd struct {
	MoveAside bool `help:"Go on although there is a ledger that can be read; it is kept under another name."`
}

// Run makes a new ledger from the archive folders and SEND.
func (cmd *ledgerRebuildCmd) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	opts, closeLog := a.options(cfg)
	r, err := connector.Rebuild(a.ctx, cfg, opts, connector.RebuildOptions{MoveAside: cmd.MoveAside})
	if err = errors.Join(err, closeLog()); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.printJSON(r)
	}
	fmt.Fprintf(a.stdout, "rebuilt: %d batches, %d rejected files; SEND has %d notifications\n", r.Batches, r.Unreadable, r.Found)
	if r.Foreign > 0 {
		fmt.Fprintf(a.stdout, "%d batches of other installations were left alone\n", r.Foreign)
	}
	if r.MovedAside != "" {
		fmt.Fprintln(a.stdout, "the ledger that was there is now", r.MovedAside)
	}
	for _, p := range r.Problems {
		fmt.Fprintln(a.stdout, "problem:", p)
	}
	if r.Unknown > 0 {
		fmt.Fprintf(a.stdout, "%d sound rows are not at SEND. Nobody can tell whether they were still to be sent or had been given up;\nrelease or discard each of these batches:\n", r.Unknown)
		for _, b := range r.Awaiting {
			fmt.Fprintln(a.stdout, " ", b)
		}
	}
	return nil
}
