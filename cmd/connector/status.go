package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"sendconnector/internal/connector"
)

type statusCmd struct {
	Batch    string `placeholder:"B" help:"One batch with its notifications."`
	Protocol string `placeholder:"P" help:"One protocol number."`
	IUN      string `name:"iun" placeholder:"I" help:"One IUN."`
	Flow     string `placeholder:"F" help:"One flow."`
}

// Run prints where things stand.
func (cmd *statusCmd) Run(a *app) error {
	var s connector.Status
	if err := a.ask("status", connector.StatusQuery{Batch: cmd.Batch, Protocol: cmd.Protocol, IUN: cmd.IUN, Flow: cmd.Flow}, &s); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.printJSON(s)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	if cfg, err := a.load(); err == nil && s.Outdated(cfg) {
		fmt.Fprintf(a.stdout, "the running connector (pid %d) started %s with another configuration or other profiles than those on the disk: restart it\n\n", s.PID, clock(s.Since))
	}
	printSenders(w, s)
	printFlows(w, s)
	printOutboxes(w, s)
	printBackup(w, s.Backup)
	printBatches(w, s)
	for _, n := range s.Notifications {
		printNotification(w, n)
	}
	return w.Flush()
}

func printSenders(w *tabwriter.Writer, s connector.Status) {
	fmt.Fprintln(w, "SENDER\tENVIRONMENT\tCALLS TODAY\tLAST READ\tSTATE")
	for _, x := range s.Senders {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", x.Name, x.Environment, x.CallsUsed, clock(x.LastRead), heldText(x.Held, "ok"))
	}
}

func printFlows(w *tabwriter.Writer, s connector.Status) {
	fmt.Fprintln(w, "\nFLOW\tFOLDER\tSTATE")
	for _, f := range s.Flows {
		state := heldText(f.Held, "ok")
		if f.Away != nil {
			state = awayText(f.Away)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Name, f.Root, state)
		for _, x := range f.Waiting {
			fmt.Fprintf(w, "  waits: %s\tsince %s\t%s: %s %s\n", x.File, clock(x.Since), x.Reason, x.Text, strings.Join(unnamed(x), ", "))
		}
	}
}

func printBackup(w *tabwriter.Writer, b connector.BackupState) {
	state := b.Newest
	if state == "" {
		state = "none in " + b.Folder
	}
	if b.Problem != "" {
		state += "; the last try failed: " + b.Problem
	}
	fmt.Fprintf(w, "\nBACKUP\t%s\t%s\n", clock(b.At), state)
}

// printOutboxes shows those that cannot be written to; the others are no news.
func printOutboxes(w *tabwriter.Writer, s connector.Status) {
	for _, o := range s.Outboxes {
		if o.Away != nil {
			fmt.Fprintf(w, "\nOUTBOX %s\t%s\t%s\n", o.Name, o.Path, awayText(o.Away))
		}
	}
}

func printBatches(w *tabwriter.Writer, s connector.Status) {
	if len(s.Batches) == 0 {
		return
	}
	fmt.Fprintln(w, "\nBATCH\tFLOW\tFILE\tSTATE\tROWS\tNEW\tOUTCOMES")
	for _, b := range s.Batches {
		state := b.State
		if b.Release != "" && b.Release != "RELEASED" {
			state += "/" + b.Release
		}
		notes := []string{connector.Outcomes(b.Outcomes)} // in the last cell: a line without cells would end the table
		if b.Problem != "" {
			notes = append(notes, b.Problem)
		}
		if b.AvoidedCent > 0 {
			notes = append(notes, fmt.Sprintf("refusal fees avoided: %d.%02d EUR", b.AvoidedCent/100, b.AvoidedCent%100))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", b.ID, b.Flow, b.File, state, b.Rows, b.Admitted, strings.TrimPrefix(strings.Join(notes, "; "), "; "))
	}
}

func printNotification(w *tabwriter.Writer, n connector.NotificationStatus) {
	fmt.Fprintf(w, "\nprotocol\t%s (attempt %d, %s)\nstate\t%s %s\nsubject\t%s\nIUN\t%s\nrequest\t%s\nbatch\t%s row %d\nchanged\t%s\n",
		n.Protocol, n.Attempt, n.Environment, n.State, n.SENDStatus, n.Subject, n.IUN, n.RequestID, n.Batch, n.Row, clock(n.Changed))
	if n.Problem != "" {
		fmt.Fprintf(w, "problem\t%s\n", n.Problem)
	}
	if n.Held != nil {
		fmt.Fprintf(w, "held\t%s\n", heldText(n.Held, ""))
	}
	if !n.Next.IsZero() {
		fmt.Fprintf(w, "next\t%s\n", clock(n.Next))
	}
}

func heldText(h *connector.Held, otherwise string) string {
	if h == nil {
		return otherwise
	}
	text := awayText(h)
	if !h.Until.IsZero() {
		text = strings.TrimSuffix(text, ".") + "; tried again " + clock(h.Until)
	}
	return text
}

// awayText is for a folder: it is tried again all the time, whatever its hold says.
func awayText(h *connector.Held) string {
	return "held since " + clock(h.Since) + ": " + h.Reason + ": " + h.Detail
}

// unnamed are the documents that a file waits for and its text does not name.
func unnamed(x connector.WaitingState) []string {
	return slices.DeleteFunc(slices.Clone(x.Missing), func(name string) bool { return strings.Contains(x.Text, name) })
}

// plural is a number with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return connector.Clock(t)
}
