package main

import (
	"errors"
	"fmt"

	"sendconnector/internal/connector"
)

type ledgerCompactCmd struct{}

// Run makes the ledger as small as it can be.
func (ledgerCompactCmd) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	opts, closeLog := a.options(cfg)
	r, err := connector.Compact(a.ctx, cfg, opts)
	if err = errors.Join(err, closeLog()); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.printJSON(r)
	}
	_, err = fmt.Fprintf(a.stdout, "compacted: %d bytes, were %d\n", r.After, r.Before)
	return err
}
