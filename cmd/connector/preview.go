package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"sendconnector/internal/connector"
)

type previewCmd struct {
	Flow string `required:"" placeholder:"F" help:"Flow that would take the file."`
	File string `arg:"" help:"Export; its documents are looked for beside it."`
	Rows int    `placeholder:"N" help:"Only the first N rows."`
}

// Run prints what each row would become. Exit code 3 if any would be rejected.
func (cmd *previewCmd) Run(a *app) error {
	file, err := filepath.Abs(cmd.File)
	if err != nil {
		return err
	}
	var result connector.PreviewResult
	if err := a.ask("preview", connector.PreviewArgs{Flow: cmd.Flow, File: file, Rows: cmd.Rows}, &result); err != nil {
		return err
	}
	if result.Problem != nil {
		fmt.Fprintf(a.stderr, "the whole file would be rejected: %s: %s\n", result.Problem.Code, result.Problem.Message)
		return outcome(connector.ExitRejected)
	}
	rejected := 0
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	for _, line := range result.Lines {
		if line.Outcome == connector.PreviewRejected {
			rejected++
		}
		if a.flags.JSON {
			err = enc.Encode(line)
		} else {
			err = a.printPreview(line)
		}
		if err != nil {
			return err
		}
	}
	if rejected > 0 {
		return outcome(connector.ExitRejected)
	}
	return nil
}

func (a *app) printPreview(line connector.PreviewLine) error {
	fmt.Fprintf(a.stdout, "row %d: %s %s", line.Row, line.Outcome, line.Notification)
	if line.Request != nil && line.Outcome == connector.PreviewReady {
		fmt.Fprintf(a.stdout, " (%s, %s): %s", plural(len(line.Request.Recipients), "recipient", "recipients"), plural(len(line.Request.Documents), "document", "documents"), line.Request.Subject)
	}
	_, err := fmt.Fprintln(a.stdout)
	for _, p := range line.Problems {
		fmt.Fprintf(a.stdout, "  %s %s", p.Severity, p.Code)
		if p.Field != "" {
			fmt.Fprintf(a.stdout, " [%s]", p.Field)
		}
		fmt.Fprintf(a.stdout, ": %s\n", p.Message)
	}
	return err
}
