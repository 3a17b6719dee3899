package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"sendconnector/internal/config"
	"sendconnector/internal/connector"
	"sendconnector/internal/yamldoc"
)

const description = `Carries the exports of a municipality's programs to SEND (PagoPA's notification
platform) and brings back status files and legal documents.

Try it with "connector demo".

A first own flow: "connector config check", "connector check", "connector once".

As a service: "connector run".

Exit codes: 0 well, 1 failure, 2 usage or configuration, 3 rows or files rejected,
4 held (nothing lost), 5 another process owns the ledger, 6 time-out.`

// cli is every command and global flag. One file per command holds its Run.
type cli struct {
	Config    string `short:"c" placeholder:"FILE" help:"Configuration (default: config.yaml here, then the system's place)."`
	JSON      bool   `name:"json" help:"Output for programs, where there is output."`
	LogLevel  string `enum:"debug,info,warn,error," default:"" help:"debug, info, warn or error (default: as configured)."`
	LogFormat string `enum:"text,json," default:"" help:"text or json (default: as configured)."`

	Demo      demoCmd      `cmd:"" help:"Show the whole thing on this machine, with a built-in SEND and sample drops."`
	Run       runCmd       `cmd:"" help:"Watch the folders until told to stop."`
	Once      onceCmd      `cmd:"" help:"One pass, for cron or Task Scheduler."`
	Check     checkCmd     `cmd:"" help:"Try everything a go-live needs; sends nothing."`
	Cfg       configCmd    `cmd:"" name:"config" help:"Check or show the configuration."`
	Preview   previewCmd   `cmd:"" help:"Show what a file would become; writes and sends nothing."`
	Profile   profileCmd   `cmd:"" help:"Check a profile against a real export."`
	Status    statusCmd    `cmd:"" help:"Where things stand."`
	Why       whyCmd       `cmd:"" help:"Why a file, protocol number or IUN is where it is, and what happens next."`
	Release   releaseCmd   `cmd:"" help:"Let a waiting batch go."`
	Discard   discardCmd   `cmd:"" help:"Discard what a batch has not sent yet."`
	Resubmit  resubmitCmd  `cmd:"" help:"Send a refused or cancelled notification once more."`
	Cancel    cancelCmd    `cmd:"" help:"Cancel a notification at SEND."`
	Hold      holdCmd      `cmd:"" help:"Hold a flow."`
	Resume    resumeCmd    `cmd:"" help:"Let a held flow go on."`
	Price     priceCmd     `cmd:"" help:"Present cost of a notice."`
	Ledger    ledgerCmd    `cmd:"" help:"Look after the ledger: check, backup, compact, purge, rebuild."`
	Simulator simulatorCmd `cmd:"" help:"The built-in SEND alone, for acceptance tests."`
	Version   versionCmd   `cmd:"" help:"Version, commit, Go, platform."`
}

// app is what a command needs of the world.
type app struct {
	ctx            context.Context //nolint:containedctx // lives for one command, handed over by kong
	stdin          io.Reader
	stdout, stderr io.Writer // what is printed there is seen and does not act
	screen         io.Writer // where progress moves the cursor
	flags          *cli
}

// run is the whole program: it never touches the process but through its arguments,
// and gives the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var flags cli
	exited := -1
	parser, err := kong.New(&flags,
		kong.Name("connector"), kong.Description(description),
		kong.Writers(stdout, stderr), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { exited = code; panic(exitPanic{}) }))
	if err != nil {
		fmt.Fprintln(stderr, "connector:", err)
		return connector.ExitFailure
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parse(parser, args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		if strings.HasPrefix(err.Error(), "unexpected argument "+args[0]) {
			err = fmt.Errorf("unknown command %s", args[0])
		}
		fmt.Fprintf(stderr, "connector: %v\nTry: connector --help\n", err)
		return connector.ExitUsage
	}
	a := &app{ctx: ctx, stdin: stdin, stdout: &visible{w: stdout}, stderr: &visible{w: stderr}, screen: stderr, flags: &flags}
	return a.report(command.Run(a))
}

type exitPanic struct{}

// parse is kong's Parse; --help leaves by the panic of the Exit hook.
func parse(parser *kong.Kong, args []string) (command *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exitPanic); !ok {
				panic(r)
			}
		}
	}()
	return parser.Parse(args)
}

// outcome is a command that ended as it should with an exit code that is not 0;
// what there was to say has been said.
type outcome int

func (o outcome) Error() string { return fmt.Sprintf("exit code %d", int(o)) }

// report tells an error to the person and gives its exit code.
func (a *app) report(err error) int {
	if err == nil {
		return connector.ExitOK
	}
	if o, ok := errors.AsType[outcome](err); ok {
		return int(o)
	}
	if list, ok := errors.AsType[yamldoc.Errors](err); ok {
		fmt.Fprintln(a.stderr, list)
		return connector.ExitUsage
	}
	fmt.Fprintln(a.stderr, "connector:", err)
	return connector.Exit(err)
}

// load reads the configuration that the flags name.
func (a *app) load() (*config.Config, error) {
	path := a.flags.Config
	if path == "" {
		path = config.Find()
	}
	cfg, err := config.Load(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, &connector.ExitError{Exit: connector.ExitUsage, Message: err.Error(), Hint: "name one with --config, or copy config.example.yaml"}
		}
		if _, ok := errors.AsType[yamldoc.Errors](err); !ok {
			err = &connector.ExitError{Exit: connector.ExitUsage, Message: err.Error()}
		}
		return nil, err
	}
	if a.flags.LogLevel != "" {
		cfg.Log.Level = a.flags.LogLevel
	}
	if a.flags.LogFormat != "" {
		cfg.Log.Format = a.flags.LogFormat
	}
	return cfg, nil
}

// printJSON writes v for programs.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
