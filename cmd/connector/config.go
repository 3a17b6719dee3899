package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sendconnector/internal/config"
	"sendconnector/internal/yamldoc"
)

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"All problems, with line and column."`
	Show  configShowCmd  `cmd:"" help:"Effective values; secrets are shown by where they lie."`
}

type configCheckCmd struct{}

// Run reads the configuration and every profile it names.
func (configCheckCmd) Run(a *app) error {
	cfg, err := a.load()
	if err == nil {
		err = checkProfiles(cfg)
	}
	if list, ok := errors.AsType[yamldoc.Errors](err); ok && a.flags.JSON {
		if err := a.printJSON(list); err != nil {
			return err
		}
		return outcome(2)
	}
	if err != nil {
		return err
	}
	if a.flags.JSON {
		return a.printJSON(json.RawMessage("[]"))
	}
	_, err = fmt.Fprintf(a.stdout, "%s: no problems\n", cfg.Path())
	return err
}

type configShowCmd struct{}

// Run prints the configuration with every default filled in.
func (configShowCmd) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if a.flags.JSON {
		text, err := config.ShowJSON(cfg)
		if err != nil {
			return err
		}
		return a.printJSON(json.RawMessage(text))
	}
	text, err := config.Show(cfg)
	if err == nil {
		_, err = a.stdout.Write(text)
	}
	return err
}

func sortedFlows(cfg *config.Config) []string { return slices.Sorted(maps.Keys(cfg.Flows)) }
