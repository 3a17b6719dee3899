package connector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"sendconnector/internal/config"
)

// handler carries out one command for whoever asked and writes its answer as JSON.
type handler func(ctx context.Context, c *Connector, args []byte, w io.Writer) error

// handlers are the commands that need the ledger's owner. The same handler serves
// the control endpoint and a command that owns the ledger itself, so that both
// answer alike.
func handlers() map[string]handler {
	return map[string]handler{
		"status":        answer((*Connector).Status),
		"why":           answer((*Connector).Why),
		"preview":       answer((*Connector).Preview),
		"release":       answer((*Connector).Release),
		"discard":       answer((*Connector).Discard),
		"resubmit":      answer((*Connector).Resubmit),
		"cancel":        answer((*Connector).Cancel),
		"hold":          answer((*Connector).Hold),
		"resume":        answer((*Connector).Resume),
		"price":         answer((*Connector).Price),
		"ledger-check":  answer((*Connector).LedgerCheck),
		"ledger-backup": answer((*Connector).LedgerBackup),
		"ledger-purge":  answer((*Connector).Purge),
		"ledger-export": func(ctx context.Context, c *Connector, _ []byte, w io.Writer) error {
			return c.ledger.Export(ctx, w)
		},
	}
}

// answer makes a handler of a method with typed arguments and result.
func answer[A, R any](do func(*Connector, context.Context, A) (R, error)) handler {
	return func(ctx context.Context, c *Connector, args []byte, w io.Writer) error {
		var a A
		if err := json.Unmarshal(args, &a); err != nil {
			return usage("arguments: %v", err)
		}
		result, err := do(c, ctx, a)
		if err != nil {
			return err
		}
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(result)
	}
}

func (c *Connector) dispatch(ctx context.Context, command string, args []byte, w io.Writer) error {
	h, ok := handlers()[command]
	if !ok {
		return usage("there is no command %q", command)
	}
	return h(ctx, c, args, w)
}

// Do carries out a command and decodes its answer into result: by the connector that
// runs on this data folder, else by this process, which takes the ledger for as long
// as it needs.
func Do(ctx context.Context, cfg *config.Config, opts Options, command string, args, result any) error {
	var answer bytes.Buffer
	if err := DoRaw(ctx, cfg, opts, command, args, &answer); err != nil {
		return err
	}
	if err := json.Unmarshal(answer.Bytes(), result); err != nil {
		return fmt.Errorf("answer of %s: %w", command, err)
	}
	return nil
}

// askInto is Ask with the answer decoded.
func askInto(ctx context.Context, data, command string, args, result any) error {
	var answer bytes.Buffer
	if err := Ask(ctx, data, command, args, &answer); err != nil {
		return err
	}
	return json.Unmarshal(answer.Bytes(), result)
}

// DoRaw is Do with the answer copied to w as it comes.
func DoRaw(ctx context.Context, cfg *config.Config, opts Options, command string, args any, w io.Writer) error {
	err := Ask(ctx, cfg.Data, command, args, w)
	if !errors.Is(err, ErrNoService) {
		return err
	}
	body, err := json.Marshal(args)
	if err != nil {
		return err
	}
	c, err := Open(ctx, cfg, opts)
	if err != nil {
		return err
	}
	return errors.Join(c.dispatch(ctx, command, body, w), c.Close())
}
