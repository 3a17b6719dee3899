package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"sendconnector/internal/connector"
)

type ledgerCmd struct {
	Check   ledgerCheckCmd   `cmd:"" help:"Verify every record and index."`
	Backup  ledgerBackupCmd  `cmd:"" help:"Write a hot copy."`
	Export  ledgerExportCmd  `cmd:"" help:"Write every record as JSON lines."`
	Compact ledgerCompactCmd `cmd:"" help:"Make the ledger file as small as it can be; not while a connector runs."`
	Purge   ledgerPurgeCmd   `cmd:"" help:"Remove by retention what nobody needs any more; what was sent stays known."`
	Rebuild ledgerRebuildCmd `cmd:"" help:"Make a lost ledger anew from the archive folders and SEND; sends nothing."`
}

type ledgerCheckCmd struct{}

// Run verifies the ledger; exit code 1 if anything is wrong.
func (ledgerCheckCmd) Run(a *app) error {
	var r connector.LedgerReport
	if err := a.ask("ledger-check", connector.LedgerCheckArgs{}, &r); err != nil {
		return err
	}
	if a.flags.JSON {
		if err := a.printJSON(r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(a.stdout, "%s: %d problems\n", r.Path, len(r.Problems))
		for _, p := range r.Problems {
			fmt.Fprintln(a.stdout, " ", p)
		}
	}
	if len(r.Problems) > 0 {
		return outcome(connector.ExitFailure)
	}
	return nil
}

type ledgerBackupCmd struct {
	File string `arg:"" help:"File to write; never overwritten."`
}

// Run writes a hot copy.
func (cmd *ledgerBackupCmd) Run(a *app) error {
	file, err := filepath.Abs(cmd.File)
	if err != nil {
		return err
	}
	return a.act("ledger-backup", connector.BackupArgs{File: file})
}

type ledgerExportCmd struct{}

// Run writes every record to standard output.
func (ledgerExportCmd) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	opts, closeLog := a.options(cfg)
	return errors.Join(connector.DoRaw(a.ctx, cfg, opts, "ledger-export", struct{}{}, a.stdout), closeLog())
}
