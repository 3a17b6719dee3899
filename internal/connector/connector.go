package connector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/folder"
	"sendconnector/internal/folder/remote"
	"sendconnector/internal/ingest"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/outbox"
)

// Options are what the world outside the configuration gives. The zero value is
// right for production.
type Options struct {
	Clock     func() time.Time // default time.Now
	Wait      WaitFunc         // default a timer
	Step      func(name string) error
	Log       *slog.Logger
	Transport http.RoundTripper // to SEND; default TLS 1.2 or better, proxy from the environment
	UserAgent string
	Count     func(sender, op string) // called once for every API call

	// DialRemote reaches SFTP servers; default the network.
	DialRemote func(ctx context.Context, address string) (net.Conn, error)

	pause   func(ctx context.Context, d time.Duration) error // Wait for the clients; nil = real timers
	longest time.Duration                                    // instead of longestPause, for tests of long lives
	timeout time.Duration                                    // of calls and silent transfers, for tests with stalls; 0 = send's own
}

// WaitFunc waits for d, for the wake channel or for the end of ctx, whichever is
// first. Tests move a clock in it.
type WaitFunc func(ctx context.Context, d time.Duration, wake <-chan struct{})

// Connector is the composed whole. It owns its ledger until Close.
type Connector struct {
	cfg      *config.Config
	opts     Options
	lang     notification.Lang
	path     string // of the ledger
	ledger   *ledger.Ledger
	ingest   *ingest.Ingest
	remotes  map[string]*remote.Server
	flows    map[string]*flow
	senders  map[string]*sender
	outboxes map[string]*outbox.Outbox
	places   map[string]*place // of the outboxes
	bells    bells
	notices  conditions
	keys     sync.Mutex        // guards every sender.secret
	held     map[string]string // reason of every hold told; the keeper's alone
	started  time.Time
	edition  string
	stopped  atomic.Bool // the service has stopped and says so
}

// Open builds everything and takes the ledger. Errors are *ExitError: 2 for the
// configuration (profiles, secrets, folders), 5 when another process owns the
// ledger. Nothing is sent or moved yet.
func Open(ctx context.Context, cfg *config.Config, opts Options) (*Connector, error) {
	return open(ctx, cfg, opts, filepath.Join(cfg.Data, "ledger.db"))
}

