package main

import (
	"errors"
	"fmt"
	"os"

	"sendconnector/internal/config"
	"sendconnector/internal/connector"
)

type runCmd struct{}

// Run watches until the context ends.
func (runCmd) Run(a *app) error {
	c, closeAll, err := a.open()
	if err != nil {
		return err
	}
	if cfg, err := a.load(); err == nil && cfg.Log.File != "" && os.Getenv("INVOCATION_ID") == "" { // systemd sets it: nobody watches
		fmt.Fprintf(a.stderr, "watching %s; log: %s; Ctrl-C ends\n", plural(len(cfg.Flows), "flow", "flows"), cfg.Log.File)
	}
	return errors.Join(c.Run(a.ctx), closeAll())
}

// open opens the connector of the configuration, with its log; closeAll closes both.
func (a *app) open() (c *connector.Connector, closeAll func() error, err error) {
	cfg, err := a.load()
	if err != nil {
		return nil, nil, err
	}
	opts, closeLog := a.options(cfg)
	if c, err = connector.Open(a.ctx, cfg, opts); err != nil {
		return nil, nil, errors.Join(err, closeLog())
	}
	return c, func() error { return errors.Join(c.Close(), closeLog()) }, nil
}

// userAgent tells SEND honestly who calls.
func userAgent() string { return "sendconnector/" + version }

// options are those of a command that may have to take the ledger itself.
func (a *app) options(cfg *config.Config) (connector.Options, func() error) {
	log, closeLog := a.logger(cfg)
	return connector.Options{Log: log, UserAgent: userAgent()}, closeLog
}

// ask has a command carried out by whoever owns the ledger.
func (a *app) ask(command string, args, result any) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	opts, closeLog := a.options(cfg)
	err = errors.Join(connector.Do(a.ctx, cfg, opts, command, args, result), closeLog())
	if !a.flags.JSON {
		oneLine(result)
	}
	return err
}
