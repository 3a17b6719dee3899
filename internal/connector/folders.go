package connector

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/folder"
	"sendconnector/internal/folder/remote"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// buildRemotes makes the SFTP servers. Nobody is connected to before a folder is used.
func (c *Connector) buildRemotes() error {
	var problems []error
	for _, name := range names(c.cfg.Remotes) {
		server, err := c.newRemote(name, c.cfg.Remotes[name])
		if err != nil {
			problems = append(problems, fmt.Errorf("remotes.%s: %w", name, err))
			continue
		}
		c.remotes[name] = server
	}
	if len(problems) > 0 {
		return usage("%v", errors.Join(problems...))
	}
	return nil
}

func (c *Connector) newRemote(name string, cfg *config.Remote) (*remote.Server, error) {
	return remote.NewServer(c.remoteOptions(name, cfg))
}

// remoteOptions gives the server its secrets as functions: they are read again at every
// connection, so that one replaced on disk needs no restart.
func (c *Connector) remoteOptions(name string, cfg *config.Remote) remote.Options {
	o := remote.Options{
		Name: name, Address: cfg.Address, User: cfg.User, Agent: cfg.Agent, HostKeys: cfg.HostKeys, KnownHosts: cfg.KnownHosts,
		Sessions: cfg.Sessions, DialTimeout: cfg.DialTimeout, ProgressTimeout: cfg.ProgressTimeout, KeepAlive: cfg.KeepAlive, Idle: cfg.Idle,
		IgnoreTimes: cfg.IgnoreTimes, Clock: c.opts.Clock, Log: c.opts.Log, Dial: c.opts.DialRemote,
	}
	dir := c.cfg.Dir()
	if cfg.Password != "" {
		o.Password = func() (string, error) { return cfg.Password.Resolve(dir) }
	}
	if cfg.KeyFile != "" {
		o.Key = func() (pem []byte, passphrase string, err error) {
			if cfg.Passphrase != "" {
				if passphrase, err = cfg.Passphrase.Resolve(dir); err != nil {
					return nil, "", err
				}
			}
			pem, err = config.ReadPrivate(cfg.KeyFile, cfg.OpenKey)
			return pem, passphrase, err
		}
	}
	return o
}

// place is where the root of a flow or outbox lies.
type place struct {
	remote string // name of the server; "" = this machine
	root   string
	make   func(ctx context.Context) error // makes a root that is new; nil = it has to be there
	made   atomic.Bool
}

func (p *place) String() string {
	if p.remote == "" {
		return p.root
	}
	return p.remote + ":" + p.root
}

// folderAt gives the folder of a flow or outbox, whose effects pass the same seam as
// those of the stages. It may be away now: every use of it says so. A root that is new
// is made by the first prepare; one that was used before is not, because what is missing
// then is a share that is not mounted, and files written in its place would be hidden by
// it later. On a server only the last folder of the path is made.
func (c *Connector) folderAt(server, root string, used bool) (folder.Folder, *place, error) {
	at := &place{remote: server, root: root}
	if server == "" {
		f, err := folder.LocalAt(root)
		if err != nil {
			return nil, at, err
		}
		if !used {
			at.make = func(context.Context) error { return os.MkdirAll(root, 0o770) }
		}
		return f.WithStep(c.opts.Step), at, nil
	}
	s := c.remotes[server]
	if s == nil {
		return nil, at, fmt.Errorf("the remote %s cannot be used", server)
	}
	if parent := path.Dir(root); !used && parent != root {
		at.make = func(ctx context.Context) error { return s.Folder(parent).Mkdir(ctx, path.Base(root)) }
	}
	return s.Folder(root).WithStep(c.opts.Step), at, nil
}

// prepare makes a root that is new, until it has succeeded once. What fails is told by
// the use of the folder that follows.
func (p *place) prepare(ctx context.Context) {
	if p.make != nil && !p.made.Load() && p.make(ctx) == nil {
		p.made.Store(true)
	}
}