// open is Open on the ledger at path.
func open(ctx context.Context, cfg *config.Config, opts Options, path string) (*Connector, error) {
	opts = opts.withDefaults()
	c := &Connector{
		cfg: cfg, path: path, opts: opts, lang: notification.Lang(cfg.Language),
		remotes: map[string]*remote.Server{}, flows: map[string]*flow{}, senders: map[string]*sender{}, outboxes: map[string]*outbox.Outbox{}, places: map[string]*place{},
		started: opts.Clock(), edition: Edition(cfg),
	}
	if err := errors.Join(c.buildRemotes(), c.buildSenders()); err != nil {
		return nil, err
	}
	if err := c.openLedger(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.gateRestored(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	err := c.build(ctx)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now //nolint:forbidigo // the clock that is injected everywhere else
	}
	if wait := o.Wait; wait != nil {
		o.pause = func(ctx context.Context, d time.Duration) error {
			wait(ctx, d, nil)
			return ctx.Err()
		}
	} else {
		o.Wait = waitTimer
	}
	if o.longest == 0 {
		o.longest = longestPause
	}
	if o.Step == nil {
		o.Step = func(string) error { return nil }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.UserAgent == "" {
		o.UserAgent = "sendconnector/dev"
	}
	if o.Count == nil {
		o.Count = func(string, string) {}
	}
	return o
}

// openLedger takes the ledger and turns its errors into what a person can act on.
func (c *Connector) openLedger() error {
	if err := os.MkdirAll(c.tempDir(), 0o700); err != nil {
		if folder.Means(err, folder.ErrFull) {
			return c.dataFull()
		}
		return usage("the data folder cannot be made: %v", err)
	}
	l, err := ledger.Open(c.path, ledger.Options{Clock: c.opts.Clock, Language: c.lang, Step: c.opts.Step, Rebuild: c.path != c.ledgerPath()})
	if err != nil {
		return c.ledgerError(err)
	}
	c.ledger = l
	for _, warning := range c.openness() {
		c.opts.Log.Warn("open to others", "what", warning)
	}
	return c.emptyTemp()
}

// ledgerPath is where the ledger lies.
func (c *Connector) ledgerPath() string { return filepath.Join(c.cfg.Data, "ledger.db") }

// emptyTemp removes what a crash left; only the owner of the ledger may.
func (c *Connector) emptyTemp() error {
	entries, err := os.ReadDir(c.tempDir())
	if err != nil || len(entries) == 0 {
		return err
	}
	return c.step(stepTemp, func() (err error) {
		for _, e := range entries {
			err = errors.Join(err, os.RemoveAll(filepath.Join(c.tempDir(), e.Name())))
		}
		return err
	})
}

func (c *Connector) ledgerError(err error) error {
	if locked, ok := errors.AsType[*ledger.LockedError](err); ok {
		return &ExitError{Exit: ExitBusy, Code: "C-LEDGER-BUSY", Message: locked.Error(), Hint: "a running connector does this work by itself; status, why, release and the other commands are carried out by it. Stop it first only if this process shall take its place"}
	}
	if corrupt, ok := errors.AsType[*ledger.CorruptError](err); ok {
		return &ExitError{Exit: ExitFailure, Code: "C-LEDGER-DAMAGED", Message: err.Error(), Hint: c.wayBack(corrupt.Missing)}
	}
	if _, ok := errors.AsType[*ledger.VersionError](err); ok {
		return &ExitError{Exit: ExitFailure, Code: "C-LEDGER-VERSION", Message: err.Error(), Hint: "use the newer connector that wrote it"}
	}
	if folder.Means(err, folder.ErrFull) {
		return c.dataFull()
	}
	if errors.Is(err, fs.ErrPermission) {
		return &ExitError{Exit: ExitUsage, Message: err.Error(), Hint: "the user that runs the connector needs the data folder for itself"}
	}
	if folder.Means(err, folder.ErrPermission) { // a disk that its system has turned read-only
		p := notification.New(c.lang, "C-FOLDER-RIGHTS", "", "folder", c.cfg.Data)
		return &ExitError{Exit: ExitHeld, Code: p.Code, Message: p.Message}
	}
	return err
}

// wayBack says how to go on without the ledger.
func (c *Connector) wayBack(missing bool) string {
	first, none := "do not delete it. Move it aside, put", "do not delete it. There"
	if missing {
		first, none = "put", "there"
	}
	const rebuild = "connector ledger rebuild makes a new one from the archive folders and SEND"
	if all := backups(c.cfg.Ledger.Backups); len(all) > 0 {
		return fmt.Sprintf("%s the newest backup in its place, and nothing will be sent twice: %s (of %s) to %s, leaving %s.generation where it is. If no backup can be used: %s",
			first, all[0].file, Clock(all[0].at), c.ledgerPath(), filepath.Base(c.ledgerPath()), rebuild)
	}
	return none + " is no backup in " + c.cfg.Ledger.Backups + "; if there is none anywhere else: " + rebuild
}

// build makes the rooms that need the ledger.
func (c *Connector) build(ctx context.Context) error {
	flows, outboxes, err := c.usedFolders(ctx)
	if err != nil {
		return err
	}
	if err := c.buildFlows(flows); err != nil {
		return err
	}
	if err := c.buildOutboxes(outboxes); err != nil {
		return err
	}
	c.ingest, err = ingest.New(ingest.Options{
		Ledger: c.ledger, Data: c.cfg.Data, Clock: c.opts.Clock, Installation: c.cfg.Installation,
		Step: c.opts.Step, Content: (*content)(c), Log: c.opts.Log,
	})
	if err != nil {
		return err
	}
	for _, s := range c.senders {
		s.attach(c)
	}
	return c.recallCalls(ctx)
}

// Close gives the ledger back. It may be called twice.
func (c *Connector) Close() error {
	for _, s := range c.senders {
		s.client.Close()
	}
	for _, s := range c.remotes {
		if err := s.Close(); err != nil {
			c.opts.Log.Debug("closing connections to a server", "error", err) // it closes them too
		}
	}
	if c.ledger == nil {
		return nil
	}
	err := errors.Join(c.keepCalls(context.Background()), c.ledger.Close())
	c.ledger = nil
	if err != nil {
		return fmt.Errorf("close the ledger: %w", err)
	}
	return nil
}

// tempDir holds rows of large groups while an export is read; what a crash leaves
// there is removed at the next start.
func (c *Connector) tempDir() string { return filepath.Join(c.cfg.Data, "tmp") }

// names gives the keys of a map in order, so that every pass does the same things
// in the same order.
func names[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
