package connector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/ledger"
)

// A killed connector must be a killed process: what dies in memory only shares its
// caches, handles and runtime with who comes after it. So the test binary runs itself
// as a connector that kills itself at a named step; the judge and the clerks live in
// the parent.

// childEnv holds the life of a child; its presence makes the test binary one.
const childEnv = "CRASH_CHILD"

func TestMain(m *testing.M) {
	text := os.Getenv(childEnv)
	if text == "" {
		os.Exit(m.Run())
	}
	if err := liveAsChild(text); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// life is what a child is told.
type life struct {
	Config  string
	Control string   // the parent's address
	Service bool     // Run, and not passes of Once
	At      string   // the kind of step at which it dies; "" = never, anyStep = all counted together, newKind = see Spare
	Nth     int      // at which occurrence
	Spare   []string // with newKind: the kinds at which it does not die
	Side    string   // with newKind: "before" or "after" its effect; "" = both
	Passes  int      // it ends after so many; 0 = when the parent has seen enough
	Stays   bool     // a service in real time, until somebody kills it; it tells when it can be reached
	Early   bool     // dies in its first pass or never: what a start does
	Refined bool     // kinds are as kindOf refines them
	Command string   // one command of an administrator, and no pass
}

const newKind = "new"

// heard is what a child hears from its parent.
type heard struct {
	Now    time.Time
	Orders []string // commands that a clerk gives
	End    bool     // all is done, and the life may end
}

// child is the connector's world in the child.
type child struct {
	life
	cfg  *config.Config
	opts Options
	now  atomic.Int64

	mu    sync.Mutex // for good in the one who dies
	seen  map[string]int
	order []string
	stage string
}

func liveAsChild(text string) error {
	c := &child{seen: map[string]int{}}
	err := json.Unmarshal([]byte(text), &c.life)
	if err == nil {
		c.cfg, err = config.Load(c.Config)
	}
	if err == nil {
		_, err = c.tell("now", nil)
	}
	if err != nil {
		return err
	}
	level := slog.LevelError + 1
	if os.Getenv("CRASH_LOG") != "" {
		level = slog.LevelInfo
	}
	c.opts = Options{
		Clock: func() time.Time { return time.Unix(0, c.now.Load()).UTC() },
		Wait:  c.wait, Step: c.step,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
	if c.Command != "" {
		err = c.command()
	} else if c.Stays {
		c.opts.Wait = nil
		err = c.with(func(ctx context.Context, x *Connector) error { return x.Run(ctx) })
	} else if c.Service {
		err = c.serve()
	} else {
		err = c.passes()
	}
	if err != nil {
		return err
	}
	_, err = c.tell("lived", lived{Seen: c.seen, Order: c.order})
	return err
}

// lived is what a child tells at its natural end.
type lived struct {
	Seen  map[string]int
	Order []string
}

// tell says something to the parent and takes the platform's time from the answer.
func (c *child) tell(what string, body any) (heard, error) {
	var a heard
	data, err := json.Marshal(body)
	if err != nil {
		return a, err
	}
	resp, err := http.Post(c.Control+"/crash/"+what, "application/json", bytes.NewReader(data)) //nolint:noctx // a child has no other end
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	if err = json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return a, fmt.Errorf("%s: %w", what, err)
	}
	for was := c.now.Load(); a.Now.UnixNano() > was && !c.now.CompareAndSwap(was, a.Now.UnixNano()); {
		was = c.now.Load()
	}
	return a, nil
}

// wait lets the platform's time pass, as in the parent: nothing sleeps.
func (c *child) wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	select {
	case <-wake:
	case <-ctx.Done():
	default:
		_, _ = c.tell("advance", d) // a parent that is gone is noticed by the next call
	}
}

// kindOf tells effects of the ledger and of folders apart by the stage's step that
// came before: a commit of a claim is not a commit of an answer of SEND.
func (c *child) kindOf(name string) string {
	if !strings.HasPrefix(name, "ledger.") && !strings.HasPrefix(name, "folder.") {
		c.stage = name
		return name
	}
	if !c.Refined || c.stage == "" {
		return name
	}
	return name + "<" + c.stage
}