// usedFolders tells which flows and outboxes have batches in the ledger.
func (c *Connector) usedFolders(ctx context.Context) (flows, outboxes map[string]bool, err error) {
	flows, outboxes = map[string]bool{}, map[string]bool{}
	err = c.ledger.View(ctx, func(tx *ledger.Tx) error {
		return tx.BatchesNewestFirst(func(b *ledger.Batch) bool {
			flows[b.Flow], outboxes[b.Outbox] = true, true
			return len(flows) < len(c.cfg.Flows) || len(outboxes) < len(c.cfg.Outboxes)
		})
	})
	return flows, outboxes, err
}

// folderProblem is what keeps a folder from being used, in words that do not change
// from one try to the next; nil if err is something else.
func (c *Connector) folderProblem(at *place, err error) *notification.Problem {
	code, args := "", []string{"folder", at.String()}
	var hostKey *folder.HostKeyError
	var login *folder.LoginError
	switch {
	case errors.As(err, &hostKey):
		code = "C-FOLDER-HOST-KEY"
		known := strings.Join(hostKey.Expected, ", ")
		if known == "" {
			known = c.say("none", "nessuna")
		}
		args = []string{"server", at.remote + " (" + hostKey.Host + ")", "key", hostKey.Seen, "known", known}
	case errors.As(err, &login) && login.Unasked:
		code, args = secretProblem(login)
		args = append(args, "server", at.remote+" ("+login.Host+")", "user", login.User)
	case errors.As(err, &login):
		code, args = "C-FOLDER-LOGIN", []string{"server", at.remote + " (" + login.Host + ")", "user", login.User}
	case errors.Is(err, folder.ErrUnavailable):
		code = "C-FOLDER-AWAY"
	case errors.Is(err, folder.ErrEndless):
		code = "C-FOLDER-ENDLESS"
	case errors.Is(err, folder.ErrFull):
		code = "C-FOLDER-FULL"
	case errors.Is(err, folder.ErrPermission):
		code = "C-FOLDER-RIGHTS"
	default:
		return nil
	}
	p := notification.New(c.lang, code, "", args...)
	return &p
}

// secretProblem is a secret of a server that cannot be read here: a matter of this
// machine, of which the server knows nothing.
func secretProblem(login *folder.LoginError) (code string, args []string) {
	if open, ok := errors.AsType[*config.OpenSecretError](login.Cause); ok {
		return secretOpen, []string{"file", open.Path}
	}
	return secretUnread, []string{"what", login.Cause.Error()}
}

// Secrets of a server that cannot be read here. They are settings to mend, as those of
// a sender are, and have their exit code.
const (
	secretOpen   = "C-SECRET-OPEN"
	secretUnread = "C-SECRET-UNREAD"
)

// folderExit is the exit code of what keeps a folder from being used.
func folderExit(code string) int {
	if code == secretOpen || code == secretUnread {
		return ExitUsage
	}
	return ExitHeld
}

// A hold of a folder stands for folderHold and is renewed when less than half of that
// is left: enough for a loop that tries again every few seconds not to write each time.
const folderHold = 15 * time.Minute

// folderState says to everybody that the folder of a flow or outbox cannot be used, or
// can again: status, stato.csv and the exit code, and not the log alone (promise 6).
func (c *Connector) folderState(ctx context.Context, scope ledger.HoldScope, name string, p *notification.Problem) error {
	if ctx.Err() != nil {
		return nil
	}
	holds, err := c.holdsShown(ctx)
	if err != nil {
		return err
	}
	now := c.opts.Clock()
	held := heldOf(holds, scope, name)
	switch {
	case p == nil && held == nil:
		return nil
	case p == nil:
		return c.ledger.Update(ctx, func(tx *ledger.Tx) error { return tx.DropHold(scope, name) })
	case held != nil && held.Reason == p.Code && held.Detail == p.Message && held.Until.Sub(now) > folderHold/2:
		return nil
	}
	return c.ledger.Update(ctx, func(tx *ledger.Tx) error {
		return tx.PutHold(ledger.Hold{Scope: scope, Name: name, Reason: p.Code, Detail: p.Message, Since: now, Until: now.Add(folderHold)})
	})
}
