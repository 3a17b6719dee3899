package main

import (
	"fmt"

	"sendconnector/internal/connector"
)

type ledgerPurgeCmd struct {
	DryRun bool `help:"Only say what would be removed."`
}

// Run removes by retention what nobody needs any more.
func (cmd *ledgerPurgeCmd) Run(a *app) error {
	var r connector.PurgeReport
	if err := a.ask("ledger-purge", connector.PurgeArgs{DryRun: cmd.DryRun}, &r); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.printJSON(r)
	}
	verb := "removed"
	if r.DryRun {
		verb = "would remove"
	}
	fmt.Fprintf(a.stdout, "%s: %d batches with %d rows and %d notifications, the ranges of %d numbered files, %d folders of the archive\n",
		verb, len(r.Batches), r.Rows, r.Notifications, r.Files, len(r.Folders))
	for _, b := range r.Batches {
		fmt.Fprintln(a.stdout, "  ledger ", b)
	}
	for _, b := range r.Folders {
		fmt.Fprintln(a.stdout, "  archive", b)
	}
	return nil
}
