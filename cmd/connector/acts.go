package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"sendconnector/internal/connector"
)

// confirmed asks before a deliberate act: on a terminal the person, elsewhere --yes
// must have been given.
func (a *app) confirmed(yes bool, question string) error {
	if yes {
		return nil
	}
	f, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &connector.ExitError{Exit: connector.ExitUsage, Message: question, Hint: "without a terminal, say --yes"}
	}
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	answer, _ := bufio.NewReader(a.stdin).ReadString('\n') // the end of input is a no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes", "s", "si", "sì":
		return nil
	}
	return &connector.ExitError{Exit: connector.ExitUsage, Message: "not confirmed; nothing was done"}
}

// act carries out a deliberate act and says what was done.
func (a *app) act(command string, args any) error {
	var done connector.Done
	if err := a.ask(command, args, &done); err != nil {
		return err
	}
	if a.flags.JSON {
		return a.printJSON(done)
	}
	_, err := fmt.Fprintln(a.stdout, done.Message)
	return err
}

type releaseCmd struct {
	Batch string `required:"" placeholder:"B" help:"Batch id, as status shows it."`
	Yes   bool   `help:"Do not ask."`
}

// Run lets a batch go.
func (cmd *releaseCmd) Run(a *app) error {
	if err := a.confirmed(cmd.Yes, "Send the notifications of batch "+cmd.Batch+"?"); err != nil {
		return err
	}
	return a.act("release", connector.BatchArgs{Batch: cmd.Batch})
}

type discardCmd struct {
	Batch string `required:"" placeholder:"B" help:"Batch id, as status shows it."`
	Yes   bool   `help:"Do not ask."`
}

// Run discards what a batch has not sent.
func (cmd *discardCmd) Run(a *app) error {
	if err := a.confirmed(cmd.Yes, "Discard what batch "+cmd.Batch+" has not sent?"); err != nil {
		return err
	}
	return a.act("discard", connector.BatchArgs{Batch: cmd.Batch})
}

type resubmitCmd struct {
	Protocol string `required:"" placeholder:"P" help:"Protocol number, exactly as it was sent."`
	AsNew    bool   `help:"Also for a cancelled one, or one that another spelling blocks."`
	Yes      bool   `help:"Do not ask."`
}

// Run asks for one more attempt.
func (cmd *resubmitCmd) Run(a *app) error {
	if err := a.confirmed(cmd.Yes, "Send "+cmd.Protocol+" once more?"); err != nil {
		return err
	}
	return a.act("resubmit", connector.ResubmitArgs{Protocol: cmd.Protocol, AsNew: cmd.AsNew})
}

type cancelCmd struct {
	Protocol string `placeholder:"P" xor:"which" required:"" help:"Protocol number."`
	IUN      string `name:"iun" placeholder:"I" xor:"which" required:"" help:"IUN."`
	Yes      bool   `help:"Do not ask."`
}

// Run cancels a notification.
func (cmd *cancelCmd) Run(a *app) error {
	if err := a.confirmed(cmd.Yes, "Cancel "+cmd.Protocol+cmd.IUN+" at SEND, for ever?"); err != nil {
		return err
	}
	return a.act("cancel", connector.CancelArgs{Protocol: cmd.Protocol, IUN: cmd.IUN})
}

type holdCmd struct {
	Flow   string `required:"" placeholder:"F" help:"Flow."`
	Reason string `help:"Shown in status files."`
	Yes    bool   `help:"Do not ask."`
}

// Run holds a flow.
func (cmd *holdCmd) Run(a *app) error {
	if err := a.confirmed(cmd.Yes, "Hold the flow "+cmd.Flow+"?"); err != nil {
		return err
	}
	return a.act("hold", connector.HoldArgs{Flow: cmd.Flow, Reason: cmd.Reason})
}

type resumeCmd struct {
	Flow         string `required:"" placeholder:"F" help:"Flow."`
	SequenceFrom uint64 `placeholder:"N" help:"Number of the next file in aggiornamenti/ and costi/, when the numbering was lost."`
	Yes          bool   `help:"Do not ask."`
}

// Run lets a flow go on.
func (cmd *resumeCmd) Run(a *app) error {
	if err := a.confirmed(cmd.Yes, "Let the flow "+cmd.Flow+" go on?"); err != nil {
		return err
	}
	return a.act("resume", connector.ResumeArgs{Flow: cmd.Flow, SequenceFrom: cmd.SequenceFrom})
}
