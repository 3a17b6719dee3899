package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"sendconnector/internal/connector"
	"sendconnector/internal/simulator"
)

type simulatorCmd struct {
	Addr     string  `default:"127.0.0.1:8099" help:"Loopback address to listen on."`
	Scenario string  `placeholder:"F" help:"Platform to imitate, a JSON file; default: one body, lives of weeks in half a minute."`
	Keys     string  `default:"simulator-keys" placeholder:"DIR" help:"Where API key and PDND key of the default body are written."`
	Scale    float64 `default:"0.00001" help:"Length of the default platform's lives: 1 = as in reality."`
}

// Run serves a SEND of its own until the context ends.
func (cmd *simulatorCmd) Run(a *app) error {
	if host, _, err := net.SplitHostPort(cmd.Addr); err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return &connector.ExitError{Exit: connector.ExitUsage, Message: "--addr must be a loopback address such as 127.0.0.1:8099"}
	}
	listener, err := new(net.ListenConfig).Listen(a.ctx, "tcp", cmd.Addr)
	if err != nil {
		return &connector.ExitError{Exit: connector.ExitUsage, Message: err.Error()}
	}
	cmd.Addr = listener.Addr().String() // the port that the system chose, if it was to choose
	sim, err := cmd.platform(a)
	if err != nil {
		return errors.Join(&connector.ExitError{Exit: connector.ExitUsage, Message: err.Error()}, listener.Close())
	}
	fmt.Fprintf(a.stdout, "SEND simulator on http://%s (stop with Ctrl-C)\n", listener.Addr())
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 30 * time.Second}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-a.ctx.Done()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped
	return nil
}

func (cmd *simulatorCmd) platform(a *app) (*simulator.Simulator, error) {
	if cmd.Scenario != "" {
		return simulator.LoadScenario(cmd.Scenario)
	}
	sim := simulator.New(demoPlatform(cmd.Scale))
	id, err := sim.NewIdentity("Comune di Borgo Esempio", simulator.DemoTaxID)
	if err != nil {
		return nil, err
	}
	if err := writeIdentity(cmd.Keys, id); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(cmd.Keys)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(a.stdout, `Its sender, ready for config.yaml (keys written below %s):

senders:
  comune:
    tax_id: "%s"
    denomination: %s
    environment: simulator
    base_url: http://%s
    api_key: ${file:%s}
    pdnd:
      client_id: %s
      purpose_id: %s
      key_file: %s
      token_url: http://%s/token.oauth2

`, cmd.Keys, id.Sender.TaxID, id.Sender.Name, cmd.Addr, filepath.ToSlash(filepath.Join(dir, "api-key")), id.ClientID, id.PurposeID, filepath.ToSlash(filepath.Join(dir, "pdnd.pem")), cmd.Addr)
	return sim, err
}

// demoPlatform is a platform whose lives have the shape of real ones, shortened so
// that weeks become seconds. Clocks run as they do: only the terms are short.
func demoPlatform(scale float64) simulator.Options {
	o := simulator.DemoOptions()
	o.Speed, o.Timings = 1, simulator.RealTimings().Scale(scale)
	o.Keys = nil
	return o
}

// writeIdentity writes the keys of a body for their owner only.
func writeIdentity(dir string, id simulator.Identity) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "api-key"), []byte(id.APIKey+"\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "pdnd.pem"), id.PrivateKey, 0o600))
}