// step is the seam. It dies as the system lets a process die, in the middle of
// everything that its other goroutines do.
func (c *child) step(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	kind := c.kindOf(name)
	if c.seen[kind]++; c.seen[kind] == 1 {
		c.order = append(c.order, kind)
	}
	c.seen[anyStep]++
	if c.Stays && name == stepControl+":after" {
		_, err := c.tell("ready", os.Getpid())
		return err
	}
	switch c.At {
	case "":
		return nil
	case newKind:
		if slices.Contains(c.Spare, kind) || c.Side != "" && strings.HasSuffix(name, ":before") != (c.Side == "before") {
			return nil
		}
	case anyStep:
		if c.seen[anyStep] != c.Nth {
			return nil
		}
	default:
		if kind != c.At || c.seen[kind] != c.Nth {
			return nil
		}
	}
	_, err := c.tell("dying", kind)
	self, found := os.FindProcess(os.Getpid())
	if err = errors.Join(err, found); err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {} // until the signal is here
}

// passes runs one pass after the other, each with a fresh connector as a scheduler's
// would be, until the parent has seen enough.
func (c *child) passes() error {
	for n := range 400 {
		closed := false
		err := c.with(func(ctx context.Context, x *Connector) error {
			s, err := x.Once(ctx, OnceOptions{})
			if err == nil && len(s.Failures) > 0 {
				fmt.Fprintln(os.Stderr, "failures:", s.Failures)
			}
			if err == nil {
				closed, err = allClosed(x)
			}
			return err
		})
		if err != nil {
			return err
		}
		a, err := c.tell("between", closed)
		if err != nil || a.End || n+1 == c.Passes {
			return err
		}
		if c.Early {
			c.At = ""
		}
		for _, order := range a.Orders {
			if err := c.with(func(ctx context.Context, x *Connector) error { return c.obey(ctx, x, order) }); err != nil {
				return err
			}
		}
	}
	return errors.New("no end after 400 passes")
}

// with opens the connector for the while.
func (c *child) with(do func(context.Context, *Connector) error) error {
	x, err := Open(context.Background(), c.cfg, c.opts)
	if err != nil {
		return err
	}
	return errors.Join(do(context.Background(), x), x.Close())
}

// obey carries out a command. Its refusal is what a clerk reads who repeats it.
func (c *child) obey(ctx context.Context, x *Connector, order string) error {
	what, arg, _ := strings.Cut(order, " ")
	var err error
	switch what {
	case "cancel":
		_, err = x.Cancel(ctx, CancelArgs{Protocol: arg})
	case "backup":
		_, err = x.LedgerBackup(ctx, BackupArgs{File: arg})
	default:
		return fmt.Errorf("no such order: %s", order)
	}
	if _, refused := errors.AsType[*ExitError](err); err != nil && !refused {
		return err
	}
	_, err = c.tell("done", order)
	return err
}

// serve runs the service until the parent has seen enough.
func (c *child) serve() error {
	return c.with(func(ctx context.Context, x *Connector) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var failed error
		var once sync.Mutex
		next := x.opts.Clock().Add(30 * time.Minute)
		advance := x.opts.Wait
		wait := (&together{now: x.opts.Clock, loops: len(x.loops()), advance: func(d time.Duration) { advance(ctx, d, nil) }}).wait
		x.opts.Wait = func(ctx context.Context, d time.Duration, wake <-chan struct{}) {
			wait(ctx, d, wake)
			if !once.TryLock() {
				return
			}
			defer once.Unlock()
			if ctx.Err() != nil || x.opts.Clock().Before(next) {
				return
			}
			next = x.opts.Clock().Add(30 * time.Minute)
			end, err := c.lookAround(ctx, x)
			if err != nil && ctx.Err() == nil {
				failed = err
			}
			if err != nil || end {
				cancel()
			}
		}
		return errors.Join(x.Run(ctx), failed)
	})
}

func (c *child) lookAround(ctx context.Context, x *Connector) (end bool, err error) {
	closed, err := allClosed(x)
	if err != nil {
		return false, err
	}
	a, err := c.tell("between", closed)
	for _, order := range a.Orders {
		if err == nil {
			err = c.obey(ctx, x, order)
		}
	}
	return a.End, err
}

// allClosed tells whether nothing is left to follow.
func allClosed(c *Connector) (bool, error) {
	closed := true
	err := c.ledger.View(context.Background(), func(tx *ledger.Tx) error {
		closed = true
		if err := tx.Batches(func(b *ledger.Batch) bool {
			closed = closed && b.State != ledger.Reading
			return true
		}); err != nil {
			return err
		}
		return tx.Open(0, func(n *ledger.Notification) bool {
			closed = closed && n.Closed
			return closed
		})
	})
	return closed, err
}
