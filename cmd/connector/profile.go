package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"sendconnector/internal/config"
	"sendconnector/internal/connector"
	"sendconnector/internal/yamldoc"
)

type profileCmd struct {
	Check profileCheckCmd `cmd:"" help:"Check columns and expressions, against a real export if one is given."`
}

type profileCheckCmd struct {
	Profile string `arg:"" help:"Profile, a YAML file."`
	File    string `arg:"" optional:"" help:"Export to try it on."`
}

// Run checks a profile by itself, then against a file and the rows in it.
func (cmd *profileCheckCmd) Run(a *app) error {
	report, err := connector.CheckProfile(a.ctx, cmd.Profile, cmd.File, a.language(), a.senderOf(cmd.Profile))
	if list, ok := errors.AsType[yamldoc.Errors](err); ok && a.flags.JSON {
		if err := a.printJSON(list); err != nil {
			return err
		}
		return outcome(connector.ExitUsage)
	}
	if err != nil {
		return err
	}
	if a.flags.JSON {
		err = a.printJSON(report)
	} else {
		err = a.printProfileReport(report)
	}
	if err == nil && report.Unreadable != nil {
		return outcome(connector.ExitRejected)
	}
	return err
}

// language is the configuration's where there is one, else Italian.
func (a *app) language() string {
	if cfg, err := a.load(); err == nil {
		return cfg.Language
	}
	return "it"
}

// senderOf is the tax code of the body whose flow uses a profile; "" where no flow or more
// than one body does.
func (a *app) senderOf(profile string) string {
	cfg, err := a.load()
	path, fault := filepath.Abs(profile)
	if err != nil || fault != nil {
		return ""
	}
	found := ""
	for _, name := range sortedFlows(cfg) {
		f := cfg.Flows[name]
		if f.Profile != path || cfg.Senders[f.Sender] == nil {
			continue
		}
		if id := cfg.Senders[f.Sender].TaxID; found != "" && found != id {
			return ""
		} else {
			found = id
		}
	}
	return found
}

func (a *app) printProfileReport(r *connector.ProfileReport) error {
	fmt.Fprintf(a.stdout, "profile %s: no problems\n", r.Profile)
	if r.File == "" {
		return nil
	}
	if r.Unreadable != nil {
		_, err := fmt.Fprintf(a.stdout, "file %s would be rejected whole: %s: %s\n", r.File, r.Unreadable.Code, r.Unreadable.Message)
		return err
	}
	fmt.Fprintf(a.stdout, "file %s: %s, %s, %d of them with errors\n", r.File, plural(r.Rows, "row", "rows"), plural(r.Notifications, "notification", "notifications"), r.WithErrors)
	for _, p := range r.Problems {
		field := ""
		if p.Field != "" {
			field = " [" + p.Field + "]"
		}
		fmt.Fprintf(a.stdout, "  %s %s %s%s, first on row %d: %s\n", plural(p.Count, "time", "times"), p.Severity, p.Code, field, p.FirstRow, p.Message)
	}
	return nil
}

// checkProfiles loads every profile of a configuration; mistakes of all are told at
// once.
func checkProfiles(cfg *config.Config) error {
	var all yamldoc.Errors
	for _, name := range sortedFlows(cfg) {
		path := cfg.Flows[name].Profile
		if path == "" {
			continue
		}
		_, _, err := connector.LoadProfile(path)
		if list, ok := errors.AsType[yamldoc.Errors](err); ok {
			all = append(all, list...)
		} else if err != nil {
			all.Add(cfg.Mistake("flows."+name+".profile", "%v", err))
		}
	}
	return all.OrNil()
}
